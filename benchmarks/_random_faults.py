"""Random computations, and random faults in their workers: what `two_thousand_faults` draws.

Faults stay within what a decoder can know. Left out, because the answers alone can't tell:

- A lie to a scheme with adversaries=0: at its threshold every set of answers is consistent.
- One lie told by many: `Collude` by (K+T-1)d + 1 + A workers of `Lagrange` (their lie is the
  constant polynomial), or by A + 1 workers of `Replication`, which may be asked for any block.
- More than A independent lies over a small field, or in single entries of one: they agree by
  chance.
- Answers of one wrong shape that would be enough by themselves, or of A + 1 workers of a
  replication; and, for approximate schemes, of wrong shapes that are as many as the right ones.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

import anyk
from anyk.faults import (
    AbstractFault,
    Collude,
    Corrupt,
    Crash,
    Delay,
    Die,
    Rubbish,
)

WORKERS = 16
LARGE = anyk.PrimeField()
SMALL = anyk.PrimeField(101)
FOREVER = 60.0  # a deadline that no call reaches

FAILING = ("dtype", "nan", "inf", "objects", "text", "none", "shape", "empty")

ODD = (Rubbish("shape"), Rubbish("empty"))


def affine(x: Any) -> Any:
    """Degree 1."""
    return 3 * x + 7


def total(x: Any) -> Any:
    """Degree 1; a number for each block."""
    return x.sum()


def square(x: Any) -> Any:
    """Degree 2."""
    return x * x - x


def gram(x: Any) -> Any:
    """Degree 2; a matrix for each block."""
    return x.T @ x


def cubic(x: Any) -> Any:
    """Degree 3."""
    return x * x * x + 5 * x


def bell(x: Any) -> Any:
    """A smooth function."""
    return np.exp(-x * x)


def network(x: Any) -> Any:
    """A smooth function of all numbers of a block: a small network."""
    weights = np.sin(np.arange(1.0, 6.0)[:, None] * np.arange(1.0, x.size + 1.0))
    return np.tanh(weights @ np.ravel(x)) @ weights


POLYNOMIALS = ((affine, 1), (total, 1), (square, 2), (gram, 2), (cubic, 3))
SMOOTH = (np.sin, np.tanh, np.cos, bell, network, affine, square)


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is computed: f on the blocks of X by a scheme, and the true value."""

    scheme: anyk.AbstractScheme
    function: Any
    X: NDArray[Any]
    truth: NDArray[Any]

    @property
    def workers(self) -> int:
        """N."""
        return self.scheme.guarantee.workers


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What goes wrong in one call, and how it is called."""

    faults: dict[int, AbstractFault]
    outside: dict[int, str]  # "kill" or "stop", from outside, in the middle of the call
    after: int  # the answers that come before that; 0 for before the call
    lost: frozenset[int]  # workers without a usable answer, or perhaps without
    silent: frozenset[int]  # those of `lost` that may never answer at all
    liars: frozenset[int]  # workers with a wrong answer, or perhaps with one
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many workers are faulty."""
        return len(self.faults.keys() | self.outside.keys())

    def within(self, scheme: anyk.AbstractScheme) -> bool:
        """Whether the scheme promises a value."""
        promise = scheme.guarantee
        impatient = self.options.get("deadline", FOREVER) < FOREVER
        picky = "tolerance" in self.options and not promise.exact
        few = len(self.lost) <= promise.stragglers and len(self.liars) <= promise.adversaries
        return few and not impatient and not picky


def draw_job(rng: np.random.Generator, name: str) -> Job:
    """A random computation by a random scheme of this class."""
    make = {"Lagrange": _lagrange, "Replication": _replication}.get(name)
    return make(rng) if make is not None else _approximate(rng, name)


def _shape(rng: np.random.Generator) -> tuple[int, ...]:
    shapes = ((), (1,), (5,), (3, 4), (2, 3), (9, 1), (40, 30))
    return shapes[int(rng.integers(len(shapes)))]


def _on_field(rng: np.random.Generator, p: int, blocks: int, degree: int) -> tuple[Any, Any, Any]:
    """A polynomial function of at most this degree, residues, and the true value."""
    fitting = [function for function, least in POLYNOMIALS if least <= degree]
    function, shape = fitting[int(rng.integers(len(fitting)))], _shape(rng)
    if function is gram and not shape:
        shape = (4,)
    residues = rng.integers(0, p, (blocks, *shape))
    exact = [function(np.asarray(block).astype(object)) for block in residues]
    return function, residues, np.array([np.asarray(each) % p for each in exact], dtype=np.int64)


