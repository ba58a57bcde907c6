"""What anyk.blocks advises."""

import numpy as np
import scipy.sparse
from tried import tried

import anyk

SPARSE = scipy.sparse.eye_array(4, format="csr")
MASKED = np.ma.array([1, 2, 3], mask=[0, 1, 0])
WORDS = ["any", "k", "of n"]


def mapped(X):
    return anyk.map(lambda block: block, list(anyk.blocks(X, 2)), anyk.Inline(2)).value


ROWS = [
    tried(
        "at least a row for each block. Lower it.",
        lambda: anyk.blocks(WORDS, 4),
        lambda: anyk.blocks(WORDS, 3),
    ),
    tried(
        "Pass list(X) or np.asarray(X); partitions of dask are blocks already.",
        lambda: anyk.blocks(range(3), 2),
        lambda: anyk.blocks(list(range(3)), 2),
        lambda: anyk.blocks(np.asarray(range(3)), 2),
    ),
    tried(
        "Pass list(blocks) to anyk.map, which takes them as they are; or pass X.toarray().",
        lambda: anyk.blocks(SPARSE, 2).stacked,
        lambda: mapped(SPARSE),
        lambda: anyk.blocks(SPARSE.toarray(), 2).stacked,
        lambda: anyk.Sparse((2, 1, 1), 3).encode_left(SPARSE.astype(int)),
    ),
    tried(
        "Pass list(blocks) to anyk.map, which takes them as they are.",
        lambda: anyk.blocks(WORDS, 2).stacked,
        lambda: mapped(WORDS),
    ),
    tried(
        "Fill it in with .filled(...), or pass list(blocks) to anyk.map, which keeps it.",
        lambda: anyk.blocks(MASKED, 2).stacked,
        lambda: anyk.blocks(MASKED.filled(0), 2).stacked,
        lambda: mapped(MASKED),
    ),
    tried(
        "Let the function return one for each row; put others together yourself",
        lambda: anyk.blocks(WORDS, 2).join([3, 4]),
        lambda: anyk.blocks(WORDS, 2).join([[3, 1], [4]]),
        lambda: sum([3, 4]),
    ),
    tried(
        "Pass outcome.value of a run or a map of all of them.",
        lambda: anyk.blocks(WORDS, 2).join(anyk.map(list, WORDS, anyk.Inline(2))),
        lambda: anyk.blocks(WORDS, 2).join(
            anyk.map(list, anyk.blocks(WORDS, 2), anyk.Inline(2)).value
        ),
    ),
]
