"""`anyk.blocks`: any kind of rows in K blocks and back, for `anyk.map` and for schemes."""

import numpy as np
import pytest
import scipy.sparse

import anyk

RAGGED = [(n, K) for n in (1, 2, 5, 7, 12, 100) for K in (1, 2, 3, 4, 7, 100) if n >= K]


def mapped(function, cut):
    return cut.join(anyk.map(function, cut, anyk.Inline(3)).value)


def ran(function, cut, scheme=anyk.Replication):
    return cut.join(
        anyk.run(scheme(len(cut), len(cut)), function, cut, anyk.Inline(len(cut))).value
    )


@pytest.mark.parametrize(("n", "K"), RAGGED)
def test_a_value_for_each_row_comes_back_whatever_the_end(n, K):
    X = np.random.default_rng(0).normal(size=(n, 3))
    cut = anyk.blocks(X, K)
    assert len(cut) == K
    assert sum(cut.rows) == n
    assert max(cut.rows) - min(cut.rows) <= 1
    assert cut.stacked.shape == (K, max(cut.rows), 3)
    assert np.array_equal(np.concatenate(list(cut)), X)
    assert np.array_equal(cut.join(cut.stacked), X)
    assert np.array_equal(mapped(np.negative, cut), -X)
    assert np.array_equal(ran(lambda block: block.sum(axis=1), cut), X.sum(axis=1))


def test_exact_schemes_take_blocks_of_integers():
    X = np.arange(14).reshape(7, 2)
    cut = anyk.blocks(X, 3)
    outcome = anyk.run(anyk.Lagrange(3, 2, 7), lambda x: x * x, cut.stacked, anyk.Inline(7))
    assert np.array_equal(cut.join(outcome.value), X * X)


def test_sums_do_not_see_the_rows_of_padding():
    X = np.arange(14.0).reshape(7, 2)
    value = anyk.run(
        anyk.Replication(3, 3), lambda x: x.T @ x, anyk.blocks(X, 3).stacked, anyk.Inline(3)
    ).value
    assert np.array_equal(value.sum(axis=0), X.T @ X)


@pytest.mark.parametrize(
    "dtype", ["float32", "int8", "uint64", "bool", "complex64", "U3", "S2", "M8[s]", "i4,f8", "O"]
)
def test_the_dtype_is_kept(dtype):
    X = np.ones(5).astype(dtype)
    cut = anyk.blocks(X, 2)
    assert cut.stacked.dtype == cut[1].dtype == mapped(np.copy, cut).dtype == X.dtype
    assert np.array_equal(mapped(np.copy, cut), X)


def test_equal_blocks_of_an_array_are_a_view():
    X = np.arange(6)
    assert np.shares_memory(anyk.blocks(X, 3).stacked, X)
    assert np.shares_memory(anyk.blocks(X, 4)[0], X)


def test_frames_are_cut_by_rows_whatever_their_index():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame(
        {"n": [1, 2, 3, 4, 5], "word": pd.Categorical(list("abacb")), "x": [0.5, None, 1, 2, 3]},
        index=[7, 7, 3, 1, 0],
    )
    cut = anyk.blocks(X, 2)
    assert [type(each) for each in cut] == [pd.DataFrame] * 2
    pd.testing.assert_frame_equal(mapped(lambda frame: frame, cut), X)
    pd.testing.assert_series_equal(mapped(lambda frame: frame["n"] * 2, cut), X["n"] * 2)
    with pytest.raises(anyk.InvalidArgument, match="columns go together as object"):
        cut.stacked  # noqa: B018 - a property


def test_frames_of_numbers_are_arrays_for_schemes():
    pd = pytest.importorskip("pandas")
    X = pd.DataFrame({"n": [1, 2, 3, 4, 5], "x": [0.5, 1.5, 1, 2, 3]})
    cut = anyk.blocks(X, 2)
    assert cut.stacked.shape == (2, 3, 2)
    assert np.array_equal(ran(lambda block: block.sum(axis=1), cut), X.sum(axis=1))
    with pytest.raises(anyk.InvalidArgument, match="53 bits beside columns of floats"):
        anyk.blocks(X.assign(n=X["n"] + (1 << 53)), 2).stacked  # noqa: B018 - a property
    series = anyk.blocks(X["n"] + (1 << 53), 2)
    assert series.stacked.tolist() == [[(1 << 53) + n for n in (1, 2, 3)],
                                       [(1 << 53) + 4, (1 << 53) + 5, 0]]  # fmt: skip


