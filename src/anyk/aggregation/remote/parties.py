"""`RemoteParties`: aggregators on other machines, asked all at once over mutual TLS."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

from anyk.aggregation.parties import AbstractParties
from anyk.aggregation.remote.letters import PROTOCOL
from anyk.aggregation.remote.line import Line
from anyk.checks import count, positive
from anyk.connections.peers import peers
from anyk.connections.tls import client_context

__all__ = ["RemoteParties"]

_Heard = queue.SimpleQueue[tuple[str, "bytes | OSError"]]


@final
class RemoteParties(AbstractParties):
    """Aggregators that `anyk aggregator` runs, each with a connection of its own.

    They are asked at the same time. Whatever one sends or leaves out, it can be silent and no more:
    one that can't be reached, shows another certificate, takes longer than the timeout, or sends
    more than `largest_answer`, costs its own answer. A connection that failed is made anew when the
    next question is asked, and at once where it was an old one that had been closed meanwhile.

    A context manager: connections are closed after it.

    Args:
        addresses: NAME@HOST:PORT of each aggregator. NAME is what it is called in the roster, and
            what its certificate must be for; HOST by default.
        tls: the server's directory of authority.pem, certificate.pem and key.pem, such as
            `anyk committee` writes, and of revoked.pem where there is one. Each connection reads it
            anew, and ends when a certificate of it does.
        largest_answer: bytes of an answer; a larger one is none.

    Raises:
        InvalidArgument: if an argument can't be used.

    References:
        RFC 8446 (TLS 1.3), section 4.4; RFC 6125, section 6.4 (whose certificate it is).

    Example:
        >>> from anyk import aggregation
        >>> plan = aggregation.Committee(
        ...     aggregators=3, length=2, clients=2, numbers=aggregation.Whole(9)
        ... )
        >>> with aggregation.Trial(plan, clients=2) as trial:
        ...     with aggregation.RemoteParties(trial.addresses, tls=trial.server) as parties:
        ...         round = aggregation.Server(plan, trial.roster, parties).round(1)
        ...         for name, vector in [("client-0", [1, 2]), ("client-1", [3, 4])]:
        ...             client = aggregation.Client(plan, trial.identity(name), trial.roster)
        ...             _ = round.receive(client.contribute(vector, round=1))
        ...         round.close().value.tolist()
        [4, 6]
    """

    def __init__(
        self,
        addresses: Sequence[str],
        *,
        tls: str | os.PathLike[str],
        largest_answer: int = 1 << 28,
    ) -> None:
        parsed = peers(addresses, "aggregator", secure=True)
        most = count("largest_answer", largest_answer, least=1)
        directory = Path(tls).absolute()
        client_context(directory, PROTOCOL)  # says now what is wrong; lines read it anew
        self._lines = {each.name: Line(each, directory, most) for each in parsed}

    def ask(self, requests: Mapping[str, bytes], timeout: float) -> dict[str, bytes | OSError]:
        """Ask several aggregators at once; see `AbstractParties.ask`."""
        deadline = time.monotonic() + positive("timeout", timeout, change="Give seconds.")
        heard: _Heard = queue.SimpleQueue()
        answers: dict[str, bytes | OSError] = {}
        for name, request in requests.items():
            line = self._lines.get(name)
            if line is None:
                answers[name] = ConnectionError(f"no address of {name!r}")
            else:
                arguments = (line, name, request, deadline, heard)
                threading.Thread(target=_ask, args=arguments, daemon=True).start()
        while len(answers) < len(requests):
            try:
                name, answer = heard.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty:
                break
            answers[name] = answer
        for name in requests.keys() - answers.keys():  # in the midst of it: no thread stays behind
            self._lines[name].cut()
            answers[name] = TimeoutError(f"no answer within {timeout:g} s")
        return {name: answers[name] for name in requests}

    def close(self) -> None:
        """Close the connections. Harmless when called twice; a question opens them again."""
        for line in self._lines.values():
            line.close()

    def __enter__(self) -> RemoteParties:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"RemoteParties({[str(line.address) for line in self._lines.values()]!r})"


def _ask(line: Line, name: str, request: bytes, deadline: float, heard: _Heard) -> None:
    heard.put((name, line.ask(request, deadline)))
