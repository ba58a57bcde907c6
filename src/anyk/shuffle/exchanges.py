"""All exchanges of a shuffle, group by group: headers first, then the pieces of values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.shuffle.counts import Counts, Seconds
from anyk.shuffle.meeting import Meeting
from anyk.shuffle.pieces import HEADER, Layout, header_of, matches, read_header
from anyk.shuffle.plans import Group

__all__ = ["Exchanges"]

Bytes = NDArray[np.uint8]


@final
@dataclass
class Exchanges:
    """What the nodes in this process send and receive.

    In each group every member tells the header of the value that the member before it wants, so
    that each header is sent once. Headers are believed as far as `limit`, and by all members alike:
    a wrong one becomes a problem, and the exchange goes on, so that nobody waits for anybody.

    Args:
        meeting: where problems are told.
        mapped: by node of this process and by file, what its map made for each seat.
        limit: bytes of one value.
        clock: seconds.
    """

    meeting: Meeting
    mapped: Mapping[int, Mapping[int, list[bytes]]]
    limit: int
    clock: Callable[[], float]
    _bytes: Counter[str] = field(default_factory=Counter, init=False)
    _seconds: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(("encode", "send", "decode"), 0.0), init=False
    )

    def __post_init__(self) -> None:
        self._seat = {node: seat for seat, node in enumerate(self.meeting.plan.live)}
        self._received: dict[int, dict[int, bytes]] = {node: {} for node in self.mapped}

    @property
    def counts(self) -> Counts:
        """What the nodes in this process sent, and what they lacked."""
        return Counts(**self._bytes)

    @property
    def seconds(self) -> Seconds:
        """How long they took."""
        return Seconds(**self._seconds)

    def all(self) -> dict[int, dict[int, bytes]]:
        """Go through all groups.

        Returns:
            By node of this process and by file, the values that it lacked.
        """
        for group in self.meeting.plan.groups:
            here = [place for place, node in enumerate(group.members) if node in self.mapped]
            if here:
                self._exchange(group, here)
        return self._received

    def _exchange(self, group: Group, here: list[int]) -> None:
        """One group, for those of its places that are in this process."""
        started = self.clock()
        sizes = tuple(0 if file is None else HEADER for file in _turned(group.wanted))
        sent = {place: self._header(group, place) for place in here if sizes[place]}
        self._bytes["headers_multicast"] += HEADER * len(sent)
        self._bytes["headers_unicast"] += HEADER * len(sent) * (len(sizes) - 1)
        encoded = self.clock()
        headers = self._carried(group, sent, sizes)
        told = self.clock()
        lengths = [self._length(group, place, headers) for place in range(len(sizes))]
        layout = Layout(tuple(length or 0 for length in lengths))
        mixed = {place: layout.mixed(self._known(group, place, lengths)) for place in here}
        sent = {
            place: mixed[place][place, : layout.messages[place]]
            for place in here
            if layout.messages[place]
        }
        for place, message in sent.items():
            self._count(len(message), layout.receivers(place))
        mixed_up = self.clock()
        messages = self._carried(group, sent, layout.messages) if any(layout.messages) else {}
        came = self.clock()
        for place in here:
            value = layout.opened(place, mixed[place], messages)
            if lengths[place] is not None and value is not None:
                self._keep(group, place, value, headers[(place + 1) % len(sizes)])
        self._seconds["encode"] += encoded - started + mixed_up - told
        self._seconds["send"] += told - encoded + came - mixed_up
        self._seconds["decode"] += self.clock() - came

    def _value(self, group: Group, place: int, of: int) -> bytes:
        """What a member in this process made for another one."""
        file = group.wanted[of]
        if file is None:
            return b""
        return self.mapped[group.members[place]][file][self._seat[group.members[of]]]

    def _header(self, group: Group, place: int) -> Bytes:
        """The header that a member in this process tells: of the value of the one before it."""
        file = group.wanted[place - 1]
        if file is None:
            raise ValueError("nobody wants it")
        return header_of(file, group.members[place - 1], self._value(group, place, place - 1))

    def _carried(
        self, group: Group, sent: Mapping[int, Bytes], sizes: tuple[int, ...]
    ) -> dict[int, Bytes]:
        """Messages by the place of their senders; one that is not of its size is a problem."""
        seats = tuple(self._seat[node] for node in group.members)
        came = self.meeting.transport.exchange(
            seats, {seats[place]: message for place, message in sent.items()}, sizes
        )
        kept = {}
        for place, (seat, size) in enumerate(zip(seats, sizes, strict=True)):
            message = came.get(seat)
            if size and (message is None or len(message) != size):
                node = group.members[place]
                self.meeting.problem(
                    node,
                    f"sent {0 if message is None else len(message)} bytes, and {size} were due. If "
                    f"it is dead, take it out: Without(plan, nodes=({node},)).",
                )
            elif message is not None and size:
                kept[place] = message
        return kept

    def _length(self, group: Group, place: int, headers: Mapping[int, Bytes]) -> int | None:
        """Of the value that a member wants, as its header tells; None where that can't be used."""
        header = headers.get((place + 1) % len(group.members))
        if header is None:
            return None
        length = read_header(header)
        if length > self.limit:
            sender = group.members[(place + 1) % len(group.members)]
            self.meeting.problem(
                sender,
                f"tells of a value of {length} bytes; the limit is {self.limit}. A message was "
                "altered on its way, or limit is lower here than there.",
            )
            return None
        return length

    def _known(self, group: Group, place: int, lengths: Sequence[int | None]) -> dict[int, bytes]:
        """By place, what a member in this process knows that others want."""
        known = {
            of: self._value(group, place, of)
            for of, file in enumerate(group.wanted)
            if of != place and file is not None
        }
        for of, value in known.items():
            if lengths[of] not in {None, len(value)}:
                self.meeting.problem(
                    group.members[place],
                    f"makes {len(value)} bytes of file {group.wanted[of]} for node "
                    f"{group.members[of]}, and is told of {lengths[of]}: map_fn must make the same "
                    "bytes wherever it runs.",
                )
        return known

    def _keep(self, group: Group, place: int, value: bytes, header: Bytes) -> None:
        """Keep what a member in this process wanted, if it is what its header tells of."""
        node, file = group.members[place], group.wanted[place]
        if file is None:
            raise ValueError("nothing is wanted")
        if not matches(header, file, node, value):
            senders = ", ".join(str(each) for each in group.members if each != node)
            self.meeting.problem(
                node,
                f"got a wrong value of file {file} from nodes {senders}: a message was altered on "
                "its way, or map_fn does not make the same bytes wherever it runs.",
            )
        self._received[node][file] = value
        self._bytes["wanted"] += len(value)

    def _count(self, size: int, receivers: int) -> None:
        """Count a message."""
        self._bytes.update(
            multicast=size, unicast=size * receivers, messages=1, deliveries=receivers
        )


def _turned(wanted: tuple[int | None, ...]) -> tuple[int | None, ...]:
    """For each place, what the member before it wants."""
    return wanted[-1:] + wanted[:-1]
