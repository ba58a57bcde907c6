"""Workers of a Dask cluster: one share each, and nothing of it through the scheduler."""

from __future__ import annotations

import asyncio
import contextvars
import math
import pickle
import time
import uuid
import weakref
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.attempt import Task, describe
from anyk.executors.base import AbstractDispatch, AbstractExecutor, Placement
from anyk.executors.couriers import Courier
from anyk.executors.engine_crew import Crew
from anyk.executors.engine_depot import Depot, Errand, Home, Report, home
from anyk.executors.engine_link import AbstractPort
from anyk.spec import count, instance

__all__ = ["Dask"]

_PATIENCE = 30.0  # seconds that a replacement for a lost worker is waited for
_MAKING = 5.0  # seconds that a worker is given to make a depot, before another one is looked for

Frames = tuple[Any, ...]
"""One pickled value: the pickle, then the memory of the arrays in it, as arrays of bytes."""


def _library() -> Any:
    try:
        import distributed  # noqa: PLC0415 - import anyk must not need it
    except ImportError as error:
        raise ImportError("anyk.Dask needs dask.distributed: pip install 'anyk[dask]'") from error
    return distributed


@final
class DaskDepot:
    """What holds a share on a Dask worker: a Dask actor. Its methods run on the worker's loop.

    Tasks run in a thread of its own, so that they wait for nobody's but their own share's.

    Args:
        master: the process that made the executor.
    """

    def __init__(self, master: Home) -> None:
        self._depot = Depot(master)
        self._courier = Courier("anyk share")
        weakref.finalize(self, self._courier.stop)

    async def keep(self, *keys: int) -> None:
        """Forget all shares but these."""
        self._depot.keep(keys)

    async def run(self, split: int, *frames: Any) -> Report:
        """Run a task on a share.

        Args:
            split: how many frames hold (task, arguments); the others hold (errand, rows).
            *frames: of both.
        """
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Report] = loop.create_future()
        work = partial(_work, self._depot, frames[:split], frames[split:])
        inside = contextvars.copy_context()  # where Dask's get_worker() finds the worker

        def do() -> None:
            report = inside.run(work)
            with suppress(RuntimeError):  # a straggler that its Dask worker did not wait for
                loop.call_soon_threadsafe(_settle, answer, report)

        self._courier.post(self, do)
        return await answer


def _work(depot: Depot, order: Frames, own: Frames) -> Report:
    try:
        task, arguments = _unpacked(order)
        errand, rows = _unpacked(own)
    except Exception as error:  # noqa: BLE001 - what can't be unpickled here is a failed answer
        return Report(None, describe(error), 0.0)
    return depot.run(errand, task, arguments, rows)


def _settle(answer: asyncio.Future[Report], report: Report) -> None:
    if not answer.done():
        answer.set_result(report)


def _packed(value: object) -> Frames:
    dumps: Any = _library().protocol.pickle.dumps  # cloudpickle where it is needed
    buffers: list[pickle.PickleBuffer] = []
    pickled = dumps(value, buffer_callback=buffers.append, protocol=5)
    return (pickled, *(np.frombuffer(buffer.raw(), dtype=np.uint8) for buffer in buffers))


def _unpacked(frames: Frames) -> Any:
    return pickle.loads(frames[0], buffers=frames[1:])  # noqa: S301 - the master is trusted


@final
class _Roster:
    """Which Dask worker holds which shares. Used on the client's event loop alone.

    A Dask worker that has held one share never gets another one, whatever becomes of the others:
    together they would be a coalition of one.
    """

    def __init__(self, client: Any, listed: Sequence[tuple[str, str]]) -> None:
        self._client = client
        self._addresses = [address for address, _ in listed]
        self._held = {name: place for place, (_, name) in enumerate(listed)}

    async def locate(self, place: int) -> str | None:
        """The address of the worker in this place, or of its replacement; None if there is none."""
        workers = await listed_workers(self._client)
        if any(address == self._addresses[place] for address, _ in workers):
            return self._addresses[place]
        taken = set(self._addresses)
        free = [
            (self._held.get(name) != place, address, name)  # the same worker, started anew, first
            for address, name in workers
            if address not in taken and self._held.get(name, place) == place
        ]
        if not free:
            return None
        _, address, name = min(free)
        self._addresses[place] = address
        self._held[name] = place
        return address


async def listed_workers(client: Any) -> list[tuple[str, str]]:
    """Address and name of each worker that the scheduler knows now, in the order of names."""
    workers = (await client.scheduler.identity())["workers"]
    named = [(address, str(about["name"])) for address, about in workers.items()]
    return sorted(named, key=lambda pair: (len(pair[1]), pair[1]))


