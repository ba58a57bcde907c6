"""One job, done in one way, by workers of which some are bad."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Answer, Outcome, Status, Timing
from anyk.demo.jobs import Job, Way
from anyk.demo.result import Result
from anyk.demo.watch import AbstractWatcher
from anyk.executors.core.base import AbstractExecutor
from anyk.executors.processes.executor import Processes
from anyk.faults.faulty import Faulty
from anyk.running.mapping.map import map as map_items
from anyk.running.run import distribute
from anyk.schemes.encoded import Encoded
from anyk.work import WorkerTask

__all__ = ["race", "roll_call"]


def _present(number: NDArray[Any]) -> NDArray[Any]:
    return number


def roll_call(executor: AbstractExecutor, silent: tuple[int, ...] = ()) -> None:
    """Have every worker ready, so that no run pays for what another one left behind.

    Args:
        executor: its workers answer once.
        silent: workers that are still busy; where they are processes they are replaced.
    """
    if isinstance(executor, Processes):
        for worker in silent:
            executor.kill(worker)
    placement = executor.place([np.arange(executor.workers)])
    dispatch = executor.dispatch(_present, placement, [])
    while dispatch.receive(timeout=None) is not None:
        pass
    executor.release(placement)


def race(job: Job, way: Way, executor: AbstractExecutor, watcher: AbstractWatcher) -> Result:
    """Do a job in one way.

    Args:
        job: what to do, and what goes wrong.
        way: how.
        executor: workers that are ready, and well until now.
        watcher: sees the answers come.

    Returns:
        What came of it.
    """
    faulty = Faulty(executor, job.trouble.faults(way.workers))
    share = None
    if way.scheme is None:
        watcher.start(way)
        outcome, values = _map(job, way, faulty, watcher)
    else:
        with distribute(way.scheme, job.X, faulty) as data:
            watcher.start(way)
            if way.plain:
                outcome, values = _take_what_comes(job, data.encoded, faulty, watcher)
            else:
                outcome = data.run(
                    job.function, on_answer=watcher.heard, on_failure="return", progress=False
                )
                values = {} if outcome.value is None else dict(enumerate(outcome.value))
            if job.trouble.colluder is not None:
                share = data.encoded.shares[job.trouble.colluder].copy()
    result = Result(
        job=job,
        way=way,
        outcome=outcome,
        right=sum(job.count_right(value, job.direct[block]) for block, value in values.items()),
        lost=tuple(block for block in range(len(job.X)) if block not in values),
        share=share,
    )
    watcher.finish(result)
    return result


def _map(
    job: Job, way: Way, executor: AbstractExecutor, watcher: AbstractWatcher
) -> tuple[Outcome, dict[int, NDArray[Any]]]:
    """The blocks in parts, by `anyk.map`; those blocks of which all parts came."""
    items = job.X.reshape(-1, job.X.shape[1] // way.parts, *job.X.shape[2:])
    outcome = map_items(
        job.function,
        items,
        executor,
        on_failure="return",
        on_answer=watcher.heard,
        progress=False,
    )
    parts = [outcome.value[at : at + way.parts] for at in range(0, len(items), way.parts)]
    whole = np.asarray(outcome.known).reshape(-1, way.parts).all(axis=1)
    return outcome, {at: np.concatenate(parts[at]) for at in np.flatnonzero(whole).tolist()}


def _take_what_comes(
    job: Job, encoded: Encoded, executor: AbstractExecutor, watcher: AbstractWatcher
) -> tuple[Outcome, dict[int, NDArray[Any]]]:
    """What a parallel map does: wait until each block has an answer, or everybody was heard.

    `anyk.run` would give up as soon as a block can't come any more, and return nothing. Here
    the blocks that do come are kept: it is the kindest reading of a run without a code.
    """
    scheme = encoded.scheme
    start = executor.clock()
    placement = executor.place(encoded.parts)
    task = WorkerTask(scheme.work(job.function), scheme.domain)
    dispatch = executor.dispatch(task, placement, [])
    heard: dict[int, Answer] = {}
    values: dict[int, NDArray[Any]] = {}
    while len(values) < len(job.X) and (answer := dispatch.receive(timeout=None)) is not None:
        watcher.heard(answer)
        heard[answer.worker] = answer
        if answer.value is not None:
            value = scheme.domain.from_rest(answer.value)
            values.setdefault(answer.worker % len(job.X), value)
    elapsed = executor.clock() - start
    dispatch.abandon()
    executor.release(placement)
    used = tuple(sorted(who for who, answer in heard.items() if answer.failure is None))
    workers = range(scheme.guarantee.workers)
    outcome = Outcome(
        value=None,
        status=Status.EXACT if len(values) == len(job.X) else Status.NOT_ENOUGH_ANSWERS,
        used=used,
        missing=tuple(who for who in workers if who not in used),
        failures={who: heard[who].failure or "" for who in sorted(set(heard) - set(used))},
        timings=tuple(_timing(who, heard.get(who), start) for who in workers),
        elapsed=elapsed,
    )
    return outcome, values


def _timing(worker: int, answer: Answer | None, start: float) -> Timing:
    if answer is None:
        return Timing(worker=worker, sent=0.0, answered=None, seconds=None)
    sent, answered = answer.sent - start, answer.answered - start
    return Timing(worker=worker, sent=sent, answered=answered, seconds=answer.seconds)
