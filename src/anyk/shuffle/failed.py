"""`ShuffleFailed`: what went wrong at which node."""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

from anyk.errors import AnykError
from anyk.wording import numbered

__all__ = ["ShuffleFailed"]

_SHOWN = 3


@final
class ShuffleFailed(AnykError):  # noqa: N818 - the name says what happened, as all of ours do
    """A shuffle that did not deliver: no node has a value that may be wrong.

    Every process of the shuffle raises it, also those whose own nodes did well.

    Args:
        nodes: what went wrong, by node; also an attribute.

    Example:
        >>> from anyk import shuffle
        >>> def halves(text):
        ...     return [text[:2], text[2:]] if text != b"bad" else [b"bad"]
        >>> shuffle.map_reduce(shuffle.Coded(2, 1), [b"good", b"bad"], halves, b"".join)
        Traceback (most recent call last):
        anyk.shuffle.failed.ShuffleFailed: node 1: map_fn made 1 value of file 1; needed: 2, one for
        each node that reduces.
    """

    def __init__(self, nodes: Mapping[int, str]) -> None:
        told = [f"node {node}: {text.rstrip('.')}." for node, text in sorted(nodes.items())]
        left = len(told) - _SHOWN
        more = f" And {numbered(left, 'node')} more." if left > 0 else ""
        super().__init__(" ".join(told[:_SHOWN]) + more)
        self.nodes = dict(nodes)
