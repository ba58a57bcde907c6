"""Input of tests against Python's own numbers: exact values, in every dtype and layout.

Each case draws its own input from a seed. An answer is the right one, or an error of anyk that is
due; nothing else passes.
"""

import zlib

import numpy as np
import pytest

import anyk
from anyk.domains.ring import ResidueRing

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
        if field is not None and self.upto(4) == 0 and all_within(exact, 0, field.modulus - 1):
            return field.array(exact)
        return self.laid_out(exact.astype(dtype if holds(dtype, exact) else object))

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


def all_within(exact, least, most):
    return all(least <= value <= most for value in exact.flat)


def holds(dtype, exact):
    kind = np.dtype(dtype)
    if kind.kind == "O":
        return True
    if kind.kind == "b":
        return all_within(exact, 0, 1)
    if kind.kind == "f":
        return all_within(exact, 1 - 2**53, 2**53 - 1)
    return all_within(exact, np.iinfo(kind).min, np.iinfo(kind).max)


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


def run(case, seeds):
    for seed in seeds:
        try:
            case(Draw((zlib.crc32(case.__name__.encode()), seed)))
        except BaseException as error:
            error.add_note(f"seed {seed} of {case.__name__}")
            raise
