"""The work in these tests is eval of an expression, as in test_processes.py."""
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from helpers import Stopped, UsageError
from shell import dask_cluster, processes
from shell.dask_cluster import map_on_cluster

pytestmark = pytest.mark.slow

distributed = pytest.importorskip("distributed")
DIE = "__import__('os')._exit(9)"


@pytest.fixture(autouse=True)
def collect():
    """Close the clients that a test leaves; collected while another one starts, they wait for its lock for ever."""
    yield
    gc.collect()


def results(items, address, **options):
    """{item: result} of evaluated items; every item must come out once."""
    pairs = list(map_on_cluster(eval, items, address, str, (), **options))
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


def test_every_item_gets_its_own_result_from_more_than_one_process(two_workers):
    squares = [f"{number} ** 2" for number in range(20)]
    assert results(squares, two_workers.scheduler_address) == {item: eval(item) for item in squares}
    slow = [f"(__import__('time').sleep(0.2), __import__('os').getpid(), {number})[1]" for number in range(6)]
    assert len({*results(slow, two_workers.scheduler_address).values(), os.getpid()}) == 3


def test_no_items_give_no_results(two_workers):
    assert results([], two_workers.scheduler_address) == {}


def test_a_worker_prepares_once_and_does_one_item_at_a_time(two_workers):
    prepare = "import builtins, time\nbuiltins.prepared = getattr(builtins, 'prepared', 0) + 1\nbuiltins.at_work = []"
    work = "(at_work.append(1), __import__('time').sleep(0.05), len(at_work), at_work.pop(), prepared, {})[2:5:2]"
    items = [work.format(number) for number in range(12)]
    pairs = list(map_on_cluster(eval, items, two_workers.scheduler_address, exec, (prepare,)))
    assert [result for _, result in pairs] == [(1, 1)] * 12


@pytest.mark.fault("F48", "alignment", "completion", "evaluation")
def test_what_a_lost_worker_had_in_hand_is_done_by_others(two_workers, tmp_path):
    once = f"(__import__('os').path.exists({str(tmp_path / 'mark')!r}) or " \
           f"(open({str(tmp_path / 'mark')!r}, 'w').close(), {DIE}), 'done')[1]"
    items = [once, *(f"{number} + 0" for number in range(8))]
    assert results(items, two_workers.scheduler_address) == {once: "done", **{item: eval(item) for item in items[1:]}}


def test_an_item_that_kills_every_worker_is_told_and_the_others_finish(two_workers):
    two_workers.scheduler.allowed_failures = 0
    found = results(["1 + 1", DIE, "2 + 2", "3 + 3"], two_workers.scheduler_address)
    two_workers.scheduler.allowed_failures = 3
    assert found.pop(DIE).reason == "worker_died" and found == {"1 + 1": 2, "2 + 2": 4, "3 + 3": 6}


def test_what_the_work_raises_is_raised_here(two_workers):
    with pytest.raises(ZeroDivisionError):
        results(["1 / 0"], two_workers.scheduler_address)


def test_once_stopped_no_item_is_begun(two_workers):
    calls, done = [], {}

    def check():
        calls.append(None)
        if len(calls) > 1:
            raise Stopped(130)
    with pytest.raises(Stopped):
        for item, result in map_on_cluster(eval, map(str, range(100)), two_workers.scheduler_address, str, (), check):
            done[item] = result
    assert 0 < len(done) <= 4 and done == {item: int(item) for item in done}


def test_a_stop_waits_a_moment_only_for_what_is_in_hand(two_workers):
    def check():
        if time.monotonic() > begun + 0.5:
            raise Stopped(143)
    begun = time.monotonic()
    with pytest.raises(Stopped):
        results(["__import__('time').sleep(20)"], two_workers.scheduler_address, check=check)
    assert time.monotonic() - begun < 10


def test_a_stop_that_raises_does_not_wait_for_what_is_in_hand(two_workers):
    def stop():
        if time.monotonic() > begun + 0.5:
            raise KeyboardInterrupt
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        results(["__import__('time').sleep(20)"], two_workers.scheduler_address, check=stop)
    assert time.monotonic() - begun < 10


