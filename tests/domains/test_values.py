"""`Values`: numbers of any type are kept as they come, and nothing is changed in silence."""

import decimal

import numpy as np
import pytest
import scipy.sparse

import anyk
from anyk.domains.values import added, together

DTYPES = ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8", "c8", "c16"]
VALUES = anyk.Values()


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_type_of_numbers_is_kept_in_native_order(dtype, order):
    values = np.array([[0, 1], [1, 1]]).astype(np.dtype(dtype).newbyteorder(order))
    array = VALUES.validate(values, "X")
    assert array.dtype == np.dtype(dtype)
    assert array.dtype.isnative
    assert VALUES.holds(array.dtype)
    assert np.array_equal(array, values)


def test_only_native_numbers_are_held():
    foreign = np.dtype("f8").newbyteorder("S")
    for other in (foreign, np.dtype(np.longdouble), np.dtype(np.clongdouble), np.dtype("U3")):
        assert not VALUES.holds(other)


@pytest.mark.parametrize(
    ("odd", "advice"),
    [
        (np.array(["a"]), "anyk.map"),
        (np.array(["2026-01-01"], dtype="M8[D]"), "anyk.map"),
        ([decimal.Decimal("1.5")], "anyk.map"),
        (np.array([1, 2], dtype=object), ".astype"),
        (np.zeros(2, dtype=[("a", float)]), ".astype"),
        (np.ones(2, np.longdouble), "np.float64"),
        ([2**63, -1], "one type holds"),
        ([2**60 + 1, 0.5], "one type holds"),
        ([np.zeros(2, np.float32), np.zeros(2)], "one dtype"),
        (scipy.sparse.eye_array(2), ".toarray()"),
        ([scipy.sparse.eye_array(2)] * 2, ".toarray()"),
        (np.ma.array([1, 2], mask=[0, 1]), ".filled"),
    ],
    ids=repr,
)
def test_what_would_be_changed_is_refused_with_what_to_do(odd, advice):
    with pytest.raises(anyk.InvalidArgument, match="X: got") as caught:
        VALUES.validate(odd, "X")
    assert advice in str(caught.value)


def test_tables_are_refused_where_their_labels_would_be_lost():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": [1.0, 2.0], "n": [1, 2]})
    for table in (frame, frame["a"], [frame, frame], pandas.array([1, None], dtype="Int64")):
        with pytest.raises(anyk.InvalidArgument, match=r"\.to_numpy\(\)"):
            VALUES.validate(table, "X")
    assert VALUES.validate(frame.to_numpy(), "X").dtype == np.float64


def test_arrays_with_rules_of_their_own_are_refused_everywhere():
    class Units(np.ndarray):
        pass

    array = np.ones((2, 2)).view(Units)
    for domain in (VALUES, anyk.Reals(), anyk.PrimeField(7)):
        with pytest.raises(anyk.InvalidArgument, match=r"\.view\(np\.ndarray\)"):
            domain.validate(array, "X")
        assert domain.validate(array.view(np.ndarray).astype(int), "X").shape == (2, 2)


def test_numbers_of_galois_are_refused():
    galois = pytest.importorskip("galois")
    array = galois.GF(2**8)([[200], [3]])
    with pytest.raises(anyk.InvalidArgument, match="rules of arithmetic"):
        anyk.PrimeField().validate(array, "X")


def test_together_keeps_every_number_or_refuses():
    small, large = np.array([1, 2]), np.array([2**62 + 1, 3])
    assert together([small, np.array([0.5, 1.0])], "values").dtype == np.float64
    assert together([small, large], "values").dtype == np.int64
    assert together([np.array([True]), np.array([3], np.uint8)], "values").tolist() == [[1], [3]]
    for other in (np.array([0.5, 1.0]), np.array([1, 2], np.uint64)):
        with pytest.raises(anyk.InvalidArgument, match="one dtype"):
            together([large, other], "values")


def test_sums_of_whole_numbers_are_exact_or_refused():
    assert added(np.array([[True], [True]]), "values").tolist() == [2]
    assert added(np.full((3, 1), 200, np.uint8), "values").tolist() == [600]
    edge = np.array([[2**62], [2**62 - 1]])
    assert added(edge, "values").tolist() == [2**63 - 1]
    with pytest.raises(anyk.InvalidArgument, match="64 bits"):
        added(edge + 1, "values")
    single = added(np.full((3, 1), 0.1, np.float32), "values")
    assert single.dtype == np.float32


def test_a_choice_is_untouched_by_what_is_not_chosen():
    rows = np.array([[np.nan, 1.0], [2.0, np.inf]], np.float32)
    chosen = VALUES.matmul(np.array([[0.0, 1.0], [0.0, 1.0]]), rows)
    assert chosen.dtype == np.float32
    assert chosen.tolist() == [[2.0, np.inf]] * 2
