"""When a redundant map pays: a formula for the time of a plan."""

from __future__ import annotations

from anyk.checks import flag, instance, real
from anyk.shuffle.plans import AbstractPlan

__all__ = ["predicted_seconds"]


def predicted_seconds(
    plan: AbstractPlan,
    *,
    map_seconds: float,
    shuffle_seconds: float,
    multicast: bool = True,
) -> float:
    """How long map and shuffle take by a plan, on one shared link: r T_map + L T_shuffle.

    Args:
        plan: whose redundancy r and load L are taken.
        map_seconds: T_map, for all nodes together to map each file once.
        shuffle_seconds: T_shuffle, for all that the maps make to go over the link once.
        multicast: whether one message reaches a whole group. Where it does not, L is 1 - r/K.

    Raises:
        InvalidArgument: if a time is negative or no number.

    References:
        Li, Maddah-Ali, Yu, Avestimehr: A fundamental tradeoff between computation and communication
        in distributed computing (2018): the best r of `Coded` is near sqrt(T_shuffle / T_map).

    Example:
        >>> from anyk import shuffle
        >>> for copies in (1, 2, 3, 4):
        ...     plan = shuffle.Coded(nodes=8, copies=copies)
        ...     took = shuffle.predicted_seconds(plan, map_seconds=2, shuffle_seconds=16)
        ...     print(copies, round(took, 1))
        1 16.0
        2 10.0
        3 9.3
        4 10.0
    """
    instance("plan", plan, AbstractPlan, change="Pass Coded(nodes, copies).")
    each = flag("multicast", multicast)
    for name, value in (("map_seconds", map_seconds), ("shuffle_seconds", shuffle_seconds)):
        real(name, value, least=0.0, needed="seconds, at least 0", change="Measure it.")
    load = plan.multicast_load if each else plan.unicast_load
    return float(plan.redundancy) * map_seconds + float(load) * shuffle_seconds
