"""Domains, fixed-point numbers and polynomials."""

import numpy as np
import scipy.sparse
from tried import tried

import anyk
from anyk.degrees.promised import Promised, known_of, together
from anyk.domains.array import FieldArray
from anyk.domains.extent import Extent
from anyk.domains.mixed_radix import signed_integers
from anyk.domains.points import (
    disjoint_points,
    harmonic_points,
    require_disjoint,
    require_harmonic,
)
from anyk.domains.polynomials import lagrange_matrix, node_weights
from anyk.domains.ring import ResidueRing, further_fields
from anyk.work import Plain, WorkerTask

FIELD, SEVEN, ELEVEN = anyk.PrimeField(), anyk.PrimeField(7), anyk.PrimeField(11)
RING = ResidueRing((SEVEN, ELEVEN))
MASKED = np.ma.array([1, 2], mask=[0, 1])
SQUARE, WIDE = np.ones((2, 3), dtype=int), np.ones((4, 3), dtype=int)
GENERATOR = np.random.default_rng(0)


class Unreadable:
    """What numpy can't make an array of, until it is asked for one."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no")

    def to_numpy(self):
        return np.array([1, 2])


def fixed(**changed):
    return anyk.FixedPoint(**{"fraction_bits": 8, "magnitude": 4.0, **changed})


def embedded(embedding, scheme=None, function=np.square, X=(1.0, 2.0)):
    if scheme is None:
        scheme = anyk.Lagrange(len(X), 2, 8)
    with anyk.Inline(scheme.guarantee.workers) as executor:
        return anyk.run(scheme, function, X, executor, embedding=embedding).value


def product(embedding, A, B):
    scheme = anyk.Polynomial((2, 1, 2), 6)
    return embedded(embedding, scheme, np.matmul, (A, B))


def over_reals(X, **named):
    with anyk.Inline(4) as executor:
        return anyk.run(
            anyk.Replication(2, 4, domain=anyk.Reals()), np.square, X, executor, **named
        ).value


EYE = scipy.sparse.eye_array(4, dtype=int)
ROWS = [
    tried(
        "Pass .toarray(); anyk.Sparse alone takes a sparse factor A of a product.",
        lambda: anyk.Polynomial((2, 1, 1), 3).encode_left(EYE),
        lambda: anyk.Polynomial((2, 1, 1), 3).encode_left(EYE.toarray()),
        lambda: anyk.Sparse((2, 1, 1), 3).encode_left(EYE),
    ),
    tried(
        "Send domain.at_rest(share); both ends may need the same version of anyk.",
        lambda: WorkerTask(Plain(np.square), SEVEN)(np.array([1, 2])),
        lambda: WorkerTask(Plain(np.square), SEVEN)(SEVEN.at_rest(np.array([1, 2]))),
    ),
    tried("Return or pass one.", lambda: FIELD.array(None), lambda: FIELD.array(np.array([1, 2]))),
    tried(
        "Fill it in with .filled(...), or leave those blocks out.",
        lambda: over_reals(MASKED.astype(float)),
        lambda: over_reals(MASKED.astype(float).filled(0.0)),
    ),
    tried(
        "Make its rows equally long.",
        lambda: FIELD.array([[1], [1, 2]]),
        lambda: FIELD.array([[1, 0], [1, 2]]),
    ),
    tried(
        "Convert it to an ndarray first.",
        lambda: FIELD.array(Unreadable()),
        lambda: FIELD.array(Unreadable().to_numpy()),
    ),
    tried(
        "Multiply numbers by *.", lambda: FIELD.matmul(3, SQUARE), lambda: 3 * FIELD.array(SQUARE)
    ),
    tried(
        "Transpose one of them.",
        lambda: FIELD.matmul(SQUARE, WIDE),
        lambda: FIELD.matmul(SQUARE, WIDE.T),
    ),
    tried(
        "For real numbers pass embedding=anyk.FixedPoint(..) to a map or a sum, or take a scheme "
        "over the reals. Or scale and round them to integers first.",
        lambda: embedded(None, X=(1.5, 2.0)),
        lambda: embedded(fixed(degree=2), X=(1.5, 2.0)),
        lambda: over_reals((1.5, 2.0)),
        lambda: embedded(None, X=np.rint(np.multiply(100, (1.5, 2.0)))),
    ),
    tried(
        "needed: integers. Convert it.",
        lambda: FIELD.array(["1", "2"]),
        lambda: FIELD.array(np.array(["1", "2"]).astype(int)),
    ),
    tried(
        "primes: got 3; needed: several in a row. Pass a tuple of them.",
        lambda: signed_integers([1, 2], 3),
        lambda: signed_integers([1], (3,)),
    ),
    *(
        tried("Pass anyk.PrimeField().", lambda call=call: call(7), lambda call=call: call(FIELD))
        for call in (
            lambda field: require_disjoint(field, [1], [2]),
            lambda field: disjoint_points(field, 2, 3),
            lambda field: harmonic_points(field, 2, 3),
            lambda field: node_weights(field, [1, 2]),
            lambda field: further_fields(field, 2),
            lambda field: fixed().embed([1.0], field),
        )
    ),
    tried(
        "Take 0, 1, 2 .. K + T + N - 1, in turn.",
        lambda: require_disjoint(SEVEN, [0, 1], [8]),
        lambda: require_disjoint(SEVEN, [0, 1], [2]),
    ),
    tried(
        "a modulus of at least K + T + N = {}. Take a larger prime; 2**31 - 1 is the default.",
        lambda: disjoint_points(SEVEN, 5, 6),
        lambda least: disjoint_points(anyk.PrimeField(least), 5, 6),
        lambda _: disjoint_points(FIELD, 5, 6),
    ),
    tried(
        "Take c = 1 and b_i = K + 1 + i.",
        lambda: require_harmonic(SEVEN, [6, 0], [3]),
        lambda: require_harmonic(SEVEN, [1, 2], [3]),
    ),
    tried(
        "a modulus of at least K + d + 1 = {}. Take a larger prime; 2**31 - 1 is the default.",
        lambda: harmonic_points(SEVEN, 4, 6),
        lambda least: harmonic_points(anyk.PrimeField(least), 4, 6),
        lambda _: harmonic_points(FIELD, 4, 6),
    ),
    tried(
        "Flatten it.",
        lambda: lagrange_matrix(SEVEN, [[1, 2]], [3]),
        lambda: lagrange_matrix(SEVEN, np.ravel([[1, 2]]), [3]),
    ),
    tried(
        "Take each once, and a prime larger than all of them.",
        lambda: node_weights(SEVEN, [1, 8]),
        lambda: node_weights(ELEVEN, [1, 8]),
    ),
    tried(
        "Take an int; roots are no polynomials.",
        lambda: FIELD.power([4], 0.5),
        lambda: FIELD.power([4], 2),
    ),
    tried(
        "Take 2**31 - 1 unless something else asks for a smaller one.",
        lambda: anyk.PrimeField(10),
        lambda: anyk.PrimeField(2**31 - 1),
    ),
    tried(
        "Reduce modulo {} first, if that is what you mean; embedding=anyk.FixedPoint(..) keeps "
        "signs.",
        lambda: anyk.Lagrange(2, 1, 4, field=SEVEN).encode([-1, 8]),
        lambda modulus: anyk.Lagrange(2, 1, 4, field=SEVEN).encode(np.array([-1, 8]) % modulus),
        lambda _: embedded(fixed(magnitude=8.0, degree=2), X=(-1, 8)),
    ),
    tried(
        "Use one field throughout.",
        lambda: SEVEN.array(FIELD.array([1, 2])),
        lambda: SEVEN.array(SEVEN.array([1, 2])),
    ),
    tried(
        "Invert constants alone, as integers: x * field.inverse(2).",
        lambda: FIELD.inverse(FIELD.array([2])),
        lambda: FIELD.array([2]) * FIELD.inverse(2),
    ),
    tried(
        "Leave those that are 0 out.",
        lambda: FIELD.inverse([0, 2]),
        lambda: FIELD.inverse([2]),
    ),
    tried(
        "Convert it, or choose another domain.",
        lambda: over_reals(np.array(["1", "2"])),
        lambda: over_reals(np.array(["1", "2"]).astype(float)),
    ),
    tried(
        "Round them to floats first, or use a scheme over a field.",
        lambda: over_reals(np.array([2**53 + 1, 1])),
        lambda: over_reals(np.array([2**53 + 1, 1]).astype(float)),
        lambda: anyk.Replication(2, 4, domain=FIELD).encode(
            np.array([2**53 + 1, 1]) % FIELD.modulus
        ),
    ),
    tried(
        "Remove or fill in NaN and Inf.",
        lambda: over_reals([1.0, np.nan]),
        lambda: over_reals(np.nan_to_num([1.0, np.nan])),
    ),
    tried(
        "fields: got 7; needed: several in a row. Pass a tuple of them.",
        lambda: ResidueRing(7),
        lambda: ResidueRing((SEVEN,)),
    ),
    tried(
        "Take primes below 2**31, each once.",
        lambda: ResidueRing((SEVEN, SEVEN)),
        lambda: ResidueRing((SEVEN, ELEVEN)),
    ),
    tried(
        "Compute the same function modulo each prime.",
        lambda: RING.validate([[1, 2, 3]], "x"),
        lambda: RING.validate([[1, 2]], "x"),
    ),
    tried(
        "Compute the same function modulo each prime.",
        lambda: RING.accept(([1],)),
        lambda: RING.accept(([1], [1])),
    ),
    tried(
        "Compute the same function modulo each prime.",
        lambda: RING.accept(([1], [1, 2])),
        lambda: RING.accept(([1], [2])),
    ),
]

LARGE = {"fraction_bits": 20, "magnitude": 1000.0}
ROWS += [
    tried("Give the largest input.", lambda: fixed(magnitude=0.0), lambda: fixed(magnitude=2.0)),
    *(
        tried(
            "Pass a tuple of them.",
            lambda given=given: fixed(factors=given),
            lambda: fixed(factors=(fixed(),)),
        )
        for given in (3, [3])
    ),
    tried(
        'Take "stochastic" where errors must not drift.',
        lambda: fixed(rounding="up"),
        lambda: fixed(rounding="stochastic"),
    ),
    tried(
        "Raise it for small numbers, lower it for large ones or high degrees.",
        lambda: fixed(fraction_bits=2, magnitude=1e-3),
        lambda: fixed(fraction_bits=12, magnitude=1e-3),
    ),
    tried(
        "Raise it for small numbers, lower it for large ones or high degrees.",
        lambda: fixed(fraction_bits=50, magnitude=1e9),
        lambda: fixed(fraction_bits=20, magnitude=1e9),
    ),
    tried(
        "Raise it for small numbers, lower it for large ones or high degrees.",
        lambda: fixed(fraction_bits=40, degree=100),
        lambda: fixed(fraction_bits=4, degree=100),
    ),
    tried(
        'at most {}, or "auto". Lower it: each prime is one more computation.',
        lambda: fixed(primes=17),
        lambda most: fixed(primes=most),
        lambda _: fixed(primes="auto"),
    ),
    tried(
        "Take fraction_bits={}, or lower magnitude, summands or degree, or take primes={}.",
        lambda: fixed(**LARGE, degree=2, summands=10, primes=1).ring(),
        lambda bits, _: fixed(
            **{**LARGE, "fraction_bits": bits}, degree=2, summands=10, primes=1
        ).ring(),
        lambda _, primes: fixed(**LARGE, degree=2, summands=10, primes=primes).ring(),
        lambda *_: fixed(**{**LARGE, "magnitude": 1e-3}, degree=2, summands=10, primes=1).ring(),
        lambda *_: fixed(**LARGE, degree=1, summands=1, primes=1).ring(),
    ),
    tried(
        "Scale the data, or raise magnitude.",
        lambda: fixed().embed([5.0], FIELD),
        lambda: fixed().embed([5.0 / 2], FIELD),
        lambda: fixed(magnitude=5.0).embed([5.0], FIELD),
    ),
    tried(
        "Pass np.random.default_rng().",
        lambda: fixed(rounding="stochastic").quantise([1.0], 0),
        lambda: fixed(rounding="stochastic").quantise([1.0], np.random.default_rng()),
    ),
    tried(
        "Lower fraction_bits or magnitude, or take primes={}.",
        lambda: embedded(fixed(**LARGE, primes=1)),
        lambda primes: embedded(fixed(**LARGE, primes=primes)),
        lambda _: embedded(fixed(fraction_bits=8, magnitude=2.0, primes=1)),
    ),
    # what the function is, against what was promised
    tried(
        "degree={}, which takes at least {} workers, or take fewer products of encoded arrays in "
        "a row: their degrees add up.",
        lambda: embedded(None, anyk.Lagrange(2, 1, 4), X=(1, 2), function=lambda x: x**4),
        lambda degree, workers: embedded(
            None, anyk.Lagrange(2, degree, workers), X=(1, 2), function=lambda x: x**4
        ),
        lambda *_: embedded(None, anyk.Lagrange(2, 1, 4), X=(1, 2), function=lambda x: 4 * x),
        less=lambda degree, workers: embedded(
            None, anyk.Lagrange(2, degree + 1, workers), X=(1, 2), function=lambda x: x**4
        ),
    ),
    tried(
        "Make the scheme with degree={}, which takes the 8 workers that it has",
        lambda: embedded(None, anyk.Lagrange(2, 1, 8), X=(1, 2)),
        lambda degree: embedded(None, anyk.Lagrange(2, degree, 8), X=(1, 2)),
    ),
    tried(
        "a polynomial that is computed otherwise is passed as anyk.of_degree(f, degree).",
        lambda: known_of(np.square(np.array([1, 2]))),
        lambda: embedded(None, X=(1, 2), function=np.square),
        lambda: embedded(None, X=(1, 2), function=anyk.of_degree(np.square, 2)),
    ),
    tried(
        "Return one array, or arrays that can be stacked.",
        lambda: together([FIELD.array([1]), FIELD.array([1, 2])]),
        lambda: together([FIELD.array([1, 1]), FIELD.array([1, 2])]),
        lambda: together(FIELD.array([1, 2])),
    ),
    tried(
        "Pass a function of one block.",
        lambda: anyk.of_degree(2, np.square),
        lambda: anyk.of_degree(np.square, 2),
    ),
    tried(
        "Pass anyk.FixedPoint(...).",
        lambda: embedded(8),
        lambda: embedded(anyk.FixedPoint(fraction_bits=8, magnitude=4.0)),
    ),
    *(
        tried(
            "Pass summands= to FixedPoint, or the function without of_degree.",
            lambda: embedded(fixed(), function=anyk.of_degree(np.square, 2)),
            lambda: embedded(fixed(summands=1, degree=2), function=anyk.of_degree(np.square, 2)),
            lambda: embedded(fixed(), function=np.square),
        )
        for _ in range(1)
    ),
    tried(
        "Pass summands= to FixedPoint",
        lambda: Promised(anyk.of_degree(np.square, 2), degree=2, result=Extent(2, bits=16))(1),
        lambda: embedded(fixed(summands=1, degree=2), function=anyk.of_degree(np.square, 2)),
    ),
    tried(
        "degree=1, for a function of degree 2; needed: degree={}. Raise it, or leave it out.",
        lambda: embedded(fixed(degree=1)),
        lambda degree: embedded(fixed(degree=degree)),
        lambda _: embedded(fixed()),
    ),
    tried(
        "Raise summands, or leave summands and coefficient out.",
        lambda: embedded(fixed(degree=2, summands=1), function=lambda x: x * x + x * x),
        lambda: embedded(fixed(degree=2, summands=2), function=lambda x: x * x + x * x),
        lambda: embedded(fixed(degree=2), function=lambda x: x * x + x * x),
    ),
    tried(
        "Leave degree, summands and coefficient out with anyk.run; or declare larger ones.",
        lambda: Promised(lambda _: larger(), (), 2, Extent(1, bits=4, bound=2))(larger()),
        lambda: embedded(fixed()),
        lambda: embedded(fixed(degree=2, summands=4, coefficient=4)),
    ),
    tried(
        "Correct it; or, if it works with other values, declare degree, summands and coefficient "
        "in FixedPoint.",
        lambda: embedded(fixed(), function=by_name),
        lambda: embedded(fixed(), function=np.square),
    ),
    tried(
        "Encode both with the same embedding.",
        lambda: (
            FieldArray(FULL, FIELD, Extent(1, bits=8, bound=9)) + FieldArray(FULL, FIELD, Extent(1))
        ),
        lambda: (
            FieldArray(FULL, FIELD, Extent(1, bits=8, bound=9))
            + FieldArray(FULL, FIELD, Extent(1, bits=8, bound=9))
        ),
    ),
    tried(
        "The function has other terms than stated: raise summands, coefficient or degree",
        lambda: fixed(degree=1, summands=1).extract([5000], FIELD),
        lambda: fixed(degree=1, summands=5).extract([5000], FIELD),
        lambda: fixed(degree=1, coefficient=5).extract([5000], FIELD),
        lambda: fixed(degree=2).extract([5000], FIELD),
    ),
    tried(
        "Leave it out.",
        lambda: anyk.Lagrange(2, 1, 4, colluders=1).encode([1, 2], source=3),
        lambda: anyk.Lagrange(2, 1, 4, colluders=1).encode([1, 2]),
    ),
]

FULL = np.array([[1, 2], [3, 4]])


def larger():
    return FieldArray(FULL, FIELD, Extent(1, bits=4, bound=100))


def by_name(x):
    return x + undefined  # noqa: F821 - on purpose
