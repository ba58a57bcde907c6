"""A live view of a run in a terminal: its workers, the answers so far, the time."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, final

from anyk.answers import Answer
from anyk.observe.terminal import watched
from anyk.timeline import Fate

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live
    from rich.text import Text

__all__ = ["MARKS", "WORKING", "live_display"]

MARKS = {
    Fate.ANSWERED: ("●", "bright_blue"),
    Fate.SPARE: ("○", "bright_black"),
    Fate.LATE: ("z", "bold yellow"),
    Fate.FAILED: ("✖", "bold red"),
    Fate.LIED: ("!", "bold magenta"),
}
"""How a worker's fate looks in a terminal: a letter and rich's name of its style."""

WORKING = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
"""How a worker looks that computes, one after the other."""

OnAnswer = Callable[[Answer], None]

_PATIENCE = 0.7  # seconds: a shorter run shows nothing
_FRAMES = 8  # a second
_MOST_MARKS = 400  # workers that have a mark each: of more there are counts, as quick to draw


@contextmanager
def live_display(
    workers: int, threshold: int | None, *, progress: bool, pieces: int = 1, of: str = "answers"
) -> Iterator[OnAnswer | None]:
    """Show a run while it lasts, if it lasts, and leave the terminal as it was.

    Args:
        workers: N.
        threshold: how many answers are enough; None where that is not known.
        progress: whether to show anything; nothing is shown where standard error is no terminal,
            or rich is not installed.
        pieces: how many answers a worker owes.
        of: what they are answers to.

    Yields:
        What to call with each answer; None where nothing is shown.

    Example:
        >>> from anyk.observe.live import live_display
        >>> with live_display(12, 9, progress=False) as on_answer:
        ...     on_answer is None
        True
    """
    if not (progress and watched() and find_spec("rich")):
        yield None
        return
    view = _View(workers, threshold, pieces, of)
    timer = threading.Timer(_PATIENCE, view.open)
    timer.daemon = True
    timer.start()
    try:
        yield view.heard
    finally:
        timer.cancel()
        view.close()


@final
class _View:
    """What is shown of one run."""

    def __init__(
        self, workers: int, threshold: int | None, pieces: int = 1, of: str = "answers"
    ) -> None:
        self._of = of
        self._workers, self._threshold, self._pieces = workers, threshold, pieces
        self._usable = self._failed = 0
        self._heard = [0] * workers
        self._started = time.monotonic()
        self._fates: dict[int, Fate] = {}
        self._lock = threading.Lock()
        self._live: Live | None = None
        self._closed = False

    def heard(self, answer: Answer) -> None:
        """Count an answer, and mark a worker that has given all of its own, or failed."""
        self._heard[answer.worker] += 1
        if answer.failure:
            self._failed += 1
            self._fates[answer.worker] = Fate.FAILED
            return
        self._usable += 1
        if self._heard[answer.worker] == self._pieces:
            self._fates.setdefault(answer.worker, Fate.ANSWERED)

    def open(self, console: Console | None = None) -> None:
        """Begin to show it, unless the run is over."""
        from rich.console import Console  # noqa: PLC0415 - an extra, imported where used
        from rich.live import Live  # noqa: PLC0415 - as above

        with self._lock:
            if self._closed:
                return
            self._live = Live(
                get_renderable=self.picture,
                console=console or Console(stderr=True),
                refresh_per_second=_FRAMES,
                transient=True,
            )
            self._live.start()

    def close(self) -> None:
        """Wipe it away. Harmless when called twice."""
        with self._lock:
            self._closed = True
            if self._live is not None:
                self._live.stop()
                self._live = None

    def picture(self) -> Text:
        """A row of workers, or how many of them did what; and a line of figures."""
        from rich.text import Text  # noqa: PLC0415 - an extra, imported where used

        elapsed = time.monotonic() - self._started
        fates = dict(self._fates)  # another thread adds to it
        told = Text("workers  ", "bright_black")
        if self._workers > _MOST_MARKS:
            counts = Counter(fates.values())
            for fate, number in sorted(counts.items(), key=lambda each: each[0].value):
                told.append(f"{MARKS[fate][0]} {number} {fate.value}   ", MARKS[fate][1])
            turn = WORKING[int(elapsed * _FRAMES) % len(WORKING)]
            told.append(f"{turn} {self._workers - len(fates)} at work", "cyan")
        for worker in range(self._workers if self._workers <= _MOST_MARKS else 0):
            turn = WORKING[int(elapsed * _FRAMES + worker) % len(WORKING)]
            told.append(*(MARKS[fates[worker]] if worker in fates else (turn, "cyan")))
        told.append(f"\n{self._of:<9}", "bright_black")
        most = "" if self._threshold is None else f" of {self._threshold}"
        told.append(f"{self._usable}{most}", "bold")
        told.append(f"   {self._failed} failed" if self._failed else "", "red")
        told.append(f"   {elapsed:.1f} s", "bright_black")
        return told
