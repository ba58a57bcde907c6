"""Run a function on coded data: `distribute`, `run` and `stream`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from anyk.answers import Outcome
from anyk.checks import count, flag, instance
from anyk.domains.base import ndarray_of
from anyk.errors import InvalidArgument
from anyk.executors.core.base import AbstractExecutor, Placement
from anyk.running.arguments import (
    OnFailure,
    check_apart,
    check_executor,
    check_function,
    check_limits,
)
from anyk.running.distributed import Distributed
from anyk.schemes.base import AbstractScheme
from anyk.schemes.encoded import Encoded
from anyk.spec import MatMul
from anyk.spread import spread_of
from anyk.work import Function

if TYPE_CHECKING:
    from anyk.fixed_point.format import FixedPoint
    from anyk.running.collection import OnAnswer
    from anyk.running.slabs.filled import Filled
    from anyk.running.slabs.read import AbstractSlabs

__all__ = ["distribute", "run", "stream"]


def distribute(
    scheme: AbstractScheme,
    X: Any,
    executor: AbstractExecutor,
    *,
    embedding: FixedPoint | None = None,
    columns: int | None = None,
    progress: bool = True,
) -> Distributed:
    """Encode data once and leave a share on each worker.

    Data that do not fit in memory come in slabs, which are some columns (axis 1) of all blocks: a
    large `np.memmap`, a dask.array, or an iterable of arrays (K, w, *rest) without a length, such
    as a generator. Each slab is encoded at the layout of the first one, with masks of its own, and
    sent before the next one is read. This process never holds more than four times what a slab and
    its shares take at eight bytes a number; but on `Inline`, `Threads` and `Simulated`, whose
    workers are in it, the shares are here, and executors that can't take slabs collect them here
    (`AbstractExecutor.filling`). A worker that is replaced later has lost its share. A slab that
    does not fit is refused with its place, and nothing is left on the workers. The shares tell
    colluders what those of the whole array tell. See `AbstractScheme.columns` for the schemes that
    can.

    Data that lie on the cluster of `Dask` or `Ray` already stay there where nothing is hidden: a
    dask.array, or K futures or references (or K lists of them, of some columns each), are encoded
    by the workers themselves, who send each other what their shares need; no data come here. That
    goes for linear schemes without colluders, with one share a worker and no embedding.

    Args:
        scheme: how to encode.
        X: array-like (K, *shape), the blocks; for a product the factors (A, B), or an array A
            alone, which stays on the workers and is multiplied by `.matmul(x)` of what is returned.
            Or slabs of the blocks, as above.
        executor: has at least as many workers as the scheme.
        embedding: how reals become residues of the scheme's field, and values reals again. The
            primes are chosen before a function is known: they hold a sum of as many products as a
            block has entries, of the scheme's degree, with coefficients up to 256, or what is
            declared; for slabs of an unknown number of columns, it must say so.
        columns: how many a slab of an array has; any array is distributed in slabs where it is
            given. By default as many as make, with their shares, eight million numbers; of a
            dask.array, those of a chunk.
        progress: whether to show in a terminal how many columns have gone (with rich).

    Returns:
        The distributed data, to run functions on; release it, or use it as a context manager.

    Raises:
        InvalidArgument: if X does not fit the scheme, or there are too few workers.
        Unachievable: if results of the embedding could wrap, or if the executor may put several
            shares where one liar, or one coalition, has them all.
        ExecutorError: if the executor is closed.

    Example:
        >>> scheme = anyk.Replication(blocks=2, workers=2)
        >>> with anyk.Inline(2) as executor, anyk.distribute(scheme, [4.0, 9.0], executor) as data:
        ...     data.run(np.sqrt).value
        array([2., 3.])

        >>> slabs = (np.full((2, 3), float(number)) for number in (4, 9, 16))
        >>> with anyk.Inline(2) as executor, anyk.distribute(scheme, slabs, executor) as data:
        ...     data.run(np.sqrt).value
        array([[2., 2., 2., 3., 3., 3., 4., 4., 4.],
               [2., 2., 2., 3., 3., 3., 4., 4., 4.]])
    """
    _check_given(scheme, executor)
    flag("progress", progress)
    if columns is not None:
        count("columns", columns, least=1)
    if _elsewhere(X):
        from anyk.running.slabs.clusters import blocks_there, made_there  # noqa: PLC0415 - few are

        blocks = blocks_there(scheme, X, executor, columns, embedded=embedding is not None)
        if blocks is not None:
            check_apart(scheme.guarantee, executor)
            return _held(made_there(scheme, blocks, progress=progress), executor)
    from anyk.running.slabs.read import slabs_of  # noqa: PLC0415 - `run` needs none

    slabs = slabs_of(scheme, X, columns)
    if slabs is not None:
        return _in_slabs(scheme, slabs, executor, embedding, progress=progress)
    encoded = _encoded(scheme, X, executor, embedding)
    placement = _placed(encoded, executor)
    try:
        return Distributed(encoded, executor, placement, spread=_spread(encoded, X))
    except BaseException:  # Ctrl-C, for nothing else can happen here
        executor.release(placement)
        raise


def _in_slabs(
    scheme: AbstractScheme,
    slabs: AbstractSlabs,
    executor: AbstractExecutor,
    embedding: FixedPoint | None,
    *,
    progress: bool,
) -> Distributed:
    """The same of data in slabs."""
    from anyk.running.slabs.filled import filled  # noqa: PLC0415 - few have slabs

    if embedding is not None:
        from anyk.running.promises import embedded_slabs  # noqa: PLC0415 - many have no reals

        scheme = embedded_slabs(scheme, embedding, slabs.shape)
    check = partial(check_apart, executor=executor)
    return _held(filled(scheme, slabs, executor, check=check, progress=progress), executor)


def _held(filled: Filled, executor: AbstractExecutor) -> Distributed:
    """What the workers hold."""
    encoded, placement, spread = filled
    try:
        return Distributed(encoded, executor, placement, spread=spread)
    except BaseException:  # Ctrl-C, for nothing else can happen here
        executor.release(placement)
        raise


def _elsewhere(X: Any) -> bool:
    """Whether these data, or the first of them, may be a cluster's."""
    first = X
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    return type(first).__module__.partition(".")[0] in {"dask", "distributed", "ray"}


