"""What a malicious or curious worker can do to its master, and a stranger to a worker: nothing."""

import gc
import importlib
import pickle
import random
import re
import select
import socket
import ssl
import struct
import sys
import threading
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from remote_fakes import (
    GRAM,
    LONG,
    SHARE,
    Fake,
    ask,
    header,
    honest,
    knock,
    request,
    secured,
    signed,
)

import anyk
from anyk.connections.broken import BrokenAnswer
from anyk.connections.certificates import make_certificates
from anyk.connections.handshake import reach
from anyk.connections.party import Stranger
from anyk.connections.tls import Address, client_context
from anyk.executors.core.dispatcher import Awaited
from anyk.executors.core.filling import UNKNOWN, Outline
from anyk.executors.core.link import Order
from anyk.executors.remote.executor import Remote
from anyk.executors.remote.frames import PROTOCOL, Channel, parse_specs
from anyk.executors.remote.link import Keys, Limits, RemoteLink
from anyk.executors.remote.request import make_request
from anyk.testing import Trial

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="module")
def attack() -> Iterator[ModuleType]:
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("remote_under_attack")
    sys.path.remove(str(BENCHMARKS))


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with Trial("anyk.testing.tasks", workers=2) as started:
        yield started


def failure_of(fake: Fake, **limits: Any) -> str | None:
    with Remote([f"127.0.0.1:{fake.port}"], tls=None, **limits) as executor:
        ((value, failure, _),) = ask(executor)
    assert (value is None) == (failure is not None)
    return failure


# A malicious worker, and its master

KINDS = {
    "random_bytes": r"closed the connection|more than 8192",
    "huge_header": "more than 8192",
    "huge_array": r"more than largest_answer|shape is not of lengths|more than an array",
    "truncated": "closed the connection",
    "truncated_at_the_limit": "closed the connection",
    "wrong_dtype": "dtype",
    "wrong_shape": "shape",
    "wrong_header": r"header|another task|seconds|failure",
    "pickled": r"more than 8192|dtype|made-by-a-pickle|header is no JSON",
    "replayed": "it answers another task",
    "another_share": "it answers another task",
    "foul_language": r"^[ -~]*$",
    "gone": r"closed the connection|Connection",
}


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_no_hostile_frame_becomes_a_value(
    attack: ModuleType, tmp_path: Path, *, secure: bool
) -> None:
    bomb = tmp_path / "made-by-a-pickle"
    kinds = list(KINDS)
    more = ["--kinds", *kinds, "--seed", "7"]
    if secure:
        make_certificates(tmp_path / "c", workers=attack.HOSTILE)
        more += ["--tls", str(tmp_path / "c")]
    with attack.hostile(bomb, *more) as ports:
        names = [f"worker-{who}@" if secure else "" for who in range(attack.HOSTILE)]
        places = [f"{name}127.0.0.1:{port}" for name, port in zip(names, ports, strict=True)]
        tls = tmp_path / "c" / "master" if secure else None
        with Remote(places, tls=tls, patience=LONG, largest_answer=1 << 20) as executor:
            reasons, values, grown = attack.frames(executor, 160 if secure else 1600)
    assert values == 0
    assert reasons.total() == (160 if secure else 1600)
    assert len(reasons) > 10
    assert grown < 16
    assert not bomb.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_hostile_frame_fails_for_its_own_reason(
    attack: ModuleType, kind: str, tmp_path: Path
) -> None:
    hostile = importlib.import_module("_hostile_worker")
    frame = getattr(hostile, kind)
    rng = random.Random(3)  # noqa: S311 - nothing here is secret
    asked = hostile.Asked(str(tmp_path / "made-by-a-pickle"), {1: 5}, 0)
    seen = set()

    def answer(request: dict[str, Any]) -> bytes:
        asked.note(request["serial"])
        data, _ = frame(asked, rng)
        if kind in {"random_bytes", "truncated", "truncated_at_the_limit", "gone"}:
            fake.hang_up(data)
        return data

    class HangsUp(Fake):
        def hang_up(self, data: bytes) -> None:
            self.connection.sendall(data)
            raise EOFError

        def serve(self, connection: socket.socket) -> None:
            self.connection = connection
            super().serve(connection)

    with HangsUp(answer) as fake:
        with Remote([f"127.0.0.1:{fake.port}"], tls=None, largest_answer=1 << 20) as executor:
            for _ in range(25):
                ((value, failure, _),) = ask(executor)
                assert value is None
                seen.add(failure)
    assert attack.LIMIT == 1 << 20
    for failure in seen:
        assert failure is not None
        assert failure.isprintable()
        assert len(failure) <= 400
    assert all(re.search(KINDS[kind], failure) for failure in seen), seen
    assert not (tmp_path / "made-by-a-pickle").exists()


