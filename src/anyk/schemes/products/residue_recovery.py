"""What a product is by its residues: the Chinese remainder theorem, and one rounding of floats."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.exact.chinese import ChineseCode
from anyk.domains.balanced_digits import integers, rounded, wrapped
from anyk.domains.whole import Integers
from anyk.schemes.certainty import Certainty
from anyk.schemes.products.whole_factors import WholeFactor
from anyk.schemes.recovery import AbstractRecovery, rows_of

__all__ = ["ProductOfResidues", "ResidueRecovery", "exponents_of"]

_WORD = 63  # bits of an int64 beside its sign


@final
@dataclass(frozen=True, eq=False)
class ProductOfResidues:
    """What a recovery needs to know of the product of two factors.

    Args:
        shape: of it.
        exponents: by which powers of two its entries are to be multiplied, int64 ndarray of that
            shape; None for a product of integers.
    """

    shape: tuple[int, ...]
    exponents: NDArray[np.int64] | None


def exponents_of(A: WholeFactor, B: WholeFactor) -> NDArray[np.int64] | None:
    """The powers of two by which the entries of a product are multiplied.

    Args:
        A: the left factor.
        B: the right one.

    Returns:
        int64 ndarray of the shape of the product; None where both factors came as integers.
    """
    if A.exponents is None and B.exponents is None:
        return None
    rows, columns = A.integers.shape[0], B.integers.shape[1:]
    left = np.zeros(rows, dtype=np.int64) if A.exponents is None else A.exponents
    right = np.zeros(columns or 1, dtype=np.int64) if B.exponents is None else B.exponents
    return np.add.outer(left, right).reshape(rows, *columns)


@final
@dataclass(frozen=True, eq=False)
class ResidueRecovery(AbstractRecovery):
    """The product of two factors from its residues modulo some primes.

    Args:
        primes: one for each share.
        bits: entries of the product of integers are below 2**bits.
        certainty: how many residues determine an entry, and how many may be wrong.
        product: its shape, and its powers of two.
        shares: that were answered, in the order of their answers.
    """

    primes: tuple[int, ...]
    bits: int
    certainty: Certainty
    product: ProductOfResidues
    shares: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        """The shares."""
        return self.shares

    @property
    def modulus(self) -> int:
        """The product of the primes."""
        return math.prod(self.primes)

    @property
    def matrix(self) -> NDArray[Any]:
        """R, object ndarray (1, len(answered)): 1 modulo one prime and 0 modulo the others."""
        rests = [self.modulus // prime for prime in self.primes]
        pairs = zip(rests, self.primes, strict=True)
        return np.array([[rest * pow(rest, -1, prime) for rest, prime in pairs]], dtype=object)

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The product from the answers.

        Args:
            values: int64 ndarray (len(answered), *shape).

        Returns:
            A @ B, and the liars.

        Raises:
            InvalidArgument: if `values` does not fit.
            TooManyErrors: if they contradict each other beyond what can be mended, or are of
                another shape than the product.
        """
        product, certainty = self.product, self.certainty
        array = rows_of(values, self.shares, Integers(), self.product.shape)
        if array.shape[1:] != product.shape:  # whoever answers so lies, and most did
            raise certainty.contradiction(self.shares, 0)
        value = np.empty(math.prod(product.shape), dtype=self._dtype)
        exponents = None if product.exponents is None else product.exponents.reshape(-1)

        def write(
            places: slice, digits: Sequence[NDArray[np.float64]], primes: Sequence[int]
        ) -> None:
            if exponents is not None:
                value[places] = rounded(digits, primes, exponents[places])
            else:
                value[places] = (integers if self._dtype is object else wrapped)(digits, primes)

        code = ChineseCode(self.primes, self.bits, certainty.dimension)
        located = code.read(array.reshape(len(array), -1), certainty.most(self.shares), write)
        liars = certainty.liars(self.shares, located)
        return Recovered(
            value=value.reshape(product.shape), suspects=liars, known=np.ones(1, dtype=np.bool_)
        )

    @property
    def _dtype(self) -> Any:
        if self.product.exponents is not None:
            return np.float64
        return np.int64 if self.bits <= _WORD else object
