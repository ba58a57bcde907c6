"""A picture of runs: one bar a worker, and the moment when the value was ready."""

from __future__ import annotations

import enum
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from os import PathLike
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.wording import missing_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.text import Text

__all__ = [
    "Bar",
    "Fate",
    "Panel",
    "Row",
    "draw_timeline",
    "require_matplotlib",
    "timeline_figure",
    "told_seconds",
]


@final
class Fate(enum.Enum):
    """What became of a worker in one run; the value is the word that tells it.

    Example:
        >>> from anyk.timeline import Fate
        >>> Fate.LIED.value
        'lied'
    """

    ANSWERED = "answered"
    SPARE = "not needed"
    LATE = "late"
    FAILED = "failed"
    LIED = "lied"


@final
@dataclass(frozen=True, kw_only=True)
class Bar:
    """One worker's time in one run.

    Args:
        worker: its index.
        end: seconds after the start when it answered or failed; None if it was not waited for.
        fate: what became of it.
        note: a few words beside the bar; "" for none.

    Example:
        >>> from anyk.timeline import Bar, Fate
        >>> Bar(worker=3, end=None, fate=Fate.LATE).note
        ''
    """

    worker: int
    end: float | None
    fate: Fate
    note: str = ""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Panel:
    """One run.

    Args:
        title: how it was run.
        verdict: what came of it, in a few words.
        good: whether the verdict is a good one.
        bars: one a worker.
        ready: seconds after the start when the run was over.
        sight: what a curious worker saw, ndarray (height, width); None to leave it out.
        sight_title: what `sight` is.
    """

    title: str
    verdict: str
    good: bool
    bars: Sequence[Bar]
    ready: float
    sight: NDArray[Any] | None = None
    sight_title: str = ""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """Runs of the same job, side by side.

    Args:
        title: the job.
        panels: the runs.
    """

    title: str
    panels: Sequence[Panel]


# Okabe and Ito's palette: told apart by those who do not see red or green.
_INK, _QUIET, _FAINT = "#222222", "#6b6b6b", "#e4e4e4"
_GOOD, _BAD = "#00664b", "#a83c00"
_COLOURS = {
    Fate.ANSWERED: "#56b4e9",
    Fate.SPARE: "#c9ced3",
    Fate.LATE: "#e69f00",
    Fate.FAILED: "#222222",
    Fate.LIED: "#cc5490",
}
_HEIGHT = 0.74  # of a bar, where workers are 1 apart
_PANEL_WIDTH, _WORKER_HEIGHT, _SIGHT_HEIGHT = 4.3, 0.2, 0.75  # inches
_MOST_HEIGHT = 10.0  # inches of a panel: thousands of workers get thinner bars, not a taller page
_NAME_HEIGHT = 0.14  # inches that a line of text needs
_LEAST_WIDTH = 7.5  # inches: the legend needs them
_TEXT: dict[str, Any] = {"fontsize": 8, "color": _QUIET}


_UNITS = ((1.0, "seconds", "s"), (1e-3, "milliseconds", "ms"), (1e-6, "microseconds", "µs"))


def _unit(seconds: float) -> tuple[float, str, str]:
    """The unit in which such a time is easiest to read: its seconds, its name, its sign."""
    return next((unit for unit in _UNITS if seconds >= 0.1 * unit[0]), _UNITS[-1])


def told_seconds(seconds: float) -> str:
    """A time as people write it, in three digits.

    Example:
        >>> from anyk.timeline import told_seconds
        >>> told_seconds(5.125), told_seconds(0.5), told_seconds(0.00406)
        ('5.12 s', '0.5 s', '4.06 ms')
    """
    size, _, sign = _unit(seconds)
    return f"{seconds / size:.3g} {sign}"


def require_matplotlib() -> None:
    """Say at once, rather than after a minute of work, that a picture can't be drawn.

    Raises:
        ImportError: without matplotlib.
    """
    if find_spec("matplotlib") is None:
        raise missing_extra("the picture is drawn with matplotlib", "demo")


