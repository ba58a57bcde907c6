"""By how much gradient codes amplify rounding: |a| of the worst set of workers that answer.

n workers and n blocks, any n - s answers, a row a of coefficients with a·B_F = 1. Of fractional
repetition, of cyclic repetition as published (one draw of random numbers; of 20 such codes the
median and the worst), of `CyclicRepetition` (the best of 32 draws), of the cyclic MDS code as
published with complex numbers (zeros w, .., w^s), and of `CyclicMDS`. For n = 12 every set of
answers, else all where they are at most 5,000, or 2,000 at random and all runs of neighbours that
are missing (of 3 codes in place of 20).

Columns: how many sets; sqrt(sum_n |a_n B_n|^2 / n), by which independent errors of answers, each of
the size of its row, weigh more in the sum than in a plain one, worst and median; the largest |a_n|
of the worst set, with rows of B scaled to a largest coefficient of 1; the relative error of sums of
64 x n normal numbers, worst, by the decoder of the scheme, or by least squares.

    python benchmarks/gradient_codes_amplify.py [--tiny]

It exits with 1 if fractional repetition amplifies at all, if `CyclicMDS` amplifies more than the
code as published or errs by more than 1e-12 for s <= 3, or if an error estimate is exceeded.
"""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import anyk
from anyk.codes.analog.gradient import late_sets
from anyk.work import WorkerTask

WIDTH = 64
LIMIT = 1e-12  # of the errors of CyclicMDS
FEW = 200  # sets of which errors are measured


@dataclass(frozen=True)
class Measured:
    """What one code did.

    Args:
        name: of the code.
        sets: how many were tried.
        every: whether these are all.
        amplified: of each set, ndarray.
        largest: |a_n| of the worst set.
        error: relative, the worst.
    """

    name: str
    sets: int
    every: bool
    amplified: NDArray[np.float64]
    largest: float
    error: float

    @property
    def worst(self) -> float:
        """The largest amplification."""
        return float(self.amplified.max())

    def line(self) -> str:
        """For the table."""
        many = f"{self.sets:,}" + "*" * self.every
        numbers = f"{self.worst:10.3g}{np.median(self.amplified):10.3g}{self.largest:12.3g}"
        return f"{self.name:44}{many:>8}{numbers}{self.error:12.1e}"


def rows_of_ones(code: NDArray[Any], late: NDArray[np.intp]) -> NDArray[Any]:
    """The shortest a_n |B_n| without each set of workers, ndarray (sets, n - s)."""
    lengths = np.linalg.norm(code, axis=1)
    scaled = code / lengths[:, None]
    found = []
    for missing in late:
        rows = np.delete(scaled, missing, axis=0)
        row = np.linalg.lstsq(rows.T, np.ones(rows.shape[1], rows.dtype), rcond=1e-13)[0]
        found.append(row + np.linalg.lstsq(rows.T, 1.0 - row @ rows, rcond=1e-13)[0])
    return np.array(found)