def _lagrange(rng: np.random.Generator) -> Job:
    while True:
        blocks, degree, colluders = (int(rng.integers(*ends)) for ends in ((1, 5), (1, 4), (0, 3)))
        adversaries, late = (int(rng.integers(*ends)) for ends in ((0, 3), (0, 5)))
        workers = (blocks + colluders - 1) * degree + 1 + 2 * adversaries + late
        if workers <= WORKERS:
            break
    field = LARGE if rng.random() < 0.75 else SMALL
    scheme = anyk.Lagrange(
        blocks=blocks,
        degree=degree,
        workers=workers,
        adversaries=adversaries,
        colluders=colluders,
        field=field,
    )
    function, residues, truth = _on_field(rng, field.modulus, blocks, degree)
    return Job(scheme=scheme, function=function, X=residues, truth=truth)


def _replication(rng: np.random.Generator) -> Job:
    while True:
        blocks, adversaries, late = (int(rng.integers(*ends)) for ends in ((1, 5), (0, 3), (0, 4)))
        workers = blocks * (2 * adversaries + 1 + late) + int(rng.integers(blocks))
        if workers <= WORKERS:
            break
    domains = (LARGE, SMALL, anyk.Reals(), anyk.Reals(), anyk.Complex())
    domain = domains[int(rng.integers(len(domains)))]
    scheme = anyk.Replication(
        blocks=blocks, workers=workers, adversaries=adversaries, domain=domain
    )
    if isinstance(domain, anyk.PrimeField):
        function, data, truth = _on_field(rng, domain.modulus, blocks, 3)
    else:
        function = SMOOTH[int(rng.integers(len(SMOOTH)))]
        data = rng.normal(size=(blocks, *_shape(rng))) + 1
        if isinstance(domain, anyk.Complex):
            data = data + 1j * rng.normal(size=data.shape)
        truth = np.stack([function(np.asarray(block)) for block in data])
    return Job(scheme=scheme, function=function, X=data, truth=truth)


