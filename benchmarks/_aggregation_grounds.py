"""A committee of real processes over TLS, of whom three do what they are told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from anyk import aggregation
from anyk.aggregation import AbstractParties
from anyk.aggregation.remote.founding import found_committee

__all__ = ["Captured", "Grounds"]

HERE = Path(__file__).parent


class Captured(AbstractParties):
    """A transport that keeps all that the server sends and gets."""

    def __init__(self, parties: AbstractParties) -> None:
        self._parties = parties
        self.kept: list[bytes] = []

    def ask(self, requests: Mapping[str, bytes], timeout: float) -> dict[str, bytes | OSError]:
        """Ask, and keep."""
        answers = self._parties.ask(requests, timeout)
        self.kept += requests.values()
        self.kept += [
            repr(each).encode() if isinstance(each, OSError) else each for each in answers.values()
        ]
        return answers


class Grounds:
    """The processes, and what they log.

    Args:
        plan: of the committee.
        clients: how many.
        told: how many aggregators take orders; the others are `anyk aggregator` as it is.
    """

    def __init__(self, plan: aggregation.Committee, clients: int, told: int) -> None:
        self._files = tempfile.TemporaryDirectory(prefix="anyk-grounds-")
        self.place = Path(self._files.name)
        self._papers = self.place / "parties"
        found_committee(self._papers, aggregators=plan.aggregators, clients=clients)
        (self.place / "plan.toml").write_text(aggregation.plan_text(plan))
        self.names = [f"aggregator-{number}" for number in range(plan.aggregators)]
        self.told = self.names[:told]
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._ports = dict.fromkeys(self.names, 0)
        self._stopped: set[str] = set()
        self.starts = 0

    def __enter__(self) -> Self:
        try:
            for name in self.told:
                self.order(name, "")
            self.revive()
            addresses = [f"{name}@127.0.0.1:{port}" for name, port in self._ports.items()]
            self._remote = aggregation.RemoteParties(addresses, tls=self._papers / "server")
            self.parties = Captured(self._remote)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if hasattr(self, "_remote"):
            self._remote.close()
        for process in self._processes.values():
            process.kill()
            process.communicate()
        self._files.cleanup()

    @property
    def roster(self) -> aggregation.Roster:
        """Of all."""
        return aggregation.Roster.load(self._papers / "server" / "roster.json")

    def identity(self, name: str) -> aggregation.Identity:
        """Keys of a party."""
        return aggregation.Identity.load(self._papers / name / "identity")

    def order(self, name: str, orders: str) -> None:
        """Tell an aggregator what to do from now on."""
        half = self.place / f"{name}.new"
        half.write_text(orders)
        half.replace(self.place / f"{name}.orders")

    def kill(self, name: str) -> None:
        """Kill it from outside."""
        self._processes[name].kill()
        self._processes[name].wait()

    def stop(self, name: str) -> None:
        """Stop it where it is, until `revive`."""
        os.kill(self._processes[name].pid, signal.SIGSTOP)
        self._stopped.add(name)

    def revive(self) -> None:
        """Let stopped ones go on, and start dead ones again, where they were."""
        for name in self._stopped:
            os.kill(self._processes[name].pid, signal.SIGCONT)
        self._stopped.clear()
        dead = [
            name
            for name in self.names
            if name not in self._processes or self._processes[name].poll() is not None
        ]
        for name in dead:
            if name in self._processes:
                self._processes[name].communicate()
            self._processes[name] = self._start(name)
        for name in dead:  # it listens when it says so, and where
            said = self._processes[name].stdout
            port = "" if said is None else said.readline().partition(",")[0].rpartition(":")[2]
            if not port.isdigit():
                raise RuntimeError(f"{name} did not start: {self.said(name)}")
            self._ports[name] = int(port)

    def said(self, name: str) -> str:
        """What an aggregator has logged."""
        return (self.place / f"{name}.log").read_text()

    def journal(self, name: str) -> bytes:
        """What it has noted."""
        return (self._papers / name / "signed").read_bytes()

    def _start(self, name: str) -> subprocess.Popen[str]:
        self.starts += 1
        command = [sys.executable, "-m", "anyk"]
        if name in self.told:
            orders = self.place / f"{name}.orders"
            command = [sys.executable, str(HERE / "_faulty_aggregator.py"), str(orders)]
        command += ["aggregator", "--listen", f"127.0.0.1:{self._ports[name]}"]
        command += ["--party", str(self._papers / name), "--plan", str(self.place / "plan.toml")]
        with (self.place / f"{name}.log").open("a") as log:
            return subprocess.Popen(  # noqa: S603 - our own command
                command, stdout=subprocess.PIPE, stderr=log, text=True
            )
