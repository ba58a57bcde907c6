"""What the kernel tells of processes: whose children there are, and which were stopped."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["children", "stopped"]

_STATE, _PARENT = 0, 1  # places in /proc/PID/stat, after the name


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
