"""Ordinary tables that are hard on fixed point: as good as scikit-learn, or a warning."""

import numpy as np
import pytest
from scipy.special import expit
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import anyk
from anyk.learn import CodedLinearRegression, CodedLogisticRegression


def interleaved(generator):
    X = generator.standard_normal((900, 1)) + 0.3 * generator.standard_normal((900, 12))
    X[::3] *= 0.02
    return X


def outlier(generator):
    X = generator.standard_normal((900, 3))
    X[0, 0] = 1e6
    return X


TABLES = {
    "40 brands": lambda generator: np.eye(40)[generator.integers(0, 40, 900)][:, 1:],
    "1 % binaries": lambda generator: (generator.random((900, 10)) < 0.01) * 1.0,
    "lognormal": lambda generator: np.exp(1.5 * generator.standard_normal((900, 3))),
    "Cauchy": lambda generator: np.abs(generator.standard_cauchy((900, 2))),
    "one outlier": outlier,
    "sensors in turn": interleaved,
    "large mean": lambda generator: generator.standard_normal((900, 3)) + 1e8,
    "nearly collinear": lambda generator: (
        generator.standard_normal((900, 1)) + 1e-3 * generator.standard_normal((900, 3))
    ),
}


@pytest.fixture
def parameters():
    with anyk.Inline(8) as executor:
        yield {"executor": executor, "random_state": 0, "verbose": 0}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("scaling", ["standard", "unit"])
def test_least_squares(name, scaling, parameters):
    generator = np.random.default_rng(5)
    X = TABLES[name](generator)
    y = 100.0 + X @ generator.normal(size=X.shape[1]) + 0.1 * generator.standard_normal(900)
    model = CodedLinearRegression(scaling=scaling, **parameters).fit(X, y)  # a warning is an error
    assert model.score(X, y) > LinearRegression().fit(X, y).score(X, y) - 1e-4
    assert model.loss_[-1] == pytest.approx(np.mean((model.predict(X) - y) ** 2) / 2)
    assert model.loss_[-1] <= model.loss_[0]


@pytest.mark.parametrize("name", TABLES)
def test_log_loss(name, parameters):
    generator = np.random.default_rng(6)
    X = TABLES[name](generator)
    scaled = StandardScaler().fit_transform(X)
    y = generator.random(900) < expit(scaled @ generator.normal(size=X.shape[1]))
    model = CodedLogisticRegression(**parameters).fit(X, y)
    plain = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000)).fit(X, y)
    ours, theirs = (log_loss(y, each.predict_proba(X)) for each in (model, plain))
    assert ours < theirs + 2e-3
    assert model.loss_[-1] == pytest.approx(ours)


@pytest.mark.parametrize("degree", [None, 1])
@pytest.mark.parametrize(("strength", "offset"), [(0.1, 0.0), (0.5, 0.0), (1.0, -4.5)])
def test_weak_signals_and_rare_classes_are_no_worse_than_the_base_rate(
    degree, strength, offset, parameters
):
    generator = np.random.default_rng(7)
    X = generator.standard_normal((4000, 5))
    y = generator.random(4000) < expit(strength * X @ [0.8, -0.5, 0.3, 0.0, 0.0] + offset)
    train, test = slice(None, 2000), slice(2000, None)
    model = CodedLogisticRegression(degree=degree, max_iter=60, **parameters)
    model.fit(X[train], y[train])
    plain = LogisticRegression().fit(X[train], y[train])
    ours, theirs = (log_loss(y[test], each.predict_proba(X[test])) for each in (model, plain))
    base = log_loss(y[test], np.full(2000, y[train].mean()))
    assert ours < min(theirs, base) + 5e-3


@pytest.mark.parametrize("load", [load_breast_cancer, load_wine])
def test_real_tables(load, parameters):
    X, y = load(return_X_y=True)
    model = CodedLogisticRegression(**parameters).fit(X[::2], y[::2])
    plain = make_pipeline(StandardScaler(), LogisticRegression()).fit(X[::2], y[::2])
    assert model.score(X[1::2], y[1::2]) > plain.score(X[1::2], y[1::2]) - 0.01


def test_what_is_not_as_good_is_warned_of(parameters):
    generator = np.random.default_rng(8)
    X = generator.standard_normal((300, 1)) + 1e-4 * generator.standard_normal((300, 3))
    y = X @ [1e4, -1e4, 1.0]
    coarse = CodedLinearRegression(primes=1, **parameters)
    with pytest.warns(ConvergenceWarning, match="before rounding, some more .*: raise data_bits"):
        coarse.fit(X, y)
    assert "warning   on the features" in str(coarse.report_)
    assert CodedLinearRegression(**parameters).fit(X, y).score(X, y) > 0.999
    mixture = (
        generator.normal(size=(300, 40)) * np.logspace(0, -3, 40) @ generator.normal(size=(40, 40))
    )
    short = CodedLinearRegression(max_iter=3, **parameters)
    with pytest.warns(ConvergenceWarning, match="in the last of 3 iterations.*: raise max_iter"):
        short.fit(mixture, mixture @ generator.normal(size=40))
    with pytest.warns(ConvergenceWarning, match="polynomial loss moved"):
        CodedLogisticRegression(degree=1, max_iter=3, **parameters).fit(mixture, y > 0)
    skewed = np.exp(1.5 * generator.standard_normal((300, 3)))
    polynomial = CodedLogisticRegression(degree=1, **parameters)
    with pytest.warns(ConvergenceWarning, match="by the sigmoid itself .*: leave degree out"):
        polynomial.fit(skewed, np.log(skewed) @ [2.0, -2.0, 1.0] > 0)
