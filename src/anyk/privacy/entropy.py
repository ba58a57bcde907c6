"""Where masks come from: the operating system's CSPRNG, expanded by AES-256 in counter mode."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

__all__ = ["AbstractSource", "InsecureTestSource", "SystemSource", "residues"]

_KEY_BYTES = 32
_COUNTER_BYTES = 16
_BLOCK = 1 << 16  # words drawn at a time: the keystream stays in cache


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
        >>> from anyk.privacy.entropy import SystemSource
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
        seed: any integer.

    Example:
        >>> from anyk.privacy.entropy import InsecureTestSource, residues
        >>> first, again = InsecureTestSource(1), InsecureTestSource(1)
        >>> bool(np.array_equal(residues(first, 7, (5,)), residues(again, 7, (5,))))
        True
    """

    __slots__ = ("_generator",)

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

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
        >>> from anyk.privacy.entropy import SystemSource, residues
        >>> bool((residues(SystemSource(), 7, (100,)) < 7).all())
        True
    """
    key = source.key()
    stream = Cipher(algorithms.AES256(key[:_KEY_BYTES]), modes.CTR(key[_KEY_BYTES:])).encryptor()
    total = int(np.prod(shape, dtype=np.int64))
    out = np.empty(total, dtype=np.int64)
    bits = np.uint32((1 << (modulus - 1).bit_length()) - 1)
    zeros = bytes(4 * min(_BLOCK, max(total, 64)))
    # update_into may want room for one cipher block beyond its input
    room = np.empty(len(zeros) // 4 + 4, dtype=np.uint32)
    filled = 0
    while filled < total:
        stream.update_into(zeros, room.view(np.uint8).data)
        words = room[: len(zeros) // 4]
        np.bitwise_and(words, bits, out=words)
        if int(words.max()) >= modulus:
            words = words[words < modulus]
        words = words[: total - filled]
        out[filled : filled + len(words)] = words
        filled += len(words)
    return out.reshape(shape)
