"""What a remote worker does for one master: hold its shares, run functions of its own, answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, final

from numpy.typing import NDArray

from anyk.connections.broken import BrokenAnswer
from anyk.executors.core.placements import Parts
from anyk.executors.core.raised import LONGEST_FAILURE, describe, printable
from anyk.executors.core.run_task import Reply, run
from anyk.executors.remote.arguments import unpack
from anyk.executors.remote.frames import (
    LONGEST_REQUEST,
    Channel,
    as_sent,
    numbers,
    parse_specs,
    size_of,
    specs_of,
)
from anyk.executors.remote.header_limits import MOST_ARRAYS, check_text
from anyk.executors.remote.offer import Offer
from anyk.executors.remote.request import NOT_HELD, domain_of, needs_function, task_of

__all__ = ["Session"]

_BESIDE = 1 << 10  # bytes that a share, and each array of it, is counted beside its numbers


@final
class Session:
    """One master's shares on this worker, from its connection to its end.

    Messages are headers with a verb, and arrays:

    - hold: keep the arrays as the shares of this key, a row of each array a share.
    - forget: let the shares of this key go.
    - run: run a function on one of them, this piece, or on none, with arguments; the only one that
      is answered.

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
        elif verb == "run":
            self._run(header, *self._arrays(header))
        else:
            raise BrokenAnswer("a request with an unknown verb")
        self._heard()

    def _forget(self, key: int) -> None:
        parts = self._held.pop(key, None)
        if parts is not None:
            self._taken -= _room(parts)

    def _arrays(self, header: dict[str, Any]) -> tuple[list[NDArray[Any]], str | None]:
        """The arrays of a request; or why there is no room for them."""
        given = header.get("arrays")
        if isinstance(given, list) and len(given) > MOST_ARRAYS:
            raise BrokenAnswer(f"a request with {len(given)} arrays, more than {MOST_ARRAYS}")
        specs = parse_specs(given)
        size = size_of(specs)
        if self._taken + size + _BESIDE * (1 + len(specs)) > self._memory:
            self._channel.skip(size, deadline=None)
            return [], (
                f"no memory for {size} bytes: {self._taken} of {self._memory} are taken; "
                "raise --memory of the worker"
            )
        return [self._channel.receive_array(spec, deadline=None) for spec in specs], None

    def _run(self, header: dict[str, Any], arrays: Sequence[NDArray[Any]], why: str | None) -> None:
        value, failure, seconds, _ = self._computed(header, arrays, why)
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
    return sum(part.nbytes for part in parts) + _BESIDE * (1 + len(parts))
