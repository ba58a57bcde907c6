"""Reals on schemes over a field: float64 in, float64 out, liars named, modulo many primes."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import anyk
from anyk.faults import Collude, Corrupt, Crash, Delay, Faulty
from anyk.privacy.information import symbols_learned
from anyk.schemes.wrappers.embedded import Embedded

FIXED = anyk.FixedPoint(fraction_bits=8, magnitude=2.0, degree=2, summands=3)
WIDE = replace(FIXED, fraction_bits=30)
SCHEME = anyk.Lagrange(blocks=2, degree=2, workers=9, adversaries=1, colluders=1)
X = np.random.default_rng(0).uniform(-2, 2, (2, 3, 4))


def gram(x):
    return x.T @ x


def weighted(x, w):
    return x @ w


def truth(fixed):
    """Exact, by Python's integers."""
    whole = fixed.integers(X).astype(object)
    scale = 2 ** (2 * fixed.fraction_bits)
    return np.array([[[v / scale for v in row] for row in block.T @ block] for block in whole])


@pytest.fixture(params=["Inline", "Threads", "Simulated"])
def executor(request):
    with getattr(anyk, request.param)(9) as made:
        yield made


@pytest.mark.parametrize(
    ("fixed", "primes"), [(FIXED, 1), (WIDE, 3), (replace(FIXED, primes=5), 5)]
)
def test_float64_in_float64_out(fixed, primes, executor):
    outcome = anyk.run(SCHEME, gram, X, executor, embedding=fixed)
    assert outcome.status is anyk.Status.EXACT
    assert outcome.value.dtype == np.float64
    assert np.array_equal(outcome.value, truth(fixed))
    assert outcome.error_estimate is None
    assert (
        np.abs(outcome.value - np.stack([x.T @ x for x in X])).max() <= outcome.quantisation_error
    )
    assert len(Embedded(SCHEME, fixed).domain.primes) == primes
    assert "rounding  of the inputs: at most" in str(outcome)


def test_across_processes():
    with anyk.Processes(9) as executor:
        with anyk.distribute(SCHEME, X, executor, embedding=WIDE) as data:
            for _ in range(2):
                assert np.array_equal(data.run(gram).value, truth(WIDE))


@pytest.mark.parametrize("fixed", [FIXED, WIDE], ids=["one prime", "three primes"])
def test_a_liar_is_named_and_failures_cost_stragglers(fixed, executor):
    for liar in (0, 3):
        lies = Collude(seed=1, modulus=101)  # residues of every prime
        faulty = Faulty(executor, {liar: lies, 5: Crash(), 7: Delay(0.5)})
        outcome = anyk.run(SCHEME, gram, X, faulty, embedding=fixed)
        assert np.array_equal(outcome.value, truth(fixed))
        assert set(outcome.suspects) == {liar} & set(outcome.used)
        assert 5 in outcome.missing


def lie_modulo(place, worker, answers):
    answers[worker, ..., place] = (answers[worker, ..., place] + 1) % 101


def answers_of(scheme, encoded):
    function = lambda parts: tuple(gram(part) for part in parts)  # noqa: E731 - one line
    ring = scheme.domain
    return np.stack([ring.accept(function(ring.present(share))) for share in encoded.shares])


def test_a_lie_modulo_any_prime_is_seen_and_two_liars_modulo_two_are_too_many():
    scheme = Embedded(SCHEME, WIDE)
    encoded = scheme.encode(X)
    honest = answers_of(scheme, encoded)
    for place in range(3):
        spoiled = honest.copy()
        lie_modulo(place, 4, spoiled)
        recovered = encoded.decode(spoiled, range(9))
        assert recovered.suspects == (4,)
        assert np.array_equal(recovered.value, truth(WIDE))
    spoiled = honest.copy()
    lie_modulo(0, 4, spoiled)
    lie_modulo(1, 6, spoiled)
    with pytest.raises(anyk.TooManyErrors):
        encoded.decode(spoiled, range(9))


