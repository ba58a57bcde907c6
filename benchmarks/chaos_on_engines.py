"""Chaos on every engine: nothing hangs, nothing is wrong in silence, nothing is left behind.

A run is a small computation on data that are distributed over six workers, by an exact scheme that
may have a liar or by an approximate one: one or two calls in trouble, and then a quiet one with
whoever is left. Troubles are drawn at random, so that the scheme promises a value in most calls:
workers killed (SIGKILL, from within in the middle of the task or from outside at any moment),
stopped (SIGSTOP, for longer than the deadline where there is one, across calls; on Processes also
from within, until the worker is given up), cut off (all TCP
connections of their process shut down; on Remote also what listens killed, and started again), out
of disk (every write to a file fails), late, busy, with exceptions, Ctrl-C, wrong shapes and dtypes,
NaN, and lies. On Processes and Remote tasks also hold the GIL, stop their process, fork (the child
stays, in a session of its own or not, or goes on as the worker does), and start programs that stay.
In some runs a master of its own is interrupted by Ctrl-C in the middle of its calls, or killed at
any moment from its start on.

Left out is what the answers alone can't tell: one wrong shape in as many answers as the right one.

- **hung**: a call that does not return within its deadline and 10 s, or 60 s without one.
- **wrong**: a value that is not the truth (exact), or not what the decoder makes of the true
  answers of the workers that it says it used (approximate); or an honest worker that is named.
- **failed**: no value where the scheme promises one, or a quiet call without the right value.
- **lost**: a worker that did not come back within 60 s, after its engine's own restart.
- **left**: a process, thread or open file that is there 5 s after the end, whoever has started it;
  also of such a master.

    python benchmarks/chaos_on_engines.py [--engine NAME] [--runs 1000] [--seed 0] [--tiny]

All five must be 0; it exits with 1 if one is not.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import math
import os
import signal
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from _alarm import alarm
from _chaos_grounds import (
    GROUNDS,
    HERE,
    MARK,
    WORKERS,
    Ground,
    Process,
    eventually,
    of_this_campaign,
    open_pipe,
    process_of,
)
from _chaos_tasks import FUNCTIONS, HANG, ORDERS, pid, work
from numpy.typing import NDArray

import anyk
from anyk import AbstractExecutor
from anyk.executors.core.base import AbstractDispatch, PerWorker, Placement
from anyk.executors.core.calls import AbstractCalls
from anyk.executors.wrappers.wrapper import AbstractWrapper
from anyk.work import Plain, WorkerTask

PATIENCE = 60  # seconds after which something hangs
GRACE = 10.0
SHORT = 0.4  # a deadline, seconds
AT_ONCE = 25  # runs on one executor
MASTERS = 0.04  # of the runs
SETTLING = 5.0  # seconds in which what has ended must be gone
HARMLESS = ("late", "fork", "child")
LOSSES = ("raise", "interrupt", "shape", "nan", "dtype", "text", "disk", "hang")
FAULTS = ("hung", "wrong", "failed", "lost", "left")


class Troubled(AbstractWrapper):
    """An executor whose workers are told in each call what to do instead of their work."""

    def __init__(self, executor: AbstractExecutor) -> None:
        self._executor = executor
        self.orders = np.zeros((WORKERS, 2), int)

    @property
    def within(self) -> AbstractExecutor:
        """The engine's executor."""
        return self._executor

    @property
    def by_name(self) -> bool:
        """Whether workers are told names of functions: theirs know what an order is."""
        return self._executor.by_name

    @property
    def shares_per_machine(self) -> int:
        """One: all of them are on this machine, where nobody is curious."""
        return 1

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Pass it on; calls of `anyk.map` have chaos of their own."""
        return self.within.calls(function)

    def dispatch(
        self,
        task: Any,
        placement: Placement,
        arguments: Sequence[Any],
        without: Collection[int] = (),
    ) -> AbstractDispatch:
        """Pass it on, with an order for each worker."""
        task = replace(task, per_worker=(*task.per_worker, False))
        arguments = [*arguments, PerWorker(self.orders.copy())]
        return self._executor.dispatch(task, placement, arguments, without)


@dataclass
class Tally:
    """What came of the runs on one engine."""

    runs: int = 0
    calls: int = 0
    right: int = 0
    raised: int = 0
    quiet: int = 0
    masters: int = 0
    troubles: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    stories: list[str] = field(default_factory=list)

    def blame(self, what: str, story: str) -> None:
        """Count one of the five, and say how it was."""
        self.faults[what] += 1
        self.stories.append(f"{what}: {story}")


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is computed."""

    scheme: anyk.AbstractScheme
    which: int
    X: NDArray[Any]
    truth: NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What goes wrong in one call."""

    inside: dict[int, str]
    outside: tuple[tuple[float, int, str], ...]  # after so many seconds, to whom, what
    seconds: NDArray[Any]  # that the work takes
    seed: int

    @property
    def lost(self) -> set[int]:
        """Workers that may give no answer."""
        outside = {worker for _, worker, _ in self.outside}
        return outside | {w for w, what in self.inside.items() if what not in {"lie", *HARMLESS}}

    @property
    def liars(self) -> set[int]:
        """Workers that may give a wrong one."""
        return {worker for worker, what in self.inside.items() if what == "lie"}

    def troubles(self) -> Iterator[str]:
        """Name each trouble."""
        yield from self.inside.values()
        yield from (f"{what} from outside" for _, _, what in self.outside)


def draw_job(rng: np.random.Generator, kind: int) -> Job:
    """A random computation, of one of five kinds."""
    shape = (int(rng.integers(1, 30)),)
    if kind >= 3:
        make = (anyk.FilledReplication, anyk.Berrut)[kind - 3]
        scheme, which = make(2, WORKERS, stragglers=3), 2
        data = rng.normal(size=(2, *shape))
        return Job(scheme=scheme, which=which, X=data, truth=FUNCTIONS[which](data))
    options: dict[str, int] = [
        {"blocks": 2, "degree": 1, "adversaries": 1},
        {"blocks": 1, "degree": 2, "adversaries": 1, "colluders": 1},
        {"blocks": 2, "degree": 2},
    ][kind]
    scheme, which = anyk.Lagrange(workers=WORKERS, **options), options["degree"] - 1
    data = rng.integers(0, scheme.field.modulus, (scheme.blocks, *shape))
    truth = FUNCTIONS[which](data.astype(object)) % scheme.field.modulus
    return Job(scheme=scheme, which=which, X=data, truth=truth.astype(np.int64))


class Run:
    """The runs on one executor: who is out, which processes there were, and what came of them."""

    def __init__(
        self, ground: Ground, executor: AbstractExecutor, rng: np.random.Generator, tally: Tally
    ) -> None:
        self.ground, self.rng, self.tally = ground, rng, tally
        self.troubled = Troubled(executor)
        self.function: Any = "work" if executor.by_name else work
        self.out: set[int] = set()
        self.stopped: set[Process] = set()
        self.processes: dict[int, Process] = {}
        self.seen: set[Process] = set()

    def muster(self) -> bool:
        """Let stopped workers go on, and wait until all answer; whether they do."""
        self.relent()
        executor = self.troubled.within
        task: Any = "pid" if executor.by_name else pid
        placement = executor.place([np.arange(WORKERS)])
        end, left = time.monotonic() + PATIENCE, set(range(WORKERS))
        while (left or not self.ground.settled()) and time.monotonic() < end:
            dispatch = executor.dispatch(WorkerTask(Plain(task), anyk.Reals()), placement, [])
            silent, left = set(range(WORKERS)), set()
            while silent and time.monotonic() < end:
                self.ground.tend()
                answer = dispatch.receive(0.1)
                if answer is None:
                    continue
                silent.discard(answer.worker)
                if answer.value is None:
                    left.add(answer.worker)
                else:
                    self.processes[answer.worker] = process_of(int(answer.value))
            dispatch.abandon()
            left |= silent
            time.sleep(0.05 if left else 0.0)
        executor.release(placement)
        self.seen.update(self.processes.values())
        self.out.clear()
        if left:
            self.tally.blame("lost", f"workers {sorted(left)} did not come back")
        return not left

    def relent(self) -> None:
        """Let stopped workers go on."""
        for process in self.stopped:
            process.send(signal.SIGCONT)
        self.stopped.clear()

    def run(self) -> None:
        """One run."""
        job = draw_job(self.rng, int(self.rng.integers(5)))
        if self.rng.random() < 0.3 or len(self.out) > 1:
            self.muster()
        with anyk.distribute(job.scheme, job.X, self.troubled) as data:
            if self.rng.random() < 0.5:
                self.call(job, data, self.quiet())
            for _ in range(int(self.rng.integers(1, 3))):
                plan = self.draw(job)
                self.tally.troubles.update(plan.troubles())
                self.call(job, data, plan)
            if len(self.out) > job.scheme.guarantee.stragglers:
                self.muster()
            self.tally.quiet += 1
            self.call(job, data, self.quiet())
        self.tally.runs += 1

    def quiet(self) -> Plan:
        """Nothing goes wrong."""
        return Plan(inside={}, outside=(), seconds=np.zeros(WORKERS), seed=0)

    def draw(self, job: Job) -> Plan:
        """Random troubles; in most calls no more than the scheme bears."""
        promise, rng = job.scheme.guarantee, self.rng
        beyond = rng.random() < 0.2
        spare = max(0, promise.stragglers - len(self.out))
        well = [int(who) for who in rng.permutation(WORKERS) if who not in self.out]
        most = len(well) if beyond else min(spare, len(well))
        many = int(rng.integers(0, most + 1))
        lost, well = well[:many], well[many:]
        liars = well[: int(rng.integers(0, promise.adversaries + 1 + (beyond and promise.exact)))]
        if not promise.adversaries:
            liars = []
        others = well[len(liars) :]
        inside = dict.fromkeys(liars, "lie")
        harmless = [what for what in HARMLESS if what == "late" or what in self.ground.unruly]
        inside |= {who: str(rng.choice(harmless)) for who in others if rng.random() < 0.1}
        outside = []
        for who in lost:
            draw = rng.random()
            if draw < self.ground.restart:
                what = ("kill", "cut" if self.ground.cuts else "kill", "kill outside", "strike")
                chosen = what[int(rng.integers(4))]
                if " " in chosen or chosen == "strike":
                    outside.append((float(rng.uniform(0, 0.02)), who, chosen.split()[0]))
                else:
                    inside[who] = chosen
            elif draw < self.ground.restart + 0.25:
                outside.append((float(rng.uniform(-0.005, 0.02)), who, "stop"))
            else:
                losses = (*LOSSES, *(what for what in self.ground.unruly if what not in HARMLESS))
                inside[who] = losses[int(rng.integers(len(losses)))]
        odd = [who for who, what in inside.items() if what == "shape"]
        for who in odd if beyond else odd[1:]:  # most answers might have that shape
            inside[who] = "raise"
        return Plan(
            inside=inside,
            outside=tuple(sorted(outside)),
            seconds=rng.uniform(0, 0.015, WORKERS),
            seed=int(rng.integers(1 << 31)),
        )

    def call(self, job: Job, data: anyk.Distributed, plan: Plan) -> None:
        """One call, and its judgement."""
        promise = job.scheme.guarantee
        away = self.out | plan.lost
        within = len(away) <= promise.stragglers and len(plan.liars) <= promise.adversaries
        story = f"{job.scheme!r} {plan!r} out={sorted(self.out)} within={within}"
        orders = self.troubled.orders
        orders[:, 0] = [ORDERS.index(plan.inside.get(who, "well")) for who in range(WORKERS)]
        orders[:, 1] = plan.seed + np.arange(WORKERS)
        deadline = PATIENCE if within else SHORT
        pace = float(plan.seconds.mean())
        strikes = threading.Thread(target=self.strike, args=(plan,))
        self.tally.calls += 1
        started = time.monotonic()
        strikes.start()
        try:
            with alarm(PATIENCE + int(GRACE)):
                outcome = data.run(
                    self.function, job.which, pace, deadline=deadline, on_failure="return"
                )
        except TimeoutError as error:
            self.tally.blame("hung", f"{error}; {story}")
            return
        except Exception as error:  # noqa: BLE001 - whatever it is, it should not be
            self.tally.blame("failed", f"{type(error).__name__}: {error}; {story}")
            return
        finally:
            strikes.join()
            self.note(plan)
        took = time.monotonic() - started
        if took > deadline + GRACE or (within and took > PATIENCE - 1):
            self.tally.blame("hung", f"{took:.1f} s; {story}")
        self.judge(job, data, plan, outcome, within=within, story=story)
        if not within and not outcome.status.ok:
            time.sleep(max(0.0, started + 1.1 * deadline - time.monotonic()))  # stopped for longer

    def judge(
        self,
        job: Job,
        data: anyk.Distributed,
        plan: Plan,
        outcome: anyk.Outcome,
        *,
        within: bool,
        story: str,
    ) -> None:
        """Hold an outcome against the promises."""
        story = f"{outcome!r} {dict(outcome.failures)}; {story}"
        if not outcome.status.ok:
            self.tally.raised += 1
            if within:
                self.tally.blame("failed", story)
            return
        lied = tuple(sorted(plan.liars & set(outcome.used)))
        if outcome.suspects != (lied if job.scheme.guarantee.exact else ()):
            self.tally.blame("wrong", f"named {outcome.suspects}; {story}")
        elif right(job, data.encoded, outcome):
            self.tally.right += 1
        else:
            self.tally.blame("wrong", story)

    def strike(self, plan: Plan) -> None:
        """Kill and stop processes from outside, each at its time."""
        started = time.monotonic()
        for seconds, worker, what in plan.outside:
            time.sleep(max(0.0, started + seconds - time.monotonic()))
            if what == "strike" and self.ground.strike(worker):
                continue
            process = self.processes[worker]
            if what == "stop":
                self.stopped.add(process)
            process.send(signal.SIGSTOP if what == "stop" else signal.SIGKILL)

    def note(self, plan: Plan) -> None:
        """Remember who is out after a call."""
        lasting = {"kill", "cut", "hang", "hold", "stop"}
        self.out |= {worker for _, worker, _ in plan.outside}
        self.out |= {worker for worker, what in plan.inside.items() if what in lasting}

    def leave(self) -> None:
        """Close the executor."""
        self.relent()
        time.sleep(HANG)  # what hangs is over then
        with alarm(PATIENCE):
            self.troubled.close()


def right(job: Job, encoded: anyk.Encoded, outcome: anyk.Outcome) -> bool:
    """Whether a value is the truth, or what its decoder makes of true answers."""
    if job.scheme.guarantee.exact:
        return outcome.value.shape == job.truth.shape and np.array_equal(outcome.value, job.truth)
    answers = FUNCTIONS[job.which](encoded.shares[list(outcome.shares)])
    decoded = encoded.recovery(outcome.shares).recover(answers).value
    return outcome.value.shape == decoded.shape and np.allclose(
        outcome.value, decoded, rtol=1e-9, atol=1e-9
    )


def end_master(name: str, ground: Ground, rng: np.random.Generator, tally: Tally) -> None:
    """Press Ctrl-C on a master of its own in the middle of its calls, or kill it at any stage."""
    mark = uuid.uuid4().hex
    unruly = ",".join(ground.unruly)
    command = [sys.executable, str(HERE / "_chaos_master.py"), name, ground.address, unruly]
    how = ("interrupt", "interrupt all", "kill", "kill early")[int(rng.integers(4))]
    with open_pipe(command, mark) as master, contextlib.ExitStack() as stack:
        stack.callback(end_all, mark)
        first = "" if how == "kill early" else master.stdout.readline()
        time.sleep(float(rng.uniform(0, 1.5 if how == "kill early" else 0.2)))
        if how == "interrupt all":  # as a terminal does
            os.killpg(master.pid, signal.SIGINT)
        else:
            master.send_signal(signal.SIGKILL if "kill" in how else signal.SIGINT)
        try:
            said, errors = master.communicate(timeout=PATIENCE)
        except Exception as error:  # noqa: BLE001 - it did not end
            tally.blame("hung", f"a master after {how}: {error!r}")
            return
        story = f"{how}: {first!r} {said!r} {master.returncode} {errors[-2000:]}"
        if how == "interrupt all" and not ground.silent:
            errors = ""
        clean = first + said == "ready\ninterrupted\n" and not master.returncode and not errors
        if not ("kill" in how or clean):
            tally.blame("failed", f"a master after {story}")
        if not eventually(lambda: not of_this_campaign(mark), SETTLING):
            tally.blame("left", f"processes of a master after {story}: {of_this_campaign(mark)}")
    tally.masters += 1
    tally.runs += 1


def end_all(mark: str) -> None:
    """Kill what is left of a master."""
    for process in of_this_campaign(mark):
        process_of(process).send(signal.SIGKILL)


def held(ground: Ground) -> Counter[str]:
    """Threads and open files here, by kind; where an engine has its own, anyk's threads alone."""
    gc.collect()
    threads = Counter(f"thread {thread.name.partition('-')[0]}" for thread in threading.enumerate())
    if not ground.tidy:
        return Counter({name: many for name, many in threads.items() if "anyk" in name})
    return threads + Counter({"file": sum(1 for _ in Path("/proc/self/fd").iterdir())})


