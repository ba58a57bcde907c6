"""Where masks come from: the operating system's CSPRNG, expanded by AES-256 in counter mode."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import count, instance

__all__ = [
    "AbstractSource",
    "InsecureTestSource",
    "SystemSource",
    "keystream",
    "residues",
    "shuffled",
]

_KEY_BYTES = 32
_COUNTER_BYTES = 16
_BLOCK = 1 << 16  # words drawn at a time: the keystream stays in cache
_HALF_OF_A_LOT = 1 << 31  # two words make one lot of 62 bits


class AbstractSource(ABC):
    """A place that random bytes come from."""

    __slots__ = ()

    @abstractmethod
    def key(self) -> bytes:
        """A fresh key and counter, 48 bytes: never the same twice."""


@final
@dataclass(frozen=True)
class SystemSource(AbstractSource):
    """Keys from the operating system's CSPRNG (`os.urandom`), a fresh one for every draw.

    It holds no state, so that a copy in a forked or restarted process repeats nothing.

    Example:
        >>> from anyk.randomness.entropy import SystemSource
        >>> len(SystemSource().key())
        48
    """

    def key(self) -> bytes:
        """48 fresh bytes from `os.urandom`."""
        return os.urandom(_KEY_BYTES + _COUNTER_BYTES)


@final
class InsecureTestSource(AbstractSource):
    """Repeatable keys, for tests alone: whoever knows the seed knows every mask.

    Args:
        seed: any integer, 0 or more.

    Example:
        >>> from anyk.randomness.entropy import InsecureTestSource, residues
        >>> first, again = InsecureTestSource(1), InsecureTestSource(1)
        >>> bool(np.array_equal(residues(first, 7, (5,)), residues(again, 7, (5,))))
        True
    """

    __slots__ = ("_generator",)

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(count("seed", seed, least=0))

    def key(self) -> bytes:
        """The next 48 bytes of a generator that is not cryptographic."""
        return self._generator.bytes(_KEY_BYTES + _COUNTER_BYTES)


def residues(source: AbstractSource, modulus: int, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Independent uniform numbers in [0, modulus), without bias.

    A 32-bit word of keystream is cut to the bits of the modulus and rejected unless it is below
    it, so that every residue is equally likely.

    Args:
        source: where the key comes from.
        modulus: from 1 to 2**31.
        shape: of the result.

    Returns:
        int64 ndarray of that shape.

    References:
        NIST SP 800-38A, section 6.5 (CTR mode); SP 800-90A, appendix A.5.1 (simple discard).

    Example:
        >>> from anyk.randomness.entropy import SystemSource, residues
        >>> bool((residues(SystemSource(), 7, (100,)) < 7).all())
        True
    """
    total = int(np.prod(shape, dtype=np.int64))
    out = np.empty(total, dtype=np.int64)
    bits = np.uint32((1 << (modulus - 1).bit_length()) - 1)
    filled = 0
    for words in keystream(source, min(_BLOCK, max(total, 64))):
        np.bitwise_and(words, bits, out=words)
        kept = words[words < modulus] if int(words.max()) >= modulus else words
        kept = kept[: total - filled]
        out[filled : filled + len(kept)] = kept
        filled += len(kept)
        if filled == total:
            break
    return out.reshape(shape)


def shuffled(source: AbstractSource, number: int) -> NDArray[np.intp]:
    """The integers 0, 1, .., n - 1 in an order of which each is equally likely.

    They are sorted by independent numbers below 2**62, which are drawn again where two are equal:
    so no order is more likely than another.

    Args:
        source: where the key comes from.
        number: n, how many.

    Returns:
        intp ndarray (n,).

    Raises:
        InvalidArgument: if n is no integer of at least 0.

    Example:
        >>> from anyk.randomness.entropy import SystemSource, shuffled
        >>> sorted(shuffled(SystemSource(), 5).tolist())
        [0, 1, 2, 3, 4]
    """
    many = count("number", number, least=0)
    while True:
        high, low = residues(source, _HALF_OF_A_LOT, (2, many))
        lots = high * _HALF_OF_A_LOT + low
        order: NDArray[np.intp] = np.argsort(lots)
        if (np.diff(lots[order]) > 0).all():
            return order


def keystream(source: AbstractSource, words: int) -> Iterator[NDArray[np.uint32]]:
    """Endless random 32-bit words, as many at a time; each time the same memory.

    Args:
        source: where the key comes from.
        words: how many at a time.

    References:
        NIST SP 800-38A, section 6.5 (CTR mode).
    """
    instance("source", source, AbstractSource, change="Leave it out.")
    key = source.key()
    from cryptography.hazmat.primitives.ciphers import (  # noqa: PLC0415 - where masks are drawn
        Cipher,
        algorithms,
        modes,
    )

    stream = Cipher(algorithms.AES256(key[:_KEY_BYTES]), modes.CTR(key[_KEY_BYTES:])).encryptor()
    zeros = bytes(4 * words)
    # update_into may want room for one cipher block beyond its input
    room = np.empty(words + 4, dtype=np.uint32)
    while True:
        stream.update_into(zeros, room.view(np.uint8).data)
        yield room[:words]
