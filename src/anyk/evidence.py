"""What is known of each block of a value, in words and as a picture."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

__all__ = ["error_in_words", "evidence_in_short", "evidence_in_words", "evidence_picture"]

_MOST_CELLS = 512
_KNOWN, _ESTIMATED, _UNKNOWN = "#56b4e9", "#e69f00", "#a83c00"  # Okabe and Ito's blue and orange
_BAD = 1.0  # times the size of the value: as good as not known


def evidence_in_short(known: NDArray[np.bool_]) -> str:
    """How many blocks are as computed, in a few words.

    Args:
        known: bool ndarray (K,).

    Example:
        >>> from anyk.evidence import evidence_in_short
        >>> evidence_in_short(np.array([True, False, True]))
        '2 of 3 blocks as computed'
    """
    sure = int(known.sum())
    return f"{'all' if sure == known.size else f'{sure} of'} {known.size} blocks as computed"


def evidence_in_words(known: NDArray[np.bool_], errors: NDArray[np.float64]) -> str:
    """How many blocks are as computed, how many are estimated, and the worst of these.

    Args:
        known: bool ndarray (K,).
        errors: estimated errors by the size of the whole value, ndarray (K,).

    Example:
        >>> from anyk.evidence import evidence_in_words
        >>> evidence_in_words(np.array([True, False, False]), np.array([0.0, 0.5, 0.125]))
        "1 of 3 as computed, 2 estimated; the worst is block 1, about 0.5 of the value's size off"
    """
    sure = int(known.sum())
    if sure == known.size:
        return f"all {sure} as computed"
    worst = int(np.argmax(errors))
    off = (
        f"about {errors[worst]:.2g} of the value's size off"
        if math.isfinite(errors[worst])
        else "of whose error there is no evidence"
    )
    return (
        f"{sure or 'none'} of {known.size} as computed, {known.size - sure} estimated; "
        f"the worst is block {worst}, {off}"
    )


def error_in_words(estimate: float) -> str:
    """An estimated relative error, in words.

    Args:
        estimate: the root mean square error by the size of the value; infinite without evidence.

    Example:
        >>> from anyk.evidence import error_in_words
        >>> error_in_words(0.125), error_in_words(np.inf)
        ("about 0.12 of the value's size", 'may be of any size: there is no evidence')
    """
    if math.isfinite(estimate):
        return f"about {estimate:.2g} of the value's size"
    return "may be of any size: there is no evidence"


def evidence_picture(known: NDArray[np.bool_], errors: NDArray[np.float64]) -> str:
    """A cell for each block, as HTML: blue where known, orange to red by the estimated error.

    Args:
        known: bool ndarray (K,).
        errors: estimated errors by the size of the whole value, ndarray (K,).

    Returns:
        HTML without anything from a worker in it; "" for more than 512 blocks.

    Example:
        >>> from anyk.evidence import evidence_picture
        >>> evidence_picture(np.array([True]), np.zeros(1)).count("<span")
        1
    """
    if known.size > _MOST_CELLS:
        return ""
    cells = []
    for block, (sure, error) in enumerate(zip(known.tolist(), errors.tolist(), strict=True)):
        colour = _KNOWN if sure else _ESTIMATED if error < _BAD else _UNKNOWN
        told = "as computed" if sure else f"estimated, off by about {error:.2g}"
        shape = "display:inline-block;width:0.8em;height:0.8em;margin:1px"
        cells.append(
            f'<span style="{shape};background:{colour}" title="block {block}: {told}"></span>'
        )
    legend = "<small>one cell a block: blue known, orange estimated, red not known</small>"
    return f'<div style="line-height:1">{"".join(cells)} {legend}</div>'
