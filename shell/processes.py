"""Many items in several processes of this machine."""
import collections
import concurrent.futures
import multiprocessing
import os
import signal
import threading
from concurrent.futures.process import BrokenProcessPool

from helpers import BadPhoto, Stopped

WORKER_DIED = "worker_died"
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")      # in our children: there is a process for every core already


def map_surviving(function, items, jobs, prepare, arguments, check=lambda: None):
    """Yield (item, result) for every item, in the order in which they finish.

    `function(item)` runs in `jobs` processes that first call `prepare(*arguments)`. A BadPhoto that it raises is the
    item's result; other errors end the work. An item whose process dies is tried once more alone; if that fails too,
    its result is BadPhoto worker_died. When `check()` raises Stopped, or `items` does, no new item is begun, those in
    hand are finished, and it is raised then.
    """
    items, suspects, stopped = iter(items), collections.deque(), None
    pool, pending = _new_pool(jobs, prepare, arguments), {}
    try:
        while True:
            broken = False
            try:
                while not broken and not stopped and len(pending) < 2 * jobs:
                    check()
                    if (item := next(items, None)) is None:
                        break
                    try:
                        pending[pool.submit(function, item)] = item
                    except BrokenProcessPool:           # a process died while our caller looked at a result
                        broken = True
                        suspects.append(item)
            except Stopped as request:
                stopped = request
            if not pending and not broken:
                break
            for future in concurrent.futures.wait(pending, return_when=concurrent.futures.FIRST_COMPLETED)[0]:
                item = pending.pop(future)
                try:
                    yield item, _result_of(future)
                except BrokenProcessPool:
                    broken = True
                    suspects.append(item)
            if broken:
                suspects.extend(pending.values())
                pool, pending = _new_pool(jobs, prepare, arguments), {}
                while suspects:
                    yield _alone(function, suspects.popleft(), prepare, arguments)
    finally:
        pool.shutdown(cancel_futures=True)
    if stopped:
        raise stopped


def _result_of(future):
    """What a function returned, or the BadPhoto that it raised."""
    try:
        return future.result()
    except BadPhoto as problem:
        return problem


def _alone(function, item, prepare, arguments):
    with _new_pool(1, prepare, arguments) as pool:
        try:
            return item, _result_of(pool.submit(function, item))
        except BrokenProcessPool:
            return item, BadPhoto(WORKER_DIED, "its process was killed twice")


def _new_pool(jobs, prepare, arguments):
    return concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _start,
                                                  (prepare, arguments))


def _start(prepare, arguments):
    signal.signal(signal.SIGINT, signal.SIG_IGN)                        # Ctrl-C is for the parent, which lets us finish
    threading.Thread(target=_follow_parent, daemon=True).start()
    prepare(*arguments)


def _follow_parent():
    """End this process when its parent was killed, or it would wait for work for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)
