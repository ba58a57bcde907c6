"""Runs end as soon as a value is certain, and wait for more answers where it is not."""

import importlib
import pickle
import sys
from pathlib import Path

import numpy as np
import pytest

import anyk
from anyk.delays import Fixed
from anyk.faults import Corrupt, Crash, Faulty
from anyk.schemes.certainty import Certainty

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
FIELD = anyk.PrimeField()
X = np.arange(6).reshape(3, 2)
SCHEMES = [
    anyk.Lagrange(blocks=3, degree=1, workers=9, adversaries=3),
    anyk.Summed(anyk.Lagrange(blocks=3, degree=1, workers=9, adversaries=3)),
    anyk.Lagrange(blocks=3, degree=1, workers=10, adversaries=2, detects=4),
]


@pytest.fixture(scope="module")
def patterns():
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("certain_early_every_pattern")
    sys.path.remove(str(BENCHMARKS))


def triple(x):
    return 3 * x


def one_by_one(scheme, slow=(), slowest=0.0):
    """Workers who answer after 1, 2, .. seconds, but for slow ones."""
    workers = scheme.guarantee.workers
    seconds = {worker: worker + 1.0 for worker in range(workers)}
    return anyk.Simulated(
        workers, delays=Fixed(seconds | dict.fromkeys(slow, slowest)), compute=0.0
    )


def lying(executor, liars):
    return Faulty(executor, {liar: Corrupt(modulus=FIELD.modulus) for liar in liars})


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_each_lie_among_the_answers_costs_one_more(scheme):
    truth = 3 * X.sum(axis=0) if isinstance(scheme, anyk.Summed) else 3 * X
    for lies in range(scheme.guarantee.adversaries + 1):
        with one_by_one(scheme) as executor:
            outcome = anyk.run(scheme, triple, X, lying(executor, range(lies)))
        assert np.array_equal(outcome.value, truth)
        assert outcome.suspects == tuple(range(lies))
        assert outcome.elapsed == scheme.guarantee.least + lies


def test_liars_who_answer_late_cost_nothing():
    scheme = SCHEMES[0]
    with one_by_one(scheme) as executor:
        outcome = anyk.run(scheme, triple, X, lying(executor, (6, 7, 8)))
    assert outcome.elapsed == scheme.guarantee.least
    assert outcome.suspects == ()


@pytest.mark.parametrize("stream", [False, True])
def test_answers_that_will_tell_who_lied_are_waited_for_however_late(stream):
    scheme = anyk.Lagrange(blocks=3, degree=1, workers=7, adversaries=2)  # all 7, if two lie
    with one_by_one(scheme, slow=(5, 6), slowest=5000.0) as inner:
        executor = lying(inner, (0, 1))
        if stream:
            (outcome,) = anyk.stream(scheme, triple, X, executor)
        else:
            outcome = anyk.run(scheme, triple, X, executor)
    assert outcome.suspects == (0, 1)
    assert outcome.elapsed == 5000.0


def test_where_nobody_else_can_answer_the_error_says_that_more_would_tell():
    scheme = anyk.Lagrange(blocks=3, degree=1, workers=7, adversaries=2)
    with one_by_one(scheme) as inner:
        executor = Faulty(lying(inner, (0, 1)), {5: Crash(), 6: Crash()})
        with pytest.raises(anyk.TooManyErrors, match="up to 2 more answers would tell") as caught:
            anyk.run(scheme, triple, X, executor)
    assert caught.value.more == 2
    assert pickle.loads(pickle.dumps(caught.value)).more == 2
    assert caught.value.outcome.value is None


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.Lagrange(blocks=3, degree=1, workers=6, detects=2),
        anyk.Lagrange(blocks=3, degree=1, workers=4, pieces=2, detects=2),
        anyk.Shamir(blocks=3, degree=1, workers=12, detects=2),
        anyk.Summed(anyk.Lagrange(blocks=3, degree=1, workers=5, detects=2)),
        anyk.Summed(anyk.Shamir(blocks=3, degree=1, detects=1)),
    ],
    ids=repr,
)
def test_liars_who_are_only_noticed_never_change_a_value(scheme):
    promise = scheme.guarantee
    assert promise.adversaries == 0
    with one_by_one(scheme) as executor:
        assert anyk.run(scheme, triple, X, executor).suspects == ()
    for liar in range(promise.workers):
        with one_by_one(scheme) as inner:
            executor = lying(inner, (liar,))
            try:
                value = anyk.run(scheme, triple, X, executor).value
            except anyk.TooManyErrors as error:
                assert "noticed, and none is named" in str(error)  # noqa: PT017 - or the value
            else:  # of those who came before
                assert liar >= promise.threshold / promise.pieces
                assert np.array_equal(value, anyk.run(scheme, triple, X, inner).value)


