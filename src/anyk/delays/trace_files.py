"""Delays in CSV files: a column a worker, or a line for each answer; in seconds."""

from __future__ import annotations

import csv
import gzip
import math
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, final

import numpy as np

from anyk.delays.traces import Recorded
from anyk.errors import InvalidArgument

__all__ = ["read_trace", "write_trace"]

_GZIP = b"\x1f\x8b"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_LONG = ("round", "worker", "seconds")
_TIMES = ("time", "date", "stamp", "epoch")
_OTHER_UNITS = ("ms", "msec", "milli", "us", "usec", "micro", "ns", "nano", "minutes")
_CALENDAR = 1e8  # seconds, some three years: nobody waited as long, but clocks show such numbers
_WHO = {"worker", "worker_id"}  # columns of a file with a line for each answer
_FEWEST = 3  # columns whose numbers 0, 1, 2 .. are rather their names
_COUNTS = {
    "call", "id", "index", "iter", "iteration", "round", "row", "run", "step", "trial",
    "unnamed: 0",
}  # fmt: skip


def read_trace(path: str | Path) -> Recorded:
    """Delays from a CSV file, in seconds: one row a round, one column a worker.

    A first row of names is a header. Where it names ``round``, ``worker`` and ``seconds``, the
    file has a line for each answer instead; a worker without a line in a round never answered. So
    does ``inf``. An index as pandas writes it, lines that begin with ``#`` and a byte order mark
    are passed over; the file may be UTF-8 or UTF-16, and compressed by gzip.

    Args:
        path: of the file.

    Raises:
        InvalidArgument: if it is no such table, or a column looks like an index, a time of day or
            another unit; it says which.
        OSError: if it can't be read.

    Example:
        >>> import tempfile
        >>> from anyk.delays import read_trace, write_trace
        >>> with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        ...     write_trace(file.name, [[0.5, np.inf], [0.25, 1.5]])
        ...     read_trace(file.name)
        <Recorded: 2 rounds of 2 workers>
    """
    lines = [
        line for line in enumerate(_text(path).splitlines(), start=1)
        if line[1].strip() and not line[1].lstrip().startswith("#")
    ]  # fmt: skip
    try:
        rows = list(csv.reader((line for _, line in lines), skipinitialspace=True))
    except csv.Error as error:
        rows, why = [], f"a cell that can't be read ({error})"
    else:
        why = "quotes that do not end in their line"
    table = _Table(path, [number for number, _ in lines], rows, why)
    return Recorded(np.array(table.long() if table.is_long else table.wide()))


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
    names = ",".join(f"worker {worker}" for worker in range(table.shape[1]))
    text = "".join(",".join(f"{cell:.9g}" for cell in row) + "\n" for row in table)
    Path(path).write_text(f"{names}\n{text}", encoding="utf-8")


def _text(path: str | Path) -> str:
    """What is written in a file."""
    data = Path(path).read_bytes()
    try:
        data = gzip.decompress(data) if data.startswith(_GZIP) else data
        return data.decode("utf-16" if data.startswith(_UTF16) else "utf-8-sig")
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InvalidArgument(
            "path",
            given=f"{path}, which is no text ({type(error).__name__})",
            needed="a CSV file in UTF-8 or UTF-16, plain or compressed by gzip",
            change="Save it as CSV.",
        ) from error


