"""What all codes over the reals have in common: exact to rounding from any answers, or refused."""

import dataclasses
import itertools

import numpy as np
import pytest

import anyk
from anyk.codes.analog.circle import circle
from anyk.schemes.placement import scattered

R, C = anyk.Reals(), anyk.Complex()
SCHEMES = [
    anyk.MDS((4, 1, 1), 7, R),
    anyk.MDS((3, 1, 1), 6, C),
    anyk.MDS((3, 1, 1), 11, R),
    anyk.MDS((9, 1, 1), 4, R, pieces=3),
    anyk.Polynomial((2, 1, 3), 8, R),
    anyk.Polynomial((3, 1, 2), 9, C),
    anyk.Polynomial((2, 1, 2), 12, R),
    anyk.Polynomial((4, 1, 2), 5, R, pieces=2),
    anyk.MatDot((1, 3, 1), 7, R),
    anyk.MatDot((1, 4, 1), 4, R, pieces=2),
    anyk.Entangled((2, 2, 2), 11, R),
    anyk.Entangled((2, 3, 1), 5, R, pieces=2),
    anyk.Entangled((1, 2, 3), 9, R),
    anyk.OrthoMatDot((1, 3, 1), 8),
    anyk.OrthoPolynomial((3, 1, 2), 9),
    anyk.Rotation((8, 1, 1), 7),
    anyk.Rotation((4, 1, 4), 9),
    anyk.Rotation((6, 1, 2), 3, pieces=2),
    anyk.Circulant((12, 1, 1), 5),
    anyk.Circulant((14, 1, 1), 7),
]
ENOUGH = [4, 3, 3, 9, 6, 6, 4, 8, 5, 7, 9, 8, 7, 5, 6, 4, 4, 3, 3, 3]


def factors(scheme, rng, *, shape=None):
    m, p, n = scheme.partition
    rows, inner, columns = shape or (2 * m - 1, 3 * p - 1, 2 * n - 1)
    A, B = rng.standard_normal((rows, inner)), rng.standard_normal((inner, columns))
    if isinstance(scheme.domain, anyk.Complex):
        return A + 1j * rng.standard_normal(A.shape), B
    return A, B


def answers_of(encoded):
    return np.stack([a @ b for a, b in zip(*encoded.parts, strict=True)])


def off(value, truth):
    return np.linalg.norm(value - truth) / np.linalg.norm(truth)


@pytest.mark.parametrize(("scheme", "enough"), list(zip(SCHEMES, ENOUGH, strict=True)))
def test_any_answers_are_enough_and_one_less_is_refused(scheme, enough):
    rng = np.random.default_rng(1)
    A, B = factors(scheme, rng)
    encoded = scheme.encode((A, B))
    values, shares = answers_of(encoded), scheme.workers * scheme.pieces
    assert encoded.guarantee.threshold == enough
    within, sets = 0, list(itertools.combinations(range(shares), enough))
    if len(sets) > 250:
        sets = [sets[at] for at in rng.choice(len(sets), 250, replace=False)]
    for who in sets:
        recovered = encoded.decode(values[list(who)], who)
        error = off(recovered.value, A @ B)
        assert error < 1e-9
        assert recovered.error_estimate < 1e-8
        within += error <= recovered.error_estimate
    assert within >= 0.95 * len(sets)
    for who in sets[:20]:
        with pytest.raises(anyk.NotEnoughAnswers):
            encoded.recovery(who[1:])


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
@pytest.mark.parametrize(
    "draw", ["positive", "columns of any scale", "rows of any scale", "float32"]
)
def test_the_error_is_within_its_estimate_which_is_not_silly(scheme, draw):
    rng = np.random.default_rng(2)
    ratios = []
    for _ in range(25):
        A, B = factors(scheme, rng, shape=(11, 40, 6 if scheme.partition[2] > 1 else 3))
        if draw == "positive":
            A, B = np.abs(A), np.abs(B)
        elif draw == "columns of any scale":
            scales = 10.0 ** rng.uniform(-6, 6, 40)
            A, B = A * scales, B / scales[:, None]
        elif draw == "rows of any scale":
            A = A * 10.0 ** rng.uniform(-6, 6, (11, 1))
        else:
            A = A.astype(np.complex64 if np.iscomplexobj(A) else np.float32)
        encoded = scheme.encode((A, B))
        shares = scheme.workers * scheme.pieces
        who = rng.permutation(shares)[: encoded.guarantee.threshold]
        recovered = encoded.decode(answers_of(encoded)[who], who)
        wide = np.clongdouble if np.iscomplexobj(A) else np.longdouble
        error = off(recovered.value, A.astype(wide) @ B.astype(wide))
        ratios.append(recovered.error_estimate / error)
    assert np.mean(np.array(ratios) >= 1.0) >= 0.95
    assert np.median(ratios) < 30


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_spare_answers_make_no_answer_worse(scheme):
    rng = np.random.default_rng(3)
    A, B = factors(scheme, rng)
    encoded = scheme.encode((A, B))
    every = range(scheme.workers * scheme.pieces)
    recovered = encoded.decode(answers_of(encoded), every)
    assert off(recovered.value, A @ B) <= recovered.error_estimate < 1e-12


