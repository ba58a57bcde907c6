"""How far data are that are distributed slab by slab: a bar in a terminal, where rich is there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, final

from anyk.observe.terminal import watched

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

__all__ = ["slab_bar"]

_PATIENCE = 0.7  # seconds: shorter work shows nothing


@contextmanager
def slab_bar(columns: int | None, *, progress: bool) -> Iterator[Callable[[int], None]]:
    """Show how many columns have gone, if it takes its time, and leave the terminal as it was.

    Args:
        columns: how many there are; None where nobody knows.
        progress: whether to show anything; nothing is shown where standard error is no terminal,
            or rich is not installed.

    Yields:
        What to call with the number of columns that have gone so far.

    Example:
        >>> from anyk.observe.slabs import slab_bar
        >>> with slab_bar(100, progress=False) as show:
        ...     show(40)
    """
    if not (progress and watched() and find_spec("rich")):
        yield lambda _: None
        return
    bar = _Bar(columns)
    timer = threading.Timer(_PATIENCE, bar.open)
    timer.daemon = True
    timer.start()
    try:
        yield bar.show
    finally:
        timer.cancel()
        bar.close()


@final
class _Bar:
    """What is shown."""

    def __init__(self, columns: int | None) -> None:
        self._columns, self._gone = columns, 0
        self._lock = threading.Lock()
        self._bar: Progress | None = None
        self._closed = False

    def show(self, gone: int) -> None:
        """So many columns have gone."""
        with self._lock:
            self._gone = gone
            if self._bar is not None:
                self._bar.update(self._bar.task_ids[0], completed=gone)

    def open(self, console: Console | None = None) -> None:
        """Begin to show it, unless it is over."""
        from rich.console import Console  # noqa: PLC0415 - an extra, imported where used
        from rich.progress import (  # noqa: PLC0415 - as above
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        with self._lock:
            if self._closed:
                return
            self._bar = Progress(
                TextColumn("columns sent"),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=console or Console(stderr=True),
                transient=True,
            )
            self._bar.add_task("columns", total=self._columns, completed=self._gone)
            with suppress(OSError):  # a terminal that has gone
                self._bar.start()

    def close(self) -> None:
        """Wipe it away. Harmless when called twice."""
        with self._lock:
            self._closed = True
            if self._bar is not None:
                self._bar.stop()
                self._bar = None
