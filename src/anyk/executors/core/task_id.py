"""Who asks inside of a task: which item it is, which copy, and on which worker."""

from __future__ import annotations

from contextvars import ContextVar
from typing import NamedTuple, final

__all__ = ["TaskId", "current", "task_id"]


@final
class TaskId(NamedTuple):
    """One call of a function: on which item, for the how manieth time, and where.

    Args:
        item: index of the item, or of the share.
        copy: 0 for the first worker who was given the item, 1 for the second, and so on.
        worker: index of the worker.

    Example:
        >>> anyk.TaskId(item=12, copy=0, worker=3)
        TaskId(item=12, copy=0, worker=3)
    """

    item: int
    copy: int
    worker: int


current: ContextVar[TaskId | None] = ContextVar("current", default=None)
"""The call that this thread is in; set by whoever runs it."""


def task_id() -> TaskId | None:
    """Which call this is, asked inside of a function that `anyk.map` calls.

    A late item is computed by a second worker too, so a function may run twice on one item. What it
    writes goes under the item's name, by a file that is written elsewhere first and then renamed:
    both copies write the same, and nobody sees half of it.

    Returns:
        Item, copy and worker; None outside of such a call.

    Example:
        >>> anyk.map(lambda x: anyk.task_id().item, "abc", anyk.Inline(2)).value
        [0, 1, 2]
        >>> anyk.task_id()
    """
    return current.get()
