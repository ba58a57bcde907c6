"""Factors cut in a grid of blocks, with zeros where they do not fit, and products put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.base import AbstractDomain
from anyk.errors import InvalidArgument
from anyk.spec import MatMul

__all__ = ["Grid", "cut_left", "cut_right", "factors_of", "require_transpose", "with_transpose"]

_MATRIX, _BATCH = 2, 3  # axes


@final
@dataclass(frozen=True)
class Grid:
    """How two factors are cut, and the size of their product.

    Args:
        problem: A in m x p blocks, B in p x n blocks, and how many such products.
        rows: of A.
        inner: columns of A, and rows of B.
        columns: of B; None where B is a vector.
        stack: how many products each share is of, one after the other; None where there is one.

    Example:
        >>> from anyk.schemes.products.grid import Grid
        >>> grid = Grid(anyk.MatMul(partition=(2, 1, 1)), rows=3, inner=2, columns=1)
        >>> grid.together(np.array([[[1], [2]], [[3], [0]]])).tolist()
        [[1], [2], [3]]
    """

    problem: MatMul
    rows: int
    inner: int
    columns: int | None
    stack: int | None = None

    @property
    def answer(self) -> tuple[int, ...]:
        """The shape of one block of the product."""
        m, _, n = self.problem.partition
        height = -(-self.rows // m)
        stack = () if self.stack is None else (self.stack,)
        return (*stack, height) if self.columns is None else (*stack, height, -(-self.columns // n))

    def together(self, blocks: NDArray[Any]) -> NDArray[Any]:
        """A @ B from its m * n blocks; all products of a batch.

        Args:
            blocks: ndarray (batch * m * n, r, c), or (m, r) for a vector; block j of A times block
                k of B at j + k m, the products of a batch one after the other. Of a stack,
                (m * n, stack, r, c).

        Returns:
            ndarray (rows, columns), (rows,) for a vector, or (batch, rows, columns); of a stack,
            (stack, rows, columns).
        """
        m, _, n = self.problem.partition
        batch = self.problem.batch
        if self.columns is None:
            return blocks.reshape(-1)[: self.rows]
        if self.stack is not None:
            *_, height, width = blocks.shape
            apart = blocks.reshape(n, m, self.stack, height, width).transpose(2, 1, 3, 0, 4)
            whole = apart.reshape(self.stack, m * height, n * width)
            return np.ascontiguousarray(whole[:, : self.rows, : self.columns])
        _, height, width = blocks.shape
        if batch == n == 1:  # as they lie already
            return blocks.reshape(m * height, width)[: self.rows, : self.columns]
        apart = blocks.reshape(batch, n, m, height, width).transpose(0, 2, 3, 1, 4)
        whole = apart.reshape(batch, m * height, n * width)[:, : self.rows, : self.columns]
        return np.ascontiguousarray(whole if batch > 1 else whole[0])


def with_transpose(domain: AbstractDomain, X: Any) -> tuple[NDArray[Any], NDArray[Any]]:
    """The two factors of A @ A.T.

    Args:
        domain: of the entries.
        X: A.

    Raises:
        InvalidArgument: if it is no array.
    """
    A = domain.validate(X, "X")
    return A, A.T


def require_transpose(factor: Any, turned: NDArray[Any]) -> None:
    """Refuse another factor than A.T, for a code that multiplies A with nothing else.

    Args:
        factor: B.
        turned: A.T.

    Raises:
        InvalidArgument: if it is another one.
    """
    if not np.array_equal(factor, turned):
        raise _wrong(
            "a second factor other than A.T",
            "the transpose of A, as this code multiplies A with nothing else",
            change="Pass A alone to scheme.encode, or to anyk.distribute.",
        )


def factors_of(X: Any) -> tuple[Any, Any]:
    """The two factors of a product, of what `encode` was given.

    Args:
        X: (A, B).

    Raises:
        InvalidArgument: if it is no pair.
    """
    if isinstance(X, (tuple, list)) and len(X) == 2:  # noqa: PLR2004 - two factors
        left, right = X
        return left, right
    raise _wrong(_told(X), "two factors (A, B)", change="Pass X = (A, B).")


def cut_left(domain: AbstractDomain, problem: MatMul, factor: Any) -> NDArray[Any]:
    """The blocks of A.

    Args:
        domain: of its entries.
        problem: how it is cut.
        factor: array-like (rows, inner), (batch, rows, inner), or (stack, rows, inner) where no
            batch is coded: of each share, all products are then computed.

    Returns:
        ndarray (batch * m * p, r, i): block (j, l) at j p + l, those of a batch one after the
        other; zeros where it can't be cut evenly. Of a stack, (m * p, stack, r, i).

    Raises:
        InvalidArgument: if it is no such matrix.
    """
    m, p, _ = problem.partition
    A = domain.validate(factor, "X")
    return _cut(_checked(problem, A, "A", "(rows, inner)"), m, p, batch=problem.batch)


def cut_right(
    domain: AbstractDomain, problem: MatMul, factor: Any, left: tuple[int, ...]
) -> tuple[NDArray[Any], Grid]:
    """The blocks of B, for an A that is known already.

    Args:
        domain: of its entries.
        problem: how it is cut.
        factor: array-like (inner, columns), (inner,) where n = 1, (batch, inner, columns), or as
            many matrices as A is a stack of.
        left: the shape of A.

    Returns:
        ndarray (batch * p * n, i, c), or (p, i) for a vector: block (l, k) at l n + k; and the grid
        of the product.

    Raises:
        InvalidArgument: if it is no matrix that A can be multiplied with.
    """
    _, p, n = problem.partition
    rows, inner = left[-2:]
    stack = left[0] if problem.batch == 1 and len(left) == _BATCH else None
    B = domain.validate(factor, "X")
    vector = problem.batch == n == 1 and stack is None and B.ndim == 1
    if not vector:
        B = _checked(problem, B, "B", "(inner, columns)" + " or (inner,)" * (n == 1))
    length = len(B) if vector else B.shape[-2]
    alike = vector or problem.batch > 1 or B.shape[:-2] == left[:-2]
    if length != inner or not alike:
        raise _wrong(
            f"A of shape {left} and B of shape {B.shape}",
            f"{inner} rows in B, as many as A has columns"
            + ("" if alike else ", and as many matrices in both"),
            change="Pass two matrices that fit.",
        )
    if vector:
        blocks = np.pad(B, (0, -length % p)).reshape(p, -1)
        return blocks, Grid(problem, rows, inner, None)
    return _cut(B, p, n, batch=problem.batch), Grid(problem, rows, inner, B.shape[-1], stack)


def _checked(problem: MatMul, array: NDArray[Any], name: str, shape: str) -> NDArray[Any]:
    """A factor, if it has as many axes as it must have, none of them empty."""
    axes = _BATCH if problem.batch > 1 else _MATRIX
    batch = "" if problem.batch == 1 else f"batch={problem.batch} matrices "
    stack = axes == _MATRIX and array.ndim == _BATCH
    if not stack and (array.ndim != axes or (axes == _BATCH and len(array) != problem.batch)):
        raise _wrong(
            f"{name} of shape {array.shape}",
            f"{batch}{shape}" if not batch else f"{batch}{shape}, one after the other",
            change="Reshape it, or make the scheme for it.",
        )
    if not array.size:
        raise _wrong(
            f"{name} of shape {array.shape}",
            "entries",
            change="Nothing to multiply: leave the call out.",
        )
    return array


def _cut(array: NDArray[Any], down: int, across: int, *, batch: int) -> NDArray[Any]:
    """The blocks of a matrix, row by row; of a batch, or stacks of blocks where none is coded."""
    matrix = array.reshape(-1, *array.shape[-2:])
    lacking = [(0, 0), (0, -matrix.shape[1] % down), (0, -matrix.shape[2] % across)]
    if any(more for _, more in lacking):
        matrix = np.pad(matrix, lacking)
    many, rows, columns = matrix.shape
    apart = matrix.reshape(many, down, rows // down, across, columns // across).swapaxes(2, 3)
    if array.ndim == _BATCH and batch == 1:
        apart = np.ascontiguousarray(apart.transpose(1, 2, 0, 3, 4))
        return apart.reshape(down * across, many, rows // down, columns // across)
    return apart.reshape(many * down * across, rows // down, columns // across)


def _told(factors: Any) -> str:
    """What came instead of two factors, in short: matrices are large."""
    if isinstance(factors, (tuple, list)):
        return f"{len(factors)} of them"
    shape = getattr(factors, "shape", None)
    kind = type(factors).__name__
    return f"a {kind}" if shape is None else f"one {kind} of shape {shape}"


def _wrong(given: str, needed: str, *, change: str) -> InvalidArgument:
    return InvalidArgument("X", given=given, needed=needed, change=change)
