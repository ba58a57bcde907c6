"""The connection to one aggregator, as the server has it: made, used, given up, made anew."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import final

from anyk.aggregation.remote.letters import PROTOCOL, receive_length, receive_rest, send
from anyk.connections.broken import BrokenAnswer
from anyk.connections.handshake import reach
from anyk.connections.stream import AbstractStream, close, cut
from anyk.connections.tls import Address, patient
from anyk.executors.core.raised import describe

__all__ = ["Line"]

_REACHING = 5.0  # seconds that a connection may take, and its TLS


@final
class Line:
    """One question at a time, each by its deadline.

    Args:
        address: where the aggregator is, and its name.
        tls: the server's directory of certificates.
        most: bytes of an answer.
    """

    def __init__(self, address: Address, tls: Path, most: int) -> None:
        self.address = address
        self._tls = tls
        self._most = most
        self._asking = threading.Lock()
        self._lock = threading.Lock()  # of what follows
        self._raw: socket.socket | None = None  # what `cut` cuts; under TLS, once there is any
        self._stream: AbstractStream | None = None

    def ask(self, request: bytes, deadline: float) -> bytes | OSError:
        """The answer; or why there is none.

        Args:
            request: any bytes.
            deadline: on `time.monotonic`.
        """
        if not self._asking.acquire(timeout=max(deadline - time.monotonic(), 0.0)):
            return TimeoutError("it is still busy with a question that was given up")
        try:
            return self._answer(request, deadline)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this aggregator's silence
            self._drop()
            return _told(error)
        finally:
            self._asking.release()

    def cut(self) -> None:
        """End the connection under whoever uses it, without waiting."""
        with self._lock:
            raw = self._raw
        if raw is not None:
            cut(raw)

    def close(self) -> None:
        """Close the connection; a question that is being asked ends without an answer."""
        self.cut()
        with self._asking:
            self._drop()

    def _answer(self, request: bytes, deadline: float) -> bytes:
        old = self._stream
        if old is not None and old.silent():
            try:
                return self._exchange(old, request, deadline)
            except (EOFError, ConnectionError):  # it had gone, which shows when one writes to it
                pass
        self._drop()
        return self._exchange(self._reach(deadline), request, deadline)

    def _exchange(self, stream: AbstractStream, request: bytes, deadline: float) -> bytes:
        send(stream, request, deadline)
        length = receive_length(stream, self._most, deadline)
        return receive_rest(stream, length, deadline)

    def _reach(self, deadline: float) -> AbstractStream:
        address = self.address
        deadline = min(deadline, time.monotonic() + _REACHING)
        place = (address.host, address.port)
        raw = socket.create_connection(place, max(deadline - time.monotonic(), 0.001))
        with self._lock:
            self._raw = raw  # before the handshake, which may take its time
        patient(raw)
        self._stream = reach(raw, self._tls, address.name, deadline, protocol=PROTOCOL)
        return self._stream

    def _drop(self) -> None:
        with self._lock:
            raw, self._raw = self._raw, None
        self._stream = None
        if raw is not None:
            close(raw, at_once=True)


def _told(error: Exception) -> OSError:
    """Why an aggregator was silent."""
    if isinstance(error, BrokenAnswer):
        return ConnectionError(f"sent something that is no answer: {error}")
    if isinstance(error, EOFError):
        return ConnectionError("closed the connection: its log may say why")
    if isinstance(error, TimeoutError):
        return TimeoutError("gave no answer in time")
    return error if isinstance(error, OSError) else ConnectionError(describe(error))
