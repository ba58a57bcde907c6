"""No job waits for its last task: `anyk.map` beside the engines' own ways, on one cluster each.

A job is 200 items of 50 ms on 10 workers. In trouble, one worker takes 20 times as long, and one
dies in the middle of the job, once. Work is counted on the workers, also what nobody waited for, in
times of the items' own 10 s.

Claims: without trouble at most 1.1 times the engine's own gather; in trouble, p99 at most that of
resubmission, at no more work.

Run: python benchmarks/last_task_on_engines.py [--engine dask] [--rounds 25] [--tiny]
"""

from __future__ import annotations

import argparse

import _last_task_dask
import _last_task_ray
import numpy as np
from _last_task_ray import ITEMS, SECONDS, settle, timed

from anyk.bench.measure import interval, table

SIDES = {"dask": _last_task_dask.last_task_sides, "ray": _last_task_ray.last_task_sides}
OURS = "anyk.map"


def measure(engine: str, rounds: int) -> None:
    """Print two tables of one engine: without trouble, and in it. The sides take turns."""
    with SIDES[engine]() as sides:
        for trouble in (False, True):
            found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
            for turn in range(rounds):
                names = list(sides)
                for name in names[turn % len(names) :] + names[: turn % len(names)]:
                    settle(sides[name])
                    found[name].append(timed(sides[name], trouble=trouble))
            ours = np.array(found[OURS])[:, 0]
            rows = []
            for name, pairs in found.items():
                seconds, work = np.array(pairs).T
                p50, p99 = np.quantile(seconds, [0.5, 0.99])
                rows.append([
                    name, f"{p50:.2f}", f"{p99:.2f}", f"{np.mean(work) / ITEMS / SECONDS:.3f}",
                    interval(ours / seconds),
                ])  # fmt: skip
            print(f"\n{engine}, {'in trouble' if trouble else 'no trouble'}, {rounds} rounds")
            print(table(["side", "p50, s", "p99, s", "work", "anyk.map / this"], rows), flush=True)


def main() -> None:
    """Measure each engine beside itself."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="one round on one engine")
    parser.add_argument("--engine", choices=SIDES, help="this one alone")
    parser.add_argument("--rounds", type=int, default=25)
    options = parser.parse_args()
    engines = (
        [options.engine or "dask"]
        if options.tiny
        else [options.engine]
        if options.engine
        else SIDES
    )
    for engine in engines:
        measure(engine, 1 if options.tiny else options.rounds)


if __name__ == "__main__":
    main()
