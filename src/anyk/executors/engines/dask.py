"""Workers of a Dask cluster: one share each, and no data of it through the scheduler."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, final

from anyk.checks import count, instance, positive
from anyk.errors import InvalidArgument
from anyk.executors.core.broadcast import Broadcast, Broadcasts
from anyk.executors.core.calls import AbstractCalls
from anyk.executors.core.crew import AbstractCrewed, Crew
from anyk.executors.core.link import Held
from anyk.executors.core.placements import split
from anyk.executors.core.run_task import Task
from anyk.executors.engines.dask_calls import DaskCalls
from anyk.executors.engines.dask_constants import DaskConstants, with_handles
from anyk.executors.engines.dask_frames import Frames, library, sendable
from anyk.executors.engines.dask_place import (
    DaskPlace,
    DaskRoster,
    check_client,
    end,
    listed_workers,
    most_threads,
)
from anyk.executors.engines.dask_worker import DaskWorker
from anyk.executors.engines.link import EngineLink

__all__ = ["Dask"]


@final
class Dask(AbstractCrewed):
    """Workers of a Dask cluster, one share each.

    A share lies in the memory of its worker, from where Dask neither moves, copies nor spills it.
    Shares, tasks, arguments and answers travel on a connection from this process to the worker; the
    scheduler and its task graphs see none of them. When the connection ends, as it does with this
    process or the client, however they end, the worker drops the shares.

    A share is computed by a task of Dask's, pinned to the worker (``workers=[address]``, no other
    worker, no retries): it takes a thread of the worker, and the resources that are named, waits
    its turn, and shows in the dashboard and in ``client.processing()``. It can't be interrupted:
    one of a call that is over keeps its thread until it ends, and nobody waits for it; one that has
    not begun is cancelled. Nothing is retried and nothing runs twice. A worker that dies is one
    failed answer; another one takes its place, by preference the one that Dask's nanny starts under
    the same name, and gets the share before its next task. So it is with a worker that retires, but
    that what had not begun there goes on at the next. A worker that loses its connections to the
    scheduler ends and takes its nanny along: whoever runs the cluster starts another one. A worker
    that has held one share never gets another worker's.

    Functions are sent by Dask's pickle, so that lambdas and closures work. Workers need anyk
    installed, and must be reachable from here. Dask unpickles what its workers send, here and on
    the scheduler, and lets each of them run code on the others: it keeps no malicious worker from
    anything, and no curious one from the others' shares unless the cluster separates them itself.

    Args:
        client: a connected ``dask.distributed.Client``; it stays open when this is closed.
        workers: N, how many shares there is room for; None for all workers that the cluster has
            now.
        shares_per_worker: how many shares one Dask worker takes. With more than 1, a late worker
            is as many stragglers, and schemes that promise anything about liars or colluders are
            refused. No more of them are computed at once than the worker has threads.
        resources: of a Dask worker, by name, that a share takes while it is computed, as in
            ``client.submit``: {"GPU": 1}, say.

    Raises:
        ImportError: if Dask is not installed.
        InvalidArgument: if a number is out of range, or the cluster has too few workers with these
            resources.
        ExecutorError: if the client is closed.

    Example:
        >>> from distributed import Client
        >>> with Client(n_workers=3, processes=False, dashboard_address=":0") as client:
        ...     with anyk.Dask(client) as executor:
        ...         anyk.run(anyk.Replication(2, 3), lambda x: x**2, [5.0, 6.0], executor).value
        array([25., 36.])
    """

    def __init__(
        self,
        client: Any,
        workers: int | None = None,
        *,
        shares_per_worker: int = 1,
        resources: Mapping[str, float] | None = None,
    ) -> None:
        instance("client", client, library().Client, change="Pass a dask.distributed.Client.")
        self._shares = count("shares_per_worker", shares_per_worker, least=1)
        if client.asynchronous:
            raise InvalidArgument(
                "client",
                given="an asynchronous Client",
                needed="one whose event loop runs in a thread of its own",
                change="Make it without asynchronous=True.",
            )
        self._client = client
        check_client(client)
        needed = dict(resources or {})
        for name, amount in needed.items():
            positive("resources", amount, change=f"Say how much of {name} a task takes.")
        there = client.sync(listed_workers, client, needed)
        number = (
            max(1, self._shares * len(there))
            if workers is None
            else count("workers", workers, least=1)
        )
        machines = math.ceil(number / self._shares)
        having = f" that have {needed}" if needed else ""
        if machines > len(there):
            raise InvalidArgument(
                "workers",
                given=f"{number}, on a cluster of {len(there)} Dask workers{having}",
                needed=f"{machines} Dask workers{having}, for {self._shares} share(s) each",
                change=f"Start more and wait: client.wait_for_workers({machines}); or say with "
                "shares_per_worker= that one worker may hold several shares.",
            )
        roster = DaskRoster(client, there[:machines], needed)
        self._constants = DaskConstants(client)
        places = [DaskPlace(client, roster, place, self._constants) for place in range(machines)]
        self._places = [places[worker // self._shares] for worker in range(number)]
        self._threads = client.sync(most_threads, client)
        self._broadcasts = Broadcasts("Dask", send=self._send, drop=self._drop)
        by_worker = tuple(self._places)

        def link(worker: int, held: Held) -> EngineLink:
            return EngineLink(DaskWorker(by_worker[worker], worker), held)

        self._crew = Crew(
            "Dask",
            number,
            link=link,
            pack=partial(_pack, client),
            ahead=False,
            check=partial(check_client, client),
            at_end=partial(end, client, places, self._constants),
            more="Start more Dask workers, pass shares_per_worker= (against late workers alone)",
        )

    @property
    def crew(self) -> Crew[EngineLink]:
        """The workers."""
        return self._crew

    @property
    def client(self) -> Any:
        """The connected ``dask.distributed.Client``."""
        return self._client

    @property
    def shares_per_worker(self) -> int:
        """How many shares one Dask worker takes."""
        return self._shares

    @property
    def shares_per_machine(self) -> int:
        """The same: Dask workers are taken for machines of their own."""
        return self._shares

    def calls(self, function: Callable[..., Any]) -> AbstractCalls:
        """Call a function in tasks of the cluster's; see `AbstractExecutor.calls`."""
        self.crew.check()
        calls = DaskCalls(self._places, function, _shown(function), self._threads)
        self.crew.end_with(calls, calls.end)
        return calls

    def broadcast(self, value: Any) -> Broadcast:
        """Put a constant in Dask's store; see `AbstractExecutor.broadcast`."""
        self.crew.check()
        return self._broadcasts.add(value)

    def close(self) -> None:
        """Let the workers forget everything, and wait for none that is busy."""
        self._broadcasts.close()
        self.crew.close()

    def _send(self, key: str, value: Any) -> None:
        sendable("value", value)
        self._places[0].start(self._constants.add(key, value)).result()

    def _drop(self, key: str) -> None:
        for place in dict.fromkeys(self._places):
            place.forget(key)

    def __repr__(self) -> str:
        return f"<Dask: {self.workers} workers of {self._client!r}>"


def _pack(
    client: Any, task: Task, arguments: Sequence[Any], shares: int
) -> tuple[tuple[str, Frames, Mapping[str, Any]], list[dict[int, Any]]]:
    """What travels of a task: its name, itself with its arguments, and futures among them."""
    common, rows = split(arguments, shares)
    handed, futures = with_handles((task, common), client)
    return (_shown(task), sendable("function", handed), futures), rows


def _shown(function: Callable[..., Any]) -> str:
    """A name that Dask shows well, and takes for one kind of task."""
    from dask.utils import funcname  # noqa: PLC0415 - import anyk must not need it

    name = str(funcname(function))
    return name if name.isidentifier() else "task"
