"""The decoder of gradient codes: a combination of the answers, checked by those that are spare."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.analog.gradient import Decoder
from anyk.codes.analog.told import told
from anyk.codes.exact.gradient import decoding_row
from anyk.codes.exact.linear import row_reduce
from anyk.codes.exact.reed_solomon import EvaluationCode
from anyk.domains.base import AbstractDomain
from anyk.domains.polynomials import node_weights
from anyk.domains.prime import PrimeField
from anyk.domains.values import added, together
from anyk.randomness.sketch import sketch_residues
from anyk.schemes.base import AbstractRecovery, copies_of
from anyk.schemes.certainty import Certainty
from anyk.schemes.precision import as_doubles, narrowed
from anyk.schemes.products.sizes import size_of
from anyk.schemes.rounded import COARSER, RoundedAnswers, of_single
from anyk.schemes.sums.code import GradientCode

__all__ = ["GradientRecovery", "absolute_error", "exposure"]

_ROUNDINGS = 8.0
_EPS = float(np.finfo(np.float64).eps)
_UNLIKE = 16.0  # times as much as most may honest answers round
_SLACK = 1.001  # for rounding in the matrices
_UNSEEN = 1e-8  # of a lie, in the spare answers, is none of it
_SETS = 1 << 12  # of liars that an error estimate allows for


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class GradientRecovery(AbstractRecovery):
    """The sum from answers of which the rows combine to the row of ones.

    Args:
        code: of the shares.
        domain: of the answers.
        certainty: how many answers determine all others, and how many may be wrong. For more than
            noticing them over a field, the code has points.
        shares: that were answered, in the order of their answers.
        known: whether a sum over the reals is known, where nothing but rounding is left.
    """

    code: GradientCode
    domain: AbstractDomain
    certainty: Certainty
    shares: tuple[int, ...]
    known: bool = False

    @property
    def answered(self) -> tuple[int, ...]:
        """The shares."""
        return self.shares

    @property
    def matrix(self) -> NDArray[Any]:
        """R, ndarray (1, len(answered)): a."""
        if isinstance(self.domain, PrimeField):
            return self._spread(self.domain, range(len(self.shares)))
        return self._decoder.row[None]

    @property
    def condition(self) -> float:
        """By how much errors of answers weigh more in the sum than in a plain one; 1 in a field."""
        return 1.0 if self.domain.exact else self._decoder.amplification

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The sum from the answers.

        Args:
            values: ndarray (len(answered), *out), or a list of ndarrays of several dtypes.

        Returns:
            The sum, the liars, and over the reals the condition and an error estimate.

        Raises:
            InvalidArgument: if `values` does not fit.
            TooManyErrors: if the answers contradict each other beyond what can be mended.
        """
        rows = copies_of(values, self.shares, self.domain)
        array = rows if isinstance(rows, np.ndarray) else together(rows, "values")
        if isinstance(self.domain, PrimeField):
            return self._exact(self.domain, array)
        if array.dtype.kind not in "fc" and self.code.plain:
            return _summed(added(array, "values"))
        kind = array.dtype if array.dtype.kind in "fc" else np.dtype(np.float64)
        wide = as_doubles(array)
        if not wide.size:
            return narrowed(_summed(wide.sum(axis=0)), kind)
        named = self.certainty.adversaries
        return narrowed(self._judged(wide) if named else self._rounded(wide, kind), kind)

    def _exact(self, field: PrimeField, array: NDArray[Any]) -> Recovered:
        """The sum over a field, without lies."""
        flat, everyone = array.reshape(len(array), -1), range(len(array))
        liars: tuple[int, ...] = ()
        kept = list(everyone)
        if self.code.points is None:
            if self._contradicted(field, flat):
                raise self.certainty.contradiction(self.shares)
        else:
            points = self.code.points[list(self.shares)]
            code = EvaluationCode(field, points, self.certainty.dimension)
            located = code.locate(flat, self.certainty.most(self.shares))
            liars = self.certainty.liars(self.shares, located)
            kept = [place for place in everyone if place not in set(located.removed)]
        value = field.matmul(self._spread(field, kept), array)[0]
        return Recovered(value=value, suspects=liars, known=np.ones(1, dtype=np.bool_))

    def _spread(self, field: PrimeField, kept: Any) -> NDArray[np.int64]:
        """The row for the answers at these places, with zeros for the others."""
        row = np.zeros((1, len(self.shares)), dtype=np.int64)
        if self.code.points is not None:
            used = list(kept)[: self.certainty.dimension]
            row[0, used] = node_weights(field, self.code.points[list(self.shares)][used])
            return row
        found = decoding_row(field, self.code.matrix[list(self.shares)][list(kept)])
        if found is None:
            raise ArithmeticError("rows that are sufficient combine to the row of ones")
        row[0, list(kept)] = found
        return row

    def _contradicted(self, field: PrimeField, flat: NDArray[Any]) -> bool:
        """Whether the answers are those of no data at all."""
        rows = self.code.matrix[list(self.shares)]
        few = sketch_residues(field, flat)
        reduced, pivots = row_reduce(field, np.column_stack([rows, few]), rows.shape[1])
        return bool(reduced[len(pivots) :, rows.shape[1] :].any())

    @cached_property
    def _decoder(self) -> Decoder:
        return self._of(range(len(self.shares)))

    def _of(self, kept: Any) -> Decoder:
        """The decoder of the answers at these places."""
        rows = self.code.matrix[list(self.shares)][list(kept)]
        return Decoder(rows, min(self.certainty.dimension, len(rows)))

    def _rounded(self, array: NDArray[Any], kind: np.dtype[Any]) -> Recovered:
        """The sum, and how far off rounding or contradictions let it be."""
        flat, decoder = array.reshape(len(array), -1), self._decoder
        with np.errstate(over="ignore", invalid="ignore"):  # it has no error to tell then
            value = np.tensordot(decoder.row, array, axes=1)
        if not np.isfinite(value).all():
            return _summed(value, math.inf, decoder.amplification)
        largest = float(np.max(np.abs(flat), initial=0.0)) or 1.0
        flat, scaled = flat / largest, value / largest  # so that squares fit
        size, unit = float(np.linalg.norm(scaled)), float(np.finfo(kind).eps)
        digits = self._told(array.reshape(flat.shape))
        noise = np.maximum(unit * np.abs(flat), digits / largest)
        error, agree = absolute_error(decoder, flat, self.code.load * noise, self._exposed)
        error = error / size if size else (math.inf if error else 0.0)
        found = _summed(value, error, decoder.amplification)
        if not (self.known and agree):
            return found
        return replace(found, known=np.ones(1, dtype=np.bool_), block_errors=np.zeros(1))

    @cached_property
    def _exposed(self) -> float:
        """How far D liars, or one, move the sum at most, as a share of what contradicts them."""
        return exposure(self._decoder, max(self.certainty.noticed, 1))

    def _judged(self, array: NDArray[Any]) -> Recovered:
        """The sum without lies, and what those may do to it that are too small to be seen."""
        flat = array.reshape(len(array), -1)
        coarse = np.array([COARSER if of_single(each[None]) else 1.0 for each in flat])
        noise = self._noise(flat)
        judged = RoundedAnswers(
            values=flat,
            terms=Decoder(self.code.matrix, self.certainty.dimension).terms[list(self.shares)],
            expected=noise / _EPS / coarse,  # how large, if nothing cancels
            answered=self.shares,
            certainty=self.certainty,
            length=self.code.load,
        ).judged()
        decoder = self._of(judged.kept)
        with np.errstate(over="ignore", invalid="ignore"):  # the estimate is infinite then
            value = np.tensordot(decoder.row, array[list(judged.kept)], axes=1)
            size = size_of(value)
        error = math.inf
        if np.isfinite(value).all():
            rounding = float(np.abs(decoder.row) @ noise[list(judged.kept)])
            rounding *= _ROUNDINGS * math.sqrt(flat.shape[1])
            error = judged.error(decoder.row[None]) + judged.own * size + rounding
            error = error / size if size else (math.inf if array.any() else 0.0)
        return _summed(value, error, decoder.amplification, judged.suspects)

    def _told(self, flat: NDArray[Any]) -> NDArray[np.float64]:
        """What the answers tell of their rounding; 0 of workers that multiply by nothing but 1."""
        rows = self.code.matrix[list(self.shares)]
        ones = np.all((rows == 0) | (rows == 1), axis=1)
        return np.where(ones[:, None], 0.0, told(flat))

    def _noise(self, flat: NDArray[Any]) -> NDArray[np.float64]:
        """The root mean square of what each answer tells of its rounding; no A liars raise it."""
        digits = self._told(flat)
        largest = digits.max(axis=1, initial=0.0)
        means = np.sqrt(np.mean((digits / np.where(largest, largest, 1.0)[:, None]) ** 2, axis=1))
        lengths = np.linalg.norm(self.code.matrix[list(self.shares)], axis=1)
        each = means * (largest / lengths)
        usual = np.sort(each)[-1 - min(self.certainty.adversaries, len(each) - 1)]
        return np.asarray(np.minimum(each, _UNLIKE * usual) * lengths)


