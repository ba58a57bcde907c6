"""Gradients of a polynomial loss on encoded data: what the master makes of the answers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.degrees.of_degree import of_degree
from anyk.learn.formats import Formats
from anyk.learn.products import decoded, exponent_of
from anyk.learn.report import Roll
from anyk.learn.response import Response
from anyk.power_sums import PowerSums
from anyk.running.distributed import Distributed

__all__ = ["CodedGradient", "longest"]

_FLAT = 7 / 8  # of the root of their number: the weights of few models are so nearly equal


def longest(columns: int) -> int:
    """What the absolute values of rounded weights may add up to, that have a norm of at most 1.

    Without rounding they add up to at most the root of their number, where all are equal; weights
    that are nearly so are halved once more.

    Example:
        >>> from anyk.learn.gradient import longest
        >>> longest(1), longest(1569)
        (1, 35)
    """
    return math.ceil(_FLAT * math.sqrt(columns))


@final
@dataclass(kw_only=True)
class CodedGradient:
    """The gradient of the polynomial loss, decoded from workers who see neither data nor weights.

    Each call brings the weights to a norm of at most 1 by a power of two, which stays here, rounds
    them r times without bias, encodes the roundings with fresh masks, and sums the decoded blocks.
    Each block's integers are decoded exactly, and become the nearest float64, which is the integer
    itself up to 2^53: always, where one prime holds them.

    Args:
        data: the encoded blocks, on the workers.
        response: g.
        formats: of data and weights.
        linear: X^T y, ndarray (columns, outputs).
        offset: X^T 1, ndarray (columns, 1).
        length: what the absolute values of a rounded column of weights may add up to.
        rows: how many there are, without padding.
        generator: of the roundings alone; None for the operating system's CSPRNG.
        roll: where answers, failures and lies are noted.
    """

    data: Distributed
    response: Response
    formats: Formats
    linear: NDArray[np.float64]
    offset: NDArray[np.float64]
    length: float
    rows: int
    generator: np.random.Generator | None
    roll: Roll

    def __call__(self, weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The polynomial loss and its gradient at these weights.

        Args:
            weights: float64 ndarray (columns, outputs).

        Returns:
            The mean over the rows of log 2 + sum_i c_i z^(i+1) / (i+1) - y z, added up over
            outputs, as w·X^T z^i is the sum of z^(i+1); and sum_i c_i X^T z^i + X^T (c_0 - y),
            divided by the rows.

        Raises:
            NotEnoughAnswers: if more workers failed than the scheme survives.
            TooManyErrors: if more workers lied than it can name.
        """
        formats, response = self.formats, self.response
        roundings, exponent = self._rounded(weights)
        blocks = self.data.encoded.scheme.problem.blocks  # type: ignore[union-attr] # a Map
        same = np.broadcast_to(roundings, (blocks, *roundings.shape))
        sent = self.data.encode(same, formats.weights)
        bits = formats.data_bits + formats.weight_bits
        function = of_degree(PowerSums(response.powers, bits), 2 * response.degree + 1)
        values = decoded(self.data, function, sent, self.roll)
        sums = np.sum(values, axis=0)
        gradient = response.coefficients[0] * self.offset - self.linear
        value = float(np.sum(weights * gradient))
        for power, total in zip(response.powers, sums, strict=True):
            term = response.coefficients[power] * np.ldexp(total, exponent * power)
            gradient = gradient + term
            value += float(np.sum(weights * term)) / (power + 1)
        return np.log(2) * weights.shape[1] + value / self.rows, gradient / self.rows

    def _rounded(self, weights: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
        """Roundings (columns, r, outputs) of the weights, short of a power of two."""
        exponent = exponent_of(np.linalg.norm(weights, axis=0))
        while True:
            # a norm may be a last bit short
            small = np.clip(np.ldexp(weights, -exponent), -1.0, 1.0)
            roundings = np.stack(
                [
                    self.formats.weights.quantise(small, self.generator)
                    for _ in range(self.response.degree)
                ],
                axis=1,
            )
            if np.abs(roundings).sum(axis=0).max(initial=0.0) <= self.length:
                return roundings, exponent
            exponent += 1
