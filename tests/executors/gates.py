"""What tasks in this process wait for: pickled, it stays the same one."""

import threading
from collections import Counter
from typing import Any

import pytest
from calls import LONG

distributed = pytest.importorskip("distributed")


class Gate:
    """What tasks in this process wait for; and who passed, and how many at once."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.begun: list[str] = []
        self.at_once: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __reduce__(self) -> Any:  # it stays in this process
        _gates[id(self)] = self
        return _gate, (id(self),)

    def __call__(self, share: Any) -> Any:
        where = distributed.get_worker().address
        with self._lock:
            self.begun.append(where)
            self.at_once[where] += 1
            self.most[where] = max(self.most[where], self.at_once[where])
        assert self.open.wait(LONG)
        with self._lock:
            self.at_once[where] -= 1
        return share


_gates: dict[int, Gate] = {}


def _gate(number: int) -> Gate:
    return _gates[number]
