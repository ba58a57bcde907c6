"""One remote worker, as the master sees it: reached, checked, fed, asked, given up, tried again."""

from __future__ import annotations

import secrets
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.connections.broken import BrokenAnswer
from anyk.connections.handshake import reach
from anyk.connections.party import Stranger
from anyk.connections.tls import Address, patient, public_key_of
from anyk.domains.ring import ResidueRing
from anyk.executors.core.answer_header import LONGEST_HEADER, parse_header
from anyk.executors.core.columns import LOST, Columns
from anyk.executors.core.dispatcher import Awaited
from anyk.executors.core.link import AbstractLink, Held, Order
from anyk.executors.core.placements import Parts
from anyk.executors.core.raised import LONGEST_FAILURE, describe
from anyk.executors.core.run_task import Reply
from anyk.executors.remote.frames import PROTOCOL, Channel, Spec, parse_specs, size_of, specs_of
from anyk.executors.remote.request import NOT_HELD, Request
from anyk.executors.remote.slabs import fill_request

__all__ = ["Keys", "Limits", "RemoteLink"]

_REACHING = 5.0  # seconds that a connection may take, and then its TLS
_LONGEST_PAUSE = 10.0  # seconds between two tries to reach a worker
_FIRST_PAUSE = 0.1
_MOST_TRIES = 20  # that are counted
_FILLED = Request({}, (), (), None)  # what is answered to columns: one boolean


@final
@dataclass(frozen=True, kw_only=True)
class Limits:
    """What a worker may take.

    Args:
        patience: seconds for one task, with the way there and back.
        answer: bytes of an answer.
    """

    patience: float
    answer: int


