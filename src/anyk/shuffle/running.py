"""`map_reduce`: map with redundancy, shuffle by a plan, reduce."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from typing import Any, Final, final

from anyk.checks import count, instance
from anyk.errors import InvalidArgument
from anyk.shuffle.counts import Counts, Seconds, added
from anyk.shuffle.exchanges import Exchanges
from anyk.shuffle.local import LocalNodes
from anyk.shuffle.meeting import Meeting
from anyk.shuffle.plans import AbstractPlan
from anyk.shuffle.transport import AbstractTransport
from anyk.wording import numbered

__all__ = ["Shuffled", "map_reduce"]

LIMIT: Final = 1 << 30
"""Bytes of one value, by default."""

_COUNTS: Final = struct.Struct("<9q5d")


@final
@dataclass(frozen=True)
class Shuffled:
    """What a shuffle made, and what it cost.

    Args:
        parts: what each node reduced, by node; with MPI that of this process's node alone.
        counts: bytes of all nodes together.
        seconds: of all nodes together.

    Example:
        >>> from anyk import shuffle
        >>> records = np.array([b"cb", b"ac", b"ba", b"aa"])
        >>> done = shuffle.sort(records, shuffle.Coded(nodes=2, copies=1), key=1)
        >>> np.concatenate(list(done.parts.values())).tolist()
        [b'ac', b'aa', b'ba', b'cb']
    """

    parts: dict[int, Any]
    counts: Counts
    seconds: Seconds


def map_reduce(
    plan: AbstractPlan,
    files: Sequence[Any] | Mapping[int, Any],
    map_fn: Callable[[Any], Iterable[Any]],
    reduce_fn: Callable[[list[bytes]], Any],
    *,
    transport: AbstractTransport | None = None,
    limit: int = LIMIT,
    clock: Callable[[], float] = time.perf_counter,
) -> Shuffled:
    """Map every file on several nodes, shuffle what the maps made, and reduce it at each node.

    Args:
        plan: which nodes map which file, and what they send: `Coded`, `Resolvable`, ..
        files: `plan.files` of them, each anything that map_fn takes; with MPI a mapping of those
            that this process's node holds is enough.
        map_fn: makes of a file one value for each node of `plan.live`, as bytes. It must make the
            same bytes wherever it runs: a hash of strings or the order of a set do not.
        reduce_fn: makes a node's part of its values of all files, in the order of the files.
        transport: between the nodes; all of them in this process by default.
        limit: bytes that one value may have. No peer makes this process allocate more than five
            times as many at a time.
        clock: seconds, of which differences are taken.

    Returns:
        The parts of the nodes in this process, and the costs of all nodes.

    Raises:
        InvalidArgument: if there are too few files, or the transport has other nodes.
        ShuffleFailed: in every process, if a function raised at one of them, values are no bytes or
            too long, a message was lost or altered, or two nodes made different values of a file.

    Guarantee:
        Each value is reduced as it was mapped, or the shuffle fails: a digest of 128 bits goes with
        it. That is against faults, not against nodes that lie: those can send what they want.

    References:
        Li, Maddah-Ali, Yu, Avestimehr: A fundamental tradeoff between computation and communication
        in distributed computing (IEEE Transactions on Information Theory 64, 2018).

    Example:
        >>> from anyk import shuffle
        >>> def by_first_letter(text):
        ...     halves = [word for word in text.split() if word < "m"], text.split()
        ...     return [" ".join(halves[0]).encode(), str(len(halves[1])).encode()]
        >>> plan = shuffle.Coded(nodes=2, copies=1)
        >>> done = shuffle.map_reduce(plan, ["b x a", "z y"], by_first_letter, list)
        >>> done.parts
        {0: [b'b a', b''], 1: [b'3', b'2']}
    """
    instance("plan", plan, AbstractPlan, change="Pass Coded(nodes, copies).")
    between = LocalNodes() if transport is None else transport
    instance("transport", between, AbstractTransport, change="Pass LocalNodes() or MPINodes().")
    limit = count("limit", limit, least=1, most=(1 << 31) - 1)
    meeting = Meeting(plan, between)
    meeting.same_plan(limit)
    mapping, reducing = 0.0, 0.0
    mapped: dict[int, dict[int, list[bytes]]] = {}
    for node in meeting.nodes:
        start = clock()
        try:
            _check_files(plan, files)
            mapped[node] = {
                file: _values(plan, file, map_fn(_file(files, file)), limit)
                for file in plan.held(node)
            }
        except _Unusable as error:
            meeting.problem(node, str(error))
        except Exception as error:  # noqa: BLE001 - whatever the user's function raises
            meeting.problem(node, f"its map raised {type(error).__name__}: {error}", error)
        mapping += clock() - start
    meeting.agree()
    exchanges = Exchanges(meeting, mapped, limit, clock)
    received = exchanges.all()
    meeting.agree()
    parts = {}
    for seat, node in zip(meeting.seats, meeting.nodes, strict=True):
        own = mapped[node]
        values = [
            own[file][seat] if file in own else received[node][file] for file in range(plan.files)
        ]
        start = clock()
        try:
            parts[node] = reduce_fn(values)
        except Exception as error:  # noqa: BLE001 - whatever the user's function raises
            meeting.problem(node, f"its reduce raised {type(error).__name__}: {error}", error)
        reducing += clock() - start
    meeting.agree()
    made = sum(
        len(value)
        for node in meeting.nodes
        for file, values in mapped[node].items()
        if plan.holders[file][0] == node
        for value in values
    )
    counts = added([exchanges.counts, Counts(intermediate=made)])
    seconds = added([exchanges.seconds, Seconds(map=mapping, reduce=reducing)])
    return Shuffled(parts, *_of_all(meeting, counts, seconds))


@final
class _Unusable(Exception):  # noqa: N818 - becomes a sentence, and is never seen
    """What a map made can't be shuffled."""


