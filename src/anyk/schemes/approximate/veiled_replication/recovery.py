"""The decoder of `VeiledReplication`: from answers with noise to the one without."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.curves.accuracy import unseen_error
from anyk.codes.curves.kriging import ROUGHNESS, Kriging, kriging, restricted_likelihood
from anyk.codes.locators.located import Located
from anyk.codes.locators.noisy_copies import locate_among_copies
from anyk.domains.base import AbstractDomain
from anyk.domains.real import Reals
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.randomness.sketch import sketch
from anyk.schemes.approximate.believed import recover_from_believed
from anyk.schemes.approximate.common import MOST_NUMBERS, largest, no_numbers, with_evidence
from anyk.schemes.approximate.veiled_replication.layout import VeiledLayout
from anyk.schemes.base import AbstractRecovery, rows_of
from anyk.schemes.precision import as_doubles, narrowed

__all__ = ["VeiledRecovery"]

Floats: TypeAlias = NDArray[np.float64]

_TOGETHER = 96  # answers of one block that are combined at once; more are cut in parts
_FACTOR = 2.4  # measured, see docs/measured.md
_RARER = 5.0  # less of the same: so much less likely before any answer is a tenfold of roughness
_PLAUSIBLE = 2.0  # less twice a log of likelihood: such a roughness is the true one as well
_FOLLOWED, _ERRATIC = 0.9, 1.5  # an estimate, by how much the answers of a block differ: from
_UNFOLLOWED = 0.7  # here on the answers hardly tell of f, and it is by so much larger; measured
_FEW = 2.0  # over the number of normals seen: by so much more an error may exceed its expectation
_TINY = float(np.finfo(np.float64).tiny)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """Some answers of one block, and what they predict together."""

    block: int
    rows: NDArray[np.intp]
    kriging: Kriging


@final
@dataclass(frozen=True, kw_only=True)
class _Fit:
    """A roughness, and the variance of f that goes with it."""

    roughness: float
    variance: float


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class VeiledRecovery(AbstractRecovery):
    """The value of a block is the best linear guess from the answers at its copies.

    Best for a random network of as much roughness as explains the answers best. Blocks that lost
    all their copies get the mean of the others, and an error as large as f varies. O(N) a
    recovery.

    The error estimate is 2.4 times what the model expects, of the roughnesses that are plausible
    the one that expects most: a factor that was calibrated on some decodings and checked on others,
    with the figures in docs/measured.md. A block whose answers vary more than those of the others
    is judged by its own. Where the model says that an error is as large as the answers of a block
    differ, f varies within the noise, and the factor grows to 4.1; where these answers are of a few
    kinds, the value may be any of these. Where they hardly differ, `unseen_error` is the least.

    Args:
        layout: of the shares.
        workers: that answered, in the order of their answers.
        adversaries: A, how many of them may lie.
        bound: the largest absolute value of an honest answer's numbers; None where none is known.
        source: of the random numbers of its sketches, which no worker may foresee.
        domain: of the answers.

    Example:
        >>> scheme = anyk.VeiledReplication(2, 12, colluders=1, leakage=1.0)
        >>> recovery = scheme.encode(np.array([0.0, 1.0])).recovery([5, 0, 2])
        >>> recovery.answered, recovery.matrix.sum(axis=1).round(6)
        ((5, 0, 2), array([1., 1.]))
    """

    layout: VeiledLayout
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
    def matrix(self) -> Floats:
        """R, ndarray (K, len(answered)).

        The roughness is chosen by the answers, and R with it; this is the R of the smoothest f.
        """
        matrix, held = np.zeros((self.layout.blocks, len(self.workers))), self._held
        for part, weights in self._weights(ROUGHNESS[0]):
            matrix[part.block, part.rows] = weights
        matrix[~held] = matrix[held].mean(axis=0)
        return matrix

    @property
    def condition(self) -> float:
        """The largest row sum of |R|: how much of the answers' largest error can reach a value."""
        sums = self._combined(ROUGHNESS[0], np.ones((len(self.workers), 1)), size=True)
        return float(sums.max())

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
            return no_numbers(self.layout.blocks, array.astype(self.domain.dtype))
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

    def _examine(self, kept: NDArray[np.intp], columns: Floats, most: int) -> Located:
        parts = _parts(self.layout, np.array(self.workers)[kept])
        covariances = [part.kriging.covariance for part in parts]
        rows = [part.rows for part in parts]
        who = np.array(self.workers)[kept]
        alike = [self.layout.gram(who[each]) > 0.0 for each in rows]
        return locate_among_copies(covariances, rows, alike, columns, most)

    def _decode(self, array: Floats) -> Recovered:
        """The value from answers that are all believed."""
        scale = largest(array)
        rows = array.reshape(len(self.workers), -1) / scale
        sample = sketch(rows, numbers=MOST_NUMBERS, source=self.source)
        fits = self._fits(sample)
        value = self._combined(fits[0].roughness, rows)
        errors = self._errors(sample, fits)
        return with_evidence(
            value.reshape(self.layout.blocks, *array.shape[1:]), errors, scale=scale
        )

    def _fits(self, sample: Floats) -> list[_Fit]:
        """The roughness that explains the answers best, and those that do nearly as well."""
        parts = [part.kriging for part in self._parts]
        energies = [part.kriging.energies(sample[part.rows]) for part in self._parts]
        fits, scores = [], []
        for each in ROUGHNESS:
            score, variance = restricted_likelihood(parts, energies, each)
            scores.append((score + _RARER * math.log10(each / ROUGHNESS[0]), score))
            fits.append(_Fit(roughness=each, variance=variance))
        bests = np.min(scores, axis=0) + _PLAUSIBLE
        order = np.argsort(np.array(scores)[:, 0], kind="stable")
        return [fits[at] for at in order if np.any(scores[at] <= bests)]

    def _errors(self, sample: Floats, fits: list[_Fit]) -> Floats:
        """The root mean square error of each block."""
        if any(math.isinf(fit.variance) for fit in fits):
            return np.full(self.layout.blocks, math.inf)
        expected = np.max([self._expected(sample, fit) for fit in fits], axis=0)
        blocks = self.layout.held[np.array(self.workers)]
        spread, farthest = _within(sample, blocks, self._combined(fits[0].roughness, sample))
        size = float(np.sqrt(np.mean(expected**2)))
        part = (size / max(spread, _TINY) - _FOLLOWED) / (_ERRATIC - _FOLLOWED)
        expected *= 1.0 + _UNFOLLOWED * min(max(part, 0.0), 1.0)
        noises = np.unique(np.stack([blocks, self.layout.veils[np.array(self.workers)]]), axis=1)
        expected *= 1.0 + _FEW / (noises.shape[1] * min(self.layout.points.shape))
        along = np.concatenate([part.rows for part in self._parts])
        unseen = unseen_error(sample[along], self.layout.blocks, groups=blocks[along])
        errors: Floats = np.hypot(np.maximum(expected, farthest), unseen)
        return errors

    def _expected(self, sample: Floats, fit: _Fit) -> Floats:
        """What the model expects, or the answers of a block where that is rougher; by a factor."""
        squares = np.zeros(self.layout.blocks)
        for part, share in zip(self._parts, self._shares(fit.roughness), strict=True):
            kriged = part.kriging
            own = kriged.energies(sample[part.rows]) / (kriged.spectrum + fit.roughness)
            most = max(fit.variance, float(np.mean(own)) if own.size else 0.0)
            squares[part.block] += most * share * kriged.variance(fit.roughness)
        squares[~self._held] = 2.0 * float(np.mean((sample - sample.mean(axis=0)) ** 2))
        expected: Floats = _FACTOR * np.sqrt(squares)
        return expected

    def _combined(self, roughness: float, rows: Floats, *, size: bool = False) -> Floats:
        """R·rows, or |R|·rows, in O(N): a block's value is of its own answers alone.

        A block without answers has the mean of those with some.
        """
        value, held = np.zeros((self.layout.blocks, rows.shape[1])), self._held
        for part, weights in self._weights(roughness):
            value[part.block] += (np.abs(weights) if size else weights) @ rows[part.rows]
        value[~held] = value[held].mean(axis=0)
        return value

    def _weights(self, roughness: float) -> Iterator[tuple[_Part, Floats]]:
        """All of R that is not 0, part by part, of the blocks that have answers."""
        for part, share in zip(self._parts, self._shares(roughness), strict=True):
            yield part, share * part.kriging.weights(roughness)

    @property
    def _held(self) -> NDArray[np.bool_]:
        """The blocks that have answers, ndarray (K,)."""
        held = np.zeros(self.layout.blocks, dtype=np.bool_)
        held[self.layout.held[np.array(self.workers)]] = True
        return held

    def _shares(self, roughness: float) -> Floats:
        """The weight of each part in its block: by precision."""
        blocks = [part.block for part in self._parts]
        precisions = [1.0 / part.kriging.variance(roughness) for part in self._parts]
        total = np.bincount(blocks, weights=precisions, minlength=self.layout.blocks)
        shares: Floats = np.array(precisions) / total[blocks]
        return shares

    @cached_property
    def _parts(self) -> tuple[_Part, ...]:
        return _parts(self.layout, np.array(self.workers))


