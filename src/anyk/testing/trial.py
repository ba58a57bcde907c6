"""What a scheme is tried on: data in blocks, the right value, and what workers make of shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count, several, shown
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoder
from anyk.schemes.encoded import Encoded
from anyk.spec import Map, MatMul, Sum
from anyk.testing.expect import check_pickle, numbers, require
from anyk.work import AbstractWork, WorkerTask
from anyk.works.slices import joined, opened, packed, sliced

__all__ = ["Trial", "encoders", "operands", "product", "together", "trial"]


def operands(problem: Map | Sum | MatMul) -> tuple[int, ...]:
    """How many blocks each of what is encoded has: X, or A and B.

    Args:
        problem: what a scheme computes.
    """
    if isinstance(problem, MatMul):
        m, p, n = problem.partition
        return problem.batch * m * p, problem.batch * p * n
    return (problem.blocks,)


def encoders(encoded: Encoded) -> tuple[Encoder, ...]:
    """D and M of each operand.

    Args:
        encoded: what encoding them gave.
    """
    scheme, several = encoded.scheme, len(operands(encoded.scheme.problem))
    if several == 1:
        return (encoded.encoder,)
    return tuple(scheme.encoder(encoded.layout, operand) for operand in range(several))


def together(problem: Map | Sum | MatMul, blocks: tuple[NDArray[Any], ...]) -> Any:
    """What `encode` takes, of these blocks: X, or (A, B), or A alone.

    Args:
        problem: what a scheme computes.
        blocks: ndarray (K, *shape); for a product those of A and of B, row by row of the grid in
            which they are cut, so block (j, l) of A is its number j p + l; one product of a batch
            after the other. For A @ A.T those of A alone count.
    """
    if not isinstance(problem, MatMul):
        return blocks[0]
    m, p, n = problem.partition
    factors = []
    for each, (down, across) in zip(blocks, ((m, p), (p, n)), strict=True):
        _, height, width = each.shape
        apart = each.reshape(problem.batch, down, across, height, width).swapaxes(2, 3)
        whole = apart.reshape(problem.batch, down * height, across * width)
        factors.append(whole if problem.batch > 1 else whole[0])
    return factors[0] if problem.gram else tuple(factors)


_TOLD = 1e-6  # how far coefficients of outputs may be from 1 by rounding
_LONGEST = 1 << 16  # numbers along an axis of a block on trial


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Trial:
    """One set of data, and the value that a scheme must find.

    Args:
        scheme: on trial.
        blocks: of each operand, ndarray (K, *shape).
        function: of a block; `numpy.matmul` for a product.
    """

    scheme: AbstractScheme
    blocks: tuple[NDArray[Any], ...]
    function: Callable[..., Any]

    @property
    def usual(self) -> bool:
        """Whether the function is a power, which takes blocks of any shape."""
        return isinstance(self.function, _Power)

    @property
    def X(self) -> Any:
        """What to encode."""
        return together(self.scheme.problem, self.blocks)

    @cached_property
    def outputs(self) -> NDArray[Any]:
        """What the function makes of each block, ndarray (K, *out)."""
        domain = self.scheme.domain
        present = domain.present
        results = [domain.accept(self.function(present(each))) for each in self.blocks[0]]
        return domain.from_rest(np.stack(results))

    @cached_property
    def truth(self) -> NDArray[Any]:
        """The value, by Python's integers in a field where numbers are added or multiplied."""
        problem, domain = self.scheme.problem, self.scheme.domain
        if isinstance(problem, Map):
            return self.outputs
        if isinstance(problem, MatMul):
            return product(domain, self.X, self.X.T) if problem.gram else product(domain, *self.X)
        ones = np.ones((1, len(self.outputs)), dtype=domain.dtype)
        rows = self.outputs.reshape(len(self.outputs), -1)
        total: NDArray[Any] = product(domain, ones, rows).reshape(self.outputs.shape[1:])
        return total

    @cached_property
    def combined(self) -> NDArray[Any] | None:
        """The matrix of what workers make of the outputs, one row a share; None where none is."""
        encoder = self.scheme.encode(self.X).encoder
        return encoder.data if encoder.of_outputs else None

    def only_rounds(self, recovery: AbstractRecovery) -> bool:
        """Whether nothing but rounding keeps the value from being exact, and so its estimate.

        Args:
            recovery: of some answers, which may tell a sum in part.
        """
        problem = self.scheme.problem
        if self.combined is None:
            polynomial = isinstance(problem, Map) and problem.degree is not None
            return isinstance(problem, MatMul) or polynomial
        told = recovery.matrix @ self.combined[list(recovery.answered)]
        return bool(np.allclose(told, 1.0, atol=_TOLD))

    def answers(self, encoded: Encoded) -> NDArray[Any]:
        """What honest workers answer on every share, ndarray (N * pieces, *out)."""
        scheme, parts = self.scheme, encoded.parts
        task = WorkerTask(scheme.work(self.function), scheme.domain, (), len(parts))
        answers = np.stack([task(*share) for share in zip(*parts, strict=True)])
        return scheme.domain.from_rest(answers)

    @cached_property
    def whole(self) -> bool:
        """Whether answers combine results, and not slices of these."""
        return self.scheme.encode(self.X).encoder.slices is None

    def sliced(self, slices: int) -> NDArray[Any]:
        """What the function makes of each block, in slices, ndarray (K m, length).

        Args:
            slices: m.
        """
        each = self.outputs.reshape(len(self.outputs), -1)
        if not self.scheme.domain.exact:
            each = packed(each, each.dtype)
        return np.concatenate([sliced(row, slices) for row in each])

    def of_slices(self, answers: NDArray[Any]) -> NDArray[Any]:
        """The combinations of slices in answers, which tell the shape of an output after them.

        Args:
            answers: ndarray (N, length).

        Raises:
            AssertionError: if they tell another.
        """
        read = opened(answers)
        require(read is not None and read[1] == self.outputs.shape[1:], "answers tell no shape")
        combined: NDArray[Any] = answers if read is None else read[0]
        return combined if self.scheme.domain.exact else packed(combined, combined.dtype)

    def value(self, rows: NDArray[Any]) -> NDArray[Any]:
        """The value from R·answers.

        Args:
            rows: ndarray (K, *out); (1, *out) for a sum, or its slices (m, length); for a product
                (m n, *out), block (j, k) at j + k m, one product of a batch after the other.
        """
        problem = self.scheme.problem
        if isinstance(problem, Map):
            return rows
        if isinstance(problem, Sum):
            return np.asarray(rows[0]) if self.whole else joined(rows, self.truth.shape)
        m, _, n = problem.partition
        height, width = rows.shape[1:]
        grid = rows.reshape(problem.batch, n, m, height, width).transpose(0, 2, 3, 1, 4)
        whole: NDArray[Any] = grid.reshape(problem.batch, m * height, n * width)
        return whole if problem.batch > 1 else whole[0]


