"""Data that are distributed slab by slab: the same shares, little memory, nothing left behind."""

import io
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

import anyk
from anyk.domains.prime import PrimeField
from anyk.executors.core.base import Placement
from anyk.executors.core.columns import UNKNOWN, Growing, Outline
from anyk.executors.core.filling import AbstractFilling
from anyk.executors.wrappers.wrapper import AbstractWrapper
from anyk.observe.slabs import _Bar
from anyk.running.slabs.maker import Maker
from anyk.schemes.catalogue import CATALOGUE
from anyk.testing.executor import check_executor
from anyk.testing.filling import check_filling
from anyk.works.mixed import Mixed

EXAMPLES = [
    pytest.param(scheme, id=f"{row.name}-{place}")
    for row in CATALOGUE
    for place, scheme in enumerate(row.examples())
]
IN_SLABS = [each for each in EXAMPLES if each.values[0].columns is not None]
AT_ONCE = [each for each in EXAMPLES if each.values[0].columns is None]
EDGES = (0, 1, 9, 10, 23)


def data_for(scheme, shape=(23, 3), seed=0):
    rng = np.random.default_rng(seed)
    whole = (scheme.problem.blocks, *shape)
    domain = scheme.domain
    if isinstance(domain, PrimeField):
        return rng.integers(0, domain.modulus, whole)
    return rng.normal(size=whole)


def slabs(X, edges=EDGES):
    return (X[:, first:last] for first, last in pairwise(edges))


def same(x):
    return x


class Kept(AbstractWrapper):
    """Keeps what is written, for the test to look at."""

    def __init__(self, workers, sink=None):
        self.within_ = anyk.Inline(workers)
        self.placed, self.sink, self.abandoned = [], sink, 0

    within = property(lambda self: self.within_)

    def dispatch(self, *given):
        return self.within_.dispatch(*given)

    def calls(self, function):
        return self.within_.calls(function)

    def place(self, parts, pieces=1):
        self.placed.append(parts)
        return self.within_.place(parts, pieces)

    def filling(self, outlines, pieces=1):
        if self.sink is not None:
            return self.sink(self)
        return AbstractWrapper.__mro__[1].filling(self, outlines, pieces)


class Sink(AbstractFilling):
    """Workers elsewhere: what is written is gone."""

    def __init__(self, executor):
        self.executor = executor

    def write(self, parts):
        self.rows = len(parts[0])

    def finish(self):
        return self.executor.within.place([np.zeros(self.rows)])

    def abandon(self):
        self.executor.abandoned += 1


@pytest.mark.parametrize("scheme", IN_SLABS)
def test_shares_of_slabs_are_those_of_the_whole(scheme):
    X = data_for(scheme)
    promise, whole = scheme.guarantee, scheme.encode(X)
    with Kept(promise.workers) as executor:
        with anyk.distribute(scheme, slabs(X), executor) as data:
            joined = executor.placed[-1]
            assert [(p.shape, p.dtype) for p in joined] == [(p.shape, p.dtype) for p in whole.parts]
            if not promise.colluders and not isinstance(scheme, anyk.Agreed):  # groups are drawn
                right = data.encoded.scheme.encode(X)
                if not right.encoder.masks.size:
                    for got, part in zip(joined, right.parts, strict=True):
                        assert np.array_equal(got, part)
            if scheme.domain.exact or not promise.colluders:
                value = data.run(same, tolerance=None if promise.exact else np.inf).value
                right = X if len(value) == len(X) and value.ndim == X.ndim else X.sum(axis=0)
                if scheme.domain.exact:
                    assert np.array_equal(value, right % scheme.domain.modulus)
                elif promise.exact:
                    assert np.allclose(value, right)


