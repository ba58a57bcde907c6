"""What a server, and anybody else, can make an aggregator hold, wait for and say."""

import contextlib
import logging
import shutil
import socket
import struct
import threading
import time

import pytest
from aggregator_services import LONG, Echo, ended, knocking, serving

from anyk.aggregation import AbstractParty, RemoteParties
from anyk.aggregation.remote.founding import found_committee
from anyk.aggregation.remote.letters import receive_length, receive_rest, send
from anyk.connections.certificates import revoke_certificates
from anyk.connections.door import MOST_STRANGERS


@pytest.fixture
def said(caplog):
    """What was logged."""
    caplog.set_level(logging.INFO, "anyk.aggregator")
    return lambda: caplog.text


def until(is_so):
    """Wait until something is so."""
    deadline = time.monotonic() + LONG
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def ask(port, papers, request, name="aggregator-0"):
    with RemoteParties([f"{name}@127.0.0.1:{port}"], tls=papers / "server") as parties:
        return parties.ask({name: request}, LONG)[name]


@pytest.mark.parametrize("size", [0, 1, 1 << 14, (1 << 14) + 1, 3 << 20])
def test_letters_of_any_size_go_and_come(papers, size):
    with serving(Echo(), papers / "aggregator-0") as port:
        assert ask(port, papers, bytes(size)) == b"<" + bytes(size) + b">"


def test_one_connection_serves_many_questions(papers, said):
    with serving(Echo(), papers / "aggregator-0") as port:
        address = f"aggregator-0@127.0.0.1:{port}"
        with RemoteParties([address], tls=papers / "server") as parties:
            for number in range(5):
                request = bytes([number])
                answers = parties.ask({"aggregator-0": request}, LONG)
                assert answers == {"aggregator-0": b"<" + request + b">"}
    assert said().count("serves the server") == 1


def test_a_question_longer_than_there_is_room_for_ends_the_session(papers, said):
    with serving(Echo(), papers / "aggregator-0", memory=1) as port:
        for length in ((1 << 20) + 1, 1 << 63):
            with knocking(port, papers / "server") as stream:
                stream.send(memoryview(struct.pack(">Q", length)), None)
                assert ended(stream)
            until(lambda length=length: f"it has {length} bytes, more than {1 << 20}" in said())
        assert ask(port, papers, b"?") == b"<?>"


def test_connections_share_the_room(papers, said):
    half = (1 << 19) + 1
    with serving(Echo(), papers / "aggregator-0", memory=1) as port:
        with knocking(port, papers / "server") as one, knocking(port, papers / "server") as other:
            one.send(memoryview(struct.pack(">Q", half) + b"x"), None)
            other.send(memoryview(struct.pack(">Q", half) + b"x"), None)
            until(lambda: "--memory has room for" in said())
        until(lambda: isinstance(ask(port, papers, bytes(half)), bytes))  # it came free


def test_who_sends_a_question_too_slowly_is_ended(papers, said):
    with serving(Echo(), papers / "aggregator-0", seconds=1) as port:
        with knocking(port, papers / "server") as stream:
            stream.send(memoryview(struct.pack(">Q", 1000)), None)
            with contextlib.suppress(OSError):
                for _ in range(200):  # a byte now and then does not help
                    stream.send(memoryview(b"x"), time.monotonic() + LONG)
                    time.sleep(0.05)
        until(lambda: "took too long" in said() or "timed out" in said())


def test_who_reads_no_answer_is_ended(papers, said):
    class Long(AbstractParty):
        def answer(self, request):  # noqa: ARG002 - whatever it is
            return bytes(64 << 20)

    with serving(Long(), papers / "aggregator-0", seconds=1) as port:
        with knocking(port, papers / "server") as stream:
            send(stream, b"?", None)
            until(lambda: "ended the session" in said())


