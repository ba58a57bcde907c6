"""Fractional repetition: every pattern of late workers and liars, and others asked again."""

import itertools
from fractions import Fraction

import numpy as np
import pytest

import anyk
from anyk.delays import Fixed
from anyk.executors.core.run_task import pause
from anyk.faults import AbstractFault, Corrupt, Crash, Delay, Faulty
from anyk.running.received import Received
from anyk.work import WorkerTask

FIELD = anyk.PrimeField(101)


def cube(x):
    return x**3


def data(blocks, domain=FIELD):
    whole = np.arange(2 * blocks).reshape(blocks, 2) + 1
    return whole if domain.exact else whole * (0.1 + 0.2j) if domain == anyk.Complex() else whole


def answers_of(scheme, encoded, function=cube):
    task = WorkerTask(scheme.work(function), scheme.domain, (), len(encoded.parts))
    return np.stack([task(*share) for share in zip(*encoded.parts, strict=True)])


def truth_of(scheme):
    total = (data(scheme.blocks, scheme.domain).astype(object) ** 3).sum(axis=0)
    total = total % 101 if scheme.domain == FIELD else total
    return np.array(total.tolist())


@pytest.mark.parametrize("domain", [FIELD, anyk.Values(), anyk.Reals(), anyk.Complex()], ids=repr)
@pytest.mark.parametrize(
    ("blocks", "workers", "stragglers"),
    [(1, 1, 0), (3, 4, 1), (12, 12, 3), (7, 8, 1), (5, 11, 2), (4, 12, 5), (9, 10, 9), (2, 12, 0)],
)
def test_every_set_of_late_workers_is_exact(domain, blocks, workers, stragglers):
    scheme = anyk.FractionalRepetition(blocks, workers, stragglers, domain=domain)
    encoded, truth = scheme.encode(data(blocks, domain)), truth_of(scheme)
    values, promise = answers_of(scheme, encoded), scheme.guarantee
    assert promise.stragglers >= stragglers
    for late in itertools.combinations(range(workers), promise.stragglers):
        who = [worker for worker in range(workers) if worker not in late]
        recovery = encoded.recovery(who)
        found = recovery.recover(values[who])
        assert np.abs(recovery.matrix).sum() == scheme.groups  # |a| = 1: nothing is amplified
        assert found.error_estimate is None
        if domain in (FIELD, anyk.Values()):
            assert np.array_equal(found.value, truth)
        else:
            assert np.linalg.norm(found.value - truth) <= 1e-12 * np.linalg.norm(truth)
    group = range(0, workers, scheme.groups)
    if len(group) == promise.stragglers + 1:  # one more, and all of them of one group
        with pytest.raises(anyk.NotEnoughAnswers, match="1 answer of each of"):
            encoded.recovery([worker for worker in range(workers) if worker not in group])


