"""Schemes over the reals in single precision: half the bytes, and estimates that still hold."""

import numpy as np
import pytest

import anyk

SINGLE, SINGLES = anyk.Reals(dtype=np.float32), anyk.Complex(dtype=np.complex64)
SCHEMES = (
    anyk.Spline(3, 8, domain=SINGLE),
    anyk.Berrut(3, 8, domain=SINGLE),
    anyk.Berrut(3, 8, colluders=1, leakage=0.5, domain=SINGLE),
    anyk.ChebyshevLagrange(3, 2, 7, domain=SINGLE),
    anyk.ChebyshevLagrange(2, 3, 4, detects=0, domain=SINGLE),
    anyk.AnalogLagrange(3, 2, 12, adversaries=1, stragglers=2, domain=SINGLES),
    anyk.AnalogLagrange(2, 2, 8, colluders=1, sigma=5.0, radius=1.2, domain=SINGLES),
    anyk.FilledReplication(3, 8, domain=SINGLE),
    anyk.VeiledReplication(3, 12, colluders=1, leakage=0.5, domain=SINGLE),
    anyk.Agreed(anyk.Spline(3, 6, stragglers=2, domain=SINGLE), adversaries=0, workers=13),
    anyk.Replication(2, 7, adversaries=1, domain=SINGLE),
    anyk.Replication(2, 4, domain=SINGLES),
    anyk.CyclicRepetition(5, 2, domain=SINGLE),
    anyk.CyclicRepetition(4, 1, domain=SINGLES),
    anyk.MDS((2, 1, 1), 5, domain=SINGLES, adversaries=1),
    anyk.MDS((4, 1, 1), 5, domain=SINGLE, pieces=2),
    anyk.Polynomial((2, 1, 3), 8, domain=SINGLE),
    anyk.MatDot((1, 3, 1), 8, domain=SINGLE, adversaries=1),
    anyk.PolyDot((2, 2, 2), 16, domain=SINGLES),
    anyk.Entangled((2, 2, 2), 11, domain=SINGLE),
    anyk.OrthoMatDot((1, 2, 1), 6, domain=SINGLE),
    anyk.OrthoPolynomial((2, 1, 2), 7, domain=SINGLE),
    anyk.Rotation((2, 1, 2), 7, domain=SINGLE),
    anyk.Circulant((3, 1, 1), 5, domain=SINGLE),
    anyk.ShortDot((2, 1, 1), 5, threshold=4, domain=SINGLE),
    anyk.Uncoded((2, 2, 1), 9, domain=SINGLE),
)


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
def test_conformance(scheme):
    generator = np.random.default_rng(2026)
    anyk.testing.check_scheme(scheme, generator=generator, patterns=30, encodings=64)


def smooth(block):
    return np.tanh(block @ np.linspace(-1.0, 1.0, 24, dtype=block.dtype).reshape(8, 3))


def square(block):
    return block * block


@pytest.mark.parametrize(
    ("scheme", "function"),
    [
        (anyk.Spline(6, 18), smooth),
        (anyk.Spline(6, 24, adversaries=1), smooth),
        (anyk.Berrut(6, 24), smooth),
        (anyk.VeiledReplication(6, 60, colluders=1, leakage=0.5), smooth),
        (anyk.ChebyshevLagrange(4, 2, 10), square),
        (anyk.AnalogLagrange(4, 2, 16, adversaries=1), square),
    ],
    ids=lambda each: type(each).__name__,
)
def test_errors_stay_within_their_estimates(scheme, function):
    """A few per cent of the estimates of functions that no curve is may fail in any precision."""
    generator = np.random.default_rng(1)
    domain = SINGLES if isinstance(scheme, anyk.AnalogLagrange) else SINGLE
    single = type(scheme)(**{**vars(scheme), "domain": domain})
    missed = 0
    for _ in range(40):
        X = np.cumsum(generator.normal(size=(scheme.blocks, 5, 8)) / 4, axis=0).astype(np.float32)
        encoded = single.encode(X)
        assert encoded.shares.dtype == domain.dtype
        assert 2 * encoded.shares.nbytes == scheme.encode(X).shares.nbytes
        late = generator.choice(scheme.workers, scheme.guarantee.stragglers, replace=False)
        answered = sorted({*range(scheme.workers)} - {*late.tolist()})
        answers = np.stack([function(share) for share in encoded.shares[answered]])
        recovered = encoded.decode(answers, answered)
        assert recovered.value.dtype == domain.dtype
        truth = np.stack([function(block) for block in X.astype(float)])
        off = np.linalg.norm(recovered.value - truth) / np.linalg.norm(recovered.value)
        missed += off > recovered.error_estimate
    assert missed <= 2


