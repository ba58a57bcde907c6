"""What a remote worker does for one master: hold its shares, run functions of its own, answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.connections.broken import BrokenAnswer
from anyk.executors.core.placements import Parts
from anyk.executors.core.raised import LONGEST_FAILURE, describe, printable
from anyk.executors.core.run_task import Reply, run
from anyk.executors.remote.arguments import unpack
from anyk.executors.remote.frames import (
    LONGEST_REQUEST,
    Channel,
    Spec,
    as_sent,
    numbers,
    parse_specs,
    size_of,
    specs_of,
)
from anyk.executors.remote.header_limits import MOST_ARRAYS, check_text
from anyk.executors.remote.offer import Offer
from anyk.executors.remote.request import NOT_HELD, domain_of, needs_function, task_of
from anyk.executors.remote.slabs import BESIDE, Slabs

__all__ = ["Session"]


@final
class Session:
    """One master's shares on this worker, from its connection to its end.

    Messages are headers with a verb, and arrays:

    - hold: keep the arrays as the shares of this key, a row of each array a share.
    - forget: let the shares of this key go.
    - fill: add these columns to shares of this key, which are whole with the last ones; answered.
    - run: run a function on one of them, this piece, or on none, with arguments; answered.

    Args:
        channel: to the master, who has shown to be it.
        offer: the functions that there are.
        memory: bytes that shares and arguments may take.
        run: as `run_task.run`, perhaps with limits.
        heard: called when a request is served that runs nothing.

    Example:
        >>> import socket, threading
        >>> from anyk.executors.remote.frames import Channel
        >>> from anyk.executors.remote.offer import Offer
        >>> from anyk.executors.remote.session import Session
        >>> ours, theirs = (Channel(end) for end in socket.socketpair())
        >>> session = Session(theirs, Offer("anyk.testing.tasks"), memory=1 << 20)
        >>> thread = threading.Thread(target=session.serve)
        >>> thread.start()
        >>> ours.send({"verb": "hold", "key": 0, "arrays": [["<i8", [2]]]}, [np.ones(2, int)], None)
        >>> ours.send({"verb": "forget", "key": 0}, [], None)
        >>> ours.close()  # the end of the session
        >>> thread.join()
    """

    def __init__(
        self,
        channel: Channel,
        offer: Offer,
        *,
        memory: int,
        run: Callable[..., Reply] = run,
        heard: Callable[[], object] = lambda: None,
    ) -> None:
        self._channel = channel
        self._offer = offer
        self._memory = memory
        self._run_task = run
        self._heard = heard
        self._held: dict[int, Parts] = {}
        self._coming: dict[int, Slabs] = {}
        self._taken = 0  # bytes of the memory, by shares
        self._absent = NOT_HELD

    def serve(self) -> None:
        """Serve the master until it closes the connection, or is gone.

        Raises:
            BrokenAnswer: if it does not speak as a master does.
        """
        try:
            while True:
                self._serve_one(self._header())
        except (EOFError, OSError):
            return
        finally:
            self._held.clear()
            self._coming.clear()
            self._channel.close()

    def _header(self) -> dict[str, Any]:
        text = self._channel.receive_header(LONGEST_REQUEST, deadline=None)
        check_text(text)
        try:
            header = json.loads(text)
        except (ValueError, RecursionError):
            raise BrokenAnswer("a request that is no JSON") from None
        if not isinstance(header, dict) or type(header.get("key")) is not int:
            raise BrokenAnswer("a request without a key")
        if type(header.get("serial", 0)) is not int:
            raise BrokenAnswer("a request whose serial is no number")
        return header

    def _serve_one(self, header: dict[str, Any]) -> None:
        verb, key = header.get("verb"), header["key"]
        if verb == "forget":
            self._forget(key)
        elif verb == "hold":
            self._forget(key)
            parts, why = self._arrays(header)
            if why is None:
                self._held[key] = tuple(parts)
                self._taken += _room(self._held[key])
            else:
                self._absent = f"{NOT_HELD}: {why}"
        elif verb == "fill":
            self._answer(header, self._fill(header, key))
        elif verb == "run":
            self._answer(header, self._computed(header, *self._arrays(header)))
        else:
            raise BrokenAnswer("a request with an unknown verb")
        self._heard()

    def _forget(self, key: int) -> None:
        parts, coming = self._held.pop(key, None), self._coming.pop(key, None)
        if parts is not None:
            self._taken -= _room(parts)
        if coming is not None:
            self._taken -= coming.room

    def _fill(self, header: dict[str, Any], key: int) -> Reply:
        """Add columns to shares that come in slabs: True, or why they are not kept."""
        specs = self._specs(header)
        if header.get("outlines") is not None:
            self._forget(key)
            slabs = Slabs(header["outlines"])
            why = self._lacking(slabs.room)
            if why is None:
                self._coming[key] = slabs
                self._taken += slabs.room
        else:
            why = None if key in self._coming else NOT_HELD
        why = self._grow(header, key, specs) if why is None else self._skipped(specs, why)
        if why is not None:
            self._forget(key)
            return Reply(None, why, 0.0)
        return Reply(np.array(True), None, 0.0)  # noqa: FBT003

    def _grow(self, header: dict[str, Any], key: int, specs: Sequence[Spec]) -> str | None:
        slabs = self._coming[key]
        if header.get("last") is True:
            why = self._skipped(specs, self._lacking(slabs.most_of_one))
            if why is None:
                parts = slabs.whole()
                self._forget(key)
                self._held[key] = parts
                self._taken += _room(parts)
            return why
        start: Any = header.get("start")
        places: Any = header.get("places")
        more = slabs.growth(specs, places, start)
        why = self._lacking(size_of(specs) + more)
        if why is not None:
            return self._skipped(specs, why)
        slabs.room += more
        self._taken += more
        slabs.add(start, places, self._received(specs))
        return None

    def _arrays(self, header: dict[str, Any]) -> tuple[list[NDArray[Any]], str | None]:
        """The arrays of a request; or why there is no room for them."""
        specs = self._specs(header)
        why = self._lacking(size_of(specs), BESIDE * (1 + len(specs)))
        if why is not None:
            return [], self._skipped(specs, why)
        return self._received(specs), None

    def _specs(self, header: dict[str, Any]) -> list[Spec]:
        given = header.get("arrays")
        if isinstance(given, list) and len(given) > MOST_ARRAYS:
            raise BrokenAnswer(f"a request with {len(given)} arrays, more than {MOST_ARRAYS}")
        return parse_specs(given)

    def _received(self, specs: Sequence[Spec]) -> list[NDArray[Any]]:
        return [self._channel.receive_array(spec, deadline=None) for spec in specs]

    def _skipped(self, specs: Sequence[Spec], why: str | None) -> str | None:
        """Throw the arrays of a request away."""
        self._channel.skip(size_of(specs), deadline=None)
        return why

    def _lacking(self, size: int, beside: int = 0) -> str | None:
        """Why there is no room for so many bytes, and what counts beside; None where there is."""
        if self._taken + size + beside <= self._memory:
            return None
        return (
            f"no memory for {size} bytes: {self._taken} of {self._memory} are taken; "
            "raise --memory of the worker"
        )

    def _answer(self, header: dict[str, Any], reply: Reply) -> None:
        value, failure, seconds, _ = reply
        if value is not None and not numbers(value.dtype):
            failure = f"returned dtype {value.dtype}, which does not travel"
            value = None
        body = [] if value is None else [as_sent(value)]
        ((dtype, shape),) = specs_of(body) or [[None, None]]
        answer = {"serial": header.get("serial"), "seconds": seconds, "failure": failure}
        self._channel.send(answer | {"dtype": dtype, "shape": shape}, body, deadline=None)

    def _computed(
        self, header: dict[str, Any], arrays: Sequence[NDArray[Any]], why: str | None
    ) -> Reply:
        """What comes of a request, which has failed already if there is a reason."""
        if why is not None:
            return Reply(None, why, 0.0)
        try:
            function = None
            if needs_function(header.get("work")):
                function = self._offer.find(header.get("function"), header.get("module"))
            parts, piece = self._share(header["key"], header.get("piece", -1))
            task = task_of(function, header, domain_of(header.get("domain")), len(parts))
            arguments = unpack(header.get("arguments"), arrays)
        except Exception as error:  # noqa: BLE001 - what can't be understood is a failed answer
            why = str(error) if isinstance(error, BrokenAnswer) else describe(error)
            return Reply(None, printable(why[:LONGEST_FAILURE]), 0.0)
        return self._run_task(task, parts, piece, arguments, {}, fresh=True, in_master=False)

    def _share(self, key: int, piece: object) -> tuple[Parts, int]:
        """The parts that are held by this key, if there is such a piece of each; none for none."""
        if piece is None:
            return (), 0
        parts = self._held.get(key)
        if parts is None:
            raise BrokenAnswer(self._absent)
        rows = min((len(part) if part.ndim else 0 for part in parts), default=0)
        if type(piece) is not int or not 0 <= piece < rows:
            raise BrokenAnswer("no such piece of the share here")
        return parts, piece


def _room(parts: Parts) -> int:
    """Bytes of the memory that shares take."""
    return sum(part.nbytes for part in parts) + BESIDE * (1 + len(parts))
