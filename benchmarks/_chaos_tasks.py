"""What the workers of `chaos_on_engines` run: a small function, and whatever goes wrong around it.

Each call brings an order for each worker: what it does instead of its work, as a number.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import socket
import stat
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["pid", "work"]

ORDERS = (
    "well", "kill", "raise", "interrupt", "shape", "nan", "dtype", "text", "lie", "late", "hang",
    "cut", "disk", "hold", "stop", "fork", "child",
)  # fmt: skip
WRONG = {"shape", "nan", "dtype", "text", "lie"}
LATE = 0.03  # seconds
HANG = 0.7
LONG = 300.0  # of what must be ended by whoever ends the worker


def affine(x: Any) -> Any:
    """Degree 1."""
    return 3 * x + 7


def square(x: Any) -> Any:
    """Degree 2."""
    return x * x - x


def bell(x: Any) -> Any:
    """A smooth function."""
    return np.exp(-x * x)


FUNCTIONS = (affine, square, bell)


def pid(_: Any) -> NDArray[Any]:
    """Number of the process that does the work."""
    _disk(full=False)
    return np.array(os.getpid())


def work(x: Any, which: int, seconds: float, order: Any) -> Any:
    """One of the functions, unless the order says otherwise.

    Args:
        x: the share.
        which: function.
        seconds: that it takes.
        order: (what to do, a seed).
    """
    what, seed = ORDERS[int(order[0])], int(order[1])
    if what == "late":
        time.sleep(LATE)
    time.sleep(HANG if what == "hang" else seconds)
    _disk(full=what == "disk")
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "raise":
        raise ArithmeticError("on purpose")
    elif what == "interrupt":
        raise KeyboardInterrupt
    elif what == "cut":
        _cut()
    elif what in UNRULY:
        UNRULY[what](seed)
    elif what == "disk":
        with tempfile.TemporaryFile() as file:  # to which nothing can be written
            file.write(bytes(1 << 16))
            file.flush()
    value = FUNCTIONS[which](x)
    return _odd(value, what, seed) if what in WRONG else value


def _odd(value: Any, what: str, seed: int) -> Any:
    """A wrong answer of this kind."""
    values = getattr(value, "values", value)
    if what == "shape":
        return np.stack([value, value])
    if what == "nan":
        return np.full(values.shape, np.nan)
    if what == "dtype":
        return values + 1j
    if what == "text":
        return "no numbers"
    rng = np.random.default_rng(seed)
    if values is value:
        return value + 1 + rng.random(value.shape)
    return value + rng.integers(1, value.field.modulus, size=values.shape)


def _fork(seed: int) -> None:
    """Fork: the child stays here, in a session of its own or not, or goes on as the worker does."""
    if seed % 3 == 0:
        os.fork()
    elif not os.fork():
        if seed % 3 == 1:
            os.setsid()
        time.sleep(LONG)
        os._exit(0)


def _hold(_: int) -> None:
    """Keep the GIL."""
    ctypes.PyDLL(None).usleep(int(1e6 * HANG))


def _stop(_: int) -> None:
    """Stop this process, until somebody lets it go on."""
    os.kill(os.getpid(), signal.SIGSTOP)


def _child(seed: int) -> None:
    """Start a program, in a session of its own or not."""
    subprocess.Popen(["/bin/sleep", str(LONG)], start_new_session=seed % 2 == 0)  # noqa: S603 - ours


UNRULY = {"hold": _hold, "stop": _stop, "fork": _fork, "child": _child}


def _cut() -> None:
    """Break all TCP connections of this process."""
    for entry in list(Path("/proc/self/fd").iterdir()):
        with suppress(OSError):
            number = int(entry.name)
            if not stat.S_ISSOCK(os.fstat(number).st_mode):
                continue
            with socket.socket(fileno=os.dup(number)) as end:
                listens = end.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
                if end.family in {socket.AF_INET, socket.AF_INET6} and not listens:
                    end.shutdown(socket.SHUT_RDWR)


def _disk(*, full: bool) -> None:
    """Let this process write to files, or not: to it, all disks are full then."""
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0 if full else most, most))