def _check_given(scheme: AbstractScheme, executor: AbstractExecutor) -> None:
    instance(
        "scheme",
        scheme,
        AbstractScheme,
        change="Make one, such as anyk.Replication(4, 8). An anyk.SequentialGradient is for "
        "anyk.sequential.",
    )
    check_executor(executor)


def _encoded(
    scheme: AbstractScheme,
    X: Any,
    executor: AbstractExecutor,
    embedding: FixedPoint | None,
    function: Function | None = None,
) -> Encoded:
    """The shares, if the executor can be trusted with them."""
    _check_given(scheme, executor)
    if function is not None:
        check_function(function, executor)  # before X: they may stand in each other's place
    if embedding is not None:
        from anyk.running.promises import embedded  # noqa: PLC0415 - many have no reals

        scheme = embedded(scheme, embedding, X, function)
    problem = scheme.problem
    alone = function is None and isinstance(problem, MatMul) and not problem.gram
    encoded = scheme.encode_left(X) if alone and not _is_pair(X) else scheme.encode(X)
    check_apart(encoded.guarantee, executor)
    return encoded


def _is_pair(X: Any) -> bool:
    """Whether these are both factors of a product, and not one of them."""
    two = isinstance(X, (tuple, list)) and len(X) == 2  # noqa: PLR2004
    return two and (isinstance(X, tuple) or ndarray_of(X[0], "X", kind="numbers").ndim > 1)


@contextmanager
def _for_one_call(
    scheme: AbstractScheme,
    X: Any,
    executor: AbstractExecutor,
    embedding: FixedPoint | None,
    function: Function,
) -> Iterator[Distributed]:
    """Distributed data that are released in the end, whenever Ctrl-C comes."""
    encoded = _encoded(scheme, X, executor, embedding, function)
    followed = None if embedding is None or isinstance(function, str) else function
    placement = _placed(encoded, executor)
    try:
        spread = _spread(encoded, X)
        yield Distributed(encoded, executor, placement, followed=followed, spread=spread)
    finally:
        executor.release(placement)


def _spread(encoded: Encoded, X: Any) -> float | None:
    """The deviation of data about which a promise was made for one of `data_std`."""
    if encoded.guarantee.data_std is None:
        return None
    product = isinstance(encoded.scheme.problem, MatMul)
    return max(map(spread_of, X if product and _is_pair(X) else (X,)))


def _placed(encoded: Encoded, executor: AbstractExecutor) -> Placement:
    """The shares on their way to the workers."""
    promise, parts = encoded.guarantee, tuple(encoded.parts)
    counts, shares = [len(part) for part in parts], promise.workers * promise.pieces
    if not counts or set(counts) != {shares}:
        raise InvalidArgument(
            "scheme",
            given=f"{encoded.scheme!r}, which made parts of {counts} shares",
            needed=f"{shares} in each: its guarantee has workers={promise.workers}, "
            f"pieces={promise.pieces}",
            change="Correct guarantee or encode of the scheme; anyk.testing.check_scheme helps.",
        )
    return executor.place(parts, promise.pieces)


