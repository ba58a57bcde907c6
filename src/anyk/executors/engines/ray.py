"""Workers that are Ray actors: one a share."""

from __future__ import annotations

import itertools
import pickle
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, final, get_args

from anyk.checks import count, positive, shown
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.broadcast import Broadcast, Broadcasts, keep
from anyk.executors.core.calls import AbstractCalls
from anyk.executors.core.crew import AbstractCrewed, Crew
from anyk.executors.core.link import Held
from anyk.executors.core.placements import split
from anyk.executors.core.raised import describe
from anyk.executors.core.run_task import Task
from anyk.executors.engines.link import EngineLink
from anyk.executors.engines.ray_calls import RayCalls
from anyk.executors.engines.ray_site import RaySite, amounts, check_ray, needed
from anyk.executors.engines.ray_values import library, without_refs
from anyk.executors.engines.ray_worker import Common, RayWorker
from anyk.work import WorkerTask

__all__ = ["Ray"]

_SMALL = 1 << 16  # bytes up to which (task, arguments) travel with each call

Nodes = Literal["any", "distinct"]


@final
class Ray(AbstractCrewed):
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
        memory: bytes that Ray sets aside for each actor.
        resources: of your own that Ray sets aside for each actor, by name.
        runtime_env: what Ray provides for each actor: packages, variables, a folder.
        patience: seconds that the start of an actor may take; its answers fail from then on, until
            the cluster has room for it.

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
        memory: float = 0.0,
        resources: Mapping[str, float] | None = None,
        runtime_env: Mapping[str, Any] | None = None,
        patience: float = 60.0,
    ) -> None:
        ray = library()
        number = count("workers", workers, least=1)
        if nodes not in get_args(Nodes):
            raise InvalidArgument(
                "nodes",
                given=shown(nodes),
                needed='"any" or "distinct"',
                change='Take "distinct" where workers are curious.',
            )
        self._nodes: Nodes = nodes
        plain = {"num_cpus": num_cpus, "num_gpus": num_gpus, "memory": memory}
        for name, amount in plain.items():
            if amount:
                positive(name, amount, change="Pass 1, say, or 0 for none.")
        options: dict[str, Any] = {name: float(amount) for name, amount in plain.items()}
        options["resources"] = _own_resources(resources)
        seconds = positive("patience", patience, change="Give seconds.")
        check_ray()
        needs, group = amounts(options), None
        if nodes == "distinct":
            group = ray.util.placement_group([needs] * number, strategy="STRICT_SPREAD")
        site = RaySite(_with_environment(options, runtime_env), group, seconds)

        actors = [RayWorker(site, place) for place in range(number)]

        def link(worker: int, held: Held) -> EngineLink:
            return EngineLink(actors[worker], held)

        self._actors, self._calls = actors, itertools.count()
        self._constants = Broadcasts("Ray", partial(_hold, site), site.drop)
        self._crew = Crew(
            "Ray", number, link=link, pack=_pack, ahead=False, check=check_ray, at_end=site.end
        )
        if group is not None and not group.wait(seconds):
            self.close()
            raise ExecutorError(
                f"Ray has no {number} nodes that have each, within {seconds:g} s, free: "
                f"{needed(needs)}. Start more, or lower what an actor needs."
            )

    @property
    def crew(self) -> Crew[EngineLink]:
        """The workers."""
        return self._crew

    @property
    def shares_per_machine(self) -> int:
        """How many shares may lie on one node: all of them, unless nodes are distinct."""
        return self.workers if self._nodes == "any" else 1

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Call a function on the actors; see `AbstractExecutor.calls`.

        An `ObjectRef` in an item, or in a partial that is the function, arrives as its value.
        """
        self._crew.check()
        calls = RayCalls(self._actors, next(self._calls), f"anyk {_name_of(function)}", function)
        self._crew.end_with(calls, calls.end)
        return calls

    def broadcast(self, value: Any) -> Broadcast:
        """Put a constant in Ray's object store; see `AbstractExecutor.broadcast`.

        Actors of one node share its arrays, which can't be written in. An `ObjectRef` is taken for
        what it refers to, and is put nowhere again.
        """
        self._crew.check()
        handle = self._constants.add(value)
        if isinstance(value, library().ObjectRef):
            keep(handle.key, library().get(value))
        return handle

    def close(self) -> None:
        """Kill the actors, whatever they do. Harmless when called twice."""
        self._constants.close()
        self._crew.close()

    def __repr__(self) -> str:
        return f"Ray({self.workers}, nodes={self._nodes!r})"


def _own_resources(resources: Any) -> dict[str, float]:
    given = {} if resources is None else resources
    if not isinstance(given, Mapping) or any(
        type(name) is not str or name in {"CPU", "GPU", "memory"} for name in given
    ):
        raise InvalidArgument(
            "resources",
            given=shown(resources),
            needed="a dict of resources of your own, such as {'fast_disk': 1}",
            change="Pass num_cpus, num_gpus and memory by these names.",
        )
    return {
        name: float(positive("resources", amount, change="Leave out what an actor does not need."))
        for name, amount in given.items()
    }


def _with_environment(options: dict[str, Any], environment: Any) -> dict[str, Any]:
    if environment is None:
        return options
    if not isinstance(environment, Mapping):
        raise InvalidArgument(
            "runtime_env",
            given=shown(environment),
            needed="a dict, as for ray.init",
            change="Pass {'env_vars': {'OMP_NUM_THREADS': '1'}}, say.",
        )
    return options | {"runtime_env": dict(environment)}


def _hold(site: RaySite, key: str, value: Any) -> None:
    ray = library()
    try:
        site.hold(key, value if isinstance(value, ray.ObjectRef) else ray.put(value))
    except Exception as error:
        raise InvalidArgument(
            "value",
            given=f"one that Ray can't take into its object store ({describe(error)})",
            needed="one that can be pickled, and for which there is room",
            change="Leave out locks, files and connections, or start Ray with a larger store.",
        ) from error


def _pack(task: Task, arguments: Sequence[Any], shares: int) -> tuple[Common, list[dict[int, Any]]]:
    common, rows = split(arguments, shares)
    plain, refs = without_refs(common)
    return Common(f"anyk {_name_of(task)}", _packed((task, plain)), refs), rows


def _name_of(task: Any) -> str:
    """What a task is called where Ray lists it."""
    function: Any = task
    if isinstance(task, WorkerTask):
        function = task.work if task.work.users is None else task.work.users
    inner = function
    while inner is not None and not hasattr(inner, "__qualname__"):  # a partial, or a promise
        inner = getattr(inner, "function", getattr(inner, "func", None))
    function = function if inner is None else inner
    return str(getattr(function, "__qualname__", type(function).__name__))


def _packed(common: tuple[Task, list[Any]]) -> Any:
    """(task, arguments) pickled, or in the object store where they are large: once for all."""
    ray = library()
    buffers: list[pickle.PickleBuffer] = []
    try:
        pickled = ray.cloudpickle.dumps(common, protocol=5, buffer_callback=buffers.append)
        if len(pickled) + sum(buffer.raw().nbytes for buffer in buffers) > _SMALL:
            return ray.put(common)
        return ray.cloudpickle.dumps(common) if buffers else pickled
    except Exception as error:
        raise InvalidArgument(
            "function",
            given=f"one that, or its arguments, Ray can't pickle ({describe(error)})",
            needed="a function and arguments that cloudpickle can send",
            change="Leave out locks, files and connections.",
        ) from error
