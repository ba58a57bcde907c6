import itertools

import numpy as np
import pytest

import anyk
from anyk.faults import Corrupt, Crash, Faulty

SMALL, LARGE, REALS = anyk.PrimeField(101), anyk.PrimeField(), anyk.Reals()
SIZES = [(1, 1, 1), (1, 3, 4), (3, 5, 8), (2, 2, 5), (4, 7, 7), (5, 10, 12), (6, 7, 10)]


def factors(domain, rows=7, inner=26, columns=(), seed=0):
    rng = np.random.default_rng(seed)
    shapes = ((rows, inner), (inner, *columns))
    if domain is REALS:
        return [rng.standard_normal(shape) for shape in shapes]
    return [rng.integers(0, domain.modulus, shape) for shape in shapes]


def product(domain, A, B):
    if domain is REALS:
        return A @ B
    flint = pytest.importorskip("flint")
    wide = B.reshape(len(B), -1)
    found = flint.nmod_mat(*A.shape, A.ravel().tolist(), domain.modulus) * flint.nmod_mat(
        *wide.shape, wide.ravel().tolist(), domain.modulus
    )
    numbers = np.array([[int(each) for each in row] for row in found.tolist()])
    return numbers.reshape(len(A), *B.shape[1:])


def answers_of(encoded):
    matmul = encoded.scheme.domain.matmul
    return np.stack([matmul(a, b) for a, b in zip(*encoded.parts, strict=True)])


@pytest.mark.parametrize("domain", [SMALL, LARGE, REALS], ids=repr)
@pytest.mark.parametrize(("m", "threshold", "workers"), SIZES)
@pytest.mark.parametrize("columns", [(), (3,)])
def test_every_set_of_answers_gives_the_product_and_one_fewer_none(
    domain, m, threshold, workers, columns
):
    scheme = anyk.ShortDot(partition=(m, 1, 1), workers=workers, domain=domain, threshold=threshold)
    A, B = factors(domain, columns=columns)
    encoded, truth = scheme.encode((A, B)), product(domain, A, B)
    answers = answers_of(encoded)
    for who in itertools.combinations(range(workers), threshold):
        recovered = encoded.decode(answers[list(who)], who)
        if domain.exact:
            assert np.array_equal(recovered.value, truth)
            continue
        off = np.linalg.norm(recovered.value - truth) / np.linalg.norm(truth)
        assert off <= 3.0 * recovered.error_estimate < 1e-10
    for who in itertools.combinations(range(workers), threshold - 1):
        with pytest.raises(anyk.NotEnoughAnswers):
            encoded.recovery(who)


@pytest.mark.parametrize("domain", [LARGE, REALS], ids=repr)
@pytest.mark.parametrize(("m", "threshold", "workers", "inner"), [(3, 5, 8, 40), (10, 18, 20, 100)])
def test_a_worker_receives_the_entries_of_x_that_the_theorem_says(
    domain, m, threshold, workers, inner
):
    scheme = anyk.ShortDot(partition=(m, 1, 1), workers=workers, domain=domain, threshold=threshold)
    left, right = scheme.encode(factors(domain, m, inner)).parts
    length = inner * (workers - threshold + m) // workers
    assert left.shape == (workers, 1, length)
    assert right.shape == (workers, length)
    assert right.nbytes == workers * length * (4 if domain is LARGE else 8)  # as they travel


def test_liars_are_named_over_a_field_and_one_more_is_refused():
    A, B = factors(LARGE)
    scheme = anyk.ShortDot(partition=(2, 1, 1), workers=8, domain=LARGE, threshold=4, adversaries=2)
    encoded, rng = scheme.encode((A, B)), np.random.default_rng(3)
    honest, truth = answers_of(encoded), product(LARGE, A, B)
    for liars in itertools.combinations(range(8), 2):
        values = honest.copy()
        values[list(liars)] = rng.integers(0, LARGE.modulus, (2, honest.shape[1]))
        recovered = encoded.decode(values, range(8))
        assert recovered.suspects == liars
        assert np.array_equal(recovered.value, truth)
    for liars in itertools.combinations(range(8), 3):
        values = honest.copy()
        values[list(liars)] = rng.integers(0, LARGE.modulus, (3, honest.shape[1]))
        with pytest.raises(anyk.TooManyErrors):
            encoded.decode(values, range(8))


