"""Gradients on encoded data: what a worker computes, and what the master makes of the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.learn.formats import Formats
from anyk.learn.products import decoded, exponent_of
from anyk.learn.report import Roll
from anyk.learn.response import Response
from anyk.running.distributed import Distributed

__all__ = ["CodedGradient", "PowerSums"]


@final
@dataclass(frozen=True)
class PowerSums:
    """What a worker computes on its share: X^T (X w_1) * .. * (X w_i) for some i, on one scale.

    Args:
        powers: the i of which the response has a coefficient.
        shift: l_x + l_w, the fraction bits of one X w; a lower power is multiplied by as many as
            it lacks. 0 where there is one power, to tell nobody anything.

    Example:
        >>> from anyk.learn.gradient import PowerSums
        >>> field = anyk.PrimeField(101)
        >>> x, w = field.array([[1, 2], [3, 4]]), field.array([[[1]], [[1]]])
        >>> PowerSums(powers=(1,), shift=0)(x, w).values.tolist()  # X^T X w
        [[[24], [34]]]
    """

    powers: tuple[int, ...]
    shift: int

    def __call__(self, x: Any, weights: Any) -> Any:
        """The sums.

        Args:
            x: FieldArray (rows, columns).
            weights: FieldArray (columns, r, outputs): r roundings of the weights.

        Returns:
            FieldArray (powers, columns, outputs).
        """
        columns, degree, outputs = weights.shape
        z = (x @ weights.reshape(columns, degree * outputs)).reshape(len(x), degree, outputs)
        product, sums = z[:, 0], []
        for power in range(1, degree + 1):
            if power > 1:
                product = product * z[:, power - 1]
            if power in self.powers:
                total = x.T @ product
                lacks = self.shift * (degree - power)
                sums.append(total * (1 << lacks) if lacks else total)
        return np.stack(sums)


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
        rows: how many there are, without padding.
        generator: of the roundings alone; None for the operating system's CSPRNG.
        roll: where answers, failures and lies are noted.
    """

    data: Distributed
    response: Response
    formats: Formats
    linear: NDArray[np.float64]
    offset: NDArray[np.float64]
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
        exponent = exponent_of(np.linalg.norm(weights, axis=0))
        small = np.clip(np.ldexp(weights, -exponent), -1.0, 1.0)  # a norm may be a last bit short
        roundings = np.stack(
            [formats.weights.quantise(small, self.generator) for _ in range(response.degree)],
            axis=1,
        )
        blocks = self.data.encoded.scheme.problem.blocks  # type: ignore[union-attr] # a Map
        same = np.broadcast_to(roundings, (blocks, *roundings.shape))
        shift = formats.data_bits + formats.weight_bits if len(response.powers) > 1 else 0
        sent = self.data.encode(same, formats.weights)
        values = decoded(self.data, PowerSums(response.powers, shift), sent, self.roll)
        sums = np.sum(values, axis=0)
        gradient = response.coefficients[0] * self.offset - self.linear
        value = float(np.sum(weights * gradient))
        for power, total in zip(response.powers, sums, strict=True):
            term = response.coefficients[power] * np.ldexp(total, exponent * power)
            gradient = gradient + term
            value += float(np.sum(weights * term)) / (power + 1)
        return np.log(2) * weights.shape[1] + value / self.rows, gradient / self.rows
