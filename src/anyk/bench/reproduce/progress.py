"""How far an experiment is: a bar in a terminal, nothing anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anyk.observe.terminal import watched
from anyk.wording import missing_extra

__all__ = ["steps"]

Step = Callable[[], None]
"""Called after each step."""


def _quiet() -> None:
    """Show nothing."""


@contextmanager
def steps(title: str, total: int) -> Iterator[Step]:
    """Show a bar while steps go by; it vanishes at the end.

    Args:
        title: what is being done.
        total: how many steps there will be.

    Yields:
        What to call after each step.

    Raises:
        ImportError: in a terminal without rich.

    Example:
        >>> from anyk.bench.reproduce.progress import steps
        >>> with steps("batches", 2) as step:
        ...     step()
    """
    if not watched():
        yield _quiet
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra, imported where used
        from rich.progress import (  # noqa: PLC0415 - as above
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )
    except ImportError as error:
        raise missing_extra("progress is shown with rich", "reproduce") from error
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total)
        yield lambda: bar.advance(task)
