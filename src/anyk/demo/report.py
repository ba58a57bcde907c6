"""How the demo ends: a table of all runs, a sentence on each job, and the rows of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from anyk.demo.jobs import Way
from anyk.demo.result import Result, name_workers
from anyk.timeline import Bar, Fate, Panel, Row

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["FOOTNOTE", "conclusion", "final_table", "picture_rows"]

_SHOWN = 14  # digits of what the colluder was sent
_SIDE = 8  # pixels
_COLUMNS = (
    ("", 12),
    ("seconds", 7),
    ("right", 10),
    ("late", 8),
    ("killed", 8),
    ("lied", 9),
    ("saw", 7),
)


def final_table(jobs: Sequence[Sequence[Result]]) -> Table:
    """All runs: seconds, what is right, who was late, who failed, who lied, what was seen.

    Args:
        jobs: the results of each job.

    Raises:
        ImportError: without rich.
    """
    from rich import box  # noqa: PLC0415 - an extra, imported where used
    from rich.table import Table  # noqa: PLC0415 - as above

    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    for title, width in _COLUMNS:
        side: Literal["left", "right"] = "right" if title == "seconds" else "left"
        table.add_column(title, justify=side, min_width=width, no_wrap=True)
    for number, results in enumerate(jobs, start=1):
        for result in results:
            style = "bold green" if result.good else ""
            table.add_row(f"{number} {result.way.name}", *_cells(result), style=style)
        table.add_section()
    return table


def _cells(result: Result) -> list[str]:
    seen = "-" if result.share is None else "digits"
    return [
        f"{result.seconds:.1f}",
        f"{result.right} of {result.job.total}",
        result.late_told,
        name_workers(result.failed) + (" (lost)" if result.lost else ""),
        "unnoticed" if result.deceived else name_workers(result.named),
        "nothing" if result.share is not None and not result.leaks else seen,
    ]


FOOTNOTE = (
    "right: in 1 the digit that the network reads without any code, in 2 every bit.\n"
    "late: in brackets, a worker that was about to answer and was not needed.\n"
    "saw: what the curious worker, the colluder, learned."
)


def conclusion(result: Result) -> str:
    """What the last way of a job knows, in a sentence or two."""
    asleep = tuple(who for who in result.silent if who not in result.spare)
    told = f"{result.way.name}: ready after {result.seconds:.1f} s"
    told += f", {result.right} of {result.job.total} {result.job.unit} right."
    told += f" It did not wait for {_join(asleep)}"
    if result.failed:
        told += f", and did without {_join(result.failed)}, which was killed"
    told += "."
    if result.way.scheme is None:
        items = result.way.enough(len(result.job.X))
        told += f" Others computed what they had: {result.outcome.calls} calls for {items} items."
    if result.named:
        told += f" It names the liar: {_join(result.named)}."
    elif result.job.trouble.liar in result.outcome.missing:
        told += " The liar came too late to be heard."
    if result.share is not None and not result.leaks:
        told += " What the colluder was sent is noise, whatever the data."
    return told


def _join(workers: tuple[int, ...]) -> str:
    return " and ".join(map(str, workers)) or "nobody"


def picture_rows(jobs: Sequence[Sequence[Result]]) -> list[Row]:
    """What `anyk.timeline` draws: a row a job, a panel a way.

    Args:
        jobs: the results of each job.
    """
    return [
        Row(
            title=f"{number}  {results[0].job.title}",
            panels=[_panel(result) for result in results],
        )
        for number, results in enumerate(jobs, start=1)
    ]


def _panel(result: Result) -> Panel:
    sight, sight_title = None, ""
    if result.share is not None:
        sight = _contact_sheet(result.share)
        seen = "digits, plain to see" if result.leaks else "noise"
        sight_title = f"what the colluder, worker {result.job.trouble.colluder}, was sent: {seen}"
    return Panel(
        title=f"{result.way.name}: {_how(result.way, len(result.job.X))}",
        verdict=f"{result.seconds:.1f} s, {result.verdict}",
        good=result.good,
        bars=[
            Bar(
                worker=timing.worker,
                end=timing.answered,
                fate=result.fate(timing.worker),
                note=_note(result, timing.worker, timing.answered),
            )
            for timing in result.outcome.timings
        ],
        ready=result.seconds,
        sight=sight,
        sight_title=sight_title,
    )


def _how(way: Way, blocks: int) -> str:
    """A way in a few words."""
    if way.scheme is None:
        return f"{way.enough(blocks)} items, to whoever is free"
    if way.name != "coded":
        return f"{way.workers} workers"
    name, enough = type(way.scheme).__name__, way.enough(blocks)
    return f"{name}, any {enough} of {way.workers} workers are enough"


def _note(result: Result, worker: int, end: float | None) -> str:
    fate = result.fate(worker)
    if fate is Fate.LATE:
        return "asleep, not waited for" if end is None else "asleep, waited for"
    if fate is Fate.LIED:
        return "lied, named" if worker in result.named else "lied, nobody noticed"
    if fate is Fate.FAILED:
        return "killed"
    return "colluder" if worker == result.job.trouble.colluder else ""


def _contact_sheet(share: NDArray[Any]) -> NDArray[np.float64]:
    """The first digits of a share side by side, scaled to 0 to 1."""
    digits = share[:_SHOWN].reshape(-1, _SIDE, _SIDE) / max(1, share.max())
    framed = np.pad(digits, ((0, 0), (0, 0), (0, 2)))
    return np.asarray(np.hstack(list(framed)))
