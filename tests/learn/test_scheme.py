"""Estimators that train with a gradient code, on workers who see their rows."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

import anyk
from anyk.block_gradient import BlockGradient, labelled_rows
from anyk.errors import InvalidArgument
from anyk.faults import Corrupt, Crash, Die, Faulty
from anyk.learn import CodedLinearRegression, CodedLogisticRegression
from anyk.losses import LogLoss, MultinomialLoss, SquaredLoss

CODE = anyk.CyclicRepetition(workers=5, stragglers=2)


def table(rows=83, columns=4, seed=3):
    generator = np.random.default_rng(seed)
    X = generator.normal(2.0, 3.0, (rows, columns)) * [1.0, 10.0, 0.1, 5.0][:columns]
    return X, X @ generator.normal(size=columns) / 9 + generator.normal(size=rows)


@pytest.mark.parametrize("loss", [SquaredLoss, LogLoss, MultinomialLoss])
def test_a_gradient_is_that_of_finite_differences_and_padding_counts_nothing(loss):
    generator = np.random.default_rng(1)
    targets = np.eye(3)[generator.integers(0, 3, 7)]
    rows = labelled_rows(generator.normal(size=(7, 2)), targets, generator.uniform(1, 2, (7, 1)))
    padded = np.vstack([rows, np.zeros((2, rows.shape[1]))])
    f, point, step = BlockGradient(loss, 3), generator.normal(size=(3, 3)), 1e-6
    told = f(padded, point)
    for entry in range(point.size):
        moved = np.zeros(point.size)
        moved[entry] = step
        ahead, behind = (f(rows, point + sign * moved.reshape(3, 3))[0] for sign in (1, -1))
        assert told[1 + entry] == pytest.approx((ahead - behind) / 2 / step, abs=1e-6)
    zeros = np.zeros((1, rows.shape[1]))
    assert np.array_equal(f(zeros, point)[1:], np.zeros(9))


def test_lines_and_classes_are_scikit_learns():
    X, y = table()
    plain = LinearRegression().fit(X, y)
    coded = CodedLinearRegression(scheme=CODE, colluders=0, tol=1e-13).fit(X, y)
    assert coded.coef_ == pytest.approx(plain.coef_, abs=1e-5)
    assert coded.intercept_ == pytest.approx(plain.intercept_, abs=1e-4)
    ridge = CodedLinearRegression(scheme=CODE, colluders=0, alpha=7.0, scaling="none", tol=1e-13)
    assert ridge.fit(X, y).coef_ == pytest.approx(Ridge(7.0).fit(X, y).coef_, abs=1e-5)
    scaled, labels = StandardScaler().fit_transform(X), np.digitize(y, np.quantile(y, [0.3, 0.6]))
    for classes in (labels > 0, labels):
        plain = LogisticRegression(tol=1e-9, max_iter=2000).fit(scaled, classes)
        coded = CodedLogisticRegression(scheme=CODE, colluders=0, tol=1e-12).fit(X, classes)
        assert coded.coef_ * X.std(axis=0) == pytest.approx(plain.coef_, abs=1e-3)


def test_weights_of_rows_are_repeated_rows():
    X, y = table(30)
    often = np.arange(30) % 4
    twice = CodedLinearRegression(scheme=CODE, colluders=0, tol=1e-13)
    weighted = clone(twice).fit(X, y, sample_weight=often).coef_
    assert weighted == pytest.approx(
        clone(twice).fit(np.repeat(X, often, axis=0), np.repeat(y, often)).coef_, abs=1e-5
    )


def test_workers_that_die_and_crash_change_nothing_but_the_report():
    X, y = load_digits(return_X_y=True)
    labels = (y[:400] > 4).astype(int)
    model = CodedLogisticRegression(scheme=CODE, colluders=0)
    plain = clone(model).fit(X[:400], labels)
    with anyk.Threads(5) as well:
        executor = Faulty(well, {1: Die(), 4: Crash()})
        hurt = clone(model).set_params(executor=executor).fit(X[:400], labels)
    assert hurt.coef_ == pytest.approx(plain.coef_, abs=1e-6)
    report = hurt.report_
    assert {*report.failed, *report.silent, *report.spare} == {1, 4}
    assert set(report.failed) <= {1, 4}
    assert hurt.report_.scheme == CODE
    assert "workers see rows" in str(hurt.report_)
    assert "precision float64" in str(hurt.report_)


def test_a_worker_that_lies_is_named_and_changes_no_bit():
    X, y = table()
    code = anyk.FractionalRepetition(blocks=6, workers=6, stragglers=0, adversaries=1)
    model = CodedLinearRegression(scheme=code, colluders=0)
    plain = clone(model).fit(X, y)
    with anyk.Inline(6) as well:
        hurt = clone(model).set_params(executor=Faulty(well, {0: Corrupt(seed=2)})).fit(X, y)
    assert np.array_equal(hurt.coef_, plain.coef_)
    assert set(hurt.report_.liars) == {0}


def test_a_copy_keeps_its_code():
    model = CodedLinearRegression(scheme=CODE, colluders=0)
    assert clone(model).scheme == pickle.loads(pickle.dumps(model)).scheme == CODE


def test_too_few_iterations_are_told():
    X, y = table()
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        CodedLinearRegression(scheme=CODE, colluders=0, max_iter=2).fit(X, y)


@pytest.mark.parametrize(
    ("parameters", "argument"),
    [
        ({}, "colluders"),
        ({"colluders": 0, "primes": 1}, "data_bits, weight_bits, primes"),
        ({"colluders": 0, "degree": 1}, "degree"),
        ({"colluders": 0, "scheme": "cyclic"}, "scheme"),
        ({"colluders": 0, "scheme": anyk.Lagrange(2, 2, 6)}, "scheme"),
        ({"colluders": 0, "scheme": anyk.Harmonic(blocks=2, degree=2)}, "scheme"),
        (
            {"colluders": 0, "scheme": anyk.CyclicRepetition(4, 1, domain=anyk.PrimeField())},
            "scheme",
        ),
    ],
)
def test_what_a_gradient_code_can_not_do_is_refused(parameters, argument):
    X, y = table(20)
    with pytest.raises(InvalidArgument) as raised:
        CodedLogisticRegression(**{"scheme": CODE, **parameters}).fit(X, y > 0)
    assert raised.value.argument == argument


def test_gradients_that_are_estimates_are_told():
    X, y = table()
    code = anyk.ExpanderRepetition(blocks=6, workers=9, stragglers=1)
    with anyk.Threads(9) as well:
        executor = Faulty(well, {who: Crash() for who in range(7)})
        model = CodedLinearRegression(scheme=code, colluders=0, executor=executor, max_iter=5)
        with pytest.warns(ConvergenceWarning, match="estimated from too few answers"):
            model.fit(X, y)
