"""Fair timings: every side in one run, turn by turn, with medians, intervals and ratios."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count
from anyk.errors import InvalidArgument

__all__ = ["Interval", "compare", "interval", "share", "table", "wilson"]


@final
@dataclass(frozen=True, kw_only=True)
class Interval:
    """A median with its 95 % interval.

    Args:
        median: of the sample.
        low: lower end.
        high: upper end.

    Example:
        >>> from anyk.bench.measure import Interval
        >>> print(Interval(median=1.5, low=1.25, high=2.0))
        1.5 (1.25 to 2)
    """

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.3g} ({self.low:.3g} to {self.high:.3g})"


def interval(sample: Sequence[float] | NDArray[Any]) -> Interval:
    """The median of a sample and a 95 % interval for it, without assumptions on its distribution.

    Args:
        sample: numbers, at least one.

    Returns:
        The interval between the order statistics that hold the true median with a probability of
        at least 95 %; all of the sample where it has fewer than 6 numbers.

    Raises:
        InvalidArgument: if the sample is empty.

    References:
        Conover: Practical Nonparametric Statistics (3rd edition, 1999), section 3.2.

    Example:
        >>> from anyk.bench.measure import interval
        >>> print(interval([3.0, 1.0, 2.0]))
        2 (1 to 3)
    """
    ordered = np.sort(np.asarray(sample, dtype=float))
    size = len(ordered)
    if not size:
        raise InvalidArgument(
            "sample", given="nothing", needed="at least one number", change="Measure first."
        )
    below, mass = 0, 2.0**-size  # P(at most `below` of the sample lie under the median)
    term = mass
    while True:
        term = term * (size - below) / (below + 1)
        if mass + term > 0.025:  # noqa: PLR2004 - half of 5 %
            break
        mass += term
        below += 1
    return Interval(
        median=float(np.median(ordered)),
        low=float(ordered[below]),
        high=float(ordered[size - 1 - below]),
    )


def wilson(successes: float, trials: int, *, z: float = 1.96) -> tuple[float, float]:
    """The interval of a rate, Wilson's, of 95 % where z is 1.96 and the trials are independent.

    Args:
        successes: how many of the trials.
        trials: how many; of none, nothing is known.
        z: standard deviations of a normal distribution.

    Returns:
        Both ends, in [0, 1].

    References:
        Wilson: Probable inference, the law of succession, and statistical inference (JASA 1927).

    Example:
        >>> from anyk.bench.measure import wilson
        >>> [round(end, 3) for end in wilson(9, 10)]
        [0.596, 0.982]
    """
    if not trials:
        return 0.0, 1.0
    rate, square = successes / trials, z**2
    middle = (rate + square / (2 * trials)) / (1 + square / trials)
    spread = rate * (1 - rate) / trials + square / (4 * trials**2)
    reach = z * math.sqrt(spread) / (1 + square / trials)
    return max(middle - reach, 0.0), min(middle + reach, 1.0)


def share(successes: float, trials: int, *, digits: int = 1) -> str:
    """A rate in per cent, with its 95 % interval; "none" of no trials.

    Args:
        successes: how many of the trials.
        trials: how many.
        digits: after the point.

    Example:
        >>> from anyk.bench.measure import share
        >>> share(0, 1000)
        '0.0 % (0.0 to 0.4)'
    """
    if not trials:
        return "none"
    numbers = (successes / trials, *wilson(successes, trials))
    rate, low, high = (f"{100 * each:.{digits}f}" for each in numbers)
    return f"{rate} % ({low} to {high})"


def compare(sides: Mapping[str, Callable[[], object]], *, rounds: int) -> dict[str, NDArray[Any]]:
    """Time several sides turn by turn, so that the machine's moods hit all alike.

    Args:
        sides: what to call, by name; each is called once beforehand to warm up.
        rounds: how often to go around.

    Returns:
        Seconds by name, float64 ndarray (rounds,); ratios of two sides are best taken round by
        round.

    Example:
        >>> from anyk.bench.measure import compare
        >>> sorted(compare({"a": list, "b": dict}, rounds=3))
        ['a', 'b']
    """
    count("rounds", rounds, least=1)
    for call in sides.values():
        call()
    seconds = {name: np.empty(rounds) for name in sides}
    for turn in range(rounds):
        for name, call in sides.items():
            start = time.perf_counter()
            call()
            seconds[name][turn] = time.perf_counter() - start
    return seconds


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A plain table: first column to the left, the others to the right.

    Args:
        header: names of the columns.
        rows: one sequence a row, as long as the header.

    Returns:
        Text of several lines.

    Example:
        >>> from anyk.bench.measure import table
        >>> print(table(["side", "seconds"], [["ours", 1], ["theirs", 22]]))
        side    seconds
        ------  -------
        ours          1
        theirs       22
    """
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    ruled = [cells[0], ["-" * width for width in widths], *cells[1:]]
    lines = (
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in ruled
    )
    return "\n".join(line.rstrip() for line in lines)
