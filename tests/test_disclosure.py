"""What a coalition learns: a bound from matrices above, an attack on samples below."""

import itertools
import math
from dataclasses import dataclass

import numpy as np
import pytest
from mixture import Mixture

import anyk
from anyk.privacy.information import bits_learned

FIELD = anyk.PrimeField(101)


def mixture(generator, **others):
    """A random one: of 1 to 4 blocks, real or complex, from hardly to well hidden."""
    blocks, workers, noises = generator.integers([1, 4, 3], [5, 8, 7])
    data = generator.standard_normal((workers, blocks))
    masks = generator.standard_normal((workers, noises)) * 10 ** generator.uniform(-1, 2)
    if generator.random() < 0.3:
        data, masks = data * np.exp(1j * data), masks * np.exp(1j * masks)
    return Mixture(data, masks, **others)


@pytest.mark.parametrize("seed", range(100))
def test_attack_and_bound_bracket_the_truth(seed):
    generator = np.random.default_rng(seed)
    deviation = float(10 ** generator.uniform(-1, 1))
    scheme = mixture(generator, data_std=deviation)
    colluders = int(generator.integers(1, 4))
    encoded = scheme.encode(np.zeros((scheme.data.shape[1], 1)))
    truth = max(
        bits_learned(scheme.data[list(who)], scheme.masks[list(who)], variance=deviation**2)
        for who in itertools.combinations(range(len(scheme.data)), colluders)
    )
    upper = anyk.leakage(encoded, colluders=colluders)
    found = anyk.audit(
        encoded, colluders=colluders, samples=20_000, confidence=1 - 1e-9, generator=generator
    )
    assert found.amount <= truth == upper
    assert found.amount >= truth - 0.25 * min(colluders, scheme.data.shape[1])


def test_an_attack_finds_what_the_matrices_do_not_say():
    generator = np.random.default_rng(1)
    data, masks = generator.standard_normal((4, 2)), 30.0 * generator.standard_normal((4, 3))
    for leak, caught in ((0.0, False), (60.0, True)):
        encoded = Mixture(data, masks, leak=leak).encode(np.zeros((2, 1)))
        bound = max(anyk.leakage(encoded, colluders=4, data_std=1e-3), 0.0)
        assert bound == math.inf  # four shares under three noises
        lower = anyk.audit(encoded, colluders=1, generator=generator)
        alone = anyk.leakage(encoded, colluders=1)
        if 0 in lower.coalition or not caught:
            assert (lower.amount > alone) == caught
        else:
            pytest.fail("the leak is in worker 0, which is not attacked")


def test_correlated_blocks_tell_at_most_what_the_bound_says():
    encoded = Mixture(np.ones((1, 4)), np.array([[2.0]])).encode(np.zeros((4, 1)))
    same = 0.5 * math.log2(1 + 16 / 4)  # four copies of one block: a signal of amplitude 4
    assert anyk.leakage(encoded, colluders=1) < same
    assert anyk.leakage(encoded, colluders=1, correlated=True) == pytest.approx(same)


def test_a_promise_is_stated_for_its_own_data():
    encoded = Mixture(np.eye(1), np.eye(1), data_std=3.0).encode(np.zeros((1, 1)))
    assert anyk.leakage(encoded, colluders=1) == pytest.approx(0.5 * math.log2(10))
    assert anyk.leakage(encoded, colluders=1, data_std=1.0) == pytest.approx(0.5)


@pytest.mark.parametrize("colluders", [1, 2, 3])
def test_larger_data_and_a_second_encoding_leak_as_much_more_as_the_docstring_says(colluders):
    scheme = anyk.VeiledReplication(2, 12, colluders=colluders, leakage=0.4)
    encoded = scheme.encode(np.zeros((2, 1)))
    stated = anyk.leakage(encoded, colluders=colluders)
    ten_times = anyk.leakage(encoded, colluders=colluders, data_std=10.0)
    assert stated < ten_times <= stated + min(2, colluders) * math.log2(10.0)
    who = list(anyk.worst_coalition(encoded, colluders=colluders).coalition)
    data, masks = encoded.encoder.data[who], encoded.encoder.masks[who]
    nothing = np.zeros_like(masks)
    twice = bits_learned(
        np.concatenate([data, data]), np.block([[masks, nothing], [nothing, masks]]), variance=1.0
    )
    assert stated < twice <= 2.0 * stated + 1e-12


