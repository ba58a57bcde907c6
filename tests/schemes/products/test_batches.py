"""`CSA` and `GCSA`: thresholds, every set of answers, liars, colluders, and the planner."""

import itertools

import flint
import numpy as np
import pytest

import anyk
from anyk.codes.exact.linear import rank
from anyk.faults import Corrupt, Crash, Faulty
from anyk.privacy.information import symbols_learned
from anyk.schemes.products.base import code_of

FIELD = anyk.PrimeField(10007)
ONE = (1, 1, 1)


def factors(scheme, shape, seed=1):
    """As large as that, a batch where the scheme takes one."""
    rng = np.random.default_rng(seed)
    rows, inner, columns = shape
    batch = (scheme.batch,) * (scheme.batch > 1)
    top = scheme.domain.modulus
    return rng.integers(0, top, (*batch, rows, inner)), rng.integers(
        0, top, (*batch, inner, columns)
    )


def product(field, A, B):
    """By python-flint."""
    if A.ndim > 2:
        return np.stack([product(field, a, b) for a, b in zip(A, B, strict=True)])
    left, right = (flint.nmod_mat(each.tolist(), field.modulus) for each in (A, B))
    return np.array([[int(entry) for entry in row] for row in (left * right).tolist()])


def answers_of(encoded):
    domain = encoded.scheme.domain
    return np.stack([domain.matmul(a, b) for a, b in zip(*encoded.parts, strict=True)])


@pytest.mark.parametrize(
    ("partition", "groups", "each", "colluders", "threshold"),
    [
        (ONE, 1, 6, 0, 11),  # as Lagrange coding of degree 2
        (ONE, 2, 3, 0, 8),
        (ONE, 3, 2, 0, 7),
        (ONE, 6, 1, 0, 6),
        (ONE, 2, 2, 1, 7),
        (ONE, 1, 3, 2, 9),
        ((1, 2, 1), 1, 2, 0, 7),
        ((2, 2, 1), 1, 2, 0, 13),
        ((2, 1, 2), 2, 2, 0, 20),
        ((2, 2, 2), 1, 2, 0, 25),
        ((1, 2, 2), 2, 2, 0, 21),
        ((1, 2, 1), 1, 2, 1, 9),
        ((2, 1, 1), 2, 2, 2, 15),
        ((2, 2, 1), 1, 2, 2, 19),
        ((1, 2, 1), 1, 1, 1, 5),
    ],
)
def test_thresholds_are_those_of_the_theorems(partition, groups, each, colluders, threshold):
    batch = groups * each
    kinds = (anyk.CSA, anyk.GCSA) if partition == ONE else (anyk.GCSA,)
    for kind in kinds:
        scheme = kind(
            partition, threshold, domain=FIELD, batch=batch, groups=groups, colluders=colluders
        )
        assert scheme.guarantee.threshold == threshold
        code, every = code_of(scheme), tuple(range(threshold))
        assert rank(FIELD, code.rows(every)) == threshold
        A, B = factors(scheme, (3, 3, 3))
        with anyk.Inline(threshold) as executor:
            outcome = anyk.run(scheme, np.matmul, (A, B), executor)
        assert np.array_equal(outcome.value, product(FIELD, A, B))
        fewer = np.ascontiguousarray(np.concatenate([code.rows(every[1:]), code.wanted]))
        assert rank(FIELD, fewer) > threshold - 1  # one answer less does not tell
        with pytest.raises(anyk.Unachievable, match=f"= {threshold} <= {threshold - 1}"):
            kind(partition, threshold - 1, batch=batch, groups=groups, colluders=colluders)


SMALL = [
    anyk.CSA(ONE, 10, batch=6, groups=2, domain=FIELD),
    anyk.CSA(ONE, 12, batch=6, groups=3, domain=FIELD),
    anyk.CSA(ONE, 9, batch=3, groups=1, domain=FIELD, colluders=1),
    anyk.CSA(ONE, 12, batch=4, groups=2, domain=FIELD, colluders=2),
    anyk.CSA(ONE, 6, batch=2, groups=2, domain=anyk.PrimeField(), colluders=1, pieces=2),
    anyk.GCSA((2, 1, 1), 8, batch=2, domain=anyk.PrimeField()),
    anyk.GCSA((1, 2, 2), 11, batch=2, groups=2, domain=FIELD),
    anyk.GCSA((2, 1, 2), 11, domain=FIELD, colluders=1),
    anyk.GCSA((1, 3, 1), 10, batch=2, groups=2, domain=anyk.PrimeField(23), colluders=1),
]


