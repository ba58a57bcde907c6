"""The two jobs of the demo, and the three ways to do each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.demo.digits import all_pixels, held_out
from anyk.demo.network import read
from anyk.demo.trouble import Trouble
from anyk.domains.prime import PrimeField
from anyk.schemes.base import AbstractScheme
from anyk.schemes.maps.lagrange import Lagrange
from anyk.schemes.maps.replication import Replication

__all__ = ["WORKERS", "Job", "Way", "gram", "gram_job", "reading_job"]

WORKERS = 12

_READING_BLOCKS, _READING_ROWS = 8, 56
_PARTS = 2  # items of a map that a block is cut in: there may be more items than workers
_GRAM_BLOCKS, _GRAM_ROWS = 3, 599


@final
@dataclass(frozen=True, kw_only=True)
class Way:
    """One way to do a job.

    Args:
        name: uncoded, replicated, coded or anyk.map.
        scheme: how the blocks become shares; None for `anyk.map`.
        plain: whether it takes what comes, as a parallel map does, rather than what is enough:
            a block that is lost is then lost, and the others are kept.
        parts: how many items `anyk.map` makes of a block.
    """

    name: str
    scheme: AbstractScheme | None
    plain: bool = False
    parts: int = 1

    @property
    def workers(self) -> int:
        """How many workers it employs."""
        return WORKERS if self.scheme is None else self.scheme.guarantee.workers

    @property
    def private(self) -> bool:
        """Whether what a worker is sent tells it nothing of the data."""
        return self.scheme is not None and self.scheme.guarantee.leakage == 0

    def enough(self, blocks: int) -> int:
        """How many answers it takes, of so many blocks."""
        if self.scheme is None:
            return blocks * self.parts
        return self.workers if self.plain else self.scheme.guarantee.threshold


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Job:
    """One job, to be done in three ways with the same faults.

    Args:
        title: what is computed.
        detail: how it is coded.
        unit: what is counted as right or wrong.
        function: computed on every block.
        X: the blocks.
        ways: uncoded, replicated, and anyk.map or coded.
        trouble: what goes wrong, the same for all ways.
        direct: the value, computed without workers.
        count_right: how many units of a block are right: (its value, the direct one) -> count.
        total: how many units there are.
    """

    title: str
    detail: str
    unit: str
    function: Callable[..., Any]
    X: NDArray[Any]
    ways: tuple[Way, ...]
    trouble: Trouble
    direct: NDArray[Any]
    count_right: Callable[[NDArray[Any], NDArray[Any]], int]
    total: int


def gram(x: Any) -> Any:
    """All inner products of a block's digits: a polynomial of degree 2.

    Args:
        x: FieldArray or ndarray (rows, 64).

    Returns:
        The same kind of array, (rows, rows).
    """
    return x @ x.T


def _same_readings(value: NDArray[Any], direct: NDArray[Any]) -> int:
    return int(np.count_nonzero(value.argmax(axis=-1) == direct.argmax(axis=-1)))


def _same_bits(value: NDArray[Any], direct: NDArray[Any]) -> int:
    return int(np.array_equal(value, direct))


def reading_job(rng: np.random.Generator, *, seconds: float, passes: int) -> Job:
    """Job 1: a neural network reads digits. Two workers sleep, one is killed.

    The faults hit workers that every way employs: three of the first eight.

    Args:
        rng: draws the digits and the faults.
        seconds: that the sleepers sleep.
        passes: how many smudged copies of each digit are read.
    """
    function = partial(read, passes=passes)
    images, _ = held_out()
    total = _READING_BLOCKS * _READING_ROWS
    images = images[rng.permutation(len(images))[:total]]
    X = images.reshape(_READING_BLOCKS, _READING_ROWS, -1)
    first, second, killed = (int(who) for who in rng.permutation(_READING_BLOCKS)[:3])
    return Job(
        title=f"A neural network reads {total} handwritten digits",
        detail=f"{_READING_BLOCKS} blocks of {_READING_ROWS} digits; anyk.map: "
        f"{_READING_BLOCKS * _PARTS} items of {_READING_ROWS // _PARTS}, to whoever is free",
        unit="digits",
        function=function,
        X=X,
        ways=(
            Way(name="uncoded", scheme=Replication(_READING_BLOCKS, _READING_BLOCKS), plain=True),
            Way(name="replicated", scheme=Replication(_READING_BLOCKS, WORKERS), plain=True),
            Way(name="anyk.map", scheme=None, parts=_PARTS),
        ),
        trouble=Trouble(asleep=tuple(sorted((first, second))), seconds=seconds, killed=killed),
        direct=function(X),
        count_right=_same_readings,
        total=total,
    )


def gram_job(rng: np.random.Generator, *, seconds: float) -> Job:
    """Job 2: Gram matrices of secret digits, exactly. Two sleep, one lies, one is curious.

    The three workers of the uncoded way meet a sleeper, the liar and the colluder; the other ways
    meet one more sleeper.

    Args:
        rng: draws the order of the digits and the faults; never the masks.
        seconds: that the sleepers sleep.
    """
    field = PrimeField()
    pixels = all_pixels()
    X = pixels[rng.permutation(len(pixels))].reshape(_GRAM_BLOCKS, _GRAM_ROWS, -1)
    first, liar, colluder = (int(who) for who in rng.permutation(_GRAM_BLOCKS))
    second = int(rng.integers(_GRAM_BLOCKS, WORKERS))

    coded = Lagrange(
        _GRAM_BLOCKS, degree=2, workers=WORKERS, adversaries=1, colluders=1, field=field
    )
    return Job(
        title=f"Exact Gram matrices of {_GRAM_BLOCKS} secret batches of {_GRAM_ROWS} digits",
        detail=f"{_GRAM_BLOCKS} blocks; coded: Lagrange, "
        f"any {coded.guarantee.threshold} of {WORKERS} answers are enough, one of them a lie",
        unit="matrices",
        function=gram,
        X=X,
        ways=(
            Way(
                name="uncoded",
                scheme=Replication(_GRAM_BLOCKS, _GRAM_BLOCKS, domain=field),
                plain=True,
            ),
            Way(
                name="replicated",
                scheme=Replication(_GRAM_BLOCKS, WORKERS, adversaries=1, domain=field),
            ),
            Way(name="coded", scheme=coded),
        ),
        trouble=Trouble(
            asleep=(first, second),
            seconds=seconds,
            liar=liar,
            lie=(_GRAM_ROWS, _GRAM_ROWS),
            colluder=colluder,
        ),
        direct=X @ X.transpose(0, 2, 1),
        count_right=_same_bits,
        total=_GRAM_BLOCKS,
    )
