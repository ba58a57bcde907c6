"""Whether the masks of many encodings over a prime field are uniform and independent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField
from anyk.testing.masks.chance import judge, multinomial, tally
from anyk.testing.masks.draws import Draws
from anyk.testing.masks.pairs import pairs

__all__ = ["check_uniform"]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

_BINS = 16
_FEW = 128  # residues, of which each is a class of its own
_WORD = 32


def check_uniform(draws: Draws, field: PrimeField, generator: np.random.Generator) -> None:
    """Chi-square tests of each mask, coordinate and encoding, and of pairs of them.

    Residues are sorted into 16 classes by their size and into 16 by their lowest bits (into p
    where p is small), and each bit is counted. Of pairs, the classes of both at once, those of
    their difference and their sum, and the bits in which they differ.

    Args:
        draws: the masks.
        field: their field.
        generator: chooses among many pairs.

    Raises:
        AssertionError: if something is seen that honest masks show too seldom.
    """
    p, masks = field.modulus, draws.masks
    each = masks.swapaxes(0, 1).reshape(masks.shape[1], -1)
    encodings = masks.reshape(len(masks), -1)
    singles = [
        *_single("a mask", each, p),
        *_single("the mask of a coordinate", np.ascontiguousarray(encodings.T), p),
        *_single("the masks of one encoding", encodings, p),
    ]
    if p <= _FEW:
        singles.append(("a mask is not uniform", _likely(each, p, np.full(p, 1.0 / p))))
    judge(singles)
    judge(
        [
            (f"{told} are not independent", log)
            for told, first, second in pairs(draws, generator)
            for log in _pair(first.ravel(), second.ravel(), p)
        ]
    )


def _single(what: str, samples: Integers, p: int) -> Iterator[tuple[str, Floats]]:
    """Tests of samples that should be uniform, ndarray (tests, n)."""
    for classes, chances in _sorted(samples, p):
        yield f"{what}: not uniform", _likely(classes, len(chances), chances)
    yield f"{what}: a bit is not uniform", _bits(samples, _ones(p))


def _pair(first: Integers, second: Integers, p: int) -> Iterator[Floats]:
    """Tests of a sample of pairs that should be independent and uniform."""
    for (one, chances), (other, _) in zip(_sorted(first, p), _sorted(second, p), strict=True):
        joint = np.outer(chances, chances).ravel()
        yield _likely((one * len(chances) + other)[None], len(joint), joint)
    for combined in ((first - second) % p, (first + second) % p):
        for classes, chances in _sorted(combined, p):
            yield _likely(classes[None], len(chances), chances)
    ones = _ones(p)
    yield _bits((first ^ second)[None], 2.0 * ones * (1.0 - ones))


def _likely(classes: Integers, count: int, chances: Floats) -> Floats:
    return multinomial(tally(classes, count), chances)


def _sorted(values: Integers, p: int) -> list[tuple[Integers, Floats]]:
    """Classes by size, and by the lowest bits, each with the chances of the classes."""
    few = min(p, _BINS)
    edges = -(-np.arange(few + 1) * p // few)
    sortings = [(values * few // p, np.diff(edges) / p)]
    if p > _BINS:
        sortings.append((values % _BINS, (p - np.arange(_BINS) + _BINS - 1) // _BINS / p))
    return sortings


def _ones(p: int) -> Floats:
    """The chance of a one in each bit of a residue, from the lowest bit."""
    places = np.arange((p - 1).bit_length())
    whole = p >> (places + 1) << places
    rest = np.maximum((p & ((2 << places) - 1)) - (1 << places), 0)
    return np.asarray((whole + rest) / p)


def _bits(samples: Integers, ones: Floats) -> Floats:
    """Tests of every bit of samples, ndarray (tests, n): logarithms (tests, bits)."""
    tests, length = samples.shape
    words = np.ascontiguousarray(samples, dtype="<u4").view(np.uint8)
    bits = np.unpackbits(words, bitorder="little").reshape(tests, length, _WORD)
    found = bits.sum(axis=1, dtype=np.int64)[:, : len(ones)]
    counts = np.stack([found, length - found], axis=-1)
    return multinomial(counts, np.stack([ones, 1.0 - ones], axis=-1))
