"""What a FieldArray advises in place of what is no polynomial: followed, on arrays of the field."""

import numpy as np
from tried import tried

import anyk
from anyk.domains.array import FieldArray
from anyk.domains.extent import Extent
from anyk.domains.functions.constants import as_residues

FIELD, SEVEN = anyk.PrimeField(), anyk.PrimeField(7)
VALUES = np.array([[1, 2], [3, 4]])
MASK = np.eye(2, dtype=int)
FIXED = anyk.FixedPoint(fraction_bits=8, magnitude=8.0)


def x():
    return FIELD.array(VALUES)


def share():
    """A share, as a task has it: what is made of it has a degree."""
    return FieldArray(VALUES.copy(), FIELD, Extent(1))


def computed(f, X=VALUES, **named):
    """The value of a polynomial of degree up to 2."""
    with anyk.Inline(8) as executor:
        return anyk.run(anyk.Lagrange(2, 2, 8), f, X, executor, **named).value


def real(f):
    return computed(f, VALUES / 4.0, embedding=FIXED)


def scaled(divisor):
    return FieldArray(VALUES.copy(), FIELD, Extent(1, bits=8, bound=8, error=1)) / divisor


def followed(right, *ways):
    """Ways to compute what was asked for, each of which gives the right value."""

    def check(way):
        got = np.asarray(way())
        assert np.allclose(got, right(), atol=0.01), (got, right())

    return [lambda way=way: check(way) for way in ways]


def in_place():
    array = x()
    array += np.array([[[1, 1], [1, 1]]])
    return array


def written(array):
    array[0] = 5
    return array


def read_only():
    array = x()
    array._residues.flags.writeable = False
    return array


def residues_alone(X):
    """A polynomial by Python's integers."""
    return np.frompyfunc(lambda a: int(a) ** 2, 1, 1)(X.values)


def spread_of(block):
    """n (sum of squares) - (sum)^2, of one block."""
    return block.size * (block * block).sum() - block.sum() ** 2


def assigned():
    y = np.zeros_like(x())
    y[...] = x()
    return y


def added():
    y = x()
    y[np.array([0])] += 1
    return y


def over_ndarray(out):
    return np.add(x(), 1, out=out)


