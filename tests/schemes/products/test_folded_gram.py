"""`FoldedGram`: A @ A.T from half the answers, every set of them, liars, and fields of any size."""

import itertools

import flint
import numpy as np
import pytest

import anyk
from anyk.codes.exact.linear import rank
from anyk.faults import Corrupt, Crash, Faulty
from anyk.schemes.products.base import code_of
from anyk.schemes.wrappers.embedded import Embedded

FIELD = anyk.PrimeField(10007)


def gram(field, A):
    """By python-flint."""
    own = flint.nmod_mat(A.tolist(), field.modulus)
    return np.array([[int(entry) for entry in row] for row in (own * own.transpose()).tolist()])


def answers_of(encoded):
    domain = encoded.scheme.domain
    return np.stack([domain.matmul(a, b) for a, b in zip(*encoded.parts, strict=True)])


def data(field, shape, seed=1):
    return np.random.default_rng(seed).integers(0, field.modulus, shape)


def smallest_field(shares):
    return anyk.PrimeField(
        next(q for q in itertools.count(2 * shares + 3) if all(q % d for d in range(2, q)))
    )


@pytest.mark.parametrize("blocks", range(1, 6))
@pytest.mark.parametrize("inner", [1, 2, 3])
def test_half_the_answers_of_another_product_are_enough_and_one_less_is_not(blocks, inner):
    enough = inner * blocks * (blocks + 1) // 2
    for field in (anyk.PrimeField(), smallest_field(enough)):
        scheme = anyk.FoldedGram((blocks, inner, blocks), enough, domain=field)
        assert scheme.guarantee.threshold == enough
        assert enough < inner * blocks**2 + inner - 1 or blocks == inner == 1
        A = data(field, (2 * blocks + 1, 2 * inner + 1))
        with anyk.Inline(enough) as executor:
            value = anyk.run(scheme, np.matmul, A, executor).value
        assert np.array_equal(value, gram(field, A))
        assert np.array_equal(value, value.T)
        if enough > 1:
            code = code_of(scheme)
            rows = code.rows(tuple(range(1, enough)))
            told = np.ascontiguousarray(np.concatenate([rows, code.wanted]))
            assert rank(field, told) > rank(field, rows)


@pytest.mark.parametrize(
    ("partition", "workers"),
    [((1, 1, 1), 3), ((1, 4, 1), 9), ((2, 1, 2), 8), ((2, 2, 2), 12), ((3, 1, 3), 11),
     ((4, 1, 4), 12), ((1, 6, 1), 12), ((2, 3, 2), 12)],
)  # fmt: skip
@pytest.mark.parametrize("small", [False, True])
def test_every_set_of_answers_gives_the_product_and_one_answer_less_raises(
    partition, workers, small
):
    field = smallest_field(workers) if small else FIELD
    scheme = anyk.FoldedGram(partition, workers, domain=field)
    A = data(field, (5, 7))
    encoded, truth, enough = scheme.encode(A), gram(field, A), scheme.enough
    values = answers_of(encoded)
    for who in itertools.combinations(range(workers), enough):
        assert np.array_equal(encoded.decode(values[list(who)], who).value, truth)
    for who in itertools.combinations(range(workers), enough - 1):
        with pytest.raises(anyk.NotEnoughAnswers):
            encoded.recovery(who)


@pytest.mark.parametrize("partition", [(2, 1, 2), (1, 3, 1), (2, 2, 2)])
def test_liars_are_named_and_one_more_is_refused(partition):
    enough = anyk.FoldedGram(partition, 9).enough
    workers = enough + 4
    scheme = anyk.FoldedGram(partition, workers, domain=FIELD, adversaries=2)
    A, rng = data(FIELD, (4, 5)), np.random.default_rng(3)
    encoded, truth = scheme.encode(A), gram(FIELD, A)
    honest = answers_of(encoded)
    for liars in itertools.combinations(range(workers), 2):
        for lie in told(honest[0].shape):
            values = honest.copy()
            values[list(liars)] = (values[list(liars)] + lie) % FIELD.modulus
            recovered = encoded.decode(values, range(workers))
            assert recovered.suspects == liars
            assert np.array_equal(recovered.value, truth)
    for liars in itertools.combinations(range(workers), 3):
        values = honest.copy()
        values[list(liars)] = rng.integers(0, 10007, (3, *honest.shape[1:]))
        with pytest.raises(anyk.TooManyErrors):
            encoded.decode(values, range(workers))


@pytest.mark.parametrize("field", [anyk.PrimeField(), anyk.PrimeField(89)], ids=repr)
def test_many_workers_of_whom_some_lie(field):
    scheme = anyk.FoldedGram((4, 2, 4), 40, domain=field, adversaries=3)
    A, rng = data(field, (9, 5)), np.random.default_rng(6)
    encoded, truth = scheme.encode(A), gram(field, A)
    honest = answers_of(encoded)
    for _ in range(20):
        who = rng.choice(40, scheme.guarantee.threshold, replace=False)
        liars = tuple(sorted(rng.choice(who, 3, replace=False).tolist()))
        values = honest.copy()
        values[list(liars), 0, 1] = (values[list(liars), 0, 1] + 1) % field.modulus
        recovered = encoded.decode(values[who], who)
        assert recovered.suspects == liars
        assert np.array_equal(recovered.value, truth)


def told(shape):
    """Lies that change all, the symmetric part alone, and the other part alone."""
    one = np.zeros(shape, dtype=int)
    one[0, -1] = 1
    return [np.ones(shape, dtype=int), one + one.T] + [one - one.T] * (shape[0] > 1)


