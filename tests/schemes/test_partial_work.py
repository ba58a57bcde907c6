"""Sums by parts of the work of those who are late."""

import itertools
import time

import numpy as np
import pytest

import anyk
from anyk.codes.exact.chunks import chunk_order
from anyk.delays import Fixed
from anyk.faults import Corrupt, Crash, Faulty, Rubbish
from anyk.running.usable import Usable

FIELD = anyk.PrimeField()


@pytest.mark.parametrize("workers", range(1, 10))
@pytest.mark.parametrize("each", [1, 2, 3])
def test_each_chunk_comes_once_among_each_part_of_the_order(workers: int, each: int) -> None:
    for copies in range(1, workers + 1):
        order = chunk_order(workers, workers * each, copies)
        assert all(len(set(own)) == copies * each for own in order.tolist())
        for level in range(copies):
            part = order[:, level * each : (level + 1) * each]
            assert sorted(part.ravel().tolist()) == list(range(workers * each))


@pytest.mark.parametrize(("workers", "copies"), [(4, 2), (5, 3), (6, 4)])
def test_no_order_is_better_in_the_worst_case(workers: int, copies: int) -> None:
    def most_without_one(order: np.ndarray) -> int:
        return max(
            sum(own.index(chunk) if chunk in own else copies for own in order.tolist())
            for chunk in range(workers)
        )

    order = chunk_order(workers, workers, copies)
    mean = workers * copies - copies * (copies + 1) / 2  # over the chunks, of any order
    assert most_without_one(order) == mean
    rng = np.random.default_rng(0)
    others = [rng.permuted(order, axis=1) for _ in range(50)]
    assert min(most_without_one(each) for each in others) >= mean
    assert most_without_one(np.sort(order, axis=1)) > mean


@pytest.mark.parametrize("workers", range(1, 8))
def test_every_set_of_late_workers(workers: int) -> None:
    X = np.random.default_rng(workers).integers(0, FIELD.modulus, (2 * workers, 3))
    for late in range(workers):
        exact = anyk.PartialWork(workers, late, blocks=2 * workers, domain=FIELD)
        encoded = exact.encode(X)
        squares = encoded.shares.astype(object) ** 2 % FIELD.modulus
        right = (X.astype(object) ** 2).sum(axis=0) % FIELD.modulus
        for missing in itertools.combinations(range(workers), late):
            shares = encoded.held_by(who for who in range(workers) if who not in missing)
            recovered = encoded.decode(squares[shares].astype(np.int64), shares)
            assert recovered.value.tolist() == right.tolist()


def test_one_more_late_worker_is_too_many_for_someone() -> None:
    encoded = anyk.PartialWork(7, 2).encode(np.ones(7))
    lost = 0
    for missing in itertools.combinations(range(7), 3):
        shares = encoded.held_by(who for who in range(7) if who not in missing)
        if not encoded.scheme.sufficient(shares):
            lost += 1
            with pytest.raises(anyk.NotEnoughAnswers):
                encoded.recovery(shares)
    assert lost == 7  # the three workers of one of seven chunks


