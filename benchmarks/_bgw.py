"""BGW-style secure gradients: Shamir shares of the whole data set at every worker.

The protocol that CodedPrivateML compares itself with. N = 2T + 2 workers; the product of two
shared values is a value of a polynomial of degree 2T, and workers reshare their values to bring it
back to T. On the same kernel and on the same executor as the coded computation.
"""

import time

import numpy as np

from anyk.domains.polynomials import lagrange_matrix, vandermonde
from anyk.executors.core.base import PerWorker
from anyk.randomness.entropy import SystemSource, residues

CHUNK = 1 << 18  # numbers shared at a time
ROWS = 1024  # multiplied at a time


class Shamir:
    """Shares of degree T at the points 1..N."""

    def __init__(self, field, workers, colluders):
        self.field, self.workers, self.colluders = field, workers, colluders
        points = np.arange(1, workers + 1)
        self.powers = np.ascontiguousarray(vandermonde(field, points, colluders + 1).T)
        self.needed = 2 * colluders + 1
        zero = np.zeros(1, dtype=np.int64)
        self.at_zero = lagrange_matrix(field, points[: self.needed], zero)  # (1, 2T+1)

    def share(self, values):
        """Shares (N, *shape) of residues, as they travel, with fresh masks."""
        flat = values.reshape(-1)
        shares = np.empty((self.workers, flat.size), dtype=self.field.rest)
        for start in range(0, flat.size, CHUNK):
            part = flat[start : start + CHUNK]
            masks = residues(SystemSource(), self.field.modulus, (self.colluders, part.size))
            nodes = np.concatenate([part[None], masks])
            shares[:, start : start + CHUNK] = self.field.matmul(self.powers, nodes)
        return shares.reshape(self.workers, *values.shape)

    def open(self, shares):
        """The values, from 2T + 1 shares of degree up to 2T."""
        return self.field.matmul(self.at_zero, shares[: self.needed])[0]


class Product:
    """What a worker does in the first half of a multiplication: multiply, and share the product."""

    def __init__(self, shamir, *, transposed):
        self.shamir, self.transposed = shamir, transposed

    def __call__(self, x, vector):
        """Shares (N, length) of this worker's product, one for each worker."""
        field = self.shamir.field
        x, vector = field.present(x), field.present(vector)
        # in pieces that stay in cache, as a coded worker's share does: several times faster
        pieces = [slice(row, row + ROWS) for row in range(0, len(x), ROWS)]
        if self.transposed:
            product = np.stack([x[piece].T @ vector[piece] for piece in pieces]).sum(axis=0)
        else:
            product = np.concatenate([x[piece] @ vector for piece in pieces])
        return self.shamir.share(product.values)


class Reduction:
    """What a worker does in the second half: put together what all workers sent it."""

    def __init__(self, shamir):
        self.shamir = shamir

    def __call__(self, _x, received):
        """Its share, of degree T, of the product."""
        return self.shamir.open(received)


def _round(executor, placement, task, argument):
    """One dispatch to all workers: their answers, and the time of the slowest."""
    start = executor.clock()
    dispatch = executor.dispatch(task, placement, [PerWorker(argument)])
    answers = [dispatch.receive(None) for _ in range(placement.workers)]
    if any(answer.failure for answer in answers):
        raise RuntimeError(next(answer.failure for answer in answers if answer.failure))
    answers.sort(key=lambda answer: answer.worker)
    return np.stack([answer.value for answer in answers]), executor.clock() - start


def gradient(shamir, executor, placement, weights):
    """X^T X w of shared X: the value, seconds of workers, seconds of the master."""
    started = time.perf_counter()
    vector = shamir.share(weights)
    master = time.perf_counter() - started
    workers = 0.0
    for transposed in (False, True):
        product = Product(shamir, transposed=transposed)
        sent, first = _round(executor, placement, product, vector)
        received = np.ascontiguousarray(sent.swapaxes(0, 1))
        vector, second = _round(executor, placement, Reduction(shamir), received)
        workers += first + second
    started = time.perf_counter()
    value = shamir.open(vector)
    return value, workers, master + time.perf_counter() - started
