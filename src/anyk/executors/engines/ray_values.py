"""Values on their way to Ray's actors and back: pickled once, with what lies in Ray's store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np

from anyk.errors import InvalidArgument
from anyk.executors.core.calls import Batch
from anyk.executors.core.raised import describe
from anyk.executors.core.within import exchanged
from anyk.executors.processes.calls import CallOrder, order
from anyk.executors.processes.wire import Payload, load, to_payload
from anyk.wording import missing_extra

__all__ = [
    "Parcel",
    "Stored",
    "filled",
    "library",
    "own",
    "packed",
    "parcel",
    "restored",
    "sendable",
    "store",
    "to_parts",
    "without_refs",
]

_SMALL = 1 << 16  # bytes up to which a parcel travels with each call
_REFERENCE = b"ObjectRef"  # is in each pickle of one


def library() -> Any:
    """`ray`, if it is installed.

    Raises:
        ImportError: if it is not.
    """
    try:
        import ray  # noqa: PLC0415 - import anyk must not need it
    except ImportError as error:
        raise missing_extra("anyk.Ray needs Ray", "ray") from error
    return ray


@final
@dataclass(frozen=True)
class Stored:
    """Stands where an `ObjectRef` was passed.

    Args:
        place: of the reference among those of the parcel.
    """

    place: int


@final
@dataclass(frozen=True, eq=False)
class Parcel:
    """A pickled value.

    Args:
        parts: the pickle, then the memory of the large arrays in it; or one reference to these.
        refs: the references that were in the value.
    """

    parts: Sequence[Any]
    refs: tuple[Any, ...] = ()

    def bare(self) -> Any:
        """The value, of which nobody else has the arrays, with `Stored` where references were.

        Raises:
            Exception: whatever unpickling raises.
        """
        parts = self.parts
        if not isinstance(parts[0], bytes):
            (parts,) = library().get(list(parts))
        return restored(tuple(parts))

    def open(self, value_of: Callable[[Any], Any]) -> Any:
        """The value, with what references refer to.

        Args:
            value_of: gets that of one.

        Raises:
            Exception: whatever unpickling raises, or getting what lies in the store.
        """
        return filled(self.bare(), self.refs, value_of)


def filled(value: Any, refs: Sequence[Any], value_of: Callable[[Any], Any]) -> Any:
    """A value with what references refer to in the place of each `Stored`."""
    if not refs:
        return value
    return exchanged(
        value, lambda each: value_of(refs[each.place]) if type(each) is Stored else each
    )


def without_refs(value: Any) -> tuple[Any, tuple[Any, ...]]:
    """A value with `Stored` in the place of each `ObjectRef`, and these.

    They are found as an argument, and in the lists, tuples, dicts and partials among arguments.
    """
    refs: list[Any] = []
    kind = library().ObjectRef

    def exchange(each: Any) -> Any:
        if not isinstance(each, kind):
            return each
        refs.append(each)
        return Stored(len(refs) - 1)

    return exchanged(value, exchange), tuple(refs)


def parcel(value: Any, argument: str) -> Parcel:
    """A value as it travels to an actor.

    Args:
        value: functions and classes that others can't import go with their code.
        argument: of the user's, for what is said in the error.

    Raises:
        InvalidArgument: if it can't be pickled.
    """
    refs: tuple[Any, ...] = ()
    try:
        parts = to_parts(value)
        if _REFERENCE in parts[0]:
            value, refs = without_refs(value)
            parts = to_parts(value)
    except Exception as error:
        raise _refused(argument, error) from error
    return Parcel(parts, refs)


def _refused(argument: str, error: Exception) -> InvalidArgument:
    return InvalidArgument(
        argument,
        given=f"one that can't be pickled ({describe(error)})",
        needed="what cloudpickle can send",
        change="Leave out locks, files and connections.",
    )


def packed(batch: Batch) -> tuple[CallOrder, tuple[Any, ...]]:
    """A batch as it travels to an actor, and the references that were in its items.

    Raises:
        InvalidArgument: if an item can't be pickled.
    """
    refs: tuple[Any, ...] = ()
    try:
        made = order("", batch)
        if _REFERENCE in made.items[0]:
            items, refs = without_refs(batch.items)
            made = order("", replace(batch, items=items))
    except Exception as error:
        raise _refused("items", error) from error
    return replace(made, items=sendable(made.items)), refs


def store(sent: Parcel) -> Parcel:
    """A parcel for many actors: in the object store, if it is large."""
    size = sum(len(part) for part in sent.parts)
    return sent if size <= _SMALL else Parcel([library().put(sent.parts)], sent.refs)


def to_parts(value: object) -> Payload:
    """A pickle, and the memory of the large arrays in it."""
    return sendable(to_payload(value))


def sendable(payload: Payload) -> Payload:
    """A payload that Ray can send: it takes the memory of arrays out of its own pickle."""
    return (payload[0], *(np.frombuffer(each, np.uint8) for each in payload[1:]))  # type: ignore[arg-type]


def own(payload: Payload) -> Payload:
    """A payload that Ray has sent, of memory that can be written in."""
    return (payload[0], *(memoryview(bytearray(each)) for each in payload[1:]))


def restored(parts: Payload) -> Any:
    """What `to_parts` has pickled; its arrays can be written in."""
    return load(own(parts))
