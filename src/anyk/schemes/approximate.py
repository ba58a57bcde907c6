"""What the approximate schemes over the reals share: stragglers, sizes and error estimates."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from anyk.errors import NotEnoughAnswers, Unachievable
from anyk.spec import Guarantee, count

__all__ = ["approximate_guarantee", "check_answers", "check_threat", "relative_error"]


def least_answers(blocks: int) -> int:
    """How many answers any value needs: one for a constant, two for anything else."""
    return min(blocks, 2)


def default_stragglers(blocks: int, workers: int) -> int:
    """Half of the redundancy, (N - K) // 2: the other half is spent on accuracy."""
    return max(0, (workers - blocks) // 2)


def check_threat(blocks: int, workers: int, stragglers: int | None) -> None:
    """Check the three numbers of a scheme that approximates.

    Args:
        blocks: K.
        workers: N.
        stragglers: S, or None for the default.

    Raises:
        InvalidArgument: if a number is out of range.
        Unachievable: if too few answers would be left.
    """
    count("blocks", blocks, least=1)
    count("workers", workers, least=1)
    if stragglers is not None:
        count("stragglers", stragglers, least=0)
    late = default_stragglers(blocks, workers) if stragglers is None else stragglers
    if workers - late < least_answers(blocks):
        raise Unachievable(
            "workers" if stragglers is None else "stragglers",
            given=f"workers={workers}, stragglers={late}",
            needed=f"N - S >= min(K, 2), that is {workers} - {late} >= {least_answers(blocks)}",
            change="Add workers, or lower stragglers.",
        )


def approximate_guarantee(blocks: int, workers: int, stragglers: int | None) -> Guarantee:
    """The promise: a value with an error estimate from any N - S answers, each one block large."""
    late = default_stragglers(blocks, workers) if stragglers is None else stragglers
    return Guarantee(
        workers=workers,
        threshold=workers - late,
        stragglers=late,
        adversaries=0,
        colluders=0,
        exact=False,
        leakage=None,
        load=1.0,
    )


def check_answers(blocks: int, workers: int, answered: tuple[int, ...]) -> None:
    """Raise NotEnoughAnswers if no value can be made of these answers."""
    needed = least_answers(blocks)
    if len(answered) < needed:
        raise NotEnoughAnswers(
            answered=answered,
            missing=set(range(workers)) - set(answered),
            needed=f"at least {needed} answers, and more for accuracy",
        )


def relative_error(absolute: float, value: NDArray[np.float64]) -> float:
    """An absolute error as a share of the root mean square of the value.

    Args:
        absolute: root mean square error.
        value: ndarray of any shape.

    Returns:
        The quotient; at least the rounding of one number, and infinite where the value is 0 and
        the error is not.
    """
    least = float(np.finfo(np.float64).eps)
    largest = float(np.abs(value).max(initial=0.0))
    if largest == 0.0:
        return math.inf if absolute > 0.0 else least
    size = largest * float(np.sqrt(np.mean((value / largest) ** 2)))
    return max(absolute / size, least)
