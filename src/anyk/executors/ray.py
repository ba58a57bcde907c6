"""Workers that are Ray actors: one a share."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Literal, final, get_args

import numpy as np
from numpy.typing import NDArray

from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.attempt import Task, describe
from anyk.executors.base import AbstractDispatch, AbstractExecutor, Placement
from anyk.executors.engine_crew import Crew
from anyk.executors.engine_depot import Depot, Errand, Home, Report, home
from anyk.executors.engine_link import AbstractPort
from anyk.spec import count, positive, shown

__all__ = ["Ray"]

_SMALL = 1 << 16  # bytes up to which (task, arguments) travel with each call

Nodes = Literal["any", "distinct"]


def _library() -> Any:
    try:
        import ray  # noqa: PLC0415 - import anyk must not need it
    except ImportError as error:
        raise ImportError("anyk.Ray needs Ray: pip install 'anyk[ray]'") from error
    return ray


@final
class RayDepot:
    """What holds a share in a process of Ray's: a Ray actor.

    Args:
        master: the process that made the executor.
    """

    def __init__(self, master: Home) -> None:
        self._depot = Depot(master)

    def node(self) -> str:
        """The node on which this is."""
        return str(_library().get_runtime_context().get_node_id())

    def watch(self) -> None:
        """Never end: that this ended tells the master that the actor did."""
        threading.Event().wait()

    def keep(self, keys: tuple[int, ...]) -> None:
        """Forget all shares but these."""
        self._depot.keep(keys)

    def run(
        self, errand: Errand, order: bytes | tuple[Task, list[Any]], rows: Mapping[int, Any]
    ) -> Report:
        """Run a task on a share, kept in memory of its own instead of the node's object store."""
        if errand.share is not None:
            errand = replace(errand, share=tuple(np.array(part) for part in errand.share))
        task, arguments = pickle.loads(order) if isinstance(order, bytes) else order  # noqa: S301
        return self._depot.run(errand, task, arguments, rows)


@final
class _Site:
    """Where actors go, and which node has seen which share."""

    def __init__(self, options: dict[str, Any], group: Any, patience: float) -> None:
        self._ray = _library()
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
        return make(RayDepot).remote(home())

    def admit(self, place: int, node: str) -> bool:
        """Whether a share may lie on a node: not where another one lay, if they are distinct."""
        with self._lock:
            return self._group is None or self._nodes.setdefault(node, place) == place

    def end(self) -> None:
        """Give the nodes back."""
        if self._group is not None and self._ray.is_initialized():
            self._ray.util.remove_placement_group(self._group)


@final
class _Port(AbstractPort):
    """One share's actor, and the next one when it dies."""

    def __init__(self, site: _Site, place: int) -> None:
        self._site = site
        self._place = place
        self._actor: Any = None
        self._watch: Future[Any] | None = None
        self._deadline = 0.0
        self._lost = False

    @property
    def alive(self) -> bool:
        watch = self._watch
        return not self._lost and (watch is None or not watch.done())

    def open(self) -> Future[Any] | None:
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
        return self._call("keep", keys)

    def run(self, errand: Errand, order: Any, rows: Mapping[int, Any]) -> Future[Report]:
        return self._call("run", errand, order, rows)

    def withdraw(self, future: Future[Any]) -> bool:  # noqa: ARG002 - it began when it was sent
        return False

    def fail(self, error: BaseException) -> str:
        errors: Any = _library().exceptions
        if isinstance(error, errors.RayTaskError):  # raised on the actor, which is well
            return describe(error.cause)
        self._lost = True  # until there is another one
        self._drop()
        return "Ray actor died" if isinstance(error, errors.RayActorError) else describe(error)

    def check(self) -> None:
        check_ray()
        if self._deadline and time.monotonic() > self._deadline:
            raise ExecutorError(
                f"no Ray actor in {self._site.patience:.0f} s: the cluster has no free place."
            )

    def end(self) -> None:
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
        ray = _library()
        if actor is not None and ray.is_initialized():
            ray.kill(actor, no_restart=True)


