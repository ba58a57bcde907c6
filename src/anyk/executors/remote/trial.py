"""Remote workers on this machine: for a first look, for examples and for tests."""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Self, final

from anyk.connections.certificates import make_certificates
from anyk.connections.trial import Listeners

__all__ = ["Trial"]


@final
class Trial:
    """`anyk worker` a few times over, on this machine, with certificates made for it.

    A context manager; workers and certificates are gone after it.

    Args:
        tasks: module whose functions the workers offer.
        workers: how many.
        spare: how many more have certificates, for whoever the caller starts.
        directory: in which the module is; the working directory by default.
        options: further options of `anyk worker`.

    Raises:
        ExecutorError: on entering, if a worker does not start, with what it said.

    Example:
        >>> from anyk.testing import Trial
        >>> with Trial("anyk.testing.tasks", workers=1) as trial:
        ...     trial.addresses[0].startswith("worker-0@127.0.0.1:")
        True
    """

    def __init__(
        self,
        tasks: str,
        *,
        workers: int,
        spare: int = 0,
        directory: Path | None = None,
        options: tuple[str, ...] = (),
    ) -> None:
        self._tasks = tasks
        self._workers, self._spare = workers, spare
        self._directory = directory
        self._options = options
        self._files = tempfile.TemporaryDirectory(prefix="anyk-trial-", ignore_cleanup_errors=True)
        self._listeners = Listeners(Path(self._files.name))
        self.addresses: list[str] = []

    @property
    def certificates(self) -> Path:
        """The directory of all certificates."""
        return Path(self._files.name) / "certificates"

    @property
    def master(self) -> Path:
        """The master's directory: what `anyk.Remote` needs as `tls`."""
        return self.certificates / "master"

    @property
    def processes(self) -> list[subprocess.Popen[str]]:
        """The workers."""
        return self._listeners.processes

    def __enter__(self) -> Self:
        try:
            names = make_certificates(self.certificates, workers=self._workers + self._spare)
            commands = {name: self._command(name, 0) for name in names[: self._workers]}
            self.addresses += self._listeners.start_all(commands, self._directory)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._end()

    def start(self, name: str, port: int) -> subprocess.Popen[str]:
        """Start a worker; whoever calls this ends it.

        Args:
            name: whose certificate it has.
            port: on which it listens; 0 for any that is free.
        """
        return self._listeners.start(name, self._command(name, port), self._directory)

    def said(self, name: str) -> str:
        """What a worker has logged so far."""
        return self._listeners.said(name)

    def _command(self, name: str, port: int) -> list[str]:
        command = ["worker", "--listen", f"127.0.0.1:{port}", "--tasks", self._tasks]
        return [*command, "--tls", str(self.certificates / name), *self._options]

    def _end(self) -> None:
        self._listeners.end()
        self._files.cleanup()
