"""Factors cut in a grid of blocks, with zeros where they do not fit, and products put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain
from anyk.errors import InvalidArgument

__all__ = ["Grid", "cut"]


@final
@dataclass(frozen=True)
class Grid:
    """How two factors are cut, and the size of their product.

    Args:
        partition: (m, p, n): A in m x p blocks, B in p x n blocks.
        rows: of A.
        columns: of B; None where B is a vector.

    Example:
        >>> from anyk.schemes.products.grid import cut
        >>> A, B = np.arange(6.0).reshape(3, 2), np.ones((2, 1))
        >>> a, b, grid = cut(anyk.Reals(), (2, 1, 1), (A, B))
        >>> a.shape, grid.together(np.stack([block @ b[0, 0] for block in a[:, 0]])).ravel()
        ((2, 1, 2, 2), array([1., 5., 9.]))
    """

    partition: tuple[int, int, int]
    rows: int
    columns: int | None

    def together(self, blocks: NDArray[Any]) -> NDArray[Any]:
        """A @ B from its m * n blocks.

        Args:
            blocks: ndarray (m * n, r, c), or (m, r) for a vector; block j of A times block k of B
                at j + k m.

        Returns:
            ndarray (rows, columns), or (rows,).
        """
        m, _, n = self.partition
        if self.columns is None:
            return blocks.reshape(-1)[: self.rows]
        _, height, width = blocks.shape
        whole = blocks.reshape(n, m, height, width).transpose(1, 2, 0, 3)
        return np.ascontiguousarray(
            whole.reshape(m * height, n * width)[: self.rows, : self.columns]
        )


def cut(
    domain: AbstractDomain, partition: tuple[int, int, int], factors: Any
) -> tuple[NDArray[Any], NDArray[Any], Grid]:
    """The blocks of both factors.

    Args:
        domain: of their entries.
        partition: (m, p, n).
        factors: (A, B), array-likes (rows, inner) and (inner, columns), or (inner,) where n = 1.

    Returns:
        Blocks (m, p, r, i) of A and (p, n, i, c) of B, or (p, 1, i) for a vector; and the grid.

    Raises:
        InvalidArgument: if they are no two factors that can be multiplied.
    """
    m, p, n = partition
    try:
        left, right = factors
    except (TypeError, ValueError):
        raise _wrong(_told(factors), "two factors (A, B)", change="Pass X = (A, B).") from None
    A, B = domain.validate(left, "X"), domain.validate(right, "X")
    vector = B.ndim == 1 and n == 1
    if A.ndim != 2 or (B.ndim != 2 and not vector) or A.shape[1] != B.shape[0]:  # noqa: PLR2004 - matrices
        needed = "(rows, inner) and (inner, columns)" + (" or (inner,)" if n == 1 else "")
        raise _wrong(
            f"shapes {A.shape} and {B.shape}", needed, change="Pass two matrices that fit."
        )
    if not (A.size and B.size):
        raise _wrong(
            f"shapes {A.shape} and {B.shape}",
            "entries",
            change="Nothing to multiply: leave the call out.",
        )
    a = _padded(A, (m, p)).reshape(m, -(-A.shape[0] // m), p, -1).swapaxes(1, 2)
    if vector:
        return a, _padded(B, (p,)).reshape(p, 1, -1), Grid(partition, A.shape[0], None)
    b = _padded(B, (p, n)).reshape(p, -(-B.shape[0] // p), n, -1).swapaxes(1, 2)
    return a, b, Grid(partition, A.shape[0], B.shape[1])


def _padded(array: NDArray[Any], pieces: tuple[int, ...]) -> NDArray[Any]:
    """Zeros behind an array, so that each axis can be cut in equal pieces."""
    lacking = [(0, -length % cuts) for length, cuts in zip(array.shape, pieces, strict=True)]
    return np.pad(array, lacking) if any(more for _, more in lacking) else array


def _told(factors: Any) -> str:
    """What came instead of two factors, in short: matrices are large."""
    if isinstance(factors, (tuple, list)):
        return f"{len(factors)} of them"
    shape = getattr(factors, "shape", None)
    kind = type(factors).__name__
    return f"a {kind}" if shape is None else f"one {kind} of shape {shape}"


def _wrong(given: str, needed: str, *, change: str) -> InvalidArgument:
    return InvalidArgument("X", given=given, needed=needed, change=change)
