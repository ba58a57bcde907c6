"""`Agreed`: any function, late workers, liars and curious workers at once; nobody honest named."""

import itertools
import math
import pickle

import numpy as np
import pytest

import anyk
from anyk.faults import Corrupt, Crash, Delay, Faulty
from anyk.randomness.entropy import InsecureTestSource
from anyk.schemes.wrappers.embedded import Embedded
from anyk.schemes.wrappers.grouping import draw_groups, expected_wrong

FUNCTIONS = {
    "sign": np.sign,
    "argmax": lambda x: np.eye(x.shape[-1])[x.argmax(-1)],
    "sort": lambda x: np.sort(x, axis=-1),
    "softmax": lambda x: np.exp(x - x.max()) / np.exp(x - x.max()).sum(),
}
INNER = {
    "veiled": anyk.VeiledReplication(4, 30, stragglers=10, colluders=1, leakage=0.45),
    "spline": anyk.Spline(4, 30, stragglers=10),
    "berrut": anyk.Berrut(4, 30, stragglers=10),
    "filled": anyk.FilledReplication(4, 30, stragglers=10),
}


def partners(encoded, worker):
    """Who else holds the share of this worker."""
    groups = encoded.layout.groups
    return [int(who) for who in np.flatnonzero(groups == groups[worker]) if who != worker]


@pytest.mark.parametrize("inner", INNER.values(), ids=INNER)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_value_is_that_of_the_scheme_within_without_the_shares_of_liars(inner, name):
    scheme, f = anyk.Agreed(inner, adversaries=4), FUNCTIONS[name]
    assert scheme.guarantee.stragglers == 6
    rng = np.random.default_rng(7)
    for _ in range(10):
        X = rng.normal(size=(4, 5))
        encoded = scheme.encode(X)
        answers = np.array([f(share) for share in encoded.shares])
        order = rng.permutation(60)
        liars, heard = order[6:10], np.sort(order[6:])  # the first six are late
        answers[liars] += rng.normal(size=(4, 5))
        recovered = encoded.decode(answers[heard], heard.tolist())
        assert set(recovered.suspects) <= set(liars.tolist())
        groups = encoded.layout.groups
        heard_of = [[who for who in heard if groups[who] == share] for share in range(30)]
        differ = {groups[who] for who in liars if len(heard_of[groups[who]]) > 1}
        single = len(differ) == 4  # then all liars are at odds with somebody: nobody else lies
        kept = [
            share
            for share in range(30)
            if share not in differ and len(heard_of[share]) >= (1 if single else 2)
        ]
        first = [heard_of[share][0] for share in kept]
        within = inner.recovery(encoded.layout.within, tuple(kept)).recover(answers[first])
        assert np.array_equal(recovered.value, within.value)
        assert recovered.error_estimate == within.error_estimate


@pytest.mark.parametrize("copies", [2, 3])
def test_two_liars_of_one_group_who_lie_alike_do_not_make_the_third_a_liar(copies):
    scheme = anyk.Agreed(anyk.Spline(2, 12, stragglers=4), copies=3, adversaries=copies + 1)
    encoded = scheme.encode([1.0, 2.0])
    first, second = partners(encoded, 0)
    answers = encoded.shares.copy()
    answers[[first, second]] = 9.0
    recovered = encoded.decode(answers, range(36))
    assert recovered.suspects == ()
    assert np.allclose(recovered.value, [1.0, 2.0])
    assert recovered.disputed == (tuple(sorted((0, first, second))),)


def test_a_liar_against_more_than_can_lie_is_named():
    scheme = anyk.Agreed(anyk.Spline(2, 12, stragglers=4), copies=3, adversaries=1)
    encoded = scheme.encode([1.0, 2.0])
    answers = encoded.shares.copy()
    answers[5] = 9.0
    recovered = encoded.decode(answers, range(36))
    assert recovered.suspects == (5,)
    assert recovered.disputed == ()


