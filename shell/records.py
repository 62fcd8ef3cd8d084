"""Files of records, when a command ends."""
import json

from helpers import read_records, write_file


def compact(path, key):
    """Keep the newest record of every value of `key`, sorted by it."""
    newest = {record[key]: json.dumps(record).encode() + b"\n" for record in read_records(path)}
    write_file(path, b"".join(newest[value] for value in sorted(newest)))
