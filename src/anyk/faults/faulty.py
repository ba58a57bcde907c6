"""Faults put into workers on purpose, around any executor.

`Faulty(executor, {3: Delay(2.0), 5: Corrupt(seed=1)})` is an executor whose workers 3 and 5 are
bad. A fault runs on the worker, around the task. It sees the true answer of its own worker and
nothing of the other workers, the scheme or the decoder. All randomness comes from seeds, so that
a run with faults can be repeated.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import numpy as np

from anyk.checks import count, instance
from anyk.errors import InvalidArgument
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor, OfWorker, Placement
from anyk.executors.core.broadcast import unwrapped
from anyk.executors.core.calls import AbstractCalls
from anyk.executors.core.run_task import Task
from anyk.executors.wrappers.extra_argument import ExtraArgument
from anyk.executors.wrappers.wrapper import AbstractWrapper, check_within
from anyk.faults.failures import AbstractFault

__all__ = ["Faulty", "FaultyTask"]


@final
@dataclass(frozen=True, eq=False)
class FaultyTask:
    """A task that goes wrong on some workers; its last argument is the worker's index.

    Args:
        function: the task.
        faults: by worker.

    Example:
        >>> from anyk.faults.failures import Crash
        >>> from anyk.faults.faulty import FaultyTask
        >>> FaultyTask(np.square, {3: Crash()})(np.arange(3), 0)
        array([0, 1, 4])
    """

    function: Task
    faults: Mapping[int, AbstractFault]

    def __call__(self, *arguments: Any) -> Any:
        """Run the task, and the worker's fault around it."""
        *others, worker = arguments
        run = partial(unwrapped(self.function), *others)
        fault = self.faults.get(int(worker))
        return run() if fault is None else fault.around(run, int(worker))


@final
class Faulty(AbstractWrapper):
    """An executor with faults in some of its workers.

    Everything else passes through: shares that were placed on the executor itself can be used
    here and the other way round, so that faults change from call to call, and closing this closes
    the executor. Wrap twice for two faults in one worker; the outer one has the last word.

    Args:
        executor: any but `anyk.Remote`, whose workers run functions of their own.
        faults: by worker; workers that are missing are well.

    Raises:
        InvalidArgument: if a worker does not exist, or the executor's run functions of their own.

    Example:
        >>> from anyk.faults import Crash, Faulty
        >>> scheme = anyk.Replication(blocks=1, workers=2)
        >>> with Faulty(anyk.Inline(2), {0: Crash()}) as executor:
        ...     outcome = anyk.run(scheme, np.square, np.array([3.0]), executor)
        >>> outcome.value, outcome.used, outcome.missing
        (array([9.]), (1,), (0,))
    """

    def __init__(self, executor: AbstractExecutor, faults: Mapping[int, AbstractFault]) -> None:
        check_within(executor)
        instance("faults", faults, Mapping, change="Pass {3: Crash()}, say.")
        for worker, fault in faults.items():
            instance("faults", fault, AbstractFault, change="Pass {3: Crash()}, say.")
            if count("faults", worker, least=0) >= executor.workers:
                raise InvalidArgument(
                    "faults",
                    given=f"a fault of worker {worker}",
                    needed=f"workers below {executor.workers}",
                    change="Count workers from 0.",
                )
        self._executor = executor
        self._faults = dict(faults)

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
        """Run a task, with the faults around it; see `AbstractExecutor.dispatch`."""
        indices = OfWorker(np.arange(self.workers))
        faulty = FaultyTask(task, self._faults)
        return self._executor.dispatch(faulty, placement, [*arguments, indices], without)

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Call a function, with the faults around it; see `AbstractExecutor.calls`."""
        return ExtraArgument(self._executor.calls(FaultyTask(function, self._faults)), int)

    def __repr__(self) -> str:
        return f"Faulty({self._executor!r}, {self._faults!r})"
