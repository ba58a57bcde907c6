"""The decoder of approximate gradient codes: the sum, or what the answers tell of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.analog.gradient import Decoder
from anyk.codes.analog.sample import unlucky
from anyk.codes.curves.accuracy import unseen_error
from anyk.domains.base import AbstractDomain
from anyk.domains.values import together
from anyk.schemes.base import AbstractRecovery, copies_of
from anyk.schemes.certainty import Certainty
from anyk.schemes.precision import as_doubles, narrowed
from anyk.schemes.sums.code import GradientCode
from anyk.schemes.sums.gradient_recovery import GradientRecovery, absolute_error, exposure

__all__ = ["EstimatedSum"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class EstimatedSum(AbstractRecovery):
    """The best linear unbiased prediction of the sum, by answers that need not tell all of it.

    f(X_1), .., f(X_K) are taken for draws of one mean and variance in each number. The combination
    a of the rows that leaves least of the row of ones leaves r = 1 - a·B_F; with rho = |r|^2, the
    prediction is a·y K/(K - rho), and its error has the variance s^2 K rho/(K - rho). From rank
    answers s^2 is estimated by (|B_F^+ y|^2 - (a·y)^2/(K - rho)) / (rank - 1).

    Args:
        code: of the shares.
        domain: of the answers: floating point, or numbers of any type.
        shares: that were answered, in the order of their answers.
    """

    code: GradientCode
    domain: AbstractDomain
    shares: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        """The shares."""
        return self.shares

    @cached_property
    def _decoder(self) -> Decoder:
        return Decoder(self.code.matrix[list(self.shares)])

    @property
    def _weight(self) -> float:
        """K/(K - rho)."""
        blocks = self.code.matrix.shape[1]
        return float(blocks / (blocks - np.sum(self._decoder.left_out**2)))

    @property
    def matrix(self) -> NDArray[Any]:
        """R, ndarray (1, len(answered))."""
        return self._weight * self._decoder.row[None]

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The sum, or its prediction.

        Args:
            values: ndarray (len(answered), *out), or a list of ndarrays of several dtypes.

        Returns:
            The value and its error estimate; known, where nothing but rounding is left.

        Raises:
            InvalidArgument: if `values` does not fit.
        """
        decoder = self._decoder
        if not decoder.left_out.any():
            certainty = Certainty(dimension=decoder.rank, adversaries=0)
            return GradientRecovery(
                code=self.code,
                domain=self.domain,
                certainty=certainty,
                shares=self.shares,
                known=True,
            ).recover(values)
        rows = copies_of(values, self.shares, self.domain)
        array = rows if isinstance(rows, np.ndarray) else together(rows, "values")
        kind = array.dtype if array.dtype.kind in "fc" else np.dtype(np.float64)
        return narrowed(self._predicted(as_doubles(array), float(np.finfo(kind).eps)), kind)

    def _predicted(self, array: NDArray[Any], unit: float) -> Recovered:
        flat = array.reshape(len(array), -1)
        with np.errstate(over="ignore", invalid="ignore"):  # it has no error to tell then
            value = np.tensordot(self.matrix[0], array, axes=1)
        error = self._error(flat, value, unit) if np.isfinite(value).all() else math.inf
        return Recovered(
            value=value,
            error_estimate=error,
            known=np.zeros(1, dtype=np.bool_),
            block_errors=np.array([error]),
            condition=self._weight * self._decoder.amplification,
        )

    def _error(self, flat: NDArray[Any], value: NDArray[Any], unit: float) -> float:
        """The standard deviation of the prediction, and of rounding, by the size of the value."""
        largest = float(np.max(np.abs(flat), initial=0.0))
        if not largest:
            return math.inf if flat.size else 0.0  # whoever is missing may be anything
        flat, value = flat / largest, value / largest  # so that squares fit
        size, decoder = float(np.linalg.norm(value)), self._decoder
        unit *= self.code.load
        rounding, _ = absolute_error(decoder, flat, unit * np.abs(flat), exposure(decoder, 1))
        error = math.hypot(self._spread(flat), rounding)
        return error / size if size else math.inf

    def _spread(self, flat: NDArray[Any]) -> float:
        """The standard deviation of the error of the prediction, over all numbers together."""
        decoder, blocks = self._decoder, self.code.matrix.shape[1]
        if decoder.rank < 2:  # noqa: PLR2004 - of which one is the mean
            return math.inf
        told = decoder.solved(flat)
        left = float(np.sum(decoder.left_out**2))
        mean = np.sum(np.abs(decoder.row @ flat) ** 2) / (blocks - left)
        energy = max(float(np.sum(np.abs(told) ** 2)) - float(mean), 0.0)
        variance = energy / (decoder.rank - 1) * unlucky(flat, decoder.rank - 1) ** 2
        each = flat / np.abs(decoder.matrix).sum(axis=1)[:, None]  # as of one block
        parts = np.ascontiguousarray(each).view(np.float64).reshape(len(each), -1)
        unseen = unseen_error(parts, int(np.count_nonzero(decoder.left_out)))
        variance += unseen**2 * parts.shape[1]
        return math.sqrt(variance * left * blocks / (blocks - left))
