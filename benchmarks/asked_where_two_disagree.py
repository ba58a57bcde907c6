"""`reactive=True`: A + 1 workers compute each batch, and others again where two disagree.

Claim: where nobody lies, each batch is computed A + 1 times, not 2A + 1; with one liar, one batch
is computed once more; the liar is named. And at random, with liars, late workers, hangs and
crashes, nothing is wrong in silence and nothing hangs.

The work is counted in calls of f on a block that workers are asked for, those that were late and
sent again among them, for the sum over K = N blocks; by its side, the wall time of a call (median
and its interval of 95 %). Beside it stands the scheme that names as many liars at once, which may
be done before a liar was heard. f takes some milliseconds.

    python benchmarks/asked_where_two_disagree.py [--calls 20] [--runs 300] [--tiny]

It exits with 1 if a value is wrong, an honest worker is named, a liar who was heard is not named
within the promise, or a call hangs.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
from _alarm import alarm

import anyk
from anyk.bench.measure import interval, table
from anyk.delays import Fixed
from anyk.faults import Collude, Corrupt, Crash, Delay, Faulty

WORKERS, NUMBERS, ROUNDS = 12, 20_000, 40
FIELD = anyk.PrimeField()
PATIENCE = 60  # seconds after which a call hangs


def slow(x):
    """Some milliseconds of work."""
    y = np.asarray(x, dtype=float)
    for _ in range(ROUNDS):
        y = np.sqrt(y * y + 1.0)
    return y


def square(x):
    """x²."""
    return x * x


def measured(make, scheme, liars, calls, X):
    """Of each call, how often f is asked for on a block, over K, and seconds."""
    work, seconds = [], []
    load = scheme.guarantee.load
    truth = np.sum([slow(x) for x in X], axis=0)
    faults = {liar: Corrupt(seed=liar) for liar in liars}
    with (
        Faulty(make(WORKERS), faults) as executor,
        anyk.distribute(scheme, X, executor) as data,
    ):
        data.run(slow, progress=False)
        for _ in range(calls):
            began = time.perf_counter()
            outcome = data.run(slow, progress=False)
            seconds.append(time.perf_counter() - began)
            named = outcome.suspects == liars or (not scheme.reactive and not outcome.suspects)
            if not np.allclose(outcome.value, truth) or not named:
                raise SystemExit(f"{scheme!r}: wrong, or {outcome.suspects} are named")
            work.append((WORKERS + len(outcome.again)) * load / len(X))
    return work, seconds


def shown(calls, numbers):
    """The table of work and time."""
    X = np.random.default_rng(1).standard_normal((WORKERS, numbers))
    lines = []
    for make in (anyk.Threads, anyk.Processes):
        for adversaries in (1, 2):
            for again in (True, False):
                scheme = anyk.FractionalRepetition(WORKERS, WORKERS, 0, adversaries, reactive=again)
                for liars in ((), (4,)):
                    work, seconds = measured(make, scheme, liars, calls, X)
                    copies = adversaries + 1
                    lines.append([
                        make.__name__, f"{adversaries}", "again" if again else "at once",
                        f"{scheme.guarantee.load:.0f}", f"{len(liars)}", f"{np.mean(work):.3f}",
                        f"{np.mean(work) / copies:.3f}", f"{interval([1e3 * s for s in seconds])}",
                    ])  # fmt: skip
    heads = ["executor", "A", "liars named", "blocks a worker", "liars", "f a block",
             "/ (A + 1)", "ms a call"]  # fmt: skip
    print(f"{calls} calls a line, N = K = {WORKERS}, S = 0")
    print(table(heads, lines))


def one(make, seed):
    """What becomes of one random run: its status, and what went wrong."""
    rng = np.random.default_rng([seed, 41])
    workers, liars, late = (
        int(rng.integers(5, 13)),
        int(rng.integers(0, 3)),
        int(rng.integers(0, 3)),
    )
    blocks, again = int(rng.integers(1, 13)), bool(rng.integers(3))
    kind = int(rng.integers(3))
    try:
        scheme = (
            anyk.Replication(blocks, workers, liars, domain=FIELD, reactive=again)
            if kind == 0
            else anyk.FractionalRepetition(
                blocks, workers, late, liars, reactive=again, domain=FIELD
            )
        )
    except anyk.Unachievable:
        return None, ""
    order = rng.permutation(workers).tolist()
    many = liars + int(rng.integers(4) == 0)
    lying, gone = order[:many], order[many : many + int(rng.integers(0, 4))]
    lies = (Corrupt, Collude)[int(rng.integers(2))]
    faults = {who: lies(seed=int(rng.integers(2)), modulus=FIELD.modulus) for who in lying}
    hang = Delay(np.inf) if make is anyk.Simulated else Delay(3.0)
    faults |= {who: (Crash(), hang, Delay(0.05))[int(rng.integers(3))] for who in gone}
    X = rng.integers(0, 1000, (blocks, 3))
    truth = X**2 if kind == 0 else (X**2).sum(axis=0)
    if make is anyk.Simulated:
        delays = Fixed(dict(enumerate(rng.exponential(1.0, workers).tolist())))
        executor = anyk.Simulated(workers, delays=delays, compute=0.05)
    else:
        executor = make(workers)
        executor.lateness = anyk.Lateness(medians=2.0, margin=0.1)
    with alarm(PATIENCE), Faulty(executor, faults) as broken:
        outcome = anyk.run(scheme, square, X, broken, on_failure="return", progress=False)
    promised = many <= liars and len(gone) <= scheme.guarantee.stragglers
    told = f"{make.__name__} {seed} {scheme!r} {faults}: "
    if outcome.status.ok and not np.array_equal(outcome.value, truth):
        colluding = many > liars  # D + 1 who tell one lie are believed: it is said
        return ("beyond, believed" if colluding else "wrong"), told * (not colluding)
    if many <= liars and not {*outcome.suspects} <= {*lying}:
        return "accused", told + f"{outcome.suspects} are named"
    if promised and not outcome.status.ok:
        return "refused", told + outcome.status.name
    return ("right" if outcome.status.ok else "refused beyond the promise"), ""


def at_random(runs, seed):
    """Random runs on Threads and Simulated; what went wrong."""
    found, wrong = Counter(), []
    for make in (anyk.Threads, anyk.Simulated):
        made, at = 0, seed
        while made < runs // 2:
            status, what = one(make, at)
            at += 1
            if status is not None:
                made += 1
                found[status] += 1
                wrong += [what] * bool(what)
    print(f"{runs} random runs on Threads and Simulated: " + str(dict(found)))
    return wrong


def main() -> None:
    """Run and print it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--calls", type=int, default=20, help="of each line")
    parser.add_argument("--runs", type=int, default=300, help="at random")
    parser.add_argument("--seed", type=int, default=5000, help="of the first random run")
    given = parser.parse_args()
    shown(*((2, 500) if given.tiny else (given.calls, NUMBERS)))
    wrong = at_random(20 if given.tiny else given.runs, given.seed)
    print("\n".join(wrong) or "nothing is wrong in silence, nobody honest is named, nothing hangs")
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
