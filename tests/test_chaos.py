"""Chaos on engines: that its judge finds what it should find."""

import importlib
import math
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import anyk
from anyk.faults import Collude, Crash, Delay, Faulty

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
FIELD = anyk.PrimeField()


@pytest.fixture(scope="module")
def chaos() -> Iterator[ModuleType]:
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("chaos_on_engines")
    sys.path.remove(str(BENCHMARKS))


def judged(chaos: ModuleType, faults: dict[int, Any], kind: int) -> Any:
    """What is said of a call in which nothing should go wrong, on workers where something does."""
    job = chaos.draw_job(np.random.default_rng(0), kind)
    tally = chaos.Tally()
    with Faulty(anyk.Threads(chaos.WORKERS), faults) as executor:
        run = chaos.Run(None, executor, np.random.default_rng(0), tally)
        with anyk.distribute(job.scheme, job.X, run.troubled) as data:
            run.call(job, data, run.quiet())
    return tally


@pytest.mark.parametrize("kind", range(5))
def test_a_right_value_is_right(chaos: ModuleType, kind: int) -> None:
    tally = judged(chaos, {}, kind)
    assert (tally.right, tally.faults) == (1, {})


@pytest.mark.parametrize("kind", range(5))
def test_a_wrong_value_is_noticed(chaos: ModuleType, kind: int) -> None:
    lies = dict.fromkeys(range(6), Collude(modulus=FIELD.modulus))
    tally = judged(chaos, lies, kind)
    assert (tally.right, tally.faults) == (0, {"wrong": 1})


def test_no_value_is_noticed(chaos: ModuleType) -> None:
    tally = judged(chaos, dict.fromkeys(range(4), Crash()), 0)
    assert (tally.right, tally.raised, tally.faults) == (0, 1, {"failed": 1})


def test_a_call_that_hangs_is_noticed(chaos: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chaos, "PATIENCE", 1)
    tally = judged(chaos, dict.fromkeys(range(4), Delay(1.2)), 0)
    assert tally.faults["hung"] == 1


def test_a_rate_has_an_interval(chaos: ModuleType) -> None:
    assert math.isclose(chaos.at_most(0, 1000), 1 - 0.05 ** (1 / 1000))
    assert chaos.at_most(1, 1000) > chaos.at_most(0, 1000)
    assert chaos.at_most(5, 5) == 1.0


def test_a_share_that_others_computed_is_judged_by_the_share(chaos: ModuleType) -> None:
    job = chaos.draw_job(np.random.default_rng(0), 3)
    tally = chaos.Tally()
    shares = job.scheme.encode(job.X).shares
    holders = [int(who) for who in np.flatnonzero((shares == shares[0]).all(axis=-1))]  # of a block
    with Faulty(anyk.Threads(chaos.WORKERS), dict.fromkeys(holders, Crash())) as executor:
        run = chaos.Run(None, executor, np.random.default_rng(0), tally)
        with anyk.distribute(job.scheme, job.X, run.troubled) as data:
            outcome = data.run(run.function, job.which, 0.0, deadline=30.0)
            assert outcome.again
            assert outcome.used != outcome.shares
            assert chaos.right(job, data.encoded, outcome)
            other = replace(outcome, value=outcome.value + 1)
            assert not chaos.right(job, data.encoded, other)