@pytest.mark.parametrize("workers", [7, 12, 20])
@pytest.mark.parametrize("blocks", [1, 5, 12, 30])
@pytest.mark.parametrize("liars", [0, 1])
def test_groups_are_even_and_no_neighbours_are_of_one(blocks, workers, liars):
    scheme = anyk.FractionalRepetition(blocks, workers, stragglers=1, adversaries=liars)
    rows = scheme.encoder(None).data
    groups = {tuple(row) for row in rows}
    sizes = [sum(tuple(row) == group for row in rows) for group in groups]
    assert len(groups) == scheme.groups
    assert min(sizes) >= 2 + 2 * liars
    assert max(sizes) - min(sizes) <= 1
    assert np.array_equal(np.sum([*groups], axis=0), np.ones(blocks))  # each block in one group
    assert rows.sum(axis=1).max() == scheme.guarantee.load
    assert scheme.guarantee.load == -(-blocks // min(blocks, workers // (2 + 2 * liars)))
    if scheme.groups > 1:
        assert all(rows[each] @ rows[each + 1] == 0 for each in range(workers - 1))


def lied(values, liars, *, alike):
    """The answers, with lies: one and the same shift, or each liar another."""
    spoiled = values.copy()
    for place, liar in enumerate(liars):
        spoiled[liar] = (values[liar] + (5 if alike else 7 + place)) % 101
    return spoiled


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize(
    ("blocks", "workers", "stragglers", "liars"), [(4, 7, 0, 1), (4, 8, 1, 1), (3, 10, 0, 2)]
)
def test_every_pattern_of_liars_is_named(blocks, workers, stragglers, liars, alike):
    scheme = anyk.FractionalRepetition(blocks, workers, stragglers, liars, domain=FIELD)
    encoded, truth = scheme.encode(data(blocks)), truth_of(scheme)
    values = answers_of(scheme, encoded)
    for late in itertools.combinations(range(workers), scheme.guarantee.stragglers):
        who = [worker for worker in range(workers) if worker not in late]
        for number in range(liars + 1):
            for lying in itertools.combinations(who, number):
                found = encoded.decode(lied(values, lying, alike=alike)[who], who)
                assert np.array_equal(found.value, truth)
                assert found.suspects == lying


def test_more_liars_than_promised():
    """Said as it is: D + 1 who tell one lie of one batch are believed; all else is noticed."""
    scheme = anyk.FractionalRepetition(4, 6, 0, adversaries=1, domain=FIELD)  # groups of three
    encoded, truth = scheme.encode(data(4)), truth_of(scheme)
    values = answers_of(scheme, encoded)
    for lying in itertools.combinations(range(6), 2):
        for alike in (True, False):
            spoiled = lied(values, lying, alike=alike)
            if alike and (lying[1] - lying[0]) % scheme.groups == 0:
                assert not np.array_equal(encoded.decode(spoiled, range(6)).value, truth)
            else:
                with pytest.raises(anyk.TooManyErrors):
                    encoded.decode(spoiled, range(6))
    careful = anyk.FractionalRepetition(4, 8, 0, adversaries=1, detects=2, domain=FIELD)
    encoded = careful.encode(data(4))
    values = answers_of(careful, encoded)
    for lying in itertools.combinations(range(8), 2):
        with pytest.raises(anyk.TooManyErrors):
            encoded.decode(lied(values, lying, alike=True), range(8))


def test_the_estimate_is_how_far_copies_are_apart():
    scheme = anyk.FractionalRepetition(2, 6, 0, adversaries=1, domain=anyk.Reals(), rtol=1e-3)
    ones, fours = [1.0, 1.0002, 1.0005], [4.0, 3.999, 4.001]
    told = np.stack([ones, fours], axis=1).reshape(6, 1)
    found = scheme.encode(np.ones((2, 1))).decode(told, range(6))
    off = max(abs(found.value[0] - sum(both)) for both in itertools.product(ones, fours))
    assert found.suspects == ()
    assert off <= found.error_estimate * found.value[0] <= 1.001 * off


def test_liars_who_are_shown_elsewhere_are_not_waited_for():
    scheme = anyk.FractionalRepetition(2, 10, 0, adversaries=2, domain=FIELD)  # groups of five
    encoded, who = scheme.encode(data(2)), (0, 2, 4, 1, 3, 5)
    values = answers_of(scheme, encoded)
    found = encoded.decode(lied(values, (2, 3), alike=False)[list(who)], who)  # 2 of 3 in each
    assert np.array_equal(found.value, truth_of(scheme))
    assert found.suspects == (2, 3)
    with pytest.raises(anyk.TooManyErrors, match="more answers would tell"):
        encoded.decode(lied(values, (2,), alike=False)[list(who)], who)


# Asked again


def reactive(blocks, workers, stragglers=0, liars=1, **more):
    return anyk.FractionalRepetition(blocks, workers, stragglers, liars, reactive=True, **more)


def test_a_worker_that_answers_again_is_not_heard_twice():
    def answer(worker, says):
        return anyk.Answer(worker=worker, value=np.array([says]), sent=0.0, answered=1.0, seconds=0)

    encoded = reactive(2, 4).encode(np.ones((2, 1)))  # workers 0 and 2 hold one batch
    received = Received(encoded, ())
    received.add(answer(0, 9.0), 0)
    received.add(answer(2, 5.0), 2)
    assert not received.takes(answer(1, 9.0), 0)  # nothing more is wanted
    for asked, heard in ((1, {0}), (3, {0, 1})):
        received.usable.wanted.more(0, 1)
        takes = [received.takes(answer(who, 9.0), 0) for who in (0, 1, 3)]
        assert takes == [who not in heard for who in (0, 1, 3)]
        received.add(answer(asked, 9.0), 0)


@pytest.mark.parametrize("make", [anyk.Threads, anyk.Simulated, anyk.Inline])
@pytest.mark.parametrize("lying", [(), (4,), (0,), (7,)])
def test_others_are_asked_where_two_disagree_and_only_there(make, lying):
    scheme, heard = reactive(8, 8), []
    assert scheme.groups == 4  # of two workers: A + 1 and not 2A + 1
    with Faulty(make(8), {liar: Corrupt(modulus=101) for liar in lying}) as executor:
        outcome = anyk.run(scheme, cube, data(8), executor, on_answer=heard.append, progress=False)
    assert np.array_equal(outcome.value, (data(8) ** 3).sum(axis=0))
    assert outcome.suspects == lying
    assert len(heard) == 8 + len(lying)
    assert len(outcome.again) == len(lying)


@pytest.mark.parametrize("alike", [True, False])
@pytest.mark.parametrize(
    "scheme",
    [
        reactive(3, 6, liars=2, domain=FIELD),
        reactive(3, 7, stragglers=1, domain=FIELD),
        anyk.Replication(3, 9, 2, domain=FIELD, reactive=True),
        anyk.Summed(anyk.Replication(3, 6, 1, domain=FIELD, reactive=True)),
    ],
    ids=repr,
)
def test_every_pattern_of_liars_is_named_by_who_is_asked(scheme, alike):
    promise = scheme.guarantee
    blocks = scheme.problem.blocks
    cubes = data(blocks) ** 3 % 101
    truth = cubes if isinstance(scheme.problem, anyk.Map) else cubes.sum(axis=0) % 101
    with anyk.Inline(promise.workers) as executor:
        for number in range(promise.adversaries + 1):
            for lying in itertools.combinations(range(promise.workers), number):
                faults = {liar: Corrupt(seed=0 if alike else liar, modulus=101) for liar in lying}
                broken = Faulty(executor, faults)
                outcome = anyk.run(scheme, cube, data(blocks), broken, progress=False)
                assert np.array_equal(outcome.value, truth)
                assert outcome.suspects == tuple(who for who in lying if who in outcome.used)
                assert set(lying) - {*outcome.suspects} <= {*outcome.missing}


def test_who_is_asked_may_lie_fail_or_keep_silent_too():
    scheme = reactive(4, 12, liars=2, domain=FIELD)  # groups of three
    truth = (data(4) ** 3).sum(axis=0) % 101
    seconds = {worker: 0.1 * worker for worker in range(12)}
    for third in (Corrupt(modulus=101), Crash(), Delay(np.inf)):
        lie = Corrupt(modulus=101)
        faults = {0: lie, 4: third} if isinstance(third, Corrupt) else {0: lie, 8: lie, 4: third}
        executor = anyk.Simulated(12, delays=Fixed(seconds), compute=0.01)
        outcome = anyk.run(scheme, cube, data(4), Faulty(executor, faults), progress=False)
        assert np.array_equal(outcome.value, truth)
        liars = {who for who, fault in faults.items() if fault == lie}
        assert {*outcome.suspects} == liars


def test_where_nobody_is_left_to_be_asked_the_run_ends_with_an_error():
    scheme = reactive(2, 4, domain=FIELD)
    faults = {0: Corrupt(modulus=101), 1: Crash(), 3: Crash()}
    for make in (anyk.Inline, anyk.Threads, anyk.Simulated):
        with Faulty(make(4), faults) as executor:
            outcome = anyk.run(scheme, cube, data(2), executor, on_failure="return", progress=False)
        assert not outcome.status.ok
        assert outcome.value is None


class LieAgain(AbstractFault):
    """Tells the truth once, and lies or is slow when asked again."""

    def __init__(self, seconds=0.0, more=7):
        self.asked, self.seconds, self.more = 0, seconds, more

    def around(self, run, worker):  # noqa: ARG002 - all workers alike
        self.asked += 1
        if self.asked == 1:
            return run()
        pause(self.seconds)
        return run() + self.more


@pytest.mark.parametrize(("workers", "liars"), [(16, 3), (24, 5)])
def test_as_many_as_may_lie_when_they_are_asked_are_asked(workers, liars):
    scheme = reactive(4, workers, liars=liars, domain=FIELD)
    others = [worker for worker in range(1, workers) if worker % scheme.groups][: liars - 1]
    faults = {0: Corrupt(modulus=101), **{each: LieAgain() for each in others}}
    with Faulty(anyk.Inline(workers), faults) as executor:
        outcome = anyk.run(scheme, cube, data(4), executor, progress=False)
    assert np.array_equal(outcome.value, (data(4) ** 3).sum(axis=0) % 101)
    assert 0 in outcome.suspects
    assert {*outcome.suspects} <= {0, *others}


def test_all_who_are_asked_are_late_and_waited_for():
    scheme = reactive(4, 8, domain=FIELD)
    for call in (anyk.run, lambda *args, **kw: next(anyk.stream(*args, **kw))):
        faults = {each: LieAgain(100.0, more=0) for each in range(8)}
        delays = Fixed(dict.fromkeys(range(8), 1.0))
        simulated = anyk.Simulated(8, delays=delays, compute=0.0)
        outcome = call(
            scheme,
            cube,
            data(4),
            Faulty(simulated, faults | {3: Corrupt(modulus=101)}),
            progress=False,
        )
        assert outcome.suspects == (3,)
        assert outcome.elapsed > 100


def test_a_deadline_holds_while_others_are_asked():
    scheme = reactive(4, 8, domain=FIELD)

    def broken():
        delays = Fixed(dict.fromkeys(range(8), 1.0))
        return Faulty(anyk.Simulated(8, delays=delays, compute=0.0), {3: Corrupt(modulus=101)})

    with pytest.raises(anyk.TooManyErrors):
        anyk.run(scheme, cube, data(4), broken(), deadline=1.5, progress=False)
    outcome = anyk.run(scheme, cube, data(4), broken(), deadline=2.5, progress=False)
    assert outcome.suspects == (3,)
    assert outcome.elapsed == 2.0


def test_a_stream_asks_others_too():
    scheme = reactive(4, 8, domain=FIELD)
    broken = Faulty(anyk.Inline(8), {3: Corrupt(modulus=101)})
    (outcome,) = anyk.stream(scheme, cube, data(4), broken, progress=False)
    assert outcome.suspects == (3,)


def test_what_came_in_a_wrong_shape_is_computed_by_another():
    scheme = anyk.Replication(blocks=4, workers=4, domain=FIELD)
    broken = Faulty(anyk.Inline(4), {2: anyk.faults.Rubbish("shape")})
    outcome = anyk.run(scheme, cube, data(4), broken, progress=False)
    assert np.array_equal(outcome.value, data(4) ** 3 % 101)
    assert outcome.again == (2,)
    assert "shape" in outcome.failures[2]


@pytest.mark.parametrize("seed", range(60))
def test_at_random_nothing_is_wrong_and_nothing_hangs(seed):
    rng = np.random.default_rng([7, seed])
    workers, liars, late = (
        int(rng.integers(5, 13)),
        int(rng.integers(0, 3)),
        int(rng.integers(0, 2)),
    )
    try:
        scheme = anyk.FractionalRepetition(
            int(rng.integers(1, 9)), workers, late, liars, reactive=bool(rng.integers(2)),
            domain=FIELD,
        )  # fmt: skip
    except anyk.Unachievable:
        return
    order = rng.permutation(workers).tolist()
    lying, gone = order[:liars], order[liars : liars + int(rng.integers(0, 3))]
    faults = {who: Corrupt(seed=int(rng.integers(2)), modulus=101) for who in lying}
    faults |= {who: (Crash(), Delay(np.inf))[int(rng.integers(2))] for who in gone}
    seconds = dict(enumerate(rng.exponential(1.0, workers).tolist()))
    executor = anyk.Simulated(workers, delays=Fixed(seconds), compute=0.05)
    outcome = anyk.run(
        scheme, cube, data(scheme.blocks), Faulty(executor, faults), on_failure="return",
        progress=False,
    )  # fmt: skip
    assert {*outcome.suspects} <= {*lying}
    if outcome.status.ok:
        assert np.array_equal(outcome.value, truth_of(scheme))
    else:
        assert len(gone) > scheme.guarantee.stragglers


# What numbers there are


@pytest.mark.parametrize(
    ("dtype", "sums"),
    [(np.int8, np.int64), (np.uint8, np.uint64), (bool, np.int64), (np.float32, np.float32),
     (np.float16, np.float16), (np.complex64, np.complex64), (np.int64, np.int64)],
)  # fmt: skip
def test_the_sum_has_the_type_of_the_results(dtype, sums):
    X = (np.arange(10).reshape(5, 2) + 100).astype(dtype)
    with anyk.Inline(4) as executor:
        value = anyk.run(
            anyk.FractionalRepetition(5, 4, 1), np.positive if dtype is not bool else (lambda x: x),
            X, executor, progress=False,
        ).value  # fmt: skip
    assert value.dtype == sums
    assert value.tolist() == ([5, 5] if dtype is bool else [520, 525])


def test_whole_numbers_are_added_exactly_or_refused():
    scheme = anyk.FractionalRepetition(4, 2, 0)
    with anyk.Inline(2) as executor:
        large = np.array([[2**61 + 1], [2**61], [-5], [2]])
        value = anyk.run(scheme, lambda x: x, large, executor, progress=False).value
        assert value.tolist() == [2**62 - 2]
        with pytest.raises(anyk.AnykError, match="more than 64 bits"):
            anyk.run(scheme, lambda x: x, np.full((4, 1), 2**62), executor, progress=False)
        with pytest.raises(anyk.AnykError, match="one shape for all blocks"):
            anyk.run(scheme, lambda x: np.ones(int(x[0])), large % 7, executor, progress=False)


def test_objects_are_refused_and_not_cut_to_whole_numbers():
    scheme = anyk.FractionalRepetition(4, 2, 0)
    for number in (Fraction(1, 3), 0.75, 0.5j):
        with anyk.Inline(2) as executor, pytest.raises(anyk.AnykError, match="dtype object"):
            anyk.run(
                scheme,
                lambda x, number=number: np.array([number, number], dtype=object) * x,
                np.arange(4),
                executor,
                progress=False,
            )


def test_nan_is_a_value_like_others():
    scheme = anyk.FractionalRepetition(2, 6, 0, adversaries=1)
    X = np.array([[1.0, np.nan], [np.inf, 2.0]])
    with Faulty(anyk.Inline(6), {1: Corrupt()}) as executor:
        outcome = anyk.run(scheme, np.positive, X, executor, progress=False)
    assert np.array_equal(outcome.value, [np.inf, np.nan], equal_nan=True)
    assert outcome.suspects in [(1,), ()]


@pytest.mark.parametrize("again", [False, True])
def test_reals_in_a_field(again):
    scheme = anyk.FractionalRepetition(
        5, 9, 0, adversaries=1, reactive=again, domain=anyk.PrimeField()
    )
    fixed = anyk.FixedPoint(fraction_bits=8, magnitude=12.0, degree=2)
    X = data(5) / 4
    with Faulty(anyk.Inline(9), {2: Corrupt(modulus=2**31 - 1)}) as executor:
        outcome = anyk.run(scheme, np.square, X, executor, embedding=fixed, progress=False)
    assert np.array_equal(outcome.value, (X**2).sum(axis=0))
    assert outcome.suspects == (2,)


def test_answers_that_are_apart_by_rounding_have_an_estimate():
    scheme = anyk.FractionalRepetition(2, 6, 0, adversaries=1)
    encoded = scheme.encode(np.array([[1.0], [3.0]]))
    values = np.array([[1.0], [3.0], [1.0 + 4e-14], [3.0], [1.1], [3.0]])
    found = encoded.decode(values, range(6))
    assert found.suspects == (4,)
    assert 0.0 < found.error_estimate <= 4e-14
    assert abs(found.value[0] - 4.0) <= 4.0 * found.error_estimate
    assert not found.known[0]


@pytest.mark.parametrize(
    "build",
    [
        lambda: anyk.FractionalRepetition(4, 3, 3),
        lambda: anyk.FractionalRepetition(4, 5, 1, adversaries=2),
        lambda: anyk.FractionalRepetition(0, 3, 0),
        lambda: anyk.FractionalRepetition(4, 9, 0, adversaries=2, detects=1),
        lambda: anyk.FractionalRepetition(4, 4, 0, adversaries=2, reactive=True),
        lambda: anyk.FractionalRepetition(4, 4, 0, domain="reals"),
        lambda: anyk.FractionalRepetition(4, 4, 0, rtol=-1.0),
        lambda: anyk.FractionalRepetition(3, 3, 1).encode(np.ones((4, 2))),
        lambda: anyk.FractionalRepetition(3, 3, 1).work(np.sin, (True,)),
    ],
)
def test_what_makes_no_sense_is_refused(build):
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        build()
