"""Complete thousands of faces of which a tenth are broken, in BROKEN's ways, and see what becomes of each.

python -m benchmarks.mixed_inputs --count 5000

Every whole face has its result and every broken one its reason, and memory does not grow from the first fifth on.
"""
import collections
import io
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from helpers import counted
from shell.command import command
from shell.options import Parser, whole_number
from shell.records import read_records
from training.manifest import ROOT

from .fuzz import memory, mend_png
from .fuzz_inputs import float_tiff, saved

SIDE, GROWTH = 64, 1.1
HEIF = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"
BROKEN = {
    "empty": lambda whole: b"", "page": lambda whole: b"<!doctype html><title>404</title>",
    "cut PNG": lambda whole: half(whole), "flipped bit": lambda whole: flip(whole, len(whole) // 2),
    **{f"cut {kind}": lambda whole, kind=kind: half(saved(Image.open(io.BytesIO(whole)), kind))
       for kind in ("JPEG", "GIF", "TIFF", "WebP", "BMP", "PPM")},
    "60,000 pixels a side": lambda whole: mend_png(whole[:16] + (60_000).to_bytes(4, "big") * 2 + whole[24:]),
    "another size": lambda whole: saved(Image.new("RGB", (178, 218)), "PNG"),
    "PostScript": lambda whole: b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 64 64\n", "text": lambda whole: b"face\n",
    "head alone": lambda whole: whole[:8], "zeros": lambda whole: bytes(4096), "negative floats": lambda whole: saved(
        Image.fromarray(np.full((SIDE, SIDE), -1, np.float32)), "TIFF"),
    "64-bit floats": lambda whole: float_tiff(np.float64), "HEIC of nothing": lambda whole: HEIF, "link": None}


def half(content):
    """The first half of a file."""
    return content[:len(content) // 2]


def flip(content, place):
    """A file with one bit turned."""
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1:]


def write_inputs(folder, portraits, count):
    """Write `count` inputs, every tenth broken; returns the names of these by the way in which they are."""
    ways, names = list(BROKEN.items()), collections.defaultdict(list)
    rng = np.random.default_rng(0)
    crops = [Image.open(path).convert("RGB").resize((SIDE + 16, SIDE + 16)) for path in sorted(portraits.glob("*.jpg"))]
    for number in range(count):
        left, top = rng.integers(0, 17, 2)
        whole = saved(crops[number % len(crops)].crop((left, top, left + SIDE, top + SIDE)), "PNG")
        path = folder / f"{number:05d}.png"
        if number % 10:
            path.write_bytes(whole)
            continue
        way, break_it = ways[number // 10 % len(ways)]
        names[way].append(path.stem)
        path.symlink_to(f"absent-{number}") if break_it is None else path.write_bytes(break_it(whole))
    return names


def complete(folder, out, count):
    """Run the command.

    Returns its exit code, seconds, and the bytes in memory after a fifth of the inputs, at most until all results but
    the last hundredth were there, and at most until the page was written.
    """
    begun, first, most, peak = time.monotonic(), 0, 0, 0
    process = subprocess.Popen([sys.executable, ROOT / "face_completion.py", folder, "--out_dir", out, "--method",
                                "navier_stokes", "--quiet"], stderr=subprocess.DEVNULL, cwd=ROOT)
    while process.poll() is None:
        time.sleep(0.2)
        resident = memory(process.pid)
        done = sum(1 for _ in os.scandir(out)) if out.exists() else 0
        first = first or (resident if done > count / 5 else 0)
        most = max(most, resident) if done < 0.89 * count else most
        peak = max(peak, resident)
    return process.returncode, time.monotonic() - begun, first, most, peak


def judge(out, count, names):
    """Print the reason of every way to be broken; returns [what is wrong]."""
    records = {record["name"]: record for record in read_records(out / "results.jsonl", name=str, status=str)}
    done = {name for name, record in records.items() if record["status"] == "done"}
    broken = {name for way in names.values() for name in way}
    for way, of in names.items():
        reasons = collections.Counter(record_of(records, name).get("reason", "none") for name in of)
        print(f"{way}: {', '.join(f'{reason} {number}' for reason, number in reasons.most_common())}")
    wrong = [f"{counted(len(done & broken), 'broken input')} with a result"] if done & broken else []
    whole = count - len(broken)
    return wrong + ([f"{len(done)} of {whole} whole faces have a result"] if len(done) != whole else [])


def record_of(records, name):
    """The record of an input; what is not even opened is recorded by its path."""
    return records.get(name) or next((record for key, record in records.items() if Path(key).stem == name), {})


def parse(argv=None):
    parser = Parser(__doc__)
    parser.add_argument("--count", type=whole_number(20), default=5000, metavar="N", help="faces, whole and broken")
    parser.add_argument("--portraits", type=Path, default=ROOT / "samples", metavar="DIR", help="what to cut them from")
    return parser.parse_args(argv)


@command
def main(argv=None):
    """Run it; returns 1 if anything is not as it has to be."""
    options = parse(argv)
    with tempfile.TemporaryDirectory() as home:
        folder, out = Path(home, "in"), Path(home, "out")
        folder.mkdir()
        names = write_inputs(folder, options.portraits, options.count)
        code, seconds, first, most, peak = complete(folder, out, options.count)
        wrong = judge(out, options.count, names)
    wrong += [f"exit code {code}"] if code != 1 else []
    wrong += [f"memory grew from {first:,} to {most:,}"] if most > GROWTH * first else []
    print(f"{options.count} inputs in {seconds:.0f} s; {first / 2**20:.0f} MB after a fifth of them, at most "
          f"{most / 2**20:.0f} MB until the last, {peak / 2**20:.0f} MB for the page: {'; '.join(wrong) or 'all well'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
