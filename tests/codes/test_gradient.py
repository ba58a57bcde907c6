"""The matrices of gradient codes, and how their decoders amplify rounding."""

import itertools

import numpy as np
import pytest

import anyk
from anyk.codes.analog.gradient import Decoder, gaussian_code, late_sets, trigonometric_code
from anyk.codes.exact.gradient import cyclic_support, decoding_row, evaluation_code

FIELD = anyk.PrimeField(10007)
SIZES = [(n, s) for n in range(1, 10) for s in range(n)]


@pytest.mark.parametrize("make", [trigonometric_code, gaussian_code])
@pytest.mark.parametrize(("workers", "more"), SIZES)
def test_any_n_minus_s_rows_of_a_cyclic_code_combine_to_one(make, workers, more):
    code, held = make(workers, more), cyclic_support(workers, more)
    assert {tuple(each) for each in np.argwhere(code)} == {
        (n, j) for n in range(workers) for j in held[n]
    }
    sets = late_sets(workers, more)
    amplified = Decoder(code, workers - more).amplified(sets)
    for late, told in zip(sets, amplified, strict=True):
        rows = np.delete(code, late, axis=0)
        decoder = Decoder(rows)
        assert np.allclose(decoder.row @ rows, 1.0, atol=1e-11)
        assert not decoder.left_out.any()
        assert np.isclose(decoder.amplification, told, rtol=1e-6)
        found = np.linalg.norm(decoder.row * np.linalg.norm(rows, axis=1)) / np.sqrt(workers)
        assert np.isclose(found, told, rtol=1e-6)


@pytest.mark.parametrize(("workers", "more"), [each for each in SIZES if each[1] + 1 < each[0]])
def test_one_row_fewer_does_not_but_by_symmetry(workers, more):
    few = late_sets(workers, more + 1)
    assert np.isinf(Decoder(gaussian_code(workers, more), workers - more).amplified(few)).all()
    code = trigonometric_code(workers, more)
    finite = np.isfinite(Decoder(code, workers - more).amplified(few))
    assert not finite.all()
    for late, combines in zip(few, finite, strict=True):  # as every other worker with S = 1
        assert combines == (not Decoder(np.delete(code, late, axis=0)).left_out.any())


@pytest.mark.parametrize(("workers", "more"), [(7, 2), (12, 3), (24, 5)])
def test_where_it_was_published_as_real_it_is_that_cyclic_code(workers, more):
    """N + s odd: coefficients of the product of (x - w^i) over the s highest frequencies i."""
    code = trigonometric_code(workers, more)
    first = (workers - more + 1) // 2
    zeros = np.exp(2j * np.pi * np.arange(first, first + more) / workers)
    published = np.poly(zeros)
    assert np.allclose(published.imag, 0.0)
    own = code[np.arange(more + 1) - more, 0]  # of block 0: workers N - s, .., 0
    assert np.allclose(own / own[0], published.real / published[0].real)
    spectrum = np.abs(np.fft.fft(code[:, 0]))
    assert (spectrum < 1e-12).sum() == more
    for block in range(workers):
        assert np.allclose(code[:, block], np.roll(code[:, 0], block))


@pytest.mark.parametrize(("workers", "more"), [(12, 1), (12, 2), (24, 2), (24, 3), (48, 3)])
def test_it_amplifies_less_than_roots_of_unity_and_random_numbers(workers, more):
    """Of the complex code of the same paper, whose zeros are w, .., w^s: neighbours missing."""
    roots = np.exp(2j * np.pi * np.arange(workers) / workers)
    code = np.zeros((workers, workers), complex)
    for block in range(workers):
        zeros = roots[(block + 1 + np.arange(workers - more - 1)) % workers]
        own = (block - np.arange(more + 1)) % workers
        code[own, block] = np.prod(roots[own][:, None] - zeros, axis=1)
    lengths, rows = np.linalg.norm(code, axis=1), code[more:]
    row = np.linalg.lstsq(rows.T, np.ones(workers, complex), rcond=None)[0]
    assert np.allclose(row @ rows, 1.0)
    published = np.linalg.norm(row * lengths[more:]) / np.sqrt(workers)
    ours = Decoder(trigonometric_code(workers, more), workers - more).worst(more)[0]
    random = Decoder(gaussian_code(workers, more), workers - more).worst(more)[0]
    assert ours < published < 1e4
    assert ours < random


def test_the_worst_set_is_found():
    decoder = Decoder(trigonometric_code(10, 3), 7)
    worst, late = decoder.worst(3)
    each = {
        late: Decoder(np.delete(decoder.matrix, late, axis=0), 7).amplification
        for late in itertools.combinations(range(10), 3)
    }
    assert np.isclose(worst, max(each.values()), rtol=1e-9)
    assert np.isclose(each[late], worst, rtol=1e-9)


@pytest.mark.parametrize("workers", [5, 8])
def test_over_a_field_answers_are_values_of_a_polynomial(workers):
    points = np.arange(workers)
    for more in range(workers):
        held = (cyclic_support(workers, more) * 3 + 1) % workers  # any balanced assignment does
        code = evaluation_code(FIELD, points, held)
        assert all(set(np.flatnonzero(r)) == set(h) for r, h in zip(code, held, strict=True))
        for kept in itertools.combinations(range(workers), workers - more):
            row = decoding_row(FIELD, code[list(kept)])
            assert (FIELD.matmul(row[None], code[list(kept)]) == 1).all()
        if more + 1 < workers:
            assert decoding_row(FIELD, code[: workers - more - 1]) is None


def test_what_is_left_out_is_told():
    rows = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 1.0]])[:1]
    assert Decoder(rows).left_out.round(12).tolist() == [0.0, 0.0, 1.0]
