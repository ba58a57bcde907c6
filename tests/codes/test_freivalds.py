import copy
import math
import pickle

import cloudpickle
import numpy as np
import pytest
from scipy.stats import chi2

import anyk
from anyk.codes.checks.field import FieldKeys, rows_enough
from anyk.codes.checks.floats import FloatKeys
from anyk.codes.checks.keys import least_lie, product_keys
from anyk.codes.checks.outliers import explained
from anyk.codes.checks.rounding import LARGEST, SMALLEST, Allowance, held_by_single
from anyk.randomness.entropy import InsecureTestSource

FIELD = anyk.PrimeField()
P = FIELD.modulus


def residues(rng, *shape, modulus=P):
    return rng.integers(0, modulus, shape)


def attacks(rng, C, modulus=P):
    """Lies on a product over a field."""
    entry = np.zeros_like(C)
    entry.flat[rng.integers(C.size)] = 1
    pair = np.zeros_like(C)
    pair[:2, 0] = 1, modulus - 1
    return [
        residues(rng, *C.shape, modulus=modulus), (C + entry) % modulus, (C + pair) % modulus,
        (C + entry * rng.integers(1, modulus)) % modulus, -C % modulus, np.zeros_like(C),
        np.roll(C, 1, axis=0), np.roll(C, 1, axis=1), 2 * C % modulus, (C + 1) % modulus,
    ]  # fmt: skip


@pytest.mark.parametrize("modulus", [P, 10007, 101, 7, 2])
def test_over_a_field_products_pass_and_lies_do_not(modulus):
    rng, field = np.random.default_rng(modulus), anyk.PrimeField(modulus)
    left, right = residues(rng, 4, 6, 9, modulus=modulus), residues(rng, 4, 9, 5, modulus=modulus)
    test = FieldKeys.of(field, left).against(right)
    for share in range(4):
        C = field.matmul(left[share], right[share])
        assert test.passes(share, C)
        for lie in attacks(rng, C, modulus):
            assert test.passes(share, lie) == np.array_equal(lie, C)


def test_so_many_rows_that_a_lie_passes_with_a_chance_of_2_to_minus_61():
    for modulus in (2, 3, 7, 101, 65537, 2**31 - 1):
        rows = rows_enough(modulus)
        assert modulus**rows >= 2**61 > modulus ** (rows - 1)
        keys = FieldKeys.of(anyk.PrimeField(modulus), np.ones((1, 2, 2), int))
        assert keys.rows.shape[1] == rows
        assert keys.escapes <= 2.0**-61
        assert keys.smallest_lie == 0.0


def test_the_rows_are_uniform_and_of_their_own_for_each_share():
    rows = FieldKeys.of(anyk.PrimeField(7), np.zeros((50, 40, 1), int)).rows
    counts = np.bincount(rows.ravel(), minlength=7)
    expected = rows.size / 7
    assert np.abs(counts - expected).max() < 6 * math.sqrt(expected)
    assert len(np.unique(rows, axis=0)) == 50


def test_what_is_foreseen_does_not_help_but_is_a_lie_that_passes():
    left, right = np.ones((1, 3, 2), int), np.ones((1, 2, 2), int)
    keys = FieldKeys.of(FIELD, left, source=InsecureTestSource(1))
    known = keys.rows[0].astype(object)
    error = np.cross(known[0], known[1]) % P  # orthogonal to both rows
    C = FIELD.matmul(left[0], right[0])
    lie = (C + np.array(error, dtype=np.int64)[:, None]) % P
    assert not np.array_equal(lie, C)
    assert keys.against(right).passes(0, lie)
    assert not FieldKeys.of(FIELD, left).against(right).passes(0, lie)


def test_long_sums_of_the_largest_residues_do_not_overflow():
    left, right = np.full((1, 3, 11_008), P - 1), np.full((1, 11_008, 4), P - 1)
    C = np.full((3, 4), 11_008)  # (-1)(-1), as often
    test = FieldKeys.of(FIELD, left).against(right)
    assert test.passes(0, C)
    assert not test.passes(0, C + (np.arange(4) == 2))


