"""`Combined` and `CombinedInKind`: one combination of f of several blocks, for gradient codes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Number
from typing import Any, final

import numpy as np

from anyk.codes.analog.told import marked
from anyk.domains.array import FieldArray
from anyk.domains.base import ndarray_of
from anyk.domains.values import Values
from anyk.errors import InvalidArgument
from anyk.work import AbstractWork, Function, callable_of
from anyk.works.each_prime import for_each_call

__all__ = ["Combined", "CombinedInKind", "check_floats", "check_shape", "results_of"]

_ANY = Values()
_EXACT = 1 << 53  # up to which double precision holds all whole numbers


@final
@dataclass(frozen=True)
class Combined(AbstractWork):
    """One combination c_1 f(X_1) + .. + c_m f(X_m), of the blocks that a worker holds.

    The share has two parts: the blocks, (m, *shape), and the coefficients, (m,), 0 for blocks that
    only fill up a share of fewer: f is not called on those. The function has copies of its own of
    the arguments for each block.

    Args:
        function: f, whose results are numbers, of one shape for all blocks.

    Example:
        >>> from anyk.works.combined import Combined
        >>> Combined(np.square)([np.array([[1.0], [2.0]]), np.array([1.0, -1.0])], [])
        array([-3.])
    """

    function: Function

    @property
    def users(self) -> Function:
        """The function."""
        return self.function

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """The sum of c_j f(X_j, argument, ..)."""
        blocks, coefficients = _counted(*parts)
        total, first = None, None
        for coefficient, result in zip(
            coefficients, results_of(self.function, blocks, arguments), strict=True
        ):
            first = result.shape if first is None else first
            check_shape(result.shape, first)
            with np.errstate(over="ignore", invalid="ignore"):  # the domain refuses Inf and NaN
                term = coefficient * result
                total = term if total is None else total + term
        return total


@final
@dataclass(frozen=True)
class CombinedInKind(AbstractWork):
    """The same, in the type of the function's results: floats and complex numbers keep theirs.

    The sum is made in double precision and rounded once, `marked` by how far rounding may have
    moved it, unless all coefficients are 1. Of whole numbers it is in double precision, or one of
    them itself, where there is one block with the coefficient 1.

    Args:
        function: f, whose results are numbers, of one shape for all blocks.

    Example:
        >>> from anyk.works.combined import CombinedInKind
        >>> blocks = np.array([[1.0], [2.0]], dtype=np.float32)
        >>> CombinedInKind(np.square)([blocks, np.array([1.0, 1.0])], [])
        array([5.], dtype=float32)
    """

    function: Function

    @property
    def users(self) -> Function:
        """The function."""
        return self.function

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> Any:
        """The sum of c_j f(X_j, argument, ..)."""
        blocks, weights = _counted(parts[0], np.asarray(parts[1]))
        total: Any = None
        sizes: Any = None
        kinds, plain = [], bool(np.all(weights == 1))
        for weight, result in zip(
            weights, results_of(self.function, blocks, arguments), strict=True
        ):
            if len(weights) == 1 and weight == 1:
                return result
            check_shape(result.shape, result.shape if total is None else total.shape)
            check_floats(result)
            kinds.append(result.dtype)
            with np.errstate(over="ignore", invalid="ignore"):  # the domain refuses Inf and NaN
                term = np.asarray(weight * result)
                total = term if total is None else total + term
                if not plain:
                    size = _sizes(term)
                    sizes = size if sizes is None else sizes + size
        kind = np.result_type(*kinds)
        if total.dtype.kind in "fc" and not plain:
            return marked(total, sizes, kind if kind.kind in "fc" else total.dtype)
        with np.errstate(over="ignore"):
            return total.astype(kind) if kind.kind in "fc" else total


def _sizes(term: Any) -> Any:
    """The absolute values, of real and imaginary parts each."""
    return np.abs(term.real) + 1j * np.abs(term.imag) if term.dtype.kind == "c" else np.abs(term)


def _counted(blocks: Any, coefficients: Any) -> tuple[Any, Any]:
    """The blocks that count, and their coefficients; one at least."""
    field = isinstance(coefficients, FieldArray)
    places = np.flatnonzero(coefficients.values if field else coefficients)
    if len(places) == len(coefficients):
        return blocks, coefficients
    kept = places.tolist() or [0]
    return [blocks[place] for place in kept], [coefficients[place] for place in kept]


def results_of(
    function: Function, blocks: Sequence[Any], arguments: Sequence[Any]
) -> Iterator[Any]:
    """What the function makes of each block, with arguments of its own each time.

    Args:
        function: f, or its name.
        blocks: that it is called on.
        arguments: the others.
    """
    f = callable_of(function)
    for block, given in zip(blocks, for_each_call(arguments, len(blocks)), strict=True):
        yield _numbers(f(block, *given))


def check_shape(shape: tuple[int, ...], first: tuple[int, ...]) -> None:
    """Refuse results that can't be added up.

    Args:
        shape: of a block's result.
        first: of the first one's.

    Raises:
        InvalidArgument: if they differ.
    """
    if shape != first:
        raise InvalidArgument(
            "answer",
            given=f"shape {first} for one block and {shape} for another",
            needed="one shape for all blocks, as the results are added up",
            change="Let the function return the same shape for every block.",
        )


def check_floats(result: Any) -> None:
    """Refuse what double precision does not hold: objects, longer floats, some whole numbers.

    Args:
        result: of a block.

    Raises:
        InvalidArgument: if it has such.
    """
    _ANY.validate(result, "answer")  # which takes neither objects nor longer floats
    if result.dtype.kind in "iu" and result.size:
        largest = max(abs(int(result.max())), abs(int(result.min())))
        if largest > _EXACT:
            raise InvalidArgument(
                "answer",
                given=f"the whole number {largest}, to be multiplied by a float",
                needed=f"whole numbers of at most {_EXACT}, which double precision holds",
                change="Let the function return floats, or take a prime field as domain=.",
            )


def _numbers(result: Any) -> Any:
    """What a function returned, as an array that can be multiplied; field elements as they are."""
    if isinstance(result, FieldArray):
        return result
    array = ndarray_of(result, "answer", kind="numbers")
    kind = array.dtype.kind
    if kind in "biufc" or (kind == "O" and all(isinstance(each, Number) for each in array.flat)):
        return array
    raise InvalidArgument(
        "answer",
        given=f"{type(result).__name__} of dtype {array.dtype}",
        needed="numbers",
        change="Return an array of numbers.",
    )
