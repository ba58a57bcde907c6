"""Shamir: each block on its own, with stragglers, liars and colluders."""

import itertools

import numpy as np
import pytest

import anyk
from anyk.privacy.information import symbols_learned


def schemes(workers):
    """All (K, T, A, d) that this many workers can bear."""
    for blocks, colluders, adversaries, degree in itertools.product(
        range(1, workers + 1), range(1, workers), range(workers // 2 + 1), range(1, workers + 1)
    ):
        if degree * colluders + 2 * adversaries + 1 <= workers // blocks:
            yield anyk.Shamir(
                blocks=blocks,
                degree=degree,
                workers=workers,
                adversaries=adversaries,
                colluders=colluders,
            )


@pytest.mark.parametrize("workers", range(2, 8))
def test_every_pattern_of_stragglers_liars_and_colluders(workers):
    generator = np.random.default_rng(workers)
    for scheme in schemes(workers):
        anyk.testing.check_scheme(scheme, generator=generator, patterns=10**9, encodings=16)


@pytest.mark.parametrize("workers", range(8, 14))
def test_samples_of_patterns_for_every_scheme(workers):
    generator = np.random.default_rng(workers)
    for scheme in schemes(workers):
        anyk.testing.check_scheme(scheme, generator=generator, patterns=3, encodings=16)


@pytest.mark.parametrize(("degree", "colluders"), [(1, 1), (2, 1), (2, 3), (5, 2)])
def test_how_many_workers_there_are_by_default(degree, colluders):
    scheme = anyk.Shamir(blocks=4, degree=degree, colluders=colluders)
    assert scheme.guarantee.workers == scheme.workers == 4 * (degree * colluders + 1)
    assert scheme.guarantee.stragglers == 0


def test_too_few_workers_are_refused_by_name():
    message = r"dT \+ 2A \+ 1 <= floor\(N/K\), that is 2\*1 \+ 2\*0 \+ 1 = 3 <= floor\(11/4\) = 2"
    with pytest.raises(anyk.Unachievable, match=message):
        anyk.Shamir(blocks=4, degree=2, workers=11)
    with pytest.raises(anyk.InvalidArgument, match="colluders"):
        anyk.Shamir(blocks=4, degree=2, colluders=0)


def test_a_field_as_small_as_it_may_be_and_one_smaller():
    anyk.Shamir(blocks=3, degree=2, workers=12, field=anyk.PrimeField(5))
    with pytest.raises(anyk.Unachievable, match=r"above ceil\(N/K\) = 5"):
        anyk.Shamir(blocks=3, degree=2, workers=13, field=anyk.PrimeField(5))


def test_enough_of_each_block_is_enough_whoever_it_comes_from():
    scheme = anyk.Shamir(blocks=2, degree=1, workers=6)
    assert scheme.guarantee.threshold == 5
    assert scheme.sufficient([0, 4, 1, 3])
    assert not scheme.sufficient([0, 2, 4, 1])
    with pytest.raises(anyk.NotEnoughAnswers, match="needed: for each of 2 blocks 2 answers"):
        scheme.encode([5, 6]).recovery([0, 2, 4, 1])


def test_liars_of_several_blocks_count_together():
    scheme = anyk.Shamir(blocks=2, degree=1, workers=8, adversaries=1)
    encoded = scheme.encode([5, 6])
    one, two = encoded.shares.copy(), encoded.shares.copy()
    one[3] = two[3] = two[4] = 0
    assert encoded.decode(one, range(8)).suspects == (3,)
    with pytest.raises(anyk.TooManyErrors):
        encoded.decode(two, range(8))


def test_spare_answers_are_checked_even_when_no_liar_is_promised():
    encoded = anyk.Shamir(blocks=2, degree=1, workers=6).encode([5, 6])
    answers = encoded.shares.copy()
    assert encoded.decode(answers, range(6)).value.tolist() == [5, 6]
    answers[2] = (answers[2] + 1) % (2**31 - 1)
    with pytest.raises(anyk.TooManyErrors):
        encoded.decode(answers, range(6))


def test_colluders_of_one_block_beyond_the_promise_learn_it():
    """The negative test; colluders who hold different blocks learn nothing, however many."""
    scheme = anyk.Shamir(blocks=3, degree=1, workers=12, colluders=2)
    encoded = scheme.encode([7, 8, 9])
    encoder = encoded.encoder

    def learned(coalition):
        return symbols_learned(scheme.field, encoder.data[coalition], encoder.masks[coalition])

    assert anyk.leakage(encoded, colluders=2) == 0.0
    assert learned([0, 3, 6]) == 1
    assert learned([0, 1, 2, 3, 4, 5]) == 0


def test_every_share_is_uniform_over_the_mask():
    scheme = anyk.Shamir(blocks=2, degree=2, field=anyk.PrimeField(13))
    encoder = scheme.encode([3, 4]).encoder
    for row, own in zip(encoder.data, encoder.masks, strict=True):
        values = {(int(row @ [3, 4]) + int(own.sum()) * key) % 13 for key in range(13)}
        assert values == set(range(13))
