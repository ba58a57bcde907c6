"""Shares that come in slabs to workers elsewhere: what is lost, what is too much, what is odd."""

import json
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from calls import LONG, eventually

import anyk
from anyk.executors.core.answer_header import LONGEST_HEADER, parse_header
from anyk.executors.core.columns import LOST, UNKNOWN, Columns, Outline
from anyk.executors.remote.frames import Channel
from anyk.executors.remote.offer import Offer
from anyk.executors.remote.session import Session
from anyk.executors.remote.slabs import fill_request
from anyk.testing import Trial
from anyk.testing.filling import check_filling
from anyk.work import Plain, WorkerTask

OUTLINE = Outline((3, UNKNOWN), np.dtype(np.float64), axis=1)


@contextmanager
def processes() -> Iterator[tuple[anyk.AbstractExecutor, Callable[[], None]]]:
    with anyk.Processes(3) as executor:
        yield executor, lambda: executor.kill(1)


@contextmanager
def remote() -> Iterator[tuple[anyk.AbstractExecutor, Callable[[], None]]]:
    with Trial("anyk.testing.tasks", workers=3) as trial:
        with anyk.Remote(trial.addresses, tls=trial.master) as executor:
            yield executor, lambda: trial.processes[1].kill()


@pytest.fixture(params=[processes, remote])
def ground(request: Any) -> Iterator[tuple[anyk.AbstractExecutor, Callable[[], None]]]:
    with request.param() as made:
        yield made


def answers(executor: anyk.AbstractExecutor, placement: Any) -> list[tuple[int, Any]]:
    task = WorkerTask(Plain("gram" if executor.by_name else np.negative), anyk.Reals())
    dispatch = executor.dispatch(task, placement, ())
    came = [dispatch.receive(LONG) for _ in range(placement.shares)]
    return sorted((each.worker, each.failure) for each in came if each is not None)


def test_a_worker_that_dies_between_slabs_is_a_straggler(ground: Any) -> None:
    executor, kill = ground
    filling = executor.filling([OUTLINE])
    filling.write([np.ones((3, 2))])
    kill()
    filling.write([np.ones((3, 2))])
    found = answers(executor, filling.finish())
    assert [failure for _, failure in found if failure is None] == [None, None]
    (lost,) = (failure for worker, failure in found if worker == 1)
    assert lost is not None


def test_a_worker_that_dies_afterwards_has_lost_its_share(ground: Any) -> None:
    executor, kill = ground
    filling = executor.filling([OUTLINE])
    filling.write([np.ones((3, 2))])
    placement = filling.finish()
    assert answers(executor, placement) == [(0, None), (1, None), (2, None)]
    kill()
    assert eventually(lambda: answers(executor, placement)[1] == (1, LOST))


def test_what_was_released_or_abandoned_is_forgotten() -> None:
    with anyk.Processes(3) as executor:
        check_filling(executor)
        links = executor.crew.links
        assert eventually(lambda: not any(link._process.held for link in links))


@contextmanager
def session(memory: int) -> Iterator[Channel]:
    ours, theirs = (Channel(end) for end in socket.socketpair())
    served = Session(theirs, Offer("anyk.testing.tasks"), memory=memory)

    def serve() -> None:
        try:
            served.serve()
        except Exception:  # noqa: BLE001 - a broken request ends it, as the server would
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield ours
    finally:
        ours.close()
        thread.join(LONG)
        assert not thread.is_alive()


def told(channel: Channel, columns: Columns) -> str:
    """The failure that is answered to columns; "" for none."""
    header, arrays = fill_request(columns, 41)
    channel.send(header, arrays, None)
    _, failure, dtype, shape = parse_header(channel.receive_header(LONGEST_HEADER, None), 41)
    if failure is None:
        assert channel.receive_array((dtype, tuple(shape)), None)
    return failure or ""


def next_columns(outline: Outline, start: int, width: int, *, last: bool = False) -> Columns:
    parts = () if last else (np.ones((1, width)),)
    return Columns(7, (outline,), start, parts or (None,), last=last)


