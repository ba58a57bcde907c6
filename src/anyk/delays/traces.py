"""Delays that were measured: a CSV file, one row a round, one column a worker, in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.delays.models import AbstractDelays, drawn
from anyk.errors import InvalidArgument

__all__ = ["Recorded", "read_trace", "write_trace"]


@final
@dataclass(frozen=True, eq=False)
class Recorded(AbstractDelays):
    """Rounds that were measured, drawn at random: whole rounds, of some of the workers.

    A round is kept together, since workers are late together. Where fewer workers are asked for
    than were measured, some of the columns are drawn, anew for each task.

    Args:
        seconds: ndarray (rounds, workers); infinite where a worker never answered.

    Raises:
        InvalidArgument: if it is not such an array.

    Example:
        >>> from anyk.delays import Recorded
        >>> Recorded([[1.0, 1.0, 9.0]]).sample(np.random.default_rng(0), workers=3).max()
        np.float64(9.0)
    """

    seconds: NDArray[np.float64]

    def __post_init__(self) -> None:
        try:
            array = np.array(self.seconds, dtype=np.float64)
        except (TypeError, ValueError, OverflowError):
            array = np.zeros(0)
        if array.ndim != 2 or not array.size or not (array >= 0.0).all():  # noqa: PLR2004 - rounds and workers
            raise InvalidArgument(
                "seconds",
                given=f"shape {array.shape}" if array.size else "no table of numbers",
                needed="rounds x workers of seconds, 0 or more",
                change="Pass one row a round, one column a worker.",
            )
        array.flags.writeable = False
        object.__setattr__(self, "seconds", array)

    def sample(self, generator: np.random.Generator, workers: int) -> NDArray[np.float64]:
        """One of the rounds; see `AbstractDelays.sample`."""
        workers, (rounds, measured) = drawn(generator, workers), self.seconds.shape
        if workers > measured:
            raise InvalidArgument(
                "seconds",
                given=f"delays of {measured} workers",
                needed=f"at least {workers}",
                change="Measure more workers, or use fewer.",
            )
        columns = generator.permutation(measured)[:workers]
        chosen: NDArray[np.float64] = self.seconds[generator.integers(rounds), columns]
        return chosen

    def __repr__(self) -> str:
        rounds, workers = self.seconds.shape
        return f"<Recorded: {rounds} rounds of {workers} workers>"


def read_trace(path: str | Path) -> Recorded:
    """Delays from a CSV file: one row a round, one column a worker, in seconds.

    A first row that is not of numbers is a header; ``inf`` is a worker that never answered.

    Args:
        path: of the file.

    Raises:
        InvalidArgument: if it is no such table.
        OSError: if it can't be read.

    Example:
        >>> import tempfile
        >>> from anyk.delays import read_trace, write_trace
        >>> with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        ...     write_trace(file.name, [[0.5, np.inf], [0.25, 1.5]])
        ...     read_trace(file.name)
        <Recorded: 2 rounds of 2 workers>
    """
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    rows: list[list[float]] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            rows.append([float(cell) for cell in line.split(",")])
        except ValueError:
            if rows or number > 1:
                raise _broken(path, number, "a cell that is no number") from None
            continue
        if len(rows[-1]) != len(rows[0]):
            raise _broken(path, number, f"{len(rows[-1])} cells instead of {len(rows[0])}")
    if not rows:
        raise _broken(path, len(lines), "no numbers")
    return Recorded(np.array(rows))


def write_trace(path: str | Path, seconds: Any) -> None:
    """Write delays so that `read_trace` reads them.

    Args:
        path: of the CSV file.
        seconds: array-like (rounds, workers).

    Raises:
        InvalidArgument: if it is no such array.
        OSError: if it can't be written.
    """
    table = Recorded(seconds).seconds
    text = "".join(",".join(f"{cell:.9g}" for cell in row) + "\n" for row in table)
    Path(path).write_text(text, encoding="utf-8")


def _broken(path: str | Path, line: int, given: str) -> InvalidArgument:
    return InvalidArgument(
        "path",
        given=f"{given} in line {line} of {path}",
        needed="one row a round, one column a worker, in seconds",
        change="Separate numbers by commas; write inf for a worker that never answered.",
    )
