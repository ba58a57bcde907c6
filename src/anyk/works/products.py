"""Works that multiply the parts of a share: dense, modulo a number, and sparse ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

from anyk.domains.array import FieldArray
from anyk.work import AbstractWork

__all__ = ["Product", "ProductModulo", "SparseProduct"]

_DENSE = 2  # parts of a share of two dense factors


@final
@dataclass(frozen=True)
class Product(AbstractWork):
    """The product of the two parts of a share.

    Example:
        >>> from anyk.works.products import Product
        >>> Product()([np.ones((1, 3)), np.ones((3, 1))], [])
        array([[3.]])
    """

    @property
    def users(self) -> None:
        """None: there is none."""
        return

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """A~ @ B~."""
        left, right = (*parts, *arguments)
        return left @ right


@final
@dataclass(frozen=True)
class ProductModulo(AbstractWork):
    """The product of two parts modulo the number in the part before them.

    Residues are those nearest to zero, and nothing is rounded.

    Example:
        >>> from anyk.works.products import ProductModulo
        >>> ProductModulo()([np.array([7]), np.array([[3, 2]]), np.array([[3], [-2]])], [])
        array([[-2]])
    """

    @property
    def users(self) -> None:
        """None: there is none."""
        return

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """A~ @ B~ modulo p."""
        from anyk.domains.balanced import product_modulo  # noqa: PLC0415 - small primes alone

        modulus, left, right = (*parts, *arguments)
        return product_modulo(modulus, left, right)


@final
@dataclass(frozen=True)
class SparseProduct(AbstractWork):
    """The product of a matrix that may be sparse, and a dense one.

    A sparse matrix has three parts, of which the other one comes behind: its entries that are not
    zero, row after row, their columns, and where each row begins. The first two may be longer.

    Example:
        >>> from anyk.works.products import SparseProduct
        >>> entries, columns, starts = np.array([2.0, 3.0]), np.array([1, 0]), np.array([0, 1, 2])
        >>> SparseProduct()([entries, columns, starts, np.array([5.0, 7.0])], [])
        array([14., 15.])
        >>> SparseProduct()([np.ones((1, 3)), np.ones((3, 1))], [])
        array([[3.]])
    """

    @property
    def users(self) -> None:
        """None: there is none."""
        return

    def places(self, parts: int) -> range:
        """The columns, and where rows begin."""
        return range(1, 3) if parts > _DENSE else range(0)

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """A~ @ B~, in a time that is proportional to the entries of A~."""
        *left, right = (*parts, *arguments)
        if len(left) == 1:
            return left[0] @ right
        from anyk.domains.sparse import SparseRows  # noqa: PLC0415 - sparse matrices alone

        data, indices, starts = left
        if not isinstance(data, FieldArray):
            return SparseRows.padded(data, indices, starts).times(right)
        field: Any = data.field
        rows = SparseRows.padded(data.values, indices, starts)
        return FieldArray(rows.times_modulo(right.values, field.modulus), field)