def test_where_all_liars_are_at_odds_with_somebody_a_single_answer_counts():
    """A = 2: two disputed shares are both liars, and what one worker tells of a third is true."""
    scheme = anyk.Agreed(anyk.Spline(2, 4, stragglers=2), adversaries=2)
    encoded = scheme.encode([1.0, 2.0])
    groups = encoded.layout.groups
    answers = encoded.shares.copy()
    answers[[np.flatnonzero(groups == share)[0] for share in (0, 1)]] += 1.0
    heard = [who for who in range(8) if who != np.flatnonzero(groups == 2)[0]]
    assert np.allclose(encoded.decode(answers[heard], heard).value, [1.0, 2.0])


def test_more_liars_than_promised_are_an_error():
    scheme = anyk.Agreed(anyk.Spline(2, 12, stragglers=4), adversaries=2)
    encoded = scheme.encode([1.0, 2.0])
    groups = encoded.layout.groups
    answers = encoded.shares.copy()
    answers[[np.flatnonzero(groups == share)[0] for share in (0, 1, 2)]] += 1.0
    with pytest.raises(anyk.TooManyErrors) as error:
        encoded.decode(answers, range(24))
    assert error.value.adversaries == 2


def test_a_group_of_liars_passes_and_the_locator_within_is_the_second_line():
    X = np.linspace(0.0, 3.0, 4)
    for inner in (
        anyk.Spline(4, 20, stragglers=6),
        anyk.Spline(4, 20, stragglers=6, adversaries=1),
    ):
        scheme = anyk.Agreed(inner, adversaries=2)
        encoded = scheme.encode(X)
        liars = (3, *partners(encoded, 3))
        answers = np.sin(encoded.shares)
        answers[list(liars)] = 50.0
        recovered = encoded.decode(answers, range(40))
        off = np.abs(recovered.value - np.sin(X)).max()
        if inner.adversaries:
            assert off < 0.1
            assert recovered.suspects == tuple(sorted(liars))
        else:
            assert off > 0.1
            assert recovered.suspects == ()


@pytest.mark.parametrize(
    "within",
    [
        anyk.Lagrange(blocks=3, degree=2, workers=9, colluders=1),
        anyk.Lagrange(blocks=3, degree=2, workers=12, adversaries=1, colluders=1),
        anyk.Lagrange(blocks=3, degree=1, workers=5, pieces=2),
        anyk.Shamir(blocks=2, degree=1, workers=8),
        anyk.Replication(blocks=3, workers=9),
        anyk.Replication(blocks=2, workers=8, domain=anyk.PrimeField()),
        anyk.Polynomial(partition=(2, 1, 1), workers=5),
        anyk.Summed(anyk.Lagrange(blocks=2, degree=2, workers=6)),
        anyk.AnalogLagrange(blocks=2, degree=2, workers=8, colluders=1, leakage=0.5),
        anyk.CyclicRepetition(workers=5, stragglers=2),
        anyk.Harmonic(blocks=2, degree=2),
    ],
    ids=repr,
)
@pytest.mark.parametrize(("copies", "extra"), [(2, 0), (3, 2)])
def test_it_keeps_its_guarantee_around_every_scheme(within, copies, extra):
    liars = min(1, within.guarantee.stragglers)
    workers = copies * within.guarantee.workers + extra
    scheme = anyk.Agreed(within, copies=copies, adversaries=liars, workers=workers)
    anyk.testing.check_scheme(scheme, generator=np.random.default_rng(1), patterns=12, encodings=16)