def campaign(name: str, runs: int, seed: int) -> Tally:
    """So many runs on one engine."""
    rng = np.random.default_rng([seed, list(GROUNDS).index(name)])
    tally, seen = Tally(), set[Process]()
    with GROUNDS[name]() as ground:
        before: Counter[str] | None = None
        while tally.runs < runs:
            if not eventually(lambda: ground.tend() or ground.settled(), PATIENCE):
                tally.blame("lost", f"{name} has not all of its workers again")
                return tally
            run = Run(ground, ground.executor(), rng, tally)
            try:
                for _ in range(min(AT_ONCE, runs - tally.runs)):
                    if not run.processes and not run.muster():
                        return tally
                    missing = tally.runs == runs - 1 and not tally.masters
                    if rng.random() < MASTERS or missing:
                        run.muster()
                        end_master(name, ground, rng, tally)
                    else:
                        run.run()
                run.muster()  # all come back
            finally:
                run.leave()
            seen |= run.seen
            if not eventually(lambda: not ground.remains(), SETTLING):
                tally.blame("left", str(ground.remains()))
            before = held(ground) if before is None else before
        del run
        if not eventually(lambda: held(ground) <= before, SETTLING):
            tally.blame("left", str(held(ground) - before))

    if not eventually(lambda: all(process.gone for process in seen), SETTLING):
        tally.blame("left", str([process for process in seen if not process.gone]))
    return tally


