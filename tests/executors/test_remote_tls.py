"""TLS as a weapon, in both directions: what OpenSSL would answer by itself, for ever."""

import random
import resource
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from key_updates import flood, key_updates, sealed, secret_of
from remote_fakes import LONG, Fake, ask, header, honest, knock, request, secured

from anyk.connections.broken import BrokenAnswer
from anyk.connections.handshake import admit, reach
from anyk.connections.party import Stranger
from anyk.connections.secure import EMPTY, HANDSHAKE, SecureStream
from anyk.connections.tls import client_context
from anyk.executors.remote.executor import Remote
from anyk.executors.remote.frames import PROTOCOL
from anyk.testing import Trial


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with Trial("anyk.testing.tasks", workers=1) as started:
        yield started


@pytest.fixture
def pair(trial: Trial) -> Iterator[tuple[SecureStream, SecureStream]]:
    """The master's end and the worker's, which have shown who they are."""
    ours, theirs = socket.socketpair()
    streams: list[SecureStream] = []
    party = trial.certificates / "worker-0"
    until = time.monotonic() + LONG
    thread = threading.Thread(
        target=lambda: streams.append(admit(theirs, party, "master", until, protocol=PROTOCOL))
    )
    thread.start()
    master = reach(ours, trial.master, "worker-0", until, protocol=PROTOCOL)
    thread.join(LONG)
    yield master, streams[0]
    ours.close()
    theirs.close()


class Floods(Fake):
    """A worker that answers with key updates."""

    def __init__(self, party: Path, log: Path, *, asks: bool = False, pause: float = 0.0) -> None:
        context = secured(party)
        context.num_tickets = 0  # they would be the first records under the secret
        context.keylog_filename = str(log)
        super().__init__(honest, context)
        self.log, self.asks, self.pause = log, asks, pause
        self.taken: list[int] = []

    def serve(self, connection: Any) -> None:
        self.answer = self.let_loose
        self.connection = connection
        super().serve(connection)

    def let_loose(self, _: dict[str, Any]) -> bytes:
        more = {"asks": self.asks, "seconds": LONG, "pause": self.pause}
        self.taken.append(flood(self.connection, self.log, "SERVER", **more))
        raise EOFError