@pytest.mark.parametrize("domain", [FIELD, anyk.Reals(), anyk.Complex()], ids=repr)
def test_vectors_and_one_factor_for_all(domain):
    rng = np.random.default_rng(3)
    left = rng.integers(0, 100, (3, 5, 4)).astype(domain.dtype)
    vectors = rng.integers(0, 100, (3, 4)).astype(domain.dtype)
    keys = product_keys(domain, left)
    for share in range(3):
        C = domain.matmul(left[share], vectors[share])
        assert keys.against(vectors).passes(share, C)
        assert not keys.against(vectors).passes(share, C + 1)
        assert not keys.against(vectors).passes(share, C[:, None])
        D = domain.matmul(left[share], vectors[:1].T)
        assert keys.against(vectors[:1].T[None]).passes(share, D)
        assert not keys.against(vectors[:1].T[None]).passes(share, D[::-1])
        assert keys.against(np.broadcast_to(vectors[:1].T, (3, 4, 1))).passes(share, D)


@pytest.mark.parametrize("domain", [FIELD, anyk.Reals(), anyk.Complex()], ids=repr)
def test_what_has_another_shape_or_is_no_number_does_not_pass(domain):
    left, right = np.ones((1, 2, 2), domain.dtype), np.ones((1, 2, 3), domain.dtype)
    test = product_keys(domain, left).against(right)
    C = domain.matmul(left[0], right[0])
    assert test.passes(0, C)
    for wrong in (C[:, :2], C.T, C[None], C.ravel(), C[0], C.astype(object) * 1.5):
        assert not test.passes(0, wrong)
    strange = [P + 2, -1] if domain is FIELD else [np.nan, np.inf, -np.inf, 1e308]
    for number in strange:
        wrong = C.copy()
        wrong[1, 1] = number
        assert not test.passes(0, wrong)


@pytest.mark.parametrize("domain", [FIELD, anyk.Reals(), anyk.Complex()], ids=repr)
def test_a_secret_is_in_no_pickle_and_no_repr_and_never_the_same(domain):
    left = np.ones((2, 3, 4), domain.dtype)
    keys = product_keys(domain, left)
    again = product_keys(domain, left)
    assert not np.array_equal(keys.rows, again.rows)
    for secret in (keys, keys.against(left.swapaxes(1, 2))):
        for copied in (pickle.dumps, cloudpickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError, match="what no worker may know"):
                copied(secret)
        assert "array" not in repr(secret)
        assert len(repr(secret)) < 60


def test_who_sees_which_lies_pass_does_not_learn_the_secret_of_one_factor():
    rng, h = np.random.default_rng(5), 18
    left, x = rng.normal(size=(1, h, 10)), rng.normal(size=10)
    keys, C = FloatKeys.of(left), left[0] @ x
    unit = keys.smallest_lie * (np.linalg.norm(left[0], axis=0) @ np.abs(x))

    def squared(direction):  # 1/r^2, where it fails from r units on, by halving
        low, high = 0.0, 1e3
        for _ in range(22):
            middle = (low + high) / 2
            passed = keys.against(x[None]).passes(0, C + middle * unit * direction)
            low, high = (middle, high) if passed else (low, middle)
        return max(low, 1e-9) ** -2

    axes = np.eye(h)
    gram = np.diag([squared(axis) for axis in axes])
    for i in range(h):
        for j in range(i):
            both = 2 * squared((axes[i] + axes[j]) / math.sqrt(2))
            gram[i, j] = gram[j, i] = (both - gram[i, i] - gram[j, j]) / 2
    for direction in np.linalg.eigh(gram)[1].T:  # with one secret, the first is nearly orthogonal
        assert not keys.against(x[None]).passes(0, C + 2 * unit * direction)


