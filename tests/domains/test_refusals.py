"""What is no polynomial is refused, and what the error says to write instead works."""

import copy
import math
import operator
import pickle

import numpy as np
import pytest
import scipy.sparse

import anyk
from anyk.domains.extent import Extent
from anyk.domains.functions.inside import residues_of

FIELD = anyk.PrimeField()
P = FIELD.modulus
DATA = np.array([[3, -1], [4, 2]])
MASK = np.array([[1, 0], [0, 1]])


def share(bits=None):
    """The data as a share without masks, so that results can be read; in fixed point with bits."""
    extent = Extent(1) if bits is None else Extent(1, bits, 4 << bits, 1)
    return anyk.FieldArray(FIELD.constant(DATA << (bits or 0)), FIELD, extent)


def numbers(result):
    """The numbers that the elements of a result stand for."""
    residues = residues_of(result)
    whole = np.where(residues > P // 2, residues - P, residues)
    return whole / 2 ** (result.extent.bits if result.extent else 0)


def rows(x):
    return np.stack([row.sum() for row in x])


# what is refused, what the error says to write, and what that is of the data
ADVICE = [
    ("np.mean(x)", "x.sum()", "x.sum()"),
    ("x.mean(axis=0)", "x.sum()", "x.sum()"),
    ("np.average(x)", "x.sum()", "x.sum()"),
    ("np.var(x)", "x.size * (x * x).sum() - x.sum()**2", "x.size**2 * x.var()"),
    ("x.std()", "x.size * (x * x).sum() - x.sum()**2", "x.size**2 * x.var()"),
    ("np.linalg.norm(x)", "(x * x).sum()", "np.linalg.norm(x)**2"),
    ("np.sqrt(x)", "(x * x).sum()", "np.linalg.norm(x)**2"),
    ("np.abs(x)", "x * x", "np.abs(x)**2"),
    ("abs(x)", "x * x", "np.abs(x)**2"),
    ("np.maximum(x, 0)", "np.where(mask, x, y)", "np.where(mask, x, y)"),
    ("x > 0", "np.where(mask, x, y)", "np.where(mask, x, y)"),
    ("np.choose([0, 1], x)", "np.where(mask, x, y)", "np.where(mask, x, y)"),
    ("np.where(x, y, 0)", "m * x + (1 - m) * y", "np.where(m, x, y)"),
    ("np.where(x)", "np.where(mask, x, y)", "np.where(mask, x, y)"),
    ("x[x]", "m * x + (1 - m) * y", "np.where(m, x, y)"),
    ("np.float_power(x, 2)", "x**2", "x**2"),
    ("x << k", "x * 2**k", "x << k"),
    ("np.gradient(x)", "np.diff(x)", "np.diff(x)"),
    ("np.meshgrid(x[0], y[0])", "np.broadcast_arrays(x[None, :], y[:, None])[0]", None),
    ("np.fft.fft(x)", "np.convolve", None),
    ("np.nansum(x)", "np.sum", None),
    ("np.add.reduceat(x, [0, 1])", "np.stack([x[:1].sum(), x[1:].sum()])", "x.sum(axis=1)"),
    ("np.apply_along_axis(f, 1, x)", "np.stack([f(row) for row in x])", "x.sum(axis=1)"),
    ("x / 2", "x * x.field.inverse(2)", None),
    ("x // 3", "x * x.field.inverse(3)", None),
    ("np.divide(x, 5)", "x * x.field.inverse(5)", None),
    ("np.floor_divide(x, 5)", "x * x.field.inverse(5)", None),
    ("divmod(x, 5)", "x * x.field.inverse(5)", None),
    ("2 / x", "inverse", None),
    ("x % 2", "inverse", None),
    ("np.array([x, x])", "np.stack", None),
    ("operator.setitem(np.zeros((2, 2)), 0, x)", "np.zeros_like(x)", "x * 0"),
    ("operator.iadd(np.zeros((2, 2), int), x)", "np.zeros_like(x)", "x * 0"),
    ("np.add(x, x, out=np.zeros((2, 2), int))", "np.zeros_like(x)", "x * 0"),
    ("scipy.sparse.csr_array(m) @ x", ".toarray()", None),
    ("np.polynomial.Polynomial(coefficients)(x)", "np.polyval(coefficients, x)",
     "np.polyval(coefficients, x)"),
    ("np.exp(x)", "anyk.Spline", None),
    ("np.sum([x, x])", "np.stack", None),
    ("x ** 2.0", "an int, 2", None),
    ("x ** 0.5", "one integer", None),
    ("x ** -1", "negative", None),
    ("x ** x", "one integer", None),
    ("2 ** x", "exponents", None),
    ("pow(x, 2, 5)", "one integer", None),
    ("np.linalg.matrix_power(x, -1)", "negative", None),
    ("np.linalg.inv(x)", "only polynomials", None),
    ("x == x", "constant mask", None),
    ("bool(x)", "constant mask", None),
    ("2 in x", "constant mask", None),
    ("int(x[0, 0])", "outcome's value", None),
    ("float(x[0, 0])", "outcome's value", None),
    ("round(x[0, 0])", "outcome's value", None),
    ("math.floor(x[0, 0])", "outcome's value", None),
    ("[1, 2, 3][x[0, 0]]", "outcome's value", None),
    ("x.tolist()", "outcome's value", None),
    ("x[0, 0].item()", "outcome's value", None),
    ("x.astype(float)", "Leave it out", None),
    ("x.max()", "constant mask", None),
    ("x.argsort()", "constant mask", None),
    ("x & 1", "x * 2**k", None),
    ("np.take(x, x)", "m * x + (1 - m) * y", None),
    ("np.copyto(x, y)", "x[...] = y", None),
    ("np.add.at(x, [0], y)", "x[i] += y", None),
    ("x.values % 2", "anyk.of_degree(f, d)", None),
]  # fmt: skip


@pytest.mark.parametrize(("wrong", "way", "right"), ADVICE, ids=[row[0] for row in ADVICE])
def test_errors_name_the_polynomial_way_and_it_works(wrong, way, right):
    names = {"np": np, "operator": operator, "math": math, "scipy": scipy, "k": 2, "mask": MASK > 0}
    names |= {"m": MASK, "f": lambda row: row.sum(), "coefficients": [1, 2, 3]}
    with pytest.raises(anyk.NotPolynomial) as caught:
        eval(wrong, names | {"x": share(), "y": share() + 1})
    assert way.removesuffix("[0]") in str(caught.value)
    if right is not None:
        got = eval(way, names | {"x": share(), "y": share() + 1})
        wanted = eval(right, names | {"x": DATA, "y": DATA + 1})
        assert np.allclose(numbers(got), wanted)


@pytest.mark.parametrize("divisor", [2, 3, 1024])
def test_division_in_a_field_is_by_an_inverse(divisor):
    x = share()
    assert np.array_equal(numbers((x * x.field.inverse(divisor)) * divisor), DATA)


def test_division_in_fixed_point():
    x = share(bits=4)
    assert np.array_equal(numbers(x / 4), DATA / 4)
    assert np.array_equal(numbers(x / 2.0 + x), DATA / 2 + DATA)
    for wrong in (lambda: x / 3, lambda: x / 0.3, lambda: x // 3, lambda: x / 0, lambda: x / x):
        with pytest.raises(anyk.NotPolynomial, match=r"x / 1024"):
            wrong()
    assert np.allclose(numbers(x * round(1024 / 3) / 1024), DATA / 3, atol=4e-3)
    wide = x * (1 / 3)
    assert wide.extent.bits == 4 + 54
    assert np.array_equal(residues_of(wide), residues_of(x).astype(object) * int(2**54 / 3) % P)


def test_floats_are_what_they_are_in_fixed_point_alone():
    x = share(bits=4)
    for got, right in (
        (x * 0.5, DATA * 0.5), (x + 0.25, DATA + 0.25), (1.5 - x, 1.5 - DATA),
        (x @ [0.5, -0.125], DATA @ [0.5, -0.125]), (np.array([0.75, 2.0]) * x, DATA * [0.75, 2]),
        (x + np.float32(0.5), DATA + 0.5), (np.stack([x, DATA / 8])[1], DATA / 8),
        (np.full_like(x, 0.5), np.full((2, 2), 0.5)), (x + 0.0, DATA), (x * 0.0 + 1, DATA * 0 + 1),
    ):  # fmt: skip
        assert np.array_equal(numbers(got), right)
    for wrong in (math.nan, math.inf, 1j, "a", None):
        with pytest.raises(anyk.InvalidArgument):
            x + wrong
    with pytest.raises(anyk.InvalidArgument, match="without a fraction"):
        share() + 0.5


def test_large_integers_beside_floats_are_not_rounded():
    x = share(bits=0)
    got = x[0] * [0.5, 2**60 + 1]
    assert residues_of(got).tolist() == [3, -2 * (2**60 + 1) % P]
    assert got.extent.bound == 4 * 2 * (2**60 + 1)


def test_values_of_constants_and_of_arrays_without_an_extent_are_given():
    x = share()
    assert np.zeros_like(x).values.tolist() == (x * 0).values.tolist() == [[0, 0], [0, 0]]
    assert FIELD.array([1, 2]).values.tolist() == [1, 2]
    for same in (x, x + 1, x.copy(), x[0], copy.deepcopy(x), pickle.loads(pickle.dumps(x)), x.T):
        with pytest.raises(anyk.NotPolynomial, match="of_degree"):
            _ = same.values
    with pytest.raises(anyk.NotPolynomial):
        FIELD.array(x)


def test_constants_keep_their_numbers_whatever_the_prime():
    other = anyk.PrimeField(101)
    for field in (FIELD, other):
        x = anyk.FieldArray(np.array([1, 2]), field, Extent(1, 0, 2, 1))
        assert (x * 1000).extent == Extent(1, 0, 2000, 1000)
        assert (x * field.array([field.modulus - 2, 1])).extent.bound == 4
        assert (x @ [3, -4]).extent.bound == 14
        assert (x @ [300, -4]).extent.bound >= 2 * 304


def test_products_in_a_row_add_up_their_degrees():
    x, y = share(), share(bits=10)
    for result, degree in (
        (x * x, 2), (x**3, 3), (x * x * x, 3), (np.linalg.det(np.block([[x, x], [x, x]])), 4),
        (np.prod(x), 4), (np.einsum("ij,jk,kl->il", x, x, x), 3), (np.cumprod(x), 4),
        (y**3, 3), (y @ y @ y, 3), ((y * y) * 2**10, 2), (y + 2**21, 1),
    ):  # fmt: skip
        assert result.extent.degree == degree


def test_in_place_code_changes_what_numpy_would_change():
    def code(x):
        y = x
        y += 1
        view = x[0]
        view *= 2
        x[:, 1] = 5
        x.T[0] -= 1
        y[...] = y + y
        x.reshape(-1)[2] = 7
        kept = +x
        x **= 2
        return x, kept

    for bits in (None, 3):
        for got, right in zip(code(share(bits)), code(DATA.copy()), strict=True):
            assert np.array_equal(numbers(got), right)


def test_only_residues_make_an_array():
    small = anyk.FieldArray(np.array([2**30], dtype=np.int32), FIELD)
    assert (small * small).values == pow(2, 60, P)
    for wrong in ([2**40], [-1], [0.0], ["a"], [None], np.array([P])):
        with pytest.raises(anyk.InvalidArgument, match="residues"):
            anyk.FieldArray(np.asarray(wrong), FIELD)


def test_views_know_what_was_written_in_what_they_view():
    x = share()
    view, row, spread = x[0], x.T[1:], np.broadcast_to(x, (3, 2, 2))
    x *= x
    assert view.extent.degree == row.extent.degree == spread.extent.degree == 2
    other = share(bits=2)
    view = other[0]
    other[1] = other[1] * other[1]  # more fraction bits: all of the array gets them
    assert view.extent.bits == 4
    assert np.array_equal(numbers(other), [[3, -1], [16, 4]])
    assert np.array_equal(numbers(view), [3, -1])
    constants = FIELD.array(np.zeros((2, 2), dtype=int))
    constants[0] = share()[0]
    assert constants.extent.degree == 1
    total, entry = x.sum(), x[0, 0]
    total += 1
    entry -= 1
    assert (numbers(total), numbers(entry)) == ((DATA**2).sum() + 1, 8)
    fancy = x[[0, 1]]
    fancy += 1
    assert np.array_equal(numbers(x), DATA**2)


def test_the_residues_of_constants_are_no_way_round():
    x = share()
    zeros = np.zeros_like(x)
    seen = zeros.values
    with pytest.raises(ValueError, match="read-only"):
        seen[...] = 1  # zeros * x would go on as zeros, of no degree
    zeros[...] = x
    assert not seen.any()
    constants = anyk.FieldArray(seen, FIELD)
    assert not numbers(constants * x).any()


def test_einsum_of_one_array_is_a_view_as_numpys():
    for subscripts in ("ii->i", "ij->ji", "...i->i...", "ij"):
        x, plain = share(), DATA.copy()
        np.einsum(subscripts, x)[...] = 0
        np.einsum(subscripts, plain)[...] = 0
        assert np.array_equal(numbers(x), plain)
    x = share()
    np.einsum("ii->i", x)[...] = x[0] * x[1]
    assert x.extent.degree == 2
    np.einsum("ij->i", x)[...] = 0  # sums are new
    assert numbers(x).any()


def test_what_cannot_be_written_in_says_so():
    x = share()
    with pytest.raises(anyk.InvalidArgument, match=r"x\.copy\(\)"):
        np.broadcast_to(x, (2, 2, 2))[0] = 1
    with pytest.raises(anyk.InvalidArgument, match=r"x = x \+ y"):
        x[0] += x
    with pytest.raises(anyk.NotPolynomial, match="by field elements"):
        x[x] = 1
    frozen = np.array([1, 2])
    frozen.flags.writeable = False
    y = anyk.FieldArray(frozen, FIELD)
    with pytest.raises(anyk.InvalidArgument, match="copy"):
        y += 1


@pytest.mark.parametrize(
    "wrong",
    ["np.sum(x, initial=3)", "np.sum(x, where=[True, False])", "x.sum(dtype=int)", "x.prod(0, int)",
     "np.prod(x, 0, int)", "np.zeros_like(x, dtype=float)", "np.take(x, [0], 0, np.zeros(2))",
     "np.concatenate([x, x], dtype=float)", "np.einsum('ij->j', x, out=x)", "np.stack([])",
     "np.pad(x, 1, mode='mean')", "np.diag(v=x)", "np.convolve(x[0], x[0], 'valid?')",
     "np.convolve(x, x)", "np.cross(x, x)", "np.einsum('ij,jk', x)", "np.einsum('ijk', x)",
     "np.einsum('ij->k', x)", "np.einsum('ij,jk', x, np.ones((3, 3), int))", "np.linalg.det(x[0])",
     "np.einsum('ij->ii', x)", "np.tensordot(x, x[:1], 2)", "np.diff(x, -1)", "x @ x[0, 0]",
     "np.linalg.multi_dot([x])", "np.copy(x, subok=True)", "np.vecdot(x, x, dtype=int)",
     "x + FIELD7", "np.stack([x, FIELD7])", "np.einsum('ij,ij', x, FIELD7)"],
)  # fmt: skip
def test_what_would_change_the_numbers_is_refused(wrong):
    other = anyk.PrimeField(7).array([[1, 2], [3, 4]])
    with pytest.raises((anyk.InvalidArgument, ValueError)):
        eval(wrong, {"np": np, "x": share(), "FIELD7": other})