@pytest.mark.parametrize(
    "scheme", [each for each in IN_SLABS if each.values[0].guarantee.colluders]
)
def test_each_slab_has_masks_of_its_own(scheme):
    X = data_for(scheme, (40, 3))
    X[:, 20:] = X[:, :20]
    with (
        Kept(scheme.guarantee.workers) as executor,
        anyk.distribute(scheme, slabs(X, (0, 20, 40)), executor),
    ):
        (part,) = executor.placed[-1]
        share = part[0]  # of the whole they would differ in as many places
        assert np.mean(share[:20] != share[20:]) > 0.3


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.Berrut(3, 8, colluders=1, leakage=0.1),
        anyk.VeiledReplication(3, 12, colluders=1, leakage=0.1),
    ],
)
def test_noise_of_slabs_is_as_large_as_that_of_the_whole_and_accounted_once(scheme):
    X = data_for(scheme, (4000,))
    workers = scheme.guarantee.workers
    with Kept(workers) as executor:
        with anyk.distribute(scheme, slabs(X, (0, 1000, 2500, 4000)), executor) as data:
            (part,), leak = executor.placed[-1], data.leakage_spent
            clear = np.einsum("nk,kw->nw", data.encoded.encoder.data, X)
            noise = (part - clear).std(axis=1)
        with anyk.distribute(scheme, X, executor) as data:
            (part,), direct = executor.placed[-1], data.leakage_spent
            assert noise == pytest.approx((part - clear).std(axis=1), rel=0.1)
        assert leak.total == direct.total
        assert (leak.encodings, leak.encoded) == (direct.encodings, direct.encoded)
        assert leak.spread == pytest.approx(direct.spread, rel=1e-2)


@pytest.mark.parametrize("scheme", AT_ONCE)
def test_a_scheme_that_needs_all_data_refuses_slabs(scheme):
    blocks = getattr(scheme.problem, "blocks", 2)
    executor = anyk.Inline(scheme.guarantee.workers)
    with executor, pytest.raises(anyk.InvalidArgument, match="slabs of columns"):
        anyk.distribute(scheme, slabs(np.ones((blocks, 23))), executor)


def test_such_a_scheme_reads_a_file_as_a_whole(memmap):
    scheme = anyk.Spline(4, 8)
    right = scheme.encode(np.asarray(memmap)).parts[0]
    with Kept(8) as executor, anyk.distribute(scheme, memmap, executor) as data:
        assert np.array_equal(data.encoded.parts[0], right)


@pytest.mark.parametrize("dtype", [np.float32, np.float16, np.int32, np.uint8, np.complex64])
def test_the_dtype_is_as_the_direct_way_gives_it(dtype):
    X = np.arange(60).reshape(2, 30).astype(dtype)
    with anyk.Inline(3) as executor:
        got = anyk.distribute(anyk.Replication(2, 3), slabs(X, (0, 7, 30)), executor).run(same)
        right = anyk.distribute(anyk.Replication(2, 3), X, executor).run(same)
        assert got.value.dtype == right.value.dtype == dtype
        assert np.array_equal(got.value, right.value)


def test_tensors_come_in_slabs_too():
    torch = pytest.importorskip("torch")
    X = torch.arange(12.0).reshape(2, 6)
    with anyk.Inline(3) as executor:
        data = anyk.distribute(anyk.Replication(2, 3), iter([X[:, :2], X[:, 2:]]), executor)
        value = data.run(torch.sqrt).value
    assert torch.equal(value, torch.sqrt(X))


@pytest.fixture
def memmap(tmp_path):
    X = np.memmap(tmp_path / "X", dtype=np.float64, mode="w+", shape=(4, 40_000, 5))
    X[:] = np.arange(X.size).reshape(X.shape) % 1000
    X.flush()
    return np.memmap(tmp_path / "X", dtype=np.float64, mode="r", shape=X.shape)


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.Replication(4, 8),
        anyk.Lagrange(blocks=4, degree=1, workers=8, colluders=1),
        anyk.ChebyshevLagrange(blocks=4, degree=1, workers=8),
        anyk.Berrut(4, 8, colluders=1, leakage=0.1),
        anyk.Shamir(blocks=4, degree=1, workers=12, colluders=1),
    ],
)
def test_no_more_than_four_slabs_with_their_shares_are_held(memmap, scheme):
    """Ten slabs; at eight bytes a number, masks counted as shares."""
    if scheme.domain.exact:
        memmap = memmap.astype(np.int64)
    promise, width = scheme.guarantee, 4000
    slab = 8 * (4 + promise.workers) * width * 5
    with Kept(promise.workers, Sink) as executor:
        anyk.distribute(scheme, memmap[:, :8], executor, columns=4)  # tables are made once
        tracemalloc.start()
        anyk.distribute(scheme, memmap, executor, columns=width)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert slab / 2 < peak < 4 * slab  # of four bytes a number, where residues rest


