"""What an audit finds on a user's own records: never beyond its bound, and close to the truth."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pytest
from mixture import Mixture
from scipy.special import ndtr
from sklearn.datasets import load_iris

import anyk
from anyk.audits.matrices import clearest, seen
from anyk.audits.view import spread_over, view_of
from anyk.leak import bits_of_success, most_success

IRIS = load_iris()


def audited(scheme, data, **others):
    """With a generator of its own, and few random data beside the records."""
    encoded = scheme.encode(np.zeros((scheme.problem.blocks, 1)))
    others = {"samples": 1000, "confidence": 1 - 1e-9, **others}
    others.setdefault("generator", np.random.default_rng(0))
    return anyk.audit(encoded, data=data, **others)


def by_name(audit):
    """The attacks by the first words of their names."""
    return {" ".join(attack.name.split()[:2]): attack for attack in audit.attacks}


SCHEMES = {
    "VeiledReplication": anyk.VeiledReplication(2, 10, colluders=1, leakage=0.3),
    "VeiledReplication, T = 2": anyk.VeiledReplication(2, 12, colluders=2, leakage=0.3),
    "Berrut": anyk.Berrut(2, 8, colluders=2, leakage=0.3),
    "AnalogLagrange": anyk.AnalogLagrange(blocks=2, degree=1, workers=6, colluders=1, leakage=0.2),
    "Agreed": anyk.Agreed(anyk.VeiledReplication(2, 8, colluders=1, leakage=0.3), copies=2),
}


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=SCHEMES)
def test_what_is_found_of_records_is_below_its_bound_and_above_chance(scheme):
    X = (IRIS.data - IRIS.data.mean(axis=0)) / IRIS.data.std(axis=0)
    audit = audited(scheme, X, labels=IRIS.target)
    assert not audit.above
    for attack in audit.attacks:
        assert attack.low <= attack.bound, attack
        assert attack.found > attack.chance, attack
    explained = by_name(audit)["of its"]
    assert explained.found == pytest.approx(explained.bound, abs=0.06)


@pytest.mark.parametrize("apart", [0.5, 1.0, 3.0])
def test_of_two_records_one_is_told_as_often_as_the_formula_says(apart):
    scheme = Mixture(np.eye(1), np.array([[2.0]]))
    data = np.zeros((2, 5))
    data[1] = apart * 2.0 / math.sqrt(5.0)
    which = by_name(audited(scheme, data))["which of"]
    truth = float(ndtr(apart / 2.0))  # two points, `apart` deviations of the noise from each other
    assert which.low <= truth <= which.high
    assert truth <= which.bound


def test_the_best_linear_guess_is_that_by_the_whole_covariance():
    generator = np.random.default_rng(5)
    records = generator.normal(size=(30, 4)) @ generator.normal(size=(4, 4))
    covariance = np.cov(records.T, bias=True)
    for scheme in SCHEMES.values():
        encoded = scheme.encode(np.zeros((2, 1)))
        data, masks = seen(encoded)
        _, who, block = clearest(data, masks, scheme.guarantee.colluders, 1)
        data, masks = data[list(who)], masks[list(who)]
        if np.iscomplexobj(data):
            masks = np.concatenate([masks, 1j * masks], axis=1) / math.sqrt(2.0)
            data, masks = (np.concatenate([each.real, each.imag]) for each in (data, masks))
        noise = masks @ masks.T
        whole = np.kron(data @ data.T, covariance) + np.kron(noise, np.eye(4))
        cross = np.kron(data[:, block : block + 1], covariance)
        best = np.trace(cross.T @ np.linalg.solve(whole, cross)) / np.trace(covariance)
        rows = encoded.held_by(who)
        view = view_of(*(each[rows] for each in seen(encoded)), block, spread_over(records))
        assert view.explained() == pytest.approx(best, rel=1e-9)


@dataclass(frozen=True, eq=False)
class Careless(Mixture):
    """Shares with less noise than the matrices say: a bug."""

    def encode(self, X, *, source=None):  # noqa: ARG002 - the seam has it
        quieter = Mixture(self.data, 0.1 * self.masks)
        return anyk.Encoded(self, quieter.encode(X).shares, None)


def test_shares_that_tell_more_than_the_matrices_say_are_found_above_their_bounds():
    records = np.random.default_rng(0).normal(size=(200, 3))
    audit = audited(Careless(np.eye(1), np.array([[3.0]])), records)
    assert audit.above
    assert "ABOVE ITS BOUND" in str(audit)


@pytest.mark.parametrize("name", ["VeiledReplication", "Berrut", "AnalogLagrange"])
def test_one_record_that_is_most_of_the_variance_raises_no_alarm_where_it_is_not_drawn(name):
    records = 1e-2 * np.random.default_rng(0).normal(size=(2000, 8))
    records[0] = 10.0
    for seed in range(6):  # in 4,000 encodings, it is not drawn at all with a chance of 13 %
        audit = audited(SCHEMES[name], records, generator=np.random.default_rng(seed))
        explained = by_name(audit)["of its"]
        assert not audit.above
        assert explained.found == pytest.approx(explained.bound, abs=0.1)


def test_over_a_field_nothing_is_found_and_beyond_t_all_of_it():
    X = np.random.default_rng(1).integers(0, 17, (50, 8))
    labels = np.arange(50) % 5
    scheme = anyk.Lagrange(2, 2, 9, colluders=2)
    for colluders, private in ((1, True), (2, True), (4, False)):
        audit = audited(scheme, X, labels=labels, colluders=colluders)
        which, label, explained, bits = audit.attacks
        assert not audit.above
        if private:
            assert (which.bound, label.bound, bits.bound) == (1 / 50, 0.2, 0.0)
            assert (bits.low, explained.found) == (0.0, 0.0)
        else:
            assert (which.found, explained.found) == (1.0, 1.0)
            assert bits.low > 5.0


def test_reals_on_a_field_show_no_record():
    X = np.random.default_rng(1).normal(size=(40, 6)).clip(-2, 2)
    fixed = anyk.FixedPoint(fraction_bits=8, magnitude=2.0, degree=2, primes=2)
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=7, colluders=1)
    with anyk.Inline(7) as executor:
        encoded = anyk.distribute(scheme, X[:2], executor, embedding=fixed).encoded
    hidden, shown = (
        anyk.audit(encoded, data=X, colluders=size, confidence=1 - 1e-9) for size in (1, 3)
    )
    assert not hidden.above
    assert hidden.attacks[0].bound == 1 / 40
    assert shown.attacks[0].found == 1.0


def test_copies_in_clear_are_known_wholly():
    audit = audited(anyk.Replication(2, 4), np.arange(12.0).reshape(6, 2))
    assert [attack.found for attack in audit.attacks[:1]] == [1.0]
    assert audit.attacks[1].found == pytest.approx(1.0)
    assert audit.attacks[2].bound == pytest.approx(math.log2(6))


@pytest.mark.parametrize("ordering", ["path", None])
def test_where_the_data_choose_who_holds_what_the_attacker_knows_it(ordering):
    records = np.random.default_rng(0).normal(size=(40, 6))
    audit = audited(anyk.Spline(blocks=4, workers=9, ordering=ordering), records)
    which, explained, _ = audit.attacks
    assert which.found > 0.5
    assert explained.found == pytest.approx(explained.bound, abs=0.1)
    assert not audit.above


def test_records_that_are_all_the_same_tell_nothing():
    audit = audited(SCHEMES["Berrut"], np.ones((10, 3)))
    assert not audit.above
    which, explained, bits = audit.attacks
    assert (which.bound, explained.found, bits.bound) == (0.1, 0.0, 0.0)


def test_of_many_records_some_are_attacked():
    audit = audited(SCHEMES["Berrut"], np.random.default_rng(0).normal(size=(2500, 2)))
    assert audit.attacks[0].name == "which of 2000 it is"


def test_the_bound_on_a_guess_is_sharp():
    for chance, bits in itertools.product((0.5, 0.1, 1e-3), (0.01, 0.3, 1.0, 5.0)):
        most = most_success(bits, chance)
        assert chance < most <= 1.0
        assert bits_of_success(most, chance) == pytest.approx(min(bits, -math.log2(chance)))


@pytest.mark.parametrize(
    "call",
    [
        {"data": np.ones((1, 3))},
        {"data": ["a", "b"]},
        {"data": np.array([[np.nan], [1.0]])},
        {"data": np.eye(3), "labels": [0, 1]},
        {"data": np.eye(3), "labels": [1, 1, 1]},
        {"data": np.eye(3), "labels": [None, 1, "a"]},
        {"data": np.eye(3), "labels": 3},
        {"labels": [0, 1]},
        {"labels": 3},
    ],
)
def test_what_makes_no_sense_is_refused(call):
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        audited(SCHEMES["Berrut"], **{"data": None, **call})


def test_records_that_are_larger_than_promised_are_said_to_be():
    rng = np.random.default_rng(0)
    encoded = anyk.VeiledReplication(4, 12, colluders=1, leakage=0.5).encode(np.zeros((4, 3)))
    for size, told in ((1.0, False), (50.0, True)):
        data = size * rng.normal(size=(100, 3))
        found = anyk.audit(encoded, data=data, samples=1000, generator=rng)
        assert ("not data_std = 1: more is learned" in str(found)) == told


def test_labels_without_records_are_refused_whatever_they_are():
    encoded = anyk.VeiledReplication(2, 12, colluders=1, leakage=0.5).encode(np.zeros((2, 3)))
    with pytest.raises(anyk.InvalidArgument, match="labels: got 3, and no data"):
        anyk.audit(encoded, labels=3)
