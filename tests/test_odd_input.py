"""Every public call with one of its arguments made odd: a value, or an error of anyk's own."""

import asyncio
import dataclasses
import decimal
import fractions
import inspect
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import anyk
from anyk import aggregation, delays, faults, shuffle
from anyk.domains.mixed_radix import nearest_floats, signed_integers
from anyk.domains.points import (
    disjoint_points,
    harmonic_points,
    require_disjoint,
    require_harmonic,
)
from anyk.domains.polynomials import lagrange_matrix, node_weights, vandermonde
from anyk.domains.ring import ResidueRing, further_fields

FIELD, SEVEN = anyk.PrimeField(), anyk.PrimeField(7)
EXTENSION = anyk.ExtensionField(FIELD, 2)
RING = ResidueRing((SEVEN, anyk.PrimeField(11)))
FIXED = anyk.FixedPoint(fraction_bits=8, magnitude=4.0)
DRAWN = anyk.FixedPoint(fraction_bits=8, magnitude=4.0, rounding="stochastic")
SCHEME = anyk.Lagrange(2, 2, 8, adversaries=1, colluders=1)
ENCODED = SCHEME.encode([[1, 2], [3, 4]])
MASKED = anyk.VeiledReplication(2, 6, colluders=1, leakage=0.5)
EXECUTOR = anyk.Inline(8)
DISTRIBUTED = anyk.distribute(SCHEME, [[1, 2], [3, 4]], EXECUTOR)
FULL = np.array([[1, 2], [3, 4]])
PLAN = shuffle.Coded(nodes=4, copies=2)
RESIDENT = anyk.distribute(anyk.Polynomial((2, 1, 1), 4), FULL, EXECUTOR)

WHOLE, KEYS = aggregation.Whole(9), [aggregation.Identity.generate(name) for name in "abcde"]
ROSTER = aggregation.Roster(
    clients=[each.member for each in KEYS[:2]], aggregators=[each.member for each in KEYS[2:]]
)
COMMITTEE = aggregation.Committee(aggregators=3, length=2, clients=2, numbers=WHOLE, most_weight=5)
PARTIES = aggregation.LocalParties({})

ODD: tuple[Any, ...] = (
    None, "a", "", b"x", 3, -1, 0, 2.5, -0.5, float("nan"), float("inf"), 1e300, 1e-300, True, 1j,
    10**400, -(10**400), 1 << 63, 1 << 40, [], {}, set(), object(), (1,), [[1], [1, 2]], [None],
    range(3), {3, 4}, {0: 1}, np.array(3), np.array([]), np.zeros((2, 0)), np.zeros((0, 2), int),
    np.array(["a"]), np.array([None]), np.float32(2), np.int8(2), np.bool_(True),  # noqa: FBT003
    fractions.Fraction(1, 2), decimal.Decimal(2), np.ma.masked, np.datetime64("2020"),
    np.full((2, 2), -5), np.full((2, 2), 1 << 40), np.array([[1.5, 2.0]]),
    np.array([[1, 2], [3, 4]], dtype=np.uint64), np.full((2, 2), 1 << 63, dtype=np.uint64),
    np.array([[1, 2], [3, 4]], dtype=np.int8), np.array([[True, False], [False, True]]),
    np.array([[1 << 80, -1], [0, 3]], dtype=object), np.zeros((1, 1, 1, 1)),
    np.array([[np.nan, 1.0], [2.0, np.inf]]), np.ma.array([[1, 2], [3, 4]], mask=[[0, 1], [0, 0]]),
    np.array([(1, 2.0)], dtype="i4,f8"), FIELD.array(3), SEVEN.array([1, 2]), abs, int,
    np.random.default_rng(0), FIXED, SCHEME, ENCODED, FIELD,
)  # fmt: skip


