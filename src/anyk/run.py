"""The one place where a scheme meets an executor: `distribute`, `run` and what they return."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Answer, Outcome, Recovered, Status, Timing
from anyk.domains.base import AbstractDomain
from anyk.errors import (
    ExecutorError,
    InvalidArgument,
    NotAccurateEnough,
    NotEnoughAnswers,
    RecoveryError,
    TooManyErrors,
)
from anyk.executors.base import AbstractDispatch, AbstractExecutor, Dealt, Placement
from anyk.schemes.base import AbstractScheme, Encoded

__all__ = ["Distributed", "distribute", "run"]

OnAnswer = Callable[[Answer], None]
OnFailure = Literal["raise", "return"]


@final
@dataclass(frozen=True)
class WorkerTask:
    """What a worker runs: the user's function, on arrays of the scheme's domain.

    Args:
        function: f, called with one block and the other arguments.
        domain: what presents the share to f and accepts its result.
        dealt: which of the other arguments are shares too.
    """

    function: Callable[..., Any]
    domain: AbstractDomain
    dealt: tuple[bool, ...]

    def __call__(self, share: NDArray[Any], *arguments: Any) -> NDArray[Any]:
        presented = [
            self.domain.present(argument) if is_share else argument
            for argument, is_share in zip(arguments, self.dealt, strict=True)
        ]
        return self.domain.accept(self.function(self.domain.present(share), *presented))


@final
class Distributed:
    """Data that lie, encoded, on the workers of an executor; a context manager.

    Made by `anyk.distribute`. Its shares stay where they are until `release`.

    Example:
        >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=4)
        >>> with anyk.Inline(4) as executor, anyk.distribute(scheme, [3, 4], executor) as data:
        ...     [data.run(pow, exponent).value.tolist() for exponent in (1, 2)]
        [[3, 4], [9, 16]]
    """

    def __init__(self, encoded: Encoded, executor: AbstractExecutor, placement: Placement) -> None:
        self.encoded = encoded
        self._executor = executor
        self._placement: Placement | None = placement

    def __repr__(self) -> str:
        state = "released" if self._placement is None else f"on {self._executor!r}"
        return f"<Distributed: {self.encoded!r}, {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """Let the workers forget the shares. Harmless when called twice."""
        if self._placement is not None:
            self._executor.release(self._placement)
            self._placement = None

    def run(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        deadline: float | None = None,
        tolerance: float | None = None,
        on_failure: OnFailure = "raise",
        on_answer: OnAnswer | None = None,
    ) -> Outcome:
        """Compute a function on every block.

        Returns as soon as the answers suffice, and abandons the rest.

        Args:
            function: called on each worker with its share (a FieldArray on a field scheme, an
                ndarray on a real one), then with the arguments; returns an array.
            *arguments: reach every worker as they are; of an `Encoded`, each worker its share.
            deadline: seconds on the executor's clock after which no answer is waited for.
            tolerance: relative error that an approximate scheme must estimate; with it, more
                answers than the scheme's threshold are waited for where that is needed.
            on_failure: "raise" an error, or "return" an Outcome with a failing status.
            on_answer: called with every answer and failure as it comes, before it is checked.

        Returns:
            The outcome, its value (K, *out) in the order of the blocks.

        Raises:
            InvalidArgument: if an argument can't be used or sent to the workers.
            NotEnoughAnswers: if too few usable answers came; it carries the outcome.
            TooManyErrors: if more workers lied than the scheme can name.
            NotAccurateEnough: if the estimated error stays above the tolerance.
            ExecutorError: if the shares were released, or the executor is closed.
        """
        _check_limits(deadline, tolerance, on_failure)
        if self._placement is None:
            raise ExecutorError("these shares were released; distribute the data again.")
        scheme = self.encoded.scheme
        sent = [self._prepared(argument) for argument in arguments]
        dealt = tuple(isinstance(argument, Encoded) for argument in arguments)
        task = WorkerTask(function, scheme.domain, dealt)
        start = self._executor.clock()
        dispatch = self._executor.dispatch(task, self._placement, sent)
        collection = _Collection(self.encoded, self._executor, start, on_answer)
        try:
            outcome, error = collection.gather(dispatch, deadline, tolerance)
        finally:
            dispatch.abandon()
        if error is None:
            return outcome
        error.outcome = outcome
        if on_failure == "raise":
            raise error
        return outcome

    def _prepared(self, argument: Any) -> Any:
        if not isinstance(argument, Encoded):
            return argument
        theirs, ours = argument.encoder, self.encoded.encoder
        if (
            argument.scheme.domain != self.encoded.scheme.domain
            or not np.array_equal(theirs.data, ours.data)
            or not np.array_equal(theirs.masks, ours.masks)
        ):
            raise InvalidArgument(
                "arguments",
                given=repr(argument),
                needed=f"shares at the same points as those of {self.encoded!r}",
                change="Encode both with schemes of the same blocks, colluders, workers and field.",
            )
        return Dealt(argument.shares)


@final
class _Collection:
    """The answers of one run, as they come."""

    def __init__(
        self,
        encoded: Encoded,
        executor: AbstractExecutor,
        start: float,
        on_answer: OnAnswer | None,
    ) -> None:
        self.encoded = encoded
        self.executor = executor
        self.start = start
        self.on_answer = on_answer
        self.values: dict[int, NDArray[Any]] = {}
        self.failures: dict[int, str] = {}
        self.timings: dict[int, Timing] = {}

    def gather(
        self, dispatch: AbstractDispatch, deadline: float | None, tolerance: float | None
    ) -> tuple[Outcome, RecoveryError | None]:
        """Receive answers until they suffice, or no more will come."""
        scheme = self.encoded.scheme
        workers = scheme.guarantee.workers
        while True:
            over = False
            left = None if deadline is None else self.start + deadline - self.executor.clock()
            answer = dispatch.receive(None if left is None else max(left, 0.0))
            if answer is None:
                over = True
            else:
                self._note(answer)
                over = len(self.timings) == workers
            usable = self._usable()
            if not over and not scheme.sufficient(usable):
                possible = set(range(workers)) - set(self.failures)
                if not scheme.guarantee.exact or scheme.sufficient(possible):
                    continue
            outcome, error = self._conclude(usable, tolerance)
            if over or not isinstance(error, NotAccurateEnough):
                return outcome, error

    def _note(self, answer: Answer) -> None:
        if self.on_answer is not None:
            self.on_answer(answer)
        self.timings[answer.worker] = Timing(
            worker=answer.worker,
            sent=answer.sent - self.start,
            answered=answer.answered - self.start,
            seconds=answer.seconds,
        )
        if answer.failure is not None or answer.value is None:
            self.failures[answer.worker] = answer.failure or "no value"
            return
        try:
            value = self.encoded.scheme.domain.validate(answer.value, "answer")
        except InvalidArgument as error:
            self.failures[answer.worker] = f"unusable {error}"
        else:
            self.values[answer.worker] = value

    def _usable(self) -> tuple[int, ...]:
        """Workers whose answers have the shape that most have; the truth is among the most."""
        if not self.values:
            return ()
        shapes = Counter(value.shape for value in self.values.values())
        common, _ = shapes.most_common(1)[0]
        return tuple(sorted(who for who, value in self.values.items() if value.shape == common))

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
        """Reasons for all that answered something that can't be used."""
        failures = dict(self.failures)
        for worker, value in self.values.items():
            if worker not in usable:
                shape = self.values[usable[0]].shape
                failures[worker] = f"answer of shape {value.shape} where most have {shape}"
        return dict(sorted(failures.items()))

    def _recover(self, usable: tuple[int, ...], failures: dict[int, str]) -> Recovered:
        try:
            recovery = self.encoded.recovery(usable)
        except NotEnoughAnswers as error:
            raise NotEnoughAnswers(
                answered=error.answered,
                missing=error.missing,
                needed=error.needed,
                failures=failures,
            ) from None
        return recovery.recover(np.stack([self.values[worker] for worker in usable]))

    def _outcome(
        self,
        status: Status,
        usable: tuple[int, ...],
        failures: dict[int, str],
        recovered: Recovered | None = None,
    ) -> Outcome:
        workers = range(self.encoded.scheme.guarantee.workers)
        timings = tuple(
            self.timings.get(who, Timing(worker=who, sent=0.0, answered=None, seconds=None))
            for who in workers
        )
        return Outcome(
            value=recovered.value if recovered is not None and status.ok else None,
            status=status,
            used=usable,
            missing=tuple(worker for worker in workers if worker not in usable),
            suspects=() if recovered is None else recovered.suspects,
            error_estimate=None if recovered is None else recovered.error_estimate,
            failures=failures,
            timings=timings,
            elapsed=self.executor.clock() - self.start,
        )


