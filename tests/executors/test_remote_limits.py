"""What a master or a task can take of a worker, and how it is ended: always, with all it has."""

import json
import logging
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calls import LONG, eventually, gone

import anyk
from anyk.answers import Answer
from anyk.connections.broken import BrokenAnswer
from anyk.connections.talk import Talk
from anyk.connections.tls import client_context, parse_address
from anyk.domains.ring import further_fields
from anyk.executors.core.answer_header import LONGEST_HEADER, parse_header
from anyk.executors.core.family import children, descendants
from anyk.executors.remote.arguments import pack, unpack
from anyk.executors.remote.budget import Budget
from anyk.executors.remote.executor import Remote
from anyk.executors.remote.frames import PROTOCOL, Channel
from anyk.executors.remote.header_limits import (
    MOST_ARRAYS,
    MOST_CONTAINERS,
    MOST_PRIMES,
    MOST_VALUES,
    check_text,
)
from anyk.executors.remote.offer import Offer
from anyk.executors.remote.request import domain_of, make_request
from anyk.executors.remote.server import Server
from anyk.executors.remote.session import Session
from anyk.executors.remote.visitor import Visitor
from anyk.testing import Trial
from anyk.work import Plain, WorkerTask

HERE = Path(__file__).parent
STUCK = ["computes_in_c", "backtracks", "sleeps_with_the_lock", "stops_itself", "stops_its_group",
         "ignores_signals"]  # fmt: skip


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    options = ("--sessions", "1", "--memory", "8", "--task-memory", "256")
    with Trial("remote_trouble", workers=1, directory=HERE, options=options) as started:
        yield started


def call(executor: Remote, name: str, *arguments: Any) -> Answer:
    task = WorkerTask(Plain(name), anyk.Reals(), (False,) * len(arguments))
    placement = executor.place((np.ones((1, 2)),))
    answer = executor.dispatch(task, placement, arguments).receive(LONG)
    executor.release(placement)
    assert answer is not None
    return answer


def pid_of(executor: Remote) -> int:
    answer = call(executor, "pid")
    assert answer.value is not None, answer.failure
    return int(answer.value[0])


def noted(place: Path) -> list[int]:
    return [int(pid) for pid in place.read_text(encoding="utf-8").split()] if place.exists() else []


def connect(trial: Trial) -> ssl.SSLSocket:
    port = int(trial.addresses[0].rpartition(":")[2])
    plain = socket.create_connection(("127.0.0.1", port), LONG)
    return client_context(trial.master, PROTOCOL).wrap_socket(plain, server_hostname="worker-0")


def frame(text: bytes | dict[str, Any]) -> bytes:
    text = json.dumps(text).encode() if isinstance(text, dict) else text
    return struct.pack(">I", len(text)) + text


def over(connection: ssl.SSLSocket) -> bool:
    """Whether the worker ends a connection, and says nothing more."""
    connection.settimeout(LONG)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except OSError:  # by a reset, or by an alert of TLS
        return True


def drip(connection: ssl.SSLSocket, data: bytes) -> None:
    for byte in data:
        connection.sendall(bytes([byte]))
        time.sleep(0.2)


# What ends a session


@pytest.mark.parametrize("name", STUCK)
def test_tasks_that_nothing_interrupts_end_and_lock_nobody_out(
    trial: Trial, name: str, tmp_path: Path
) -> None:
    place = tmp_path / "pids"
    for _ in range(2):  # more than there may be sessions
        with Remote(trial.addresses, tls=trial.master, patience=1.0) as executor:
            assert call(executor, name, str(place)).failure == "gave no answer within 1 s"
    with Remote(trial.addresses, tls=trial.master) as executor:
        pid_of(executor)
    assert len(noted(place)) == 2
    for pid in noted(place):
        assert eventually(lambda pid=pid: gone(pid))
    assert eventually(lambda: not children(trial.processes[0].pid))


@pytest.mark.parametrize("name", ["sleeps_with_the_lock", "stops_its_group"])
def test_a_stuck_session_ends_with_a_master_that_is_killed(
    trial: Trial, name: str, tmp_path: Path
) -> None:
    place = tmp_path / "pids"
    script = f"""
import numpy as np
from anyk.executors.remote.executor import Remote
from anyk.executors.remote.frames import Channel
executor = Remote({trial.addresses!r}, tls={str(trial.master)!r})
executor.dispatch({name!r}, executor.place((np.ones((1, 1)),)), ({str(place)!r},)).receive({LONG})
"""
    with subprocess.Popen([sys.executable, "-c", script]) as master:
        assert eventually(lambda: bool(noted(place)))
        master.kill()
    for pid in noted(place):
        assert eventually(lambda pid=pid: gone(pid))
    assert eventually(lambda: not children(trial.processes[0].pid))


