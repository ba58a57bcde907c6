"""Public arithmetic of domains against Python's integers."""

import importlib
import math
from pathlib import Path

import numpy as np
import pytest
from drawn import TIMES, all_within, holds, raises, run, same

import anyk
from anyk.domains.integers import integers_of, is_prime
from anyk.domains.kernel import modular_matmul, modular_stack
from anyk.domains.mixed_radix import nearest_floats, signed_integers
from anyk.domains.points import (
    disjoint_points,
    harmonic_points,
    require_disjoint,
    require_harmonic,
)
from anyk.domains.polynomials import lagrange_matrix, node_weights, products_of, vandermonde
from anyk.domains.ring import further_fields

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
    if not all_within(exact, 0, field.modulus - 1):
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
        pair = modular_stack(np.stack([few, few]), np.stack([many] * 2), field.modulus)
        assert pair.tolist() == [kernel.tolist()] * 2


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
    fitting = [each for each in (np.int64, np.uint64, np.float32) if holds(each, exact)]
    given = draw.laid_out(exact.astype(draw.one(fitting or [object])))
    kind, exactly = given.dtype.kind, all_within(exact, -(2**53), 2**53)
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
    for shown in (elements, ring.at_rest(elements)):
        accepted = ring.accept(ring.present(shown))
        same(ring.from_rest(accepted), right)
        assert ring.at_rest(accepted).dtype == ring.rest
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


def case_products(draw):
    field = draw.field()
    factors = draw.array((1 + draw.upto(4), draw.upto(9)), draw.integer) % field.modulus
    right = [math.prod(row) % field.modulus for row in factors.tolist()]
    same(products_of(field, factors.astype(np.int64)), np.array(right, dtype=object))


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


CASES = [function for name, function in sorted(globals().items()) if name.startswith("case_")]


@pytest.mark.parametrize("case", CASES)
def test_it_agrees_with_python(case):
    run(case, range(TIMES))


def test_every_public_function_of_the_room_is_tried():
    here = Path(__file__)
    source = "".join(each.read_text("utf-8") for each in (here, here.with_name("drawn.py")))
    for module in ("prime", "ring", "mixed_radix", "points", "polynomials", "integers", "kernel"):
        for name in importlib.import_module(f"anyk.domains.{module}").__all__:
            assert name in source, name
