"""The seam of transports: parties that are asked in bytes, and answer in bytes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

__all__ = ["AbstractParties", "AbstractParty", "LocalParties"]


class AbstractParty(ABC):
    """One that is asked: an aggregator or, under `LightSecAgg`, a client.

    It is a state machine without sockets, threads or clocks: whatever carries bytes can serve it.
    """

    @abstractmethod
    def answer(self, request: bytes) -> bytes:
        """Answer one request of the server.

        It never raises for what a peer sent: a request that is refused is answered by the reason,
        in the same binary form. The same request twice has the same answer, so that a transport may
        repeat what it is not certain of. One call at a time: a transport that serves several
        connections holds a lock.

        Args:
            request: as the server made it; anything else, of any length, is answered by a refusal.
        """


class AbstractParties(ABC):
    """How a server reaches those that it asks: a transport, which carries bytes alone."""

    @abstractmethod
    def ask(self, requests: Mapping[str, bytes], timeout: float) -> dict[str, bytes | OSError]:
        """Ask several parties at once, each its own request.

        Args:
            requests: by the name that a party has in the roster.
            timeout: seconds until whoever did not answer counts as silent; one time for all.

        Returns:
            By name, for each of them: the answer, or why there is none: `TimeoutError`,
            `ConnectionError` or another `OSError`. It raises nothing for a party that fails. An
            answer need not be believed, or be short: the transport refuses one of more bytes than
            it is willing to hold, as an `OSError`.
        """


@final
@dataclass(frozen=True, eq=False)
class LocalParties(AbstractParties):
    """Parties in this process: for tests, simulations and documentation.

    Args:
        parties: by name. One that raises an `OSError` counts as silent.

    Example:
        >>> from anyk import aggregation
        >>> aggregation.LocalParties({}).ask({"a": b"?"}, timeout=1.0)
        {'a': ConnectionError("nobody is called 'a' here")}
    """

    parties: Mapping[str, AbstractParty]

    def ask(self, requests: Mapping[str, bytes], timeout: float) -> dict[str, bytes | OSError]:  # noqa: ARG002 - they answer at once
        """Ask them, one after the other."""
        return {name: self._answer(name, request) for name, request in requests.items()}

    def _answer(self, name: str, request: bytes) -> bytes | OSError:
        if name not in self.parties:
            return ConnectionError(f"nobody is called {name!r} here")
        try:
            return self.parties[name].answer(request)
        except OSError as error:
            return error