def test_who_asks_nothing_is_ended_and_may_come_again(papers, said):
    with serving(Echo(), papers / "aggregator-0", idle_seconds=1) as port:
        address = f"aggregator-0@127.0.0.1:{port}"
        with RemoteParties([address], tls=papers / "server") as parties:
            assert parties.ask({"aggregator-0": b"1"}, LONG) == {"aggregator-0": b"<1>"}
            until(lambda: "ended the session" in said())
            assert parties.ask({"aggregator-0": b"2"}, LONG) == {"aggregator-0": b"<2>"}


def test_more_servers_than_sessions_are_refused(papers, said):
    with serving(Echo(), papers / "aggregator-0", sessions=1) as port:
        with knocking(port, papers / "server") as first:
            until(lambda: "serves" in said())
            with knocking(port, papers / "server") as second:
                assert ended(second)
            until(lambda: "1 session already (--sessions)" in said())
            send(first, b"?", None)
            assert receive_rest(first, receive_length(first, 100, None), None) == b"<?>"


@pytest.mark.parametrize("who", ["aggregator-1", "another authority's", "a worker's protocol"])
def test_only_the_server_is_served(papers, said, who, tmp_path):
    directory, protocol = papers / "server", "anyk-aggregation/1"
    if who == "aggregator-1":
        directory = papers / who
    elif who == "another authority's":
        found_committee(tmp_path, aggregators=1, clients=1)
        directory = tmp_path / "server"
        shutil.copy(papers / "server" / "authority.pem", directory)  # it believes the real one
    else:
        protocol = "anyk/1"
    with serving(Echo(), papers / "aggregator-0") as port:
        with contextlib.suppress(Exception), knocking(port, directory, protocol=protocol) as stream:
            send(stream, b"?", time.monotonic() + LONG)
            assert ended(stream)
        until(lambda: "refused 127.0.0.1" in said())
        assert "serves" not in said()
        assert ask(port, papers, b"?") == b"<?>"


def test_strangers_make_room_for_the_server(papers, said):
    with serving(Echo(), papers / "aggregator-0") as port, contextlib.ExitStack() as stack:
        for _ in range(MOST_STRANGERS + 8):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), LONG))
        assert ask(port, papers, b"?") == b"<?>"
        until(lambda: "too many strangers at once" in said())


def test_who_speaks_no_tls_is_refused(papers, said):
    with serving(Echo(), papers / "aggregator-0") as port:
        with socket.create_connection(("127.0.0.1", port), LONG) as plain:
            plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert plain.recv(1) == b""
        until(lambda: "it does not begin TLS" in said())


def test_a_revoked_server_is_ended(said, tmp_path):
    found_committee(tmp_path, aggregators=1, clients=1)
    with serving(Echo(), tmp_path / "aggregator-0") as port:
        with knocking(port, tmp_path / "server") as stream:
            send(stream, b"?", None)
            assert receive_rest(stream, receive_length(stream, 100, None), None) == b"<?>"
            revoke_certificates(tmp_path, ["server"])
            time.sleep(1.1)  # files are looked at once a second
            stream.send(memoryview(struct.pack(">Q", 1) + b"?"), None)
            assert ended(stream)
        until(lambda: "its certificate is revoked" in said())


def test_a_party_that_fails_says_nothing_of_the_request(papers, said):
    class Failing(AbstractParty):
        def answer(self, request):
            if b"secret" in request:
                raise ValueError(f"can't read {request!r}")
            return request

    with serving(Failing(), papers / "aggregator-0") as port:
        assert isinstance(ask(port, papers, b"secret 4711"), OSError)
        assert ask(port, papers, b"?") == b"?"
    until(lambda: "ValueError at test_service.py:" in said())
    assert "secret" not in said()
    assert "4711" not in said()


def test_one_request_is_answered_at_a_time(papers):
    class Alone(AbstractParty):
        inside = 0

        def answer(self, request):
            self.inside += 1
            time.sleep(0.01)
            alone, self.inside = self.inside == 1, self.inside - 1
            return request if alone else b""

    answers = []
    with serving(Alone(), papers / "aggregator-0", sessions=8) as port:
        threads = [
            threading.Thread(target=lambda: answers.append(ask(port, papers, b"?")))
            for _ in range(6)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert answers == [b"?"] * 6
