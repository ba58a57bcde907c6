"""Random faults in workers that multiply matrices or add up: no wrong value in silence.

A fault is one faulty worker in one call. Each call draws one of the catalogue's schemes for
products or for sums, data, and whether they stay on the workers from call to call (of a product the
factor A); and workers that are late, hang, crash, die, lie alone or together, or answer with
rubbish. Liars are at most as many as the scheme promises to name, or any number where it checks
each answer (`verified=True`). Of each call it is checked that

- the value is the true one: equal where it is exact, within three times the error estimate
  elsewhere; or a `RecoveryError` was raised, which must not happen within the promise,
- nobody is named who did not lie, and over a field everybody whose lie was examined.

    python benchmarks/schemes_under_faults.py [--of products|sums]
        [--engine processes|dask|threads] [--faults 500] [--seed 0] [--tiny]

It exits with 1 if a check fails.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import Counter

import numpy as np
from _alarm import alarm
from _engines import engine
from two_thousand_faults import Moody

import anyk
from anyk.bench.measure import table
from anyk.domains.prime import PrimeField
from anyk.faults import AbstractFault, Collude, Corrupt, Crash, Delay, Die, Rubbish
from anyk.testing.trial import product, trial

WORKERS = 16
PATIENCE = 60  # seconds after which a call hangs
ENGINES = ("processes", "dask", "threads")
OF = {"products": anyk.MatMul, "sums": anyk.Sum}
FAILING = ("dtype", "nan", "inf", "objects", "text", "none", "shape", "empty")
NO_ANSWER = ("text", "none")  # whatever f returns; where it may be anything, the others are lies


def schemes(of: str) -> list[anyk.AbstractScheme]:
    """All for products or for sums, small enough."""
    rows = [row for row in anyk.CATALOGUE if isinstance(row, anyk.SchemeRow)]
    every = [scheme for row in rows if row.solves is OF[of] for scheme in row.examples()]
    every += [anyk.Summed(anyk.Lagrange(3, 2, 12, adversaries=1))] if of == "sums" else []
    return [each for each in every if each.guarantee.workers <= WORKERS]


def bell(x):
    """A function of a block that is no polynomial; a matrix, of which the values differ in size."""
    return np.exp(-x * x) * np.arange(1.0, 4.0).reshape(-1, *(1,) * x.ndim)


def drawn_faults(scheme, rng) -> tuple[dict[int, AbstractFault], set[int], set[int]]:
    """What goes wrong; who has no answer, and who lies."""
    promise = scheme.guarantee
    order = rng.permutation(promise.workers).tolist()
    tame = rng.random() < 0.7
    lost = int(rng.integers((promise.stragglers if tame else len(order)) + 1))
    most = promise.adversaries
    if getattr(scheme, "verified", False) and not tame:
        most = len(order)
    lying = int(rng.integers(most + 1))
    silent, rest = order[:lost], order[lost:]
    liars, rest = rest[:lying], rest[lying:]
    modulus = scheme.domain.modulus if isinstance(scheme.domain, PrimeField) else None
    faults: dict[int, AbstractFault] = {}
    for who in silent:
        kind = rng.random()
        kinds = FAILING if isinstance(scheme.problem, anyk.MatMul) else NO_ANSWER
        rubbish = Rubbish(kinds[int(rng.integers(len(kinds)))])
        faults[who] = Crash() if kind < 0.3 else Die() if kind < 0.5 else rubbish
    for who in liars:
        seed = int(rng.integers(2))
        together = rng.random() < 0.4
        faults[who] = Collude(seed=seed, modulus=modulus) if together else Corrupt(modulus=modulus)
    for who in rest[: int(rng.integers(3))]:
        faults[who] = Delay(float(10 ** rng.uniform(-4, -1.5)))
    return faults, set(silent), set(liars)


def right(outcome: anyk.Outcome, truth: np.ndarray) -> bool:
    """Whether a value is what the outcome says it is."""
    if outcome.value.shape != truth.shape:
        return False
    if outcome.error_estimate is None:  # over the reals a sum of products may be rounded otherwise
        exact = truth.dtype.kind == "i"
        same = np.array_equal if exact else np.allclose
        return same(outcome.value, truth)
    off = np.linalg.norm(outcome.value - truth) / np.linalg.norm(outcome.value)
    return bool(off <= 3 * outcome.error_estimate)


def one(executor: Moody, scheme, rng, seen: Counter[str]) -> list[str]:
    """What is wrong with some calls of one scheme."""
    product_of = isinstance(scheme.problem, anyk.MatMul)
    shape = tuple(int(length) for length in rng.integers(1, 6, 3 if product_of else 2))
    function = None
    if not product_of and scheme.problem.degree is None and not scheme.domain.exact:
        function = (None, bell)[int(rng.integers(2))]
    made = trial(scheme, function, shape, rng)
    wrong: list[str] = []
    resident = rng.random() < 0.5 and isinstance(made.X, tuple)
    calls = int(rng.integers(1, 4)) if resident or not product_of else 1
    executor.faults = {}
    data = anyk.distribute(scheme, made.X[0] if resident else made.X, executor)
    with data:
        for _ in range(calls):
            B = trial(scheme, None, shape, rng).X[1] if resident else None
            truth = product(scheme.domain, made.X[0], B) if resident else made.truth
            faults, lost, liars = drawn_faults(scheme, rng)
            executor.faults = faults
            within = len(lost) <= scheme.guarantee.stragglers
            within &= len(liars) <= scheme.guarantee.adversaries
            seen["calls"] += 1
            seen["faults"] += len(faults)
            told = f"{scheme!r}, {faults}"
            try:
                with alarm(PATIENCE):
                    if resident:
                        outcome = data.matmul(B, progress=False)
                    else:
                        outcome = data.run(made.function, progress=False)
            except anyk.RecoveryError as error:
                seen[type(error).__name__] += 1
                if within:
                    wrong.append(f"{told}: raised {error!r} within the promise")
                continue
            seen["values"] += 1
            seen["liars named"] += len(outcome.suspects)
            if not right(outcome, truth):
                wrong.append(f"{told}: WRONG IN SILENCE")
            if not set(outcome.suspects) <= liars:
                wrong.append(f"{told}: accused {outcome.suspects}, liars are {liars}")
            if scheme.domain.exact and not liars & set(outcome.used) <= set(outcome.suspects):
                wrong.append(f"{told}: named {outcome.suspects} of {liars} in {outcome.used}")
    return wrong


def campaign(of: str, name: str, faults: int, seed: int) -> tuple[Counter[str], list[str]]:
    """So many faults on one engine; what was seen, and what is wrong."""
    rng, seen, wrong = np.random.default_rng(seed), Counter(), []
    every = schemes(of)
    with engine(name, WORKERS) as workers:
        executor = Moody(workers)
        while seen["faults"] < faults:
            scheme = every[int(rng.integers(len(every)))]
            seen[type(scheme).__name__] += 1
            wrong += one(executor, scheme, rng, seen)
    return seen, wrong


def main() -> int:
    """Print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--of", choices=OF, action="append")
    parser.add_argument("--engine", choices=ENGINES, action="append")
    parser.add_argument("--faults", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="40 faults of each, on threads")
    options = parser.parse_args()
    names = options.engine or ["processes", "dask"]
    if options.tiny:
        names, options.faults = ["threads"], 40
    rows, bad = [], []
    for of, name in itertools.product(options.of or OF, names):
        began = time.perf_counter()
        seen, wrong = campaign(of, name, options.faults, options.seed)
        bad += [f"{of}, {name}: {each}" for each in wrong]
        raised = sum(count for kind, count in seen.items() if kind.endswith(("Answers", "Errors")))
        rows.append(
            [of, name, seen["faults"], seen["calls"], seen["values"], seen["liars named"], raised,
             len(wrong), f"{time.perf_counter() - began:.0f} s"]
        )  # fmt: skip
    header = [
        "of",
        "engine",
        "faults",
        "calls",
        "values",
        "liars named",
        "refused",
        "wrong",
        "took",
    ]
    print(table(header, rows))
    for each in bad[:20]:
        print(f"FAILS: {each}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
