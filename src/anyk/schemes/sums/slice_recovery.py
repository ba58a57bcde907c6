"""The decoder of codes whose answers are combinations of slices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.analog.told import told
from anyk.codes.exact.reed_solomon import EvaluationCode
from anyk.codes.exact.slices import SliceCode
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.schemes.base import AbstractRecovery, rows_of
from anyk.schemes.certainty import Certainty
from anyk.schemes.precision import narrowed
from anyk.works.slices import joined, opened, packed, unpacked

__all__ = ["SliceRecovery"]

_ROUNDINGS = 8.0
_EPS = float(np.finfo(np.float64).eps)
_SLACK = 1.001  # for rounding in the matrices


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class SliceRecovery(AbstractRecovery):
    """The sum from answers that are combinations of slices, and the shape of it from their ends.

    Args:
        code: of the workers.
        domain: of the answers.
        shares: that were answered, in the order of their answers.
    """

    code: SliceCode
    domain: AbstractDomain
    shares: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        """The shares."""
        return self.shares

    @cached_property
    def matrix(self) -> NDArray[Any]:
        """R, ndarray (m, len(answered)): one row a slice of the sum."""
        return self.code.decoder(self.shares)

    @property
    def _certainty(self) -> Certainty:
        return Certainty(dimension=self.code.dimension, adversaries=0)

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The sum from the answers.

        Args:
            values: ndarray (len(answered), length).

        Returns:
            The sum, shaped as f's results; over the reals the condition and an error estimate.

        Raises:
            InvalidArgument: if `values` does not fit.
            TooManyErrors: if the answers tell several shapes or none, or over a field contradict
                each other.
        """
        array = rows_of(values, self.shares, self.domain)
        read = opened(array)
        if read is None:
            raise self._certainty.contradiction(self.shares)
        told, shape = read
        if told.shape[1] != _length(shape, self.code.slices, real=array.dtype.kind == "f"):
            raise self._certainty.contradiction(self.shares)
        if isinstance(self.domain, PrimeField):
            return self._exact(self.domain, told, shape)
        return self._rounded(packed(told, array.dtype), shape, array.dtype)

    def _exact(
        self, field: PrimeField, combined: NDArray[Any], shape: tuple[int, ...]
    ) -> Recovered:
        """The sum over a field, if the spare answers say the same."""
        points = self.code.points[list(self.shares)]
        located = EvaluationCode(field, points, self.code.dimension).locate(combined, 0)
        self._certainty.liars(self.shares, located)
        value = joined(field.matmul(self.matrix, combined), shape)
        return Recovered(value=value, known=np.ones(1, dtype=np.bool_))

    def _rounded(
        self, combined: NDArray[Any], shape: tuple[int, ...], kind: np.dtype[Any]
    ) -> Recovered:
        """The sum, and how far off rounding or contradictions let it be."""
        with np.errstate(over="ignore", invalid="ignore"):  # it has no error to tell then
            rows = unpacked(self.matrix @ combined, kind)
        value, error = joined(rows, shape), math.inf
        if np.isfinite(value).all():
            error = self._error(combined, value, float(np.finfo(kind).eps))
        recovered = Recovered(
            value=value,
            error_estimate=error,
            known=np.full(1, error == 0.0),
            block_errors=np.array([error]),
            condition=self.code.amplification(self.shares),
        )
        return narrowed(recovered, kind)

    def _error(self, combined: NDArray[Any], value: NDArray[Any], unit: float) -> float:
        """Rounding, as the decoder amplifies it, or what the spare answers contradict by.

        Args:
            combined: the answers, ndarray (n, length).
            value: the sum.
            unit: of rounding, in the type of the answers.
        """
        largest = float(np.max(np.abs(combined), initial=0.0)) or 1.0
        noise = np.maximum(unit * (np.abs(combined) / largest), told(combined) / largest)
        combined, value = combined / largest, value / largest  # so that squares fit
        size, row = float(np.linalg.norm(value)), np.linalg.norm(self.matrix, axis=0)
        inner = 1.0 + _EPS / unit * self.code.weights[0].size  # of a worker's sums
        error = _ROUNDINGS * inner * float(np.linalg.norm(np.abs(self.matrix) @ noise))
        left, _, _ = self.code.turned(self.shares)
        check = left[:, self.code.dimension :].conj().T
        if len(check):
            missed = float(np.linalg.norm(check @ combined))
            amplified = float(np.linalg.norm(row)) / math.sqrt(len(check))
            alone = float((row / np.linalg.norm(check, axis=0)).max())  # what one liar can do
            error = max(error, max(amplified, _SLACK * alone) * missed)
        return error / size if size else (math.inf if error else 0.0)


def _length(shape: tuple[int, ...], slices: int, *, real: bool) -> int:
    """How many numbers a combination has, of results of this shape; two real ones go together."""
    each = 2 if real else 1
    together = math.ceil(Fraction(math.prod(shape), each))
    return each * math.ceil(Fraction(together, slices))
