"""Shares of a sparse matrix that stay sparse: combinations of its rows of blocks."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument
from anyk.schemes.products.sizes import sparse_column_sizes

__all__ = ["is_sparse", "rows_of_shares", "sparse_combination", "sparse_rows", "sparse_shares"]

_MATRIX = 2  # axes
_INT32 = 1 << 31


def is_sparse(factor: Any) -> bool:
    """Whether this is one of scipy's sparse matrices or arrays.

    Example:
        >>> import scipy.sparse
        >>> from anyk.schemes.products.sparse_rows import is_sparse
        >>> is_sparse(scipy.sparse.eye_array(3)), is_sparse(np.eye(3))
        (True, False)
    """
    return type(factor).__module__.startswith("scipy.sparse") and scipy.sparse.issparse(factor)


def sparse_rows(domain: AbstractDomain, factor: Any, blocks: int) -> list[Any]:
    """The rows of blocks of a sparse A, with empty rows at the end where it can't be cut evenly.

    Args:
        domain: of its entries.
        factor: a matrix of scipy.sparse, of any format.
        blocks: m.

    Returns:
        m csr_arrays of one shape, with entries of the domain.

    Raises:
        InvalidArgument: if it is no matrix, has no entries to be, or one that is not of the domain.
    """
    if factor.ndim != _MATRIX or not all(factor.shape):
        raise InvalidArgument(
            "X",
            given=f"a sparse A of shape {factor.shape}",
            needed="(rows, inner), none of them 0",
            change="Reshape it.",
        )
    rows = scipy.sparse.csr_array(factor)
    if not rows.has_canonical_format:
        rows = rows.copy()  # the user's is not written in
        rows.sum_duplicates()
    height = -(-rows.shape[0] // blocks)
    starts = np.pad(rows.indptr, (0, blocks * height - rows.shape[0]), mode="edge")
    data = domain.validate(rows.data, "X")
    cut = []
    for first in range(0, blocks * height, height):
        own = starts[first : first + height + 1]
        these = slice(own[0], own[-1])
        cut.append(_rows(data[these], rows.indices[these], own - own[0], rows.shape[1]))
    return cut


def sparse_combination(
    domain: AbstractDomain, coefficients: NDArray[Any], blocks: list[Any]
) -> Any:
    """One share: sum_j c_j A_j, with as many entries as the blocks that are in it, at most.

    Args:
        domain: of all numbers.
        coefficients: c, ndarray (blocks,), most of them 0.
        blocks: A_j, csr_arrays of one shape.
    """
    first, *others = np.flatnonzero(coefficients)
    total = _scaled(domain, blocks[first], coefficients[first])
    for place in others:
        total += _scaled(domain, blocks[place], coefficients[place])
    return _rows(_reduced(domain, total.data), total.indices, total.indptr, total.shape[1])


def _scaled(domain: AbstractDomain, block: Any, factor: Any) -> Any:
    data = block.data if factor == 1 else _reduced(domain, block.data * factor)
    return _rows(data, block.indices, block.indptr, block.shape[1])


def sparse_shares(
    domain: AbstractDomain, coefficients: NDArray[Any], factor: Any
) -> tuple[tuple[NDArray[Any], ...], NDArray[np.float64] | None]:
    """The three parts of all shares of a sparse A: entries, columns, and where rows begin.

    Args:
        domain: of the entries.
        coefficients: D, ndarray (shares, m).
        factor: A, a matrix of scipy.sparse.

    Returns:
        ndarrays (shares, entries), (shares, entries) and (shares, rows + 1): shares with fewer
        entries than the longest end in zeros. And how large the columns of each block
        are, root mean square, zeros counted, ndarray (m, inner); None over a field.

    Raises:
        InvalidArgument: if it can't be encoded.
    """
    blocks = sparse_rows(domain, factor, coefficients.shape[1])
    shares = [sparse_combination(domain, row, blocks) for row in coefficients]
    longest = max(1, *(share.nnz for share in shares))
    inner = blocks[0].shape[1]
    dtype = np.int32 if max(longest, inner) < _INT32 else np.int64
    data = np.zeros((len(shares), longest), dtype=domain.dtype)
    columns = np.zeros((len(shares), longest), dtype=dtype)
    for place, share in enumerate(shares):
        data[place, : share.nnz], columns[place, : share.nnz] = share.data, share.indices
    starts = np.stack([share.indptr for share in shares]).astype(dtype)
    sizes = None if domain.exact else np.array([sparse_column_sizes(block) for block in blocks])
    return (data, columns, starts), sizes


def rows_of_shares(parts: tuple[NDArray[Any], ...], inner: int) -> tuple[Any, ...]:
    """The shares of which these are the parts, as csr_arrays.

    Args:
        parts: as `sparse_shares` makes them.
        inner: how many columns they have.
    """
    return tuple(
        _rows(data[: starts[-1]], columns[: starts[-1]], starts, inner)
        for data, columns, starts in zip(*parts, strict=True)
    )


def _rows(data: NDArray[Any], indices: NDArray[Any], starts: NDArray[Any], inner: int) -> Any:
    return scipy.sparse.csr_array((data, indices, starts), shape=(len(starts) - 1, inner))


def _reduced(domain: AbstractDomain, data: NDArray[Any]) -> NDArray[Any]:
    """Residues again, in a field: a product of two is below 2**62, sums of them are not made."""
    return data % domain.modulus if isinstance(domain, PrimeField) else data