@pytest.mark.parametrize("who", ["session", "keeper", "both, stopped"])
def test_all_that_a_task_started_ends_with_its_session(
    trial: Trial, who: str, tmp_path: Path
) -> None:
    place = tmp_path / "pids"
    with Remote(trial.addresses, tls=trial.master) as executor:
        assert call(executor, "leaves_a_family", str(place), 0.0).failure is None
        *family, session = noted(place)
        (keeper,) = children(trial.processes[0].pid)
        assert not all(map(gone, family))
        if who == "session":
            os.kill(session, signal.SIGKILL)
        elif who == "keeper":
            os.kill(keeper, signal.SIGKILL)
        else:
            os.kill(keeper, signal.SIGSTOP)
            os.kill(session, signal.SIGSTOP)
            executor.close()
        for pid in (keeper, session, *family):
            assert eventually(lambda pid=pid: gone(pid))
    assert eventually(lambda: not children(trial.processes[0].pid))


def test_processes_that_end_before_they_are_found_are_ended(trial: Trial, tmp_path: Path) -> None:
    with Remote(trial.addresses, tls=trial.master) as executor:
        assert call(executor, "hops", str(tmp_path / "pids")).failure is None
        assert len(descendants(trial.processes[0].pid)) > 1
    assert eventually(lambda: not descendants(trial.processes[0].pid))


def test_a_session_that_died_is_known_to_have_though_a_fork_of_it_lives(
    trial: Trial, tmp_path: Path
) -> None:
    place = tmp_path / "pids"
    with Remote(trial.addresses, tls=trial.master) as executor:
        assert "onnection" in str(call(executor, "forks_below_python", str(place)).failure)
        assert "onnection" in str(call(executor, "closes_descriptors", str(place)).failure)
        assert pid_of(executor) not in noted(place)
    for pid in noted(place):
        assert eventually(lambda pid=pid: gone(pid))


@pytest.mark.parametrize("name", ["sleeps_with_the_lock", "stops_its_group", "leaves_a_family"])
def test_nothing_outlives_a_worker_that_is_killed(name: str, tmp_path: Path) -> None:
    place = tmp_path / "pids"
    with Trial("remote_trouble", workers=1, directory=HERE) as trial:
        with Remote(trial.addresses, tls=trial.master) as executor:
            placement = executor.place((np.ones((1, 1)),))
            executor.dispatch(name, placement, (str(place),))
            least = 3 if name == "leaves_a_family" else 1
            assert eventually(lambda: len(noted(place)) >= least)
            below = descendants(trial.processes[0].pid)
            assert below.issuperset(noted(place))
            with trial.processes[0] as victim:
                victim.kill()
            for pid in below:
                assert eventually(lambda pid=pid: gone(pid))


def test_a_master_that_says_no_more_is_a_master_that_is_gone(trial: Trial) -> None:
    with connect(trial) as connection:
        connection.sendall(frame({"verb": "hold", "key": 0, "arrays": []}))
        assert eventually(lambda: len(descendants(trial.processes[0].pid)) == 2)
        socket.socket.shutdown(connection, socket.SHUT_WR)
        assert eventually(lambda: not descendants(trial.processes[0].pid))
        assert over(connection)


@pytest.mark.parametrize("at_once", [True, False])
def test_a_connection_ends_though_a_fork_of_the_master_has_it(*, at_once: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname(), LONG)
        theirs, _ = listener.accept()
    fork_s = os.dup(ours.fileno())
    Channel(ours).close(at_once=at_once)
    theirs.settimeout(LONG)
    assert theirs.recv(1) == b""
    theirs.close()
    os.close(fork_s)


# What a task may take


def test_memory_beyond_the_limit_is_one_failed_answer(trial: Trial) -> None:
    with Remote(trial.addresses, tls=trial.master) as executor:
        before = pid_of(executor)
        for _ in range(3):
            for name, arguments in (("eats", (1 << 28,)), ("eats_in_crumbs", ())):
                failure = str(call(executor, name, *arguments).failure)
                assert "MemoryError" in failure
                assert "(the worker's --task-memory is 256 MiB)" in failure
        assert call(executor, "eats", 1 << 20).failure is None
        assert pid_of(executor) == before