def test_epsilon_is_that_of_the_worst_coalition_and_block():
    data, masks = np.array([[1.0, 0.0], [0.5, 0.5]]), np.array([[2.0], [0.5]])
    worst = anyk.worst_coalition(Mixture(data, masks).encode(np.zeros((2, 1))), colluders=1)
    assert worst.separation == pytest.approx(1.0)  # worker 1: 0.5 of signal, 0.5 of noise
    assert worst.epsilon(sensitivity=1.0, delta=1e-5) == pytest.approx(4.377, abs=1e-3)
    assert worst.epsilon(sensitivity=2.0, delta=1e-5) > worst.epsilon(sensitivity=1.0, delta=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_separation_is_how_far_one_block_moves_the_whitened_view_of_any_coalition(seed):
    generator = np.random.default_rng(seed)
    scheme = mixture(generator)
    size = int(generator.integers(1, 4))
    encoded = scheme.encode(np.zeros((scheme.data.shape[1], 1)))
    squares = []
    for who in map(list, itertools.combinations(range(len(scheme.data)), size)):
        data, masks = scheme.data[who], scheme.masks[who]
        moved = data.conj().T @ np.linalg.solve(masks @ masks.conj().T, data)
        squares += list(np.diagonal(moved).real * (2 if np.iscomplexobj(data) else 1))
    found = anyk.worst_coalition(encoded, colluders=size).separation
    assert found == pytest.approx(math.sqrt(max(squares)), rel=1e-6)


def test_without_noise_the_separation_is_infinite():
    encoded = Mixture(np.eye(1), np.zeros((1, 1))).encode(np.zeros((1, 1)))
    assert anyk.worst_coalition(encoded, colluders=1).separation == math.inf


def test_an_audit_of_larger_data_finds_more_and_no_more_than_they_leak():
    encoded = Mixture(np.eye(1), np.eye(1)).encode(np.zeros((1, 1)))
    found = [
        anyk.audit(encoded, colluders=1, data_std=each, generator=np.random.default_rng(0)).amount
        for each in (1.0, 10.0)
    ]
    assert 0.4 < found[0] <= 0.5 < found[1] <= anyk.leakage(encoded, colluders=1, data_std=10.0)


@pytest.mark.parametrize(
    ("scheme", "learned"),
    [
        (anyk.Lagrange(blocks=3, degree=1, workers=9, colluders=2, field=FIELD), [0, 0, 1, 2, 3]),
        (anyk.Harmonic(blocks=2, degree=2, field=FIELD), [0, 1]),
        (anyk.Frobenius(blocks=3, field=FIELD), [0, 1]),
        (anyk.Shamir(blocks=2, degree=1, workers=9, colluders=1, field=FIELD), [0, 1]),
        (anyk.Lagrange(blocks=2, degree=2, workers=5, field=FIELD), [1, 2]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_symbols_of_a_field_are_counted_exactly_from_both_sides(scheme, learned):
    encoded = scheme.encode(np.arange(scheme.problem.blocks))
    for colluders, symbols in enumerate(learned, start=1):
        assert anyk.leakage(encoded, colluders=colluders) == symbols
        assert anyk.audit(encoded, colluders=colluders).amount == symbols


def test_reals_on_a_field_leak_what_the_field_leaks():
    fixed = anyk.FixedPoint(fraction_bits=20, magnitude=0.7, degree=2, primes=3)
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=7, colluders=1)
    with anyk.Inline(7) as executor:
        data = anyk.distribute(scheme, [0.5, -0.25], executor, embedding=fixed)
        for colluders, symbols in ((1, 0.0), (2, 1.0)):
            assert anyk.leakage(data.encoded, colluders=colluders) == symbols
            assert anyk.audit(data.encoded, colluders=colluders).amount == symbols


def test_more_coalitions_than_can_be_tried_give_a_bound_and_a_find():
    encoded = anyk.Lagrange(blocks=2, degree=1, workers=100, colluders=3).encode([1, 2])
    worst = anyk.worst_coalition(encoded, colluders=3)
    assert (worst.found, worst.amount) == (0.0, 2.0)
    assert str(worst) == "3 workers learn at most 2 symbols a coordinate: 0, 1, 2 learn 0"


@pytest.mark.parametrize(
    "call",
    [
        lambda e: anyk.leakage(e, colluders=0),
        lambda e: anyk.leakage(e, colluders=8),
        lambda e: anyk.leakage(e.shares, colluders=1),
        lambda e: anyk.audit(e, colluders=1, samples=3),
        lambda e: anyk.audit(e, colluders=1, confidence=1.0),
        lambda e: anyk.worst_coalition(e, colluders=1).epsilon(sensitivity=1.0, delta=1e-6),
    ],
)
def test_what_makes_no_sense_is_refused(call):
    encoded = anyk.Lagrange(blocks=1, degree=1, workers=7, colluders=1).encode([1])
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        call(encoded)


def test_an_audit_speaks_of_one_symbol_and_of_several():
    encoded = anyk.Lagrange(blocks=2, degree=1, workers=5, colluders=1).encode([1, 2])
    one, two = (str(anyk.audit(encoded, colluders=number)) for number in (2, 3))
    assert "at least 1 symbol a coordinate" in one
    assert "at least 2 symbols a coordinate" in two


def test_data_std_must_be_a_size():
    encoded = anyk.FilledReplication(2, 4).encode([1.0, 2.0])
    with pytest.raises(anyk.InvalidArgument, match="data_std"):
        anyk.leakage(encoded, colluders=1, data_std=0.0)
    assert anyk.leakage(encoded, colluders=1) == math.inf
    assert anyk.audit(encoded, colluders=1).amount > 10


def test_a_worker_with_pieces_shows_all_of_them():
    field = anyk.PrimeField(101)
    encoded = anyk.Lagrange(2, 1, 5, colluders=1, pieces=2, field=field).encode([1, 2])
    assert [anyk.leakage(encoded, colluders=t) for t in (1, 2)] == [0.0, 2.0]
    assert [anyk.audit(encoded, colluders=t).amount for t in (1, 2)] == [0.0, 2.0]


def test_gradient_codes_and_products_show_their_blocks():
    field = anyk.PrimeField(101)
    encoded = anyk.CyclicRepetition(5, 2, domain=field).encode(np.arange(5))
    assert [anyk.leakage(encoded, colluders=t) for t in (1, 2)] == [3.0, 5.0]
    assert anyk.leakage(anyk.CyclicRepetition(5, 2).encode(np.ones(5)), colluders=1) == np.inf
    ones = np.ones((2, 6), int)
    product = anyk.Polynomial(partition=(2, 1, 3), workers=7).encode((ones, ones.T @ ones))
    assert [anyk.leakage(product, colluders=t) for t in (1, 2, 3, 4)] == [1.0, 2.0, 3.0, 3.0]
    with pytest.raises(anyk.InvalidArgument, match="one part"):
        anyk.audit(product, colluders=1)


def test_of_real_shares_a_worker_learns_from_all_of_its_pieces():
    generator = np.random.default_rng(3)
    data, masks = np.ones((6, 1)), 3.0 * generator.standard_normal((6, 6))
    encoded = Mixture(data, masks, pieces=2).encode(np.zeros((1, 1)))
    each = [bits_learned(data[n : n + 2], masks[n : n + 2], variance=1.0) for n in (0, 2, 4)]
    worst = anyk.worst_coalition(encoded, colluders=1)
    assert worst.amount == pytest.approx(max(each))
    assert worst.coalition == (int(np.argmax(each)),)
    noise = masks[2 * worst.coalition[0] :][:2]
    moved = np.ones(2) @ np.linalg.solve(noise @ noise.T, np.ones(2))
    assert worst.separation == pytest.approx(math.sqrt(moved))
    assert anyk.audit(encoded, colluders=1, samples=4000, generator=generator).amount <= max(each)
    shared = np.repeat(3.0 * np.eye(3), 2, axis=0) * np.tile([[1], [2]], (3, 1))
    hidden_by_one_number = Mixture(data, shared, pieces=2).encode(np.zeros((1, 1)))
    assert anyk.leakage(hidden_by_one_number, colluders=1) == math.inf


@dataclass(frozen=True, eq=False)
class Uneven(Mixture):
    """A code of outputs, of which a worker holds fewer blocks than others."""

    def encoder(self, layout):  # noqa: ARG002 - the seam has it
        return anyk.Encoder(data=self.data, masks=self.masks, of_outputs=True)

    @property
    def domain(self):
        return FIELD


def test_a_worker_that_holds_fewer_blocks_knows_no_others():
    code = Uneven(np.array([[1, 2, 0], [0, 1, 0], [3, 3, 3]]), np.zeros((3, 0), np.int64))
    encoded = anyk.Encoded(code, np.zeros((3, 1), np.int64), None)
    pair = anyk.worst_coalition(encoded, colluders=2)
    assert pair.amount == 3.0
    assert 2 in pair.coalition
    few = Uneven(np.array([[1, 2, 0], [0, 1, 0], [0, 3, 0]]), np.zeros((3, 0), np.int64))
    encoded = anyk.Encoded(few, np.zeros((3, 1), np.int64), None)
    assert anyk.leakage(encoded, colluders=3) == 2.0
