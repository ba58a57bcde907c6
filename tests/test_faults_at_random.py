"""Random faults of every kind on every executor: nothing wrong, nothing hangs, nothing stays."""

import importlib
import sys
import time
from pathlib import Path

import pytest

from anyk.codes.locators.located import Located

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
FAULTS = {"Threads": 400, "Processes": 400, "Simulated": 2000}  # the benchmark draws 2,000 each


@pytest.fixture(scope="module")
def faults():
    sys.path.insert(0, str(BENCHMARKS))  # for the workers too, which import the functions
    yield importlib.import_module("two_thousand_faults")
    sys.path.remove(str(BENCHMARKS))


@pytest.mark.parametrize("engine", FAULTS)
def test_random_faults(faults, engine):
    tallies, left = faults.campaign(engine, FAULTS[engine], seed=7)
    total = faults.Tally()
    for tally in tallies.values():
        total.add(tally)
    assert total.wrong == []
    assert total.broken == []
    assert left == []
    assert total.faults >= FAULTS[engine]
    assert min(total.exact, total.approximate) > 20
    assert {"NotEnoughAnswers", "NotAccurateEnough"} <= total.raised.keys()
    _, high = faults.wilson(total.estimated, total.approximate, z=3.3)
    assert high >= 0.95  # the benchmark asks it of the rate itself


def test_a_wrong_value_would_be_noticed(faults, monkeypatch):
    locate = "anyk.codes.exact.reed_solomon.EvaluationCode.locate"
    monkeypatch.setattr(locate, lambda *_: Located())
    tallies, _ = faults.campaign("Simulated", FAULTS["Simulated"], seed=7)
    assert tallies["Lagrange"].wrong
    assert any("named" in text for text in tallies["Lagrange"].broken)


def test_a_leftover_would_be_noticed(faults, monkeypatch):
    monkeypatch.setattr(faults, "SETTLING", 0.1)
    before = faults.held()
    with open(__file__, encoding="utf-8"):  # noqa: PTH123 - what matters is that it is open
        assert faults.leftovers(before, {1}) == [
            f"descriptor {len(before['descriptor'])}",
            "process 1",
        ]


def test_a_call_that_hangs_is_noticed(faults):

    with pytest.raises(TimeoutError, match="did not return"), faults.alarm(1):
        time.sleep(30)
