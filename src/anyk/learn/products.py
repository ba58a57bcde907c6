"""X v and X^T u on encoded data: what workers compute, and what the master makes of it."""

from __future__ import annotations

import functools
import operator
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.degrees.of_degree import of_degree
from anyk.errors import InvalidArgument, TooManyErrors
from anyk.learn.formats import Formats
from anyk.learn.report import Roll, bytes_of
from anyk.learn.subspace import AbstractProducts
from anyk.running.distributed import Distributed

__all__ = ["CodedProducts", "LiftedProducts", "decoded", "exponent_of", "lifts"]

_SPARE = 16.0  # how many times as large a row may be as the largest times the root of its weight


# What workers compute on the share of a block: X v, and X^T u. They load nothing of this package,
# whose extra they need not have. Degree and size of the results are known, so nobody follows them.
_TIMES = of_degree(operator.matmul, 2)
_TRANSPOSED_TIMES = of_degree(functools.partial(np.tensordot, axes=(0, 0)), 2)


def exponent_of(values: NDArray[np.float64]) -> int:
    """The e of the smallest 2^e that no value is larger than; 0 where all are 0.

    Example:
        >>> from anyk.learn.products import exponent_of
        >>> exponent_of(np.array([0.25, -0.3])), exponent_of(np.array([0.25]))
        (-1, -2)
    """
    fraction, exponent = np.frexp(np.abs(values).max(initial=0.0))
    return int(exponent) - int(fraction == 0.5)  # noqa: PLR2004 - a power of two


def decoded(data: Distributed, function: Callable[..., Any], sent: Any, roll: Roll) -> Any:
    """What a function of encoded data comes to, block by block.

    Args:
        data: the encoded blocks.
        function: of a block and an argument.
        sent: the encoded argument.
        roll: where answers, failures, lies and seconds are noted.

    Raises:
        NotEnoughAnswers: if more workers failed than the scheme survives.
        TooManyErrors: if more workers lied than it can name.
    """
    started = time.perf_counter()
    try:
        heard = roll.listener(data.encoded.scheme.domain)
        outcome = data.run(function, sent, on_answer=heard, progress=False)
    except InvalidArgument as error:
        if error.argument != "embedding":
            raise
        # no honest answers decode to a result beyond the budget, which these data can't reach
        promise = data.encoded.scheme.guarantee
        raise TooManyErrors(
            answered=range(promise.workers), adversaries=promise.adversaries
        ) from None
    roll.note(outcome, time.perf_counter() - started, bytes_of(sent))
    return outcome.value


@final
@dataclass(kw_only=True)
class CodedProducts(AbstractProducts):
    """Products with a matrix that is encoded on the workers, decoded from their answers.

    What is multiplied is brought to at most 1 by a power of two, rounded without bias, and encoded
    with fresh masks; the power is put back afterwards, so that bits are never short however large
    or small it is. A product is exactly that of the rounded matrix and the rounded factor, as the
    nearest float64.

    Args:
        data: the encoded blocks of X, on the workers.
        formats: of both factors.
        rows: how many X has, without padding.
        generator: of the roundings alone; None for the operating system's CSPRNG.
        roll: where answers, failures and lies are noted.
    """

    data: Distributed
    formats: Formats
    rows: int
    generator: np.random.Generator | None
    roll: Roll

    def forward(
        self, directions: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """X V.

        Args:
            directions: V, float64 ndarray (columns, outputs).

        Returns:
            V as rounded, and X times that, float64 ndarray (rows, outputs).

        Raises:
            NotEnoughAnswers: if more workers failed than the scheme survives.
            TooManyErrors: if more workers lied than it can name.
        """
        rounded, exponent = self._rounded(directions)
        same = np.broadcast_to(rounded, (self._blocks, *rounded.shape))
        values = self._products(_TIMES, same, exponent)
        images = np.asarray(values).reshape(-1, rounded.shape[1])[: self.rows]
        return np.ldexp(rounded, exponent), images

    def backward(self, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
        """X^T U.

        Args:
            slopes: U, float64 ndarray (rows, outputs).

        Returns:
            float64 ndarray (columns, outputs).

        Raises:
            NotEnoughAnswers: if more workers failed than the scheme survives.
            TooManyErrors: if more workers lied than it can name.
        """
        rounded, exponent = self._rounded(slopes)
        outputs = slopes.shape[1]
        padded = np.zeros((self._blocks, -(-self.rows // self._blocks), outputs))
        padded.reshape(-1, outputs)[: self.rows] = rounded
        return np.asarray(self._products(_TRANSPOSED_TIMES, padded, exponent).sum(axis=0))

    @property
    def _blocks(self) -> int:
        return int(self.data.encoded.scheme.problem.blocks)  # type: ignore[union-attr] # a Map

    def _rounded(self, values: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
        exponent = exponent_of(values)
        return self.formats.weights.quantise(np.ldexp(values, -exponent), self.generator), exponent

    def _products(
        self, function: Callable[..., Any], values: NDArray[np.float64], exponent: int
    ) -> NDArray[np.float64]:
        sent = self.data.encode(values, self.formats.weights)
        products: Sequence[Any] = decoded(self.data, function, sent, self.roll)
        return np.asarray(np.ldexp(np.asarray(products), exponent))


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class LiftedProducts(AbstractProducts):
    """Products with a matrix some of whose rows were made smaller by a power of two.

    Args:
        products: with the smaller rows.
        exponents: of the powers of two that they are short of, int ndarray (rows, 1).

    Example:
        >>> from anyk.learn.products import LiftedProducts
        >>> from anyk.learn.subspace import PlainProducts
        >>> products = PlainProducts(np.array([[1.0], [3.0]]))
        >>> LiftedProducts(products=products, exponents=np.array([[0], [2]])).backward(np.eye(2))
        array([[ 1., 12.]])
    """

    products: AbstractProducts
    exponents: NDArray[np.int_]

    def forward(
        self, directions: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """V, perhaps rounded, and X V."""
        taken, images = self.products.forward(directions)
        return taken, np.ldexp(images, self.exponents)

    def backward(self, slopes: NDArray[np.float64]) -> NDArray[np.float64]:
        """X^T U."""
        return self.products.backward(np.ldexp(slopes, self.exponents))


def lifts(design: NDArray[np.float64], weights: NDArray[np.float64] | float) -> NDArray[np.int_]:
    """By which powers of two rows are made smaller to be encoded: those far out, of little weight.

    Bits count from the largest entry. A row whose error the loss hardly sees should not be that.

    Args:
        design: X, float64 ndarray (rows, columns).
        weights: of the rows in the loss, float64 ndarray (rows, 1); or 1.0.

    Returns:
        Exponents, int ndarray (rows, 1), 0 for most rows and for all where weights are the same.

    Example:
        >>> from anyk.learn.products import lifts
        >>> lifts(np.array([[1.0], [1000.0]]), np.array([[2.0], [1e-9]])).ravel()
        array([0, 6])
    """
    largest = np.abs(design).max(axis=1, keepdims=True)
    most = _SPARE * float(np.max(np.sqrt(weights) * largest))
    if not most > 0:
        return np.zeros(largest.shape, dtype=int)
    return np.asarray(np.maximum(np.frexp(largest / most)[1], 0), dtype=int)
