"""Which of several machines this process is, read without TensorFlow."""
import json
import os
from typing import NamedTuple

from helpers import UsageError


class Worker(NamedTuple):
    """One of `count` processes that train together; the chief, worker 0, alone writes."""
    index: int = 0
    count: int = 1

    @property
    def is_chief(self):
        """Whether this process writes saves, curves and samples."""
        return self.index == 0


def this_worker():
    """The Worker that TF_CONFIG describes, or the only one where it is not set.

    TF_CONFIG : {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}
    Raises UsageError if it has another form.
    """
    text = os.environ.get("TF_CONFIG")
    if not text:
        return Worker()
    try:
        config = json.loads(text)
        workers, task = config["cluster"]["worker"], config["task"]
        if task["type"] != "worker" or set(config["cluster"]) != {"worker"} or not 0 <= task["index"] < len(workers):
            raise ValueError(f"worker {task['index']} of {len(workers)}")
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError('TF_CONFIG has to be like {"cluster": {"worker": ["host:port", ...]}, "task": {"type": '
                         f'"worker", "index": 0}}}}, got {text}') from error
    return Worker(task["index"], len(workers))
