"""Every polynomial function of numpy on field elements: values, degrees, bits, bounds, errors."""

import pickle
from fractions import Fraction

import numpy as np
import pytest
from polynomial_calls import CALLS

import anyk
from anyk.domains.extent import Extent

FIELD = anyk.PrimeField()
P = FIELD.modulus
BITS, BOUND = 3, 20


class Line:
    """A polynomial in one variable, by its coefficients: elements on a line through the data."""

    def __init__(self, coefficients):
        self.coefficients = coefficients

    @staticmethod
    def of(other):
        return other.coefficients if isinstance(other, Line) else [int(other)]

    def __add__(self, other):
        a, b = self.coefficients, Line.of(other)
        size = max(len(a), len(b))
        padded = [[*each, *[0] * (size - len(each))] for each in (a, b)]
        return Line([x + y for x, y in zip(*padded, strict=True)])

    __radd__ = __add__

    def __neg__(self):
        return Line([-each for each in self.coefficients])

    def __sub__(self, other):
        return self + -Line(Line.of(other))

    def __rsub__(self, other):
        return -self + other

    def __mul__(self, other):
        a, b = self.coefficients, Line.of(other)
        out = [0] * (len(a) + len(b) - 1)
        for i, x in enumerate(a):
            for j, y in enumerate(b):
                out[i + j] += x * y
        return Line(out)

    __rmul__ = __mul__

    def __pow__(self, exponent):
        out = Line([1])
        for _ in range(exponent):
            out = out * self
        return out

    def conjugate(self):
        return self

    @property
    def degree(self):
        return max((i for i, each in enumerate(self.coefficients) if each), default=-1)


def degree_of(result):
    each = np.vectorize(lambda e: e.degree if isinstance(e, Line) else 0, otypes=[int])
    return max(each(np.asarray(result, dtype=object)).ravel(), default=-1)


def objects(generator, make, shape=(3, 3)):
    out = np.empty(shape, dtype=object)
    for index in np.ndindex(shape):
        out[index] = make(generator)
    return out


@pytest.mark.parametrize("name", CALLS)
def test_values_are_those_of_python_integers(name):
    generator = np.random.default_rng(1)
    a, b = (objects(generator, lambda g: int(g.integers(P))) for _ in range(2))
    right = np.asarray(CALLS[name](a, b), dtype=object)
    for extent in (None, Extent(1)):
        x, y = (anyk.FieldArray(each.astype(np.int64), FIELD, extent) for each in (a, b))
        got = CALLS[name](x, y)
        assert isinstance(got, anyk.FieldArray)
        assert got.shape == right.shape
        assert got._residues.dtype == np.int64
        assert np.array_equal(got._residues, right % P)
        assert (got.extent is None) == (extent is None)
        assert np.array_equal(x._residues, a)  # nobody wrote in the operands
        assert np.array_equal(y._residues, b)


@pytest.mark.parametrize("name", CALLS)
def test_degrees_are_those_of_polynomials(name):
    generator = np.random.default_rng(2)
    a, b = (
        objects(generator, lambda g: Line([int(g.integers(1, 99)), int(g.integers(1, 99))]))
        for _ in range(2)
    )
    right = degree_of(CALLS[name](a, b))
    x, y = (anyk.FieldArray(np.ones((3, 3), dtype=np.int64), FIELD, Extent(1)) for _ in range(2))
    got = CALLS[name](x, y).extent
    assert (got.bits, got.bound, got.error) == (0, None, 0)
    known = "written(x, y)", "x[:0].sum(axis=0)"  # more than there is, never less
    assert got.degree == right or (name in known and right <= got.degree <= right + 2)


@pytest.mark.parametrize("name", CALLS)
def test_fixed_point_is_right_within_bound_and_error(name):
    generator = np.random.default_rng(3)
    unit = 2**BITS
    for trial in range(4):
        largest = (BOUND, BOUND, 1, 3)[trial]
        whole = [
            objects(generator, lambda g, m=largest: Fraction(int(g.integers(-m, m + 1)), unit))
            for _ in range(2)
        ]
        if trial == 1:  # the corners
            whole = [
                np.where(
                    each < 0, each * 0 - Fraction(BOUND, unit), each * 0 + Fraction(BOUND, unit)
                )
                for each in whole
            ]
        true = [
            each + objects(generator, lambda g: Fraction(int(g.integers(-2, 3)), 4 * unit))
            for each in whole
        ]
        shares = [
            anyk.FieldArray(
                (each * unit).astype(object).astype(np.int64) % P,
                FIELD,
                Extent(1, BITS, largest, 1),
            )
            for each in whole
        ]
        got = CALLS[name](*shares)
        right = np.asarray(CALLS[name](*whole), dtype=object)
        meant = np.asarray(CALLS[name](*true), dtype=object)
        extent, scale = got.extent, 2**got.extent.bits
        assert np.array_equal(got._residues, (right * scale) % P)
        for r, t in zip(right.ravel(), meant.ravel(), strict=True):
            assert Fraction(r * scale).denominator == 1
            assert abs(r * scale) <= extent.bound
            assert abs(r - t) * scale * 2 <= extent.error


def test_extents_survive_copies_and_pickles():
    x = anyk.FieldArray(np.array([1, 2]), FIELD, Extent(1, 3, 4, 1))
    for again in (pickle.loads(pickle.dumps(x)), x.copy(), pickle.loads(pickle.dumps(x[:1]))):
        assert again.extent == x.extent
    assert "Extent(degree=1" in repr(x)


SQUARES = [  # calls that give an array of the shape of their operands: they can follow each other
    text
    for text, call in CALLS.items()
    if np.shape(call(*[np.ones((3, 3), dtype=object)] * 2)) == (3, 3)
]


def steps(generator):
    """A program: which call, and which of the two arrays its result replaces."""
    for _ in range(int(generator.integers(2, 6))):
        yield SQUARES[generator.integers(len(SQUARES))], int(generator.integers(2))


@pytest.mark.parametrize("seed", range(300))
def test_random_programs_are_right_and_know_it(seed):
    generator = np.random.default_rng(seed)
    unit, largest = 2**BITS, int(generator.integers(1, 9))
    fixed = bool(generator.integers(2))
    whole = [
        objects(generator, lambda g: Fraction(int(g.integers(-largest, largest + 1)), unit))
        for _ in range(2)
    ]
    true = [
        each + objects(generator, lambda g: Fraction(int(g.integers(-2, 3)), 4 * unit))
        for each in whole
    ]
    lines = [
        objects(generator, lambda g: Line([int(each) for each in g.integers(-9, 9, 2)]))
        for _ in range(2)
    ]
    if not fixed:
        whole = [each * unit for each in whole]
    shares = [
        anyk.FieldArray(
            (each * (unit if fixed else 1)).astype(np.int64) % P,
            FIELD,
            Extent(1, BITS, largest, 1) if fixed else Extent(1),
        )
        for each in whole
    ]
    for text, place in steps(generator):
        got = CALLS[text](*shares)
        if got.extent.degree > 12:
            continue
        shares[place] = got
        for each in (whole, true, lines):
            each[place] = np.asarray(CALLS[text](*each), dtype=object)
    for got, right, meant, line in zip(shares, whole, true, lines, strict=True):
        extent, scale = got.extent, 2**got.extent.bits
        assert np.array_equal(got._residues, (right * scale) % P)
        assert extent.degree >= degree_of(line)
        if fixed:
            assert all(abs(each * scale) <= extent.bound for each in right.ravel())
            gaps = np.abs(right - meant).ravel()
            assert all(each * scale * 2 <= extent.error for each in gaps)
