"""What `anyk.map` advises, followed."""

import asyncio
import threading

import joblib
from tried import tried

import anyk
import anyk.joblib
from anyk import faults


def done(function=abs, items=(1, -2, 3), executor=None, **named):
    """A map that must not fail."""
    executor = anyk.Inline(3) if executor is None else executor
    outcome = anyk.map(function, items, executor, progress=False, **named)
    assert outcome.status is anyk.Status.EXACT
    return outcome


async def later(item):
    return -item


def star(items):
    return anyk.starmap(pow, items, anyk.Inline(2), progress=False).value


def restless(workers=3, **named):
    """A function whose answers are never the same."""
    numbers = iter(range(100))
    return done(lambda _: 1.0 + next(numbers) / 1e6, executor=anyk.Inline(workers), **named)


def lied(liars, workers, **named):
    bad = {worker: faults.Corrupt(seed=worker) for worker in range(liars)}
    executor = faults.Faulty(anyk.Inline(workers), bad)
    return done(lambda x: float(x), range(1, 9), executor, **named)


def slow(deadline, workers=2):
    with anyk.Simulated(workers, compute=1.0) as executor:
        return done(items=range(8), executor=executor, deadline=deadline)


def patient(on_failure):
    with anyk.Simulated(2, compute=1.0) as executor:
        return anyk.map(
            abs, range(8), executor, deadline=2.5, on_failure=on_failure, progress=False
        )


def quarantined(*, release):
    executor = anyk.Inline(3)
    for worker in range(3):
        executor.quarantine.put(worker, "seen to lie")
    if release:
        executor.quarantine.release()
    return done(executor=executor)


def odd(on_failure="raise", *, mended=False):
    def f(x):
        if x == 3 and not mended:
            raise ValueError("no")
        return x

    return anyk.map(f, range(5), anyk.Inline(2), on_failure=on_failure, progress=False)


def kept(executor, *, closed=False):
    if closed:
        executor.close()
    with executor, executor.broadcast(5) as five:
        assert five.value == 5


def constant(*, released):
    with anyk.Threads(2) as executor:
        five = executor.broadcast(5)
        if released:
            five.release()
            assert five.value == 5
        done(pow, [3], executor, kwargs={"exp": executor.broadcast(5)})


def closing():
    """A map whose executor is closed while it lasts."""
    executor = anyk.Threads(2)
    done(lambda _: executor.close(), executor=executor, retries=0)


class Named(anyk.Inline):
    """Workers with a function of their own."""

    by_name = True

    def calls(self, function):
        return anyk.Inline.calls(self, {"power": pow}[function])


NAMED = Named(2)


def on_processes(use, workers=2):
    with anyk.Processes(workers) as executor:
        return use(executor)


def by_joblib(executor, n_jobs=2):
    with joblib.parallel_config("anyk", executor=executor):
        parallel = joblib.Parallel(n_jobs=n_jobs)
        assert parallel(joblib.delayed(abs)(x) for x in (-1, -2)) == [1, 2]


class Crowded(anyk.Inline):
    """Workers of which three are in one place."""

    shares_per_worker = 3


