"""Sparse matrices by their rows: checked, and multiplied exactly modulo a prime below 2**31.

Residues of the matrix are cut in two limbs, a = high * 2**16 + low. Products of a limb and a
residue are below 2**47, and 2**16 of them add up to less than 2**63: int64 holds what a row makes,
limb by limb. Longer rows are cut. Where p**2 times the longest row is below 2**63, nothing is cut.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from anyk.errors import InvalidArgument

__all__ = ["SparseRows"]

_PLACES = (np.dtype(np.int32), np.dtype(np.int64))  # others would wrap where rows are cut
_HALF = 16
_MOST = 1 << 63
_LONGEST = 1 << _HALF  # entries of a row, of which the products with limbs add up


@final
@dataclass(frozen=True, eq=False)
class SparseRows:
    """A matrix by the entries of its rows that are not zero (CSR).

    Args:
        data: the entries, row after row, ndarray (entries,).
        indices: the column of each.
        starts: where each row begins, and where the last one ends, ndarray (rows + 1,).

    Example:
        >>> from anyk.domains.sparse import SparseRows
        >>> rows = SparseRows(np.array([2, 3]), np.array([1, 0]), np.array([0, 1, 1, 2]))
        >>> rows.times(np.array([5, 7])).tolist()
        [14, 0, 15]
        >>> rows.times_modulo(np.array([5, 7]), 11).tolist()
        [3, 0, 4]
    """

    data: NDArray[Any]
    indices: NDArray[Any]
    starts: NDArray[Any]

    @classmethod
    def padded(cls, data: NDArray[Any], indices: NDArray[Any], starts: NDArray[Any]) -> Self:
        """Of arrays that may have more behind the entries.

        Args:
            data: the entries.
            indices: the column of each.
            starts: of the rows.

        Raises:
            InvalidArgument: if they are no rows of a matrix.
        """
        whole = all(each.ndim == 1 and each.dtype in _PLACES for each in (indices, starts))
        if not whole or not starts.size or data.shape != indices.shape:
            raise _no_rows("arrays of other shapes, or kinds")
        entries = int(starts[-1])
        falling = starts[1:] < starts[:-1]  # compared, as differences may wrap
        if starts[0] != 0 or entries > len(data) or falling.any():
            raise _no_rows("rows that do not begin where those before them end")
        return cls(data[:entries], indices[:entries], starts)

    def times(self, right: NDArray[Any]) -> NDArray[Any]:
        """The product with a dense matrix or vector, of the same numbers.

        Args:
            right: ndarray (inner, columns) or (inner,).

        Raises:
            InvalidArgument: if a column of the matrix is none of `inner`.
        """
        self._check(len(right))
        return self._product(self.data, self.starts, right)

    def times_modulo(self, right: NDArray[np.int64], modulus: int) -> NDArray[np.int64]:
        """The same modulo a prime, exactly.

        Args:
            right: int64 ndarray (inner, columns) or (inner,) of residues.
            modulus: p < 2**31; the entries are residues.

        Raises:
            InvalidArgument: if a column of the matrix is none of `inner`.
        """
        self._check(len(right))
        lengths = np.diff(self.starts)
        longest = int(lengths.max(initial=0))
        if modulus**2 * longest < _MOST:
            short: NDArray[np.int64] = self._product(self.data, self.starts, right) % modulus
            return short
        starts, pieces = self.starts, None
        if longest > _LONGEST:
            pieces = np.maximum(1, -(-lengths // _LONGEST))
            first = np.cumsum(pieces) - pieces
            within = np.arange(int(pieces.sum())) - np.repeat(first, pieces)
            begin = np.repeat(self.starts[:-1], pieces) + within * _LONGEST
            starts = np.append(begin, self.starts[-1]).astype(self.starts.dtype)
        high = self._product(self.data >> _HALF, starts, right) % modulus
        low = self._product(self.data & (_LONGEST - 1), starts, right) % modulus
        sums: NDArray[np.int64] = (high * _LONGEST + low) % modulus
        if pieces is None:
            return sums
        return np.asarray(np.add.reduceat(sums, np.cumsum(pieces) - pieces, axis=0) % modulus)

    def _product(
        self, data: NDArray[Any], starts: NDArray[Any], right: NDArray[Any]
    ) -> NDArray[Any]:
        import scipy  # noqa: PLC0415 - its submodules load when first used, and many need none

        shape = (len(starts) - 1, len(right))
        rows = scipy.sparse.csr_array((data, self.indices, starts), shape=shape)
        product: NDArray[Any] = rows @ right
        return product

    def _check(self, inner: int) -> None:
        """Refuse columns beyond the factor, which would read memory of something else."""
        if self.indices.size and not (self.indices.min() >= 0 and self.indices.max() < inner):
            raise _no_rows(f"columns beyond the {inner} rows of the other factor")


def _no_rows(given: str) -> InvalidArgument:
    return InvalidArgument(
        "share",
        given=given,
        needed="the entries of a sparse matrix, their columns, and where each row begins",
        change="Encode the factors with one scheme, and multiply those.",
    )