def test_too_few_answers_and_too_many_liars_are_told(executor):
    crashes = Faulty(executor, dict.fromkeys(range(4), Crash()))
    with pytest.raises(anyk.NotEnoughAnswers):
        anyk.run(SCHEME, gram, X, crashes, embedding=WIDE)
    tight = replace(SCHEME, workers=7)
    liars = Faulty(executor, {0: Corrupt(modulus=101), 1: Corrupt(modulus=103)})
    with pytest.raises(anyk.TooManyErrors):
        anyk.run(tight, gram, X, liars, embedding=WIDE)


def test_each_prime_has_masks_of_its_own_and_hides_the_data():
    scheme = Embedded(SCHEME, WIDE)
    zeros = scheme.encode(np.zeros((2, 500)))
    encoder = zeros.encoder
    for place, field in enumerate(scheme.domain.fields):
        data, masks = encoder.data[..., place], encoder.masks[..., place]
        alone = [symbols_learned(field, data[[who]], masks[[who]]) for who in range(len(data))]
        assert not any(alone)
        assert symbols_learned(field, data[:2], masks[:2]) > 0
    drawn = [
        zeros.shares[0, :, place]
        * pow(int(encoder.masks[0, 0, place]), -1, field.modulus)
        % field.modulus
        for place, field in enumerate(scheme.domain.fields)
    ]  # shares of zeros are M·masks: divide, and the masks remain
    assert not np.any(drawn[0] == drawn[1])
    assert not np.array_equal(zeros.shares, scheme.encode(np.zeros((2, 500))).shares)


def test_the_shares_are_the_encoder_times_the_data():
    scheme = Embedded(anyk.Lagrange(blocks=2, degree=2, workers=5), WIDE)
    encoded = scheme.encode(X)
    ring = scheme.domain
    product = ring.matmul(encoded.encoder.data, WIDE.embed(X, ring))
    assert np.array_equal(product, encoded.shares)
    answers = answers_of(scheme, encoded)[:3]
    value = ring.matmul(encoded.recovery(range(3)).matrix, answers)
    assert np.array_equal(WIDE.extract(value, ring), truth(WIDE))


def test_arguments_plain_and_encoded(executor):
    weights = anyk.FixedPoint(fraction_bits=25, magnitude=1.0, rounding="stochastic")
    fixed = anyk.FixedPoint(fraction_bits=20, magnitude=2.0, summands=4, factors=(weights,))
    w = np.random.default_rng(1).uniform(-1, 1, 4)
    with anyk.distribute(SCHEME, X, executor, embedding=fixed) as data:
        for _ in range(3):
            grid = weights.quantise(w)
            exact = fixed.quantise(X) @ grid
            plain = data.run(weighted, grid)
            encoded = data.run(weighted, data.encode(np.stack([grid, grid]), weights))
            assert np.allclose(plain.value, exact, rtol=1e-15)
            assert np.array_equal(plain.value, encoded.value)
            assert np.abs(plain.value - X @ w).max() <= plain.quantisation_error
        with pytest.raises(anyk.InvalidArgument, match=r"Pass format.quantise\(values\)"):
            data.run(weighted, weights.integers(grid))
        with pytest.raises(anyk.InvalidArgument, match="one that the budget counts"):
            data.encode(np.stack([w, w]), replace(weights, fraction_bits=3))


def test_replication_over_a_field_and_single_numbers():
    scheme = anyk.Replication(blocks=2, workers=6, adversaries=1, domain=anyk.PrimeField(101))
    fixed = anyk.FixedPoint(fraction_bits=40, magnitude=4.0, degree=3)
    with anyk.Inline(6) as executor:
        faulty = Faulty(executor, {1: Collude(seed=3, modulus=101)})
        outcome = anyk.run(scheme, lambda x: x**3, [1.5, -3.25], faulty, embedding=fixed)
    assert outcome.value.tolist() == [3.375, -34.328125]
    assert outcome.suspects == (1,)


