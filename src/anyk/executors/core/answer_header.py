"""The header of an answer, read by a master who believes nothing in it."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from anyk.connections.broken import BrokenAnswer
from anyk.executors.core.raised import printable

__all__ = ["LARGEST_ANSWER", "LONGEST_HEADER", "parse_header"]

LONGEST_HEADER = 1 << 13
"""Bytes of a header; a failure of 300 characters and 64 dimensions fit."""

LARGEST_ANSWER = 1 << 32
"""Bytes of an answer, and the longest axis of one."""

_DTYPE = re.compile(r"[<>=|][biufc][0-9]{1,2}")
_KEYS = {"serial", "seconds", "failure", "dtype", "shape"}


def parse_header(frame: bytes, serial: int) -> tuple[float, str | None, np.dtype[Any], list[int]]:
    """Read the header of an answer, and believe nothing in it.

    Args:
        frame: the bytes that came.
        serial: number of the task that was sent.

    Returns:
        (seconds, failure, dtype, shape); dtype and shape mean nothing if there is a failure.

    Raises:
        BrokenAnswer: if anything is not as it must be.

    Example:
        >>> from anyk.executors.core.answer_header import parse_header
        >>> parse_header(
        ...     b'{"serial": 4, "seconds": 0.5, "failure": null, "dtype": "<f8", "shape": [3]}', 4
        ... )
        (0.5, None, dtype('float64'), [3])
    """
    try:
        header = json.loads(frame)
    except (ValueError, RecursionError):
        raise BrokenAnswer("its header is no JSON") from None
    if not isinstance(header, dict) or header.keys() != _KEYS:
        raise BrokenAnswer("its header has other keys")
    seconds, failure = header["seconds"], header["failure"]
    if type(header["serial"]) is not int or header["serial"] != serial:
        raise BrokenAnswer("it answers another task")
    if type(seconds) is not float or not (math.isfinite(seconds) and seconds >= 0):
        raise BrokenAnswer("its seconds are no time")
    if failure is not None:
        if not isinstance(failure, str):
            raise BrokenAnswer("its failure is no text")
        return seconds, printable(failure), np.dtype(np.float64), []
    return seconds, None, _parse_dtype(header["dtype"]), _parse_shape(header["shape"])


def _parse_dtype(text: object) -> np.dtype[Any]:
    if not isinstance(text, str) or not _DTYPE.fullmatch(text):
        raise BrokenAnswer("its dtype is none of numbers")
    try:
        return np.dtype(text)
    except TypeError:
        raise BrokenAnswer("its dtype is unknown") from None


def _parse_shape(shape: object) -> list[int]:
    if not isinstance(shape, list) or len(shape) > 64:  # noqa: PLR2004 - of any numpy
        raise BrokenAnswer("its shape is no short list")
    if not all(type(length) is int and 0 <= length <= LARGEST_ANSWER for length in shape):
        raise BrokenAnswer("its shape is not of lengths")
    return shape
