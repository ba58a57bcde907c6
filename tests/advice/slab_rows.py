"""What is advised where data come in slabs."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from tried import tried

import anyk
from anyk.executors.core.columns import UNKNOWN, Outline

COPIES = anyk.Replication(2, 3)
FIXED = anyk.FixedPoint(fraction_bits=8, magnitude=4.0, degree=2)
DECLARED = anyk.FixedPoint(fraction_bits=8, magnitude=4.0, degree=2, summands=1)
PRIVATE = anyk.Lagrange(blocks=2, degree=2, workers=5, colluders=1)
FLOAT = np.dtype(float)
FIRST = np.ones((2, 3))


def value(*slabs, scheme=COPIES, f=np.copy, **named):
    with anyk.Inline(scheme.guarantee.workers) as executor:
        with anyk.distribute(scheme, iter(slabs), executor, **named) as data:
            return data.run(f).value


def whole(X, scheme, **named):
    with anyk.Inline(scheme.guarantee.workers) as executor:
        with anyk.distribute(scheme, X, executor, **named) as data:
            return data.run(np.copy, tolerance=np.inf).value


def at_once(X):
    with anyk.Inline(3) as executor:
        return anyk.run(COPIES, np.copy, X, executor).value


def product(A, **named):
    with anyk.Inline(4) as executor:
        with anyk.distribute(anyk.Polynomial((2, 1, 1), 4), A, executor, **named) as held:
            return held.matmul(np.ones(A.shape[1])).value


def filling(*slabs, columns=UNKNOWN, again=False, finish=True, abandon=False):
    with anyk.Inline(2) as executor:
        written = executor.filling([Outline((2, columns), FLOAT, axis=1)])
        for slab in slabs:
            written.write([slab])
        if abandon:
            written.abandon()
        if finish:
            written.finish()
        if again:
            written.write([FIRST])
        return written


def in_pools(make, *, abandon=False):
    with anyk.Futures([make] * 2) as executor:
        written = executor.filling([Outline((2, UNKNOWN), FLOAT, axis=1)])
        written.write([FIRST])
        if abandon:
            written.abandon()
        return written.finish()


def broken():
    raise OSError("no more threads")


def lying(look):
    with anyk.Inline(3) as executor, anyk.distribute(COPIES, iter([FIRST]), executor) as data:
        return look(data)


POOL = partial(ThreadPoolExecutor, 1)
ROWS = [
    tried("Yield arrays (K, w, ...).", value, lambda: value(FIRST)),
    tried(
        "Yield block[:, start : start + w] of data (K, columns, *rest).",
        lambda: value(np.ones(2)),
        lambda: value(*(np.ones((2, 6))[:, start : start + 2] for start in (0, 2, 4))),
    ),
    tried(
        "Yield slabs (K, w, *rest) of one dtype, and of one shape but for w.",
        lambda: value(FIRST, FIRST.astype(int)),
        lambda: value(FIRST, np.ones((2, 5))),
    ),
    tried(
        "Pass FixedPoint(..., summands=S) for functions that add up S products.",
        lambda: value(FIRST, scheme=PRIVATE, embedding=FIXED),
        lambda: value(FIRST, scheme=PRIVATE, embedding=DECLARED),
    ),
    tried(
        "Leave columns= out where it fits in memory, or take anyk.Replication or anyk.Berrut",
        lambda: whole(FIRST, anyk.Spline(2, 4), columns=2),
        lambda: whole(FIRST, anyk.Spline(2, 4)),
        lambda: whole(FIRST, anyk.Replication(2, 4), columns=2),
        lambda: whole(FIRST, anyk.Berrut(2, 4), columns=2),
    ),
    tried(
        "Pass np.concatenate([*X], axis=1) where it fits in memory",
        lambda: value(FIRST, FIRST, scheme=anyk.Spline(2, 4)),
        lambda: whole(np.concatenate([*iter([FIRST, FIRST])], axis=1), anyk.Spline(2, 4)),
    ),
    tried(
        "or cut A in K blocks of rows (K, rows, inner) for anyk.Lagrange or anyk.Replication, "
        "which take slabs, with np.matmul as the function",
        lambda: product(np.ones((4, 6)), columns=2),
        lambda: product(np.ones((4, 6))),
        lambda: value(np.ones((2, 2, 6)), f=lambda block: np.matmul(block, np.ones(6))),
        lambda: value(
            np.ones((2, 2, 6), int),
            scheme=anyk.Lagrange(2, 1, 3),
            f=lambda block: np.matmul(block, np.ones(6, int)),
        ),
    ),
    tried(
        "Make an array of it, np.array([*X]) say; anyk.distribute takes slabs of columns.",
        lambda: at_once(iter(FIRST)),
        lambda: at_once(np.array([*iter(FIRST)])),
        lambda: value(FIRST),
    ),
    tried(
        "Leave it out.",
        lambda: value(FIRST, columns=2),
        lambda: value(FIRST),
    ),
    tried(
        "Yield every slab of the data.",
        lambda: filling(FIRST, columns=6),
        lambda: filling(FIRST, FIRST, columns=6),
    ),
    tried(
        "Encode all slabs with one scheme, at one layout.",
        lambda: filling(FIRST, np.ones((3, 2))),
        lambda: filling(FIRST, np.ones((2, 2))),
    ),
    *(
        tried(
            "these shares were abandoned, or are whole: begin again.", wrong, lambda: filling(FIRST)
        )
        for wrong in (
            lambda: filling(FIRST, again=True),
            lambda: filling(FIRST, abandon=True),
            lambda: in_pools(POOL, abandon=True),
        )
    ),
    tried(
        "no worker has taken all slabs",
        lambda: in_pools(broken),
        lambda: in_pools(POOL),
    ),
    tried(
        "run a function on them there.",
        lambda: lying(lambda data: np.asarray(data.encoded.parts[0])),
        lambda: lying(lambda data: data.run(np.copy).value),
    ),
]