def draw_timeline(
    rows: Sequence[Row], path: str | PathLike[str], *, title: str, caption: str
) -> None:
    """Write a picture of runs: a row a job, a panel a run, a bar a worker.

    Args:
        rows: the jobs.
        path: of the PNG.
        title: of the whole picture.
        caption: under it.

    Raises:
        ImportError: without matplotlib.
        OSError: if the file can't be written.
    """
    figure = timeline_figure(rows, title=title, caption=caption)
    figure.savefig(path, dpi=150, format="png")


def timeline_figure(rows: Sequence[Row], *, title: str, caption: str) -> Figure:
    """What `draw_timeline` writes, as a figure.

    Args:
        rows: the jobs.
        title: of the whole picture.
        caption: under it.

    Raises:
        ImportError: without matplotlib.
    """
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - an extra, imported where used
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    workers = max(len(panel.bars) for row in rows for panel in row.panels)
    longest = max(_last(panel) for row in rows for panel in row.panels)
    columns = max(len(row.panels) for row in rows)
    heights = [_row_height(row, workers) for row in rows]
    width = max(columns * _PANEL_WIDTH + 0.5, _LEAST_WIDTH)
    figure = Figure(figsize=(width, sum(heights) + 1.0), facecolor="white")
    FigureCanvasAgg(figure)
    total = figure.get_figheight()
    left = 0.45 / width
    figure.text(left, 1 - 0.3 / total, title, fontsize=15, weight="bold", color=_INK, va="center")
    figure.text(left, 0.12 / total, caption, fontsize=8.5, color=_QUIET, va="bottom")
    met = {bar.fate for row in rows for panel in row.panels for bar in panel.bars}
    _legend(figure, 1 - 0.62 / total, met)
    top = total - 0.8
    for row, height in zip(rows, heights, strict=True):
        _draw_row(figure, row, (top - height) / total, top / total, (workers, longest))
        top -= height
    return figure


def _last(panel: Panel) -> float:
    return max(panel.ready, *(bar.end or 0.0 for bar in panel.bars))


def _sights(row: Row) -> bool:
    return any(panel.sight is not None for panel in row.panels)


def _worker_height(workers: int) -> float:
    return min(_WORKER_HEIGHT, _MOST_HEIGHT / workers)


def _head(row: Row) -> float:
    """Inches above the bars of a row: its title, where it has one, and those of its panels."""
    return 0.75 if row.title else 0.5


def _row_height(row: Row, workers: int) -> float:
    bars = workers * _worker_height(workers)
    return _head(row) + bars + 0.7 + _SIGHT_HEIGHT * _sights(row)


def _legend(figure: Figure, y: float, met: Collection[Fate]) -> None:
    """One line that names the colours that are met, in their colours."""
    inch = 1.0 / figure.get_figwidth()
    x = 0.46 * inch
    for fate, colour in _COLOURS.items():
        if fate not in met:
            continue
        figure.text(x, y, "■", fontsize=12, color=colour, va="center")
        figure.text(x + 0.18 * inch, y, fate.value, fontsize=9, color=_INK, va="center")
        x += (0.46 + 0.082 * len(fate.value)) * inch
    figure.text(x, y, "|", fontsize=11, color=_INK, va="center", weight="bold")
    figure.text(x + 0.13 * inch, y, "the run is over", fontsize=9, color=_INK, va="center")


def _draw_row(figure: Figure, row: Row, bottom: float, top: float, size: tuple[int, float]) -> None:
    total = figure.get_figheight()
    inch = 1.0 / figure.get_figwidth()
    figure.text(0.45 * inch, top - 0.2 / total, row.title, fontsize=11, weight="bold", color=_INK)
    columns = len(row.panels)
    low = bottom + (0.55 + _SIGHT_HEIGHT * _sights(row)) / total
    high = top - _head(row) / total
    width = (1.0 - 0.65 * inch) / columns
    for column, panel in enumerate(row.panels):
        left = 0.6 * inch + column * width
        axes = figure.add_axes((left, low, width - 0.3 * inch, high - low))
        _draw_panel(axes, panel, *size, labelled=column == 0)
        if panel.sight is not None:
            box = (left, bottom + 0.22 / total, width - 0.3 * inch, 0.5 / total)
            _draw_sight(figure.add_axes(box), panel)