def test_a_worker_makes_no_room_for_more_than_its_memory() -> None:
    tracemalloc.start()
    with session(memory=1 << 20) as channel:
        large = Outline((1, 1 << 40), np.dtype(np.float64), axis=1)
        failure = told(channel, next_columns(large, 0, 2))
        assert failure.startswith("no memory for")
        failure = told(channel, next_columns(large, 2, 2))
        assert failure.startswith("no such share")
        fits = Outline((1, 1 << 16), np.dtype(np.float64), axis=1)
        for _ in range(5):  # each begins anew, and counts once
            assert told(channel, next_columns(fits, 0, 1 << 12)) == ""
        growing = Outline((1, UNKNOWN), np.dtype(np.float64), axis=1)
        width = 1 << 13
        added = 0
        while told(channel, next_columns(growing, added, width)) == "":
            added += width
        assert added == 14 * width  # of 16: the slab itself counts too, and what is beside arrays
        assert told(channel, next_columns(growing, 0, 1 << 15)) == ""  # what was there is gone
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 << 20


def test_many_small_shares_take_no_more_room_than_their_numbers() -> None:
    many = 1 << 18
    tracemalloc.start()
    with session(memory=1 << 20) as channel:
        for outline in (
            Outline((many, 2), np.dtype(np.uint8), axis=1),
            Outline((many, 2, 0), np.dtype(np.uint8), axis=1),
        ):
            part = np.zeros((many, 1, *outline.shape[2:]), np.uint8)
            assert told(channel, Columns(7, (outline,), 0, (part,))) == ""
        unknown = Outline((many, UNKNOWN, 0), np.dtype(np.uint8), axis=1)
        part = np.zeros((many, 1, 0), np.uint8)
        assert told(channel, Columns(7, (unknown,), 0, (part,))).startswith("no memory")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8 << 20


def test_a_share_that_would_be_joined_beyond_the_memory_is_refused() -> None:
    growing = Outline((1, UNKNOWN), np.dtype(np.float64), axis=1)
    with session(memory=1 << 20) as channel:
        for start in range(0, 10 << 13, 1 << 13):
            assert told(channel, next_columns(growing, start, 1 << 13)) == ""
        failure = told(channel, next_columns(growing, 10 << 13, 0, last=True))
        assert failure.startswith("no memory")
        assert told(channel, next_columns(growing, 0, 1 << 15)) == ""
        assert told(channel, next_columns(growing, 1 << 15, 0, last=True)) == ""


@pytest.mark.parametrize(
    "change",
    [
        {"outlines": []},
        {"outlines": [["<f8", [1, -1], 0]]},
        {"outlines": [["<f8", [1, -2], 1]]},
        {"outlines": [["<f8", [0, -1], 1]]},
        {"outlines": [["<f8", [1, 2], None]]},
        {"outlines": [["<i8", [1, -1], 1]]},
        {"outlines": [["<f8", [1, 1], 1]]},
        {"outlines": [["<f8", [1, -1], 1], ["<f8", [2, -1], 1]]},
        {"start": 1},
        {"start": True},
        {"places": [1]},
        {"places": []},
        {"arrays": [["<f8", [2, 1]]]},
        {"arrays": [["<f8", [1, 0]]]},
        {"arrays": [["<f8", [2]]]},
        {"last": True},
    ],
    ids=json.dumps,
)
def test_columns_of_no_shares_end_the_session(change: dict[str, Any]) -> None:
    header, arrays = fill_request(next_columns(Outline((1, UNKNOWN), np.dtype(float), 1), 0, 2), 41)
    with session(memory=1 << 20) as channel:
        channel.send(header | change, arrays, None)
        with pytest.raises((EOFError, OSError)):
            channel.receive_header(LONGEST_HEADER, None)


def test_one_array_for_all_shares_is_not_copied_for_each() -> None:
    with anyk.Remote(["127.0.0.1:1"], tls=None) as executor:
        part = np.broadcast_to(np.ones(1000), (1, 1000))
        assert (
            executor.crew._convert(np.broadcast_to(np.ones(1 << 10), (9, 1 << 10))).strides[0] == 0
        )
        assert np.shares_memory(executor.crew._convert(part), part)
