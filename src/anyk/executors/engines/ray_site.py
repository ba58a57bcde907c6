"""The cluster of Ray, as all actors of an executor share it: places, names, constants."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, final

from anyk.errors import ExecutorError
from anyk.executors.engines.ray_actor import AnykWorker
from anyk.executors.engines.ray_values import library
from anyk.executors.engines.worker_state import this_process

__all__ = ["RaySite", "amounts", "check_ray", "died", "needed"]


def check_ray() -> None:
    """Raise ExecutorError if Ray is not initialised."""
    if not library().is_initialized():
        raise ExecutorError("Ray is not initialised, or was shut down: call ray.init() first.")


def amounts(options: Mapping[str, Any]) -> dict[str, float]:
    """What options of `ray.remote` take of a node, by Ray's names of resources.

    Example:
        >>> from anyk.executors.engines.ray_site import amounts
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
            max_restarts=0, max_task_retries=0, concurrency_groups={"beside": 2}, **options
        )(AnykWorker)
        self._needed = amounts(options)
        self._group = group
        self._label = uuid.uuid4().hex[:6]
        self._nodes: dict[str, int] = {}
        self._admitting = threading.Lock()  # of these; held by Ray's own thread too, never for long
        self._lock = threading.Lock()  # of all that follow
        self._started: Counter[int] = Counter()
        self._actors: dict[int, Any] = {}
        self._constants: dict[str, Any] = {}  # references, by key
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
            actor = self._actors[place] = make.remote(this_process(), name)
            for key, ref in self._constants.items():
                actor.hold.remote(key, [ref])
        return actor

    def kill(self, place: int, actor: Any) -> None:
        """End an actor."""
        with self._lock:
            if self._actors.get(place) is actor:
                del self._actors[place]
        if self._ray.is_initialized():
            self._ray.kill(actor, no_restart=True)

    def hold(self, key: str, ref: Any) -> None:
        """Let all actors hold a constant, before whatever they are asked next."""
        with self._lock:
            self._constants[key] = ref
            for actor in self._actors.values():
                actor.hold.remote(key, [ref])

    def drop(self, key: str) -> None:
        """Let all actors forget a constant."""
        with self._lock:
            self._constants.pop(key, None)
            if self._ray.is_initialized():
                for actor in self._actors.values():
                    actor.drop.remote(key)

    def admit(self, place: int, node: str) -> bool:
        """Whether a share may lie on a node: not where another one lay, if they are distinct."""
        with self._admitting:
            return self._group is None or self._nodes.setdefault(node, place) == place

    def no_room(self) -> str:
        """Why an actor has not begun, as far as is known."""
        free: dict[str, float] = {}
        with suppress(Exception):  # Ray may be on its way down
            free = self._ray.available_resources()
        of = ", ".join(f"{free.get(name, 0.0):g} of {name}" for name in self._needed)
        return (
            f"no Ray actor in {self.patience:g} s: the cluster has no free place for one that "
            f"needs {needed(self._needed)} (free, on all nodes: {of or 'unknown'}). Add nodes, or "
            "lower what an actor needs, such as num_cpus."
        )

    def end(self) -> None:
        """Give the nodes back."""
        self._constants.clear()
        if self._group is not None and self._ray.is_initialized():
            self._ray.util.remove_placement_group(self._group)