def test_a_product_and_a_gradient_code_notice_liars():
    rng = np.random.default_rng(0)
    A, B = rng.integers(0, 99, (4, 3)), rng.integers(0, 99, (3, 4))
    product = anyk.Polynomial(partition=(2, 1, 2), workers=6, detects=2)
    gradient = anyk.CyclicRepetition(workers=6, stragglers=1, domain=FIELD, detects=2)
    assert product.guarantee.least == product.guarantee.threshold == 6
    assert (gradient.guarantee.threshold, gradient.guarantee.load) == (5, 4.0)
    blocks = np.arange(12).reshape(6, 2)
    for liars in ((), (0,), (1, 3)):
        for scheme, f, data, truth in (
            (product, np.matmul, (A, B), A @ B),
            (gradient, triple, blocks, 3 * blocks.sum(axis=0)),
        ):
            with one_by_one(scheme) as inner:
                executor = lying(inner, liars)
                if liars:
                    with pytest.raises(anyk.TooManyErrors, match="2 liars are noticed"):
                        anyk.run(scheme, f, data, executor)
                else:
                    assert np.array_equal(anyk.run(scheme, f, data, executor).value, truth)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: anyk.Lagrange(blocks=3, degree=2, workers=8, adversaries=1, detects=3),
            r"\(K\+T-1\)d \+ D \+ A \+ 1 <= N, that is \(3\+0-1\)\*2 \+ 3 \+ 1 \+ 1 = 9 <= 8",
        ),
        (
            lambda: anyk.Lagrange(blocks=3, degree=1, workers=3, pieces=2, detects=2),
            r"\(K\+rT-1\)d \+ rD \+ rA \+ 1 <= rN, that is .* \+ 4 \+ 0 \+ 1 = 7 <= 6",
        ),
        (
            lambda: anyk.Shamir(blocks=2, degree=1, workers=7, detects=2),
            r"dT \+ D \+ A \+ 1 <= floor\(N/K\), that is 1\*1 \+ 2 \+ 0 \+ 1 = 4 <= floor\(7/2\)",
        ),
        (
            lambda: anyk.Polynomial(partition=(2, 1, 2), workers=5, detects=2),
            r"mn \+ D \+ A <= N, that is 4 \+ 2 \+ 0 = 6 <= 5",
        ),
        (
            lambda: anyk.CyclicRepetition(workers=4, stragglers=2, detects=2),
            r"S \+ D < N, that is 2 \+ 2 < 4",
        ),
    ],
)
def test_a_threat_that_cannot_be_met_says_by_how_much(build, message):
    with pytest.raises(anyk.Unachievable, match=message):
        build()


def test_whoever_names_liars_notices_them():
    with pytest.raises(anyk.InvalidArgument, match="detects: got 1; needed: at least adversaries"):
        anyk.Lagrange(blocks=2, degree=1, workers=9, adversaries=2, detects=1)
    with pytest.raises(anyk.InvalidArgument, match="detects"):
        anyk.Shamir(blocks=2, degree=1, detects=-1)


@pytest.mark.parametrize("shares", range(1, 7))
def test_every_pattern_of_answers_and_lies_accepted_implies_right(patterns, shares):
    total = patterns.Tally()
    for scheme in patterns.schemes(shares):  # the benchmark goes to 10
        total.add(patterns.check(scheme, values=4))
    assert (total.wrong, total.missed) == (0, 0)
    assert total.accepted
    assert total.refused or shares == 1


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.Lagrange(2, 1, 6, adversaries=2, detects=2, field=anyk.PrimeField(11)),
        anyk.Lagrange(2, 1, 5, detects=2, field=anyk.PrimeField(11)),
        anyk.Lagrange(2, 1, 4, adversaries=1, detects=1, pieces=2, field=anyk.PrimeField(11)),
        anyk.Shamir(
            blocks=1, degree=1, workers=6, adversaries=1, detects=2, field=anyk.PrimeField(7)
        ),
    ],
    ids=repr,
)
def test_one_answer_sooner_would_be_too_early(patterns, scheme, monkeypatch):
    margin = Certainty.margin
    monkeypatch.setattr(Certainty, "margin", lambda self, shares: margin(self, shares) + 1)
    assert patterns.check(scheme, values=0).wrong