@pytest.mark.parametrize("address", ["tcp://localhost:1", "nonsense://localhost:1", "localhost:99999", "tcp://"])
def test_a_scheduler_that_does_not_answer_is_told_in_time(monkeypatch, address):
    monkeypatch.setattr(dask_cluster, "PATIENCE", 1)
    begun = time.monotonic()
    with pytest.raises(UsageError, match="no Dask scheduler answers"):
        results(["1"], address)
    assert time.monotonic() - begun < 8


def test_one_that_takes_the_connection_and_stays_silent_is_told_too(monkeypatch):
    monkeypatch.setattr(dask_cluster, "PATIENCE", 1)
    with socket.create_server(("localhost", 0)) as silent, pytest.raises(UsageError, match="no Dask scheduler answers"):
        results(["1"], f"tcp://localhost:{silent.getsockname()[1]}")


def test_a_scheduler_without_workers_is_told(monkeypatch):
    monkeypatch.setattr(dask_cluster, "PATIENCE", 0.5)
    with distributed.LocalCluster(n_workers=0, dashboard_address=None) as started:
        with pytest.raises(UsageError, match="has no workers: start some, dask worker"):
            results(["1"], started.scheduler_address)


def test_a_cluster_that_loses_all_its_workers_is_told(monkeypatch):
    monkeypatch.setattr(dask_cluster, "PATIENCE", 1)
    with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as started:
        found = map_on_cluster(eval, ["1", "__import__('time').sleep(4)"], started.scheduler_address, str, ())
        assert next(found) == ("1", 1)
        started.scale(0)
        with pytest.raises(UsageError, match="lost all its workers; what is finished is kept"):
            next(found)


@pytest.fixture
def scheduler(start, tmp_path):
    """(address, process) of a scheduler in a process of its own."""
    process = start("-m", "distributed.cli.dask_scheduler", "--host", "localhost", "--port", 0, "--no-dashboard",
                    "--scheduler-file", tmp_path / "scheduler.json", stderr=subprocess.DEVNULL)
    while not (tmp_path / "scheduler.json").exists():
        assert process.poll() is None
        time.sleep(0.05)
    return json.loads((tmp_path / "scheduler.json").read_text())["address"], process


def start_worker(start, address, folder=".", lacking=()):
    code = (f"import os, sys; sys.modules.update(dict.fromkeys({lacking!r})); os.chdir({str(folder)!r})\n"
            "from distributed.cli.dask_worker import main; main()")
    start("-c", code, address, "--nthreads", 1, "--no-nanny", "--no-dashboard", stderr=subprocess.DEVNULL)


def test_workers_need_not_be_started_in_the_folder_of_the_toolkit(scheduler, start, tmp_path):
    start_worker(start, scheduler[0], tmp_path)
    assert results(["1 + 1"], scheduler[0]) == {"1 + 1": 2}


def test_workers_that_lack_the_toolkit_are_told(scheduler, start, tmp_path):
    start_worker(start, scheduler[0], tmp_path, lacking=("shell",))
    with pytest.raises(UsageError, match="lacks the toolkit .*shell"):
        results(["1"], scheduler[0])


def test_a_scheduler_that_is_lost_is_told(scheduler, start):
    address, process = scheduler
    start_worker(start, address)
    found = map_on_cluster(eval, ["1", "__import__('time').sleep(60)"], address, str, ())
    assert next(found) == ("1", 1)
    process.kill()
    with pytest.raises(UsageError, match="lost the scheduler at tcp.* run the same command again"):
        next(found)


@pytest.mark.fault("F48", "alignment", "completion")
def test_a_stopped_worker_is_told_and_the_work_goes_on_with_it(scheduler, start, monkeypatch, capsys):
    monkeypatch.setattr(processes, "LATE", 1)
    start_worker(start, scheduler[0])
    found = {}
    for item, result in map_on_cluster(eval, ["__import__('os').getpid()", "__import__('time').sleep(1)", "1 + 1"],
                                       scheduler[0], str, ()):
        if not found:
            os.kill(result, signal.SIGSTOP)
            threading.Timer(4, os.kill, (result, signal.SIGCONT)).start()
        found[item] = result
    assert found["1 + 1"] == 2 and capsys.readouterr().err.endswith("lets it go on)\n")


def test_a_missing_dask_is_told_with_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UsageError, match="pip install -r requirements-dask.txt"):
        results(["1"], "tcp://localhost:1")