def _check_limits(deadline: float | None, tolerance: float | None, on_failure: str) -> None:
    for name, number in (("deadline", deadline), ("tolerance", tolerance)):
        if number is not None and not (math.isfinite(number) and number > 0):
            raise InvalidArgument(
                name,
                given=repr(number),
                needed="a positive number, or None for no limit",
                change="Give seconds (deadline) or a relative error (tolerance).",
            )
    if on_failure not in {"raise", "return"}:
        raise InvalidArgument(
            "on_failure",
            given=repr(on_failure),
            needed='"raise" or "return"',
            change='Take "return" to get an Outcome with a failing status.',
        )


def distribute(scheme: AbstractScheme, X: Any, executor: AbstractExecutor) -> Distributed:
    """Encode data once and leave a share on each worker.

    Args:
        scheme: how to encode.
        X: array-like (K, *shape), the blocks.
        executor: has at least as many workers as the scheme.

    Returns:
        The distributed data, to run functions on; release it, or use it as a context manager.

    Raises:
        InvalidArgument: if X does not fit the scheme, or there are too few workers.
        ExecutorError: if the executor is closed.

    Example:
        >>> scheme = anyk.Replication(blocks=2, workers=2)
        >>> with anyk.Inline(2) as executor, anyk.distribute(scheme, [4.0, 9.0], executor) as data:
        ...     data.run(np.sqrt).value
        array([2., 3.])
    """
    encoded = scheme.encode(X)
    return Distributed(encoded, executor, executor.place((encoded.shares,)))


