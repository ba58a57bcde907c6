"""A run looks at each answer once, and does what it would if it looked at all of them each time."""

import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import anyk
from anyk.answers import Answer
from anyk.delays import Fixed
from anyk.errors import InvalidArgument
from anyk.executors.core.base import AbstractDispatch, AbstractExecutor
from anyk.faults import Corrupt, Crash, Faulty, Rubbish
from anyk.running import collection, received
from anyk.running.pending import Pending, SendTimes
from anyk.running.usable import Wanted
from anyk.schemes.base import AbstractScheme
from anyk.schemes.encoded import Encoded
from anyk.schemes.tally import Replicas, asked

SEEDS = 160
SCHEMES = ("Replication", "FilledReplication", "Spline", "Berrut", "Lagrange")


class WantedAnew:
    """`Wanted`, made anew from all answers whenever it is asked for."""

    def __init__(self, replicas: Replicas) -> None:
        self.replicas = replicas
        self.heard: set[int] = set()

    def __iter__(self) -> Iterator[tuple[int, int]]:
        for block, shares in enumerate(self.replicas.blocks):
            silent = [share for share in shares if share not in self.heard]
            lacking = self.replicas.least - (len(shares) - len(silent))
            yield from ((block, share) for share in silent[: max(lacking, 0)])

    def __bool__(self) -> bool:
        return any(True for _ in self)

    def __contains__(self, share: int) -> bool:
        return share in {each for _, each in self}

    def holders(self, block: int) -> Any:
        return self.replicas.holders(block)


class UsableAnew:
    """`Usable`, made anew from all answers whenever it is asked for."""

    unwanted = None

    def __init__(self, encoded: Encoded) -> None:
        self.encoded = encoded
        self.by_shape: dict[tuple[int, ...], list[int]] = {}
        self.workers: dict[int, int] = {}
        self.of: dict[int, int] = {}

    @property
    def shares(self) -> list[int]:
        return max(self.by_shape.values(), key=lambda same: len(self.voices(same)), default=[])

    def voices(self, shares: list[int]) -> set[int]:
        return {self.workers[share] for share in shares}

    @property
    def most(self) -> bool:
        everybody = set(self.workers.values())
        return not everybody or 2 * len(self.voices(self.shares)) > len(everybody)

    @property
    def enough(self) -> bool:
        return self.encoded.scheme.sufficient([self.of[share] for share in self.shares])

    @property
    def wanted(self) -> WantedAnew | None:
        replicas = self.encoded.scheme.replicas(self.encoded.layout)
        if replicas is None:
            return None
        wanted = WantedAnew(replicas)
        wanted.heard.update(self.of[share] for share in self.shares)
        return wanted

    def needless(self) -> list[int]:
        wanted, known = self.wanted, []
        if wanted is None or not wanted.replicas.spare:
            return []
        if 2 * len(self.voices(self.shares)) > self.encoded.guarantee.workers:
            lacking = {block for block, _ in wanted}
            known = [each for each in range(len(wanted.replicas.blocks)) if each not in lacking]
        return [share for block in known for share in wanted.replicas.blocks[block]]

    def add(
        self, share: int, shape: tuple[int, ...], worker: int, again: int | None = None
    ) -> bool:
        self.workers[share] = worker
        self.of[share] = share if again is None else again
        self.by_shape.setdefault(shape, []).append(share)
        return True


class ResendingAnew:
    """`Resending`, which looks at every wanted share and every idle worker each time."""

    def __init__(self, executor: AbstractExecutor, pending: Pending) -> None:
        self.executor, self.pending = executor, pending
        self.idle: dict[int, float] = {}
        self.failed: set[int] = set()
        self.asked: dict[int, set[int]] = {}
        self.shares: set[int] = set()

    def begin(self, wanted: Any) -> None:
        self.wanted = wanted

    def heard(self, answer: Answer, share: int, when: float | None) -> None:
        del share, when
        if answer.failure is not None:
            self.failed.add(answer.worker)
        self.free(answer.worker, answer.answered)

    def free(self, worker: int, when: float) -> None:
        if self.pending.idle(worker) and worker not in self.failed:
            self.idle.pop(worker, None)
            self.idle[worker] = when

    def send(self, dispatch: AbstractDispatch, limit: float | None) -> tuple[bool, float | None]:
        now = self.executor.clock()
        under_way = False
        for block, share in list(self.wanted):
            sent = self.pending.sent_last(share)
            on_its_way = sent is not None and (limit is None or sent + limit > now)
            under_way |= on_its_way or self.ask(dispatch, block, share, now)
        return under_way, None if limit is None else self.due(limit)

    def ask(self, dispatch: AbstractDispatch, block: int, share: int, now: float) -> bool:
        if self.pending.tries(share) >= 3:
            return False
        asked = self.asked.setdefault(block, set())
        for worker in sorted(self.idle, key=self.idle.__getitem__):
            if worker not in self.wanted.holders(block) and worker not in asked:
                del self.idle[worker]
                if dispatch.again(share, worker):
                    asked.add(worker)
                    self.pending.sending(share, worker, now)
                    self.shares.add(share)
                    return True
        return False

    def due(self, limit: float) -> float | None:
        times = SendTimes()
        for _, share in self.wanted:
            for when in self.pending.sent(share):
                times.add(when)
        return times.due(self.executor.clock(), limit)


