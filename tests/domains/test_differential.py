"""Public arithmetic against Python's integers and fractions, on input of every dtype and layout.

Each case draws its own input from a seed. An answer is the right one, or an error of anyk that is
due; nothing else passes.
"""

import importlib
import math
import operator
import zlib
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import anyk
from anyk.domains.integers import integers_of, is_prime
from anyk.domains.kernel import modular_matmul
from anyk.domains.mixed_radix import nearest_floats, signed_integers
from anyk.domains.points import (
    disjoint_points,
    harmonic_points,
    require_disjoint,
    require_harmonic,
)
from anyk.domains.polynomials import lagrange_matrix, node_weights, vandermonde
from anyk.domains.ring import ResidueRing, further_fields
from anyk.fixed_point.budget import MOST_PRIMES, enough_primes, fits, prime_count
from anyk.fixed_point.rounding import nearest, stochastic, within

TIMES = 120
PRIMES = (2, 3, 7, 101, 251, 65537, 15485863, 2147483629, 2**31 - 1)
EDGES = (0, 1, -1, 2, 2**15, 2**31 - 2, 2**31 - 1, 2**31, 2**40, 2**53, 2**62, 2**63 - 1, 2**63,
         -(2**63), 2**64 - 1, 2**64, -(2**70), 10**30)  # fmt: skip
DTYPES = (np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64, object,
          bool, ">i8", ">u4", np.float64, np.longdouble, "list", "nested", "mixed")  # fmt: skip
SUM_OF_FIELDS, MATRIX = 3, 2


