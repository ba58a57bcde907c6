"""What the master believes of what a worker sends: nothing."""

import json
import pickle
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from anyk.connections.broken import BrokenAnswer
from anyk.executors.core.answer_header import parse_header
from anyk.executors.core.run_task import Reply
from anyk.executors.processes.pipe import Pipe
from anyk.executors.processes.wire import (
    load,
    receive_answer,
    receive_message,
    receive_results,
    send_answer,
    send_message,
    send_results,
    to_payload,
)

GOOD = {"serial": 1, "seconds": 0.5, "failure": None, "dtype": "<f8", "shape": [2]}


@contextmanager
def pipes() -> Iterator[tuple[Pipe, Pipe]]:
    ours, theirs = (Pipe(end) for end in socket.socketpair())
    try:
        yield ours, theirs
    finally:
        ours.close()
        theirs.close()


def framed(header: bytes, *others: bytes) -> bytes:
    return b"anyk" + struct.pack("!Q", len(header)) + header + b"".join(others)


END = b"done" + struct.pack("!Q", 1)


def sent(*raw: bytes) -> tuple[Any, str | None, float]:
    with pipes() as (ours, theirs):
        theirs.send(*raw)
        theirs.close()
        return receive_answer(ours, serial=1)


@pytest.mark.parametrize(
    "value",
    [
        np.array(3.5),
        np.arange(6).reshape(2, 3)[:, ::-1],
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.zeros((0, 3)),
        np.array([True, False]),
        np.array([1 + 2j], dtype=np.complex64),
        np.arange(3, dtype=">i2"),
        np.arange(3, dtype=np.float16),
    ],
)
def test_an_answer_survives_the_way(value: NDArray[Any]) -> None:
    with pipes() as (ours, theirs):
        send_answer(theirs, 7, Reply(np.asarray(value, order="C"), None, 0.25))
        got, failure, seconds, _ = receive_answer(ours, 7)
    assert (failure, seconds) == (None, 0.25)
    assert got.dtype == value.dtype
    assert got.shape == value.shape
    np.testing.assert_array_equal(got, value)


def test_a_failure_survives_the_way() -> None:
    with pipes() as (ours, theirs):
        send_answer(theirs, 7, Reply(None, "Fehler: \u00fc\n", 0.25))
        assert receive_answer(ours, 7) == (None, "Fehler: \u00fc ", 0.25, "")


def test_a_traceback_survives_the_way_without_what_a_terminal_would_obey() -> None:
    told = "Traceback:\n  File \x1b[2J\u00fc"
    with pipes() as (ours, theirs):
        send_answer(theirs, 7, Reply(None, "failed", 0.25, told))
        assert receive_answer(ours, 7).traceback == "Traceback:\n  File  [2J\u00fc"


@pytest.mark.parametrize(
    ("mark", "length"), [(b"from", 1 << 40), (b"from", 1 << 20), (b"done", 1), (b"from", 5)]
)
def test_a_traceback_that_is_none_is_refused(mark: bytes, length: int) -> None:
    header = json.dumps(GOOD | {"failure": "x"}).encode()
    with pytest.raises((BrokenAnswer, EOFError)):
        sent(framed(header, mark + struct.pack("!Q", length), b"abc", END))


def test_results_survive_the_way() -> None:
    large = np.arange(100_000.0)
    with pipes() as (ours, theirs):
        sender = threading.Thread(
            target=send_results, args=(theirs, 7, to_payload("about"), to_payload([large, b"x"]))
        )
        sender.start()
        about, values = map(load, receive_results(ours, 7))
        sender.join()
    assert about == "about"
    assert np.array_equal(values[0], large)
    assert values[0].flags.writeable
    assert values[1] == b"x"


INDEX = pickle.dumps([(b"ab", [2])])


@pytest.mark.parametrize(
    "raw",
    [
        (b"garbage!garb",),
        (b"nope" + struct.pack("!Q", 3), b"abc"),
        (b"anyk" + struct.pack("!Q", 1 << 60),),
        (framed(b"no pickle", b"12", END),),
        (framed(pickle.dumps(3), b"12", END),),
        (framed(pickle.dumps([(b"ab", [-1])]), b"12", END),),
        (framed(INDEX, b"12", b"done" + struct.pack("!Q", 2)),),
        (framed(INDEX, b"12"),),
        (framed(INDEX, b"1"),),
        (),
    ],
)
def test_results_that_are_none_are_refused(raw: tuple[bytes, ...]) -> None:
    with pipes() as (ours, theirs):
        theirs.send(*raw)
        theirs.close()
        with pytest.raises((BrokenAnswer, EOFError)):
            receive_results(ours, 1)


