"""The decoder of `ChebyshevLagrange`: least squares in Chebyshev's basis, and its error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.analog.chebyshev import chebyshev
from anyk.domains.base import AbstractDomain
from anyk.domains.real import Reals
from anyk.randomness.sketch import sketch
from anyk.schemes.approximate.common import no_numbers, relative_error
from anyk.schemes.precision import as_doubles, narrowed
from anyk.schemes.recovery import AbstractRecovery, rows_of

__all__ = ["ChebyshevRecovery"]

_LUCK = 3.0  # standard deviations by which few spare rows may show less noise than there is
_SLACK = 1.5  # for rounding that is alike in neighbouring rows
_SEEN = 4.0  # roundings, beyond which spare rows show something else
_SINGLE = 2.0**29  # times the rounding of double precision is that of single


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class ChebyshevRecovery(AbstractRecovery):
    """Polynomials through the answers, prepared for the workers that answered.

    Args:
        workers: that answered, in the order of their answers.
        places: of these workers' points among Chebyshev's, intp ndarray (n,).
        count: N, how many of these there are.
        blocks: K, whose points are Chebyshev's, too.
        degree: d, of the function.
        rounding: of an honest answer, root mean square, as a share of its own.
        domain: of the answers.
        trusted: whether the function is taken for a polynomial of that degree, where no spare
            answer tells.

    Example:
        >>> encoded = anyk.ChebyshevLagrange(blocks=2, degree=2, workers=4).encode([1.0, 3.0])
        >>> encoded.recovery(range(4)).recover(encoded.shares ** 2).value.round(6)
        array([1., 9.])
    """

    workers: tuple[int, ...]
    places: NDArray[np.intp]
    count: int
    blocks: int
    degree: int
    rounding: float
    trusted: bool
    domain: AbstractDomain = Reals()

    @property
    def answered(self) -> tuple[int, ...]:
        """The workers that answered."""
        return self.workers

    @cached_property
    def matrix(self) -> NDArray[np.float64]:
        """R, float64 ndarray (K, n), by least squares where answers are spare."""
        basis, triangle = self._turned
        matrix: NDArray[np.float64] = np.linalg.solve(triangle.T, self._there[0].T).T @ basis.T
        return matrix

    @cached_property
    def condition(self) -> float:
        """By how much errors of the answers may be amplified in the polynomial's coefficients."""
        return float(np.linalg.cond(self._turned[1]))

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The value from the answers, and the error estimate.

        Args:
            values: ndarray (n, *out).

        Returns:
            The value, ndarray (K, *out).

        Raises:
            InvalidArgument: if `values` does not fit, or is not finite.
        """
        array = as_doubles(rows_of(values, self.workers, self.domain))
        if not array.size:
            return no_numbers(self.blocks, array.astype(self.domain.dtype))
        rows = np.linalg.norm(self.matrix, axis=1)  # by which the answers' errors are amplified
        with np.errstate(over="ignore", invalid="ignore"):  # the estimate is infinite then
            value = Reals().matmul(self.matrix, array)
            error = self._error(array.reshape(len(array), -1))
            relative = relative_error(error, value)
        if not self.trusted and len(array) <= self._dimension:
            relative = math.inf
        recovered = Recovered(
            value=value,
            error_estimate=relative,
            known=np.zeros(self.blocks, dtype=np.bool_),
            block_errors=relative * rows / float(np.sqrt(np.mean(rows**2))),
            condition=self.condition,
        )
        return narrowed(recovered, self.domain.dtype)

    @property
    def _dimension(self) -> int:
        """How many values determine f(u(z))."""
        return (self.blocks - 1) * self.degree + 1

    @cached_property
    def _here(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Chebyshev polynomials at the workers' points: of f(u(z)), and of what is above it."""
        return self._at(self.places, self.count)

    @cached_property
    def _there(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The same at the blocks' points."""
        return self._at(np.arange(self.blocks), self.blocks)

    def _at(
        self, places: NDArray[np.intp], count: int
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        above = self._dimension + max(self.blocks - 1, 1)
        whole = chebyshev(places, count, np.arange(above))
        return whole[:, : self._dimension], whole[:, self._dimension :]

    @cached_property
    def _turned(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Q and U of the polynomials at the workers' points."""
        basis, triangle = np.linalg.qr(self._here[0])
        return basis, triangle

    def _error(self, rows: NDArray[np.float64]) -> float:
        """Root mean square error: rounding, amplified, and what no such polynomial explains."""
        few, spare = sketch(rows), len(rows) - self._dimension
        sizes = np.linalg.norm(few, axis=1) / math.sqrt(few.shape[1])
        coarse = _SINGLE if bool((rows.astype(np.float32) == rows).all()) else 1.0
        noise = self.rounding * coarse * float(np.sqrt(np.mean(sizes**2)))
        amplified = float(np.linalg.norm(self.matrix)) / math.sqrt(self.blocks)
        if not spare:
            return _SLACK * noise * amplified
        basis, _ = self._turned
        left = float(np.linalg.norm(few - basis @ (basis.T @ few)))
        left /= math.sqrt(spare * few.shape[1])
        luck = 1.0 + _LUCK / math.sqrt(2.0 * spare)
        beside = self._beside * luck * left if left > _SEEN * noise else 0.0
        return _SLACK * math.hypot(max(luck * left, noise) * amplified, beside)

    @cached_property
    def _beside(self) -> float:
        """How far off the value is, by what is left unexplained, where not by rounding.

        A function of a higher degree has terms above those of f(u(z)), a wrong answer is one row:
        the more of the two, as root mean squares.
        """
        basis, _ = self._turned
        spare = len(basis) - basis.shape[1]
        check = np.eye(len(basis)) - basis @ basis.T
        above, beyond = self._here[1], self._there[1]
        missed = float(np.linalg.norm(beyond - self.matrix @ above))
        of_degree = missed / (float(np.linalg.norm(check @ above)) or 1.0)
        shown = np.maximum(np.linalg.norm(check, axis=0), np.finfo(np.float64).eps)
        of_one = float(np.max(np.linalg.norm(self.matrix, axis=0) / shown))
        return max(of_degree, of_one) * math.sqrt(spare / self.blocks)