def test_a_memmap_is_read_in_slabs_of_its_own_accord(memmap, monkeypatch):
    monkeypatch.setattr("anyk.running.slabs.read._NUMBERS", 100_000)
    scheme = anyk.Replication(4, 8)
    with Kept(8) as executor, anyk.distribute(scheme, memmap, executor) as data:
        assert np.array_equal(data.run(same).value, memmap)
        with pytest.raises(anyk.ExecutorError, match="lie on the workers"):
            np.asarray(data.encoded.shares)
    with Kept(8) as executor, anyk.distribute(scheme, memmap[:, :10], executor) as data:
        assert isinstance(data.encoded.shares, np.ndarray)  # it is no larger than a slab


def test_what_was_changed_in_a_copy_on_write_memmap_is_kept(tmp_path):
    np.memmap(tmp_path / "X", dtype=np.int64, mode="w+", shape=(2, 3000)).flush()
    X = np.memmap(tmp_path / "X", dtype=np.int64, mode="c", shape=(2, 3000))
    X[:] = 7
    with anyk.Inline(2) as executor:
        data = anyk.distribute(anyk.Replication(2, 2), X, executor, columns=1000)
        assert (data.run(same).value == 7).all()


def test_a_dask_array_is_computed_chunk_by_chunk():
    array = pytest.importorskip("dask.array")
    X = np.arange(2 * 30 * 2).reshape(2, 30, 2)
    chunked = array.from_array(X, chunks=(1, 7, 2))
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=5, colluders=1)
    with anyk.Inline(5) as executor:
        for columns in (None, 4):
            with anyk.distribute(scheme, chunked, executor, columns=columns) as data:
                assert np.array_equal(data.run(np.square).value, X**2)
        unknown = chunked[:, chunked[0, :, 0] > 3]
        with pytest.raises(anyk.InvalidArgument, match="compute_chunk_sizes"):
            anyk.distribute(scheme, unknown, executor)


FIXED = anyk.FixedPoint(fraction_bits=8, magnitude=4.0, degree=2)
PRIVATE = anyk.Lagrange(blocks=2, degree=2, workers=5, colluders=1)


def test_reals_on_a_field_come_in_slabs():
    X = np.random.default_rng(1).uniform(-4, 4, (2, 30, 2))
    declared = anyk.FixedPoint(fraction_bits=8, magnitude=4.0, degree=2, summands=1)
    with anyk.Inline(5) as executor:
        right = anyk.distribute(PRIVATE, X, executor, embedding=FIXED).run(np.square).value
        for data, fixed in ((slabs(X, (0, 3, 30)), declared), (X, FIXED)):
            columns = 10 if data is X else None
            got = anyk.distribute(PRIVATE, data, executor, embedding=fixed, columns=columns)
            assert np.array_equal(got.run(np.square).value, right)
        with pytest.raises(anyk.InvalidArgument, match="summands="):
            anyk.distribute(PRIVATE, slabs(X, (0, 3, 30)), executor, embedding=FIXED)


def failing(X, at, error):
    for number, slab in enumerate(slabs(X, range(0, X.shape[1] + 1, 3))):
        if number == at:
            raise error
        yield slab


@pytest.mark.parametrize("error", [OSError("the disk is gone"), KeyboardInterrupt()])
def test_what_goes_wrong_in_a_generator_leaves_nothing_behind(error):
    X = np.ones((2, 30))
    with anyk.Futures([partial(ThreadPoolExecutor, 1)] * 3) as executor:
        with pytest.raises(type(error)):
            anyk.distribute(anyk.Replication(2, 3), failing(X, 7, error), executor)
        assert executor.crew._placements.held_by(0) == {}
        data = anyk.distribute(anyk.Replication(2, 3), slabs(X, (0, 5, 30)), executor)
        assert np.array_equal(data.run(same).value, X)


