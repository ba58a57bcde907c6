"""Replication: the baseline, its majority, and what it must refuse."""

import numpy as np
import pytest

import anyk


@pytest.mark.parametrize(
    "scheme",
    [
        anyk.Replication(blocks=3, workers=3),
        anyk.Replication(blocks=2, workers=5),
        anyk.Replication(blocks=2, workers=7, adversaries=1),
        anyk.Replication(blocks=1, workers=5, adversaries=2, domain=anyk.PrimeField()),
        anyk.Replication(blocks=2, workers=8, domain=anyk.Complex()),
    ],
    ids=repr,
)
def test_conformance(scheme):
    anyk.testing.check_scheme(scheme, generator=np.random.default_rng(0), patterns=10**5)


def test_one_answer_a_block_is_enough_whoever_it_comes_from():
    scheme = anyk.Replication(blocks=2, workers=6)
    assert scheme.guarantee.threshold == 4  # any four; these two happen to be enough
    assert scheme.sufficient([4, 1])
    assert not scheme.sufficient([0, 2, 4])
    assert not scheme.sufficient([])


def test_two_replicas_that_contradict_each_other_raise():
    encoded = anyk.Replication(blocks=1, workers=2).encode([1.0])
    with pytest.raises(anyk.TooManyErrors):
        encoded.decode(np.array([1.0, 2.0]), [0, 1])


def test_a_lone_uncoded_liar_is_not_seen():
    """Why the baseline is only a baseline: the docstring promises nothing else."""
    encoded = anyk.Replication(blocks=2, workers=2).encode([1.0, 2.0])
    assert encoded.decode(np.array([1.0, 666.0]), [0, 1]).value.tolist() == [1.0, 666.0]


def test_replicas_may_differ_by_rounding():
    encoded = anyk.Replication(blocks=1, workers=3, adversaries=1).encode([1.0])
    recovered = encoded.decode(np.array([1.0, 1.0 + 1e-12, 1.1]), range(3))
    assert recovered.suspects == (2,)
    assert recovered.value[0] == pytest.approx(1.0)


def test_too_few_replicas_are_refused():
    with pytest.raises(anyk.Unachievable, match=r"floor\(5/2\) = 2 >= 3"):
        anyk.Replication(blocks=2, workers=5, adversaries=1)
    with pytest.raises(anyk.Unachievable):
        anyk.Replication(blocks=3, workers=2)
