"""The kernel beside Python's integers: every form, at its bounds, in every layout and type."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anyk.domains import compiled
from anyk.domains.integers import is_prime
from anyk.domains.kernel import form as forms
from anyk.domains.kernel import (
    modular_matmul,
    modular_stack,
    operands,
    product,
    reduction,
    thin,
    tiny,
)
from anyk.domains.kernel import stack as stacks
from anyk.domains.kernel.form import limbs_form, wide_form

LARGEST = 2**31 - 1
TYPES = (np.int64, np.uint32, np.uint16, np.uint8)


def near(number):
    """The primes on both sides of a number."""
    below = next(each for each in range(number - 1, 1, -1) if is_prime(each))
    above = next(each for each in range(number + 1, 2 * number) if is_prime(each))
    return [each for each in (below, above) if each <= LARGEST]


# where a form ends: of types (2**8, 2**16), of 1024 terms (2**21), of 64 (2**24), of 16, moved
# (2**25.5), and whole (2**25), of 8, .., of 1 (2**27), of the domain
MODULI = sorted(
    {2, 3, 5, 101}
    | {each for bits in (8, 16, 21, 24, 25, 26, 27, 30, 31) for each in near(2**bits)}
    | set(near(int(2**25.5)))
)


def exact(small, big, modulus):
    return (small.astype(object) @ big.astype(object) % modulus).astype(np.int64)


def extremes(modulus):
    low = (modulus - 1) // 2**16 * 2**16 - 1  # the largest residue whose lower half is full
    return sorted(
        {each % modulus for each in (0, 1, -1, modulus // 2, modulus // 2 + 1, 2**16, low)}
    )


def fitting(modulus):
    return [each for each in TYPES if np.iinfo(each).max >= modulus - 1]


def laid_out(matrix, layout):
    if layout == "columns":
        return np.asfortranarray(matrix)
    if layout == "gaps":
        return np.repeat(np.repeat(matrix, 2, axis=-2), 3, axis=-1)[..., ::2, ::3]
    if layout == "backwards":
        return np.ascontiguousarray(matrix[..., ::-1, ::-1])[..., ::-1, ::-1]
    return matrix


@pytest.fixture(scope="module", autouse=True)
def numpy_alone():
    """Compiled loops, and products of a few numbers, have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tiny, "_TINY", 0)
        patch.setattr(compiled, "product", lambda *_: None)
        patch.setattr(compiled, "stack", lambda *_: None)
        yield


LAYOUTS = st.tuples(*[st.sampled_from(["rows", "columns", "gaps", "backwards"])] * 2)
KINDS = st.tuples(*[st.integers(0, 3)] * 3)


@settings(max_examples=200, deadline=None)
@given(
    modulus=st.sampled_from(MODULI),
    shape=st.tuples(*[st.sampled_from([1, 2, 3, 5, 17, 33, 65, 86, 130])] * 3),
    layouts=LAYOUTS,
    kinds=KINDS,
    drawn=st.tuples(st.integers(0, 2**32), st.floats(0, 1)),
)
def test_products_are_those_of_pythons_integers(modulus, shape, layouts, kinds, drawn):
    (rows, inner, columns), (seed, ends) = shape, drawn
    random = np.random.default_rng(seed)
    one, other, dtype = (fitting(modulus)[each % len(fitting(modulus))] for each in kinds)

    def residues(shape):
        some = random.choice(extremes(modulus), shape)
        return np.where(random.random(shape) < ends, some, random.integers(0, modulus, shape))

    small, big = residues((rows, inner)), residues((inner, columns))
    result = modular_matmul(
        laid_out(small.astype(one), layouts[0]),
        laid_out(big.astype(other), layouts[1]),
        modulus,
        dtype,
    )
    assert result.dtype == dtype
    assert np.array_equal(result, exact(small, big, modulus))