@final
class Keys:
    """Which worker has which key: two that have the same one are one worker, with two shares."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner: dict[bytes, str] = {}

    def claim(self, name: str, key: bytes) -> None:
        """Note that the worker of this name has this key.

        Raises:
            Stranger: if another one has it.
        """
        with self._lock:
            owner = self._owner.setdefault(key, name)
        if owner != name:
            raise Stranger(f"it has the key of {owner}")


@final
class RemoteLink(AbstractLink):
    """The connection to one worker; see `AbstractLink`.

    Args:
        address: where it is, and its name.
        tls: the master's directory of certificates; None without.
        keys: of all workers of the executor.
        held: says which shares the worker should hold.
        limits: what it may take.
    """

    def __init__(
        self,
        address: Address,
        tls: Path | None,
        keys: Keys,
        held: Held,
        limits: Limits,
    ) -> None:
        self._address = address
        self._tls = tls
        self._keys = keys
        self._wanted = held
        self._limits = limits
        self._lock = threading.Lock()  # of _reaching and _over
        self._over = False
        self._reaching: Channel | None = None
        self._channel: Channel | None = None
        self._held: set[int] = set()
        self._tries = 0  # in a row that failed
        self._not_before = 0.0
        self._why = ""

    @property
    def alive(self) -> bool:
        """Whether it could be reached when that was last tried."""
        return not self._tries

    def ask(self, order: Order, piece: int) -> Reply:
        """Run a task on the worker, and wait for its answer; see `AbstractLink.ask`."""
        wanted = {**self._wanted(), order.key: order.parts}
        start = {"key": order.key, "piece": piece}
        try:
            if not order.parts and order.key not in self._held:
                return Reply(None, LOST, 0.0)
            reply = self._exchange(start, order.common, order.rows[piece], wanted)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this worker's failure
            return Reply(None, self._discard(error), 0.0)
        if reply.failure is not None and reply.failure.startswith(NOT_HELD):  # no room for it
            self._held.discard(order.key)
            return reply if order.parts else Reply(None, LOST, 0.0)
        return reply

    def fill(self, columns: Columns, call: Awaited) -> str | None:
        """Let the worker take the next columns of its shares, and wait until it has them.

        Args:
            columns: the first ones may connect; the others must find the same connection.
            call: says whether somebody still waits.

        Returns:
            Why it does not have them; None where it does.
        """
        key, first = columns.key, not (columns.start or columns.last)
        deadline = time.monotonic() + self._limits.patience
        try:
            channel = self._synchronise(self._wanted(), deadline)
            if call.abandoned or (key not in self._held and not first):
                return LOST
            self._held.add(key)
            serial = secrets.randbits(63)
            header, arrays = fill_request(columns, serial)
            channel.send(header, arrays, deadline)
            failure = self._receive(channel, serial, _FILLED, deadline).failure
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this worker's failure
            return self._discard(error)
        if failure is not None:
            self._held.discard(key)
        return failure

    def call(self, request: Request) -> Reply | str:
        """Run a function of the worker on arguments alone, and wait for its answer.

        Returns:
            What came of it, as the worker says; or why the worker has failed.
        """
        try:
            return self._exchange(
                {"key": 0, "piece": None}, request, request.arrays, self._wanted()
            )
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this worker's failure
            return self._discard(error)

    def synchronise(self) -> None:
        """Let the worker hold the shares that it should, and no others."""
        wanted = self._wanted()
        if self._channel is None and not wanted:
            return
        try:
            self._synchronise(wanted, time.monotonic() + self._limits.patience)
        except Exception as error:  # noqa: BLE001 - the next task tries again
            self._discard(error)

    def cut(self, *, force: bool) -> None:  # noqa: ARG002 - nothing more can be done
        """End the connection for good, whatever it is used for, without waiting."""
        with self._lock:
            self._over = True
            reaching = self._reaching
        if reaching is not None:
            reaching.cut()

    def leave(self) -> None:
        """Close the connection, at which the worker forgets all it held."""
        with self._lock:
            self._over = True
        self._drop()

    def _exchange(
        self,
        start: dict[str, Any],
        request: Request,
        arrays: Sequence[NDArray[Any]],
        wanted: Mapping[int, Parts],
    ) -> Reply:
        """Send a request, and take the answer."""
        begun = time.monotonic()
        deadline = begun + self._limits.patience
        channel = self._synchronise(wanted, deadline)
        serial = secrets.randbits(63)  # nobody can guess it, so none answers before or for it
        header = request.header | {"verb": "run", "serial": serial, "arrays": specs_of(arrays)}
        channel.send(header | start, arrays, deadline)
        value, failure, seconds, _ = self._receive(channel, serial, request, deadline)
        return Reply(
            value, failure, min(seconds, time.monotonic() - begun)
        )  # it may claim anything

    def _receive(self, channel: Channel, serial: int, request: Request, deadline: float) -> Reply:
        header = channel.receive_header(LONGEST_HEADER, deadline)
        seconds, failure, dtype, shape = parse_header(header, serial)
        if failure is not None:
            why = failure[:LONGEST_FAILURE].strip()
            return Reply(None, why or "failed, and does not say why", seconds)
        spec = self._acceptable(dtype, shape, request)
        value = channel.receive_array(spec, deadline)
        value.flags.writeable = False
        return Reply(value, None, seconds)

    def _acceptable(self, dtype: np.dtype[Any], shape: list[int], request: Request) -> Spec:
        """The dtype and shape of an answer, if they are what was asked for and not too much."""
        (spec,) = parse_specs([[dtype.str, shape]])
        domain = request.domain
        if request is _FILLED and (dtype != np.bool_ or shape):
            raise BrokenAnswer("it is not one boolean")
        if domain is not None and not domain.holds(dtype):
            raise BrokenAnswer(f"its dtype is {dtype}, which {domain!r} does not hold")
        if isinstance(domain, ResidueRing) and shape[-1:] != [len(domain.fields)]:
            raise BrokenAnswer(f"its last axis is not of {len(domain.fields)} residues")
        if size_of([spec]) > self._limits.answer:
            raise BrokenAnswer(
                f"it has {size_of([spec])} bytes, more than largest_answer={self._limits.answer}"
            )
        return spec

    def _synchronise(self, wanted: Mapping[int, Parts], deadline: float) -> Channel:
        if self._channel is not None and not self._channel.silent():
            self._drop()
        channel = self._reach(deadline) if self._channel is None else self._channel
        for key in self._held - wanted.keys():
            channel.send({"verb": "forget", "key": key}, (), deadline)
            self._held.discard(key)
        for key in wanted.keys() - self._held:
            arrays = wanted[key]
            if not arrays:  # they came in slabs, and are lost
                continue
            channel.send({"verb": "hold", "key": key, "arrays": specs_of(arrays)}, arrays, deadline)
            self._held.add(key)
        return channel

    def _reach(self, deadline: float) -> Channel:
        now = time.monotonic()
        if now < self._not_before:
            raise ConnectionError(f"{self._why}; tried again in {self._not_before - now:.1f} s")
        try:
            channel = self._connect(min(deadline, now + _REACHING))
        except Exception as error:
            pause = min(_FIRST_PAUSE * 2.0**self._tries, _LONGEST_PAUSE)
            self._tries = min(self._tries + 1, _MOST_TRIES)
            self._not_before = time.monotonic() + pause
            self._why = f"can't be reached: {_told(error)}"
            raise ConnectionError(self._why) from error
        self._tries = 0
        self._channel, self._held = channel, set()
        return channel

    def _connect(self, deadline: float) -> Channel:
        address = self._address
        plain = socket.create_connection((address.host, address.port), _left(deadline))
        channel = Channel(plain)
        try:
            patient(plain)
            self._use(channel)  # before the handshake, which may take its time
            if self._tls is not None:
                secure = reach(plain, self._tls, address.name, deadline, protocol=PROTOCOL)
                self._keys.claim(address.name, public_key_of(secure.tls))
                channel = Channel(secure)  # of the same socket, which is what `cut` cuts
        except BaseException:
            channel.close()
            raise
        return channel

    def _use(self, channel: Channel) -> None:
        """Let `cut` know of a connection; end it if that was called already."""
        with self._lock:
            self._reaching = channel
            over = self._over
        if over:
            channel.cut()

    def _discard(self, error: Exception) -> str:
        """Get rid of the connection, and say why."""
        self._drop(at_once=True)
        if isinstance(error, BrokenAnswer):
            return f"sent something that is no answer: {error}"
        if isinstance(error, TimeoutError):
            return f"gave no answer within {self._limits.patience:g} s"
        return _told(error)

    def _drop(self, *, at_once: bool = False) -> None:
        channel, self._channel = self._channel, None
        self._held = set()
        with self._lock:
            self._reaching = None
        if channel is not None:
            channel.close(at_once=at_once)


def _left(deadline: float) -> float:
    return max(deadline - time.monotonic(), 0.001)


def _told(error: BaseException) -> str:
    """Why a worker is of no use, and where the rest of it stands: it tells a stranger nothing."""
    if isinstance(error, (EOFError, BrokenPipeError, ConnectionResetError)):
        return "closed the connection: its log may say why"
    if isinstance(error, ssl.SSLError) and "ALERT" in (error.reason or ""):
        return f"refused this master's certificate, its log says why: {describe(error)}"
    return describe(error)
