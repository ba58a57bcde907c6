"""What encoding takes of the master's memory: hardly more than data and shares together."""

import math
import tracemalloc

import numpy as np
import pytest

import anyk

BYTES = 8 << 20
MOST = 1.3
OTHERS = {
    "Agreed": 1.45,  # shares are copied from those of the scheme within
    "FoldedGram": 1.55,  # A is kept, and turned
    "GCSA": 1.6,  # shares under masks are put together of tiles when all are there
    "ShortDot": 1.65,  # A is cut across, which copies it, and so are tiles
    "Uncoded": 1.35,  # A is cut across
}


def shares_of(scheme):
    return scheme.guarantee.workers * scheme.guarantee.pieces


def largest(row):
    """The example with most shares of the blocks, over numbers that are no smaller at rest."""
    wide = [
        each
        for each in row.examples()
        if not isinstance(each.domain, anyk.PrimeField) or each.domain.modulus > 1 << 24
    ]
    return max(wide, key=lambda each: shares_of(each) * each.guarantee.load)


def numbers(domain, shape):
    generator = np.random.default_rng(0)
    if isinstance(domain, anyk.PrimeField):
        return generator.integers(domain.modulus, size=shape)
    made = generator.standard_normal(shape)
    if isinstance(domain, anyk.Complex):
        return made + 1j * generator.standard_normal(shape)
    return made


def encoded(scheme):
    """A call that encodes, and the bytes of its data."""
    problem, size = scheme.problem, BYTES // scheme.domain.dtype.itemsize
    if not isinstance(problem, anyk.MatMul):
        X = numbers(scheme.domain, (problem.blocks, size // problem.blocks))
        return lambda: scheme.encode(X), X.nbytes
    m, p, _ = problem.partition
    rows = math.isqrt(size // problem.batch)
    shape = (rows - rows % m, rows - rows % p)
    X = numbers(scheme.domain, shape if problem.batch == 1 else (problem.batch, *shape))
    return (lambda: (scheme.encode if problem.gram else scheme.encode_left)(X)), X.nbytes


@pytest.mark.parametrize("row", anyk.CATALOGUE, ids=lambda row: row.name)
def test_encoding_takes_little_more_memory_than_data_and_shares(row):
    scheme = largest(row)
    encode, data = encoded(scheme)
    tracemalloc.start()
    try:
        parts = encode().parts
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    both = data + sum(part.nbytes for part in parts)
    assert data + peak <= OTHERS.get(row.name, MOST) * both