def _check_files(plan: AbstractPlan, files: Sequence[Any] | Mapping[int, Any]) -> None:
    if not isinstance(files, Mapping) and len(files) != plan.files:
        raise InvalidArgument(
            "files",
            given=numbered(len(files), "file"),
            needed=f"the {plan.files} of the plan",
            change=f"Pass {numbered(plan.files, 'file')}; several may be one, as a list.",
        )


def _file(files: Sequence[Any] | Mapping[int, Any], file: int) -> Any:
    try:
        return files[file]
    except KeyError:
        raise _Unusable(f"has no file {file}, which the plan places there.") from None


def _values(plan: AbstractPlan, file: int, values: Iterable[Any], limit: int) -> list[bytes]:
    """What a map made of a file, as bytes.

    Raises:
        _Unusable: if these are too few, no bytes, or too many of them.
    """
    made = []
    for value in values:
        try:
            view = memoryview(value)
        except TypeError:
            raise _Unusable(
                f"map_fn made a value of type {type(value).__name__} of file {file}; needed: bytes."
            ) from None
        if view.nbytes > limit:
            raise _Unusable(
                f"map_fn made a value of {view.nbytes} bytes of file {file}; the limit is {limit}. "
                "Cut the input in more files, or raise limit."
            )
        made.append(bytes(view))
    if len(made) != len(plan.live):
        raise _Unusable(
            f"map_fn made {numbered(len(made), 'value')} of file {file}; needed: {len(plan.live)}, "
            "one for each node that reduces."
        )
    return made


def _of_all(meeting: Meeting, counts: Counts, seconds: Seconds) -> tuple[Counts, Seconds]:
    """Costs of all processes together."""
    first, *others = meeting.seats
    note = _COUNTS.pack(*astuple(counts), *astuple(seconds))
    told = meeting.tell({first: note, **dict.fromkeys(others, b"")}, _COUNTS.size)
    every = [_COUNTS.unpack(each) for each in told.values() if each]
    size = len(astuple(counts))
    return (
        added([Counts(notes=meeting.notes), *(Counts(*each[:size]) for each in every)]),
        added([Seconds(*each[size:]) for each in every]),
    )
