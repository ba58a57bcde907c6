"""Every built-in passes the public checks, and the checks notice what is broken."""

from dataclasses import replace

import numpy as np
import pytest

import anyk
from anyk.domains.prime import PrimeField
from anyk.executors.core.base import AbstractExecutor
from anyk.executors.core.dispatcher import PostedDispatch
from anyk.faults import Corrupt, Crash, Faulty
from anyk.randomness.entropy import InsecureTestSource
from anyk.randomness.gaussian import normals
from anyk.schemes.base import AbstractScheme
from anyk.schemes.encoded import Encoded

DOMAINS = (
    anyk.PrimeField(2),
    anyk.PrimeField(101),
    anyk.PrimeField(),
    anyk.Reals(),
    anyk.Complex(),
    anyk.Reals(dtype=np.float32),
    anyk.Complex(dtype=np.complex64),
    anyk.Values(),
    anyk.Values(finite=True),
)
SCHEMES = tuple(scheme for row in anyk.CATALOGUE for scheme in row.examples())
EXECUTORS = (anyk.Inline, anyk.Threads, anyk.Processes, anyk.Simulated)


@pytest.fixture
def generator():
    return np.random.default_rng(2026)


@pytest.mark.parametrize("domain", DOMAINS, ids=repr)
def test_domain(domain, generator):
    anyk.testing.check_domain(domain, generator=generator)


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_scheme(scheme, generator):
    anyk.testing.check_scheme(scheme, generator=generator)


@pytest.mark.parametrize("shape", [(), (1,), (3, 2)])
def test_scheme_with_blocks_of_any_shape(shape, generator):
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=6, adversaries=1)
    anyk.testing.check_scheme(scheme, generator=generator, shape=shape)


@pytest.mark.parametrize("make", EXECUTORS, ids=lambda make: make.__name__)
def test_executor(make):
    with make(4) as executor:
        anyk.testing.check_executor(executor)


@pytest.mark.parametrize("make", EXECUTORS, ids=lambda make: make.__name__)
def test_executor_under_a_wrapper_without_faults(make):
    with make(3) as executor:
        anyk.testing.check_executor(Faulty(executor, {}))


# The checks must be able to fail.


def test_check_domain_notices_a_rounding_product(generator, monkeypatch):
    def product(field, small, big):
        return (small.astype(float) @ big.astype(float) % field.modulus).astype(np.int64)

    monkeypatch.setattr(PrimeField, "matmul", product)
    with pytest.raises(AssertionError, match="not exact"):
        anyk.testing.check_domain(anyk.PrimeField(), generator=generator)


def test_check_domain_notices_a_careless_validation(generator, monkeypatch):
    monkeypatch.setattr(
        anyk.Reals, "validate", lambda _self, values, _name: np.asarray(values, float)
    )
    with pytest.raises((AssertionError, ValueError)):
        anyk.testing.check_domain(anyk.Reals(), generator=generator)


@pytest.mark.parametrize(
    ("flaw", "message"),
    [
        ("threshold", "1 more answer would tell"),
        ("adversaries", "contradict each other"),
        ("colluders", "learn"),
    ],
)
def test_check_scheme_notices_a_promise_that_is_not_kept(flaw, message, generator, monkeypatch):
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=9, adversaries=1, colluders=1)
    honest = scheme.guarantee
    claims = {
        "threshold": replace(honest, threshold=honest.threshold - 1, stragglers=3),
        "adversaries": replace(honest, adversaries=2),
        "colluders": replace(honest, colluders=2),
    }
    monkeypatch.setattr(anyk.Lagrange, "guarantee", property(lambda _self: claims[flaw]))
    with pytest.raises(AssertionError, match=message):
        anyk.testing.check_scheme(scheme, generator=generator)


def test_check_scheme_notices_masks_that_repeat(generator, monkeypatch):
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=6, colluders=1)
    encode = anyk.Lagrange.encode

    def lazy(self, X, **_):
        return encode(self, X, source=InsecureTestSource(0))

    monkeypatch.setattr(anyk.Lagrange, "encode", lazy)
    with pytest.raises(AssertionError, match="same masks"):
        anyk.testing.check_scheme(scheme, generator=generator)


ANALOG = anyk.AnalogLagrange(blocks=2, degree=1, workers=5, colluders=1, leakage=0.3)