@pytest.mark.parametrize("scheme", SMALL, ids=repr)
@pytest.mark.parametrize("shape", [(5, 7, 3), (1, 1, 1)])
def test_every_set_of_answers_gives_the_products_and_one_answer_less_raises(scheme, shape):
    A, B = factors(scheme, shape)
    encoded, truth = scheme.encode((A, B)), product(scheme.domain, A, B)
    values, enough = answers_of(encoded), scheme.enough
    for who in itertools.combinations(range(len(values)), enough):
        assert np.array_equal(encoded.decode(values[list(who)], who).value, truth)
    for who in itertools.combinations(range(len(values)), enough - 1):
        with pytest.raises(anyk.NotEnoughAnswers):
            encoded.recovery(who)


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.CSA(ONE, 12, batch=6, groups=2, domain=FIELD, adversaries=2),
        anyk.CSA(ONE, 10, batch=2, groups=2, domain=FIELD, adversaries=2, colluders=2),
        anyk.GCSA((2, 1, 1), 10, batch=2, domain=FIELD, adversaries=2),
        anyk.GCSA((1, 2, 1), 12, batch=2, groups=1, domain=FIELD, adversaries=1, colluders=1),
    ],
    ids=repr,
)
def test_liars_are_named_and_one_more_is_refused(scheme):
    A, B = factors(scheme, (3, 2, 2))
    encoded, truth = scheme.encode((A, B)), product(scheme.domain, A, B)
    honest, most, rng = answers_of(encoded), scheme.adversaries, np.random.default_rng(3)
    workers = range(scheme.workers)
    for liars in itertools.combinations(workers, most):
        values = honest.copy()
        values[list(liars)] = (values[list(liars)] + 1) % scheme.domain.modulus
        recovered = encoded.decode(values, workers)
        assert recovered.suspects == liars
        assert np.array_equal(recovered.value, truth)
    for liars in itertools.combinations(workers, most + 1):
        values = honest.copy()
        values[list(liars)] = rng.integers(0, 10007, (most + 1, *honest.shape[1:]))
        with pytest.raises(anyk.TooManyErrors):
            encoded.decode(values, workers)


@pytest.mark.parametrize("scheme", [each for each in SMALL if each.colluders], ids=repr)
def test_colluders_learn_nothing_and_one_more_learns_something(scheme):
    encoded, T = scheme.encode(factors(scheme, (2, 3, 2))), scheme.colluders
    for operand in (0, 1):
        encoder = scheme.encoder(encoded.layout, operand)

        def learned(who, encoder=encoder):
            own = encoder.rows(np.array(encoded.held_by(who)))
            return symbols_learned(scheme.domain, own.data, own.masks)

        workers = range(scheme.workers)
        assert not any(learned(who) for who in itertools.combinations(workers, T))
        assert all(learned(who) for who in itertools.combinations(workers, T + 1))
    assert anyk.leakage(encoded, colluders=T) == 0.0
    assert anyk.leakage(encoded, colluders=T + 1) > 0.0


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.CSA(ONE, 40, batch=12, groups=3, colluders=2, adversaries=3),
        anyk.GCSA((2, 2, 2), 60, batch=3, groups=1, adversaries=2, domain=anyk.PrimeField(67)),
    ],
    ids=repr,
)
def test_many_workers_of_whom_some_lie(scheme):
    A, B = factors(scheme, (3, 4, 5))
    encoded, truth = scheme.encode((A, B)), product(scheme.domain, A, B)
    honest, rng = answers_of(encoded), np.random.default_rng(6)
    for _ in range(20):
        who = rng.choice(scheme.workers, scheme.guarantee.threshold, replace=False)
        liars = tuple(sorted(rng.choice(who, scheme.adversaries, replace=False).tolist()))
        values = honest.copy()
        values[list(liars), 0, 0] = (values[list(liars), 0, 0] + 1) % scheme.domain.modulus
        recovered = encoded.decode(values[who], who)
        assert recovered.suspects == liars
        assert np.array_equal(recovered.value, truth)


def test_a_worker_is_sent_and_returns_what_the_theorem_says():
    scheme = anyk.CSA(ONE, 10, batch=6, groups=3)
    left, right = scheme.encode(factors(scheme, (4, 5, 2))).parts
    assert left.shape == (10, 4, 3 * 5)  # side by side
    assert right.shape == (10, 3 * 5, 2)  # below each other
    assert answers_of(scheme.encode(factors(scheme, (4, 5, 2)))).shape == (10, 4, 2)


