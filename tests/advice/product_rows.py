"""What anyk.matmul advises, its factors and its plan, and schemes for products."""

import numpy as np
import scipy.sparse
from tried import tried

import anyk

A, B = np.arange(6).reshape(2, 3), np.ones((3, 2), dtype=int)
CODE = anyk.Polynomial((2, 1, 2), 6)
FOLDED = anyk.FoldedGram((2, 1, 2), 6)
THIN = anyk.Sparse((2, 1, 1), 6, domain=anyk.Reals())
TURNED = anyk.Rotation((4, 1, 2), 6)


def product(a=A, b=B, workers=6, **named):
    """A product on so many workers."""
    with anyk.Inline(workers) as executor:
        return anyk.matmul(a, b, executor, progress=False, **named).value


def sparse(rows):
    """A sparse matrix with so many rows."""
    return scipy.sparse.csr_matrix(([1.0], ([0], [1])), shape=(rows, 1 << 20))


def resident(function):
    """What becomes of an A that is on the workers, and their executor."""
    with anyk.Inline(6) as executor, anyk.distribute(CODE, A, executor) as data:
        return function(data, executor)


def complex_numbers(a):
    return a * (1 + 2j)


def answers_put(together):
    """A product from answers that are put together so."""
    encoded = anyk.Polynomial((2, 1, 1), 2).encode((np.eye(2, dtype=int), np.eye(2, dtype=int)))
    answers = [left @ right for left, right in zip(*encoded.parts, strict=True)]
    return encoded.decode(together(answers), range(2))


