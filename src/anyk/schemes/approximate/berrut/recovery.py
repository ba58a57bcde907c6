"""The decoder of `Berrut`: its interpolant through the answers, its locator, its error estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.curves.accuracy import FEWEST, estimate_error, sketch
from anyk.codes.curves.barycentric import (
    berrut_leave_one_out,
    berrut_leave_pairs_out,
    berrut_matrix,
)
from anyk.codes.locators.rational import rational_votes
from anyk.domains.real import Reals
from anyk.schemes.approximate.berrut.layout import BerrutPoints
from anyk.schemes.approximate.common import largest, no_numbers, relative_error
from anyk.schemes.base import AbstractRecovery, rows_of

__all__ = ["BerrutRecovery", "interpolate"]

_ROWS = 512  # rows of a matrix at a time, so that no N x K array is held
_FAR = 1.5  # times the largest error of predicting an answer that is believed
_PAIR = 2  # nodes that can't be left out both


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class BerrutRecovery(AbstractRecovery):
    """Berrut's interpolant, prepared for the workers that answered.

    Args:
        points: of the scheme.
        adversaries: A, how many answers are left out.
        workers: that answered, in the order of their answers.

    Example:
        >>> recovery = anyk.Berrut(1, 4).encode(np.array([0.0])).recovery([1, 0])
        >>> recovery.matrix
        array([[0.5, 0.5]])
    """

    points: BerrutPoints
    adversaries: int
    workers: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        """The workers that answered."""
        return self.workers

    @property
    def matrix(self) -> NDArray[np.float64]:
        """R, ndarray (K, len(answered))."""
        return berrut_matrix(self._nodes, self.points.blocks)

    @property
    def condition(self) -> float:
        """The largest row sum of |R|: how much of the answers' largest error can reach a value."""
        return float(np.abs(self.matrix).sum(axis=1).max())

    def locate(self, values: NDArray[Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Whom the locator suspects.

        More than 64 numbers an answer are condensed to 32 combinations before they vote.

        Args:
            values: ndarray (len(answered), *out).

        Returns:
            The A workers with the most votes, which `recover` leaves out, sorted; and those of
            them that more than half of the votes name, and whose answer is further from what the
            rest predict than 1.5 times as far as any of the rest is, left out in its turn. (Where
            nobody lies, all may vote for the same two innocents.)
        """
        array = rows_of(values, self.workers, Reals())
        if not self.adversaries or not array.size:
            return (), ()
        sample = sketch((array / largest(array)).reshape(len(self.workers), -1))
        votes = rational_votes(
            self._nodes, sample, blocks=self.points.blocks.size, errors=self.adversaries
        )
        most = np.argsort(-votes, kind="stable")[: self.adversaries]
        kept = np.delete(np.arange(votes.size), most)
        kept = kept[np.argsort(self._nodes[kept])]
        nodes = self._nodes[kept]
        off = sample[most] - interpolate(nodes, sample[kept], self._nodes[most])
        usual = _leave_out(nodes, sample[kept])
        farthest = _FAR * float(np.linalg.norm(usual, axis=1).max())
        clear = most[(2 * votes[most] > sample.shape[1]) & (np.linalg.norm(off, axis=1) > farthest)]
        left_out, named = (sorted(self.workers[row] for row in rows) for rows in (most, clear))
        return tuple(left_out), tuple(named)

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The value from the answers, with an error estimate.

        Args:
            values: ndarray (len(answered), *out).

        Returns:
            The value, ndarray (K, *out), whom the locator names, and the estimated relative error.

        Raises:
            InvalidArgument: if `values` does not fit, or is not finite.
        """
        array = rows_of(values, self.workers, Reals())
        if not array.size:
            return no_numbers(self.points.blocks.size, array)
        left_out, named = self.locate(array)
        kept = [row for row, worker in enumerate(self.workers) if worker not in left_out]
        if left_out:
            array = array[kept]
        nodes = self._nodes[kept]
        scale = largest(array)
        scaled = array / scale
        value = interpolate(nodes, scaled, self.points.blocks)
        error = self._error(nodes, sketch(scaled.reshape(len(kept), -1)))
        return Recovered(
            value=scale * value, suspects=named, error_estimate=relative_error(error, value)
        )

    @cached_property
    def _nodes(self) -> NDArray[np.float64]:
        return self.points.at(self.workers)

    def _error(self, nodes: NDArray[np.float64], sample: NDArray[np.float64]) -> float:
        """The root mean square error, from a sketch of the answers."""
        if self.points.noise.size and nodes.size < FEWEST:  # then no curve is constant
            return math.inf
        ranks = np.argsort(nodes)
        nodes, along = nodes[ranks], sample[ranks]

        def predict(kept: NDArray[np.bool_]) -> NDArray[np.float64]:
            return interpolate(nodes[kept], along[kept], nodes[~kept])

        points = self.points.workers[::-1]
        every = self.points.places[-1] - self.points.places[::-1]
        return estimate_error(
            places=np.interp(nodes, points, every),
            targets=np.interp(self.points.blocks, points, every),
            values=along,
            left_out=_leave_out(nodes, along),
            predict=predict,
        )


def _leave_out(nodes: NDArray[np.float64], along: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far each answer is from its prediction by the others, ndarray (n, L)."""
    starts = range(0, nodes.size, _ROWS)
    return np.concatenate(
        [_missed(nodes, along, np.arange(at, min(at + _ROWS, nodes.size))) for at in starts]
    )


def _missed(
    nodes: NDArray[np.float64], along: NDArray[np.float64], rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    """How far these answers are from their prediction: without them, or without a pair."""
    alone = np.abs(along[rows] - berrut_leave_one_out(nodes, rows) @ along)
    if nodes.size <= _PAIR:
        return alone
    return np.maximum(alone, np.abs(along[rows] - berrut_leave_pairs_out(nodes, rows) @ along))


def interpolate(
    nodes: NDArray[np.float64], values: NDArray[np.float64], targets: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Berrut's curve at the targets, ndarray (m, *shape), a few rows at a time."""
    chunks = [targets[start : start + _ROWS] for start in range(0, targets.size, _ROWS)]
    return np.concatenate([Reals().matmul(berrut_matrix(nodes, part), values) for part in chunks])
