"""Values of blocks, put together again row by row."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from anyk.errors import InvalidArgument

__all__ = ["joined"]


def joined(values: Sequence[Any], rows: Sequence[int]) -> Any:
    """One value for all rows, from one for each block; what stands for rows of padding is cut off.

    Args:
        values: of each block, something with a row for each of its rows, or of the longest block.
        rows: how many each block has.

    Returns:
        Lists and tuples one after the other; frames, tensors and sparse matrices as their package
        concatenates them; else an ndarray.

    Raises:
        InvalidArgument: if a value has another number of rows.

    Example:
        >>> from anyk.cutting.joining import joined
        >>> joined(np.array([[1, 2], [3, 0]]), [2, 1])
        array([1, 2, 3])
    """
    most = max(rows)
    cut = []
    for at, (value, number) in enumerate(zip(values, rows, strict=True)):
        there = _rows_of(value)
        if there not in {number, most}:
            told = "no rows" if there is None else f"{there} rows"
            raise InvalidArgument(
                "values",
                given=f"for block {at}, a {type(value).__name__} with {told}",
                needed=f"a value for each of its {number} rows",
                change="Let the function return one for each row; put others together yourself, "
                "as in sum(values).",
            )
        cut.append(value if there == number else value[:number])
    return _together(cut[0])(cut)


def _rows_of(value: Any) -> int | None:
    shape = getattr(value, "shape", None)
    if isinstance(shape, tuple):
        return int(shape[0]) if shape else None
    return len(value) if isinstance(value, (list, tuple)) else None


def _together(first: Any) -> Callable[[list[Any]], Any]:
    """What concatenates values of one kind; their package is loaded, as there is one of them."""
    package = type(first).__module__.partition(".")[0]
    if isinstance(first, (list, tuple)):
        kind = list if isinstance(first, list) else tuple
        return lambda values: kind(each for value in values for each in value)
    if package == "torch":
        return sys.modules["torch"].cat  # type: ignore[no-any-return]
    if package == "pandas" and hasattr(first, "iloc"):
        return sys.modules["pandas"].concat  # type: ignore[no-any-return]
    if package == "scipy":
        return sys.modules["scipy.sparse"].vstack  # type: ignore[no-any-return]
    return np.ma.concatenate if isinstance(first, np.ma.MaskedArray) else np.concatenate