def test_late_workers_and_liars_in_a_run():
    scheme = anyk.GCSA((2, 1, 1), 10, batch=2, domain=FIELD, adversaries=1, colluders=0)
    A, B = factors(scheme, (5, 3, 4))
    with Faulty(anyk.Threads(10), {1: Crash(), 6: Corrupt(modulus=10007)}) as executor:
        outcome = anyk.run(scheme, np.matmul, (A, B), executor)
    assert np.array_equal(outcome.value, product(FIELD, A, B))
    assert set(outcome.suspects) <= {6}


def test_reals_come_in_by_a_format():
    rng = np.random.default_rng(4)
    A, B = rng.uniform(-1, 1, (4, 3, 5)), rng.uniform(-1, 1, (4, 5, 2))
    scheme = anyk.CSA(ONE, 9, batch=4, groups=2, colluders=1)
    with anyk.Inline(9) as executor:
        format_ = anyk.FixedPoint(fraction_bits=20, magnitude=1.0)
        outcome = anyk.run(scheme, np.matmul, (A, B), executor, embedding=format_)
    assert np.abs(outcome.value - A @ B).max() <= outcome.quantisation_error < 1e-4


@pytest.mark.parametrize(
    "build",
    [
        lambda: anyk.CSA((2, 1, 1), 9),
        lambda: anyk.CSA(ONE, 9, batch=6, groups=4),
        lambda: anyk.CSA(ONE, 9, batch=0),
        lambda: anyk.CSA(ONE, 9, batch=2, groups=0),
        lambda: anyk.CSA(ONE, 4, batch=1, groups=2),
        lambda: anyk.CSA(ONE, 9, batch=4, domain=anyk.PrimeField(11)),
        lambda: anyk.GCSA((2, 2), 9),
        lambda: anyk.CSA(ONE, 9, batch=2).encode((np.ones((2, 2), int), np.ones((2, 2), int))),
        lambda: anyk.CSA(ONE, 9, batch=2).encode(
            (np.ones((3, 2, 2), int), np.ones((3, 2, 2), int))
        ),
        lambda: anyk.CSA(ONE, 9, batch=2).encode((np.ones((2, 2, 2), int), np.ones(2, int))),
    ],
)
def test_what_makes_no_sense_is_refused(build):
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        build()


@pytest.mark.parametrize(
    ("threat", "groups"),
    [
        (anyk.Threat(workers=11), 1),
        (anyk.Threat(workers=10), 2),
        (anyk.Threat(workers=10, stragglers=3), 3),
        (anyk.Threat(workers=10, stragglers=4), 6),
        (anyk.Threat(workers=10, adversaries=1), 2),
    ],
)
def test_the_planner_takes_the_least_work_that_survives(threat, groups):
    shortlist = anyk.schemes_for(anyk.MatMul(partition=ONE, batch=6), threat)
    kinds = {type(each): each.groups for each in shortlist}
    assert kinds == {anyk.CSA: groups, anyk.GCSA: groups}


def test_the_planner_offers_no_other_product_than_was_asked_for():
    problem, threat = anyk.MatMul(partition=(2, 1, 2), batch=3), anyk.Threat(workers=40)
    assert {each.problem for each in anyk.schemes_for(problem, threat)} == {problem}
    reasons = {each.name: each.reason for each in anyk.schemes_for(problem, threat).candidates}
    assert "it computes MatMul(partition=(2, 1, 2), batch=1" in reasons["Polynomial"]


def test_checked_on_arrival_a_liar_costs_one_answer_and_factors_stay():
    scheme = anyk.CSA(ONE, 8, batch=4, groups=2, domain=FIELD, adversaries=2, verified=True)
    assert scheme.guarantee.threshold == 5 + 2
    A, B = factors(scheme, (3, 5, 2))
    lying = {2: Corrupt(modulus=10007), 5: Corrupt(modulus=10007)}
    with Faulty(anyk.Inline(8), lying) as executor, anyk.distribute(scheme, A, executor) as data:
        for factor in (B, B[:, ::-1].copy()):
            outcome = data.matmul(factor)
            assert np.array_equal(outcome.value, product(FIELD, A, factor))
            assert outcome.suspects == (2, 5)
