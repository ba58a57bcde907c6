"""All that workers are sent in a training, but for the numbers of shares, is the same for all data.

Shares are masked: that they are uniform is tested where they are made.
"""

import itertools
import warnings

import numpy as np
import pytest
from noted import Noted
from scipy import sparse

import anyk
from anyk.learn import CodedLinearRegression, CodedLogisticRegression

ROWS, COLUMNS = 40, 3
SCALINGS = ("standard", "unit", "none")
SETTINGS = (
    {},
    {"fit_intercept": False},
    {"primes": 1},
    {"primes": 3, "data_bits": 12, "weight_bits": 9},
    {"adversaries": 1, "stragglers": 0},
    {"colluders": 2},
)
OF_LINES = ({"alpha": 2.0}, {"alpha": 0.0, "tol": None})
OF_CHANCES = (
    {"C": 1e-3},
    {"C": float("inf")},
    {"degree": 1},
    {"degree": 1, "momentum": False, "step": 0.1},
    {"degree": 3, "workers": 16, "interval": 2.0},
)


def trained(kind, X, y, sample_weight=None, **parameters):
    """What workers were sent in a training, in order."""
    settings = {"workers": 11, "max_iter": 4, "tol": None, **parameters}
    with anyk.Inline(settings["workers"]) as inner, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of too few iterations
        spy = Noted(inner)
        kind(executor=spy, verbose=0, **settings).fit(X, y, sample_weight)
    return spy.seen


def tables():
    """Tables of one shape that are as different as can be."""
    generator = np.random.default_rng(0)
    normal = generator.standard_normal((ROWS, COLUMNS))
    yield normal, normal[:, 0] > 0
    yield generator.standard_cauchy((ROWS, COLUMNS)) * 1e30, np.arange(ROWS) % 2 == 0
    yield (generator.random((ROWS, COLUMNS)) < 0.1) * 1e-30, np.arange(ROWS) == 7
    yield np.repeat(normal[:, :1], COLUMNS, axis=1), normal[:, 1] > 1
    yield np.c_[np.sign(normal[:, 0]), np.ones((ROWS, COLUMNS - 1))], normal[:, 0] > 0
    yield np.zeros((ROWS, COLUMNS)), np.arange(ROWS) < 3


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (kind, {"scaling": scaling, **parameters})
        for kind, own in (
            (CodedLinearRegression, OF_LINES),
            (CodedLogisticRegression, OF_CHANCES),
        )
        for scaling, parameters in (
            *itertools.product(SCALINGS[1:], SETTINGS[:2]),
            *itertools.product(SCALINGS[:1], (*SETTINGS, *own)),
        )
    ],
)
def test_what_workers_see_of_a_training_is_the_same_for_all_data(kind, parameters):
    seen = [trained(kind, X, y, **parameters) for X, y in tables()]
    rounds = 4 if parameters.get("degree") else 8
    assert [what for what, *_ in seen[0]] == ["place", *["dispatch"] * rounds, "release"]
    for other in seen[1:]:
        assert other == seen[0]


def test_the_number_of_rounds_tells_of_the_data_unless_it_is_fixed():
    for tol, same in ((1e-4, False), (None, True)):
        lengths = {
            len(trained(CodedLogisticRegression, *each, tol=tol, max_iter=20)) for each in tables()
        }
        assert (len(lengths) == 1) is same


@pytest.mark.parametrize("classes", [2, 3])
def test_the_number_of_classes_is_seen_and_nothing_else_of_labels(classes):
    generator = np.random.default_rng(1)
    X = generator.standard_normal((ROWS, COLUMNS))
    each = [
        np.arange(ROWS) % classes,
        np.minimum(np.arange(ROWS), classes - 1),
        generator.permutation(np.arange(ROWS) % classes) * 1000,
    ]
    seen = [trained(CodedLogisticRegression, X, labels) for labels in each]
    assert seen[0] == seen[1] == seen[2]


def weights():
    """Weights of rows that are as different as can be."""
    generator = np.random.default_rng(2)
    yield None
    yield 3.0
    yield generator.lognormal(0, 3, ROWS)
    yield (np.arange(ROWS) % 4 < 2).astype(float)  # half of the rows might as well not be there
    yield np.where(np.arange(ROWS) < 3, 1.0, 1e-200)


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (CodedLinearRegression, {}),
        (CodedLinearRegression, {"alpha": 2.0, "scaling": "none", "fit_intercept": False}),
        (CodedLogisticRegression, {"scaling": "unit"}),
        (CodedLogisticRegression, {"primes": 1}),
        (CodedLogisticRegression, {"degree": 1}),
    ],
)
def test_nothing_is_seen_of_weights(kind, parameters):
    table = list(tables())[1]
    X, y = table[0].clip(-1e30, 1e30), np.arange(ROWS) % 2
    seen = [trained(kind, X, y, weight, **parameters) for weight in weights()]
    if kind is CodedLogisticRegression:
        seen.extend(
            trained(kind, X, y, class_weight=each, **parameters)
            for each in ("balanced", {1: 1e6}, {0: 1e-6, 1: 3.0})
        )
    assert len(seen[0]) > 5
    assert all(other == seen[0] for other in seen[1:])


@pytest.mark.parametrize("targets", [1, 4])
def test_the_number_of_targets_is_seen_and_nothing_else_of_them(targets):
    generator = np.random.default_rng(3)
    X = generator.standard_normal((ROWS, COLUMNS))
    each = [
        generator.standard_normal((ROWS, targets)),
        np.zeros((ROWS, targets)),
        generator.standard_cauchy((ROWS, targets)) * np.logspace(-90, 90, targets),
    ]
    seen = [trained(CodedLinearRegression, X, y) for y in each]
    assert seen[0] == seen[1] == seen[2]
    assert (trained(CodedLinearRegression, X, X[:, 0]) == seen[0]) is (targets == 1)


@pytest.mark.parametrize("kind", [CodedLinearRegression, CodedLogisticRegression])
def test_which_entries_of_a_sparse_table_are_zero_is_not_seen(kind):
    y = np.arange(ROWS) % 2
    each = [sparse.csr_array(X) for X, _ in tables()]
    seen = [trained(kind, X, y) for X in (*each, each[0].toarray())]
    assert all(other == seen[0] for other in seen[1:])
