"""A connection to a worker, as the process knows it that listens, and runs nobody's functions."""

from __future__ import annotations

import math
import os
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, final

from anyk.connections.door import GREETING
from anyk.executors.core.family import end, end_descendants
from anyk.executors.remote.budget import Budget

__all__ = ["ADMITTED", "BEGUN", "DONE", "ENDED", "GROUP", "HEARD", "REFUSED", "Visitor"]

ADMITTED: Final = b"!"
"""What its process tells: it has shown to be a master."""

BEGUN: Final = b"+"
"""A task has begun."""

DONE: Final = b"-"
"""A task is done."""

ENDED: Final = b"#"
"""The session has ended."""

GROUP: Final = b"@%d\n"
"""The session begins, and this is the number of its process and group."""

HEARD: Final = b"."
"""A request has come that runs nothing."""


REFUSED: Final = b"?"
"""It ends, for the reason that follows."""

_GROUP = re.compile(rb"@(\d+)\n")
_GRACE = 1.0  # seconds that a process has to keep a limit by itself, and say so


@final
@dataclass(eq=False)
class Visitor:
    """One connection, in the hands of processes of its own: a stranger's until it has shown whose.

    Args:
        process: the one that was forked for it, above all others of it.
        told: the pipe on which they tell what they do.
        connection: the same as theirs; it is watched, and never read.
        peer: where it comes from.
        admitted: whether it is a master's.
        group: of the session's processes; 0 while there is none.
        until: when it is over, on `time.monotonic`, unless something is told before.
        why: and why then.
    """

    process: int
    told: int
    connection: socket.socket
    peer: str
    admitted: bool = False
    group: int = 0
    until: float = math.inf
    why: str = ""

    def await_greeting(self) -> None:
        """Give the stranger its time."""
        self.until, self.why = time.monotonic() + GREETING + _GRACE, "it did not show who it is"

    def note(self, said: bytes, budget: Budget) -> None:
        """Note what was told, and how long it may be until more is.

        Args:
            said: of which the last counts.
            budget: of a session.
        """
        group = _GROUP.search(said)
        if group is not None and not self.group:
            self.group = int(group[1])
        if said.endswith(BEGUN):
            patience, option = budget.task_patience + _GRACE, "a task took longer than"
            self.why = f"{option} the {budget.task_seconds} s of --task-seconds"
        else:
            patience = budget.idle_patience
            self.why = f"no request came within the {budget.idle_seconds} s of --idle-seconds"
        self.until = time.monotonic() + patience

    def end(self) -> None:
        """End the processes, stopped or busy as they may be, all that they started, and close."""
        if self.admitted:
            if self.group:
                end(self.group)  # at once, however fast they start others
            end_descendants(self.process)
        end(self.process)
        with suppress(OSError):  # whoever else has it: the other end sees that it is over
            self.connection.shutdown(socket.SHUT_RDWR)
        self.close()

    def close(self) -> None:
        """Close what this process has of it."""
        self.connection.close()
        os.close(self.told)
