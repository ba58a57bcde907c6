"""Every set of stragglers with every set of liars, for every Lagrange code of up to 12 workers.

Claim: 1,274,875 patterns, each recovered exactly with its liars named; for each set of answers,
one fewer and one liar more raise; no T workers learn anything, some T + 1 do.

Run: python benchmarks/lagrange_every_pattern.py [--tiny]     (about ten minutes on two cores)
"""

import argparse
import itertools
import math
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import numpy as np

import anyk
from anyk.bench.measure import table


def schemes(workers: int) -> Iterator[anyk.Lagrange]:
    """All (K, T, A, d) that this many workers can bear; degree 1 alone where degree is moot."""
    for blocks, colluders, adversaries, degree in itertools.product(
        range(1, workers + 1), range(workers), range(workers // 2 + 1), range(1, workers + 1)
    ):
        needed = (blocks + colluders - 1) * degree + 2 * adversaries + 1
        if needed <= workers and (blocks + colluders > 1 or degree == 1):
            yield anyk.Lagrange(
                blocks=blocks,
                degree=degree,
                workers=workers,
                adversaries=adversaries,
                colluders=colluders,
            )


def patterns(scheme: anyk.Lagrange) -> int:
    """How many pairs of stragglers and liars the scheme promises to survive."""
    promise = scheme.guarantee
    return math.comb(promise.workers, promise.threshold) * math.comb(
        promise.threshold, promise.adversaries
    )


def check(scheme: anyk.Lagrange) -> str:
    """Try every pattern of one scheme; say what went wrong."""
    generator = np.random.default_rng(scheme.workers)
    try:
        anyk.testing.check_scheme(scheme, generator=generator, patterns=10**9, encodings=16)
    except (AssertionError, anyk.AnykError) as error:
        return f"{scheme}: {error}"
    return ""


def main() -> None:
    """Go through all of them on all cores."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="up to 6 workers")
    most = 6 if parser.parse_args().tiny else 12
    rows, bad = [], []
    with ProcessPoolExecutor() as pool:
        for workers in range(1, most + 1):
            every = sorted(schemes(workers), key=patterns, reverse=True)
            wrong = [text for text in pool.map(check, every) if text]
            bad += wrong
            rows.append([workers, len(every), sum(map(patterns, every)), len(wrong)])
    total = [sum(row[column] for row in rows) for column in (1, 2, 3)]
    print(
        table(["workers", "schemes", "patterns", "schemes that failed"], [*rows, ["all", *total]])
    )
    for text in bad[:10]:
        print(text)
    raise SystemExit(1 if bad else 0)


if __name__ == "__main__":
    main()
