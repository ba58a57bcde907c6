"""What the approximate schemes over the reals share: checks, stragglers, sizes, estimates."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.checks import positive, real, shown
from anyk.errors import InvalidArgument, Unachievable
from anyk.schemes.base import AbstractScheme, missing_answers
from anyk.schemes.smaller import or_lower
from anyk.spec import Guarantee
from anyk.wording import numbered

__all__ = [
    "MOST_NUMBERS",
    "approximate_guarantee",
    "as_computed",
    "check_answers",
    "check_bound",
    "check_smoothing",
    "check_threat",
    "largest",
    "least_answers",
    "no_numbers",
    "relative_error",
    "stragglers_of",
    "with_evidence",
]

MOST_NUMBERS = 1 << 18
"""Of a sketch by which an error is estimated: enough, at less cost than the value."""

_ROUNDING = float(np.finfo(np.float64).eps)


def least_answers(blocks: int, adversaries: int = 0) -> int:
    """How many answers any value needs: one for a constant, two for a line, and two a liar."""
    return min(blocks, 2) + 2 * adversaries


def stragglers_of(blocks: int, workers: int, stragglers: int | None) -> int:
    """S; where it is None half of the redundancy, as the other half is spent on accuracy."""
    return max(0, (workers - blocks) // 2) if stragglers is None else stragglers


def check_threat(blocks: int, workers: int, stragglers: int | None, adversaries: int = 0) -> None:
    """Check that a scheme that approximates keeps enough answers.

    Args:
        blocks: K.
        workers: N.
        stragglers: S, or None for the default.
        adversaries: A; even where all true answers lie on a straight line, A liars can't be told
            from the rest of fewer than 2A + min(K, 2) answers.

    Raises:
        Unachievable: if too few answers would be left.
    """
    late = stragglers_of(blocks, workers, stragglers)
    least = least_answers(blocks, adversaries)
    if workers - late < least:
        liars = f", adversaries={adversaries}" if adversaries else ""
        given: dict[str, Any] = {
            "blocks": blocks,
            "stragglers": stragglers,
            "adversaries": adversaries,
        }
        fewest = {"blocks": 1, "stragglers": 0, "adversaries": 0}
        names = [
            name
            for name, few in fewest.items()
            if (given[name] or 0) > few and _fits(workers, **{**given, name: few})
        ]
        bound = "2A + min(K, 2)" if adversaries else "min(K, 2)"
        raise Unachievable(
            "workers" if stragglers is None else "stragglers",
            given=f"workers={workers}, stragglers={late}{liars}",
            needed=f"N - S >= {bound}, that is {workers} - {late} >= {least}",
            change=f"{add_workers(blocks, workers, stragglers, least)}{or_lower(names)}.",
        )


def _fits(workers: int, *, blocks: int, stragglers: int | None, adversaries: int) -> bool:
    """Whether enough answers are left."""
    late = stragglers_of(blocks, workers, stragglers)
    return workers - late >= least_answers(blocks, adversaries)


def add_workers(blocks: int, workers: int, stragglers: int | None, least: int) -> str:
    """How many workers to add, so that enough answers are left.

    Args:
        blocks: K.
        workers: N, too few.
        stragglers: S, or None for the default.
        least: how many answers are needed.

    Example:
        >>> from anyk.schemes.approximate.common import add_workers
        >>> add_workers(4, 6, 3, least=4), add_workers(4, 6, None, least=10)
        ('Add 1 worker', 'Add 9 workers')
    """
    if stragglers is not None:
        enough = least + stragglers
    else:
        enough = least if least <= blocks else 2 * least - blocks - 1
    return f"Add {numbered(enough - workers, 'worker')}"


def check_bound(bound: object, adversaries: int) -> None:
    """Check the largest absolute value of an honest answer's numbers.

    Args:
        bound: a positive number, or None where none is known.
        adversaries: A.

    Raises:
        InvalidArgument: if it is no such number, or nothing is checked against it.
    """
    if bound is None:
        return
    change = "Pass None, or the largest absolute value of an honest answer's numbers."
    positive("bound", bound, change=change)
    if not adversaries:
        raise InvalidArgument(
            "bound",
            given=f"{shown(bound)} with adversaries={adversaries}",
            needed="adversaries of at least 1, whose lies it bounds",
            change="Pass adversaries=1, or leave it out.",
        )


def check_smoothing(argument: str, value: object, *, optional: bool = False) -> None:
    """Check the lambda of a smoothing spline.

    Args:
        argument: its name.
        value: a finite number of at least 0.
        optional: whether it may be None, for a lambda that is chosen by the answers.

    Raises:
        InvalidArgument: if it is anything else.
    """
    if optional and value is None:
        return
    needed = "a finite number of at least 0"
    real(argument, value, least=0.0, needed=needed, change="Pass 0.0 to interpolate.")


def approximate_guarantee(
    *,
    workers: int,
    stragglers: int,
    adversaries: int = 0,
    colluders: int = 0,
    leakage: float | None = None,
    beyond: tuple[float, ...] = (),
    data_std: float = 1.0,
    least: int = 0,
) -> Guarantee:
    """The promise: a value with an error estimate from any N - S answers, each one block large."""
    return Guarantee(
        workers=workers,
        threshold=workers - stragglers,
        stragglers=stragglers,
        adversaries=adversaries,
        colluders=colluders,
        exact=False,
        leakage=leakage,
        beyond=beyond,
        load=1.0,
        data_std=data_std if colluders else None,
        least=least,
    )


def check_answers(scheme: AbstractScheme, answered: tuple[int, ...], needed: int) -> None:
    """Raise NotEnoughAnswers if no value can be made of so few answers."""
    if len(answered) < needed:
        needs = f"at least {needed} answers, and more for accuracy"
        raise missing_answers(scheme, answered, needs)


def largest(values: NDArray[np.float64]) -> float:
    """The largest absolute value, or 1 where all are 0: what to divide by against overflow."""
    most, least = values.max(initial=0.0), values.min(initial=0.0)
    return max(float(most), -float(least)) or 1.0


def relative_error(absolute: float, value: NDArray[np.float64]) -> float:
    """An absolute error as a share of the root mean square of the value.

    Args:
        absolute: root mean square error.
        value: ndarray of any shape.

    Returns:
        The quotient; at least the rounding of one number, and infinite where the value is 0 and
        the error is not.
    """
    return float(_shares(np.array([absolute]), value)[0])


def _shares(absolute: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Absolute errors as shares of the root mean square of the value, at least its rounding."""
    if not np.isfinite(value).all():
        return np.full(absolute.shape, math.inf)
    scale = largest(value)
    size = float(np.sqrt(np.mean((value / scale) ** 2)))
    if size == 0.0:
        return np.where(absolute > 0.0, math.inf, _ROUNDING)
    with np.errstate(over="ignore"):  # by a subnormal scale; it is infinite then
        return np.maximum(absolute / scale / size, _ROUNDING)