def drawn(rng: np.random.Generator) -> AbstractScheme:
    """A scheme, with as many workers, copies and liars as come."""
    blocks, copies = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    few = int(rng.integers(0, 3))
    made = [
        lambda: anyk.Replication(blocks, blocks * copies + few, adversaries=few, detects=few + 1),
        lambda: anyk.Replication(blocks, blocks * copies + few, adversaries=min(few, 1)),
        lambda: anyk.Replication(blocks, blocks * copies + few),
        lambda: anyk.FilledReplication(blocks + 1, blocks * copies + 2, stragglers=copies),
        lambda: anyk.FilledReplication(blocks + 1, blocks * copies + 2),
        lambda: anyk.Lagrange(blocks=3, degree=2, workers=9 + 2 * few, adversaries=few),
        lambda: anyk.Lagrange(blocks=5, degree=1, workers=8 + few, adversaries=1, pieces=2),
        lambda: anyk.Spline(blocks=6, workers=20, stragglers=3 * few),
        lambda: anyk.PartialWork(workers=blocks + copies, stragglers=copies - 1),
        lambda: anyk.PartialWork(blocks + 1, stragglers=min(few, blocks), blocks=3 * blocks + 3),
    ]
    while True:
        try:
            return made[int(rng.integers(len(made)))]()
        except InvalidArgument:
            few = 0


def happened(seed: int) -> Any:
    """What comes of two calls with late, failing and lying workers, on ties and at odd times."""
    rng = np.random.default_rng(seed)
    scheme = drawn(rng)
    workers, field = scheme.guarantee.workers, scheme.domain.exact
    blocks: int = scheme.problem.blocks  # type: ignore[union-attr] # no products here
    X: Any = np.sort(rng.integers(0, 50, (blocks, 2)), axis=0)
    late = rng.exponential(1.0, workers) + 9.0 * (rng.random(workers) < 0.2)
    if rng.random() < 0.4:
        late = np.ceil(2 * late) / 2
    late[rng.random(workers) < 0.03] = np.inf
    executor = anyk.Simulated(
        workers + int(rng.integers(0, 3)),
        delays=Fixed(dict(enumerate(late.tolist()))),
        compute=0.25,
    )
    if rng.random() < 0.3:
        executor.lateness = anyk.Lateness(medians=1.1, margin=0.01)
    share_of_faults = float(rng.choice([0.0, 0.1, 0.4]))
    kinds = [
        Crash(),
        Rubbish("shape"),
        Rubbish("nan"),
        Corrupt(seed=seed, modulus=7 * field or None),
    ]
    faults = {
        worker: kinds[int(rng.integers(len(kinds)))]
        for worker in range(workers)
        if rng.random() < share_of_faults
    }
    found = []
    for _ in range(2):
        deadline = float(rng.choice([0.5, 2.0, 9.0])) if rng.random() < 0.3 else None
        outcome = anyk.run(
            scheme, np.negative if not field else (lambda x: x * 1), X if field else 1.0 * X,
            Faulty(executor, faults), deadline=deadline, on_failure="return", progress=False,
        )  # fmt: skip
        found.append(
            (outcome.status, outcome.used, outcome.shares, outcome.suspects, outcome.late,
             outcome.again, sorted(outcome.failures.items()), outcome.elapsed, outcome.timings)
        )  # fmt: skip
    return found


