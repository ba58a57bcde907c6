"""The coalition that learns most from Gaussian masks: an exact search, or a bound and a find."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.privacy.information import bits_learned

__all__ = ["WorstCase", "most_bits_learned", "rows_of"]

_CHUNK = 1 << 16  # coalitions judged at once, where a worker has one piece
_FINALISTS = 32  # judged again, by singular values
_DELICATE = 1e-9  # det of the noise's correlations below which the quick formula is not trusted
_FAINT = 1e-5  # trace of a matrix that is log det(1 + it) in all but the last digits
_ROUNDS = 20  # of improving a coalition by exchanging one worker


@final
@dataclass(frozen=True, kw_only=True)
class WorstCase:
    """What the coalition that learns most learns.

    Args:
        bound: no coalition learns more bits a coordinate.
        found: the most that a coalition was found to learn; equal to `bound` where all were tried.
        coalition: that does.

    Example:
        >>> from anyk.privacy.coalitions import WorstCase
        >>> WorstCase(bound=0.5, found=0.5, coalition=(3,)).exact
        True
    """

    bound: float
    found: float
    coalition: tuple[int, ...]

    @property
    def exact(self) -> bool:
        """Whether the bound is reached."""
        return self.bound == self.found


def most_bits_learned(
    data: NDArray[Any],
    masks: NDArray[Any],
    colluders: int,
    *,
    variance: float,
    sets: int = 5_000_000,
    pieces: int = 1,
) -> WorstCase:
    """The coalition of a size that learns most, for data D·x + M·z with z standard normal.

    All coalitions are tried where there are no more than `sets`. Otherwise neighbouring workers
    are put in groups, few enough to try all sets of groups: T workers are in T groups at most, and
    learn no more than all workers of these. The find then comes from exchanging one worker at a
    time, from the T that learn most alone.

    Args:
        data: D, ndarray (N r, K), real or complex.
        masks: M, ndarray (N r, masks); its columns multiply noise of variance 1.
        colluders: T, from 1 to N.
        variance: of each coordinate of each block.
        sets: how many coalitions to try at most.
        pieces: r, how many rows of D and M belong to one worker, who sees all of them.

    Returns:
        The bound, the most found, and who; infinite where noise is missing.

    Example:
        >>> from anyk.privacy.coalitions import most_bits_learned
        >>> data, masks = np.array([[1.0], [2.0], [1.0]]), np.array([[1.0], [1.0], [3.0]])
        >>> most_bits_learned(data, masks, 1, variance=0.75)
        WorstCase(bound=1.0, found=1.0, coalition=(1,))
    """
    workers = len(data) // pieces
    if math.comb(workers, colluders) <= sets:
        bits, who = _search(data, masks, colluders, variance, pieces)
        return WorstCase(bound=bits, found=bits, coalition=who)
    found, who = _climb(data, masks, colluders, variance, pieces)
    if math.isinf(found):
        return WorstCase(bound=found, found=found, coalition=who)
    size = next(
        size
        for size in range(2, workers + 1)
        if math.comb(-(-workers // size), min(colluders, -(-workers // size))) <= sets // 100
    )
    groups = [list(range(start, min(start + size, workers))) for start in range(0, workers, size)]
    bound = found
    for chosen in itertools.combinations(groups, min(colluders, len(groups))):
        members = rows_of(itertools.chain.from_iterable(chosen), pieces)
        bound = max(bound, bits_learned(data[members], masks[members], variance=variance))
        if math.isinf(bound):
            break
    return WorstCase(bound=bound, found=found, coalition=who)


def rows_of(workers: Iterable[int], pieces: int) -> list[int]:
    """What these workers see.

    Args:
        workers: which.
        pieces: r, how many rows one of them sees.

    Example:
        >>> from anyk.privacy.coalitions import rows_of
        >>> rows_of([0, 2], 2)
        [0, 1, 4, 5]
    """
    return [worker * pieces + piece for worker in workers for piece in range(pieces)]


def _search(
    data: NDArray[Any], masks: NDArray[Any], size: int, variance: float, pieces: int
) -> tuple[float, tuple[int, ...]]:
    """The best of all coalitions: by determinants, and the first few again by singular values."""
    scales = np.sqrt(np.sum(np.abs(masks) ** 2, axis=1))
    bare = scales == 0.0
    workers = len(data) // pieces
    if bare.any():  # a share without noise: all of it is learned, or there is nothing in it
        for row in np.flatnonzero(bare):
            if data[row].any():
                worker = int(row) // pieces
                others = [n for n in range(workers) if n != worker][: size - 1]
                return math.inf, tuple(sorted([worker, *others]))
    scales = np.where(bare, 1.0, scales)[:, None]
    noise, signal = masks / scales, data / scales
    alone = noise @ noise.conj().T
    told = variance * (signal @ signal.conj().T)
    best, who = -1.0, tuple(range(size))
    finalists: list[tuple[float, tuple[int, ...]]] = []

    def judge(candidate: tuple[int, ...]) -> None:
        nonlocal best, who
        rows = rows_of(candidate, pieces)
        bits = bits_learned(data[rows], masks[rows], variance=variance)
        best, who = max((best, who), (bits, candidate), key=lambda pair: pair[0])

    for chosen in _chunks(workers, size, max(1, _CHUNK // pieces**2)):
        rows = chosen[:, :, None] * pieces + np.arange(pieces)
        scores = _scores(alone, told, rows.reshape(len(chosen), -1))
        for row in np.flatnonzero(np.isinf(scores)):
            judge(tuple(map(int, chosen[row])))
            if math.isinf(best):
                return best, who
        scores[np.isinf(scores)] = -1.0
        first = np.argsort(-scores, kind="stable")[:_FINALISTS]
        finalists.extend((-float(scores[row]), tuple(map(int, chosen[row]))) for row in first)
        finalists = sorted(finalists)[:_FINALISTS]
    for _, candidate in finalists:
        judge(candidate)
    return best, who


def _scores(
    alone: NDArray[Any], told: NDArray[Any], chosen: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Log det(1 + G^-1 S) of noise G and data S; infinite where G is lost in rounding."""
    rows, columns = chosen[:, :, None], chosen[:, None, :]
    noise = alone[rows, columns]
    sign, size = np.linalg.slogdet(noise)
    lost = (np.real(sign) <= 0.0) | (size < math.log(_DELICATE))
    noise[lost] = np.eye(chosen.shape[1])
    ratio = np.linalg.solve(noise, told[rows, columns])
    trace = np.real(np.trace(ratio, axis1=1, axis2=2))
    _, grown = np.linalg.slogdet(np.eye(chosen.shape[1]) + ratio)
    scores: NDArray[np.float64] = np.where(trace < _FAINT, trace, grown)
    scores[lost] = np.inf
    return scores


def _chunks(workers: int, size: int, chunk: int) -> Iterator[NDArray[np.intp]]:
    """All combinations, a few at a time, ndarray (m, size)."""
    every = itertools.combinations(range(workers), size)
    while part := list(itertools.islice(every, chunk)):
        yield np.array(part, dtype=np.intp).reshape(len(part), size)


def _climb(
    data: NDArray[Any], masks: NDArray[Any], size: int, variance: float, pieces: int
) -> tuple[float, tuple[int, ...]]:
    """A coalition that no exchange of one worker improves."""

    def learned(who: tuple[int, ...]) -> float:
        rows = rows_of(who, pieces)
        return bits_learned(data[rows], masks[rows], variance=variance)

    workers = range(len(data) // pieces)
    alone = [learned((worker,)) for worker in workers]
    best = tuple(sorted(int(n) for n in np.argsort(-np.array(alone), kind="stable")[:size]))
    bits = learned(best)
    for _ in range(_ROUNDS):
        exchanges = (
            tuple(sorted({*best} - {out} | {into}))
            for out in best
            for into in workers
            if into not in best
        )
        better, who = max(((learned(who), who) for who in exchanges), default=(bits, best))
        if better <= bits:
            break
        bits, best = better, who
    return bits, best