def with_evidence(
    value: NDArray[np.float64],
    errors: NDArray[np.float64],
    known: NDArray[np.bool_] | None = None,
    *,
    scale: float = 1.0,
) -> Recovered:
    """A value with what is known of each block, and how far off the others may be.

    Args:
        value: ndarray (K, *out), in units of the scale.
        errors: the root mean square error of each block, ndarray (K,), in the same units; it does
            not count where the block is known.
        known: the blocks whose value is as computed, ndarray (K,); None for no block.
        scale: what the value is multiplied by.

    Returns:
        The value; its error estimate is the root mean square of those of the blocks.
    """
    sure = np.zeros(len(value), dtype=np.bool_) if known is None else known
    shares = _shares(errors, value)
    blocks = np.where(sure, 0.0, np.where(np.isnan(shares), math.inf, shares))
    worst = total = float(blocks.max(initial=0.0))
    if 0.0 < worst < math.inf:
        total *= float(np.sqrt(np.mean((blocks / worst) ** 2)))
    return Recovered(
        value=scale * value,
        error_estimate=max(total, _ROUNDING),
        known=sure,
        block_errors=blocks,
    )


def as_computed(value: NDArray[Any]) -> Recovered:
    """A value of which every block is as a worker computed it.

    Args:
        value: ndarray (K, *out).
    """
    known, errors = np.ones(len(value), dtype=np.bool_), np.zeros(len(value))
    rounding = float(np.finfo(value.dtype).eps) if value.dtype.kind in "fc" else _ROUNDING
    return Recovered(value=value, error_estimate=rounding, known=known, block_errors=errors)


def no_numbers(blocks: int, answers: NDArray[Any]) -> Recovered:
    """The value where answers hold no numbers at all: none of it can be wrong.

    Args:
        blocks: K.
        answers: ndarray (n, *out) of size 0.
    """
    return as_computed(np.zeros((blocks, *answers.shape[1:]), dtype=answers.dtype))
