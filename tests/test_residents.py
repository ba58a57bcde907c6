"""Shares that stay on a worker: prepared once, lent to each call, and never written in."""

import gc
import weakref
from itertools import pairwise

import numpy as np
import pytest

import anyk
from anyk.domains.functions.inside import memory_of
from anyk.domains.prime import PrimeField
from anyk.domains.ring import ResidueRing
from anyk.executors.core.columns import Columns, Outline
from anyk.executors.core.dispatcher import Awaited
from anyk.executors.core.link import Order
from anyk.executors.engines.slices import Slice
from anyk.executors.engines.worker_state import RunRequest
from anyk.executors.remote.request import make_request
from anyk.residents import RESIDENTS, Residents
from anyk.work import Plain, WorkerTask

FIELD = anyk.PrimeField(2**25 - 39)
X = np.arange(24).reshape(2, 3, 4)
LAGRANGE = anyk.Lagrange(blocks=2, degree=2, workers=4, field=FIELD)


def spoiled(x):
    """Writes in its share, in views of it and in views of these, before and after they are made."""
    row, turned = x[0], x.T
    x += 1
    row *= 2
    turned[1] -= row[1]
    x[2, 2:] = x[0, :2]
    return x * x


def right(block):
    x = np.array(block, dtype=object)
    return spoiled(x) % FIELD.modulus


@pytest.mark.parametrize("executor", [anyk.Inline, anyk.Threads, anyk.Processes])
def test_what_a_call_writes_is_not_seen_by_the_next(executor):
    with executor(4) as workers, anyk.distribute(LAGRANGE, X, workers) as data:
        kept = data.encoded.parts[0].copy()
        for _ in range(3):
            value = data.run(spoiled, progress=False).value
            assert value.tolist() == [right(block).tolist() for block in X]
        assert np.array_equal(data.encoded.parts[0], kept)


def test_a_share_is_looked_at_once_and_lies_where_it_did(monkeypatch):
    looked, seen = [], []
    ready = PrimeField._ready

    def watched(field, values):
        looked.append(np.shape(values))
        return ready(field, values)

    monkeypatch.setattr(PrimeField, "_ready", watched)

    def function(x):
        seen.append(memory_of(x))
        return x[:1, :1]

    with anyk.Inline(4) as executor, anyk.distribute(LAGRANGE, X, executor) as data:
        looked.clear()
        part = data.encoded.parts[0]
        for _ in range(25):
            data.run(function, progress=False)
        asked = LAGRANGE.guarantee.threshold  # as Inline computes no more
        assert looked.count(X.shape[1:]) == asked  # once a share, and not 25 times
        assert len(seen) == 25 * asked
        assert all(np.may_share_memory(memory, part) for memory in seen)
        assert {memory.dtype for memory in seen} == {np.dtype(np.uint32)}


def test_views_move_with_what_is_written_in():
    memory = anyk.PrimeField(251).at_rest(np.arange(12).reshape(3, 4))
    kept = memory.copy()
    x = anyk.FieldArray.of_residues(memory, anyk.PrimeField(251), lent=True)
    ways = [
        lambda a: a[1],
        lambda a: a.T,
        lambda a: a[::-1, ::2],
        lambda a: a[2:],
        lambda a: a[3:],
        lambda a: a[1][2:],
        lambda a: a.reshape(4, 3),
        lambda a: a.diagonal(),
        lambda a: np.broadcast_to(a[0], (5, 4)),
    ]
    views = [way(x) for way in ways]
    dead = x[0]
    del dead
    assert len(x._views) >= len(views)
    plain = kept.astype(int)
    x[1, 2] = 99
    plain[1, 2] = 99
    assert np.array_equal(memory, kept)
    assert [view.values.tolist() for view in views] == [way(plain).tolist() for way in ways]
    views[2][0, 0] = 7  # a view of its own memory now, without another copy
    plain[2, 0] = 7
    assert [view.values.tolist() for view in views] == [way(plain).tolist() for way in ways]
    for fixed in views[-2:]:  # as in numpy
        with pytest.raises(anyk.InvalidArgument, match="written"):
            fixed[0] = 1
    assert np.array_equal(memory, kept)