@pytest.mark.parametrize("scheme", [scheme for scheme in SCHEMES if scheme.partition[2] == 1])
def test_vectors_and_a_factor_that_stays(scheme):
    rng = np.random.default_rng(4)
    A, _ = factors(scheme, rng, shape=(13, 5, 1))
    left = scheme.encode_left(A)
    for _ in range(3):
        x = rng.standard_normal(5)
        encoded = scheme.encode_right(left, x)
        who = list(rng.permutation(scheme.workers * scheme.pieces)[: encoded.guarantee.threshold])
        value = encoded.decode(answers_of(encoded)[who], who).value
        assert value.shape == (13,)
        assert off(value, A @ x) < 1e-9


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_a_product_that_is_zero_is_no_trouble(scheme):
    m, p, n = scheme.partition
    A, B = np.zeros((2 * m, 2 * p)), np.ones((2 * p, 2 * n))
    encoded = scheme.encode((A, B))
    who = range(encoded.guarantee.threshold)
    recovered = encoded.decode(answers_of(encoded)[list(who)], who)
    assert not recovered.value.any()
    assert recovered.error_estimate < 1e-15


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_a_liar_is_named_where_the_threshold_has_room(scheme):
    r = scheme.pieces
    workers = scheme.workers + 2
    lying = dataclasses.replace(scheme, workers=workers, adversaries=1)
    A, B = factors(lying, np.random.default_rng(9))
    encoded = lying.encode((A, B))
    for liar in range(0, workers, 3):
        values = answers_of(encoded)
        values[liar * r : (liar + 1) * r] *= 1.01
        recovered = encoded.decode(values, range(workers * r))
        assert recovered.suspects == (liar,)
        assert off(recovered.value, A @ B) <= recovered.error_estimate < 1e-9


@pytest.mark.parametrize(
    "kind", [anyk.OrthoMatDot, anyk.OrthoPolynomial, anyk.Rotation, anyk.Circulant]
)
def test_codes_of_the_reals_are_of_the_reals(kind):
    with pytest.raises(anyk.InvalidArgument, match="domain: got"):
        kind((1, 1, 1), 4, anyk.PrimeField())


@pytest.mark.parametrize("partition", list(itertools.product((1, 2, 3), repeat=3)))
def test_entangled_codes_of_the_reals_are_as_stable_as_roots_of_unity(partition):
    m, p, n = partition
    enough = p * m * n + p - 1
    scheme = anyk.Entangled(partition, enough + 2, R)
    encoded = scheme.encode(factors(scheme, np.random.default_rng(10)))
    values, rng = answers_of(encoded), np.random.default_rng(11)
    who = list(rng.permutation(enough + 2)[:enough])
    places = scattered(enough + 2)[who]
    roots = np.vander(circle(enough + 2)[places], enough, increasing=True)
    assert encoded.decode(values[who], who).condition == pytest.approx(np.linalg.cond(roots))


def test_a_rack_that_dies_is_no_gap():
    scheme = anyk.Polynomial((5, 1, 5), 30, R)
    A, B = factors(scheme, np.random.default_rng(5))
    encoded = scheme.encode((A, B))
    values = answers_of(encoded)

    def condition(missing):
        who = [share for share in range(30) if share not in missing]
        return encoded.decode(values[who], who).condition

    racks = [condition({(first + at) % 30 for at in range(5)}) for first in range(30)]
    assert max(racks) < 60
    places = np.argsort(np.arange(30) * (np.sqrt(2) - 1) % 1.0, kind="stable")
    gap = {int(share) for share in np.flatnonzero(places < 5)}
    assert condition(gap) > 10 * max(racks)


def test_pieces_of_blocks_come_before_combinations():
    scheme = anyk.MDS((200, 1, 1), 40, R, pieces=6)
    A, x = np.arange(400.0).reshape(200, 2), np.array([1.0, 2.0])
    encoded = scheme.encode((A, x))
    values = answers_of(encoded)
    first = [6 * worker + piece for piece in range(5) for worker in range(40)]
    recovered = encoded.decode(values[first], first)
    assert np.array_equal(recovered.value, A @ x)
    rng = np.random.default_rng(6)
    for _ in range(5):
        done = rng.integers(0, 7, 40)
        while done.sum() < 200:
            done = np.minimum(done + 1, 6)
        who = [6 * worker + piece for worker in range(40) for piece in range(done[worker])]
        recovered = encoded.decode(values[who], who)
        assert off(recovered.value, A @ x) <= recovered.error_estimate < 1e-10


def test_many_spare_pieces_of_a_product_are_stable():
    scheme = anyk.Polynomial((10, 1, 10), 24, R, pieces=5)
    A, B = factors(scheme, np.random.default_rng(7))
    encoded = scheme.encode((A, B))
    values, rng = answers_of(encoded), np.random.default_rng(8)
    for _ in range(20):
        who = list(rng.permutation(120)[:100])
        assert off(encoded.decode(values[who], who).value, A @ B) < 1e-10


def test_pairs_are_pairs():
    for partition in [(3, 1, 1), (2, 1, 3), (3, 1, 2)]:
        with pytest.raises(anyk.InvalidArgument, match=r"partition: .* pairs"):
            anyk.Rotation(partition, 12)


def test_more_workers_make_larger_groups_of_a_circulant_code():
    with pytest.raises(anyk.Unachievable, match="Take 8 workers") as caught:
        anyk.Circulant((50, 1, 1), 5)
    assert "k + 2A <= N, that is 13" in str(caught.value)
    assert anyk.Circulant((50, 1, 1), 8).enough == 5


def test_a_run_over_the_reals_says_its_condition_number():
    A, x = np.arange(12.0).reshape(6, 2), np.array([1.0, -1.0])
    scheme = anyk.MDS((3, 1, 1), 5, R)
    with anyk.faults.Faulty(anyk.Inline(5), {0: anyk.faults.Crash()}) as executor:
        outcome = anyk.run(scheme, np.matmul, (A, x), executor)
    assert outcome.status is anyk.Status.APPROXIMATE
    assert np.allclose(outcome.value, A @ x)
    assert 1.0 <= outcome.condition < 100
    assert "condition" in str(outcome)
