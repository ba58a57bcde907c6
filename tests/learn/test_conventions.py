"""scikit-learn's own checks, and its tools around the estimators."""

import inspect
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks

import anyk
from anyk.learn import CodedLinearRegression, CodedLogisticRegression

BOTH = [CodedLogisticRegression, CodedLinearRegression]


@parametrize_with_checks([kind(verbose=0) for kind in BOTH])
def test_scikit_learn_agrees(estimator, check):
    check(estimator)  # no failure is expected


@pytest.mark.parametrize("kind", BOTH)
def test_a_clone_has_the_same_workers_and_a_pickle_has_none(kind):
    X, y = np.eye(6), np.array([0, 1, 0, 1, 0, 1])
    with anyk.Threads(8) as executor:
        model = kind(executor=executor, iterations=3, random_state=1).fit(X, y)
        copy = clone(model)
        assert copy.executor is executor
        assert not hasattr(copy, "coef_")
        assert copy.get_params() == model.get_params()
        again = pickle.loads(pickle.dumps(model))
    assert again.executor is None
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    np.testing.assert_array_equal(again.fit(X, y).coef_, model.coef_)


def test_a_grid_is_searched_on_one_executor():
    X, y = load_iris(return_X_y=True)
    with anyk.Threads(8) as executor:
        model = CodedLogisticRegression(executor=executor, random_state=0, iterations=10)
        search = GridSearchCV(model, {"scaling": ["standard", "unit"]}, cv=3).fit(X, y)
        assert search.best_score_ > 0.75
        anyk.run(anyk.Lagrange(2, 1, 8), np.negative, [1, 2], executor)  # still open


def test_three_classes_at_once():
    X, y = load_iris(return_X_y=True)
    labels = np.array(["setosa", "versicolor", "virginica"])[y]
    model = CodedLogisticRegression(workers=16, degree=3, random_state=0).fit(X, labels)
    assert model.coef_.shape == (3, 4)
    assert model.score(X, labels) > 0.84  # the best that one against the rest does is near 0.9
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    assert set(model.predict(X)) <= set(labels)


def test_least_squares_comes_close():
    X, y = load_diabetes(return_X_y=True)
    model = CodedLinearRegression(random_state=0, iterations=100, primes=2).fit(X, y)
    assert model.score(X, y) > LinearRegression().fit(X, y).score(X, y) - 0.005
    assert len(model.loss_) == model.n_iter_ == 100
    assert model.loss_[-1] < model.loss_[0] / 1.9
    without = CodedLinearRegression(random_state=0, fit_intercept=False).fit(X, y)
    assert without.intercept_ == 0.0


def test_the_loss_is_the_log_loss():
    generator = np.random.default_rng(0)
    X = generator.standard_normal((300, 3))
    y = (X[:, 0] + 0.5 * generator.standard_normal(300) > 0).astype(int)
    losses = CodedLogisticRegression(random_state=0, momentum=False).fit(X, y).loss_
    assert losses[0] == pytest.approx(np.log(2))
    assert losses[-1] < 0.4


@pytest.mark.parametrize("kind", BOTH)
def test_every_parameter_and_attribute_is_documented(kind):
    text = inspect.getdoc(kind)
    model = kind(iterations=1).fit(np.eye(4), [0, 1, 0, 1])
    for name in (*model.get_params(), *(each for each in vars(model) if each.endswith("_"))):
        assert re.search(rf"^    {name}: ", text, re.MULTILINE), name


def test_without_scikit_learn_the_extra_is_named():
    code = """
import sys
sys.modules['sklearn'] = None
import anyk
try:
    import anyk.learn
except ImportError as error:
    assert ".[learn]" in str(error), error
else:
    raise AssertionError("imported")
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("scale", [2.0**-800, 2.0**800])
@pytest.mark.parametrize("scaling", ["standard", "unit"])
def test_units_of_any_size_give_the_same_model(scale, scaling):
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = X @ [1.0, -2.0]
    like, large, tall = (
        CodedLinearRegression(random_state=0, verbose=0, scaling=scaling).fit(a * X, b * y)
        for a, b in ((1.0, 1.0), (scale, 1.0), (1.0, scale))
    )
    assert like.score(X, y) > 0.99
    assert np.array_equal(large.coef_ * scale, like.coef_)
    assert np.array_equal(tall.coef_, like.coef_ * scale)


@pytest.mark.parametrize("scaling", ["standard", "unit"])
def test_units_in_which_no_coefficient_is_a_number_are_refused(scaling):
    X = np.arange(8.0).reshape(4, 2) * 1e-300
    with pytest.raises(anyk.InvalidArgument, match="X: got feature 0, which varies by"):
        CodedLinearRegression(scaling=scaling).fit(X, np.arange(4.0))


@pytest.mark.parametrize(
    ("kind", "bad"),
    [(CodedLinearRegression, {"step": "fast"}), (CodedLinearRegression, {"weight_norm": "auto"}),
     (CodedLinearRegression, {"step": np.ones(2)}), (CodedLogisticRegression, {"interval": None}),
     (CodedLogisticRegression, {"interval": np.inf})],
)  # fmt: skip
def test_parameters_that_are_no_numbers_are_refused(kind, bad):
    with pytest.raises(anyk.InvalidArgument, match=f"{next(iter(bad))}: got .* positive number"):
        kind(**bad).fit(np.eye(4), [0, 1, 0, 1])


def test_features_too_large_for_their_bits_are_refused():
    with pytest.raises(anyk.InvalidArgument, match="X: got features as large as 1e\\+308"):
        CodedLinearRegression(scaling="none").fit(np.eye(4) * 1e308, np.arange(4.0))
