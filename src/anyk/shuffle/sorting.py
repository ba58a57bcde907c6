"""`sort`: records by their first bytes, each node a range of keys."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count, instance, shown
from anyk.errors import InvalidArgument
from anyk.shuffle.counts import Counts, added
from anyk.shuffle.local import LocalNodes
from anyk.shuffle.meeting import Meeting
from anyk.shuffle.plans import AbstractPlan
from anyk.shuffle.running import Shuffled, map_reduce
from anyk.shuffle.transport import AbstractTransport

__all__ = ["cut", "sort"]

Bytes = NDArray[np.uint8]

_SAMPLES: Final = 1000  # keys for each node
_MOST_SAMPLED: Final = 1 << 26  # bytes of keys that one process tells
_FORM: Final = struct.Struct("<QQ")  # bytes of a record, and of its key


def cut(records: NDArray[Any], plan: AbstractPlan) -> dict[int, NDArray[Any]]:
    """Records in the files of a plan, one after the other, equally long but for one record.

    Args:
        records: array (n, ...).
        plan: for how many files.

    Raises:
        InvalidArgument: if these are no rows of an array.

    Example:
        >>> from anyk import shuffle
        >>> shuffle.cut(np.arange(5), shuffle.Coded(nodes=2, copies=1))
        {0: array([0, 1, 2]), 1: array([3, 4])}
    """
    instance("plan", plan, AbstractPlan, change="Pass Coded(nodes, copies).")
    return dict(enumerate(np.array_split(_rows(records), plan.files)))


def sort(
    records: NDArray[Any] | Mapping[int, NDArray[Any]],
    plan: AbstractPlan,
    *,
    key: int = 10,
    transport: AbstractTransport | None = None,
    **options: Any,
) -> Shuffled:
    """Sort records of fixed length by their first bytes: TeraSort, with the code of a plan.

    The range of keys of each node comes from a sample of the keys. Records with one key go to one
    node, and stay in the order in which they came.

    Args:
        records: array (n,) of a dtype of bytes, such as "S100" or "V100", or a structured one, or
            uint8 (n, bytes). With MPI, a mapping from files to such arrays: those that this
            process's node holds are enough. Files follow each other in the order of their numbers.
        plan: which nodes map which file, and what they send.
        key: bytes at the start of a record by which it is sorted, compared as unsigned numbers.
        transport: between the nodes; all of them in this process by default.
        **options: `limit` and `clock` of `map_reduce`.

    Returns:
        By node the sorted records of its range, in arrays of the same dtype; in the order of the
        nodes they are all records, sorted.

    Raises:
        InvalidArgument: if these are no records, or have fewer bytes than their key.
        ShuffleFailed: as `map_reduce` does.

    References:
        Li, Supittayapornpong, Maddah-Ali, Avestimehr: Coded TeraSort (IPDPS workshops 2017,
        arXiv 1702.04850).

    Example:
        >>> from anyk import shuffle
        >>> rng = np.random.default_rng(0)
        >>> records = rng.integers(0, 256, (3000, 100), dtype=np.uint8)
        >>> done = shuffle.sort(records, shuffle.Coded(nodes=6, copies=2))
        >>> sorted_records = np.concatenate([done.parts[node] for node in range(6)])
        >>> order = np.argsort(records[:, :10].copy().view("S10")[:, 0], kind="stable")
        >>> bool(np.array_equal(sorted_records, records[order]))
        True
    """
    instance("plan", plan, AbstractPlan, change="Pass Coded(nodes, copies).")
    between = LocalNodes() if transport is None else transport
    instance("transport", between, AbstractTransport, change="Pass LocalNodes() or MPINodes().")
    meeting = Meeting(plan, between)
    meeting.same_plan()
    held, told = {0: np.empty(0, dtype="V1")}, b""
    try:
        held = _held(meeting, records)
        key = _checked_key(held, key)
        told = _sampled(meeting, held, key)
    except Exception as error:  # noqa: BLE001 - the others are told before it is raised here
        meeting.problem(meeting.nodes[0], f"{type(error).__name__}: {error}", error)
    meeting.agree()
    splitters = _splitters(meeting, told)
    like = next(iter(held.values()))[:0]
    files = {file: _as_bytes(part) for file, part in held.items()}

    def ranges(part: Bytes) -> list[Bytes]:
        node = np.searchsorted(splitters, _keys(part, key), side="right").astype(np.uint16)
        ends = np.cumsum(np.bincount(node, minlength=len(plan.live)))
        return np.split(part[np.argsort(node, kind="stable")], ends[:-1])

    def merged(values: list[bytes]) -> NDArray[Any]:
        every = np.frombuffer(b"".join(values), dtype=np.uint8)
        every = every.reshape(-1, like.itemsize if like.ndim == 1 else like.shape[1])
        ordered = every[_order(every, key)]
        return ordered if like.ndim > 1 else ordered.view(like.dtype)[:, 0]

    done = map_reduce(plan, files, ranges, merged, transport=between, **options)
    return replace(done, counts=added([done.counts, Counts(notes=meeting.notes)]))


def _held(
    meeting: Meeting, records: NDArray[Any] | Mapping[int, NDArray[Any]]
) -> dict[int, NDArray[Any]]:
    """The files that the nodes in this process hold.

    Raises:
        InvalidArgument: if one is missing, or has no records.
    """
    plan = meeting.plan
    files = records if isinstance(records, Mapping) else cut(_checked(records), plan)
    held = sorted({file for node in meeting.nodes for file in plan.held(node)})
    missing = next((file for file in held if file not in files), None)
    if missing is not None:
        raise InvalidArgument(
            "records",
            given=f"no file {missing}",
            needed="all files that the nodes of this process hold",
            change="Pass those that plan.held(node) tells, or cut(records, plan).",
        )
    return {file: _checked(files[file]) for file in held}


def _rows(records: Any) -> NDArray[Any]:
    """Any array of rows.

    Raises:
        InvalidArgument: if it is none.
    """
    try:
        array = np.asarray(records)
    except ValueError:  # of lists that are not equally long
        array = np.asarray(None)
    if not array.ndim:
        raise InvalidArgument(
            "records",
            given=shown(records),
            needed="rows of an array",
            change="Pass an array, a record a row.",
        )
    return array


def _checked(records: Any) -> NDArray[Any]:
    """Records as an array of which every byte counts.

    Raises:
        InvalidArgument: if they are none.
    """
    array = _rows(records)
    plain = array.ndim == 1 and array.dtype.kind in "SV" and not array.dtype.hasobject
    rows = array.ndim == 2 and array.dtype == np.uint8  # noqa: PLR2004 - of bytes
    if not (plain or rows) or not (array.itemsize if plain else array.shape[1]):
        raise InvalidArgument(
            "records",
            given=f"an array {array.shape} of {shown(array.dtype)}",
            needed="bytes or structured records (n,), or uint8 (n, bytes)",
            change="Make bytes that compare as the values do: of whole numbers >= 0, "
            'records.astype(">u8").view("V8"), with key=8.',
        )
    return array


def _as_bytes(records: NDArray[Any]) -> Bytes:
    """The same records as rows of bytes."""
    if records.ndim > 1:
        return records
    return np.frombuffer(records.tobytes(), dtype=np.uint8).reshape(-1, records.itemsize)


def _checked_key(files: Mapping[int, NDArray[Any]], key: int) -> int:
    """The bytes of a key, if records are equally long, and no shorter than it.

    Raises:
        InvalidArgument: if they are not.
    """
    kinds = {(_as_bytes(part[:0]).shape[1], part.dtype, part.ndim) for part in files.values()}
    if len(kinds) > 1:
        raise InvalidArgument(
            "records",
            given=f"records of {len(kinds)} kinds, such as {shown(min(kinds, key=str)[1])}",
            needed="one dtype and length",
            change="Fill up the shorter ones, and give all one dtype.",
        )
    ((width, _, _),) = kinds
    key = count("key", key, least=1)
    if key > width:
        raise InvalidArgument(
            "key",
            given=str(key),
            needed=f"at most the {width} bytes of a record",
            change="Lower it.",
        )
    return key


def _sampled(meeting: Meeting, files: Mapping[int, NDArray[Any]], key: int) -> bytes:
    """Keys of the files of which a node in this process is the first holder, evenly spaced."""
    plan = meeting.plan
    each = -(-_SAMPLES * len(plan.live) // plan.files)
    first = [file for file in files if plan.holders[file][0] in meeting.nodes]
    told = []
    for file in first:
        step = max(1, len(files[file]) // each)
        told.append(_as_bytes(files[file][step // 2 :: step][:each])[:, :key].tobytes())
    width = _as_bytes(next(iter(files.values()))[:0]).shape[1]
    return _FORM.pack(width, key) + b"".join(told)


def _splitters(meeting: Meeting, told: bytes) -> NDArray[np.bytes_]:
    """Keys at which the ranges of all nodes but the first begin; the same in all processes.

    Raises:
        InvalidArgument: in all processes, if they have records or keys of different lengths.
    """
    ranges = len(meeting.plan.live)
    first, *others = meeting.seats
    notes = {first: told, **dict.fromkeys(others, b"")}
    every = [note for _, note in sorted(meeting.tell(notes, _MOST_SAMPLED).items()) if note]
    forms = sorted({_FORM.unpack_from(note) for note in every})
    if len(forms) > 1:
        raise InvalidArgument(
            "records",
            given=" and ".join(f"{width} bytes with a key of {key}" for width, key in forms),
            needed="one length in all processes",
            change="Fill up the shorter ones.",
        )
    keys = np.frombuffer(b"".join(note[_FORM.size :] for note in every), dtype=f"S{forms[0][1]}")
    places = np.arange(1, ranges) * len(keys) // ranges
    return np.sort(keys)[places] if len(keys) else np.empty(0, dtype=keys.dtype)


def _keys(rows: Bytes, key: int) -> NDArray[np.bytes_]:
    """The keys of records: their order is that of the bytes, as zeros are the smallest."""
    return np.ascontiguousarray(rows[:, :key]).view(f"S{key}").reshape(-1)


def _order(rows: Bytes, key: int) -> NDArray[np.intp]:
    """The stable order of records by their keys, compared as numbers of eight bytes each."""
    filled = np.zeros((len(rows), -(-key // 8) * 8), dtype=np.uint8)
    filled[:, :key] = rows[:, :key]
    words = filled.view(">u8").astype(np.uint64)
    return np.lexsort(words.T[::-1])
