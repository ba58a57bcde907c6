"""What came from the other end, and is nothing that may come."""

from __future__ import annotations

from typing import final

__all__ = ["BrokenAnswer"]


@final
class BrokenAnswer(Exception):  # noqa: N818 - it never leaves what reads answers
    """What came is no answer."""
