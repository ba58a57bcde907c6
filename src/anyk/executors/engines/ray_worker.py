"""One worker's Ray actor, as the master sees it, and the next one; and what runs in it."""

from __future__ import annotations

import pickle
import threading
import time
import uuid
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, final

import numpy as np

from anyk.errors import ExecutorError, missing_extra
from anyk.executors.core.raised import LONGEST_FAILURE, describe, printable
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

__all__ = [
    "AnykWorker",
    "Common",
    "RaySite",
    "RayWorker",
    "amounts",
    "check_ray",
    "library",
    "needed",
]


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


def amounts(options: Mapping[str, Any]) -> dict[str, float]:
    """What options of `ray.remote` take of a node, by Ray's names of resources.

    Example:
        >>> from anyk.executors.engines.ray_worker import amounts
        >>> amounts({"num_cpus": 0.5, "num_gpus": 0.0, "resources": {"disk": 1.0}})
        {'CPU': 0.5, 'disk': 1.0}
    """
    named = {name: options.get(option, 0.0) for option, name in _NAMES.items()}
    named |= options.get("resources") or {}
    return {name: amount for name, amount in named.items() if amount}


def needed(amounts: Mapping[str, float]) -> str:
    """Amounts of resources, in words."""
    return ", ".join(f"{amount:g} of {name}" for name, amount in amounts.items()) or "nothing"


def died(error: BaseException) -> str:
    """How an actor died, by what Ray says of it."""
    errors, said = library().exceptions, str(error)
    if isinstance(error, errors.ActorUnavailableError):
        return "Ray actor can't be reached: it or its node may have died"
    if getattr(error, "preempted", False):
        return "Ray actor died: its node was taken away"
    return "Ray actor died with its node" if _NODE_DIED in said else "Ray actor died"


_NAMES = {"num_cpus": "CPU", "num_gpus": "GPU", "memory": "memory"}  # of options and resources
_NODE_DIED = "its node has died"


@final
class _NoRoom(ExecutorError):  # noqa: N818 - it never leaves this file
    """An actor has not begun within the patience of its executor."""


@final
@dataclass(frozen=True, eq=False)
class Common:
    """A task and the arguments for all shares, on their way to actors.

    Args:
        title: what the task is called where Ray lists its tasks.
        payload: both pickled, or an `ObjectRef` of both.
    """

    title: str
    payload: Any


