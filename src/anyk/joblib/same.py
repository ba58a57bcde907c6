"""When two workers' results of one batch are the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from anyk.running.mapping.same import Same

__all__ = ["SameButTimes"]

_TIMES = frozenset({"fit_time", "score_time"})


@final
@dataclass(frozen=True)
class SameButTimes:
    """Whether two results are the same, as `anyk.map` says, but for how long fits took.

    scikit-learn returns the seconds of each fit among its scores, and no two workers take the same.

    Args:
        rtol: how far floats may be from each other; None to go by their precision.

    Example:
        >>> from anyk.joblib.same import SameButTimes
        >>> same = SameButTimes()
        >>> one = [{"test_scores": 0.9, "fit_time": 0.1, "score_time": 0.0}]
        >>> same(one, [{**one[0], "fit_time": 0.3}]), same(one, [{**one[0], "test_scores": 0.8}])
        (True, False)
    """

    rtol: float | None = None

    def __post_init__(self) -> None:
        Same(self.rtol)

    def __call__(self, one: Any, other: Any) -> bool:
        """Whether these results of two workers are the same."""
        return Same(self.rtol)(_untimed(one), _untimed(other))


def _untimed(results: Any) -> Any:
    """Results without the times among them."""
    if type(results) is list:
        return [_untimed(each) for each in results]
    if type(results) is dict and results.keys() >= _TIMES:
        return {key: value for key, value in results.items() if key not in _TIMES}
    return results
