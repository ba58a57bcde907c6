import itertools

import numpy as np
import pytest

import anyk
from anyk.faults import Corrupt, Crash, Faulty
from anyk.work import WorkerTask

FIELD = anyk.PrimeField(101)


def answers_of(scheme, encoded, function):
    task = WorkerTask(scheme.work(function), scheme.domain, (), len(encoded.parts))
    return np.stack([task(*share) for share in zip(*encoded.parts, strict=True)])


@pytest.mark.parametrize(
    "domain", [anyk.Reals(), anyk.Complex(), FIELD, anyk.PrimeField()], ids=repr
)
@pytest.mark.parametrize(
    ("workers", "stragglers"), [(1, 0), (3, 0), (4, 1), (5, 2), (6, 5), (7, 3)]
)
def test_every_pattern_of_stragglers_gives_the_sum(domain, workers, stragglers):
    rng = np.random.default_rng([workers, stragglers])
    X = rng.integers(-9, 9, (workers, 2, 2)) % 101
    X = X if domain.exact else (X - 50.0).astype(domain.dtype)
    scheme = anyk.CyclicRepetition(workers, stragglers, domain=domain)
    truth = (X**3).sum(axis=0)
    truth = truth % domain.modulus if domain.exact else truth
    encoded = scheme.encode(X)
    values = answers_of(scheme, encoded, lambda x: x**3)
    for size in range(workers - stragglers, workers + 1):
        for who in itertools.combinations(range(workers), size):
            recovered = encoded.decode(values[list(who)], who)
            if domain.exact:
                assert np.array_equal(recovered.value, truth)
                assert recovered.error_estimate is None
            else:
                off = np.linalg.norm(recovered.value - truth) / np.linalg.norm(truth)
                assert off <= recovered.error_estimate < 1e-9
    for who in itertools.combinations(range(workers), workers - stragglers - 1):
        with pytest.raises(anyk.NotEnoughAnswers):
            encoded.recovery(who)


def test_rounding_of_large_codes_stays_within_its_estimate():
    scheme = anyk.CyclicRepetition(40, 9)
    rng = np.random.default_rng(3)
    X = rng.standard_normal((40, 5))
    encoded = scheme.encode(X)
    values, truth = answers_of(scheme, encoded, np.sin), np.sin(X).sum(axis=0)
    for start in range(40):
        neighbours = (start + np.arange(31)) % 40
        for who in (neighbours, rng.permutation(40)[:31]):
            recovered = encoded.decode(values[who], who.tolist())
            off = np.linalg.norm(recovered.value - truth) / np.linalg.norm(truth)
            assert off <= recovered.error_estimate < 1e-6


def test_b_is_cyclic_and_the_same_in_every_process():
    scheme = anyk.CyclicRepetition(6, 2)
    B = scheme.encoder(None).data
    held = (np.arange(6)[:, None] + np.arange(3)) % 6
    assert all(set(np.flatnonzero(row)) == set(own) for row, own in zip(B, held, strict=True))
    assert np.array_equal(B[:, 0][:1], [1.0])
    assert scheme.encoder(None).of_outputs


def test_spare_answers_show_that_somebody_lied():
    X = np.arange(12).reshape(6, 2)
    with Faulty(anyk.Inline(6), {2: Corrupt(modulus=101)}) as executor:
        scheme = anyk.CyclicRepetition(6, 2, domain=FIELD)
        encoded = scheme.encode(X)
        values = answers_of(scheme, encoded, np.square)
        values[2] = (values[2] + 1) % 101
        with pytest.raises(anyk.TooManyErrors):
            encoded.decode(values, range(6))
        real = anyk.CyclicRepetition(6, 2)
        outcome = anyk.run(real, np.square, X.astype(float), executor)
        assert outcome.status is anyk.Status.APPROXIMATE
    encoded = real.encode(X.astype(float))
    values = answers_of(real, encoded, np.square)
    values[2] += 100.0
    recovered = encoded.decode(values, range(6))
    truth = np.square(X).sum(axis=0)
    assert np.linalg.norm(recovered.value - truth) <= (
        recovered.error_estimate * np.linalg.norm(recovered.value)
    )


