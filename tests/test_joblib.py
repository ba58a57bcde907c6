"""joblib on anyk's workers: the same results as without, whoever dies, is late, or lies."""

import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from calls import pids_of
from joblib import Parallel, delayed
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.svm import SVC

import anyk
import anyk.joblib
from anyk.executors.core.run_task import pause
from anyk.faults import AbstractFault, Collude, Corrupt, Crash, Delay, Faulty

X, Y = make_classification(120, 6, random_state=0)
GRID = {"C": [0.1, 1.0, 10.0], "gamma": [0.01, 0.1, 1.0, 0.5]}


@pytest.fixture
def executor() -> Iterator[anyk.AbstractExecutor]:
    with anyk.Threads(5) as made:
        yield made


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    yield
    assert "anyk joblib" not in {thread.name for thread in threading.enumerate()}


def search() -> GridSearchCV:
    """60 fits."""
    return GridSearchCV(SVC(), GRID, cv=5, n_jobs=-1, return_train_score=True)


def assert_same_search(found: GridSearchCV, expected: GridSearchCV) -> None:
    assert found.best_params_ == expected.best_params_
    for name, values in expected.cv_results_.items():
        if not name.endswith("_time") and not name.startswith("param"):
            np.testing.assert_array_equal(found.cv_results_[name], values, err_msg=name)


