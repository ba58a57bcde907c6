"""What the workers of `chaos_on_engines` run: a small function, and whatever goes wrong around it.

Each call brings an order for each worker: what it does instead of its work, as a number.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import stat
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
    "cut", "disk",
)  # fmt: skip
LATE = 0.03  # seconds
HANG = 0.7


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
    elif what == "disk":
        with tempfile.TemporaryFile() as file:  # to which nothing can be written
            file.write(bytes(1 << 16))
            file.flush()
    value = FUNCTIONS[which](x)
    return value if what in {"well", "late", "hang", "kill", "cut"} else _odd(value, what, seed)


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
