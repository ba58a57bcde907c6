"""The other end of a remote connection, in the hands of a test: a worker, a master, a stranger."""

import datetime as dt
import json
import shutil
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

import anyk
from anyk.executors.remote.executor import Remote
from anyk.testing import Trial
from anyk.work import Plain, WorkerTask

LONG = 30.0  # seconds: a test that waits this long has failed
GRAM = WorkerTask(Plain("gram"), anyk.PrimeField())
SHARE = np.arange(4, dtype=np.uint32).reshape(1, 2, 2)


class Fake:
    """A worker that answers each request to run or fill with whatever bytes a test says."""

    def __init__(self, answer: Callable[[dict[str, Any]], bytes], context: Any = None) -> None:
        self.answer = answer
        self.context = context
        self.heard = bytearray()
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.listen)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(LONG)
        assert not self.thread.is_alive()

    def listen(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                try:
                    if self.context is None:
                        self.serve(connection)
                    else:
                        with self.context.wrap_socket(connection, server_side=True) as secure:
                            self.serve(secure)
                except (OSError, EOFError):
                    continue

    def serve(self, connection: socket.socket) -> None:
        while True:
            (length,) = struct.unpack(">I", self.read(connection, 4))
            request = json.loads(self.read(connection, length))
            for name, shape in request.get("arrays", ()):
                self.read(connection, int(np.prod(shape)) * np.dtype(name).itemsize)
            if request["verb"] in {"run", "fill"}:
                connection.sendall(self.answer(request))

    def read(self, connection: socket.socket, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            got = connection.recv(size - len(data))
            if not got:
                raise EOFError
            data += got
        self.heard += data
        return bytes(data)


def header(request: dict[str, Any], **change: object) -> bytes:
    plain = {"serial": request["serial"], "seconds": 0.0, "failure": None, "dtype": "<u4"}
    text = json.dumps(plain | {"shape": [2, 2]} | change).encode()
    return struct.pack(">I", len(text)) + text


def honest(request: dict[str, Any]) -> bytes:
    return header(request) + np.arange(4, dtype=np.uint32).tobytes()


def ask(executor: Remote, shares: Any = SHARE) -> list[tuple[Any, str | None, float]]:
    """Value, failure and seconds of each worker."""
    placement = executor.place((shares,))
    dispatch = executor.dispatch(GRAM, placement, ())
    got = {}
    for _ in range(len(shares)):
        answer = dispatch.receive(LONG)
        assert answer is not None
        got[answer.worker] = (answer.value, answer.failure, answer.seconds)
    executor.release(placement)
    return [got[who] for who in sorted(got)]


def signed(
    directory: Path,
    authority: Path,
    name: str,
    key: Any,
    *,
    names: list[str],
    days: float = 1,
    begin: float = -3,
) -> Path:
    """A party's directory with a certificate that a trial's authority would not make."""
    issuer = x509.load_pem_x509_certificate((authority / "authority.pem").read_bytes())
    secret: Any = serialization.load_pem_private_key((authority / "key.pem").read_bytes(), None)
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + dt.timedelta(days=begin))
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(each) for each in names]), critical=True
        )
        .sign(secret, hashes.SHA256())
    )
    party = directory / name
    party.mkdir()
    (party / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (party / "key.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    shutil.copy(authority / "authority.pem", party)
    return party


def secured(party: Path, *, protocol: str = "anyk/1") -> ssl.SSLContext:
    """A worker's TLS, which does not care who the master is."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(party / "certificate.pem", party / "key.pem")
    context.set_alpn_protocols([protocol])
    return context


def knock(trial: Trial, context: ssl.SSLContext, data: bytes = b"") -> bytes:
    """What a worker says to one who comes with this TLS."""
    port = int(trial.addresses[0].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), LONG) as plain:
        with context.wrap_socket(plain, server_hostname="worker-0") as secure:
            secure.sendall(data)
            return secure.recv(100)


def request(**items: object) -> bytes:
    text = json.dumps({"key": 0, "arrays": []} | items).encode()
    return struct.pack(">I", len(text)) + text