@dataclass(frozen=True)
class Call:
    """A call that works, of which each argument is made odd in turn."""

    function: Callable[..., Any]
    positional: tuple[Any, ...] = ()
    named: dict[str, Any] = field(default_factory=dict)

    def __call__(self) -> Any:
        return self.function(*self.positional, **self.named)

    def altered(self, odd: Any) -> Iterator[tuple[str, "Call"]]:
        for place in range(len(self.positional)):
            changed = (*self.positional[:place], odd, *self.positional[place + 1 :])
            yield f"argument {place}", Call(self.function, changed, self.named)
        for name in self.named:
            yield name, Call(self.function, self.positional, {**self.named, name: odd})


def call(function, /, *positional, **named):
    return Call(function, positional, named)


def generator():
    return np.random.default_rng(0)


CALLS: dict[str, Call] = {
    "ExtensionField": call(anyk.ExtensionField, FIELD, 2, polynomial=(1, 0, 1)),
    "ExtensionField.frobenius": call(EXTENSION.frobenius, FULL, 1),
    "ExtensionField.multiply": call(EXTENSION.multiply, FULL, FULL),
    "ExtensionField.power": call(EXTENSION.power, FULL, 2),
    "PrimeField": call(anyk.PrimeField, 7),
    "PrimeField.array": call(FIELD.array, [1, 2]),
    "PrimeField.residues": call(FIELD.residues, [1, 2], "x"),
    "PrimeField.validate": call(FIELD.validate, [1, 2], "x"),
    "PrimeField.constant": call(FIELD.constant, [1, 2]),
    "PrimeField.accept": call(FIELD.accept, [1, 2]),
    "PrimeField.present": call(FIELD.present, np.array([1, 2])),
    "PrimeField.reduce": call(FIELD.reduce, np.array([1, 2])),
    "PrimeField.power": call(FIELD.power, [1, 2], 2),
    "PrimeField.inverse": call(FIELD.inverse, [1, 2]),
    "PrimeField.matmul": call(FIELD.matmul, FULL, FULL),
    "ResidueRing": call(ResidueRing, RING.fields),
    "ResidueRing.constant": call(RING.constant, [1, 2]),
    "ResidueRing.validate": call(RING.validate, [1, 2], "x"),
    "ResidueRing.present": call(RING.present, FULL),
    "ResidueRing.accept": call(RING.accept, ([1], [2])),
    "ResidueRing.matmul": call(RING.matmul, FULL, FULL),
    "further_fields": call(further_fields, FIELD, 2),
    "signed_integers": call(signed_integers, [1, 2], (5, 7)),
    "nearest_floats": call(nearest_floats, [1, 2], (5, 7)),
    "node_weights": call(node_weights, FIELD, [1, 2]),
    "lagrange_matrix": call(lagrange_matrix, FIELD, [1, 2], [3]),
    "vandermonde": call(vandermonde, FIELD, [1, 2], 3),
    "disjoint_points": call(disjoint_points, SEVEN, 2, 3),
    "harmonic_points": call(harmonic_points, SEVEN, 2, 3),
    "require_disjoint": call(require_disjoint, SEVEN, [1], [2]),
    "require_harmonic": call(require_harmonic, SEVEN, [1, 2], [3]),
    "PrimeField.holds": call(FIELD.holds, np.dtype(np.int64)),
    "PrimeField.returned": call(FIELD.returned, np.zeros(2)),
    "PrimeField.at_rest": call(FIELD.at_rest, np.array([1, 2])),
    "PrimeField.from_rest": call(FIELD.from_rest, np.array([1, 2], np.uint32)),
    "PrimeField.prepared": call(FIELD.prepared, np.array([1, 2], np.uint32)),
    "PrimeField.lend": call(lambda values: FIELD.lend(values, FIELD.prepared(values)), FULL),
    "PrimeField.times": call(FIELD.times, np.array([1]), np.array([2])),
    "Reals": call(anyk.Reals, dtype=np.float32),
    "Complex": call(anyk.Complex, dtype=np.complex64),
    "Torch": call(anyk.Torch, anyk.Reals()),
    "Torch.validate": call(anyk.Torch().validate, [1.0], "x"),
    "Torch.accept": call(anyk.Torch().accept, [1.0]),
    "Values": call(anyk.Values, finite=True),
    "Values.holds": call(anyk.Values().holds, np.dtype(np.int8)),
    "Values.validate": call(anyk.Values().validate, [1.0], "x"),
    "Values.accept": call(anyk.Values().accept, [1.0]),
    "Values.matmul": call(anyk.Values().matmul, [[1.0]], [[1.0]]),
    "Reals.validate": call(anyk.Reals().validate, [1.0], "x"),
    "Reals.accept": call(anyk.Reals().accept, [1.0]),
    "Reals.matmul": call(anyk.Reals().matmul, [[1.0]], [[1.0]]),
    "Complex.validate": call(anyk.Complex().validate, [1.0], "x"),
    "Complex.accept": call(anyk.Complex().accept, [1.0]),
    "Complex.matmul": call(anyk.Complex().matmul, [[1.0]], [[1.0]]),
    "FixedPoint": call(
        anyk.FixedPoint, fraction_bits=8, magnitude=4.0, degree=2, summands=2, coefficient=2,
        factors=(FIXED,), rounding="nearest", primes=4,
    ),
    "FixedPoint.integers": call(FIXED.integers, [1.0]),
    "FixedPoint.integers, drawn": call(DRAWN.integers, [1.0], generator()),
    "FixedPoint.quantise": call(DRAWN.quantise, [1.0], generator()),
    "FixedPoint.embed": call(DRAWN.embed, [1.0], FIELD, generator()),
    "FixedPoint.extract": call(FIXED.extract, [1, 2], FIELD, 8),
    "FixedPoint.ring": call(FIXED.ring, FIELD),
    "FixedPoint.require": call(FIXED.require, FIELD),
    "FixedPoint.budget": call(FIXED.budget, 2, 3),
    "of_degree": call(anyk.of_degree, abs, 1),
    "task": call(anyk.task, lambda x: x),
    "Map": call(anyk.Map, blocks=2, degree=2),
    "Sum": call(anyk.Sum, blocks=2, degree=2),
    "MatMul": call(anyk.MatMul, partition=(2, 1, 2), batch=1, gram=True),
    "Threat": call(
        anyk.Threat, workers=4, stragglers=1, adversaries=1, colluders=1, leakage=0.5
    ),
    "Encoded.recovery": call(ENCODED.recovery, range(8)),
    "Encoded.held_by": call(ENCODED.held_by, [1]),
    "Encoded.decode": call(ENCODED.decode, ENCODED.shares, range(8)),
    "leakage": call(anyk.leakage, ENCODED, colluders=1, data_std=None, correlated=False),
    "leakage of reals": call(
        anyk.leakage, MASKED.encode([1.0, 2.0]), colluders=1, data_std=1.0, correlated=False
    ),
    "worst_coalition": call(anyk.worst_coalition, ENCODED, colluders=1, data_std=None),
    "leakage_spent": call(
        anyk.leakage_spent, ENCODED, colluders=1, data_std=None, correlated=False
    ),
    "audit of records": call(
        anyk.audit, ENCODED, data=[[1, 2], [3, 4], [5, 6]], labels=[0, 1, 0], colluders=1,
        samples=100,
    ),
    "audit": call(
        anyk.audit, ENCODED, colluders=1, samples=100, confidence=0.9, generator=generator()
    ),
    "schemes_for": call(
        anyk.schemes_for, anyk.Map(blocks=2), anyk.Threat(workers=4), field=FIELD,
        catalogue=anyk.CATALOGUE[:2],
    ),
    "distribute": call(anyk.distribute, SCHEME, FULL, EXECUTOR, embedding=None),
    "run": call(
        anyk.run, SCHEME, np.square, FULL, EXECUTOR, deadline=9.0, tolerance=None,
        on_failure="return", embedding=None, progress=False,
    ),
    "stream": call(
        lambda *given, **named: list(anyk.stream(*given, **named)), SCHEME, np.square, FULL,
        EXECUTOR, deadline=9.0, tolerance=None, every=1, progress=False,
    ),
    "SequentialGradient": call(
        anyk.SequentialGradient, 3, 1, 2, 1, domain=FIELD,
    ),
    "SequentialGradient.bearable": call(anyk.SequentialGradient(3, 1, 2).course().bearable, [0]),
    "sequential": call(
        lambda *given: list(anyk.sequential(*given)), anyk.SequentialGradient(3, 1, 2), np.square,
        np.ones(9), EXECUTOR, [[], []],
    ),
    "map": call(
        anyk.map, np.square, FULL, EXECUTOR, copies=2, agree=1, rtol=None, equal=None, retries=1,
        deadline=9.0, on_failure="return", progress=False, kwargs=None,
    ),
    "starmap": call(anyk.starmap, np.add, [FULL, FULL], EXECUTOR, agree=2, progress=False),
    "amap": call(
        lambda *given, **named: asyncio.run(anyk.amap(*given, **named)), np.square, FULL, EXECUTOR,
        retries=0, deadline=9.0,
    ),
    "map_unordered": call(
        lambda *given, **named: list(anyk.map_unordered(*given, **named)), np.square, FULL,
        EXECUTOR, copies=1, progress=False,
    ),
    "matmul": call(
        anyk.matmul, FULL, FULL, EXECUTOR, scheme=None, stragglers=1, adversaries=0, colluders=0,
        pieces=1, verified=None, deadline=9.0, tolerance=None, on_failure="return", progress=False,
    ),
    "matmul by a scheme": call(
        anyk.matmul, FULL, FULL, EXECUTOR, scheme=anyk.Polynomial((2, 1, 2), 6), progress=False
    ),
    "Distributed.matmul": call(
        RESIDENT.matmul, FULL, deadline=9.0, tolerance=None, on_failure="return", progress=False
    ),
    "Distributed.encode": call(DISTRIBUTED.encode, FULL, None),
    "Distributed.run": call(
        DISTRIBUTED.run, np.add, 1, deadline=9.0, on_failure="return", progress=False
    ),
    "blocks": call(anyk.blocks, FULL, 2),
    "Blocks.stacked": call(lambda X, K: anyk.blocks(X, K).stacked, FULL, 2),
    "Blocks.join": call(anyk.blocks(FULL, 2).join, [[1], [2]]),
    "Lateness": call(anyk.Lateness, medians=2.0, margin=0.2),
    "Quarantine": call(anyk.Quarantine, 4),
    "Quarantine.put": call(anyk.Quarantine(4).put, 1, "its memory fails"),
    "Quarantine.release": call(anyk.Quarantine(4).release, 1),
    "Inline": call(anyk.Inline, 2),
    "Threads": call(anyk.Threads, 2),
    "Futures": call(anyk.Futures, [lambda: None]),
    "Simulated": call(
        anyk.Simulated, 2, delays=delays.NoDelay(), generator=generator(), compute=1.0
    ),
    "Paced": call(anyk.Paced, EXECUTOR, delays.NoDelay(), generator()),
    "WithMaster": call(anyk.WithMaster, EXECUTOR),
    "AbstractExecutor.place": call(EXECUTOR.place, (FULL,), 1),
    "delays.Fixed": call(delays.Fixed, [1.0, 2.0]),
    "delays.Fixed.sample": call(delays.Fixed([1.0, 2.0]).sample, generator(), 2),
    "delays.NoDelay.sample": call(delays.NoDelay().sample, generator(), 2),
    "delays.ShiftedExponential": call(delays.ShiftedExponential, shift=1.0, mean=1.0),
    "delays.ShiftedExponential.sample": call(
        delays.ShiftedExponential(shift=1.0, mean=1.0).sample, generator(), 2
    ),
    "delays.Occasional": call(delays.Occasional, probability=0.5, seconds=1.0),
    "delays.Occasional.sample": call(
        delays.Occasional(probability=0.5, seconds=1.0).sample, generator(), 2
    ),
    "delays.Recorded": call(delays.Recorded, [[1.0, 2.0]]),
    "delays.Recorded.sample": call(delays.Recorded([[1.0, 2.0]]).sample, generator(), 2),
    "faults.Collude": call(faults.Collude, seed=0, modulus=7, scale=1.0),
    "faults.Corrupt": call(faults.Corrupt, seed=0, entries=1, modulus=7, scale=1.0),
    "faults.Delay": call(faults.Delay, 1.0),
    "faults.Faulty": call(faults.Faulty, EXECUTOR, {0: faults.Crash()}),
    "faults.Rubbish": call(faults.Rubbish, "nan"),
    "aggregation.Whole": call(aggregation.Whole, 9),
    "aggregation.Noise": call(aggregation.Noise, std=1.0, norm=1.0, honest=2),
    "aggregation.Noise.epsilon": call(
        aggregation.Noise(std=1.0, norm=1.0, honest=2).epsilon, delta=0.1, length=2, numbers=FIXED
    ),
    "aggregation.Identity.generate": call(aggregation.Identity.generate, "a"),
    "aggregation.Member": call(
        aggregation.Member, "a", ROSTER.clients[0].signing, ROSTER.clients[0].sealing
    ),
    "aggregation.Roster": call(aggregation.Roster, ROSTER.clients, ROSTER.aggregators),
    "aggregation.Roster.parse": call(aggregation.Roster.parse, ROSTER.text),
    "aggregation.Committee": call(
        aggregation.Committee, aggregators=3, length=2, clients=2, numbers=WHOLE, colluders=1,
        adversaries=0, stragglers=0, most_weight=5, least_clients=1, blocks=1, quorum=3, noise=None,
    ),
    "aggregation.LightSecAgg": call(
        aggregation.LightSecAgg, clients=3, length=2, numbers=WHOLE, colluders=1, dropouts=0,
        adversaries=0, most_weight=5, least_clients=1, needed=2, quorum=3, noise=None,
    ),
    "aggregation.Client": call(aggregation.Client, COMMITTEE, KEYS[0], ROSTER),
    "aggregation.Client.contribute": call(
        lambda vector, **more: aggregation.Client(COMMITTEE, KEYS[0], ROSTER).contribute(
            vector, **more
        ),
        [1, 2], round=1, weight=2,
    ),
    "aggregation.Aggregator": call(
        aggregation.Aggregator, COMMITTEE, KEYS[2], ROSTER, least_clients=2, journal=None
    ),
    "aggregation.Aggregator.answer": call(
        aggregation.Aggregator(COMMITTEE, KEYS[2], ROSTER).answer, b"x"
    ),
    "aggregation.Server": call(
        aggregation.Server, COMMITTEE, ROSTER, PARTIES, timeout=1.0, hold=10, vetoes=2
    ),
    "aggregation.Server.round": call(aggregation.Server(COMMITTEE, ROSTER, PARTIES).round, 1),
    "aggregation.Round.receive": call(
        aggregation.Server(COMMITTEE, ROSTER, PARTIES).round(1).receive, b"x"
    ),
    "aggregation.aggregate": call(
        aggregation.aggregate, COMMITTEE, {"a": [1, 2], "b": [3, 4]}, {"a": 1, "b": 2}, gone=(),
    ),
    "shuffle.Coded": call(shuffle.Coded, nodes=4, copies=2),
    "shuffle.Resolvable": call(shuffle.Resolvable, copies=3, width=2),
    "shuffle.Uncoded": call(shuffle.Uncoded, PLAN),
    "shuffle.Without": call(shuffle.Without, PLAN, nodes=(1,)),
    "shuffle.cut": call(shuffle.cut, np.arange(9), PLAN),
    "shuffle.map_reduce": call(
        shuffle.map_reduce, PLAN, [b"a"] * 6, lambda _: [b"a"] * 4, b"".join,
        transport=shuffle.LocalNodes(), limit=9,
    ),
    "shuffle.predicted_seconds": call(
        shuffle.predicted_seconds, PLAN, map_seconds=1.0, shuffle_seconds=2.0, multicast=True
    ),
    "shuffle.sort": call(
        shuffle.sort, np.zeros((9, 20), np.uint8), PLAN, key=3, transport=shuffle.LocalNodes()
    ),
    "testing.check_domain": call(anyk.testing.check_domain, SEVEN, generator=generator()),
    "testing.check_executor": call(anyk.testing.check_executor, None),
    "testing.check_scheme": call(
        anyk.testing.check_scheme, anyk.Lagrange(2, 1, 3), generator=generator(), shape=(2,),
        patterns=2, encodings=16,
    ),
}  # fmt: skip