def test_two_ends_that_push_more_than_a_pipe_holds_do_not_wait_for_each_other() -> None:
    much = np.arange(1 << 20, dtype=np.uint8)
    with pipes() as (ours, theirs):

        def answer() -> None:
            theirs.send(much)
            assert np.array_equal(theirs.receive(2 * much.nbytes)[: much.nbytes], much)
            theirs.send(b"done")

        other = threading.Thread(target=answer)
        ours.push(much, much)
        other.start()
        assert np.array_equal(ours.receive(much.nbytes), much)
        assert bytes(ours.receive(4)) == b"done"
        other.join()


@pytest.mark.parametrize(
    "change",
    [
        {"serial": 2},
        {"serial": True},
        {"serial": 1.0},
        {"seconds": 1},
        {"seconds": -1.0},
        {"seconds": float("nan")},
        {"seconds": float("inf")},
        {"seconds": "0.5"},
        {"failure": 3},
        {"failure": ["x"]},
        {"dtype": "O"},
        {"dtype": "|O8"},
        {"dtype": "|V8"},
        {"dtype": "<M8[s]"},
        {"dtype": "<U3"},
        {"dtype": "<f7"},
        {"dtype": "<f99"},
        {"dtype": "<f8,<f8"},
        {"dtype": [["a", "<f8"]]},
        {"dtype": None},
        {"dtype": "float64"},
        {"shape": [3]},
        {"shape": [1]},
        {"shape": [-2]},
        {"shape": [2.0]},
        {"shape": [True, 2]},
        {"shape": "2"},
        {"shape": None},
        {"shape": [1 << 31, 1 << 31]},
        {"shape": [0, 1 << 32, 1 << 32]},
        {"shape": [10**30]},
        {"shape": [1] * 100},
        {"extra": 1},
    ],
)
def test_a_header_that_lies_is_refused(change: dict[str, Any]) -> None:
    header = json.dumps(GOOD | change).encode()
    with pytest.raises((BrokenAnswer, OSError, EOFError)):
        sent(framed(header, b"\0" * 16, END))
    good = framed(json.dumps(GOOD).encode(), b"\0" * 16, END)
    assert sent(good)[0].tolist() == [0.0, 0.0]


HEADER = json.dumps(GOOD).encode()
BODY = b"\0" * 16


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        framed(b""),
        framed(b"null"),
        framed(b"[]"),
        framed(b"[" * 8000),
        framed(b"1" * 8000),
        framed(b" " * 9000),
        framed(b"\xff\xfe"),
        framed(pickle.dumps(GOOD)),
        framed(HEADER),
        framed(HEADER, BODY),
        framed(HEADER, BODY[1:], END),
        framed(HEADER, BODY, b"\0", END),
        framed(HEADER, BODY, END[:-1] + b"\2"),
        framed(json.dumps({key: GOOD[key] for key in list(GOOD)[1:]}).encode(), BODY, END),
        b"\0\0\0\x10garbagegarbage!!" + framed(HEADER, BODY, END),
        b"x" + framed(HEADER, BODY, END),
        framed(HEADER)[:20] + b"x" + framed(HEADER)[20:] + BODY + END,
    ],
)
def test_frames_that_are_no_answer_are_refused(raw: bytes) -> None:
    with pytest.raises((BrokenAnswer, OSError, EOFError)):
        sent(raw)


@given(st.binary(max_size=200))
def test_random_bytes_are_no_header(frame: bytes) -> None:
    with pytest.raises(BrokenAnswer):
        parse_header(frame, 1)


@given(
    st.fixed_dictionaries(
        {
            key: st.one_of(
                st.just(good),
                st.none(),
                st.integers(),
                st.floats(),
                st.text(),
                st.lists(st.integers(-1, 9), max_size=3),
            )
            for key, good in GOOD.items()
        }
    )
)
def test_a_header_of_random_fields_is_refused_or_means_an_array(header: dict[str, Any]) -> None:
    try:
        seconds, failure, dtype, shape = parse_header(json.dumps(header).encode(), 1)
    except BrokenAnswer:
        return
    assert header["serial"] == 1
    assert 0 <= seconds < float("inf")
    assert isinstance(failure, str) or dtype.kind in "biufc"
    assert all(length >= 0 for length in shape)


def test_messages_carry_large_arrays_beside_the_pickle() -> None:
    large, small = np.arange(10_000), np.arange(3)
    with pipes() as (ours, theirs):
        payload = to_payload({"large": large[:5_000], "small": small})
        assert len(payload) == 2
        send_message(theirs, to_payload(1), payload)
        one, two = receive_message(ours)
    assert pickle.loads(one[0]) == 1
    got = pickle.loads(two[0], buffers=two[1:])
    np.testing.assert_array_equal(got["large"], large[:5_000])
    np.testing.assert_array_equal(got["small"], small)