ROWS = [
    tried(
        "if the function is a polynomial of a degree d that you know, wrap it: "
        "anyk.of_degree(f, d).",
        lambda: share().values,
        lambda: computed(anyk.of_degree(residues_alone, 2)),
        lambda: computed(np.square),
    ),
    tried("the exponent must be an int, {}.", lambda: x() ** 2.0, lambda power: x() ** power),
    tried("the exponent must be one integer", lambda: x() ** VALUES, lambda: x() ** 2),
    tried(
        "To divide by a constant c, multiply by field.inverse(c).",
        lambda: x() ** -1,
        lambda: x() * FIELD.inverse(2),
    ),
    tried(
        "Write x = x + y in place of x += y.", in_place, lambda: x() + np.array([[[1, 1], [1, 1]]])
    ),
    tried(
        "Take field.array(values) for residues, or field.constant for any integers.",
        lambda: as_residues(np.array([-1]), FIELD),
        lambda: as_residues(FIELD.array([1]).values, FIELD),
        lambda: as_residues(FIELD.constant([-1]), FIELD),
    ),
    tried(
        "Ravel them.", lambda: np.convolve(x(), [1, 2]), lambda: np.convolve(x().ravel(), [1, 2])
    ),
    tried(
        'needed: "full", "same" or "valid". Take one of them.',
        lambda: np.convolve(x()[0], [1, 2], "all"),
        lambda: np.convolve(x()[0], [1, 2], "full"),
    ),
    tried(
        "Correct the subscripts, or reshape the arrays.",
        lambda: np.einsum("ij,jk,", x(), x()),
        lambda: np.einsum("ij,jk", x(), x()),
    ),
    tried(
        'Pass subscripts such as "ij,j->i" first.',
        lambda: np.einsum(x(), x()[0]),
        lambda: np.einsum("ij,j->i", x(), x()[0]),
    ),
    tried("Use one field throughout.", lambda: x() + SEVEN.array(VALUES), lambda: x() + x()),
    tried(
        "x where it is one and y elsewhere is m * x + (1 - m) * y.",
        lambda: np.where(x(), x(), 0),
        *followed(
            lambda: [[1, 9], [9, 4]],
            lambda: (MASK * x() + (1 - MASK) * 9).values,
            lambda: np.where(MASK == 1, x(), 9).values,
        ),
    ),
    tried(
        "Transpose one of them.",
        lambda: x() @ np.ones((3, 2), int),
        lambda: x() @ np.ones((3, 2), int).T,
    ),
    tried(
        "Reshape it.",
        lambda: np.linalg.det(x().ravel()),
        lambda: np.linalg.det(x().ravel().reshape(2, 2)),
    ),
    tried(
        "Take powers of 0 or more.",
        lambda: np.linalg.matrix_power(x(), -1),
        lambda: np.linalg.matrix_power(x(), 0),
    ),
    tried(
        "Pass more.", lambda: np.linalg.multi_dot([x()]), lambda: np.linalg.multi_dot([x(), x()])
    ),
    tried("Pad with a constant.", lambda: np.pad(x(), 1, mode="mean"), lambda: np.pad(x(), 1)),
    tried(
        "Transpose one of them.",
        lambda: np.tensordot(x(), np.ones((3, 2), int), 1),
        lambda: np.tensordot(x(), np.ones((3, 2), int).T, 1),
    ),
    tried(
        "Give plane vectors a third number, 0.",
        lambda: np.cross(x(), x()),
        lambda: np.cross(np.pad(x(), ((0, 0), (0, 1))), np.pad(x(), ((0, 0), (0, 1)))),
    ),
    tried(
        "n: got -1; needed: at least 0. Raise it.",
        lambda: np.diff(x(), -1),
        lambda: np.diff(x(), 0),
    ),
    tried(
        "begin with np.zeros_like(x) of a FieldArray x, or leave out= away.",
        lambda: over_ndarray(np.zeros((2, 2), int)),
        lambda: over_ndarray(np.zeros_like(x())),
        lambda: over_ndarray(None),
    ),
    tried(
        "Write in a copy, x.copy().",
        lambda: written(read_only()),
        lambda: written(read_only().copy()),
    ),
    tried("Leave it out.", lambda: x().sum(dtype=float), lambda: x().sum()),
    tried(
        "Approximate the function by a polynomial, or use a scheme over the reals, such as "
        "anyk.Spline.",
        lambda: np.exp(x()),
        lambda: 1 + x() + x() ** 2,
        lambda: run_spline(),
    ),
    # quotients
    tried(
        "multiply by the inverse: x * x.field.inverse({}).",
        lambda: x() / 3,
        lambda c: x() * x().field.inverse(c),
    ),
    tried(
        "Divide by a power of two, x / 1024",
        lambda: scaled(3),
        lambda: scaled(1024),
        *followed(
            lambda: VALUES / 12,
            lambda: real(lambda b: b * (1 / 3)),
            lambda: real(lambda b: b * round(1024 / 3) / 1024),
        ),
    ),
    tried(
        "a power of field elements as exponents is no polynomial.",
        lambda: 2 ** x(),
        lambda: x() ** 2,
    ),
    tried(
        "x << k is x * 2**k",
        lambda: x() << 2,
        *followed(lambda: VALUES << 2, lambda: (x() * 2**2).values),
    ),
    # the functions of numpy that say what to write in their place
    tried(
        "Return x.sum() and divide the outcome's value by the number of terms.",
        lambda: x().mean(),
        *followed(lambda: VALUES.mean(axis=1), lambda: computed(lambda b: b.sum()) / 2),
    ),
    tried(
        "Return x.size * (x * x).sum() - x.sum()**2, and divide the outcome's value by x.size**2.",
        lambda: x().var(),
        *followed(lambda: VALUES.var(axis=1), lambda: computed(spread_of) / 4),
    ),
    tried(
        "Compare the outcome's value; or choose by a constant mask, np.where(mask, x, y).",
        lambda: x() > 2,
        *followed(lambda: VALUES > 2, lambda: computed(lambda b: +b) > 2),
        lambda: np.where(VALUES > 2, x(), 0),
    ),
    tried(
        "Compute with the FieldArray itself, and make numbers of the outcome's value.",
        lambda: int(x()[0, 0]),
        lambda: int(computed(lambda b: +b)[0, 0]),
    ),
    tried(
        "field elements have one type, int64 residues. Leave it out.", lambda: x().astype(float), x
    ),
    tried("write x**2, with an integer.", lambda: np.float_power(x(), 2), lambda: x() ** 2),
    tried("write x[...] = y.", lambda: np.copyto(np.zeros_like(x()), x()), assigned),
    tried(
        "write x[i] += y, for places i that differ.",
        lambda: np.add.at(x(), [0], 1),
        *followed(lambda: [[2, 3], [3, 4]], lambda: added().values),
    ),
    tried(
        "np.stack([x[:1].sum(), x[1:].sum()]).",
        lambda: np.add.reduceat(x().ravel(), [0, 1]),
        *followed(
            lambda: np.add.reduceat(VALUES.ravel(), [0, 1]),
            lambda: np.stack([x().ravel()[:1].sum(), x().ravel()[1:].sum()]).values,
        ),
    ),
    tried(
        "np.stack([f(row) for row in x]).",
        lambda: np.apply_along_axis(np.sum, 1, x()),
        *followed(lambda: VALUES.sum(1), lambda: np.stack([np.sum(row) for row in x()]).values),
    ),
    tried(
        "choose by a constant mask, np.where(mask, x, y).",
        lambda: np.choose([0, 1], [x(), x()]),
        lambda: np.where([True, False], x(), x()),
    ),
    tried("it divides by 2. Take np.diff(x).", lambda: np.gradient(x()), lambda: np.diff(x())),
    tried(
        "take np.broadcast_arrays(x[None, :], y[:, None]).",
        lambda: np.meshgrid(x()[0], x()[1]),
        *followed(
            lambda: np.meshgrid(VALUES[0], VALUES[1])[0],
            lambda: np.broadcast_arrays(x()[0][None, :], x()[1][:, None])[0].values,
        ),
    ),
    tried(
        "Multiply by a matrix of integers, or take np.convolve.",
        lambda: np.fft.fft(x()),
        lambda: VALUES @ x(),
        lambda: np.convolve(x()[0], x()[1]),
    ),
    tried(
        "Return (x * x).sum(), and take the root of the outcome's value.",
        lambda: np.linalg.norm(x()),
        *followed(
            lambda: np.linalg.norm(VALUES, axis=1),
            lambda: np.sqrt(computed(lambda b: (b * b).sum())),
        ),
    ),
    tried("Take a square, x * x.", lambda: np.abs(x()), lambda: x() * x()),
    tried(
        "field elements are never NaN: take np.sum.", lambda: np.nansum(x()), lambda: np.sum(x())
    ),
    tried(
        "Stack FieldArrays with np.stack, fill an array begun with np.zeros_like(x)",
        lambda: np.asarray(x()),
        lambda: np.stack([x(), x()]),
        assigned,
    ),
]


def run_spline():
    with anyk.Inline(12) as executor:
        return anyk.run(anyk.Spline(2, 12), np.exp, VALUES / 4.0, executor)
