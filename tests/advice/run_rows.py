"""What anyk.run, distribute and the answers' errors advise."""

import math

import numpy as np
from tried import tried

import anyk
from anyk import faults
from anyk.domains.base import AbstractDomain
from anyk.schemes.base import AbstractScheme
from anyk.work import Plain
from anyk.works.combined import Combined
from anyk.works.mini_tasks import MiniTasks

SCHEME = anyk.Lagrange(2, 2, 6)
SMALL = anyk.Lagrange(2, 2, 3)
DATA = np.array([[1, 2], [3, 4]])
ODD = anyk.Lagrange(2, 2, 6, colluders=1)
WEIGHTS = anyk.FixedPoint(fraction_bits=6, magnitude=4.0)
WITH_WEIGHTS = anyk.FixedPoint(fraction_bits=8, magnitude=4.0, factors=(WEIGHTS,))
FIXED = anyk.FixedPoint(fraction_bits=8, magnitude=4.0, degree=2)


def run(scheme=SCHEME, f=np.square, X=DATA, executor=None, **named):
    with executor or anyk.Inline(scheme.guarantee.workers) as opened:
        return anyk.run(scheme, f, X, opened, **named)


def with_argument(make, **named):
    """A product of the data with an argument that `make` makes of the distributed data."""
    with anyk.Inline(6) as executor, anyk.distribute(SCHEME, DATA, executor, **named) as data:
        return data.run(np.multiply, make(data), progress=False)


def released(again):
    with anyk.Inline(6) as executor:
        data = anyk.distribute(SCHEME, DATA, executor)
        data.release()
        if again:
            data = anyk.distribute(SCHEME, DATA, executor)
        return data.run(np.square)


class Wordless(AbstractScheme):
    """A scheme around another one, of which the test alters something."""

    def __init__(self, *, work=None, parts=None, over=None):
        self.own, self.changed, self.fewer, self.other = SCHEME, work, parts, over

    problem = property(lambda self: self.own.problem)
    domain = property(lambda self: self.own.domain)
    guarantee = property(lambda self: self.own.guarantee)

    def encode(self, X, *, source=None):  # noqa: ARG002 - as its base class
        encoded = self.own.encode(X)
        parts = (
            encoded.parts if self.fewer is None else tuple(p[: self.fewer] for p in encoded.parts)
        )
        return anyk.Encoded(self, parts, encoded.layout)

    def work(self, function, per_worker=()):
        return self.changed(function) if self.changed else self.own.work(function, per_worker)

    def sufficient(self, answered):
        return self.own.sufficient(answered)

    def encoder(self, layout, operand=0):
        return self.own.encoder(layout, operand)

    def recovery(self, layout, answered):
        return self.own.recovery(layout, answered)

    def over(self, field):
        return self.own.over(field) if self.other else super().over(field)


def together(spread):
    """A run on an executor whose workers hold several shares each, or one."""
    scheme = anyk.Replication(1, 3, adversaries=1)
    executor = Crowded(3) if not spread else anyk.Inline(3)
    return run(scheme, np.square, [1.0], executor)


class Crowded(anyk.AbstractExecutor):
    """Three workers in one place."""

    def __init__(self, workers):
        self.own = anyk.Inline(workers)

    workers = property(lambda self: self.own.workers)
    shares_per_worker = property(lambda _: 3)

    def clock(self):
        return self.own.clock()

    def place(self, parts, pieces=1):
        return self.own.place(parts, pieces)

    def dispatch(self, task, placement, arguments, without=()):
        return self.own.dispatch(task, placement, arguments, without)

    def release(self, placement):
        self.own.release(placement)

    def calls(self, function):
        return self.own.calls(function)

    def broadcast(self, value):
        return self.own.broadcast(value)

    def close(self):
        self.own.close()


def dead(workers, scheme=SMALL, **named):
    executor = anyk.Inline(scheme.guarantee.workers)
    return run(
        scheme, executor=faults.Faulty(executor, dict.fromkeys(workers, faults.Crash())), **named
    )


def guess(**named):
    """A value for which nothing speaks: Spline of two answers."""
    return run(anyk.Spline(2, 2), np.cos, [-1.0, 1.0], **named)


def rough(workers=6, **named):
    number = named.pop("blocks", 4)
    return run(anyk.Spline(number, workers), np.exp, np.linspace(-1, 1, number), **named)


