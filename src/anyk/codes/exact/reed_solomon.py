"""Evaluation codes (generalised Reed-Solomon): which of many answers are wrong.

The answers of n workers are n values of polynomials of degree below m, one polynomial for each
number of an answer. A liar spoils its whole row, so liars are located once for all numbers: the
errors are located in a few random combinations of the columns (`sketch_residues`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.exact.linear import rank, solve
from anyk.codes.locators.located import Located
from anyk.domains.polynomials import node_weights, vandermonde
from anyk.domains.prime import PrimeField
from anyk.randomness.sketch import sketch_residues

__all__ = ["EvaluationCode"]


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
        2**-80 in `sketch_residues`. Beyond e wrong rows `exceeded` is true, or it finds a set of at
        most e whose removal leaves values of one polynomial. Whether that polynomial is certain is
        for those to say who know how many may lie.

    References:
        Peterson (IRE Trans. IT 1960) for the rank of the syndrome matrix; Bleichenbacher, Kiayias,
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
    def parity_check(self) -> NDArray[np.int64]:
        """H, int64 ndarray (n - m, n): H·values = 0 for values of one polynomial of degree < m.

        H[l, j] = u_j·x_j**l with u_j = 1 / prod_{i != j} (x_j - x_i).
        """
        powers = vandermonde(self.field, self.points, len(self.points) - self.dimension)
        return self.field.reduce(powers * node_weights(self.field, self.points))

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
        few = sketch_residues(self.field, values)
        syndromes = self.field.matmul(self.parity_check, few)
        if not syndromes.any():
            return Located()
        errors = rank(self.field, _windows(syndromes, most)) if most else 0
        wrong = self._roots(syndromes, errors) if errors else None
        if wrong is None or not self._agree(few, wrong):
            return Located(exceeded=True)
        return Located(removed=wrong, named=wrong)

    def _roots(self, syndromes: NDArray[np.int64], errors: int) -> tuple[int, ...] | None:
        """Positions where a monic locator of this degree vanishes, if one fits all syndromes."""
        equations = _windows(syndromes, errors + 1)
        right = self.field.reduce(-equations[:, errors:])
        locator = solve(self.field, equations[:, :errors], right)
        if locator is None:
            return None
        monic = np.concatenate([locator[:, 0], np.ones(1, dtype=np.int64)])
        powers = vandermonde(self.field, self.points, errors + 1)
        roots = np.flatnonzero(self.field.matmul(monic[None], powers)[0] == 0)
        return tuple(int(root) for root in roots) if len(roots) == errors else None

    def _agree(self, few: NDArray[np.int64], wrong: tuple[int, ...]) -> bool:
        """Whether the rows that are left are values of one polynomial."""
        kept = np.delete(np.arange(len(self.points)), wrong)
        code = EvaluationCode(self.field, self.points[kept], self.dimension)
        return not self.field.matmul(code.parity_check, few[kept]).any()


def _windows(syndromes: NDArray[np.int64], width: int) -> NDArray[np.int64]:
    """Stacked Hankel matrices, one for each column of syndromes: rows s_l, .., s_{l+width-1}."""
    height = len(syndromes) - width + 1
    windows = np.stack([syndromes[i : i + height] for i in range(width)])
    return windows.reshape(width, -1).T
