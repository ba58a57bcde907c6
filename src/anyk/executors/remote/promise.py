"""What a function is promised to be, in words: degrees and bounds, numbers alone."""

from __future__ import annotations

from typing import Any

from anyk.connections.broken import BrokenAnswer
from anyk.degrees.promised import Promised
from anyk.domains.extent import Extent
from anyk.work import Function

__all__ = ["promise_in_words", "promised_function"]

_MOST_BITS = 1 << 12  # of a number
_MOST_DEGREE = 1 << 31
_MOST_INPUTS = 1 << 8


def promise_in_words(promised: Promised) -> dict[str, Any]:
    """All of a promise but the function.

    Args:
        promised: the promise.

    Example:
        >>> from anyk.degrees.promised import Promised
        >>> from anyk.domains.extent import Extent
        >>> from anyk.executors.remote.promise import promise_in_words
        >>> promise_in_words(Promised("gram", (Extent(1), None), degree=2))
        {'inputs': [[1, 0, None, 0], None], 'degree': 2, 'result': None, 'bounded': False}
    """
    return {
        "inputs": [_words(extent) for extent in promised.inputs],
        "degree": promised.degree,
        "result": _words(promised.result),
        "bounded": promised.bounded,
    }


def promised_function(function: Function, said: Any) -> Promised:
    """The function with the promise that `promise_in_words` said.

    Args:
        function: of the worker's.
        said: what JSON gave.

    Raises:
        BrokenAnswer: if it would never say that.

    Example:
        >>> from anyk.degrees.promised import Promised
        >>> from anyk.executors.remote.promise import promise_in_words, promised_function
        >>> promised_function("gram", promise_in_words(Promised("gram", degree=2)))
        Promised(function='gram', inputs=(), degree=2, result=None, bounded=False)
    """
    if not isinstance(said, dict) or said.keys() != {"inputs", "degree", "result", "bounded"}:
        raise BrokenAnswer("its promise is none")
    inputs, degree, bounded = said["inputs"], said["degree"], said["bounded"]
    if not isinstance(inputs, list) or len(inputs) > _MOST_INPUTS or type(bounded) is not bool:
        raise BrokenAnswer("its promise is none")
    if degree is not None:
        _number(degree, _MOST_DEGREE)
    extents = tuple(_extent(each) for each in inputs)
    return Promised(function, extents, degree, _extent(said["result"]), bounded)


def _words(extent: Extent | None) -> list[int | None] | None:
    return None if extent is None else [extent.degree, extent.bits, extent.bound, extent.error]


def _extent(said: Any) -> Extent | None:
    if said is None:
        return None
    if not isinstance(said, list) or len(said) != len(("degree", "bits", "bound", "error")):
        raise BrokenAnswer("its promise is none")
    degree, bits, bound, error = said
    _number(degree, _MOST_DEGREE)
    _number(bits, _MOST_BITS)
    if bound is not None:
        _number(bound, 1 << _MOST_BITS)
    _number(error, 1 << _MOST_BITS)
    return Extent(degree, bits, bound, error)


def _number(said: Any, most: int) -> None:
    if type(said) is not int or not 0 <= said <= most:
        raise BrokenAnswer("its promise is none")