@pytest.mark.parametrize("stragglers", [0, 1])
def test_liars_are_named_whoever_they_are(stragglers: int) -> None:
    scheme = anyk.PartialWork(5, stragglers, adversaries=1)
    X = np.random.default_rng(0).normal(size=(5, 4))
    encoded, right = scheme.encode(X), np.exp(X).sum(axis=0)
    for late in itertools.combinations(range(5), stragglers):
        shares = encoded.held_by(who for who in range(5) if who not in late)
        for liar in set(range(5)).difference(late):
            answers = np.exp(encoded.shares[shares])
            answers[[share // scheme.guarantee.pieces == liar for share in shares]] += 1.0
            recovered = encoded.decode(answers, shares)
            assert recovered.suspects == (liar,)
            assert np.allclose(recovered.value, right, rtol=1e-12)
    answers = np.exp(encoded.shares)
    for lie, liar in ((1.0, 0), (2.0, 1)):
        answers[encoded.held_by([liar])] += lie
    with pytest.raises(anyk.TooManyErrors):
        encoded.decode(answers, range(len(answers)))


def late(workers: int, blocks: int | None, seconds: dict[int, float], stragglers: int = 1) -> float:
    scheme = anyk.PartialWork(workers, stragglers, blocks)
    chunk = 1.0 / (scheme.problem.blocks / workers)
    X = np.arange(2.0 * scheme.problem.blocks).reshape(-1, 2)
    with anyk.Simulated(workers, delays=Fixed(seconds), compute=chunk) as executor:
        outcome = anyk.run(scheme, np.square, X, executor)
    assert np.allclose(outcome.value, (X**2).sum(axis=0), rtol=1e-14)
    return outcome.elapsed


def test_the_work_of_late_workers_counts() -> None:
    """In shares of 1/N of the work, of which a cyclic gradient code computes two each."""
    assert late(8, None, {}) == 1.0
    assert late(8, None, {3: np.inf}) == 2.0
    assert late(8, 32, {3: np.inf}) == 1.5  # the four chunks are spread; others are skipped
    assert late(8, 32, {3: 1.0}) <= 1.5
    assert late(8, None, {3: np.inf, 4: np.inf}, stragglers=2) <= 3.0


def test_what_all_its_workers_are_late_for_is_sent_again() -> None:
    both = np.flatnonzero((chunk_order(8, 8, 2) == 3).any(axis=1))
    X = np.arange(16.0).reshape(8, 2)
    with anyk.Simulated(8, delays=Fixed(dict.fromkeys(both, np.inf)), compute=1.0) as executor:
        outcome = anyk.run(anyk.PartialWork(8, 1), np.square, X, executor)
    assert np.array_equal(outcome.value, (X**2).sum(axis=0))
    assert outcome.elapsed <= 6.0
    assert len(outcome.again) >= 1


def double(block: np.ndarray) -> np.ndarray:
    time.sleep(0.002)
    return 2 * block


@pytest.mark.parametrize("kind", [anyk.Threads, anyk.Processes, anyk.Inline])
def test_what_is_known_is_skipped(kind: type[anyk.Threads]) -> None:
    X = np.arange(16)
    scheme = anyk.PartialWork(4, 3, blocks=16)
    with kind(4) as executor, anyk.distribute(scheme, X, executor) as data:
        for _ in range(3):
            outcome = data.run(double)
            assert outcome.value == 240
            assert len(outcome.shares) < 40  # of 64
            assert not outcome.late


def test_nothing_is_skipped_by_the_word_of_a_few() -> None:
    """What has been answered is known when no other shape can have more workers."""
    usable = Usable(anyk.PartialWork(4, 1, blocks=8).encode(np.ones(8)))
    for place, (worker, shape) in enumerate([(0, (2,)), (1, ()), (2, ()), (1, ()), (2, ())]):
        usable.add(4 * worker + place // 3, shape, worker)
        assert not usable.needless()
    usable.add(12, (), 3)
    held = chunk_order(4, 8, 2).ravel()
    known = {held[share] for share in (4, 5, 8, 9, 12)}
    assert sorted(usable.needless()) == [share for share, of in enumerate(held) if of in known]
    assert not usable.needless()


def test_a_lie_is_not_skipped_over() -> None:
    assert not anyk.PartialWork(4, 1, adversaries=1).replicas(None).spare


@pytest.mark.parametrize("fault", [Crash(), Corrupt(), Rubbish("nan")])
def test_a_faulty_worker(fault: Crash | Corrupt | Rubbish) -> None:
    scheme = anyk.PartialWork(6, 1, blocks=12, adversaries=1, domain=anyk.Reals())
    X = np.random.default_rng(0).normal(size=(12, 3))
    with Faulty(anyk.Threads(6), {4: fault}) as executor:
        outcome = anyk.run(scheme, np.sin, X, executor)
    assert np.allclose(outcome.value, np.sin(X).sum(axis=0), rtol=1e-12)


def test_numbers_keep_their_type() -> None:
    scheme = anyk.PartialWork(3, 1)
    with anyk.Inline(3) as executor:
        for dtype, result in ((np.float32, np.float32), (np.int8, np.int64), (complex, complex)):
            X = np.array([100, 100, 100], dtype=dtype)
            value = anyk.run(scheme, np.positive, X, executor).value
            assert value == 300
            assert value.dtype == result
