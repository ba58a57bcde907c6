"""Columns that are off by more than most, and whether honest rounding explains it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["explained", "outliers"]

_FEWEST = 50  # columns, that tell by how much most of them are off
_TIMES = 4.0  # the median: of columns that are off alike, none is by more, but for 1e-13
_ROUNDINGS = 4.0  # by which any column may be off
_AGAIN = 4  # columns that are multiplied again, those most off
_ROWS = 16  # of which the additions are followed one by one
_SLACK = 8.0  # of the worst order that was followed, to all others
_LANES = 8, 32  # running sums side by side, as vector units and threads keep


def outliers(
    found: NDArray[np.float64], sizes: NDArray[np.float64], unit: float
) -> NDArray[np.intp]:
    """The few columns whose residuals are larger than those of most, beyond luck.

    Args:
        found: norms of residuals.
        sizes: of the columns.
        unit: the roundoff of the answer.

    Returns:
        Their places, at most 4, the largest first; none where there are fewer than 50 columns.
    """
    some = np.flatnonzero(sizes > 0.0)
    if some.size < _FEWEST:
        return some[:0]
    with np.errstate(over="ignore"):  # of subnormal sizes; infinite levels stand out all the same
        level = found[some] / sizes[some]
    usual = max(_TIMES * float(np.median(level)), _ROUNDINGS * unit)
    order = some[np.argsort(-level)[:_AGAIN]]
    return order[found[order] > usual * sizes[order]]


def explained(
    left: Any, columns: NDArray[Any], answers: NDArray[Any], unit: float, dtype: Any
) -> bool:
    """Whether columns may be off by as much as they are by honest rounding of these very numbers.

    The products are computed again, and the sums of 16 rows in the precision of the answer, one
    addition after the other: forwards, backwards, and in 8 and 32 running sums side by side. What
    is off by more than 8 times the worst of them is explained by no order of additions that hosts
    use.

    Args:
        left: A~, ndarray (rows, inner), or a csr_array.
        columns: of B~, ndarray (inner, few).
        answers: the columns of the answer, ndarray (rows, few).
        unit: the roundoff of the answer.
        dtype: in which it may have been computed.

    Example:
        >>> from anyk.codes.checks.outliers import explained
        >>> left, column = np.full((2, 1000), 0.1), np.ones((1000, 1))
        >>> one_by_one = np.cumsum(left, axis=1)[:, -1:]
        >>> explained(left, column, one_by_one, 2.0**-53, np.float64)
        True
        >>> explained(left, column, one_by_one + 1e-10, 2.0**-53, np.float64)
        False
    """
    exact, whole = left @ columns, abs(left) @ np.abs(columns)
    off, usual = (np.linalg.norm(each, axis=0) for each in (answers - exact, whole))
    scale = math.sqrt(max(1.0, left.shape[0] / _ROWS))
    for at, column in enumerate(columns.T):
        rows = np.argsort(-whole[:, at])[:_ROWS]
        some = left[rows] if isinstance(left, np.ndarray) else left[rows].toarray()
        worst = max(_off(exact[rows, at], some, column, dtype))
        # where single precision can't hold what is between, the bound alone decides
        if np.isfinite(worst) and off[at] > _SLACK * (
            worst * scale + _ROUNDINGS * unit * usual[at]
        ):
            return False
    return True


def _off(exact: NDArray[Any], left: NDArray[Any], column: NDArray[Any], dtype: Any) -> list[float]:
    """How far sums in several orders are off."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        terms = left.astype(dtype) * column.astype(dtype)
        sums = [np.cumsum(terms, axis=1)[:, -1], np.cumsum(terms[:, ::-1], axis=1)[:, -1]]
        for lanes in _LANES:
            depth = terms.shape[1] // lanes
            kept = terms[:, : depth * lanes].reshape(len(terms), depth, lanes)
            rest = terms[:, depth * lanes :].sum(axis=1)
            sums.append(kept.cumsum(axis=1)[:, -1].sum(axis=1) + rest if depth else rest)
        return [float(np.linalg.norm(each - exact)) for each in sums]