@final
class _Port(AbstractPort):
    """One share's place on one Dask worker."""

    def __init__(self, client: Any, roster: _Roster, place: int) -> None:
        self._client = client
        self._roster = roster
        self._place = place
        self._address = ""
        self._actor: Any = None
        self._lost = False

    @property
    def alive(self) -> bool:
        actor = self._actor
        return not self._lost and (actor is None or actor.status == "finished")

    def open(self) -> Future[Any] | None:
        if self._actor is not None and self._actor.status == "finished":
            return None
        self._lost = self._lost or self._actor is not None
        self._drop()
        return self._start(self._open())

    def keep(self, keys: tuple[int, ...]) -> Future[Any]:
        return self._start(self._call("keep", *keys))

    def run(self, errand: Errand, order: Any, rows: Mapping[int, Any]) -> Future[Report]:
        frames = (*order, *_packed((errand, rows)))
        return self._start(self._call("run", len(order), *frames))

    def withdraw(self, future: Future[Any]) -> bool:  # noqa: ARG002 - it began when it was sent
        return False

    def fail(self, error: BaseException) -> str:
        self._lost = True  # until it is opened again: what it holds is not known
        self._drop()
        if self._client.status != "running":
            return f"Dask client {self._client.status}"
        lost = isinstance(error, OSError)
        return "Dask worker died, or can't be reached" if lost else describe(error)

    def check(self) -> None:
        check_client(self._client)
        if self._actor is not None and self._actor.status != "finished":
            raise ExecutorError("its Dask worker is gone.")

    def end(self) -> None:
        self._drop()

    def _drop(self) -> None:
        actor, self._actor = self._actor, None
        if actor is not None:
            actor.release()

    def _start(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._client.loop.asyncio_loop)

    async def _open(self) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            address = await self._roster.locate(self._place)
            if address is not None and await self._made(address):
                return
            await asyncio.sleep(0.1)
        raise ExecutorError(f"its Dask worker is gone, and none came in {_PATIENCE:.0f} s.")

    async def _made(self, address: str) -> bool:
        actor = self._client.submit(
            DaskDepot,
            home(),
            key=f"anyk-share-{uuid.uuid4().hex}",
            actor=True,
            workers=[address],
            allow_other_workers=False,
            pure=False,
            retries=0,
        )
        deadline = time.monotonic() + _MAKING
        while actor.status == "pending" and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(0.005)  # Dask has no event for a lost worker
        if actor.status == "error":
            raise await actor.exception(asynchronous=True)
        if actor.status != "finished":
            actor.release()
            return False
        self._address, self._actor, self._lost = address, actor, False
        return True

    async def _call(self, method: str, *arguments: Any) -> Any:
        """Call the depot, on a connection from here to the worker.

        Dask's own proxy of an actor may go through the scheduler, and calls again after an error.
        """
        to_serialize: Any = _library().protocol.to_serialize
        reply = await self._client.rpc(self._address).actor_execute(
            function=method,
            actor=self._actor.key,
            args=[each if isinstance(each, int) else to_serialize(each) for each in arguments],
            kwargs={},
        )
        if reply["status"] != "OK":
            raise reply["exception"]
        return reply["result"]


