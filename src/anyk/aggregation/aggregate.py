"""`aggregate`: a whole round in one process, for tests, documentation and simulations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from anyk.aggregation.committee import Committee
from anyk.aggregation.light_sec_agg import LightSecAgg
from anyk.aggregation.result import Aggregated

__all__ = ["aggregate"]


def aggregate(
    plan: Committee | LightSecAgg,
    vectors: Mapping[str, Any] | Sequence[Any],
    weights: Mapping[str, int] | Sequence[int] | None = None,
    *,
    gone: Sequence[str] = (),
) -> Aggregated:
    """A round with fresh keys, all parties in this process.

    Args:
        plan: of the round.
        vectors: by client's name; or in a row, of clients that are then called "client-0" and so
            on.
        weights: likewise, where the plan has weights.
        gone: names of parties that are silent: "aggregator-0" and so on, or clients of
            `LightSecAgg` that are gone after they sent.

    Returns:
        The sum, and what happened.
    """
    raise NotImplementedError
