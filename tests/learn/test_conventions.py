"""scikit-learn's own checks, and its tools around the estimators."""

import copy as copy_module
import inspect
import pickle
import re
import subprocess
import sys

import numpy as np
import pytest
from joblib import parallel_backend
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import anyk
from anyk.learn import CodedLinearRegression, CodedLogisticRegression

BOTH = [CodedLogisticRegression, CodedLinearRegression]


INLINE = anyk.Inline(8)
SORTS = [
    *(kind(verbose=0) for kind in BOTH),
    *(kind(executor=INLINE, verbose=0) for kind in BOTH),
    CodedLogisticRegression(degree=1, max_iter=10, tol=1e3, executor=INLINE, verbose=0),
]
EQUIVALENCE = (
    "check_sample_weight_equivalence_on_dense_data",
    "check_sample_weight_equivalence_on_sparse_data",
)
COPIES = "check_set_params", "check_estimators_overwrite_params"


def expected(estimator):
    """What fails, and why; test_weights.py has the checks of weights, with a tolerance."""
    reasons = {}
    if isinstance(estimator, CodedLogisticRegression):
        close = "log-odds that are close to 0 agree to 1e-7, and not to 1e-7 of themselves"
        line = "a line is fitted in a fixed number of steps, to two digits or so"
        reasons |= dict.fromkeys(EQUIVALENCE, close if estimator.degree is None else line)
    if estimator.executor is not None:
        reasons |= dict.fromkeys(COPIES, "parameters are copied and pickled; an executor can't be")
    return reasons


@parametrize_with_checks(SORTS, expected_failed_checks=expected)
def test_scikit_learn_agrees(estimator, check):
    check(estimator)


@pytest.mark.parametrize("kind", BOTH)
def test_a_clone_has_the_same_workers_and_a_pickle_has_none(kind):
    X, y = np.eye(6), np.array([0, 1, 0, 1, 0, 1])
    with anyk.Threads(8) as executor:
        model = kind(executor=executor, random_state=1).fit(X, y)
        copy = clone(model)
        assert copy.executor is executor
        assert not hasattr(copy, "coef_")
        assert copy.get_params() == model.get_params()
        again = pickle.loads(pickle.dumps(model))
        for twin in (copy_module.copy(model), copy_module.deepcopy(model)):
            assert twin.executor is executor
            np.testing.assert_array_equal(twin.fit(X, y).coef_, model.coef_)
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    for left in (again, clone(again), pickle.loads(pickle.dumps(again))):
        with pytest.raises(anyk.InvalidArgument, match="the Threads of this estimator stayed") as e:
            left.fit(X, y)
        assert "n_jobs=1" in str(e.value)
        assert "set_params(executor=...)" in str(e.value)
    np.testing.assert_array_equal(again.set_params(executor=None).fit(X, y).coef_, model.coef_)


@pytest.mark.parametrize("kind", BOTH)
def test_a_pickle_that_had_no_executor_trains_as_before(kind):
    X, y = np.eye(6), np.array([0, 1, 0, 1, 0, 1])
    again = pickle.loads(pickle.dumps(kind(random_state=1)))
    np.testing.assert_array_equal(again.fit(X, y).coef_, kind(random_state=1).fit(X, y).coef_)


@pytest.mark.filterwarnings("ignore")  # scikit-learn's, of each fit that failed
def test_a_search_in_other_processes_is_refused_and_says_why():
    X, y = load_iris(return_X_y=True)
    with anyk.Inline(8) as executor:
        pipeline = make_pipeline(StandardScaler(), CodedLogisticRegression(executor=executor))
        search = GridSearchCV(pipeline, {"codedlogisticregression__C": [1.0, 2.0]}, cv=2, n_jobs=2)
        with pytest.raises(ValueError, match="the Inline of this estimator stayed"):
            search.fit(X, y)
        with parallel_backend("threading"):
            assert search.fit(X, y).best_score_ > 0.9


def test_a_grid_is_searched_on_one_executor():
    X, y = load_iris(return_X_y=True)
    with anyk.Threads(8) as executor:
        model = CodedLogisticRegression(executor=executor, random_state=0)
        search = GridSearchCV(model, {"scaling": ["standard", "unit"]}, cv=3).fit(X, y)
        assert search.best_score_ > 0.9
        anyk.run(anyk.Lagrange(2, 1, 8), np.negative, [1, 2], executor)  # still open


def test_three_classes_at_once():
    X, y = load_iris(return_X_y=True)
    labels = np.array(["setosa", "versicolor", "virginica"])[y]
    plain = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, labels)
    model = CodedLogisticRegression(random_state=0).fit(X, labels)
    assert model.coef_.shape == (3, 4)
    assert model.score(X, labels) > plain.score(X, labels) - 0.01
    np.testing.assert_allclose(model.predict_proba(X), plain.predict_proba(X), atol=0.02)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X))
    assert np.isfinite(model.predict_log_proba(X * 1e4)).all()
    assert set(model.predict(X)) <= set(labels)
    with pytest.warns(ConvergenceWarning, match="leave degree out"):
        model.set_params(workers=16, degree=3).fit(X, labels)
    assert model.score(X, labels) > 0.84  # the best that one against the rest does is near 0.9
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1.0)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X))


