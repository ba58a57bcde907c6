"""What an aggregator, and the way there, can do to the server: be silent, and no more."""

import contextlib
import itertools
import socket
import struct
import threading
import time
import tracemalloc

import pytest
from aggregator_services import LONG, Echo, pretending, serving

from anyk.aggregation import AbstractParty, RemoteParties
from anyk.aggregation.remote.founding import found_committee
from anyk.aggregation.remote.letters import receive_length, receive_rest, send
from anyk.connections.certificates import revoke_certificates
from anyk.errors import InvalidArgument

SHORT = 0.5  # seconds of patience
PATIENCE = (SHORT, 2.0, 8.0)  # more where the machine is busy


def asked(stream):
    return receive_rest(stream, receive_length(stream, 1 << 20, None), None)


def hang(stream, over):
    asked(stream)
    over.wait(LONG)


def drip(stream, over):
    asked(stream)
    stream.send(memoryview(struct.pack(">Q", 100)), None)
    while not over.wait(0.02):
        stream.send(memoryview(b"x"), None)


def drip_the_length(stream, over):
    asked(stream)
    while not over.wait(1.5):
        stream.send(memoryview(b"\0"), None)


def say_a_lot(stream, over):
    asked(stream)
    stream.send(memoryview(struct.pack(">Q", 1 << 62)), None)
    over.wait(LONG)


def say_little_too_much(stream, _over):
    asked(stream)
    send(stream, bytes(1001), None)


def stop_half_way(stream, _over):
    asked(stream)
    stream.send(memoryview(struct.pack(">Q", 100) + b"half"), None)


def close_at_once(_stream, _over):
    pass


def garbage(connection, over):
    connection.sendall(bytes(range(256)) * 300)
    over.wait(LONG)


def silent(_connection, over):
    over.wait(LONG)


TLS = [hang, drip, drip_the_length, say_a_lot, say_little_too_much, stop_half_way, close_at_once]
PLAIN = [garbage, silent, close_at_once]


