"""`Berrut` with liars and curious workers: as published, and what that is worth."""

import pickle
from dataclasses import replace

import numpy as np
import pytest

import anyk
from anyk.codes.locators.rational import rational_votes
from anyk.privacy.information import bits_learned
from anyk.randomness.entropy import AbstractSource, InsecureTestSource
from anyk.schemes.approximate.berrut.layout import berrut_points


class _Foreseen(AbstractSource):
    """The same bytes each time, so that two sketches are one."""

    def key(self):
        return bytes(48)


def relative(value, truth):
    return float(np.sqrt(np.mean((value - truth) ** 2) / np.mean(truth**2)))


def test_the_locator_finds_what_is_wrong_with_a_rational_function():
    rng = np.random.default_rng(0)
    z = np.sort(rng.uniform(-1, 1, 14))
    y = np.stack([(1 + z) / (3 + z), np.ones(14), z**2 - z], axis=1)
    spoiled = y.copy()
    spoiled[[3, 9]] += rng.normal(size=(2, 3))
    votes = rational_votes(z, spoiled, blocks=4, errors=2)
    assert votes.tolist() == [3 * (row in {3, 9}) for row in range(14)]
    assert rational_votes(z, spoiled[:, :0], blocks=4, errors=2).tolist() == [0] * 14


@pytest.mark.parametrize("shape", [(), (3,), (2, 100)])
def test_liars_among_smooth_answers_are_named_and_left_out(shape):
    rng = np.random.default_rng(1)
    scheme = anyk.Berrut(4, 30, adversaries=2)
    X = rng.normal(size=(4, *shape))
    encoded = scheme.encode(X)
    found = 0
    for _ in range(20):
        answered = np.sort(rng.permutation(30)[: scheme.guarantee.threshold])
        values = np.tanh(0.3 * encoded.shares[answered])
        rows = np.sort(rng.permutation(len(answered))[:2])
        liars = tuple(answered[rows].tolist())
        spoiled = values.copy()
        spoiled[rows] += 5.0 * rng.normal(size=(2, *shape))
        recovery = replace(encoded.recovery(answered), source=_Foreseen())
        recovered = recovery.recover(spoiled)
        if recovery.locate(spoiled).removed != tuple(rows.tolist()):
            continue
        found += recovered.suspects == liars
        others = [who for who in answered if who not in liars]
        plain = replace(anyk.Berrut(4, 30).encode(X).recovery(others), source=_Foreseen())
        told = plain.recover(np.tanh(0.3 * encoded.shares[others]))
        np.testing.assert_allclose(recovered.value, told.value)
        assert recovered.error_estimate == pytest.approx(told.error_estimate)
    assert found >= 15


def test_who_is_left_out_without_lying_is_not_named():
    rng = np.random.default_rng(2)
    scheme = anyk.Berrut(3, 20, adversaries=2)
    named = 0
    for _ in range(50):
        encoded = scheme.encode(rng.normal(size=(3, 10)))
        recovery = encoded.recovery(range(20))
        values = np.sin(encoded.shares)
        located = recovery.locate(values)
        assert len(located.removed) == 2
        assert set(located.named) <= set(located.removed)
        assert recovery.recover(values).suspects == located.named
        named += len(located.named)
    assert named == 0  # though all numbers may vote for the same two


def test_a_lie_of_any_size_leaves_the_others_numbers_as_they_are():
    encoded = anyk.Berrut(2, 12, adversaries=1).encode(np.array([[1.0], [2.0]]))
    values = encoded.shares.copy()
    values[4] = 1e300
    recovered = encoded.decode(values, range(12))
    assert np.abs(recovered.value).max() < 10 or recovered.error_estimate > 1


@pytest.mark.parametrize(
    ("blocks", "workers", "colluders"), [(1, 5, 1), (3, 12, 1), (3, 20, 2), (2, 16, 3)]
)
def test_the_private_variant_keeps_its_guarantee(blocks, workers, colluders):
    for noise in ({"leakage": 0.4}, {"sigma": 2.0}):
        scheme = anyk.Berrut(blocks, workers, colluders=colluders, **noise)
        anyk.testing.check_scheme(scheme, generator=np.random.default_rng(3), patterns=30)
    asked = anyk.Berrut(blocks, workers, colluders=colluders, leakage=0.4)
    assert 0.399 < asked.guarantee.leakage <= 0.4


