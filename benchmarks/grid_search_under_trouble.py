"""A grid search of 60 fits by scikit-learn while workers are killed, stopped, or lie.

The same search, over joblib, on four processes: by joblib's own (loky) and by `import anyk.joblib`.
While it runs, one process is killed (SIGKILL), or one is killed and another one stopped (SIGSTOP)
until the search is over. With `agree=2` a worker adds errors to all scores that it sends. A search
is **same** where `best_params_` and the scores of all fits are those of a plain loop in this
process, bit for bit; else the row says what came instead, within 60 s.

    python benchmarks/grid_search_under_trouble.py [--rounds 3] [--tiny]

Exits with 1 if a search on anyk is not the same.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import joblib
import numpy as np
from _alarm import alarm
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

import anyk
import anyk.joblib
from anyk.faults import Corrupt, Faulty

WORKERS = 4
PATIENCE = 60  # seconds
GRID = {"C": [0.3, 1.0, 3.0, 10.0], "gamma": [1e-4, 1e-3, 1e-2]}


def pid() -> int:
    """Number of the process, after a moment in which others are asked too; all is imported then."""
    import sklearn.model_selection  # noqa: PLC0415 - on the worker
    import sklearn.svm  # noqa: F401, PLC0415 - as above

    time.sleep(0.1)
    return os.getpid()


def search(samples: int, n_jobs: int = -1) -> tuple[GridSearchCV, float]:
    """60 fits, and the seconds that they took."""
    X, y = load_digits(return_X_y=True)
    begun = time.perf_counter()
    with alarm(PATIENCE):
        found = GridSearchCV(SVC(), GRID, cv=5, n_jobs=n_jobs).fit(X[:samples], y[:samples])
    return found, time.perf_counter() - begun


def same(found: GridSearchCV, expected: GridSearchCV) -> bool:
    """Whether the best parameters and all scores are."""
    names = [name for name in expected.cv_results_ if name.endswith("_test_score")]
    return found.best_params_ == expected.best_params_ and all(
        np.array_equal(found.cv_results_[name], expected.cv_results_[name]) for name in names
    )


@contextmanager
def trouble(victims: list[int], signals: list[signal.Signals], after: float) -> Iterator[None]:
    """Send signals to processes in the middle of what is done here; let them go on at the end."""
    over = threading.Event()

    def strike() -> None:
        for victim, signum in zip(victims, signals, strict=False):
            if not over.wait(after):
                with suppress(ProcessLookupError):
                    os.kill(victim, signum)

    striker = threading.Thread(target=strike)
    striker.start()
    try:
        yield
    finally:
        over.set()
        striker.join()
        for victim, signum in zip(victims, signals, strict=False):
            if signum == signal.SIGSTOP:
                with suppress(ProcessLookupError):
                    os.kill(victim, signal.SIGCONT)


def on_loky(
    signals: list[signal.Signals], samples: int, after: float
) -> tuple[GridSearchCV, float]:
    """Processes of joblib's own."""
    from joblib.externals.loky import get_reusable_executor  # noqa: PLC0415 - joblib's insides

    with joblib.parallel_config("loky", n_jobs=WORKERS):
        pids = sorted(set(joblib.Parallel()(joblib.delayed(pid)() for _ in range(8 * WORKERS))))
        try:
            with trouble(pids, signals, after):
                return search(samples)
        finally:
            get_reusable_executor().shutdown(kill_workers=True)


def on_anyk(
    signals: list[signal.Signals], samples: int, after: float, *, lies: bool = False
) -> tuple[GridSearchCV, float]:
    """Processes of anyk's."""
    with anyk.Processes(WORKERS) as processes:
        executor = Faulty(processes, {2: Corrupt()}) if lies else processes
        agree = 2 if lies else 1
        with joblib.parallel_config("anyk", executor=processes):
            tasks = (joblib.delayed(pid)() for _ in range(8 * WORKERS))
            pids = sorted(set(joblib.Parallel()(tasks)))
        voting = joblib.parallel_config("anyk", executor=executor, agree=agree)
        with voting, trouble(pids, signals, after):
            found = search(samples)
        if lies and [each.worker for each in executor.health if each.lied] != [2]:
            raise RuntimeError("the liar was not named")
        return found


def main() -> int:
    """Print the table, and say whether all searches on anyk were the same."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=1000)
    parser.add_argument("--tiny", action="store_true", help="once, on few samples, without loky")
    options = parser.parse_args()
    rounds, samples = (1, 200) if options.tiny else (options.rounds, options.samples)
    expected, alone = search(samples, n_jobs=1)
    print(f"in this process alone: {alone:.2f} s, best {expected.best_params_}")
    kill, stop = signal.SIGKILL, signal.SIGSTOP
    cases: list[tuple[str, list[signal.Signals]]] = [
        ("no trouble", []),
        ("one killed", [kill]),
        ("one killed, one stopped", [kill, stop]),
    ]
    sides: dict[str, Callable[..., tuple[GridSearchCV, float]]] = {"loky": on_loky, "anyk": on_anyk}
    if options.tiny:
        del sides["loky"]
    failed = 0
    print(f"{'trouble':<26}{'side':<14}{'same':>8}{'median':>10}  else")
    for trouble_name, signals in cases:
        for side, run in {**sides, "anyk agree=2": on_lies}.items():
            times, other, good = [], set(), 0
            for _ in range(rounds):
                try:
                    found, seconds = run(signals, samples, alone / 8)
                except Exception as error:  # noqa: BLE001 - it is the row's
                    other.add(type(error).__name__)
                    continue
                good += same(found, expected)
                times.append(seconds)
            failed += side != "loky" and good < rounds
            median = statistics.median(times) if times else math.nan
            print(
                f"{trouble_name:<26}{side:<14}{good:>4} of {rounds}{median:>8.2f} s  {other or ''}"
            )
            sys.stdout.flush()
    return 1 if failed else 0


def on_lies(*arguments: Any) -> tuple[GridSearchCV, float]:
    """Processes of anyk's, of which one lies, and two must agree."""
    return on_anyk(*arguments, lies=True)


if __name__ == "__main__":
    sys.exit(main())
