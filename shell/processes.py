"""Many items in several processes of this machine."""
import collections
import concurrent.futures
import contextlib
import itertools
import math
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures.process import BrokenProcessPool

from helpers import BadPhoto, Stopped

from .messages import warn

WORKER_DIED = "worker_died"
LATE = 60                                               # seconds without an answer, after which that is told
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")      # in our children: there is a process for every core already


def map_surviving(function, items, jobs, prepare, arguments, check=lambda: None):
    """Yield (item, result) for every item, in the order in which they finish.

    `function(item)` runs in `jobs` processes that first call `prepare(*arguments)`. A BadPhoto that it raises is the
    item's result; other errors end the work. An item whose process dies is tried once more alone; if that fails too,
    its result is BadPhoto worker_died. When `check()` raises Stopped, or `items` does, no new item is begun, those in
    hand are finished, and it is raised then.
    """
    with _Workers(function, jobs, prepare, arguments) as workers:
        yield from work_through(items, workers, check)


def work_through(items, workers, check, last_wait=math.inf):
    """Yield (item, result) for every item as map_surviving does.

    workers : have `room`, the number of items that take(item) may be called with; `in_hand` and `suspects`, those that
        are begun and those that are to be tried alone; and finish_some(), a generator of (item, result)
    last_wait : seconds for what is in hand after a stop
    """
    items, stopped, last_call = iter(items), None, math.inf
    while True:
        try:
            check()
            for item in itertools.islice(items, 0 if stopped else workers.room):
                workers.take(item)
        except Stopped as request:
            stopped, last_call = request, min(last_call, time.monotonic() + last_wait)
        if not (workers.in_hand or workers.suspects) or time.monotonic() > last_call:
            break
        yield from workers.finish_some()
    if stopped:
        raise stopped


class Watch:
    """Warns when something has been in hand for LATE seconds without an answer."""

    def __init__(self):
        self._since, self._late = {}, 0

    def look(self, in_hand, processes=list):
        """in_hand : all that is in hand, anything that can be a key; processes : function () -> the processes of this
        machine that have it
        """
        now = time.monotonic()
        self._since = {item: self._since.get(item, now) for item in in_hand}
        late = sum(now - since > LATE for since in self._since.values())
        if late > self._late:
            processes = [process.pid for process in processes()]
            one_of = f"; it is {'one of ' * (len(processes) > 1)}{', '.join(map(str, processes))}" if processes else ""
            warn(f"no answer on {late} of {len(in_hand)} in hand for {LATE} s: their process works on, or was stopped "
                 f"(kill -CONT lets it go on{one_of})")
        self._late = late


class _Workers(contextlib.AbstractContextManager):
    """A pool of processes that is made anew when one of them dies, what they have `in_hand`, and `suspects`."""

    def __init__(self, function, jobs, prepare, arguments):
        self.function, self.jobs, self.preparation = function, jobs, (prepare, arguments)
        self.in_hand, self.suspects, self._watch = {}, collections.deque(), Watch()
        self._pool = _new_pool(jobs, *self.preparation)

    def __exit__(self, *_):
        self._pool.shutdown(cancel_futures=True)

    @property
    def room(self):
        return 2 * self.jobs - len(self.in_hand)

    def take(self, item):
        """Begin an item; if a process died while our caller looked at a result, it is a suspect too."""
        try:
            self.in_hand[self._pool.submit(self.function, item)] = item
        except BrokenProcessPool:
            self.suspects.append(item)

    def finish_some(self):
        """Yield (item, result) of what is finished within a second; after a death, of all in hand, one by one."""
        self._watch.look(self.in_hand, multiprocessing.active_children)
        for future in concurrent.futures.wait(self.in_hand, 1, concurrent.futures.FIRST_COMPLETED)[0]:
            item = self.in_hand.pop(future)
            try:
                result = _result_of(future)
            except BrokenProcessPool:
                self.suspects.append(item)
                continue
            yield item, result
        if self.suspects:
            self.suspects.extend(self.in_hand.values())
            self._pool, self.in_hand = _new_pool(self.jobs, *self.preparation), {}
        while self.suspects:
            yield self._finish_alone(self.suspects.popleft())

    def _finish_alone(self, item):
        with _new_pool(1, *self.preparation) as pool:
            try:
                return item, _result_of(pool.submit(self.function, item))
            except BrokenProcessPool:
                return item, BadPhoto(WORKER_DIED, "its process was killed twice")


def _result_of(future):
    """What a function returned, or the BadPhoto that it raised."""
    try:
        return future.result()
    except BadPhoto as problem:
        return problem


def _new_pool(jobs, prepare, arguments):
    return concurrent.futures.ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), _start,
                                                  (prepare, arguments))


def _start(prepare, arguments):
    for number in (signal.SIGINT, signal.SIGUSR1):      # they are for the parent, which lets us finish
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_follow_parent, daemon=True).start()
    prepare(*arguments)


def _follow_parent():
    """End this process when its parent was killed, or it would wait for work for ever."""
    multiprocessing.parent_process().join()
    os._exit(1)
