"""The decoder of `FilledReplication`: answers as they are, the lost blocks filled in."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.agreement import Agreement
from anyk.codes.curves.accuracy import FEWEST, estimate_errors, excess_of_few, unseen_error
from anyk.codes.curves.filling import (
    AbstractFilling,
    CubicCurve,
    GaussianField,
    KnownMean,
    NearestPoint,
    NearPoints,
    StraightLines,
)
from anyk.codes.curves.splines import SmoothingSpline, gcv_candidates, smoothing_spline
from anyk.domains.values import together
from anyk.errors import NotEnoughAnswers
from anyk.randomness.entropy import AbstractSource, SystemSource, residues
from anyk.randomness.sketch import sketch
from anyk.schemes.approximate.common import (
    MOST_NUMBERS,
    as_computed,
    largest,
    no_numbers,
    with_evidence,
)
from anyk.schemes.base import AbstractRecovery, AbstractScheme, copies_of, missing_answers
from anyk.schemes.precision import as_doubles, narrowed

__all__ = ["FilledRecovery"]

Floats: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.intp]
Way: TypeAlias = SmoothingSpline | AbstractFilling

_PROBES = 32
_CAUTION = 2.0  # standard deviations of the noise that filling brings
_POWERS = (4.0, 8.0, 16.0)
_REACHES = (2.0, 4.0, 8.0)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class FilledRecovery(AbstractRecovery):
    """A block's value is the answer of one of its copies; the lost blocks are filled in.

    There are several ways to fill in: the cubic spline along the path, means of the nearest
    blocks by inverse distance to a power of 4, 8 or 16, and kriging with a Gaussian covariance
    that reaches 2, 4 or 8 times as far as the next block; the nearest block, and the mean of all.
    The one is taken that predicts the answers best when each is left out in turn. Without the
    distances between the blocks: straight lines along the path, the spline, or the mean.

    Where copies of one block differ by more than rounding, the answers bear noise of a variance
    s^2 that can be seen: lambda then minimises Mallows' C_p = sum_k c_k |y_k - g(x_k)|^2
    + 2 s^2 tr A over blocks with c_k copies, and unless that is 0, the value is the smoothing
    spline, at all blocks.

    Args:
        order: the blocks along the path, ndarray (K,); a permutation.
        positions: where the path passes them, ndarray (K,), increasing.
        distances: between the blocks in the order of the path, ndarray (K, K), or None.
        held: for each worker that answered, which block it holds: a place in `order`.
        smoothing: lambda of the spline, the one way to fill in; None to choose as above.
        scheme: whose recovery it is.
        workers: that answered, in the order of their answers.
        source: of the random numbers of its sketches and probes, which no worker may foresee.

    References:
        Mallows, Some comments on C_p, 1973; Craven and Wahba, Smoothing noisy data with spline
        functions, 1979 (the same for splines).

    Example:
        >>> recovery = anyk.FilledReplication(2, 3).encode(np.array([0.0, 1.0])).recovery([1, 0])
        >>> recovery.answered, recovery.matrix.sum(axis=1)
        ((1, 0), array([1., 1.]))
    """

    order: Places
    positions: Floats
    distances: Floats | None
    held: Places
    smoothing: float | None
    scheme: AbstractScheme
    workers: tuple[int, ...]
    source: AbstractSource = SystemSource()

    @property
    def answered(self) -> tuple[int, ...]:
        """The workers that answered."""
        return self.workers

    @property
    def matrix(self) -> Floats:
        """R, ndarray (K, len(answered)).

        Where the way to fill in is chosen by the answers, R depends on them; this is then the R
        of straight lines along the path.
        """
        matrix = np.empty((self.order.size, self.held.size))
        lines = StraightLines(positions=self.positions)
        way = lines if self.smoothing is None else self._spline(self.smoothing)
        matrix[self.order] = self._along(way, self._means(np.eye(self.held.size)))
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
            The value, ndarray (K, *out), and its estimated relative error.

        Raises:
            InvalidArgument: if `values` does not fit, or is not finite.
            NotEnoughAnswers: if they are whole numbers, and there is not one for each block.
        """
        rows = copies_of(values, self.workers, self.scheme.domain)
        array = rows if isinstance(rows, np.ndarray) else together(rows, "values")
        if not array.size:
            return no_numbers(self.order.size, array)
        chosen = self._agreed(array)
        if chosen is not None and not self._lost.size:
            value = np.empty((self.order.size, *array.shape[1:]), dtype=array.dtype)
            value[self.order[self._places]] = array[chosen]
            return as_computed(value)
        if array.dtype.kind not in "fc":
            raise self._no_guess(agree=chosen is not None)
        wide = as_doubles(array)
        if wide.dtype.kind == "f":
            return narrowed(self._filled(wide, chosen), array.dtype)
        apart = self._filled(np.stack([wide.real, wide.imag], axis=-1), chosen)
        whole = replace(apart, value=apart.value.view(np.complex128)[..., 0])
        return narrowed(whole, array.dtype)

    def _no_guess(self, *, agree: bool) -> NotEnoughAnswers:
        """Why there is no value of whole numbers."""
        needed = "an answer on each block" if agree else "copies of each block that are equal"
        return missing_answers(
            self.scheme,
            self.workers,
            f"{needed}, as whole numbers are not guessed (let the function return floats for that)",
        )

    def _filled(self, array: Floats, chosen: Places | None) -> Recovered:
        """The value where some blocks are lost, or copies bear noise."""
        scale = math.ldexp(1.0, math.frexp(largest(array))[1] - 1)  # a power of 2 keeps all bits
        rows = array.reshape(self.held.size, -1) / scale
        sample = sketch(rows, numbers=MOST_NUMBERS, source=self.source)
        means = self._means(sample) if chosen is None else sample[chosen]
        noise = self._noise(sample, means) if chosen is None else 0.0
        signs = residues(self.source, 2, (self._places.size, _PROBES))
        probes = np.where(signs, 1.0, -1.0)
        way = self._choose(means, noise, probes)
        value = np.empty((self.order.size, rows.shape[1]))
        whole = self._means(rows) if chosen is None else rows[chosen]
        value[self.order] = self._along(way, whole)
        errors, known = np.empty(self.order.size), np.empty(self.order.size, dtype=np.bool_)
        errors[self.order] = self._errors(way, means, noise, probes)
        known[self.order] = self._known(way, noise)
        return with_evidence(
            value.reshape(self.order.size, *array.shape[1:]), errors, known, scale=scale
        )

    def _agreed(self, rows: NDArray[Any]) -> Places | None:
        """One answer for each block, if its copies agree but for rounding: the nearest to all."""
        agreement, chosen = Agreement(), []
        for place in range(self._places.size):
            copies = np.flatnonzero(self._groups == place)
            majority = agreement.majority([rows[copy] for copy in copies], copies.size)
            if majority is None:
                return None
            chosen.append(copies[majority.chosen])
        return np.array(chosen)

    def _means(self, rows: Floats) -> Floats:
        """The mean of each block's copies, ndarray (n, L); copies that agree keep their bits."""
        first = rows[self._firsts]
        if first.shape[0] == self.held.size:
            return first
        differences = np.zeros_like(first)
        np.add.at(differences, self._groups, rows - first[self._groups])
        means: Floats = first + differences / self._copies[:, None]
        return means

    def _noise(self, rows: Floats, means: Floats) -> float:
        """The variance of one answer, summed over its numbers, by how copies differ."""
        spare = self.held.size - self._places.size
        return float(np.sum((rows - means[self._groups]) ** 2)) / spare if spare else 0.0

    def _choose(self, means: Floats, noise: float, probes: Floats) -> Way:
        """The smoothing spline where noise asks for it, else the best way to fill in."""
        if self.smoothing is not None:
            return self._spline(self.smoothing)
        if noise > 0.0:
            curves = [self._cubic(each) for each in gcv_candidates(self._knots)]
            best = min(curves, key=lambda curve: self._mallows(curve, means, noise))
            if best.smoothing > 0.0:
                return best
        if self._lost.size == 0 or self._places.size < FEWEST:
            return self._ways[0]
        return min(self._ways, key=lambda way: self._expected(way, means, noise, probes))

    def _expected(self, way: AbstractFilling, means: Floats, noise: float, probes: Floats) -> float:
        """The mean square by which this way misses answers, and what noise adds at the lost."""
        missed = np.mean(way.left_out(self._places, means) ** 2)
        return float(missed + np.mean(self._noise_filled(way, means, noise, probes)))

    def _noise_filled(
        self, way: AbstractFilling, means: Floats, noise: float, probes: Floats
    ) -> Floats:
        """The variance that noise of the answers brings to each lost block, ndarray (m,).

        s^2 sum_j w_j^2 / c_j with the weights w of this way, by random probes. Where no block has
        two answers, s^2 is at most what answers miss each other by: the median over answers of
        the square missed, by what noise of variance 1 would miss.
        """
        spare = self.held.size - self._places.size
        if spare and not noise:
            return np.zeros(self._lost.size)
        probes = probes / np.sqrt(self._copies)[:, None]
        if spare:
            variance = noise / means.shape[1] * self._excess(spare, means.shape[1])
        else:
            missed = np.mean(way.left_out(self._places, means) ** 2, axis=1)
            by_noise = np.mean(way.left_out(self._places, probes) ** 2, axis=1)
            variance = float(np.median(missed / by_noise))
        filled: Floats = variance * np.mean(way.fill(self._places, probes, self._lost) ** 2, axis=1)
        return filled

    @cached_property
    def _ways(self) -> tuple[AbstractFilling, ...]:
        curve = CubicCurve(positions=self.positions)
        if self.distances is None:
            return curve, StraightLines(positions=self.positions), KnownMean()
        near = (NearPoints(distances=self.distances, power=each) for each in _POWERS)
        fields = (GaussianField(distances=self.distances, reach=each) for each in _REACHES)
        nearest = NearestPoint(distances=self.distances)
        return curve, *near, *fields, nearest, KnownMean()

    def _mallows(self, curve: SmoothingSpline, means: Floats, noise: float) -> float:
        """Mallows' C_p of this curve, but for a constant."""
        residuals = means - curve.fit(means).heights
        freedom = float(np.sum(curve.penalties * curve.slack))  # n - tr A
        return float(np.sum(self._copies[:, None] * residuals**2)) - 2.0 * noise * freedom

    def _cubic(self, smoothing: float) -> SmoothingSpline:
        weights = self._copies / self._copies.mean()
        return smoothing_spline(self._knots, smoothing=smoothing, weights=weights)

    def _spline(self, smoothing: float) -> Way:
        """The way of a given lambda."""
        spline = self._cubic(smoothing)
        return spline if spline.smoothing > 0.0 else CubicCurve(positions=self.positions)

    def _along(self, way: Way, means: Floats) -> Floats:
        """The value in the order of the path, ndarray (K, L)."""
        if isinstance(way, SmoothingSpline):
            return way.fit(means).at(self.positions)
        value = np.empty((self.order.size, means.shape[1]))
        value[self._places] = means
        if self._lost.size:
            value[self._lost] = way.fill(self._places, means, self._lost)
        return value

    def _known(self, way: Way, noise: float) -> NDArray[np.bool_]:
        """Places whose value is as computed, ndarray (K,): where copies agree."""
        known = np.zeros(self.order.size, dtype=np.bool_)
        smoothed = isinstance(way, SmoothingSpline)
        known[self._places] = not smoothed and not noise
        return known

    def _errors(self, way: Way, means: Floats, noise: float, probes: Floats) -> Floats:
        """The root mean square error of each block along the path, from a sketch of the answers."""
        if isinstance(way, SmoothingSpline):
            return self._missed(way, means, np.arange(self.order.size))
        errors = np.empty(self.order.size)
        errors[self._places] = self._noise_left(noise, means.shape[1])
        missed = self._missed(way, means, self._lost)
        if self._lost.size and self._places.size >= FEWEST:
            spread = self._noise_filled(way, means, noise, probes)
            missed = np.hypot(missed, _CAUTION * np.sqrt(spread))
        errors[self._lost] = missed
        return errors

    def _noise_left(self, noise: float, width: int) -> Floats:
        """The root mean square error of the means, four standard deviations above the expected."""
        spare = self.held.size - self._places.size
        if not (noise and width):
            return np.zeros(self._places.size)
        left: Floats = np.sqrt(self._excess(spare, width) * noise / width / self._copies)
        return left

    def _excess(self, spare: int, width: int) -> float:
        """By how much a variance may exceed the measured one: four standard deviations."""
        return 1.0 + 4.0 * math.sqrt(2.0 / (self._places.size * width) + 2.0 / (spare * width))

    def _missed(self, way: Way, means: Floats, targets: Places) -> Floats:
        """The root mean square error at each place, by how much answers miss each other."""
        places = self._places
        if not targets.size:
            return np.zeros(0)
        if places.size < FEWEST:
            return np.full(targets.size, math.inf)
        if isinstance(way, SmoothingSpline):
            left_out = way.fit(means).leave_one_out()
        else:
            left_out = way.left_out(places, means)

        def predict(kept: NDArray[np.bool_]) -> Floats:
            if not isinstance(way, SmoothingSpline):
                return way.fill(places[kept], means[kept], places[~kept])
            part = smoothing_spline(self._knots[kept], smoothing=way.smoothing)
            return part.fit(means[kept]).at(self._knots[~kept])

        errors = estimate_errors(
            places=places.astype(np.float64),
            targets=targets.astype(np.float64),
            values=means,
            left_out=left_out,
            predict=predict,
        )
        if targets.size < self.order.size:
            errors *= math.sqrt(excess_of_few(left_out, targets.size))
        return np.hypot(errors, unseen_error(means, targets.size, left_out=left_out))

    @cached_property
    def _places(self) -> Places:
        """Places on the path of the blocks that were answered for, ndarray (n,), increasing."""
        return np.unique(self.held)

    @cached_property
    def _groups(self) -> Places:
        """For each answer, the row of its block among these."""
        return np.searchsorted(self._places, self.held)

    @cached_property
    def _firsts(self) -> Places:
        """The first answer for each block."""
        return np.unique(self.held, return_index=True)[1]

    @cached_property
    def _copies(self) -> Floats:
        """How many answered for each block."""
        return np.bincount(self._groups).astype(np.float64)

    @cached_property
    def _lost(self) -> Places:
        """Places of the blocks that nobody answered for."""
        return np.setdiff1d(np.arange(self.order.size), self._places)

    @cached_property
    def _knots(self) -> Floats:
        return self.positions[self._places]
