"""Which arguments gradient codes take: those that all workers receive alike."""

from __future__ import annotations

from anyk.errors import InvalidArgument

__all__ = ["no_shares"]


def no_shares(per_worker: tuple[bool, ...]) -> None:
    """Refuse other arguments that are shares: blocks are added after f.

    Args:
        per_worker: for each argument, whether it is one.

    Raises:
        InvalidArgument: if one is.

    Example:
        >>> from anyk.schemes.sums.arguments import no_shares
        >>> no_shares((False, False))
    """
    if any(per_worker):
        raise InvalidArgument(
            "arguments",
            given="shares, for a gradient code",
            needed="arguments that all workers receive alike",
            change="Pass the values themselves, or put them into X.",
        )
