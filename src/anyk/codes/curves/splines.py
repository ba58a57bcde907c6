"""The natural cubic smoothing spline as a prepared linear operator, linear in time and memory."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias, final

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

from anyk.codes.curves.banded import (
    condition_number,
    evaluation_weights,
    inverse_bands,
    penalised_bands,
    second_differences,
    transposed_differences,
)
from anyk.errors import InvalidArgument

__all__ = [
    "SmoothingSpline",
    "SplineFit",
    "gcv_candidates",
    "prepared_spline",
    "smoothing_spline",
]

Floats: TypeAlias = NDArray[np.float64]

_SOLVABLE = 1e15  # condition number beyond which a fit has no correct digit to promise
_SCORABLE = 1e13  # and beyond which a score is not worth comparing


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SmoothingSpline:
    """The operator y -> g of one set of knots: (1/n) sum w_i (y_i - g(x_i))^2 + lambda int g''^2.

    With h_i = x_(i+1) - x_i, Q the second divided differences (n x n-2) and R the Gram matrix of
    the hat functions (n-2 x n-2), the second derivatives gamma of g at the inner knots solve
    B gamma = Q^T y with B = R + Q^T P Q and P = diag(n lambda / w). B has five diagonals, its
    Cholesky factor three. Made by `smoothing_spline`.

    Args:
        knots: x, ndarray (n,), increasing.
        penalties: the diagonal of P, ndarray (n,); all 0 for the interpolating spline.
        factor: Cholesky factor of B in lower banded form, ndarray (3, n-2).
        smoothing: lambda.

    References:
        Green and Silverman, Nonparametric Regression and Generalized Linear Models, 1994,
        sections 2.3 and 3.5 (weights).

    Example:
        >>> from anyk.codes.curves.splines import smoothing_spline
        >>> spline = smoothing_spline(np.array([0.0, 1.0, 3.0]))
        >>> spline.fit(np.array([[1.0], [3.0], [7.0]])).at(np.array([-1.0, 2.0, 4.0])).ravel()
        array([-1.,  5.,  9.])
    """

    knots: Floats
    penalties: Floats
    factor: Floats
    smoothing: float

    def fit(self, values: Floats) -> SplineFit:
        """The spline through, or near, these values.

        Args:
            values: y, ndarray (n, L), L functions at once.

        Returns:
            The fit, from which to evaluate.
        """
        bends = np.zeros_like(values)
        if self.factor.shape[1]:
            kinks = second_differences(self.knots, values)
            bends[1:-1] = scipy.linalg.cho_solve_banded(
                (self.factor, True), kinks, overwrite_b=True, check_finite=False
            )
        jumps = transposed_differences(self.knots, bends)
        smooth = bool(self.penalties.any())
        heights = values - self.penalties[:, None] * jumps if smooth else values
        return SplineFit(
            spline=self,
            values=values,
            heights=heights,
            bends=bends,
            jumps=jumps,
        )

    def matrix(self, targets: Floats) -> Floats:
        """The dense operator: ndarray (m, n) that takes the values to g(targets)."""
        return self.fit(np.eye(self.knots.size)).at(targets)

    @cached_property
    def slack(self) -> Floats:
        """The diagonal of Q B^-1 Q^T, ndarray (n,), in O(n); 1 - leverage = penalties * slack."""
        if not self.factor.shape[1]:
            return np.zeros(self.knots.size)
        main, first, second = inverse_bands(self.factor)
        inverse = 1.0 / np.diff(self.knots)
        left, right = inverse[:-1], inverse[1:]
        centre = -left - right
        slack = np.zeros(self.knots.size)
        slack[:-2] += left**2 * main
        slack[1:-1] += centre**2 * main
        slack[2:] += right**2 * main
        slack[1:-2] += 2.0 * left[1:] * centre[:-1] * first
        slack[2:-1] += 2.0 * centre[1:] * right[:-1] * first
        slack[2:-2] += 2.0 * left[2:] * right[:-2] * second
        return slack


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SplineFit:
    """L natural splines on the same knots. Made by `SmoothingSpline.fit`.

    Args:
        spline: the operator.
        values: y, ndarray (n, L).
        heights: g at the knots, ndarray (n, L).
        bends: gamma = g'' at the knots, ndarray (n, L); 0 at both ends.
        jumps: Q gamma, ndarray (n, L); y - g = penalties * jumps.

    References:
        Green and Silverman 1994, section 2.4.1.

    Example:
        >>> from anyk.codes.curves.splines import smoothing_spline
        >>> fit = smoothing_spline(np.arange(4.0)).fit(np.array([[0.0], [1.0], [0.0], [1.0]]))
        >>> fit.leave_one_out().ravel()
        array([-2.5 ,  1.25, -1.25,  2.5 ])
    """

    spline: SmoothingSpline
    values: Floats
    heights: Floats
    bends: Floats
    jumps: Floats

    def at(self, targets: Floats) -> Floats:
        """The spline at any points, linear outside the knots.

        Args:
            targets: ndarray (m,).

        Returns:
            ndarray (m, L).
        """
        if self.spline.knots.size == 1:
            return np.repeat(self.heights, targets.size, axis=0)
        by_height, by_bend = evaluation_weights(self.spline.knots, targets)
        at: Floats = by_height @ self.heights + by_bend @ self.bends
        return at

    def leave_one_out(self) -> Floats:
        """y_i - g^(-i)(x_i), where g^(-i) is fitted without knot i; for every lambda, 0 included.

        (Q gamma)_i / (Q B^-1 Q^T)_ii: the usual residual / (1 - leverage), with the factor that
        vanishes at lambda = 0 taken out of both.

        Returns:
            ndarray (n, L); infinite where there is one knot.

        References:
            Craven and Wahba, Smoothing noisy data with spline functions, 1979.
        """
        knots = self.spline.knots.size
        if knots == 1:
            return np.full_like(self.values, np.inf)
        if knots == 2:  # noqa: PLR2004 - what is left is one knot: a constant
            return self.values - self.values[::-1]
        return self.jumps / self.spline.slack[:, None]

    def gcv(self) -> float:
        """The generalised cross-validation score of this fit: smaller is better.

        n ||(I - A) y||^2 / tr(I - A)^2, summed over the L functions; its limit at lambda = 0.

        Returns:
            The score; 0.0 with fewer than three knots, where every fit is the same.

        References:
            Craven and Wahba 1979 (generalised cross-validation).
        """
        weights = self.spline.penalties if self.spline.penalties.any() else np.ones(1)
        trace = float(np.sum(weights * self.spline.slack))
        if trace <= 0.0:
            return 0.0
        residuals = weights[:, None] * self.jumps
        return self.spline.knots.size * float(np.sum(residuals**2)) / trace**2


def smoothing_spline(
    knots: Floats, *, smoothing: float = 0.0, weights: Floats | None = None
) -> SmoothingSpline:
    """Prepare the spline operator of one set of knots.

    Args:
        knots: x, ndarray (n,), increasing; n = 1 fits a constant and n = 2 a line.
        smoothing: lambda >= 0; 0 interpolates.
        weights: w, ndarray (n,), positive; ones where None.

    Returns:
        The operator; time and memory are O(n).

    Raises:
        InvalidArgument: if the knots do not increase, or smoothing is so strong for knots so close
            that double precision can't tell the splines apart.

    References:
        Reinsch, Smoothing by spline functions, 1967; Green and Silverman 1994, section 2.3.3.

    Example:
        >>> from anyk.codes.curves.splines import smoothing_spline
        >>> spline = smoothing_spline(np.arange(5.0), smoothing=1e6)
        >>> spline.fit(np.array([[0.0], [2.0], [1.0], [4.0], [3.0]])).at(np.array([2.0])).round(3)
        array([[2.]])
    """
    gaps = np.diff(knots)
    if not (gaps > 0.0).all():
        raise InvalidArgument(
            "knots",
            given="knots that do not increase",
            needed="distinct knots in increasing order",
            change="Sort them, and merge those that coincide.",
        )
    scale = np.ones(knots.size) if weights is None else weights
    penalties = knots.size * smoothing / scale
    if knots.size <= 2:  # noqa: PLR2004 - a line has no inner knot
        factor = np.zeros((3, 0))
        return SmoothingSpline(knots=knots, penalties=0.0 * scale, factor=factor, smoothing=0.0)
    if condition_number(gaps, penalties) > _SOLVABLE:
        raise InvalidArgument(
            "smoothing",
            given=f"{smoothing:.3g} with {knots.size} knots as close as {gaps.min():.3g}",
            needed="a system that double precision can solve",
            change="Lower smoothing, or use fewer or equispaced knots.",
        )
    return prepared_spline(knots, penalties, smoothing=smoothing)


def prepared_spline(knots: Floats, penalties: Floats, *, smoothing: float = 0.0) -> SmoothingSpline:
    """The spline operator of given penalties, for callers who know that it can be solved.

    Its slack says how well each knot is predicted: 1 / slack is the variance of a knot's value
    about its prediction from the others, of a curve whose slope wanders by a variance of 1 in a
    distance of 1, where the values bear noise of variance P.

    Args:
        knots: x, ndarray (n,), increasing, n >= 3.
        penalties: the diagonal of P, ndarray (n,), at least 0.
        smoothing: lambda, where the penalties come from one.

    Returns:
        The operator; time and memory are O(n).

    References:
        Wahba, Improper priors, spline smoothing and the problem of guarding against model errors
        in regression, 1978.

    Example:
        >>> from anyk.codes.curves.splines import prepared_spline
        >>> (1.0 / prepared_spline(np.arange(3.0), np.zeros(3)).slack).round(3)
        array([0.667, 0.167, 0.667])
    """
    factor = scipy.linalg.cholesky_banded(
        penalised_bands(np.diff(knots), penalties),
        lower=True,
        overwrite_ab=True,
        check_finite=False,
    )
    return SmoothingSpline(knots=knots, penalties=penalties, factor=factor, smoothing=smoothing)


def gcv_candidates(knots: Floats) -> tuple[float, ...]:
    """Values of lambda worth a score for knots on [-1, 1]: 0, then decades from n^-4 on.

    Below n^-4 the penalty does not reach the next knot, and above 1 the spline is a line. They
    stop where the condition number of B passes 10^13.

    Args:
        knots: ndarray (n,), increasing.

    Returns:
        0.0 and at most 13 more, increasing.

    Example:
        >>> from anyk.codes.curves.splines import gcv_candidates
        >>> gcv_candidates(np.linspace(-1.0, 1.0, 10))
        (0.0, 0.0001, 0.001, 0.01, 0.1, 1.0)
    """
    count = knots.size
    if count <= 2:  # noqa: PLR2004 - every lambda gives the same line
        return (0.0,)
    gaps = np.diff(knots)
    decades = (float(f"{10.0**power / count**4:.15g}") for power in range(13))
    return (
        0.0,
        *(
            each
            for each in decades
            if each <= 1.0 and condition_number(gaps, np.full(1, count * each)) <= _SCORABLE
        ),
    )
