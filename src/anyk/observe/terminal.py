"""Whether anybody watches: what is shown live is for a terminal alone."""

from __future__ import annotations

import sys

__all__ = ["watched"]


def watched() -> bool:
    """Whether stderr is a terminal; False where there is none, as in daemons and windowed programs.

    Example:
        >>> import sys
        >>> from anyk.observe.terminal import watched
        >>> kept, sys.stderr = sys.stderr, None
        >>> watched()
        False
        >>> sys.stderr = kept
    """
    try:
        return bool(sys.stderr.isatty())
    except (AttributeError, ValueError):  # there is none, or it was closed
        return False
