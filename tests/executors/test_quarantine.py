"""Workers in quarantine are asked nothing, count as stragglers, and come back when released."""

import numpy as np
import pytest

import anyk
from anyk.executors.core.base import AbstractDispatch
from anyk.faults import Corrupt, Delay, Faulty

LAGRANGE = anyk.Lagrange(blocks=2, degree=1, workers=6, adversaries=1, field=anyk.PrimeField(101))
X = [3, 4]


@pytest.fixture(params=["Inline", "Threads", "Simulated", "Processes"])
def six(request):
    made = getattr(anyk, request.param)(6)
    with made:
        yield made


def test_nobody_is_in_quarantine_unless_it_is_asked_for():
    with Faulty(anyk.Inline(6), {2: Corrupt(modulus=101)}) as executor:
        for _ in range(3):
            assert anyk.run(LAGRANGE, np.negative, X, executor).suspects == (2,)
        assert executor.quarantine.workers == ()
        assert executor.quarantine.evidence == ()


def test_a_named_liar_is_not_used_again_and_the_evidence_is_kept(six):
    others = dict.fromkeys(range(1, 6), Delay(0.02))  # so that the liar is heard
    executor = Faulty(six, {0: Corrupt(modulus=101), **others})
    executor.quarantine.automatic = True
    first = anyk.run(LAGRANGE, np.negative, X, executor)
    while not first.suspects:  # they were faster all the same
        first = anyk.run(LAGRANGE, np.negative, X, executor)
    assert first.suspects == (0,)
    for _ in range(3):
        outcome = anyk.run(LAGRANGE, np.negative, X, executor)
        assert outcome.suspects == ()
        assert 0 in outcome.missing
        assert 0 not in outcome.late
        assert "quarantine.release(worker)" in outcome.failures[0]
        assert np.array_equal(outcome.value, LAGRANGE.domain.reduce(-np.array(X)))
    health = executor.health[0]
    assert (health.condition, health.lied) == (anyk.Condition.QUARANTINED, 1)
    (charge,) = executor.quarantine.evidence
    assert charge.worker == 0
    assert "named as a liar by Lagrange(" in charge.reason
    assert executor.quarantine.release() == (0,)
    assert executor.quarantine.evidence == (charge,)
    assert executor.health[0].condition is not anyk.Condition.QUARANTINED


def test_who_is_in_quarantine_is_asked_nothing_on_any_executor(six):
    six.quarantine.put(1, "its memory fails")
    scheme = anyk.Replication(blocks=3, workers=6)
    for _ in range(3):
        heard = []
        outcome = anyk.run(scheme, np.sqrt, [0.0, 1.0, 4.0], six, on_answer=heard.append)
        assert outcome.value.tolist() == [0.0, 1.0, 2.0]
        assert 1 not in {answer.worker for answer in heard}
    assert six.health[1].calls == 0


def test_pieces_of_who_is_in_quarantine_are_not_asked_for(six):
    scheme = anyk.Lagrange(blocks=4, degree=1, workers=6, pieces=2)
    six.quarantine.put(0, "its memory fails")
    heard = []
    outcome = anyk.run(scheme, np.negative, [1, 2, 3, 4], six, on_answer=heard.append)
    assert outcome.value.tolist() == scheme.domain.reduce(-np.arange(1, 5)).tolist()
    assert 0 not in {answer.worker for answer in heard}
    assert 0 in outcome.missing


def test_what_it_held_is_computed_by_others():
    """A block whose only worker is in quarantine goes to another one, as if that had failed."""
    with anyk.Simulated(4, compute=0.1) as executor:
        executor.quarantine.put(2, "its memory fails")
        outcome = anyk.run(anyk.Replication(4, 4), np.sqrt, [1.0, 4.0, 9.0, 16.0], executor)
    assert outcome.value.tolist() == [1.0, 2.0, 3.0, 4.0]
    assert outcome.again == (2,)


def test_too_many_in_quarantine_are_an_error_that_names_them():
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=3)
    with anyk.Inline(3) as executor:
        for worker in (0, 2):
            executor.quarantine.put(worker, "seen to lie elsewhere")
        together = r"Failed: 0, 2 \(in quarantine: executor\.quarantine\.release\(worker\)"
        with pytest.raises(anyk.NotEnoughAnswers, match=together):
            anyk.run(scheme, np.negative, X, executor)
        executor.quarantine.release(0)
        assert anyk.run(scheme, np.negative, X, executor).used == (0, 1)


def test_all_in_quarantine_are_an_error():
    with anyk.Threads(1) as executor:
        executor.quarantine.put(0, "seen to lie elsewhere")
        with pytest.raises(anyk.NotEnoughAnswers, match="quarantine"):
            anyk.run(anyk.Replication(1, 1), np.sqrt, [1.0], executor)


def test_the_master_is_put_in_quarantine_like_others():
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=4)
    for worker in (0, 3):
        with anyk.WithMaster(anyk.Threads(3)) as executor:
            executor.quarantine.put(worker, "its memory fails")
            heard = []
            outcome = anyk.run(scheme, np.negative, X, executor, on_answer=heard.append)
            assert worker not in {answer.worker for answer in heard}
            assert worker in outcome.missing


def test_an_executor_that_asks_all_the_same_is_not_listened_to():
    class Asks(anyk.AbstractExecutor):
        def __init__(self):
            self.inside = anyk.Inline(3)

        workers = property(lambda self: self.inside.workers)

        def clock(self):
            return self.inside.clock()

        def place(self, parts, pieces=1):
            return self.inside.place(parts, pieces)

        def dispatch(self, task, placement, arguments, without=()) -> AbstractDispatch:  # noqa: ARG002 - it does not care
            return self.inside.dispatch(task, placement, arguments)

        def release(self, placement):
            self.inside.release(placement)

        def calls(self, function):
            return self.inside.calls(function)

        def broadcast(self, value):
            return self.inside.broadcast(value)

        def close(self):
            self.inside.close()

    with Asks() as executor:
        executor.quarantine.put(0, "seen to lie elsewhere")
        outcome = anyk.run(anyk.Lagrange(2, 1, 3), np.negative, X, executor)
        assert outcome.used == (1, 2)
        assert outcome.status is anyk.Status.EXACT


def test_one_run_that_is_streamed_is_one_charge():
    scheme = anyk.Spline(4, 40, adversaries=3)
    data = np.linspace(0.0, 1.0, 4)
    with Faulty(anyk.Inline(40), {7: Corrupt(scale=9.0)}) as executor:
        executor.quarantine.automatic = True
        list(anyk.stream(scheme, np.sin, data, executor))
        assert len(executor.quarantine.evidence) == len(executor.quarantine)


@pytest.mark.parametrize("worker", [-1, 6, 1.5, "0", None])
def test_a_worker_that_does_not_exist_is_refused(worker):
    with anyk.Inline(6) as executor:
        with pytest.raises(anyk.InvalidArgument, match="worker"):
            executor.quarantine.put(worker, "its memory fails")
        with pytest.raises(anyk.InvalidArgument, match="worker"):
            executor.quarantine.release(worker)
        with pytest.raises(anyk.InvalidArgument, match="reason"):
            executor.quarantine.put(0, None)
        with pytest.raises(anyk.InvalidArgument, match="automatic"):
            executor.quarantine.automatic = "yes"
        assert len(executor.quarantine) == 0
        assert repr(executor.quarantine) == "<Quarantine of workers (), automatic=False>"
