"""Products of two masked factors: what T workers learn, what T + 1 do, and what noise costs."""

import itertools

import numpy as np
import pytest

import anyk
from anyk.domains.polynomials import vandermonde
from anyk.faults import Corrupt, Crash, Faulty
from anyk.privacy.information import symbols_learned
from anyk.schemes.products.base import code_of

COMPLEX = anyk.Complex()
EXACT = [
    anyk.Polynomial((2, 1, 3), 12, domain=anyk.PrimeField(13), colluders=1),
    anyk.Polynomial((3, 1, 2), 16, domain=anyk.PrimeField(17), colluders=2),
    anyk.Polynomial((2, 1, 2), 14, domain=anyk.PrimeField(101), colluders=3),
    anyk.MatDot((1, 3, 1), 12, domain=anyk.PrimeField(13), colluders=2),
    anyk.MatDot((1, 2, 1), 6, domain=anyk.PrimeField(17), colluders=1, pieces=2),
]


def told(scheme, size):
    """The most symbols that any coalition of a size learns, of A and of B, by ranks."""
    code, pieces = code_of(scheme), scheme.pieces
    most = []
    for encoder in (code.left, code.right):
        each = []
        for who in itertools.combinations(range(scheme.workers), size):
            rows = [worker * pieces + piece for worker in who for piece in range(pieces)]
            each.append(symbols_learned(scheme.domain, encoder.data[rows], encoder.masks[rows]))
        most.append(max(each))
    return most


@pytest.mark.parametrize("scheme", EXACT, ids=lambda each: type(each).__name__)
def test_any_workers_learn_nothing_of_either_factor_and_one_more_does(scheme):
    assert told(scheme, scheme.colluders) == [0, 0]
    assert min(told(scheme, scheme.colluders + 1)) >= 1
    m, p, n = scheme.partition
    A, B = np.ones((2 * m, 2 * p), dtype=int), np.ones((2 * p, 2 * n), dtype=int)
    encoded = scheme.encode((A, B))
    assert anyk.leakage(encoded, colluders=scheme.colluders) == 0.0
    assert anyk.leakage(encoded, colluders=scheme.colluders + 1) >= 1.0
    assert str(anyk.worst_coalition(encoded, colluders=scheme.colluders)).startswith("no ")


def test_no_share_stands_at_the_point_where_masks_vanish():
    for scheme in EXACT:
        assert (code_of(scheme).points > 0).all()
    # at 0 a share would be a block as it is
    assert vandermonde(anyk.PrimeField(13), np.array([0]), 4)[:, 0].tolist() == [1, 0, 0, 0]
    with pytest.raises(anyk.Unachievable, match="at least rN and more = 14"):
        anyk.Polynomial((2, 1, 2), 13, domain=anyk.PrimeField(13), colluders=1)
    anyk.Polynomial((2, 1, 2), 12, domain=anyk.PrimeField(13), colluders=1)
    anyk.Polynomial((2, 1, 2), 13, domain=anyk.PrimeField(13))


def test_shares_of_the_same_factors_are_uniform_and_independent_of_them():
    """All values of one entry of a share come up alike, whatever the factors are."""
    scheme = anyk.MatDot((1, 1, 1), 3, domain=anyk.PrimeField(5), colluders=1)
    for entry in (0, 3):
        A, B = np.full((50, 50), entry), np.full((50, 50), 4)
        for part in scheme.encode((A, B)).parts:
            for share in part:
                seen = np.bincount(share.ravel(), minlength=5) / share.size
                assert np.abs(seen - 0.2).max() < 0.05  # six standard deviations
    first, again = (scheme.encode((A, B)).parts[0][0] for _ in range(2))
    assert not np.array_equal(first, again)


NOISY = [
    anyk.Polynomial((2, 1, 3), 13, domain=COMPLEX, colluders=1, leakage=0.1),
    anyk.Polynomial((2, 1, 2), 11, domain=COMPLEX, colluders=2, leakage=0.02, data_std=3.0),
    anyk.MatDot((1, 3, 1), 11, domain=COMPLEX, colluders=2, leakage=0.1),
    anyk.MatDot((1, 2, 1), 5, domain=COMPLEX, colluders=1, pieces=2, leakage=0.3),
]


