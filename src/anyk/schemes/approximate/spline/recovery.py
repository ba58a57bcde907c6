"""The decoder of `Spline`: a smoothing spline through the answers, and its error estimate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.curves.accuracy import estimate_errors, unseen_error
from anyk.codes.curves.splines import SmoothingSpline, gcv_candidates, smoothing_spline
from anyk.codes.locators.curve import locate
from anyk.codes.locators.located import Located
from anyk.domains.base import AbstractDomain
from anyk.domains.real import Reals
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.randomness.sketch import sketch
from anyk.schemes.approximate.believed import recover_from_believed
from anyk.schemes.approximate.common import MOST_NUMBERS, largest, no_numbers, with_evidence
from anyk.schemes.approximate.spline.layout import SplineLayout
from anyk.schemes.base import AbstractRecovery, rows_of
from anyk.schemes.precision import as_doubles, narrowed

__all__ = ["SplineRecovery"]

_SCORED = 1 << 16  # numbers by which to choose lambda: enough, at less cost than the value


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SplineRecovery(AbstractRecovery):
    """The decoder's spline, prepared for the workers that answered; O(N) a recovery.

    Args:
        blocks: K.
        smoothing: lambda of the decoder; None to choose it by generalised cross-validation.
        layout: of the shares.
        workers: that answered, in the order of their answers.
        adversaries: A, how many of them may lie.
        bound: the largest absolute value of an honest answer's numbers; None where none is known.
        source: of the random numbers of its sketches, which no worker may foresee.
        domain: of the answers.

    Example:
        >>> recovery = anyk.Spline(2, 6).encode(np.array([0.0, 1.0])).recovery([5, 0, 2])
        >>> recovery.answered, recovery.matrix.shape
        ((5, 0, 2), (2, 3))
    """

    blocks: int
    smoothing: float | None
    layout: SplineLayout
    workers: tuple[int, ...]
    adversaries: int = 0
    bound: float | None = None
    domain: AbstractDomain = Reals()
    source: AbstractSource = SystemSource()

    @property
    def answered(self) -> tuple[int, ...]:
        """The workers that answered."""
        return self.workers

    @property
    def matrix(self) -> NDArray[np.float64]:
        """R, ndarray (K, len(answered)).

        Where lambda is chosen by cross-validation, R depends on the answers; this is
        then the R of lambda = 0, the choice for answers without noise.
        """
        matrix = np.empty((self.blocks, len(self.workers)))
        along = self._operators[0].matrix(self.layout.positions)
        matrix[np.ix_(self.layout.order, self._ranks)] = along
        return matrix

    @property
    def condition(self) -> float:
        """The largest row sum of |R|: how much of the answers' largest error can reach a value."""
        return float(np.abs(self.matrix).sum(axis=1).max())

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The value from the answers, with an error estimate.

        Args:
            values: ndarray (len(answered), *out).

        Returns:
            The value, ndarray (K, *out), from the answers that agree; the workers whose answers
            contradict them; and the estimated relative error.

        Raises:
            InvalidArgument: if `values` does not fit, or is not finite.
            TooManyErrors: if more than A answers contradict the rest beyond doubt.
        """
        array = as_doubles(rows_of(values, self.workers, self.domain))
        if not array.size:
            return no_numbers(self.blocks, array.astype(self.domain.dtype))
        recovered = recover_from_believed(
            array,
            self.workers,
            adversaries=self.adversaries,
            bound=self.bound,
            source=self.source,
            examine=self._examine,
            decode=self._decode,
            among=lambda workers: replace(self, workers=workers, adversaries=0, domain=Reals()),
        )
        return narrowed(recovered, self.domain.dtype)

    def _examine(self, kept: NDArray[np.intp], columns: NDArray[np.float64], most: int) -> Located:
        points = self.layout.at(self.workers)[kept]
        along = np.argsort(points)
        found = locate(points[along], columns[along], most, source=self.source)
        removed, named = (
            tuple(sorted(along[list(rows)].tolist())) for rows in (found.removed, found.named)
        )
        return replace(found, removed=removed, named=named)

    def _decode(self, array: NDArray[np.float64]) -> Recovered:
        """The value from answers that are all believed."""
        scale = largest(array)
        along = array.reshape(len(self.workers), -1)[self._ranks] / scale
        sample = sketch(along, numbers=MOST_NUMBERS, source=self.source)
        operator = self._choose(sample)
        value, errors = np.empty((self.blocks, along.shape[1])), np.empty(self.blocks)
        value[self.layout.order] = operator.fit(along).at(self.layout.positions)
        errors[self.layout.order] = self._errors(operator, sample)
        return with_evidence(value.reshape(self.blocks, *array.shape[1:]), errors, scale=scale)

    def _choose(self, sample: NDArray[np.float64]) -> SmoothingSpline:
        """The operator of the given lambda, or of the lambda with the best score."""
        if len(self._operators) == 1:
            return self._operators[0]
        few = sketch(sample, numbers=_SCORED, source=self.source)
        scores = [operator.fit(few).gcv() for operator in self._operators]
        return self._operators[int(np.argmin(scores))]

    def _errors(
        self, operator: SmoothingSpline, sample: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The root mean square error at each position, from a sketch of the answers along it."""
        points = self.layout.points
        every = np.arange(points.size, dtype=np.float64)

        def predict(kept: NDArray[np.bool_]) -> NDArray[np.float64]:
            part = smoothing_spline(operator.knots[kept], smoothing=operator.smoothing)
            return part.fit(sample[kept]).at(operator.knots[~kept])

        left_out = operator.fit(sample).leave_one_out()
        errors = estimate_errors(
            places=np.interp(operator.knots, points, every),
            targets=np.interp(self.layout.positions, points, every),
            values=sample,
            left_out=left_out,
            predict=predict,
        )
        if self.blocks > 1:  # through one block, every curve is that block
            errors = np.hypot(errors, unseen_error(sample, self.blocks, left_out=left_out))
        return np.hypot(errors, self._encoder_error(operator.knots, sample))

    def _encoder_error(self, knots: NDArray[np.float64], sample: NDArray[np.float64]) -> float:
        """How far the answers move over the distance by which the curve misses the blocks."""
        if not self.layout.offset:
            return 0.0
        slopes = np.diff(sample, axis=0) / np.diff(knots)[:, None]
        return 2.0 * self.layout.offset * float(np.sqrt(np.mean(slopes**2)))

    @cached_property
    def _ranks(self) -> NDArray[np.intp]:
        """The answers along the curve."""
        return np.argsort(self.layout.at(self.workers))

    @cached_property
    def _operators(self) -> tuple[SmoothingSpline, ...]:
        """One spline operator, or one for each candidate lambda, 0 first."""
        knots = self.layout.at(self.workers)[self._ranks]
        lambdas = gcv_candidates(knots) if self.smoothing is None else (self.smoothing,)
        return tuple(smoothing_spline(knots, smoothing=each) for each in lambdas)