def test_a_share_for_which_there_was_no_room_is_held_once_there_is(trial: Trial) -> None:
    task = WorkerTask(Plain("pid"), anyk.Reals(), ())
    with Remote(trial.addresses, tls=trial.master) as executor:
        placements = [executor.place((np.ones((1, 800_000)),)) for _ in range(2)]
        answers = [executor.dispatch(task, each, ()).receive(LONG) for each in placements]
        assert [answer and answer.failure is None for answer in answers].count(True) == 1
        (refused,) = (
            place
            for place, answer in zip(placements, answers, strict=True)
            if answer and answer.failure is not None and "no memory" in answer.failure
        )
        for each in set(placements) - {refused}:
            executor.release(each)
        answer = executor.dispatch(task, refused, ()).receive(LONG)
        assert answer is not None
        assert answer.failure is None


def test_what_a_worker_says_of_its_functions_fits_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = types.ModuleType("many_tasks")
    many.__dict__.update({f"function_{place}": abs for place in range(1000)})
    many.__dict__["__all__"] = [name for name in vars(many) if name.startswith("function")]
    monkeypatch.setitem(sys.modules, "many_tasks", many)
    ours, theirs = (Channel(end) for end in socket.socketpair())
    session = Session(theirs, Offer("many_tasks"), memory=1 << 20)
    thread = threading.Thread(target=session.serve)
    thread.start()
    header = make_request("other", [], workers=1).header
    ours.send(header | {"verb": "run", "serial": 7, "key": 0, "piece": 0, "arrays": []}, (), None)
    _, failure, _, _ = parse_header(ours.receive_header(LONGEST_HEADER, None), 7)
    ours.close()
    thread.join(LONG)
    assert failure is not None
    assert failure.startswith("no function 'other' here, but function_0, ")
    assert len(failure) == 300


def test_seconds_beyond_the_limit_are_one_failed_answer(tmp_path: Path) -> None:
    place = tmp_path / "pids"
    options = ("--task-seconds", "1", "--idle-seconds", "0")
    with Trial("remote_trouble", workers=1, directory=HERE, options=options) as trial:
        with Remote(trial.addresses, tls=trial.master) as executor:
            before = pid_of(executor)
            said = "took longer than the 1 s of the worker's --task-seconds"
            assert call(executor, "pauses", 600.0).failure == said
            assert call(executor, "pauses", 0.1).failure is None
            assert pid_of(executor) == before
            assert call(executor, "sleeps_with_the_lock", str(place)).failure == said
            for name in ("stops_itself", "ignores_signals"):
                assert "onnection" in str(call(executor, name, str(place)).failure)
                assert eventually(lambda: gone(noted(place)[-1]))
            time.sleep(2.5)  # no task, no limit
            assert pid_of(executor)
        assert "a task took longer than the 1 s of --task-seconds" in trial.said("worker-0")


def test_a_master_that_asks_for_nothing_is_seen_off_and_may_come_back() -> None:
    with Trial(
        "remote_trouble", workers=1, directory=HERE, options=("--idle-seconds", "1")
    ) as trial:
        listener = trial.processes[0].pid
        with Remote(trial.addresses, tls=trial.master) as executor:
            placement = executor.place((np.ones((1, 2)),))
            for _ in range(2):  # the second time its shares are sent again
                answer = executor.dispatch("pauses", placement, (1.1,)).receive(LONG)
                assert answer is not None
                assert answer.failure is None
                assert eventually(lambda: not children(listener))
        with connect(trial) as connection:  # a byte now and then is no request
            started = time.monotonic()
            with pytest.raises(OSError, match=r"."):
                drip(connection, b"\0\0\x10\0" + b" " * 1000)
            assert time.monotonic() - started < LONG
        assert "within the 1 s of --idle-seconds" in trial.said("worker-0")


# What a request may cost


def test_requests_that_are_bombs_are_refused_before_any_work(trial: Trial) -> None:
    bombs = [
        b'{"verb":"hold","key":0,"arrays":[],"x":[' + b",".join([b"[]"] * 1_300_000) + b"]}",
        b'{"verb":"run","key":0,"arguments":[' + b",".join([b'{"dict":{}}'] * 340_000) + b"]}",
        b'{"verb":"hold","key":0,"arrays":[' + b",".join([b'["|u1",[0]]'] * 60_000) + b"]}",
        b'{"verb":"run","key":0,"domain":{"ring":[' + b",".join([b"7"] * 300_000) + b"]}}",
        b'{"verb":"run","key":0,"serial":"x","arrays":[]}',
        json.dumps(
            {"verb": "hold", "key": 0, "arrays": [["|u1", [0]]] * (MOST_ARRAYS + 1)}
        ).encode(),
    ]
    for bomb in bombs:
        with connect(trial) as connection:
            connection.sendall(frame(bomb))
            assert over(connection)
    assert eventually(lambda: not descendants(trial.processes[0].pid))


