"""Gradients on encoded data: what a worker computes, and what the master makes of the answers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.degrees.of_degree import of_degree
from anyk.errors import InvalidArgument, TooManyErrors
from anyk.learn.precision import Precision
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
            it lacks.

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
    """The mean gradient of the loss, decoded from workers who see neither data nor weights.

    Each call rounds the weights r times without bias, encodes the roundings with fresh masks, and
    sums the decoded blocks. Each block's integers are decoded exactly, and become the nearest
    float64, which is the integer itself up to 2^53: always, where one prime holds them.

    Args:
        data: the encoded blocks, on the workers.
        response: g.
        precision: the formats.
        constant: X^T (c_0 - y), ndarray (columns, outputs).
        rows: how many there are, without padding.
        generator: of the roundings alone; None for the operating system's CSPRNG.
        roll: where answers, failures and lies are noted.
    """

    data: Distributed
    response: Response
    precision: Precision
    constant: NDArray[np.float64]
    rows: int
    generator: np.random.Generator | None
    roll: Roll
    waited: float = 0.0  # seconds on the executor's clock
    answering: float = 0.0  # seconds of this machine

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """The gradient at these weights.

        Args:
            weights: float64 ndarray (columns, outputs).

        Returns:
            sum_i c_i X^T z^i + X^T (c_0 - y), divided by the rows.

        Raises:
            NotEnoughAnswers: if more workers failed than the scheme survives.
            TooManyErrors: if more workers lied than it can name.
        """
        formats = self.precision
        # a projection onto the ball may end a last bit outside
        weights = np.clip(weights, -formats.weights.magnitude, formats.weights.magnitude)
        roundings = np.stack(
            [
                formats.weights.quantise(weights, self.generator)
                for _ in range(self.response.degree)
            ],
            axis=1,
        )
        blocks = self.data.encoded.scheme.problem.blocks  # type: ignore[union-attr] # a Map
        same = np.broadcast_to(roundings, (blocks, *roundings.shape))
        worker = PowerSums(self.response.powers, formats.data_bits + formats.weight_bits)
        # `choose_precision` knows these data's largest gradient, which no function can
        stated = of_degree(worker, 2 * self.response.degree + 1)
        sent = self.data.encode(same, formats.weights)
        started = time.perf_counter()
        try:
            outcome = self.data.run(stated, sent, progress=False)
        except InvalidArgument as error:
            if error.argument != "embedding":
                raise
            # no honest answers decode to a result beyond the budget, which these data can't reach
            promise = self.data.encoded.scheme.guarantee
            raise TooManyErrors(
                answered=range(promise.workers), adversaries=promise.adversaries
            ) from None
        self.answering += time.perf_counter() - started
        self.roll.note(outcome)
        self.waited += outcome.elapsed
        values: Sequence[Any] = outcome.value  # type: ignore[assignment] # it has succeeded
        slopes = np.array([self.response.coefficients[i] for i in self.response.powers])
        total = np.tensordot(slopes, np.sum(values, axis=0), axes=1)
        return np.asarray((total + self.constant) / self.rows)
