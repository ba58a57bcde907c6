"""Placement: a rack of neighbouring workers is no gap on a curve, and no block's every copy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import anyk
from anyk.privacy.information import bits_learned
from anyk.schemes.placement import scattered


def longest_run(missing):
    """The most adjacent places that are missing, of booleans (N,)."""
    ends = np.flatnonzero(~np.concatenate([[False], missing, [False]]))
    return int(np.diff(ends).max()) - 1


def racks(workers, size):
    """Every run of so many neighbouring workers."""
    return (np.arange(first, first + size) for first in range(workers - size + 1))


@given(st.integers(1, 3000))
def test_every_worker_has_a_place_of_its_own(workers):
    assert sorted(scattered(workers).tolist()) == list(range(workers))


@pytest.mark.parametrize("workers", [1, 2, 3, 4, 5, 7, 8, 12, 20, 29, 60, 64, 100, 233, 1000])
def test_a_rack_leaves_no_two_adjacent_places_empty(workers):
    """Two adjacent places belong to workers at least 0.41 N apart, three to ones 0.58 N apart."""
    order = np.argsort(scattered(workers))
    for adjacent, apart in ((2, 0.41), (3, 0.58)):
        if workers > adjacent:
            groups = np.lib.stride_tricks.sliding_window_view(order, adjacent)
            assert (np.ptp(groups, axis=1) >= apart * workers - 1).all()


@pytest.mark.parametrize(("workers", "size"), [(20, 5), (60, 6), (60, 30), (60, 45), (100, 33)])
def test_a_rack_makes_a_narrower_gap_than_as_many_workers_at_random(workers, size):
    rng = np.random.default_rng(0)
    places = scattered(workers)

    def gap(who):
        return longest_run(np.isin(np.arange(workers), places[who]))

    rack = max(gap(who) for who in racks(workers, size))
    anywhere = np.mean([gap(rng.permutation(workers)[:size]) for _ in range(300)])
    assert rack < anywhere


@pytest.mark.parametrize("ordering", ["path", None])
def test_a_rack_of_the_curve_is_spread_over_it(ordering):
    encoded = anyk.Spline(10, 40, ordering=ordering).encode(np.arange(10.0))
    points = encoded.layout.at(range(40))
    order = np.argsort(points)
    for who in racks(40, 12):
        assert longest_run(np.isin(order, who)) == 1
    np.testing.assert_allclose(encoded.shares, encoded.encoder.data @ np.arange(10.0), atol=1e-9)


def test_a_rack_of_berrut_and_of_analog_lagrange_is_spread():
    for scheme in (anyk.Berrut(4, 40), anyk.AnalogLagrange(4, 1, 40)):
        data = scheme.encoder(None).data
        order = np.argsort(scattered(40))
        steps = np.abs(np.diff(data[order], axis=0)).max()
        assert np.abs(data[np.roll(order, -1)] - data[order])[:-1].max() == steps
        assert steps < 0.7 * np.abs(np.diff(data, axis=0)).max()  # by number they jump about
        for who in racks(40, 12):
            assert longest_run(np.isin(order, who)) == 1


@pytest.mark.parametrize(("blocks", "workers"), [(8, 12), (8, 16), (7, 24), (30, 31), (30, 45)])
def test_copies_of_a_block_are_far_from_each_other(blocks, workers):
    for seed in range(20):
        X = np.random.default_rng(seed).normal(size=(blocks, 2))
        held = anyk.FilledReplication(blocks, workers).encode(X).layout.held
        for block in range(blocks):
            copies = np.flatnonzero(held == block)
            if copies.size > 1:
                assert np.diff(copies).min() >= workers % blocks or workers % blocks == 0
        full = held[: workers // blocks * blocks].reshape(-1, blocks)
        assert (full == full[0]).all()


def test_one_more_copy_is_as_far_away_as_can_be():
    X = np.append(np.arange(29.0), 60.0)
    held = anyk.FilledReplication(30, 31).encode(X).layout.held
    assert held[0] == held[30]


def test_a_rack_of_fewer_workers_than_blocks_is_spread_along_the_path():
    encoded = anyk.FilledReplication(60, 30).encode(np.arange(60.0))
    held = encoded.layout.held
    order = np.argsort(held)
    for who in racks(30, 9):
        assert longest_run(np.isin(order, who)) == 1


@pytest.mark.parametrize(("blocks", "workers"), [(1, 16), (2, 18), (3, 40)])
def test_neighbours_hold_no_two_copies_of_a_veil(blocks, workers):
    scheme = anyk.VeiledReplication(blocks, workers, colluders=1, leakage=0.5)
    layout = scheme.encode(np.zeros(blocks)).layout
    veils = len(np.unique(layout.veils[: workers // blocks * blocks]))
    whole = min(veils, workers // blocks // len(layout.points))
    seen = set()
    for rack in racks(workers // blocks * blocks, blocks * whole):
        held = list(zip(layout.held[rack].tolist(), layout.veils[rack].tolist(), strict=True))
        assert len(set(held)) == len(held)
        seen |= set(held)
    copies = set(zip(layout.held.tolist(), layout.copies.tolist(), strict=True))
    assert len(copies) == workers
    assert {copy for _, copy in copies} == set(range(-(-workers // blocks)))


def test_two_neighbours_learn_little_more_than_one_and_so_do_any_two():
    scheme = anyk.VeiledReplication(1, 16, colluders=1, leakage=0.5)
    encoder = scheme.encode(np.zeros(1)).encoder

    def learned(who):
        return bits_learned(encoder.data[who], encoder.masks[who], variance=1.0)

    assert max(learned(who) for who in racks(16, 2)) <= 1.0
    assert max(learned([0, other]) for other in range(1, 16)) <= 4.0 * 0.5