def lied(scheme, *liars):
    executor = anyk.Inline(scheme.guarantee.workers)
    every = {worker: faults.Corrupt(seed=worker, modulus=2**31 - 1) for worker in liars}
    return run(scheme, executor=faults.Faulty(executor, every))


ROWS = [
    tried(
        "An anyk.SequentialGradient is for anyk.sequential.",
        lambda: run(anyk.SequentialGradient(4, 1, 2), executor=anyk.Inline(4)),
        lambda: list(
            anyk.sequential(
                anyk.SequentialGradient(4, 1, 2), np.multiply, [1.0] * 8, anyk.Inline(4), [[2.0]]
            )
        ),
    ),
    tried(
        "Make one, such as anyk.Replication(4, 8).",
        lambda: anyk.run(anyk.Replication, np.sqrt, [1.0] * 4, anyk.Inline(8)),
        lambda: run(anyk.Replication(4, 8), np.sqrt, [1.0] * 4),
    ),
    tried(
        "Make one: anyk.Processes(8), anyk.Dask(client), anyk.Ray(8), anyk.Futures(pools).",
        lambda: anyk.run(SCHEME, np.square, DATA, anyk.Threads),
        lambda: run(executor=anyk.Threads(8)),
    ),
    tried(
        "Correct guarantee or encode of the scheme; anyk.testing.check_scheme helps.",
        lambda: run(Wordless(parts=3)),
        lambda: run(Wordless(parts=6)),
    ),
    tried(
        "or take a scheme without adversaries and colluders.",
        lambda: together(spread=False),
        lambda: together(spread=True),
        lambda: run(anyk.Replication(1, 3), np.square, [1.0], Crowded(3)),
    ),
    tried(
        'Take "return" to get an Outcome with a failing status.',
        lambda: run(on_failure="ignore"),
        lambda: dead([0, 1, 2], on_failure="return"),
    ),
    *(
        tried(
            "Give seconds, or a relative error, or None for no limit.",
            lambda name=name: run(**{name: -1.0}),
            lambda name=name: run(**{name: 9.0}),
            lambda name=name: run(**{name: None}),
        )
        for name in ("deadline", "tolerance")
    ),
    tried(
        "Pass a function, or None.",
        lambda: run(on_answer=3),
        lambda: run(on_answer=lambda _: None),
        lambda: run(on_answer=None),
    ),
    tried(
        "distribute the data again.", lambda: released(again=False), lambda: released(again=True)
    ),
    tried(
        "Pass a function of one block or item.",
        lambda: anyk.run(SCHEME, DATA, np.square, anyk.Inline(6)),
        lambda: anyk.run(SCHEME, np.square, DATA, anyk.Inline(6)),
    ),
    tried(
        "Pass the function itself; anyk.Remote alone takes names.",
        lambda: run(f="square"),
        lambda: run(f=np.square),
    ),
    tried(
        "Return anyk.work.Plain(function), say.",
        lambda: run(Wordless(work=lambda function: function)),
        lambda: run(Wordless(work=Plain)),
    ),
    tried(
        "Pass it alone: in something else every worker would get all shares.",
        lambda: with_argument(lambda data: [data.encode(DATA)]),
        lambda: with_argument(lambda data: data.encode(DATA)),
    ),
    tried(
        "Pass its .encoded.",
        lambda: with_argument(lambda data: data),
        lambda: with_argument(lambda data: data.encoded),
    ),
    tried(
        "Encode both with schemes of the same blocks, colluders, workers and field.",
        lambda: with_argument(lambda _: ODD.encode(DATA)),
        lambda: with_argument(lambda _: anyk.Lagrange(2, 2, 6).encode(DATA)),
    ),
    tried(
        "Make them by .encode(values, embedding) of the distributed data.",
        lambda: with_argument(lambda _: other_reals(), embedding=FIXED),
        lambda: with_argument(lambda data: data.encode(DATA, FIXED), embedding=FIXED),
    ),
    tried(
        "Pass format.quantise(values), or .encode(values, format) of the data; or leave the format "
        "out of factors.",
        lambda: with_argument(lambda _: np.array([1, 2]), embedding=WITH_WEIGHTS),
        lambda: with_argument(lambda _: WEIGHTS.quantise([1, 2]), embedding=WITH_WEIGHTS),
        lambda: with_argument(lambda data: data.encode(DATA, WEIGHTS), embedding=WITH_WEIGHTS),
        lambda: with_argument(lambda _: np.array([1, 2]), embedding=FIXED),
    ),
    tried(
        "Take a scheme for that degree, or fewer products of encoded arrays in a row.",
        lambda: run(Wordless(), f=lambda x: x**4),
        lambda: run(anyk.Lagrange(2, 4, 6), f=lambda x: x**4),
        lambda: run(Wordless(), f=lambda x: x**2),
    ),
    tried(
        "Encode the argument by .encode(values) of the distributed data.",
        lambda: with_argument(lambda _: two_parts()),
        lambda: with_argument(lambda data: data.encode(DATA)),
    ),
    tried(
        "Take anyk.Lagrange, or define over(field) of your scheme.",
        lambda: run(Wordless(), X=DATA / 4.0, embedding=FIXED_WIDE),
        lambda: run(anyk.Lagrange(2, 2, 6), X=DATA / 4.0, embedding=FIXED_WIDE),
        lambda: run(Wordless(over=True), X=DATA / 4.0, embedding=FIXED_WIDE),
    ),
    tried(
        "Make the scheme for the degree of the function.",
        lambda: run(anyk.Lagrange(2, 1, 6), X=DATA / 4.0, embedding=FIXED),
        lambda: run(anyk.Lagrange(2, 2, 6), X=DATA / 4.0, embedding=FIXED),
    ),
    tried(
        "Pass np.matmul, and the factors as X = (A, B).",
        lambda: run(anyk.Polynomial((2, 1, 2), 6), np.square, (DATA, DATA)),
        lambda: run(anyk.Polynomial((2, 1, 2), 6), np.matmul, (DATA, DATA)),
    ),
    tried(
        "Pass the values themselves, or put them into X.",
        lambda: gradient(lambda data: data.encode(np.ones(4))),
        lambda: gradient(lambda _: np.ones(())),
    ),
    tried(
        "Let the function return the same shape for every block.",
        lambda: combined(lambda x: x[: int(x[0])]),
        lambda: combined(lambda x: x[:1]),
    ),
    tried(
        "Return an array of numbers.",
        lambda: combined(lambda x: x.astype(str)),
        lambda: combined(lambda x: x),
    ),
    # what recoveries say
    tried("Add workers, wait longer, or promise less.", lambda: silent(4), lambda: silent(5)),
    tried(
        "See why they failed, add workers, or promise less.",
        lambda: dead([0]),
        lambda: dead([0], anyk.Lagrange(2, 2, 4)),
        lambda: dead([0], anyk.Lagrange(2, 1, 3), f=lambda x: x + x),
    ),
    tried(
        "Add workers or wait longer, so that there is evidence; or take the guess, by "
        "tolerance=math.inf or a deadline.",
        guess,
        lambda: run(anyk.Spline(2, 8), np.cos, [-1.0, 1.0]),
        lambda: guess(tolerance=math.inf),
        lambda: guess(deadline=9.0),
    ),
    tried(
        "Add workers, lower blocks, wait longer, or raise the tolerance.",
        lambda: rough(tolerance=1e-3),
        lambda: rough(workers=200, tolerance=1e-3),
        lambda: rough(tolerance=2.0),
        lambda: rough(blocks=2, workers=40, tolerance=1e-2),
    ),
    tried(
        "Raise adversaries (each liar costs two answers), or look for a fault that hits many",
        lambda: lied(anyk.Lagrange(2, 2, 6, adversaries=1), 0, 1),
        lambda: lied(anyk.Lagrange(2, 2, 7, adversaries=2), 0, 1),
        lambda: lied(anyk.Lagrange(2, 2, 6, adversaries=1), 0),
    ),
    tried(
        "raise degree=, or take a scheme for any function.",
        lambda: run(anyk.AnalogLagrange(2, 2, 8), lambda x: x**3, X=DATA / 4),
        lambda: run(anyk.AnalogLagrange(2, 2, 8), lambda x: x**2, X=DATA / 4),
        lambda: run(anyk.AnalogLagrange(2, 3, 8), lambda x: x**3, X=DATA / 4),
        lambda: run(anyk.Spline(2, 8), lambda x: x**3, X=DATA / 4),
    ),
    tried(
        "Name liars with adversaries= (each costs an answer more), or look for a fault",
        lambda: lied_reals(anyk.Replication(1, 2, detects=1)),
        lambda: lied_reals(anyk.Replication(1, 3, adversaries=1)),
    ),
    tried(
        "Call .matmul(x), or distribute (A, B).",
        lambda: resident(lambda data: data.run(np.matmul)),
        lambda: resident(lambda data: data.matmul(DATA)),
        lambda: resident(lambda data: data.run(np.matmul), (DATA, DATA)),
    ),
    tried(
        "Distribute A: anyk.distribute(scheme, A, executor).",
        lambda: resident(lambda data: data.matmul(DATA), (DATA, DATA)),
        lambda: resident(lambda data: data.matmul(DATA)),
    ),
    tried(
        "or distribute both factors: (A, B).",
        lambda: resident(lambda data: data, embedding=FIXED),
        lambda: resident(lambda data: data.run(np.matmul), (DATA, DATA), embedding=FIXED),
        lambda: resident(lambda data: data),
    ),
    tried("Make an anyk.SequentialGradient(...).", lambda: in_turn(plan=3), lambda: in_turn()),
    tried(
        "Pass a list with a list of arguments for each job.", lambda: in_turn(5), lambda: in_turn()
    ),
    tried("Pass a list of arguments a job.", lambda: in_turn([5]), lambda: in_turn([[5]])),
    tried(
        "Pass lists of one length.",
        lambda: in_turn([[1], [2, 3]]),
        lambda: in_turn([[1], [2]]),
    ),
    tried("Name the plan's own.", lambda: closed([3]), lambda: closed([2])),
    tried(
        "Wait for some of them, until course.bearable(late).",
        lambda: closed([0, 1]),
        lambda: closed([0]),
    ),
    tried(
        "Let the function return the same shape, whatever its arguments.",
        lambda: mini(lambda x, w: x[:w]),
        lambda: mini(lambda x, w: x * w),
    ),
]

