"""`sequential`: sums in turn on an executor, by a `SequentialGradient`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Answer
from anyk.checks import instance, several, shown
from anyk.domains.base import AbstractDomain
from anyk.domains.tensors import domain_for
from anyk.errors import InvalidArgument, NotEnoughAnswers
from anyk.executors.core.base import (
    AbstractDispatch,
    AbstractExecutor,
    PerWorker,
    Placement,
)
from anyk.running.arguments import check_executor, check_function
from anyk.running.job_sum import JobSum
from anyk.running.unusable import unusable
from anyk.schemes.base import blocks_of
from anyk.schemes.sums.sequential_gradient import Course, SequentialGradient
from anyk.wording import numbered
from anyk.work import WorkerTask
from anyk.works.mini_tasks import MiniTasks

__all__ = ["JobDone", "sequential"]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class JobDone:
    """One sum of those in turn.

    Args:
        job: its number, from 0.
        value: the sum, in the type of the function's results where these are floats.
        error_estimate: relative, of rounding, as the decoder amplifies it; None over a field.
        round: at whose end it is known.
        late: the workers that this round was closed without.
        elapsed: seconds since the first round began, on the executor's clock.

    Example:
        >>> plan = anyk.SequentialGradient(workers=3, stragglers=1, window=2)
        >>> with anyk.Inline(3) as executor:
        ...     (done,) = anyk.sequential(plan, np.square, np.arange(9.0), executor, [[]])
        >>> done.job, done.round, round(float(done.value), 9)
        (0, 1, 204.0)
    """

    job: int
    value: NDArray[Any]
    error_estimate: float | None
    round: int
    late: tuple[int, ...]
    elapsed: float


def sequential(
    plan: SequentialGradient,
    function: Callable[..., Any] | str,
    X: Any,
    executor: AbstractExecutor,
    jobs: Iterable[Sequence[Any]],
) -> Iterator[JobDone]:
    """Compute f(X_1, *w) + .. + f(X_K, *w) for one w after the other, with rounds that overlap.

    A round is over when all workers that have not answered are late by the executor's `lateness`,
    and no more of them than the plan bears; where more are late, it waits for some. What comes
    later is thrown away, and computed again in another round.

    Args:
        plan: the numbers of the code.
        function: called on each worker with a block, then with the arguments of a job; returns
            numbers, of one shape.
        X: array-like (K, *shape), the blocks.
        executor: has at least as many workers as the plan.
        jobs: the arguments of each, as many for all of them; drawn when its first round begins,
            which is after job t - T - 1 was known and yielded, for job t.

    Returns:
        The sums, in their order. What is under way is given up when the iterator is closed.

    Raises:
        InvalidArgument: if an argument can't be used or sent to the workers.
        NotEnoughAnswers: if more workers fail in a round than the plan bears.
        ExecutorError: if the executor is closed.

    Example:
        >>> plan = anyk.SequentialGradient(workers=3, stragglers=1, window=2)
        >>> with anyk.Inline(3) as executor:
        ...     done = anyk.sequential(plan, np.multiply, np.arange(9), executor, [[1], [2], [5]])
        ...     [float(each.value.round(9)) for each in done]
        [36.0, 72.0, 180.0]
    """
    instance("plan", plan, SequentialGradient, change="Make an anyk.SequentialGradient(...).")
    check_executor(executor)
    check_function(function, executor)
    domain = domain_for(plan.domain, X)
    blocks = blocks_of(X, plan.blocks, domain)
    try:
        drawn = iter(jobs)
    except TypeError:
        raise InvalidArgument(
            "jobs",
            given=shown(jobs),
            needed="an iterable of the arguments of each job",
            change="Pass a list with a list of arguments for each job.",
        ) from None

    def rounds() -> Iterator[JobDone]:
        parts = [domain.at_rest(blocks[plan.held]), domain.at_rest(plan.weights)]
        placement = executor.place(parts)
        try:
            asking = _Asking(executor, placement, domain, MiniTasks(function))
            yield from _Rounds(plan, asking, drawn).all()
        finally:
            executor.release(placement)

    return rounds()


@final
@dataclass(frozen=True, eq=False)
class _Asking:
    """How workers are asked."""

    executor: AbstractExecutor
    placement: Placement
    domain: AbstractDomain
    work: MiniTasks

    def dispatch(self, asked: NDArray[np.intp], sent: Sequence[Any]) -> AbstractDispatch:
        """A round, on its way to all workers."""
        task = WorkerTask(self.work, self.domain, (False,) * (1 + len(sent)), parts=2)
        return self.executor.dispatch(task, self.placement, [PerWorker(asked), *sent])


@final
class _Rounds:
    """The rounds of one call."""

    def __init__(
        self, plan: SequentialGradient, asking: _Asking, jobs: Iterator[Sequence[Any]]
    ) -> None:
        self._plan, self._asking, self._jobs = plan, asking, jobs
        self._domain = asking.domain
        self._course = plan.course()
        self._sums: dict[int, JobSum] = {}
        self._arguments: dict[int, tuple[Any, ...]] = {}
        self._shape: tuple[int, ...] | None = None  # of what the function returns

    def all(self) -> Iterator[JobDone]:
        """Each sum, as soon as it is known."""
        course, clock = self._course, self._asking.executor.clock
        start = clock()
        while self._begun() or course.active:
            jobs, asked, this = course.active, course.asked, course.round
            heard = self._heard(jobs, asked)
            late = [who for who in range(self._plan.workers) if who not in heard]
            for place, job in enumerate(jobs):
                answers = {who: rows[place] for who, rows in heard.items()}
                self._sums[job].add(answers, asked[:, place])
            for job in course.close(late):
                value, error = self._sums.pop(job).result()
                del self._arguments[job]
                yield JobDone(
                    job=job,
                    value=self._domain.returned(value),
                    error_estimate=error,
                    round=this,
                    late=tuple(late),
                    elapsed=clock() - start,
                )

    def _begun(self) -> bool:
        """Whether another job begins in this round."""
        for given in self._jobs:
            arguments = tuple(several("jobs", given, change="Pass a list of arguments a job."))
            numbers = {len(each) for each in self._arguments.values()} or {len(arguments)}
            if len(arguments) not in numbers:
                raise InvalidArgument(
                    "jobs",
                    given=f"{len(arguments)} arguments, after {numbers.pop()}",
                    needed="as many for each job",
                    change="Pass lists of one length.",
                )
            job = self._course.begin()
            self._sums[job] = JobSum(self._plan, self._domain)
            self._arguments[job] = arguments
            return True
        return False

    def _heard(self, jobs: tuple[int, ...], asked: NDArray[np.intp]) -> dict[int, NDArray[Any]]:
        """The answers of one round, by worker: as many as it takes."""
        sent = [each for job in jobs for each in self._arguments[job]]
        dispatch = self._asking.dispatch(asked, sent)
        try:
            heard = _Round(self._course, self._asking, self._shape).answers(dispatch)
        finally:
            dispatch.abandon()
        self._shape = next((rows.shape[1:] for rows in heard.values()), self._shape)
        return heard


@final
class _Round:
    """Who has answered in one round, and whether the rest is waited for.

    Answers count that have the shape of those of the rounds before; in the first round, the shape
    that most of them have.
    """

    def __init__(self, course: Course, asking: _Asking, shape: tuple[int, ...] | None) -> None:
        self._course, self._domain, self._executor = course, asking.domain, asking.executor
        self._workers, self._jobs = course.plan.workers, len(course.active)
        self._shape = None if shape is None else (self._jobs, *shape)
        self._answers: dict[int, NDArray[Any]] = {}
        self._failures: dict[int, str] = {}
        self._times: list[float] = []
        self._start = self._executor.clock()

    def answers(self, dispatch: AbstractDispatch) -> dict[int, NDArray[Any]]:
        """Those that came by the time at which the round may be closed."""
        while len(self._answers) + len(self._failures) < self._workers:
            heard = self._heard()
            left = self._left() if self._course.bearable(self._late(heard)) else None
            if left is not None and left <= 0.0:
                return heard
            answer = dispatch.receive(left)
            if answer is not None:
                self._take(answer)
            elif left is None:  # no more will come
                break
        heard = self._heard()
        late = self._late(heard)
        if not self._course.bearable(late):
            raise NotEnoughAnswers(
                answered=heard,
                missing=late,
                needed=f"all but those whom the plan bears in round {self._course.round}",
                failures=self._failures | self._odd(heard),
            )
        return heard

    def _heard(self) -> dict[int, NDArray[Any]]:
        """The answers that count."""
        by_shape: dict[tuple[int, ...], dict[int, NDArray[Any]]] = {}
        for who, value in self._answers.items():
            by_shape.setdefault(value.shape, {})[who] = value
        return max(by_shape.values(), key=len, default={})

    def _odd(self, heard: dict[int, NDArray[Any]]) -> dict[int, str]:
        """Why the others do not."""
        most = next((value.shape for value in heard.values()), None)
        return {
            who: f"answer of shape {value.shape} where others have {most}"
            for who, value in self._answers.items()
            if who not in heard
        }

    def _late(self, heard: dict[int, NDArray[Any]]) -> list[int]:
        return [who for who in range(self._workers) if who not in heard]

    def _left(self) -> float | None:
        """Seconds until those are late who have not answered; None if that can't be told yet."""
        limit = self._executor.lateness.after(sorted(self._times), self._workers)
        return None if limit is None else self._start + limit - self._executor.clock()

    def _take(self, answer: Answer) -> None:
        why, value = unusable(answer, self._domain, self._shape), answer.value
        if why is None and value is not None and value.shape[:1] != (self._jobs,):
            each = numbered(self._jobs, "job")
            why = f"answer of shape {value.shape}, not one row for each of {each}"
        if why is not None or value is None:
            self._failures[answer.worker] = why or "no value"
            return
        self._answers[answer.worker] = value
        self._times.append(answer.answered - self._start)
