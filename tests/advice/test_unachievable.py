"""Every scheme that is too small: what the error adds, takes or lowers is enough."""

import dataclasses
import itertools
import re

import pytest

import anyk

FIELD, FIVE = anyk.PrimeField(), anyk.PrimeField(23)
WORKERS, THREE, NONE_OR = [1, 2, 4, 7], [1, 2, 3], [None, 0, 2, 5]
GRIDS = {
    anyk.Lagrange: {
        "blocks": THREE, "degree": THREE, "adversaries": [0, 1, 2], "colluders": [0, 1, 2],
        "pieces": [1, 2], "detects": [None, 3], "field": [FIELD, FIVE],
    },
    anyk.Shamir: {
        "blocks": THREE, "degree": THREE, "adversaries": [0, 1], "colluders": [1, 2],
        "detects": [None, 3], "field": [FIELD, anyk.PrimeField(7)],
    },
    anyk.Replication: {
        "blocks": THREE, "adversaries": [0, 1, 2], "detects": [None, 2, 3],
        "reactive": [False, True],
    },
    anyk.FractionalRepetition: {
        "blocks": THREE, "stragglers": [0, 2], "adversaries": [0, 1, 2], "detects": [None, 2, 3],
        "reactive": [False, True],
    },
    anyk.AnalogLagrange: {
        "blocks": [1, 2, 3], "degree": [1, 2], "adversaries": [0, 1, 2], "stragglers": NONE_OR,
    },
    anyk.Berrut: {"blocks": THREE, "adversaries": [0, 1, 2], "stragglers": NONE_OR},
    anyk.Spline: {"blocks": THREE, "adversaries": [0, 1, 2], "stragglers": NONE_OR},
    anyk.FilledReplication: {"blocks": THREE, "stragglers": NONE_OR},
    anyk.VeiledReplication: {
        "blocks": THREE, "colluders": THREE, "adversaries": [0, 1], "leakage": [5.0],
        "stragglers": NONE_OR,
    },
    anyk.CyclicRepetition: {
        "stragglers": [0, 1, 2, 5], "detects": [None, 1, 3], "adversaries": [0, 1],
    },
    anyk.YeAbbe: {"stragglers": [0, 1, 2, 5], "message": [1, 2, 3]},
    anyk.CyclicMDS: {"stragglers": [0, 2], "detects": [None, 3], "adversaries": [0, 2]},
    anyk.PartialWork: {
        "stragglers": [0, 1, 5], "adversaries": [0, 1, 2], "detects": [None, 2, 3],
    },
    anyk.Polynomial: {
        "partition": [(1, 1, 1), (2, 1, 2), (2, 1, 3)], "adversaries": [0, 1, 2],
        "pieces": [1, 2, 3], "detects": [None, 2], "colluders": [0, 1, 2],
    },
    anyk.MatDot: {
        "partition": [(1, 1, 1), (1, 3, 1)], "adversaries": [0, 1, 2], "pieces": [1, 2],
        "detects": [None, 2], "colluders": [0, 1, 2],
    },
    anyk.PolyDot: {"partition": [(1, 2, 1), (2, 2, 1), (1, 2, 3)], "adversaries": [0, 1]},
    anyk.Entangled: {
        "partition": [(1, 2, 1), (2, 2, 1), (2, 2, 2)], "adversaries": [0, 1, 2],
        "pieces": [1, 2, 3], "detects": [None, 2],
    },
    anyk.CSA: {
        "partition": [(1, 1, 1)], "batch": [4], "groups": [1, 2, 4], "adversaries": [0, 1],
        "colluders": [0, 1, 2], "pieces": [1, 2], "detects": [None, 2],
    },
    anyk.GCSA: {
        "partition": [(1, 1, 1), (2, 1, 1)], "batch": [2], "groups": [1, 2],
        "adversaries": [0, 1], "colluders": [0, 1], "detects": [None, 2],
    },
    anyk.FoldedGram: {
        "partition": [(1, 2, 1), (2, 1, 2)], "adversaries": [0, 1, 2], "pieces": [1, 2],
        "detects": [None, 2],
    },
    anyk.MDS: {
        "partition": [(1, 1, 1), (4, 1, 1)], "adversaries": [0, 2], "pieces": [1, 3],
        "domain": [FIELD],
    },
    anyk.OrthoMatDot: {"partition": [(1, 4, 1), (1, 7, 1)], "pieces": [1, 2, 3]},
    anyk.OrthoPolynomial: {"partition": [(3, 1, 2), (4, 1, 3)], "pieces": [1, 2, 3]},
    anyk.Rotation: {"partition": [(16, 1, 1), (6, 1, 8)], "pieces": [1, 2, 3]},
    anyk.Circulant: {"partition": [(40, 1, 1), (90, 1, 1), (200, 1, 1)], "pieces": [1, 2, 3]},
    anyk.ChebyshevLagrange: {
        "blocks": [1, 2, 3], "degree": [1, 2], "stragglers": NONE_OR, "detects": [None, 0, 2],
    },
    anyk.Sparse: {
        "partition": [(1, 1, 1), (2, 1, 1), (5, 1, 1)], "adversaries": [0, 1, 2],
        "pieces": [1, 2, 3], "detects": [None, 2],
    },
    anyk.ShortDot: {
        "partition": [(1, 1, 1), (2, 1, 1)], "threshold": [2, 5], "adversaries": [0, 1, 2],
        "pieces": [1, 2, 3], "detects": [None, 2],
    },
}  # fmt: skip
LEAST = {"blocks": 1, "degree": 1, "message": 1}