@final
class Ray(AbstractExecutor):
    """Workers that are Ray actors, one a share, spread over the nodes.

    An actor holds its share in memory of its own between calls. It is never restarted by Ray, and
    no task is retried: an actor that dies is one failed answer; another one takes its place and
    gets the share before its next task. An actor runs one task at a time, which can't be
    interrupted: one of a call that is over holds up the next task on its own actor alone, and
    nobody waits for it. Closing the executor kills the actors, whatever they do.

    Shares pass through the object store of the actor's node, and all processes of a node run as
    one user: actors on one node are one coalition. With ``nodes="any"``, Ray may put all of them
    there, and schemes that promise anything about colluders are refused; ``nodes="distinct"``
    puts each on a node of its own, or fails. Liars are counted by actor: a node with bad memory is
    as many as it has actors.

    Functions are sent by Ray's pickle, so that lambdas and closures work; nodes need anyk
    installed. Ray unpickles what its workers send and keeps no process of the cluster from another
    one's objects: it is for workers that are trusted not to be malicious.

    Args:
        workers: N, how many actors there are. They start in the background.
        nodes: "any" node may have several of them; "distinct" nodes, one each.
        num_cpus: that Ray sets aside for each actor.
        num_gpus: that Ray sets aside for each actor.
        patience: seconds that the start of an actor may take; its answer has then failed.

    Raises:
        ImportError: if Ray is not installed.
        InvalidArgument: if a number is out of range.
        ExecutorError: if Ray is not initialised, or has too few nodes.

    Example:
        >>> anyk.Ray(3)
        Traceback (most recent call last):
        anyk.errors.ExecutorError: Ray is not initialised, or was shut down: call ray.init() first.
        >>> ray.init()  # doctest: +SKIP
        >>> with anyk.Ray(3) as executor:  # doctest: +SKIP
        ...     anyk.run(anyk.Replication(2, 3), lambda x: x**2, [5.0, 6.0], executor).value
        array([25., 36.])
    """

    def __init__(
        self,
        workers: int,
        *,
        nodes: Nodes = "any",
        num_cpus: float = 1.0,
        num_gpus: float = 0.0,
        patience: float = 60.0,
    ) -> None:
        ray = _library()
        self._workers = count("workers", workers, least=1)
        if nodes not in get_args(Nodes):
            raise InvalidArgument(
                "nodes",
                given=shown(nodes),
                needed='"any" or "distinct"',
                change='Take "distinct" where workers are curious.',
            )
        self._nodes: Nodes = nodes
        options = {"num_cpus": float(num_cpus), "num_gpus": float(num_gpus)}
        for name, number in options.items():
            if number:
                positive(name, number, change="Pass 1, say, or 0 for none.")
        seconds = positive("patience", patience, change="Give seconds.")
        check_ray()
        group = None
        if nodes == "distinct":
            bundle = {"CPU": num_cpus, "GPU": num_gpus}
            bundle = {name: number for name, number in bundle.items() if number}
            group = ray.util.placement_group([bundle] * self._workers, strategy="STRICT_SPREAD")
        self._site = _Site(options, group, seconds)
        self._crew = Crew(
            [_Port(self._site, worker) for worker in range(self._workers)], name="anyk ray"
        )
        if group is not None and not group.wait(seconds):
            self.close()
            raise ExecutorError(
                f"Ray has no {self._workers} nodes with {num_cpus:g} free CPUs and {num_gpus:g} "
                f"GPUs each within {seconds:.0f} s; start more, or lower what an actor needs."
            )

    @property
    def workers(self) -> int:
        """How many actors there are."""
        return self._workers

    @property
    def shares_per_machine(self) -> int:
        """How many shares may lie on one node: all of them, unless nodes are distinct."""
        return self._workers if self._nodes == "any" else 1

    @property
    def alive(self) -> tuple[bool, ...]:
        """By worker, whether its actor is there."""
        return self._crew.alive

    def clock(self) -> float:
        """Seconds on `time.perf_counter`."""
        return time.perf_counter()

    def place(self, parts: Sequence[NDArray[Any]]) -> Placement:
        """Keep shares, which the first task takes along; see `AbstractExecutor.place`.

        The arrays are not copied here, and are kept for actors that die: do not write in them.
        """
        check_ray()
        return self._crew.place(self, parts)

    def dispatch(
        self, task: Task, placement: Placement, arguments: Sequence[Any]
    ) -> AbstractDispatch:
        """Run a task on every actor that holds a share; see `AbstractExecutor.dispatch`."""
        check_ray()
        return self._crew.dispatch(self, task, placement, arguments, pack=_order)

    def release(self, placement: Placement) -> None:
        """Let the actors forget shares, in the background. Harmless when called twice."""
        self._crew.release(placement)

    def close(self) -> None:
        """Kill the actors. Harmless when called twice."""
        self._crew.close()
        self._site.end()

    def __repr__(self) -> str:
        return f"Ray({self._workers}, nodes={self._nodes!r})"


def check_ray() -> None:
    """Raise ExecutorError if Ray is not initialised."""
    if not _library().is_initialized():
        raise ExecutorError("Ray is not initialised, or was shut down: call ray.init() first.")


def _order(order: tuple[Task, list[Any]]) -> Any:
    """(task, arguments) pickled, or in the object store where they are large: once for all."""
    ray = _library()
    buffers: list[pickle.PickleBuffer] = []
    try:
        pickled = ray.cloudpickle.dumps(order, protocol=5, buffer_callback=buffers.append)
        if len(pickled) + sum(buffer.raw().nbytes for buffer in buffers) > _SMALL:
            return ray.put(order)
        return ray.cloudpickle.dumps(order) if buffers else pickled
    except Exception as error:
        raise InvalidArgument(
            "function",
            given=f"one that, or its arguments, Ray can't pickle ({describe(error)})",
            needed="a function and arguments that cloudpickle can send",
            change="Leave out locks, files and connections.",
        ) from error
