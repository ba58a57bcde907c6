"""Random faults of every kind on real and simulated workers: nothing wrong, nothing left behind.

A fault is one faulty worker in one call. Each call has a random scheme, function and data, and
random workers that are late, hang, crash, die, lie alone or together, or answer with rubbish; on
`Processes` some are killed or stopped from outside in the middle. Executors are used for many
calls, so workers are busy with earlier ones. Of each outcome it is checked:

- Within the guarantee an exact scheme gives the truth and names exactly the liars it used; an
  approximate one gives a value.
- Beyond it the outcome is the same, or raises a `RecoveryError`. **Wrong in silence** is a value
  of an exact scheme that is not the truth; there must be none. `_random_faults` says which faults
  are left out, because no decoder can know.
- An error estimate is above the true error, root mean square, in 95 % of the values of
  approximate schemes. They promise nothing against liars: those calls are counted apart.
- Every call returns. In the end no process, thread, file descriptor or file is left.

    python benchmarks/two_thousand_faults.py [--tiny] [--faults 2000] [--seed 0]

It exits with 1 if a check fails.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import math
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from _alarm import alarm
from _random_faults import WORKERS, Job, Plan, draw_job, draw_plan

import anyk
from anyk import AbstractExecutor
from anyk.bench.measure import wilson
from anyk.executors.core.base import AbstractDispatch, Placement
from anyk.executors.core.calls import AbstractCalls
from anyk.executors.core.run_task import Task
from anyk.executors.wrappers.wrapper import AbstractWrapper
from anyk.faults import AbstractFault, Delay, Faulty
from anyk.work import WorkerTask

ENGINES = ("Threads", "Processes", "Simulated")
SCHEMES = ("Lagrange", "Replication", "FilledReplication", "Spline", "Berrut")
PATIENCE = 60  # seconds after which a call hangs
SETTLING = 10.0  # seconds in which what a closed executor held must be gone
JOBS = 25  # that one executor does
NEEDED = 0.95


@dataclass
class Tally:
    """What came of the calls on one executor by one scheme."""

    runs: int = 0
    faults: int = 0
    exact: int = 0
    approximate: int = 0
    estimated: int = 0  # of the approximate: error within its estimate
    lied_to: int = 0  # values of an approximate scheme with liars among the answers used
    noticed: int = 0  # of those: error within its estimate
    raised: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)  # in silence
    broken: list[str] = field(default_factory=list)  # other promises

    def add(self, other: Tally) -> None:
        """Count these too."""
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


class Moody(AbstractWrapper):
    """An executor whose faults change from call to call, while shares stay where they are."""

    def __init__(self, executor: AbstractExecutor) -> None:
        self._executor = executor
        self.faults: dict[int, AbstractFault] = {}
        self.workers_seen: set[int | None] = set()

    @property
    def within(self) -> AbstractExecutor:
        """The executor that has no faults."""
        return self._executor

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Pass it on; calls of `anyk.map` have chaos of their own."""
        return self.within.calls(function)

    def dispatch(
        self,
        task: Task,
        placement: Placement,
        arguments: Sequence[Any],
        without: Collection[int] = (),
    ) -> AbstractDispatch:
        """Pass it on, with the present faults."""
        return Faulty(self._executor, self.faults).dispatch(task, placement, arguments, without)


def make(engine: str, rng: np.random.Generator) -> AbstractExecutor:
    """An executor of this class."""
    if engine == "Simulated":
        return anyk.Simulated(WORKERS, generator=rng, compute=0.001)
    executor: AbstractExecutor = getattr(anyk, engine)(WORKERS)
    return executor


