"""Workers that are Ray actors: one a share."""

from __future__ import annotations

import pickle
from collections.abc import Sequence
from typing import Any, Literal, final, get_args

from anyk.checks import count, positive, shown
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.core.crew import AbstractCrewed, Crew
from anyk.executors.core.link import Held
from anyk.executors.core.placements import split
from anyk.executors.core.raised import describe
from anyk.executors.core.run_task import Task
from anyk.executors.engines.link import EngineLink
from anyk.executors.engines.ray_worker import RaySite, RayWorker, check_ray, library

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
        options = {"num_cpus": float(num_cpus), "num_gpus": float(num_gpus)}
        for name, amount in options.items():
            if amount:
                positive(name, amount, change="Pass 1, say, or 0 for none.")
        seconds = positive("patience", patience, change="Give seconds.")
        check_ray()
        group = None
        if nodes == "distinct":
            bundle = {"CPU": num_cpus, "GPU": num_gpus}
            bundle = {name: amount for name, amount in bundle.items() if amount}
            group = ray.util.placement_group([bundle] * number, strategy="STRICT_SPREAD")
        site = RaySite(options, group, seconds)

        def link(worker: int, held: Held) -> EngineLink:
            return EngineLink(RayWorker(site, worker), held)

        self._crew = Crew(
            "Ray", number, link=link, pack=_pack, ahead=False, check=check_ray, at_end=site.end
        )
        if group is not None and not group.wait(seconds):
            self.close()
            raise ExecutorError(
                f"Ray has no {number} nodes with {num_cpus:g} free CPUs and {num_gpus:g} "
                f"GPUs each within {seconds:.0f} s; start more, or lower what an actor needs."
            )

    @property
    def crew(self) -> Crew[EngineLink]:
        """The workers."""
        return self._crew

    @property
    def shares_per_machine(self) -> int:
        """How many shares may lie on one node: all of them, unless nodes are distinct."""
        return self.workers if self._nodes == "any" else 1

    def __repr__(self) -> str:
        return f"Ray({self.workers}, nodes={self._nodes!r})"


def _pack(task: Task, arguments: Sequence[Any], shares: int) -> tuple[Any, list[dict[int, Any]]]:
    common, rows = split(arguments, shares)
    return _packed((task, common)), rows


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
