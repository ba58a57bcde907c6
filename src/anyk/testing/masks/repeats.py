"""Whether masks repeat, or follow from those before: what no count of classes shows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias, final

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

from anyk.codes.exact.linear import rank
from anyk.domains.prime import PrimeField
from anyk.testing.expect import require
from anyk.testing.masks.draws import Draws

__all__ = ["check_relations", "check_repeats"]

Integers: TypeAlias = NDArray[np.int64]

_ORDERS = (("coordinates", (0, 1, 2)), ("masks", (0, 2, 1)), ("encodings", (1, 2, 0)))
_ALARM = 1e-10
_STEPS = 1 << 16  # of the distribution function, that tell one noise from another
_TERMS = 256  # of a sequence in which a recurrence is sought
_SPARE = 48.0  # bits by which a system of equations is overdetermined
_CHUNK = 1 << 14
_SUSPECTS = 1000
_MOST = 8  # masks whose coordinates are examined


def check_repeats(draws: Draws, field: PrimeField | None, generator: np.random.Generator) -> None:
    """No run of masks comes twice: in an encoding, in the next one, anywhere.

    Over a field, no run is another one times a number plus a number: that finds masks that are
    others plus a number, their negatives, counters, linear congruential generators, and any
    generator from a seed of which there are few. Runs are so long that honest masks have two of a
    kind with a chance below 1e-10.

    Args:
        draws: the masks.
        field: their field; None over the reals.
        generator: of the keys by which runs are sorted.

    Raises:
        AssertionError: if there are two of a kind.
    """
    for what, order in _ORDERS:
        sequence = draws.masks.transpose(order).ravel()
        runs: Callable[[Any], Integers]
        if field is None:
            length = _length(len(sequence), _STEPS, 1)
            steps = np.minimum(scipy.special.ndtr(sequence) * _STEPS, _STEPS - 1)
            runs = np.lib.stride_tricks.sliding_window_view(
                steps.astype(np.int64), length
            ).__getitem__
            kind = "repeat earlier ones"
        else:
            length = _length(len(sequence), field.modulus, field.modulus * (field.modulus - 1))
            runs = _Canonical(field, sequence, length)
            kind = "are earlier ones, times a number plus a number"
        told = f"{length} masks in a row, along the {what}, {kind}"
        require(_distinct(runs, len(sequence) - length + 1, generator), told)


def _length(count: int, symbols: int, alike: int) -> int:
    """How long a run must be, so that two of a kind, of so many kinds, are too seldom."""
    pairs = len(_ORDERS) * count**2 / 2.0
    return math.ceil(math.log(pairs * alike / _ALARM) / math.log(symbols))


@final
class _Canonical:
    """Runs of a sequence less their first number, over their first difference that is not 0.

    Args:
        field: the field.
        sequence: int64 ndarray (n,).
        length: of a run.
    """

    def __init__(self, field: PrimeField, sequence: Integers, length: int) -> None:
        self._field = field
        self._runs = np.lib.stride_tricks.sliding_window_view(sequence, length)
        steps = field.reduce(sequence[1:] - sequence[:-1])
        places = np.where(steps != 0, np.arange(len(steps)), len(steps))
        first = np.minimum.accumulate(places[::-1])[::-1]  # that is not 0, from each place on
        inverse = field.power(np.concatenate([steps, [1]]), field.modulus - 2)
        self._scales = inverse[first[: len(self._runs)]]

    def __call__(self, which: Any) -> Integers:
        """These runs, ndarray (runs, length - 1)."""
        reduce, runs = self._field.reduce, self._runs[which]
        return reduce(reduce(runs[:, 1:] - runs[:, :1]) * self._scales[which, None])


def _distinct(runs: Callable[[Any], Integers], count: int, generator: np.random.Generator) -> bool:
    """Whether no run comes twice: two with one key are compared number by number."""
    keys = np.empty(max(count, 0), dtype=np.uint64)
    weights = None
    for start in range(0, count, _CHUNK):
        chosen = runs(slice(start, start + _CHUNK)).astype(np.uint64)
        if weights is None:
            weights = generator.integers(0, 1 << 63, chosen.shape[1], dtype=np.uint64) * 2 + 1
        keys[start : start + _CHUNK] = chosen @ weights
    ordered = np.sort(keys)
    if not (ordered[1:] == ordered[:-1]).any():
        return True
    order = np.argsort(keys, kind="stable")
    doubtful = np.flatnonzero(keys[order][1:] == keys[order][:-1])[:_SUSPECTS]
    first, second = runs(order[doubtful]), runs(order[doubtful + 1])
    return not (first == second).all(axis=1).any()


def check_relations(draws: Draws, field: PrimeField) -> None:
    """No mask is a combination of others and of the data, and no sequence is a recurrence.

    Args:
        draws: the masks.
        field: their field.

    Raises:
        AssertionError: if one is; of honest masks, with a chance below 1e-10.
    """
    spare = math.ceil(_SPARE / math.log2(field.modulus))
    for told, system in _systems(draws, spare):
        ones = np.ones((1, len(system) + 1 + spare), dtype=np.int64)
        if system.shape[1] >= ones.shape[1]:
            whole = np.concatenate([ones, system[:, : ones.shape[1]]])
            require(rank(field, whole) == len(whole), f"{told}: one is a combination of others")
    one = draws.masks[0]
    for what, sequence in (
        ("coordinates", one.ravel()),
        ("masks", one.T.ravel()),
        ("encodings", draws.masks[:, 0, 0]),
    ):
        some = sequence[:_TERMS]
        terms = _recurrence(field, some)
        told = f"each of the masks along the {what} follows from the {terms} before it"
        require(terms > len(some) // 2 - spare, told)


def _systems(draws: Draws, spare: int) -> Iterator[tuple[str, Integers]]:
    """Numbers of which none should follow from the others, row by row, and many samples of them."""
    masks, data = draws.masks, draws.data
    encodings, count, width = masks.shape
    together = np.concatenate([data, masks[: len(data)]], axis=1).swapaxes(0, 1)
    yield "data and masks", together.reshape(len(together), -1)
    several = max((width - spare - 1) // count, 1)
    for start in (0, encodings - several):
        yield "masks of consecutive encodings", masks[start : start + several].reshape(-1, width)
    for one in range(min(count, _MOST)):
        yield f"coordinates of mask {one}", np.ascontiguousarray(masks[:, one].T)


def _recurrence(field: PrimeField, sequence: Integers) -> int:
    """The fewest terms of a linear recurrence that makes the sequence.

    Of q^n sequences over a field of q elements, at most 2 q^(2 l) need no more than l <= n/2.

    References:
        Massey, Shift-register synthesis and BCH decoding, 1969, algorithm; Rueppel, Analysis and
        Design of Stream Ciphers, 1986, proposition 4.1, for how many there are.
    """
    p, length = field.modulus, len(sequence)
    current = np.zeros(length + 1, dtype=np.int64)
    current[0] = 1
    earlier = current.copy()
    terms, gap, divisor = 0, 1, 1
    for place in range(length):
        window = sequence[place - terms : place + 1][::-1]
        missed = int(field.reduce(current[: terms + 1] * window).sum() % p)
        if not missed:
            gap += 1
            continue
        scale = missed * pow(divisor, -1, p) % p
        changed = current.copy()
        changed[gap:] = field.reduce(current[gap:] - field.reduce(scale * earlier[: -gap or None]))
        if 2 * terms <= place:
            earlier, divisor, gap = current, missed, 1
            terms = place + 1 - terms
        else:
            gap += 1
        current = changed
    return terms