def test_estimates_hold_in_at_least_95_of_100_draws():
    rng, within, draws = np.random.default_rng(2026), 0, 1000
    schemes = [
        anyk.ShortDot(partition=(m, 1, 1), workers=workers, domain=REALS, threshold=threshold)
        for m, threshold, workers in ((3, 5, 8), (6, 10, 12), (10, 18, 20), (2, 2, 4))
    ]
    for draw in range(draws):
        scheme = schemes[draw // 10 % len(schemes)]
        if draw % 10 == 0:
            A = rng.standard_normal((20, 60)) - rng.random()
            left = scheme.encode_left(A)
        x = rng.standard_normal(60) * 10.0 ** rng.integers(-3, 4)
        encoded = scheme.encode_right(left, x)
        who = sorted(rng.choice(scheme.workers, scheme.threshold, replace=False).tolist())
        recovered = encoded.decode(answers_of(encoded)[who], who)
        off = np.linalg.norm(recovered.value - A @ x) / np.linalg.norm(A @ x)
        within += off <= recovered.error_estimate
    assert within >= 0.95 * draws


@pytest.mark.parametrize("domain", [LARGE, REALS], ids=repr)
def test_a_matrix_that_stays_on_the_workers_takes_parts_of_vectors(domain):
    liars, lie = (
        ({"adversaries": 1}, {2: Corrupt(modulus=LARGE.modulus)}) if domain.exact else ({}, {})
    )
    scheme = anyk.ShortDot(partition=(2, 1, 1), workers=7, domain=domain, threshold=4, **liars)
    A, _ = factors(domain)
    with (
        Faulty(anyk.Threads(7), {5: Crash(), **lie}) as executor,
        anyk.distribute(scheme, A, executor) as held,
    ):
        for seed in range(3):
            _, x = factors(domain, seed=seed)
            outcome = held.matmul(x)
            assert set(outcome.suspects) <= set(lie)
            assert np.allclose(outcome.value, product(domain, A, x), rtol=1e-9, atol=1e-9)


def test_the_worst_amplification_is_stated():
    sizes = {"partition": (6, 1, 1), "workers": 12, "threshold": 10}
    assert anyk.ShortDot(**sizes).amplification == 1.0
    assert 1.0 < anyk.ShortDot(**sizes, domain=REALS).amplification < 20.0
    sizes = {"partition": (10, 1, 1), "workers": 10, "threshold": 10}
    assert anyk.ShortDot(**sizes, domain=REALS).amplification == pytest.approx(1.0, rel=1e-6)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"threshold": 2}, "threshold: got 2; needed: at least m = 3"),
        ({"threshold": 9}, r"K \+ 2A <= N, that is 9"),
        ({"threshold": 0}, "threshold: got 0"),
        ({"threshold": None}, "threshold: got None"),
        ({"partition": (3, 2, 1)}, r"needed: \(m, 1, 1\)"),
        ({"partition": (3, 1, 2)}, r"needed: \(m, 1, 1\)"),
        ({"adversaries": 2}, r"K \+ 2A <= N"),
        ({"domain": anyk.PrimeField(7)}, "a modulus of at least rN and more = 9"),
        ({"workers": 61, "domain": REALS}, "at most rN = 60 over the reals"),
    ],
)
def test_what_makes_no_sense_is_refused(change, told):
    with pytest.raises(anyk.InvalidArgument, match=told):
        anyk.ShortDot(**{"partition": (3, 1, 1), "workers": 8, "threshold": 5} | change)