class Outside:
    """Kills and stops workers of `Processes` from outside, as answers come."""

    def __init__(self, executor: AbstractExecutor, plan: Plan) -> None:
        self._processes = executor if isinstance(executor, anyk.Processes) else None
        self._plan = plan
        self._stopped: list[int] = []
        self.answers: dict[int, anyk.Answer] = {}
        if plan.after == 0:
            self._strike()

    def __call__(self, answer: anyk.Answer) -> None:
        """Note an answer, and strike if it is the last before that."""
        self.answers[answer.worker] = answer
        if len(self.answers) == self._plan.after:
            self._strike()

    def _strike(self) -> None:
        if self._processes is None:
            return
        for worker, what in self._plan.outside.items():
            pid = self._processes.pids[worker]
            if what == "kill":
                self._processes.kill(worker)
            elif pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
                    self._stopped.append(pid)

    def relent(self) -> None:
        """Let stopped workers go on."""
        for pid in self._stopped:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def size(values: Any) -> float:
    """Root mean square."""
    return float(np.sqrt(np.mean(np.abs(values) ** 2)))


def right(job: Job, value: Any) -> bool:
    """Whether a value of an exact scheme is the truth (but for rounding in Replication)."""
    if value.shape != job.truth.shape:
        return False
    if job.scheme.domain.exact:
        return np.array_equal(value, job.truth)
    return bool(np.all(np.abs(value - job.truth) <= 1e-9 * size(job.truth)))


def liars_used(
    job: Job, plan: Plan, outcome: anyk.Outcome, outside: Outside, encoded: anyk.Encoded | None
) -> tuple[int, ...]:
    """Workers among those used whose answer is not what f makes of their share."""
    suspected = sorted(plan.liars & set(outcome.used))
    if encoded is None:  # the masks of `anyk.run` are nobody's to know
        return tuple(suspected)
    task = WorkerTask(job.scheme.work(job.function), job.scheme.domain)
    return tuple(
        who
        for who in suspected
        if not np.array_equal(outside.answers[who].value, task(encoded.parts[0][who]))
    )


def complaints(job: Job, plan: Plan, outcome: anyk.Outcome, lied: tuple[int, ...]) -> Iterator[str]:
    """What is not as promised in an outcome, other than a wrong value."""
    everyone = set(range(job.workers))
    if {*outcome.used} | {*outcome.missing} != everyone or {*outcome.used} & {*outcome.missing}:
        yield "used and missing are not a partition"
    if not {*outcome.suspects} <= {*outcome.used} or not {*outcome.failures} <= {*outcome.missing}:
        yield "suspects were not used, or failures were"
    if (outcome.value is not None) != outcome.status.ok or len(outcome.timings) != job.workers:
        yield "value, status and timings do not fit"
    if not outcome.status.ok and plan.within(job.scheme):
        yield "raised within the guarantee"
    if outcome.status is anyk.Status.EXACT and outcome.suspects != lied:
        yield f"named {outcome.suspects} for {lied}"
    tolerance = plan.options.get("tolerance", math.inf)
    estimate = outcome.error_estimate
    if outcome.status.ok and estimate is not None and not estimate <= tolerance:
        yield "a value beyond the tolerance"
    odd = sum("where most have" in why for why in outcome.failures.values())
    enough = len(outcome.used) >= max(min(job.scheme.problem.blocks, 2), odd + 1)
    needless = outcome.status is anyk.Status.NOT_ENOUGH_ANSWERS and enough
    if needless and not job.scheme.guarantee.exact:
        yield "not enough of enough answers"


def call(
    act: Callable[..., anyk.Outcome], job: Job, plan: Plan, outside: Outside
) -> tuple[anyk.Outcome | None, str]:
    """The outcome of one call, and the error that brought it, or what broke."""
    try:
        with alarm(PATIENCE):
            outcome = act(on_answer=outside, **plan.options)
    except anyk.RecoveryError as error:
        documented = type(error) in {
            anyk.NotEnoughAnswers,
            anyk.TooManyErrors,
            anyk.NotAccurateEnough,
        }
        if not documented or plan.options["on_failure"] == "return":
            return None, f"raised {error!r}"
        return error.outcome, type(error).__name__
    except Exception as error:  # noqa: BLE001 - whatever it is, it should not be
        return None, f"{type(error).__name__}: {error}, of {job.scheme!r}"
    return outcome, "" if outcome.status.ok else f"returned {outcome.status.name}"


