"""The demo from its first line to its last: two jobs, each in three ways, on the same workers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from anyk.demo.jobs import WORKERS, Job, gram_job, reading_job
from anyk.demo.race import race, roll_call
from anyk.demo.report import FOOTNOTE, conclusion, final_table, picture_rows
from anyk.demo.result import Result
from anyk.demo.watch import AbstractWatcher, LiveWatcher, PlainWatcher
from anyk.executors.core.base import AbstractExecutor
from anyk.executors.processes.executor import Processes
from anyk.timeline import draw_timeline, require_matplotlib
from anyk.wording import missing_extra

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["make_console", "tell"]


def make_console() -> Console:
    """Where the demo prints.

    Raises:
        ImportError: without rich.
    """
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra, imported where used
    except ImportError as error:
        raise missing_extra("the live table is drawn with rich", "demo") from error
    return Console(highlight=False)


def tell(
    console: Console,
    *,
    seed: int,
    output: Path,
    employ: Callable[[int], AbstractExecutor] = Processes,
    seconds: float = 5.0,
    passes: int = 2000,
) -> list[list[Result]]:
    """Run the demo, and print it as it goes.

    Args:
        console: where to print.
        seed: of the choice of data and faults; masks come from the operating system all the same.
        output: where to write the picture.
        employ: makes the executor.
        seconds: that the sleepers sleep.
        passes: how long the network looks at each digit.

    Returns:
        The results of each job.

    Raises:
        ImportError: without matplotlib, rich or scikit-learn.
        OSError: if the picture can't be written.
    """
    require_matplotlib()
    jobs = [
        reading_job(np.random.default_rng([seed, 1]), seconds=seconds, passes=passes),
        gram_job(np.random.default_rng([seed, 2]), seconds=seconds),
    ]
    console.print(
        f"[bold]anyk demo[/]  {WORKERS} workers, some of them bad; 2 jobs, each in 3 ways\n"
    )
    watcher = _watcher(console)
    with employ(WORKERS) as executor:
        with console.status(f"starting {WORKERS} workers"):
            roll_call(executor)
        results = [
            _do(job, number, executor, console, watcher) for number, job in enumerate(jobs, start=1)
        ]
    console.print(final_table(results))
    console.print(f"[bright_black]{FOOTNOTE}[/]\n")
    for number, (*_, last) in enumerate(results, start=1):
        console.print(f"{number} {conclusion(last)}")
    draw_timeline(
        picture_rows(results),
        output,
        title="anyk demo: any k of n answers are enough",
        caption=f"Seed {seed}. Each way meets the same faults, on the workers that it employs. "
        f"{FOOTNOTE.splitlines()[0].capitalize()}",
    )
    told = f"\nThe picture of it: {output} (another run: anyk demo --seed {seed + 1})"
    console.print(told, markup=False, soft_wrap=True)
    return results


def _watcher(console: Console) -> AbstractWatcher:
    """A live table where the console can show one."""
    moves = console.is_terminal and not console.is_dumb_terminal
    if moves and console.encoding.startswith("utf"):
        return LiveWatcher(console)
    return PlainWatcher(lambda line: console.print(line, markup=False, soft_wrap=True))


def _do(
    job: Job, number: int, executor: AbstractExecutor, console: Console, watcher: AbstractWatcher
) -> list[Result]:
    """Do one job in all its ways."""
    console.print(f"[bold]{number} {job.title}[/]")
    console.print(f"  {job.detail}")
    console.print(f"  what goes wrong: workers {job.trouble}")
    watcher.begin(job)
    results = []
    try:
        for way in job.ways:
            results.append(race(job, way, executor, watcher))
            roll_call(executor, results[-1].silent)
    finally:
        watcher.end()
    console.print()
    return results