@final
class AnykWorker:
    """What holds shares in a process of Ray's: a Ray actor, listed by this name.

    Args:
        master: the process that made the executor.
        name: of the actor, which its log lines begin with.
    """

    def __init__(self, master: ProcessId, name: str) -> None:
        self._state = WorkerState(master)
        self._name = name

    def __repr__(self) -> str:
        return self._name

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
    """Where actors go, what each takes of the cluster, and which node has seen which share.

    Args:
        options: what an actor takes, in the words of `ray.remote`.
        group: the placement group whose bundles actors take, one each; None to spread them.
        patience: seconds that the start of an actor may take.
    """

    def __init__(self, options: dict[str, Any], group: Any, patience: float) -> None:
        self._ray = library()
        self._make = self._ray.remote(
            max_restarts=0, max_task_retries=0, concurrency_groups={"watch": 1}, **options
        )(AnykWorker)
        self._needed = amounts(options)
        self._group = group
        self._label = uuid.uuid4().hex[:6]
        self._started: Counter[int] = Counter()
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
        with self._lock:
            number, self._started[place] = self._started[place], self._started[place] + 1
        name = f"anyk-{self._label}-worker-{place}" + f"-again-{number}" * bool(number)
        make = self._make.options(name=name, scheduling_strategy=strategy)
        return make.remote(this_process(), name)

    def admit(self, place: int, node: str) -> bool:
        """Whether a share may lie on a node: not where another one lay, if they are distinct."""
        with self._lock:
            return self._group is None or self._nodes.setdefault(node, place) == place

    def no_room(self) -> str:
        """Why an actor has not begun, as far as is known."""
        free: dict[str, float] = {}
        with suppress(Exception):  # Ray may be on its way down
            free = self._ray.available_resources()
        of = ", ".join(f"{free.get(name, 0.0):g} of {name}" for name in self._needed)
        return (
            f"no Ray actor in {self.patience:.0f} s: the cluster has no free place for one that "
            f"needs {needed(self._needed)} (free, on all nodes: {of or 'unknown'}). Add nodes, or "
            "lower what an actor needs, such as num_cpus."
        )

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
        self._node: Future[Any] | None = None
        self._deadline = 0.0  # by which an actor that has not begun should have; 0 once it has
        self._lost = False

    @property
    def alive(self) -> bool:
        """Whether the actor is there, or is still expected."""
        watch = self._watch
        return not self._lost and not self._overdue and (watch is None or not watch.done())

    def open(self) -> Future[Any] | None:
        """Start an actor, or wait for one that was; see `AbstractEngineWorker.open`."""
        check_ray()
        if self._watch is None or self._watch.done():
            self._lost = self._lost or self._watch is not None
            self._drop()
            self._actor = self._site.actor(self._place)
            self._watch = self._actor.watch.options(concurrency_group="watch").remote().future()
            self._deadline = time.monotonic() + self._site.patience
            self._node = self._actor.node.remote().future()
        if self._node is None:
            return None
        ready: Future[Any] = Future()
        self._node.add_done_callback(partial(self._admit, ready=ready))
        return ready

    def keep(self, keys: tuple[int, ...]) -> Future[Any]:
        """Call the actor; see `AbstractEngineWorker.keep`."""
        return self._call("keep", keys)

    def take(self, piece: Slice) -> Future[bool]:
        """Call the actor; see `AbstractEngineWorker.take`."""
        return self._call("take", piece)

    def run(self, request: RunRequest, common: Common, rows: Mapping[int, Any]) -> Future[Report]:
        """Call the actor; see `AbstractEngineWorker.run`."""
        run = self._actor.run.options(name=common.title)
        called: Future[Report] = run.remote(request, common.payload, rows).future()
        return called

    def withdraw(self, future: Future[Any]) -> bool:  # noqa: ARG002 - it began when it was sent
        """Not on Ray: False."""
        return False

    def fail(self, error: BaseException) -> str:
        """Give the actor up, unless it raised the error itself; see `AbstractEngineWorker.fail`."""
        errors: Any = library().exceptions
        if isinstance(error, errors.RayTaskError):  # raised on the actor, which is well
            return describe(error.cause)
        if isinstance(error, _NoRoom):  # it stays in Ray's queue, in case that there is some soon
            return printable(str(error)[:LONGEST_FAILURE])
        self._lost = True  # until there is another one
        self._drop()
        return died(error) if isinstance(error, errors.RayActorError) else describe(error)

    def check(self) -> None:
        """Look at Ray, and at how long an actor's start takes; see `AbstractEngineWorker.check`."""
        check_ray()
        if self._overdue:
            raise _NoRoom(self._site.no_room())

    @property
    def _overdue(self) -> bool:
        return bool(self._deadline) and time.monotonic() > self._deadline

    def end(self) -> None:
        """Kill the actor."""
        self._lost = True
        self._drop()

    def _admit(self, found: Future[Any], ready: Future[Any]) -> None:
        if found is self._node and not found.exception():
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
            self._lost, self._node = False, None
            ready.set_result(node)

    def _call(self, method: str, *arguments: Any) -> Future[Any]:
        called: Future[Any] = getattr(self._actor, method).remote(*arguments).future()
        return called

    def _drop(self) -> None:
        actor, self._actor, self._watch, self._node = self._actor, None, None, None
        self._deadline = 0.0
        ray = library()
        if actor is not None and ray.is_initialized():
            ray.kill(actor, no_restart=True)
