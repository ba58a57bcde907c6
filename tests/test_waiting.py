"""What a run waits for: what is on its way, what is sent again, what is guessed."""

import time

import numpy as np
import pytest

import anyk
from anyk.delays import Fixed
from anyk.faults import Corrupt, Crash, Delay, Faulty, Rubbish

X = np.linspace(0.0, 1.0, 8).reshape(4, 2)
LIE = Corrupt(modulus=2**31 - 1)


def simulated(seconds):
    return anyk.Simulated(
        len(seconds), delays=Fixed(seconds), generator=np.random.default_rng(0), compute=0.0
    )


@pytest.mark.parametrize("make", [anyk.Threads, anyk.Processes])
def test_on_a_healthy_executor_every_block_is_as_computed(make):
    scheme = anyk.FilledReplication(4, 6)
    with make(6) as executor, anyk.distribute(scheme, X, executor) as data:
        slow = Faulty(executor, {worker: Delay(0.002 * worker) for worker in range(6)})
        with anyk.distribute(scheme, X, slow) as late:
            for _ in range(20):
                assert data.run(np.sin).known.all()
                outcome = late.run(np.sin)
                assert outcome.known.all()
                assert np.array_equal(outcome.value, np.sin(X))


@pytest.mark.parametrize(
    "scheme", [anyk.FilledReplication(4, 4), anyk.Replication(4, 4)], ids=lambda s: type(s).__name__
)
def test_a_late_block_is_computed_again_by_an_idle_worker(scheme):
    with simulated([1.0, 1.1, 1.2, 600.0]) as executor:
        outcome = anyk.run(scheme, np.sin, X, executor)
    assert np.array_equal(outcome.value, np.sin(X))
    assert outcome.known.all()
    assert (outcome.late, outcome.again) == ((3,), (3,))
    assert outcome.missing == (3,)
    # late after twice the median, 1.2 s; then worker 0, idle for longest, takes 1 s
    assert outcome.elapsed == pytest.approx(2.4 + 1.0, abs=0.01)
    assert outcome.fate(3).value == "late"


@pytest.mark.parametrize(
    "scheme", [anyk.FilledReplication(4, 4), anyk.Replication(4, 4)], ids=lambda s: type(s).__name__
)
def test_a_block_whose_worker_failed_is_computed_again_at_once(scheme):
    with Faulty(simulated([1.0, 1.1, 1.2, 1.3]), {1: Crash()}) as executor:
        outcome = anyk.run(scheme, np.sin, X, executor)
    assert np.array_equal(outcome.value, np.sin(X))
    assert outcome.again == (1,)
    assert outcome.elapsed == pytest.approx(2.1, abs=0.01)
    assert set(outcome.failures) == {1}


@pytest.mark.parametrize("workers", [2, 3, 4])
def test_who_is_late_is_waited_for_where_nobody_else_can_compute_what_failed(workers):
    """One failed at once: that says nothing about how long the others take."""
    seconds = [5.0] * (workers - 1) + [0.0]
    scheme = anyk.Replication(blocks=workers, workers=workers)
    data = np.arange(1.0, workers + 1)
    with Faulty(simulated(seconds), {workers - 1: Crash()}) as executor:
        outcome = anyk.run(scheme, np.sqrt, data, executor)
    assert np.array_equal(outcome.value, np.sqrt(data))
    assert outcome.again == (workers - 1,)


@pytest.mark.parametrize("scheme", [anyk.Replication(2, 6), anyk.FilledReplication(2, 6)], ids=repr)
@pytest.mark.parametrize(
    ("odd", "seconds"),
    [
        (0, [0.0, 1.14, 0.11, 0.42, 0.19, 0.53]),
        (5, [0.77, 0.12, 2.07, 0.05, 1.13, 0.0]),
        (5, [0.66, 0.03, 0.59, 0.07, 0.55, 0.0]),
    ],
)
def test_a_worker_that_is_asked_again_has_one_voice_in_what_shape_is_right(scheme, odd, seconds):
    """Its shape, in its own block and in the one it was asked for, would be that of most shares."""
    data = np.arange(1.0, 7.0).reshape(2, 3)
    with Faulty(simulated(seconds), {odd: Rubbish("shape")}) as executor:
        outcome = anyk.run(scheme, np.sqrt, data, executor)
    assert np.array_equal(outcome.value, np.sqrt(data))
    assert odd in outcome.missing