@pytest.mark.parametrize(("workers", "stragglers", "liars"), [(6, 1, 1), (8, 2, 2), (10, 3, 1)])
def test_over_the_reals_the_estimate_covers_what_so_many_liars_do(workers, stragglers, liars):
    rng = np.random.default_rng([workers, stragglers, liars])
    scheme = anyk.CyclicRepetition(workers, stragglers, detects=liars)
    for _ in range(20):
        X = rng.standard_normal((workers, 3))
        encoded = scheme.encode(X)
        heard = np.sort(rng.permutation(workers)[: workers - rng.integers(stragglers + 1)])
        honest = answers_of(scheme, encoded, np.exp)[heard]
        for lying in itertools.combinations(range(len(heard)), liars):
            answers = honest.copy()
            answers[list(lying)] += rng.standard_normal((liars, 3))
            found = encoded.decode(answers, tuple(heard.tolist()))
            off = np.linalg.norm(found.value - np.exp(X).sum(axis=0))
            assert off <= found.error_estimate * np.linalg.norm(found.value)


def test_any_function_with_arguments_and_lists_and_crashes():
    X = np.random.default_rng(0).standard_normal((5, 4))

    def moments(x, power):
        return [x.sum(), (x**power).sum()]

    with Faulty(anyk.Threads(5), {0: Crash(), 4: Crash()}) as executor:
        with anyk.distribute(anyk.CyclicRepetition(5, 2), X, executor) as data:
            value = data.run(moments, 2).value
    assert np.allclose(value, [X.sum(), (X**2).sum()])


@pytest.mark.parametrize(
    "build",
    [
        lambda: anyk.CyclicRepetition(3, 3),
        lambda: anyk.CyclicRepetition(0, 0),
        lambda: anyk.CyclicRepetition(200, 1, domain=FIELD),
        lambda: anyk.CyclicRepetition(3, 1, domain="reals"),
        lambda: anyk.CyclicRepetition(3, 1).encode(np.ones((4, 2))),
        lambda: anyk.CyclicRepetition(3, 1).encode(np.ones((3, 2))).shares,
        lambda: anyk.CyclicRepetition(3, 1).work(np.sin, (True,)),
    ],
)
def test_what_makes_no_sense_is_refused(build):
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        build()


@pytest.mark.parametrize("size", [1e-310, 1e-200, 1.0, 1e200, 1e307])
@pytest.mark.parametrize("answers", [4, 6])
def test_the_error_of_very_large_and_small_sums_is_a_number(size, answers):
    scheme = anyk.CyclicRepetition(6, 2)
    encoded = scheme.encode(np.ones(6))
    values = answers_of(scheme, encoded, lambda x: size * x)
    recovered = encoded.decode(values[:answers], range(answers))
    assert np.isclose(recovered.value, 6.0 * size, rtol=1e-12, atol=0.0)
    assert 1e-16 < recovered.error_estimate < 1e-12


def test_a_sum_that_no_float_holds_has_an_infinite_error():
    scheme = anyk.CyclicRepetition(6, 0)
    encoded = scheme.encode(np.full(6, 1e308))
    assert encoded.decode(encoded.parts[0][:, 0], range(6)).error_estimate == np.inf
    with anyk.Inline(6) as executor, pytest.raises(anyk.NotAccurateEnough):
        anyk.run(scheme, np.positive, np.full(6, 1e308), executor, tolerance=0.5)


def test_shares_as_an_argument_are_refused_by_the_scheme_and_by_others():
    scheme = anyk.CyclicRepetition(6, 0)
    X = np.ones((6, 2))
    with anyk.Inline(6) as executor:
        with anyk.distribute(scheme, X, executor) as data:
            with pytest.raises(anyk.InvalidArgument, match="shares, for a gradient code"):
                data.run(np.add, data.encode(X))
        with anyk.distribute(anyk.Replication(6, 6), X, executor) as data:
            with pytest.raises(anyk.InvalidArgument, match="needed: shares of one part"):
                data.run(np.add, scheme.encode(X))
