"""The answers of one run, gathered until they suffice and judged as they come."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Collection as SomeOf
from typing import TYPE_CHECKING, final

from anyk.answers import Answer, Outcome, Recovered, Timing
from anyk.errors import DegreeTooHigh, RecoveryError, TooManyErrors
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor
from anyk.running.degrees import degree_of, refused
from anyk.running.judgement import Judgement, judge
from anyk.running.pending import Pending
from anyk.running.received import Received
from anyk.running.resending import Resending
from anyk.schemes.encoded import Encoded
from anyk.spec import MatMul

if TYPE_CHECKING:
    from anyk.leak import Leak

__all__ = ["Collection", "OnAnswer"]

_MOMENT = 1e-3  # seconds that a clock may be off
_IN_VAIN = 32  # the part of the answers, as 1 / 32, that may come before liars are looked for again

OnAnswer = Callable[[Answer], None]


def _nobody(worker: int) -> None:
    pass


@final
class Collection:
    """The answers of one run, as they come: what is usable, who failed, when they suffice.

    Args:
        encoded: what was dispatched.
        executor: whose clock counts.
        start: when the run began, on that clock.
        listeners: each called with every answer as it comes.
        without: those of the workers that are in quarantine, and were not asked.
        spared: called with a worker for each share that it is spared.
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
        spared: Callable[[int], None] = _nobody,
        leak: Leak | None = None,
    ) -> None:
        self.encoded = encoded
        self.executor = executor
        self.start = start
        self.listeners = listeners
        self.spared = spared
        self.leak = leak
        self.received = Received(encoded, without)
        self.usable = self.received.usable
        self.timings: dict[int, Timing] = {}
        self.exact = self.received.exact
        # whether fewer answers than the scheme needs have no value at all
        self.needs_all = self.exact or isinstance(encoded.scheme.problem, MatMul)
        self.refusals: dict[int, str] = {}  # of the function, by worker
        self.pending = Pending(executor, encoded, start, without)
        self.without = without
        self.resending = Resending(executor, self.pending)
        if self.usable.wanted is not None:
            self.resending.begin(self.usable.wanted)
        degree = degree_of(encoded.scheme)
        self.spare = executor.by_name and degree is not None  # nobody here has seen the function
        self._in_vain = 0  # until so many are usable, more liars than promised contradict others
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
            if not over and self._contradicted(tolerance):
                continue
            judged = self._judge(tolerance, guess=guess)
            self._note_contradiction(judged.error)
            if self._asked_others(dispatch, judged.error):
                continue
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
            if not over and self._contradicted(None):
                continue
            judged = self._judge(None, guess=True)
            error = judged.error
            self._note_contradiction(error)
            if self._asked_others(dispatch, error):
                continue
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
                self._skip(dispatch)
                self._raise_what_is_the_functions(answer)
                if not self.pending and self.usable.wanted is not None:
                    self._send_again(dispatch, enough=True)
                over = not self.pending
                if not over and end <= now:
                    continue  # what had come by the deadline is taken in first, and judged once
            else:
                waited = clock() - now
                closed = waited < left / 2 if left > _MOMENT else waited <= 0.0 < left
                over = math.isinf(left) or closed or end <= clock()
                self._wake = math.inf
            self._over = over
            yield over
            over = self._over

    def _asked_others(self, dispatch: AbstractDispatch, error: RecoveryError | None) -> bool:
        """Let others compute what answers contradict each other about; whether that is under way.

        Who is late is waited for where nobody else can be asked: only their answers can tell.
        Nobody is asked when the time is over.
        """
        again = Counter(error.again if isinstance(error, TooManyErrors) else ())
        if not again or self.usable.wanted is None or (self._over and self.pending):
            return False
        self.resending.more(again)
        self._send_again(dispatch, enough=True)
        self._over = self._over and not self.pending
        return self.resending.waiting()

    def _worth_judging(self, dispatch: AbstractDispatch, tolerance: float | None) -> bool:
        """Whether the answers may do, or it is clear that no others would.

        What is late or has failed is sent to others first, where the scheme has copies. The value
        of blocks that can be computed is not guessed as long as their answers are on their way.
        """
        enough = self.usable.enough
        if self.usable.wanted is not None:
            coming = self._send_again(dispatch, enough=enough)
            if not self.usable.wanted:
                return self.received.in_one_shape
            if coming and tolerance is None:
                return False
        if enough and self.received.in_one_shape:
            more = len(self.usable.shares) > self.encoded.guarantee.waited_for
            return more or not self.spare or not self._under_way()
        return self._hopeless()

    def _note_contradiction(self, error: RecoveryError | None) -> None:
        """Where more workers lie than is promised, not each further answer is worth a decoding."""
        if isinstance(error, TooManyErrors) and not error.more:
            usable = len(self.usable.shares)
            self._in_vain = usable + usable // _IN_VAIN

    def _contradicted(self, tolerance: float | None) -> bool:
        """Whether it is known that the answers so far contradict each other, and more may come."""
        if len(self.usable.shares) >= self._in_vain or self._hopeless():
            return False
        return tolerance is not None or not self._settled()

    def _hopeless(self) -> bool:
        """Whether an exact scheme can't have a value any more, whatever still comes."""
        if not (self.needs_all and self.pending.hopeless):
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
        if not self.received.takes(answer, share):
            return  # somebody else was faster
        if answer.share is None:
            before = self.timings.get(answer.worker)
            self.timings[answer.worker] = Timing(
                worker=answer.worker,
                sent=answer.sent - self.start,
                answered=answer.answered - self.start,
                seconds=answer.seconds + ((before and before.seconds) or 0.0),
            )
        changed = self.received.add(answer, share)
        if changed is None:
            if share not in self.received:
                self.pending.lose(share)
        elif changed and self.usable.wanted is not None:
            self.resending.begin(self.usable.wanted)
        elif self.usable.unwanted is not None:
            self.resending.unwanted(self.usable.unwanted)

    def _skip(self, dispatch: AbstractDispatch) -> None:
        """Spare workers what is known by now, where the scheme says that it is of no use."""
        for share in self.usable.needless():
            if self.pending.owes(share) and dispatch.skip(share):
                worker, now = share // self.received.pieces, self.executor.clock()
                self.pending.skipped(share, now)
                self.resending.free(worker, now)
                self.spared(worker)

    def _raise_what_is_the_functions(self, answer: Answer) -> None:
        """End the run where workers refuse the function itself."""
        if answer.failure is not None and answer.failure.startswith(DegreeTooHigh.__name__):
            self.refusals.setdefault(answer.worker, answer.failure)
            told = self.refusals.values()
            error = refused(self.encoded.scheme, told, lost=self._hopeless())
            if error is not None:
                raise error

    def _judge(self, tolerance: float | None, *, guess: bool) -> Judgement:
        """What can be made of the answers so far."""
        return judge(self.received, tolerance, guess=guess, spared=self._spared)

    def _spared(self) -> set[int]:
        """The workers that owe an answer and are not late, where nobody waits for them any more."""
        if self._over:
            return set()
        late = self.pending.late(self.executor.clock())
        heard = self.received.answered(self.usable.shares)
        return self.pending.workers() - {*late, *heard}

    def _missed(self) -> set[int]:
        """The workers that hold a block that nobody answered for."""
        wanted = self.usable.wanted
        if not wanted:
            return set()
        return {who for block, _ in wanted for who in wanted.holders(block)}

    def _suspects(self, recovered: Recovered | None) -> tuple[int, ...]:
        """Whom the recovery names, and whose answers failed their check."""
        named = () if recovered is None else recovered.suspects
        return tuple(sorted(self.received.caught.union(named)))

    def _outcome(self, judged: Judgement) -> Outcome:
        status, usable, failures = judged.status, judged.usable, judged.failures
        recovered = judged.recovered
        timings = tuple(
            self.timings.get(who, Timing(worker=who, sent=0.0, answered=None, seconds=None))
            for who in range(self.received.workers)
        )
        used = self.received.answered(usable)
        missing = self.received.others(used)
        now = self.executor.clock()
        silent = [who for who in missing if who not in failures]
        late = {*self.pending.late(now), *self._missed()}
        if not status.ok:
            late = set(silent) - self._spared()
        domain = self.encoded.scheme.domain
        return Outcome(
            value=domain.returned(recovered.value) if recovered is not None and status.ok else None,
            status=status,
            used=used,
            missing=missing,
            shares=tuple(sorted({*self.received.shares(usable)})),
            suspects=self._suspects(recovered),
            error_estimate=None if recovered is None else recovered.error_estimate,
            failures=failures,
            timings=timings,
            elapsed=now - self.start,
            quantisation_error=None if recovered is None else recovered.quantisation_error,
            known=judged.known,
            block_errors=None if recovered is None else recovered.block_errors,
            late=tuple(who for who in silent if who in late),
            again=tuple(sorted(self.resending.shares)),
            disputed=() if recovered is None else recovered.disputed,
            leak=self.leak,
            condition=None if recovered is None else recovered.condition,
        )
