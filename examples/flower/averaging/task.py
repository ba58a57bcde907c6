"""What clients and server agree on: the model, the data, and how models are added."""

import numpy as np
from sklearn.datasets import load_digits

import anyk
from anyk import aggregation

CLIENTS, ROUNDS = 5, 2
MODEL = {"W": np.zeros((64, 10)), "b": np.zeros(10)}
PLAN = aggregation.Committee(
    aggregators=4,
    colluders=1,
    length=sum(array.size for array in MODEL.values()),
    clients=CLIENTS,
    least_clients=3,
    numbers=anyk.FixedPoint(fraction_bits=30, magnitude=100.0),
    most_weight=2000,
)


def data_of(partition):
    """The images and digits of one client: of 1,797, twice as many as the one before has."""
    X, y = load_digits(return_X_y=True)
    bounds = np.cumsum([0, *(2**i for i in range(CLIENTS))]) * len(X) // (2**CLIENTS - 1)
    own = slice(bounds[partition], bounds[partition + 1])
    return X[own] / 16, y[own]


def trained(arrays, partition):
    """Some steps of softmax regression from a model on, and the number of examples."""
    W, b = arrays["W"].copy(), arrays["b"].copy()
    X, y = data_of(partition)
    truth = np.eye(10)[y]
    for _ in range(50):
        scores = np.exp(X @ W + b)
        off = scores / scores.sum(axis=1, keepdims=True) - truth
        W -= X.T @ off / len(X)
        b -= off.mean(axis=0)
    return {"W": W, "b": b}, len(X)


def averaged(gone=()):
    """What plain federated averaging gives, computed here: (partition, round) of who is gone."""
    arrays = MODEL
    for server_round in range(1, ROUNDS + 1):
        there = [i for i in range(CLIENTS) if (i, server_round) not in gone]
        models, weights = zip(*(trained(arrays, i) for i in there), strict=True)
        arrays = {
            key: np.average([m[key] for m in models], axis=0, weights=weights) for key in arrays
        }
    return arrays