def _within(values: Floats, blocks: NDArray[np.intp], value: Floats) -> tuple[float, Floats]:
    """How much answers of one block differ; and by block, the farthest answer where few differ.

    Where more than half of a block's answers are equal to another, f jumps from one of a few
    values to another, and may be any of them where there is no noise. Elsewhere that is 0.
    """
    squares, farthest = 0.0, np.zeros(len(value))
    order = np.argsort(blocks, kind="stable")
    cuts = np.flatnonzero(np.diff(blocks[order])) + 1
    for places in np.split(order, cuts):
        block, rows = blocks[places[0]], values[places]
        squares += float(np.sum(np.mean((rows - rows.mean(axis=0)) ** 2, axis=1)))
        if 2 * len(np.unique(rows, axis=0)) < len(rows):
            off = np.mean((rows - value[block]) ** 2, axis=1)
            farthest[block] = math.sqrt(float(off.max()))
    return math.sqrt(squares / len(values)), farthest


def _parts(layout: VeiledLayout, workers: NDArray[np.intp]) -> tuple[_Part, ...]:
    """The answers of each block, in parts of whole veils."""
    many = max(1, _TOGETHER // len(layout.points))  # veils
    blocks, groups = layout.held[workers], layout.veils[workers] // many
    order = np.lexsort((workers, groups, blocks))
    cuts = np.flatnonzero(np.diff(blocks[order]) | np.diff(groups[order])) + 1
    copies = layout.copies[workers]
    known: dict[bytes, Kriging] = {}  # most blocks have answers from the same copies
    parts = []
    for rows in np.split(order, cuts):
        key = copies[rows].tobytes()
        if key not in known:
            known[key] = kriging(layout.gram(workers[rows]))
        parts.append(_Part(block=int(blocks[rows[0]]), rows=rows, kriging=known[key]))
    return tuple(parts)