@pytest.mark.parametrize(
    ("masks", "message"),
    [
        (lambda source, shape: normals(source, shape) // 2, "variance 1"),
        (
            lambda source, shape: np.broadcast_to(normals(source, (shape[0], 1)), shape),
            "variance 1|correlation",
        ),
        (
            lambda source, shape: np.repeat(
                normals(source, (shape[0], -(-shape[1] // 2))), 2, axis=-1
            )[:, : shape[1]],
            "correlation",
        ),
    ],
    ids=["too little", "one for all coordinates", "one for two coordinates"],
)
def test_check_scheme_notices_poor_noise(masks, message, generator, monkeypatch):
    monkeypatch.setattr("anyk.randomness.noisy.normals", masks)
    with pytest.raises(AssertionError, match=message):
        anyk.testing.check_scheme(ANALOG, generator=generator)


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        ({"leakage": 0.2}, r"learn 0.29\d+ bits; 0.2 are promised"),
        ({"colluders": 2}, "learn"),
        ({"data_std": 2.0}, "learn"),
        ({"data_std": None}, "no leakage for data"),
    ],
    ids=repr,
)
def test_check_scheme_notices_bits_that_are_not_promised(claim, message, generator, monkeypatch):
    false = replace(ANALOG.guarantee, **claim)
    monkeypatch.setattr(anyk.AnalogLagrange, "guarantee", property(lambda _self: false))
    with pytest.raises(AssertionError, match=message):
        anyk.testing.check_scheme(ANALOG, generator=generator)


def test_check_scheme_notices_a_promise_that_says_nothing(generator, monkeypatch):
    monkeypatch.setattr("anyk.testing.masking.bits_learned", lambda *_, **__: 0.0)
    with pytest.raises(AssertionError, match="all workers together learn no more"):
        anyk.testing.check_scheme(ANALOG, generator=generator)


def test_check_scheme_notices_an_estimate_that_is_too_small(generator, monkeypatch):
    monkeypatch.setattr(
        "anyk.schemes.approximate.analog_lagrange.recovery.relative_error", lambda *_: 1e-18
    )
    scheme = replace(ANALOG, leakage=1e-6)
    with pytest.raises(AssertionError, match="off by"):
        anyk.testing.check_scheme(scheme, generator=generator)


def test_check_scheme_notices_shares_that_are_not_what_the_matrices_say(generator, monkeypatch):
    encode = anyk.Harmonic.encode

    def careless(self, X, **_):
        encoded = encode(self, X)
        encoded.parts[0][2, 0] ^= 1
        return encoded

    monkeypatch.setattr(anyk.Harmonic, "encode", careless)
    with pytest.raises(AssertionError, match="not D·blocks"):
        anyk.testing.check_scheme(anyk.Harmonic(blocks=3, degree=2), generator=generator)


def test_check_scheme_notices_a_wrong_sum(generator, monkeypatch):
    monkeypatch.setattr(anyk.Summed, "_sum", lambda self, rows: self.domain.reduce(rows[0] * 2))
    scheme = anyk.Summed(anyk.Lagrange(blocks=2, degree=2, workers=5, adversaries=1))
    with pytest.raises(AssertionError, match="a wrong value"):
        anyk.testing.check_scheme(scheme, generator=generator)


def test_check_scheme_finds_the_few_colluders_who_learn_something(generator):
    scheme = anyk.Shamir(blocks=12, degree=1, colluders=2)  # a random three hold other blocks
    anyk.testing.check_scheme(scheme, generator=generator, patterns=2)


def test_check_scheme_notices_overlapping_points(generator, monkeypatch):
    def overlapping(_field, nodes, workers):  # as in public code: block 0 in the clear
        return np.arange(nodes), np.arange(workers)

    monkeypatch.setattr("anyk.schemes.maps.lagrange.disjoint_points", overlapping)
    field = anyk.PrimeField(10007)  # of this test alone: matrices are remembered by scheme
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=6, colluders=1, field=field)
    with pytest.raises(AssertionError, match=r"workers \(0,\) learn 1 symbols"):
        anyk.testing.check_scheme(scheme, generator=generator)


def test_check_scheme_notices_a_wrong_value(generator, monkeypatch):
    original = Encoded.recovery

    def shifted(self, answered):
        return original(self, answered[::-1])

    monkeypatch.setattr(Encoded, "recovery", shifted)
    with pytest.raises(AssertionError):
        anyk.testing.check_scheme(anyk.Replication(blocks=3, workers=3), generator=generator)


@pytest.mark.parametrize("fault", [Corrupt(), Crash()], ids=repr)
def test_check_executor_notices_bad_workers(fault):
    with anyk.Threads(4) as executor:
        with pytest.raises(AssertionError, match="worker 2"):
            anyk.testing.check_executor(Faulty(executor, {2: fault}))


def test_check_executor_notices_shares_that_go_astray(monkeypatch):
    place = anyk.Inline.place

    def reversed_shares(self, parts, pieces=1):
        return place(self, [part[::-1] for part in parts], pieces)

    monkeypatch.setattr(anyk.Inline, "place", reversed_shares)
    with pytest.raises(AssertionError, match="computed"):
        anyk.testing.check_executor(anyk.Inline(4))


def test_check_executor_notices_shares_that_are_not_skipped(monkeypatch):
    monkeypatch.setattr(PostedDispatch, "skip", lambda _, share: share % 2 == 0)
    with anyk.Threads(4) as executor:
        with pytest.raises(AssertionError, match="skipped"):
            anyk.testing.check_executor(executor)


def test_every_executor_and_every_scheme_is_checked():
    built_in = {
        item for item in (getattr(anyk, name) for name in anyk.__all__) if isinstance(item, type)
    }
    executors = {item for item in built_in if issubclass(item, AbstractExecutor)}
    elsewhere = {
        anyk.WithMaster,
        anyk.Paced,
        anyk.Remote,
        anyk.Dask,
        anyk.Ray,
        anyk.Futures,
    }  # in tests/executors
    assert executors - {AbstractExecutor} == {*EXECUTORS, *elsewhere}
    schemes = {item for item in built_in if issubclass(item, AbstractScheme)} - {AbstractScheme}
    assert schemes == {row.scheme for row in anyk.CATALOGUE}
    for row in anyk.CATALOGUE:
        assert {type(scheme) for scheme in row.examples()} == {row.scheme}
