"""Many items on the workers of a Dask cluster.

The workers import the toolkit from the folder where it lies here, which they have to see, or from wherever they find
it; the scheduler needs Dask alone:

    dask scheduler
    dask worker tcp://HOST:8786 --nthreads 1
"""
import asyncio
import concurrent.futures
import contextlib
import logging
import pickle
import threading
import time
import uuid
from pathlib import Path

from helpers import VERSION, BadPhoto, UsageError

from .processes import WORKER_DIED, Watch, work_through

HOME = str(Path(__file__).resolve().parents[1])          # the toolkit's folder
PATIENCE = 30                                           # seconds for a scheduler to answer and a worker to be there
LAST_WAIT = 2                                           # seconds for what is in hand when the user stops
GO_ON = "what is finished is kept, run the same command again to go on"


def map_on_cluster(function, items, address, prepare, arguments, check=lambda: None):
    """Yield (item, result) for every item, in the order in which they finish: processes.map_surviving on a cluster.

    address : of the scheduler, such as tcp://host:8786

    A worker process, however many threads it has, does one item at a time, after one call of `prepare(*arguments)`.
    What a lost worker had in hand is done by others, or by one that comes in its place; an item that ended one worker
    after another is tried again alone, and if that fails too its result is BadPhoto worker_died. When `check()` raises
    Stopped, or `items` does, no new item is begun, and it is raised when those in hand are finished or after LAST_WAIT.
    Raises UsageError if there is no such scheduler or it loses all its workers, or if they lack the toolkit.
    """
    with _connect(address) as client:
        preparation = pickle.dumps((uuid.uuid4().hex, VERSION, prepare, arguments))
        yield from work_through(items, _Cluster(function, client, address, preparation), check, LAST_WAIT)


class _Cluster:
    """What one call of map_on_cluster asks of its scheduler; the workers of processes.work_through.

    in_hand : {future: (item, whether it is tried alone)}
    """

    def __init__(self, function, client, address, preparation):
        self.function, self.client, self.address, self.preparation = function, client, address, preparation
        self.in_hand, self.suspects, self._watch = {}, [], Watch()
        self._executor, self._last_seen = client.get_executor(pure=False), time.monotonic()

    @property
    def room(self):
        """Two items for each worker, of which there is at least 1: one that is lost may come back."""
        with self._connection():
            count = len(self.client.nthreads())
        self._last_seen = time.monotonic() if count else self._last_seen
        if time.monotonic() - self._last_seen > PATIENCE:
            raise UsageError(f"the cluster at {self.address} has lost all its workers; {GO_ON}")
        return max(2 * max(count, 1) - len(self.in_hand), 0)

    def take(self, item, alone=False):
        """Begin an item on a worker."""
        with self._connection():
            future = self._executor.submit(_on_worker, HOME, pickle.dumps((self.function, item)), self.preparation)
        self.in_hand[future] = item, alone

    def finish_some(self):
        """Yield (item, result) of what is finished within a second; what ended workers is tried alone at the end."""
        if not self.in_hand:
            self.take(self.suspects.pop(), alone=True)
        self._watch.look(self.in_hand)
        for future in concurrent.futures.wait(self.in_hand, 1, concurrent.futures.FIRST_COMPLETED)[0]:
            item, alone = self.in_hand.pop(future)
            result = self._result_of(future)
            if not alone and isinstance(result, BadPhoto) and result.reason == WORKER_DIED:
                self.suspects.append(item)
            else:
                yield item, result

    def _result_of(self, future):
        """The result of a finished future, or the BadPhoto that it ended with."""
        from distributed import KilledWorker
        try:
            return future.result()
        except BadPhoto as problem:
            return problem
        except (concurrent.futures.CancelledError, asyncio.CancelledError) as error:
            raise UsageError(f"lost the scheduler at {self.address}; {GO_ON}") from error
        except KilledWorker:
            return BadPhoto(WORKER_DIED, "its worker was lost again and again")
        except ImportError as error:
            raise UsageError(f"a worker of {self.address} lacks the toolkit or what it needs ({error}): it has to see "
                             f"{HOME}, and to run in an environment like this one") from error

    @contextlib.contextmanager
    def _connection(self):
        from distributed.client import ClosedClientError
        try:
            yield
        except (OSError, ClosedClientError) as error:
            raise UsageError(f"lost the scheduler at {self.address}; {GO_ON}") from error


@contextlib.contextmanager
def _connect(address):
    try:
        import distributed
    except ImportError as error:
        raise UsageError("--scheduler needs Dask: pip install -r requirements-dask.txt") from error
    logging.getLogger("distributed").setLevel(logging.CRITICAL)         # what matters comes as an exception
    answer = concurrent.futures.Future()
    threading.Thread(target=_open, args=(answer, distributed.Client, address), daemon=True).start()
    try:
        client = answer.result(2 * PATIENCE)            # Dask itself waits for ever for a port that never says a word
    except (OSError, ValueError, TypeError, ImportError, OverflowError, concurrent.futures.TimeoutError) as error:
        raise UsageError(f"no Dask scheduler answers at {address}: it has to be like tcp://host:8786") from error
    with client:
        try:
            client.wait_for_workers(1, PATIENCE)
        except TimeoutError as error:
            raise UsageError(f"the scheduler at {address} has no workers: start some, dask worker {address} "
                             "--nthreads 1") from error
        yield client


def _open(answer, make_client, address):
    try:
        answer.set_result(make_client(address, timeout=PATIENCE, set_as_default=False))
    except Exception as error:
        answer.set_exception(error)


def _on_worker(home, work, preparation):
    """Do one item in a worker; home : the toolkit's folder."""
    import pickle  # this function travels without its module
    import sys
    if home not in sys.path:
        sys.path.append(home)
    from shell.dask_cluster import do_item
    return do_item(*pickle.loads(work), *pickle.loads(preparation))


_on_worker.__module__ = "__main__"                      # sent by value: the scheduler reads it and lacks the toolkit

_busy, _prepared_run = threading.Lock(), None


def do_item(function, item, run, version, prepare, arguments):
    """function(item) in a worker, which is prepared once a run and does one item at a time."""
    global _prepared_run
    with _busy:
        if version != VERSION:
            raise UsageError(f"a worker has version {VERSION} of the toolkit, this is version {version}")
        if _prepared_run != run:
            prepare(*arguments)
            _prepared_run = run
        return function(item)