def test_a_number_out_of_range_is_refused_with_its_place():
    X = np.ones((2, 30))
    X[1, 22] = 4.5
    with Kept(5, Sink) as executor:
        with pytest.raises(anyk.InvalidArgument, match=r"4\.5.*slab 7, whose columns are 21 to 23"):
            anyk.distribute(PRIVATE, X, executor, embedding=FIXED, columns=3)
        assert executor.abandoned == 1


@pytest.mark.parametrize(
    ("given", "match"),
    [
        (lambda: iter(()), "no slab"),
        (lambda: iter([np.ones(2)]), r"a slab of shape \(2,\)"),
        (lambda: iter([np.ones((2, 3)), np.ones((3, 3))]), "slab 1, whose columns are 3 to 5"),
        (lambda: iter([np.ones((2, 3)), np.ones((2, 3, 1))]), "as the slabs before it"),
        (lambda: iter([np.ones((2, 3)), np.ones((2, 3), int)]), "int64.*as the slabs before it"),
        (lambda: iter([np.ones((2, 3)), np.ones((2, 0))]), "at least one number"),
    ],
)
def test_slabs_that_do_not_fit_are_refused(given, match):
    with Kept(3) as executor:
        with pytest.raises(anyk.InvalidArgument, match=match):
            anyk.distribute(anyk.Replication(2, 3), given(), executor)
        assert not executor.placed or all(len(parts[0].shape) == 1 for parts in executor.placed)


@pytest.mark.parametrize("look", [np.asarray, list, lambda it: it[0], lambda it: it.astype(int)])
def test_an_outline_has_no_numbers_and_says_where_they_are(look):
    outline = Outline((2, 3), np.dtype(int), axis=1)
    assert (len(outline), outline.ndim, outline.size, outline.nbytes) == (2, 2, 6, 48)
    with pytest.raises(anyk.ExecutorError, match="lie on the workers"):
        look(outline)
    with anyk.Inline(3) as executor:
        data = anyk.distribute(anyk.Lagrange(2, 1, 3), slabs(np.ones((2, 23), int)), executor)
        with pytest.raises(anyk.ExecutorError, match="lie on the workers"):
            look(data.encoded.shares)


def test_columns_are_for_arrays():
    with anyk.Inline(3) as executor:
        for columns, X in ((0, np.ones((2, 3))), (4, iter([np.ones((2, 3))]))):
            with pytest.raises(anyk.InvalidArgument, match="columns"):
                anyk.distribute(anyk.Replication(2, 3), X, executor, columns=columns)


def test_parts_without_columns_come_once():
    outlines = [Outline((2, UNKNOWN), np.dtype(int), 1), Outline((2, 3), np.dtype(int), None)]
    growing = Growing(outlines)
    assert growing.add(0, [np.ones((2, 4), int), np.full((2, 3), 5)])
    assert growing.add(4, [np.ones((2, 2), int), None])
    assert not growing.add(4, [np.ones((2, 2), int), None])  # they are there
    first, second = growing.whole()
    assert first.shape == (2, 6)
    assert (second == 5).all()


def test_a_worker_that_is_replaced_has_lost_its_share_and_counts_as_late():
    X = np.arange(60).reshape(2, 30)
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=3)
    with anyk.Futures([partial(ProcessPoolExecutor, 1)] * 3) as executor:
        data = anyk.distribute(scheme, slabs(X, (0, 5, 30)), executor)
        assert np.array_equal(data.run(same).value, X)
        pool = executor._workers[0]._executor
        for process in [*pool._processes.values()]:
            process.kill()
            process.join()
        heard = []
        outcome = data.run(slow, on_answer=heard.append)
        assert np.array_equal(outcome.value, X)
        assert 0 not in outcome.used
        assert {each.worker for each in heard if each.failure} <= {0}
        data.run(same)  # the next one finds the new process, which has nothing


def slow(x):
    time.sleep(0.3)
    return x


@pytest.mark.parametrize("kind", [ThreadPoolExecutor, ProcessPoolExecutor])
def test_pools_take_slabs(kind):
    with anyk.Futures([partial(kind, 1)] * 3) as executor:
        check_filling(executor)