def test_a_block_that_fails_everywhere_is_tried_three_times():
    calls = []

    def fragile(block):
        if block[0] == 0.0:
            calls.append(1)
            raise ValueError("zero")
        return np.sin(block)

    with anyk.Inline(6) as executor:
        with pytest.raises(anyk.NotEnoughAnswers, match="zero"):
            anyk.run(anyk.Replication(4, 4), fragile, X, executor)
        assert len(calls) == 3
        outcome = anyk.run(anyk.FilledReplication(4, 6), fragile, X, executor, tolerance=np.inf)
    assert outcome.known.tolist() == [False, True, True, True]


def test_nobody_is_waited_for_once_all_is_known():
    with simulated([1.0, 1.1, 1.2, 1.3, 600.0, 600.0]) as executor:
        scheme = anyk.FilledReplication(4, 6, stragglers=0)
        held = scheme.encode(X).layout.held
        outcome = anyk.run(scheme, np.sin, X, executor)
    assert sorted(held[:4]) == [0, 1, 2, 3]
    assert outcome.elapsed == pytest.approx(1.3)
    assert not outcome.again


def test_a_guess_is_for_a_tolerance_or_a_deadline():
    scheme = anyk.FilledReplication(8, 8, stragglers=1)
    blocks = np.linspace(0.0, 1.0, 8)
    seconds = [0.0] * 7 + [600.0]
    with simulated(seconds) as executor:
        at_once = anyk.run(scheme, np.sin, blocks, executor, tolerance=0.1)
    assert (at_once.elapsed, at_once.known.sum(), at_once.again) == (0.0, 7, ())
    with simulated(seconds) as executor:
        in_time = anyk.run(scheme, np.sin, blocks, executor, deadline=0.1)
    assert in_time.elapsed == pytest.approx(0.1)
    assert in_time.known.sum() == 7
    assert in_time.late == (7,)
    with simulated(seconds) as executor:
        whole = anyk.run(scheme, np.sin, blocks, executor, deadline=60.0)
    assert whole.known.all()


def test_nobody_is_late_before_half_have_answered():
    seconds = [0.1, 5.0, 5.0, 5.0, 5.0, 5.0]
    with simulated(seconds) as executor:
        outcome = anyk.run(anyk.Replication(6, 6), np.sin, np.arange(6.0), executor)
    assert not outcome.again
    assert outcome.elapsed == pytest.approx(5.0)


def test_once_half_have_answered_the_other_half_is_late():
    with simulated([600.0, 1.0, 600.0, 1.1]) as executor:  # both copies of a block
        outcome = anyk.run(anyk.Replication(2, 4), np.sin, X[:2], executor)
    assert outcome.again == (0,)
    assert outcome.elapsed < 10.0
    assert np.array_equal(outcome.value, np.sin(X[:2]))


def test_the_measure_of_lateness_is_the_executors():
    with simulated([1.0, 1.0, 1.0, 3.0]) as executor:
        executor.lateness = anyk.Lateness(medians=10.0)
        outcome = anyk.run(anyk.Replication(4, 4), np.sin, X, executor)
    assert not outcome.again
    with pytest.raises(anyk.InvalidArgument, match="medians"):
        anyk.Lateness(medians=0.0)


def test_shares_of_a_private_scheme_go_to_nobody_else(monkeypatch):
    scheme = anyk.Shamir(blocks=2, degree=1, workers=4, colluders=1)
    with simulated([1.0, 1.0, 600.0, 600.0]) as executor:
        kind = type(executor.dispatch(np.sin, executor.place((X,)), []))
        monkeypatch.setattr(kind, "again", lambda *_: pytest.fail("sent to somebody else"))
        anyk.run(scheme, np.negative, np.arange(2), executor, deadline=60.0, on_failure="return")
        veiled = anyk.VeiledReplication(1, 4, colluders=1, leakage=2.0)
        anyk.run(veiled, np.sin, [0.5], executor, tolerance=np.inf)


