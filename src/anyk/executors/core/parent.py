"""A worker process that ends when the process that started it is gone, whatever it does then."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from contextlib import suppress
from functools import cache
from multiprocessing.connection import wait

if sys.platform == "linux":
    import fcntl

__all__ = ["follow_parent"]


@cache
def follow_parent(pid: int) -> None:
    """Let this process end when the one that started it has ended, however that came about.

    Does nothing in a process that multiprocessing did not start for that parent. On Linux the
    kernel kills this process, even where a task holds the interpreter or the process is stopped. A
    thread does the same everywhere, and in case that somebody else, such as a fork of the parent,
    keeps open the pipe by whose end the kernel knows.

    Args:
        pid: number of the parent's process.

    Example:
        >>> from anyk.executors.core.parent import follow_parent
        >>> follow_parent(os.getpid())  # it is nobody's worker
    """
    parent = multiprocessing.parent_process()
    sentinel = None if parent is None or parent.pid != pid else parent.sentinel
    if sentinel is None and os.getppid() != pid:
        return
    ends = [] if sentinel is None else [sentinel]
    if hasattr(os, "pidfd_open"):
        try:
            ends.append(os.pidfd_open(pid))
        except ProcessLookupError:
            _end()
        except OSError:  # a kernel that does not let us: there is the pipe
            pass
    if sentinel is not None:
        _let_the_kernel_kill(sentinel)
    if ends:
        threading.Thread(target=_wait, args=(ends,), name="anyk parent", daemon=True).start()


def _let_the_kernel_kill(pipe: int) -> None:
    """Have SIGKILL sent to this process when the other end of a pipe is closed."""
    if sys.platform == "linux":
        with suppress(OSError):  # no pipe, or a kernel that does not let us: there is the thread
            fcntl.fcntl(pipe, fcntl.F_SETOWN, os.getpid())
            fcntl.fcntl(pipe, fcntl.F_SETSIG, signal.SIGKILL)
            flags = fcntl.fcntl(pipe, fcntl.F_GETFL)
            fcntl.fcntl(pipe, fcntl.F_SETFL, flags | fcntl.FASYNC)


def _wait(ends: list[int]) -> None:
    """Wait until one of these descriptors says that the parent is gone."""
    wait(ends)  # at once where the parent had gone before the kernel was asked
    _end()


def _end() -> None:
    os._exit(1)
