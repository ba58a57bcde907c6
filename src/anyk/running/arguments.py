"""The arguments of a run, refused where they can't be used: function, shares, limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from inspect import iscoroutinefunction
from typing import Any, Literal

import numpy as np

from anyk.checks import choice, instance, positive, shown
from anyk.errors import InvalidArgument, Unachievable
from anyk.executors.core.base import AbstractExecutor
from anyk.schemes.encoded import Encoded
from anyk.spec import Guarantee

__all__ = [
    "OnFailure",
    "check_alone",
    "check_apart",
    "check_executor",
    "check_function",
    "check_limits",
    "check_points",
]

OnFailure = Literal["raise", "return"]

_CONTAINERS = (list, tuple, set, frozenset, dict)


def check_executor(executor: object) -> None:
    """Refuse what is no executor, such as an engine's own client or pool, or a number of workers.

    Raises:
        InvalidArgument: if it is none.
    """
    instance(
        "executor",
        executor,
        AbstractExecutor,
        change="Make one: anyk.Processes(8), anyk.Dask(client), anyk.Ray(8), anyk.Futures(pools).",
    )


def check_function(function: Callable[..., Any] | str, executor: AbstractExecutor) -> None:
    """Refuse what is no function, one to be awaited, and a name where workers have no functions.

    Raises:
        InvalidArgument: if it is.
    """
    if not isinstance(function, str):
        instance("function", function, Callable, change="Pass a function of one block or item.")
        if iscoroutinefunction(function):
            raise InvalidArgument(
                "function",
                given=f"{shown(function)}, which is async",
                needed="a function that returns its result: no worker awaits it",
                change="Pass lambda item: asyncio.run(f(item)).",
            )
    elif not executor.by_name:
        raise InvalidArgument(
            "function",
            given=f'the name "{function}"',
            needed=f"a function, as the workers of {type(executor).__name__} have none",
            change="Pass the function itself; anyk.Remote alone takes names.",
        )


def check_alone(argument: Any, kinds: tuple[type, ...]) -> None:
    """Refuse shares inside of something else.

    Args:
        argument: of a run.
        kinds: that hold shares.

    Raises:
        InvalidArgument: if there are any.
    """
    if isinstance(argument, _CONTAINERS) and _within(argument, kinds):
        raise InvalidArgument(
            "arguments",
            given=f"an Encoded inside a {type(argument).__name__}",
            needed="each Encoded as an argument of its own, so that workers receive their own",
            change="Pass it alone: in something else every worker would get all shares.",
        )


def _within(container: Any, kinds: tuple[type, ...]) -> bool:
    """Whether one of these kinds is in a container, or in one within it."""
    left, seen = [container], set[int]()
    while left:
        each = left.pop()
        if isinstance(each, kinds):
            return True
        if isinstance(each, _CONTAINERS) and id(each) not in seen:
            seen.add(id(each))
            left.extend([*each, *each.values()] if isinstance(each, dict) else each)
    return False


def check_points(argument: Encoded, data: Encoded) -> None:
    """Refuse shares that can't be computed with together with those of the data.

    Raises:
        InvalidArgument: if they can't.
    """
    if len(argument.parts) > 1:
        raise InvalidArgument(
            "arguments",
            given=repr(argument),
            needed="shares of one part",
            change="Encode the argument by .encode(values) of the distributed data.",
        )
    scheme = data.scheme
    if scheme.formats and not set(argument.scheme.formats[:1]) <= set(scheme.formats):
        raise InvalidArgument(
            "arguments",
            given=f"shares of reals as {argument.scheme.formats[0]!r}",
            needed=f"{scheme.formats[0]!r}, as the data have, or one of its factors",
            change="Make them by .encode(values, embedding) of the distributed data.",
        )
    theirs, ours = argument.encoder, data.encoder
    if (
        argument.scheme.domain != scheme.domain
        or not np.array_equal(theirs.data, ours.data)
        or not np.array_equal(theirs.masks, ours.masks)
    ):
        raise InvalidArgument(
            "arguments",
            given=repr(argument),
            needed=f"shares at the same points as those of {data!r}",
            change="Encode both with schemes of the same blocks, colluders, workers and field.",
        )


def check_limits(
    deadline: float | None, tolerance: float | None, on_failure: str
) -> tuple[float | None, float | None]:
    """Refuse limits of a run that make no sense.

    Returns:
        The deadline and the tolerance, as floats: a narrower one would narrow the clock too.

    Raises:
        InvalidArgument: if one is out of range.
    """
    returned = 'Take "return" to get an Outcome with a failing status.'
    choice("on_failure", on_failure, ("raise", "return"), change=returned)
    guess = isinstance(tolerance, float) and tolerance == math.inf
    return _limit("deadline", deadline), math.inf if guess else _limit("tolerance", tolerance)


def _limit(name: str, value: float | None) -> float | None:
    change = "Give seconds, or a relative error, or None for no limit."
    return None if value is None else positive(name, value, change=change)


def check_apart(promise: Guarantee, executor: AbstractExecutor) -> None:
    """A promise about some workers is none where one of them has the shares of several.

    Raises:
        Unachievable: if the executor may put several shares in one place.
    """
    if not (promise.adversaries or promise.colluders):
        return
    per_worker, per_machine = executor.shares_per_worker, executor.shares_per_machine
    if (promise.adversaries and per_worker > 1) or (promise.colluders and per_machine > 1):
        liars, coalition = promise.adversaries, promise.colluders
        raise Unachievable(
            "executor",
            given=f"{type(executor).__name__} with up to {max(per_worker, per_machine)} shares in "
            f"one place, for a scheme with adversaries={liars}, colluders={coalition}",
            needed="one share in each place, as all shares in one place lie and collude together",
            change="Start more workers (on Ray, nodes; on Remote, hosts, or say with places= which "
            "are apart) and spread the shares over them, or take a scheme without adversaries and "
            "colluders.",
        )
