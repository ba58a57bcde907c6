"""What the kernel is asked about processes: who adopts orphans, whose children there are."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from pathlib import Path

__all__ = ["adopt_orphans", "children", "die_with_parent", "stopped"]

_PDEATHSIG, _CHILD_SUBREAPER = 1, 36  # of prctl(2)
_STATE, _PARENT = 0, 1  # places in /proc/PID/stat, after the name


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":  # elsewhere a process group is all that there is
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def adopt_orphans() -> None:
    """Become the parent of all descendants whose own parent ends, as long as this process lives."""
    _prctl(_CHILD_SUBREAPER, 1)


def die_with_parent(parent: int) -> None:
    """Have this process killed when its parent ends; at once if that is not `parent` any more.

    Args:
        parent: the process that has forked this one, in its only thread.
    """
    _prctl(_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def children() -> set[int]:
    """Processes whose parent this one is, and that have not ended."""
    me = str(os.getpid())
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        about = _status(int(entry.name))
        if about and about[_PARENT] == me and about[_STATE] != "Z":
            found.add(int(entry.name))
    return found


def stopped(process: int) -> bool:
    """Whether a process was stopped by a signal; False where that can't be known."""
    return _status(process)[_STATE:1] == ["T"]


def _status(process: int) -> list[str]:
    """What the kernel says of a process after its name; nothing if there is none."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
