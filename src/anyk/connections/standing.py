"""How long a connection is good for: until a certificate runs out or is revoked."""

from __future__ import annotations

import time
from pathlib import Path
from typing import final

from anyk.connections.party import AUTHORITY, REVOKED, Stranger, name_of, read_party
from anyk.errors import InvalidArgument

__all__ = ["Standing"]

_PAUSE = 1.0  # seconds between two looks at files


@final
class Standing:
    """Whether the two certificates of a connection would still be taken.

    TLS looks at them when a connection begins, and at nothing afterwards. This looks before each
    message: at the clock, and, once a second, whether the files of the party's own directory have
    changed.

    Args:
        directory: of this party.
        peer: certificate of the other one, in DER.
        spare: seconds that a certificate may be over. Who connects has none, and begins anew;
            who listens has some, so that one whose clock is behind does so before it is cut off.

    Raises:
        InvalidArgument: if the directory is not good now.
    """

    def __init__(self, directory: Path, peer: bytes, *, spare: float) -> None:
        from cryptography import x509  # noqa: PLC0415 - takes a while, and few need it

        self._directory = directory.absolute()  # a task may change the working directory
        self._stamps = self._look()
        self._looked = time.time()
        certificate = x509.load_der_x509_certificate(peer)
        self._peer = name_of(certificate)
        self._peer_until = certificate.not_valid_after_utc.timestamp()
        self._authority = self._believed()
        self._until, self._spare = 0.0, spare
        self._read()

    def check(self) -> None:
        """Look whether the connection is still good.

        Raises:
            Stranger: if it is not, with the reason.
        """
        now = time.time()
        if abs(now - self._looked) >= _PAUSE:
            self._looked = now
            self._follow()
        if now >= self._until + self._spare:
            raise Stranger("a certificate or a list has run out: who it is must be shown anew")

    def _follow(self) -> None:
        """Read again what has changed."""
        stamps = self._look()
        if stamps != self._stamps:
            self._stamps = stamps
            self._read()
            if self._believed() != self._authority:
                raise Stranger(f"{AUTHORITY} has changed: who it is must be shown anew")

    def _read(self) -> None:
        try:
            party = read_party(self._directory)
        except InvalidArgument as error:
            raise Stranger(str(error)) from error
        if self._peer in party.revoked:
            raise Stranger("its certificate is revoked")
        self._until = min(party.until, self._peer_until)

    def _believed(self) -> bytes | None:
        """Whose signatures this party believes; the same file may be written again."""
        try:
            return (self._directory / AUTHORITY).read_bytes()
        except OSError:
            return None

    def _look(self) -> list[tuple[int, int, int] | None]:
        """What changes with a file: when it was written, its size, which file it is."""
        return [_stamp(self._directory / name) for name in (AUTHORITY, REVOKED)]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_mtime_ns, seen.st_size, seen.st_ino
