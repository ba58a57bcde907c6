"""How many threads share a product, and how its columns are shared out."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import pairwise

__all__ = ["allowed", "share_out"]

_MOST = 4
_LIMITS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def allowed() -> int:
    """As many as there are cores and the environment allows BLAS, at most four."""
    limits = [int(os.environ[name]) for name in _LIMITS if os.environ.get(name, "").isdigit()]
    return max(1, min(_MOST, os.cpu_count() or 1, *limits))


def share_out(write: Callable[[tuple[int, int]], None], columns: int, threads: int) -> None:
    """Have each of so many threads write a span of columns.

    Args:
        write: from the first of some columns to that behind the last.
        columns: how many in all.
        threads: how many threads.
    """
    if threads == 1:
        write((0, columns))
        return
    from concurrent.futures import ThreadPoolExecutor  # noqa: PLC0415 - large arrays alone

    edges = [columns * part // threads for part in range(threads + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(write, pairwise(edges)))