def _summed(
    value: NDArray[Any],
    error: float = 0.0,
    condition: float | None = None,
    suspects: tuple[int, ...] = (),
) -> Recovered:
    """One sum, and what is known of it."""
    return Recovered(
        value=value,
        suspects=suspects,
        error_estimate=error,
        known=np.full(1, error == 0.0),
        block_errors=np.array([error]),
        condition=condition,
    )


def absolute_error(
    decoder: Decoder, flat: NDArray[Any], noise: NDArray[np.float64], exposed: float
) -> tuple[float, bool]:
    """Rounding of a sum, as the decoder amplifies it, or what the spare answers contradict by.

    Args:
        decoder: of the answers.
        flat: the answers, ndarray (n, L).
        noise: how far rounding may have moved each of their numbers.
        exposed: how far lies may move the sum, as a share of what contradicts them.

    Returns:
        The norm of the error of the sum, and whether nothing but rounding contradicts it.
    """
    check, scaled = decoder.parity_check, flat / decoder.lengths[:, None]
    rounding = _ROUNDINGS * float(np.linalg.norm(np.abs(decoder.row) @ noise))
    missed = float(np.linalg.norm(check @ scaled))
    scaled = noise / decoder.lengths[:, None]
    allowed = _ROUNDINGS * float(np.linalg.norm(np.abs(check) @ scaled))
    amplified = float(np.linalg.norm(decoder.row * decoder.lengths))
    amplified /= math.sqrt(max(len(check), 1))
    return max(rounding, max(amplified, exposed) * missed), missed <= allowed


def exposure(decoder: Decoder, lying: int) -> float:
    """How far so many liars move the sum at most, as a share of what contradicts them.

    Lies e of workers J move the sum by a_J e and are contradicted by H_J e; what no answer can
    contradict is left out, as nothing tells of it.

    Args:
        decoder: of the answers.
        lying: how many. Of more than 4096 sets as many are tried.
    """
    check, scaled = decoder.parity_check, decoder.row * decoder.lengths
    lying = min(lying, len(check))
    if not lying:
        return 0.0
    sets = list(itertools.islice(itertools.combinations(range(len(scaled)), lying), _SETS))
    _, seen, turned = np.linalg.svd(np.moveaxis(check[:, sets], 0, 1), full_matrices=False)
    moved = (turned @ scaled[np.array(sets)][..., None])[..., 0]
    told = np.where(seen > _UNSEEN, moved / np.maximum(seen, _UNSEEN), 0.0)
    return _SLACK * float(np.linalg.norm(told, axis=1).max())