def at_most(hits: int, runs: int) -> float:
    """The upper end of the one-sided 95 % interval of a rate (Clopper and Pearson)."""
    from scipy.stats import beta  # noqa: PLC0415 - takes a while

    return 1.0 if hits >= runs else float(beta.ppf(0.95, hits + 1, runs - hits))


def show(name: str, tally: Tally, seconds: float) -> None:
    """One engine's row."""
    faults = "".join(f"{tally.faults[what]:7}" for what in FAULTS)
    bound = at_most(sum(tally.faults.values()), tally.runs) if tally.runs else math.nan
    print(
        f"{name:<10}{tally.runs:6}{tally.calls:7}{sum(tally.troubles.values()):9}"
        f"{tally.masters:8}{tally.right:8}{tally.raised:8}{faults}  "
        f"at most {100 * bound:.2f} % of runs; {seconds:.0f} s"
    )
    print(f"    troubles: {', '.join(f'{k} {v}' for k, v in sorted(tally.troubles.items()))}")
    for story in tally.stories[:10]:
        print(f"    {story}")
    sys.stdout.flush()


def main() -> int:
    """Print the table, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=GROUNDS, help="this one alone")
    parser.add_argument("--runs", type=int, default=1000, help="on each engine")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="a few runs, without Ray")
    options = parser.parse_args()
    os.environ[MARK] = uuid.uuid4().hex
    names = [options.engine] if options.engine else list(GROUNDS)
    if options.tiny and not options.engine:
        names.remove("Ray")  # it takes half a minute to start and to stop
    print(
        f"{'engine':<10}{'runs':>6}{'calls':>7}{'troubles':>9}{'masters':>8}{'right':>8}"
        f"{'raised':>8}{''.join(f'{what:>7}' for what in FAULTS)}  any of these, with 95 %"
    )
    broken = 0
    for name in names:
        started = time.monotonic()
        tally = campaign(name, 4 if options.tiny else options.runs, options.seed)
        show(name, tally, time.monotonic() - started)
        broken += sum(tally.faults.values())
    print("the claim holds" if not broken else f"the claim fails: {broken}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
