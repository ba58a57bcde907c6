"""The kernel beside Python's integers: every form, at its bounds, in every layout."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyk.domains import kernel
from anyk.domains.integers import is_prime
from anyk.domains.kernel import modular_matmul

LARGEST = 2**31 - 1
FORMS = {"halves": LARGEST, "whole, at its last": 2**25 - 39, "halves, at its first": 2**25 + 35}


def near(number):
    """The primes on both sides of a number."""
    below = next(each for each in range(number - 1, 1, -1) if is_prime(each))
    above = next(each for each in range(number + 1, 2 * number) if is_prime(each))
    return [each for each in (below, above) if each <= LARGEST]


# where a form ends: of 16 terms (2**25), of 8, .., of 1 (2**27), of halves (2**16), of the domain
MODULI = sorted(
    {2, 3, 101, *(each for bits in (16, 24, 25, 26, 27, 30, 31) for each in near(2**bits))}
)


def exact(small, big, modulus):
    return (small.astype(object) @ big.astype(object) % modulus).astype(np.int64)


def extremes(modulus):
    low = (modulus - 1) // 2**16 * 2**16 - 1  # the largest residue whose lower half is full
    return sorted(
        {each % modulus for each in (0, 1, -1, modulus // 2, modulus // 2 + 1, 2**16, low)}
    )


def laid_out(big, layout):
    if layout == "columns":
        return np.asfortranarray(big)
    if layout == "gaps":
        return np.repeat(np.repeat(big, 2, axis=0), 3, axis=1)[::2, ::3]
    if layout == "backwards":
        return np.ascontiguousarray(big[::-1, ::-1])[::-1, ::-1]
    return big.astype(np.uint32) if layout == "uint32" else big


@settings(max_examples=150, deadline=None)
@given(
    modulus=st.sampled_from(MODULI),
    shape=st.tuples(*[st.sampled_from([1, 2, 3, 5, 17, 33, 65, 86])] * 3),
    kind=st.tuples(
        st.sampled_from(["rows", "columns", "gaps", "backwards", "uint32"]),
        st.sampled_from([np.int64, np.uint32]),
    ),
    seed=st.integers(0, 2**32),
    ends=st.floats(0, 1),
)
def test_products_are_those_of_pythons_integers(modulus, shape, kind, seed, ends):
    (rows, inner, columns), (layout, dtype) = shape, kind
    random = np.random.default_rng(seed)

    def drawn(shape):
        some = random.choice(extremes(modulus), shape)
        return np.where(random.random(shape) < ends, some, random.integers(0, modulus, shape))

    small, big = drawn((rows, inner)), drawn((inner, columns))
    product = modular_matmul(small, laid_out(big, layout), modulus, dtype)
    assert product.dtype == dtype
    assert np.array_equal(product, exact(small, big, modulus))


def heaviest(modulus):
    """The largest of some that are positive, centred, as well as times 2**16."""
    some = np.random.default_rng(5).integers(0, modulus // 2 + 1, 100_000)
    times = some * 2**16 % modulus
    return some[np.argmax(np.minimum(some, np.where(times > modulus // 2, -1, times)))]


@pytest.mark.parametrize("modulus", MODULI)
@pytest.mark.parametrize("more", [-1, 0, 1])
def test_sums_of_the_largest_terms_are_exact(modulus, more, monkeypatch):
    """As many terms as a chunk takes, one fewer, one more: each as large as a term can be."""
    monkeypatch.setattr(kernel, "_DEEP", 10**4)
    depths = {kernel._form(inner, modulus)[1] for inner in (2, 1000)}
    for inner in (max(1, depth + more) for depth in depths):
        for each in extremes(modulus):
            small = np.full((3, inner), modulus // 2)
            small[1] = (modulus // 2 + 1) % modulus
            small[2] = heaviest(modulus)
            big = np.full((inner, 3), each)
            big[0] = 1 % modulus  # an odd sum, of which rounding would show
            assert np.array_equal(modular_matmul(small, big, modulus), exact(small, big, modulus))


def test_terms_of_a_chunk_stay_below_the_bound():
    random = np.random.default_rng(1)
    drawn = [
        int(each) for bits in range(2, 32) for each in random.integers(2 ** (bits - 1), 2**bits, 50)
    ]
    for modulus in (*MODULI, *drawn):
        for inner in (1, 5, 16, 85, 10**6):
            halves, depth = kernel._form(inner, modulus)
            assert 1 <= depth <= inner
            both = (2**16 - 1) + (modulus - 1) // 2**16  # a * low + a' * high, of any two halves
            largest = both if halves else modulus - 1
            assert depth * (modulus // 2) * largest + modulus <= 2**53


@pytest.mark.parametrize("modulus", FORMS.values())
def test_beyond_the_bound_products_are_wrong(modulus, monkeypatch):
    """The bound is no caution: sums of four times as many terms are rounded."""
    halves, depth = kernel._form(10**6, modulus)
    inner = 4 * depth
    small = np.full((1, inner), heaviest(modulus))
    big = np.random.default_rng(6).integers(modulus - 2**10, modulus, (inner, 20))
    right = exact(small, big, modulus)
    assert np.array_equal(modular_matmul(small, big, modulus), right)
    monkeypatch.setattr(kernel, "_DEEP", 2 * inner)
    monkeypatch.setattr(kernel, "_form", lambda inner, _: (halves, inner))
    assert not np.array_equal(modular_matmul(small, big, modulus), right)


@pytest.mark.parametrize("modulus", MODULI)
def test_sums_are_reduced_at_every_multiple(modulus):
    most = 2**53 - modulus
    random = np.random.default_rng(2)
    quotients = [most // modulus, 1, 0, *random.integers(0, most // modulus + 1, 200).tolist()]
    near_them = {
        sign * (quotient * modulus) + off
        for quotient in quotients
        for off in (-1, 0, 1)
        for sign in (1, -1)
    }
    values = sorted(each for each in near_them | {most, -most} if abs(each) <= most)
    terms = np.array(values, dtype=np.float64)
    kernel._reduce(terms, modulus, np.empty(len(terms)))
    assert terms.tolist() == [each % modulus for each in values]


@pytest.mark.parametrize("modulus", MODULI)
def test_factors_are_centred(modulus):
    random = np.random.default_rng(3)
    small = np.array([[*extremes(modulus), *random.integers(0, modulus, 200).tolist()]])
    one, both = (
        kernel._factors(small, modulus, 1000, halves=halves)[0, 0] for halves in (False, True)
    )
    for scale, factors in ((1, one), (1, both[:1000]), (2**16, both[1000:])):
        own = factors[: small.size].astype(np.int64)
        assert not factors[small.size :].any()
        assert np.abs(own).max() <= modulus // 2
        assert ((own - small[0].astype(object) * scale) % modulus == 0).all()


@pytest.mark.parametrize(("form", "modulus"), FORMS.items())
@pytest.mark.parametrize(
    "shape", [(1, 3, 9000), (300, 5, 40), (70, 40, 1100), (13, 23, 4500), (2, 700, 30)]
)
def test_blocks_of_rows_columns_and_chunks_join(form, modulus, shape):
    assert kernel._form(1000, modulus)[0] == form.startswith("halves")
    rows, inner, columns = shape
    random = np.random.default_rng(4)
    small = random.integers(0, modulus, (rows, inner))
    big = random.integers(0, modulus, (inner, columns))
    product = modular_matmul(small, big, modulus)
    at = sorted({0, columns - 1, *random.integers(0, columns, 20).tolist()})
    assert np.array_equal(product[:, at], exact(small, big[:, at], modulus))
    assert np.array_equal(modular_matmul(small, np.asfortranarray(big), modulus), product)
    one = np.concatenate([modular_matmul(small, big[:, start : start + 7], modulus)
                          for start in range(0, columns, 7)], axis=1)  # fmt: skip
    assert np.array_equal(one, product)