@pytest.mark.parametrize("scheme", NOISY, ids=lambda each: type(each).__name__)
def test_no_more_bits_of_either_factor_than_stated(scheme):
    encoded = scheme.encode((np.ones((6, 6)), np.ones((6, 6))))
    worst = anyk.worst_coalition(encoded, colluders=scheme.colluders)
    assert worst.amount == pytest.approx(scheme.guarantee.leakage)
    assert 0.999 * scheme.leakage < scheme.guarantee.leakage <= scheme.leakage
    assert scheme.guarantee.data_std == scheme.data_std
    assert anyk.leakage(encoded, colluders=scheme.colluders + 1) > 5 * scheme.leakage
    assert worst.epsilon(sensitivity=0.1, delta=1e-6) < 5.0


def test_sigma_states_its_leakage():
    def bits(sigma, data_std=1.0):
        scheme = anyk.MatDot(
            (1, 2, 1), 7, domain=COMPLEX, colluders=1, sigma=sigma, data_std=data_std
        )
        return scheme.guarantee.leakage

    assert bits(10.0) == pytest.approx(100 * bits(100.0), rel=0.02)
    assert bits(10.0, 2.0) == pytest.approx(bits(5.0))
    assert bits(10.0) == pytest.approx(np.log2(1 + 2 / 100))  # two blocks of variance 1


def test_more_noise_costs_digits_that_the_estimate_counts():
    rng = np.random.default_rng(1)
    A, B = rng.normal(size=(20, 30)), rng.normal(size=(30, 20))
    for sigma, digits in ((10.0, 12), (1e3, 8), (1e5, 4)):
        scheme = anyk.MatDot((1, 3, 1), 9, domain=COMPLEX, colluders=1, sigma=sigma)
        encoded = scheme.encode((A, B))
        values = np.stack([a @ b for a, b in zip(*encoded.parts, strict=True)])
        found = encoded.decode(values, range(9))
        off = np.linalg.norm(found.value - A @ B) / np.linalg.norm(A @ B)
        assert 0.01 * found.error_estimate < off <= found.error_estimate < 10.0**-digits


def test_no_precision_left_is_refused():
    with pytest.raises(anyk.Unachievable, match=r"tolerance: got 0\.001; needed: rounding"):
        anyk.MatDot((1, 3, 1), 9, domain=COMPLEX, colluders=1, sigma=1e8)
    with pytest.raises(anyk.Unachievable, match=r"tolerance: got 1e-12"):
        anyk.Polynomial((2, 1, 2), 9, domain=COMPLEX, colluders=1, leakage=1e-4, tolerance=1e-12)


@pytest.mark.parametrize(
    "change",
    [
        {},  # neither leakage nor sigma
        {"leakage": 0.1, "sigma": 3.0},
        {"leakage": -1.0},
        {"leakage": 0.1, "colluders": 0},
        {"leakage": 0.1, "domain": anyk.PrimeField()},
        {"sigma": 1.0, "domain": anyk.PrimeField(), "colluders": 0},
        {"leakage": 0.1, "data_std": 0.0},
        {"leakage": 0.1, "tolerance": "small"},
    ],
)
@pytest.mark.parametrize("kind", [anyk.Polynomial, anyk.MatDot])
def test_noise_that_makes_no_sense_is_refused(kind, change):
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        kind(**{"partition": (1, 1, 1), "workers": 5, "domain": COMPLEX, "colluders": 1, **change})


@pytest.mark.parametrize("kind", [anyk.PolyDot, anyk.Entangled])
def test_codes_without_masks_refuse_colluders(kind):
    with pytest.raises(anyk.InvalidArgument, match="colluders: got 1"):
        kind((2, 2, 1), 9, colluders=1)


