"""Noise for differential privacy that clients add together: no one of them knows the sum of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.aggregation.vectors import Numbers, Vectors, Whole
from anyk.checks import MOST, count, instance, positive, probability, settle
from anyk.errors import InvalidArgument
from anyk.fixed_point.format import FixedPoint
from anyk.randomness.discrete_gaussian import LEAST_STD, MOST_STD, discrete_gaussian
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.randomness.gaussian import LARGEST, SKEW

__all__ = ["Noise", "noised"]

_MANY = 10_000  # terms; those that follow are smaller
_ORDERS = np.concatenate([1 + np.geomspace(1e-3, 1.0, 40), np.geomspace(2.0, 1e6, 400)[1:]])


@final
@dataclass(frozen=True, kw_only=True)
class Noise:
    """Discrete Gaussian noise, distributed among clients, and the norm that it hides.

    Args:
        std: of the noise in a sum, at least, in the units of the vectors: each client adds discrete
            Gaussian noise of std / sqrt(honest).
        norm: largest Euclidean norm of a client's vector. A larger one is refused at the client:
            clipping it is the caller's own choice, beforehand.
        honest: how many clients of a sum add their noise, at least: those who collude with the
            server may add none.

    Raises:
        InvalidArgument: if a number is out of range.

    Guarantee:
        Whoever sees the sum can't tell a client's vector from zeros, but to (epsilon, delta) as
        `epsilon` says, if `honest` clients add their noise. It is for one sum: those of many rounds
        add up, also those of rounds that fail after it sent. Who took part is no secret, nor that a
        client is missing whose vector was refused: clip its norm beforehand.

    References:
        Kairouz, Liu, Steinke: The distributed discrete Gaussian mechanism for federated learning
        with secure aggregation (ICML 2021, arXiv 2102.06387), proposition 14.

    Example:
        >>> from anyk import aggregation
        >>> noise = aggregation.Noise(std=4.0, norm=1.0, honest=100)
        >>> fixed = anyk.FixedPoint(fraction_bits=16, magnitude=1.0)
        >>> round(noise.epsilon(delta=1e-6, length=1000, numbers=fixed), 2)
        1.14
    """

    std: float
    norm: float
    honest: int

    def __post_init__(self) -> None:
        for name in ("std", "norm"):
            size = positive(name, getattr(self, name), change="Give it in units of the vectors.")
            object.__setattr__(self, name, size)
        settle(self, honest=1)

    def share(self, numbers: Numbers) -> float:
        """Standard deviation of the integers that one client adds.

        Args:
            numbers: of the plan.

        Raises:
            InvalidArgument: if it is below 1/2, or too large.
        """
        size = self.std * _unit(numbers) / math.sqrt(self.honest)
        if not LEAST_STD <= size <= MOST_STD:
            raise InvalidArgument(
                "noise",
                given=f"noise of {size:.3g} integers a client",
                needed="std * 2^fraction_bits / sqrt(honest) from 1/2 to 2^34",
                change="Take more fraction_bits where it is too fine, or fewer.",
            )
        return size

    def most(self, numbers: Numbers) -> int:
        """No integer that a client adds is larger."""
        return math.ceil((LARGEST + 1) * self.share(numbers))

    def bound(self, numbers: Numbers, length: int) -> float:
        """The largest norm of a client's integers: rounding may enlarge that of its vector.

        Args:
            numbers: of the plan.
            length: of a vector.
        """
        step = 0.0
        if isinstance(numbers, FixedPoint):
            step = 0.5 if numbers.rounding == "nearest" else 1.0
        return self.norm * _unit(numbers) + step * math.sqrt(length)

    def epsilon(self, *, delta: float, length: int, numbers: Numbers) -> float:
        """The epsilon of (epsilon, delta)-differential privacy of one sum.

        With n honest clients, s = bound / (sqrt(n) share) and tau = 10 sum_{k<n} e^(-2 pi^2 share^2
        k / (k + 1)), the Rényi divergence of order a is at most the smaller one of a s^2 / 2 +
        tau d and a (s + tau sqrt(d))^2 / 2; the best order is taken. What floats round in the
        chances of the noise counts too.

        Args:
            delta: between 0 and 1.
            length: of a vector.
            numbers: of the plan.

        Raises:
            InvalidArgument: if a number is out of range.
        """
        delta = probability("delta", delta, change="Pass 1e-6, say.")
        instance("numbers", numbers, (FixedPoint, Whole), change="Pass those of the plan.")
        length = count("length", length, least=1, most=MOST)
        share, many = self.share(numbers), self.honest
        ratio = self.bound(numbers, length) / (math.sqrt(many) * share)
        k = np.arange(1, min(many, _MANY))
        terms = np.exp(-2 * (math.pi * share) ** 2 * k / (k + 1))
        tau = 10 * float(terms.sum() + (many - 1 - len(k)) * terms.min(initial=1.0))
        first = _ORDERS * ratio**2 / 2 + tau * length
        second = _ORDERS * (ratio + tau * math.sqrt(length)) ** 2 / 2
        order = _ORDERS
        spent = np.minimum(first, second) + np.log1p(-1 / order)
        spent -= (math.log(delta) + np.log(order)) / (order - 1)
        return max(0.0, float(spent.min())) + 2 * many * length * SKEW


def noised(
    noise: Noise | None,
    vectors: Vectors,
    integers: NDArray[np.int64],
    source: AbstractSource = SystemSource(),
) -> NDArray[np.int64]:
    """A client's integers with its part of the noise.

    Args:
        noise: of the plan; None for none.
        vectors: of the plan.
        integers: int64 ndarray (entries,).
        source: of the noise.

    Raises:
        InvalidArgument: if their norm is above the bound.
    """
    if noise is None:
        return integers
    size = float(np.linalg.norm(integers.astype(np.float64)))
    most = noise.bound(vectors.numbers, vectors.length)
    if size > most * (1 + 1e-12):
        raise InvalidArgument(
            "vector",
            given=f"a vector of norm {size / _unit(vectors.numbers):.6g}",
            needed=f"at most norm={noise.norm:g}, which the noise hides",
            change="Clip its norm beforehand, if that is what you mean.",
        )
    return integers + discrete_gaussian(source, noise.share(vectors.numbers), integers.shape)


def _unit(numbers: Numbers) -> float:
    """How many integers a unit has."""
    return 2.0**numbers.fraction_bits if isinstance(numbers, FixedPoint) else 1.0
