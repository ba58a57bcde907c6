"""What the estimators advise."""

import pickle
import warnings

import numpy as np
from sklearn.model_selection import GridSearchCV
from tried import tried

import anyk
from anyk.learn import CodedLinearRegression, CodedLogisticRegression
from anyk.learn.response import Response
from anyk.learn.setting import largest_code

GENERATOR = np.random.default_rng(0)
X = GENERATOR.standard_normal((40, 3))
Y = X[:, 0] > 0
THREAT = {"workers": 4, "stragglers": 1, "adversaries": 1, "colluders": 1}


def fit(X=X, y=Y, kind=CodedLogisticRegression, sample_weight=None, **named):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return kind(**{"workers": 12, "max_iter": 2, "verbose": 0, "random_state": 0, **named}).fit(
            X, y, sample_weight
        )


def code(degree=3, **named):
    return largest_code(anyk.Threat(**{**THREAT, **named}), degree=degree, rows=40)


def unpickled(**later):
    with anyk.Inline(12) as executor:
        model = CodedLogisticRegression(
            executor=executor, workers=12, max_iter=2, verbose=0, random_state=0
        )
        again = pickle.loads(pickle.dumps(model))
        if later:
            again.set_params(executor=executor)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return again.fit(X, Y)


CODE = anyk.FractionalRepetition(blocks=8, workers=8, stragglers=1)


ROWS = [
    tried(
        "Pass anyk.FractionalRepetition(blocks=8, workers=8, stragglers=1), say.",
        lambda: fit(scheme="cyclic", colluders=0),
        lambda: fit(scheme=CODE, colluders=0),
    ),
    tried(
        "say, or leave scheme out: anyk.Lagrange then hides the rows.",
        lambda: fit(scheme=anyk.Lagrange(2, 2, 8), colluders=0),
        lambda: fit(scheme=CODE, colluders=0),
        lambda: fit(colluders=0),
    ),
    tried(
        "Pass colluders=0 where workers may see rows, or leave scheme out.",
        lambda: fit(scheme=CODE),
        lambda: fit(scheme=CODE, colluders=0),
        lambda: fit(),
    ),
    tried(
        "Leave these out.",
        lambda: fit(scheme=CODE, colluders=0, primes=2),
        lambda: fit(scheme=CODE, colluders=0),
    ),
    tried(
        "Leave degree out, or scheme.",
        lambda: fit(scheme=CODE, colluders=0, degree=1),
        lambda: fit(scheme=CODE, colluders=0),
        lambda: fit(degree=1),
    ),
    tried(
        "Add {} workers, or lower colluders.",
        lambda: code(),
        lambda short: code(workers=4 + short),
        lambda _: code(colluders=0),
        less=lambda less: code(workers=4 + less),
    ),
    tried(
        "Add {} worker, or lower degree, stragglers, adversaries or colluders.",
        lambda: code(5, workers=8),
        lambda short: code(5, workers=8 + short),
        lambda _: code(3, workers=8),
        lambda _: code(5, workers=8, stragglers=0),
        lambda _: code(5, workers=8, adversaries=0),
        lambda _: code(5, workers=8, colluders=0),
    ),
    tried(
        "Make one, such as anyk.Threads(8).",
        lambda: fit(executor=anyk.Threads, workers=8),
        lambda: with_threads(),
    ),
    tried(
        "In a search or a cross-validation take n_jobs=1: the workers compute in parallel anyway. "
        "Otherwise pass one by set_params(executor=...).",
        lambda: unpickled(),
        lambda: searched(),
        lambda: unpickled(executor=True),
    ),
    tried("Add rows of another class.", lambda: fit(y=Y | True), lambda: fit(y=Y)),
    tried(
        "Pass one number for each row.",
        lambda: fit(sample_weight=np.ones(39)),
        lambda: fit(sample_weight=np.ones(40)),
    ),
    tried(
        "Pass 0 for rows that should not count.",
        lambda: fit(sample_weight=np.r_[-1.0, np.ones(39)]),
        lambda: fit(sample_weight=np.r_[0.0, np.ones(39)]),
    ),
    tried(
        "Leave it out to count all rows the same.",
        lambda: fit(class_weight={True: -1.0}),
        lambda: fit(),
    ),
    tried(
        "Pass 1, or leave degree out: the sigmoid itself takes any weights.",
        lambda: fit(degree=3, sample_weight=1.0 + np.arange(40), workers=16),
        lambda: fit(degree=1, sample_weight=1.0 + np.arange(40), workers=16),
        lambda: fit(sample_weight=1.0 + np.arange(40), workers=16),
    ),
    tried(
        "Pass max_iter in its place.",
        lambda: fit(iterations=3),
        lambda: fit(max_iter=3),
    ),
    tried(
        "Pass 1.0, or infinity for no penalty.",
        lambda: fit(C=-1.0),
        lambda: fit(C=1.0),
        lambda: fit(C=np.inf),
    ),
    tried(
        "Leave it out to get the default; 0 will do as well.",
        lambda: fit(tol=-1.0),
        lambda: fit(),
        lambda: fit(tol=0),
    ),
    tried(
        "Leave it out to get the default.",
        lambda: fit(degree=1, step=-1.0),
        lambda: fit(degree=1),
    ),
    tried(
        "one of 'standard', 'unit', 'none'. Leave it out to get the default.",
        lambda: fit(scaling="all"),
        lambda: fit(),
    ),
    tried(
        "Pass 8.0, say.", lambda: fit(degree=1, interval=0.0), lambda: fit(degree=1, interval=8.0)
    ),
    tried(
        "Pass {}, which costs fewer workers, or {}.",
        lambda: Response.sigmoid(2, 8.0),
        lambda fewer, _: Response.sigmoid(fewer, 8.0),
        lambda _, more: Response.sigmoid(more, 8.0),
    ),
    tried(
        "Take other units.",
        lambda: fit(X * 1e-310, X[:, 0], CodedLinearRegression),
        lambda: fit(X, X[:, 0], CodedLinearRegression),
    ),
    tried(
        "Take primes={}, or lower data_bits or weight_bits.",
        lambda: fit(data_bits=20, weight_bits=20, primes=1),
        lambda primes: fit(data_bits=20, weight_bits=20, primes=primes),
        lambda _: fit(data_bits=4, weight_bits=20, primes=1),
        lambda _: fit(data_bits=20, weight_bits=4, primes=1),
        less=lambda less: fit(data_bits=20, weight_bits=20, primes=less),
    ),
]


def with_threads():
    with anyk.Threads(8) as executor:
        return fit(executor=executor, workers=8)


def searched():
    with anyk.Inline(12) as executor, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = CodedLogisticRegression(
            executor=executor, workers=12, max_iter=2, verbose=0, random_state=0
        )
        return GridSearchCV(model, {"C": [1.0]}, cv=2, n_jobs=1).fit(X, Y)