@final
class _Table:
    """The cells of a file.

    Args:
        path: of the file, for errors.
        lines: the number of each row's line.
        rows: the cells.
        why: what is wrong where these are not as many.
    """

    def __init__(
        self, path: str | Path, lines: Sequence[int], rows: Sequence[list[str]], why: str
    ) -> None:
        self._path = path
        if len(rows) != len(lines):
            self._refuse(why, "")
        cells = [[cell.strip() for cell in row] for row in rows]
        header = bool(cells) and _is_header(cells[0])
        self._names = cells[0] if header else []
        self._rows = list(zip(lines, cells, strict=True))[header:]
        if not self._rows:
            self._refuse("no numbers", "")
        for line, row in self._rows[:1]:
            if any(_value(part) is not None for cell in row for part in _parts(cell)):
                self._refuse("cells that are not separated by commas", f" in line {line}")
        width = len(self._names or self._rows[0][1])
        for line, row in self._rows:
            if len(row) != width:
                self._refuse(f"{len(row)} cells instead of {width}", f" in line {line}")

    @property
    def is_long(self) -> bool:
        """Whether it has a line for each answer."""
        return set(_LONG) <= {name.lower() for name in self._names}

    def wide(self) -> list[list[float]]:
        """Seconds by round and worker."""
        first = 0
        if self._names and not self._names[0]:  # as pandas writes an index
            self._check_index()
            first = 1
        names = [name.lower() for name in self._names[first:]]
        if len(names) > 1 and _WHO.intersection(names):
            self._refuse(
                "a line for each answer, it seems, without a column named "
                + " or ".join(name for name in _LONG if name not in names),
                "",
                change="Name the columns so, and give each worker one line a round.",
            )
        for column in range(first, len(self._rows[0][1])):
            self._check_column(column)
        numbers = [
            [self._number(line, row, column) for column in range(first, len(row))]
            for line, row in self._rows
        ]
        if not self._names:
            self._check_counting(numbers)
        if not numbers[0]:
            self._refuse("an index alone", "")
        return numbers

    def long(self) -> list[list[float]]:
        """The same, from a line for each answer."""
        names = [name.lower() for name in self._names]
        places = [names.index(name) for name in _LONG]
        self._check_column(places[2])
        seconds: dict[tuple[str, str], float] = {}
        for line, row in self._rows:
            key = row[places[0]], row[places[1]]
            if key in seconds:
                self._refuse(f"worker {key[1]} twice in round {key[0]}", f" in line {line}")
            seconds[key] = self._number(line, row, places[2])
        rounds = dict.fromkeys(key[0] for key in seconds)
        workers = dict.fromkeys(key[1] for key in seconds)
        return [[seconds.get((each, who), math.inf) for who in workers] for each in rounds]

    def _number(self, line: int, row: Sequence[str], column: int) -> float:
        """The seconds in a cell."""
        seconds = _value(row[column])
        if seconds is None or math.isnan(seconds) or seconds < 0:
            told = f'"{row[column][:40]}"' if row[column] else "nothing"
            self._refuse(f"{told} in {self._named(column)}", f" in line {line}")
        return seconds

    def _named(self, column: int) -> str:
        """A column, in words."""
        return f'column "{self._names[column]}"' if self._names else f"column {column + 1}"

    def _check_index(self) -> None:
        """Refuse a first column without a name that is not 0, 1, 2 .."""
        if [row[0] for _, row in self._rows] != [str(place) for place in range(len(self._rows))]:
            self._refuse(
                "a first column without a name", "", change="Name it, or leave it out: index=False."
            )

    def _check_column(self, column: int) -> None:
        """Refuse a column whose name or numbers are not seconds that somebody took."""
        name = self._names[column].lower() if self._names else ""
        words = name.replace("_", " ").replace("-", " ").replace("(", " ").replace(")", " ").split()
        values = [_value(row[column]) for _, row in self._rows]
        calendar = all(value is not None and _CALENDAR <= value < math.inf for value in values)
        cells = [row[column] for _, row in self._rows]
        whole = len(cells) >= _FEWEST and cells == [str(n) for n in range(len(cells))]
        counted = name in _COUNTS and all(cell.isdecimal() for cell in cells)
        told = ""
        if calendar or any(word.startswith(_TIMES) or word.endswith("stamp") for word in words):
            told = "times of a clock"
        elif words and words[-1] in _OTHER_UNITS:
            told = "another unit than seconds"
        elif counted or (whole and not name):
            told = "a count of the rounds"
        if told:
            self._refuse(
                f"{told}, it seems, in {self._named(column)}", "",
                change="Leave that column out, or turn it into the seconds that a worker took.",
            )  # fmt: skip

    def _check_counting(self, numbers: Sequence[Sequence[float]]) -> None:
        """Refuse a first row 0, 1, 2 .. that may be the names that pandas gives to columns."""
        first = list(map(float, range(len(numbers[0]))))
        if len(first) >= _FEWEST and list(numbers[0]) == first:
            self._refuse(
                "the names 0, 1, 2 .. of columns, it seems", f" in line {self._rows[0][0]}",
                change="Name the workers in a header, or leave that row out.",
            )  # fmt: skip

    def _refuse(self, given: str, where: str, change: str = "") -> NoReturn:
        raise InvalidArgument(
            "path",
            given=f"{given}{where} of {self._path}",
            needed="one row a round, one column a worker, in seconds; or a header that names the "
            "columns round, worker and seconds",
            change=change
            or "Separate numbers by commas, with decimal points; write inf for a worker that "
            "never answered.",
        )


def _value(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _parts(cell: str) -> list[str]:
    """What a cell holds where something else than commas separates cells."""
    for separator in (";", "\t", None):
        parts = cell.split(separator)
        if len(parts) > 1:
            return parts
    return []


def _is_header(row: Sequence[str]) -> bool:
    """Whether a first row has the names of columns: no numbers, but for those of pandas."""
    named = [cell for cell in row if cell]
    if not named:
        return False
    if not row[0] and named == [str(place) for place in range(len(named))]:
        return True
    return all(_value(cell) is None for cell in named)
