"""What the workers of `chaos_on_map` run: a value of some type, and what goes wrong around it."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import Any

import numpy as np

import anyk

__all__ = ["Item", "compute", "truth"]

KINDS = ("int", "float", "text", "none", "bytes", "record", "array", "counts", "ragged", "large")
ONCE = ("raise", "kill", "late", "hang", "stop")  # what the first copy of an item may do
LATE, HANG = 0.1, 0.8  # seconds


@dataclass(frozen=True)
class Item:
    """What is to be computed, and how it goes wrong.

    Args:
        index: of the item.
        kind: of its value.
        seconds: that it takes.
        once: what its first copy does instead of its work; "" for nothing.
        always: whether each copy raises.
        liar: a worker that answers wrongly; -1 for none.
    """

    index: int
    kind: str
    seconds: float
    once: str = ""
    always: bool = False
    liar: int = -1


def truth(item: Item, salt: int = 0) -> Any:
    """The right value: it says of which item it is."""
    number = 1000 * item.index + salt
    rng = np.random.default_rng(number)
    values: dict[str, Any] = {
        "int": number << 70,
        "float": number / 7,
        "text": f"the value of {number}",
        "none": (number, None),
        "bytes": str(number).encode(),
        "record": {"number": number, "mean": rng.normal(), "tags": ["a"] * (number % 5)},
        "array": np.append(rng.normal(size=number % 40), number),
        "counts": np.append(rng.integers(0, 9, number % 7), number).astype(np.int32),
        "ragged": [number, *(rng.normal(size=each) for each in range(number % 4))],
    }
    if item.kind == "large":
        return np.append(rng.normal(size=30_000), number)
    return values[item.kind]


def compute(item: Item, salt: Any = 0) -> Any:
    """The value, unless something goes wrong.

    Args:
        item: what is to be computed.
        salt: an integer, or a list of one, which may be a constant that the workers hold.
    """
    asked = anyk.task_id()
    if asked is None or asked.item != item.index:
        raise RuntimeError(f"{asked} is not the call of item {item.index}")
    if item.always:
        raise ArithmeticError("on purpose, always")
    if not asked.copy and item.once:
        _go_wrong(item.once)
    time.sleep(item.seconds)
    salt = salt[0] if isinstance(salt, list) else salt
    if asked.worker == item.liar and item.index % 3:
        return truth(item, salt + 1 + asked.worker)
    return truth(item, salt)


def _go_wrong(how: str) -> None:
    if how == "raise":
        raise OSError("on purpose, once")
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif how == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        time.sleep(LATE if how == "late" else HANG)