def product(domain: AbstractDomain, A: NDArray[Any], B: NDArray[Any]) -> NDArray[Any]:
    """A @ B, by Python's integers where arithmetic is exact.

    Args:
        domain: of the entries.
        A: ndarray (rows, inner).
        B: ndarray (inner, columns).
    """
    if isinstance(domain, PrimeField):
        exact = A.astype(object) @ B.astype(object) % domain.modulus
        return np.asarray(exact, dtype=domain.dtype)
    if domain.exact:
        return np.asarray(A.astype(object) @ B.astype(object), dtype=domain.dtype)
    return np.asarray(A @ B)


def trial(
    scheme: AbstractScheme,
    function: Callable[[Any], Any] | None,
    shape: tuple[int, ...] | None,
    generator: np.random.Generator,
) -> Trial:
    """Random data for a scheme.

    Args:
        scheme: on trial.
        function: f; None for one that fits the scheme.
        shape: of a block, (2,) by default; for a product (rows, inner, columns) of a block of A and
            one of B, (2, 3, 2) by default.
        generator: where the data come from.

    Raises:
        AssertionError: if the scheme's work is none that can be sent.
        InvalidArgument: if the shape is none.
    """
    problem, domain = scheme.problem, scheme.domain
    usual: Callable[..., Any]
    default = (2, 3, 2) if isinstance(problem, MatMul) else (2,)
    given = default if shape is None else several("shape", shape, change="Pass a tuple.")
    shape = tuple(count("shape", length, least=1, most=_LONGEST) for length in given)
    if isinstance(problem, MatMul):
        if len(shape) != len(default):
            raise InvalidArgument(
                "shape",
                given=shown(shape),
                needed="(rows, inner, columns) for a product",
                change="Pass three numbers.",
            )
        rows, inner, columns = (*shape[:2], shape[0]) if problem.gram else shape
        shapes: tuple[tuple[int, ...], ...] = ((rows, inner), (inner, columns))
        usual, function = np.matmul, None
    else:
        shapes = (shape,)
        power = domain.exact or problem.degree is not None
        usual = _Power(problem.degree or 2) if power else np.sin
    work = scheme.work(usual)
    require(isinstance(work, AbstractWork), f"work makes {work!r} of a function, and no work")
    check_pickle(work)
    blocks = tuple(
        numbers(domain, (count, *own), generator)
        for count, own in zip(operands(problem), shapes, strict=True)
    )
    if isinstance(problem, MatMul) and problem.gram:
        blocks = blocks[0], turned(problem, blocks[0])
    return Trial(scheme=scheme, blocks=blocks, function=function or usual)


def turned(problem: MatMul, blocks: NDArray[Any]) -> NDArray[Any]:
    """The blocks of A.T.

    Args:
        problem: how A is cut.
        blocks: of A, ndarray (m p, rows, inner).
    """
    m, p, _ = problem.partition
    _, rows, inner = blocks.shape
    apart = blocks.reshape(m, p, rows, inner).transpose(1, 0, 3, 2)
    return np.ascontiguousarray(apart.reshape(p * m, inner, rows))


@final
@dataclass(frozen=True)
class _Power:
    """x**degree; at the top level of a module, so that it can be sent."""

    degree: int

    def __call__(self, x: Any) -> Any:
        return x**self.degree
