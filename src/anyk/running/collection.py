"""The answers of one run, gathered until they suffice and judged as they come."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Collection as SomeOf
from dataclasses import dataclass
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
from anyk.running.resending import Resending
from anyk.running.usable import Usable
from anyk.schemes.base import Encoded
from anyk.spec import Map

if TYPE_CHECKING:
    from anyk.leak import Leak

__all__ = ["Collection", "OnAnswer"]

_MOMENT = 1e-3  # seconds that a clock may be off
_FINITE = sys.float_info.max
_QUARANTINED = "in quarantine: executor.quarantine.release(worker) lets it work again"

OnAnswer = Callable[[Answer], None]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Judgement:
    """What can be made of some answers."""

    status: Status
    usable: tuple[int, ...]
    failures: dict[int, str]
    recovered: Recovered | None = None
    error: RecoveryError | None = None


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
        self.usable = Usable(encoded)
        self.failures: dict[tuple[int, int], str] = {}  # by worker and share
        self.timings: dict[int, Timing] = {}
        promise = encoded.guarantee
        self.exact = promise.exact
        self.domain = encoded.scheme.domain
        self.dtype = self.domain.dtype
        self.workers, self.pieces = promise.workers, promise.pieces
        self.least = promise.threshold if promise.least is None else promise.least
        self.refusals: dict[int, str] = {}  # of the function, by worker
        self.pending = Pending(executor, encoded, start, without)
        self.without = without
        self.failures.update(((who, who * self.pieces), _QUARANTINED) for who in without)
        self.authors: dict[int, int] = {}  # of answers on other workers' shares
        self.resending = Resending(executor, self.pending)
        if self.usable.wanted is not None:
            self.resending.begin(self.usable.wanted)
        degree = degree_of(encoded.scheme)
        self.spare = executor.by_name and degree is not None  # nobody here has seen the function
        self._over = False  # whether no more will come
        self._wake = math.inf

    def gather(
        self, dispatch: AbstractDispatch, deadline: float | None, tolerance: float | None
    ) -> tuple[Outcome, RecoveryError | None]:
        """Receive answers until they suffice, or no more will come that are worth waiting for."""
        guess = tolerance is not None or deadline is not None
        for over in self._receive(dispatch, deadline):
            if not over and not self._worth_judging(dispatch, tolerance):
                continue
            judged = self._judge(tolerance, guess=guess)
            enough = over or judged.error is None or self._hopeless()
            if enough or (tolerance is None and self._settled()):
                return self._outcome(judged), judged.error
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
        heard = 0
        for over in self._receive(dispatch, deadline):
            usable = len(self.usable.shares)
            due = (  # an exact scheme has one value to give, as soon as it can
                self._worth_judging(dispatch, None)
                if exact and best is None
                else usable >= max(heard + every, 1)
            )
            if not over and not due:
                continue
            if over and best is not None and usable == heard:
                return
            judged = self._judge(None, guess=True)
            error = judged.error
            if error is None:
                best, heard = self._outcome(judged), usable
                yield best
                estimate = best.error_estimate
                if estimate is None or (tolerance is not None and estimate <= tolerance):
                    return
            elif best is None and (over or (exact and (self._hopeless() or self._settled()))):
                error.outcome = self._outcome(judged)
                raise error

    def _receive(self, dispatch: AbstractDispatch, deadline: float | None) -> Iterator[bool]:
        """Whether no more will come; after each answer, and when somebody is late."""
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
                if not self.pending and self.usable.wanted is not None:
                    self._send_again(dispatch, enough=True)
                over = not self.pending
                if not over and end <= now:
                    continue  # what had come by the deadline is taken in first, and judged once
            else:
                closed = left > _MOMENT and clock() - now < left / 2
                over = math.isinf(left) or closed or end <= clock()
                self._wake = math.inf
            self._over = over
            yield over

    def _worth_judging(self, dispatch: AbstractDispatch, tolerance: float | None) -> bool:
        """Whether the answers may do, or it is clear that no others would.

        What is late or has failed is sent to others first, where the scheme has copies. The value
        of blocks that can be computed is not guessed as long as their answers are on their way.
        """
        enough = self.usable.enough
        if self.usable.wanted is not None:
            coming = self._send_again(dispatch, enough=enough)
            if not self.usable.wanted:
                return self._in_one_shape()
            if coming and tolerance is None:
                return False
        if enough and self._in_one_shape():
            more = len(self.usable.shares) > self.least
            return more or not self.spare or not self._under_way()
        return self._hopeless()

    def _hopeless(self) -> bool:
        """Whether an exact scheme can't have a value any more, whatever still comes."""
        if not (self.exact and self.pending.hopeless):
            return False
        return self.usable.wanted is None or not self.resending.may_help()

    def _settled(self) -> bool:
        """Whether as many answered as the promise needs, and all others are late.

        Those that the promise counts on are waited for as long as it takes.
        """
        many = len(self.usable.shares) >= self.encoded.guarantee.threshold
        return many and not self._under_way()

    def _under_way(self) -> bool:
        """Whether somebody owes an answer and is not late; who waits is woken when they are."""
        limit = self.pending.limit(few=True)
        if limit is None:
            return bool(self.pending)
        due = self.pending.due(limit)
        self._wake = math.inf if due is None else due
        return due is not None

    def _send_again(self, dispatch: AbstractDispatch, *, enough: bool) -> bool:
        """Let others compute what is late or has failed; whether any of it is on its way."""
        limit = self.pending.limit(few=enough)
        coming, due = self.resending.send(dispatch, limit)
        self._wake = math.inf if due is None else due
        return coming

    def _note(self, answer: Answer) -> None:
        for listener in self.listeners:
            listener(answer)
        share, sent = self.pending.heard(answer)
        if self.usable.wanted is not None:
            self.resending.heard(answer, share, sent)
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
            self.pending.lose(share)
            return
        self.values[share] = answer.value
        if answer.share is not None:
            self.authors[share] = answer.worker
        changed = self.usable.add(share, answer.value.shape)
        if changed and self.usable.wanted is not None:
            self.resending.begin(self.usable.wanted)
        elif self.usable.unwanted is not None:
            self.resending.unwanted(self.usable.unwanted)

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
            self.refusals.setdefault(answer.worker, answer.failure)
            told = self.refusals.values()
            error = refused(self.encoded.scheme, told, lost=self._hopeless())
            if error is not None:
                raise error

    def _in_one_shape(self) -> bool:
        """Whether the answers leave no doubt about their shape.

        Too few answers do not decode in an exact scheme. An approximate one would make a value of
        any few that agree, and the function itself may return other shapes for other shares.
        """
        return self.exact or 2 * len(self.usable.shares) > len(self.values) or not self.values

    def _judge(self, tolerance: float | None, *, guess: bool) -> _Judgement:
        """What can be made of the usable answers.

        Args:
            tolerance: for the estimated error; None for none.
            guess: whether a value without any evidence of its error is one.
        """
        usable = tuple(sorted(self.usable.shares))
        failures = self._failures(usable)
        status, recovered = Status.EXACT, None
        failed: RecoveryError | None = None
        try:
            recovered = self._recover(usable, failures)
        except NotEnoughAnswers as error:
            status, failed = Status.NOT_ENOUGH_ANSWERS, error
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
        return _Judgement(
            status=status, usable=usable, failures=failures, recovered=recovered, error=failed
        )

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
        return tuple(sorted(set(range(self.workers)).difference(workers)))

    def _recover(self, usable: tuple[int, ...], failures: dict[int, str]) -> Recovered:
        if not self._in_one_shape():
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

    def _missed(self) -> set[int]:
        """The workers that hold a block that nobody answered for."""
        wanted = self.usable.wanted
        if not wanted:
            return set()
        return {who for block, _ in wanted for who in wanted.holders(block)}

    def _known(self, recovered: Recovered) -> NDArray[np.bool_]:
        """Which blocks are known; all or none, where a recovery does not tell them apart."""
        if recovered.known is not None:
            return recovered.known
        problem = self.encoded.scheme.problem
        blocks = problem.blocks if isinstance(problem, Map) else 1
        return np.full(blocks, recovered.error_estimate is None)

    def _outcome(self, judged: _Judgement) -> Outcome:
        status, usable, failures = judged.status, judged.usable, judged.failures
        recovered = judged.recovered
        timings = tuple(
            self.timings.get(who, Timing(worker=who, sent=0.0, answered=None, seconds=None))
            for who in range(self.workers)
        )
        used = self._workers(usable)
        missing = self._others(used)
        now = self.executor.clock()
        silent = [who for who in missing if who not in failures]
        late = {*self.pending.late(now), *self._missed()}
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
            again=tuple(sorted(self.resending.shares)),
            disputed=() if recovered is None else recovered.disputed,
            leak=self.leak,
        )