def test_a_contradiction_waits_for_more_answers():
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=7, adversaries=2)  # 6 always suffice
    with Faulty(simulated([1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6]), {0: LIE, 1: LIE}) as executor:
        outcome = anyk.run(scheme, np.negative, [5, 6], executor)
    assert outcome.suspects == (0, 1)
    assert outcome.value.tolist() == [2**31 - 6, 2**31 - 7]


def test_a_contradiction_does_not_wait_for_the_late():
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=7, adversaries=1)
    lies = dict.fromkeys(range(3), LIE)
    with Faulty(simulated([1.0] * 6 + [600.0]), lies) as executor:
        with pytest.raises(anyk.TooManyErrors) as caught:
            anyk.run(scheme, np.negative, [5, 6], executor)
    assert caught.value.outcome.elapsed == pytest.approx(2.0)


def test_a_liar_is_named_for_a_share_that_was_anothers():
    scheme = anyk.Replication(2, 6, adversaries=1)  # block n mod 2
    seconds = [1.0, 1.1, 1.2, 1.3, 600.0, 1.4]

    with Faulty(simulated(seconds), {1: Corrupt(scale=3.0)}) as executor:
        outcome = anyk.run(scheme, np.sin, X[:2], executor)
    assert np.array_equal(outcome.value, np.sin(X[:2]))
    assert outcome.suspects == (1,)


def test_an_error_blames_who_is_to_blame():
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=4, detects=2)  # 4 of 4 are needed
    with Faulty(simulated([1.0, 1.1, 1.2, 1.3]), {0: Crash(), 1: Delay(600.0)}) as executor:
        with pytest.raises(anyk.NotEnoughAnswers) as caught:
            anyk.run(scheme, np.negative, [5, 6], executor)
    told, outcome = str(caught.value), caught.value.outcome
    assert "Failed: 0 (RuntimeError: worker 0 crashed on purpose)" in told
    assert "Missing" not in told
    assert "Not waited for, as they are too few: 1-3" in told
    assert told.endswith("See why they failed, add workers, or promise less.")
    assert outcome.late == ()
    assert "spare     workers 1-3: not waited for" in str(outcome)
    with Faulty(simulated([1.0, 1.1, 1.2, 1.3]), {1: Delay(600.0)}) as executor:
        with pytest.raises(anyk.NotEnoughAnswers) as caught:
            anyk.run(scheme, np.negative, [5, 6], executor, deadline=60.0)
    assert "Missing: 1. Add workers, wait longer, or promise less." in str(caught.value)
    assert caught.value.outcome.late == (1,)


def test_without_evidence_waiting_ends_in_an_error_and_not_in_a_guess():
    with anyk.Threads(4) as executor:
        start = time.perf_counter()
        with pytest.raises(anyk.NotAccurateEnough, match=r"tolerance=math\.inf"):
            anyk.run(anyk.Berrut(2, 2), np.cos, [-1.0, 1.0], executor)
        assert time.perf_counter() - start < 30.0


@pytest.mark.parametrize("deadline", [1e-9, 1e-4, 1.0])
def test_a_virtual_clock_that_nothing_moves_ends_the_wait(deadline):
    executor = anyk.Simulated(3, delays=Fixed([5.0] * 3), compute=0.0)
    scheme = anyk.Replication(blocks=3, workers=3)
    for worker in range(3):
        executor.quarantine.put(worker, "its memory fails")
    with executor, pytest.raises(anyk.NotEnoughAnswers):
        anyk.run(scheme, np.square, [1.0, 2.0, 3.0], executor, deadline=deadline)


def test_an_executor_that_is_closed_at_the_last_moment_ends_the_wait():
    executor = anyk.Simulated(3, delays=Fixed([1.0, 5.0, 5.0]), compute=0.0)
    scheme = anyk.Replication(blocks=3, workers=3)
    with executor, pytest.raises(anyk.NotEnoughAnswers):
        anyk.run(
            scheme,
            np.square,
            [1.0, 2.0, 3.0],
            executor,
            deadline=1.0005,
            on_answer=lambda _: executor.close(),
        )
