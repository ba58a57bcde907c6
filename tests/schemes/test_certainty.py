"""When a word is certain: the bound of online error correction, with pieces too."""

import itertools

import pytest

import anyk
from anyk.codes.locators.located import Located
from anyk.schemes.certainty import Certainty


@pytest.mark.parametrize(("adversaries", "detects"), [(0, None), (2, None), (0, 2), (1, 3)])
def test_with_one_answer_a_worker_each_lie_costs_one_more(adversaries, detects):
    certainty = Certainty(dimension=3, adversaries=adversaries, detects=detects)
    noticed = adversaries if detects is None else detects
    assert certainty.least == 3 + noticed
    assert certainty.threshold == 3 + noticed + adversaries
    for answers, wrong in itertools.product(range(12), range(4)):
        certain = answers >= 3 + noticed + wrong
        assert (certainty.margin(range(answers)) >= wrong) == certain
        located = Located(removed=tuple(range(wrong)), named=tuple(range(wrong)))
        if wrong > answers:
            continue
        if certain and wrong <= adversaries:
            assert certainty.liars(range(answers), located) == located.removed
        else:
            with pytest.raises(anyk.TooManyErrors):
                certainty.liars(range(answers), located)


def test_pieces_count_by_worker_and_only_those_that_came():
    certainty = Certainty(dimension=4, adversaries=1, pieces=3)
    assert (certainty.least, certainty.threshold) == (7, 10)
    spread = (0, 3, 6, 9, 12)  # of five workers, one piece each: a liar can have told one of them
    assert certainty.margin(spread) == 0
    assert certainty.margin((0, 1, 2, 3, 6)) == -2
    assert certainty.most((*spread, 15, 18)) == 1
    with pytest.raises(anyk.TooManyErrors, match="and not by"):  # two workers differ
        certainty.liars(range(15), Located(removed=(0, 3), named=(0, 3)))
    assert certainty.liars(range(15), Located(removed=(3, 5), named=(3, 5))) == (1,)


def test_a_contradiction_says_whether_more_answers_would_tell():
    none, certainty = Located(exceeded=True), Certainty(dimension=3, adversaries=2)
    for answers, more in ((5, 2), (6, 1), (7, 0), (9, 0)):
        with pytest.raises(anyk.TooManyErrors) as caught:
            certainty.liars(range(answers), none)
        assert caught.value.more == more
        assert (f"{more} more answer" in str(caught.value)) == bool(more)
        assert ("and not by at most 2 liars" in str(caught.value)) == (not more)
    noticing = Certainty(dimension=3, adversaries=0, detects=2)
    with pytest.raises(anyk.TooManyErrors, match="up to 2 liars are noticed, and none is named"):
        noticing.liars(range(5), none)


def test_whoever_names_liars_notices_them():
    with pytest.raises(anyk.InvalidArgument, match="detects: got 1; needed: at least adv"):
        Certainty(dimension=3, adversaries=2, detects=1)
    with pytest.raises(anyk.InvalidArgument, match="detects"):
        Certainty(dimension=3, adversaries=0, detects=-1)
