"""Many items in several processes of this machine."""
import collections
import concurrent.futures
import multiprocessing
import os
import signal
import threading
from concurrent.futures.process import BrokenProcessPool

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")      # in our children: there is a process for every core already


class WorkerDied(Exception):
    """The process that worked on an item was killed, and again when it was tried once more."""


def map_surviving(function, items, jobs, prepare, arguments, is_stopped=lambda: False):
    """Yield (item, result) for every item, in the order in which they finish.

    `function(item)` runs in `jobs` processes that first call `prepare(*arguments)`. An item whose process dies is
    tried once more alone; if that fails too, its result is WorkerDied. When `is_stopped()` turns true no new item
    is begun, and those in hand are finished.
    """
    items, suspects = iter(items), collections.deque()
    pool, pending = _new_pool(jobs, prepare, arguments), {}
    try:
        while True:
            broken = False
            while (not broken and len(pending) < 2 * jobs and not is_stopped()
                   and (item := next(items, None)) is not None):
                try:
                    pending[pool.submit(function, item)] = item
                except BrokenProcessPool:               # a process died while our caller looked at a result
                    broken = True
                    suspects.append(item)
            if not pending and not broken:
                break
            finished, _ = concurrent.futures.wait(pending, return_when=concurrent.futures.FIRST_COMPLETED)
            for future in finished:
                item = pending.pop(future)
                try:
                    yield item, future.result()
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


def _alone(function, item, prepare, arguments):
    with _new_pool(1, prepare, arguments) as pool:
        try:
            return item, pool.submit(function, item).result()
        except BrokenProcessPool:
            return item, WorkerDied("its process was killed twice")


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