@pytest.mark.parametrize("domain", [anyk.Reals(), anyk.Complex()], ids=repr)
def test_after_a_lie_the_secrets_of_its_share_are_others_and_as_good(domain):
    rng = np.random.default_rng(6)
    left = rng.normal(size=(2, 8, 5)).astype(domain.dtype) * 1e-200
    keys, right = product_keys(domain, left), rng.normal(size=(5, 3)).astype(domain.dtype)
    test, before = keys.against(right[None]), keys.rows
    assert test.passes(0, left[0] @ right)
    assert np.array_equal(keys.rows, before)
    assert not test.passes(0, np.zeros((8, 3), domain.dtype))
    assert not np.isclose(keys.rows[0], before[0]).any()
    assert np.array_equal(keys.rows[1], before[1])
    for share in range(2):
        assert test.passes(share, left[share] @ right)
        assert not test.passes(share, left[share] @ right * (1 + 1e-9))


def test_factors_that_do_not_fit_are_refused():
    for left in (np.ones((2, 3)), np.ones((2, 0, 3))):
        with pytest.raises(anyk.InvalidArgument, match="Stack the left factors"):
            product_keys(anyk.Reals(), left)
    keys = product_keys(anyk.Reals(), np.ones((2, 3, 4)))
    for right in (np.ones(4), np.ones((2, 5)), np.ones((3, 4)), np.ones((2, 1, 4, 4))):
        with pytest.raises(anyk.InvalidArgument, match="Stack the right factors"):
            keys.against(right)


def one_by_one(A, B):
    C = np.zeros((len(A), B.shape[1]), dtype=np.result_type(A, B))
    for k in range(A.shape[1]):
        C += A[:, k : k + 1] * B[k]
    return C


