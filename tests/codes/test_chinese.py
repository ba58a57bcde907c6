"""Chinese remainder codes: what is read, which rows are wrong, and how many residues tell that."""

import itertools
import math

import numpy as np
import pytest

from anyk.codes.exact.chinese import ChineseCode, dimension_of
from anyk.domains.balanced import balanced_integers
from anyk.domains.balanced_digits import integers

FEW = (5, 7, 11, 13, 17, 19, 23)
CLOSE = (8388593, 8388587, 8388581, 8388571, 8388547, 8388539, 8388473)


def residues_of(values, primes):
    return np.stack([balanced_integers(np.array(values, object), p) for p in primes]).astype(int)


def read(code, residues, most):
    """The wrong rows and the integers; None where there are too many errors."""
    value = np.zeros(residues.shape[1], dtype=object)

    def write(places, digits, primes):
        value[places] = integers(digits, primes)

    located = code.read(residues, most, write)
    return None if located.exceeded else (located.removed, value.tolist())


@pytest.mark.parametrize(("primes", "bits"), [(FEW, 6), (CLOSE, 63), (CLOSE, 22), (FEW, 4)])
def test_every_pattern_of_wrong_rows_is_found(primes, bits):
    rng = np.random.default_rng(bits)
    for errors in range(4):
        dimension = dimension_of(primes, bits, errors)
        if dimension is None or dimension + 2 * errors > len(primes):
            continue
        code = ChineseCode(primes, bits, dimension)
        edge = (1 << bits) - 1
        values = [edge, -edge, 0, 1, -1, *(int(v) for v in rng.integers(-edge, edge, 20))]
        right = residues_of(values, primes)
        for wrong in itertools.combinations(range(len(primes)), errors):
            told = right.copy()
            for row in wrong:
                told[row] = residues_of(told[row] + rng.integers(1, 4, len(values)), [primes[row]])
            assert read(code, told, errors) == (wrong, values)


@pytest.mark.parametrize("errors", [1, 2])
def test_k_is_what_small_primes_of_different_sizes_need(errors):
    """For every integer and every pattern of errors, where the bound is as large as k allows."""
    bits = max(b for b in range(1, 12) if (dimension_of(FEW, b, errors) or 9) + 2 * errors <= 7)
    code = ChineseCode(FEW, bits, dimension_of(FEW, bits, errors))
    values = list(range(1 - (1 << bits), 1 << bits))
    right = residues_of(values, FEW)
    for wrong in itertools.combinations(range(len(FEW)), errors):
        told = right.copy()
        for row in wrong:
            told[row] = residues_of(told[row] + 1, [FEW[row]])
        assert read(code, told, errors) == (wrong, values)


def test_one_error_more_is_never_read_as_integers_that_fewer_rows_tell():
    rng = np.random.default_rng(1)
    code = ChineseCode(FEW, 4, dimension_of(FEW, 4, 1))
    right = residues_of([3, -7], FEW)
    for wrong in itertools.combinations(range(len(FEW)), 3):
        told = right.copy()
        for row in wrong:
            told[row] = residues_of(told[row] + rng.integers(1, 4, 2), [FEW[row]])
        found = read(code, told, 1)
        if found is not None:
            rows, value = found
            differ = {
                row for row, p in enumerate(FEW) if (residues_of(value, [p])[0] != told[row]).any()
            }
            assert differ == set(rows)
            assert len(rows) <= 1
            assert max(map(abs, value)) < 16


def test_what_is_not_nearest_to_zero_is_wrong_whatever_it_is_modulo_the_prime():
    told = residues_of([3, -7], FEW)
    told[2] += FEW[2]
    code = ChineseCode(FEW, 4, dimension_of(FEW, 4, 1))
    assert read(code, told, 1) == ((2,), [3, -7])
    assert read(code, told, 0) is None


@pytest.mark.parametrize("bits", [0, 3, 20, 100, 1000])
def test_any_k_residues_have_a_product_above_twice_the_bound(bits):
    primes = tuple(p for p in range(3, 2000, 2) if all(p % q for q in range(3, int(p**0.5) + 1)))
    k = dimension_of(primes, bits, 0)
    assert math.prod(primes[:k]) > 2 << bits
    assert k == 1 or math.prod(primes[: k - 1]) <= 2 << bits
    assert dimension_of(primes[:2], 100, 0) is None
