"""Weights of rows and classes, penalties, several targets: as scikit-learn means them."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_linnerud, load_wine
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import anyk
from anyk.learn import CodedLinearRegression, CodedLogisticRegression
from anyk.losses import LogLoss, MultinomialLoss, SquaredLoss

BOTH = [CodedLogisticRegression, CodedLinearRegression]
WEIGHTS = {
    "survey": lambda generator, rows: generator.integers(1, 101, rows).astype(float),
    "half": lambda generator, rows: (generator.random(rows) < 0.5) * generator.random(rows),
    "tiny": lambda generator, rows: generator.random(rows) * 1e-9,
    "heavy tail": lambda generator, rows: generator.lognormal(0, 3, rows),
}


@pytest.fixture
def parameters():
    with anyk.Inline(8) as executor:
        yield {"executor": executor, "random_state": 0, "verbose": 0}


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("load", [load_diabetes, load_linnerud])
@pytest.mark.parametrize("alpha", [0.0, 1.0, 50.0])
def test_weighted_least_squares_with_a_penalty_is_ridge(load, alpha, weights, parameters):
    X, y = load(return_X_y=True)
    weight = WEIGHTS[weights](np.random.default_rng(0), len(y))
    alpha *= weight.mean()
    plain = Ridge(alpha, solver="svd") if alpha else LinearRegression()
    plain.fit(X, y, sample_weight=weight)
    model = CodedLinearRegression(alpha=alpha, scaling="none", tol=1e-12, **parameters)
    model.fit(X, y, sample_weight=weight)
    assert model.coef_.shape == plain.coef_.shape
    assert np.shape(model.intercept_) == np.shape(plain.intercept_)
    np.testing.assert_allclose(model.predict(X), plain.predict(X), rtol=1e-5, atol=1e-3)
    assert model.score(X, y, weight) == pytest.approx(plain.score(X, y, weight), abs=1e-6)
    errors = np.average((model.predict(X) - y) ** 2, axis=0, weights=weight) / 2
    if y.ndim == 1:
        assert model.loss_[-1] == pytest.approx(errors)
    else:
        unit = np.average((y - np.average(y, 0, weight)) ** 2, axis=0, weights=weight)
        assert model.loss_[-1] == pytest.approx(np.mean(errors / unit))


@pytest.mark.parametrize("weights", WEIGHTS)
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1.0, 1: 7.0, 2: 0.5}])
@pytest.mark.parametrize("load", [load_breast_cancer, load_wine])
def test_weighted_log_loss_is_that_of_scikit_learn(load, class_weight, weights, parameters):
    X, y = load(return_X_y=True)
    X = StandardScaler().fit_transform(X)
    weight = WEIGHTS[weights](np.random.default_rng(1), len(y))
    inverse, counts = 0.1 / weight.mean(), np.bincount(y, weights=weight)
    own = {"balanced": counts.sum() / len(counts) / counts, "None": np.ones(3)}
    of_classes = own.get(str(class_weight), np.array([1.0, 7.0, 0.5]))[y]
    plain = LogisticRegression(C=inverse, solver="newton-cholesky", tol=1e-9)
    plain.fit(X, y, sample_weight=weight * of_classes)
    model = CodedLogisticRegression(
        C=inverse, class_weight=class_weight, scaling="none", tol=1e-9, **parameters
    ).fit(X, y, sample_weight=weight)
    size = np.abs(plain.coef_).max()
    np.testing.assert_allclose(model.coef_, plain.coef_, rtol=2e-3, atol=2e-3 * size)
    assert model.score(X, y, weight) == pytest.approx(plain.score(X, y, weight), abs=0.01)
    if class_weight is None:
        losses = [log_loss(y, m.predict_proba(X), sample_weight=weight) for m in (model, plain)]
        assert losses[0] == pytest.approx(losses[1], abs=1e-6)
        assert model.loss_[-1] == pytest.approx(losses[0])


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize("scaling", ["standard", "unit", "none"])
def test_weights_are_repetitions_and_a_row_of_none_is_not_there(kind, scaling, parameters):
    generator = np.random.default_rng(2)
    X, weight = generator.normal(size=(120, 4)), generator.integers(0, 4, 120)
    weight[0] = 0
    y = np.round(X[:, 0] + generator.normal(size=120)).clip(-1, 1)
    model = kind(scaling=scaling, tol=1e-9, **parameters)
    model.set_params(**{"C" if kind is CodedLogisticRegression else "alpha": 3.0})
    repeated = model.fit(X.repeat(weight, axis=0), y.repeat(weight)).coef_
    X[weight == 0] *= 1e200  # and what is in it does not matter
    X[0] = np.finfo(float).max
    if kind is CodedLinearRegression:
        y[weight == 0] = -1e300
    for given in (weight, weight.tolist()):
        np.testing.assert_allclose(model.fit(X, y, given).coef_, repeated, atol=2e-5)
    assert len(model.loss_) == model.n_iter_ + 1


@pytest.mark.parametrize("kind", BOTH)
def test_the_same_weight_for_all_is_none(kind, parameters):
    X, y = load_wine(return_X_y=True)
    model = kind(tol=1e-9, **parameters)
    alone = model.fit(X, y).coef_
    for given in (1, 2.5, np.full(len(y), 1e-200), np.full(len(y), 1e300)):
        if kind is CodedLogisticRegression:
            model.C = float(1 / np.max(given))
        np.testing.assert_allclose(model.fit(X, y, given).coef_, alone, rtol=1e-4, atol=1e-4)
    assert kind(verbose=0, tol=1.0).fit(X, y, 5e-324).n_iter_ < 9  # and no number overflows


@pytest.mark.parametrize("weight", [1e-3, 1e-9, 1e-13])
@pytest.mark.parametrize("kind", BOTH)
def test_a_row_far_out_of_next_to_no_weight_takes_no_bits_of_others(kind, weight, parameters):
    generator = np.random.default_rng(3)
    X = generator.normal(size=(400, 3))
    z = X @ [1.0, 2.0, 3.0] + 0.1 * generator.normal(size=400)
    X[0, 0], weights = 1e6, np.r_[weight, np.ones(399)]
    if kind is CodedLinearRegression:
        model, plain = kind(**parameters).fit(X, z, weights), LinearRegression().fit(X, z, weights)
        np.testing.assert_allclose(model.coef_, plain.coef_, atol=1e-5)
        return
    y, scaled = z > 0, (X - X.mean(axis=0)) / np.sqrt(np.average(X**2, axis=0, weights=weights))
    model = kind(scaling="none", **parameters).fit(X, y, weights)  # a warning is an error
    plain = LogisticRegression(tol=1e-9, max_iter=9999).fit(scaled, y, weights)
    ours, theirs = (
        log_loss(y, m.predict_proba(x), sample_weight=weights)
        for m, x in ((model, X), (plain, scaled))
    )
    assert ours < theirs + 2e-3


def test_a_rare_class_is_found_if_it_counts_as_much(parameters):
    generator = np.random.default_rng(4)
    y = (generator.random(3000) < 0.03).astype(int)
    X = generator.normal(size=(3000, 4)) + 0.8 * y[:, None]
    names = np.array(["usual", "rare"])[y]
    found = {}
    for weight in (None, "balanced", {"rare": 50.0}):
        model = CodedLogisticRegression(class_weight=weight, **parameters).fit(X, names)
        found[str(weight)] = np.mean(model.predict(X)[y == 1] == "rare")
        plain = make_pipeline(StandardScaler(), LogisticRegression(class_weight=weight))
        assert np.mean(model.predict(X) == plain.fit(X, names).predict(X)) > 0.995
    assert found["None"] < 0.2
    assert min(found["balanced"], found["{'rare': 50.0}"]) > 0.6


def test_the_line_of_the_paper_takes_weights_and_its_cubic_does_not(parameters):
    generator = np.random.default_rng(5)
    X, weight = generator.normal(size=(200, 3)), generator.integers(0, 4, 200)
    y = X[:, 0] + generator.normal(size=200) > 0.5
    model = CodedLogisticRegression(degree=1, scaling="none", tol=1.0, **parameters)
    for weights in (weight, 1e4 * weight):
        one = model.fit(X, y, weights)
        found = np.r_[one.coef_[0], one.intercept_], one.loss_[0]
    other = model.fit(X.repeat(weight, axis=0), y.repeat(weight))
    np.testing.assert_allclose(found[0], np.r_[other.coef_[0], other.intercept_], atol=0.1)
    assert found[1] == pytest.approx(np.log(2))
    cubic = CodedLogisticRegression(degree=3, workers=16, max_iter=2, verbose=0)
    with pytest.raises(anyk.InvalidArgument, match="degree: got 3, with rows of different weights"):
        cubic.fit(X, y, weight)
    with pytest.warns(ConvergenceWarning):
        cubic.fit(X, y, np.full(200, 3.0))


def test_many_targets_of_any_units_are_as_good_as_each_alone(parameters):
    generator = np.random.default_rng(6)
    X = generator.normal(size=(300, 6))
    y = (X @ generator.normal(size=(6, 40)) + generator.normal(size=(300, 40))) + 5.0
    y *= np.logspace(-100, 100, 40)
    y[:, 7] = 3.0
    model, plain = CodedLinearRegression(**parameters).fit(X, y), LinearRegression().fit(X, y)
    assert model.coef_.shape == (40, 6)
    for column in (0, 7, 20, 39):
        ours, theirs = model.predict(X)[:, column], plain.predict(X)[:, column]
        np.testing.assert_allclose(ours, theirs, atol=1e-2 * y[:, column].std() + 1e-9)
    assert len(model.loss_) == model.n_iter_ + 1 < 20
    one = CodedLinearRegression(**parameters).fit(X, y[:, :1])
    assert one.coef_.shape == (1, 6)
    assert one.predict(X).shape == (300, 1)
    assert one.intercept_.shape == (1,)


def test_a_search_passes_weights_on(parameters):
    X, y = load_wine(return_X_y=True)
    weight = np.random.default_rng(7).integers(0, 5, len(y))
    model = CodedLogisticRegression(class_weight="balanced", **parameters)
    search = GridSearchCV(model, {"C": [0.1, 1.0], "max_iter": [30]}, cv=3)
    search.fit(X, y, sample_weight=weight)
    assert search.best_score_ > 0.95


def test_weights_are_routed_through_clones(parameters):
    X, y = load_wine(return_X_y=True)
    weight = np.random.default_rng(7).integers(0, 5, len(y))
    with config_context(enable_metadata_routing=True):
        model = CodedLogisticRegression(**parameters)
        model.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        search = GridSearchCV(clone(model), {"C": [0.1, 1.0]}, cv=2)
        search.fit(X, y, sample_weight=weight)
    model.set_params(**search.best_params_).fit(X, y, weight)
    np.testing.assert_array_equal(search.predict_proba(X), model.predict_proba(X))


@pytest.mark.parametrize("kind", BOTH)
@pytest.mark.parametrize(
    "bad", [np.r_[-1.0, np.ones(5)], np.zeros(6), np.ones(5), np.ones((6, 1)), [np.nan] * 6]
)
def test_weights_that_are_none_are_refused(kind, bad):
    with anyk.Inline(8) as executor, pytest.raises(ValueError, match="sample_weight"):
        kind(executor=executor).fit(np.eye(6), [0, 1, 0, 1, 0, 1], bad)


@pytest.mark.parametrize(
    "bad", ["equal", {0: -1.0, 1: 1.0}, {0: np.nan}, {7: 1.0}, {0: "two"}, 3.0, {0: np.inf}]
)
def test_weights_of_classes_that_are_none_are_refused(bad):
    with pytest.raises(anyk.InvalidArgument, match="class_weight: got "):
        CodedLogisticRegression(class_weight=bad).fit(np.eye(4), [0, 1, 0, 1])


def test_one_class_of_weight_is_refused_and_one_of_three_without_is_not(parameters):
    X, y = np.eye(6) + np.arange(6.0), np.array([0, 1, 2, 0, 1, 2])
    model = CodedLogisticRegression(**parameters)
    with pytest.raises(anyk.InvalidArgument, match="y: got one class"):
        model.fit(X, y, y == 1)
    with pytest.raises(anyk.InvalidArgument, match="y: got one class"):
        model.set_params(class_weight={0: 0.0, 1: 0.0, 2: 1.0}).fit(X, y)
    for weight in (y > 0, 2.0 * (y > 0)):
        model.set_params(class_weight="balanced").fit(X, y, weight)
        assert set(model.predict(X)) <= {1, 2}
        assert np.isfinite(model.coef_).all()


@pytest.mark.parametrize("kind", [SquaredLoss, LogLoss, MultinomialLoss])
def test_a_weighted_loss_is_the_sum_of_repeated_rows(kind):
    generator = np.random.default_rng(8)
    weight, z, step = generator.integers(0, 4, 9), *generator.normal(size=(2, 9, 3))
    y = np.eye(3)[generator.integers(0, 3, 9)]
    images = generator.normal(size=(2, 9, 3))
    one = kind(y, weight[:, None] / weight.mean())
    more = kind(y.repeat(weight, axis=0))
    mean = weight.mean()
    repeated = z.repeat(weight, axis=0)
    assert one.value(z) * mean == pytest.approx(more.value(repeated))
    assert np.sum(one.slope(z) * step) * mean == pytest.approx(
        np.sum(more.slope(repeated) * step.repeat(weight, axis=0))
    )
    np.testing.assert_allclose(
        one.curvature(z, images) * mean, more.curvature(repeated, images.repeat(weight, axis=1))
    )


def test_the_centred_loss_is_the_least_over_offsets():
    generator = np.random.default_rng(9)
    y, z, weight = *generator.normal(size=(2, 9, 2)), generator.random((9, 1))
    weight /= weight.mean()
    centred, plain = (SquaredLoss(y, weight, centred=each) for each in (True, False))
    best = (weight * (y - z)).mean(axis=0)
    assert centred.value(z) == pytest.approx(plain.value(z + best))
    assert centred.value(z) == pytest.approx(centred.value(z + np.array([3.0, -1.0])))
    np.testing.assert_allclose(centred.slope(z), plain.slope(z + best))
    step = 1e-3 * generator.normal(size=(1, 9, 2))
    bent = centred.value(z + step[0]) + centred.value(z - step[0]) - 2 * centred.value(z)
    assert centred.curvature(z, step)[0, 0] == pytest.approx(bent, rel=1e-6)
