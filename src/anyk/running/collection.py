"""The answers of one run, gathered until they suffice and judged as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Answer, Outcome, Recovered, Status, Timing
from anyk.errors import (
    InvalidArgument,
    NotAccurateEnough,
    NotEnoughAnswers,
    RecoveryError,
    TooManyErrors,
)
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor
from anyk.schemes.base import Encoded
from anyk.spec import Map

__all__ = ["Collection", "OnAnswer"]

_FAILED = (Status.NOT_ENOUGH_ANSWERS, Status.TOO_MANY_ERRORS, Status.NOT_ACCURATE_ENOUGH)

OnAnswer = Callable[[Answer], None]


@final
class Collection:
    """The answers of one run, as they come: what is usable, who failed, when they suffice.

    Args:
        encoded: what was dispatched.
        executor: whose clock counts.
        start: when the run began, on that clock.
        listeners: each called with every answer as it comes.
    """

    def __init__(
        self,
        encoded: Encoded,
        executor: AbstractExecutor,
        start: float,
        listeners: Sequence[OnAnswer] = (),
    ) -> None:
        self.encoded = encoded
        self.executor = executor
        self.start = start
        self.listeners = listeners
        self.values: dict[int, NDArray[Any]] = {}
        self.by_shape: dict[tuple[int, ...], list[int]] = {}
        self.failures: dict[int, str] = {}
        self.timings: dict[int, Timing] = {}
        promise = encoded.guarantee
        self.exact = promise.exact
        self.domain = encoded.scheme.domain
        self.dtype = self.domain.dtype
        self.workers, self.pieces = promise.workers, promise.pieces
        self.shares = promise.workers * promise.pieces

    def gather(
        self, dispatch: AbstractDispatch, deadline: float | None, tolerance: float | None
    ) -> tuple[Outcome, RecoveryError | None]:
        """Receive answers until they suffice, or no more will come."""
        for usable, over in self._receive(dispatch, deadline):
            if not over and not self._worth_judging(usable):
                continue
            outcome, error = self._conclude(tuple(sorted(usable)), tolerance)
            if over or not isinstance(error, NotAccurateEnough):
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
                self._worth_judging(usable)
                if exact and best is None
                else len(usable) >= max(judged + every, 1)
            )
            if not over and not due:
                continue
            if over and best is not None and len(usable) == judged:
                return
            outcome, error = self._conclude(tuple(sorted(usable)), None)
            if error is None:
                yield outcome
                best, judged = outcome, len(usable)
                estimate = outcome.error_estimate
                if estimate is None or (tolerance is not None and estimate <= tolerance):
                    return
            elif (over or exact) and best is None:
                error.outcome = outcome
                raise error

    def _receive(
        self, dispatch: AbstractDispatch, deadline: float | None
    ) -> Iterator[tuple[list[int], bool]]:
        """After each answer, which shares' are usable; once, in the end, that no more will come."""
        over = False
        while not over:
            left = None if deadline is None else self.start + deadline - self.executor.clock()
            answer = dispatch.receive(None if left is None else max(left, 0.0))
            if answer is None:
                over = True
            else:
                self._note(answer)
                over = len(self.values) + len(self.failures) == self.shares
            if not over and left is not None and left <= 0:
                continue  # what had come by the deadline is taken in first, and judged once
            yield self._usable(), over

    def _worth_judging(self, usable: list[int]) -> bool:
        """Whether these answers may do, or it is clear that no others would."""
        scheme = self.encoded.scheme
        if scheme.sufficient(usable) and self._in_one_shape(usable):
            return True
        others = set(range(self.shares)) - set(self.failures)
        return bool(self.exact and self.failures and not scheme.sufficient(others))

    def _note(self, answer: Answer) -> None:
        for listener in self.listeners:
            listener(answer)
        before = self.timings.get(answer.worker)
        self.timings[answer.worker] = Timing(
            worker=answer.worker,
            sent=answer.sent - self.start,
            answered=answer.answered - self.start,
            seconds=answer.seconds + ((before and before.seconds) or 0.0),
        )
        share = answer.worker * self.pieces + answer.piece
        if answer.failure is not None or answer.value is None:
            self.failures[share] = answer.failure or "no value"
            return
        if answer.value.dtype != self.dtype:  # a WorkerTask returns no other
            self.failures[share] = f"answer of dtype {answer.value.dtype}, not {self.dtype}"
            return
        try:
            value = self.domain.validate(answer.value, "answer")
        except InvalidArgument as error:
            self.failures[share] = f"unusable {error}"
        else:
            self.values[share] = value
            self.by_shape.setdefault(value.shape, []).append(share)

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
        self, usable: tuple[int, ...], tolerance: float | None
    ) -> tuple[Outcome, RecoveryError | None]:
        failures = self._failures(usable)
        try:
            recovered = self._recover(usable, failures)
        except NotEnoughAnswers as error:
            return self._outcome(Status.NOT_ENOUGH_ANSWERS, usable, failures), error
        except TooManyErrors as error:
            return self._outcome(Status.TOO_MANY_ERRORS, usable, failures), error
        estimate = recovered.error_estimate
        if tolerance is not None and estimate is not None and not estimate <= tolerance:
            outcome = self._outcome(Status.NOT_ACCURATE_ENOUGH, usable, failures, recovered)
            return outcome, NotAccurateEnough(error_estimate=estimate, tolerance=tolerance)
        status = Status.EXACT if estimate is None else Status.APPROXIMATE
        return self._outcome(status, usable, failures, recovered), None

    def _failures(self, usable: tuple[int, ...]) -> dict[int, str]:
        """By worker, the first reason why something that it answered can't be used."""
        failures = dict(self.failures)
        for share in self.values.keys() - usable:
            shape, most = self.values[share].shape, self.values[usable[0]].shape
            failures[share] = f"answer of shape {shape} where most have {most}"
        reasons: dict[int, str] = {}
        for share, why in sorted(failures.items()):
            reasons.setdefault(share // self.pieces, why)
        return reasons

    def _workers(self, shares: Iterable[int]) -> tuple[int, ...]:
        """Who has these shares, sorted."""
        return tuple(sorted({share // self.pieces for share in shares}))

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
            )
        try:
            recovery = self.encoded.recovery(usable)
        except NotEnoughAnswers as error:
            raise NotEnoughAnswers(
                answered=error.answered,
                missing=error.missing,
                needed=error.needed,
                failures=failures,
            ) from None
        if not usable:  # for which a scheme should have no recovery
            raise NotEnoughAnswers(
                answered=(),
                missing=range(self.workers),
                needed="one answer or more",
                failures=failures,
            )
        return recovery.recover(np.stack([self.values[share] for share in usable]))

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
        return Outcome(
            value=None if recovered is None or status in _FAILED else recovered.value,
            status=status,
            used=used,
            missing=self._others(used),
            shares=usable,
            suspects=() if recovered is None else recovered.suspects,
            error_estimate=None if recovered is None else recovered.error_estimate,
            failures=failures,
            timings=timings,
            elapsed=self.executor.clock() - self.start,
            quantisation_error=None if recovered is None else recovered.quantisation_error,
            known=None if recovered is None else self._known(recovered),
            block_errors=None if recovered is None else recovered.block_errors,
        )
