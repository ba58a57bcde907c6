"""The answers of one run, gathered until they suffice and judged as they come."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Collection as SomeOf
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Answer, Outcome, Recovered, Status, Timing
from anyk.errors import (
    DegreeTooHigh,
    InvalidArgument,
    NotAccurateEnough,
    NotEnoughAnswers,
    RecoveryError,
    TooManyErrors,
)
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor
from anyk.running.degrees import degree_of, refused
from anyk.running.pending import Pending
from anyk.schemes.base import Encoded
from anyk.spec import Map

if TYPE_CHECKING:
    from anyk.leak import Leak

__all__ = ["Collection", "OnAnswer"]

_MOMENT = 1e-3  # seconds that a clock may be off
_FINITE = sys.float_info.max
_QUARANTINED = "in quarantine: executor.quarantine.release({who}) lets it work again"

OnAnswer = Callable[[Answer], None]


@final
class Collection:
    """The answers of one run, as they come: what is usable, who failed, when they suffice.

    Args:
        encoded: what was dispatched.
        executor: whose clock counts.
        start: when the run began, on that clock.
        listeners: each called with every answer as it comes.
        without: those of the workers that are in quarantine, and were not asked.
        leak: what colluders have learned by then, for the outcome.
    """

    def __init__(
        self,
        encoded: Encoded,
        executor: AbstractExecutor,
        start: float,
        listeners: Sequence[OnAnswer] = (),
        without: SomeOf[int] = (),
        *,
        leak: Leak | None = None,
    ) -> None:
        self.encoded = encoded
        self.executor = executor
        self.start = start
        self.listeners = listeners
        self.leak = leak
        self.values: dict[int, NDArray[Any]] = {}
        self.by_shape: dict[tuple[int, ...], list[int]] = {}
        self.failures: dict[tuple[int, int], str] = {}  # by worker and share
        self.timings: dict[int, Timing] = {}
        promise = encoded.guarantee
        self.exact = promise.exact
        self.domain = encoded.scheme.domain
        self.dtype = self.domain.dtype
        self.workers, self.pieces = promise.workers, promise.pieces
        self.least = promise.threshold if promise.least is None else promise.least
        self.pending = Pending(executor, promise.workers, promise.pieces, start, without)
        self.without = without
        self.failures.update(
            ((who, who * self.pieces), _QUARANTINED.format(who=who)) for who in without
        )
        self.authors: dict[int, int] = {}  # of answers on other workers' shares
        self.copies = encoded.scheme.again(encoded.layout, ()) is not None
        degree = degree_of(encoded.scheme)
        self.spare = executor.by_name and degree is not None  # nobody here has seen the function
        self._over = False  # whether no more will come
        self._wake = math.inf

    def gather(
        self, dispatch: AbstractDispatch, deadline: float | None, tolerance: float | None
    ) -> tuple[Outcome, RecoveryError | None]:
        """Receive answers until they suffice, or no more will come that are worth waiting for."""
        guess = tolerance is not None or deadline is not None
        for usable, over in self._receive(dispatch, deadline):
            if not over and not self._worth_judging(dispatch, usable, tolerance):
                continue
            outcome, error = self._conclude(tuple(sorted(usable)), tolerance, guess=guess)
            if over or error is None or self._hopeless():
                return outcome, error
            if tolerance is None and self._settled(usable):
                return outcome, error
        raise AssertionError("the last judgement is over")  # pragma: no cover

    def stream(
        self,
        dispatch: AbstractDispatch,
        deadline: float | None,
        tolerance: float | None,
        every: int,
    ) -> Iterator[Outcome]:
        """An outcome after every few answers, as soon as any value can be made of them."""
        exact = self.exact
        best: Outcome | None = None
        judged = 0
        for usable, over in self._receive(dispatch, deadline):
            due = (  # an exact scheme has one value to give, as soon as it can
                self._worth_judging(dispatch, usable, None)
                if exact and best is None
                else len(usable) >= max(judged + every, 1)
            )
            if not over and not due:
                continue
            if over and best is not None and len(usable) == judged:
                return
            outcome, error = self._conclude(tuple(sorted(usable)), None, guess=True)
            if error is None:
                yield outcome
                best, judged = outcome, len(usable)
                estimate = outcome.error_estimate
                if estimate is None or (tolerance is not None and estimate <= tolerance):
                    return
            elif best is None and (over or (exact and (self._hopeless() or self._settled(usable)))):
                error.outcome = outcome
                raise error

    def _receive(
        self, dispatch: AbstractDispatch, deadline: float | None
    ) -> Iterator[tuple[list[int], bool]]:
        """Which shares' answers are usable; once, in the end, that no more will come.

        After each answer, and at the times at which somebody is late.
        """
        clock, over = self.executor.clock, False
        end = math.inf if deadline is None else self.start + deadline
        while not over:
            now = clock()
            left = min(end, self._wake) - now
            answer = dispatch.receive(None if math.isinf(left) else max(left, 0.0))
            if answer is not None and answer.worker in self.without:
                continue  # of an executor that asked it all the same
            if answer is not None:
                self._note(answer)
                self._raise_what_is_the_functions(answer)
                if not self.pending and self.copies:
                    self._send_again(dispatch, self._wanted(self._usable()), enough=True)
                over = not self.pending
                if not over and end <= now:
                    continue  # what had come by the deadline is taken in first, and judged once
            else:
                closed = left > _MOMENT and clock() - now < left / 2
                over = math.isinf(left) or closed or end <= clock()
                self._wake = math.inf
            self._over = over
            yield self._usable(), over

    def _worth_judging(
        self, dispatch: AbstractDispatch, usable: list[int], tolerance: float | None
    ) -> bool:
        """Whether these answers may do, or it is clear that no others would.

        What is late or has failed is sent to others first, where the scheme has copies. The value
        of blocks that can be computed is not guessed as long as their answers are on their way.
        """
        scheme = self.encoded.scheme
        enough = scheme.sufficient(usable)
        if self.copies:
            wanted = self._wanted(usable)
            coming = self._send_again(dispatch, wanted, enough=enough)
            if not wanted:
                return self._in_one_shape(usable)
            if coming and tolerance is None:
                return False
        if enough and self._in_one_shape(usable):
            return len(usable) > self.least or not self.spare or not (self._under_way())
        return self._hopeless()

    def _wanted(self, usable: SomeOf[int]) -> Mapping[int, SomeOf[int]]:
        """The shares that others may compute too, and those of each that may not."""
        return self.encoded.scheme.again(self.encoded.layout, usable) or {}

    def _hopeless(self) -> bool:
        """Whether an exact scheme can't have a value any more, whatever still comes."""
        if not self.exact or not self.failures:
            return False
        may_come = set(self.values) | self.pending.shares()
        return not self.encoded.scheme.sufficient(may_come)

    def _settled(self, usable: list[int]) -> bool:
        """Whether as many answered as the promise needs, and all others are late.

        Those that the promise counts on are waited for as long as it takes.
        """
        return len(usable) >= self.encoded.guarantee.threshold and not self._under_way()

    def _under_way(self) -> bool:
        """Whether somebody owes an answer and is not late; who waits is woken when they are."""
        limit = self.pending.limit(few=True)
        if limit is None:
            return bool(self.pending)
        due = self.pending.due(self.pending.shares(), limit)
        self._wake = math.inf if due is None else due
        return due is not None

    def _send_again(
        self, dispatch: AbstractDispatch, wanted: Mapping[int, SomeOf[int]], *, enough: bool
    ) -> bool:
        """Let others compute what is late or has failed; whether any of it is on its way."""
        limit = self.pending.limit(few=enough)
        coming = self.pending.send_again(dispatch, wanted, limit)
        due = None if limit is None else self.pending.due(wanted, limit)
        self._wake = math.inf if due is None else due
        return coming

    def _note(self, answer: Answer) -> None:
        for listener in self.listeners:
            listener(answer)
        share = self.pending.heard(answer)
        if share in self.values:
            return  # somebody else was faster
        if answer.share is None:
            before = self.timings.get(answer.worker)
            self.timings[answer.worker] = Timing(
                worker=answer.worker,
                sent=answer.sent - self.start,
                answered=answer.answered - self.start,
                seconds=answer.seconds + ((before and before.seconds) or 0.0),
            )
        why = self._unusable(answer)
        if why is not None or answer.value is None:
            self.failures[answer.worker, share] = why or "no value"
            return
        self.values[share] = answer.value
        self.by_shape.setdefault(answer.value.shape, []).append(share)
        if answer.share is not None:
            self.authors[share] = answer.worker

    def _unusable(self, answer: Answer) -> str | None:
        """Why an answer is of no use; None if it is."""
        if answer.failure is not None or answer.value is None:
            return answer.failure
        if answer.value.dtype != self.dtype:  # a WorkerTask returns no other
            return f"answer of dtype {answer.value.dtype}, not {self.dtype}"
        try:
            self.domain.validate(answer.value, "answer")
        except InvalidArgument as error:
            return f"unusable {error}"
        return None

    def _raise_what_is_the_functions(self, answer: Answer) -> None:
        """End the run where workers refuse the function itself."""
        if answer.failure is not None and answer.failure.startswith(DegreeTooHigh.__name__):
            told = self._failures(tuple(self._usable())).values()
            error = refused(self.encoded.scheme, told, lost=self._hopeless())
            if error is not None:
                raise error

    def _usable(self) -> list[int]:
        """Shares whose answers have the shape that most have; the truth is among the most."""
        return max(self.by_shape.values(), key=len, default=[])

    def _in_one_shape(self, usable: Sequence[int]) -> bool:
        """Whether the answers leave no doubt about their shape.

        Too few answers do not decode in an exact scheme. An approximate one would make a value of
        any few that agree, and the function itself may return other shapes for other shares.
        """
        return self.exact or 2 * len(usable) > len(self.values) or not self.values

    def _conclude(
        self, usable: tuple[int, ...], tolerance: float | None, *, guess: bool
    ) -> tuple[Outcome, RecoveryError | None]:
        """What can be made of these answers.

        Args:
            usable: the shares whose answers they are.
            tolerance: for the estimated error; None for none.
            guess: whether a value without any evidence of its error is one.
        """
        failures = self._failures(usable)
        try:
            recovered = self._recover(usable, failures)
        except NotEnoughAnswers as error:
            return self._outcome(Status.NOT_ENOUGH_ANSWERS, usable, failures), error
        except TooManyErrors as error:
            return self._outcome(Status.TOO_MANY_ERRORS, usable, failures), error
        estimate = recovered.error_estimate
        limit = (_FINITE if not guess else math.inf) if tolerance is None else tolerance
        if estimate is not None and not estimate <= limit:
            outcome = self._outcome(Status.NOT_ACCURATE_ENOUGH, usable, failures, recovered)
            return outcome, NotAccurateEnough(error_estimate=estimate, tolerance=tolerance)
        status = Status.EXACT if estimate is None else Status.APPROXIMATE
        return self._outcome(status, usable, failures, recovered), None

    def _failures(self, usable: tuple[int, ...]) -> dict[int, str]:
        """By worker, the first reason why something that it answered can't be used."""
        failures = dict(self.failures)
        for share in self.values.keys() - usable:
            shape, most = self.values[share].shape, self.values[usable[0]].shape
            why = f"answer of shape {shape} where others have {most}; all must have one shape"
            failures[self._author(share), share] = why
        reasons: dict[int, str] = {}
        for (worker, _), why in sorted(failures.items()):
            reasons.setdefault(worker, why)
        return reasons

    def _author(self, share: int) -> int:
        """Who answered for a share."""
        return self.authors.get(share, share // self.pieces)

    def _workers(self, shares: Iterable[int]) -> tuple[int, ...]:
        """Who answered for these shares, sorted."""
        return tuple(sorted({self._author(share) for share in shares}))

    def _others(self, workers: tuple[int, ...]) -> tuple[int, ...]:
        """All workers but these."""
        return tuple(worker for worker in range(self.workers) if worker not in workers)

    def _recover(self, usable: tuple[int, ...], failures: dict[int, str]) -> Recovered:
        if not self._in_one_shape(usable):
            heard = self._workers(usable)
            raise NotEnoughAnswers(
                answered=heard,
                missing=self._others(heard),
                needed="one shape in most of the answers that came",
                failures=failures,
                spared=self._spared(usable),
            )
        try:
            by = [self._author(share) for share in usable] if self.authors else None
            recovery = self.encoded.recovery(usable, by)
        except NotEnoughAnswers as error:
            raise NotEnoughAnswers(
                answered=error.answered,
                missing=error.missing,
                needed=error.needed,
                failures=failures,
                spared=self._spared(usable),
            ) from None
        if not usable:  # for which a scheme should have no recovery
            raise NotEnoughAnswers(
                answered=(),
                missing=range(self.workers),
                needed="one answer or more",
                failures=failures,
            )
        return recovery.recover(np.stack([self.values[share] for share in usable]))

    def _spared(self, usable: tuple[int, ...]) -> set[int]:
        """The workers that owe an answer and are not late, where nobody waits for them any more."""
        if self._over:
            return set()
        late, heard = self.pending.late(self.executor.clock()), self._workers(usable)
        return self.pending.workers() - {*late, *heard}

    def _missed(self, usable: tuple[int, ...]) -> set[int]:
        """The workers that hold a block that nobody answered for."""
        wanted = self._wanted(usable)
        return {who for holders in wanted.values() for who in holders}

    def _known(self, recovered: Recovered) -> NDArray[np.bool_]:
        """Which blocks are known; all or none, where a recovery does not tell them apart."""
        if recovered.known is not None:
            return recovered.known
        problem = self.encoded.scheme.problem
        blocks = problem.blocks if isinstance(problem, Map) else 1
        return np.full(blocks, recovered.error_estimate is None)

    def _outcome(
        self,
        status: Status,
        usable: tuple[int, ...],
        failures: dict[int, str],
        recovered: Recovered | None = None,
    ) -> Outcome:
        timings = tuple(
            self.timings.get(who, Timing(worker=who, sent=0.0, answered=None, seconds=None))
            for who in range(self.workers)
        )
        used = self._workers(usable)
        missing = self._others(used)
        now = self.executor.clock()
        silent = [who for who in missing if who not in failures]
        late = {*self.pending.late(now), *self._missed(usable)}
        if not status.ok:
            late = set(silent) - self._spared(usable)
        return Outcome(
            value=recovered.value if recovered is not None and status.ok else None,
            status=status,
            used=used,
            missing=missing,
            shares=usable,
            suspects=() if recovered is None else recovered.suspects,
            error_estimate=None if recovered is None else recovered.error_estimate,
            failures=failures,
            timings=timings,
            elapsed=now - self.start,
            quantisation_error=None if recovered is None else recovered.quantisation_error,
            known=None if recovered is None else self._known(recovered),
            block_errors=None if recovered is None else recovered.block_errors,
            late=tuple(who for who in silent if who in late),
            again=tuple(sorted(self.pending.again)),
            disputed=() if recovered is None else recovered.disputed,
            leak=self.leak,
        )
