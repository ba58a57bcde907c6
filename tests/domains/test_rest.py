"""Field elements in memory of their own size: every operation is what it is in int64."""

import pickle

import numpy as np
import pytest
from polynomial_calls import CALLS

import anyk
from anyk.domains.extent import Extent
from anyk.domains.functions.inside import memory_of
from anyk.domains.ring import ResidueRing

PRIMES = (2, 251, 257, 65521, 65537, 2**25 - 39, 2**31 - 1)
TYPES = (np.uint8, np.uint8, np.uint16, np.uint16, np.uint32, np.uint32, np.uint32)
EXTENTS = (None, Extent(1), Extent(1, 2, 40, 1))


def residues(p, seed):
    """Most of them where unsigned numbers wrap."""
    generator = np.random.default_rng(seed)
    corners = np.array([0, 1 % p, p - 1, p // 2, p - 1, p - 1])
    drawn = np.where(generator.random((3, 3)) < 0.3, generator.integers(p, size=(3, 3)), -1)
    return np.where(drawn < 0, corners[generator.integers(len(corners), size=(3, 3))], drawn)


def result(call, x, y):
    try:
        return call(x, y)
    except anyk.AnykError as error:  # of both, or of none
        return str(error)


@pytest.mark.parametrize("name", CALLS)
def test_what_rests_is_computed_with_as_in_int64(name):
    call = CALLS[name]
    for seed, p in enumerate(PRIMES):
        field = anyk.PrimeField(p)
        a, b = residues(p, seed), residues(p, seed + 100)
        for extent in EXTENTS:
            right = result(call, *(anyk.FieldArray(each.copy(), field, extent) for each in (a, b)))
            for first, second in ((True, True), (True, False), (False, True)):
                x, y = (
                    anyk.FieldArray(field.at_rest(each) if rests else each.copy(), field, extent)
                    for each, rests in ((a, first), (b, second))
                )
                got = result(call, x, y)
                if isinstance(right, str):
                    assert got == right
                    continue
                assert got.extent == right.extent
                assert memory_of(got).tolist() == memory_of(right).tolist()
                assert memory_of(x).dtype == (field.rest if first else np.int64)
                assert memory_of(x).tolist() == a.tolist()  # nobody wrote in the operands
                assert memory_of(y).tolist() == b.tolist()


@pytest.mark.parametrize(("p", "kind"), [*zip(PRIMES, TYPES, strict=True)])
def test_residues_rest_in_the_smallest_type_that_holds_them(p, kind):
    field = anyk.PrimeField(p)
    values = np.array([0, p - 1])
    rests = field.at_rest(values)
    assert rests.dtype == field.rest == kind
    assert field.at_rest(rests) is rests
    assert field.holds(rests.dtype)
    assert not field.holds(values.dtype)
    assert field.from_rest(rests).dtype == np.int64
    assert field.validate(rests, "x").tolist() == field.residues(rests).tolist() == values.tolist()
    assert field.validate(rests, "x").dtype == field.residues(rests).dtype == np.int64
    assert field.matmul(rests[None], rests).tolist() == [(p - 1) ** 2 % p]


@pytest.mark.parametrize("bad", [[-1], [251], [2**40], [255]])
def test_what_is_no_residue_is_not_made_one(bad):
    field = anyk.PrimeField(251)
    values = np.array(bad)
    assert field.at_rest(values) is values  # to be refused where it is looked at
    with pytest.raises(anyk.InvalidArgument):
        field.present(values)
    with pytest.raises(anyk.InvalidArgument):
        anyk.FieldArray(np.array([255], dtype=np.uint8), field)
    with pytest.raises(anyk.InvalidArgument):
        field.present(np.array([255], dtype=np.uint8))


def test_a_ring_rests_in_the_type_of_its_largest_prime():
    ring = ResidueRing((anyk.PrimeField(5), anyk.PrimeField(65521)))
    values = ring.constant([[-1, 70000]])
    rests = ring.at_rest(values)
    assert rests.dtype == np.uint16
    assert ring.holds(rests.dtype)
    assert not ring.holds(values.dtype)
    assert ring.from_rest(rests).tolist() == values.tolist()
    small, large = ring.present(rests)
    assert (memory_of(small).dtype, memory_of(large).dtype) == (np.uint8, np.uint16)
    assert ring.accept([small * small, large * large]).tolist() == [[[1, 1], [0, 70000**2 % 65521]]]
    stranger = np.array([[[6, 1]]], dtype=np.uint16)  # 6 is no residue modulo 5
    with pytest.raises(anyk.InvalidArgument):
        ring.present(stranger)
    with pytest.raises(anyk.InvalidArgument):
        ring.validate(stranger, "x")


def test_writing_keeps_the_type_of_the_memory_and_is_seen_by_views():
    field = anyk.PrimeField(251)
    memory = field.at_rest(np.arange(245, 251).reshape(2, 3))
    x = anyk.FieldArray(memory, field)
    row, transposed = x[1], x.T
    x += x
    row -= 3
    transposed[0] *= 250
    x[0, 1] = -2
    assert memory_of(x) is memory
    right = np.array(
        [[2 * 245 * 250, -2, 2 * 247], [(2 * 248 - 3) * 250, 2 * 249 - 3, 2 * 250 - 3]]
    )
    assert memory.tolist() == (right % 251).tolist()
    assert transposed.T.values.tolist() == x.values.tolist()
    assert row.values.tolist() == x.values[1].tolist()


def test_values_are_int64_and_of_other_memory_a_copy_that_is_not_written_in():
    field = anyk.PrimeField(251)
    x = anyk.FieldArray(np.array([1, 250], dtype=np.uint8), field)
    assert x.dtype == x.values.dtype == np.int64
    assert (x.values * 250).tolist() == [250, 62500]
    with pytest.raises(ValueError, match="read-only"):
        x.values[0] = 7
    wide = np.array([1, 2])
    assert anyk.FieldArray(wide, field).values is wide
    for other in (np.uint16, np.int8, np.uint32):  # in no memory that a residue may not fit in
        assert memory_of(anyk.FieldArray(np.array([1, 2], dtype=other), field)).dtype == np.int64


def test_pickles_have_the_size_of_what_rests():
    for p, size in ((251, 1), (65521, 2), (2**31 - 1, 4)):
        x = anyk.PrimeField(p).array(np.arange(100_000) % p)
        pickled = pickle.dumps(x)
        assert len(pickled) < 100_000 * size + 1000
        again = pickle.loads(pickled)
        assert again.values.tolist() == x.values.tolist()


def test_one_and_the_same_memory_stays_one():
    field = anyk.PrimeField(251)
    alike = np.broadcast_to(np.arange(3), (1000, 3))
    rests = field.at_rest(alike)
    assert rests.strides == (0, 1)
    assert rests.tolist() == alike.tolist()
