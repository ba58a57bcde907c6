"""A pipe between the master and a worker process: bytes that keep a deadline."""

from __future__ import annotations

import contextlib
import math
import os
import select
import socket
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any, final

import numpy as np

__all__ = ["LOOK", "Pipe"]

LOOK = 5.0
"""Seconds without a byte after which a pipe looks whether there is still somebody."""

_CHUNK = 1 << 30  # bytes a system call: more than 2 GiB is too much for some


@final
class Pipe:
    """One end of a pair of sockets.

    Args:
        end: the socket.
        look: called whenever nothing has come or gone for a while; raises where none will. None
            to wait as long as it takes.

    Example:
        >>> import socket
        >>> from anyk.executors.processes.pipe import Pipe
        >>> ours, theirs = (Pipe(end) for end in socket.socketpair())
        >>> ours.send(b"any k ", b"of n")
        >>> bytes(theirs.receive(10))
        b'any k of n'
        >>> ours.close()
        >>> theirs.over
        True
        >>> theirs.close()
    """

    def __init__(self, end: socket.socket, look: Callable[[], None] | None = None) -> None:
        self._end, self._look = end, look
        self._identity = os.fstat(end.fileno()).st_ino
        self._rest: deque[memoryview] = deque()  # that was pushed, and has not gone
        self.deadline = math.inf
        """When nobody waits any longer, on `time.monotonic`."""

    @property
    def over(self) -> bool:
        """Whether the other end is closed, which also the death of its process does."""
        return bool(self._events(0.0) & (select.POLLHUP | select.POLLNVAL))

    @property
    def silent(self) -> bool:
        """Whether nothing is there to be received, not even the end."""
        return not self._events(0.0)

    @property
    def own(self) -> bool:
        """Whether the descriptor is still that of this pipe: others may have closed it."""
        try:
            return os.fstat(self._end.fileno()).st_ino == self._identity
        except OSError:
            return False

    def send(self, *buffers: Any) -> None:
        """Send bytes.

        Raises:
            OSError: if the other end is closed.
            TimeoutError: if the deadline is over.
        """
        self._rest.extend(part for buffer in buffers if (part := memoryview(buffer).cast("B")))
        while self._rest:
            self._patiently(self._send_some)

    def push(self, *buffers: Any) -> None:
        """Send what goes at once, and the rest while something is received, or sent.

        So two ends that both send more than a pipe holds do not wait for each other.

        Raises:
            OSError: if the other end is closed.
        """
        self._rest.extend(part for buffer in buffers if (part := memoryview(buffer).cast("B")))
        self._end.settimeout(0.0)
        with contextlib.suppress(BlockingIOError):
            while self._rest:
                self._send_some()

    def receive(self, size: int) -> memoryview:
        """Receive so many bytes, which may be written in.

        Raises:
            EOFError: if the other end is closed first.
            OSError: if the pipe is broken.
            TimeoutError: if the deadline is over.
        """
        whole = np.empty(size, np.uint8).data
        rest = whole
        while rest:
            if self._rest:
                self._push_on()
            many = self._patiently(partial(self._end.recv_into, rest[:_CHUNK]))
            if not many:
                raise EOFError
            rest = rest[many:]
        return whole

    def finish(self, seconds: float) -> None:
        """Send no more, and wait at most so long until the other end is closed."""
        try:
            self._end.shutdown(socket.SHUT_WR)  # also where forks of this process have the pipe
        except OSError:
            return
        end = time.monotonic() + seconds
        while not self.over and (left := end - time.monotonic()) > 0:
            if self._events(left) & select.POLLIN and not self.over:
                time.sleep(min(left, 0.001))  # an answer that nobody wants any more

    def close(self) -> None:
        """Close this end."""
        self._end.close()

    def forsake(self) -> None:
        """Close the descriptor in a fork, where it is somebody else's."""
        if self.own:
            self._end.close()

    def _send_some(self) -> int:
        part = self._rest.popleft()
        try:
            many = self._end.send(part[:_CHUNK])
            part = part[many:]
        finally:
            if part:
                self._rest.appendleft(part)
        return many

    def _push_on(self) -> None:
        """Send what is left, until something is there to be received."""
        while self._rest and not self._events(0.0):
            poll = select.poll()
            poll.register(self._end, select.POLLIN | select.POLLOUT)
            if not poll.poll(1000 * self._wait()) and self._look is not None:
                self._look()
            self.push()

    def _wait(self) -> float:
        """Seconds until it is time to look.

        Raises:
            TimeoutError: if the deadline is over.
        """
        wait = min(self.deadline - time.monotonic(), LOOK)
        if wait <= 0:
            raise TimeoutError
        return wait

    def _events(self, seconds: float) -> int:
        if self._end.fileno() < 0:
            return select.POLLNVAL
        poll = select.poll()
        poll.register(self._end, select.POLLIN)
        found = poll.poll(1000 * seconds)
        return found[0][1] if found else 0

    def _patiently(self, step: Callable[[], int]) -> int:
        while True:
            self._end.settimeout(None if self._look is None else self._wait())
            try:
                return step()
            except TimeoutError:
                if self._look is not None:
                    self._look()
