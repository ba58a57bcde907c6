"""Several shares a worker: each answered on its own, all of them wrong or seen together."""

import itertools
import operator
import threading

import numpy as np
import pytest

import anyk
from anyk import faults
from anyk.delays import Fixed
from anyk.executors.wrappers.with_master import WithMaster
from anyk.faults import Corrupt, Crash, Delay, Faulty
from anyk.schemes.wrappers.embedded import Embedded

FIELD = anyk.PrimeField(101)
X = np.arange(24).reshape(6, 4) % 101
TRUTH = X.astype(object) ** 2 % 101


def scheme_of(workers, adversaries=0, colluders=0):
    return anyk.Lagrange(6, 2, workers, adversaries, colluders, FIELD, pieces=3)


@pytest.mark.parametrize(
    "make",
    [anyk.Inline, anyk.Threads, anyk.Simulated, anyk.Processes],
    ids=lambda make: make.__name__,
)
def test_a_run_waits_for_pieces_and_not_for_workers(make):
    scheme = scheme_of(5)  # 15 shares, of which 11 are enough
    assert scheme.guarantee.threshold == 11
    assert scheme.guarantee.stragglers == 1
    with make(5) as executor:
        outcome = anyk.run(scheme, np.square, X, executor)
    assert np.array_equal(outcome.value, TRUTH)
    assert len(outcome.shares) == 11
    assert set(outcome.used) == {share // 3 for share in outcome.shares}
    assert set(outcome.used) | set(outcome.missing) == set(range(5))
    assert "(11 pieces)" in str(outcome)


def test_the_first_pieces_of_slow_workers_count():
    delays = Fixed({0: 30.0, 1: 30.0, 2: 30.0})  # a third of it before each piece
    with anyk.Simulated(5, delays=delays, compute=1.0) as executor:
        outcome = anyk.run(scheme_of(5), np.square, X, executor)
    # workers 3 and 4 answer all six at once; five of the slow ones' nine are enough
    assert np.array_equal(outcome.value, TRUTH)
    assert sorted(share % 3 for share in outcome.shares if share < 9) == [0, 0, 0, 1, 1]
    assert outcome.elapsed == pytest.approx(22.0)


def test_pieces_that_were_not_begun_are_withdrawn():
    begun, gate, own = [], threading.Event(), threading.local()

    def wait_from_the_second_on(x):
        begun.append(1)
        if hasattr(own, "begun"):
            gate.wait()
        own.begun = True
        return x

    scheme = anyk.Lagrange(2, 1, 2, pieces=8)
    with anyk.Threads(2) as executor:
        anyk.run(scheme, wait_from_the_second_on, np.array([1, 2]), executor)
        gate.set()
    assert len(begun) <= 4


def test_a_worker_that_fails_fails_with_all_its_pieces():
    with Faulty(anyk.Threads(5), {2: Crash()}) as executor:
        outcome = anyk.run(scheme_of(5), np.square, X, executor)
        assert np.array_equal(outcome.value, TRUTH)
        faults = {2: Crash(), 3: Crash()}
        with pytest.raises(anyk.NotEnoughAnswers, match="needed: 11 answers") as caught:
            anyk.run(scheme_of(5), np.square, X, Faulty(executor, faults))
    assert caught.value.outcome.failures.keys() == {2, 3}
    assert {2, 3} <= set(caught.value.outcome.missing)


def test_a_liar_lies_in_all_its_pieces_and_is_one_suspect():
    scheme = scheme_of(8, adversaries=1)
    encoded = scheme.encode(X)
    honest = encoded.shares**2 % 101
    everyone = range(24)
    for liar in range(8):
        values = honest.copy()
        values[encoded.held_by([liar])] += 1
        recovered = encoded.decode(values % 101, everyone)
        assert recovered.suspects == (liar,)
        assert np.array_equal(recovered.value, TRUTH)
    for liars in itertools.combinations(range(8), 2):  # two workers, but three wrong answers
        values = honest.copy()
        rows = encoded.held_by(liars)[1:4]
        values[rows] = (values[rows] + 1 + np.arange(3)[:, None]) % 101
        with pytest.raises(anyk.TooManyErrors):
            encoded.decode(values, everyone)


def test_a_run_with_liars_and_colluders():
    scheme = scheme_of(12, adversaries=1, colluders=1)
    faults = {4: Corrupt(modulus=101), 7: Delay(600.0)}
    with Faulty(anyk.Threads(12), faults) as executor:
        outcome = anyk.run(scheme, np.square, X, executor)
    assert np.array_equal(outcome.value, TRUTH)
    assert set(outcome.suspects) <= {4}


def test_no_worker_learns_from_its_pieces_and_two_do():
    encoded = scheme_of(12, colluders=1).encode(X)
    assert anyk.leakage(encoded, colluders=1) == 0.0
    assert anyk.leakage(encoded, colluders=2) == 3.0


def test_arguments_have_a_row_for_each_share():
    scheme = anyk.Lagrange(4, 2, 6, colluders=1, pieces=2)
    grid = np.arange(8).reshape(4, 2)
    fixed = anyk.FixedPoint(fraction_bits=3, magnitude=20.0, degree=2)
    with WithMaster(anyk.Threads(5)) as executor:
        with anyk.distribute(scheme, grid, executor) as data:
            product = data.run(operator.mul, data.encode(grid + 1)).value
            assert np.array_equal(product, grid * (grid + 1))
        with anyk.distribute(scheme, grid / 2, executor, embedding=fixed) as data:
            product = data.run(operator.mul, data.encode(grid / 4)).value
            assert np.array_equal(product, grid * grid / 8)


def test_outcomes_that_are_streamed_and_products():
    with anyk.Inline(5) as executor:
        (outcome,) = anyk.stream(scheme_of(5), np.square, X, executor)
        assert np.array_equal(outcome.value, TRUTH)
    A, B = X[:5, :3], X[:3, :4]
    product = anyk.Polynomial(partition=(3, 1, 3), workers=4, pieces=3)
    with Faulty(anyk.Threads(4), {1: Delay(600.0)}) as executor:
        outcome = anyk.run(product, np.matmul, (A, B), executor)
    assert np.array_equal(outcome.value, A @ B)


@pytest.mark.parametrize(
    "build",
    [
        lambda: anyk.Lagrange(6, 2, 3, pieces=3),
        lambda: anyk.Lagrange(2, 1, 2, pieces=0),
        lambda: anyk.Lagrange(2, 1, 4, pieces=4, field=anyk.PrimeField(17)),
        lambda: anyk.Polynomial(partition=(4, 1, 4), workers=5, pieces=3),
    ],
)
def test_what_can_not_be_is_refused(build):
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        build()


def test_errors_count_pieces_and_name_workers():
    delays = Fixed({0: 30.0, 1: 30.0, 2: 30.0})
    with anyk.Simulated(5, delays=delays, compute=1.0) as executor:
        with pytest.raises(anyk.NotEnoughAnswers, match=r"11 answers, of which 9 came\. Add w"):
            anyk.run(scheme_of(5), np.square, X, executor, deadline=11.5)
    encoded = scheme_of(5).encode(X)
    for answered in ([15], [3, 3]):
        with pytest.raises(anyk.InvalidArgument, match=r"got .*share.*of shares from 0 to 14"):
            encoded.recovery(answered)
    fixed = anyk.FixedPoint(fraction_bits=20, magnitude=100.0, summands=2**12)
    embedded = Embedded(anyk.Lagrange(2, 1, 8, adversaries=1, pieces=2), fixed)
    shares = embedded.encode([1.0, 2.0])
    values = shares.shares.copy()
    values[0, 0] ^= 1
    values[15, 1] ^= 1  # another worker lies modulo the other prime
    with pytest.raises(anyk.TooManyErrors, match="of workers 0-7 contradict"):
        shares.decode(values, range(16))


def test_a_worker_may_be_used_and_have_failed():
    class SecondPiece(faults.failures.AbstractFault):
        def __init__(self):
            self.begun = 0

        def around(self, run, worker):
            self.begun += 1
            if self.begun == 2:
                raise RuntimeError(f"worker {worker} failed once")
            return run()

    with Faulty(anyk.Inline(5), {1: SecondPiece()}) as executor:
        outcome = anyk.run(scheme_of(5), np.square, X, executor)
    assert np.array_equal(outcome.value, TRUTH)
    assert 1 in outcome.used
    assert outcome.failures == {1: "RuntimeError: worker 1 failed once"}
