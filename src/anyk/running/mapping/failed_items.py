"""Why an item has no value, as errors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from anyk.errors import (
    FunctionRaised,
    NotEnoughAnswers,
    RecoveryError,
    TooManyErrors,
    WorkerTraceback,
)
from anyk.executors.core.raised import Raised
from anyk.running.mapping.item import Item

__all__ = ["cause_of", "contradicted", "deadly", "in_short", "nobody_left", "raised_on", "too_late"]


def cause_of(raised: Raised) -> BaseException | None:
    """What a function raised, with the traceback of its worker; None where nothing is known."""
    told = WorkerTraceback(raised.traceback) if raised.traceback else None
    if raised.error is None:
        return told
    if told is not None and raised.error.__traceback__ is None:
        raised.error.__cause__ = told
    return raised.error


def raised_on(item: Item, raised: Raised) -> FunctionRaised:
    """The function raised, and not for the first time."""
    where, workers = f"item {item.place}", item.raised
    error = FunctionRaised(raised.reason, where=where, workers=workers, missing=(item.place,))
    error.__cause__ = cause_of(raised)
    return error


def contradicted(item: Item, agree: int) -> TooManyErrors:
    """So many answers should have agreed, if no more workers lie than that; or nobody is left."""
    enough = item.answered >= 2 * agree - 1
    most = (
        "Raise agree (each liar costs two answers)" if enough else f"Take {2 * agree - 1} workers"
    )
    return TooManyErrors(
        answered=item.voters,
        adversaries=agree - 1 if enough else 0,
        change=f"They are on item {item.place}. {most}, let the "
        "function answer the same each time (random numbers, times and the order of sets differ), "
        "or say what is the same, by rtol= or equal=.",
    )


def too_late(done: Sequence[int], missing: Sequence[int]) -> NotEnoughAnswers:
    """The time is over."""
    return NotEnoughAnswers(
        answered=done,
        missing=missing,
        needed="all of them before the deadline",
        of="item",
        change='Raise the deadline, add workers, or take what there is by on_failure="return".',
    )


def nobody_left(
    done: Sequence[int], missing: Sequence[int], left: str, failures: Mapping[int, str]
) -> NotEnoughAnswers:
    """There are no workers for the rest."""
    return NotEnoughAnswers(
        answered=done,
        missing=missing,
        needed=f"workers for the rest; {left}",
        failures=failures,
        of="item",
        change="See why workers failed, release those in quarantine, or add others.",
    )


def in_short(error: RecoveryError | None) -> str:
    """Why an item has no value, for a line of a report: without what others have, and advice."""
    if isinstance(error, FunctionRaised):
        return error.reason
    return f"needed: {error.needed}" if isinstance(error, NotEnoughAnswers) else str(error)


def deadly(item: Item, why: str, done: Iterable[int], missing: Iterable[int]) -> NotEnoughAnswers:
    """Workers die of it."""
    return NotEnoughAnswers(
        answered=done,
        missing=missing,
        needed=f"a worker that survives item {item.place}: {len(item.died)} did not ({why})",
        of="item",
        change="See what it does to a process: memory, a crash in C, an exit.",
    )
