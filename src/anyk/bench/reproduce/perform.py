"""An experiment from its first line to its last: measure, print, draw."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from anyk.bench.measure import table
from anyk.bench.reproduce.experiment import Experiment, Report, Setting
from anyk.bench.reproduce.picture import draw, require_matplotlib

__all__ = ["perform", "picture_path"]


def perform(
    experiment: Experiment, setting: Setting, output: Path, *, write: Callable[[str], None]
) -> bool:
    """Run an experiment, print its report and draw its picture.

    Args:
        experiment: which.
        setting: how large, and with which seed.
        output: where to write the picture.
        write: prints text.

    Returns:
        Whether every claim holds; a tiny run judges none.

    Raises:
        ImportError: without what the extra `reproduce` brings.
        OSError: if data or models can't be read, or the picture not be written.
    """
    require_matplotlib()
    write(f"{experiment.name}: {experiment.summary}\n{experiment.source}\n")
    report = experiment.measure(setting)
    for each in report.tables:
        write(f"{each.title}\n\n{table(each.header, each.rows)}\n")
    for note in report.notes:
        write(note)
    draw(report.picture, output)
    write(f"\nThe picture of it: {output}")
    return _judge(report, setting, write)


def picture_path(experiment: Experiment, output: Path | None) -> Path:
    """Where the picture goes.

    Args:
        experiment: whose.
        output: a file, or a directory that exists; None for the current one.

    Returns:
        Path of the PNG.

    Raises:
        OSError: if nothing can be written there.

    Example:
        >>> from anyk.bench.reproduce.catalogue import find
        >>> picture_path(find("letcc-convergence"), None)
        PosixPath('anyk-letcc-convergence.png')
    """
    place = Path() if output is None else output
    path = place / f"anyk-{experiment.name}.png" if place.is_dir() else place
    if path.is_dir() or not path.parent.is_dir():
        raise OSError(f"can't write a picture to {path}; pass another --output")
    return path


def _judge(report: Report, setting: Setting, write: Callable[[str], None]) -> bool:
    if setting.tiny:
        write("A tiny run gives no verdict.")
        return True
    for claim in report.claims:
        write(str(claim))
    return all(claim.holds for claim in report.claims)