def judge(job: Job, plan: Plan, outside: Outside, encoded: anyk.Encoded | None, act: Any) -> Tally:
    """Make one call, and hold its outcome against the promises."""
    tally = Tally(runs=1, faults=plan.count)
    outcome, error = call(act, job, plan, outside)
    story = f"{job.scheme!r}, {getattr(job.function, '__name__', '')}, {plan!r}"
    if outcome is None:
        tally.broken.append(f"{error}; {story}")
        return tally
    lied = liars_used(job, plan, outcome, outside, encoded)
    tally.broken += [
        f"{text}: {outcome!r}; {story}" for text in complaints(job, plan, outcome, lied)
    ]
    if error:
        tally.raised[error] += 1
    elif outcome.status is anyk.Status.EXACT:
        tally.exact += 1
        if not right(job, outcome.value):
            tally.wrong.append(f"wrong: {outcome!r}; {story}")
    elif outcome.value.shape != job.truth.shape:
        tally.wrong.append(f"wrong shape: {outcome!r}; {story}")
    else:
        with np.errstate(over="ignore"):
            covered = size(outcome.value - job.truth) <= outcome.error_estimate * size(
                outcome.value
            )
        if lied:
            tally.lied_to, tally.noticed = 1, int(covered)
        else:
            tally.approximate, tally.estimated = 1, int(covered)
    return tally


def session(
    rng: np.random.Generator, engine: str, moody: Moody, hung: set[int]
) -> tuple[str, Tally]:
    """One to four calls on the same data, with other faults each time."""
    name = SCHEMES[int(rng.integers(len(SCHEMES)))]
    job, tally = draw_job(rng, name), Tally()
    at_once = rng.random() < 0.25
    with contextlib.ExitStack() as stack:
        data = None if at_once else stack.enter_context(anyk.distribute(job.scheme, job.X, moody))
        for _ in range(1 if at_once else int(rng.integers(1, 5))):
            plan = draw_plan(rng, job, engine=engine, hung=hung)
            moody.faults = plan.faults
            outside = Outside(moody.within, plan)
            if data is None:
                act = functools.partial(anyk.run, job.scheme, job.function, job.X, moody)
            else:
                act = functools.partial(data.run, job.function)
            tally.add(judge(job, plan, outside, None if data is None else data.encoded, act))
            outside.relent()
            hung |= {who for who, fault in plan.faults.items() if fault == Delay(math.inf)}
            if isinstance(moody.within, anyk.Processes):
                moody.workers_seen.update(moody.within.pids)
    if isinstance(moody.within, anyk.Processes) and hung and rng.random() < 0.5:
        tally.broken += revive(moody.within, hung)
    return name, tally


def revive(executor: anyk.Processes, hung: set[int]) -> list[str]:
    """Kill the workers that hang; then all must answer."""
    for worker in hung:
        executor.kill(worker)
    placement = executor.place([np.zeros(WORKERS)])
    dispatch = executor.dispatch(np.square, placement, [])
    answers = [dispatch.receive(PATIENCE) for _ in range(WORKERS)]
    executor.release(placement)
    hung.clear()
    if any(answer is None or answer.failure is not None for answer in answers):
        return [f"a killed worker did not come back: {answers}"]
    return []


