"""What redundant residues advise, their shares, and the integers that they are."""

import numpy as np
from tried import tried

import anyk
from anyk.domains.whole import Integers
from anyk.works.products import ProductModulo

ONES = np.ones((2, 2), dtype=int)
SCHEME = anyk.Residues(3)
SHARE = [part[0] for part in SCHEME.encode((ONES, ONES)).parts]


def encoded(left, right=ONES, scheme=SCHEME):
    return scheme.encode((left, right))


def multiplied(modulus):
    """The product of a share, modulo this."""
    return ProductModulo()([np.array([modulus]), *SHARE[1:]], [])


ROWS = [
    tried("Reshape it.", lambda: encoded([1.0, 2.0]), lambda: encoded([[1.0, 2.0]])),
    tried(
        "Take {} workers, or lower bits, adversaries or detects.",
        lambda: anyk.Residues(4, 40, adversaries=1, detects=2),
        lambda workers: anyk.Residues(workers, 40, adversaries=1, detects=2),
        lambda _: anyk.Residues(4, 1, adversaries=1, detects=2),
        lambda _: anyk.Residues(4, 40, detects=2),
        lambda _: anyk.Residues(4, 40, adversaries=1, detects=1),
        less=lambda workers: anyk.Residues(workers, 40, adversaries=1, detects=2),
    ),
    tried(
        "Lower the largest of them.",
        lambda: anyk.Residues(1 << 20),
        lambda: anyk.Residues(1 << 10),
    ),
    tried(
        "Lower the largest of them.",
        lambda: anyk.Residues(5, adversaries=1 << 20),
        lambda: anyk.Residues(5, adversaries=1),
    ),
    tried(
        "Pass bits={}, with as many more workers",
        lambda: encoded(ONES << 40, ONES << 29),
        lambda bits: encoded(ONES << 40, ONES << 29, anyk.Residues(4, bits)),
        less=lambda bits: encoded(ONES << 40, ONES << 29, anyk.Residues(4, bits)),
    ),
    tried(
        "Multiply smaller numbers.",
        lambda: encoded([[1 << 9000]], [[1]]),
        lambda: encoded([[1 << 40]], [[1]]),
    ),
    tried(
        "Divide a factor by a power of two",
        lambda: encoded([[1e200]], [[1e200]], anyk.Residues(6, 106)),
        lambda: encoded([[1e200 / 2.0**400]], [[1e200]], anyk.Residues(6, 106)),
    ),
    tried(
        "Convert it to float64",
        lambda: encoded(ONES.astype(np.longdouble)),
        lambda: encoded(ONES.astype(np.longdouble).astype(np.float64)),
    ),
    tried(
        "Pass two matrices that fit.",
        lambda: encoded(ONES, np.ones((3, 2))),
        lambda: encoded(ONES, np.ones((2, 3))),
        lambda: encoded(ONES, np.ones(2)),
    ),
    tried(
        "Leave it out.",
        lambda: anyk.Residues(5, detects=1, verified=True),
        lambda: anyk.Residues(5, verified=True),
    ),
    tried("Pass np.matmul", lambda: SCHEME.work(np.add), lambda: SCHEME.work(np.matmul)),
    tried(
        "Multiply the shares that anyk.Residues encodes.",
        lambda: multiplied(1 << 24),
        lambda: ProductModulo()(SHARE, []),
    ),
    tried(
        "Multiply the shares that anyk.Residues encodes.",
        lambda: ProductModulo()([SHARE[0], SHARE[1].astype(float), SHARE[2]], []),
        lambda: ProductModulo()(SHARE, []),
    ),
    tried(
        "Take smaller numbers.",
        lambda: Integers().matmul([[1 << 40]], [[1 << 40]]),
        lambda: Integers().matmul([[1 << 40]], [[1 << 20]]),
    ),
]
