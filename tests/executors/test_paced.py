"""Delays of a model on workers that really wait."""

import time

import numpy as np
import pytest

import anyk
from anyk import Paced
from anyk.delays import Fixed, ShiftedExponential

SCHEME = anyk.Lagrange(blocks=2, degree=1, workers=5)


@pytest.mark.parametrize("make", [anyk.Inline, anyk.Threads, anyk.Processes])
def test_conformance_without_delays(make):
    anyk.testing.check_executor(Paced(make(4), Fixed({}), np.random.default_rng(0)))


def test_the_late_are_not_waited_for():
    with Paced(
        anyk.Threads(5), Fixed([60.0, 0.0, 60.0, 0.0, 60.0]), np.random.default_rng(0)
    ) as ex:
        outcome = anyk.run(SCHEME, np.negative, [1, 2], ex)
    assert outcome.used == (1, 3)


def test_the_waiting_is_real():
    with Paced(anyk.Inline(5), Fixed([0.02] * 5), np.random.default_rng(0)) as executor:
        start = time.perf_counter()
        anyk.run(SCHEME, np.negative, [1, 2], executor)
        assert time.perf_counter() - start >= 0.04


def test_each_task_draws_anew():
    inner = anyk.Simulated(5, generator=np.random.default_rng(0))
    model = ShiftedExponential(shift=1.0, mean=5.0)
    with Paced(inner, model, np.random.default_rng(0)) as executor:
        elapsed = [anyk.run(SCHEME, np.negative, [1, 2], executor).elapsed for _ in range(3)]
    assert len(set(elapsed)) == 3
    assert min(elapsed) >= 1.0


@pytest.mark.parametrize("bad", [(None, Fixed({})), (anyk.Inline(2), 0.5)])
def test_what_makes_no_sense_is_refused(bad):
    with pytest.raises(anyk.InvalidArgument):
        Paced(*bad, np.random.default_rng(0))
