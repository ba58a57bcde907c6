"""Lagrange: every pattern where N is small, samples where it is large."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import anyk
from anyk.codes.exact.linear import solve
from anyk.domains.points import require_disjoint
from anyk.privacy.information import symbols_learned

FIELD = anyk.PrimeField()
EVERY_PATTERN_UP_TO = 8  # benchmarks/lagrange_every_pattern.py goes to 12


def schemes(workers):
    """All (K, T, A, d) that this many workers can bear; degree 1 alone where degree is moot."""
    for blocks, colluders, adversaries, degree in itertools.product(
        range(1, workers + 1), range(workers), range(workers // 2 + 1), range(1, workers + 1)
    ):
        needed = (blocks + colluders - 1) * degree + 2 * adversaries + 1
        if needed <= workers and (blocks + colluders > 1 or degree == 1):
            yield anyk.Lagrange(
                blocks=blocks,
                degree=degree,
                workers=workers,
                adversaries=adversaries,
                colluders=colluders,
            )


@pytest.mark.parametrize("workers", range(1, EVERY_PATTERN_UP_TO + 1))
def test_every_pattern_of_stragglers_liars_and_colluders(workers):
    generator = np.random.default_rng(workers)
    for scheme in schemes(workers):
        anyk.testing.check_scheme(scheme, generator=generator, patterns=10**9, encodings=16)


@pytest.mark.parametrize("workers", range(EVERY_PATTERN_UP_TO + 1, 13))
def test_samples_of_patterns_for_every_scheme(workers):
    generator = np.random.default_rng(workers)
    for scheme in schemes(workers):
        anyk.testing.check_scheme(scheme, generator=generator, patterns=3, encodings=16)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_samples_up_to_two_hundred_workers(data):
    blocks = data.draw(st.integers(1, 30))
    colluders = data.draw(st.integers(0, 10))
    degree = data.draw(st.integers(1, 4))
    adversaries = data.draw(st.integers(0, 20))
    stragglers = data.draw(st.integers(0, 20))
    threshold = (blocks + colluders - 1) * degree + 2 * adversaries + 1
    assume(threshold + stragglers <= 200)
    scheme = anyk.Lagrange(
        blocks=blocks, degree=degree, workers=threshold + stragglers, adversaries=adversaries,
        colluders=colluders,
    )  # fmt: skip
    generator = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    anyk.testing.check_scheme(scheme, generator=generator, patterns=2, encodings=16)


def test_a_thousand_workers_of_whom_twenty_lie():
    scheme = anyk.Lagrange(blocks=300, degree=3, workers=1000, adversaries=20, colluders=1)
    generator = np.random.default_rng(0)
    X = generator.integers(0, FIELD.modulus, (300, 7))
    encoded = scheme.encode(X)
    answers = FIELD.power(encoded.shares, 3)
    liars = tuple(sorted(generator.choice(1000, 20, replace=False).tolist()))
    answers[list(liars)] = generator.integers(0, FIELD.modulus, (20, 7))
    recovered = encoded.decode(answers, range(1000))
    assert recovered.suspects == liars
    assert np.array_equal(recovered.value, FIELD.power(X, 3))


@pytest.mark.parametrize("prime", [13, 101, 65537])
def test_small_fields(prime):
    field = anyk.PrimeField(prime)
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=9, adversaries=1, colluders=1, field=field)
    generator = np.random.default_rng(0)
    for length in (1, 2, 500):
        X = generator.integers(0, prime, (2, length))
        encoded = scheme.encode(X)
        answers = field.power(encoded.shares, 2)
        for liar in range(9):
            values = answers.copy()
            values[liar, length // 2] = (values[liar, length // 2] + 1) % prime
            recovered = encoded.decode(values, range(9))
            assert recovered.suspects == (liar,)
            assert np.array_equal(recovered.value, X**2 % prime)


def test_a_field_as_small_as_the_theorem_allows_and_one_smaller():
    anyk.Lagrange(blocks=2, degree=1, workers=4, colluders=1, field=anyk.PrimeField(7))
    with pytest.raises(anyk.Unachievable, match="modulus of at least"):
        anyk.Lagrange(blocks=2, degree=1, workers=5, colluders=1, field=anyk.PrimeField(7))


def test_a_threat_that_cannot_be_met_says_by_how_much():
    with pytest.raises(
        anyk.Unachievable, match=r"\(3\+1-1\)\*2 \+ 2\*1 \+ 1 = 9 <= 8.*Add 1 worker,"
    ):
        anyk.Lagrange(blocks=3, degree=2, workers=8, adversaries=1, colluders=1)


@pytest.mark.parametrize("bad", [0, -1, 1.5, True, "3", None])
def test_parameters_that_are_no_positive_integers_are_refused(bad):
    with pytest.raises(anyk.InvalidArgument, match="blocks"):
        anyk.Lagrange(blocks=bad, degree=1, workers=4)


def test_overlapping_points_are_refused():
    with pytest.raises(anyk.InvalidArgument, match="twice"):
        require_disjoint(anyk.PrimeField(), np.array([0, 1, 2]), np.array([2, 3]))


def test_shares_are_what_the_matrices_say():
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=5, colluders=2)
    field, X = scheme.field, np.array([[1, 2], [3, 4]])
    encoded = scheme.encode(X)
    encoder = encoded.encoder
    noise = field.reduce(encoded.shares - field.matmul(encoder.data, X))
    # what is left is M·masks for some masks: five equations in two unknowns a column agree
    assert solve(field, encoder.masks, noise) is not None


def test_colluders_beyond_the_promise_reconstruct_the_data():
    """The negative test: K + T shares give everything, and T + 1 something."""
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=6, colluders=2)
    X = np.array([7, 8])
    encoded = scheme.encode(X)
    assert encoded.decode(encoded.shares[:4], range(4)).value.tolist() == [7, 8]
    assert [anyk.leakage(encoded, colluders=number) for number in (2, 3)] == [0.0, 1.0]


def test_without_masks_one_worker_learns_a_symbol():
    encoder = anyk.Lagrange(blocks=2, degree=1, workers=3).encode([1, 2]).encoder
    assert symbols_learned(anyk.PrimeField(), encoder.data[:1], encoder.masks[:1]) == 1


def test_every_share_is_uniform_over_the_mask():
    """In a small field: each share takes each value exactly once as the mask varies."""
    field = anyk.PrimeField(13)
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=5, colluders=1, field=field)
    encoder = scheme.encode([3, 4]).encoder
    for row, mask in zip(encoder.data, encoder.masks, strict=True):
        values = {(int(row @ [3, 4]) + int(mask[0]) * z) % 13 for z in range(13)}
        assert values == set(range(13))


def test_spare_answers_are_checked_even_when_no_liar_is_promised():
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=5)
    encoded = scheme.encode([3, 4])
    answers = encoded.shares**2 % FIELD.modulus
    assert encoded.decode(answers, range(5)).value.tolist() == [9, 16]
    answers[2] += 1
    with pytest.raises(anyk.TooManyErrors) as caught:
        encoded.decode(answers, range(5))
    assert caught.value.answered == (0, 1, 2, 3, 4)


def test_answers_may_come_in_any_order():
    scheme = anyk.Lagrange(blocks=3, degree=2, workers=9, adversaries=2)
    encoded = scheme.encode([3, 4, 5])
    order = [8, 1, 5, 0, 7, 2, 6, 3, 4]
    answers = (encoded.shares**2 % FIELD.modulus)[order]
    answers[[0, 5]] = 1
    recovered = encoded.decode(answers, order)
    assert recovered.value.tolist() == [9, 16, 25]
    assert recovered.suspects == (2, 8)


@pytest.mark.parametrize("bad", [-1, FIELD.modulus, 0.5])
def test_answers_outside_the_field_are_refused(bad):
    encoded = anyk.Lagrange(blocks=1, degree=1, workers=1).encode([3])
    with pytest.raises(anyk.InvalidArgument, match="values"):
        encoded.decode(np.array([bad]), [0])


def test_no_mask_is_kept_where_somebody_could_find_it():
    scheme = anyk.Lagrange(blocks=1, degree=1, workers=3, colluders=1)
    encoded = scheme.encode(np.array([[5, 6, 7]]))
    assert encoded.layout is None
    assert "[" not in repr(encoded)


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i2", ">u2", "i4", "u4", "i8", "u8"])
def test_integers_of_any_length_are_encoded_as_long_ones_are(dtype):
    X = np.array([[[1, 0], [100, 3]], [[0, 1], [1, 127]]]).astype(dtype)
    for scheme in (anyk.Lagrange(2, 1, 4), anyk.Shamir(blocks=2, degree=1, workers=6)):
        for each in (X, X.swapaxes(1, 2)):
            encoded = scheme.encode(each)
            workers = range(scheme.guarantee.workers)
            assert (encoded.decode(encoded.shares, workers).value == each.astype(int)).all()
            assert not np.shares_memory(encoded.parts[0], X)


@pytest.mark.parametrize(("dtype", "bad"), [("i1", -1), ("i2", -(2**15)), ("i4", -3), ("u1", 251)])
def test_a_short_integer_that_is_no_residue_is_refused_with_its_place(dtype, bad):
    X = np.array([[1, 2], [3, bad]]).astype(dtype)
    for prime in (251, 2**31 - 1):
        scheme = anyk.Lagrange(2, 1, 3, field=anyk.PrimeField(prime))
        if 0 <= bad < prime:
            assert scheme.encode(X).shares.shape == (3, 2)
            continue
        with pytest.raises(anyk.InvalidArgument, match=rf"got {bad} at index \(1, 1\)"):
            scheme.encode(X)


def test_pictures_of_bytes_are_encoded_without_a_copy_in_long_integers():
    X, scheme = np.ones((4, 500_000), np.uint8), anyk.Lagrange(4, 2, 9)
    tracemalloc.start()
    try:
        shares = scheme.encode(X).parts[0]
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1.3 * shares.nbytes + X.nbytes
