"""Pictures of experiments: one style, one palette, written as PNG."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, final

from anyk.wording import missing_extra

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "BACC",
    "CURVE",
    "FAINT",
    "INK",
    "LETCC",
    "OURS",
    "QUIET",
    "SPARE",
    "Picture",
    "draw",
    "require_matplotlib",
    "tidy",
]

# Okabe and Ito's palette: told apart by those who do not see red or green.
INK, QUIET, FAINT = "#222222", "#6b6b6b", "#e4e4e4"
OURS, LETCC, BACC, CURVE, SPARE = "#00664b", "#e69f00", "#cc5490", "#56b4e9", "#9aa2a9"

_MARGIN = 0.035  # of the width


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """What an experiment draws.

    Args:
        title: of the whole picture.
        caption: a line or two under it.
        size: width and height in inches.
        paint: draws on an empty figure, between 8 % of its height and 86 %.
    """

    title: str
    caption: str
    size: tuple[float, float]
    paint: Callable[[Figure], None]


def draw(picture: Picture, path: Path) -> None:
    """Write a picture.

    Args:
        picture: what to draw.
        path: of the PNG.

    Raises:
        ImportError: without matplotlib.
        OSError: if the file can't be written.
    """
    require_matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 - an extra, imported where used
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    figure = Figure(figsize=picture.size, facecolor="white")
    FigureCanvasAgg(figure)
    height = picture.size[1]
    figure.text(
        _MARGIN, 1 - 0.3 / height, picture.title, fontsize=15, weight="bold", color=INK, va="center"
    )
    figure.text(_MARGIN, 0.12 / height, picture.caption, fontsize=8.5, color=QUIET, va="bottom")
    picture.paint(figure)
    figure.savefig(path, dpi=150, format="png")


def require_matplotlib() -> None:
    """Say at once, rather than after minutes of work, that a picture can't be drawn.

    Raises:
        ImportError: without matplotlib.
    """
    if find_spec("matplotlib") is None:
        raise missing_extra("the picture is drawn with matplotlib", "reproduce")


def tidy(axes: Axes, title: str, *, x: str, y: str) -> None:
    """Give axes the house's look.

    Args:
        axes: to change.
        title: above them.
        x: name of the axis below.
        y: name of the axis to the left.
    """
    axes.set_title(title, loc="left", fontsize=10, weight="bold", color=INK)
    axes.set_xlabel(x, loc="right", fontsize=8, color=QUIET)
    axes.set_ylabel(y, loc="top", fontsize=8, color=QUIET)
    axes.tick_params(which="both", length=0, labelsize=8, labelcolor=QUIET)
    axes.set_axisbelow(True)
    axes.grid(color=FAINT, linewidth=0.8)
    axes.spines[:].set_visible(False)
