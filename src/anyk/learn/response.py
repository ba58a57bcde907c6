"""The response of a logistic model as a polynomial: a sigmoid for a field."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Self, final

import numpy as np
from numpy.polynomial import Legendre, Polynomial

from anyk.checks import count, positive
from anyk.errors import InvalidArgument

__all__ = ["Response"]

_NODES = 256  # of Gauss's quadrature: exact to float64 for a sigmoid on any sensible interval


@final
@dataclass(frozen=True)
class Response:
    """g(z) = c_0 + c_1 z + .. + c_r z^r, what a model answers to z = x·w.

    Args:
        coefficients: c_0, .., c_r; r >= 1.
        interval: Z, where |z| should stay for g to mean anything.

    Example:
        >>> from anyk.learn.response import Response
        >>> Response.sigmoid(1, 8.0).powers, Response.sigmoid(3, 8.0).powers
        ((1,), (1, 3))
    """

    coefficients: tuple[float, ...]
    interval: float

    @classmethod
    def sigmoid(cls, degree: int, interval: float) -> Self:
        """The least-squares fit of 1 / (1 + exp(-z)) on [-Z, Z].

        The sigmoid is 1/2 plus an odd function, so that even powers have no coefficient.

        Args:
            degree: r, odd.
            interval: Z.

        Raises:
            InvalidArgument: if the degree is even, or the interval is not positive.

        References:
            So, Guler, Avestimehr: CodedPrivateML (IEEE JSAIT 2021), section III-B.

        Example:
            >>> from anyk.learn.response import Response
            >>> [round(c, 4) for c in Response.sigmoid(1, 10.0).coefficients]
            [0.5, 0.0725]
        """
        if count("degree", degree, least=1) % 2 == 0:
            raise InvalidArgument(
                "degree",
                given=str(degree),
                needed="an odd number: even powers of the sigmoid have no coefficient",
                change=f"Pass {degree - 1}, which costs fewer workers, or {degree + 1}.",
            )
        wide = positive("interval", interval, change="Pass 8.0, say.")
        return cls(_fitted(int(degree), wide), wide)

    @property
    def degree(self) -> int:
        """The degree r."""
        return len(self.coefficients) - 1

    @property
    def powers(self) -> tuple[int, ...]:
        """The i >= 1 of which c_i is not 0."""
        return tuple(i for i, c in enumerate(self.coefficients) if i and c)

    @property
    def slope(self) -> float:
        """The largest g'(z) on [-Z, Z]: how curved the loss is."""
        if self.degree == 1:
            return self.coefficients[1]
        derivative = Polynomial(self.coefficients).deriv()
        return float(derivative(np.linspace(-self.interval, self.interval, 4 * _NODES + 1)).max())


@lru_cache(maxsize=32)
def _fitted(degree: int, interval: float) -> tuple[float, ...]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    values = 1 / (1 + np.exp(-interval * nodes)) - 1 / 2
    powers = np.arange(degree + 1)
    basis = np.polynomial.legendre.legvander(nodes, degree)
    odd = (2 * powers + 1) / 2 * (basis.T @ (weights * values)) * (powers % 2)
    fit = Legendre(odd, domain=[-interval, interval]).convert(kind=Polynomial).coef
    return (1 / 2, *(float(c) if i % 2 else 0.0 for i, c in enumerate(fit) if i))
