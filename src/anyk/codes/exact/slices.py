"""Codes of Ye and Abbe: each answer is as long as one of m slices of what is to be summed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.exact.gradient import cyclic_support
from anyk.codes.exact.linear import solve
from anyk.domains.polynomials import vandermonde
from anyk.domains.prime import PrimeField

__all__ = ["SliceCode", "published_points", "slice_code", "spread_points"]

Matrix: TypeAlias = NDArray[Any]


def slice_code(points: Matrix, more: int, slices: int, field: PrimeField | None = None) -> Matrix:
    """The coefficients of a code whose answers are values of one polynomial of degree below k.

    Of N workers, as many as blocks, worker n holds n, n + 1, .., n + s around the circle. Let r run
    over the points of the N - s - 1 workers who do not hold block j, and

        p_j(x) = product of (x - r),    q_ju(x) = x^u + h_1 x^(u-1) + .. + h_u,

    h_i the sum of all products of i of the r, each as often as one likes. p_j q_ju is 0 where it
    has to be, and of its highest m coefficients the one of x^(N-s-1+u) is 1 and the others are 0.
    So in sum_ju p_j q_ju f_ju these coefficients are the sums over j of the slices f_j0, f_j1, ..,
    and its degree is below k = N - s - 1 + m: any k answers tell it.

    Args:
        points: x, ndarray (N,) of distinct numbers.
        more: s, how many blocks a worker holds beyond one.
        slices: m, at most s + 1.
        field: of the points; None for real or complex ones.

    Returns:
        ndarray (N, s + 1, m): the weight of each slice of each block that a worker holds.

    References:
        Ye, Abbe: Communication-computation efficient gradient coding (ICML 2018), section III,
        which has the q by a recursion.

    Example:
        >>> from anyk.codes.exact.slices import slice_code
        >>> slice_code(np.array([1.0, 2.0, 3.0]), 1, 2)[0]  # x - 2 at 1, and x^2 - 4; x - 3 ..
        array([[-1., -3.],
               [-2., -8.]])
    """

    def reduced(values: Matrix) -> Matrix:
        return values if field is None else field.reduce(values)

    workers = len(points)
    held = cyclic_support(workers, more)
    away = (np.arange(workers)[:, None] + np.arange(1, workers - more)) % workers
    values = np.ones(held.shape, dtype=points.dtype)
    series = np.zeros((workers, slices), dtype=points.dtype)  # h_i of each block
    series[:, 0] = 1
    for zero in points[away].T:  # of the polynomial of each block
        values = reduced(values * reduced(points[:, None] - zero[held]))
        for power in range(1, slices):
            series[:, power] = reduced(series[:, power] + reduced(zero * series[:, power - 1]))
    weights = np.empty((*held.shape, slices), dtype=points.dtype)
    quotient = np.zeros_like(values)
    for power in range(slices):
        quotient = reduced(reduced(quotient * points[:, None]) + series[held, power])
        weights[..., power] = reduced(values * quotient)
    return weights


@lru_cache(maxsize=64)
def spread_points(workers: int, more: int, slices: int) -> Matrix:
    """Points on the complex unit circle for which the coefficients of `slice_code` are small.

    They are the N-th roots of unity, worker n at the g n-th one. By how much rounding grows in the
    decoder depends on which points answered, and not on whose they are; so that g without a common
    factor with N is the best of all for which the rows are the shortest. It puts the workers who
    hold one block far from each other.

    Args:
        workers: N.
        more: s, how many blocks a worker holds beyond one.
        slices: m.

    Returns:
        complex128 ndarray (N,).

    Example:
        >>> from anyk.codes.exact.slices import spread_points
        >>> np.round(spread_points(5, 1, 2), 2)
        array([ 1.  +0.j  , -0.81+0.59j,  0.31-0.95j,  0.31+0.95j, -0.81-0.59j])
    """
    roots = np.exp(2j * np.pi * np.arange(workers) / workers)
    steps = [step for step in range(1, workers // 2 + 1) if math.gcd(step, workers) == 1] or [1]
    tried = [roots[step * np.arange(workers) % workers] for step in steps]
    lengths = [float(np.linalg.norm(slice_code(each, more, slices)[0])) for each in tried]
    best: Matrix = tried[int(np.argmin(lengths))]
    return best


def published_points(workers: int) -> NDArray[np.float64]:
    """The points that were published: 1, -1, 1.5, -1.5, 2, -2, ..

    Args:
        workers: N.

    Example:
        >>> from anyk.codes.exact.slices import published_points
        >>> published_points(5)
        array([ 1. , -1. ,  1.5, -1.5,  2. ])
    """
    places = np.arange(workers)
    return np.asarray((1.0 + places // 2 / 2.0) * (1 - 2 * (places % 2)))


@final
@dataclass(frozen=True, eq=False)
class SliceCode:
    """The code of N workers of whom any N - S tell the sum, in answers of one slice of m.

    Args:
        points: ndarray (N,), distinct.
        late: S.
        slices: m.
        field: of the points; None for real or complex ones, whose rows are made 1 long.

    Example:
        >>> from anyk.codes.exact.slices import SliceCode, spread_points
        >>> code = SliceCode(spread_points(12, 4, 2), late=3, slices=2)
        >>> code.held.shape, code.weights.shape, round(code.amplification(range(9)), 1)
        ((12, 5), (12, 5, 2), 1.2)
    """

    points: Matrix
    late: int
    slices: int
    field: PrimeField | None = None

    @property
    def dimension(self) -> int:
        """N - S, how many answers tell all others."""
        return len(self.points) - self.late

    @cached_property
    def held(self) -> NDArray[np.intp]:
        """The blocks of each worker, ndarray (N, S + m)."""
        return cyclic_support(len(self.points), self.late + self.slices - 1)

    @cached_property
    def _polynomials(self) -> Matrix:
        return slice_code(self.points, self.late + self.slices - 1, self.slices, self.field)

    @cached_property
    def _lengths(self) -> Matrix:
        """By what each row is divided."""
        return np.asarray(np.linalg.norm(self._polynomials, axis=(1, 2)))

    @cached_property
    def weights(self) -> Matrix:
        """The weights of their slices, ndarray (N, S + m, m)."""
        if self.field is not None:
            return self._polynomials
        return np.asarray(self._polynomials / self._lengths[:, None, None])

    @cached_property
    def matrix(self) -> Matrix:
        """The same with a column for each slice of each block, ndarray (N, N m)."""
        workers = len(self.points)
        matrix = np.zeros((workers, workers, self.slices), dtype=self.weights.dtype)
        matrix[np.arange(workers)[:, None], self.held] = self.weights
        return matrix.reshape(workers, -1)

    def decoder(self, answered: Sequence[int]) -> Matrix:
        """What answers are combined with to be the slices of the sum.

        Args:
            answered: by whom, at least N - S. Over a field the first N - S are used, elsewhere all,
                so that the rows are as short as can be.

        Returns:
            ndarray (m, len(answered)).
        """
        places, dimension = list(answered), self.dimension
        if self.field is None:
            left, sizes, right = self.turned(answered)
            last = right[:, -self.slices :].conj().T / sizes
            return np.asarray(last @ left[:, :dimension].conj().T)
        powers = vandermonde(self.field, self.points[places[:dimension]], dimension)
        highest = np.eye(dimension, dtype=np.int64)[:, -self.slices :]
        found = solve(self.field, powers, highest)
        if found is None:
            raise ArithmeticError("powers of distinct points are independent")
        rows = np.zeros((self.slices, len(places)), dtype=np.int64)
        rows[:, :dimension] = found.T
        return rows

    def turned(self, answered: Sequence[int]) -> tuple[Matrix, Matrix, Matrix]:
        """U, the singular values and V^H of what makes answers of a polynomial's coefficients.

        Args:
            answered: whose, at least N - S. The columns of U after the first N - S are orthogonal
                to all answers that do not contradict each other.
        """
        places = list(answered)
        powers = np.vander(self.points[places], self.dimension, increasing=True)
        left, sizes, right = np.linalg.svd(powers / self._lengths[places, None])
        return left, sizes, right

    def amplification(self, answered: Sequence[int]) -> float:
        """By how much rounding of answers weighs more in a slice of the sum than in a plain one.

        Args:
            answered: by whom.
        """
        rows = np.linalg.norm(self.decoder(answered), axis=1)
        return float(rows.max()) / math.sqrt(len(self.points))