def scheme_calls():
    """Of every scheme of the catalogue: its parameters, and what it does with data and answers."""
    for row in anyk.CATALOGUE:
        scheme = row.examples()[0]
        name = type(scheme).__name__
        every = {each.name: getattr(scheme, each.name) for each in dataclasses.fields(scheme)}
        yield name, call(type(scheme), **every)
        X = data(scheme)
        encoded = scheme.encode(X)
        yield f"{name}.encode", call(scheme.encode, X)
        yield f"{name}.encode_argument", call(scheme.encode_argument, X)
        yield f"{name}.sufficient", call(scheme.sufficient, range(len(encoded.parts[0])))
        if scheme.domain == FIELD:
            yield f"{name}.over", call(scheme.over, anyk.PrimeField(101))
        yield f"{name}.recovery", call(encoded.recovery, range(len(encoded.parts[0])))


def data(scheme):
    problem = scheme.problem
    if isinstance(problem, anyk.MatMul):
        m, p, n = problem.partition
        A, B = np.ones((m, p), dtype=int), np.ones((p, n), dtype=int)
        return A if problem.gram else (A, B)
    return np.arange(problem.blocks) + 1


CALLS.update(scheme_calls())
ELSEWHERE = {
    "AnykError", "ExecutorError", "InvalidArgument", "NotAccurateEnough", "NotEnoughAnswers",
    "NotPolynomial", "RecoveryError", "TooManyErrors", "Unachievable", "DegreeTooHigh", "WouldWrap",
    # which anyk raises
    "Answer", "Attack", "Audit", "Candidate", "Condition", "Disclosure", "Distributed", "Encoder",
    "Guarantee", "Leak", "Outcome", "ProductPlan", "Recovered", "SchemeRow", "SchemeWords",
    "Shortlist", "Status", "Timing", "WorkerHealth", "WrapperRow", "CATALOGUE",  # anyk makes them
    "JobDone",
    "Broadcast", "TaskId", "task_id", "FunctionRaised", "WorkerTraceback",  # as above
    "FieldArray",  # has numpy's rules
    "Dask", "Processes", "Ray", "Remote",  # start or reach workers; tests/executors
    "delays", "faults", "shuffle", "testing",
}  # fmt: skip


