"""Numbers among the options of a command."""

from __future__ import annotations

import argparse

__all__ = ["natural", "positive"]


def positive(text: str) -> int:
    """A whole number from 1 on.

    Raises:
        argparse.ArgumentTypeError: if it is none.

    Example:
        >>> from anyk.commands.numbers import positive
        >>> positive("12")
        12
    """
    return _whole(text, least=1)


def natural(text: str) -> int:
    """A whole number from 0 on.

    Raises:
        argparse.ArgumentTypeError: if it is none.

    Example:
        >>> from anyk.commands.numbers import natural
        >>> natural("0")
        0
    """
    return _whole(text, least=0)


def _whole(text: str, *, least: int) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"got {text!r}; needed: a whole number, {least} or more")
    return int(text)
