"""Short paths: permutations, as short as they should be, the same whatever the given order."""

from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from anyk.codes.curves import ordering
from anyk.codes.curves.ordering import chord_positions, path_order

Floats = NDArray[np.float64]


def length(path: Floats) -> float:
    return float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 5))
def test_it_is_a_permutation(seed: int, count: int, width: int) -> None:
    blocks = np.random.default_rng(seed).normal(size=(count, width))
    order = path_order(blocks)
    assert sorted(order) == list(range(count))


def test_points_on_a_line_come_in_their_order() -> None:
    places = np.random.default_rng(0).permutation(50) ** 1.5
    path = places[path_order(places[:, None])]
    assert (np.diff(path) > 0).all() or (np.diff(path) < 0).all()


def test_it_is_near_the_shortest_of_all_paths() -> None:
    rng = np.random.default_rng(1)
    ratios = []
    for _ in range(10):
        blocks = rng.normal(size=(7, 3))
        best = min(length(blocks[list(order)]) for order in permutations(range(7)))
        ratios.append(length(blocks[path_order(blocks)]) / best)
    assert max(ratios) < 1.2
    assert np.mean(ratios) < 1.05


def test_no_reversal_of_a_stretch_shortens_it() -> None:
    blocks = np.random.default_rng(2).normal(size=(40, 4))
    path = blocks[path_order(blocks)]
    for low in range(40):
        for high in range(low + 1, 40):
            other = np.concatenate([path[:low], path[low : high + 1][::-1], path[high + 1 :]])
            assert length(other) >= length(path) - 1e-9


@pytest.mark.parametrize("count", [30, 1800])
def test_the_given_order_does_not_matter(count: int) -> None:
    rng = np.random.default_rng(3)
    blocks = rng.normal(size=(count, 6))
    shuffle = rng.permutation(count)
    path, again = blocks[path_order(blocks)], blocks[shuffle][path_order(blocks[shuffle])]
    assert np.array_equal(path, again) or np.array_equal(path, again[::-1])


def test_many_blocks_go_along_a_curve_to_near_neighbours() -> None:
    blocks = np.random.default_rng(4).uniform(size=(4000, 2))
    order = path_order(blocks)
    assert sorted(order) == list(range(4000))
    assert length(blocks[order]) < 1.3 * np.sqrt(4000)  # the shortest is about 0.71 sqrt(K area)


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_the_hilbert_curve_steps_from_cell_to_cell(
    axes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "_BITS", 3)
    cells = np.stack(np.meshgrid(*[np.arange(8)] * axes, indexing="ij")).reshape(axes, -1)
    along = cells[:, np.argsort(ordering._hilbert_index(cells))]
    assert all(np.abs(b - a).sum() == 1 for a, b in pairwise(along.T))


def test_positions_are_in_proportion_to_distance() -> None:
    path = np.array([[0.0, 0.0], [3.0, 4.0], [3.0, 19.0]])
    np.testing.assert_allclose(chord_positions(path), [-1.0, -0.5, 1.0])
    np.testing.assert_allclose(chord_positions(1e300 * path), [-1.0, -0.5, 1.0])


@pytest.mark.parametrize(
    "path", [np.ones((6, 2)), np.array([[0.0], [0.0], [0.0], [1.0]]), np.zeros((2, 1))]
)
def test_equal_blocks_get_distinct_positions(path: Floats) -> None:
    positions = chord_positions(path)
    assert (np.diff(positions) > 1e-9).all()
    assert positions[0] == -1.0
    assert positions[-1] == 1.0


@pytest.mark.parametrize("count", [5, 1600])
def test_equal_blocks_are_ordered_somehow(count: int) -> None:
    assert sorted(path_order(np.ones((count, 3)))) == list(range(count))


def test_huge_numbers_do_not_overflow() -> None:
    blocks = 1e300 * np.random.default_rng(5).normal(size=(20, 3))
    assert sorted(path_order(blocks)) == list(range(20))
