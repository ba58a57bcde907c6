"""Plans of shuffles: every node gets every value that it lacks, once, and from who has it."""

import itertools
import pickle
from collections import Counter
from fractions import Fraction
from math import comb

import pytest

import anyk
from anyk import shuffle

SMALL = [
    *(shuffle.Coded(nodes, copies) for nodes in range(1, 8) for copies in range(1, nodes + 1)),
    *(
        shuffle.Resolvable(k, q)
        for k, q in [(2, 2), (2, 5), (3, 2), (3, 3), (4, 2), (4, 3), (5, 2)]
    ),
]
WITH_COPIES = [plan for plan in SMALL if plan.redundancy > 1 and len(plan.live) <= 6]
LESS = [
    shuffle.Without(plan, dead)
    for plan in WITH_COPIES
    for size in range(1, int(plan.redundancy))
    for dead in itertools.combinations(plan.live, size)
]
UNCODED = [*map(shuffle.Uncoded, [*SMALL, *LESS])]
UNCODED += [shuffle.Without(shuffle.Uncoded(less.plan), less.nodes) for less in LESS[::3]]


def delivered(plan):
    return Counter(
        (node, file)
        for group in plan.groups
        for node, file in zip(group.members, group.wanted, strict=True)
        if file is not None
    )


@pytest.mark.parametrize("plans", [SMALL, LESS, UNCODED], ids=["all", "less", "uncoded"])
def test_each_value_that_a_node_lacks_comes_once_from_nodes_that_have_it(plans):
    for plan in plans:
        lacked = {
            (node, file)
            for file, holders in enumerate(plan.holders)
            for node in plan.live
            if node not in holders
        }
        assert delivered(plan) == Counter(lacked), plan
        for group in plan.groups:
            assert list(group.members) == sorted(set(group.members)), plan
            for node, file in zip(group.members, group.wanted, strict=True):
                if file is not None:
                    assert set(plan.holders[file]) >= {*group.members} - {node}, plan
                    assert node not in plan.holders[file], plan
        for node in plan.live:
            assert plan.held(node), plan


def test_the_loads_are_those_of_the_theorems():
    for plan in SMALL:
        nodes = len(plan.live)
        assert plan.redundancy == plan.copies
        assert plan.unicast_load == 1 - Fraction(plan.copies, nodes)
        pieces = plan.copies if isinstance(plan, shuffle.Coded) else plan.copies - 1
        assert plan.multicast_load == plan.unicast_load / pieces
        uncoded = shuffle.Uncoded(plan)
        assert uncoded.multicast_load == uncoded.unicast_load == plan.unicast_load


@pytest.mark.parametrize("copies", [3, 5])
def test_sixteen_nodes(copies):
    plan = shuffle.Coded(nodes=16, copies=copies)
    assert plan.files == comb(16, copies)
    assert len(plan.groups) == comb(16, copies + 1)
    assert plan.multicast_load == Fraction(16 - copies, 16 * copies)


def test_twenty_nodes_need_256_files():
    plan = shuffle.Resolvable(copies=5, width=4)
    assert (len(plan.live), plan.files, len(plan.groups)) == (20, 256, 768)
    assert {len(plan.held(node)) for node in plan.live} == {64}
    assert plan.multicast_load == Fraction(3, 16)
    classes = {tuple(node // 4 for node in nodes) for nodes in plan.holders}
    assert classes == {(0, 1, 2, 3, 4)}


def test_without_a_code_all_nodes_send_alike():
    for plan in (shuffle.Coded(8, 3), shuffle.Resolvable(4, 3)):
        sent = Counter(
            next(
                node for node, file in zip(group.members, group.wanted, strict=True) if file is None
            )
            for group in shuffle.Uncoded(plan).groups
        )
        mean = sum(sent.values()) / len(plan.live)
        assert max(sent.values()) <= 1.5 * mean


def test_any_r_dead_nodes_may_hold_a_file_alone_and_r_less_one_never_do():
    for plan in WITH_COPIES:
        copies = int(plan.redundancy)
        for nodes in itertools.combinations(plan.live, copies):
            if nodes in plan.holders:
                with pytest.raises(anyk.InvalidArgument, match="all nodes that hold file"):
                    shuffle.Without(plan, nodes)
            else:
                assert shuffle.Without(plan, nodes).files == plan.files


def test_nodes_are_taken_out_one_after_the_other():
    plan = shuffle.Coded(nodes=6, copies=3)
    both = shuffle.Without(shuffle.Without(plan, [4]), [1])
    assert both.groups == shuffle.Without(plan, {1, 4}).groups
    assert both.live == (0, 2, 3, 5)


@pytest.mark.parametrize("plan", [SMALL[5], SMALL[-1], LESS[0], UNCODED[-1]], ids=repr)
def test_a_plan_is_a_value(plan):
    assert plan.groups is plan.groups  # made once
    again = eval(repr(plan), vars(shuffle))
    assert again == plan == pickle.loads(pickle.dumps(plan))
    assert hash(again) == hash(plan)


@pytest.mark.parametrize(
    "make",
    [
        lambda: shuffle.Coded(3, 4),
        lambda: shuffle.Coded(0, 1),
        lambda: shuffle.Coded(3, 0),
        lambda: shuffle.Coded(3, 1.5),
        lambda: shuffle.Coded(40, 10),
        lambda: shuffle.Coded(1 << 30, 2),
        lambda: shuffle.Resolvable(1, 5),
        lambda: shuffle.Resolvable(5, 1),
        lambda: shuffle.Resolvable(10, 10),
        lambda: shuffle.Resolvable(1 << 30, 1 << 30),
        lambda: shuffle.Uncoded(3),
        lambda: shuffle.Without(shuffle.Coded(3, 2), [3]),
        lambda: shuffle.Without(shuffle.Coded(3, 2), 1),
        lambda: shuffle.Without(3, [1]),
    ],
)
def test_what_can_be_no_plan_is_refused(make):
    with pytest.raises(anyk.InvalidArgument):
        make()
