"""What can be made of the answers that came: a value, or the error that says what is missing."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered, Status
from anyk.errors import NotAccurateEnough, NotEnoughAnswers, RecoveryError, TooManyErrors
from anyk.running.received import Received
from anyk.spec import Map

__all__ = ["Judgement", "judge"]

_FINITE = sys.float_info.max


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Judgement:
    """What can be made of some answers.

    Args:
        status: whether that is enough.
        usable: the answers that were looked at, by their shares; further ones on a share have
            numbers of their own.
        failures: of workers whose answers are of no use, with the reason.
        recovered: what the scheme's decoder made of them.
        error: why that is not enough.
        known: which blocks are known.
    """

    status: Status
    usable: tuple[int, ...]
    failures: dict[int, str]
    recovered: Recovered | None = None
    error: RecoveryError | None = None
    known: NDArray[np.bool_] | None = None


def judge(
    received: Received, tolerance: float | None, *, guess: bool, spared: Callable[[], set[int]]
) -> Judgement:
    """What can be made of the usable answers.

    Args:
        received: all that came.
        tolerance: for the estimated error; None for none.
        guess: whether a value without any evidence of its error is one.
        spared: tells which workers owe an answer and are not waited for any more.
    """
    usable = tuple(sorted(received.usable.shares))
    failures = received.failures(usable)
    status, recovered = Status.EXACT, None
    failed: RecoveryError | None = None
    try:
        recovered = _recover(received, usable, failures, spared)
    except NotEnoughAnswers as error:
        status, failed = Status.NOT_ENOUGH_ANSWERS, received.explained(error)
    except TooManyErrors as error:
        status, failed = Status.TOO_MANY_ERRORS, error
    else:
        estimate = recovered.error_estimate
        limit = (_FINITE if not guess else math.inf) if tolerance is None else tolerance
        if estimate is not None and not estimate <= limit:
            status = Status.NOT_ACCURATE_ENOUGH
            failed = NotAccurateEnough(error_estimate=estimate, tolerance=tolerance)
        elif estimate is not None:
            status = Status.APPROXIMATE
    return Judgement(
        status=status,
        usable=usable,
        failures=failures,
        recovered=recovered,
        error=failed,
        known=None if recovered is None else _known(received, recovered),
    )


def _recover(
    received: Received,
    usable: tuple[int, ...],
    failures: dict[int, str],
    spared: Callable[[], set[int]],
) -> Recovered:
    if not received.in_one_shape:
        heard = received.answered(usable)
        raise NotEnoughAnswers(
            answered=heard,
            missing=received.others(heard),
            needed="one shape in most of the answers that came",
            failures=failures,
            spared=spared(),
        )
    try:
        shares, authors = received.shares(usable), received.authors(usable)
        recovery = received.unchecked.recovery(shares, authors)
    except NotEnoughAnswers as error:
        raise NotEnoughAnswers(
            answered=error.answered,
            missing=error.missing,
            needed=error.needed,
            failures=failures,
            spared=spared(),
        ) from None
    if not usable:  # for which a scheme should have no recovery
        raise NotEnoughAnswers(
            answered=(),
            missing=range(received.workers),
            needed="one answer or more",
            failures=failures,
        )
    return recovery.recover(received.stacked(usable))


def _known(received: Received, recovered: Recovered) -> NDArray[np.bool_]:
    """Which blocks are known; all or none, where a recovery does not tell them apart."""
    if recovered.known is not None:
        return recovered.known
    problem = received.encoded.scheme.problem
    blocks = problem.blocks if isinstance(problem, Map) else 1
    return np.full(blocks, recovered.error_estimate is None)
