"""What the master asks of the parent of its worker processes."""

from __future__ import annotations

import struct

__all__ = ["CODE", "END", "REPLY", "REQUEST", "RUNNING", "START"]

REQUEST = struct.Struct("!iii")
"""A verb, a process and a signal."""

REPLY = struct.Struct("!q")
"""A number: of a process, of an error if it is negative, or the exit code of a worker."""

START, END, CODE = range(3)
"""Verbs: start a worker on the socket beside it; send a worker a signal; how has one ended?"""

RUNNING = 1 << 40
"""Reply to CODE where the worker has not ended."""
