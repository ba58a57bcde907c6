"""Estimators trained on encoded data are as good as scikit-learn's, or say why not.

Ordinary tables that are hard on fixed point: one-hot categories of 20, 40 and 80 levels, binaries
that are 1 in 1 % and 3 % of the rows, lognormal and Cauchy columns, outliers, sensors whose rows
take turns, correlated columns; for classes also an imbalance of 1:200 and weak signals. Each is
drawn anew for every seed, half of it to train with. Regression is compared with
`LinearRegression` by R², classification with `LogisticRegression` by log-loss, and five real data
sets of scikit-learn by accuracy (diabetes by R²) over five folds, behind a `StandardScaler`, as the
coded estimators scale by themselves. Counted are the seeds on which the coded model is worse by
more than 0.01 (of what scikit-learn's loses, where that is more than 1, as on an outlier that
training has not seen), and those of them that came with a warning: a difference without one ends in
an error.

`--degree` takes CodedPrivateML's polynomial of that degree for the sigmoid.

Run: python benchmarks/estimators_like_scikit_learn.py [--tiny] [--degree R]
"""

import argparse
import time
import warnings

import numpy as np
from scipy.special import expit
from sklearn import datasets
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import log_loss
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import anyk
from anyk.bench.measure import table
from anyk.learn import CodedLinearRegression, CodedLogisticRegression

WORKERS = 8
CLOSE = 0.01
UNTUNED = 1000  # seeds from here on; those below were looked at while the estimators were written


def one_hot(levels):
    """A category of so many levels, all but one of its columns, and one number."""

    def draw(generator, rows):
        levels_of_rows = generator.integers(0, levels, rows)
        return np.c_[generator.normal(size=rows), np.eye(levels)[levels_of_rows][:, 1:]]

    return draw


def binaries(share):
    """Twenty columns that are 1 in a share of the rows."""
    return lambda generator, rows: (generator.random((rows, 20)) < share).astype(float)


def interleaved(generator, rows):
    """Three sensors in turn, the first of which is quiet."""
    shared = generator.standard_normal((rows, 1))
    X = shared + 0.3 * generator.standard_normal((rows, 12))
    X[::3] *= 0.02
    return X


def outliers(generator, rows):
    """Normal columns, in each of which one value is a hundred to a million times as large."""
    X = generator.normal(size=(rows, 5))
    X[generator.integers(0, rows, 5), np.arange(5)] *= 10 ** generator.uniform(2, 6, 5)
    return X


def correlated(generator, rows):
    """Thirty mixtures of thirty sources whose strengths fall to a hundredth."""
    mixture = np.logspace(0, -2, 30)[:, None] * generator.normal(size=(30, 30))
    return generator.normal(size=(rows, 30)) @ mixture


TABLES = {
    "one-hot, 20 levels": one_hot(20),
    "one-hot, 40 levels": one_hot(40),
    "one-hot, 80 levels": one_hot(80),
    "binaries, 1 %": binaries(0.01),
    "binaries, 3 %": binaries(0.03),
    "lognormal, sigma 1": lambda generator, rows: generator.lognormal(0, 1, (rows, 5)),
    "lognormal, sigma 2": lambda generator, rows: generator.lognormal(0, 2, (rows, 5)),
    "Cauchy": lambda generator, rows: generator.standard_cauchy((rows, 5)),
    "outliers": outliers,
    "interleaved sensors": interleaved,
    "correlated": correlated,
    "normal": lambda generator, rows: generator.normal(size=(rows, 5)),
}


def regression(draw, generator, rows):
    """A table, and a linear function of it with some noise."""
    X = draw(generator, rows)
    scaled = (X - X.mean(axis=0)) / np.where(X.std(axis=0) > 0, X.std(axis=0), 1.0)
    signal = scaled @ generator.normal(size=X.shape[1])
    return X, 100 + 30 * signal + 0.2 * 30 * signal.std() * generator.normal(size=rows)


def classification(draw, generator, rows, strength=2.0, offset=0.0):
    """A table, and labels drawn by log-odds that are linear in what the columns are in bulk."""
    X = draw(generator, rows)
    bulk = np.clip(X, *np.quantile(X, [0.01, 0.99], axis=0))  # one outlier is not all there is
    scale = bulk.std(axis=0)
    scaled = (bulk - bulk.mean(axis=0)) / np.where(scale > 0, scale, np.inf)
    signal = scaled @ generator.normal(size=X.shape[1])
    odds = strength * signal / max(signal.std(), 1e-9) + offset
    return X, (generator.random(rows) < expit(odds)).astype(int)


def imbalanced(generator, rows):
    """One row of the second class to 200 of the first, some way off."""
    y = (np.arange(rows) % 201 == 0).astype(int)
    return generator.normal(size=(rows, 4)) + 2.0 * y[:, None], y


def normal(generator, rows):
    """Five normal columns."""
    return generator.normal(size=(rows, 5))