def test_the_same_comes_of_looking_at_everything_after_each_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [happened(seed) for seed in range(SEEDS)]
    assert sum(bool(call[5]) for calls in found for call in calls) > SEEDS // 4  # sent again
    assert len({call[0] for calls in found for call in calls}) > 2
    monkeypatch.setattr(received, "Usable", UsableAnew)
    monkeypatch.setattr(collection, "Resending", ResendingAnew)
    for kind in {type(example) for row in anyk.CATALOGUE for example in row.examples()}:
        monkeypatch.setattr(kind, "tally", lambda self, _: asked(self.sufficient))
    for seed, calls in enumerate(found):
        assert happened(seed) == calls, seed


class Counted:
    """How often a method is called, and on how much."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
        self.calls = 0
        original = getattr(owner, name)

        def counted(*arguments: Any) -> Any:
            self.calls += 1
            return original(*arguments)

        monkeypatch.setattr(owner, name, counted)


@pytest.mark.parametrize("failing", [0, 40])
def test_what_an_answer_costs_does_not_grow_with_the_workers(
    monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    asked_for = Counted(monkeypatch, anyk.Replication, "sufficient")
    gone_through = Counted(monkeypatch, Wanted, "__iter__")
    looked_at = Counted(monkeypatch, Wanted, "__contains__")
    workers = 400
    scheme = anyk.Replication(blocks=workers // 2, workers=workers)
    delays = Fixed(dict(enumerate(np.random.default_rng(0).exponential(1.0, workers).tolist())))
    executor = anyk.Simulated(workers, delays=delays, compute=0.1)
    broken = Faulty(executor, dict.fromkeys(range(failing), Crash()))
    outcome = anyk.run(scheme, np.negative, np.ones((workers // 2, 2)), broken, progress=False)
    assert outcome.status.ok
    assert asked_for.calls <= 3, "once an answer"
    assert gone_through.calls <= 3, "once an answer"
    assert looked_at.calls <= 8 * workers, "all wanted shares at each answer"


def calls_of(executor: AbstractExecutor, scheme: AbstractScheme, X: Any) -> int:
    """How many functions a second run calls, of Python and of C."""
    with executor, anyk.distribute(scheme, X, executor) as data:
        for _ in range(2):
            counted = Counter[str]()
            sys.setprofile(lambda _, event, __: counted.update((event,)))  # noqa: B023 - at once
            try:
                data.run(np.negative, progress=False)
            finally:
                sys.setprofile(None)
    return counted["call"] + counted["c_call"]


@pytest.mark.parametrize("kind", ["Inline", "Simulated"])
@pytest.mark.parametrize(
    "name", ["Replication", "FilledReplication", "Spline", "Berrut", "Lagrange"]
)
def test_eight_times_the_workers_are_eight_times_the_calls(kind: str, name: str) -> None:
    def calls(workers: int) -> int:
        late = np.random.default_rng(0).exponential(1.0, workers).tolist()
        executor = (
            anyk.Inline(workers)
            if kind == "Inline"
            else anyk.Simulated(workers, delays=Fixed(dict(enumerate(late))), compute=0.1)
        )
        blocks = workers // 4
        X: Any = np.linspace(0.0, 1.0, 2 * blocks).reshape(blocks, 2)
        if name == "Lagrange":
            scheme: AbstractScheme = anyk.Lagrange(blocks=blocks, degree=1, workers=workers)
            X = np.arange(2 * blocks).reshape(blocks, 2)
        elif name == "Replication":
            scheme = anyk.Replication(blocks, workers)
        else:
            scheme = getattr(anyk, name)(blocks, workers, stragglers=workers // 10)
        return calls_of(executor, scheme, X)

    assert calls(800) <= 9.5 * calls(100)  # a little is for the logarithm


def test_the_clock_of_a_simulation_goes_through_no_list_of_workers() -> None:
    class Compared(float):
        calls = 0

        def __lt__(self, other: object) -> bool:
            Compared.calls += 1
            return float(self) < other  # type: ignore[operator]

    workers = 512
    delays = Fixed({worker: float(worker % 7) for worker in range(workers)})
    with anyk.Simulated(workers, delays=delays, compute=0.1) as executor:
        dispatch: Any = executor.dispatch(np.negative, executor.place([np.ones(workers)]), [])
        expected = dispatch._expected
        for job in expected._left.values():
            job.ends = Compared(job.ends)
        expected._next[:] = [(Compared(ends), *rest) for ends, *rest in expected._next]
        heard = [dispatch.receive(None) for _ in range(workers)]
    times = [answer.answered for answer in heard if answer is not None]
    assert times == sorted(times)
    assert len(times) == workers
    assert Compared.calls <= 4 * workers * 10  # 9 levels of a heap; all of them would be 131,328