@settings(max_examples=150, deadline=None)
@given(
    modulus=st.sampled_from(MODULI),
    stack=st.sampled_from(
        [((3,), (3,)), ((), (4,)), ((4,), ()), ((2, 3), (3,)), ((2, 1), (1, 3)), ((1,), (2, 2)),
         ((0,), (1,)), ((3, 1, 2), (2, 1))]
    ),
    shape=st.tuples(*[st.sampled_from([1, 2, 3, 5, 17])] * 3),
    layouts=LAYOUTS,
    kinds_and_seed=st.tuples(KINDS, st.integers(0, 2**32)),
)  # fmt: skip
def test_stacks_are_those_of_pythons_integers(modulus, stack, shape, layouts, kinds_and_seed):
    (rows, inner, columns), (kinds, seed) = shape, kinds_and_seed
    inner = 130 if inner == 3 else inner
    random = np.random.default_rng(seed)
    one, other, dtype = (fitting(modulus)[each % len(fitting(modulus))] for each in kinds)
    left = random.choice([*extremes(modulus), modulus - 1], (*stack[0], rows, inner))
    right = random.integers(0, modulus, (*stack[1], inner, columns))
    result = modular_stack(
        laid_out(left.astype(one), layouts[0]),
        laid_out(right.astype(other), layouts[1]),
        modulus,
        dtype,
    )
    assert result.dtype == dtype
    assert np.array_equal(result, exact(left, right, modulus))


