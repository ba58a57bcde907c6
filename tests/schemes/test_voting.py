"""What is believed of copies: nothing that as many liars as may be could have told."""

import itertools

import numpy as np
import pytest

import anyk
from anyk.schemes.voting import Voting


@pytest.mark.parametrize("noticed", [1, 2])
@pytest.mark.parametrize(
    "voices",  # who answered, on which of two groups; worker n is of group n mod 2
    [
        [(0, 0), (2, 0), (1, 1), (3, 1)],
        [(0, 0), (2, 0), (4, 0), (1, 1), (3, 1)],
        [(0, 0), (2, 0), (1, 0), (1, 1), (3, 1)],  # worker 1 was asked on the other group too
        [(0, 0), (2, 0), (1, 0), (3, 0), (1, 1), (3, 1)],
        [(0, 0), (2, 0), (1, 0), (1, 1), (3, 1), (5, 1), (7, 1)],
    ],
)
def test_nothing_is_believed_that_so_many_liars_could_have_told(voices, noticed):
    workers, held = [who for who, _ in voices], np.array([group for _, group in voices])
    voting = Voting(groups=2, adversaries=noticed, noticed=noticed, exact=True)
    believed = 0
    for told in itertools.product(range(3), repeat=len(voices)):
        try:
            found = voting.told(np.array(told)[:, None], held, workers)
        except anyk.TooManyErrors as error:
            found = error
        possible = []
        for truth in itertools.product(range(4), repeat=2):
            liars = {who for (who, of), says in zip(voices, told, strict=True) if says != truth[of]}
            if len(liars) <= noticed:
                possible.append((truth, liars))
        if isinstance(found, anyk.TooManyErrors):
            assert found.more or not possible or len(possible) > 1
            continue
        believed += 1
        assert {truth for truth, _ in possible} == {tuple(told[row] for row in found.rows)}
        assert [liars for _, liars in possible] == [{*found.suspects}]
    assert bool(believed) == (noticed == 1 or len(voices) > 5)


def test_nobody_has_a_say_twice():
    voting = Voting(groups=1, adversaries=1, noticed=1, exact=True)
    says, held = np.array([[9], [9], [5]]), np.zeros(3, dtype=int)
    with pytest.raises(anyk.TooManyErrors):
        voting.told(says, held, [0, 0, 1])
    assert voting.told(says, held, [0, 2, 1]).suspects == (1,)


def test_where_more_lied_than_may_no_further_answer_is_waited_for():
    voting = Voting(groups=1, adversaries=2, noticed=2, exact=True, again=True)
    for told, more in (([1, 2, 3, 4], 0), ([1, 1, 2, 3], 1)):
        with pytest.raises(anyk.TooManyErrors) as caught:
            voting.told(np.array(told)[:, None], np.zeros(4, dtype=int), range(4))
        assert caught.value.more == more
        assert caught.value.again == (0,) * more
