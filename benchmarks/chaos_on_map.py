"""Chaos on `anyk.map`: no item is lost or doubled, nothing is wrong, hangs, or is left behind.

A run is one call of `anyk.map`, `starmap`, `map_unordered` or `amap` on six workers, or two or
three at once: of no item up to 300, of many types and sizes, that take no time up to 20 ms, from
a list or a generator, with one or two votes, with a constant that the workers hold or without, and
in some runs with a deadline. Troubles are drawn at random, so that a value is promised for each
item, but for those that always raise: items that raise once, that are late, or hang for longer than
all the others take, and one worker that lies where two must agree. Where workers are processes,
items kill or stop theirs, and processes are killed and stopped from outside at any moment: one is
stopped at a time, and two are killed at most.

- **hung**: a call that does not return within its deadline and 10 s, or 60 s without one.
- **wrong**: a value that is not the truth, or of another type; or an honest worker that is named.
- **doubled**: a value that came twice, or an item that is counted as done and as failed.
- **failed**: an item without the value that is promised, or an error that should not be.
- **left**: a process, thread or open file that is there 5 s after the end.

    python benchmarks/chaos_on_map.py [--engine NAME] [--runs 500] [--seed 0] [--tiny]

All five must be 0; it exits with 1 if one is not.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from _alarm import alarm
from _chaos_grounds import GROUNDS, MARK, WORKERS, Ground, Process, eventually
from _chaos_map_tasks import HANG, KINDS, ONCE, Item, compute, truth
from chaos_on_engines import AT_ONCE, GRACE, PATIENCE, SETTLING, Run, Tally, at_most, held

import anyk
from anyk import AbstractExecutor
from anyk.running.mapping.same import Same

FAULTS = ("hung", "wrong", "doubled", "failed", "left")
SIZES = (0, 1, 2, 5, 20, 60, 150, 300)
WAYS = ("map", "starmap", "map_unordered", "amap")


class OnThreads(Ground):
    """Threads of this process."""

    restart = 0.0

    def executor(self) -> AbstractExecutor:
        """Threads."""
        return anyk.Threads(WORKERS)


PLACES: dict[str, type[Ground]] = {
    "Threads": OnThreads,
    **{name: GROUNDS[name] for name in ("Processes", "Futures", "Dask", "Ray")},
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One call, and what goes wrong in it."""

    way: str
    items: tuple[Item, ...]
    lazy: bool
    agree: int
    constant: str  # "", "argument" or "closure"
    salt: int
    deadline: float | None
    on_failure: str
    liar: int


@dataclass
class Found:
    """What a call brought."""

    outcome: anyk.Outcome | None = None
    values: list[Any] = field(default_factory=list)
    error: BaseException | None = None
    seconds: float = 0.0


