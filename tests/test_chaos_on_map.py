"""Chaos on anyk.map: that its judge finds what it should find."""

import importlib
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import anyk
from anyk.faults import Collude, Crash, Faulty

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
WAYS = ("map", "starmap", "map_unordered", "amap")


@pytest.fixture(scope="module")
def chaos() -> Iterator[ModuleType]:
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("chaos_on_map")
    sys.path.remove(str(BENCHMARKS))


def planned(chaos: ModuleType, way: str, **changes: Any) -> Any:
    items = tuple(chaos.Item(each, kind, 0.0) for each, kind in enumerate(chaos.KINDS))
    plan = chaos.Plan(
        way=way, items=items, lazy=False, agree=1, constant="argument", salt=3, deadline=None,
        on_failure="raise", liar=-1,
    )  # fmt: skip
    return replace(plan, **changes)


def judged(chaos: ModuleType, plan: Any, found: Any) -> set[str]:
    tally = chaos.Tally()
    chaos.Judge(tally).hear(plan, found)
    return set(tally.faults)


@pytest.mark.parametrize("way", WAYS)
def test_right_values_are_right(chaos: ModuleType, way: str) -> None:
    for changes in ({}, {"lazy": True, "agree": 2}, {"constant": "closure"}, {"constant": ""}):
        plan = planned(chaos, way, **changes)
        with anyk.Threads(6) as executor:
            assert judged(chaos, plan, chaos.call(plan, executor)) == set()


@pytest.mark.parametrize("way", WAYS)
def test_a_wrong_value_is_noticed(chaos: ModuleType, way: str) -> None:
    plan = planned(chaos, way)
    with Faulty(anyk.Threads(6), dict.fromkeys(range(6), Collude())) as executor:
        assert "wrong" in judged(chaos, plan, chaos.call(plan, executor))


@pytest.mark.parametrize("way", WAYS)
def test_no_value_is_noticed(chaos: ModuleType, way: str) -> None:
    for on_failure in ("raise", "return"):
        plan = planned(chaos, way, on_failure=on_failure)
        with Faulty(anyk.Threads(6), dict.fromkeys(range(6), Crash())) as executor:
            assert judged(chaos, plan, chaos.call(plan, executor)) >= {"failed"}


def test_what_is_doubled_lost_or_of_another_type_is_noticed(chaos: ModuleType) -> None:
    plan = planned(chaos, "map_unordered")
    right = [chaos.truth(each, plan.salt) for each in plan.items]
    found = chaos.Found(values=right)
    assert judged(chaos, plan, found) == set()
    assert judged(chaos, plan, replace(found, values=[*right, right[0]])) == {"doubled"}
    assert judged(chaos, plan, replace(found, values=right[1:])) == {"failed"}
    other = [*right[:1], np.float32(right[1]), *right[2:]]
    assert judged(chaos, plan, replace(found, values=other)) == {"wrong", "failed"}
    assert judged(chaos, plan, replace(found, seconds=99.0)) == {"hung"}


def test_an_honest_worker_that_is_named_is_noticed(chaos: ModuleType) -> None:
    plan = planned(chaos, "map", agree=2)
    with anyk.Threads(6) as executor:
        found = chaos.call(plan, executor)
    found.outcome = replace(found.outcome, suspects=(2,))
    assert judged(chaos, plan, found) == {"wrong"}
    assert judged(chaos, replace(plan, liar=2), found) == set()


def test_a_call_of_threads_has_all_troubles_and_none_of_the_five(chaos: ModuleType) -> None:
    tally = chaos.campaign("Threads", 8, 3)
    assert tally.runs == 8
    assert tally.faults == {}
    assert {"late", "raise"} <= set(tally.troubles)