def test_every_public_name_is_tried_here_or_elsewhere():
    tried = {name.split(".")[0].split(" ")[0] for name in CALLS} | {"Encoded"}
    public = {name for name in anyk.__all__ if not name.startswith("Abstract")}
    assert public <= tried | ELSEWHERE, public - tried - ELSEWHERE


@pytest.mark.parametrize(
    "owner", [anyk.PrimeField, anyk.ExtensionField, anyk.FixedPoint, anyk.Encoded]
)
def test_every_method_is_tried(owner):
    methods = {
        f"{owner.__name__}.{name}"
        for name, member in inspect.getmembers(owner)
        if isinstance(member, types.FunctionType) and not name.startswith("_")
    }
    assert methods <= CALLS.keys()


@pytest.mark.parametrize("name", sorted(CALLS.keys() - {"testing.check_executor"}))
def test_the_call_works_before_it_is_made_odd(name):
    CALLS[name]()


@pytest.mark.parametrize("name", CALLS)
def test_odd_input_gives_a_value_or_an_error_of_anyk(name):
    raw = []
    for odd in ODD:
        for argument, altered in CALLS[name].altered(odd):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    altered()
            except anyk.AnykError:
                pass
            except Exception as error:  # noqa: BLE001 - which ones come is what is asked
                raw.append(f"{argument} = {odd!r:.40}: {type(error).__name__}: {error!s:.80}")
    assert not raw, "\n".join(raw)
