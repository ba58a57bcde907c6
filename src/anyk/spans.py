"""Large arrays a few columns at a time, so that what is made on the way takes little memory."""

from __future__ import annotations

from collections.abc import Iterator

__all__ = ["column_spans"]

_NUMBERS = 1 << 17  # of one span: they stay in cache, and a span is still work enough


def column_spans(columns: int, rows: int) -> Iterator[slice]:
    """Spans of columns, one after the other, of about 10^5 numbers each.

    Args:
        columns: how many there are.
        rows: how many numbers a column has.

    Example:
        >>> from anyk.spans import column_spans
        >>> list(column_spans(3, rows=4)), len(list(column_spans(10**6, rows=4)))
        ([slice(0, 3, None)], 31)
    """
    step = max(1, _NUMBERS // max(1, rows))
    for start in range(0, columns, step):
        yield slice(start, min(start + step, columns))