def _draw_panel(axes: Axes, panel: Panel, workers: int, longest: float, *, labelled: bool) -> None:
    colour = _GOOD if panel.good else _BAD
    step = math.ceil(_NAME_HEIGHT / _worker_height(workers))  # thin bars: not all are named
    for bar in panel.bars:
        _draw_bar(axes, bar, panel.ready, longest, noted=step == 1)
    axes.axvline(panel.ready, color=colour, linewidth=2)
    title = axes.set_title(panel.title, loc="left", fontsize=10, weight="bold", color=_INK, pad=20)
    _fit(title, axes)
    above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    verdict = axes.annotate(panel.verdict, (0, 1), xytext=(0, 6), fontsize=9, color=colour, **above)
    _fit(verdict, axes)
    axes.set_xlim(0, longest * 1.04)
    axes.set_ylim(workers - 0.4, -0.6)
    axes.set_yticks([bar.worker for bar in panel.bars][::step])
    axes.tick_params(length=0, labelsize=8, labelcolor=_QUIET)
    axes.set_axisbelow(True)
    axes.grid(axis="x", color=_FAINT, linewidth=0.8)
    axes.spines[:].set_visible(False)
    size, unit, _ = _unit(longest)
    axes.xaxis.set_major_formatter(lambda seconds, _: f"{seconds / size:g}")
    axes.set_xlabel(unit, loc="right", labelpad=1, **_TEXT)
    if labelled:
        axes.set_ylabel("worker", **_TEXT)


def _fit(text: Text, axes: Axes) -> None:
    """Smaller letters, where a text would run out of its panel."""
    room = axes.get_window_extent().width
    taken = text.get_window_extent().width
    if taken > room:
        text.set_fontsize(float(text.get_fontsize()) * room / taken)


def _draw_bar(axes: Axes, bar: Bar, ready: float, longest: float, *, noted: bool) -> None:
    colour = _COLOURS[bar.fate]
    end = ready if bar.end is None else bar.end
    axes.barh(bar.worker, end, height=_HEIGHT, color=colour, edgecolor=colour, linewidth=0.8)
    if bar.end is None and bar.fate is Fate.LATE:  # it goes on, and nobody waits for it
        axes.barh(
            bar.worker, longest * 1.04 - end, left=end, height=_HEIGHT, color=colour, alpha=0.22
        )
    if bar.fate is Fate.FAILED:
        axes.plot(end, bar.worker, marker="X", markersize=8, color=_COLOURS[bar.fate], zorder=3)
    if bar.note and noted:
        _draw_note(axes, bar, end, ready, longest)


def _draw_note(axes: Axes, bar: Bar, end: float, ready: float, longest: float) -> None:
    """Beside the bar; on it where it is long."""
    inside = end > 0.5 * longest
    close = end < ready < end + 0.2 * longest  # beside the bar, it would run into the line
    dark = inside and bar.fate is Fate.FAILED
    axes.annotate(
        bar.note,
        (ready if close and not inside else end, bar.worker),
        xytext=(-9 if inside else 7, -0.5),
        textcoords="offset points",
        ha="right" if inside else "left",
        va="center",
        fontsize=8,
        color="white" if dark else _INK,
        parse_math=False,  # a worker may have chosen the words
    )


def _draw_sight(axes: Axes, panel: Panel) -> None:
    sight = np.asarray(panel.sight)
    axes.imshow(sight, cmap="gray_r", aspect="equal", interpolation="nearest")
    axes.set_anchor("W")
    axes.set_axis_off()
    axes.set_title(panel.sight_title, loc="left", pad=3, **_TEXT)
