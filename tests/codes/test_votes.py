"""votes: what is certain is right and nobody honest a liar, whatever at most A workers answer."""

import numpy as np
import pytest

from anyk.codes.agreement import Agreement
from anyk.codes.locators.votes import judge, proven_liars


def verdict_of(answers, shares, adversaries, agree=2, pieces=1):
    return judge(
        np.array(shares),
        np.array(answers, dtype=float),
        Agreement(0.0),
        adversaries=adversaries,
        agree=agree,
        pieces=pieces,
    )


def test_a_share_on_which_answers_differ_is_not_believed():
    verdict = verdict_of([1, 1, 2, 3], [0, 0, 1, 1], adversaries=4)
    assert [(each.share, each.row, each.certain) for each in verdict.believed] == [(0, 0, False)]
    assert (verdict.disputed, verdict.liars, verdict.least) == ((2, 3), (), 1)


def test_a_single_answer_is_not_believed_as_long_as_it_may_be_a_lie():
    assert not verdict_of([1], [0], adversaries=1).believed
    assert verdict_of([1], [0], adversaries=0).believed[0].certain
    # both liars are at odds with somebody else, so this one tells the truth
    both = verdict_of([5, 1, 2, 1, 2], [0, 1, 1, 2, 2], adversaries=2)
    assert [(each.share, each.certain) for each in both.believed] == [(0, True)]


def test_two_of_three_may_be_the_liars_and_then_nobody_is_named():
    verdict = verdict_of([7, 7, 1], [0, 0, 0], adversaries=2)
    assert (verdict.believed, verdict.liars, verdict.disputed) == ((), (), (0, 1, 2))


def test_two_of_three_that_can_not_both_lie_name_the_third():
    verdict = verdict_of([1, 1, 7], [0, 0, 0], adversaries=1)
    assert (verdict.believed[0].certain, verdict.liars) == (True, (2,))
    # A = 2, and the other liar is elsewhere
    verdict = verdict_of([1, 1, 7, 3, 4], [0, 0, 0, 1, 1], adversaries=2)
    assert ([each.share for each in verdict.believed], verdict.liars) == ([0], (2,))
    assert verdict.disputed == (3, 4)


def test_liars_are_counted_once_for_all_pieces_of_a_group():
    answers, shares = [1, 7, 1, 8, 1, 1], [0, 0, 1, 1, 2, 2]
    assert verdict_of(answers, shares, adversaries=1, pieces=2).least == 1
    assert verdict_of(answers, shares, adversaries=2, pieces=1).least == 2


def test_answers_near_one_lie_are_not_taken_for_liars():
    """A lie within reach of one honest answer and beyond that of another proves nothing of it."""
    answers = np.array([[1.0], [1.0 + 0.9e-6], [1.0 + 1.8e-6]])
    verdict = judge(np.zeros(3, dtype=int), answers, Agreement(1e-6), adversaries=1, agree=2)
    assert verdict.liars == ()
    assert verdict.believed[0].row == 1


@pytest.mark.parametrize("seed", range(8))
def test_what_is_certain_is_right_and_no_honest_answer_is_called_a_lie(seed):
    rng = np.random.default_rng(seed)
    certain = named = passed = 0
    for _ in range(500):
        pieces, groups, copies = rng.integers(1, 3), rng.integers(1, 6), rng.integers(1, 5)
        workers = groups * copies
        held = rng.permutation(workers) % groups
        adversaries = int(rng.integers(0, min(workers, 5) + 1))
        liars = rng.choice(workers, max(adversaries - rng.integers(0, 2), 0), replace=False)
        who = np.repeat(np.arange(workers), pieces)
        shares = held[who] * pieces + np.tile(np.arange(pieces), workers)
        lies = rng.integers(0, 3, size=who.size)  # 0 is the truth: some lie in part, many alike
        answers = np.where(np.isin(who, liars), lies, 0)
        kept = rng.random(who.size) < 0.8
        shares, answers, who = shares[kept], answers[kept], who[kept]
        if not who.size:
            continue
        agree = int(rng.integers(1, copies + 1))
        verdict = verdict_of(answers, shares, adversaries, agree=agree, pieces=int(pieces))
        assert verdict.least <= np.unique(who[answers != 0]).size
        for each in verdict.believed:
            assert answers[each.row] == 0 or not each.certain
            assert each.certain or len(each.supporters) >= agree
            assert {int(shares[row]) for row in each.supporters} == {each.share}
            certain += each.certain
            passed += answers[each.row] != 0
        assert all(answers[row] != 0 for row in verdict.liars)
        named += len(verdict.liars)
    assert min(certain, named, passed) > 20  # all three happen


@pytest.mark.parametrize("seed", range(4))
def test_whoever_is_proven_a_liar_by_many_calls_is_one(seed):
    rng = np.random.default_rng(seed)
    found = 0
    for _ in range(500):
        workers, adversaries = int(rng.integers(3, 14)), int(rng.integers(1, 4))
        liars = {*rng.choice(workers, adversaries, replace=False).tolist()}
        disputed = []
        for _ in range(rng.integers(1, 6)):
            order = rng.permutation(workers)
            groups = (
                [order[place::3].tolist() for place in range(3)]
                if rng.random() < 0.3
                else [order[place : place + 2].tolist() for place in range(0, workers, 2)]
            )
            disputed += [each for each in groups if liars & {*each} and rng.random() < 0.8]
        named = {who for who in liars if rng.random() < 0.2}
        proven = proven_liars(disputed, named, adversaries)
        assert proven is not None
        assert named <= proven <= liars
        found += len(proven - named)
    assert found > 50


def test_two_calls_name_four_liars_in_pairs():
    """Two partners of its own, and three pairs of others: five would have to lie."""
    calls = [[(liar, 10 * call + liar) for liar in range(4)] for call in (1, 2)]
    assert proven_liars(calls[0], (), 4) == set()
    assert proven_liars(calls[0] + calls[1], (), 4) == {0, 1, 2, 3}
