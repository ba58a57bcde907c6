"""Sparse tables give the models of dense ones; names of features are kept and checked."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.datasets import load_breast_cancer
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression

import anyk
from anyk.learn import CodedLinearRegression, CodedLogisticRegression, columns

KINDS = [
    sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, sparse.csc_array, sparse.coo_array,
    sparse.lil_matrix, sparse.dok_array, sparse.bsr_array, sparse.dia_array,
]  # fmt: skip


@pytest.fixture
def parameters():
    with anyk.Inline(8) as executor:
        yield {"executor": executor, "random_state": 0, "verbose": 0}


@pytest.mark.parametrize("make", KINDS)
@pytest.mark.parametrize("scaling", ["standard", "unit", "none"])
def test_a_sparse_table_gives_the_same_model(make, scaling, parameters, monkeypatch):
    monkeypatch.setattr(columns, "_NUMBERS", 250)  # four columns at a time
    generator = np.random.default_rng(0)
    X = (generator.random((60, 11)) < 0.2) * generator.normal(size=(60, 11))
    X[:, 3] = 0.0
    y, weight = X @ generator.normal(size=11), generator.integers(0, 3, 60)
    for intercept in (True, False):
        for kind, labels in ((CodedLinearRegression, y), (CodedLogisticRegression, y > 0)):
            model = kind(scaling=scaling, fit_intercept=intercept, **parameters)
            dense = model.fit(X, labels, weight).coef_, model.predict(X)
            model.fit(make(X), labels, weight)
            np.testing.assert_array_equal(model.coef_, dense[0])
            np.testing.assert_allclose(model.predict(make(X)), dense[1])
            assert model.score(make(X), labels) == pytest.approx(model.score(X, labels))
            assert model.report_.notes == ()


def test_what_a_vectorizer_gives_is_taken_as_it_is(parameters):
    generator = np.random.default_rng(1)
    rows = [
        {"city": f"c{generator.integers(9)}", "rooms": generator.integers(5)} for _ in range(90)
    ]
    X, y = DictVectorizer().fit_transform(rows), np.array([row["rooms"] > 2 for row in rows])
    assert sparse.issparse(X)
    model = CodedLogisticRegression(scaling="none", tol=1e-9, **parameters).fit(X, y)
    plain = LogisticRegression(tol=1e-9, max_iter=999).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), plain.predict_proba(X), atol=1e-4)


def test_names_of_features_are_kept_and_checked(parameters):
    pytest.importorskip("pandas")
    frame, y = load_breast_cancer(return_X_y=True, as_frame=True)
    model = CodedLogisticRegression(**parameters).fit(frame, y, sample_weight=y + 1.0)
    assert list(model.feature_names_in_) == list(frame.columns)
    assert model.n_features_in_ == 30
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[frame.columns[::-1]])
    lines = CodedLinearRegression(**parameters).fit(frame, frame[["mean area", "mean radius"]])
    assert lines.score(frame, frame[["mean area", "mean radius"]]) > 0.9999


@pytest.mark.parametrize("kind", [CodedLinearRegression, CodedLogisticRegression])
def test_another_name_of_a_parameter_is_refused_with_ours(kind):
    for call in (lambda: kind(iterations=5), lambda: kind().set_params(iterations=5)):
        with pytest.raises(anyk.InvalidArgument, match="Pass max_iter in its place"):
            call()
    with pytest.raises(TypeError, match="rounds"):
        kind(rounds=5)
    with pytest.raises(ValueError, match="max_iter: got 0"):
        kind(max_iter=0).fit(np.eye(4), [0, 1, 0, 1])
