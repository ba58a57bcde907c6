"""Evaluation codes (generalised Reed-Solomon): which of many answers are wrong.

The answers of n workers are n values of polynomials of degree below m, one polynomial for each
number of an answer. A liar spoils its whole row, so liars are located once for all numbers: the
errors are located in a few random combinations of the columns (`sketch_residues`). Syndromes are
power sums of the errors' points, so that a shortest recurrence of one column has them as its roots.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.exact.recurrence import applied, shortest_recurrence
from anyk.codes.locators.located import Located
from anyk.domains.coefficients import evaluate, power_sums, product
from anyk.domains.polynomials import node_weights, vandermonde
from anyk.domains.prime import PrimeField
from anyk.randomness.entropy import SystemSource, residues
from anyk.randomness.sketch import sketch_residues

__all__ = ["EvaluationCode"]

_SECURITY_BITS = 96
_SMALL = 1 << 14  # numbers of a parity check that is multiplied as it is


@final
@dataclass(frozen=True, eq=False)
class EvaluationCode:
    """Polynomials of degree below `dimension`, known by their values at distinct points.

    Args:
        field: the field.
        points: int64 ndarray (n,) of distinct residues.
        dimension: m; any m values determine the polynomial.

    Guarantee:
        `locate` with n >= m + 2e finds every set of at most e wrong rows, but for a chance below
        2**-80 that a wrong row vanishes in the random combinations. Beyond e wrong rows `exceeded`
        is true, or it finds a set of at most e whose removal leaves values of one polynomial.
        Whether that polynomial is certain is for those to say who know how many may lie.

    References:
        Massey (IEEE Trans. IT 1969) for the recurrence of the syndromes; Bleichenbacher, Kiayias,
        Yung (ICALP 2003) for locating the errors of interleaved codes once.

    Example:
        >>> from anyk.codes.exact.reed_solomon import EvaluationCode
        >>> code = EvaluationCode(anyk.PrimeField(101), np.arange(5), dimension=2)
        >>> code.locate(np.array([[3], [5], [70], [9], [11]]), 1).removed
        (2,)
    """

    field: PrimeField
    points: NDArray[np.int64]
    dimension: int

    @cached_property
    def _weights(self) -> NDArray[np.int64]:
        """u_j = 1 / prod_{i != j} (x_j - x_i)."""
        return node_weights(self.field, self.points)

    @cached_property
    def _check(self) -> NDArray[np.int64]:
        """H, int64 ndarray (n - m, n), of a small code."""
        powers = vandermonde(self.field, self.points, len(self.points) - self.dimension)
        return self.field.reduce(powers * self._weights)

    def syndromes(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """S = H·values, which is 0 for values of polynomials of degree below m and no others.

        H[l, j] = u_j·x_j**l with u_j = 1 / prod_{i != j} (x_j - x_i), for l < n - m.

        Args:
            values: int64 ndarray (n, L) of residues, row j at point j.

        Returns:
            int64 ndarray (n - m, L).
        """
        points = len(self.points)
        if points * (points - self.dimension) <= _SMALL:
            product: NDArray[np.int64] = self.field.matmul(self._check, values)
            return product
        spare = points - self.dimension
        return power_sums(self.field, self.points, self._weights, values, spare)

    def locate(self, values: NDArray[np.int64], most: int) -> Located:
        """Which rows are wrong.

        Args:
            values: int64 ndarray (n, L) of residues, row j at point j.
            most: e, how many rows may be wrong; 2e <= n - m.

        Returns:
            The wrong rows, all of them named; `exceeded` if no set of at most e explains the
            values.
        """
        if len(self.points) == self.dimension:
            return Located()  # any values are those of one polynomial: nothing to check against
        syndromes = self.syndromes(self._combined(values))
        if not syndromes.any():
            return Located()
        wrong = self._roots(syndromes, most) if most else None
        return Located(exceeded=True) if wrong is None else Located(removed=wrong, named=wrong)

    def _combined(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """Few random combinations of the columns; fewer still of a large code."""
        few, modulus = sketch_residues(self.field, values), self.field.modulus
        columns = math.ceil(_SECURITY_BITS / math.log2(modulus))
        if few.shape[1] <= columns or few.size <= _SMALL:
            return few
        coefficients = residues(SystemSource(), modulus, (columns, few.shape[1]))
        combined: NDArray[np.int64] = self.field.matmul(coefficients, few.T)
        return np.ascontiguousarray(combined.T)

    def _roots(self, syndromes: NDArray[np.int64], most: int) -> tuple[int, ...] | None:
        """The points of the errors in all columns, if there are at most so many.

        A polynomial that vanishes at some of the points, as a recurrence, leaves syndromes of the
        other rows. So each column adds the errors that none before it had.
        """
        locator = np.ones(1, dtype=np.int64)
        for column in syndromes.T:
            rest = applied(self.field, locator, column[:, None])[:, 0]
            if rest.any():
                more = shortest_recurrence(self.field, rest, most + 1 - len(locator))
                if more is None:
                    return None
                locator = product(self.field, locator, more)
        roots = np.flatnonzero(evaluate(self.field, locator, self.points) == 0)
        return tuple(roots.tolist()) if len(roots) == len(locator) - 1 else None