FIXED_WIDE = anyk.FixedPoint(fraction_bits=20, magnitude=4.0, degree=2)


def lied_reals(scheme):
    executor = faults.Faulty(anyk.Inline(scheme.workers), {0: faults.Corrupt(scale=10.0)})
    return run(scheme, np.sqrt, [4.0], executor)


def other_reals():
    with anyk.Inline(6) as executor:
        format_ = anyk.FixedPoint(fraction_bits=6, magnitude=4.0, degree=2)
        with anyk.distribute(SCHEME, DATA, executor, embedding=format_) as data:
            return data.encode(DATA)


def two_parts():
    return anyk.Polynomial((2, 1, 2), 6).encode((DATA, DATA))


def gradient(make):
    scheme = anyk.CyclicRepetition(4, 1)
    with anyk.Inline(4) as executor:
        with anyk.distribute(scheme, np.ones(4), executor) as data:
            return data.run(np.multiply, make(data))


def combined(f):
    parts = (np.array([[1.0, 2.0], [2.0, 3.0]]), np.array([1.0, 1.0]))
    return Combined(f)(parts, ())


def silent(answered):
    scheme = anyk.Lagrange(2, 4, 6)
    encoded = scheme.encode(DATA)
    return encoded.decode(encoded.shares[:answered], range(answered))


def resident(use, factors=DATA, **named):
    """What is made of the distributed factor A, or of both."""
    scheme = anyk.Polynomial((2, 1, 2), 6)
    with anyk.Inline(6) as executor, anyk.distribute(scheme, factors, executor, **named) as data:
        return use(data)


class Strange(AbstractDomain):
    """No domain that others know."""


def in_turn(jobs=((2,),), plan=None):
    plan = anyk.SequentialGradient(3, 1, 2) if plan is None else plan
    with anyk.Inline(3) as executor:
        return list(anyk.sequential(plan, np.multiply, np.ones(9), executor, jobs))


def closed(late):
    course = anyk.SequentialGradient(3, 1, 2).course()
    course.begin()
    assert course.bearable(late) or len(late) > 1
    return course.close(late)


def mini(function):
    blocks, ones = np.ones((2, 1, 3)), np.ones((2, 1))
    return MiniTasks(function)([blocks, ones], [np.array([0, 1]), 1, 2])
