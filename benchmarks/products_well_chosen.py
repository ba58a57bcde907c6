"""anyk.matmul chooses well: within 1.3 of the fastest of its shortlist, on shapes that are new.

Each scheme of the shortlist multiplies the same factors, at its best partition by the model and at
its second best; a call is timed from the factors to the product, and the fastest of several counts.
The shapes of the first set are those that the model's constants were read off.

Run: python benchmarks/products_well_chosen.py [--tiny] [--tuned]
"""

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import anyk
from anyk.bench.measure import compare, table
from anyk.planning.costs import Size
from anyk.planning.products import Wanted, shortlist, weigh
from anyk.running.factors import factors_of
from anyk.running.machines import machine_of
from anyk.running.matmul import wanted_of

Kind = str
Case = tuple[tuple[int, int, int], Kind, dict[str, int]]
TUNED: list[Case] = [
    ((1000, 1000, 1000), "real", {"stragglers": 1}),
    ((2000, 2000, 1), "real", {"stragglers": 1}),
    ((100, 20000, 100), "real", {"stragglers": 1}),
    ((2500, 150, 2500), "real", {"stragglers": 2}),
    ((600, 600, 600), "integer", {"stragglers": 1}),
    ((800, 1500, 700), "real", {"stragglers": 2}),
    ((4000, 500, 3), "real", {"stragglers": 1, "adversaries": 1}),
    ((60, 40000, 80), "real", {"stragglers": 2}),
    ((2500, 200, 1200), "complex", {"stragglers": 1}),
    ((500, 400, 900), "integer", {"stragglers": 1, "colluders": 1}),
]
NEW: list[Case] = [
    ((1200, 700, 900), "real", {"stragglers": 3}),
    ((6000, 400, 2), "real", {"stragglers": 2, "adversaries": 1}),
    ((120, 15000, 150), "real", {"stragglers": 1}),
    ((700, 800, 600), "complex", {"stragglers": 2}),
    ((400, 900, 300), "integer", {"stragglers": 1, "colluders": 1}),
]
EXECUTORS: dict[str, Callable[[int], Any]] = {"Inline": anyk.Inline, "Processes": anyk.Processes}


def factors(shape: tuple[int, int, int], kind: Kind, rng: np.random.Generator) -> list[Any]:
    """Two factors of these numbers."""
    rows, inner, columns = shape
    made = [rng.normal(size=(rows, inner)), rng.normal(size=(inner, columns))]
    if kind == "complex":
        return [each + 1j * each[::-1] for each in made]
    return [np.rint(9 * each).astype(int) for each in made] if kind == "integer" else made


def candidates(size: Size, wanted: Wanted, machine: Any) -> list[Any]:
    """Two partitions of each scheme of the shortlist, with what the model says of them."""
    return [pair for kind in shortlist(wanted) for pair in weigh(kind, size, wanted, machine)[:2]]


def main() -> None:
    """Time them all."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tiny", action="store_true")
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument("--long", action="store_true")
    asked = parser.parse_args()
    rng, workers, rounds = np.random.default_rng(1), 9, 1 if asked.tiny else 5
    rows, worst = [], 1.0
    for name, make in EXECUTORS.items():
        with make(workers) as executor:
            for shape, kind, threat in (TUNED if asked.tuned else NEW)[: 1 if asked.tiny else None]:
                a, b = factors(shape, kind, rng)
                plan = anyk.matmul(a, b, executor, progress=False, **threat).plan
                wanted = wanted_of(factors_of(a, b), anyk.Threat(workers=workers, **threat))
                pairs = candidates(Size(*shape), wanted, machine_of(executor))

                def call(scheme: anyk.AbstractScheme, a: Any = a, b: Any = b) -> None:
                    anyk.matmul(a, b, executor, scheme=scheme, progress=False)

                sides = {repr(scheme): partial(call, scheme) for _, scheme in pairs}
                took = {
                    side: float(np.min(all_))
                    for side, all_ in compare(sides, rounds=rounds).items()
                }
                chosen = getattr(plan.scheme, "scheme", plan.scheme)
                best = min(took, key=lambda each: took[each])
                ratio = took[repr(chosen)] / took[best]
                worst = max(worst, ratio)
                if asked.long:
                    for costs, scheme in pairs:
                        told = (
                            f"{scheme!r:.80}: {costs.total:.3g} s, took {took[repr(scheme)]:.3g} s"
                        )
                        print(f"  {told}; {costs}")
                ours, fastest = took[repr(chosen)], took[best]
                row = [name, f"{shape} {kind}", f"{chosen!r:.40}", f"{ours:.3g} s"]
                rows.append([*row, f"{best:.40}", f"{fastest:.3g} s", f"{ratio:.2f}"])
    columns = ("executor", "factors", "chosen", "took", "fastest", "took", "ratio")
    print(table(columns, rows))
    print(f"chosen / fastest: at most {worst:.2f}; claimed: 1.3")


if __name__ == "__main__":
    main()
