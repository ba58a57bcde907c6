"""Slabs on a Dask cluster: sent piece by piece, or made by the workers of what lies there."""

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calls import LONG, eventually, pids_of

import anyk
from anyk.delays import NoDelay
from anyk.errors import InvalidArgument
from anyk.executors.engines.dask import Dask

distributed = pytest.importorskip("distributed")

SCHEME = anyk.Lagrange(blocks=2, degree=1, workers=3)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with (
        distributed.LocalCluster(
            n_workers=3,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            memory_limit=0,
            silence_logs=50,
        ) as cluster,
        distributed.Client(cluster) as connected,
    ):
        yield connected
        pids = [nanny.pid for nanny in cluster.workers.values()]
    gc.collect()  # what Dask leaves open is a warning here, and not in another test
    assert eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


@pytest.fixture
def trio(client: Any) -> Iterator[Dask]:
    client.wait_for_workers(3, timeout=LONG)
    with Dask(client) as executor:
        yield executor


class Wire:
    """How many bytes this process, with the scheduler in it, has sent and received."""

    def __init__(self, monkeypatch: Any) -> None:
        from tornado.iostream import IOStream  # noqa: PLC0415 - where there is Dask

        self.bytes = 0
        read, write = IOStream.read_from_fd, IOStream.write_to_fd

        def reading(stream: Any, buffer: Any) -> Any:
            came = read(stream, buffer)
            self.bytes += came or 0
            return came

        def writing(stream: Any, data: Any) -> Any:
            gone = write(stream, data)
            self.bytes += gone or 0
            return gone

        monkeypatch.setattr(IOStream, "read_from_fd", reading)
        monkeypatch.setattr(IOStream, "write_to_fd", writing)


def squared(x: Any) -> Any:
    return x * x


def test_what_lies_there_is_encoded_by_the_workers_alone(
    client: Any, trio: Dask, monkeypatch: pytest.MonkeyPatch
) -> None:
    array = pytest.importorskip("dask.array")
    wire, scheme = Wire(monkeypatch), anyk.Lagrange(blocks=2, degree=1, workers=3)
    X = array.arange(2 << 20, chunks=1 << 19).reshape(2, 1 << 17, 8)
    with anyk.distribute(scheme, X, trio) as data:  # 16 MiB
        assert wire.bytes < 1 << 20
        assert "on <Dask" in repr(data)
        ends = data.run(lambda block: block[:: (1 << 17) - 1]).value
    assert ends[:, 0, 0].tolist() == [0, 1 << 20]
    assert ends[:, -1, -1].tolist() == [(1 << 20) - 1, (2 << 20) - 1]
    copies = anyk.Replication(2, 3)  # no arithmetic: as they are, in their own type
    blocks = [client.submit(np.full, (6, 2), number, np.int16, pure=False) for number in (3, 4)]
    with anyk.distribute(copies, blocks, trio) as data:
        value = data.run(squared).value
    assert value.dtype == np.int16
    assert (value == np.array([9, 16])[:, None, None]).all()
    slabs = [[block, block] for block in blocks]
    paced = anyk.Paced(trio, NoDelay(), np.random.default_rng(0))
    with anyk.distribute(scheme, slabs, paced) as data:
        assert data.run(np.copy).value.shape == (2, 12, 2)
    hidden = anyk.Lagrange(blocks=2, degree=1, workers=3, colluders=1)
    with anyk.distribute(hidden, array.ones((2, 9), dtype=int, chunks=3), trio) as data:
        assert (data.run(np.copy).value == 1).all()  # masks are made here, slab by slab


def test_what_workers_can_not_encode_is_refused_and_leaves_nothing(client: Any, trio: Dask) -> None:
    blocks = [client.submit(np.full, (6,), number, pure=False) for number in (3, -4)]
    for given, what in (
        (blocks, r"can't be encoded .*got -4"),
        ([client.submit(np.ones, size, int) for size in (5, 6)], "same shape"),
        (blocks[:1], "2 blocks"),
        ([], "shape"),
    ):
        with pytest.raises(InvalidArgument, match=what):
            anyk.distribute(SCHEME, given, trio)
    hidden = anyk.Lagrange(blocks=2, degree=1, workers=3, colluders=1)
    fixed = anyk.FixedPoint(fraction_bits=2, magnitude=8.0)
    for scheme, given, executor, embedding, change in (
        (hidden, blocks, trio, None, "Take such a scheme"),
        (SCHEME, blocks, anyk.Inline(3), None, r"Pass anyk\.Dask\(client\)"),
        (SCHEME, blocks, trio, fixed, "Make whole numbers of them"),
        (anyk.Polynomial((2, 1, 1), 3), blocks, trio, None, "Take such a scheme"),
        (anyk.Harmonic(blocks=2, degree=1), blocks, trio, None, "Take such a scheme"),
        (SCHEME, blocks[:1], trio, None, "Pass 2 handles, or 2 lists of as many each"),
        (SCHEME, [blocks, blocks[:1]], trio, None, "Pass 2 handles, or 2 lists of as many each"),
    ):
        with pytest.raises(InvalidArgument, match=change + r".*X = client\.gather\(X\)"):
            anyk.distribute(scheme, given, executor, embedding=embedding)
    with pytest.raises(InvalidArgument, match=r"Futures, which stand for.*anyk\.distribute"):
        anyk.run(SCHEME, np.copy, blocks, trio)
    assert trio.crew._placements.held_by(0) == {}


def test_slabs_of_a_worker_that_dies_are_lost_and_the_others_go_on(client: Any) -> None:
    client.wait_for_workers(3, timeout=LONG)

    def slabs() -> Iterator[Any]:
        yield np.ones((2, 4), int)
        os.kill(pids_of(executor)[0], signal.SIGKILL)
        yield np.ones((2, 5), int)

    with Dask(client) as executor:
        with anyk.distribute(SCHEME, slabs(), executor) as data:
            outcome = data.run(np.copy)
            assert (outcome.value == 1).all()
            assert outcome.value.shape == (2, 9)
            assert 0 not in outcome.used
    client.wait_for_workers(3, timeout=LONG)