def test_joblib_knows_it_after_one_import() -> None:
    code = """
import sys, anyk
anyk.Threads, anyk.map
assert 'joblib' not in sys.modules
import anyk.joblib, joblib
with anyk.Threads(2) as executor, joblib.parallel_backend('anyk', executor=executor):
    print(joblib.Parallel()(joblib.delayed(abs)(-x) for x in range(4)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == "[0, 1, 2, 3]\n", done.stderr


@pytest.mark.parametrize("kind", [anyk.Inline, anyk.Threads, anyk.Simulated])
def test_results_are_those_of_a_loop(kind: Callable[[int], anyk.AbstractExecutor]) -> None:
    with kind(3) as executor, joblib.parallel_config("anyk", executor=executor):
        for number in (0, 1, 2, 50, 400):
            tasks = [delayed(divmod)(each, 7) for each in range(number)]
            assert Parallel()(tasks) == [divmod(each, 7) for each in range(number)]


@pytest.mark.parametrize(
    ("faults", "options"),
    [
        ({}, {}),
        ({1: Crash()}, {}),
        ({1: Delay(0.6)}, {}),
        ({1: Crash(), 2: Delay(0.6)}, {}),
        ({3: Corrupt()}, {"agree": 2}),
        ({3: Collude()}, {"agree": 2}),
        ({0: Corrupt(), 1: Collude()}, {"agree": 3}),
        ({}, {"broadcast": [X, Y]}),
        ({1: Crash(), 3: Corrupt()}, {"agree": 2, "broadcast": [X, Y]}),
    ],
)
def test_a_grid_search_is_the_same_as_without(
    executor: anyk.AbstractExecutor, faults: dict[int, AbstractFault], options: dict[str, Any]
) -> None:
    faulty = Faulty(executor, faults)
    with joblib.parallel_config("anyk", executor=faulty, **options):
        found = search().fit(X, Y)
    assert_same_search(found, search().set_params(n_jobs=1).fit(X, Y))
    if options.get("agree"):
        liars = {w for w, fault in faults.items() if isinstance(fault, Corrupt | Collude)}
        assert {each.worker for each in faulty.health if each.lied} == liars


def test_forests_and_scores_are_the_same(executor: anyk.AbstractExecutor) -> None:
    def made(n_jobs: int) -> list[Any]:
        forest = RandomForestClassifier(20, random_state=0, n_jobs=n_jobs).fit(X, Y)
        return [forest.predict_proba(X), cross_val_score(SVC(), X, Y, n_jobs=n_jobs)]

    for agree in (1, 2):
        with joblib.parallel_config("anyk", executor=executor, agree=agree):
            found = made(-1)
        np.testing.assert_equal(found, made(1))


def test_a_liar_among_votes_is_an_error_where_it_can_not_be_outvoted(
    executor: anyk.AbstractExecutor,
) -> None:
    lies = Faulty(executor, {worker: Corrupt(seed=worker) for worker in range(5)})
    with joblib.parallel_config("anyk", executor=lies, agree=2):
        with pytest.raises(anyk.TooManyErrors):
            Parallel()(delayed(abs)(each + 0.5) for each in range(20))


def fragile(number: int) -> int:
    if number == 7:
        raise KeyError("seven")
    return number


def test_an_exception_is_the_functions_own(executor: anyk.AbstractExecutor) -> None:
    with joblib.parallel_config("anyk", executor=executor):
        with pytest.raises(KeyError, match="seven") as caught:
            Parallel()(delayed(fragile)(each) for each in range(30))
    assert isinstance(caught.value.__cause__, anyk.WorkerTraceback)
    assert 'raise KeyError("seven")' in str(caught.value.__cause__)


def not_at_first(folder: Path, number: int) -> int:
    if (folder / f"{number} again").exists():
        return number
    (folder / f"{number} again").touch()
    raise OSError("not now")


def test_a_transient_exception_is_none(executor: anyk.AbstractExecutor, tmp_path: Path) -> None:
    with joblib.parallel_config("anyk", executor=executor):
        tasks = (delayed(not_at_first)(tmp_path, each) for each in range(5))
        assert Parallel(batch_size=1)(tasks) == list(range(5))


@pytest.mark.parametrize("return_as", ["generator", "generator_unordered"])
def test_results_come_one_by_one(executor: anyk.AbstractExecutor, return_as: str) -> None:
    with joblib.parallel_config("anyk", executor=executor):
        found = list(Parallel(return_as=return_as)(delayed(abs)(-each) for each in range(60)))
        assert sorted(found) == list(range(60))
        assert found == sorted(found) or return_as == "generator_unordered"
        begun = Parallel(return_as=return_as)(delayed(abs)(-each) for each in range(60))
        assert next(begun) in range(60)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # joblib counts what was computed in vain
            begun.close()


def test_tasks_are_drawn_as_workers_are_free(executor: anyk.AbstractExecutor) -> None:
    drawn = []

    def tasks() -> Iterator[Any]:
        for each in range(200):
            drawn.append(each)
            yield delayed(abs)(each)

    with joblib.parallel_config("anyk", executor=executor):
        results = Parallel(return_as="generator", batch_size=1)(tasks())
        assert len(drawn) < 200
        assert list(results) == list(range(200))


def test_a_generator_that_raises_ends_the_call(executor: anyk.AbstractExecutor) -> None:
    def tasks() -> Iterator[Any]:
        yield from (delayed(abs)(each) for each in range(40))
        raise LookupError("no more")

    with joblib.parallel_config("anyk", executor=executor):
        with pytest.raises(LookupError, match="no more"):
            Parallel()(tasks())
        assert Parallel()(delayed(abs)(each) for each in range(3)) == [0, 1, 2]


def test_a_timeout_ends_the_call_at_once(executor: anyk.AbstractExecutor) -> None:
    begun = time.monotonic()
    with joblib.parallel_config("anyk", executor=executor, copies=1):
        with pytest.raises(multiprocessing.TimeoutError):
            Parallel(timeout=0.2)(delayed(rest)(each) for each in (0.0, 20.0))
    assert time.monotonic() - begun < 10


def rest(seconds: float) -> None:
    pause(seconds)  # ends with the executor


@pytest.mark.parametrize("first", [True, False])
def test_what_can_not_be_sent_is_an_error(executor: anyk.AbstractExecutor, first: bool) -> None:  # noqa: FBT001
    good: list[Any] = [] if first else list(range(60))
    with joblib.parallel_config("anyk", executor=executor):
        with pytest.raises(TypeError, match="pickle"):
            Parallel(batch_size=1)(delayed(id)(each) for each in [*good, threading.Lock()])


def test_without_workers_it_is_an_error() -> None:
    executor = anyk.Threads(3)
    executor.close()
    with joblib.parallel_config("anyk", executor=executor):
        with pytest.raises(anyk.ExecutorError, match="closed"):
            Parallel()(delayed(abs)(each) for each in range(5))


def test_an_executor_that_is_closed_on_the_way_is_an_error() -> None:
    executor = anyk.Threads(3)
    with joblib.parallel_config("anyk", executor=executor):
        threading.Timer(0.2, executor.close).start()
        with pytest.raises(anyk.ExecutorError, match="closed"):
            Parallel()(delayed(rest)(0.05) for _ in range(200))


def inner(number: int) -> tuple[str, list[int]]:
    backend, _ = joblib.parallel.get_active_backend()
    return type(backend).__name__, Parallel(n_jobs=2)(delayed(abs)(each) for each in [number] * 3)


def test_tasks_within_tasks_run_in_threads(executor: anyk.AbstractExecutor) -> None:
    with joblib.parallel_config("anyk", executor=executor):
        assert Parallel()(delayed(inner)(each) for each in range(4)) == [
            ("ThreadingBackend", [each] * 3) for each in range(4)
        ]


def test_two_calls_of_one_parallel_share_nothing_but_workers(
    executor: anyk.AbstractExecutor,
) -> None:
    with joblib.parallel_config("anyk", executor=executor), Parallel() as parallel:
        for _ in range(3):
            assert parallel(delayed(abs)(each) for each in range(30)) == list(range(30))
            with pytest.raises(KeyError):
                parallel(delayed(fragile)(each) for each in range(30))


def test_calls_in_several_threads_at_once(executor: anyk.AbstractExecutor) -> None:
    def call(base: int) -> None:
        backend = anyk.joblib.AnykBackend(executor)
        tasks = (delayed(abs)(base + each) for each in range(100))
        found[base] = Parallel(backend=backend)(tasks)

    found: dict[int, list[int]] = {}
    threads = [threading.Thread(target=call, args=(1000 * each,)) for each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {base: list(range(base, base + 100)) for base in (0, 1000, 2000, 3000)}


def test_how_many_tasks_run_at_a_time(executor: anyk.AbstractExecutor, tmp_path: Path) -> None:
    backend = anyk.joblib.AnykBackend(executor)
    assert [backend.effective_n_jobs(each) for each in (-1, 1, 3, 99, -3, -99, None)] == [
        5, 1, 3, 5, 3, 1, 1,
    ]  # fmt: skip
    with pytest.raises(anyk.InvalidArgument, match="n_jobs"):
        backend.effective_n_jobs(0)
    with joblib.parallel_config("anyk", executor=executor, copies=1):
        found = Parallel(n_jobs=2)(delayed(beside)(tmp_path, each) for each in range(20))
    assert max(found) == 2


def beside(folder: Path, number: int) -> int:
    (folder / str(number)).touch()
    time.sleep(0.02)
    many = len(list(folder.iterdir()))
    (folder / str(number)).unlink()
    return many


def test_constants_are_sent_once(executor: anyk.AbstractExecutor) -> None:
    sent = []
    keep = executor.broadcast

    def broadcast(value: Any) -> anyk.Broadcast:
        sent.append(value)
        return keep(value)

    executor.broadcast = broadcast  # type: ignore[method-assign]
    with joblib.parallel_config("anyk", executor=executor, broadcast=[X, Y]):
        sums = Parallel()(delayed(total)(X, other=Y) for _ in range(20))
    assert sums == [total(X, Y)] * 20
    assert [each is X for each in sent] == [True, False]


def total(one: Any, other: Any) -> float:
    return float(one.sum() + other.sum())


def spoil(array: Any) -> float:
    array += 1
    return float(array.sum())


def test_a_second_copy_has_arguments_of_its_own(executor: anyk.AbstractExecutor) -> None:
    shared = np.zeros(4)
    with joblib.parallel_config("anyk", executor=executor, agree=2):
        assert Parallel(batch_size=1)(delayed(spoil)(shared) for _ in range(9)) == [4.0] * 9
    assert not shared.any()


def test_batches_grow_with_the_time_that_tasks_take_and_not_with_that_they_wait() -> None:
    with anyk.Simulated(4, compute=3.0) as executor:  # says that each batch takes 3 s
        backend = anyk.joblib.AnykBackend(executor)
        Parallel(backend=backend)(delayed(abs)(each) for each in range(200))
        seen = []
        backend.reset_batch_stats = lambda: seen.append(backend.compute_batch_size())
        Parallel(backend=backend)(delayed(abs)(each) for each in range(200))
        assert seen == [1]


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"copies": 0}, "copies"),
        ({"agree": 0}, "agree"),
        ({"rtol": -1.0}, "rtol"),
        ({"equal": 3}, "equal"),
        ({"executor": 3}, "executor"),
    ],
)
def test_odd_options_are_refused(options: dict[str, Any], name: str) -> None:
    with pytest.raises(anyk.InvalidArgument, match=name):
        anyk.joblib.AnykBackend(**options)


def test_more_votes_than_workers_are_refused() -> None:
    with anyk.Threads(2) as executor, joblib.parallel_config("anyk", executor=executor, agree=3):
        with pytest.raises(anyk.InvalidArgument, match="agree"):
            Parallel()(delayed(os.getpid)() for _ in range(3))


def test_a_grid_search_is_the_same_while_processes_are_killed_and_stopped_and_one_lies() -> None:
    with anyk.Processes(4) as processes:
        executor = Faulty(processes, {3: Corrupt()})
        pids = pids_of(processes)
        os.kill(pids[1], signal.SIGSTOP)
        later = threading.Timer(0.3, os.kill, (pids[0], signal.SIGKILL))
        later.start()
        try:
            with joblib.parallel_config("anyk", executor=executor, agree=2):
                found = search().fit(X, Y)
        finally:
            later.join()
            with suppress(ProcessLookupError):
                os.kill(pids[1], signal.SIGCONT)
        assert [each.worker for each in executor.health if each.lied] == [3]
    assert_same_search(found, search().set_params(n_jobs=1).fit(X, Y))