def test_a_run_with_a_late_worker_and_a_masked_factor_that_stays():
    rng = np.random.default_rng(4)
    A, B = rng.integers(0, 100, (6, 8)), rng.integers(0, 100, (8, 5))
    scheme = anyk.MatDot((1, 2, 1), 7, colluders=1)
    with Faulty(anyk.Threads(7), {2: Crash()}) as executor:
        assert np.array_equal(anyk.run(scheme, np.matmul, (A, B), executor).value, A @ B)
        resident = scheme.encode_left(A)
        both = scheme.encode_right(resident, B), scheme.encode_right(resident, B)
    assert np.array_equal(both[0].parts[0], both[1].parts[0])
    assert not np.array_equal(both[0].parts[1], both[1].parts[1])  # masks of B are fresh


@pytest.mark.parametrize("kind", [anyk.Polynomial, anyk.MatDot])
def test_a_run_under_noise_says_what_it_told(kind):
    rng = np.random.default_rng(6)
    A, B = rng.normal(size=(6, 9)), rng.normal(size=(9, 4))
    partition = (1, 3, 1) if kind is anyk.MatDot else (2, 1, 1)
    scheme = kind(partition, 9, domain=COMPLEX, colluders=1, leakage=0.1)
    with anyk.Inline(9) as executor:
        outcome = anyk.run(scheme, np.matmul, (A, B), executor)
        assert np.allclose(outcome.value, A @ B, rtol=0.0, atol=1e-9)
        with anyk.distribute(scheme, A, executor) as data:
            numbers = data.encoded.parts[0][0].size
            assert "more is learned" not in str(data.leakage_spent)
            for times in (1, 2):
                assert np.allclose(data.matmul(B[:, 0]).value, A @ B[:, 0], rtol=0.0, atol=1e-9)
                assert data.leakage_spent.encodings == times + 1
                assert data.leakage_spent.total > 0.09 * numbers
            data.matmul(20.0 * B)
            assert "not data_std = 1: more is learned" in str(data.leakage_spent)
        with anyk.distribute(scheme, (A, 20.0 * B), executor) as data:
            assert "not data_std = 1: more is learned" in str(data.leakage_spent)


def test_both_factors_count_as_what_is_told_of_one_whether_they_are_sent_at_once_or_not():
    A = np.random.default_rng(7).normal(size=(6, 8))
    scheme = anyk.Polynomial((2, 1, 1), 8, domain=COMPLEX, colluders=1, leakage=0.1)
    with anyk.Inline(8) as executor:
        at_once = anyk.run(scheme, np.matmul, (A, A.T), executor).leak
        with anyk.distribute(scheme, A, executor) as data:
            data.matmul(A.T)
            apart = data.leakage_spent
    assert at_once.encodings == apart.encodings == 2
    assert at_once.total == apart.total
    assert at_once.total == pytest.approx(0.1 * (24 + 48), rel=1e-3)
    assert at_once.epsilon(sensitivity=1.0) == pytest.approx(apart.epsilon(sensitivity=1.0))


def test_reals_by_fixed_point_over_a_masked_field():
    rng = np.random.default_rng(7)
    A, B = rng.uniform(-1.0, 1.0, (5, 6)), rng.uniform(-1.0, 1.0, (6, 3))
    embedding = anyk.FixedPoint(fraction_bits=30, magnitude=1.0, degree=2, summands=6)
    with Faulty(anyk.Threads(8), {1: Crash()}) as executor:
        scheme = anyk.MatDot((1, 2, 1), 8, colluders=1)
        outcome = anyk.run(scheme, np.matmul, (A, B), executor, embedding=embedding)
    assert np.abs(outcome.value - A @ B).max() <= outcome.quantisation_error < 1e-7


@pytest.mark.parametrize("verified", [False, True])
def test_a_liar_under_noise_is_named(verified):
    rng = np.random.default_rng(8)
    A, B = rng.normal(size=(6, 4)), rng.normal(size=(4, 5))
    scheme = anyk.MatDot(
        (1, 2, 1), 9, domain=COMPLEX, colluders=1, leakage=0.1, adversaries=1, verified=verified
    )
    with Faulty(anyk.Threads(9), {4: Corrupt()}) as executor:
        outcome = anyk.run(scheme, np.matmul, (A, B), executor)
    assert set(outcome.suspects) <= {4}
    assert np.linalg.norm(outcome.value - A @ B) <= (outcome.error_estimate * np.linalg.norm(A @ B))
