"""Watching a run: a live table of the workers in a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, final

from anyk.answers import Answer
from anyk.demo.jobs import WORKERS, Job, Way
from anyk.demo.result import Result, name_workers
from anyk.observe.live import MARKS, WORKING
from anyk.timeline import Fate

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.live import Live
    from rich.text import Text

__all__ = ["AbstractWatcher", "LiveWatcher", "PlainWatcher"]

_SUSPICIOUS = 2.0  # times as late as the slowest answer so far, at least this many seconds
_FRAMES = 12  # a second


class AbstractWatcher(ABC):
    """Told what happens in a demo, in this order: `begin`, (`start`, `heard`.., `finish`).., `end`.

    Example:
        >>> from anyk.demo.watch import AbstractWatcher, PlainWatcher
        >>> issubclass(PlainWatcher, AbstractWatcher)
        True
    """

    @abstractmethod
    def begin(self, job: Job) -> None:
        """A job begins."""

    @abstractmethod
    def start(self, way: Way) -> None:
        """It is done in one more way, from now on."""

    @abstractmethod
    def heard(self, answer: Answer) -> None:
        """A worker answered or failed."""

    @abstractmethod
    def finish(self, result: Result) -> None:
        """This way is done."""

    @abstractmethod
    def end(self) -> None:
        """The job is done, or was broken off. Harmless when called twice."""


@final
class PlainWatcher(AbstractWatcher):
    """A line for each way, when it is done.

    Args:
        write: called with each line.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    def begin(self, job: Job) -> None:
        """Nothing to tell yet."""

    def start(self, way: Way) -> None:
        """Nothing to tell yet."""

    def heard(self, answer: Answer) -> None:
        """Nothing to tell yet."""

    def finish(self, result: Result) -> None:
        """Tell the result in a line."""
        used, workers = len(result.outcome.used), result.way.workers
        told = f"{result.way.name:<11}{result.seconds:5.2f} s  {used:>2} of {workers:>2} workers"
        told += f"; late {result.late_told}" if result.late else ""
        told += f"; killed {name_workers(result.failed)}" if result.failed else ""
        told += f"; lied {name_workers(result.named)}" if result.named else ""
        self._write(f"{told}; {result.verdict}")

    def end(self) -> None:
        """Nothing is open."""


@final
@dataclass(kw_only=True)
class _Lane:
    """One way in the live table."""

    way: Way
    started: float
    blocks: int
    count: int = 0
    answers: dict[int, float] = field(default_factory=dict)
    failed: set[int] = field(default_factory=set)
    result: Result | None = None

    @property
    def elapsed(self) -> float:
        return time.monotonic() - self.started


@final
class LiveWatcher(AbstractWatcher):
    """A table that moves: a row a way, a column a worker.

    Args:
        console: a terminal.

    Raises:
        ImportError: without rich.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live: Live | None = None
        self._job: Job | None = None
        self._lanes: list[_Lane] = []

    def begin(self, job: Job) -> None:
        """Open the table."""
        from rich.live import Live  # noqa: PLC0415 - an extra, imported where used

        self._job, self._lanes = job, []
        self._live = Live(
            get_renderable=self._table, console=self._console, refresh_per_second=_FRAMES
        )
        self._live.start()

    def start(self, way: Way) -> None:
        """Add a row."""
        blocks = len(self._job.X) if self._job else 0
        self._lanes.append(_Lane(way=way, started=time.monotonic(), blocks=blocks))

    def heard(self, answer: Answer) -> None:
        """Mark a worker."""
        lane = self._lanes[-1]
        if answer.failure is None:
            lane.answers[answer.worker] = lane.elapsed
            lane.count += 1
        else:
            lane.failed.add(answer.worker)

    def finish(self, result: Result) -> None:
        """Put the result into the row."""
        self._lanes[-1].result = result

    def end(self) -> None:
        """Leave the table as it is."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _table(self) -> Group:
        from rich.console import Group  # noqa: PLC0415 - an extra, imported where used
        from rich.table import Table  # noqa: PLC0415 - as above

        table = Table(box=None, padding=(0, 1, 0, 0), show_header=True, header_style="bright_black")
        table.add_column("worker", width=10, no_wrap=True)
        for worker in range(WORKERS):
            table.add_column(str(worker), justify="right", width=2, no_wrap=True)
        table.add_column("answers", justify="right", width=8, no_wrap=True)
        table.add_column("seconds", justify="right", width=7, no_wrap=True)
        table.add_column("", no_wrap=True)
        lanes = {lane.way.name: lane for lane in list(self._lanes)}
        for way in self._job.ways if self._job else ():
            table.add_row(*_cells(way, lanes.get(way.name)))
        return Group(table, _legend())


def _legend() -> Text:
    """One line that names the marks."""
    from rich.text import Text  # noqa: PLC0415 - an extra, imported where used

    told = Text(f"{'':<11}")
    for fate, (mark, style) in MARKS.items():
        told.append(mark, style).append(f" {fate.value}   ", "bright_black")
    return told


def _cells(way: Way, lane: _Lane | None) -> list[Text | str]:
    """A row of the table."""
    from rich.text import Text  # noqa: PLC0415 - an extra, imported where used

    workers = way.workers
    if lane is None:
        waiting = [Text("·" if who < workers else "", "bright_black") for who in range(WORKERS)]
        return [Text(way.name, "bright_black"), *waiting, "", "", ""]
    marks = [Text(*_mark(lane, who)) if who < workers else Text("") for who in range(WORKERS)]
    result = lane.result
    needed = way.enough(lane.blocks)
    seconds = lane.elapsed if result is None else result.seconds
    colour = "bold" if result is None else "green" if result.good else "red"
    return [
        Text(way.name, "bold"),
        *marks,
        Text(f"{lane.count} of {needed}"),
        Text(f"{seconds:.1f}", colour),
        Text("" if result is None else f"{result.right}/{result.job.total} right", colour),
    ]


def _mark(lane: _Lane, worker: int) -> tuple[str, str]:
    """How a worker looks now."""
    if lane.result is not None:
        return MARKS[lane.result.fate(worker)]
    if worker in lane.failed:
        return MARKS[Fate.FAILED]
    if worker in lane.answers:
        return MARKS[Fate.ANSWERED]
    slowest = max(list(lane.answers.values()), default=0.0)  # a copy: another thread adds to it
    if lane.answers and lane.elapsed > _SUSPICIOUS * max(slowest, 0.5):
        return MARKS[Fate.LATE]
    return WORKING[int(lane.elapsed * _FRAMES + worker) % len(WORKING)], "cyan"