def spent() -> float:
    """Seconds of this process's CPU."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


@pytest.mark.parametrize("asks", [False, True])
def test_a_worker_s_key_updates_are_not_listened_to_for_long(
    trial: Trial, tmp_path: Path, *, asks: bool
) -> None:
    with Floods(trial.certificates / "worker-0", tmp_path / "log", asks=asks) as fake:
        place = [f"worker-0@127.0.0.1:{fake.port}"]
        with Remote(place, tls=trial.master, patience=LONG) as executor:
            started = time.monotonic()
            ((value, failure, _),) = ask(executor)
            assert time.monotonic() - started < LONG / 3
    assert value is None
    assert "no answer: it sends too many bytes that hold nothing" in str(failure)


def test_key_updates_now_and_then_do_not_put_a_deadline_off(trial: Trial, tmp_path: Path) -> None:
    with Floods(trial.certificates / "worker-0", tmp_path / "log", pause=0.05) as fake:
        place = [f"worker-0@127.0.0.1:{fake.port}"]
        with Remote(place, tls=trial.master, patience=0.7) as executor:
            started = time.monotonic()
            ((_, failure, _),) = ask(executor)
            assert time.monotonic() - started < LONG / 3
    assert failure == "gave no answer within 0.7 s"


@pytest.mark.parametrize("asks", [False, True])
def test_a_master_s_key_updates_end_its_session(
    trial: Trial, tmp_path: Path, *, asks: bool
) -> None:
    context = client_context(trial.master, PROTOCOL)
    context.keylog_filename = str(tmp_path / "log")
    port = int(trial.addresses[0].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), LONG) as plain:
        secure = context.wrap_socket(plain, server_hostname="worker-0")
        flood(secure, tmp_path / "log", "CLIENT", asks=asks, seconds=LONG)
    with Remote(trial.addresses, tls=trial.master) as executor:
        assert ask(executor)[0][1] is None


def test_tickets_are_not_listened_to_for_long(trial: Trial) -> None:
    context = secured(trial.certificates / "worker-0")
    context.num_tickets = 2000
    with Fake(honest, context) as fake:
        with Remote([f"worker-0@127.0.0.1:{fake.port}"], tls=trial.master) as executor:
            ((value, failure, _),) = ask(executor)
    assert value is None
    assert "bytes that hold nothing" in str(failure)


def test_a_key_update_before_an_answer_is_fine(trial: Trial, tmp_path: Path) -> None:
    """Some TLS libraries send one by themselves, after many records."""

    class Once(Floods):
        def let_loose(self, request: dict[str, Any]) -> bytes:
            secret = secret_of(self.log, "SERVER")
            secret, update = key_updates(secret, 1, asks=True)
            answer = sealed(secret, 0x17, header(request) + np.arange(4).tobytes())
            with socket.socket(fileno=self.connection.detach()) as raw:
                raw.sendall(update + answer)
                raw.recv(1)
            raise EOFError

    with Once(trial.certificates / "worker-0", tmp_path / "log") as fake:
        with Remote([f"worker-0@127.0.0.1:{fake.port}"], tls=trial.master) as executor:
            assert ask(executor)[0][1] is None


def test_a_worker_gives_no_tickets(trial: Trial) -> None:
    context = client_context(trial.master, PROTOCOL)
    port = int(trial.addresses[0].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), LONG) as plain:
        with context.wrap_socket(plain, server_hostname="worker-0") as secure:
            secure.sendall(request(verb="run", serial=1, function="gram", per_worker=[]))
            assert secure.recv(1)
            assert secure.session is None or not secure.session.has_ticket
            session = secure.session
    with socket.create_connection(("127.0.0.1", port), LONG) as plain:
        with context.wrap_socket(plain, server_hostname="worker-0", session=session) as secure:
            assert not secure.session_reused


def test_numbers_go_through_whole(pair: tuple[SecureStream, SecureStream]) -> None:
    master, worker = pair
    rng = np.random.default_rng(0)
    for size in (0, 1, 1 << 14, (1 << 15) + 1, 1 << 20):
        sent = rng.integers(256, size=size, dtype=np.uint8)
        got = np.zeros(size, np.uint8)
        until = time.monotonic() + LONG
        thread = threading.Thread(target=master.send, args=(sent.data, until))
        thread.start()
        worker.receive(got.data, until)
        thread.join(LONG)
        assert np.array_equal(sent, got)
        assert master.silent()
        assert worker.silent()


def test_records_of_little_are_heard_up_to_a_limit(
    pair: tuple[SecureStream, SecureStream],
) -> None:
    master, worker = pair
    count = EMPTY // 23  # bytes that a byte takes in a record of its own
    until = time.monotonic() + LONG

    def trickle(number: int) -> None:
        with suppress(OSError):  # when the other end has had enough
            for _ in range(number):
                master.send(memoryview(b"x"), until)

    thread = threading.Thread(target=trickle, args=(count,))
    thread.start()
    worker.receive(memoryview(bytearray(count)), until)
    thread.join(LONG)
    thread = threading.Thread(target=trickle, args=(2 * count,))
    thread.start()
    with pytest.raises(BrokenAnswer, match="hold nothing"):
        worker.receive(memoryview(bytearray(2 * count)), until)
    worker.raw.close()
    thread.join(LONG)


def test_one_who_does_not_read_is_given_up(pair: tuple[SecureStream, SecureStream]) -> None:
    master, _ = pair
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        master.send(memoryview(bytearray(1 << 24)), started + 0.5)
    assert time.monotonic() - started < LONG / 3


@pytest.mark.parametrize("first", [b"", b"\x16\3\3\1\0\2", b"\x15\3\3\0\2\1"], ids=repr)
def test_a_handshake_that_does_not_go_on_is_given_up(trial: Trial, first: bytes) -> None:
    class Drips(Fake):
        def serve(self, connection: socket.socket) -> None:
            connection.sendall(first)
            while not self.over.wait(0.05):
                connection.sendall(b"\0" if first else b"")

    with Drips(honest) as fake:
        place = [f"worker-0@127.0.0.1:{fake.port}"]
        with Remote(place, tls=trial.master, patience=0.5) as executor:
            started = time.monotonic()
            ((value, failure, _),) = ask(executor)
            assert time.monotonic() - started < LONG / 3
    assert value is None
    assert "can't be reached" in str(failure)


def test_a_handshake_of_many_bytes_is_given_up(trial: Trial) -> None:
    """Of a hello in pieces, each of which is fine, and which has no end that matters."""
    ours, theirs = socket.socketpair()
    stop = threading.Event()

    def endless() -> None:
        piece = b"\x16\3\3\x40\0" + b"\x02\xff\xff\xff" + bytes((1 << 14) - 4)
        try:
            while not stop.is_set():
                theirs.sendall(piece)
        except OSError:
            pass

    thread = threading.Thread(target=endless)
    thread.start()
    before = spent()
    with pytest.raises((BrokenAnswer, ssl.SSLError, EOFError)):
        reach(ours, trial.master, "worker-0", time.monotonic() + LONG, protocol=PROTOCOL)
    assert spent() - before < LONG / 3
    assert HANDSHAKE < 1 << 20
    stop.set()
    ours.close()
    theirs.close()
    thread.join(LONG)


def on_the_way(
    source: socket.socket, target: socket.socket, change: Callable[[bytes], bytes]
) -> None:
    """Carry bytes from one end to the other, changed."""
    with suppress(OSError):
        while data := source.recv(1 << 16):
            target.sendall(change(data))
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def spoil(rng: random.Random) -> Callable[[bytes], bytes]:
    """What somebody on the way may do to a handshake, once in it."""
    kind, at, bit = rng.randrange(5), rng.random(), 1 << rng.randrange(8)
    when = rng.randrange(2)  # the first or the second that is said
    turns = iter(range(1 << 30))

    def change(data: bytes) -> bytes:
        if next(turns) != when:
            return data
        place = int(at * len(data))
        match kind:
            case 0:
                return data[:place] + bytes([data[place] ^ bit]) + data[place + 1 :]
            case 1:
                return data[:place]
            case 2:
                return data[:place] + data
            case 3:
                return data + data
            case _:
                return rng.randbytes(len(data))

    return change


@pytest.mark.parametrize("seed", range(24))
def test_a_handshake_that_was_changed_on_the_way_ends_in_its_time(trial: Trial, seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - nothing here is secret
    ours, middle = socket.socketpair()
    other, theirs = socket.socketpair()
    said: dict[str, object] = {}
    deadline = time.monotonic() + 0.7

    def end(who: str, shake: Callable[[], SecureStream]) -> None:
        try:
            stream = shake()
            said[who] = stream.receive(memoryview(bytearray(1)), deadline)
        except (BrokenAnswer, Stranger, EOFError, OSError) as error:
            said[who] = error

    party = trial.certificates / "worker-0"
    ways = [
        lambda: end(
            "master", lambda: reach(ours, trial.master, "worker-0", deadline, protocol=PROTOCOL)
        ),
        lambda: end("worker", lambda: admit(theirs, party, "master", deadline, protocol=PROTOCOL)),
    ]
    changes = (spoil(rng), bytes) if seed % 2 else (bytes, spoil(rng))
    carriers = [
        threading.Thread(target=on_the_way, args=(middle, other, changes[0])),
        threading.Thread(target=on_the_way, args=(other, middle, changes[1])),
    ]
    ends = [threading.Thread(target=way) for way in ways]
    for thread in [*carriers, *ends]:
        thread.start()
    for thread, connection in zip(ends, (ours, theirs), strict=True):
        thread.join(LONG)
        assert not thread.is_alive()
        connection.close()
    for connection in (middle, other):
        connection.close()
    for thread in carriers:
        thread.join(LONG)
    assert all(isinstance(said[who], Exception) for who in ("master", "worker"))


@pytest.mark.parametrize("data", [
    b"\x14\3\3\0\1\1" * 20_000,  # change_cipher_spec, which TLS 1.3 ignores
    b"\x16\3\1\0\0" * 20_000,  # records without anything
    struct.pack(">BHH", 22, 0x0301, 1 << 14) + b"\1\0\xff\xff" + bytes((1 << 14) - 4),
], ids=["change", "empty", "long hello"])  # fmt: skip
def test_a_stranger_s_records_do_not_keep_a_worker(trial: Trial, data: bytes) -> None:
    port = int(trial.addresses[0].rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), LONG) as plain:
        try:
            plain.sendall(data)
            plain.shutdown(socket.SHUT_WR)
            while plain.recv(1 << 16):
                pass
        except OSError:
            pass
    assert b"no such share" in knock(
        trial,
        client_context(trial.master, PROTOCOL),
        request(verb="run", serial=1, function="gram"),
    )


def test_a_master_that_is_refused_is_told_where_the_reason_stands(trial: Trial) -> None:
    """The worker says it by an alert or by closing, whichever the master meets first."""
    for _ in range(3):
        with Remote(trial.addresses, tls=trial.certificates / "worker-0") as executor:
            ((value, failure, _),) = ask(executor)
        assert value is None
        assert "its log" in str(failure)
    assert "refused 127.0.0.1" in trial.said("worker-0")
