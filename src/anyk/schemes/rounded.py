"""Rounded answers, judged: which are lies, and how far off what the others tell may be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.agreement import ROUNDINGS, SINGLE, precision
from anyk.codes.analog.linear import LinearCode
from anyk.codes.analog.sample import sample_of, unlucky
from anyk.codes.locators.located import Located
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.certainty import Certainty

__all__ = ["COARSER", "Judged", "RoundedAnswers", "of_single"]

COARSER: Final = 2.0**29
"""How many times as coarse as double precision single precision is."""

_EPS = float(np.finfo(np.float64).eps)
_ROUNDING = 4.0  # of an honest answer, at most, root mean square, in _EPS
_LONG = 0.25  # as above, for each root of a term that is added up
_LIE = 8.0  # times the rounding
_FEWEST = 0.5  # roundings: what is assumed where the answers agree better than that
_UNSEEN = 2.0  # roundings: what is assumed where no answer is spare
_SLACK = 1.5  # for rounding that is alike in many rows
_OWN, _ALIKE = 2.0, 64.0  # roundings of a sum of n terms: 2 + n/64
_LUCK = 3.0  # standard deviations by which few spare rows may show less noise than there is
_SUBNORMAL = float(np.finfo(np.float64).smallest_subnormal)  # what the smallest numbers lose
_LEAST = 1e-290  # times the largest number, is never told from rounding
_HUGE = 1e100  # times the other answers
_UNSURE = 100.0  # times clearer must a lie be where not all others can be tried in its place
_ACCIDENT = 40  # binary digits behind the point that are 0, which are no accident


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Judged:
    """What is left of the answers without those that are lies.

    Args:
        kept: places of the shares that are left, increasing.
        suspects: the workers that are named as liars, sorted.
        code: of the products in the answers that are left, each row divided by its share of noise.
        shares: of noise, of each of these rows, 1 at most, ndarray (rows,).
        noise: root mean square, of a row of which it is all.
        hidden: how many more liars there may be, who do not show.
    """

    kept: tuple[int, ...]
    suspects: tuple[int, ...]
    code: LinearCode
    shares: NDArray[np.float64]
    noise: float
    hidden: int

    def error(self, matrix: NDArray[Any]) -> float:
        """Root mean square error of what is recovered: rounding, and lies too small to be seen.

        Args:
            matrix: R, ndarray (blocks, rows).
        """
        rows, dimension = self.code.basis.shape
        scaled, spare = matrix * self.shares, max(rows - dimension, 0)
        exposed = self.code.exposure(scaled, self.hidden) * math.sqrt(spare) if spare else 0.0
        total = math.hypot(float(np.linalg.norm(scaled)), exposed)
        return _SLACK * self.noise * total / math.sqrt(len(matrix))

    @property
    def own(self) -> float:
        """By the recovery's own product, as a share of the value."""
        return (_OWN + len(self.shares) / _ALIKE) * _EPS


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class RoundedAnswers:
    """Answers in floating point, of which some may be lies.

    A row's rounding is a share of its size if nothing cancels, or of the size that its row of V
    makes likely, whichever is more: no liar changes the first, and no A liars raise the second.

    Args:
        values: the products in the answers, ndarray (rows, L).
        terms: V of these, ndarray (rows, k).
        expected: how large they are if nothing cancels, root mean square, ndarray (rows,).
        answered: the shares, each with as many rows.
        certainty: which answers are certain.
        length: how many terms are added up for a number of an answer.
        source: of random numbers that no worker may foresee.
    """

    values: NDArray[Any]
    terms: NDArray[Any]
    expected: NDArray[np.float64]
    answered: tuple[int, ...]
    certainty: Certainty
    length: int
    source: AbstractSource = SystemSource()

    def judged(self) -> Judged:
        """Tell the liars, and the noise of the others.

        Where no A liars explain what is more than rounding, though all that are needed were heard,
        the answers bear more noise than is usual: it is learned from what is left without the A
        workers that explain most, if no more is than single precision may leave.

        Raises:
            TooManyErrors: if no set of at most A liars explains the answers.
        """
        located = self._located()
        if located.exceeded:
            raise self.certainty.contradiction(self.answered)
        suspects = tuple(int(self._names[group]) for group in located.named)
        rows = self._code.kept(located.removed)
        few, _ = self._sample
        scale = self._coarse * np.hypot(self._scale, self._sizes)
        largest = float(scale[rows].max())
        shares = scale[rows] / largest
        code = LinearCode(
            self.terms[rows] / shares[:, None], self._code.without(located.removed).groups
        )
        removed = self._names[list(located.removed)]
        return Judged(
            kept=tuple(np.flatnonzero(~np.isin(self._workers, removed)).tolist()),
            suspects=suspects,
            code=code,
            shares=shares,
            noise=self._noise(code, few[rows] / shares[:, None], self._finest * largest),
            hidden=max(self.certainty.noticed - len(suspects), 0),
        )

    def _located(self) -> Located:
        """Which workers lie."""
        margin, most = self.certainty.margin(self.answered), self.certainty.adversaries
        few, _ = self._sample
        noise = self._finest * self._coarse * self._scale
        honest = np.maximum(ROUNDINGS * _EPS * self._coarse * self._scale, _LIE * noise)
        beyond = np.maximum(SINGLE * self._scale, honest)
        locate = partial(
            self._code.locate,
            few,
            most,
            own=honest,
            beyond=beyond,
            rows=margin * self._each,
            unsure=_UNSURE,
        )
        located = locate(noise=_LIE * noise)
        if not located.exceeded or self.certainty.more(self.answered):
            return located
        more = self._code.unexplained(few, most, noise=noise) / float(noise.max())
        if (more * noise > beyond).all():
            return located
        learned = np.minimum(more * noise, beyond)
        return locate(noise=_LIE * learned, learned=True)

    def _noise(self, code: LinearCode, few: NDArray[Any], rounding: float) -> float:
        """Of the rows that are left, by what is spare; no less than rounding may well be."""
        spare = len(few) - code.basis.shape[1]
        if spare <= 0:
            return _UNSEEN * rounding * self._sample[1]
        left, luck = code.residual(few), 1.0 + _LUCK / math.sqrt(2.0 * spare)
        if left > rounding:
            luck = max(luck, unlucky(few, spare))
        return max(luck * left, _FEWEST * rounding) * self._sample[1]

    @cached_property
    def _each(self) -> int:
        """How many rows a share has."""
        return len(self.values) // len(self.answered)

    @cached_property
    def _workers(self) -> NDArray[np.intp]:
        """Whose each share is."""
        return np.array(self.answered, np.intp) // self.certainty.pieces

    @cached_property
    def _names(self) -> NDArray[np.intp]:
        """The workers, as the code counts their groups of rows."""
        return np.unique(self._workers)

    @cached_property
    def _code(self) -> LinearCode:
        return LinearCode(self.terms, np.repeat(self._workers, self._each))

    @cached_property
    def _sample(self) -> tuple[NDArray[Any], float]:
        """A few combinations of the numbers, divided by about what the honest rows hold."""
        members = sorted((len(rows) for rows in self._code.members), reverse=True)
        wrong = sum(members[: self.certainty.adversaries])
        return sample_of(self.values, min(wrong, len(self.values) - 1), source=self.source)

    @cached_property
    def _sizes(self) -> NDArray[np.float64]:
        """Root mean square of each row of the sample."""
        few, _ = self._sample
        sizes: NDArray[np.float64] = np.linalg.norm(few, axis=1) / math.sqrt(few.shape[1])
        return sizes

    @cached_property
    def _scale(self) -> NDArray[np.float64]:
        """What each row's rounding in double precision is a share of."""
        _, unit = self._sample
        lengths = np.linalg.norm(self.terms, axis=1)
        own = self._sizes / np.where(lengths > 0.0, lengths, 1.0)
        groups = np.sort([own[rows].max() for rows in self._code.members])
        usual = groups[-1 - min(self.certainty.adversaries, len(groups) - 1)] * lengths
        with np.errstate(over="ignore"):
            expected = np.minimum(self.expected / unit, _HUGE)
        least = max(_SUBNORMAL / unit / self._finest, _LEAST)  # where all that is true is 0
        scale: NDArray[np.float64] = np.hypot(expected, usual) + least
        return scale

    @property
    def _finest(self) -> float:
        """What rounding leaves in double precision, at most."""
        return max(_ROUNDING, _LONG * math.sqrt(self.length)) * _EPS

    @cached_property
    def _coarse(self) -> NDArray[np.float64]:
        """By how much the rounding of each row is coarser: of hosts of single precision."""
        coarse = np.ones(len(self.values))
        for rows in self._code.members:
            if of_single(self.values[rows]):
                coarse[rows] = COARSER
        return coarse


def of_single(answers: NDArray[Any]) -> bool:
    """Whether single precision holds the answers of a worker, and may have rounded them.

    Whole numbers are what they are, unless so few or so large ones may be whole by accident.

    Args:
        answers: ndarray (rows, L).

    Example:
        >>> from anyk.schemes.rounded import of_single
        >>> third = np.array([[1.0 / 3.0]])
        >>> of_single(third), of_single(third.astype(np.float32).astype(float))
        (False, True)
    """
    apart, whole = precision(answers)
    if apart < SINGLE or not whole:
        return apart >= SINGLE
    parts = np.ascontiguousarray(answers).view(np.float64)
    _, exponents = np.frexp(parts[parts != 0.0])
    digits = np.maximum(np.finfo(np.float32).nmant + 1 - exponents, 0)  # that are 0 in each
    return bool(parts.any()) and int(digits.sum()) < _ACCIDENT