def class_tables():
    """Name and how to draw it, of each classification."""
    for name, draw in TABLES.items():
        yield name, lambda generator, rows, draw=draw: classification(draw, generator, rows)
    yield "imbalance 1:200", imbalanced
    for strength in (0.1, 0.3, 0.6):
        yield (
            f"weak signal, {strength}",
            lambda generator, rows, s=strength: classification(normal, generator, rows, s),
        )
    yield "rare class", lambda generator, rows: classification(normal, generator, rows, 1.0, -5.0)


def fitted(model, X, y):
    """The model trained, and whether it warned."""
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        model.fit(X, y)
    return model, any(issubclass(each.category, ConvergenceWarning) for each in seen)


def chances_lost(model, X, y):
    """The log-loss of a classifier on rows that it may not have seen the classes of."""
    return log_loss(y, model.predict_proba(X), labels=model.classes_)


def compared(draw, sides, seeds, rows):
    """One row of a table: what each loses on training rows and on others, in the median."""
    ours, theirs, lost = sides
    found, worse, warned, rounds = [], 0, 0, []
    for seed in seeds:
        X, y = draw(np.random.default_rng(seed), 2 * rows)
        train, test = slice(None, rows), slice(rows, None)
        coded, warning = fitted(ours(), X[train], y[train])
        plain = theirs().fit(X[train], y[train])
        found.append([lost(m, X[s], y[s]) for s in (train, test) for m in (coded, plain)])
        rounds.append(coded.n_iter_)
        behind = any(a - b > CLOSE * max(1.0, b) for a, b in (found[-1][:2], found[-1][2:]))
        worse += behind
        warned += behind and warning
    middle = np.median(found, axis=0)
    return [*middle, int(np.median(rounds)), f"{worse} of {len(found)}", warned], worse - warned


def real_sets(model_of, folds):
    """Accuracy (R² for diabetes) over folds of five data sets, coded and plain."""
    rows = []
    for name in ("iris", "wine", "breast_cancer", "digits", "diabetes"):
        X, y = getattr(datasets, f"load_{name}")(return_X_y=True)
        kind = KFold if name == "diabetes" else StratifiedKFold
        scores, warned = [], 0
        for train, test in kind(folds, shuffle=True, random_state=UNTUNED).split(X, y):
            ours, plain = model_of(name == "diabetes")
            coded, warning = fitted(ours, X[train], y[train])
            warned += warning
            scores.append(
                [
                    coded.score(X[test], y[test]),
                    plain.fit(X[train], y[train]).score(X[test], y[test]),
                ]
            )
        mean = np.mean(scores, axis=0)
        rows.append([name, *(f"{each:.4f}" for each in mean), f"{mean[0] - mean[1]:+.4f}", warned])
    return rows


def main() -> None:
    """Show the three tables, and fail where a model is worse without a warning."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="a size that runs in seconds")
    parser.add_argument("--degree", type=int, help="of CodedPrivateML's polynomial")
    parser.add_argument("--seeds", type=int, default=20, help="how many tables of each kind")
    parser.add_argument("--first", type=int, default=UNTUNED, help="the first seed")
    given = parser.parse_args()
    number, rows = (1, 600) if given.tiny else (given.seeds, 2000)
    seeds = range(given.first, given.first + number)
    workers = WORKERS if given.degree in (None, 1) else 7 * (given.degree or 1)
    started, silent = time.perf_counter(), 0
    with anyk.Inline(workers) as executor:
        common = {"executor": executor, "workers": workers, "random_state": 0, "verbose": 0}

        def linear():
            return CodedLinearRegression(**common)

        def logistic():
            return CodedLogisticRegression(degree=given.degree, **common)

        def scaled(model):
            return make_pipeline(StandardScaler(), model)

        def plain_logistic():
            return scaled(LogisticRegression(max_iter=5000))

        header = ["", "train: coded", "scikit-learn", "test: coded", "scikit-learn", "iterations",
                  "worse by > 0.01", "with a warning"]  # fmt: skip
        jobs = {
            "1 - R² of regressions": (
                [(n, lambda g, r, d=d: regression(d, g, r)) for n, d in TABLES.items()],
                linear, LinearRegression, lambda m, X, y: 1 - m.score(X, y),
            ),
            "log-loss of classifications": (
                list(class_tables()), logistic, plain_logistic, chances_lost,
            ),
        }  # fmt: skip
        for title, (tables, *sides) in jobs.items():
            lines = []
            for name, draw in tables:
                line, unsaid = compared(draw, sides, seeds, rows)
                silent += unsaid
                lines.append([name, *(f"{n:.4f}" for n in line[:4]), *map(str, line[4:])])
            print(f"\n{title}, {rows} rows to train with, medians of {number} tables each")
            print(table(header, lines))

        def models(is_regression):
            if is_regression:
                return linear(), scaled(LinearRegression())
            return logistic(), plain_logistic()

        folds = 2 if given.tiny else 5
        print(f"\naccuracy over {folds} folds (diabetes: R²)")
        lines = [list(map(str, line)) for line in real_sets(models, folds)]
        print(table(["", "coded", "scikit-learn", "difference", "folds with a warning"], lines))
    print(f"\n{time.perf_counter() - started:.0f} s; worse without a warning: {silent}")
    if silent and not given.tiny:
        raise SystemExit("a model was worse than scikit-learn's and did not say so")


if __name__ == "__main__":
    main()
