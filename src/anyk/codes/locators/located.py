"""What every locator of wrong answers finds: whom to leave out, whom to name, and if it is over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

__all__ = ["Located"]


@final
@dataclass(frozen=True, kw_only=True)
class Located:
    """Which of the rows that a locator looked at are wrong.

    Args:
        removed: places of the rows to leave out, increasing, at most as many as may be wrong. The
            rest agree, as far as the locator can tell.
        named: those of them that lied, by the locator's own measure; the others may be honest, and
            are left out to be on the safe side.
        exceeded: whether more rows than may be wrong contradict the rest, so that no value is to
            be made of them.

    Example:
        >>> from anyk.codes.locators.located import Located
        >>> Located(removed=(3, 5), named=(3,)).exceeded
        False
    """

    removed: tuple[int, ...] = ()
    named: tuple[int, ...] = ()
    exceeded: bool = False