@pytest.mark.parametrize("bits", [8, 25])
@pytest.mark.parametrize(
    "scheme",
    [
        anyk.Harmonic(blocks=2, degree=2),
        anyk.Summed(SCHEME),
        anyk.Summed(anyk.Shamir(blocks=2, degree=2)),
    ],
    ids=["Harmonic", "Lagrange", "Shamir"],
)
def test_a_sum_over_blocks_counts_them_in_the_budget(scheme, bits):
    fixed = anyk.FixedPoint(fraction_bits=bits, magnitude=2.0, degree=2, summands=3)
    full = np.full((2, 3, 4), 2.0)
    with anyk.Inline(9) as executor:
        outcome = anyk.run(scheme, gram, full, executor, embedding=fixed)
        assert np.array_equal(outcome.value, np.full((4, 4), 24.0))
        outcome = anyk.run(scheme, gram, X, executor, embedding=fixed)
    assert np.array_equal(outcome.value, truth(fixed).sum(axis=0))
    assert outcome.quantisation_error > 1.9 * fixed.error
    just = anyk.FixedPoint(fraction_bits=13, magnitude=2.0, degree=2, summands=2, primes=1)
    just.ring()  # one block fits
    with pytest.raises(anyk.Unachievable, match=r"2\*4\*1\*16384\^2"):
        Embedded(scheme, just)


def test_what_does_not_fit_is_refused_before_anything_is_sent(monkeypatch):
    monkeypatch.setattr(anyk.Inline, "place", lambda *_: pytest.fail("something was sent"))
    with anyk.Inline(9) as executor:
        for scheme, fixed, data, message in [
            (SCHEME, replace(WIDE, primes=2), X, r"2·n·c·B\^d < P"),
            (SCHEME, FIXED, 2 * X, "at most magnitude=2.0"),
            (SCHEME, replace(FIXED, degree=3), X, "at most the degree=2"),
            (anyk.Replication(2, 9), FIXED, X, "a scheme over a PrimeField"),
            (
                anyk.Polynomial(partition=(1, 1, 1), workers=9),
                FIXED,
                (X[0], X[0].T),
                "needed: 4, as many products add up",
            ),
            (SCHEME, "fixed", X, "an instance of FixedPoint"),
            (SCHEME, FIXED, X[:1], "2 blocks"),
            (SCHEME, FIXED, np.full((2, 2), np.nan), "nan"),
        ]:
            with pytest.raises(anyk.InvalidArgument, match=message):
                anyk.run(scheme, gram, data, executor, embedding=fixed)


def test_a_format_without_an_embedding_is_refused(executor):
    with anyk.distribute(SCHEME, np.ones((2, 3), int), executor) as data:
        with pytest.raises(anyk.InvalidArgument, match="distributed without one"):
            data.encode(np.ones((2, 3)), FIXED)
        assert data.encode(np.ones((2, 3), int)).shares.shape == (9, 3)


def test_a_function_with_larger_results_than_stated_is_noticed(executor):
    small = replace(FIXED, summands=1)
    full = np.full((2, 3, 4), 2.0)
    with pytest.raises(anyk.InvalidArgument, match="may be 3 times as large"):
        anyk.run(SCHEME, gram, full, executor, embedding=small)
    with pytest.raises(anyk.InvalidArgument, match="other terms than stated"):
        anyk.run(SCHEME, anyk.of_degree(gram, 2), full, executor, embedding=small)


def test_repr_and_pickle_rebuild_it(public_names):
    scheme = Embedded(SCHEME, WIDE)
    assert eval(repr(scheme), {**public_names, "Embedded": Embedded}) == scheme
    assert pickle.loads(pickle.dumps(scheme)) == scheme
    assert scheme.guarantee == SCHEME.guarantee
    assert scheme.problem == SCHEME.problem
