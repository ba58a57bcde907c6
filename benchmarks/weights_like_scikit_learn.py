"""Weights of rows and classes, penalties, several targets: the models of scikit-learn.

Regressions (diabetes, collinear columns, Friedman's function, five and three targets at once) by
`LinearRegression` and `Ridge`, and classifications (breast cancer, wine with two and three classes,
one rare class of 3 %) by `LogisticRegression`, each with no weights, with weights of 1 to 100, with
half of the rows at 0, with lognormal ones, and with such of 1e-9 in the mean, and with two or three
penalties; classes also with `class_weight`. Scaling is "none", which makes the same model. Shown
are the worst of all of these: differences of coefficients, as a part of the norm of all of them,
and of R², log-loss and accuracy on the rows, by their weights; at the default `tol`, and at one
that is next to nothing. A log-loss that is more than 0.005 above that of scikit-learn, or an R²
that is 0.001 below, ends in an error.

Run: python benchmarks/weights_like_scikit_learn.py [--tiny]
"""

import argparse
import time

import numpy as np
from sklearn import datasets
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

import anyk
from anyk.bench.measure import table
from anyk.learn import CodedLinearRegression, CodedLogisticRegression

WEIGHTS = {
    "none": lambda _generator, _rows: None,
    "1 to 100": lambda generator, rows: generator.integers(1, 101, rows).astype(float),
    "half 0": lambda generator, rows: (generator.random(rows) < 0.5) * generator.random(rows),
    "lognormal, sigma 3": lambda generator, rows: generator.lognormal(0, 3, rows),
    "1e-9": lambda generator, rows: generator.random(rows) * 1e-9,
}


def collinear(generator):
    """Six columns that differ by a hundredth."""
    X = generator.normal(size=(500, 1)) + 1e-2 * generator.normal(size=(500, 6))
    return X, X @ generator.normal(size=6) + 0.1 * generator.normal(size=500)


def rare(generator):
    """A class of 3 % of the rows, some way off in three columns of six."""
    y = (generator.random(3000) < 0.03).astype(int)
    return generator.normal(size=(3000, 6)) + 0.8 * y[:, None] * [1, 0, 1, 0, 1, 0], y


def second_of_wine(_generator):
    """The second class of wine, and the others."""
    X, y = datasets.load_wine(return_X_y=True)
    return X, (y == 1).astype(int)


REGRESSIONS = {
    "diabetes": lambda _: datasets.load_diabetes(return_X_y=True),
    "collinear": collinear,
    "Friedman 1": lambda _: datasets.make_friedman1(400, random_state=3),
    "five targets": lambda _: datasets.make_regression(
        600, 20, n_targets=5, noise=30, random_state=4
    ),
    "linnerud, three targets": lambda _: datasets.load_linnerud(return_X_y=True),
}
CLASSIFICATIONS = {
    "breast cancer": lambda _: datasets.load_breast_cancer(return_X_y=True),
    "wine, two classes": second_of_wine,
    "wine, three classes": lambda _: datasets.load_wine(return_X_y=True),
    "one class of 3 %": rare,
}


def regressed(X, y, weights, tol, common):
    """Differences of coefficients and R², and iterations, over three penalties."""
    for alpha in (0.0, 1.0, 50.0):
        strength = alpha * (1.0 if weights is None else weights.mean())
        plain = Ridge(strength, solver="svd") if strength else LinearRegression()
        plain.fit(X, y, sample_weight=weights)
        coded = CodedLinearRegression(alpha=strength, scaling="none", tol=tol, **common)
        coded.fit(X, y, sample_weight=weights)
        yield (
            np.linalg.norm(coded.coef_ - plain.coef_) / np.linalg.norm(plain.coef_),
            coded.score(X, y, weights) - plain.score(X, y, weights),
            coded.n_iter_,
        )


def classified(X, y, weights, tol, common):
    """Differences of coefficients, log-loss and accuracy, and iterations, over six settings."""
    X = StandardScaler().fit_transform(X)
    mean = 1.0 if weights is None else weights.mean()
    for class_weight in (None, "balanced", dict(enumerate((1.0, 7.0, 0.5)[: len(set(y))]))):
        for inverse in (1.0, 0.01):
            same = {"C": inverse / mean, "class_weight": class_weight}
            plain = LogisticRegression(**same, solver="newton-cholesky", tol=1e-9)
            plain.fit(X, y, sample_weight=weights)
            coded = CodedLogisticRegression(**same, scaling="none", tol=tol, **common)
            coded.fit(X, y, sample_weight=weights)
            ours, theirs = (
                log_loss(y, model.predict_proba(X), sample_weight=weights)
                for model in (coded, plain)
            )
            yield (
                np.linalg.norm(coded.coef_ - plain.coef_) / np.linalg.norm(plain.coef_),
                theirs - ours,
                coded.score(X, y, weights) - plain.score(X, y, weights),
                coded.n_iter_,
            )


def main() -> None:
    """Show both tables, and fail where a model is worse."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--seed", type=int, default=20, help="of weights and tables")
    given = parser.parse_args()
    started, behind = time.perf_counter(), False
    with anyk.Inline(8) as executor:
        common = {"executor": executor, "workers": 8, "random_state": 0, "verbose": 0}
        jobs = [
            (
                "R²", REGRESSIONS, regressed, CodedLinearRegression().tol, 1e-12, 1e-3,
                ["R² less scikit-learn's"],
            ),
            (
                "log-loss", CLASSIFICATIONS, classified, CodedLogisticRegression().tol, 1e-9, 5e-3,
                ["log-loss of scikit-learn less ours", "accuracy less scikit-learn's"],
            ),
        ]  # fmt: skip
        for title, tables, compared, usual, tight, allowed, names in jobs:
            lines = []
            for name, load in list(tables.items())[: 1 if given.tiny else None]:
                generator = np.random.default_rng(given.seed)
                X, y = load(generator)
                chosen = [draw(generator, len(y)) for draw in WEIGHTS.values()]
                for tol, shown in ((usual, "default"), (tight, f"{tight:g}")):
                    sets = (compared(X, y, each, tol, common) for each in chosen)
                    found = np.array([each for differences in sets for each in differences])
                    behind = behind or bool(found[:, 1].min() < -allowed)
                    scores = (f"{found[:, 1 + i].min():+.1e}" for i in range(len(names)))
                    lines.append(
                        [name, shown, str(len(found)), f"{found[:, 0].max():.1e}", *scores,
                         f"{found[:, -1].max():.0f}"]
                    )  # fmt: skip
            print(f"\nthe worst of all weights and penalties, by {title}")
            print(table(["", "tol", "models", "coefficients", *names, "iterations"], lines))
    print(f"\n{time.perf_counter() - started:.0f} s")
    if behind:
        raise SystemExit("a model was worse than scikit-learn's")


if __name__ == "__main__":
    main()