def made(kind, given):
    """The scheme, or the error that says that it needs more workers."""
    try:
        return kind(**given)
    except anyk.Unachievable as error:
        return error


def too_small(kind, given):
    found = made(kind, given)
    return isinstance(found, anyk.Unachievable) and " worker" in found.change


def other_bound(kind, given, error):
    """Whether it is another inequality that fails now, if one does."""
    found = made(kind, given)
    return not too_small(kind, given) or bound_of(found) != bound_of(error)


def bound_of(error):
    return error.needed.split(", that is")[0].split(" = max")[0]


def enough_by(kind, given):
    """Follow the advice on workers, of which one less is not enough."""
    error = made(kind, given)
    how, number = re.match(r"(Add|Take) (\d+) worker", error.change).groups()
    workers = int(number) + (given["workers"] if how == "Add" else 0)
    assert too_small(kind, {**given, "workers": workers - 1}), (given, error)
    assert other_bound(kind, {**given, "workers": workers}, error), (given, error)


def lowered(kind, given):
    """Follow each of the advice on what to lower."""
    error = made(kind, given)
    told = re.search(r"or lower (.*)\.$", error.change)
    names = re.split(r", | or ", told[1]) if told else []
    for name in names:
        if name in {"m", "n"}:
            m, p, n = given["partition"]
            less = {"partition": (1, p, n) if name == "m" else (m, p, 1)}
        else:
            least = LEAST.get(
                name, given["adversaries"] if name == "detects" and "adversaries" in given else 0
            )
            if name == "colluders" and kind in {anyk.Shamir, anyk.VeiledReplication}:
                least = 1
            assert given[name] > least
            less = {name: least}
        assert other_bound(kind, {**given, **less}, error), (given, less, error)
    for name in {each.name for each in dataclasses.fields(kind)} & LEAST.keys():
        if name in given and name not in names and given[name] > 1:
            assert too_small(kind, {**given, name: 1}), (given, name, error)


@pytest.mark.parametrize("kind", GRIDS)
def test_who_follows_the_numbers_has_a_scheme(kind):
    grid, tried = {"workers": WORKERS, **GRIDS[kind]}, 0
    for values in itertools.product(*grid.values()):
        given = dict(zip(grid, values, strict=True))
        try:
            small = too_small(kind, given)
        except anyk.InvalidArgument:  # as detects below adversaries, which is told first
            continue
        if small:
            enough_by(kind, given)
            lowered(kind, given)
            tried += 1
    assert tried >= 10
