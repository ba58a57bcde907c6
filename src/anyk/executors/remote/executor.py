"""Workers on other machines, run by people whom nobody has to trust."""

from __future__ import annotations

import collections
import os
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any, NoReturn, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count, positive
from anyk.connections.peers import peers
from anyk.connections.tls import client_context
from anyk.errors import ExecutorError
from anyk.executors.core.calls import AbstractCalls, Batch, Result
from anyk.executors.core.columns import Outline
from anyk.executors.core.crew import AbstractCrewed, Crew
from anyk.executors.core.crew_filling import CrewFilling
from anyk.executors.core.dispatcher import Awaited
from anyk.executors.core.filling import AbstractFilling
from anyk.executors.core.link import Held
from anyk.executors.core.posted_calls import Compute
from anyk.executors.core.raised import Raised
from anyk.executors.core.run_task import Task
from anyk.executors.remote.arguments import sendable
from anyk.executors.remote.frames import PROTOCOL
from anyk.executors.remote.link import Keys, Limits, RemoteLink
from anyk.executors.remote.places import check_places, most_in_one_place
from anyk.executors.remote.request import Request, make_request

__all__ = ["Remote"]


@final
class Remote(AbstractCrewed):
    """Workers on other machines, which `anyk worker` runs: they may be malicious and curious.

    A worker has functions of its own, and is told the name of one: `anyk.run(scheme, "gram", X,
    executor)`. No code and no pickle travels, in either direction. What does is numbers: a share,
    arguments (None, bool, int, float, complex, str, arrays, and lists, tuples and dicts of them),
    and answers, each checked against what was asked and against limits before it is read. If a
    function is passed instead of its name, its name and its module's travel, and a worker whose
    function of that name comes from another module refuses.

    Each worker has a connection of its own (TLS 1.3, certificates on both sides), and shows a
    certificate for its own name; two that have the same key are refused, as one worker with two
    shares would be. It learns its own share, the arguments and the name of the function, and
    nothing of the others. Whatever it sends, it can be late or wrong and no more: an answer to
    another call or another worker's, one that is too large, no numbers or not of the scheme's
    domain, is one failed answer, and costs one straggler. Its connection is then made anew and its
    share sent again, as after it was gone; one that can't be reached is tried again in the
    following calls, after a pause of up to 10 s.

    `anyk.map("count", items, executor)` calls a function on any items that can be arguments,
    without shares. What it raised comes back as text, as from all of these workers.

    Workers are reached when they are first needed. One that is busy with a call that was given up
    begins the next when it is done.

    Args:
        addresses: [NAME@]HOST:PORT of each worker. NAME is what its certificate must be for; HOST
            by default. No two workers have the same name.
        tls: the master's directory of authority.pem, certificate.pem and key.pem, such as
            `anyk certificates` writes, and of revoked.pem where there is one. Each connection
            reads it anew, and ends when a certificate of it does. None for connections that anybody
            on the way can read and change, which are allowed to this machine alone.
        patience: seconds that a worker may take for one task, the way there and back included;
            its answer has then failed, and the worker is made to stop.
        largest_answer: bytes of an answer of one worker; a larger one has failed.
        places: where each worker stands, in words of yours: workers of one place, or of one owner,
            see each other's shares, and a scheme with `colluders` is refused where two have one
            place. None for the machines behind the addresses; loopback addresses count as machines
            of their own, as they are for a trial, or ends of tunnels.

    Raises:
        InvalidArgument: if an argument can't be used.

    References:
        RFC 8446 (TLS 1.3), section 4.4; RFC 6125, section 6.4 (whose certificate it is).

    Example:
        >>> from anyk.testing import Trial
        >>> scheme = anyk.Lagrange(blocks=1, degree=2, workers=4, adversaries=0, colluders=1)
        >>> with Trial("anyk.testing.tasks", workers=4) as trial:
        ...     with anyk.Remote(trial.addresses, tls=trial.master) as executor:
        ...         anyk.run(scheme, "gram", [[[1, 2], [3, 4]]], executor).value.tolist()
        [[[10, 14], [14, 20]]]
    """

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        tls: str | os.PathLike[str] | None,
        patience: float = 600.0,
        largest_answer: int = 1 << 28,
        places: Sequence[str] | None = None,
    ) -> None:
        self._addresses = peers(addresses, "worker", secure=tls is not None)
        self._places = None if places is None else check_places(places, len(self._addresses))
        self._tls = None if tls is None else os.fspath(tls)
        limits = Limits(
            patience=positive("patience", patience, change="Give seconds."),
            answer=count("largest_answer", largest_answer, least=1),
        )
        directory = None if self._tls is None else Path(self._tls).absolute()
        if directory is not None:
            client_context(directory, PROTOCOL)  # says now what is wrong; links read it anew
        keys = Keys()

        parsed = self._addresses

        def link(worker: int, held: Held) -> RemoteLink:
            return RemoteLink(parsed[worker], directory, keys, held, limits)

        self._crew = Crew(
            "Remote",
            len(parsed),
            link=link,
            pack=_pack,
            ahead=True,
            convert=_sendable,
            more="Pass more addresses",
        )

    @property
    def crew(self) -> Crew[RemoteLink]:
        """The workers."""
        return self._crew

    @property
    def by_name(self) -> bool:
        """True: the workers have functions of their own."""
        return True

    def filling(self, outlines: Sequence[Outline], pieces: int = 1) -> AbstractFilling:
        """Send shares to the workers slab by slab; see `AbstractExecutor.filling`.

        A slab is forgotten here when all workers have it. A worker whose connection ends has lost
        what came in slabs, and fails where it should compute on it. One that has no room for it
        says so at once where the number of columns is known, and else when it is full.
        """
        for each in outlines:
            sendable(np.empty(0, each.dtype), "parts")  # refuses what does not travel
        return CrewFilling(self.crew, [link.fill for link in self.crew.links], outlines, pieces)

    def calls(self, function: Callable[..., Any] | str) -> AbstractCalls:
        """Call a function of the workers' own; see `AbstractExecutor.calls`.

        An item is what can be an argument: numbers, text, arrays, and lists, tuples and dicts of
        them. A result is an array, or a number of numpy's. Each item is a request of its own.
        """
        make_request(function, (), workers=1)  # refuses what has no name
        links = self._crew.links

        def prepare(worker: int, batch: Batch, call: Awaited) -> Compute:
            requests = [make_request(function, item, workers=1) for item in batch.items]
            return partial(_computed, links[worker], requests, call)

        return self._crew.calls(prepare)

    def broadcast(self, value: Any) -> NoReturn:  # noqa: ARG002 - whatever it is
        """Remote workers hold no constants.

        Raises:
            ExecutorError: in any case.
        """
        raise ExecutorError(
            "the workers of Remote hold no constants of a master's: pass the value as an argument, "
            "or let the workers' own function load it."
        )

    @cached_property
    def shares_per_machine(self) -> int:
        """How many workers stand in one place, at most: looked up when it is first asked for."""
        if self._places is not None:
            return max(collections.Counter(self._places).values())
        return most_in_one_place([address.host for address in self._addresses])

    def __repr__(self) -> str:
        return f"Remote({[str(address) for address in self._addresses]!r}, tls={self._tls!r})"


def _computed(
    link: RemoteLink, requests: Sequence[Request], call: Awaited
) -> tuple[Result, ...] | str:
    """What comes of the items of a batch, one request after the other."""
    results = []
    for request in requests:
        if call.abandoned:
            return "abandoned"
        reply = link.call(request)
        if isinstance(reply, str):
            return reply
        raised = None if reply.failure is None else Raised(reply.failure)
        value = None if reply.value is None else np.array(reply.value)[()]
        results.append(Result(value, raised, reply.seconds))
    return tuple(results)


def _sendable(part: NDArray[Any]) -> NDArray[Any]:
    array = np.asarray(part)
    if array.ndim and not array.strides[0] and len(array):  # one and the same for every share
        return np.broadcast_to(sendable(array[0], "parts"), array.shape)
    return sendable(array, "parts")


def _pack(
    task: Task, arguments: Sequence[Any], shares: int
) -> tuple[Request, list[list[NDArray[Any]]]]:
    request = make_request(task, arguments, shares)
    return request, [request.arrays_of(share) for share in range(shares)]