def run(
    scheme: AbstractScheme,
    function: Callable[..., Any],
    X: Any,
    executor: AbstractExecutor,
    *,
    deadline: float | None = None,
    tolerance: float | None = None,
    on_failure: OnFailure = "raise",
    on_answer: OnAnswer | None = None,
) -> Outcome:
    """Compute a function on every block of X: encode, dispatch, recover.

    Args:
        scheme: how to encode and recover.
        function: called on each worker with its share; returns an array.
        X: array-like (K, *shape), the blocks.
        executor: has at least as many workers as the scheme.
        deadline: seconds on the executor's clock after which no answer is waited for.
        tolerance: relative error that an approximate scheme must estimate.
        on_failure: "raise" an error, or "return" an Outcome with a failing status.
        on_answer: called with every answer and failure as it comes, before it is checked.

    Returns:
        The outcome, its value (K, *out) in the order of the blocks.

    Raises:
        InvalidArgument: if an argument can't be used or sent to the workers.
        NotEnoughAnswers: if too few usable answers came; it carries the outcome.
        TooManyErrors: if more workers lied than the scheme can name.
        NotAccurateEnough: if the estimated error stays above the tolerance.
        ExecutorError: if the executor is closed.

    Example:
        >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=5, adversaries=1)
        >>> with anyk.Threads(5) as executor:
        ...     print(anyk.run(scheme, np.square, [5, 6], executor).value)
        [25 36]
    """
    with distribute(scheme, X, executor) as data:
        return data.run(
            function,
            deadline=deadline,
            tolerance=tolerance,
            on_failure=on_failure,
            on_answer=on_answer,
        )