def numbers(rng, rows, inner, columns):
    """Factors on which rounding is of all kinds."""
    a, b = (rows, inner), (inner, columns)
    normal = rng.normal(size=b)
    peak = np.full(b, 5e-8)
    peak[0] = 1.0
    alternate = np.where(np.arange(inner)[:, None] % 2, -0.1, 0.1) * np.ones(b)
    return {
        "normal": (rng.normal(size=a), normal),
        "positive": (rng.random(a), rng.random(b)),
        "equal": (np.full(a, 0.1), np.full(b, 0.7)),
        "absorbing": (np.ones(a), peak),
        "half absorbing": (np.ones(a), np.where(np.arange(columns) % 2, peak, normal)),
        "half equal": (np.full(a, 1 / 3), np.where(np.arange(columns) % 2, 1 / 3, normal)),
        "alternating": (np.full(a, 0.7), np.where(np.arange(columns) % 3, normal, alternate)),
        "half zero": (rng.random(a), np.where(np.arange(columns) % 2, 0.0, normal)),
        "whole": (rng.integers(0, 9, a) + 0.0, rng.integers(0, 9, b) + 0.0),
        "columns apart": (rng.normal(size=a), normal * 10.0 ** rng.uniform(-6, 6, columns)),
        "rows apart": (rng.normal(size=a) * 10.0 ** rng.uniform(-6, 6, (rows, 1)), normal),
        "inner apart": (
            rng.normal(size=a) * 10.0 ** np.linspace(-9, 9, inner),
            normal * 10.0 ** np.linspace(9, -9, inner)[:, None],
        ),
        "cancelling": (
            np.concatenate([rng.random((rows, inner // 2))] * 2, axis=1),
            np.concatenate([normal[: inner // 2], -normal[: inner // 2]]),
        ),
    }


@pytest.mark.parametrize("columns", [80, 3, 1])
@pytest.mark.parametrize("inner", [16, 600])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
def test_no_honest_answer_is_accused(dtype, inner, columns):
    rng = np.random.default_rng(inner + columns)
    wide = np.complex128 if np.dtype(dtype).kind == "c" else np.float64
    turn = np.exp(1j) if wide is np.complex128 else 1.0
    for name, (A, B) in numbers(rng, 12, inner, columns).items():
        A, B = (A * turn).astype(wide), (B / turn**2).astype(wide)  # noqa: PLW2901
        test = FloatKeys.of(A[None], single=np.finfo(dtype).bits == 32).against(B[None])
        for product in (np.matmul, one_by_one, lambda a, b: one_by_one(a[:, ::-1], b[::-1])):
            C = product(A.astype(dtype), B.astype(dtype)).astype(wide)
            assert test.passes(0, C), (name, product)


def lies(rng, B, C):
    """Errors of any size."""
    one = np.zeros_like(C)
    one[2, 0] = 1.0
    equal, opposite = one.copy(), one.copy()
    equal[3, 0], opposite[3, 0] = 1.0, -1.0
    noise = rng.normal(size=C.shape)
    flat = np.linalg.svd(B, full_matrices=False)[0][:, -1]
    return {
        "one entry": one, "two equal": equal, "two opposite": opposite, "everywhere": noise,
        "rank one": noise[:, :1] * noise[:1], "scaled": C, "swapped": np.roll(C, 1, axis=0) - C,
        "nearly unseen": (noise[:, :1] * flat) @ B,
        "most columns": noise * (np.arange(C.shape[1]) % 3 > 0),
    }  # fmt: skip


@pytest.mark.parametrize("columns", [80, 1])
@pytest.mark.parametrize("single", [False, True])
def test_lies_of_the_promised_size_are_found_whatever_their_shape(single, columns):
    rng = np.random.default_rng(7)
    for kind, (A, B) in numbers(rng, 12, 64, columns).items():
        keys = FloatKeys.of(A[None], single=single)
        test, C = keys.against(B[None]), A @ B
        sizes = np.linalg.norm(A, axis=0) @ np.abs(B)
        some = np.where(sizes > 0.0, sizes, 1.0)
        for name, error in lies(rng, B, C).items():
            error = error * (sizes > 0.0)  # noqa: PLW2901
            largest = np.max(np.linalg.norm(error, axis=0) / some)
            if largest < 1e-14:  # of nothing
                continue
            lie = C + error * (1.01 * keys.smallest_lie / largest)
            if single:  # so that it has the room of single precision
                lie = lie.astype(np.float32).astype(float)
                off = np.linalg.norm(lie - C, axis=0) / some
                if off.max() < keys.smallest_lie:
                    continue
            assert not test.passes(0, lie), (kind, name)


def test_a_lie_in_few_columns_is_found_long_before_it_must_be():
    rng = np.random.default_rng(8)
    A, B = rng.normal(size=(40, 2000)), rng.normal(size=(2000, 100))
    keys = FloatKeys.of(A[None], single=True)
    C = (A.astype(np.float32) @ B.astype(np.float32)).astype(float)
    size = np.linalg.norm(A, axis=0) @ np.abs(B[:, 7])
    lie = C + np.outer(rng.normal(size=40) / math.sqrt(40), np.arange(100) == 7) * 1e-5 * size
    assert keys.smallest_lie > 1e-3
    assert not keys.against(B[None]).passes(0, lie.astype(np.float32).astype(float))


def test_a_liar_who_spoils_all_columns_does_not_raise_the_bound():
    rng = np.random.default_rng(9)
    A, B = rng.normal(size=(30, 50)), rng.normal(size=(50, 200))
    keys = FloatKeys.of(A[None])
    sizes = np.linalg.norm(A, axis=0) @ np.abs(B)
    noise = rng.normal(size=(30, 200))
    lie = A @ B + noise / np.linalg.norm(noise, axis=0) * sizes * keys.smallest_lie
    assert not keys.against(B[None]).passes(0, lie)


def test_who_answers_in_single_precision_is_honest_only_where_that_is_said():
    rng = np.random.default_rng(10)
    A, B = rng.normal(size=(30, 50)), rng.normal(size=(50, 60))
    C = (A @ B).astype(np.float32).astype(float)
    assert held_by_single(C)
    assert not FloatKeys.of(A[None]).against(B[None]).passes(0, C)
    assert FloatKeys.of(A[None], single=True).against(B[None]).passes(0, C)
    double = C + 1e-7  # what single precision does not hold was not computed in it
    assert not FloatKeys.of(A[None], single=True).against(B[None]).passes(0, double)


@pytest.mark.parametrize(
    ("a", "b"),
    [(1e150, 1e150), (1e300, 1e-300), (1e-300, 1e300), (1e-150, 1e-150), (1e300, 1.0), (1.0, 1e307),
      (1e-300, 1e-300), (5e-324, 1.0)],
)  # fmt: skip
@pytest.mark.parametrize("columns", [1, 70])
def test_huge_and_tiny_numbers(a, b, columns):
    rng = np.random.default_rng(11)
    A, B = rng.random((5, 8)) * a, rng.random((8, columns)) * b
    test = FloatKeys.of(A[None]).against(B[None])
    C = A @ B
    assert test.passes(0, C)
    largest = max(float(np.abs(C).max()), 1e-300)
    for lie in (C + largest * 0.01, C + (np.arange(columns) == 0) * largest, C + 1e308 * (C < 1)):
        if not np.array_equal(lie, C):
            assert not test.passes(0, np.where(np.isfinite(lie), lie, 1e308))


def test_what_a_host_may_take_for_zero_may_be_missing():
    A, B = np.full((2, 3), 1e-310), np.full((3, 2), 1e300)
    test = FloatKeys.of(A[None]).against(B[None])
    for honest in (A @ B, np.zeros((2, 2))):
        assert test.passes(0, honest)
    assert not test.passes(0, np.full((2, 2), 1e-5))


def test_zeros_stay_zeros():
    A, B = np.zeros((3, 4)), np.ones((4, 2))
    for left, right in ((A, B), (np.ones((3, 4)), np.zeros((4, 2)))):
        test = FloatKeys.of(left[None]).against(right[None])
        assert test.passes(0, np.zeros((3, 2)))
        assert not test.passes(0, np.full((3, 2), 1e-290))


def test_the_chances_are_those_of_the_chi_distribution():
    assert chi2.sf(LARGEST**2, 16) <= 1.05e-13
    assert chi2.cdf(SMALLEST**2, 16) <= 1e-9
    for dtype in (np.float64, np.complex128):
        keys = FloatKeys.of(np.zeros((400, 3, 1), dtype))
        error = np.array([1.0, -2.0, 2.0], dtype) * (1j if dtype is np.complex128 else 1) / 3
        squares = np.sum(np.abs(keys.rows @ error) ** 2, axis=1)
        assert abs(squares.mean() - 16) < 6 * math.sqrt(32 / 400)
        assert abs(squares.var() - 32) < 16


def test_a_lie_passes_as_often_as_that_distribution_says():
    A, b, direction = np.ones((6, 5)), np.ones((1, 5)), np.array([3.0, -1, 0, 0, 2, 1])
    C, passed = np.full(6, 5.0), 0
    for _ in range(500):
        keys = FloatKeys.of(A[None])
        limit = keys.allowance.residuals(np.array([5 * math.sqrt(6)]), single=False)
        lie = direction / np.linalg.norm(direction) * limit / math.sqrt(chi2.median(16))
        passed += keys.against(b).passes(0, C + lie)
    assert 190 < passed < 310


def test_what_is_promised_grows_with_the_numbers_that_add_up_and_is_known_before():
    small, large = (
        Allowance(inner=n, rows=100, complex_=False, single=False).smallest_lie
        for n in (10, 10_000)
    )
    assert 0.0 < small < large < 1e-10
    assert least_lie(anyk.Reals()) < least_lie(anyk.Complex()) < 1e-11
    assert least_lie(anyk.Reals()) < 1e-8 < least_lie(anyk.Reals(), single=True) < 1e-3
    assert FloatKeys.of(np.ones((1, 1000, 1000))).smallest_lie == least_lie(anyk.Reals())


def test_rounding_is_explained_by_the_order_that_brings_it_about():
    left = np.full((3, 5000), 0.1)
    left[:, 0] = 1e5
    column = np.ones((5000, 1))
    forwards = np.cumsum(left.astype(np.float32), axis=1)[:, -1:].astype(float)
    exact = left @ column
    assert np.abs(forwards - exact).max() > 1.0
    assert explained(left, column, forwards, 2.0**-24, np.float32)
    assert not explained(left, column, exact + 100.0, 2.0**-24, np.float32)
    assert not explained(left, column, forwards, 2.0**-53, np.float64)