def _approximate(rng: np.random.Generator, name: str) -> Job:
    blocks = int(rng.integers(1, 9))
    workers = int(rng.integers(max(blocks, 4), WORKERS + 1))
    options: dict[str, Any] = {}
    if rng.random() < 0.5:
        options["stragglers"] = int(rng.integers(0, max(1, 2 * workers // 3 - 2)))
    if name == "FilledReplication":
        options["smoothing"] = None if rng.random() < 0.7 else 0.0
    if name == "Spline":
        options["ordering"] = "path" if rng.random() < 0.7 else None
        options["decoder_smoothing"] = None if rng.random() < 0.7 else 0.0
    scheme = getattr(anyk, name)(blocks, workers, **options)
    shape = _shape(rng)
    if rng.random() < 0.5:  # blocks that have nothing to do with each other
        data = rng.choice([0.3, 1.0]) * rng.normal(size=(blocks, *shape))
    else:  # blocks along a smooth curve, in order
        along = np.sort(rng.uniform(-1, 1, blocks)).reshape(-1, *(1 for _ in shape))
        data = np.sin(along * rng.uniform(0.2, 2, shape) + rng.uniform(0, 6, shape))
    function = SMOOTH[int(rng.integers(len(SMOOTH)))]
    truth = np.stack([function(np.asarray(block)) for block in data])
    return Job(scheme=scheme, function=function, X=data, truth=truth)


def draw_plan(rng: np.random.Generator, job: Job, *, engine: str, hung: set[int]) -> Plan:
    """Random faults for one call; workers in `hung` are so from an earlier one."""
    while True:
        plan = _draw(rng, job, engine, frozenset(who for who in hung if who < job.workers))
        if knowable(job.scheme, plan):
            return plan


def _draw(rng: np.random.Generator, job: Job, engine: str, hung: frozenset[int]) -> Plan:
    promise = job.scheme.guarantee
    spare = promise.stragglers - len(hung)
    well = [int(who) for who in rng.permutation(job.workers) if who not in hung]
    tame = spare >= 0 and rng.random() < 0.6
    most_lost = spare if tame else min(len(well), max(0, spare) + int(rng.choice([0, 2, 16])))
    most_liars = promise.adversaries + (0 if tame or not promise.adversaries else 3)
    if not promise.exact and not tame and rng.random() < 0.25:
        most_liars = 2  # against these no scheme over the reals promises anything as yet
    lost = int(rng.integers(most_lost + 1))
    liars = int(rng.integers(most_liars + 1))
    late = int(rng.integers(4))
    lost_ones, well = well[:lost], well[lost:]
    lying_ones, well = well[:liars], well[liars:]
    faults: dict[int, AbstractFault] = {who: _lateness(rng, engine) for who in well[:late]}
    faults |= {who: _lie(rng, job, loose=not tame) for who in lying_ones}
    outside: dict[int, str] = {}
    for who in lost_ones:
        if engine == "Processes" and rng.random() < 0.2:
            outside[who] = "kill" if rng.random() < 0.6 else "stop"
        else:
            faults[who] = _loss(rng, hang=len(hung) < 2)
    silent = {who for who in faults if faults[who] == Delay(math.inf)}
    silent |= {who for who, what in outside.items() if what == "stop"}
    perhaps = () if tame else lying_ones  # a lie may be no residue, and is then no answer
    plan = Plan(
        faults=faults,
        outside=outside,
        after=int(rng.integers(4)),
        lost=hung | frozenset(lost_ones) | frozenset(perhaps),
        silent=hung | silent,
        liars=frozenset(lying_ones),
    )
    plan.options.update(_options(rng, job.scheme, plan, engine))
    return plan


def _options(
    rng: np.random.Generator, scheme: anyk.AbstractScheme, plan: Plan, engine: str
) -> dict[str, Any]:
    options: dict[str, Any] = {"on_failure": "raise" if rng.random() < 0.7 else "return"}
    if rng.random() < 0.3:
        options["tolerance"] = float(10 ** rng.uniform(-3, 0.5))
    beyond = not plan.within(scheme) or options.get("tolerance")
    if rng.random() < 0.15 or (plan.silent and beyond):
        ends = (0.2, 20.0) if engine == "Simulated" else (0.01, 0.1)
        options["deadline"] = float(rng.uniform(*ends))
    elif rng.random() < 0.1:
        options["deadline"] = FOREVER if engine != "Simulated" else 1e9
    return options


def _lateness(rng: np.random.Generator, engine: str) -> AbstractFault:
    if engine == "Simulated":
        return Delay(float(10 ** rng.uniform(-3, 3)))
    return Delay(float(10 ** rng.uniform(-4, -1)))


def _loss(rng: np.random.Generator, *, hang: bool) -> AbstractFault:
    draw = rng.random()
    if draw < 0.2:
        return Crash()
    if draw < 0.4:
        return Die()
    if draw < 0.5 and hang:
        return Delay(math.inf)
    kind: Any = FAILING[int(rng.integers(len(FAILING)))]
    return Rubbish(kind)


def _lie(rng: np.random.Generator, job: Job, *, loose: bool) -> AbstractFault:
    """A wrong answer; a loose one may be none of the field, and so no answer at all."""
    domain = job.scheme.domain
    modulus = domain.modulus if isinstance(domain, anyk.PrimeField) else None
    if loose and rng.random() < 0.2:
        modulus = None
    if domain == anyk.Reals() and rng.random() < 0.15:  # elsewhere of another dtype: no lie
        return Rubbish("huge")
    if rng.random() < 0.4:
        return Collude(seed=int(rng.integers(2)), modulus=modulus)
    entries = int(rng.integers(1, 4)) if rng.random() < 0.3 else None
    return Corrupt(seed=int(rng.integers(100)), modulus=modulus, entries=entries)


def knowable(scheme: anyk.AbstractScheme, plan: Plan) -> bool:
    """Whether a decoder can know that something is wrong; see the top of this file."""
    for odd in ODD:
        alike = [who for who, fault in plan.faults.items() if fault == odd]
        if _decodable(scheme, alike) or _asked_again(scheme, alike):
            return False
    if not scheme.guarantee.exact:
        odd = [who for who, fault in plan.faults.items() if fault in ODD]
        return len(odd) < max(1, scheme.guarantee.workers - len(plan.lost))
    if len(plan.liars) > scheme.guarantee.adversaries and scheme.domain == SMALL:
        return False
    return not _one_lie(scheme, plan)


def _decodable(scheme: anyk.AbstractScheme, workers: list[int]) -> bool:
    if scheme.guarantee.exact:
        return scheme.sufficient(workers)
    return len(workers) >= min(scheme.problem.blocks, 2)


def _asked_again(scheme: anyk.AbstractScheme, alike: list[int]) -> bool:
    """Whether workers that agree may be asked for all blocks, as others are late or lost."""
    copies = isinstance(scheme, (anyk.Replication, anyk.FilledReplication))
    return copies and len(alike) > scheme.guarantee.adversaries


def _one_lie(scheme: anyk.AbstractScheme, plan: Plan) -> bool:
    """Whether one lie is told so often that it is as consistent as the truth."""
    lies = {who: plan.faults[who] for who in plan.liars}
    allied = {who: lie for who, lie in lies.items() if not isinstance(lie, Corrupt)}
    adversaries = scheme.guarantee.adversaries
    together = Counter(allied.values())
    if isinstance(scheme, anyk.Replication):  # of any block, where others are late or lost
        return any(many > adversaries for many in together.values())
    enough = scheme.guarantee.threshold - adversaries
    return any(many >= enough for many in together.values())
