"""A map with `agree=2`: one worker of ten lies, and how much more work that is.

Each job maps a function over items of one kind (numbers, arrays of single precision, texts, dicts,
frames, sets, dates) on ten workers of a virtual clock, whose speeds differ by up to two times. The
liar, its lies (all items or one in five, each of its own or always the same) and the items are
drawn anew for each job. A value that is wrong, an honest worker that is named, or a liar that lied
and is not named, ends in an error.

Run: python benchmarks/liars_are_outvoted.py [--jobs 1000] [--tiny]
"""

import argparse
import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

import anyk
from anyk.bench.measure import table
from anyk.delays import Fixed
from anyk.faults import AbstractFault, Collude, Corrupt, Faulty
from anyk.running.mapping.same import Same

WORKERS = 10
DAY = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

KINDS = {
    "numbers": lambda n: n * n + 1,
    "single precision": lambda n: np.sin(np.arange(50, dtype=np.float32) + n),
    "texts": lambda n: f"the value of {n}",
    "dicts": lambda n: {"n": n, "squares": [n, n * n], "name": str(n)},
    "frames": lambda n: pd.DataFrame({"a": [n, n + 1], "b": [0.5 * n, None], "c": ["x", str(n)]}),
    "sets": lambda n: {n, n + 1, "name"},
    "dates": lambda n: DAY + dt.timedelta(hours=n),
}


@dataclass(frozen=True)
class Sometimes(AbstractFault):
    """A worker that lies on some of its items, and keeps count."""

    within: AbstractFault
    one_in: int
    generator: np.random.Generator
    lies: list[int] = field(default_factory=list)

    def around(self, run: Any, worker: int) -> Any:
        """The truth, or a lie."""
        if self.generator.integers(self.one_in):
            return run()
        self.lies.append(worker)
        return self.within.around(run, worker)


def job(kind: str, items: int, seed: int, *, lies: bool) -> tuple[int, str]:
    """Calls of the function, and what went wrong."""
    generator = np.random.default_rng(seed)
    function, same = KINDS[kind], Same()
    liar = int(generator.integers(WORKERS))
    attack = (Corrupt, Collude)[generator.integers(2)](seed=seed)
    fault = Sometimes(attack, int(generator.choice([1, 5])), generator)
    speeds = Fixed(generator.uniform(0.05, 0.1, WORKERS).tolist())
    with Faulty(
        anyk.Simulated(WORKERS, delays=speeds, compute=0.0), {liar: fault} if lies else {}
    ) as at:
        outcome = anyk.map(function, range(items), at, agree=2, progress=False)
    wrong = sum(not same(value, function(n)) for n, value in enumerate(outcome.value))
    expected = {liar} if fault.lies else set()
    what = f"{wrong} values are wrong; " * bool(wrong)
    what += f"{outcome.suspects} are named, and {expected} lied" * (
        set(outcome.suspects) != expected
    )
    return outcome.calls, what


def main() -> None:
    """Run and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--jobs", type=int, default=1000, help="of each column")
    parser.add_argument("--items", type=int, default=200, help="of a job")
    parser.add_argument("--seed", type=int, default=100, help="of the first job")
    given = parser.parse_args()
    jobs, items = (14, 60) if given.tiny else (given.jobs, given.items)
    lines, faults = [], []
    for place, kind in enumerate(KINDS):
        row = [kind]
        for lies in (False, True):
            seeds = range(given.seed + place, given.seed + jobs, len(KINDS))
            done = [job(kind, items, seed, lies=lies) for seed in seeds]
            work = [calls / items for calls, _ in done]
            row += [str(len(done)), f"{np.mean(work):.3f}", f"{max(work):.3f}"]
            faults += [
                f"{kind}, seed {seed}: {what}"
                for seed, (_, what) in zip(seeds, done, strict=True)
                if what
            ]
        lines.append(row)
    print(
        f"agree=2, {items} items, {WORKERS} workers: calls of the function an item, mean and most"
    )
    print(
        table(["results", "honest jobs", "mean", "most", "jobs with a liar", "mean", "most"], lines)
    )
    print("\n".join(faults) or "no value is wrong, every liar is named, and nobody else")
    if faults:
        raise SystemExit(f"{len(faults)} jobs went wrong")


if __name__ == "__main__":
    main()
