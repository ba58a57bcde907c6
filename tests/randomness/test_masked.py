"""Shares under uniform masks: the same code span by span, fresh masks in each, little memory."""

import tracemalloc

import numpy as np
import pytest

import anyk
from anyk.randomness import masked as module
from anyk.randomness.entropy import InsecureTestSource, SystemSource
from anyk.randomness.masked import masked

FIELD = anyk.PrimeField(101)
MATRIX = np.array([[3, 1], [2, 1], [5, 4]])  # one block, one mask


@pytest.mark.parametrize("shape", [(), (1,), (50,), (7, 11), (2, 3, 40)])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("out", [False, True])
def test_each_share_is_the_data_under_one_mask_however_large(monkeypatch, shape, turned, out):
    monkeypatch.setattr(module, "_LEAST", 16)  # several spans from eight numbers on
    block = np.random.default_rng(0).integers(101, size=shape)
    blocks = (block.T if turned else block)[None]  # its rows do not lie in one piece
    room = np.full((6, *blocks.shape[1:]), -1)[::2] if out else None
    shares = masked(FIELD, MATRIX, blocks, SystemSource(), room)
    assert not out or shares is room
    assert shares.dtype == (np.int64 if out else np.uint8)
    mask = FIELD.reduce(shares[0].astype(int) - 3 * blocks[0])
    assert np.array_equal(shares, FIELD.matmul(MATRIX, np.stack([blocks[0], mask])))


def test_no_span_has_the_mask_of_another(monkeypatch):
    monkeypatch.setattr(module, "_LEAST", 1 << 10)
    size = 24 * 500
    shares = masked(FIELD, MATRIX, np.zeros((1, size), np.int64), InsecureTestSource(0))
    masks = shares[0].reshape(24, 500)  # 101^-500 is the chance that two are the same
    assert len({each.tobytes() for each in masks}) == 24
    assert np.bincount(shares[0], minlength=101).min() > 60  # of 119 on average


def test_large_blocks_do_not_lie_in_memory_twice(monkeypatch):
    monkeypatch.setattr(module, "_LEAST", 1 << 17)
    blocks = np.zeros((6, 1 << 19), np.int64)  # 24 MiB
    matrix = np.ones((2, 7), np.int64)
    masked(FIELD, matrix, blocks[:, :100], SystemSource())  # loads what is needed
    tracemalloc.start()
    shares = masked(FIELD, matrix, blocks, SystemSource())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < shares.nbytes + blocks.nbytes / 2
