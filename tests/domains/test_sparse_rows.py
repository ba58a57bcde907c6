import numpy as np
import pytest
import scipy.sparse

import anyk
from anyk.domains.sparse import SparseRows

LARGEST = 2**31 - 1


def rows_of(matrix):
    return SparseRows(matrix.data, matrix.indices, matrix.indptr)


@pytest.mark.parametrize("modulus", [2, 7, 65537, LARGEST])
@pytest.mark.parametrize("right", [(40,), (40, 1), (40, 5)])
def test_a_product_is_exact(modulus, right):
    rng = np.random.default_rng(modulus)
    dense = rng.integers(0, modulus, (30, 40)) * (rng.random((30, 40)) < 0.2)
    dense[3], dense[7:9] = rng.integers(0, modulus, 40), 0
    x = rng.integers(0, modulus, right)
    got = rows_of(scipy.sparse.csr_array(dense)).times_modulo(x, modulus)
    assert got.dtype == np.int64
    assert np.array_equal(got, dense.astype(object) @ x.astype(object) % modulus)


@pytest.mark.parametrize("length", [(1 << 16) - 1, 1 << 16, (1 << 16) + 1, 200_003])
def test_long_rows_of_the_largest_residues_do_not_overflow(length):
    entries = np.full(2 * length + 1, LARGEST - 1)  # -1 each
    starts = np.array([0, 0, length, length + 1, 2 * length + 1, 2 * length + 1])
    rows = SparseRows(entries, np.zeros(len(entries), dtype=np.int32), starts)
    got = rows.times_modulo(np.array([[LARGEST - 1, 1]]), LARGEST)
    counts = np.diff(starts)
    assert np.array_equal(got, np.stack([counts, -counts], axis=1) % LARGEST)


@pytest.mark.parametrize(
    ("columns", "starts"),
    [
        ([0, 3], [0, 1, 2]),
        ([0, -1], [0, 1, 2]),
        ([0, 1], [0, 1, 3]),
        ([0, 1], [1, 1, 2]),
        ([0, 1], [0, 2, 1]),
        ([0, 1, 2], [0, 1, 2]),
        ([0, 1], []),
        ([0.0, 1.0], [0, 1, 2]),
        ([[0, 1]], [0, 1, 2]),
    ],
)
def test_what_are_no_rows_is_refused_and_reads_no_memory_of_others(columns, starts):
    with pytest.raises(anyk.InvalidArgument, match="needed: the entries of a sparse matrix"):
        SparseRows.padded(np.ones(2), np.array(columns), np.array(starts, dtype=int)).times(
            np.ones(3)
        )


@pytest.mark.parametrize(
    "starts",
    [
        np.array([0, 200_000, 2], dtype=np.uint64),
        np.array([0, 100, -100, 2], dtype=np.int8),
        np.array([0, 2**30 + 1, -(2**30), 2], dtype=np.int32),
        np.array([0, 2**62 + 1, -(2**62), 2]),
        np.array([0, 1, 2], dtype=np.uint32),
    ],
    ids=str,
)
def test_starts_whose_differences_wrap_read_no_memory_of_others(starts):
    with pytest.raises(anyk.InvalidArgument, match="needed: the entries of a sparse matrix"):
        SparseRows.padded(np.ones(2), np.array([0, 1]), starts)


def test_what_stands_behind_the_entries_is_not_used():
    rows = SparseRows.padded(np.array([2.0, 9.0]), np.array([1, 77]), np.array([0, 0, 1]))
    assert rows.times(np.array([1.0, 4.0])).tolist() == [0.0, 8.0]
