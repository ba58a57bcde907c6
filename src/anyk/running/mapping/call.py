"""One call of `anyk.map`: from its arguments to its outcome."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, final

import numpy as np

from anyk.answers import Answer, Outcome, Status
from anyk.errors import (
    FunctionRaised,
    InvalidArgument,
    RecoveryError,
    TooManyErrors,
    Unachievable,
)
from anyk.executors.core.base import AbstractExecutor
from anyk.executors.core.calls import AbstractCalls, Returned
from anyk.observe.telemetry import watched_run
from anyk.running.arguments import check_executor, check_function
from anyk.running.mapping.failed_items import in_short
from anyk.running.mapping.here import here
from anyk.running.mapping.options import MapSettings
from anyk.running.mapping.record import Record
from anyk.running.mapping.scheduler import Scheduler
from anyk.running.mapping.source import AbstractSource

if TYPE_CHECKING:
    from anyk.running.mapping.item import Item

__all__ = ["MapCall"]

_OUTVOTED = "outvoted in anyk.map: others agreed on another answer to the same item"


@final
class MapCall:
    """A function and its items, and how they are computed.

    Args:
        function: of an item.
        source: of the arguments.
        executor: None for processes of this machine.
        settings: how often, and until when.

    Raises:
        InvalidArgument: if an argument can't be used.

    Example:
        >>> from anyk.running.mapping.call import MapCall
        >>> from anyk.running.mapping.options import MapSettings
        >>> from anyk.running.mapping.source import Source
        >>> source = Source([(2, 5)], tuple)
        >>> MapCall(pow, source, anyk.Inline(1), MapSettings()).outcome().value
        [32]
    """

    def __init__(
        self,
        function: Callable[..., Any] | str,
        source: AbstractSource,
        executor: AbstractExecutor | None,
        settings: MapSettings,
    ) -> None:
        if executor is None:
            executor = here(settings.least)
        check_executor(executor)
        if settings.agree > 1 and executor.shares_per_worker > 1:
            raise Unachievable(
                "executor",
                given=f"{type(executor).__name__} with up to {executor.shares_per_worker} workers "
                f"in one place, for agree={settings.agree}",
                needed="each worker in a place of its own: those in one place are wrong together",
                change="Make it without shares_per_worker=, or take agree=1.",
            )
        if settings.agree > executor.workers:
            raise InvalidArgument(
                "agree",
                given=f"{settings.agree}, on {executor.workers} workers",
                needed="at most as many as there are workers, as nobody vouches twice",
                change=f"Take {settings.least} workers, so that liars are outvoted; or lower it.",
            )
        check_function(function, executor)
        self._function = _with(function, settings)
        self._source, self._executor, self._settings = source, executor, settings
        self._done: list[Item] = []
        self._whole = False  # whether all that was asked for was given out
        self._calls: AbstractCalls | None = None

    def outcome(self, interrupted: Callable[[], bool] | None = None) -> Outcome:
        """All results, in the order of the items."""
        with self._running() as (scheduler, record, note):
            error: RecoveryError | None = None
            try:
                for item in scheduler.run(self._end, interrupted):
                    self._done.append(item)
            except RecoveryError as why:
                error = why
            outcome = self._outcome(scheduler, record, error)
            note(outcome)
        if error is not None:
            error.outcome = outcome
            if self._settings.on_failure == "raise":
                raise error
        return outcome

    def values(self) -> Iterator[Any]:
        """Results, as they come."""
        for item in self.items():
            yield item.value

    def items(self, interrupted: Callable[[], bool] | None = None) -> Iterator[Item]:
        """Items, as they are done or have failed."""
        with self._running() as (scheduler, record, note):
            error: RecoveryError | None = None
            failed = False
            try:
                for item in scheduler.run(self._end, interrupted):
                    failed = failed or not item.done
                    yield item
                self._whole = not failed and not scheduler.unfinished
            except RecoveryError as why:
                error = why
                raise
            finally:
                outcome = self._outcome(scheduler, record, error)
                note(outcome)
                if error is not None:
                    error.outcome = outcome

    def wake(self) -> None:
        """The source has more: look at once. From any thread."""
        if self._calls is not None:
            self._calls.wake()

    @contextmanager
    def _running(self) -> Iterator[tuple[Scheduler, Record, Callable[[Outcome], None]]]:
        from anyk.observe.live import live_display  # noqa: PLC0415 - import anyk stays quick

        executor, clock = self._executor, self._executor.clock
        workers, source = executor.workers, self._source
        without = frozenset(executor.quarantine)
        with (
            watched_run("map", type(executor).__name__, workers) as noted,
            live_display(
                workers, source.left, progress=self._settings.progress, of="items"
            ) as show,
            executor.ledger.call(
                workers, clock=clock, lateness=executor.lateness, without=without
            ) as ledger,
        ):
            self._start = clock()
            deadline = self._settings.deadline
            self._end = math.inf if deadline is None else self._start + deadline
            record = Record(workers, self._start)

            listeners = [each for each in (show, self._settings.on_answer) if each is not None]

            def heard(returned: Returned) -> None:
                for answer in _answers(returned) if listeners else ():
                    for listener in listeners:
                        listener(answer)

            def note(outcome: Outcome) -> None:
                for answer in record.answers():
                    ledger.heard(answer)
                ledger.judged(outcome.suspects, outcome.late)
                executor.quarantine.judge(outcome.suspects, _OUTVOTED)
                noted(outcome)

            calls = self._calls = executor.calls(self._function)
            try:
                yield (
                    Scheduler(executor, calls, source, self._settings, record, heard=heard),
                    record,
                    note,
                )
            finally:
                calls.abandon()

    def _outcome(
        self, scheduler: Scheduler, record: Record, error: RecoveryError | None
    ) -> Outcome:
        number = scheduler.source.number
        value: list[Any] = [None] * number
        known = np.zeros(number, dtype=np.bool_)
        failed: dict[int, str] = {}
        for item in self._done:
            if item.done:
                value[item.place], known[item.place] = item.value, True
            else:
                failed[item.place] = in_short(item.error)
        known |= self._whole
        status = Status.EXACT if known.all() else Status.NOT_ENOUGH_ANSWERS
        if isinstance(error, TooManyErrors):
            status = Status.TOO_MANY_ERRORS
        elif isinstance(error, FunctionRaised):
            failed |= dict.fromkeys(error.missing, error.reason)
        return Outcome(
            value=value,
            status=status,
            used=tuple(sorted(record.used)),
            missing=tuple(sorted(set(range(self._executor.workers)) - record.used)),
            suspects=tuple(sorted(record.suspects)),
            failures=dict(record.failures),
            timings=record.timings(),
            elapsed=self._executor.clock() - self._start,
            known=known,
            late=scheduler.late,
            again=tuple(sorted(record.again)),
            calls=record.calls,
            unanswered=dict(sorted(failed.items())),
        )


def _with(function: Callable[..., Any] | str, settings: MapSettings) -> Any:
    """A function with further arguments."""
    if not settings.kwargs:
        return function
    if isinstance(function, str):
        raise InvalidArgument(
            "kwargs",
            given=f"arguments by name, for the function {function!r} of the workers",
            needed="none, as workers with functions of their own take arguments by place",
            change="Use anyk.starmap, with all arguments in each item.",
        )
    return partial(function, **settings.kwargs)


def _answers(returned: Returned) -> Iterator[Answer]:
    """What came of a batch, as the live view counts it."""
    each = partial(
        Answer, worker=returned.worker, sent=returned.sent, answered=returned.answered, value=None
    )
    if returned.failure is not None:
        yield each(failure=returned.failure, seconds=0.0)
    for result in returned.results:
        why = None if result.raised is None else result.raised.reason
        yield each(failure=why, seconds=result.seconds)
