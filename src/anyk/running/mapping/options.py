"""How a map is computed: how often an item, what counts as the same, and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypedDict, final

from anyk.answers import Answer
from anyk.checks import count, flag, instance
from anyk.running.arguments import OnFailure, check_limits
from anyk.running.mapping.same import Same

__all__ = ["Equal", "MapOptions", "MapSettings", "OnAnswer"]

Equal = Callable[[Any, Any], object]
"""Says of two answers whether they are the same."""

OnAnswer = Callable[[Answer], None]
"""Called with what came of each item."""


_BY_NAME = 'Pass {"axis": 0}, say.'


@final
class MapOptions(TypedDict, total=False):
    """The options of `anyk.map`, for those that take the same."""

    copies: int
    agree: int
    rtol: float | None
    equal: Equal | None
    retries: int
    deadline: float | None
    on_failure: OnFailure
    on_answer: OnAnswer | None
    progress: bool
    kwargs: Mapping[str, Any] | None


@final
@dataclass(frozen=True, kw_only=True)
class MapSettings:
    """The options of `anyk.map`, checked; `anyk.map` says what they are.

    Raises:
        InvalidArgument: if one can't be used.

    Example:
        >>> from anyk.running.mapping.options import MapSettings
        >>> MapSettings(agree=2).at_a_time
        2
    """

    copies: int = 2
    agree: int = 1
    rtol: float | None = None
    equal: Equal | None = None
    retries: int = 1
    deadline: float | None = None
    on_failure: OnFailure = "raise"
    on_answer: OnAnswer | None = None
    progress: bool = True
    kwargs: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for name, least in (("copies", 1), ("agree", 1), ("retries", 0)):
            object.__setattr__(self, name, count(name, getattr(self, name), least=least))
        if self.equal is not None:
            instance("equal", self.equal, Callable, change="Pass a function of two answers.")
        if self.kwargs is not None:
            instance("kwargs", self.kwargs, Mapping, change=_BY_NAME)
            for name in self.kwargs:
                instance("kwargs", name, str, change=_BY_NAME)
        if self.on_answer is not None:
            instance("on_answer", self.on_answer, Callable, change="Pass a function, or None.")
        deadline, _ = check_limits(self.deadline, None, self.on_failure)
        object.__setattr__(self, "deadline", deadline)
        flag("progress", self.progress)
        object.__setattr__(self, "rtol", self.same.rtol)

    @property
    def same(self) -> Same:
        """Says of two answers whether they are the same."""
        return Same(self.rtol, self.equal)

    @property
    def at_a_time(self) -> int:
        """How many workers may have an item at a time."""
        return max(self.copies, self.agree)

    @property
    def least(self) -> int:
        """How many workers there must be, so that liars are outvoted."""
        return 2 * self.agree - 1