def test_each_answer_is_one_of_two():
    """Transposed, an answer is that on the share at 1/x."""
    scheme = anyk.FoldedGram((2, 2, 2), 8, domain=FIELD)
    A = data(FIELD, (4, 6))
    left, right = scheme.encode(A).parts
    for a, b in zip(left, right, strict=True):
        assert np.array_equal(FIELD.matmul(a, b).T, FIELD.matmul(b.T.copy(), a.T.copy()))
    assert left.shape == (8, 2, 3)
    assert right.shape == (8, 3, 2)


def test_late_workers_and_liars_in_a_run():
    scheme = anyk.FoldedGram((3, 1, 3), 10, domain=FIELD, adversaries=1)
    A = data(FIELD, (7, 4))
    with Faulty(anyk.Threads(10), {1: Crash(), 6: Corrupt(modulus=10007)}) as executor:
        outcome = anyk.run(scheme, np.matmul, A, executor)
        held = anyk.distribute(scheme, A, executor).run(np.matmul)
    assert np.array_equal(outcome.value, gram(FIELD, A))
    assert np.array_equal(held.value, gram(FIELD, A))
    assert set(outcome.suspects) <= {6}


def test_reals_come_in_by_a_format():
    A = np.random.default_rng(4).uniform(-1, 1, (5, 6))
    scheme = anyk.FoldedGram((2, 1, 2), 6, adversaries=1)
    for named in ({}, {"degree": 2, "summands": 6}):
        format_ = anyk.FixedPoint(fraction_bits=20, magnitude=1.0, **named)
        with anyk.Inline(6) as executor:
            outcome = anyk.run(scheme, np.matmul, A, executor, embedding=format_)
        assert np.abs(outcome.value - A @ A.T).max() <= outcome.quantisation_error < 1e-4
        assert np.array_equal(outcome.value, outcome.value.T)


def test_what_workers_learn_counts_both_of_their_parts():
    encoded = anyk.FoldedGram((2, 2, 2), 8).encode(np.arange(16).reshape(4, 4))
    amounts = [anyk.leakage(encoded, colluders=each) for each in (1, 2, 3)]
    assert amounts == [2.0, 4.0, 4.0]
    format_ = anyk.FixedPoint(fraction_bits=8, magnitude=1.0, degree=2, summands=2)
    both = Embedded(anyk.FoldedGram((2, 1, 2), 3), format_)
    assert anyk.leakage(both.encode(np.ones((2, 2))), colluders=1) >= 2.0
    assert anyk.leakage_spent(encoded, encoded, colluders=1).amount == 2.0


@pytest.mark.parametrize(
    "build",
    [
        lambda: anyk.FoldedGram((2, 1, 1), 9),
        lambda: anyk.FoldedGram((2, 1, 2), 9, colluders=1),
        lambda: anyk.FoldedGram((2, 1, 2), 9, domain=anyk.Reals()),
        lambda: anyk.FoldedGram((2, 1, 2), 9, domain=anyk.PrimeField(19)),
        lambda: anyk.FoldedGram((1, 1, 1), 1, domain=anyk.PrimeField(2)),
        lambda: anyk.FoldedGram((2, 1, 2), 2),
        lambda: anyk.FoldedGram((2, 1, 2), 9).encode((np.ones((2, 2)), np.ones((2, 3)))),
        lambda: anyk.FoldedGram((2, 1, 2), 9).encode(np.ones(3, int)),
        lambda: anyk.MatMul(partition=(2, 1, 3), gram=True),
        lambda: anyk.MatMul(partition=(2, 1, 2), batch=2, gram=True),
    ],
)
def test_what_makes_no_sense_is_refused(build):
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        build()


def test_the_other_factor_is_not_sent_alone():
    scheme = anyk.FoldedGram((1, 1, 1), 3)
    with anyk.Inline(3) as executor:
        data = anyk.distribute(scheme, np.ones((2, 2), int), executor)
        with pytest.raises(anyk.InvalidArgument, match="one factor of a product"):
            data.matmul(np.ones((2, 2), int))
    alone = scheme.encode_left([[1, 2], [3, 4]])
    with pytest.raises(anyk.InvalidArgument, match="the transpose of A"):
        scheme.encode_right(alone, [[1, 2], [3, 4]])
    assert len(scheme.encode_right(alone, [[1, 3], [2, 4]]).parts) == 2


def test_the_planner_takes_it_for_this_product_alone():
    problem, threat = (
        anyk.MatMul(partition=(2, 2, 2), gram=True),
        anyk.Threat(workers=9, adversaries=1),
    )
    (scheme,) = anyk.schemes_for(problem, threat)
    assert scheme == anyk.FoldedGram((2, 2, 2), 9, adversaries=1)
    plain = anyk.schemes_for(anyk.MatMul(partition=(2, 2, 2)), threat)
    assert not any(isinstance(each, anyk.FoldedGram) for each in plain)


def test_checked_on_arrival_a_liar_costs_one_answer():
    scheme = anyk.FoldedGram((2, 2, 2), 8, domain=FIELD, adversaries=2, verified=True)
    assert scheme.guarantee.threshold == 6 + 2
    A, lying = data(FIELD, (5, 4)), {2: Corrupt(modulus=10007), 5: Corrupt(modulus=10007)}
    with Faulty(anyk.Inline(8), lying) as executor:
        outcome = anyk.run(scheme, np.matmul, A, executor)
    assert np.array_equal(outcome.value, gram(FIELD, A))
    assert outcome.suspects == (2, 5)
