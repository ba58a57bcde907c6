"""A task may write in all it gets, on every executor; tests of engines have those of their own."""

import collections
import types
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pytest
from in_place import WAYS, Pair, change_nothing_for_others, spoil, spoil_any, ways
from test_futures import PROCESS, SINGLE

import anyk
from anyk.executors.engines.futures import Futures
from anyk.own_copies import own_copies

EXECUTORS = {
    "Inline": partial(anyk.Inline, 4),
    "Simulated": partial(anyk.Simulated, 4),
    "Threads": partial(anyk.Threads, 4),
    "Processes": partial(anyk.Processes, 2),
    "Futures of threads": partial(Futures, [SINGLE] * 4),
    "Futures of processes": partial(Futures, [PROCESS] * 2),
}
NEAR = [name for name in EXECUTORS if "rocesses" not in name]


@pytest.mark.parametrize("name", EXECUTORS)
def test_what_a_task_writes_changes_nothing_for_others(name):
    with EXECUTORS[name]() as executor:
        for way in ways():
            change_nothing_for_others(executor, spoil, way)


@pytest.mark.parametrize("way", WAYS)
def test_with_adversaries_whose_copies_would_be_spoilt_alike(way):
    if way not in ways():
        pytest.skip("there is no torch here")
    factor, X = np.array([2, 3]), np.array([[1, 2], [3, 4]])
    scheme = anyk.Lagrange(2, 1, 5, adversaries=1)

    def task(x: Any, factor: Any) -> Any:
        result = x * factor
        WAYS[way](factor)
        return result

    with anyk.Threads(5) as executor, anyk.distribute(scheme, X, executor) as data:
        for _ in range(3):
            assert np.array_equal(data.run(task, factor).value, X * [2, 3])
    assert factor.tolist() == [2, 3]


@dataclass
class Held:
    left: Any
    right: Any


HOLDERS = {
    "a named tuple": Pair,
    "a dataclass": Held,
    "an ordered dict": lambda *arrays: collections.OrderedDict(enumerate(arrays)),
    "a default dict": lambda *arrays: collections.defaultdict(list, enumerate(arrays)),
    "a user's dict": lambda *arrays: collections.UserDict(enumerate(arrays)),
    "a namespace": lambda left, right: types.SimpleNamespace(left=left, right=right),
    "a deque": lambda *arrays: collections.deque(arrays),
    "an array of objects": lambda *arrays: _objects(arrays),
}


def _objects(arrays: Any) -> Any:
    held = np.empty(len(arrays), dtype=object)
    held[:] = arrays
    return held


@pytest.mark.parametrize("name", NEAR)
@pytest.mark.parametrize("holder", HOLDERS)
def test_arrays_that_something_else_holds(name, holder):
    arrays = [np.ones((2, 2)), np.full((2, 2), 5.0)]
    X = np.arange(8.0).reshape(2, 2, 2)
    with (
        EXECUTORS[name]() as executor,
        anyk.distribute(anyk.Replication(2, 4), X, executor) as data,
    ):
        for _ in range(3):
            held = HOLDERS[holder](*arrays)
            assert np.array_equal(data.run(spoil_any, held, "whole").value, X + 6)
    assert [array[0, 0] for array in arrays] == [1, 5]


@pytest.mark.parametrize("name", NEAR)
def test_tensors_and_field_elements_as_arguments(name):
    torch = pytest.importorskip("torch")
    X = np.arange(8.0).reshape(2, 4)

    def task(x: Any, tensor: Any, nested: Any) -> Any:
        result = x + tensor.numpy() + nested[0].numpy()
        tensor.zero_()
        nested[0].zero_()
        return result

    tensor, inner = torch.ones(4), torch.full((4,), 2.0)
    with (
        EXECUTORS[name]() as executor,
        anyk.distribute(anyk.Replication(2, 4), X, executor) as data,
    ):
        for _ in range(3):
            assert np.array_equal(data.run(task, tensor, [inner]).value, X + 3)
    assert (tensor.sum(), inner.sum()) == (4, 8)
    field = anyk.PrimeField(7)
    mine = field.array([1, 2])
    theirs = own_copies(mine)
    assert (theirs.values.tolist(), theirs.field) == ([1, 2], field)
    assert not np.may_share_memory(theirs.values, mine.values)


def test_one_thing_held_twice_is_copied_once():
    array = np.zeros(2)
    first, (second, third) = own_copies([Pair(array, 0), (array, {"a": array})])
    assert first.left is second is third["a"]
    assert first.left is not array


@pytest.mark.parametrize("row", anyk.CATALOGUE, ids=lambda row: row.name)
def test_shares_are_not_the_callers_own_arrays(row):
    """Whoever writes in the data after they were distributed changes no share."""
    for scheme in row.examples():
        if isinstance(scheme.problem, anyk.MatMul):
            m, p, n = scheme.problem.partition
            batch = (scheme.problem.batch,) if scheme.problem.batch > 1 else ()
            shapes = (*batch, 2 * m, p), (*batch, p, 2 * n)
            X = tuple(np.ones(shape, scheme.domain.dtype) for shape in shapes)
            X = X[0] if scheme.problem.gram else X
        else:
            X = np.ones((scheme.problem.blocks, 2), scheme.domain.dtype)
        parts = scheme.encode(X).parts
        given = X if isinstance(X, tuple) else (X,)
        assert not any(np.may_share_memory(part, each) for part in parts for each in given)
