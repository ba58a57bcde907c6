"""An attack on a user's own records: which one is it, what is its label, what does it look like."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from anyk.audits.disclosure import Disclosure
from anyk.audits.eyes import AbstractEye, field_eye, noisy_eye, residues_of
from anyk.audits.guesses import Attack, explained, information, rate
from anyk.checks import shown
from anyk.errors import InvalidArgument
from anyk.schemes.encoded import Encoded

__all__ = ["attacks_on", "labels_of", "records_of"]

Floats: TypeAlias = NDArray[np.float64]

_MOST = 2000  # records that are attacked, and told apart
_BATCH = 1 << 22  # numbers of all shares held at a time
_ALL = 1 << 28  # numbers of all shares that an attack makes
_TRIALS, _FEWEST = 4000, 200


def records_of(data: Any, generator: np.random.Generator) -> tuple[NDArray[Any], NDArray[np.intp]]:
    """The records to attack, and which of those given they are: all, or 2,000 of them.

    Args:
        data: array-like (n, *shape) of real numbers.
        generator: chooses them.

    Raises:
        InvalidArgument: if there are no two records, or they are not numbers.
    """
    array = _array("data", data)
    usable = array.dtype.kind in "biuf" and array.ndim and bool(np.isfinite(array).all())
    if not usable or len(array) < 2 or not array.size:  # noqa: PLR2004 - to be told apart
        raise InvalidArgument(
            "data",
            given=f"{array.dtype} array of shape {array.shape}",
            needed="two records or more along the first axis, of finite real numbers",
            change="Pass the blocks, or all rows of them, that are to be told apart.",
        )
    chosen = np.arange(len(array))
    if len(array) > _MOST:
        chosen = np.sort(generator.permutation(len(array))[:_MOST])
    return array[chosen], chosen


def labels_of(labels: Any, records: int, chosen: NDArray[np.intp]) -> NDArray[np.intp]:
    """The labels of the records that were chosen, counted from 0.

    Args:
        labels: array-like (n,).
        records: n.
        chosen: which of them.

    Raises:
        InvalidArgument: if there is not one for each record, of two kinds or more, that can be
            sorted.
    """
    array = _array("labels", labels)
    try:
        kinds, each = np.unique(array[chosen], return_inverse=True) if array.ndim else ((), array)
    except (TypeError, IndexError):  # None beside text; fewer than records
        kinds = ()
    if array.shape != (records,) or len(kinds) < 2:  # noqa: PLR2004 - else it is known
        raise InvalidArgument(
            "labels",
            given=f"{array.dtype} array of shape {array.shape}",
            needed=f"one for each of the {records} records, of two kinds or more, all numbers or "
            "all text",
            change="Pass what is to be recognised of each record, or leave labels out.",
        )
    return each


def _array(argument: str, values: Any) -> NDArray[Any]:
    """The values as an array, or what is wrong with them."""
    try:
        return np.asarray(values)
    except (ValueError, TypeError):
        raise InvalidArgument(
            argument,
            given=shown(values),
            needed="an array",
            change="Give all records one shape, and each one label.",
        ) from None


def attacks_on(
    encoded: Encoded,
    records: NDArray[Any],
    labels: NDArray[np.intp] | None,
    *,
    worst: Disclosure,
    confidence: float,
    generator: np.random.Generator,
) -> tuple[Attack, ...]:
    """Encode records drawn at random, and guess one of them from the shares of a coalition.

    The coalition knows the scheme, all records, and the labels of all but the one that it looks
    at; what it does not know is which records were drawn, and the noise.

    Args:
        encoded: by the scheme to attack.
        records: ndarray (n, *shape).
        labels: of the records, from 0, or None.
        worst: what the worst coalition learns by the matrices, of the size that attacks.
        confidence: of each interval.
        generator: draws the records.
    """
    many, flat = len(records), records.reshape(len(records), -1)
    eye: AbstractEye = (
        field_eye(encoded, flat, worst, generator)
        if worst.data_std is None
        else noisy_eye(encoded, flat, worst.colluders)
    )
    seen, sights = encoded, [eye.sight]
    right = told = trials = 0
    errors: list[Floats] = []
    for drawn, fresh in _encodings(encoded, records, generator):
        if not _alike(fresh, seen):  # chosen by the data: then the coalition knows what it was
            eye, seen = noisy_eye(fresh, flat, worst.colluders), fresh
            sights.append(eye.sight)
        target = drawn[eye.sight.block]
        shares = residues_of(fresh, eye.sight.rows)
        likely, wrong = eye.judge(shares.reshape(*shares.shape[:2], -1), drawn)
        trials += len(target)
        errors.append(wrong)
        right += int(np.sum(likely.argmax(axis=1) == target))
        if labels is not None:
            told += int(np.sum(_recognised(likely, labels, target) == labels[target]))
    bits = min(max(sight.bits for sight in sights), math.log2(many))
    most = max(sight.explained for sight in sights)
    found = [
        rate(
            f"which of {many} it is", right, trials,
            chance=1.0 / many, bits=bits, confidence=confidence,
        )
    ]  # fmt: skip
    if labels is not None:
        counts = np.bincount(labels)
        found.append(
            rate(
                f"which of {counts.size} labels it has", told, trials,
                chance=float(counts.max()) / many, bits=bits, confidence=confidence,
            )
        )  # fmt: skip
    linear = explained(np.concatenate(errors), most, confidence)
    return (*found, linear, information(found, bits))


def _encodings(
    encoded: Encoded,
    records: NDArray[Any],
    generator: np.random.Generator,
) -> Iterator[tuple[NDArray[np.intp], Encoded]]:
    """Which records were drawn for the blocks, (K, b), and all shares, (N, b, *shape)."""
    scheme, blocks = encoded.scheme, encoded.encoder.data.shape[1]
    size = len(encoded.parts[0]) * math.prod(records.shape[1:])  # numbers of one encoding
    trials = min(max(_ALL // size, _FEWEST), _TRIALS)
    step = max(1, _BATCH // size)
    for start in range(0, trials, step):
        drawn = generator.integers(0, len(records), (blocks, min(step, trials - start)))
        yield drawn, scheme.encode_argument(records[drawn], layout=encoded.layout)


def _alike(first: Encoded, second: Encoded) -> bool:
    """Whether their shares are made by the same matrices, or over a field."""
    ours, theirs = first.encoder, second.encoder
    return bool(first.scheme.domain.exact) or (
        np.array_equal(ours.data, theirs.data) and np.array_equal(ours.masks, theirs.masks)
    )


def _recognised(
    likely: Floats, labels: NDArray[np.intp], target: NDArray[np.intp]
) -> NDArray[np.intp]:
    """The label that records other than the one attacked make the likeliest, (b,)."""
    others = likely.copy()
    others[np.arange(len(target)), target] = -np.inf
    others -= others.max(axis=1, keepdims=True)
    votes = np.exp(others) @ np.eye(int(labels.max()) + 1)[labels]
    found: NDArray[np.intp] = votes.argmax(axis=1)
    return found
