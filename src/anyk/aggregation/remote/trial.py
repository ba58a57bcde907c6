"""Aggregators on this machine: for a first look, for examples and for tests."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Self, final

from anyk.aggregation.committee import Committee
from anyk.aggregation.identity import Identity
from anyk.aggregation.plan_file import plan_text
from anyk.aggregation.roster import Roster
from anyk.connections.trial import Listeners

__all__ = ["Trial"]


@final
class Trial:
    """`anyk aggregator` a few times over, on this machine, with keys made for it.

    A context manager; aggregators and keys are gone after it.

    Args:
        plan: of the committee, whose aggregators are started.
        clients: how many have an identity.
        options: further options of `anyk aggregator`.

    Raises:
        ExecutorError: on entering, if an aggregator does not start, with what it said.

    Example:
        >>> from anyk import aggregation
        >>> plan = aggregation.Committee(
        ...     aggregators=3, length=2, clients=2, numbers=aggregation.Whole(9)
        ... )
        >>> with aggregation.Trial(plan, clients=2) as trial:
        ...     trial.addresses[0].startswith("aggregator-0@127.0.0.1:")
        True
    """

    def __init__(self, plan: Committee, *, clients: int, options: tuple[str, ...] = ()) -> None:
        self._plan, self._clients, self._options = plan, clients, options
        self._files = tempfile.TemporaryDirectory(prefix="anyk-trial-", ignore_cleanup_errors=True)
        self._listeners = Listeners(Path(self._files.name))
        self.addresses: list[str] = []

    @property
    def parties(self) -> Path:
        """The directory of the directories of all parties."""
        return Path(self._files.name) / "parties"

    @property
    def server(self) -> Path:
        """The server's directory: what `RemoteParties` needs as `tls`."""
        return self.parties / "server"

    @property
    def roster(self) -> Roster:
        """Of all parties."""
        return Roster.load(self.server / "roster.json")

    @property
    def processes(self) -> list[subprocess.Popen[str]]:
        """The aggregators."""
        return self._listeners.processes

    def identity(self, name: str) -> Identity:
        """The keys of a party.

        Args:
            name: of it, such as "client-0".
        """
        return Identity.load(self.parties / name / "identity")

    def __enter__(self) -> Self:
        from anyk.aggregation.remote.founding import found_committee  # noqa: PLC0415 - takes a while

        try:
            number = self._plan.aggregators
            names = found_committee(self.parties, aggregators=number, clients=self._clients)
            (self.parties / "plan.toml").write_text(plan_text(self._plan), encoding="ascii")
            commands = {name: self.command(name, 0) for name in names[:number]}
            self.addresses += self._listeners.start_all(commands)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def start(self, name: str, port: int) -> subprocess.Popen[str]:
        """Start an aggregator; whoever calls this ends it.

        Args:
            name: whose keys it has.
            port: on which it listens; 0 for any that is free.
        """
        return self._listeners.start(name, self.command(name, port))

    def said(self, name: str) -> str:
        """What an aggregator has logged so far."""
        return self._listeners.said(name)

    def command(self, name: str, port: int) -> list[str]:
        """What starts an aggregator, behind `anyk`.

        Args:
            name: whose keys it has.
            port: on which it listens; 0 for any that is free.
        """
        command = ["aggregator", "--listen", f"127.0.0.1:{port}", "--party"]
        command += [str(self.parties / name), "--plan", str(self.parties / "plan.toml")]
        return [*command, *self._options]

    def _end(self) -> None:
        self._listeners.end()
        self._files.cleanup()