def heaviest(modulus, count=100_000):
    """The largest of some that are positive, centred, as well as times 2**16."""
    some = np.random.default_rng(5).integers(0, modulus // 2 + 1, count)
    times = some * 2**16 % modulus
    return some[np.argmax(np.minimum(some, np.where(times > modulus // 2, -1, times)))]


def depths(modulus):
    """As many terms as a sum of each form has at most."""
    wide = wide_form(10**6, modulus, modulus - 1).depth
    limbed = {limbs_form(10**6, modulus, modulus - 1, each).depth for each in (2, 128, 1024)}
    return sorted({wide, *(each for each in limbed if each < 10**4)})


@pytest.mark.parametrize("modulus", MODULI)
@pytest.mark.parametrize("rows", [3, 6])
def test_sums_of_the_largest_terms_are_exact(modulus, rows):
    """As many terms as a sum has, one fewer, one more: each as large as a term can be."""
    for inner in sorted({max(1, depth + more) for depth in depths(modulus) for more in (-1, 0, 1)}):
        for each in [*extremes(modulus)[-2:], modulus // 2, (modulus // 2 + 1) % modulus]:
            small = np.full((rows, inner), modulus // 2)
            small[1] = (modulus // 2 + 1) % modulus
            small[2] = heaviest(modulus)
            big = np.full((inner, 7), each)
            big[0] = 1 % modulus  # an odd sum, of which rounding would show
            right = np.array(  # all columns are alike, and all rows but for one number
                [[(a * 1 + a * each * (inner - 1)) % modulus] * 7 for a in small[:, 0].tolist()]
            )
            for layout in ("rows", "columns"):
                assert np.array_equal(modular_matmul(small, laid_out(big, layout), modulus), right)
            pair = modular_stack(np.stack([small] * 2), np.stack([big] * 2), modulus)
            assert np.array_equal(pair, np.stack([right] * 2))


def test_sums_of_each_form_stay_below_the_bound():
    random = np.random.default_rng(1)
    drawn = [
        int(each) for bits in range(2, 32) for each in random.integers(2 ** (bits - 1), 2**bits, 50)
    ]
    for modulus in (*MODULI, *drawn):
        most = min(modulus - 1, 255)
        for inner in (1, 5, 16, 85, 1500, 10**6):
            for largest in {modulus - 1, most}:
                form = wide_form(inner, modulus, largest)
                assert 1 <= form.depth <= inner
                both = (2**16 - 1) + largest // 2**16  # a * low + a' * high, of any two halves
                term = both if form.halves else max(form.shift, largest - form.shift)
                assert form.depth * (modulus // 2) * term + modulus <= 2**53
                assert form.single == (form.depth == inner and not form.shift)
                below = form.depth * (modulus // 2) * term < 2**51
                assert form.raised == (form.single and below)
                assert form.terms == form.depth * (1 + form.halves) + form.raised
                for enough in (128, 1024):
                    limbs = limbs_form(inner, modulus, largest, enough)
                    assert 1 <= limbs.depth <= inner
                    every = np.array([[0, 1, modulus // 2, (modulus // 2 + 1) % modulus]])
                    digits = operands.digits(every, modulus, limbs)
                    scales = [1 << limbs.bits * place for place in range(limbs.number)]
                    value = sum(s * d for s, d in zip(scales, digits.astype(int), strict=True))
                    assert np.array_equal(value % modulus, every)
                    digit = modulus // 2 if limbs.number == 1 else 1 << (limbs.bits - 1)
                    assert np.abs(digits).max() <= digit
                    assert limbs.depth * digit * largest + modulus <= 2**53
                    assert limbs.depth >= min(inner, enough)  # three limbs always have enough


BEYOND = {
    "halves": (LARGEST, 5),
    "moved": (near(2**24)[0], 5),
    "limbs": (LARGEST, 1),
}


@pytest.mark.parametrize(("modulus", "rows"), BEYOND.values(), ids=BEYOND)
def test_beyond_the_bound_products_are_wrong(modulus, rows, monkeypatch):
    """The bounds are no caution: sums of many times as many terms are rounded."""
    inner = 2**15
    big = np.random.default_rng(6).integers(modulus - 2**10, modulus, (inner, 20))
    small = np.full((rows, inner), heaviest(modulus))
    digit = 2**10 + 2**21 * 2**8  # near half of the largest digits, all of one sign
    small[-1] = (digit + 2**22 * 2**7) % modulus
    right = exact(small[:1], big, modulus)[0], exact(small[-1:], big, modulus)[0]
    result = modular_matmul(small, big, modulus)
    assert np.array_equal(result[0], right[0])
    assert np.array_equal(result[-1], right[1])
    monkeypatch.setattr(forms, "room", lambda _: 2**60)
    monkeypatch.setattr(forms, "_DEEP", 2**20)
    monkeypatch.setattr(product, "wide_form", wide_form.__wrapped__)  # nothing is remembered
    wrong = modular_matmul(small, big, modulus)
    assert not (np.array_equal(wrong[0], right[0]) and np.array_equal(wrong[-1], right[1]))


@pytest.mark.parametrize("modulus", MODULI)
@pytest.mark.parametrize("dtype", TYPES)
def test_sums_are_reduced_at_every_multiple(modulus, dtype):
    if dtype not in fitting(modulus):
        return
    most = reduction.room(modulus)
    random = np.random.default_rng(2)
    quotients = [most // modulus, 1, 0, *random.integers(0, most // modulus + 1, 200).tolist()]
    near_them = {
        sign * (quotient * modulus) + off
        for quotient in quotients
        for off in (-1, 0, 1)
        for sign in (1, -1)
    }
    values = sorted(each for each in near_them | {most, -most} if abs(each) <= most)
    terms, out = np.array(values, dtype=np.float64), np.empty(len(values), dtype)
    reduction.reduce_into(out, terms, modulus)
    assert out.tolist() == [each % modulus for each in values]


def raised(modulus, most, dtype=np.int64):
    """What becomes of sums up to the most, with 1/2 more, beside what is right."""
    last = most // modulus
    drawn = np.random.default_rng(3).integers(0, last + 1, 300).tolist()
    values = sorted(
        {
            sign * (quotient * modulus) + off
            for quotient in (last, last - 1, last // 2 + 1, 1, 0, *drawn)
            for off in (-1, 0, 1)
            for sign in (1, -1)
        }
        | {most, -most}
    )
    values = [each for each in values if abs(each) <= most]
    out = np.empty(len(values), dtype)
    reduction.reduce_into(out, np.array(values, dtype=np.float64) + 0.5, modulus, raised=True)
    return out.tolist(), [each % modulus for each in values]


@pytest.mark.parametrize("modulus", MODULI)
@pytest.mark.parametrize("dtype", TYPES)
def test_sums_with_a_half_are_reduced_at_every_multiple(modulus, dtype):
    if dtype in fitting(modulus):
        made, right = raised(modulus, reduction.raised_room(), dtype)
        assert made == right


def test_above_their_bound_sums_with_a_half_are_reduced_wrongly():
    """Not all: where the float next to 1 / p is off, twice as large ones are too many."""
    wrong = [modulus for modulus in MODULI if len(set(map(tuple, raised(modulus, 2**52 - 1)))) > 1]
    assert wrong


@pytest.mark.parametrize("modulus", MODULI)
def test_sums_are_centred(modulus):
    most = reduction.room(modulus)
    random = np.random.default_rng(2)
    halves = random.integers(0, most // modulus, 300).tolist()
    values = [
        sign * (modulus * each + modulus // 2 + off)
        for each in halves
        for off in (0, 1)
        for sign in (1, -1)
    ]
    values = [each for each in values if abs(each) <= most] + [most, -most]
    sums = np.array(values, dtype=np.float64)
    reduction.centre(sums, modulus)
    assert all(
        (after - before) % modulus == 0
        for before, after in zip(values, sums.astype(int).tolist(), strict=True)
    )
    assert np.abs(sums).max() <= modulus / 2 + 2
    few = np.array([each for each in values if abs(each) < 2**51], dtype=np.float64)
    reduction.centre(few, modulus)
    assert not few.size or np.abs(few).max() <= modulus // 2


@pytest.mark.parametrize("modulus", [LARGEST, near(2**24)[0]])
@pytest.mark.parametrize(
    "shape",
    [(5, 3, 9000), (300, 5, 40), (70, 40, 1100), (13, 23, 4500), (8, 700, 30), (2, 9000, 30),
     (1, 40, 9000), (3, 300, 5000), (1, 70_000, 1), (600, 200, 3), (2, 20_000, 70),
     (3, 32, 20_000)],
)  # fmt: skip
def test_blocks_of_rows_columns_and_chunks_join(modulus, shape):
    rows, inner, columns = shape
    random = np.random.default_rng(4)
    small = random.integers(0, modulus, (rows, inner))
    big = random.integers(0, modulus, (inner, columns))
    result = modular_matmul(small, big, modulus)
    at = sorted({0, columns - 1, *random.integers(0, columns, 5).tolist()})
    of = sorted({0, rows - 1, *random.integers(0, rows, 5).tolist()})
    assert np.array_equal(result[of][:, at], exact(small[of], big[:, at], modulus))
    assert np.array_equal(modular_matmul(small, np.asfortranarray(big), modulus), result)
    assert np.array_equal(modular_matmul(big.T, small.T, modulus).T, result)


def test_totals_of_many_sums_are_reduced_as_they_grow(monkeypatch):
    small, big = np.full((6, 3000), LARGEST // 2), np.full((3000, 6), LARGEST - 1)
    right = exact(small, big, LARGEST)
    for module in (thin, stacks, product.wide):
        monkeypatch.setattr(module, "_MANY", 2)
    monkeypatch.setattr(thin, "_BLOCK", 1)
    monkeypatch.setattr(stacks, "_SMALL", 2**30)
    monkeypatch.setattr(forms, "_DEEP", 4)
    for module in (product, stacks):
        monkeypatch.setattr(module, "wide_form", wide_form.__wrapped__)
    assert np.array_equal(modular_matmul(small, big, LARGEST), right)
    assert np.array_equal(modular_stack(small[None], np.stack([big, big]), LARGEST)[1], right)
    for layout in ("rows", "columns"):
        monkeypatch.setattr(thin, "_NARROW", 1 if layout == "rows" else 64)
        one = modular_matmul(small[:2], laid_out(big, layout), LARGEST)
        assert np.array_equal(one, right[:2])


@pytest.mark.parametrize("modulus", MODULI)
def test_products_of_a_few_numbers(modulus, monkeypatch):
    """Of as many terms as a sum has, one more, and several times as many: the largest there are."""
    monkeypatch.setattr(tiny, "_TINY", 2**20)
    for module in (product, stacks):  # no other form is taken
        monkeypatch.setattr(module, "wide_form", None)
    monkeypatch.setattr(product, "_write_few", None)
    depth = min(tiny.depth_of(modulus), 400)
    for inner in sorted({1, 2, depth, depth + 1, 3 * depth + 2}):
        for each in extremes(modulus):
            small = np.full((3, inner), modulus - 1)
            small[1] = each
            big = np.full((inner, 5), each)
            big[:, 1] = modulus - 1
            big[0, 2] = 1 % modulus
            right = exact(small, big, modulus)
            for one in fitting(modulus):
                pair = small.astype(one), np.asfortranarray(big.astype(one))
                result = modular_matmul(*pair, modulus, one)
                assert result.dtype == one
                assert np.array_equal(result, right)
            stack = modular_stack(np.stack([small] * 2), np.stack([big] * 2)[:, None], modulus)
            assert np.array_equal(stack, np.broadcast_to(right, (2, 2, *right.shape)))


def test_a_sum_of_a_few_numbers_is_as_long_as_it_may_be(monkeypatch):
    for modulus in MODULI:
        terms = tiny.depth_of(modulus)
        assert terms * (modulus - 1) ** 2 < 2**64 <= (terms + 1) * (modulus - 1) ** 2
    monkeypatch.setattr(tiny, "_TINY", 2**13)
    monkeypatch.setattr(tiny, "depth_of", lambda _: 5)
    most = np.full((1, 5), LARGEST - 1)
    assert modular_matmul(most, most.T, LARGEST)[0, 0] != 5  # (-1) * (-1), five times


def test_limbs_of_long_rows_are_made_part_by_part(monkeypatch):
    monkeypatch.setattr(operands, "_PART", 7)
    for modulus in MODULI:
        small, big = (
            np.arange(200).reshape(2, 100) * 2**24 % modulus,
            np.full((100, 3), modulus - 1),
        )
        assert np.array_equal(modular_matmul(small, big, modulus), exact(small, big, modulus))


def test_products_of_nothing():
    assert modular_matmul(np.zeros((3, 0), int), np.zeros((0, 2), int), 7).tolist() == [[0, 0]] * 3
    assert (
        modular_stack(np.zeros((2, 1, 0), int), np.zeros((2, 0, 1), int), 7).tolist() == [[[0]]] * 2
    )


@pytest.mark.parametrize("dtype", [np.int64, np.uint32])
def test_what_a_compiled_loop_made_is_written_where_it_belongs(dtype, monkeypatch):
    """In the product, in the transpose, and in a stack of any axes."""
    random = np.random.default_rng(7)
    small = random.integers(0, LARGEST, (2, 40))
    big = random.integers(0, LARGEST, (40, 60))
    pairs = random.integers(0, LARGEST, (2, 3, 2, 4)), random.integers(0, LARGEST, (2, 3, 4, 5))
    asked = []

    def product_(left, right, modulus, dtype):
        asked.append(left.shape)
        return exact(left, right, modulus).astype(dtype)

    monkeypatch.setattr(compiled, "product", product_)
    monkeypatch.setattr(compiled, "stack", product_)
    right = exact(small, big, LARGEST)
    for pair, needed in (((small, big), right), ((big.T, small.T), right.T)):
        result = modular_matmul(*pair, LARGEST, dtype)
        assert result.dtype == dtype
        assert np.array_equal(result, needed)
    result = modular_stack(*pairs, LARGEST, dtype)
    assert result.dtype == dtype
    assert np.array_equal(result, exact(*pairs, LARGEST))
    assert asked == [(2, 40)] * 2 + [(6, 2, 4)]