def test_least_squares_comes_close():
    X, y = load_diabetes(return_X_y=True)
    model, plain = CodedLinearRegression(random_state=0).fit(X, y), LinearRegression().fit(X, y)
    assert model.score(X, y) == pytest.approx(plain.score(X, y), abs=1e-5)
    assert len(model.loss_) == model.n_iter_ + 1 < 30
    assert model.loss_[0] == pytest.approx(np.var(y) / 2)
    assert model.loss_[-1] == pytest.approx(np.mean((model.predict(X) - y) ** 2) / 2)
    assert model.report_.notes == ()
    without = CodedLinearRegression(random_state=0, fit_intercept=False).fit(X, y)
    assert without.intercept_ == 0.0
    for scaling, scaler in (
        ("standard", StandardScaler()),
        ("unit", MinMaxScaler()),
        ("none", None),
    ):
        ridge = CodedLinearRegression(alpha=5.0, tol=1e-9, scaling=scaling).fit(X, y)
        scaled = make_pipeline(scaler, Ridge(5.0)).fit(X, y)
        np.testing.assert_allclose(ridge.predict(X), scaled.predict(X), rtol=1e-4)


def test_the_loss_is_the_log_loss():
    generator = np.random.default_rng(0)
    X = generator.standard_normal((300, 3))
    y = (X[:, 0] + 0.5 * generator.standard_normal(300) > 0).astype(int)
    model = CodedLogisticRegression(random_state=0, tol=1e-7).fit(X, y)
    plain = make_pipeline(StandardScaler(), LogisticRegression(tol=1e-8)).fit(X, y)
    raw = CodedLogisticRegression(tol=1e-9, scaling="none", C=0.01).fit(100 * X, y)
    other = LogisticRegression(C=0.01, tol=1e-9, max_iter=9999).fit(100 * X, y)
    np.testing.assert_allclose(raw.coef_, other.coef_, rtol=1e-3)
    np.testing.assert_allclose(np.exp(model.predict_log_proba(X)), model.predict_proba(X))
    assert np.isfinite(model.predict_log_proba(X * 1e4)).all()
    share = y.mean()
    assert model.loss_[0] == pytest.approx(-share * np.log(share) - (1 - share) * np.log(1 - share))
    assert model.loss_[-1] == pytest.approx(log_loss(y, model.predict_proba(X)))
    assert model.loss_[-1] == pytest.approx(log_loss(y, plain.predict_proba(X)), abs=1e-4)
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        model.set_params(degree=1, momentum=False, max_iter=5).fit(X, y)
    assert model.loss_[0] == pytest.approx(np.log(2))
    assert model.loss_[-1] == pytest.approx(log_loss(y, model.predict_proba(X)))
    assert len(model.loss_) == model.n_iter_ + 1 == 6


@pytest.mark.parametrize("kind", BOTH)
def test_every_parameter_and_attribute_is_documented(kind):
    text = inspect.getdoc(kind)
    model = kind(tol=1.0).fit(np.eye(4), [0, 1, 0, 1])
    model.feature_names_in_ = np.array(["as a data frame has"])
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
    [(CodedLinearRegression, {"tol": "small"}), (CodedLinearRegression, {"alpha": -1.0}),
     (CodedLinearRegression, {"tol": np.inf}), (CodedLogisticRegression, {"C": 0.0}),
     (CodedLogisticRegression, {"C": -np.inf}), (CodedLogisticRegression, {"step": "fast"}),
     (CodedLogisticRegression, {"step": np.ones(2)}), (CodedLogisticRegression, {"interval": None}),
     (CodedLogisticRegression, {"interval": np.inf})],
)  # fmt: skip
def test_parameters_that_are_no_numbers_are_refused(kind, bad):
    model = kind(**bad)
    if bad.keys() & {"step", "interval"}:
        model.set_params(degree=1)
    with pytest.raises(anyk.InvalidArgument, match=f"{next(iter(bad))}: got .* positive number"):
        model.fit(np.eye(4), [0, 1, 0, 1])


def test_features_of_any_size_need_no_scaling():
    X, y = np.eye(4), np.arange(4.0)
    for size in (1e-280, 1.0, 1e300):
        model = CodedLinearRegression(scaling="none").fit(X * size, y)
        assert model.score(X * size, y) > 0.999999
        labels = CodedLogisticRegression(scaling="none", C=np.inf, degree=1, tol=1.0)
        assert labels.fit(X * size, y > 1).score(X * size, y > 1) == 1.0
