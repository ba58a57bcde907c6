"""Workers that are as late as a model says, on purpose, around any executor."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import GENERATOR, instance
from anyk.delays.models import AbstractDelays
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, OfWorker, Placement
from anyk.executors.core.broadcast import unwrapped
from anyk.executors.core.calls import AbstractCalls
from anyk.executors.core.run_task import Task, pause
from anyk.executors.wrappers.extra_argument import ExtraArgument
from anyk.executors.wrappers.wrapper import AbstractWrapper, check_within

__all__ = ["Paced"]


@final
@dataclass(frozen=True)
class _Paced:
    """A task that waits first, for its last argument."""

    task: Task

    def __call__(self, *arguments: Any) -> NDArray[Any]:
        """Wait, then run the task on the other arguments."""
        *others, seconds = arguments
        pause(float(seconds))
        return unwrapped(self.task)(*others)  # type: ignore[no-any-return]


@final
class Paced(AbstractWrapper):
    """An executor whose workers wait, before each task, as long as a model of delays says.

    For experiments on real engines: the waiting is real, and so is what it does to the next call.
    A worker that never answers by the model hangs. A worker that holds several pieces has one
    delay, of which it waits an equal part before each.

    Args:
        executor: whose workers they are; not `anyk.Remote`, whose workers run functions of their
            own. Closed with this one.
        delays: the model; drawn anew for each task.
        generator: of the draws.

    Raises:
        InvalidArgument: if an argument is of another kind.

    Example:
        >>> from anyk.delays import Fixed
        >>> inner = anyk.Simulated(3, generator=np.random.default_rng(0))
        >>> with anyk.Paced(inner, Fixed({2: 60.0}), np.random.default_rng(0)) as executor:
        ...     outcome = anyk.run(anyk.Replication(1, 3), np.sqrt, [4.0], executor)
        >>> outcome.elapsed < 1.0
        True
    """

    def __init__(
        self, executor: AbstractExecutor, delays: AbstractDelays, generator: np.random.Generator
    ) -> None:
        check_within(executor)
        instance("delays", delays, AbstractDelays, change="Pass a model of anyk.delays.")
        instance("generator", generator, np.random.Generator, change=GENERATOR)
        self._executor, self._delays, self._generator = executor, delays, generator

    @property
    def within(self) -> AbstractExecutor:
        """The executor whose workers they are."""
        return self._executor

    def dispatch(
        self,
        task: Task,
        placement: Placement,
        arguments: Sequence[Any],
        without: Collection[int] = (),
    ) -> AbstractDispatch:
        """Run a task on every share, after its delay; see `AbstractExecutor.dispatch`."""
        seconds = self._delays.sample(self._generator, self.workers)
        seconds[: placement.workers] /= np.bincount(np.arange(placement.shares) // placement.pieces)
        return self._executor.dispatch(
            _Paced(task), placement, [*arguments, OfWorker(seconds)], without
        )

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Call a function on each item after a delay; see `AbstractExecutor.calls`."""

        def seconds(worker: int) -> float:
            return self._delays.of_worker(self._generator, worker)

        return ExtraArgument(self._executor.calls(_Paced(function)), seconds)

    def __repr__(self) -> str:
        return f"Paced({self._executor!r}, {self._delays!r})"
