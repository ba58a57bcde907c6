"""Estimates of sums by late workers: an expander beside batches that are copied, at equal load.

K blocks, N workers of two blocks each, S of them late: at random, where blocks are in order, as
rows often are; or chosen by who sees the code: the block with the fewest answers loses them all,
then the next. `ExpanderRepetition` beside the baseline that a sceptic would write: K/2 batches of
two blocks at random, 2N/K workers each, and where every copy of a batch is late, the sum of the
others times K/(blocks heard). Functions that nothing was tuned on, of 3 normal numbers a block.

Columns: how many sums are known, in per cent; the relative error, root mean square, of all sums and
of those that are not known; how many of these are off by no more than the estimate, and than twice
the estimate, with 95 % intervals (Wilson).

    python benchmarks/expander_estimates.py [--tiny] [--sums 2000]

It exits with 1 if fewer than 93 % of errors are within twice the estimate, for late workers at
random.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import anyk
from anyk.work import WorkerTask

FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "tanh": np.tanh,
    "cube": lambda x: x**3,
    "log(1 + |x|)": lambda x: np.log1p(np.abs(x)),
    "floor": lambda x: np.floor(2.0 * x),
    "logistic": lambda x: 1.0 / (1.0 + np.exp(-4.0 * x)),
    "softplus": lambda x: np.log1p(np.exp(x)),
    "gradient": lambda x: (np.tanh(x.sum()) - 0.3) * x,
    "lognormal": lambda x: np.exp(1.5 * x),
}
SETTINGS = ((10, 20, 8), (20, 40, 12), (20, 40, 20), (40, 60, 15))
PROMISE = 0.93


@dataclass
class Count:
    """What became of sums of one kind."""

    sums: int = 0
    errors: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    def add(self, off: float, estimate: float, *, known: bool) -> None:
        """One sum."""
        self.sums += 1
        if not known:
            self.errors.append(off)
            self.ratios.append(off / estimate)

    def line(self, name: str) -> str:
        """For the table."""
        known = 100.0 * (self.sums - len(self.errors)) / self.sums
        if not self.errors:
            return f"{name:34}{known:8.1f}"
        off = math.sqrt(float(np.mean(np.square(self.errors))))
        every = off * math.sqrt(len(self.errors) / self.sums)
        told = "".join(f"{within(self.ratios, times):>22}" for times in (1.0, 2.0))
        return f"{name:34}{known:8.1f}{every:10.3f}{off:10.3f}{told if self.ratios[0] else ''}"


def within(ratios: list[float], times: float) -> str:
    """How many are, in per cent, with its interval."""
    low, share, high = wilson(sum(ratio <= times for ratio in ratios), len(ratios))
    return f"{100 * share:.1f} ({100 * low:.1f}-{100 * high:.1f})"


def wilson(good: int, of: int, z: float = 1.96) -> tuple[float, float, float]:
    """A share, and its interval."""
    share, more = good / of, z * z / of
    middle = (share + more / 2) / (1 + more)
    half = z / (1 + more) * math.sqrt(share * (1 - share) / of + more / (4 * of))
    return middle - half, share, middle + half


def chosen(matrix: NDArray[np.float64], late: int) -> NDArray[np.intp]:
    """Who answers, where blocks with few answers lose them all, one after the other."""
    there = np.ones(len(matrix), dtype=np.bool_)
    while late:
        left = matrix[there].sum(axis=0)
        block = int(np.argmin(np.where(left > 0.0, left, np.inf)))
        holders = np.flatnonzero(there & (matrix[:, block] > 0.0))[:late]
        there[holders] = False
        late -= len(holders)
    return np.flatnonzero(there)


def copied(K: int, N: int) -> NDArray[np.float64]:
    """Batches of two blocks at random, dealt out in turn."""
    matrix = np.zeros((N, K))
    batch = np.arange(N) % (K // 2)
    matrix[np.arange(N), 2 * batch] = matrix[np.arange(N), 2 * batch + 1] = 1.0
    return matrix[:, np.random.default_rng(K).permutation(K)]


def measure(K: int, N: int, S: int, sums: int, *, adversary: bool) -> tuple[Count, Count]:
    """Both codes in one setting."""
    scheme, baseline = anyk.ExpanderRepetition(K, N, stragglers=S), copied(K, N)
    rng = np.random.default_rng([K, N, S])
    ours, theirs = Count(), Count()
    worst = [chosen(matrix, S) for matrix in (scheme.code.matrix, baseline)]
    for at in range(sums):
        function = list(FUNCTIONS.values())[at % len(FUNCTIONS)]
        X = rng.standard_normal((K, 3))
        X = X if adversary else np.sort(X, axis=0)
        encoded = scheme.encode(X)
        task = WorkerTask(scheme.work(function), scheme.domain, (), 2)
        told = np.stack([task(*share) for share in zip(*encoded.parts, strict=True)])
        outputs = np.array([function(x) for x in X])
        truth, size = outputs.sum(axis=0), float(np.linalg.norm(outputs.sum(axis=0)))
        drawn = np.sort(rng.permutation(N)[: N - S])
        who, other = worst if adversary else (drawn, drawn)
        found = encoded.decode(told[who], who.tolist())
        off = float(np.linalg.norm(found.value - truth)) / size
        estimate = (found.error_estimate or math.inf) * float(np.linalg.norm(found.value)) / size
        ours.add(off, estimate, known=bool(found.known[0]))
        heard = baseline[other].any(axis=0)
        guess = outputs[heard].sum(axis=0) * K / heard.sum()
        theirs.add(float(np.linalg.norm(guess - truth)) / size, math.inf, known=bool(heard.all()))
    return ours, theirs


def main() -> int:
    """Print the table, and say whether estimates held."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sums", type=int, default=2000, help="of each setting")
    parser.add_argument("--tiny", action="store_true", help="a few seconds, and no verdict")
    options = parser.parse_args()
    good = True
    print(
        f"{'':34}{'known %':>8}{'error':>10}{'unknown':>10}{'within 1, %':>22}{'within 2, %':>22}"
    )
    for K, N, S in SETTINGS[:1] if options.tiny else SETTINGS:
        for adversary in (False, True):
            sums = 40 if options.tiny else options.sums
            ours, theirs = measure(K, N, S, sums, adversary=adversary)
            who = "chosen" if adversary else "at random"
            print(f"K = {K}, N = {N}, S = {S} {who}, {sums} sums")
            print(ours.line("  ExpanderRepetition"))
            print(theirs.line("  copies of batches, scaled"), flush=True)
            if not adversary and ours.ratios:
                share = sum(ratio <= 2.0 for ratio in ours.ratios) / len(ours.ratios)
                good = good and share >= PROMISE
    return 0 if good or options.tiny else 1


if __name__ == "__main__":
    sys.exit(main())
