"""`AnykBackend`: joblib's tasks on any executor, as `anyk.map` computes items."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any, final

from joblib.parallel import (  # type: ignore[import-untyped]
    AutoBatchingMixin,
    ParallelBackendBase,
)

from anyk.errors import InvalidArgument
from anyk.executors.core.base import AbstractExecutor
from anyk.executors.core.broadcast import Broadcast
from anyk.joblib.driver import Driver
from anyk.joblib.parcels import packed
from anyk.joblib.same import SameButTimes
from anyk.joblib.submitted import Job
from anyk.running.arguments import check_executor
from anyk.running.mapping.here import here
from anyk.running.mapping.options import Equal, MapSettings

__all__ = ["AnykBackend"]


@final
class AnykBackend(AutoBatchingMixin, ParallelBackendBase):  # type: ignore[misc] # joblib ships no types
    """joblib's tasks on the workers of an executor: late ones are not waited for, liars are named.

    After `import anyk.joblib`, joblib knows it as "anyk", and so do scikit-learn and whatever else
    computes by joblib. Its tasks are the items of `anyk.map`: idle workers compute what is late
    too, a worker that dies loses nothing, and with `agree=2` no single worker makes a result
    wrong. A task has arguments of its own each time, so second copies do not meet. What it raises
    is raised, with the traceback of its worker as the cause. Tasks within tasks run in threads.

    Args:
        executor: where tasks run; None for processes of this machine.
        copies: as of `anyk.map`.
        agree: as of `anyk.map`. Tasks must answer the same each time: give estimators a
            `random_state`. How long a fit took is not compared.
        rtol: as of `anyk.map`.
        equal: as of `anyk.map`, of two lists of results, of the tasks that travelled together.
        retries: as of `anyk.map`.
        broadcast: objects that workers are sent once a call, such as [X, y]: arguments of tasks
            that are these very objects. Tasks must not write in them.
        nesting_level: joblib sets it.

    Raises:
        InvalidArgument: if an argument can't be used.

    Example:
        >>> import joblib
        >>> import anyk.joblib
        >>> with anyk.Threads(4) as executor, joblib.parallel_config("anyk", executor=executor):
        ...     joblib.Parallel()(joblib.delayed(pow)(2, n) for n in range(8))
        [1, 2, 4, 8, 16, 32, 64, 128]
    """

    supports_retrieve_callback = True
    default_n_jobs = -1

    def __init__(
        self,
        executor: AbstractExecutor | None = None,
        *,
        copies: int = 2,
        agree: int = 1,
        rtol: float | None = None,
        equal: Equal | None = None,
        retries: int = 1,
        broadcast: Iterable[Any] = (),
        nesting_level: int | None = None,
    ) -> None:
        super().__init__(nesting_level=nesting_level)
        self._settings = MapSettings(
            copies=copies,
            agree=agree,
            rtol=rtol,
            equal=SameButTimes(rtol) if equal is None else equal,
            retries=retries,
            on_failure="return",
            progress=False,
        )
        if executor is not None:
            check_executor(executor)
            if executor.by_name:
                raise InvalidArgument(
                    "executor",
                    given=f"{type(executor).__name__}, whose workers have functions of their own",
                    needed="workers that can be sent a function",
                    change="Take anyk.Processes, anyk.Dask or anyk.Ray.",
                )
        self._given = executor
        self._constants = tuple(broadcast)
        self._held: dict[int, Broadcast] = {}
        self._call = ExitStack()  # what ends with this call
        self._driver: Driver | None = None
        self._most = 0
        self._seconds = 0.0

    @property
    def _executor(self) -> AbstractExecutor:
        if self._given is None:
            self._given = here(self._settings.least)
        return self._given

    def effective_n_jobs(self, n_jobs: int | None) -> int:
        """How many tasks run at a time: as many as there are workers, or fewer."""
        if n_jobs == 0:
            raise InvalidArgument(
                "n_jobs", given="0", needed="a number of tasks", change="Pass -1 for all workers."
            )
        workers = self._executor.workers
        if n_jobs is None:
            return 1
        return min(n_jobs, workers) if n_jobs > 0 else max(1, workers + 1 + n_jobs)

    def configure(self, n_jobs: int = 1, parallel: Any = None, **_options: Any) -> int:
        """Prepare for calls of a `joblib.Parallel`; how many tasks it may run at a time."""
        self.parallel = parallel
        self._most = self.effective_n_jobs(n_jobs)
        return self._most

    def start_call(self) -> None:
        """A call begins."""
        workers = self._executor.workers
        most = 2**31 if self._most >= workers else self._most
        with ExitStack() as call:
            for value in self._constants:
                self._held[id(value)] = call.enter_context(self._executor.broadcast(value))
            self._driver = Driver(self._executor, self._settings, most)
            call.callback(self._driver.close)
            self._call = call.pop_all()

    def stop_call(self) -> None:
        """A call is over."""
        self._call.close()
        self._held.clear()
        self.reset_batch_stats()

    def submit(
        self, func: Callable[[], Any], callback: Callable[[Job], object] | None = None
    ) -> Job:
        """Compute a batch of tasks; what can't be sent fails as it would on a worker."""
        job = Job(callback)
        try:
            parcel = packed(func, self._held)
        except Exception as error:  # noqa: BLE001 - whatever pickling raises
            job.fail(error)
        else:
            if self._driver is not None:
                self._driver.submit(job, parcel)
        return job

    def apply_async(self, func: Any, callback: Any = None) -> Job:
        """Compute a batch of tasks, for versions of joblib that know no `submit`."""
        return self.submit(func, callback)

    def retrieve_result_callback(self, out: Job) -> Any:
        """What a batch returned; raises what it raised."""
        self._seconds = out.seconds
        return out.result()

    def batch_completed(self, batch_size: int, duration: float) -> None:  # noqa: ARG002
        """Learn how long a batch takes: on its worker, as waiting for one tells nothing."""
        super().batch_completed(batch_size, self._seconds)

    def abort_everything(self, ensure_ready: bool = True) -> None:  # noqa: FBT001, FBT002 - joblib's
        """Give up the tasks of a call; what runs is left to end by itself."""
        if self._driver is not None:
            self._driver.close()
        if ensure_ready:
            self.configure(n_jobs=self.parallel.n_jobs, parallel=self.parallel)