def draw(rng: np.random.Generator, *, spare: int, stops: int) -> Plan:
    """A call at random.

    Args:
        rng: source of it.
        spare: how many items may kill or stop their worker.
        stops: how many of them may stop it.
    """
    number = int(rng.choice(SIZES))
    number = int(rng.integers(number // 2, number + 1))
    agree = int(rng.integers(1, 3))
    liar = int(rng.integers(WORKERS)) if agree == 2 and rng.random() < 0.5 else -1
    slow = 0.0 if rng.random() < 0.4 else float(rng.choice([0.001, 0.005, 0.02]))
    trouble = rng.random() < 0.8
    items = []
    for index in range(number):
        once = str(rng.choice(ONCE)) if trouble and rng.random() < 0.04 else ""
        if once in {"kill", "stop"}:
            allowed = spare > 0 and (once == "kill" or stops > 0)
            spare, stops = spare - allowed, stops - (allowed and once == "stop")
            once = once if allowed else "late"
        if once == "hang" and rng.random() < 0.7:
            once = "raise"
        always = trouble and rng.random() < 0.004
        seconds = float(rng.uniform(0, slow))
        kind = str(rng.choice(KINDS))
        items.append(Item(index, kind, seconds, once, always=always, liar=liar))
    return Plan(
        way=str(rng.choice(WAYS)),
        items=tuple(items),
        lazy=rng.random() < 0.5,
        agree=agree,
        constant=str(rng.choice(["", "argument", "closure"])),
        salt=int(rng.integers(1, 500)),
        deadline=float(rng.uniform(0.02, 0.5)) if rng.random() < 0.1 else None,
        on_failure=str(rng.choice(["raise", "return"])),
        liar=liar,
    )


def call(plan: Plan, executor: AbstractExecutor) -> Found:
    """Do what is planned."""
    found, started = Found(), time.monotonic()
    handle = executor.broadcast([plan.salt]) if plan.constant else None
    try:
        _call(plan, executor, handle, found)
    except Exception as error:  # noqa: BLE001 - it is judged
        found.error = error
        if found.outcome is None:
            found.outcome = getattr(error, "outcome", None)
    finally:
        if handle is not None:
            handle.release()
    found.seconds = time.monotonic() - started
    return found


def _call(plan: Plan, executor: AbstractExecutor, handle: Any, found: Found) -> None:
    options: dict[str, Any] = {
        "agree": plan.agree,
        "deadline": plan.deadline,
        "on_failure": plan.on_failure,
        "progress": False,
    }

    def inside(item: Item) -> Any:
        return compute(item, handle.value)

    function: Any = compute
    if plan.constant == "closure":
        function = inside
    elif plan.way != "starmap":
        options["kwargs"] = {"salt": plan.salt if handle is None else handle}
    if plan.way == "starmap":
        more = () if plan.constant == "closure" else (plan.salt if handle is None else handle,)
        items: Any = [(each, *more) for each in plan.items]
        found.outcome = anyk.starmap(function, _drawn(items, plan), executor, **options)
    elif plan.way == "map":
        found.outcome = anyk.map(function, _drawn(plan.items, plan), executor, **options)
    elif plan.way == "amap":
        items = _drawn(plan.items, plan)
        found.outcome = asyncio.run(anyk.amap(function, items, executor, **options))
    else:
        items = _drawn(plan.items, plan)
        for value in anyk.map_unordered(function, items, executor, **options):
            found.values.append(value)


def _drawn(items: Any, plan: Plan) -> Any:
    return (each for each in items) if plan.lazy else items


class Judge:
    """Holds what calls brought against what is promised."""

    def __init__(self, tally: Tally) -> None:
        self._tally, self._same = tally, Same(rtol=0.0)

    def hear(self, plan: Plan, found: Found) -> None:
        """Count one call."""
        tally = self._tally
        tally.calls += 1
        tally.troubles.update(item.once for item in plan.items if item.once)
        tally.troubles["always"] += sum(item.always for item in plan.items)
        tally.troubles["liar"] += plan.liar >= 0
        rest = [(i.index, i.once, i.always) for i in plan.items if i.once or i.always]
        story = (
            f"{plan.way} of {len(plan.items)}, lazy={plan.lazy}, agree={plan.agree}, "
            f"{plan.constant}, deadline={plan.deadline}, {plan.on_failure}, liar={plan.liar}, "
            f"{rest}; {found.seconds:.2f} s, {found.error!r} {found.outcome!r}"
        )
        limit = PATIENCE if plan.deadline is None else plan.deadline + GRACE
        if found.seconds > limit:
            tally.blame("hung", story)
        for what in sorted(self._faults(plan, found)):
            tally.blame(what, story)
        tally.right += found.error is None
        tally.raised += found.error is not None

    def _faults(self, plan: Plan, found: Found) -> Iterator[str]:
        expected = [truth(each, plan.salt) for each in plan.items]
        bad = {each.index for each in plan.items if each.always}
        outcome = found.outcome
        if found.error is not None and not self._may_raise(plan, found.error, bad):
            yield "failed"
        if outcome is not None and not set(outcome.suspects) <= {plan.liar}:
            yield "wrong"
        if plan.way == "map_unordered":
            yield from self._unordered(plan, found, expected, bad)
        elif outcome is not None:
            yield from self._ordered(plan, found, expected, bad)
        elif found.error is None:
            yield "failed"

    def _may_raise(self, plan: Plan, error: BaseException, bad: set[int]) -> bool:
        if plan.deadline is not None and isinstance(error, anyk.NotEnoughAnswers):
            return True
        own = isinstance(error, anyk.FunctionRaised) and plan.on_failure == "raise"
        return own and bool(bad) and isinstance(error.__cause__, ArithmeticError)

    def _ordered(
        self, plan: Plan, found: Found, expected: list[Any], bad: set[int]
    ) -> Iterator[str]:
        outcome = found.outcome
        assert outcome is not None  # noqa: S101 - the caller has looked
        known = outcome.known.tolist()
        complete = found.error is None and plan.deadline is None
        if complete and len(outcome.value) != len(expected):
            yield "failed"
        for index, (value, there) in enumerate(zip(outcome.value, known, strict=True)):
            if there and (index in outcome.unanswered):
                yield "doubled"
            if there and not self._same(value, expected[index]):
                yield "wrong"
            if complete and there == (index in bad):
                yield "failed"

    def _unordered(
        self, plan: Plan, found: Found, expected: list[Any], bad: set[int]
    ) -> Iterator[str]:
        left = dict(enumerate(expected))
        for value in found.values:
            of = next((i for i, right in left.items() if self._same(right, value)), None)
            if of is not None:
                del left[of]
            elif any(self._same(right, value) for right in expected):
                yield "doubled"
            elif value is not None or plan.on_failure == "raise":
                yield "wrong"
        if found.error is None and plan.deadline is None and set(left) != bad:
            yield "failed"


def strike(
    run: Run,
    rng: np.random.Generator,
    kills: int,
    stops: int,
    over: threading.Event,
) -> None:
    """Kill and stop processes from outside, at any moment."""
    for what in (*["kill"] * kills, *["stop"] * stops):
        if over.wait(float(rng.exponential(0.05))):
            return
        process = run.processes[int(rng.integers(WORKERS))]
        if what == "stop":
            run.stopped.add(process)
        run.tally.troubles[f"{what} from outside"] += 1
        process.send(signal.SIGSTOP if what == "stop" else signal.SIGKILL)


def one_run(run: Run, rng: np.random.Generator, *, processes: bool) -> None:
    """One call, or several at once, in trouble; then a quiet one with whoever is left."""
    executor, judge = run.troubled.within, Judge(run.tally)
    many = 1 if rng.random() < 0.8 else int(rng.integers(2, 4))
    inside = processes and rng.random() < 0.5
    outside = processes and not inside and rng.random() < 0.6
    stopping = int("stop" in run.ground.unruly)  # others never give up who stops itself
    harsh = [(2, stopping) if inside and not each else (0, 0) for each in range(many)]
    plans = [draw(rng, spare=spare, stops=stops) for spare, stops in harsh]
    over = threading.Event()
    kills, stops = int(rng.integers(0, 3)), int(rng.integers(0, 2))
    striker = threading.Thread(
        target=strike, args=(run, np.random.default_rng(rng.integers(1 << 31)), kills, stops, over)
    )
    if outside:
        striker.start()
    found: dict[int, Found] = {}

    def do(which: int) -> None:
        found[which] = call(plans[which], executor)

    others = [threading.Thread(target=do, args=(which,), daemon=True) for which in range(1, many)]
    try:
        with alarm(PATIENCE + int(GRACE)):
            for other in others:
                other.start()
            do(0)
            for other in others:
                other.join()
    except TimeoutError as error:
        run.tally.blame("hung", f"{error}: {[each.way for each in plans]}")
    finally:
        over.set()
        if outside:
            striker.join()
        stopped_inside(run, plans)
    for which, each in found.items():
        judge.hear(plans[which], each)
    harmed = outside or inside
    run.relent()
    if harmed and rng.random() < 0.5:
        run.muster()
    quiet = tuple(Item(index, "record", 0.0) for index in range(8))
    plan = Plan(
        way="map", items=quiet, lazy=False, agree=1, constant="", salt=1, deadline=None,
        on_failure="raise", liar=-1,
    )  # fmt: skip
    run.tally.quiet += 1
    judge.hear(plan, call(plan, executor))
    run.tally.runs += 1


def stopped_inside(run: Run, plans: list[Plan]) -> None:
    """Remember that any worker may have stopped itself."""
    if any(item.once == "stop" for plan in plans for item in plan.items):
        run.stopped.update(run.processes.values())


def campaign(name: str, runs: int, seed: int) -> Tally:
    """So many runs on one engine."""
    rng = np.random.default_rng([seed, list(PLACES).index(name)])
    tally, seen = Tally(), set[Process]()
    processes = name != "Threads"
    with PLACES[name]() as ground:
        before: Counter[str] | None = None
        while tally.runs < runs:
            if not eventually(lambda: ground.tend() or ground.settled(), PATIENCE):
                tally.blame("failed", f"{name} has not all of its workers again")
                return tally
            run = Run(ground, ground.executor(), rng, tally)
            try:
                for _ in range(min(AT_ONCE, runs - tally.runs)):
                    if (processes or not run.processes) and not run.muster():
                        return tally
                    one_run(run, rng, processes=processes)
            finally:
                run.relent()
                time.sleep(HANG)  # what hangs is over then
                with alarm(PATIENCE):
                    run.troubled.close()
            seen |= run.seen if processes else set()
            if not eventually(lambda: not ground.remains(), SETTLING):
                tally.blame("left", str(ground.remains()))
            before = held(ground) if before is None else before
        del run
        if not eventually(lambda: held(ground) <= before, SETTLING):
            tally.blame("left", str(held(ground) - before))
    if not eventually(lambda: all(process.gone for process in seen), SETTLING):
        tally.blame("left", str([process for process in seen if not process.gone]))
    return tally


def show(name: str, tally: Tally, seconds: float) -> None:
    """One engine's row."""
    faults = "".join(f"{tally.faults[what]:9}" for what in FAULTS)
    bound = at_most(sum(tally.faults.values()), max(tally.runs, 1))
    print(
        f"{name:<10}{tally.runs:6}{tally.calls:7}{sum(tally.troubles.values()):9}"
        f"{tally.right:8}{tally.raised:8}{faults}  "
        f"at most {100 * bound:.2f} % of runs; {seconds:.0f} s"
    )
    print(f"    troubles: {', '.join(f'{k} {v}' for k, v in sorted(tally.troubles.items()))}")
    for story in tally.stories[:10]:
        print(f"    {story}")
    sys.stdout.flush()


def main() -> int:
    """Print the table, and say whether the claim holds."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", choices=PLACES, help="this one alone")
    parser.add_argument("--runs", type=int, default=500, help="on each engine")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="a few runs, without Ray")
    options = parser.parse_args()
    os.environ[MARK] = uuid.uuid4().hex
    names = [options.engine] if options.engine else list(PLACES)
    if options.tiny and not options.engine:
        names.remove("Ray")  # it takes half a minute to start and to stop
    print(
        f"{'engine':<10}{'runs':>6}{'calls':>7}{'troubles':>9}{'right':>8}{'raised':>8}"
        f"{''.join(f'{what:>9}' for what in FAULTS)}  any of these, with 95 %"
    )
    broken = 0
    for name in names:
        started = time.monotonic()
        tally = campaign(name, 6 if options.tiny else options.runs, options.seed)
        show(name, tally, time.monotonic() - started)
        broken += sum(tally.faults.values())
    print("the claim holds" if not broken else f"the claim fails: {broken}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