@pytest.mark.parametrize("kind", ["csr", "csc", "coo", "lil", "dia"])
def test_sparse_rows_are_for_maps_and_not_for_schemes(kind):
    X = scipy.sparse.random_array((7, 4), density=0.4, rng=0, format=kind)
    cut = anyk.blocks(X, 3)
    assert {each.format for each in cut} == {kind}
    assert np.array_equal(mapped(lambda block: block, cut).toarray(), X.toarray())
    assert np.allclose(mapped(lambda block: block @ np.ones(4), cut), X @ np.ones(4))
    with pytest.raises(anyk.InvalidArgument, match="not sparse"):
        anyk.run(anyk.Replication(3, 3), np.sum, cut, anyk.Inline(3))


def test_tensors_are_cut_as_tensors():
    torch = pytest.importorskip("torch")
    X = torch.arange(10, dtype=torch.float32).reshape(5, 2)
    cut = anyk.blocks(X, 2)
    assert cut.stacked.shape == (2, 3, 2)
    assert cut.stacked.dtype == torch.float32
    assert torch.equal(mapped(lambda block: block * 2, cut), X * 2)
    assert torch.equal(cut.join(cut.stacked), X)


def test_lists_are_cut_as_lists():
    cut = anyk.blocks(["a", "b", "c"], 2)
    assert list(cut) == [["a", "b"], ["c"]]
    assert mapped(lambda words: [word * 2 for word in words], cut) == ["aa", "bb", "cc"]
    assert anyk.blocks((1, 2, 3), 2)[1] == (3,)
    assert anyk.blocks([1, 2, 3], 2).stacked.tolist() == [[1, 2], [3, 0]]
    for odd in (["a", "b"], [[1], [1, 2]]):
        with pytest.raises(anyk.InvalidArgument, match="no numbers of one shape"):
            anyk.blocks(odd, 2).stacked  # noqa: B018 - a property


def test_arrays_that_mean_more_than_their_numbers_are_told_where_to_go():
    masked = np.ma.array([1, 2, 3], mask=[0, 1, 0])
    cut = anyk.blocks(masked, 2)
    assert mapped(lambda block: block + 1, cut).tolist() == [2, None, 4]
    with pytest.raises(anyk.InvalidArgument, match=r"a masked array.*\.filled"):
        cut.stacked  # noqa: B018 - a property


def test_arrays_of_galois_are_told_what_anyk_takes():
    galois = pytest.importorskip("galois")
    X = galois.GF(7)([1, 2, 3])
    with pytest.raises(anyk.InvalidArgument, match=r"galois.*X\.view\(np\.ndarray\)"):
        anyk.blocks(X, 2).stacked  # noqa: B018 - a property
    assert anyk.blocks(X.view(np.ndarray), 2).stacked.tolist() == [[1, 2], [3, 0]]


def test_what_is_not_one_for_each_row_is_not_joined():
    cut = anyk.blocks(np.arange(7), 3)
    for values in ([1, 2, 3], [[1], [2], [3]], ["abc", "ab", "ab"], [{}, {}, {}]):
        with pytest.raises(anyk.InvalidArgument, match="a value for each of its"):
            cut.join(values)
    with pytest.raises(anyk.InvalidArgument, match="none for blocks 1"):
        cut.join([[1, 2, 3], None, [1, 2]])
    with pytest.raises(anyk.InvalidArgument, match="a value for each of 3 blocks"):
        cut.join([[1, 2, 3], [4, 5]])
    assert cut.join(anyk.map(np.copy, cut, anyk.Inline(2))).tolist() == [*range(7)]


def test_a_block_is_found_by_its_place():
    cut = anyk.blocks(np.arange(7), 3)
    assert cut[-1].tolist() == [5, 6]
    assert [each.tolist() for each in cut[1:]] == [[3, 4], [5, 6]]
    with pytest.raises(IndexError):
        cut[3]
