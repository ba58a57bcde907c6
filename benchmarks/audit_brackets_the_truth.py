"""`anyk.audit` on records: what it finds <= what is true <= what it says is possible.

Ten sets of records (digits, wines, tumours, irises; Gaussian, correlated, heavy-tailed, sparse,
clustered, random walks) on six kinds of schemes, of 1 or 2 colluders and 0.01 to 2 bits. The truth
is computed without the audit, from D and M and the records: the likelihood of each record given the
shares, with all that the other blocks can be, in dense matrices; by it the best guesses of record
and label and the mutual information, over fresh draws of model and noise; and the best linear guess
by the whole covariance. Over a field the truth is chance.

Besides, by the matrices alone: what 1 to 64 encodings of the same data tell together, by
`anyk.leakage_spent` and by the joint matrix.

    python benchmarks/audit_brackets_the_truth.py [--tiny] [--pairs 50]

It exits with 1 if an attack finds more than the truth, or the truth is above a bound.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from rich.progress import track
from scipy.special import logsumexp
from sklearn import datasets

import anyk
from anyk.audits.eyes import noisy_eye
from anyk.audits.matrices import seen
from anyk.bench.measure import interval, table
from anyk.privacy.information import bits_learned

ALONE, TOGETHER = 300, 60  # records, where a view is of one block, and of several
DRAWS, AT_A_TIME = 4000, 100
SURE = 5.0  # standard errors of the truth
CONFIDENCE = 1.0 - 1e-6

Records = tuple[np.ndarray, np.ndarray]


def loaded(load: Callable[..., Records]) -> Callable[[np.random.Generator], Records]:
    """Real records, each number of deviation 1 or none, shuffled."""

    def records(rng: np.random.Generator) -> Records:
        X, y = load(return_X_y=True)
        chosen = rng.permutation(len(X))[:ALONE]
        X, y = X[chosen], y[chosen]
        return (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0), y

    return records


def drawn(draw: Callable[[np.random.Generator, int], np.ndarray], size: int):
    """Records of a distribution; their label is the sign of the first number."""

    def records(rng: np.random.Generator) -> Records:
        X = draw(rng, size)
        X = X / X.std()
        return X, (X[:, 0] > np.median(X[:, 0])).astype(int)

    return records


DATA: dict[str, Callable[[np.random.Generator], Records]] = {
    "digits": loaded(datasets.load_digits),
    "wines": loaded(datasets.load_wine),
    "tumours": loaded(datasets.load_breast_cancer),
    "irises": loaded(datasets.load_iris),
    "Gaussian": drawn(lambda rng, n: rng.normal(size=(n, 16)), ALONE),
    "correlated": drawn(lambda rng, n: rng.normal(size=(n, 3)) @ rng.normal(size=(3, 32)), ALONE),
    "heavy-tailed": drawn(lambda rng, n: rng.standard_t(3, size=(n, 8)), ALONE),
    "sparse": drawn(lambda rng, n: (rng.random((n, 24)) < 0.1) + 0.01 * rng.random((n, 24)), ALONE),
    "clustered": drawn(
        lambda rng, n: 5.0 * rng.integers(0, 2, (n, 1)) + rng.normal(size=(n, 6)), ALONE
    ),
    "random walks": drawn(lambda rng, n: np.cumsum(rng.normal(size=(n, 48)), axis=1), ALONE),
}
FIXED = anyk.FixedPoint(fraction_bits=8, magnitude=64.0, degree=1)
Make = Callable[[float], anyk.Encoded]
SCHEMES: dict[str, Make] = {
    "VeiledReplication": lambda bits: zeros(
        anyk.VeiledReplication(3, 30, colluders=1, leakage=bits)
    ),
    "VeiledReplication, T = 2": lambda bits: zeros(
        anyk.VeiledReplication(2, 40, colluders=2, leakage=bits)
    ),
    "Berrut": lambda bits: zeros(anyk.Berrut(2, 12, colluders=1, leakage=bits)),
    "AnalogLagrange": lambda bits: zeros(
        anyk.AnalogLagrange(blocks=2, degree=1, workers=6, colluders=1, leakage=bits)
    ),
    "Agreed": lambda bits: zeros(
        anyk.Agreed(anyk.VeiledReplication(2, 20, colluders=1, leakage=bits), copies=2)
    ),
    "Lagrange, fixed point": lambda bits: on_a_field(),  # noqa: ARG005 - nothing leaks
}


def zeros(scheme: anyk.AbstractScheme) -> anyk.Encoded:
    """An encoding, for its layout."""
    return scheme.encode(np.zeros((scheme.guarantee and scheme.problem.blocks, 1)))


def on_a_field() -> anyk.Encoded:
    """Reals on a field, where two workers learn nothing."""
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=7, colluders=2)
    with anyk.Inline(7) as executor:
        return anyk.distribute(scheme, np.zeros((2, 1)), executor, embedding=FIXED).encoded


@dataclass(frozen=True)
class Truth:
    """The best that can be done, and a standard error of each number."""

    which: tuple[float, float]
    label: tuple[float, float]
    explained: tuple[float, float]
    bits: tuple[float, float]


def truth_of(encoded: anyk.Encoded, X, y, rng: np.random.Generator, draws: int) -> Truth:
    """By the matrices and the records alone."""
    if encoded.scheme.domain.exact:
        chance = np.bincount(y).max() / len(y)
        return Truth((1.0 / len(X), 0.0), (chance, 0.0), (0.0, 0.0), (0.0, 0.0))
    D, M, block = matrices(encoded, X)
    white = np.linalg.inv(np.linalg.cholesky(M @ M.T))
    signal = white @ D
    mine = signal[:, block]
    rest = [k for k in range(D.shape[1]) if k != block and np.abs(signal[:, k]).max() > 0]
    many, size = X.shape
    means = mine[None, :, None] * X[:, None, :]  # of each record, (n, rows, Z)
    others = np.zeros((1, len(mine), size))
    for k in rest:
        more = signal[:, k][None, :, None] * X[:, None, :]
        others = (others[:, None] + more[None]).reshape(-1, len(mine), size)
    flat = means.reshape(many, -1)
    hidden = others.reshape(len(others), -1)
    which, label, bits = [], [], []
    for start in range(0, draws, AT_A_TIME):
        count = min(AT_A_TIME, draws - start)
        target, other = rng.integers(many, size=count), rng.integers(len(others), size=count)
        view = flat[target] + hidden[other] + rng.normal(size=(count, flat.shape[1]))
        logs = likelihoods(view, flat, hidden)
        likely = logsumexp(logs, axis=1, keepdims=True)
        posterior = np.exp(logs - likely)
        which.append(logs.argmax(axis=1) == target)
        label.append((posterior @ np.eye(y.max() + 1)[y]).argmax(axis=1) == y[target])
        bits.append((logs[np.arange(count), target] - likely[:, 0] + math.log(many)) / math.log(2))
    cov = np.cov(X.T, bias=True).reshape(size, size)
    whole = np.kron(signal @ signal.T, cov) + np.eye(len(mine) * size)
    cross = np.kron(mine[:, None], cov)
    explained = np.trace(cross.T @ np.linalg.solve(whole, cross)) / np.trace(cov)
    return Truth(mean(which), mean(label), (float(explained), 0.0), mean(bits))


def matrices(encoded: anyk.Encoded, X: np.ndarray) -> tuple[np.ndarray, np.ndarray, int]:
    """D and M of the coalition that is attacked, as real numbers, and the block."""
    sight = noisy_eye(encoded, X, encoded.guarantee.colluders).sight
    data, masks = (each[sight.rows] for each in seen(encoded))
    if np.iscomplexobj(data):
        masks = np.concatenate([masks, 1j * masks], axis=1) / math.sqrt(2.0)
        data, masks = (np.concatenate([each.real, each.imag]) for each in (data, masks))
    return data, masks, sight.block


def likelihoods(view: np.ndarray, flat: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The log likelihood of each record, (b, n), up to what all have in common."""
    if len(hidden) == 1:
        return view @ flat.T - 0.5 * np.sum(flat**2, axis=1)
    both = flat[:, None] + hidden[None]
    both = both.reshape(-1, flat.shape[1])
    logs = view @ both.T - 0.5 * np.sum(both**2, axis=1)
    return logsumexp(logs.reshape(len(view), len(flat), -1), axis=2)


