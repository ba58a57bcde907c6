"""The arguments of a task in words: plain values as JSON, arrays beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.checks import shown
from anyk.connections.broken import BrokenAnswer
from anyk.errors import InvalidArgument
from anyk.executors.remote.frames import as_sent, numbers

__all__ = ["pack", "sendable", "unpack"]

_COMPLEX = [float, float]
_DEEPEST = 20  # containers within containers


def sendable(array: NDArray[Any], argument: str) -> NDArray[Any]:
    """An array as it travels.

    Raises:
        InvalidArgument: if it has no numbers of up to 64 bits.
    """
    if not numbers(array.dtype):
        raise InvalidArgument(
            argument,
            given=f"an array of dtype {array.dtype}",
            needed="booleans, integers, floats or complex numbers, of up to 64 bits a part",
            change="Convert it with .astype(...).",
        )
    return as_sent(array)


def pack(value: Any, arrays: list[NDArray[Any]]) -> Any:
    """A value as JSON can say it.

    Args:
        value: None, a bool, int, float, complex, str, array, or a list, tuple or dict (its keys
            str) of them.
        arrays: those in the value are appended here, as they travel.

    Raises:
        InvalidArgument: if it is anything else.

    Example:
        >>> from anyk.executors.remote.arguments import pack
        >>> arrays = []
        >>> pack({"rate": 0.5, "w": np.ones(2), "axes": (0, 1)}, arrays)
        {'dict': {'rate': 0.5, 'w': {'array': 0}, 'axes': {'tuple': [0, 1]}}}
        >>> arrays
        [array([1., 1.])]
    """
    return _pack(value, arrays, _DEEPEST)


def _pack(value: Any, arrays: list[NDArray[Any]], depth: int) -> Any:
    if value is None or type(value) in {bool, int, float, str}:
        return value
    if type(value) is complex:
        return {"complex": [value.real, value.imag]}
    if type(value) is np.ndarray or isinstance(value, np.generic):
        arrays.append(sendable(np.asarray(value), "arguments"))
        kind = "scalar" if isinstance(value, np.generic) else "array"
        return {kind: len(arrays) - 1}
    if depth and type(value) is list:
        return [_pack(each, arrays, depth - 1) for each in value]
    if depth and type(value) is tuple:
        return {"tuple": [_pack(each, arrays, depth - 1) for each in value]}
    if depth and type(value) is dict and all(type(key) is str for key in value):
        return {"dict": {key: _pack(each, arrays, depth - 1) for key, each in value.items()}}
    raise InvalidArgument(
        "arguments",
        given=f"a {type(value).__name__}, {shown(value)}",
        needed="None, bool, int, float, complex, str, arrays, and lists, tuples or dicts of them",
        change="Pass plain values: nothing else crosses the wire, as no pickle does.",
    )


def unpack(said: Any, arrays: Sequence[NDArray[Any]]) -> Any:
    """The arguments that `pack` said, in a list.

    Args:
        said: what JSON gave.
        arrays: those that came with it.

    Raises:
        BrokenAnswer: if `pack` would never say that.

    Example:
        >>> from anyk.executors.remote.arguments import unpack
        >>> unpack([{"complex": [0.0, 1.0]}, {"array": 0}], [np.ones(2)])
        [1j, array([1., 1.])]
    """
    if not isinstance(said, list):
        raise BrokenAnswer("its arguments are no list")
    return _unpack(said, arrays, _DEEPEST + 1)  # the arguments are a list themselves


def _unpack(said: Any, arrays: Sequence[NDArray[Any]], depth: int) -> Any:
    if isinstance(said, list):
        return [_unpack(each, arrays, _below(depth)) for each in said]
    if not isinstance(said, dict):
        return said
    if len(said) != 1:
        raise BrokenAnswer("an argument is said in no known way")
    ((kind, inner),) = said.items()
    if kind == "dict" and isinstance(inner, dict):
        return {key: _unpack(each, arrays, _below(depth)) for key, each in inner.items()}
    if kind == "tuple" and isinstance(inner, list):
        return tuple(_unpack(each, arrays, _below(depth)) for each in inner)
    if kind == "complex" and isinstance(inner, list) and [type(each) for each in inner] == _COMPLEX:
        return complex(*inner)
    if kind in {"array", "scalar"} and type(inner) is int and 0 <= inner < len(arrays):
        return arrays[inner] if kind == "array" else arrays[inner][()]
    raise BrokenAnswer("an argument is said in no known way")


def _below(depth: int) -> int:
    if not depth:
        raise BrokenAnswer(f"an argument has more than {_DEEPEST} containers within each other")
    return depth - 1