def measured(name: str, code: NDArray[Any], late: NDArray[np.intp], scheme: Any = None) -> Measured:
    """One code over sets of late workers."""
    n = len(code)
    rows = rows_of_ones(code, late)
    amplified = np.linalg.norm(rows, axis=1) / math.sqrt(n)
    place = int(np.argmax(amplified))
    kept = np.delete(np.arange(n), late[place])
    ratio = np.abs(code[kept]).max(axis=1) / np.linalg.norm(code[kept], axis=1)
    few = np.argsort(-amplified)[:: max(1, len(late) // FEW)]  # the worst, and some of all
    error = errors(code, late[few], rows[few], scheme)
    every = len(late) == math.comb(n, late.shape[1])
    largest = float((np.abs(rows[place]) * ratio).max())
    return Measured(name, len(late), every, amplified, largest, error)


def errors(code: NDArray[Any], late: NDArray[np.intp], rows: NDArray[Any], scheme: Any) -> float:
    """The worst relative error of a sum."""
    f = np.random.default_rng(len(code)).standard_normal((len(code), WIDTH))
    truth = f.astype(np.longdouble).sum(axis=0).astype(np.float64)
    worst = 0.0
    if scheme is not None:
        encoded = scheme.encode(f)
        task = WorkerTask(scheme.work(np.positive), scheme.domain, (), len(encoded.parts))
        told = np.stack([task(*share) for share in zip(*encoded.parts, strict=True)])
    else:
        told, lengths = code @ f, np.linalg.norm(code, axis=1)
    for missing, row in zip(late, rows, strict=True):
        kept = np.delete(np.arange(len(code)), missing)
        if scheme is None:
            value = ((row / lengths[kept]) @ told[kept]).real
        else:
            found = encoded.decode(told[kept], kept.tolist())
            value = found.value
            off = np.linalg.norm(value - truth) / np.linalg.norm(value)
            if found.error_estimate is not None and off > found.error_estimate:
                return math.inf
        worst = max(worst, float(np.linalg.norm(value - truth) / np.linalg.norm(truth)))
    return worst


def published_random(n: int, s: int, seed: int) -> NDArray[np.float64]:
    """Algorithm 1 of Tandon et al.: H of random numbers, whose columns add up to 0."""
    check = np.random.default_rng([n, s, seed]).standard_normal((s, n))
    check[:, -1] = -check[:, :-1].sum(axis=1)
    code = np.zeros((n, n))
    for row in range(n):
        others = (row + 1 + np.arange(s)) % n
        code[row, row] = 1.0
        code[row, others] = -np.linalg.solve(check[:, others], check[:, row])
    return code


def published_mds(n: int, s: int) -> NDArray[np.complex128]:
    """The cyclic code whose zeros are w, .., w^s, w = exp(2 pi i / n)."""
    coefficients = np.poly(np.exp(2j * np.pi * np.arange(1, s + 1) / n))
    code = np.zeros((n, n), complex)
    for row in range(n):
        code[row, (row + np.arange(s + 1)) % n] = coefficients
    return code


def table(n: int, s: int, draws: int) -> list[Measured]:
    """All codes of one size."""
    late = late_sets(n, s)
    repeated = anyk.FractionalRepetition(n, n, s, domain=anyk.Reals())
    found = [measured("FractionalRepetition", repeated.encoder(None).data, late, repeated)]
    random = [measured("", published_random(n, s, seed), late) for seed in range(draws)]
    random.sort(key=lambda each: each.worst)
    for place, what in ((len(random) // 2, "median"), (-1, "worst")):
        one = random[place]
        name = f"cyclic repetition, one draw, {what} of {draws}"
        found.append(Measured(name, one.sets, one.every, one.amplified, one.largest, one.error))
    own = anyk.CyclicRepetition(n, s)
    found.append(measured("CyclicRepetition, best of 32 draws", own.code.matrix, late, own))
    found.append(measured("cyclic MDS as published, complex", published_mds(n, s), late))
    own = anyk.CyclicMDS(n, s)
    around = np.argsort(own.code.places)[late]  # the same sets of places
    found.append(measured("CyclicMDS, real", own.code.matrix, around, own))
    return found


def held(s: int, found: list[Measured]) -> bool:
    """Whether the claims hold."""
    by_name = {each.name.split(",")[0]: each for each in found}
    repeated, complex_, ours = (
        by_name["FractionalRepetition"],
        by_name["cyclic MDS as published"],
        by_name["CyclicMDS"],
    )
    good = repeated.worst <= 1.0 + 1e-9 and all(math.isfinite(each.error) for each in found)
    if s <= 3:
        good = good and ours.worst <= complex_.worst and ours.error < LIMIT
    return good


def main() -> int:
    """Print the table, and say whether the claims hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true", help="a few seconds")
    options = parser.parse_args()
    good = True
    for n in (8, 12) if options.tiny else (12, 24, 48):
        for s in sorted({1, 2, 3, n // 4}):
            found = table(n, s, 3 if options.tiny or n > 12 else 20)
            print(f"n = {n}, s = {s}: a load of {s + 1} blocks")
            print(f"{'':52}{'worst':>10}{'median':>10}{'|a_n|':>12}{'error':>12}")
            print("\n".join(each.line() for each in found), flush=True)
            print()
            good = good and held(s, found)
    print("* all sets there are")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
