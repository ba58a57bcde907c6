"""`map` and its kin: a function of many items of any type, on workers that are slow or wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Unpack

from anyk.checks import shown
from anyk.errors import InvalidArgument
from anyk.running.mapping.call import MapCall
from anyk.running.mapping.options import Equal, MapOptions, MapSettings, OnAnswer
from anyk.running.mapping.source import Source

if TYPE_CHECKING:
    from anyk.answers import Outcome
    from anyk.executors.core.base import AbstractExecutor
    from anyk.running.arguments import OnFailure

__all__ = ["amap", "map", "map_unordered", "starmap"]


def map(  # noqa: A001 - as in the standard library's executors
    function: Callable[..., Any] | str,
    items: Iterable[Any],
    executor: AbstractExecutor | None = None,
    *,
    copies: int = 2,
    agree: int = 1,
    rtol: float | None = None,
    equal: Equal | None = None,
    retries: int = 1,
    deadline: float | None = None,
    on_failure: OnFailure = "raise",
    on_answer: OnAnswer | None = None,
    progress: bool = True,
    kwargs: Mapping[str, Any] | None = None,
) -> Outcome:
    """Call a function on each item: late workers are not waited for, and liars are named.

    Items and results are of any type that the workers can be sent, and come back as the function
    returned them. Each worker that is free takes the next items, several at once where they take
    milliseconds; when there are none left, idle workers compute what is late too, and the first
    answer counts. So a function may run twice on one item: `anyk.task_id` says how to write files.

    Args:
        function: called with one item; on `anyk.Remote`, the name of one.
        items: any iterable, drawn as workers are free.
        executor: None for processes of this machine, one a CPU, kept for the next call.
        copies: how many workers may have an item at a time, where it is late; 1 for no second.
        agree: how many workers must give the same answer, each on its own. A third one is asked
            only where two differ; who is outvoted is named, and asked no more in this call.
        rtol: how far floats of answers that agree may be from each other, by norm; None to go by
            their precision. Anything else must be equal.
        equal: the user's own way to compare two answers, instead.
        retries: how often an item on which the function raised is tried again, on another worker.
        deadline: seconds on the executor's clock after which nothing is waited for.
        on_failure: "raise" at the first item that fails, or "return" what could be computed.
        on_answer: called with an `Answer`, without a value, for each result and failure that comes.
        progress: whether to show in a terminal how far it is (with rich).
        kwargs: further arguments of each call.

    Returns:
        The outcome; its value is a list, in the order of the items, with None where `known` is
        False.

    Raises:
        InvalidArgument: if an argument can't be used, or sent to the workers.
        FunctionRaised: if the function raised on an item, and again when that was tried again; its
            exception is the cause, with the traceback of the worker.
        NotEnoughAnswers: if the time was over, or no worker is left; it carries the outcome.
        TooManyErrors: if of 2 agree - 1 answers to an item not so many are the same.
        ExecutorError: if the executor is closed.

    Guarantee:
        With agree=1, of every item the first answer. With agree=a, an answer that a workers gave
        independently of each other: it is right if at most a - 1 of those who had the item lie.

    Example:
        >>> with anyk.Threads(4) as executor:
        ...     anyk.map(str.upper, ["any", "k", "of n"], executor).value
        ['ANY', 'K', 'OF N']
    """
    settings = MapSettings(
        copies=copies,
        agree=agree,
        rtol=rtol,
        equal=equal,
        retries=retries,
        deadline=deadline,
        on_failure=on_failure,
        on_answer=on_answer,
        progress=progress,
        kwargs=kwargs,
    )
    return MapCall(function, Source(items, _single), executor, settings).outcome()


def starmap(
    function: Callable[..., Any] | str,
    items: Iterable[Iterable[Any]],
    executor: AbstractExecutor | None = None,
    **options: Unpack[MapOptions],
) -> Outcome:
    """Call a function on each item, which is a tuple of its arguments: else as `anyk.map`.

    Args:
        function: called with what is in an item.
        items: tuples of arguments.
        executor: as for `anyk.map`.
        **options: those of `anyk.map`.

    Returns:
        The outcome, as of `anyk.map`.

    Raises:
        AnykError: as `anyk.map`.

    Example:
        >>> anyk.starmap(pow, [(2, 5), (3, 2)], anyk.Threads(2)).value
        [32, 9]
    """
    call = MapCall(function, Source(items, _several), executor, MapSettings(**options))
    return call.outcome()


def map_unordered(
    function: Callable[..., Any] | str,
    items: Iterable[Any],
    executor: AbstractExecutor | None = None,
    **options: Unpack[MapOptions],
) -> Iterator[Any]:
    """Call a function on each item, and yield results as they come: else as `anyk.map`.

    Args:
        function: called with one item; let it return what tells which one, where that matters.
        items: any iterable, without end too: drawn as workers are free and results are asked for.
        executor: as for `anyk.map`.
        **options: those of `anyk.map`.

    Returns:
        An iterator of results. Nothing is sent before the first is asked for; closing it, or
        leaving it to be collected, abandons what is still running.

    Raises:
        AnykError: as `anyk.map`.

    Example:
        >>> sorted(anyk.map_unordered(len, ["any", "k", "of"], anyk.Threads(2)))
        [1, 2, 3]
    """
    call = MapCall(function, Source(items, _single), executor, MapSettings(**options))
    return call.values()


async def amap(
    function: Callable[..., Any] | str,
    items: Iterable[Any],
    executor: AbstractExecutor | None = None,
    **options: Unpack[MapOptions],
) -> Outcome:
    """`anyk.map` for asyncio: the event loop goes on, and cancelling the task abandons the call.

    Args:
        function: called with one item.
        items: any iterable; it is drawn in another thread.
        executor: as for `anyk.map`.
        **options: those of `anyk.map`.

    Returns:
        The outcome, as of `anyk.map`.

    Raises:
        AnykError: as `anyk.map`.

    Example:
        >>> import asyncio
        >>> asyncio.run(anyk.amap(len, ["any", "k"], anyk.Threads(2))).value
        [3, 1]
    """
    import asyncio  # noqa: PLC0415 - import anyk stays quick
    import threading  # noqa: PLC0415 - as above

    call = MapCall(function, Source(items, _single), executor, MapSettings(**options))
    given_up = threading.Event()
    try:
        return await asyncio.to_thread(call.outcome, given_up.is_set)
    finally:
        given_up.set()


def _single(item: Any) -> tuple[Any]:
    return (item,)


def _several(item: Any) -> tuple[Any, ...]:
    try:
        return tuple(item)
    except TypeError:
        raise InvalidArgument(
            "items",
            given=f"{shown(item)} among them",
            needed="tuples of arguments",
            change="Pass [(1, 2), (3, 4)], say, or use anyk.map for a function of one argument.",
        ) from None