def test_the_master_keeps_its_own_share():
    check_executor(anyk.WithMaster(anyk.Threads(2)))


def test_closing_an_executor_ends_what_is_on_its_way():
    with anyk.Futures([partial(ThreadPoolExecutor, 1)] * 2) as executor:
        filling = executor.filling([Outline((2, UNKNOWN), np.dtype(float), 1)])
        filling.write([np.ones((2, 3))])
        executor.close()
        with pytest.raises(anyk.ExecutorError, match="closed"):
            filling.write([np.ones((2, 3))])
    with anyk.Futures([partial(ThreadPoolExecutor, 1)] * 2) as executor:
        filling = executor.filling([Outline((2, UNKNOWN), np.dtype(float), 1)])
        filling._fills = [lambda *_: executor.close()] * 2
        with pytest.raises(anyk.ExecutorError, match="was closed while"):
            filling.write([np.ones((2, 3))])


def test_a_bar_says_how_many_columns_have_gone():
    out = io.StringIO()
    bar = _Bar(100)
    bar.show(10)
    bar.open(Console(file=out, force_terminal=True, width=80))
    bar.show(40)
    bar._bar.refresh()
    assert " 40/100" in out.getvalue()
    bar.close()
    bar.close()
    late = _Bar(None)
    late.close()
    late.open()
    assert late._bar is None


class Cluster:
    """Workers that say of their columns whatever a test lets them say."""

    def __init__(self, *rounds):
        self.rounds, self.asked, self.crew = list(rounds), [], self

    def check(self):
        pass

    def dispatch(self, task, placement, arguments, without):  # noqa: ARG002 - as an executor's
        told = self.rounds.pop(0)
        self.asked.append(sorted(told.keys() - without))
        answers = [
            anyk.Answer(
                worker=worker,
                value=np.frombuffer(told[worker], np.uint8) if told[worker] else None,
                failure=None if told[worker] else "ValueError",
                traceback="" if told[worker] else "line 1",
                sent=0.0,
                answered=0.0,
                seconds=0.0,
            )
            for worker in self.asked[-1]
        ]
        return SimpleNamespace(
            receive=lambda _: answers.pop(0) if answers else None, abandon=lambda: None
        )


def maker(cluster, liars):
    matrix = np.ones((4, 2), dtype=np.int64)
    return Maker(cluster, Placement(0, 4, 1), Mixed(anyk.PrimeField(7)), matrix, liars=liars)


GOOD, WHOLE = b'[[3, 2], "|u1"]', b'[[], "|u1"]'
ODD = [b"", b"{", b"7", b'[[3.0, 2], "|u1"]', b'[[-3, 2], "|u1"]', b'[[[3], 2], "|u1"]',
       b'[[4, 2], "|u1"]', b'[[3, 2], "<f8"]', b'[[], "|u1"]', b"[[3, 2], null]"]  # fmt: skip


@pytest.mark.parametrize("odd", ODD)
def test_a_worker_that_says_it_made_other_columns_is_done_without(odd):
    most = dict.fromkeys(range(4), GOOD)
    cluster = Cluster(most, most | {2: odd}, most, dict.fromkeys(range(4), WHOLE))
    made = maker(cluster, liars=1)
    for _ in range(3):
        made.make([None, None], UNKNOWN)
    outline = made.finish()
    assert (outline.shape, outline.dtype, made.columns) == ((4, 9, 2), np.uint8, 9)
    assert cluster.asked == [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 3], [0, 1, 3]]
    for liars, who in ((0, {2: odd}), (1, {1: odd, 2: odd})):  # more than may lie
        made = maker(Cluster(most | who), liars)
        with pytest.raises(anyk.InvalidArgument, match=r"^X: got .*from column 0 on"):
            made.make([None, None], UNKNOWN)
    made = maker(Cluster(most | {1: odd}, most | {3: odd}), 1)  # one after the other
    made.make([None, None], UNKNOWN)
    with pytest.raises(anyk.InvalidArgument, match="from column 3 on"):
        made.make([None, None], UNKNOWN)
