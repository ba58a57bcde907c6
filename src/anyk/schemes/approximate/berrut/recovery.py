"""The decoder of `Berrut`: its interpolant through the answers, its locator, its error estimate."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.curves.accuracy import FEWEST, estimate_errors, unseen_error
from anyk.codes.curves.barycentric import (
    berrut_leave_one_out,
    berrut_leave_pairs_out,
    berrut_matrix,
)
from anyk.codes.locators.located import Located
from anyk.codes.locators.rational import rational_votes
from anyk.domains.base import AbstractDomain
from anyk.domains.real import Reals
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.randomness.sketch import sketch
from anyk.schemes.approximate.berrut.layout import BerrutPoints
from anyk.schemes.approximate.common import MOST_NUMBERS, largest, no_numbers, with_evidence
from anyk.schemes.base import AbstractRecovery, rows_of
from anyk.schemes.precision import as_doubles, narrowed
from anyk.spans import column_spans

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
        source: of the random numbers of its sketches, which no worker may foresee.
        domain: of the answers.

    Example:
        >>> recovery = anyk.Berrut(1, 4).encode(np.array([0.0])).recovery([1, 0])
        >>> recovery.matrix
        array([[0.5, 0.5]])
    """

    points: BerrutPoints
    adversaries: int
    workers: tuple[int, ...]
    source: AbstractSource = SystemSource()
    domain: AbstractDomain = Reals()

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

    def locate(self, values: NDArray[Any]) -> Located:
        """Whose answers the locator suspects.

        Of more than 64 numbers an answer, 64 random combinations vote.

        Args:
            values: ndarray (len(answered), *out).

        Returns:
            Removed are the A answers with the most votes; named those of them that more than half
            of the votes name, and that are further from what the rest predict than 1.5 times as
            far as any of the rest is, left out in its turn. (Where nobody lies, all may vote for
            the same two innocents.)
        """
        array = as_doubles(rows_of(values, self.workers, self.domain))
        if not self.adversaries or not array.size:
            return Located()
        flat = (array / largest(array)).reshape(len(self.workers), -1)
        sample = sketch(flat, source=self.source)
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
        removed, named = (tuple(sorted(rows.tolist())) for rows in (most, clear))
        return Located(removed=removed, named=named)

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The value from the answers, with an error estimate.

        Args:
            values: ndarray (len(answered), *out).

        Returns:
            The value, ndarray (K, *out), whom the locator names, and the estimated relative error.

        Raises:
            InvalidArgument: if `values` does not fit, or is not finite.
        """
        array = as_doubles(rows_of(values, self.workers, self.domain))
        if not array.size:
            return no_numbers(self.points.blocks.size, array.astype(self.domain.dtype))
        located = self.locate(array)
        kept = np.delete(np.arange(len(self.workers)), located.removed)
        if located.removed:
            array = array[kept]
        nodes = self._nodes[kept]
        scale = largest(array)
        scaled = array / scale
        value = interpolate(nodes, scaled, self.points.blocks)
        flat = scaled.reshape(len(kept), -1)
        errors = self._errors(nodes, sketch(flat, numbers=MOST_NUMBERS, source=self.source))
        suspects = tuple(sorted(self.workers[row] for row in located.named))
        recovered = narrowed(with_evidence(value, errors, scale=scale), self.domain.dtype)
        return replace(recovered, suspects=suspects)

    @cached_property
    def _nodes(self) -> NDArray[np.float64]:
        return self.points.at(self.workers)

    def _errors(
        self, nodes: NDArray[np.float64], sample: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The root mean square error at each block, from a sketch of the answers."""
        if self.points.noise.size and nodes.size < FEWEST:  # then no curve is constant
            return np.full(self.points.blocks.size, math.inf)
        ranks = np.argsort(nodes)
        nodes, along = nodes[ranks], sample[ranks]

        def predict(kept: NDArray[np.bool_]) -> NDArray[np.float64]:
            return interpolate(nodes[kept], along[kept], nodes[~kept])

        points = self.points.workers[::-1]
        every = self.points.places[-1] - self.points.places[::-1]
        left_out = _leave_out(nodes, along)
        errors = estimate_errors(
            places=np.interp(nodes, points, every),
            targets=np.interp(self.points.blocks, points, every),
            values=along,
            left_out=left_out,
            predict=predict,
        )
        blocks = self.points.blocks.size
        if blocks + self.points.noise.size > 1:  # through one block, every curve is that block
            errors = np.hypot(errors, unseen_error(along, blocks, left_out=left_out))
        return errors


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
    """Berrut's curve at the targets, ndarray (m, *shape), a few rows and columns at a time."""
    flat = values.reshape(len(values), -1)
    made = np.empty((targets.size, flat.shape[1]))
    for start in range(0, targets.size, _ROWS):
        rows = slice(start, start + _ROWS)
        matrix = berrut_matrix(nodes, targets[rows])
        for span in column_spans(flat.shape[1], len(matrix)):
            made[rows, span] = Reals().matmul(matrix, flat[:, span])
    return made.reshape(targets.size, *values.shape[1:])
