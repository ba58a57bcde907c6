"""Which of numpy's functions are polynomials or moves of field elements, and what does them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from anyk.domains.functions import convolutions, matrices, moves, products, refused, sums
from anyk.domains.functions.einsum import einsum
from anyk.domains.functions.inside import memory_of, no_elements, wrapped
from anyk.domains.functions.matmul import matmul
from anyk.domains.functions.refused import not_plain, refusal
from anyk.errors import NotPolynomial

if TYPE_CHECKING:
    from anyk.domains.array import FieldArray

__all__ = ["call", "call_ufunc"]

_MOVES = {
    "reshape": 3, "ravel": 2, "transpose": 2, "swapaxes": 3, "moveaxis": 3, "rollaxis": 3,
    "squeeze": 2, "expand_dims": 2, "broadcast_to": 2, "flip": 2, "fliplr": 1, "flipud": 1,
    "rot90": 3, "roll": 3, "tile": 2, "repeat": 3, "take": 3, "take_along_axis": 3, "diag": 2,
    "diagflat": 2, "diagonal": 4, "tril": 2, "triu": 2, "matrix_transpose": 1, "copy": 2,
    "delete": 3, "split": 3, "array_split": 3, "hsplit": 2, "vsplit": 2, "dsplit": 2, "unstack": 1,
    "resize": 2, "linalg.diagonal": 1, "linalg.matrix_transpose": 1,
}  # fmt: skip
"""Of one array, the first argument; how many of them come before those that change numbers."""
_PLAIN = {
    "axis", "axis1", "axis2", "axes", "destination", "dims", "indices", "indices_or_sections", "k",
    "obj", "offset", "order", "repeats", "reps", "sections", "shape", "shift", "source", "start",
}  # fmt: skip
_ONE: dict[str, Callable[..., Any]] = {
    "sum": sums.add_all, "cumsum": sums.cumulative_sum, "trace": sums.trace,
    "linalg.trace": sums.trace_of_last, "diff": sums.differences, "ediff1d": sums.neighbours,
    "prod": products.multiply_all, "cumprod": products.cumulative_product,
    "linalg.det": matrices.determinant, "linalg.matrix_power": matrices.matrix_power,
    "vander": matrices.vandermonde, "pad": moves.padded, "full_like": moves.filled,
    "zeros_like": moves.zeros, "ones_like": moves.ones, "empty_like": moves.zeros,
    "real": lambda x: +x,
}  # fmt: skip
_TWO: dict[str, Callable[..., Any]] = {
    "dot": products.dot, "inner": products.inner, "outer": products.outer, "vdot": products.vdot,
    "tensordot": products.tensordot, "kron": products.kron, "cross": products.cross,
    "convolve": convolutions.convolve, "correlate": convolutions.correlate,
    "linalg.outer": products.outer, "linalg.cross": products.cross_of_last,
    "linalg.tensordot": products.tensordot, "linalg.vecdot": products.vecdot,
    "linalg.matmul": matmul, "polyval": matrices.polynomial_values,
}  # fmt: skip
_ANY: dict[str, Callable[..., Any]] = {
    **{
        name: partial(moves.joined, getattr(np, name))
        for name in ("stack", "concatenate", "vstack", "hstack", "dstack", "column_stack")
    },
    "block": moves.block, "append": moves.appended, "insert": moves.inserted,
    "where": moves.chosen, "select": moves.selected, "compress": moves.compressed,
    "broadcast_arrays": moves.broadcast_arrays, "einsum": einsum,
    "atleast_1d": partial(moves.at_least, np.atleast_1d),
    "atleast_2d": partial(moves.at_least, np.atleast_2d),
    "atleast_3d": partial(moves.at_least, np.atleast_3d),
    "linalg.multi_dot": matrices.multi_dot,
    "shape": lambda _, a: memory_of(a).shape, "ndim": lambda _, a: memory_of(a).ndim,
    "size": lambda _, a, axis=None: np.size(memory_of(a), axis),
    "iscomplexobj": lambda _, _x: False, "isrealobj": lambda _, _x: True,
}  # fmt: skip
_OPERATORS = {
    "add": ("__add__", "__radd__"), "subtract": ("__sub__", "__rsub__"),
    "multiply": ("__mul__", "__rmul__"), "matmul": ("__matmul__", "__rmatmul__"),
    "power": ("__pow__", "__rpow__"), "divide": ("__truediv__", "__rtruediv__"),
    "true_divide": ("__truediv__", "__rtruediv__"),
}  # fmt: skip
_UFUNCS: dict[str, Callable[..., Any]] = {
    "negative": lambda _, x: -x, "positive": lambda _, x: +x, "conjugate": lambda _, x: +x,
    "square": lambda _, x: x * x,
    **{
        name: lambda like, _, divisor: refused.quotient(like, divisor)
        for name in ("floor_divide", "remainder", "fmod", "divmod")
    },
    "vecdot": lambda like, a, b, axis=-1: products.vecdot(*_both(like, a, b), axis=axis),
    "matvec": lambda like, a, b: products.matvec(*_both(like, a, b)),
    "vecmat": lambda like, a, b: products.vecmat(*_both(like, a, b)),
    "add.reduce": lambda _, x, axis=0, keepdims=False: sums.add_all(x, axis, keepdims=keepdims),
    "multiply.reduce": lambda _, x, axis=0, keepdims=False: products.multiply_all(
        x, axis, keepdims=keepdims
    ),
    "add.accumulate": lambda _, x, axis=0: sums.cumulative_sum(x, axis),
    "multiply.accumulate": lambda _, x, axis=0: products.cumulative_product(x, axis),
    "multiply.outer": lambda like, a, b: moves.of_all_pairs(like, a, b, "__mul__"),
    "add.outer": lambda like, a, b: moves.of_all_pairs(like, a, b, "__add__"),
    "subtract.outer": lambda like, a, b: moves.of_all_pairs(like, a, b, "__sub__"),
}  # fmt: skip


def call(
    like: FieldArray, function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> Any:
    """What a function of numpy is on field elements.

    Args:
        like: one of the FieldArrays among the arguments.
        function: numpy's.
        args: positional arguments.
        kwargs: keyword arguments.

    Raises:
        NotPolynomial: if it is no polynomial.
        InvalidArgument: if an argument would change the numbers.
    """
    name = _named(function)
    if name in _MOVES:
        return _move(like, name, function, args, kwargs)
    if name in _ONE:
        first = partial(_ONE[name], wrapped(like, args[0])) if args else _ONE[name]
        _fits(_ONE[name], name, function, args, kwargs)
        return first(*args[1:], **kwargs)
    if name in _TWO:
        _fits(_TWO[name], name, function, args, kwargs)
        return _TWO[name](*_both(like, *args[:2]), *args[2:], **kwargs)
    if name in _ANY:
        _fits(_ANY[name], name, function, (like, *args), kwargs)
        return _ANY[name](like, *args, **kwargs)
    raise refusal(name)


def call_ufunc(
    like: FieldArray, ufunc: np.ufunc, method: str, inputs: Sequence[Any], kwargs: dict[str, Any]
) -> Any:
    """What a ufunc of numpy, or one of its methods, is on field elements.

    Args:
        like: one of the FieldArrays among the arguments.
        ufunc: numpy's.
        method: "__call__", "reduce", "accumulate" or "outer".
        inputs: its operands.
        kwargs: its other arguments.

    Raises:
        NotPolynomial: if it is no polynomial.
        InvalidArgument: if an argument would change the numbers.
    """
    name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
    out = kwargs.pop("out", None)
    if out is not None:
        if len(out) != 1 or not isinstance(out[0], type(like)):
            raise NotPolynomial(
                f"numpy.{name} into an ndarray, which would lose the field: begin with "
                "np.zeros_like(x) of a FieldArray x, or leave out= away."
            )
        out[0][...] = call_ufunc(like, ufunc, method, inputs, kwargs)
        return out[0]
    if name in _OPERATORS and not kwargs:
        forward, backward = _OPERATORS[name]
        one, other = inputs
        if isinstance(one, type(like)):
            return getattr(one, forward)(other)
        return getattr(other, backward)(one)
    if name in _UFUNCS:
        _fits(_UFUNCS[name], name, None, (like, *inputs), kwargs)
        return _UFUNCS[name](like, *inputs, **kwargs)
    raise refusal(name)


@lru_cache(maxsize=256)
def _named(function: Callable[..., Any]) -> str:
    room, name = function.__module__, function.__name__
    return f"linalg.{name}" if room == "numpy.linalg" else name


def _both(like: FieldArray, *operands: Any) -> list[FieldArray]:
    return [wrapped(like, each) for each in operands]


def _move(
    like: FieldArray,
    name: str,
    function: Callable[..., Any],
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> Any:
    strange = kwargs.keys() - _PLAIN
    if strange or len(args) > _MOVES[name] or not args:
        known = list(_parameters(function))
        argument = min(strange) if strange else known[_MOVES[name] if args else 0]
        raise not_plain(argument, f"numpy.{name}(..., {argument}=...)")
    no_elements(like, f"numpy.{name}", *args[1:], *kwargs.values())
    x = wrapped(like, args[0])
    result = function(memory_of(x), *args[1:], **kwargs)
    if isinstance(result, list | tuple):
        return type(result)(x.seen(each) for each in result)
    return x.seen(result)


@lru_cache(maxsize=256)
def _parameters(function: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    return inspect.signature(function).parameters


@lru_cache(maxsize=256)
def _taken(own: Callable[..., Any]) -> tuple[float, frozenset[str], tuple[str, ...]]:
    """How many arguments by place a function of ours takes, its names, and those that it needs."""
    known = inspect.signature(own).parameters
    each = list(known.values())
    places = sum(one.kind is one.POSITIONAL_OR_KEYWORD for one in each)
    several = any(one.kind is one.VAR_POSITIONAL for one in each)
    needed = [
        one.name
        for one in each
        if one.default is one.empty and one.kind is one.POSITIONAL_OR_KEYWORD
    ]
    return math.inf if several else places, frozenset(known), tuple(needed)


def _fits(
    own: Callable[..., Any],
    name: str,
    function: Callable[..., Any] | None,
    args: Sequence[Any],
    kwargs: Mapping[str, Any],
) -> None:
    """Refuse arguments that our own function has not: they would change the numbers."""
    places, names, needed = _taken(own)
    if kwargs and not names.issuperset(kwargs):
        strange = min(kwargs.keys() - names)
        raise not_plain(strange, f"numpy.{name}(..., {strange}=...)")
    if len(args) > places and function is not None:
        strange = list(_parameters(function))[len(args) - 1]
        raise not_plain(strange, f"numpy.{name}(..., {strange}=...)")
    if len(args) < len(needed) and not kwargs.keys() >= set(needed[len(args) :]):
        raise not_plain(needed[len(args)], f"numpy.{name} with its arrays by keyword")
