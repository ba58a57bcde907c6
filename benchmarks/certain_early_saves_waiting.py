"""How long a run with `adversaries` waits: for k + 2A answers, or until its value is certain.

Claim: on delays recorded on AWS Lambda (`load_0.250`), with N = 40 workers, k = 19 and A = 8, the
99th percentile of the time to an exact value is at least 20 % below that of waiting for k + 2A
answers where nobody lies; and 13 late workers are survived instead of 5. On cold starts, where most
of a round is late together, less is saved; that trace is shown beside it.

Each draw takes one round of a trace and 40 of its workers, the same for all sides, and goes through
`anyk.run` on a virtual clock: encoding, tasks, decoding. The side that waits for k + 2A is a code
that notices 2A liars (`detects`), so that it ends with the answer of that number. In the last side,
A / 2 workers, drawn anew each time, lie and are named. The intervals are of 95 %, by a bootstrap
that draws rounds and then draws within them: delays of one round are late together.

    python benchmarks/certain_early_saves_waiting.py --trace TRACE.npz [--tiny]     (ten minutes)

The trace is an .npz with arrays `load_0.250` and `cold_load_0.250` of rounds x workers in seconds;
without one, delays are drawn from a model that says what it is.
"""

from __future__ import annotations

import argparse

import numpy as np

import anyk
from anyk.bench.measure import table
from anyk.delays import AbstractDelays
from anyk.faults import Corrupt, Faulty

WORKERS, BLOCKS, LIARS = 40, 19, 8  # k = K, for a function of degree 1
FIELD = anyk.PrimeField()
CERTAIN = anyk.Lagrange(blocks=BLOCKS, degree=1, workers=WORKERS, adversaries=LIARS)
WAITING = anyk.Lagrange(blocks=BLOCKS, degree=1, workers=WORKERS, detects=2 * LIARS)
SIDES = ("waits for k + 2A", "certain, nobody lies", f"certain, {LIARS // 2} lie")
X = np.arange(2 * BLOCKS).reshape(BLOCKS, 2)
LEAST_SAVED = 0.2


class Given(AbstractDelays):
    """Delays that were drawn before, so that all sides have the same."""

    def __init__(self, seconds: np.ndarray) -> None:
        self.seconds = seconds

    def sample(self, generator, workers):
        """Those that were given."""
        del generator
        return self.seconds[:workers]


def triple(x):
    """A function of degree 1."""
    return 3 * x


def elapsed(scheme, seconds: np.ndarray, liars=()) -> float:
    """Virtual seconds to an exact value, which is checked, as are the names of the liars."""
    with anyk.Simulated(WORKERS, delays=Given(seconds), compute=0.0) as executor:
        faults = {int(liar): Corrupt(modulus=FIELD.modulus) for liar in liars}
        outcome = anyk.run(scheme, triple, X, Faulty(executor, faults), progress=False)
    if not np.array_equal(outcome.value, 3 * X) or set(outcome.suspects) - set(faults):
        raise SystemExit(f"a wrong value, or an honest worker accused: {outcome!r}")
    return outcome.elapsed


def measured(trace: np.ndarray, draws: int, rng) -> tuple[np.ndarray, np.ndarray]:
    """Of each draw, its round, and the seconds of each side."""
    rounds = np.arange(draws) % len(trace)
    seconds = np.empty((draws, len(SIDES)))
    for draw, row in enumerate(rounds):
        delays = trace[row, rng.choice(trace.shape[1], WORKERS, replace=False)]
        liars = rng.choice(WORKERS, LIARS // 2, replace=False)
        seconds[draw] = (
            elapsed(WAITING, delays),
            elapsed(CERTAIN, delays),
            elapsed(CERTAIN, delays, liars),
        )
    return rounds, seconds


def saved(seconds: np.ndarray, quantile: float) -> np.ndarray:
    """Of each side, by how much its quantile is below that of the first."""
    each = np.quantile(seconds, quantile, axis=0)
    return 1.0 - each / each[0]


def bootstrap(rounds: np.ndarray, seconds: np.ndarray, quantile: float, rng) -> np.ndarray:
    """Ends of the intervals of `saved`, ndarray (2, sides)."""
    where = [np.flatnonzero(rounds == row) for row in range(rounds.max() + 1)]
    again = []
    for _ in range(1000):
        chosen = rng.integers(len(where), size=len(where))
        within = [rng.choice(where[row], len(where[row])) for row in chosen]
        again.append(saved(seconds[np.concatenate(within)], quantile))
    return np.quantile(again, [0.025, 0.975], axis=0)


def traces(options) -> dict[str, np.ndarray]:
    """Rounds x workers in seconds, by name."""
    if options.trace is None:
        print("no --trace: 0.9 s + an exponential of mean 0.2 s, and a fifth 1 s late\n")
        rng = np.random.default_rng(options.seed)
        model = 0.9 + rng.exponential(0.2, (30, 256)) + (rng.random((30, 256)) < 0.2)
        return {"model": model}
    with np.load(options.trace) as file:
        return {name: np.asarray(file[name], float) for name in ("load_0.250", "cold_load_0.250")}


def main() -> None:
    """Measure each trace."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trace", help="an .npz of rounds x workers in seconds")
    parser.add_argument("--draws", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--tiny", action="store_true", help="60 draws, no verdict")
    options = parser.parse_args()
    draws = 60 if options.tiny else options.draws
    rows, fails = [], []
    for name, trace in traces(options).items():
        rng = np.random.default_rng(options.seed)
        rounds, seconds = measured(trace, draws, rng)
        gains = saved(seconds, 0.99)
        low, high = bootstrap(rounds, seconds, 0.99, rng)
        for side, label in enumerate(SIDES):
            median, late = np.quantile(seconds[:, side], [0.5, 0.99])
            told = f"{gains[side]:.1%} ({low[side]:.1%} to {high[side]:.1%})" if side else ""
            rows.append([name, label, f"{median:.3g}", f"{late:.3g}", told])
        if gains[1] < LEAST_SAVED and not name.startswith("cold"):
            fails.append(f"{name}: p99 is {gains[1]:.1%} lower, not {LEAST_SAVED:.0%}")
    late = WAITING.guarantee.stragglers, WORKERS - CERTAIN.guarantee.least
    print(f"N = {WORKERS}, k = {BLOCKS}, A = {LIARS}; {draws} draws a trace, alike for all sides")
    print(f"late workers survived: {late[0]}; where nobody lies and a run ends early, {late[1]}\n")
    print(table(["trace", "side", "p50 s", "p99 s", "p99 lower by"], rows))
    if options.tiny:
        return
    for text in fails:
        print(f"FAILS: {text}")
    raise SystemExit(1 if fails else 0)


if __name__ == "__main__":
    main()
