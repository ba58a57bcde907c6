"""Processes and what they have started: found, ended, and not outlived by it (Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

__all__ = [
    "adopt_orphans",
    "children",
    "descendants",
    "end",
    "end_descendants",
    "stopped",
    "when_parent_ends",
]

_SET_PDEATHSIG = 1  # of prctl, in linux/prctl.h
_SET_CHILD_SUBREAPER = 36
_CHASE = 0.5  # seconds
_STATE, _PARENT = 0, 1  # places in /proc/PID/stat, after the name
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def when_parent_ends(number: int, parent: int) -> None:
    """Have the kernel send this process a signal when its parent ends; SIGKILL if it has ended.

    It is sent even where this process holds Python's lock or is stopped. Elsewhere than on Linux
    this does nothing.

    Args:
        number: of the signal.
        parent: the process that should be the parent.
    """
    if _libc is not None:
        _libc.prctl(_SET_PDEATHSIG, ctypes.c_ulong(number), 0, 0, 0)
        if os.getppid() != parent:  # it ended before the kernel was told
            os.kill(os.getpid(), signal.SIGKILL)


def adopt_orphans() -> None:
    """Let descendants whose parents end be children of this process, and no longer of the system.

    So they are found below it, whatever sessions and groups they have made for themselves.
    Elsewhere than on Linux this does nothing.
    """
    if _libc is not None:
        _libc.prctl(_SET_CHILD_SUBREAPER, ctypes.c_ulong(1), 0, 0, 0)


def children(process: int) -> set[int]:
    """The processes that have this one as parent, also those that have ended and wait for it.

    Example:
        >>> import os
        >>> from anyk.executors.core.family import children
        >>> os.getpid() in children(os.getppid())
        True
    """
    return {child for child, parent in _parents().items() if parent == process}


def descendants(process: int) -> set[int]:
    """The children of a process, and theirs, and so on.

    Example:
        >>> import os
        >>> from anyk.executors.core.family import descendants
        >>> os.getpid() in descendants(os.getppid())
        True
    """
    parents = _parents()
    found = {process}
    while new := {each for each, parent in parents.items() if parent in found} - found:
        found |= new
    return found - {process}


def stopped(process: int) -> bool:
    """Whether a process was stopped by a signal; False where that can't be known.

    Example:
        >>> import os
        >>> from anyk.executors.core.family import stopped
        >>> stopped(os.getpid())
        False
    """
    return _status(str(process))[_STATE:1] == [b"T"]


def end(process: int) -> None:
    """End a process at once, and all of its group if it leads one, if they are there and ours."""
    for kill in (os.killpg, os.kill):
        with suppress(ProcessLookupError, PermissionError):
            kill(process, signal.SIGKILL)


def end_descendants(process: int) -> None:
    """End all descendants of a process that is ours and starts none itself.

    Each is stopped when it is found, so that it starts no more, until no more are found; those that
    start others faster than they are found are given up after a while.
    """
    found: set[int] = set()
    deadline = time.monotonic() + _CHASE
    while (new := descendants(process) - found) and time.monotonic() < deadline:
        for each in new:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(each, signal.SIGSTOP)
        found |= new
    for each in found:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(each, signal.SIGKILL)


def _parents() -> dict[int, int]:
    """The parent of each process there is, where /proc tells."""
    parents = {}
    for place in Path("/proc").glob("[0-9]*"):
        about = _status(place.name)
        if about:
            parents[int(place.name)] = int(about[_PARENT])
    return parents


def _status(process: str) -> list[bytes]:
    """What the kernel says of a process after its name; nothing where there is none."""
    try:
        return Path("/proc", process, "stat").read_bytes().rpartition(b")")[2].split()
    except OSError:  # it has ended meanwhile
        return []
