"""Results are kept for the next call, but not more of them than a limit of memory allows."""

import gc
import threading
import weakref

import numpy as np

from anyk import kept as room
from anyk.kept import kept


def counted():
    """A function that is kept, and what it was called with."""
    calls = []

    @kept
    def made(rows, *, value=1.0):
        calls.append((rows, value))
        return np.full(rows, value) if rows else None

    return made, calls


def test_a_result_is_made_once():
    made, calls = counted()
    assert made(3) is made(3)
    assert made(3, value=2.0) is not made(3)
    assert made(0) is made(0) is None
    assert calls == [(3, 1.0), (3, 2.0), (0, 1.0)]


def test_the_oldest_results_go_where_memory_ends(monkeypatch):
    monkeypatch.setattr(room, "_BYTES", 8 * 25)
    made, calls = counted()
    made(10), made(11), made(10), made(12)  # 10 was used after 11
    assert made(10) is made(10)
    made(12)
    assert len(calls) == 3
    made(11)
    assert len(calls) == 4
    large = weakref.ref(made(1000))  # alone, it stays: it may be used again at once
    assert made(1000) is large()
    made(1)
    gc.collect()
    assert large() is None


def test_all_arrays_of_a_result_count(monkeypatch):
    monkeypatch.setattr(room, "_BYTES", 8 * 25)
    calls = []

    @kept
    def pair(rows):
        calls.append(rows)
        return np.ones(rows), (np.ones(rows), None)

    pair(6), pair(5), pair(6)  # 22 numbers
    assert calls == [6, 5]
    pair(3), pair(5)  # 28 with it: 5 was used before 6
    assert calls == [6, 5, 3, 5]


def test_there_are_not_too_many(monkeypatch):
    monkeypatch.setattr(room, "_MANY", 3)
    made, calls = counted()
    for rows in (1, 2, 3, 4, 2, 3, 4):
        made(rows)
    assert len(calls) == 4
    made(1)
    assert len(calls) == 5


def test_what_several_threads_made_counts_once(monkeypatch):
    monkeypatch.setattr(room, "_BYTES", 8 * 20)
    together, calls = threading.Barrier(4), []

    @kept
    def made(rows):
        calls.append(rows)
        if len(calls) <= 4:
            together.wait(60)  # all of them make it: none has found it
        return np.ones(rows)

    threads = [threading.Thread(target=made, args=(7,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls == [7] * 4
    made(8)
    assert made(7) is made(7)
    assert calls == [7] * 4 + [8]  # 15 numbers are kept, and not 36
