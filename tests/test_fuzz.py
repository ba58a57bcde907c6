"""Fuzzing of the wire: that its tools do what they say, and its judges find what they should."""

import importlib
import socket
import ssl
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from anyk.connections.certificates import make_certificates

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
LONG = 30.0


@pytest.fixture(scope="module", autouse=True)
def benchmarks() -> Iterator[None]:
    sys.path.insert(0, str(BENCHMARKS))
    yield
    sys.path.remove(str(BENCHMARKS))


def part(name: str) -> ModuleType:
    return importlib.import_module(name)


def test_what_is_accepted_or_late_is_a_fault() -> None:
    tally = part("fuzz_the_wire").Tally()
    tally.time("strangers", "silence", lambda: False, 5.0)
    assert not tally.faults
    tally.time("strangers", "revoked", lambda: True, 5.0)
    assert tally.faults == ["strangers, revoked: ACCEPTED"]
    tally.time("servers", "trickle", lambda: time.sleep(0.01) is not None, -1.0)
    assert "took" in tally.faults[1]


@pytest.mark.parametrize(("limit", "late"), [(LONG, 0), (-0.7, 1)])
def test_a_connection_that_stays_open_is_noticed(limit: float, late: int) -> None:
    held = part("_fuzz_visits").Held(2, limit)
    ours, theirs = socket.socketpair()
    held.take("silence", ours)
    if not late:
        theirs.close()
    held.wait()
    theirs.close()
    assert (held.ended, held.late["silence"]) == (1, late)


def test_records_made_by_hand_are_tls(tmp_path: Path) -> None:
    tls = part("_fuzz_tls")
    make_certificates(tmp_path / "c", workers=1)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    party = tmp_path / "c" / "worker-0"
    server.load_cert_chain(party / "certificate.pem", party / "key.pem")
    server.num_tickets = 0
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(party / "authority.pem")
    client.keylog_filename = str(tmp_path / "log")
    ours, theirs = socket.socketpair()
    heard: list[bytes] = []

    def listen() -> None:
        theirs.settimeout(LONG)
        with server.wrap_socket(theirs, server_side=True) as link:
            heard.extend(link.recv(100) for _ in range(2))

    thread = threading.Thread(target=listen)
    thread.start()
    with ours:
        ours.settimeout(LONG)
        end = tls.Tls(ours, client, "worker-0", tmp_path / "log")
        end.shake()
        writer = end.writer()
        ours.sendall(writer.record(23, b"before"))
        time.sleep(0.2)  # or both are read at once
        ours.sendall(writer.record(23, b"") + writer.key_update(ask=False))
        ours.sendall(writer.record(23, b"after"))
        thread.join(LONG)
    assert heard == [b"before", b"after"]


def test_certificates_that_should_not_be_believed(tmp_path: Path) -> None:
    parties = part("_fuzz_parties")
    make_certificates(tmp_path / "c", workers=1)
    old = (tmp_path / "c" / "worker-0" / "certificate.pem").read_bytes()
    parties.make_parties(tmp_path / "c", tmp_path / "false", "worker-0")
    for kind in parties.FALSE:
        assert (tmp_path / "false" / kind / "key.pem").exists()
    assert (tmp_path / "false" / "revoked" / "certificate.pem").read_bytes() == old
    assert (tmp_path / "c" / "worker-0" / "certificate.pem").read_bytes() != old
    assert (tmp_path / "c" / "master" / "revoked.pem").exists()