@pytest.mark.parametrize(
    ("behave", "secure"),
    [*((each, True) for each in TLS), *((each, False) for each in PLAIN)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_whatever_one_does_it_costs_its_own_answer_alone(papers, behave, secure):
    party = papers / "aggregator-0"
    with (
        pretending(behave, party if secure else None) as bad,
        serving(Echo(), papers / "aggregator-1") as good,
    ):
        addresses = [f"aggregator-0@127.0.0.1:{bad}", f"aggregator-1@127.0.0.1:{good}"]
        with RemoteParties(addresses, tls=papers / "server", largest_answer=1000) as parties:
            assert parties.ask({"aggregator-1": b"!"}, LONG) == {"aggregator-1": b"<!>"}
            for patience in PATIENCE:
                tracemalloc.start()
                begun = time.monotonic()
                answers = parties.ask({"aggregator-0": b"?", "aggregator-1": b"?"}, patience)
                took, (_, peak) = time.monotonic() - begun, tracemalloc.get_traced_memory()
                tracemalloc.stop()
                assert took < LONG
                assert peak < 4 << 20  # whatever length it said
                assert isinstance(answers["aggregator-0"], OSError)
                if not isinstance(answers["aggregator-1"], TimeoutError):
                    break
            assert answers["aggregator-1"] == b"<?>"


def test_one_that_is_gone_or_unknown_is_said_to_be(papers):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with RemoteParties([f"aggregator-0@127.0.0.1:{port}"], tls=papers / "server") as parties:
        answers = parties.ask({"aggregator-0": b"?", "aggregator-7": b"?"}, LONG)
    assert isinstance(answers["aggregator-0"], ConnectionRefusedError)
    assert "no address of 'aggregator-7'" in str(answers["aggregator-7"])


def test_another_aggregator_at_its_address_is_none(papers):
    with serving(Echo(), papers / "aggregator-1") as port:
        with RemoteParties([f"aggregator-0@127.0.0.1:{port}"], tls=papers / "server") as parties:
            (answer,) = parties.ask({"aggregator-0": b"?"}, LONG).values()
    assert isinstance(answer, OSError)
    assert "ertificate" in str(answer)


def test_one_that_comes_back_is_asked_again(papers):
    address, party = "127.0.0.1", papers / "aggregator-0"
    with serving(Echo(), party) as port:
        parties = RemoteParties([f"aggregator-0@{address}:{port}"], tls=papers / "server")
        assert parties.ask({"aggregator-0": b"1"}, LONG) == {"aggregator-0": b"<1>"}
    (answer,) = parties.ask({"aggregator-0": b"2"}, LONG).values()
    assert isinstance(answer, ConnectionError)
    parties.close()
    parties.close()
    with serving(Echo(), party) as port:
        again = RemoteParties([f"aggregator-0@{address}:{port}"], tls=papers / "server")
        with again:
            assert again.ask({"aggregator-0": b"3"}, LONG) == {"aggregator-0": b"<3>"}


def test_a_connection_that_had_closed_meanwhile_is_made_anew_at_once(papers):
    turns = itertools.count()

    def once(stream, _over):
        send(stream, asked(stream) + bytes([next(turns)]), None)

    with pretending(once, papers / "aggregator-0") as port:
        with RemoteParties([f"aggregator-0@127.0.0.1:{port}"], tls=papers / "server") as parties:
            for turn in range(4):
                answer = parties.ask({"aggregator-0": b"?"}, LONG)["aggregator-0"]
                assert answer == b"?" + bytes([turn])


def test_all_are_asked_at_the_same_time(papers):
    barrier = threading.Barrier(3, timeout=LONG)

    class Together(AbstractParty):
        def answer(self, request):
            barrier.wait()
            return request

    names = [f"aggregator-{number}" for number in range(3)]
    with contextlib.ExitStack() as stack:
        ports = [stack.enter_context(serving(Together(), papers / name)) for name in names]
        addresses = [f"{name}@127.0.0.1:{port}" for name, port in zip(names, ports, strict=True)]
        with RemoteParties(addresses, tls=papers / "server") as parties:
            assert parties.ask(dict.fromkeys(names, b"?"), LONG) == dict.fromkeys(names, b"?")


def test_a_question_that_was_given_up_does_not_answer_the_next(papers):
    late = threading.Event()

    class Slow(AbstractParty):
        def answer(self, request):
            if request == b"first":
                late.wait(LONG)
            return request

    with serving(Slow(), papers / "aggregator-0") as port:
        with RemoteParties([f"aggregator-0@127.0.0.1:{port}"], tls=papers / "server") as parties:
            (answer,) = parties.ask({"aggregator-0": b"first"}, SHORT).values()
            assert isinstance(answer, TimeoutError)
            late.set()
            assert parties.ask({"aggregator-0": b"second"}, LONG)["aggregator-0"] == b"second"


@pytest.mark.parametrize(
    ("addresses", "argument"),
    [([], "addresses"), (["aggregator-0@127.0.0.1:0"], "addresses"), ("a@b:1", "addresses"),
     (["a@127.0.0.1:1", "a@127.0.0.1:2"], "addresses"), ([7], "addresses")],
)  # fmt: skip
def test_addresses_that_can_not_be_used_are_refused(papers, addresses, argument):
    with pytest.raises(InvalidArgument, match=rf"^{argument}: got"):
        RemoteParties(addresses, tls=papers / "server")


def test_a_directory_without_certificates_is_refused(papers):
    with pytest.raises(InvalidArgument, match=r"^tls: got"):
        RemoteParties(["aggregator-0@127.0.0.1:7"], tls=papers / "client-0")
    with pytest.raises(InvalidArgument, match=r"^largest_answer: got"):
        RemoteParties(["aggregator-0@127.0.0.1:7"], tls=papers / "server", largest_answer=0)


def test_a_revoked_aggregator_is_not_asked_any_more(tmp_path):
    found_committee(tmp_path, aggregators=1, clients=1)
    with serving(Echo(), tmp_path / "aggregator-0") as port:
        address = f"aggregator-0@127.0.0.1:{port}"
        with RemoteParties([address], tls=tmp_path / "server") as parties:
            assert parties.ask({"aggregator-0": b"?"}, LONG) == {"aggregator-0": b"<?>"}
            revoke_certificates(tmp_path, ["aggregator-0"])
            (tmp_path / "aggregator-0" / "revoked.pem").unlink()  # it does not know, or care
            time.sleep(1.1)  # files are looked at once a second
            (answer,) = parties.ask({"aggregator-0": b"?"}, LONG).values()
            assert isinstance(answer, OSError)
            assert "revoked" in str(answer)