@final
class Dask(AbstractExecutor):
    """Workers of a Dask cluster, one share each.

    A share lies in a Dask actor pinned to its worker (``workers=[address]``, no other worker, no
    retries), from where Dask neither moves, copies nor spills it. Shares, tasks, arguments and
    answers travel on a connection from this process to the worker; the scheduler and its task
    graphs see none of them. When this process ends, however it does, Dask drops the shares.

    A task runs in a thread of its share's own, beside the worker's other tasks; Dask's scheduler
    does not count it. It can't be interrupted: one of a call that is over holds up the next task
    on its own worker alone, and nobody waits for it. Nothing is retried and nothing runs twice. A
    worker that dies is one failed answer; another one takes its place, by preference the one that
    Dask's nanny starts under the same name, and gets the share before its next task. A worker that
    loses its connections to the scheduler ends and takes its nanny along: whoever runs the cluster
    starts another one. A worker that has held one share never gets another worker's.

    Functions are sent by Dask's pickle, so that lambdas and closures work. Workers need anyk
    installed, and must be reachable from here. Dask unpickles what its workers send, here and on
    the scheduler, and lets each of them run code on the others: it keeps no malicious worker from
    anything, and no curious one from the others' shares unless the cluster separates them itself.

    Args:
        client: a connected ``dask.distributed.Client``; it stays open when this is closed. A share
            that computes has a connection, of which a client has 512 unless it was made with a
            higher ``connection_limit``.
        workers: N, how many shares there is room for; None for all workers that the cluster has
            now.
        shares_per_worker: how many shares one Dask worker takes. With more than 1, a late worker
            is as many stragglers, and schemes that promise anything about liars or colluders are
            refused.

    Raises:
        ImportError: if Dask is not installed.
        InvalidArgument: if a number is out of range, the cluster has too few workers, or the client
            too few connections.
        ExecutorError: if the client is closed.

    Example:
        >>> from distributed import Client
        >>> with Client(n_workers=3, processes=False, dashboard_address=":0") as client:
        ...     with anyk.Dask(client) as executor:
        ...         anyk.run(anyk.Replication(2, 3), lambda x: x**2, [5.0, 6.0], executor).value
        array([25., 36.])
    """

    def __init__(
        self, client: Any, workers: int | None = None, *, shares_per_worker: int = 1
    ) -> None:
        instance("client", client, _library().Client, change="Pass a dask.distributed.Client.")
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
        there = client.sync(listed_workers, client)
        number = (
            max(1, self._shares * len(there))
            if workers is None
            else count("workers", workers, least=1)
        )
        machines = math.ceil(number / self._shares)
        if machines > len(there):
            raise InvalidArgument(
                "workers",
                given=f"{number}, on a cluster of {len(there)} Dask workers",
                needed=f"{machines} Dask workers, for {self._shares} share(s) each",
                change=f"Start more and wait: client.wait_for_workers({machines}); or say with "
                "shares_per_worker= that one worker may hold several shares.",
            )
        if number > client.rpc.limit:  # those that hang would keep the others from being asked
            raise InvalidArgument(
                "client",
                given=f"one that has at most {client.rpc.limit} connections at once",
                needed=f"{number}, one for each share",
                change=f"Make it with Client(..., connection_limit={2 * number}).",
            )
        roster = _Roster(client, there[:machines])
        self._workers = number
        self._crew = Crew(
            [_Port(client, roster, worker // self._shares) for worker in range(number)],
            name="anyk dask",
        )

    @property
    def workers(self) -> int:
        """How many shares there is room for."""
        return self._workers

    @property
    def shares_per_worker(self) -> int:
        """How many shares one Dask worker takes."""
        return self._shares

    @property
    def shares_per_machine(self) -> int:
        """The same: Dask workers are taken for machines of their own."""
        return self._shares

    @property
    def alive(self) -> tuple[bool, ...]:
        """By worker, whether its Dask worker is there, as far as the scheduler has told."""
        return self._crew.alive

    def clock(self) -> float:
        """Seconds on `time.perf_counter`."""
        return time.perf_counter()

    def place(self, parts: Sequence[NDArray[Any]]) -> Placement:
        """Keep shares, which the first task takes along; see `AbstractExecutor.place`.

        The arrays are not copied here, and are kept for workers that die: do not write in them.
        """
        check_client(self._client)
        return self._crew.place(self, parts)

    def dispatch(
        self, task: Task, placement: Placement, arguments: Sequence[Any]
    ) -> AbstractDispatch:
        """Run a task on every worker that holds a share; see `AbstractExecutor.dispatch`."""
        check_client(self._client)
        return self._crew.dispatch(self, task, placement, arguments, pack=_order)

    def release(self, placement: Placement) -> None:
        """Let the workers forget shares, in the background. Harmless when called twice."""
        self._crew.release(placement)

    def close(self) -> None:
        """Let the workers forget everything; the client stays open. Harmless when called twice."""
        self._crew.close()

    def __repr__(self) -> str:
        return f"<Dask: {self._workers} workers of {self._client!r}>"


def check_client(client: Any) -> None:
    """Raise ExecutorError if a Dask client is closed, or has lost its scheduler."""
    if client.status != "running":
        raise ExecutorError(
            f"the Dask client is {client.status}: it was closed, or its scheduler is gone; make "
            "a new client, and a Dask executor with it."
        )


def _order(order: tuple[Task, list[Any]]) -> Frames:
    try:
        return _packed(order)
    except Exception as error:
        raise InvalidArgument(
            "function",
            given=f"one that, or its arguments, Dask can't pickle ({describe(error)})",
            needed="a function and arguments that cloudpickle can send",
            change="Leave out locks, files and connections.",
        ) from error