def test_noise_terms_are_not_privacy_against_as_many_workers():
    scheme = anyk.Berrut(4, 60, colluders=3, sigma=100.0)
    encoder = scheme.encoder(None)
    alone = [bits_learned(encoder.data[[n]], encoder.masks[[n]], variance=1.0) for n in range(60)]
    assert np.median(alone) < 0.01
    assert scheme.guarantee.leakage > 10.0  # three together, of the worst


def test_workers_keep_a_distance_from_blocks_but_not_from_noise():
    for blocks, workers, colluders in ((4, 60, 1), (3, 1000, 2), (7, 30, 4)):
        points = berrut_points(blocks, workers, colluders)
        angles = [np.arccos(each) for each in (points.blocks, points.noise, points.workers)]
        gap = np.pi / (blocks + colluders)
        nearest = np.abs(angles[2][:, None] - angles[0]).min()
        assert nearest >= 0.1 * gap - 1e-12
        assert (np.diff(points.workers) < 0).all()
        assert len(set(points.blocks) | set(points.noise)) == blocks + colluders
        assert len(points.workers) == workers
    assert np.abs(angles[2][:, None] - angles[1]).min() < 0.1 * gap


def test_private_values_are_within_their_estimate_and_better_with_less_noise():
    rng = np.random.default_rng(4)
    X = rng.normal(size=(3, 4))
    medians = []
    for sigma in (0.1, 1.0, 10.0):
        scheme = anyk.Berrut(3, 60, colluders=1, sigma=sigma)
        encodings = [scheme.encode(X, source=InsecureTestSource(seed)) for seed in range(40)]
        recovered = [each.decode(np.tanh(each.shares), range(60)) for each in encodings]
        errors = [relative(each.value, np.tanh(X)) for each in recovered]
        within = [
            error <= each.error_estimate for error, each in zip(errors, recovered, strict=True)
        ]
        assert np.mean(within) >= 0.9
        medians.append(np.median(errors))
    assert medians[0] < medians[1] < medians[2]


def test_fresh_noise_each_time_and_none_in_what_is_kept(public_names):
    scheme = anyk.Berrut(2, 8, colluders=1, leakage=0.5)
    X = np.ones((2, 3))
    one, two = scheme.encode(X), scheme.encode(X)
    assert not np.isclose(one.shares, two.shares).any()
    assert one.layout is None
    assert eval(repr(scheme), public_names) == scheme
    assert pickle.loads(pickle.dumps(scheme)) == scheme


def test_guarantee_with_liars():
    scheme = anyk.Berrut(4, 20, adversaries=3)
    assert (scheme.guarantee.threshold, scheme.guarantee.adversaries) == (14, 3)
    with pytest.raises(anyk.NotEnoughAnswers, match="14 answers"):
        scheme.encode(np.zeros(4)).recovery(range(13))
    assert anyk.Berrut(4, 40, adversaries=3).guarantee.stragglers == 18


@pytest.mark.parametrize(
    ("arguments", "error", "argument"),
    [
        ({"adversaries": 2}, anyk.Unachievable, "workers"),
        ({"workers": 10, "adversaries": 2, "stragglers": 1}, anyk.Unachievable, "stragglers"),
        ({"adversaries": -1}, anyk.InvalidArgument, "adversaries"),
        ({"colluders": 9, "sigma": 1.0}, anyk.Unachievable, "colluders"),
        ({"colluders": 1}, anyk.InvalidArgument, "leakage"),
        ({"colluders": 1, "leakage": 1.0, "sigma": 1.0}, anyk.InvalidArgument, "leakage"),
        ({"sigma": 1.0}, anyk.InvalidArgument, "sigma"),
        ({"colluders": 1, "sigma": 0.0}, anyk.InvalidArgument, "sigma"),
        ({"data_std": None}, anyk.InvalidArgument, "data_std"),
    ],
)
def test_threats_that_cannot_be_met(arguments, error, argument):
    with pytest.raises(error) as caught:
        anyk.Berrut(**{"blocks": 3, "workers": 8, **arguments})
    assert type(caught.value) is error
    assert caught.value.argument == argument


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_few_answers_of_noisy_shares_are_no_evidence_for_one_block_either(workers):
    noisy = anyk.Berrut(1, 9, colluders=1, sigma=1.0).encode([0.0])
    answers = np.cos(noisy.shares[:workers])
    assert noisy.decode(answers, range(workers)).error_estimate == np.inf
    plain = anyk.Berrut(1, 9).encode([0.0])
    answers = np.cos(plain.shares[:workers])
    assert plain.decode(answers, range(workers)).error_estimate < 1e-12