@pytest.mark.parametrize(("copies", "workers"), [(2, 8), (2, 9), (3, 9)])
def test_every_set_of_answers_with_a_liar_gives_the_value_and_the_name_or_an_error(copies, workers):
    inner = anyk.Lagrange(blocks=1, degree=1, workers=workers // copies, colluders=1)
    scheme = anyk.Agreed(inner, copies=copies, adversaries=1, workers=workers)
    encoded, right = scheme.encode([7]), 0
    for size in range(1, workers + 1):
        for heard in itertools.combinations(range(workers), size):
            for liar in (None, *heard):
                answers = encoded.shares.copy()
                if liar is not None:
                    answers[liar] = 5
                try:
                    recovered = encoded.decode(answers[list(heard)], heard)
                except anyk.RecoveryError:
                    assert size < scheme.guarantee.threshold
                    continue
                assert recovered.value.tolist() == [7]
                assert recovered.suspects == (() if liar is None else (liar,))
                right += 1
    assert right > 50


def test_the_sum_by_an_agreed_scheme():
    scheme = anyk.Summed(anyk.Agreed(anyk.Lagrange(blocks=2, degree=2, workers=6), adversaries=1))
    anyk.testing.check_scheme(scheme, generator=np.random.default_rng(1), patterns=20)


def test_reals_on_a_field_have_other_groups_for_each_prime():
    scheme = anyk.Agreed(anyk.Lagrange(blocks=2, degree=2, workers=8, colluders=1), adversaries=2)
    fixed = anyk.FixedPoint(fraction_bits=20, magnitude=4.0, degree=2)
    X = np.array([[0.5, -1.25], [3.0, 2.0]])
    encoded = Embedded(scheme, fixed).encode(X)
    primes = np.array(encoded.scheme.domain.primes)
    assert len({layout.groups.tobytes() for layout in encoded.layout}) == len(primes)
    answers = encoded.shares**2 % primes
    answers[[3, 8]] = (answers[[3, 8]] + np.array([1, 2])[:, None, None]) % primes
    recovered = encoded.decode(answers, range(16))
    assert np.allclose(recovered.value, X**2, atol=1e-5)
    assert set(recovered.suspects) <= {3, 8}
    with anyk.Inline(16) as executor:
        outcome = anyk.run(scheme, np.square, X, executor, embedding=fixed)
    assert np.allclose(outcome.value, X**2, atol=1e-5)


def test_liars_of_a_function_that_is_no_polynomial_are_told_all_the_same():
    """An exact code takes it for lies of everybody; copies agree on it."""
    scheme = anyk.Agreed(anyk.Berrut(3, 20, stragglers=8), copies=2, adversaries=3)
    encoded = scheme.encode(np.array([0.0, 1.0, 2.0]))
    answers = np.floor(3.0 * encoded.shares)
    before = encoded.decode(answers, range(40))
    answers[[1, 12, 30]] += 100.0
    assert not set(encoded.decode(answers, range(40)).suspects) - {1, 12, 30}
    assert before.suspects == ()


# Evidence


def test_copies_that_differ_by_rounding_agree_and_the_rounding_is_in_the_estimate():
    scheme = anyk.Agreed(anyk.Replication(blocks=2, workers=4), adversaries=1)
    encoded = scheme.encode([1.0 / 3.0, 2.0 / 3.0])
    answers = encoded.shares.copy()
    assert encoded.decode(answers, range(8)).error_estimate is None
    answers[0] *= 1.0 + 4e-15
    recovered = encoded.decode(answers, range(8))
    assert recovered.suspects == ()
    block = int(encoded.layout.groups[0]) % 2
    if recovered.known.all():  # the other replica of the block was taken
        return
    assert recovered.known.tolist() == [block != 0, block != 1]
    assert 0.0 < recovered.error_estimate < 1e-14
    assert recovered.block_errors[block] > 0.0 == recovered.block_errors[1 - block]


def test_rtol_says_what_agrees():
    for rtol, loses in ((1e-3, False), (0.0, True), (None, True)):
        scheme = anyk.Agreed(anyk.Spline(2, 6, stragglers=2), adversaries=1, rtol=rtol)
        encoded = scheme.encode([1.0, 2.0])
        answers = encoded.shares.copy()
        answers[4] *= 1.0 + 1e-5
        together = tuple(sorted((4, *partners(encoded, 4))))
        assert encoded.decode(answers, range(12)).disputed == ((together,) if loses else ())


def test_no_worker_learns_more_than_from_the_scheme_within():
    scheme = anyk.Agreed(INNER["veiled"], copies=3, adversaries=2)
    promise = scheme.guarantee
    assert (promise.colluders, promise.leakage) == (1, INNER["veiled"].guarantee.leakage)
    for _ in range(3):
        encoded = scheme.encode(np.zeros(4))
        assert anyk.leakage(encoded, colluders=1) <= promise.leakage * (1 + 1e-9)


# Groups


def test_groups_are_new_for_every_encoding_and_in_no_repr():
    scheme = anyk.Agreed(anyk.Spline(2, 30), copies=2)
    first, second = scheme.encode([1.0, 2.0]), scheme.encode([1.0, 2.0])
    assert not np.array_equal(first.layout.groups, second.layout.groups)
    assert "groups" not in repr(first.layout)
    assert np.array_equal(np.bincount(first.layout.groups), np.full(30, 2))


def test_groups_come_from_the_source():
    scheme = anyk.Agreed(anyk.Spline(2, 30), copies=2)
    one, other = (scheme.encode([1.0, 2.0], source=InsecureTestSource(4)) for _ in range(2))
    assert np.array_equal(one.layout.groups, other.layout.groups)


def test_all_pairs_of_workers_are_equally_often_together():
    draws, workers = 3000, 7
    together = np.zeros((workers, workers))
    source = InsecureTestSource(1)
    for _ in range(draws):
        groups = draw_groups(source, 3, workers)
        assert sorted(np.bincount(groups).tolist()) == [2, 2, 3]
        together += groups[:, None] == groups
    chance = (3 + 1 + 1) / math.comb(7, 2)
    off = together[np.triu_indices(workers, 1)] - draws * chance
    assert np.abs(off).max() < 5 * math.sqrt(draws * chance * (1 - chance))


@pytest.mark.parametrize(
    ("workers", "groups", "liars", "late", "agree"),
    [(60, 30, 4, 6, 2), (60, 20, 4, 6, 2), (20, 9, 5, 3, 2), (12, 4, 6, 2, 3), (10, 3, 5, 4, 1)],
)
def test_so_many_groups_of_liars_alone_are_expected(workers, groups, liars, late, agree):
    source, draws, found = InsecureTestSource(5), 4000, []
    for _ in range(draws):
        held = draw_groups(source, groups, workers)
        lying, slow = held[:liars], held[liars : liars + late]
        all_of, bad, gone = (np.bincount(each, minlength=groups) for each in (held, lying, slow))
        found.append(int(((bad + gone == all_of) & (bad >= agree)).sum()))
    expected = expected_wrong(workers, groups, liars=liars, late=late, agree=agree)
    assert abs(np.mean(found) - expected) < 5 * np.std(found) / math.sqrt(draws) + 1e-12


def test_what_is_expected_of_pairs_and_threes():
    inner = {q: anyk.Spline(4, 60 // q, stragglers=10) for q in (2, 3)}
    pairs, threes = (anyk.Agreed(inner[q], copies=q, adversaries=4) for q in (2, 3))
    assert pairs.expected_wrong == pytest.approx(math.comb(4, 2) / math.comb(59, 1))
    assert threes.expected_wrong == pytest.approx(math.comb(4, 3) / math.comb(59, 2))
    assert anyk.Agreed(inner[2], copies=2, adversaries=1).expected_wrong == 0.0
    two_of_three = anyk.Agreed(inner[3], copies=3, agree=2, adversaries=4)
    assert threes.expected_wrong < two_of_three.expected_wrong < pairs.expected_wrong
    assert two_of_three.guarantee.stragglers > threes.guarantee.stragglers


def test_a_worker_receives_its_share_and_nothing_of_the_groups():
    scheme = anyk.Agreed(anyk.Spline(2, 6, stragglers=1))
    seen = []
    with anyk.Inline(12) as executor:
        anyk.run(
            scheme,
            lambda *given: seen.append(given) or given[0],
            np.arange(6.0).reshape(2, 3),
            executor,
        )
    assert {len(given) for given in seen} == {1}
    assert {given[0].shape for given in seen} == {(3,)}


# Through executors


@pytest.mark.parametrize("make", [anyk.Threads, anyk.Processes])
def test_late_crashed_and_lying_workers_at_once(make):
    inner = anyk.VeiledReplication(2, 10, stragglers=6, colluders=1, leakage=2.0)
    scheme = anyk.Agreed(inner, adversaries=3)
    assert scheme.guarantee.stragglers == 3
    faults = {
        1: Corrupt(seed=1),
        4: Corrupt(seed=1),
        9: Corrupt(seed=1),
        12: Delay(math.inf),
        13: Crash(),
        17: Delay(math.inf),
    }
    X = np.array([[0.0, 1.0], [2.0, -1.0]])
    with Faulty(make(20), faults) as executor:
        for _ in range(3):
            outcome = anyk.run(scheme, np.sign, X, executor)
            assert outcome.status is anyk.Status.APPROXIMATE
            assert set(outcome.suspects) <= {1, 4, 9}
            assert all({1, 4, 9} & set(each) for each in outcome.disputed)
            assert ("disputed  one or more of workers" in str(outcome)) == bool(outcome.disputed)
            assert np.abs(outcome.value).max() < 10.0
            assert set(outcome.missing) >= {12, 13, 17} - set(outcome.used)


def test_values_get_better_as_answers_come():
    scheme = anyk.Agreed(anyk.Spline(3, 12), adversaries=1)
    with anyk.Inline(24) as executor:
        outcomes = list(anyk.stream(scheme, np.sin, np.array([0.0, 1.0, 2.0]), executor, every=6))
    assert outcomes[-1].error_estimate <= outcomes[0].error_estimate


def test_other_arguments_are_dealt_to_the_same_groups():
    X, weights = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[0.5, 0.5], [2.0, -1.0]])
    veiled = anyk.VeiledReplication(2, 6, stragglers=2, colluders=1, leakage=4.0)
    fixed = anyk.FixedPoint(fraction_bits=10, magnitude=4.0, degree=2)
    exact = anyk.Agreed(anyk.Lagrange(blocks=2, degree=2, workers=7), adversaries=1)
    for scheme, embedding in ((anyk.Agreed(veiled), None), (exact, fixed)):
        with (
            anyk.Inline(scheme.guarantee.workers) as executor,
            anyk.distribute(scheme, X, executor, embedding=embedding) as data,
        ):
            for _ in range(2):
                outcome = data.run(np.multiply, data.encode(weights))
            if embedding is not None:
                assert np.allclose(outcome.value, X * weights)
            with pytest.raises(anyk.InvalidArgument, match=r"^arguments: "):
                data.run(np.multiply, scheme.encode(np.zeros((2, 2), dtype=int)))


# What it refuses


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"copies": 1}, "^copies: got 1; needed: at least 2"),
        ({"adversaries": 5}, "^adversaries: got 5; needed: A <= s, that is 5 <= 4"),
        ({"copies": 3, "agree": 4}, "^agree: got 4; needed: at most copies=3"),
        ({"workers": 23}, r"^workers: got 23; needed: N >= qn, that is 23 >= 2\*12. Take 24"),
        ({"rtol": -1.0}, "^rtol: "),
        ({"adversaries": True}, "^adversaries: "),
    ],
)
def test_numbers_that_do_not_fit(arguments, match):
    with pytest.raises(anyk.InvalidArgument, match=match):
        anyk.Agreed(anyk.Spline(2, 12, stragglers=4), **arguments)