def test_writing_in_a_view_first_moves_the_whole():
    field = anyk.PrimeField(251)
    memory = field.at_rest(np.arange(12).reshape(3, 4))
    x = field.lend(memory, ())
    x.T[0] = 5
    assert x.values[:, 0].tolist() == [5, 5, 5]
    assert memory[:, 0].tolist() == [0, 4, 8]
    again = field.lend(memory, ()).known_as(None)
    again[0, 0] = 9
    part = field.lend(memory, ())[1].known_as(None)
    part[0] = 9
    assert memory[:, 0].tolist() == [0, 4, 8]


def test_residents_are_forgotten_with_their_shares():
    residents = Residents()
    shares = FIELD.at_rest(np.arange(6).reshape(2, 3))
    assert residents.prepared(FIELD, shares, 0) == ()
    assert residents.prepared(anyk.PrimeField(251), shares, 0) is None  # which rest in one byte
    assert residents.prepared(FIELD, np.arange(3)[None], 0) is None
    assert len(residents) == 1  # the other array is gone
    del shares
    assert not len(residents)
    gc.collect()
    before = len(RESIDENTS)
    with anyk.Inline(4) as executor, anyk.distribute(LAGRANGE, X, executor) as data:
        data.run(np.square, progress=False)
        assert len(RESIDENTS) == before + 1
    del data
    gc.collect()
    assert len(RESIDENTS) == before


def test_whoever_names_many_domains_keeps_one_form_of_a_share():
    primes = [2**25 - 39, 2**24 - 3, 2**24 - 17, 2**24 - 33]
    rings = [ResidueRing((anyk.PrimeField(p), anyk.PrimeField(q))) for p, q in pairwise(primes)]
    shares = rings[0].at_rest(np.ones((1, 1000, 2), dtype=np.int64))
    residents = Residents()
    kept = [weakref.ref(residents.prepared(ring, shares, 0)[0]) for ring in rings * 2]
    assert [each() is None for each in kept] == [True] * 5 + [False]
    assert residents.prepared(rings[-1], shares, 0)[0] is kept[-1]()  # asked for again: as it was


def test_what_is_no_residue_is_never_lent():
    shares = np.full((2, 3), FIELD.modulus, dtype=np.uint32)
    assert Residents().prepared(FIELD, shares, 1) is None
    task = WorkerTask(Plain(np.square), FIELD)
    with pytest.raises(anyk.InvalidArgument, match="residues from 0"):
        task(*task.share([shares], 1))


def test_shares_modulo_several_primes_lie_apart_and_take_no_more_than_they_did():
    ring = ResidueRing((anyk.PrimeField(2**25 - 39), anyk.PrimeField(2**24 - 3)))
    shares = ring.at_rest(ring.constant(np.arange(2000).reshape(2, 1000) - 1000))
    task = WorkerTask(Plain(len), ring)
    lent = [task.share([shares], 1)[0].value for _ in range(2)]
    memories = [[memory_of(each) for each in call] for call in lent]
    for first, second in zip(*memories, strict=True):
        assert np.may_share_memory(first, second)  # of all calls
        assert first.flags.c_contiguous
    prepared = sum(each.nbytes for each in RESIDENTS.prepared(ring, shares, 1))
    assert prepared == shares[1].nbytes
    assert prepared + shares[1].nbytes <= 1.5 * 8 * shares[1].size
    lent[0][0][:] = 7
    assert memory_of(lent[1][0]).tolist() == shares[1, :, 0].tolist()
    assert ring.prepared(np.zeros((3, 3), dtype=np.uint32)) is None  # of as many primes as others
    assert ring.prepared(np.full((3, 2), 2**24, dtype=np.uint32)) is None


def test_nothing_that_carries_shares_shows_them():
    share = np.full((1, 3), 123456)
    outline = Outline((1, 3), share.dtype, axis=1)
    field = anyk.PrimeField()
    task = WorkerTask(Plain(len), field)
    carriers = [
        Columns(7, (outline,), 0, (share,)),
        Slice(7, (((1, 3), "<i8"),), 0, 0, share[0]),
        Order(7, (share,), (share,), [share], Awaited()),
        RunRequest(7, 0, (share,), (7,)),
        make_request("gram", [share], workers=1),
        task.share([field.at_rest(share)], 0)[0],
    ]
    assert not [each for each in carriers if "123456" in repr(each)]