def mean(parts: list[np.ndarray]) -> tuple[float, float]:
    """And its standard error."""
    values = np.concatenate(parts).astype(float)
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(len(values)))


def joint_bits(encodings: list[anyk.Encoded], who: tuple[int, ...], variance: float) -> float:
    """What these workers learn by all rows that they hold, their masks block by block."""
    rows = [encoded.held_by(who) for encoded in encodings]
    D = np.concatenate(
        [each.encoder.data[held] for each, held in zip(encodings, rows, strict=True)]
    )
    parts = [each.encoder.masks[held] for each, held in zip(encodings, rows, strict=True)]
    M = np.zeros((len(D), sum(part.shape[1] for part in parts)), dtype=D.dtype)
    row = column = 0
    for part in parts:
        M[row : row + len(part), column : column + part.shape[1]] = part
        row, column = row + len(part), column + part.shape[1]
    return bits_learned(D, M, variance=variance)


def accounts(*, tiny: bool) -> tuple[list[list[object]], bool]:
    """A row for each kind of scheme: the most by which the accountant is off, of 1 to 64."""
    rows, wrong = [], False
    for kind, make in SCHEMES.items():
        first = make(0.3)
        if first.scheme.domain.exact:
            continue
        size, workers = first.guarantee.colluders, first.guarantee.workers
        every = list(itertools.combinations(range(workers), size))
        every = every[:: max(1, len(every) // 50)]
        times = (1, 2, 9) if tiny else (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64)
        encodings = [make(0.3) for _ in range(max(times))]
        off, last = 0.0, 0.0
        for many in times:
            spent = anyk.leakage_spent(*encodings[:many], colluders=size)
            tried = {spent.coalition, *(every if many in (1, max(times)) else [])}
            truth = max(joint_bits(encodings[:many], who, 1.0) for who in tried)
            off, last = max(off, abs(spent.amount / truth - 1.0)), spent.amount
        wrong |= off > 1e-9
        rows.append([kind, f"{first.guarantee.leakage:.3g}", f"{last:.3g}", f"{off:.1e}"])
    return rows, wrong


def main() -> int:
    """Print, by kind of scheme, how the audit and its bounds bracket the truth."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--pairs", type=int, default=50)
    options = parser.parse_args()
    number, draws = (6, 400) if options.tiny else (options.pairs, DRAWS)
    pairs = [(data, kind) for kind in SCHEMES for data in DATA]
    pairs = [pairs[place * 13 % len(pairs)] for place in range(number)]
    found: dict[str, list[tuple[float, ...]]] = {}
    failed = 0
    for place, (name, kind) in enumerate(track(pairs, disable=not sys.stdout.isatty())):
        rng = np.random.default_rng(place)
        X, y = DATA[name](rng)
        encoded = achievable(SCHEMES[kind], rng)
        exact = encoded.scheme.domain.exact
        alone = exact or np.count_nonzero(np.abs(matrices(encoded, X)[0]).max(axis=0)) == 1
        X, y = (X, y) if alone else (X[:TOGETHER], y[:TOGETHER])
        y = np.unique(y, return_inverse=True)[1]
        audit = anyk.audit(
            encoded, data=X, labels=y, samples=2000, confidence=CONFIDENCE, generator=rng
        )
        truth = truth_of(encoded, X, y, rng, draws)
        numbers = (truth.which, truth.label, truth.explained, truth.bits)
        for attack, (true, error) in zip(audit.attacks, numbers, strict=True):
            above = attack.low > true + SURE * error + 1e-9
            beyond = true - SURE * error > attack.bound + 1e-9
            failed += above or beyond or attack.above
            if above or beyond or attack.above:
                print(f"{kind} on {name}: {attack}; the truth is {true:.5f} (error {error:.5f})")
            what = (
                "which record"
                if attack is audit.attacks[0]
                else ("which label" if attack is audit.attacks[1] else attack.name)
            )
            found.setdefault(what, []).append(
                (attack.low, attack.found, true, attack.bound, above, beyond)
            )
    rows = []
    for what, each in found.items():
        low, at, true, bound, above, beyond = np.array(each).T
        rows.append([
            what, len(each), int(above.sum()), int(beyond.sum()),
            interval(true), interval(true - low), interval(true - at), interval(bound - true),
        ])  # fmt: skip
    head = ["guess", "pairs", "low > truth", "truth > bound", "truth", "truth - low"]
    print(f"{number} pairs of records and schemes: shares of guesses, of the variance, or bits")
    print(table([*head, "truth - found", "bound - truth"], rows))
    rows, wrong = accounts(tiny=options.tiny)
    print("\nencodings of the same data, 1 to 64: bits a coordinate, accountant and joint matrix")
    print(table(["scheme", "once", "all", "off by at most (relative)"], rows))
    return int(failed > 0 or wrong)


def achievable(make: Make, rng: np.random.Generator) -> anyk.Encoded:
    """The first whose noise does not drown everything."""
    while True:
        try:
            return make(float(10 ** rng.uniform(-2, 0.3)))
        except anyk.Unachievable:
            continue


if __name__ == "__main__":
    sys.exit(main())