def run(
    scheme: AbstractScheme,
    function: Callable[..., Any] | str,
    X: Any,
    executor: AbstractExecutor,
    *,
    deadline: float | None = None,
    tolerance: float | None = None,
    on_failure: OnFailure = "raise",
    on_answer: OnAnswer | None = None,
    embedding: FixedPoint | None = None,
    progress: bool = True,
) -> Outcome:
    """Compute a function on every block of X: encode, dispatch, recover.

    A worker that is late or dead, raises, or answers with what is not of the scheme's domain (text,
    another dtype, NaN and Inf but for `Replication`) or in a shape that most answers do not have
    is a straggler; one that answers in the right shape with wrong
    numbers is a liar. The shape that most answers have is taken for the right one: k workers that
    give the same wrong shape are k colluding liars, and count against `adversaries`.

    Args:
        scheme: how to encode and recover.
        function: called on each worker with its share; returns an array.
        X: array-like (K, *shape), the blocks; tensors, where functions are to see tensors.
        executor: has at least as many workers as the scheme.
        deadline: seconds on the executor's clock after which no answer is waited for.
        tolerance: relative error that an approximate scheme must estimate.
        on_failure: "raise" an error, or "return" an Outcome with a failing status.
        on_answer: called with every answer and failure as it comes, before it is checked.
        embedding: how reals become residues of the scheme's field, and values reals again. The
            function is followed once here, through arrays of zeros, to know how large its results
            may be: before the clock of the deadline starts.
        progress: whether to show the workers in a terminal while a run lasts (with rich).

    Returns:
        The outcome, its value (K, *out) in the order of the blocks, a tensor where X was.

    Raises:
        InvalidArgument: if an argument can't be used or sent to the workers.
        DegreeTooHigh: if the function has a higher degree than the scheme decodes.
        Unachievable: if results of the embedding could wrap.
        NotEnoughAnswers: if too few usable answers came; it carries the outcome.
        TooManyErrors: if more workers lied than the scheme can name.
        NotAccurateEnough: if the estimated error stays above the tolerance.
        ExecutorError: if the executor is closed.

    Example:
        >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=5, adversaries=1)
        >>> with anyk.Threads(5) as executor:
        ...     print(anyk.run(scheme, np.square, [5, 6], executor).value)
        [25 36]
    """
    with _for_one_call(scheme, X, executor, embedding, function) as data:
        return data.run(
            function,
            deadline=deadline,
            tolerance=tolerance,
            on_failure=on_failure,
            on_answer=on_answer,
            progress=progress,
        )


def stream(
    scheme: AbstractScheme,
    function: Callable[..., Any] | str,
    X: Any,
    executor: AbstractExecutor,
    *,
    deadline: float | None = None,
    tolerance: float | None = None,
    every: int = 1,
    on_answer: OnAnswer | None = None,
    progress: bool = True,
) -> Iterator[Outcome]:
    """Compute a function on every block of X, and yield an outcome after each answer.

    An approximate scheme makes a value of few answers, and a better one of more: outcomes begin
    with the first that can be decoded, below the threshold of `run`, and each has its own error
    estimate. An exact scheme has one outcome to give, as soon as its answers suffice.

    Args:
        scheme: how to encode and recover.
        function: called on each worker with its share; returns an array.
        X: array-like (K, *shape), the blocks.
        executor: has at least as many workers as the scheme.
        deadline: seconds on the executor's clock after which no answer is waited for.
        tolerance: estimated relative error at which to stop.
        every: how many more answers make another outcome of an approximate scheme.
        on_answer: called with every answer and failure as it comes, before it is checked.
        progress: whether to show the workers in a terminal while a run lasts (with rich).

    Returns:
        An iterator of outcomes. Nothing is sent before the first is asked for; closing it, or
        leaving it to be collected, abandons what is still running.

    Raises:
        InvalidArgument: if an argument can't be used or sent to the workers.
        RecoveryError: where the answers end, and none was enough for a value.

    Example:
        >>> scheme = anyk.Berrut(4, 12)
        >>> X = np.linspace(0.0, 1.0, 4)
        >>> with anyk.Inline(12) as executor:
        ...     outcomes = list(anyk.stream(scheme, np.sin, X, executor, every=4))
        >>> [len(outcome.used) for outcome in outcomes]
        [4, 8, 12]
        >>> outcomes[-1].error_estimate < outcomes[0].error_estimate
        True
    """
    deadline, tolerance = check_limits(deadline, tolerance, "raise")
    step = count("every", every, least=1)

    def outcomes() -> Iterator[Outcome]:
        with _for_one_call(scheme, X, executor, None, function) as data:
            yield from data.stream(
                function,
                deadline=deadline,
                tolerance=tolerance,
                every=step,
                on_answer=on_answer,
                progress=progress,
            )

    return outcomes()
