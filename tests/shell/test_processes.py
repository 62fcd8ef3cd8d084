"""The work in these tests is eval of an expression, which a worker can import whatever this file is called."""
import multiprocessing
import os
import signal
import threading
import time

import pytest

from helpers import BadPhoto, Stopped
from shell import processes
from shell.processes import map_surviving

DIE = "__import__('os')._exit(9)"


def results(items, jobs=1, **options):
    """{item: result} of evaluated items; every item must come out once."""
    pairs = list(map_surviving(eval, items, jobs, str, (), **options))
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_item_gets_its_own_result(jobs):
    items = [f"{number} ** 2" for number in range(20)]
    assert results(items, jobs) == {item: number ** 2 for number, item in enumerate(items)}


def test_no_items_give_no_results():
    assert results([]) == {}


@pytest.mark.fault("F48", "alignment", "evaluation")
def test_an_item_that_kills_its_process_twice_is_told_and_the_others_finish():
    items = ["1 + 1", DIE, "2 + 2", "3 + 3", "4 + 4"]
    found = results(items)
    assert found.pop(DIE).reason == "worker_died"
    assert found == {item: eval(item) for item in items if item != DIE}


@pytest.mark.fault("F48", "alignment", "evaluation")
def test_an_item_that_kills_its_process_once_is_done_alone(tmp_path):
    once = f"__import__('os').path.exists({str(tmp_path / 'mark')!r}) and 'done' or " \
           f"(open({str(tmp_path / 'mark')!r}, 'w').close(), {DIE})"
    assert results(["1 + 1", once, "2 + 2"]) == {"1 + 1": 2, once: "done", "2 + 2": 4}


def test_a_process_may_die_while_a_result_is_looked_at():
    found, others = {}, set(multiprocessing.active_children())
    for item, result in map_surviving(eval, ["1 + 1", DIE, "2 + 2", "3 + 3"], 1, str, ()):
        found[item] = result
        while item == "1 + 1" and set(multiprocessing.active_children()) - others:
            time.sleep(0.05)
    assert found.pop(DIE).reason == "worker_died"
    assert found == {"1 + 1": 2, "2 + 2": 4, "3 + 3": 6}


def test_once_stopped_no_item_is_begun_and_those_in_hand_are_finished():
    done = []

    def check():
        if done:
            raise Stopped(130)
    with pytest.raises(Stopped):
        for item, result in map_surviving(eval, (str(number) for number in range(100)), 1, str, (), check):
            assert result == int(item)
            done.append(result)
    assert sorted(done) == [0, 1]


def test_a_bad_photo_that_the_work_raises_is_its_result_and_other_errors_end_it():
    bad = "exec('from helpers import BadPhoto; raise BadPhoto(\\'empty\\')')"
    found = results(["1 + 1", bad])
    assert isinstance(found[bad], BadPhoto) and (found[bad].reason, found["1 + 1"]) == ("empty", 2)
    with pytest.raises(ZeroDivisionError):
        results(["1 / 0"])


def test_workers_are_prepared_before_their_first_item():
    assert dict(map_surviving(eval, ["__import__('builtins').five"], 1, exec,
                              ("__import__('builtins').five = 5",))) == {"__import__('builtins').five": 5}


@pytest.mark.fault("F48", "alignment", "evaluation")
def test_a_stopped_process_is_told_and_the_work_goes_on_with_it(monkeypatch, capsys):
    others, found = set(multiprocessing.active_children()), {}
    for item, result in map_surviving(eval, [f"{number} + 1" for number in range(12)], 1, str, ()):
        if not found:
            monkeypatch.setattr(processes, "LATE", 1)   # not before: under load a process takes longer to start
            stopped = (set(multiprocessing.active_children()) - others).pop()
            os.kill(stopped.pid, signal.SIGSTOP)
            threading.Timer(4, os.kill, (stopped.pid, signal.SIGCONT)).start()
        found[item] = result
    assert found == {f"{number} + 1": number + 1 for number in range(12)}
    err = capsys.readouterr().err
    assert err.count("no answer on") == 1 and str(stopped.pid) in err


def test_no_more_items_are_taken_than_are_worked_on():
    taken = []
    source = (taken.append(number) or str(number) for number in range(50))
    for done, _ in enumerate(map_surviving(eval, source, 1, str, ()), 1):
        assert len(taken) <= done + 2


def test_workers_end_when_their_parent_is_killed(start):
    process = start("-c", "import time\nfrom shell.processes import map_surviving\n"
                          "for _, result in map_surviving(eval, ['1 + 1'], 1, str, ()):\n"
                          "    print(result, flush=True)\n"
                          "    time.sleep(600)")
    assert process.stdout.readline() == "2\n"
    process.kill()
    process.communicate(timeout=30)                     # lasts until no worker holds the pipe any more
