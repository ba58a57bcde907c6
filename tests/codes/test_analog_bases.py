import itertools

import numpy as np
import pytest

from anyk.codes.analog.chebyshev import chebyshev, chebyshev_points
from anyk.codes.analog.circle import circle
from anyk.codes.analog.circulant import prime_from, shifts
from anyk.codes.analog.parities import parities
from anyk.codes.analog.rotation import rotations, turns
from anyk.codes.analog.trigonometric import trigonometric, worst_gap


def worst(matrix, rows_of_one, count, dimension):
    """The largest condition number over all sets of `dimension` of the points."""
    apart = matrix.reshape(count, rows_of_one, -1)
    return max(
        np.linalg.cond(apart[list(chosen)].reshape(dimension * rows_of_one, -1))
        for chosen in itertools.combinations(range(count), dimension)
    )


def test_published_condition_numbers_at_31_workers_of_whom_two_are_late():
    count, dimension = 31, 29
    exponents = np.outer(np.arange(count), np.arange(dimension))
    plain = np.cos(np.arccos(chebyshev_points(count))[:, None] * np.arange(dimension))
    measured = [
        worst(np.vander(np.linspace(-1, 1, count), dimension), 1, count, dimension),
        worst(plain, 1, count, dimension),
        worst(trigonometric(np.arange(count), count, dimension), 1, count, dimension),
    ]
    assert measured == pytest.approx([2.95e13, 1.22e4, 54.96], rel=0.01)
    gaps = [np.delete(np.arange(count), [at, (at + 1) % count]) for at in range(count)]
    turned = rotations(exponents, turns(count)).reshape(count, 2, -1)
    assert max(np.linalg.cond(turned[gap].reshape(58, -1)) for gap in gaps) == pytest.approx(
        54.96, rel=1e-3
    )


@pytest.mark.parametrize(("count", "dimension"), [(5, 3), (7, 5), (8, 6), (11, 9), (6, 1), (4, 4)])
def test_three_embeddings_have_one_condition_number(count, dimension):
    roots = np.vander(circle(count), dimension, increasing=True)
    bound = worst(roots, 1, count, dimension)
    assert worst(
        trigonometric(np.arange(count), count, dimension), 1, count, dimension
    ) == pytest.approx(bound)
    order = prime_from(count)
    if order == count > dimension:
        moved = shifts(np.outer(np.arange(count), np.arange(dimension)), order)
        assert worst(moved, order - 1, count, dimension) == pytest.approx(bound)
    if count % 2:
        turned = rotations(np.outer(np.arange(count), np.arange(dimension)), count)
        assert worst(turned, 2, count, dimension) == pytest.approx(bound)


@pytest.mark.parametrize(("m", "n"), [(1, 1), (2, 3), (3, 2), (4, 4), (3, 5), (1, 6), (6, 1)])
def test_products_of_two_trigonometric_bases_are_as_stable_as_one(m, n):
    points, count = np.arange(m * n + 2), m * n + 2
    left, right = trigonometric(points, count, m), trigonometric(points, count, n, stride=m)
    both = np.einsum("ij,ik->ijk", left, right).reshape(len(points), -1)
    one = trigonometric(points, count, m * n)
    for chosen in itertools.islice(itertools.combinations(range(len(points)), m * n), 40):
        conditions = [np.linalg.cond(basis[list(chosen)]) for basis in (both, one)]
        assert conditions[0] == pytest.approx(conditions[1])


@pytest.mark.parametrize(("count", "dimension"), [(9, 7), (12, 9), (10, 3), (7, 7), (8, 1)])
def test_no_set_of_points_is_worse_than_the_widest_gap(count, dimension):
    basis = trigonometric(np.arange(count), count, dimension)
    sets = itertools.combinations(range(count), dimension)
    inverses = (np.linalg.inv(basis[list(chosen)]) for chosen in sets)
    amplified = max(np.linalg.norm(inverse) for inverse in inverses) / np.sqrt(dimension)
    assert worst_gap(count, dimension) == pytest.approx(amplified)


def test_orthonormal_chebyshev_polynomials_of_chosen_degrees():
    points = chebyshev_points(9)
    chosen = chebyshev(np.arange(9), 9, np.array([0, 3, 6]))
    assert chosen[:, 1] == pytest.approx(np.sqrt(2) * (4 * points**3 - 3 * points))
    assert chosen.T @ chosen == pytest.approx(9 * np.eye(3), abs=1e-12)


@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
@pytest.mark.parametrize(
    ("spare", "m", "n"), [(1, 3, 1), (3, 2, 3), (4, 5, 1), (2, 1, 1), (5, 1, 3)]
)
def test_any_rows_of_blocks_and_parities_have_an_inverse(spare, m, n, dtype):
    a, b = parities(spare, m, n, dtype)
    assert a.dtype == b.dtype == dtype
    rows = np.vstack([np.eye(m * n), np.einsum("ij,ik->ijk", a, b).reshape(spare, -1)])
    for chosen in itertools.combinations(range(len(rows)), m * n):
        assert np.linalg.cond(rows[list(chosen)]) < 1e4


def test_parities_are_the_same_each_time_and_closed_to_writing():
    again = parities.__wrapped__(4, 6, 2)
    for drawn, before in zip(again, parities(4, 6, 2), strict=True):
        assert np.array_equal(drawn, before)
        assert not before.flags.writeable


def test_forty_spare_pieces_of_240_are_stable():
    coefficients, _ = parities(40, 200, 1)
    rng = np.random.default_rng(11)
    for _ in range(50):
        lost = rng.permutation(240)[:40]
        missing, there = lost[lost < 200], np.setdiff1d(np.arange(40), lost - 200)
        assert np.linalg.cond(coefficients[np.ix_(there, missing)]) < 1e5
