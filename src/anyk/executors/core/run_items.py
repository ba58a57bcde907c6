"""What runs on a worker of a batch: the function, on one item after the other."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from anyk.executors.core.broadcast import unwrapped
from anyk.executors.core.calls import Batch, Result
from anyk.executors.core.raised import Raised, describe, traceback_of, unreadable, unsendable
from anyk.executors.core.task_id import current
from anyk.own_copies import own_copies

__all__ = ["Sealed", "opened", "run_items", "sealed"]

Sealed = Sequence[Any]
"""A result on its way: its pickle, then the memory of the large arrays in it."""

Dumps = Callable[[object], Sealed]
"""Pickles a value, with its large arrays beside."""


def run_items(
    function: Callable[..., Any],
    batch: Batch,
    *,
    fresh: bool = False,
    in_master: bool = True,
    taken: Callable[[Any], Any] | None = None,
) -> tuple[Result, ...]:
    """Call a function on each item, and let nothing that it raises go any further but Ctrl-C.

    A call gets copies of its own of the arrays in its item, to write in as it likes, and its value
    is copied where it may use the memory again.

    Args:
        function: called with the arguments of each item.
        batch: the items.
        fresh: whether they came for these calls alone, and values are pickled at once.
        in_master: whether this is the master's process; elsewhere nobody presses Ctrl-C.
        taken: what becomes of a value at once, before the function is called again and may use
            its memory.

    Example:
        >>> from anyk.executors.core.calls import Batch
        >>> from anyk.executors.core.run_items import run_items
        >>> from anyk.executors.core.task_id import TaskId
        >>> batch = Batch(0, ((8, 2), (8, 0)), (TaskId(0, 0, 0), TaskId(1, 0, 0)))
        >>> first, second = run_items(lambda a, b: a / b, batch)
        >>> first.value, second.raised.reason
        (4.0, 'ZeroDivisionError: division by zero')
    """
    if taken is None:
        taken = _same if fresh else _copied
    results = []
    for arguments, each in zip(batch.items, batch.ids, strict=True):
        token = current.set(each)
        started = time.perf_counter()
        try:
            call = unwrapped(function)
            given = unwrapped(arguments if fresh else _copied(arguments))
            started = time.perf_counter()
            value = call(*given)
            seconds = time.perf_counter() - started
            results.append(Result(taken(value), None, seconds))
        except BaseException as error:
            if in_master and isinstance(error, KeyboardInterrupt) and _in_main_thread():
                raise  # somebody pressed Ctrl-C
            seconds = time.perf_counter() - started
            results.append(Result(None, raised_by(error), seconds))
        finally:
            current.reset(token)
    return tuple(results)


def raised_by(error: BaseException) -> Raised:
    """What was raised, without what its frames hold."""
    raised = Raised(describe(error), traceback_of(error), error)
    error.__traceback__ = None  # arrays of its frames may be all the memory there is
    return raised


def sealed(result: Result, dumps: Dumps) -> Sealed:
    """A result as it travels to the master; one that can't be pickled says so instead.

    Args:
        result: of one item.
        dumps: pickles a value that holds it.
    """
    raised = result.raised
    try:
        if raised is not None and raised.error is not None:
            pickle.loads(pickle.dumps(raised.error))  # noqa: S301 - ours; many can be pickled only
        return dumps((result.value, raised, result.seconds))
    except BaseException as error:  # noqa: BLE001 - types of users raise what they like
        if raised is None:
            raised = unsendable(result.value, error)
        return dumps((None, Raised(raised.reason, raised.traceback), result.seconds))


def opened(parcel: Sealed, loads: Callable[[Sealed], Any]) -> Result:
    """A result that came back; one that can't be unpickled here is a failure of its item alone.

    Args:
        parcel: from `sealed`.
        loads: unpickles what `dumps` has made.
    """
    try:
        return Result(*loads(parcel))
    except BaseException as error:  # noqa: BLE001 - types of users raise what they like
        return Result(None, unreadable(error), 0.0)


def _same(value: Any) -> Any:
    return value


def _copied(value: Any) -> Any:
    try:
        return own_copies(value)
    except Exception:  # noqa: BLE001 - what can't be copied is passed on as it is
        return value


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()