def test_a_curve_that_fits_tells_the_rounding_of_single_precision():
    """Where nothing else is wrong, the estimate is not below what rounding leaves."""
    for scheme in (anyk.Spline(4, 12, domain=SINGLE), anyk.Berrut(4, 12, domain=SINGLE)):
        encoded = scheme.encode(np.linspace(0.1, 0.7, 4))
        recovered = encoded.decode(np.full(12, 0.3), range(12))
        assert recovered.error_estimate >= 1e-7


@pytest.mark.parametrize("scheme", [each for each in SCHEMES if hasattr(each, "partition")])
def test_errors_of_products_stay_within_their_estimates(scheme):
    generator = np.random.default_rng(3)
    for scale in (1.0, 1e-3, np.logspace(-3, 3, 24)[:, None]):
        A = (scale * generator.normal(size=(24, 60))).astype(np.float32)
        B = generator.normal(size=(60, 12)).astype(np.float32)
        encoded = scheme.encode((A, B))
        assert {part.dtype for part in encoded.parts} == {scheme.domain.dtype}
        answered = sorted(generator.permutation(scheme.workers)[: scheme.guarantee.threshold])
        answered = [share for who in answered for share in encoded.held_by([int(who)])]
        left, right = encoded.parts
        answers = np.stack([left[share] @ right[share] for share in answered])
        recovered = encoded.decode(answers, answered)
        assert recovered.value.dtype == scheme.domain.dtype
        assert recovered.suspects == ()
        off = np.linalg.norm(recovered.value - A.astype(float) @ B)
        off /= np.linalg.norm(recovered.value)
        assert off <= (recovered.error_estimate or 1e-6) < 1e-3


@pytest.mark.parametrize("lie", [1e-2, 1.0])
def test_a_liar_among_products_in_single_precision_is_named(lie):
    generator = np.random.default_rng(4)
    scheme = anyk.MDS((4, 1, 1), 9, domain=SINGLE, adversaries=1)
    A, B = generator.normal(size=(24, 60)), generator.normal(size=(60, 12))
    encoded = scheme.encode((A, B))
    answers = encoded.parts[0] @ encoded.parts[1]
    for liar in range(9):
        spoiled = answers.copy()
        spoiled[liar] *= 1.0 + lie
        assert encoded.decode(spoiled, range(9)).suspects == (liar,)


def test_what_single_precision_does_not_hold_is_refused():
    with pytest.raises(anyk.InvalidArgument, match="24 bits"):
        SINGLE.validate(np.array([2**24 + 1]), "X")
    with pytest.raises(anyk.InvalidArgument, match="finite"):
        anyk.Spline(2, 4, domain=SINGLE).encode([1e39, 1.0])
    assert SINGLE.validate(np.array([2**24]), "X").dtype == np.float32


@pytest.mark.parametrize("kind", [anyk.Spline, anyk.Berrut, anyk.FilledReplication])
def test_other_domains_are_refused(kind):
    for other in (anyk.PrimeField(), anyk.Values(), float, None):
        with pytest.raises(anyk.InvalidArgument):
            kind(2, 6, domain=other)
