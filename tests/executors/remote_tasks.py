"""What the workers of the tests of `Remote` offer."""

import multiprocessing
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
from in_place import spoil
from numpy.typing import NDArray

from anyk import of_degree
from anyk.domains.functions.inside import memory_of
from anyk.executors.core.run_task import die
from anyk.testing.tasks import (
    fragile,
    gram,
    numbered,
    recorded,
    shifted,
    sluggish,
    spoiled,
    waits,
    weighted,
)

__all__ = [
    "bytes_each",
    "everything",
    "exponential",
    "fragile",
    "gram",
    "interrupted",
    "killed",
    "leave_behind",
    "numbered",
    "power_three",
    "put_off",
    "recorded",
    "same",
    "scaled",
    "shifted",
    "sluggish",
    "spoil",
    "spoiled",
    "squares_by_hand",
    "text",
    "total",
    "waits",
    "weighted",
    "wide",
]


def _private(share: Any) -> Any:
    return share


def same(share: Any) -> Any:
    return share


def total(share: Any, other: Any) -> Any:
    return share + other


def bytes_each(share: Any, other: Any) -> Any:
    """How many bytes each number takes here, of field elements."""
    sizes = [memory_of(each).dtype.itemsize for each in (share, other)]
    return np.stack([share * 0 + sizes[0], other * 0 + sizes[1]])


def scaled(share: Any, factor: Any) -> Any:
    return share * factor


def power_three(share: Any) -> Any:
    return share**3 + share


def _squares(share: Any) -> Any:
    return share.values.astype(object) ** 2 % share.field.modulus


squares_by_hand = of_degree(_squares, 2)


def exponential(share: Any) -> Any:
    return np.exp(share)


def text(_: Any) -> str:
    return "no numbers"


def wide(_: Any) -> Any:
    return np.longdouble(1)


def interrupted(share: NDArray[Any]) -> NDArray[Any]:
    """Raises what Ctrl-C raises, with a share that begins with 0."""
    if share[0] == 0:
        raise KeyboardInterrupt
    return share


def killed(share: NDArray[Any]) -> NDArray[Any]:
    """Ends the process of worker 0."""
    if share[0] == 0:
        die()
    return share


def leave_behind(_: Any) -> NDArray[Any]:
    """Starts a process that nobody ends, and says which."""
    context = multiprocessing.get_context("fork")
    process = context.Process(target=time.sleep, args=(600,), daemon=True)
    process.start()
    return np.array([process.pid])


def put_off(share: NDArray[Any], place: str) -> NDArray[Any]:
    """Worker 0 says in a file which process it is, and then hangs."""
    if share[0] == 0:
        Path(place).write_text(str(os.getpid()), encoding="utf-8")
        time.sleep(600)
    return share


def everything(_: Any, *arguments: Any) -> NDArray[Any]:
    """What came, as bytes that can be compared."""
    return np.frombuffer(repr(arguments).encode(), np.uint8)
