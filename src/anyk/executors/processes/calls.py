"""Batches of calls on their way to a worker process, and what comes of them on their way back."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from anyk.errors import ExecutorError
from anyk.executors.core.calls import Batch, Result
from anyk.executors.core.raised import Raised, describe, unreadable, unsendable, with_source
from anyk.executors.core.run_items import raised_by, run_items
from anyk.executors.core.task_id import TaskId
from anyk.executors.processes.parcels import Sizes, pack, packed_apart, unpack
from anyk.executors.processes.pickling import dumps
from anyk.executors.processes.wire import Payload, load, to_payload

__all__ = ["CallOrder", "computed", "failing", "order", "order_of_some", "results"]

_IMMUTABLE = {int, float, complex, bool, str, bytes, type(None)}


@final
@dataclass(frozen=True, eq=False)
class CallOrder:
    """A batch, packed.

    Args:
        key: of the function, among the constants.
        items: the arguments of each call.
        about: how they are packed, and (item, copy, worker) of each.
    """

    key: str
    items: Payload
    about: tuple[Sizes, list[tuple[int, int, int]]]


def order(key: str, batch: Batch) -> CallOrder:
    """Pack a batch.

    Args:
        key: of the function.
        batch: the items.

    Raises:
        Exception: whatever pickling raises.
    """
    items, sizes = pack(batch.items)
    ids = [(each.item, each.copy, each.worker) for each in batch.ids]
    return CallOrder(key, items, (sizes, ids))


def order_of_some(key: str, batch: Batch) -> CallOrder:
    """Pack a batch; in the place of an item that can't be sent is told why.

    Args:
        key: of the function.
        batch: the items.
    """
    try:
        return order(key, batch)
    except Exception:  # noqa: BLE001 - which one it is, and why, is found below
        items, sizes = packed_apart([_payload(each) for each in batch.items])
    ids = [(each.item, each.copy, each.worker) for each in batch.ids]
    return CallOrder(key, items, (sizes, ids))


def _payload(arguments: tuple[Any, ...]) -> Payload:
    try:
        return to_payload(arguments)
    except Exception as error:  # noqa: BLE001 - types of users raise what they like
        return to_payload(Raised(f"was given an item that can't be sent ({describe(error)})"))


def computed(
    function: Callable[..., Any],
    items: Payload,
    about: tuple[Sizes, Sequence[tuple[int, int, int]]],
) -> tuple[Payload, Payload]:
    """Run a batch in a worker process, and pack what comes of it.

    Args:
        function: called with the arguments of each item.
        items: as in the order.
        about: as in the order.

    Example:
        >>> from anyk.executors.core.calls import Batch
        >>> from anyk.executors.core.task_id import TaskId
        >>> from anyk.executors.processes.calls import computed, order, results
        >>> packed = order("f", Batch(0, ((8,), (0,)), (TaskId(0, 0, 0), TaskId(1, 0, 0))))
        >>> back = computed(lambda x: 1 / x, packed.items, packed.about)
        >>> first, second = results(*back)
        >>> first.value, second.raised.reason
        (0.125, 'ZeroDivisionError: division by zero')
    """
    sizes, ids = about
    given = unpack(items, sizes, raised_by)
    here = [place for place, each in enumerate(given) if type(each) is tuple]
    batch = Batch(
        ticket=0,
        items=tuple(given[place] for place in here),
        ids=tuple(TaskId(*ids[place]) for place in here),
    )
    taken = _last if len(here) == 1 else _taken
    came = run_items(function, batch, fresh=True, in_master=False, taken=taken)
    if len(here) < len(given):
        found = dict(zip(here, came, strict=True))
        came = tuple(found.get(place, Result(None, each, 0.0)) for place, each in enumerate(given))
    return _packed(came)


def failing(why: str) -> Callable[..., Any]:
    """What is called instead of a function that can't be unpickled on the worker.

    Args:
        why: it can't.
    """

    def fail(*_: object) -> None:
        raise ExecutorError(f"the function can't be unpickled on the worker ({why}).")

    return fail


def results(about: Payload, values: Payload) -> tuple[Result, ...]:
    """What came of a batch, from `computed`.

    Args:
        about: how the values are packed, the seconds, and what was raised.
        values: one an item.

    Raises:
        Exception: whatever unpickling raises, where it is not that of a value.
    """
    sizes, seconds, raised = load(about)
    found = unpack(values, sizes, _unreadable)
    came = [Result(value, None, took) for (value,), took in zip(found, seconds, strict=True)]
    if sizes is not None:
        for place, each in enumerate(came):
            if type(each.value) is _Unreadable:
                came[place] = Result(None, each.value.raised, each.seconds)
    for place, (reason, traceback, error) in raised.items():
        came[place] = Result(
            None, Raised(reason, with_source(traceback), _error(error)), seconds[place]
        )
    return tuple(came)


@final
class _Sealed:
    """A value that was pickled as soon as it was there."""

    def __init__(self, payload: Payload) -> None:
        self.payload = payload


@final
class _Unreadable:
    """A value that can't be unpickled here."""

    def __init__(self, raised: Raised) -> None:
        self.raised = raised


def _unreadable(error: BaseException) -> tuple[_Unreadable]:
    return (_Unreadable(unreadable(error)),)


def _taken(value: Any) -> Any:
    """A value that the function has no more hold of when it is called again."""
    if _scalar(value):
        return value
    if type(value) is np.ndarray and not value.dtype.hasobject:
        return value.copy(order="K")
    sealed = _last(value)
    if isinstance(sealed, _Sealed):
        pickled, *frames = sealed.payload
        return _Sealed((pickled, *(bytes(frame) for frame in frames)))
    return sealed


def _last(value: Any) -> Any:
    """A value after which the function is not called again."""
    if _scalar(value) or (type(value) is np.ndarray and not value.dtype.hasobject):
        return value
    try:
        return _Sealed(to_payload((value,)))
    except BaseException as error:  # noqa: BLE001 - types of users raise what they like
        return unsendable(value, error)


def _scalar(value: Any) -> bool:
    """Whether a value can't change, and nothing is in it that can't be pickled."""
    kind = type(value)
    if kind in _IMMUTABLE:
        return True
    return isinstance(value, np.generic) and kind.__module__ == "numpy" and kind is not np.void


def _packed(came: Sequence[Result]) -> tuple[Payload, Payload]:
    raised, values = {}, [each.value for each in came]
    for place, each in enumerate(came):
        why = each.value if type(each.value) is Raised else each.raised
        if why is not None:
            raised[place] = (why.reason, why.traceback, _pickled(why.error))
            values[place] = None
    if any(type(value) is _Sealed for value in values):
        payload, sizes = packed_apart(
            [each.payload if type(each) is _Sealed else to_payload((each,)) for each in values]
        )
    else:
        payload, sizes = pack([(each,) for each in values])
    seconds = [each.seconds for each in came]
    return (pickle.dumps((sizes, seconds, raised)),), payload


def _pickled(error: BaseException | None) -> bytes | None:
    """An exception, if it can be unpickled again: many can't, whose arguments are their own."""
    try:
        pickled = dumps(error, _nothing, bool)
        pickle.loads(pickled)  # noqa: S301 - ours
    except BaseException:  # noqa: BLE001 - types of users raise what they like
        return None
    return pickled


def _nothing() -> None:
    pass


def _error(pickled: bytes | None) -> BaseException | None:
    try:
        error = None if pickled is None else pickle.loads(pickled)  # noqa: S301 - trusted
    except BaseException:  # noqa: BLE001 - types of users raise what they like
        return None
    return error if isinstance(error, BaseException) else None
