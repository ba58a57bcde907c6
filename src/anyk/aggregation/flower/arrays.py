"""The arrays of a model in one vector and back, with the shapes and types that it had."""

from __future__ import annotations

from typing import Final

import numpy as np
from flwr.app import Array, ArrayRecord
from numpy.typing import NDArray

from anyk.checks import shown
from anyk.errors import InvalidArgument

__all__ = ["MESSAGE", "RECORD", "ROUND", "joined", "length_of", "parted", "typed"]

ROUND: Final = "anyk-round"
"""In the configuration that the server sends: the number of the round."""
RECORD: Final = "anyk"
"""The record of a client's reply that holds its message."""
MESSAGE: Final = "message"


def _size(shape: tuple[int, ...]) -> int:
    return int(np.prod(shape, dtype=np.int64))


def length_of(model: ArrayRecord) -> int:
    """How many numbers a model has.

    Args:
        model: its arrays.
    """
    return sum(_size(tuple(array.shape)) for array in model.values())


def joined(update: ArrayRecord, model: ArrayRecord) -> NDArray[np.float64]:
    """All numbers of an update in a row, in the order of the model.

    Args:
        update: what a client trained.
        model: what it started from: the same keys and shapes.

    Raises:
        InvalidArgument: if keys or shapes differ, or an array is not of real numbers.
    """
    if set(update) != set(model):
        raise InvalidArgument(
            "arrays",
            given=f"arrays {shown(sorted(update))}",
            needed=f"those of the model, {shown(sorted(model))}",
            change="Return an array for each of the model, under its key.",
        )
    parts = []
    for key in model:
        array, shape = update[key].numpy(), tuple(model[key].shape)
        if array.shape != shape or array.dtype.kind not in "fiub":
            raise InvalidArgument(
                "arrays",
                given=f"{shown(key)} of shape {array.shape} and type {array.dtype}",
                needed=f"real numbers of shape {shape}, as in the model",
                change="Return each array in the shape that it came in.",
            )
        parts.append(array.astype(np.float64).ravel())
    return np.concatenate(parts) if parts else np.zeros(0)


def parted(vector: NDArray[np.float64], model: ArrayRecord) -> ArrayRecord:
    """The arrays of a mean, as float64.

    Args:
        vector: as `joined` has it.
        model: the keys and shapes.
    """
    arrays, at = {}, 0
    for key, old in model.items():
        shape = tuple(old.shape)
        arrays[key] = Array(vector[at : at + _size(shape)].reshape(shape))
        at += _size(shape)
    return ArrayRecord(arrays)


def typed(arrays: ArrayRecord, model: ArrayRecord) -> ArrayRecord:
    """Arrays in the types of the model; those of integers stay floats, as a mean is none.

    Args:
        arrays: what became of a mean.
        model: the types.
    """
    types = {key: np.dtype(old.dtype) for key, old in model.items()}
    return ArrayRecord(
        {
            key: Array(array.numpy().astype(types[key])) if types[key].kind == "f" else array
            for key, array in arrays.items()
        }
    )
