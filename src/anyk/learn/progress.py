"""How far a training is: a bar in a terminal where rich is installed, nothing anywhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from anyk.observe.terminal import watched

__all__ = ["progress"]

Advance = Callable[[float], None]
"""Called after each iteration with the loss."""


def _quiet(loss: float) -> None:
    """Show nothing."""


@contextmanager
def progress(iterations: int, *, verbose: int) -> Iterator[Advance]:
    """Show a bar while iterations go by.

    Args:
        iterations: how many there will be.
        verbose: 0 to show nothing.

    Yields:
        What to call after each iteration, with the loss.

    Example:
        >>> from anyk.learn.progress import progress
        >>> with progress(2, verbose=0) as advance:
        ...     advance(0.5)
    """
    if not verbose or not watched():
        yield _quiet
        return
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra, imported where used
        from rich.progress import Progress  # noqa: PLC0415 - as above
    except ImportError:
        yield _quiet
        return
    with Progress(console=Console(stderr=True)) as bar:
        task = bar.add_task("training", total=iterations)

        def advance(loss: float) -> None:
            bar.update(task, advance=1, description=f"loss {loss:.4g}")

        yield advance
