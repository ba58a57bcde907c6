"""One share's Ray actor, as the master sees it, and the next one; and what runs in it."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, final

import numpy as np

from anyk.errors import ExecutorError
from anyk.executors.core.raised import describe
from anyk.executors.core.run_task import Task
from anyk.executors.engines.link import AbstractEngineWorker
from anyk.executors.engines.slices import Slice
from anyk.executors.engines.worker_state import (
    ProcessId,
    Report,
    RunRequest,
    WorkerState,
    this_process,
)
from anyk.wording import missing_extra

__all__ = ["RaySite", "RayWorker", "RayWorkerState", "check_ray", "library"]


def library() -> Any:
    """`ray`, if it is installed.

    Raises:
        ImportError: if it is not.
    """
    try:
        import ray  # noqa: PLC0415 - import anyk must not need it
    except ImportError as error:
        raise missing_extra("anyk.Ray needs Ray", "ray") from error
    return ray


def check_ray() -> None:
    """Raise ExecutorError if Ray is not initialised."""
    if not library().is_initialized():
        raise ExecutorError("Ray is not initialised, or was shut down: call ray.init() first.")


@final
class RayWorkerState:
    """What holds a share in a process of Ray's: a Ray actor.

    Args:
        master: the process that made the executor.
    """

    def __init__(self, master: ProcessId) -> None:
        self._state = WorkerState(master)

    def node(self) -> str:
        """The node on which this is."""
        return str(library().get_runtime_context().get_node_id())

    def watch(self) -> None:
        """Never end: that this ended tells the master that the actor did."""
        threading.Event().wait()

    def keep(self, keys: tuple[int, ...]) -> None:
        """Forget all shares but those of these placements."""
        self._state.keep(keys)

    def take(self, piece: Slice) -> bool:
        """Take the next slice of a share; see `WorkerState.take`."""
        return self._state.take(piece)

    def run(
        self, request: RunRequest, common: bytes | tuple[Task, list[Any]], rows: Mapping[int, Any]
    ) -> Report:
        """Run a task on a share, kept in memory of its own instead of the node's object store."""
        if request.parts is not None:
            request = replace(request, parts=tuple(np.array(part) for part in request.parts))
        task, arguments = pickle.loads(common) if isinstance(common, bytes) else common  # noqa: S301
        return self._state.run(request, task, arguments, rows)


@final
class RaySite:
    """Where actors go, and which node has seen which share."""

    def __init__(self, options: dict[str, Any], group: Any, patience: float) -> None:
        self._ray = library()
        self._options = options
        self._group = group
        self._nodes: dict[str, int] = {}
        self._lock = threading.Lock()
        self.patience = patience

    def actor(self, place: int) -> Any:
        """Start an actor."""
        strategy: Any = "SPREAD"
        if self._group is not None:
            from ray.util.scheduling_strategies import (  # noqa: PLC0415 - as Ray itself
                PlacementGroupSchedulingStrategy,
            )

            strategy = PlacementGroupSchedulingStrategy(
                self._group, placement_group_bundle_index=place
            )
        make = self._ray.remote(
            max_restarts=0,
            max_task_retries=0,
            scheduling_strategy=strategy,
            concurrency_groups={"watch": 1},
            **self._options,
        )
        return make(RayWorkerState).remote(this_process())

    def admit(self, place: int, node: str) -> bool:
        """Whether a share may lie on a node: not where another one lay, if they are distinct."""
        with self._lock:
            return self._group is None or self._nodes.setdefault(node, place) == place

    def end(self) -> None:
        """Give the nodes back."""
        if self._group is not None and self._ray.is_initialized():
            self._ray.util.remove_placement_group(self._group)


@final
class RayWorker(AbstractEngineWorker):
    """One share's actor, and the next one when it dies."""

    def __init__(self, site: RaySite, place: int) -> None:
        self._site = site
        self._place = place
        self._actor: Any = None
        self._watch: Future[Any] | None = None
        self._deadline = 0.0
        self._lost = False

    @property
    def alive(self) -> bool:
        """Whether the actor is there."""
        watch = self._watch
        return not self._lost and (watch is None or not watch.done())

    def open(self) -> Future[Any] | None:
        """Start an actor; see `AbstractEngineWorker.open`."""
        check_ray()
        if self._watch is not None and not self._watch.done():
            return None
        self._lost = self._lost or self._watch is not None
        self._drop()
        self._actor = self._site.actor(self._place)
        self._watch = self._actor.watch.options(concurrency_group="watch").remote().future()
        self._deadline = time.monotonic() + self._site.patience
        ready: Future[Any] = Future()
        found: Future[Any] = self._actor.node.remote().future()
        found.add_done_callback(lambda node: self._admit(node, ready))
        return ready

    def keep(self, keys: tuple[int, ...]) -> Future[Any]:
        """Call the actor; see `AbstractEngineWorker.keep`."""
        return self._call("keep", keys)

    def take(self, piece: Slice) -> Future[bool]:
        """Call the actor; see `AbstractEngineWorker.take`."""
        return self._call("take", piece)

    def run(self, request: RunRequest, common: Any, rows: Mapping[int, Any]) -> Future[Report]:
        """Call the actor; see `AbstractEngineWorker.run`."""
        return self._call("run", request, common, rows)

    def withdraw(self, future: Future[Any]) -> bool:  # noqa: ARG002 - it began when it was sent
        """Not on Ray: False."""
        return False

    def fail(self, error: BaseException) -> str:
        """Give the actor up, unless it raised the error itself; see `AbstractEngineWorker.fail`."""
        errors: Any = library().exceptions
        if isinstance(error, errors.RayTaskError):  # raised on the actor, which is well
            return describe(error.cause)
        self._lost = True  # until there is another one
        self._drop()
        return "Ray actor died" if isinstance(error, errors.RayActorError) else describe(error)

    def check(self) -> None:
        """Look at Ray, and at how long an actor's start takes; see `AbstractEngineWorker.check`."""
        check_ray()
        if self._deadline and time.monotonic() > self._deadline:
            raise ExecutorError(
                f"no Ray actor in {self._site.patience:.0f} s: the cluster has no free place. Add "
                "nodes, or lower num_cpus."
            )

    def end(self) -> None:
        """Kill the actor."""
        self._lost = True
        self._drop()

    def _admit(self, found: Future[Any], ready: Future[Any]) -> None:
        self._deadline = 0.0
        if not ready.set_running_or_notify_cancel():
            return
        try:
            node = found.result()
            if not self._site.admit(self._place, node):
                raise ExecutorError("a node that has held another share.")  # noqa: TRY301
        except Exception as error:  # noqa: BLE001 - it goes on in the other future
            ready.set_exception(error)
        else:
            self._lost = False
            ready.set_result(node)

    def _call(self, method: str, *arguments: Any) -> Future[Any]:
        called: Future[Any] = getattr(self._actor, method).remote(*arguments).future()
        return called

    def _drop(self) -> None:
        actor, self._actor, self._watch, self._deadline = self._actor, None, None, 0.0
        ray = library()
        if actor is not None and ray.is_initialized():
            ray.kill(actor, no_restart=True)
