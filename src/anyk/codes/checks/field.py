"""Freivalds' check over a prime field: any lie is found, but for a chance below 2**-61."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.checks.base import AbstractKeys, AbstractTest
from anyk.codes.checks.shapes import Left, left_shape, right_of
from anyk.domains.prime import PrimeField
from anyk.domains.sparse import SparseRows
from anyk.errors import InvalidArgument
from anyk.randomness.entropy import AbstractSource, SystemSource, residues

__all__ = ["FieldKeys", "rows_enough"]

_BITS = 61


def rows_enough(modulus: int) -> int:
    """How many secret rows make the chance of a lie at most 2**-61.

    Args:
        modulus: p.

    Example:
        >>> from anyk.codes.checks.field import rows_enough
        >>> rows_enough(2**31 - 1), rows_enough(101), rows_enough(2)
        (2, 10, 61)
    """
    rows = 1
    while modulus**rows < 1 << _BITS:
        rows += 1
    return rows


@final
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class FieldKeys(AbstractKeys):
    """For each left factor A~ secret uniform rows s, and s A~: a product C has s C = (s A~) B~.

    Args:
        field: of all entries.
        rows: s, int64 ndarray (shares, t, rows).
        keys: s A~, int64 ndarray (shares, t, inner).

    Guarantee:
        What is not the product passes with a chance of p^-t <= 2**-61, whatever it is, if whoever
        chose it knows nothing of s; the product always passes. Lies that failed tell no more than
        that they are not orthogonal to s: of q lies that follow each other one passes with a chance
        of q p^-t at most.

    References:
        Freivalds, Probabilistic machines can use less running time (IFIP 1977); Tang et al.,
        Adaptive verifiable coded computing (arXiv 2107.12958), section 4.

    Example:
        >>> from anyk.codes.checks.field import FieldKeys
        >>> field = anyk.PrimeField(101)
        >>> left, right = np.arange(12).reshape(2, 2, 3), np.arange(6).reshape(2, 3)
        >>> test = FieldKeys.of(field, left).against(right)
        >>> product = field.matmul(left[1], right[1])
        >>> test.passes(1, product), test.passes(1, np.array([0, 0])), test.passes(0, product)
        (True, False, False)
    """

    field: PrimeField
    rows: NDArray[np.int64]
    keys: NDArray[np.int64]

    @classmethod
    def of(
        cls, field: PrimeField, left: Left, *, source: AbstractSource = SystemSource()
    ) -> FieldKeys:
        """Fresh secrets, of their own for each share.

        Args:
            field: of the entries.
            left: int64 ndarray (shares, rows, inner) of residues, or csr_arrays of such.
            source: where they come from; whoever foresees them can lie.

        Raises:
            InvalidArgument: if these are no matrices.
        """
        shares, height, _ = left_shape(left)
        rows = residues(source, field.modulus, (shares, rows_enough(field.modulus), height))
        keys = [_combined(field, own, factor) for own, factor in zip(rows, left, strict=True)]
        return cls(field, rows, np.stack(keys))

    def against(self, right: NDArray[Any]) -> AbstractTest:
        """The test of the products with these right factors, int64 residues."""
        return _FieldTest(self, right_of(right, len(self.keys), self.keys.shape[2]))

    @property
    def smallest_lie(self) -> float:
        """0.0: any lie is found."""
        return 0.0

    @property
    def escapes(self) -> float:
        """p^-t, at most 2**-61."""
        return math.pow(self.field.modulus, -self.rows.shape[1])

    def __repr__(self) -> str:
        return f"<FieldKeys of {len(self.keys)} shares>"


def _combined(field: PrimeField, rows: NDArray[np.int64], factor: Any) -> NDArray[np.int64]:
    """Of a dense or a sparse A~, the combinations s A~."""
    if isinstance(factor, np.ndarray):
        return np.asarray(field.matmul(rows, factor))
    turned = factor.T.tocsr()
    sparse = SparseRows(turned.data, turned.indices, turned.indptr)
    return sparse.times_modulo(np.ascontiguousarray(rows.T), field.modulus).T


@final
@dataclass(frozen=True, eq=False, repr=False, slots=True)
class _FieldTest(AbstractTest):
    own: FieldKeys
    right: NDArray[np.int64]

    def passes(self, share: int, value: NDArray[Any]) -> bool:
        own, right = self.own, self.right[share if len(self.right) > 1 else 0]
        if value.shape != (own.rows.shape[2], *right.shape[1:]):
            return False
        try:
            product = own.field.validate(value, "answer")
        except InvalidArgument:
            return False
        found = own.field.matmul(own.rows[share], product)
        return np.array_equal(found, own.field.matmul(own.keys[share], right))

    def __repr__(self) -> str:
        return f"<test of {len(self.own.keys)} shares>"
