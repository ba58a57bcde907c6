"""What is computed of parameters alone is kept for the next call, within a limit of memory."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from functools import wraps
from threading import Lock
from typing import Any, ParamSpec, TypeVar

__all__ = ["kept"]

_MANY = 256  # results
_BYTES = 1 << 28  # of all results of one function, but for the last one


P = ParamSpec("P")
T = TypeVar("T")


def kept(function: Callable[P, T]) -> Callable[P, T]:
    """The function, which keeps its last results: as many as 256 MB hold, at most 256.

    A matrix for each pattern of late workers is quick to keep where there are ten of them, and
    takes more memory than there is where there are ten thousand.

    Args:
        function: of hashable arguments to an ndarray or something else with `nbytes`, a tuple of
            such, or None.

    Example:
        >>> from anyk.kept import kept
        >>> calls = []
        >>> def ones(rows):
        ...     calls.append(rows)
        ...     return np.ones(rows)
        >>> again = kept(ones)
        >>> again(2), again(2), calls
        (array([1., 1.]), array([1., 1.]), [2])
    """
    results: OrderedDict[Hashable, Any] = OrderedDict()
    lock, held = Lock(), 0

    @wraps(function)
    def remembered(*args: P.args, **kwargs: P.kwargs) -> T:
        nonlocal held
        key = (args, *kwargs.items())
        with lock:
            if key in results:
                results.move_to_end(key)
                found: T = results[key]
                return found
        made = function(*args, **kwargs)
        with lock:
            if key not in results:
                results[key] = made
                held += _size(made)
            while len(results) > 1 and (held > _BYTES or len(results) > _MANY):
                held -= _size(results.popitem(last=False)[1])
        return made

    return remembered


def _size(result: Any) -> int:
    if isinstance(result, tuple):
        return sum(map(_size, result))
    return 0 if result is None else int(result.nbytes)
