"""What colluders learn from several encodings of the same data, each under fresh noise."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.audits.disclosure import Disclosure, learned_by_worst
from anyk.audits.matrices import seen
from anyk.checks import count, flag, instance
from anyk.errors import InvalidArgument
from anyk.schemes.encoded import Encoded
from anyk.spec import MatMul

__all__ = ["leakage_spent"]


def leakage_spent(
    *encodings: Encoded,
    colluders: int,
    data_std: float | None = None,
    correlated: bool = False,
) -> Disclosure:
    """What no coalition learns more than from all these encodings of the same data together.

    Worker n is the same one in each of them, and keeps what it was sent. Over the reals every
    encoding has noise of its own: a coalition that averages E shares of one kind sees the data
    under noise of 1/E of the variance, and what it learns grows like log E, not faster; E small
    leakages add up. Over a field, masks hide each encoding perfectly, and all of them together.

    Args:
        *encodings: of the same data, by schemes of the same number of blocks and over the same
            domain, with fresh masks; only the matrices behind them are looked at. One `Encoded`
            that is sent again is one encoding: its noise is the same.
        colluders: T, how many workers put their shares together.
        data_std: as for `leakage`; that of the first one's promise by default.
        correlated: as for `leakage`.

    Returns:
        The bound on the joint leakage, and the coalition.

    Raises:
        InvalidArgument: if an argument is out of range, or the encodings can't be of the same data.

    References:
        Cover and Thomas, Elements of Information Theory, 2006, theorem 8.6.5.

    Example:
        >>> scheme = anyk.VeiledReplication(2, 12, colluders=1, leakage=0.1)
        >>> X = np.array([[0.5, 1.0], [-0.3, 0.8]])
        >>> spent = [scheme.encode(X) for _ in range(64)]
        >>> [round(anyk.leakage_spent(*spent[:e], colluders=1).amount, 2) for e in (1, 2, 8, 64)]
        [0.1, 0.19, 0.57, 1.7]
    """
    size, correlated = count("colluders", colluders, least=1), flag("correlated", correlated)
    _check_alike(encodings)
    first = encodings[0]
    workers = max(encoded.guarantee.workers for encoded in encodings)
    if size > workers:
        raise InvalidArgument(
            "colluders",
            given=str(size),
            needed=f"at most workers = {workers}",
            change="Lower it.",
        )
    problem = first.scheme.problem
    operands = range(problem.given if isinstance(problem, MatMul) else 1)
    each = [
        learned_by_worst(
            list({id(encoded): encoded for encoded in encodings}.values()),
            *_joint(encodings, operand, workers),
            operand=operand,
            workers=workers,
            size=size,
            data_std=data_std,
            correlated=correlated,
        )
        for operand in operands
    ]
    return max(each, key=lambda disclosure: disclosure.amount)


def _check_alike(encodings: tuple[Any, ...]) -> None:
    """Refuse what can't be encodings of the same data.

    Raises:
        InvalidArgument: if they differ in domain, problem or shape.
    """
    if not encodings:
        raise InvalidArgument(
            "encodings",
            given="none",
            needed="one or more, of the same data",
            change="Pass what scheme.encode returned.",
        )
    for encoded in encodings:
        change = "Pass what scheme.encode returned."
        if isinstance(encoded, (list, tuple)):
            change = "Pass each as an argument of its own: anyk.leakage_spent(*encodings, ...)."
        instance("encodings", encoded, Encoded, change=change)
    kinds = {(repr(each.scheme.domain), each.encoder.data.shape[1]) for each in encodings}
    if len(kinds) != 1:
        raise InvalidArgument(
            "encodings",
            given=f"{len(encodings)}, of {len(kinds)} different domains or numbers of blocks",
            needed="encodings of the same blocks over the same domain",
            change="Pass encodings of the same data, and add up the bits of others.",
        )


def _joint(
    encodings: tuple[Encoded, ...], operand: int, workers: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """D of all shares of all workers, worker by worker, and M, block-diagonal.

    Encodings by the same matrices are one, by their mean: E of them tell as much as one under
    noise of 1 / E of the variance. Over a field, where no mean is, as much as any one of them.
    """
    groups: dict[tuple[Any, ...], list[Any]] = {}
    for encoded in {id(each): each for each in encodings}.values():  # sent again, it tells no more
        data, masks = seen(encoded, operand)
        key = (data.shape, masks.shape, data.tobytes(), masks.tobytes(), encoded.guarantee.workers)
        group = groups.setdefault(key, [data, masks, encoded.guarantee.workers, 0])
        group[3] += 1
    parts = []
    for data, masks, holders, times in groups.values():
        louder = data if data.dtype.kind in "iu" else data * math.sqrt(times)
        parts.append(_padded(louder, masks, holders, workers))
    columns = sum(masks.shape[2] for _, masks in parts)
    rows_of_data, rows_of_masks, before = [], [], 0
    for data, masks in parts:
        wide = np.zeros((*masks.shape[:2], columns, *masks.shape[3:]), dtype=masks.dtype)
        wide[:, :, before : before + masks.shape[2]] = masks
        before += masks.shape[2]
        rows_of_data.append(data)
        rows_of_masks.append(wide)
    joint, hidden = np.concatenate(rows_of_data, axis=1), np.concatenate(rows_of_masks, axis=1)
    rows = joint.shape[0] * joint.shape[1]
    return (
        joint.reshape(rows, *joint.shape[2:]),
        hidden.reshape(rows, *hidden.shape[2:]),
    )


def _padded(
    data: NDArray[Any], masks: NDArray[Any], holders: int, workers: int
) -> tuple[NDArray[Any], NDArray[Any]]:
    """D and M as (workers, rows of one worker, ..); workers that hold nothing have noise alone."""
    each = len(data) // holders  # rows that one worker has
    data = data.reshape(holders, each, *data.shape[1:])
    masks = masks.reshape(holders, each, *masks.shape[1:])
    more = workers - holders
    if not more:
        return data, masks
    rows, noises = data.shape[1] * more, masks.shape[2]
    own = np.zeros((more, data.shape[1], noises + rows, *masks.shape[3:]), dtype=masks.dtype)
    flat = own.reshape(rows, noises + rows, *masks.shape[3:])
    flat[np.arange(rows), noises + np.arange(rows)] = 1
    wide = np.zeros((*masks.shape[:2], noises + rows, *masks.shape[3:]), dtype=masks.dtype)
    wide[:, :, :noises] = masks
    nothing = np.zeros((more, *data.shape[1:]), dtype=data.dtype)
    return np.concatenate([data, nothing]), np.concatenate([wide, own])
