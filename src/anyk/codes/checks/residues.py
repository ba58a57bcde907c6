"""Freivalds' check of products modulo small primes, each share's own: any lie is found."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.checks.base import AbstractKeys, AbstractTest
from anyk.codes.checks.field import rows_enough
from anyk.codes.checks.shapes import left_shape, right_of
from anyk.domains.balanced import product_modulo
from anyk.errors import InvalidArgument
from anyk.randomness.entropy import AbstractSource, SystemSource, residues

__all__ = ["ResidueKeys"]


@final
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class ResidueKeys(AbstractKeys):
    """For each left factor A~ secret uniform rows s, and s A~: a product C has s C = (s A~) B~.

    Args:
        moduli: p of each share, int64 ndarray (shares, 1).
        rows: s, int64 ndarray (shares, t, rows).
        keys: s A~ modulo p, int64 ndarray (shares, t, inner).

    Guarantee:
        As that of `FieldKeys`, with a chance of p^-t <= 2**-61; a number that is not the residue
        nearest to zero never passes.

    References:
        Freivalds, Probabilistic machines can use less running time (IFIP 1977).

    Example:
        >>> from anyk.codes.checks.residues import ResidueKeys
        >>> left, right = np.array([[[1, 2]], [[1, 2]]]), np.array([[3, -1], [3, -1]])
        >>> test = ResidueKeys.of(np.array([[7], [11]]), left).against(right)
        >>> [test.passes(0, np.array([told])) for told in (1, 2, 8)]  # 3 - 2, modulo 7
        [True, False, False]
    """

    moduli: NDArray[np.int64]
    rows: NDArray[np.int64]
    keys: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        moduli: NDArray[np.int64],
        left: NDArray[np.int64],
        *,
        source: AbstractSource = SystemSource(),
    ) -> ResidueKeys:
        """Fresh secrets, of their own for each share.

        Args:
            moduli: odd primes below 2**23, ndarray (shares, 1).
            left: int64 ndarray (shares, rows, inner) of residues nearest to zero.
            source: where they come from; whoever foresees them can lie.

        Raises:
            InvalidArgument: if these are no matrices.
        """
        _, height, _ = left_shape(left)
        many = rows_enough(int(moduli.min()))
        rows = [residues(source, p, (many, height)) - p // 2 for p in moduli[:, 0].tolist()]
        keys = [product_modulo(*each) for each in zip(moduli, rows, left, strict=True)]
        return cls(moduli, np.stack(rows), np.stack(keys))

    def against(self, right: NDArray[Any]) -> AbstractTest:
        """The test of the products with these right factors, residues nearest to zero."""
        return _ResidueTest(self, right_of(right, len(self.keys), self.keys.shape[2]))

    @property
    def smallest_lie(self) -> float:
        """0.0: any lie is found."""
        return 0.0

    @property
    def escapes(self) -> float:
        """p^-t of the smallest prime, at most 2**-61."""
        return math.pow(int(self.moduli.min()), -self.rows.shape[1])

    def __repr__(self) -> str:
        return f"<ResidueKeys of {len(self.keys)} shares>"


@final
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class _ResidueTest(AbstractTest):
    own: ResidueKeys
    right: NDArray[np.int64]

    def passes(self, share: int, value: NDArray[Any]) -> bool:
        own, right = self.own, self.right[share if len(self.right) > 1 else 0]
        modulus, rows, key = own.moduli[share], own.rows[share], own.keys[share]
        if value.shape != (rows.shape[1], *right.shape[1:]):
            return False
        try:
            found = product_modulo(modulus, rows, value)
        except InvalidArgument:
            return False
        return np.array_equal(found, product_modulo(modulus, key, right))

    def __repr__(self) -> str:
        return f"<test of {len(self.own.keys)} shares>"
