"""Encoded data that workers hold: the one place where a scheme meets an executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Self, final

import numpy as np

from anyk.answers import Answer, Outcome
from anyk.checks import count, flag, instance, shown
from anyk.domains.base import AbstractDomain
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, PerWorker, Placement
from anyk.running.arguments import (
    OnFailure,
    check_alone,
    check_function,
    check_limits,
    check_points,
)
from anyk.running.spent import Spent
from anyk.schemes.base import AbstractScheme
from anyk.schemes.encoded import Encoded
from anyk.wording import ranges
from anyk.work import AbstractWork, Function, WorkerTask

if TYPE_CHECKING:
    from anyk.fixed_point.format import FixedPoint
    from anyk.leak import Leak
    from anyk.running.collection import Collection, OnAnswer

__all__ = ["Distributed"]


@final
class Distributed:
    """Encoded data that the workers of an executor hold; a context manager.

    Made by `anyk.distribute`. Its shares stay where they are until `release`.

    Example:
        >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=4)
        >>> with anyk.Inline(4) as executor, anyk.distribute(scheme, [3, 4], executor) as data:
        ...     [data.run(pow, exponent).value.tolist() for exponent in (1, 2)]
        [[3, 4], [9, 16]]
    """

    __array_ufunc__: ClassVar[None] = None  # `array @ data` is a TypeError, and no array of objects

    def __init__(
        self,
        encoded: Encoded,
        executor: AbstractExecutor,
        placement: Placement,
        *,
        followed: Function | None = None,
        spread: float | None = None,
    ) -> None:
        self.encoded = encoded
        self._spent = Spent(encoded, spread)
        self._followed = followed
        self._executor = executor
        self._placement: Placement | None = placement

    def __repr__(self) -> str:
        state = "released" if self._placement is None else f"on {self._executor!r}"
        return f"<Distributed: {self.encoded!r}, {state}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    @property
    def leakage_spent(self) -> Leak | None:
        """What any T workers have learned at most, by all encodings that were sent to them so far.

        The data count once, and each encoded argument of `run` and `stream` once more, when it is
        sent first: it may be made of the data, and tell as much. `anyk.leakage_spent` says exactly
        what encodings of the same data tell together. What is sent in clear is not in it, nor are
        other encodings of these data, by another `distribute` or `run`.

        Returns:
            Bits and epsilon; None where there are no `colluders`.

        Example:
            >>> scheme = anyk.VeiledReplication(2, 12, colluders=1, leakage=0.1)
            >>> X = np.linspace(-1.0, 1.0, 8).reshape(2, 4)
            >>> with anyk.Inline(12) as executor, anyk.distribute(scheme, X, executor) as data:
            ...     before = data.leakage_spent.total
            ...     outcome = data.run(np.multiply, data.encode(X), tolerance=np.inf)
            ...     round(before, 3), round(data.leakage_spent.total, 3), outcome.leak.encodings
            (0.4, 0.8, 2)
        """
        return self._spent.leak

    def release(self) -> None:
        """Let the workers forget the shares. Harmless when called twice."""
        if self._placement is not None:
            self._executor.release(self._placement)
            self._placement = None

    def encode(self, values: Any, embedding: FixedPoint | None = None) -> Encoded:
        """Shares of another argument for `run`, at the same points as the data, with fresh masks.

        Args:
            values: array-like (K, *shape), a block of the argument for each block of the data.
            embedding: its fixed-point format, where the data were distributed with one: that one
                or one of its factors; that one by default.

        Returns:
            Shares for an argument of `run`, of which each worker receives its own.

        Raises:
            InvalidArgument: if the values or the embedding do not fit the data's scheme.

        Example:
            >>> weights = anyk.FixedPoint(fraction_bits=4, magnitude=2.0)
            >>> fixed = anyk.FixedPoint(fraction_bits=2, magnitude=9.0, factors=(weights,))
            >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=5, colluders=1)
            >>> with (
            ...     anyk.Inline(5) as executor,
            ...     anyk.distribute(scheme, [3.0, -4.5], executor, embedding=fixed) as data,
            ... ):
            ...     data.run(np.multiply, data.encode([0.5, 1.0], weights)).value
            array([ 1.5, -4.5])
        """
        encoded = self.encoded
        argument = encoded.scheme.encode_argument(values, embedding, layout=encoded.layout)
        self._spent.note(argument, values)
        return argument

    def run(
        self,
        function: Callable[..., Any] | str,
        *arguments: Any,
        deadline: float | None = None,
        tolerance: float | None = None,
        on_failure: OnFailure = "raise",
        on_answer: OnAnswer | None = None,
        progress: bool = True,
    ) -> Outcome:
        """Compute a function on every block.

        Returns as soon as the answers suffice, and abandons the rest. Where blocks are computed as
        they are (`Replication`, `FilledReplication`), what is late by the executor's `lateness`, or
        has failed, is computed once more by idle workers, and no block is guessed whose answer is
        still to come; with a tolerance or a deadline, guesses are taken as soon as they are met.

        Args:
            function: called on each worker with its share (a FieldArray on a field scheme, a
                tensor where the data are tensors, else an ndarray), then with the arguments;
                returns an array of that kind, or a list of them. On an executor whose workers have
                functions of their own, the name of one.
            *arguments: reach every worker as they are; of an `Encoded`, each worker its share.
            deadline: seconds on the executor's clock after which no answer is waited for.
            tolerance: relative error that an approximate scheme must estimate; with it, more
                answers than the scheme's threshold are waited for where that is needed. Infinity
                takes a value of whose error there is no evidence, which is an error otherwise,
                unless there is a deadline.
            on_failure: "raise" an error, or "return" an Outcome with a failing status.
            on_answer: called with every answer and failure as it comes, before it is checked.
            progress: whether to show the workers in a terminal while a run lasts (with rich).

        Returns:
            The outcome, its value (K, *out) in the order of the blocks.

        Raises:
            InvalidArgument: if an argument can't be used or sent to the workers.
            DegreeTooHigh: if the function has a higher degree than the scheme decodes.
            Unachievable: if results of the embedding could wrap.
            NotEnoughAnswers: if too few usable answers came; it carries the outcome.
            TooManyErrors: if more workers lied than the scheme can name.
            NotAccurateEnough: if the estimated error stays above the tolerance, or is infinite.
            ExecutorError: if the shares were released, or the executor is closed.
        """
        deadline, tolerance = check_limits(deadline, tolerance, on_failure)
        call = self._called(function, arguments)
        return self._gathered(call, deadline, tolerance, on_failure, on_answer, progress=progress)

    def matmul(
        self,
        factor: Any,
        *,
        deadline: float | None = None,
        tolerance: float | None = None,
        on_failure: OnFailure = "raise",
        on_answer: OnAnswer | None = None,
        progress: bool = True,
    ) -> Outcome:
        """A @ x, for the factor A that was distributed alone, and stays where it is.

        Args:
            factor: x, array-like (inner,) or (inner, columns).
            deadline: as for `run`.
            tolerance: as for `run`.
            on_failure: as for `run`.
            on_answer: as for `run`.
            progress: as for `run`.

        Returns:
            The outcome, its value A @ x.

        Raises:
            InvalidArgument: if A can't be multiplied with it, or was not distributed alone.
            NotEnoughAnswers: if too few usable answers came; it carries the outcome.
            TooManyErrors: if more workers lied than the scheme can name.
            NotAccurateEnough: if the estimated error stays above the tolerance, or is infinite.
            ExecutorError: if the shares were released, or the executor is closed.

        Example:
            >>> scheme = anyk.Polynomial(partition=(2, 1, 1), workers=4, adversaries=1)
            >>> with anyk.Inline(4) as executor, anyk.distribute(scheme, np.eye(3), executor) as A:
            ...     A.matmul([5, 6, 7]).value
            array([5, 6, 7])
        """
        deadline, tolerance = check_limits(deadline, tolerance, on_failure)
        call = self._multiplied(factor)
        return self._gathered(call, deadline, tolerance, on_failure, on_answer, progress=progress)

    def _gathered(
        self,
        call: _Call,
        deadline: float | None,
        tolerance: float | None,
        on_failure: OnFailure,
        on_answer: OnAnswer | None,
        *,
        progress: bool,
    ) -> Outcome:
        with self._dispatched(call, on_answer, progress=progress) as under_way:
            dispatch, collection, note = under_way
            outcome, error = collection.gather(dispatch, deadline, tolerance)
            note(outcome)
        if error is None:
            return outcome
        error.outcome = outcome
        if on_failure == "raise":
            raise error
        return outcome

    def stream(
        self,
        function: Callable[..., Any] | str,
        *arguments: Any,
        deadline: float | None = None,
        tolerance: float | None = None,
        every: int = 1,
        on_answer: OnAnswer | None = None,
        progress: bool = True,
    ) -> Iterator[Outcome]:
        """Compute a function on every block, and see the value get better: `anyk.stream`.

        Args:
            function: as for `run`.
            *arguments: as for `run`.
            deadline: seconds after which no answer is waited for.
            tolerance: estimated relative error at which to stop.
            every: how many more answers make another outcome of an approximate scheme.
            on_answer: as for `run`.
            progress: as for `run`.

        Returns:
            Outcomes, each of all answers so far. Nothing is dispatched before the first is asked
            for, and what is still running is abandoned when the iterator is closed.

        Raises:
            RecoveryError: where the answers end, and none was enough for a value.
        """
        deadline, tolerance = check_limits(deadline, tolerance, "raise")
        step = count("every", every, least=1)

        def outcomes() -> Iterator[Outcome]:
            call = self._called(function, arguments)
            with self._dispatched(call, on_answer, progress=progress) as under_way:
                dispatch, collection, note = under_way
                for outcome in collection.stream(dispatch, deadline, tolerance, step):
                    note(outcome)
                    yield outcome

        return outcomes()

    def _called(self, function: Callable[..., Any] | str, arguments: tuple[Any, ...]) -> _Call:
        """A function with its arguments, ready to be sent."""
        check_function(function, self._executor)
        self._check_placed()
        encoded = self.encoded
        if encoded.alone:
            raise InvalidArgument(
                "function",
                given=f"{shown(function)} on {encoded!r}, of one factor",
                needed="both factors of the product",
                change="Call .matmul(x), or distribute (A, B).",
            )
        own = tuple(isinstance(argument, Encoded) for argument in arguments)
        work = encoded.scheme.work(function, own)
        instance("work", work, AbstractWork, change="Return anyk.work.Plain(function), say.")
        sent = [self._prepared(argument) for argument in arguments]
        followed = function is self._followed and not arguments
        from anyk.running.promises import promised  # noqa: PLC0415 - the first call needs it

        scheme, work = promised(encoded, work, arguments, followed=followed)
        task = WorkerTask(work, scheme.domain, own, len(encoded.parts))
        if scheme is not encoded.scheme:
            encoded = replace(encoded, scheme=scheme)
        return _Call(encoded, task, sent)

    def _multiplied(self, factor: Any) -> _Call:
        """The product with another factor, ready to be sent."""
        self._check_placed()
        left = self.encoded
        if not left.alone:
            raise InvalidArgument(
                "data",
                given=repr(left),
                needed="one factor of a product, distributed alone",
                change="Distribute A: anyk.distribute(scheme, A, executor).",
            )
        check_alone(factor, (Encoded, Distributed))
        encoded = left.scheme.encode_right(left, factor)
        *_, right = encoded.parts
        task = WorkerTask(left.scheme.work(np.matmul), left.scheme.domain, (True,), len(left.parts))
        alike = right.strides[0] == 0  # one and the same array for every share
        sent = replace(encoded, parts=(right,))
        self._spent.note(sent, factor)
        self._spent.send(sent)
        return _Call(encoded, task, [right[0] if alike else PerWorker(right)])

    def _check_placed(self) -> Placement:
        """Where the shares are, if they are still there."""
        if self._placement is None:
            raise ExecutorError("these shares were released; distribute the data again.")
        return self._placement

    @contextmanager
    def _dispatched(
        self, asked: _Call, on_answer: OnAnswer | None, *, progress: bool
    ) -> Iterator[tuple[AbstractDispatch, Collection, Callable[[Outcome], None]]]:
        """The task on its way to all workers, watched; abandoned in the end."""
        flag("progress", progress)
        if on_answer is not None:
            instance("on_answer", on_answer, Callable, change="Pass a function, or None.")
        from anyk.observe.live import live_display  # noqa: PLC0415 - import anyk stays quick
        from anyk.observe.telemetry import watched_run  # noqa: PLC0415 - as above
        from anyk.running.collection import Collection  # noqa: PLC0415 - as above

        placement = self._check_placed()
        executor, encoded, scheme = self._executor, asked.encoded, asked.encoded.scheme
        promise = self.encoded.guarantee
        names = type(scheme).__name__, type(executor).__name__
        without = frozenset(who for who in executor.quarantine if who < promise.workers)
        with (
            watched_run(*names, promise.workers) as note,
            live_display(
                promise.workers, promise.threshold, progress=progress, pieces=promise.pieces
            ) as show,
            executor.ledger.call(
                promise.workers,
                promise.pieces,
                clock=executor.clock,
                lateness=executor.lateness,
                without=without,
            ) as call,
        ):
            told = None if on_answer is None else _from_rest(scheme.domain, on_answer)
            listeners = [each for each in (call.heard, told, show) if each is not None]

            def judged(outcome: Outcome) -> None:
                call.judged(outcome.suspects, outcome.late)
                if outcome.suspects:
                    executor.quarantine.judge(outcome.suspects, _charge(scheme, outcome))
                note(outcome)

            collection = Collection(
                encoded,
                executor,
                executor.clock(),
                listeners,
                without,
                spared=call.spared,
                leak=self._spent.leak,
            )
            dispatch = executor.dispatch(asked.task, placement, asked.sent, without)
            try:  # at once: Ctrl-C must find nothing to do in between
                yield dispatch, collection, judged
            finally:
                dispatch.abandon()

    def _prepared(self, argument: Any) -> Any:
        check_alone(argument, (Encoded, Distributed))
        if isinstance(argument, Distributed):
            raise InvalidArgument(
                "arguments",
                given=repr(argument),
                needed="an Encoded, of which each worker receives its share",
                change="Pass its .encoded.",
            )
        if not isinstance(argument, Encoded):
            return argument
        check_points(argument, self.encoded)
        self._spent.send(argument)
        (rows,) = argument.parts
        return PerWorker(rows)


@final
@dataclass(frozen=True, eq=False)
class _Call:
    """What is asked of the workers.

    Args:
        encoded: what the answers are shares of.
        task: what each worker runs.
        sent: the arguments, as executors take them.
    """

    encoded: Encoded
    task: WorkerTask
    sent: list[Any]


def _from_rest(domain: AbstractDomain, listener: OnAnswer) -> OnAnswer:
    """A listener that hears answers in the domain's dtype, and not as they travelled."""

    def told(answer: Answer) -> None:
        value = answer.value
        if value is not None and domain.holds(value.dtype):
            answer = replace(answer, value=domain.from_rest(value))
        listener(answer)

    return told


def _charge(scheme: AbstractScheme, outcome: Outcome) -> str:
    """Why the suspects of a run are in quarantine."""
    return (
        f"named as a liar by {scheme!r}: of {len(outcome.used)} workers whose answers were "
        f"examined, {ranges(outcome.suspects)} contradicted the rest"
    )