def test_things_that_are_no_scheme_or_have_no_rounding():
    with pytest.raises(anyk.InvalidArgument, match=r"^scheme: "):
        anyk.Agreed(anyk.Spline)
    with pytest.raises(anyk.InvalidArgument, match=r"^rtol: got 1e-06"):
        anyk.Agreed(anyk.Lagrange(blocks=1, degree=1, workers=3), rtol=1e-6)


def test_too_few_answers_say_what_is_needed():
    scheme = anyk.Agreed(anyk.Spline(3, 12, stragglers=4), adversaries=1)
    with pytest.raises(anyk.NotEnoughAnswers, match="each by 2 workers or more"):
        scheme.encode(np.zeros(3)).recovery([0])
    exact = anyk.Agreed(anyk.Lagrange(blocks=3, degree=1, workers=6), adversaries=1)
    with pytest.raises(anyk.NotEnoughAnswers, match="9 answers"):
        exact.encode(np.zeros(3, dtype=int)).recovery(range(8))


def test_it_is_a_value():
    scheme = anyk.Agreed(anyk.Spline(2, 12, stragglers=4), copies=3, agree=2)
    assert pickle.loads(pickle.dumps(scheme)) == scheme
    assert hash(scheme) == hash(anyk.Agreed(anyk.Spline(2, 12, stragglers=4), copies=3, agree=2))
    over = anyk.Agreed(anyk.Lagrange(blocks=1, degree=1, workers=3)).over(anyk.PrimeField(101))
    assert over.domain == anyk.PrimeField(101)