def campaign(engine: str, faults: int, seed: int) -> tuple[dict[str, Tally], list[str]]:
    """So many faults on one kind of executor: a tally by scheme, and what was left behind."""
    rng = np.random.default_rng([seed, ENGINES.index(engine)])
    tallies = {name: Tally() for name in SCHEMES}
    with contextlib.closing(make(engine, rng)) as first:  # what Python keeps: a fork server
        anyk.run(anyk.Replication(1, 1), np.square, np.ones(1), first)
    seen: set[int | None] = set()
    with own_folder():
        before = held()
        while sum(tally.faults for tally in tallies.values()) < faults:
            hung: set[int] = set()
            with Moody(make(engine, rng)) as moody:
                for _ in range(JOBS):
                    if sum(tally.faults for tally in tallies.values()) < faults:
                        name, tally = session(rng, engine, moody, hung)
                        tallies[name].add(tally)
            seen |= moody.workers_seen
        return tallies, leftovers(before, seen)


@contextlib.contextmanager
def own_folder() -> Iterator[None]:
    """An empty folder for temporary files, so that those of others are not taken for ours."""
    before = tempfile.tempdir
    with tempfile.TemporaryDirectory() as folder:
        tempfile.tempdir = folder
        try:
            yield
        finally:
            tempfile.tempdir = before


def held() -> dict[str, set[str]]:
    """What this process holds that an executor might leave: by kind."""
    return {
        "thread": {f"{thread.name} {thread.ident}" for thread in threading.enumerate()},
        "child": {str(child.pid) for child in multiprocessing.active_children()},
        "descriptor": {
            str(number) for number in range(sum(1 for _ in Path("/proc/self/fd").iterdir()))
        },
        "file": {str(path) for path in Path(tempfile.gettempdir()).iterdir()},
    }


def leftovers(before: dict[str, set[str]], pids: set[int | None]) -> list[str]:
    """What is still there some seconds after all was closed."""
    end = time.monotonic() + SETTLING
    while True:
        after = held()
        left = [f"{kind} {each}" for kind in after for each in after[kind] - before[kind]]
        left += [f"process {pid}" for pid in pids if pid and Path(f"/proc/{pid}").exists()]
        if not left or time.monotonic() > end:
            return left
        time.sleep(0.05)


def show(engine: str, name: str, tally: Tally) -> None:
    """One row of the table."""
    low, high = wilson(tally.estimated, tally.approximate)
    rate = tally.estimated / tally.approximate if tally.approximate else math.nan
    covered = f"{rate:6.3f} [{low:.3f}, {high:.3f}]" if tally.approximate else ""
    errors = ", ".join(f"{what} {many}" for what, many in sorted(tally.raised.items()))
    lied = f"{tally.noticed}/{tally.lied_to}" if tally.lied_to else ""
    print(
        f"{engine:<10} {name:<18}{tally.runs:6}{tally.faults:7}{tally.exact:7}"
        f"{tally.approximate:8} {covered:<23}{lied:>8}{len(tally.wrong):7}{len(tally.broken):8}"
        f"  {errors}"
    )


def main() -> int:
    """Print the table, and say whether the promises hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--faults", type=int, default=2000, help="on each executor")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict on 95 %")
    options = parser.parse_args()
    faults = 60 if options.tiny else options.faults
    print(
        f"{'executor':<10} {'scheme':<18}{'runs':>6}{'faults':>7}{'exact':>7}{'approx.':>8} "
        f"{'within estimate':<23}{'lied to':>8}{'wrong':>7}{'broken':>8}  raised or returned"
    )
    total, left = Tally(), []
    for engine in ENGINES:
        tallies, behind = campaign(engine, faults, options.seed)
        for name, tally in tallies.items():
            show(engine, name, tally)
            total.add(tally)
        left += [f"{engine} left {each}" for each in behind]
    show("all", "", total)
    for text in (*total.wrong, *total.broken, *left)[:20]:
        print(text, file=sys.stderr)
    print(f"\nleft behind: {len(left)}")
    covered = options.tiny or total.estimated >= NEEDED * total.approximate
    return 0 if covered and not (total.wrong or total.broken or left) else 1


if __name__ == "__main__":
    sys.exit(main())
