"""Fixed point against Python's fractions; problems, threats and promises against their rules."""

import math
import operator
from fractions import Fraction

import numpy as np
import pytest
from drawn import PRIMES, TIMES, raises, run, same

import anyk
from anyk.domains.ring import further_fields
from anyk.fixed_point.budget import MOST_PRIMES, enough_primes, fits, prime_count
from anyk.fixed_point.rounding import nearest, stochastic, within

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
    least = (workers * pieces - threshold) // pieces
    if stragglers == least or (pieces > 1 and least < stragglers < workers):
        assert anyk.Guarantee(**numbers).stragglers == stragglers
    else:
        raises(anyk.InvalidArgument, anyk.Guarantee, **numbers)


CASES = [function for name, function in sorted(globals().items()) if name.startswith("case_")]


@pytest.mark.parametrize("case", CASES)
def test_it_agrees_with_python(case):
    run(case, range(TIMES))
