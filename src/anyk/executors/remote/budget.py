"""What a worker's owner lets a master take: memory and time, of a session and of a task."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from anyk.checks import count

__all__ = ["TIMES_MEMORY", "Budget"]

TIMES_MEMORY = 4
"""How many times the memory of shares a task may take, unless the owner says otherwise."""


@final
@dataclass(frozen=True, kw_only=True)
class Budget:
    """What one session may take of a worker, in the units of the command `anyk worker`.

    Args:
        memory: MiB of shares and arguments.
        task_memory: MiB that its tasks may take beside them; None for `TIMES_MEMORY` times the
            memory, 0 for no limit.
        task_seconds: that a task may take; 0 for no limit.
        idle_seconds: from the end of a request until all of the next one is there; 0 for no limit.

    Raises:
        InvalidArgument: if one of them can't be used.

    Example:
        >>> from anyk.executors.remote.budget import Budget
        >>> budget = Budget(memory=2, idle_seconds=0)
        >>> budget.task_bytes >> 20, budget.task_patience, budget.idle_patience
        (8, 600.0, inf)
    """

    memory: int = 1024
    task_memory: int | None = None
    task_seconds: int = 600
    idle_seconds: int = 3600

    def __post_init__(self) -> None:
        count("--memory", self.memory, least=1)
        if self.task_memory is not None:
            count("--task-memory", self.task_memory, least=0)
        count("--task-seconds", self.task_seconds, least=0)
        count("--idle-seconds", self.idle_seconds, least=0)

    @property
    def bytes(self) -> int:
        """Of shares and arguments."""
        return self.memory << 20

    @property
    def task_bytes(self) -> int:
        """That tasks may take; 0 for no limit."""
        times = TIMES_MEMORY * self.memory if self.task_memory is None else self.task_memory
        return times << 20

    @property
    def task_patience(self) -> float:
        """Seconds that a task may take."""
        return float(self.task_seconds or math.inf)

    @property
    def idle_patience(self) -> float:
        """Seconds from the end of a request until all of the next one is there."""
        return float(self.idle_seconds or math.inf)
