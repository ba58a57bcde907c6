"""Commands that listen, as processes of this machine: for trials, examples and tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import final

from anyk.errors import ExecutorError

__all__ = ["Listeners"]

_PATIENCE = 5.0  # seconds that a process may take to end


@final
class Listeners:
    """`anyk` a few times over, each as another party, and a file with what each has logged.

    Args:
        logs: directory of those files.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self.processes: list[subprocess.Popen[str]] = []

    def start(
        self, name: str, command: Sequence[str], directory: Path | None = None
    ) -> subprocess.Popen[str]:
        """Start one; whoever calls this ends it.

        Args:
            name: of the party.
            command: of `anyk`, with its options.
            directory: in which it works; that of this process by default.
        """
        whole = [sys.executable, "-m", "anyk", *command]
        with self._log(name).open("a", encoding="utf-8") as log:
            return subprocess.Popen(  # noqa: S603 - our own command
                whole, stdout=subprocess.PIPE, stderr=log, text=True, cwd=directory
            )

    def start_all(
        self, commands: Mapping[str, Sequence[str]], directory: Path | None = None
    ) -> list[str]:
        """Start several at once, to be ended by `end`.

        Args:
            commands: by the name of each.
            directory: in which they work.

        Returns:
            NAME@HOST:PORT of each.

        Raises:
            ExecutorError: if one does not start, with what it said.
        """
        started = {name: self.start(name, each, directory) for name, each in commands.items()}
        self.processes.extend(started.values())
        return [f"{name}@127.0.0.1:{self.port_of(name, each)}" for name, each in started.items()]

    def port_of(self, name: str, process: subprocess.Popen[str]) -> int:
        """The port that a process says it listens on.

        Args:
            name: of the party.
            process: that has just been started.

        Raises:
            ExecutorError: if it ends without one, with what it said.
        """
        line = "" if process.stdout is None else process.stdout.readline()
        port = line.partition(" on ")[2].partition(",")[0].rpartition(":")[2]
        if not port.isdigit():
            raise ExecutorError(f"{name} of this trial did not start: {self.said(name)}")
        return int(port)

    def said(self, name: str) -> str:
        """What a party has logged so far."""
        return self._log(name).read_text(encoding="utf-8")

    def end(self) -> None:
        """End those of `start_all`. Harmless when called twice."""
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        self.processes.clear()

    def _log(self, name: str) -> Path:
        return self._logs / f"{name}.log"