class Draw:
    """Input of one case: the right values as Python's integers, and what anyk is given."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)

    def one(self, among):
        return among[int(self.random.integers(len(among)))]

    def upto(self, most):
        return int(self.random.integers(most + 1))

    def prime(self, *, odd=False):
        return self.one(PRIMES[1:] if odd else PRIMES)

    def field(self):
        return anyk.PrimeField(self.prime())

    def ring(self):
        primes = self.random.permutation(len(PRIMES) - 1)[: 1 + self.upto(SUM_OF_FIELDS)] + 1
        return ResidueRing(tuple(anyk.PrimeField(PRIMES[place]) for place in primes))

    def shape(self, most=3):
        return tuple(self.upto(4) for _ in range(self.upto(most)))

    def integer(self, bits=70):
        if self.upto(3) == 0:
            return self.one(EDGES)
        size = self.upto(bits)
        return int.from_bytes(self.random.bytes(10)) % 2**size * self.one((1, -1))

    def residue(self, prime):
        return self.one((0, 1 % prime, prime - 1, prime // 2, self.integer() % prime))

    def array(self, shape, entry):
        """The exact values, an object ndarray."""
        array = np.empty(shape, dtype=object)
        for index in np.ndindex(shape):
            array[index] = entry()
        return array

    def disguised(self, exact, field=None):
        """The same integers in a dtype that holds them, and in some layout."""
        dtype = self.one(DTYPES)
        if dtype in ("list", "nested") and not exact.size:  # a list has no shape of its own
            return exact.astype(float)
        if dtype == "list" or (dtype == "nested" and exact.ndim < MATRIX):
            return exact.tolist()
        if dtype == "nested":
            return [self.laid_out(block) for block in exact]
        if dtype == "mixed":
            return np.array([_numpys(each) for each in exact.flat], dtype=object).reshape(
                exact.shape
            )
        if field is not None and self.upto(4) == 0 and _within(exact, 0, field.modulus - 1):
            return field.array(exact)
        return self.laid_out(exact.astype(dtype if _holds(dtype, exact) else object))

    def laid_out(self, array):
        """The same array elsewhere in memory: by columns, with gaps, backwards, read-only."""
        way = self.upto(4)
        if way == 0 and array.ndim:
            return np.asfortranarray(array)
        if way == 1 and array.ndim:
            wide = np.repeat(array, 2, axis=-1)
            wide[..., 1::2] = 1
            return wide[..., ::2]
        if way == 2 and array.ndim:
            return np.flip(np.flip(array, 0).copy(), 0)
        array = array.copy()
        array.flags.writeable = way != 3
        return array


def _numpys(value):
    """A Python integer as a scalar of numpy, where there is one that holds it."""
    if -(2**63) <= value < 2**63:
        return np.int64(value) if value % 2 else value
    return np.uint64(value) if 0 <= value < 2**64 else value


def _within(exact, least, most):
    return all(least <= value <= most for value in exact.flat)


def _holds(dtype, exact):
    kind = np.dtype(dtype)
    if kind.kind == "O":
        return True
    if kind.kind == "b":
        return _within(exact, 0, 1)
    if kind.kind == "f":
        return _within(exact, 1 - 2**53, 2**53 - 1)
    return _within(exact, np.iinfo(kind).min, np.iinfo(kind).max)


def same(got, right):
    """Whether an array has these residues, as int64, and their shape."""
    got = np.asarray(got)
    right = np.asarray(right)
    assert got.dtype == np.int64
    assert got.shape == right.shape
    assert got.tolist() == right.tolist()


def raises(error, function, *arguments, **named):
    with pytest.raises(error):
        function(*arguments, **named)


# Fields


def case_residues(draw):
    field = draw.field()
    exact = draw.array(draw.shape(), draw.integer)
    given = draw.disguised(exact, field)
    right = np.asarray(exact % field.modulus, dtype=object)
    same(field.residues(given), right)
    if not isinstance(given, anyk.FieldArray):
        constant, reduced = field.constant(given), field.reduce(given)
        same(constant, right)
        same(reduced, right)
        for made in (constant, reduced):
            assert not np.may_share_memory(made, np.asarray(given))
    same(field.accept(given), right)


def case_integers_of(draw):
    exact = draw.array(draw.shape(), draw.integer)
    got = integers_of(draw.disguised(exact), "x")
    assert got.shape == exact.shape
    assert got.tolist() == exact.tolist()


def case_validate(draw):
    field = draw.field()
    entry = draw.integer if draw.upto(2) == 0 else lambda: draw.residue(field.modulus)
    exact = draw.array(draw.shape(), entry)
    given = draw.disguised(exact, field)
    if not _within(exact, 0, field.modulus - 1):
        raises(anyk.InvalidArgument, field.validate, given, "x")
        raises(anyk.InvalidArgument, field.array, given)
        return
    same(field.validate(given, "x"), exact)
    array = field.array(given)
    same(array.values, exact)
    if not isinstance(given, anyk.FieldArray):
        assert not np.may_share_memory(array.values, np.asarray(given))
        same(field.present(field.validate(given, "x")).values, exact)


def case_fractions_are_no_integers(draw):
    field = draw.field()
    exact = draw.array((1 + draw.upto(3),), lambda: draw.integer(40))
    exact[draw.upto(len(exact) - 1)] = draw.one((0.5, math.nan, math.inf, 2.0**53, -(2.0**60)))
    for given in (exact.astype(float), [float(each) for each in exact]):
        for function in (field.residues, field.constant, field.array, field.inverse, field.accept):
            raises(anyk.InvalidArgument, function, given)
        raises(anyk.InvalidArgument, field.matmul, given, given)
        raises(anyk.InvalidArgument, field.power, given, 2)


def case_power(draw):
    field = draw.field()
    p = field.modulus
    exponent = draw.one((0, 1, 2, 3, p - 1, -1, -2, draw.upto(2**40), -draw.upto(100), 10**40))
    exact = draw.array(draw.shape(), draw.integer)
    given = draw.disguised(exact)
    if exponent < 0 and any(value % p == 0 for value in exact.flat):
        raises(anyk.InvalidArgument, field.power, given, exponent)
        return
    right = [pow(value, exponent, p) for value in exact.flat]
    got = field.power(
        given, draw.one((exponent, np.array(exponent) if abs(exponent) < 2**63 else exponent))
    )
    if isinstance(given, int):
        assert (type(got), got) == (int, right[0])
    else:
        same(got, np.array(right, dtype=object).reshape(exact.shape))
    if exponent >= 0:
        x = field.array(exact % p)
        same(field.power(x, exponent).values, np.reshape(right, exact.shape))


def case_inverse(draw):
    field = draw.field()
    p = field.modulus
    exact = draw.array((draw.upto(300),) if draw.upto(3) == 0 else draw.shape(), draw.integer)
    given = draw.disguised(exact)
    if any(value % p == 0 for value in exact.flat):
        raises(anyk.InvalidArgument, field.inverse, given)
        return
    right = [pow(value, -1, p) for value in exact.flat]
    got = field.inverse(given)
    if isinstance(given, int):
        assert (type(got), got) == (int, right[0])
    else:
        same(got, np.array(right, dtype=object).reshape(exact.shape))
    if exact.size:
        twice = field.array([2 % p * right[0] % p]) * field.inverse(2) if p > 2 else None
        assert twice is None or twice.values.tolist() == [right[0]]


def case_matmul(draw):
    field = draw.field()
    inner = draw.one((0, 1, 2, 3, 63, 64, 65, 130))
    rows, columns = draw.shape(2), draw.shape(2)
    few = inner > 3
    left = draw.array((*rows[: 1 if few else 2], inner), draw.integer)
    right = draw.array((inner, *columns[: 1 if few else 2]), draw.integer)
    own = field if inner else None
    a, b = draw.disguised(left, own), draw.disguised(right, own)
    product = field.matmul(a, b)
    arrays = isinstance(a, anyk.FieldArray) or isinstance(b, anyk.FieldArray)
    assert arrays == isinstance(product, anyk.FieldArray)
    exact = _product(left, right)
    same(product.values if arrays else product, exact % field.modulus)
    if not arrays:
        shapes = (math.prod(left.shape[:-1]), inner), (inner, math.prod(right.shape[1:]))
        few, many = (
            np.reshape(field.residues(each), shape)
            for each, shape in zip((a, b), shapes, strict=True)
        )
        kernel = modular_matmul(few, many, field.modulus)
        assert kernel.ravel().tolist() == np.ravel(exact % field.modulus).tolist()


def _product(left, right):
    """tensordot of Python's integers; numpy's of objects has no empty sums."""
    out = np.zeros(left.shape[:-1] + right.shape[1:], dtype=object)
    for index in range(left.shape[-1]):
        out = out + np.multiply.outer(left[..., index], right[index])
    return np.asarray(out, dtype=object)


def case_matmul_of_shapes_that_do_not_fit(draw):
    domain = draw.one((draw.field(), anyk.Reals(), anyk.Complex()))
    left, right = draw.shape(), draw.shape()
    if left and right and left[-1] == right[0]:
        return
    a, b = (draw.array(shape, lambda: draw.upto(1)) for shape in (left, right))
    raises(anyk.InvalidArgument, domain.matmul, draw.disguised(a), draw.disguised(b))


def case_real_matmul(draw):
    """Integers so small that nothing rounds."""
    domain = draw.one((anyk.Reals(), anyk.Complex()))
    inner = draw.upto(5)
    left = draw.array((*draw.shape(2), inner), lambda: draw.integer() % 2**20 - 2**19)
    right = draw.array((inner, *draw.shape(2)), lambda: draw.integer() % 2**20)
    a, b = (np.asarray(draw.laid_out(each.astype(draw.one((np.int32, np.int64, float)))))
            for each in (left, right))  # fmt: skip
    product = domain.matmul(a, b)
    assert product.dtype == domain.dtype
    assert product.tolist() == _product(left, right).tolist()


def case_real_validate(draw):
    exact = draw.array(draw.shape(), draw.integer)
    fitting = [each for each in (np.int64, np.uint64, np.float32) if _holds(each, exact)]
    given = draw.laid_out(exact.astype(draw.one(fitting or [object])))
    kind, exactly = given.dtype.kind, _within(exact, -(2**53), 2**53)
    if kind == "O" or (kind != "f" and not exactly):
        raises(anyk.InvalidArgument, anyk.Reals().validate, given, "x")
        return
    got = anyk.Reals().validate(given, "x")
    assert got.dtype == np.float64
    assert got.tolist() == given.astype(float).tolist()


def case_primes(draw):
    number = draw.upto(3000)
    prime = number > 1 and all(number % each for each in range(2, math.isqrt(number) + 1))
    assert is_prime(number) == prime
    if not prime:
        raises(anyk.InvalidArgument, anyk.PrimeField, number)
    first, several = draw.field(), 1 + draw.upto(5)
    fields = further_fields(first, several)
    assert len({*fields}) == several
    assert fields[0] == first
    assert all(pow(2, each.modulus - 1, each.modulus) == 1 for each in fields[1:])


# Rings


def case_ring(draw):
    ring = draw.ring()
    exact = draw.array(draw.shape(), draw.integer)
    right = np.array(
        [[value % prime for prime in ring.primes] for value in exact.flat], dtype=object
    ).reshape((*exact.shape, len(ring.primes)))
    elements = ring.constant(draw.disguised(exact))
    same(elements, right)
    same(ring.validate(draw.disguised(right), "x"), right)
    same(ring.accept(ring.present(elements)), right)
    whole = np.array([_signed(value, ring.modulus) for value in exact.flat], dtype=object)
    got = signed_integers(draw.disguised(right), draw.one((ring.primes, list(ring.primes))))
    assert got.shape == exact.shape
    assert got.ravel().tolist() == whole.tolist()
    floats = nearest_floats(draw.disguised(right), np.array(ring.primes))
    assert floats.shape == exact.shape
    assert floats.ravel().tolist() == [float(value) for value in whole]


def _signed(value, modulus):
    value %= modulus
    return value - modulus if value > modulus // 2 else value


def case_ring_refuses(draw):
    ring = draw.ring()
    count = len(ring.primes)
    right = np.array([draw.residue(prime) for prime in ring.primes], dtype=object)
    place = draw.upto(count - 1)
    right[place] = draw.one((-1, ring.primes[place], 2**63, 10**30))
    for function in (signed_integers, nearest_floats):
        raises(anyk.InvalidArgument, function, draw.disguised(right), ring.primes)
        raises(anyk.InvalidArgument, function, [0] * (count + 1), ring.primes)
        raises(anyk.InvalidArgument, function, [0, 0], (7, draw.one((7, 2, 9, 1, 0, -7, 2**31))))
    raises(anyk.InvalidArgument, ring.validate, draw.disguised(right), "x")


def case_ring_matmul(draw):
    ring = draw.ring()
    inner = draw.upto(4)
    left = draw.array((*draw.shape(2), inner), draw.integer)
    right = draw.array((inner, *draw.shape(2)), draw.integer)
    a, b = ring.constant(draw.disguised(left)), ring.constant(draw.disguised(right))
    got = ring.matmul(draw.laid_out(a), draw.laid_out(b))
    same(got, ring.constant(_product(left, right)))
    raises(anyk.InvalidArgument, ring.matmul, a, ring.constant(np.ones(inner + 1, dtype=int)))


# Polynomials and points


def _distinct(draw, field, most):
    count = min(draw.upto(most), field.modulus)
    return [
        value + field.modulus * draw.one((0, 0, 1, -1, 2**40))
        for value in draw.random.choice(min(field.modulus, 2**20), count, replace=False).tolist()
    ]


def case_lagrange(draw):
    field = draw.field()
    p = field.modulus
    nodes = _distinct(draw, field, 6)
    targets = [draw.one((draw.integer(), *nodes)) for _ in range(draw.upto(5))]
    weights = [pow(math.prod(x - y for y in nodes if y != x), -1, p) for x in nodes]
    matrix = [
        [
            math.prod(t - y for y in nodes if y != x) * weight % p
            for x, weight in zip(nodes, weights, strict=True)
        ]
        for t in targets
    ]
    told = draw.disguised(np.array(nodes, dtype=object))
    asked = draw.disguised(np.array(targets, dtype=object))
    same(node_weights(field, told), np.array(weights, dtype=object))
    shape = (len(targets), len(nodes))
    same(lagrange_matrix(field, told, asked), np.array(matrix, dtype=object).reshape(shape))
    if nodes:
        again = [*nodes, nodes[0] + p * draw.integer()]
        raises(anyk.InvalidArgument, node_weights, field, again)
        raises(anyk.InvalidArgument, lagrange_matrix, field, again, targets)


def case_vandermonde(draw):
    field = draw.field()
    points = draw.array((draw.upto(5),), draw.integer)
    rows = draw.upto(70)
    right = [[pow(x, row, field.modulus) for x in points] for row in range(rows)]
    got = vandermonde(field, draw.disguised(points), rows)
    same(got, np.array(right, dtype=object).reshape(rows, len(points)))


def case_points(draw):
    field = draw.field()
    p = field.modulus
    nodes, workers = draw.upto(6), draw.upto(6)
    if nodes + workers > p:
        raises(anyk.Unachievable, disjoint_points, field, nodes, workers)
    else:
        first, second = disjoint_points(field, nodes, workers)
        assert (len(first), len(second)) == (nodes, workers)
        assert len({*first.tolist(), *second.tolist()}) == nodes + workers
    some, others = ([draw.integer() for _ in range(draw.upto(3))] for _ in range(2))
    every = [value % p for value in (*some, *others)]
    given = (field, draw.disguised(np.array(some, dtype=object)), others)
    if len({*every}) < len(every):
        raises(anyk.InvalidArgument, require_disjoint, *given)
    else:
        require_disjoint(*given)
    if len({*every, 0}) < len(every) + 1:
        raises(anyk.InvalidArgument, require_harmonic, *given)
    else:
        require_harmonic(*given)
    blocks, degree = 1 + draw.upto(4), 1 + draw.upto(3)
    if blocks + degree >= p:
        raises(anyk.Unachievable, harmonic_points, field, blocks, degree)
    else:
        progression, singles = harmonic_points(field, blocks, degree)
        assert np.diff(progression).tolist() == [1] * blocks
        assert len(singles) == degree - 1
        require_harmonic(field, progression, singles)


# Fixed point


def _fixed(draw, **more):
    return anyk.FixedPoint(
        fraction_bits=draw.upto(30), magnitude=draw.one((1.0, 1.5, 4.0, 1000.0, 2.0**20)), **more
    )


def _reals(draw, fixed):
    """Reals within the magnitude, many of them half-way between two integers."""
    half = 2.0 ** -(fixed.fraction_bits + 1)

    def entry():
        way = draw.upto(3)
        if way == 0:
            return draw.one((0.0, -0.0, fixed.magnitude, -fixed.magnitude, half, -half))
        if way == 1:
            most = min(int(fixed.magnitude / half), 2**50)
            return (draw.upto(2 * most) - most) * half
        return float(draw.random.uniform(-fixed.magnitude, fixed.magnitude))

    return draw.array(draw.shape(), entry)


def case_fixed_point(draw):
    fixed = _fixed(draw, rounding=draw.one(("nearest", "stochastic")))
    exact = _reals(draw, fixed)
    given = draw.laid_out(exact.astype(float))
    given = given.tolist() if given.size and draw.upto(2) == 0 else given
    scaled = [Fraction(value) * 2**fixed.fraction_bits for value in exact.flat]
    seed = draw.upto(2**20)
    integers = fixed.integers(given, np.random.default_rng(seed))
    assert integers.dtype == np.int64
    assert integers.shape == exact.shape
    for value, got in zip(scaled, integers.flat, strict=True):
        if fixed.rounding == "nearest":
            assert got == math.floor(value + Fraction(1, 2))
        else:
            assert math.floor(value) <= got <= math.ceil(value)
    if not draw.upto(5):
        raises(anyk.InvalidArgument, fixed.integers, [math.nextafter(fixed.magnitude, math.inf)])
    again = fixed.quantise(given, np.random.default_rng(seed))
    assert again.tolist() == (integers / 2.0**fixed.fraction_bits).tolist()
    field = draw.field()
    ring = draw.one((field, fixed.ring(anyk.PrimeField(draw.prime(odd=True)))))
    if 2 * fixed.worst >= ring.modulus:
        raises(anyk.Unachievable, fixed.embed, given, ring)
        return
    residues = fixed.embed(given, ring, np.random.default_rng(seed))
    same(residues, ring.constant(integers))
    told = residues.tolist() if residues.size and draw.upto(1) else residues
    back = fixed.extract(told, ring)
    assert back.tolist() == again.tolist()


def case_results_of_fixed_point(draw):
    """A sum of products, computed exactly in Fractions, comes back from its residues."""
    degree, summands, coefficient = 1 + draw.upto(3), 1 + draw.upto(4), 1 + draw.upto(6)
    weights = anyk.FixedPoint(fraction_bits=draw.upto(6), magnitude=2.0)
    fixed = anyk.FixedPoint(
        fraction_bits=draw.upto(12), magnitude=draw.one((1.0, 3.5)), degree=degree,
        summands=summands, coefficient=coefficient, factors=(weights,) if draw.upto(1) else (),
    )  # fmt: skip
    ring = fixed.ring(anyk.PrimeField(draw.one(PRIMES[-3:])))
    total, exact = 0, Fraction(0)
    for _ in range(draw.upto(summands)):
        factor = draw.upto(2 * coefficient) - coefficient
        values = [fixed.integers(draw.random.uniform(-1, 1)) for _ in range(degree)]
        values += [each.integers(draw.random.uniform(-2, 2)) for each in fixed.factors]
        term = factor * math.prod(map(int, values))
        total += term
        exact += Fraction(term, 2**fixed.result_bits)
    assert abs(total) <= fixed.worst
    assert fixed.extract(ring.constant(total), ring) == float(exact)
    beyond = fixed.worst * 2 + 1
    if 2 * beyond < ring.modulus:
        raises(anyk.InvalidArgument, fixed.extract, ring.constant(beyond), ring)


def case_budget(draw):
    worst = abs(draw.integer(62)) ** (1 + draw.upto(6))
    first = anyk.PrimeField(draw.prime(odd=True))
    fields = further_fields(first, 1 + draw.upto(MOST_PRIMES - 1))
    assert fits(worst, fields) == (2 * worst < math.prod(each.modulus for each in fields))
    enough = enough_primes(worst, first)
    if enough is None:
        assert not fits(worst, further_fields(first, MOST_PRIMES))
    else:
        assert fits(worst, further_fields(first, enough))
        assert enough == 1 or not fits(worst, further_fields(first, enough - 1))
    number = draw.integer(6)
    if 1 <= number <= MOST_PRIMES:
        assert prime_count(number) == number
    else:
        raises(anyk.InvalidArgument, prime_count, number)


def case_rounding(draw):
    values = draw.array(draw.shape(), lambda: draw.integer(60) / 2.0 ** draw.upto(70))
    array = np.clip(draw.laid_out(values.astype(float)), -(2.0**61), 2.0**61)
    exact = [Fraction(value) for value in array.flat]
    assert nearest(array).ravel().tolist() == [math.floor(each + Fraction(1, 2)) for each in exact]
    drawn = stochastic(array).ravel().tolist()
    assert all(got - each < 1 and each - got < 1 for got, each in zip(drawn, exact, strict=True))
    limit = float(draw.random.uniform(0, 10))
    if any(abs(each) > limit for each in exact):
        raises(anyk.InvalidArgument, within, array, limit)
    else:
        assert within(array, limit) is array


# Problems, threats and promises


def _counts(draw):
    return draw.one((draw.upto(5), draw.upto(5), -draw.upto(3), np.int64(draw.upto(5)), True, 2.0,
                     None, "3", 2**31, 10**30, np.array(3), np.uint8(4)))  # fmt: skip


def _is_count(value, least):
    try:
        number = operator.index(value)
    except TypeError:
        return False
    return not isinstance(value, bool) and least <= number < 2**31


def case_problems(draw):
    blocks, degree = _counts(draw), _counts(draw)
    for problem in (anyk.Map, anyk.Sum):
        if _is_count(blocks, 1) and (degree is None or _is_count(degree, 1)):
            made = problem(blocks=blocks, degree=degree)
            assert (made.blocks, made.degree) == (blocks, degree)
            assert type(made.blocks) is int
        else:
            raises(anyk.InvalidArgument, problem, blocks=blocks, degree=degree)
    partition = tuple(_counts(draw) for _ in range(draw.one((3, 3, 3, 2, 4))))
    if len(partition) == 3 and all(_is_count(each, 1) for each in partition):
        made = anyk.MatMul(partition=draw.one((partition, list(partition))))
        assert made == anyk.MatMul(partition=tuple(map(int, partition)))
        assert hash(made) is not None
    else:
        raises(anyk.InvalidArgument, anyk.MatMul, partition=partition)


def case_threats(draw):
    names = ("workers", "stragglers", "adversaries", "colluders")
    numbers = {name: _counts(draw) for name in names}
    leakage = draw.one((None, None, 0.5, 1, np.float32(2), 0.0, -1.0, math.nan, math.inf, "a"))
    fine = all(_is_count(numbers[name], name == "workers") for name in names) and all(
        numbers[name] <= numbers["workers"] for name in names
    )
    if leakage is not None:
        positive = not isinstance(leakage, str) and 0 < leakage < math.inf
        fine = fine and positive and numbers["colluders"] > 0
    if fine:
        made = anyk.Threat(**numbers, leakage=leakage)
        assert all(getattr(made, name) == numbers[name] for name in names)
        assert made.leakage == leakage
    else:
        raises(anyk.InvalidArgument, anyk.Threat, **numbers, leakage=leakage)


def case_promises(draw):
    workers, pieces, threshold = 1 + draw.upto(9), 1 + draw.upto(3), 1 + draw.upto(20)
    stragglers = draw.upto(9)
    numbers = {"workers": workers, "pieces": pieces, "threshold": threshold}
    numbers |= {"stragglers": stragglers, "adversaries": 0, "colluders": 0}
    numbers |= {"exact": True, "leakage": None, "load": 1.0}
    if stragglers == (workers * pieces - threshold) // pieces:
        assert anyk.Guarantee(**numbers).stragglers == stragglers
    else:
        raises(anyk.InvalidArgument, anyk.Guarantee, **numbers)


CASES = [function for name, function in sorted(globals().items()) if name.startswith("case_")]


def run(case, seeds):
    for seed in seeds:
        try:
            case(Draw((zlib.crc32(case.__name__.encode()), seed)))
        except BaseException as error:
            error.add_note(f"seed {seed} of {case.__name__}")
            raise


@pytest.mark.parametrize("case", CASES)
def test_it_agrees_with_python(case):
    run(case, range(TIMES))


def test_every_public_function_of_the_room_is_tried():
    source = Path(__file__).read_text(encoding="utf-8")
    for module in ("prime", "ring", "mixed_radix", "points", "polynomials", "integers", "kernel"):
        for name in importlib.import_module(f"anyk.domains.{module}").__all__:
            assert name in source, name