@pytest.mark.usefixtures("attack")  # puts the hostile worker on the path
def test_a_pickle_bomb_is_one(tmp_path: Path) -> None:
    """The bomb of these tests does go off where it is unpickled."""
    hostile = importlib.import_module("_hostile_worker")
    bomb = tmp_path / "made-by-a-pickle"
    pickle.loads(pickle.dumps(hostile.Bomb(str(bomb)))).close()
    assert bomb.exists()


def test_runs_end_well_with_hostile_workers(attack: ModuleType, tmp_path: Path) -> None:
    tally = attack.runs(tmp_path / "made-by-a-pickle", 40, seed=3, honest=3)
    assert tally["right"] == 40
    assert not (tmp_path / "made-by-a-pickle").exists()


def test_nothing_is_made_room_for_before_it_is_checked() -> None:
    size = 1 << 34
    frames: list[Callable[[dict[str, Any]], bytes]] = [
        lambda _: b"\xff" * 100,
        lambda request: header(request, shape=[size // 8]),
        lambda request: header(request, shape=[1 << 20, 1 << 20, 0, 1 << 20]) + b"x",
        lambda request: header(request, dtype="<U9999", shape=[1 << 20]),
    ]
    for frame in frames:
        with Fake(frame) as fake:
            tracemalloc.start()
            failure = failure_of(fake)
            _, peak = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert "no answer" in str(failure) or failure is None  # an empty array is one
        assert peak < 4 << 20


def test_an_answer_of_an_earlier_call_is_none() -> None:
    earlier: list[bytes] = []

    def replay(request: dict[str, Any]) -> bytes:
        earlier.append(honest(request))
        return earlier[0]

    with Fake(replay) as fake:
        with Remote([f"127.0.0.1:{fake.port}"], tls=None) as executor:
            assert ask(executor)[0][1] is None
            for _ in range(3):
                assert "it answers another task" in str(ask(executor)[0][1])
        assert fake.connections == 3  # a new one after each lie


def test_an_answer_before_the_question_is_none() -> None:
    def twice(request: dict[str, Any]) -> bytes:
        return honest(request) + header(request) + np.full(4, 9).tobytes()

    with Fake(twice) as fake, Remote([f"127.0.0.1:{fake.port}"], tls=None) as executor:
        for _ in range(3):
            value, failure, _ = ask(executor)[0]
            assert failure is None
            assert np.array_equal(value, [[0, 1], [2, 3]])
    assert fake.connections == 3  # what nobody asked for ends the connection, and nothing more


def test_two_workers_can_not_answer_for_each_other() -> None:
    serials: dict[int, int] = {}
    both = threading.Barrier(2)

    def exchange(place: int, request: dict[str, Any]) -> bytes:
        serials[place] = request["serial"]
        both.wait(LONG)
        return header(request, serial=serials[1 - place]) + np.arange(4, dtype=np.uint32).tobytes()

    with Fake(lambda r: exchange(0, r)) as first, Fake(lambda r: exchange(1, r)) as second:
        places = [f"127.0.0.1:{fake.port}" for fake in (first, second)]
        with Remote(places, tls=None) as executor:
            for value, failure, _ in ask(executor, np.concatenate([SHARE, SHARE])):
                assert value is None
                assert "it answers another task" in str(failure)


@pytest.mark.parametrize("first", [b"", b"\0\0", b"\0\0\0\x50{"], ids=repr)
def test_one_who_sends_a_byte_now_and_then_is_given_up(first: bytes) -> None:
    class Drips(Fake):
        def serve(self, connection: socket.socket) -> None:
            connection.sendall(first)
            while True:
                time.sleep(0.05)
                connection.sendall(b"\0" if not first else b" ")

    with Drips(honest) as fake:
        started = time.monotonic()
        failure = str(failure_of(fake, patience=0.5))
        assert time.monotonic() - started < LONG / 3
        assert "within 0.5 s" in failure or "no answer" in failure or "onnection" in failure


def test_one_who_takes_nothing_is_given_up() -> None:
    class Deaf(Fake):
        def serve(self, _: socket.socket) -> None:
            self.over.wait(LONG)
            raise EOFError

    with Deaf(honest) as fake:
        with Remote([f"127.0.0.1:{fake.port}"], tls=None, patience=0.5) as executor:
            assert ask(executor, np.zeros((1, 1 << 22), int))[0][1] == (
                "gave no answer within 0.5 s"
            )


def test_a_time_that_it_claims_is_no_longer_than_it_took() -> None:
    def slow(request: dict[str, Any]) -> bytes:
        return header(request, seconds=1e300) + np.arange(4, dtype=np.uint32).tobytes()

    with Fake(slow) as fake, Remote([f"127.0.0.1:{fake.port}"], tls=None) as executor:
        assert ask(executor)[0][2] < LONG


def test_booleans_are_true_or_false() -> None:
    def neither(request: dict[str, Any]) -> bytes:
        return header(request, dtype="|b1", shape=[2]) + b"\1\2"

    with Fake(neither) as fake, Remote([f"127.0.0.1:{fake.port}"], tls=None) as executor:
        dispatch = executor.dispatch("gram", executor.place((SHARE,)), ())
        answer = dispatch.receive(LONG)
        assert answer is not None
        assert "neither true nor false" in str(answer.failure)


@pytest.mark.parametrize("specs", [None, {}, [1], [["<i8"]], [["<i8", [-1]]], [[[], []]]], ids=repr)
def test_arrays_that_are_described_in_no_known_way(specs: Any) -> None:
    with pytest.raises(BrokenAnswer):
        parse_specs(specs)


def test_a_worker_s_own_words_are_text_wherever_they_are_shown(tmp_path: Path) -> None:
    words = "$\\frac{1$<b>: [red]\\x1b[31m\\ud800"

    def swears(request: dict[str, Any]) -> bytes:
        return header(request, failure=words)

    scheme = anyk.Replication(blocks=1, workers=1)
    with Fake(swears) as fake, Remote([f"127.0.0.1:{fake.port}"], tls=None) as executor:
        outcome = anyk.run(scheme, "gram", np.ones((1, 2, 2)), executor, on_failure="return")
        assert "frac" in str(executor.health[0])
    assert "frac" in outcome.failures[0]
    outcome.timeline(tmp_path / "run.png")
    assert "<b>" not in outcome._repr_html_()
    for text in (str(outcome), repr(outcome), str(executor.health[0])):
        assert text.encode().decode().replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("dtype", "shape"), [("|b1", [1 << 20]), ("|b1", [1]), ("<f8", []), ("|i1", [])]
)
def test_what_is_answered_to_slabs_is_one_boolean(dtype: str, shape: list[int]) -> None:
    def much(request: dict[str, Any]) -> bytes:
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return header(request, dtype=dtype, shape=shape) + b"\1" * size

    outline = Outline((1, UNKNOWN), np.dtype(np.float64), axis=1)
    with Fake(much) as fake, Remote([f"127.0.0.1:{fake.port}"], tls=None) as executor:
        with pytest.raises(anyk.ExecutorError, match="is not one boolean"):
            executor.filling([outline]).write([np.ones((1, 2))])


# Who is at the other end


def refusal(trial: Trial, context: ssl.SSLContext, name: str = "worker-0") -> str:
    """What a master says of a worker with this TLS, if it does not take it for worker-0."""
    with Fake(honest, context) as fake:
        with Remote([f"{name}@127.0.0.1:{fake.port}"], tls=trial.master) as executor:
            ((value, failure, _),) = ask(executor)
    assert value is None
    assert not fake.heard  # not a byte of a share
    return str(failure)


def test_a_worker_with_its_own_certificate_is_believed(trial: Trial) -> None:
    context = secured(trial.certificates / "worker-0")
    with Fake(honest, context) as fake:
        with Remote([f"worker-0@127.0.0.1:{fake.port}"], tls=trial.master) as executor:
            assert ask(executor)[0][1] is None


def test_a_worker_with_another_ones_certificate_is_refused(trial: Trial) -> None:
    assert "'worker-0'" in refusal(trial, secured(trial.certificates / "worker-1"))


def test_a_worker_with_another_authoritys_certificate_is_refused(
    trial: Trial, tmp_path: Path
) -> None:
    make_certificates(tmp_path / "c", workers=1)
    assert "CERTIFICATE_VERIFY_FAILED" in refusal(trial, secured(tmp_path / "c" / "worker-0"))


def test_certificates_that_are_over_or_for_many_are_refused(trial: Trial, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    authority = trial.certificates / "authority"
    over = signed(tmp_path, authority, "over", key, names=["worker-0"], days=-1)
    assert "expired" in refusal(trial, secured(over))
    many = signed(tmp_path, authority, "many", key, names=["*.example.org"])
    assert "its certificate is not for w.example.org" in refusal(
        trial, secured(many), "w.example.org"
    )
    fine = signed(tmp_path, authority, "fine", key, names=["worker-0"])
    assert "it does not speak anyk/1" in refusal(trial, secured(fine, protocol="h2"))


def test_a_worker_that_takes_two_places_is_refused_in_one(trial: Trial, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    authority = trial.certificates / "authority"
    parties = [signed(tmp_path, authority, f"w{n}", key, names=[f"worker-{n}"]) for n in (0, 1)]
    first, second = (secured(party) for party in parties)
    with Fake(honest, first) as one, Fake(honest, second) as two:
        places = [f"worker-{n}@127.0.0.1:{fake.port}" for n, fake in enumerate((one, two))]
        with Remote(places, tls=trial.master) as executor:
            failures = [failure for _, failure, _ in ask(executor, np.concatenate([SHARE] * 2))]
    assert sorted(failure is None for failure in failures) == [False, True]
    assert any("it has the key of worker-" in str(failure) for failure in failures)


def test_keys_have_one_owner() -> None:
    keys = Keys()
    keys.claim("worker-0", b"key")
    keys.claim("worker-0", b"key")
    keys.claim("worker-0", b"its next key")
    with pytest.raises(Stranger, match="key of worker-0"):
        keys.claim("worker-1", b"key")


# A stranger, and a worker


def test_a_stranger_gets_nothing_out_of_a_worker(attack: ModuleType, trial: Trial) -> None:
    tally = attack.strangers(8, seed=1)
    assert sum(tally.values()) == 8
    assert all("refused" in what for what in tally)
    run = request(verb="run", serial=1, function="gram", per_worker=[], arguments=[])
    master = client_context(trial.master, PROTOCOL)
    assert b"no such share" in knock(trial, master, run)  # the same from the master is heard
    old = client_context(trial.master, PROTOCOL)
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises(ssl.SSLError, match="PROTOCOL_VERSION"):
        knock(trial, old, run)


def test_a_master_of_another_name_is_refused(trial: Trial, tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    party = signed(tmp_path, trial.certificates / "authority", "x", key, names=["another"])
    with pytest.raises((OSError, ssl.SSLError, AssertionError)):
        assert knock(trial, client_context(party, PROTOCOL), request(verb="forget"))
    assert "Stranger: it is another, not master" in trial.said("worker-0")


@pytest.mark.parametrize(
    "data",
    [b"\xff\xff\xff\xff", b"\0\0\0\2{}", b"\0\0\0\1x", request(verb="eval"), request(verb=3),
     request(verb="hold", arrays=[["|O", [1]]]), request(verb="hold", arrays=7),
     request(verb="hold", key="0"), struct.pack(">I", 4000) + b"[" * 4000],
    ids=repr,
)  # fmt: skip
def test_a_master_that_makes_no_sense_is_left(trial: Trial, data: bytes) -> None:
    assert knock(trial, client_context(trial.master, PROTOCOL), data) == b""
    with Remote(trial.addresses[:1], tls=trial.master) as executor:
        assert ask(executor)[0][1] is None


def test_silent_strangers_do_not_keep_the_master_out(trial: Trial) -> None:
    port = int(trial.addresses[0].rpartition(":")[2])
    crowd = [socket.create_connection(("127.0.0.1", port), LONG) for _ in range(40)]
    with Remote(trial.addresses[:1], tls=trial.master) as executor:
        assert ask(executor)[0][1] is None
    for each in crowd:
        each.close()


# A curious worker


def test_a_worker_is_sent_its_own_share_and_no_other() -> None:
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=6, colluders=1)
    X = np.random.default_rng(0).integers(1 << 30, size=(2, 2, 2))
    with Fake(honest) as fake, Fake(honest) as other:
        places = [f"127.0.0.1:{each.port}" for each in (fake, other)]
        with Remote(places, tls=None) as executor:
            encoded = scheme.encode(X)
            ask(executor, encoded.shares[:2])
            heard, elsewhere = bytes(fake.heard), bytes(other.heard)
    assert encoded.shares[0].tobytes() in heard
    assert encoded.shares[1].tobytes() in elsewhere
    for row in [*encoded.shares[1:], *X]:
        assert row.tobytes() not in heard
    for number in X.ravel():  # not a single number of the data
        assert int(number).to_bytes(8, "little") not in heard
        assert str(number).encode() not in heard


def test_a_worker_can_ask_neither_master_nor_worker_for_anything(trial: Trial) -> None:
    verbs = ("run", "hold", "forget", "list", "shares")

    def curious(_: dict[str, Any]) -> bytes:
        return b"".join(request(verb=verb, serial=1, key=key) for verb in verbs for key in range(3))

    context = secured(trial.certificates / "worker-1")
    with Fake(curious, context) as fake:
        with Remote([f"worker-1@127.0.0.1:{fake.port}"], tls=trial.master) as executor:
            before = len(fake.heard)
            assert "no answer" in str(ask(executor)[0][1])
            heard = bytes(fake.heard[before:])
    assert heard.count(b'"verb"') == 2  # its own share, and the question
    as_worker = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    party = trial.certificates / "worker-1"
    as_worker.load_verify_locations(party / "authority.pem")
    as_worker.load_cert_chain(party / "certificate.pem", party / "key.pem")
    as_worker.set_alpn_protocols(["anyk/1"])
    with pytest.raises(OSError, match=r"ALERT|alert|reset|EOF"):
        knock(trial, as_worker, request(verb="run", serial=1, function="gram", per_worker=[]))


def test_one_who_is_gone_or_speaks_unasked_is_noticed() -> None:
    for speak in (lambda end: end.send({}, [], None), lambda end: end.close()):
        ours, theirs = (Channel(end) for end in socket.socketpair())
        assert ours.silent()
        speak(theirs)
        assert not ours.silent()
        ours.close()
        theirs.close()
        assert not ours.silent()


def test_one_who_is_gone_before_tls_begins_leaves_no_socket_behind(trial: Trial) -> None:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            plain = socket.create_connection(listener.getsockname())
            gone, _ = listener.accept()
            gone.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            gone.close()  # by a reset
            seen = select.poll()
            seen.register(plain, 0)
            assert seen.poll(1000 * LONG)
            with plain, pytest.raises(ConnectionResetError):
                reach(plain, trial.master, "worker-0", time.monotonic() + LONG, protocol=PROTOCOL)
        gc.collect()
    assert not [str(each.message) for each in said]


def test_a_link_that_is_cut_gives_up_a_handshake(trial: Trial) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = Address("worker-0", *listener.getsockname())
        link = RemoteLink(
            address,
            trial.master,
            Keys(),
            dict,
            Limits(patience=LONG, answer=1000),
        )
        said: list[Any] = []
        order = Order(0, (SHARE,), make_request(GRAM, [], workers=1), [[]], Awaited())
        asking = threading.Thread(target=lambda: said.append(link.ask(order, 0)))
        asking.start()
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(1, socket.MSG_PEEK)  # its first words, and no answer
            link.cut(force=False)
            asking.join(LONG)
        link.leave()
    ((value, failure, *_),) = said
    assert value is None
    assert "timed out" not in failure
