"""What a request may cost before anything of it is run: limits that are checked on its raw text."""

from __future__ import annotations

from anyk.connections.broken import BrokenAnswer

__all__ = ["MOST_ARRAYS", "MOST_CONTAINERS", "MOST_PRIMES", "MOST_VALUES", "check_text", "excess"]

MOST_CONTAINERS = 1 << 15
"""Lists and objects in the JSON of a request."""

MOST_VALUES = 1 << 18
"""Values and names in them, in all."""

MOST_ARRAYS = 1 << 12
"""Arrays that come with a request."""

MOST_PRIMES = 1 << 10
"""Primes of a ring: as many as the master ever takes."""


def excess(text: bytes, *, share: int = 1) -> str | None:
    """What a text has too much of, if it has; what stands within strings counts too.

    Args:
        text: JSON.
        share: for this part of the limits.

    Example:
        >>> from anyk.executors.remote.header_limits import excess
        >>> excess(b"[[1, 2]]"), excess(b"[]," * 40_000)
        (None, '40000 lists and objects, more than 32768')
    """
    containers = text.count(b"[") + text.count(b"{")
    if containers > MOST_CONTAINERS // share:
        return f"{containers} lists and objects, more than {MOST_CONTAINERS // share}"
    values = text.count(b",") + text.count(b":")
    if values > MOST_VALUES // share:
        return f"{values} values, more than {MOST_VALUES // share}"
    return None


def check_text(text: bytes) -> None:
    """Refuse a request that would take much more room as Python's objects than as text.

    Raises:
        BrokenAnswer: with what it has too much of.
    """
    much = excess(text)
    if much is not None:
        raise BrokenAnswer(f"a request with {much}")