@pytest.mark.parametrize(
    ("one", "times"),
    [(b"[]", MOST_CONTAINERS - 1), (b'{"dict":{}}', MOST_CONTAINERS // 2 - 1),
     (b'"%07d"', MOST_VALUES - 1), (b"7" * 4200, 900)],
    ids=["lists", "objects", "words", "numbers"],
)  # fmt: skip
def test_what_a_header_costs_is_bounded(one: bytes, times: int) -> None:
    text = b"[" + b",".join(one % place if b"%" in one else one for place in range(times)) + b"]"
    check_text(text)
    if times > 1000:
        with pytest.raises(BrokenAnswer, match=r"a request with \d+ (lists|values)"):
            check_text(text + b"," + text)
    tracemalloc.start()
    unpack(json.loads(text), [])
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20


def test_a_ring_has_as_many_primes_as_a_master_ever_takes() -> None:
    primes = [1_000_003] * (MOST_PRIMES + 1)
    with pytest.raises(BrokenAnswer, match="its domain is none"):
        domain_of({"ring": primes})
    ring = anyk.Lagrange(blocks=1, degree=1, workers=3).domain
    fields = further_fields(ring, MOST_PRIMES)
    assert len(domain_of({"ring": [field.modulus for field in fields]}).fields) == MOST_PRIMES


def test_containers_within_containers_as_deep_as_they_are_sent() -> None:
    deep: Any = 1j
    for _ in range(20):
        deep = [deep]
    assert unpack([pack(deep, [])], []) == [deep]
    with pytest.raises(BrokenAnswer, match="more than 20 containers"):
        unpack([[pack(deep, [])]], [])


def test_the_master_says_what_no_worker_would_take() -> None:
    for argument in ([[]] * MOST_CONTAINERS, [1] * MOST_VALUES):
        with pytest.raises(anyk.InvalidArgument, match=r"more than .* Pass arrays"):
            make_request("gram", [argument], 1)
    with pytest.raises(anyk.InvalidArgument, match="at most 4096"):
        make_request("gram", [[np.ones(1)] * (MOST_ARRAYS + 1)], 1)
    make_request("gram", [[np.ones(1)] * MOST_ARRAYS], 1)


@pytest.mark.parametrize(
    "wrong", [{"memory": 0}, {"task_memory": -1}, {"task_seconds": 0.5}, {"idle_seconds": -1}],
    ids=repr,
)  # fmt: skip
def test_budgets_that_can_not_be_used(wrong: dict[str, Any]) -> None:
    (name,) = wrong
    with pytest.raises(anyk.InvalidArgument, match=f"^--{name.replace('_', '-')}: got "):
        Budget(**wrong)


def test_a_budget_without_limits() -> None:
    free = Budget(task_memory=0, task_seconds=0, idle_seconds=0)
    assert (free.task_bytes, free.task_patience, free.idle_patience) == (0, np.inf, np.inf)
    assert Budget(memory=3).task_bytes == 12 << 20


# Strangers


def test_a_log_has_room_for_so_many_lines(caplog: pytest.LogCaptureFixture) -> None:
    now = 0.0
    talk = Talk(logging.getLogger("anyk.worker"), lambda: now)
    with caplog.at_level(logging.INFO, "anyk.worker"):
        for number in range(1000):
            talk.say(f"line {number}")
        assert caplog.messages == [f"line {number}" for number in range(100)]
        now = 2.5
        for number in range(10):
            talk.say(f"later {number}")
    assert caplog.messages[100:] == ["900 lines were left out", "later 0", "later 1"]


def test_a_crowd_at_one_address_makes_room_for_others() -> None:
    server = Server(parse_address("127.0.0.1:0", "listen"), Offer("anyk.testing.tasks"), None)
    ended = []
    ends = []
    for place in range(32):
        ours, theirs = socket.socketpair()
        told, tell = os.pipe()
        ends += [theirs, tell]
        peer = "10.0.0.1" if place in {3, 5, 7} else f"10.0.1.{place}"
        server._visitors[told] = Visitor(0, told, ours, peer)
        server._poll.register(told)

    def end(visitor: Visitor, why: str) -> None:
        ended.append((visitor, why))

    server._end = end  # type: ignore[method-assign, assignment]
    server._make_room()
    ((visitor, why),) = ended
    assert visitor is list(server._visitors.values())[3]
    assert why == "refused 10.0.0.1: too many strangers at once"
    for visitor in server._visitors.values():
        visitor.close()
    server._visitors.clear()
    server.close()
    for each in ends:
        os.close(each) if isinstance(each, int) else each.close()
