"""Remote workers on this machine: for a first look, for examples and for tests."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Self, final

from anyk.connections.certificates import make_certificates
from anyk.errors import ExecutorError

__all__ = ["Trial"]

_PATIENCE = 5.0  # seconds that a worker may take to end


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
        self.processes: list[subprocess.Popen[str]] = []
        self.addresses: list[str] = []

    @property
    def certificates(self) -> Path:
        """The directory of all certificates."""
        return Path(self._files.name) / "certificates"

    @property
    def master(self) -> Path:
        """The master's directory: what `anyk.Remote` needs as `tls`."""
        return self.certificates / "master"

    def __enter__(self) -> Self:
        try:
            names = make_certificates(self.certificates, workers=self._workers + self._spare)
            names = names[: self._workers]
            self.processes.extend(self.start(name, 0) for name in names)
            for name, process in zip(names, self.processes, strict=True):
                self.addresses.append(f"{name}@127.0.0.1:{self._port_of(name, process)}")
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
        command = [sys.executable, "-m", "anyk", "worker", "--listen", f"127.0.0.1:{port}"]
        command += ["--tasks", self._tasks, "--tls", str(self.certificates / name), *self._options]
        with self._log(name).open("a", encoding="utf-8") as log:
            return subprocess.Popen(  # noqa: S603 - our own command
                command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=self._directory
            )

    def said(self, name: str) -> str:
        """What a worker has logged so far."""
        return self._log(name).read_text(encoding="utf-8")

    def _port_of(self, name: str, process: subprocess.Popen[str]) -> int:
        """The port that a worker says it listens on."""
        line = "" if process.stdout is None else process.stdout.readline()
        port = line.partition(" on ")[2].partition(",")[0].rpartition(":")[2]
        if not port.isdigit():
            raise ExecutorError(f"{name} of this trial did not start: {self.said(name)}")
        return int(port)

    def _log(self, name: str) -> Path:
        return Path(self._files.name) / f"{name}.log"

    def _end(self) -> None:
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
        self._files.cleanup()