ROWS = [
    tried(
        "Pass scheme.encode_left(A).",
        lambda: CODE.encode_right(TURNED.encode_left(A), B),
        lambda: CODE.encode_right(CODE.encode_left(A), B),
    ),
    tried(
        "Take scheme.encode_right(encoded, B).",
        lambda: CODE.encode_left(A).recovery(range(4)),
        lambda: CODE.encode_right(CODE.encode_left(A), B).recovery(range(4)),
    ),
    tried(
        "Make one: anyk.Processes(8), anyk.Dask(client), anyk.Ray(8), anyk.Futures(pools).",
        lambda: anyk.matmul(A, B, anyk.Threads),
        lambda: anyk.matmul(A, B, anyk.Threads(8)),
    ),
    tried("Transpose one of them.", lambda: product(A, A), lambda: product(A, A.T)),
    tried(
        "Nothing to multiply: leave the call out.",
        lambda: product(np.zeros((2, 0)), np.zeros((0, 2))),
        lambda: None,
    ),
    tried(
        "Reshape one of them, or multiply one after the other.",
        lambda: product(np.ones((2, 3, 3)), np.ones((4, 3, 3))),
        lambda: product(np.ones((2, 1, 3, 3)), np.ones((4, 3, 3))),
        lambda: [product(each, np.ones((4, 3, 3))) for each in np.ones((2, 3, 3))],
    ),
    tried(
        "Convert it: np.asarray(..., dtype=float), say.",
        lambda: product(np.array([["1", "2", "3"]])),
        lambda: product(np.asarray([["1", "2", "3"]], dtype=float)),
    ),
    tried(
        "Round it: .astype(float), or .astype(complex).",
        lambda: product(A.astype(np.longdouble)),
        lambda: product(A.astype(np.longdouble).astype(float)),
        lambda: product(A.astype(np.clongdouble).astype(complex)),
    ),
    tried(
        "Pass scheme=anyk.Sparse(partition, workers, domain=anyk.Reals()), whose shares stay",
        lambda: product(sparse(1 << 10), np.ones(1 << 20)),
        lambda: product(sparse(1 << 10), np.ones(1 << 20), scheme=THIN),
        lambda: product(sparse(1 << 10)[:2], np.ones(1 << 20)),
    ),
    tried(
        "Multiply block by block of columns.",
        lambda: product(np.ones(1 << 20), sparse(1 << 10).T),
        lambda: product(np.ones(1 << 20), sparse(1 << 10)[:2].T),
    ),
    tried(
        "Call its own: a.matmul(b).",
        lambda: resident(lambda data, executor: anyk.matmul(data, B, executor)),
        lambda: resident(lambda data, _: data.matmul(B)),
    ),
    tried(
        "Distribute a instead, and call its .matmul(b).",
        lambda: resident(lambda data, executor: anyk.matmul(A, data, executor)),
        lambda: resident(lambda data, _: data.matmul(B)),
    ),
    tried(
        "Pass a.T, or leave scheme out.",
        lambda: product(A, A.T + 1, scheme=FOLDED),
        lambda: product(A, A.T, scheme=FOLDED),
        lambda: product(A, A.T + 1),
    ),
    tried(
        "Pass a.astype(float).",
        lambda: product(np.full((1, 3), 1e30, np.float32), np.full(3, 1e30, np.float32)),
        lambda: product(
            np.full((1, 3), 1e30, np.float32).astype(float), np.full(3, 1e30, np.float32)
        ),
    ),
    tried(
        "Pass floats, a.astype(float), where rounding is allowed.",
        lambda: product(A << 40, B << 20),
        lambda: product((A << 40).astype(float), B << 20),
    ),
    tried(
        "Multiply real and imaginary parts.",
        lambda: product(complex_numbers(A), scheme=CODE),
        lambda: [
            product(part, scheme=CODE)
            for part in (complex_numbers(A).real, complex_numbers(A).imag)
        ],
    ),
    *(
        tried(
            "Make one, such as anyk.Polynomial((2, 1, 2), 6).",
            lambda given=given: product(scheme=given),
            lambda: product(scheme=anyk.Polynomial((2, 1, 2), 6)),
        )
        for given in (anyk.Polynomial, anyk.Replication(2, 4))
    ),
    tried(
        "Leave stragglers, adversaries, colluders, pieces and verified out.",
        lambda: product(scheme=CODE, stragglers=1),
        lambda: product(scheme=CODE),
    ),
    tried(
        "Multiply one after the other.",
        lambda: product(np.ones((2, 4, 3)), np.ones((2, 3, 2)), scheme=TURNED),
        lambda: [product(np.ones((4, 3)), np.ones((3, 2)), scheme=TURNED) for _ in range(2)],
    ),
    tried(
        "Pass True, False or None.",
        lambda: product(verified="double"),
        *(lambda given=given: product(verified=given) for given in (True, False, None)),
    ),
    tried(
        "Take {} workers, or lower stragglers or adversaries.",
        lambda: product(workers=5, stragglers=3, adversaries=2),
        lambda workers: product(workers=workers, stragglers=3, adversaries=2),
        lambda _: product(workers=5, stragglers=0, adversaries=2),
        lambda _: product(workers=5, stragglers=3, adversaries=0),
        less=lambda less: product(workers=less, stragglers=3, adversaries=2),
    ),
    tried(
        "Take {} worker",
        lambda: anyk.Uncoded((2, 1, 1), 5, adversaries=1),
        lambda workers: anyk.Uncoded((2, 1, 1), workers, adversaries=1),
        lambda _: anyk.Uncoded((1, 1, 1), 5, adversaries=1),
        less=lambda less: anyk.Uncoded((2, 1, 1), less, adversaries=1),
    ),
    tried(
        "or lower m, p, n or adversaries.",
        lambda: anyk.Uncoded((2, 1, 1), 5, adversaries=1),
        lambda: anyk.Uncoded((1, 1, 1), 5, adversaries=1),
        lambda: anyk.Uncoded((2, 1, 1), 5),
    ),
    tried(
        "Pass domain=anyk.Reals().",
        lambda: anyk.Uncoded((2, 1, 1), 5, domain=float),
        lambda: anyk.Uncoded((2, 1, 1), 5, domain=anyk.Reals()),
    ),
    tried(
        "Stack what the workers return along a new first axis.",
        lambda: answers_put(np.concatenate),
        lambda: answers_put(np.stack),
    ),
]