ROWS = [
    tried(
        "Make it without shares_per_worker=, or take agree=1.",
        lambda: done(executor=Crowded(6), agree=2),
        lambda: done(executor=anyk.Inline(6), agree=2),
        lambda: done(executor=Crowded(6)),
    ),
    tried(
        "Use anyk.starmap, with all arguments in each item.",
        lambda: done("power", [2], NAMED, kwargs={"exp": 2}),
        lambda: anyk.starmap("power", [(2, 2)], NAMED),
    ),
    tried(
        "executor is closed; make a new one.",
        lambda: kept(anyk.Threads(2), closed=True),
        lambda: kept(anyk.Threads(2)),
    ),
    tried("executor is closed; make a new one.", closing, done),
    tried(
        "make it with .broadcast of the executor that runs the function.",
        lambda: constant(released=True),
        lambda: constant(released=False),
    ),
    tried(
        "Make one: anyk.Processes(8), anyk.Dask(client), anyk.Ray(8), anyk.Futures(pools).",
        lambda: done(executor=8),
        lambda: done(executor=anyk.Inline(8)),
    ),
    tried(
        "workers, so that liars are outvoted; or lower it.",
        lambda: done(agree=4),
        lambda: done(agree=4, executor=anyk.Inline(7)),
        lambda: done(agree=3),
    ),
    tried(
        "Pass the function first: anyk.map(function, items).",
        lambda: done([1, 2], abs),
        lambda: done(abs, [1, 2]),
    ),
    tried(
        "Pass lambda item: asyncio.run(f(item)).",
        lambda: done(later),
        lambda: done(lambda item: asyncio.run(later(item))),
    ),
    tried(
        "Pass [item] for a single one.",
        lambda: done(items=5),
        lambda: done(items=[5]),
    ),
    tried(
        "or use anyk.map for a function of one argument.",
        lambda: star([1, 2]),
        lambda: star([(1, 2), (3, 4)]),
        lambda: done(items=[1, 2]),
    ),
    tried(
        "Pass a function of two answers.",
        lambda: done(equal=3),
        lambda: done(equal=lambda one, other: one == other),
    ),
    *(
        tried(
            'Pass {"axis": 0}, say.',
            lambda named=named: done(kwargs=named),
            lambda: done(sum, [[1], [2]], kwargs={"start": 0}),
        )
        for named in (3, {3: 4})
    ),
    tried(
        "or say what is the same, by rtol= or equal=.",
        lambda: restless(agree=2, rtol=1e-12),
        lambda: restless(agree=2, rtol=1e-3),
        lambda: restless(agree=2, equal=lambda one, other: abs(one - other) < 1),
        lambda: done(agree=2),
    ),
    tried(
        "Take 3 workers, let the function answer the same",
        lambda: lied(1, 2, agree=2),
        lambda: lied(1, 3, agree=2),
    ),
    tried(
        "Raise agree (each liar costs two answers)",
        lambda: lied(2, 3, agree=2),
        lambda: lied(2, 5, agree=3),
    ),
    tried(
        'or take what there is by on_failure="return".',
        lambda: slow(2.5),
        lambda: slow(100.0),
        lambda: slow(2.5, workers=8),
        lambda: patient("return"),
    ),
    tried(
        "release those in quarantine, or add others.",
        lambda: quarantined(release=False),
        lambda: quarantined(release=True),
    ),
    tried(
        'Correct it, or take the other items by on_failure="return".',
        odd,
        lambda: odd(mended=True),
        lambda: odd("return"),
    ),
    tried(
        "Pass arrays, plain values and the like, or use anyk.Threads.",
        lambda: on_processes(lambda two: done(type, [threading.Lock()], two)),
        lambda: on_processes(lambda two: done(len, [[1.0, 2.0]], two)),
        lambda: done(type, [threading.Lock()], anyk.Threads(2)),
    ),
    tried(
        "Broadcast arrays, models and plain values, or use anyk.Threads.",
        lambda: on_processes(lambda two: two.broadcast(threading.Lock())),
        lambda: on_processes(lambda two: two.broadcast({"a": [1.0]})),
        lambda: anyk.Threads(2).broadcast(threading.Lock()),
    ),
    tried(
        "Make one: anyk.Processes(8), anyk.Dask(client), anyk.Ray(8), anyk.Futures(pools).",
        lambda: by_joblib(executor=8),
        lambda: on_processes(lambda eight: by_joblib(executor=eight), workers=8),
    ),
    tried(
        "Take anyk.Processes, anyk.Dask or anyk.Ray.",
        lambda: by_joblib(executor=NAMED),
        lambda: on_processes(lambda two: by_joblib(executor=two)),
    ),
    tried(
        "Pass -1 for all workers.",
        lambda: by_joblib(executor=anyk.Threads(2), n_jobs=0),
        lambda: by_joblib(executor=anyk.Threads(2), n_jobs=-1),
    ),
]
