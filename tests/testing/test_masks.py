"""Schemes whose masks are broken fail the public check; honest ones do not."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import mask_faults as faults
import numpy as np
import pytest

import anyk
from anyk.randomness.entropy import (
    AbstractSource,
    InsecureTestSource,
    SystemSource,
    residues,
)
from anyk.randomness.gaussian import UNIT, normals
from anyk.randomness.grid import Grid
from anyk.randomness.masks import uniform_masks
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoder, blocks_of, rows_of
from anyk.schemes.encoded import Encoded
from anyk.testing.masks import quality

LARGE = anyk.PrimeField()

ONE = (
    faults.OneForAllCoordinates, faults.OneForTwoCoordinates, faults.EightBits,
    faults.HalfOfTheField, faults.AllEven, faults.ZeroOrOne, faults.Zero, faults.Counter,
    faults.RunningCounter, faults.ClockMilliseconds, faults.SmallSeed,
    partial(faults.SmallSeed, 256), partial(faults.SmallSeed, 1 << 12), faults.TwiceInARow,
    faults.OnceInAHundred, faults.TwiceShifted, faults.TwiceScaled, faults.EveryThirdASum,
    faults.PeriodOfSixteen, faults.PeriodOfFiveEncodings, partial(faults.BiasedBit, 0),
    partial(faults.BiasedBit, 17), partial(faults.BiasedBit, 30), faults.BitOfTheNeighbour,
    faults.NextPlusConstant, faults.EncodingPlusConstant, faults.Congruential, faults.OldLibrary,
    faults.Fibonacci, faults.FirstCoordinateBare, faults.EvenWithTheData,
    faults.LessWhereTheDataAreLess, faults.NoneForZeros, faults.MadeFromTheData,
)  # fmt: skip
SEVERAL = (
    faults.EqualMasks, faults.NegativeMasks, faults.OftenNegative, faults.ALittleMoreThanAnother,
    faults.LastMaskPoor, faults.CombinedWithTheData, faults.SumOfTwo,
)  # fmt: skip
IN_FIVE = (  # what can be told of residues from 0 to 4
    faults.OneForAllCoordinates, faults.OneForTwoCoordinates, faults.HalfOfTheField,
    faults.AllEven, faults.ZeroOrOne, faults.Zero, faults.Counter, faults.RunningCounter,
    faults.ClockMilliseconds, faults.SmallSeed, partial(faults.SmallSeed, 1 << 12),
    faults.TwiceInARow, faults.OnceInAHundred, faults.TwiceShifted, faults.TwiceScaled,
    faults.EveryThirdASum, faults.PeriodOfSixteen, faults.PeriodOfFiveEncodings,
    partial(faults.BiasedBit, 0), faults.BitOfTheNeighbour, faults.NextPlusConstant,
    faults.EncodingPlusConstant, faults.Congruential, faults.Fibonacci,
    faults.FirstCoordinateBare, faults.EvenWithTheData, faults.LessWhereTheDataAreLess,
    faults.NoneForZeros, faults.MadeFromTheData,
)  # fmt: skip
IN_TWO = [
    each
    for each in IN_FIVE
    if each
    not in {
        faults.HalfOfTheField,
        faults.ZeroOrOne,
        faults.BitOfTheNeighbour,
        faults.LessWhereTheDataAreLess,
    }
]
NOISE = (
    faults.OneForAllCoordinates, faults.OneForTwoCoordinates, faults.Zero, faults.Counter,
    faults.ClockMilliseconds, faults.SmallSeed, partial(faults.SmallSeed, 1 << 12),
    faults.TwiceInARow, faults.OnceInAHundred, faults.TwiceShifted, faults.EveryThirdASum,
    faults.PeriodOfSixteen, faults.PeriodOfFiveEncodings, faults.FirstCoordinateBare,
    faults.NoneForZeros, faults.HalfAsMuch, faults.FivePercentMore, faults.SometimesLittle,
    faults.Shifted, faults.Flat, faults.Signs, faults.SumOfThree, faults.HeavyTails,
    faults.OnACoarseGrid, faults.WithTheNeighbour, faults.WithTheEncodingBefore,
)  # fmt: skip
NOISES = (
    faults.EqualMasks, faults.NegativeMasks, faults.OftenNegative, faults.LastNoisePoor,
    faults.SumOfTwo, faults.WithTheOther,
)  # fmt: skip


def name(fault):
    made = fault()
    return " ".join([type(made).__name__, *map(str, getattr(fault, "args", ()))])


@pytest.fixture(autouse=True)
def numbers_alone(request, monkeypatch):
    """Faults are told by their numbers: the check of their source is left out."""
    if "source" not in request.node.name:
        monkeypatch.setattr(quality, "_check_source", lambda *_: None)


def broken(monkeypatch, scheme, where, fault):
    """The scheme with this fault in place of masks; the fault is told the data."""
    made, encode = fault(), type(scheme).encode

    def spying(self, X, **options):
        made.data = np.asarray(X)
        return encode(self, X, **options)

    monkeypatch.setattr(type(scheme), "encode", spying)
    masks = faults.as_normals(made, scheme.domain) if where == NORMALS else made
    monkeypatch.setattr(where, masks)
    return scheme


def check(scheme, seed=3, **options):
    generator = np.random.default_rng(seed)
    anyk.testing.check_scheme(scheme, generator=generator, patterns=2, **options)


MASKED = "anyk.randomness.masked.uniform_masks"
NORMALS = "anyk.randomness.noisy.normals"


@pytest.mark.parametrize("fault", ONE, ids=name)
def test_a_fault_of_one_mask_is_noticed(fault, monkeypatch):
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=9, adversaries=1, colluders=1)
    with pytest.raises(AssertionError):
        check(broken(monkeypatch, scheme, MASKED, fault))


@pytest.mark.parametrize("fault", SEVERAL, ids=name)
def test_a_fault_of_three_masks_is_noticed(fault, monkeypatch):
    scheme = anyk.Lagrange(blocks=2, degree=1, workers=6, colluders=3)
    with pytest.raises(AssertionError):
        check(broken(monkeypatch, scheme, MASKED, fault))


@pytest.mark.parametrize(
    ("fault", "modulus"),
    [*((each, 5) for each in IN_FIVE), *((each, 101) for each in IN_FIVE[::4])],
)
def test_a_fault_over_a_small_field_is_noticed(fault, modulus, monkeypatch):
    scheme = anyk.Shamir(blocks=2, degree=1, field=anyk.PrimeField(modulus))
    with pytest.raises(AssertionError):
        check(broken(monkeypatch, scheme, MASKED, fault), encodings=512)


def test_masks_that_two_blocks_share_are_noticed(monkeypatch):
    class Shared(faults.Fault):
        def spoil(self, masks):
            return np.tile(masks[:, : masks.shape[1] // 2], 2)  # all blocks' are drawn at once

    scheme = anyk.Shamir(blocks=2, degree=2, colluders=2)
    with pytest.raises(AssertionError, match="not independent"):
        check(broken(monkeypatch, scheme, MASKED, Shared))


@pytest.mark.parametrize(
    ("fault", "real"), [*((each, True) for each in NOISE), *((each, False) for each in NOISE[::3])]
)
def test_a_fault_of_noise_is_noticed(fault, real, monkeypatch):
    if real:
        scheme = anyk.Berrut(blocks=3, workers=8, colluders=1, leakage=0.5)
    else:
        scheme = anyk.AnalogLagrange(blocks=2, degree=1, workers=5, colluders=1, leakage=0.3)
    with pytest.raises(AssertionError):
        check(broken(monkeypatch, scheme, NORMALS, fault))


@pytest.mark.parametrize("fault", NOISES, ids=name)
@pytest.mark.parametrize("real", [True, False], ids=["real", "complex"])
def test_a_fault_of_three_noises_is_noticed(fault, real, monkeypatch):
    if real:
        scheme = anyk.Berrut(blocks=3, workers=12, colluders=3, leakage=0.5)
    else:
        scheme = anyk.AnalogLagrange(blocks=1, degree=1, workers=6, colluders=3, leakage=0.3)
    with pytest.raises(AssertionError):
        check(broken(monkeypatch, scheme, NORMALS, fault))


def test_complex_noise_without_an_imaginary_part_is_noticed(monkeypatch):
    scheme = anyk.AnalogLagrange(blocks=2, degree=1, workers=5, colluders=1, leakage=0.3)
    with pytest.raises(AssertionError, match="variance 1"):
        check(broken(monkeypatch, scheme, NORMALS, faults.RealAlone))


def _from_elsewhere(given):
    return [SystemSource() if isinstance(each, AbstractSource) else each for each in given]


@pytest.mark.parametrize("where", [MASKED, NORMALS])
def test_masks_from_elsewhere_than_the_source_are_noticed(where, monkeypatch):
    scheme = (
        anyk.Lagrange(blocks=2, degree=1, workers=4, colluders=1)
        if where == MASKED
        else anyk.Berrut(blocks=3, workers=8, colluders=1, leakage=0.5)
    )
    masks = uniform_masks if where == MASKED else normals
    monkeypatch.setattr(where, lambda *given: masks(*_from_elsewhere(given)))
    with pytest.raises(AssertionError, match="elsewhere than the source"):
        check(scheme)


def test_a_source_for_tests_is_refused_as_the_usual_one(monkeypatch):
    encode = anyk.Lagrange.encode

    def careless(self, X, *, source=InsecureTestSource(1)):  # noqa: B008 - that is the fault
        return encode(self, X, source=source)

    monkeypatch.setattr(anyk.Lagrange, "encode", careless)
    with pytest.raises(AssertionError, match="source of masks is one for tests"):
        check(anyk.Lagrange(blocks=2, degree=1, workers=4, colluders=1))


@dataclass(frozen=True)
class Pad(AbstractScheme):
    """A mask, and a block plus the mask: the smallest private scheme there is."""

    field: anyk.PrimeField
    bias: int = 0

    problem = anyk.Map(blocks=1, degree=1)
    guarantee = anyk.Guarantee(
        workers=2, threshold=2, stragglers=0, adversaries=0, colluders=1, exact=True, leakage=0.0,
        load=1.0,
    )  # fmt: skip

    @property
    def domain(self):
        return self.field

    def encode(self, X, *, source=SystemSource()):
        data = blocks_of(X, 1, self.field)
        masks = uniform_masks(self.field, data.shape, source)
        masks = masks * (uniform_masks(anyk.PrimeField(1009), data.shape, source) >= self.bias)
        return Encoded(self, np.concatenate([masks, self.field.reduce(data + masks)]), None)

    def sufficient(self, answered):
        return set(answered) == {0, 1}

    def encoder(self, layout: Any, operand=0):  # noqa: ARG002 - it depends on no data
        return Encoder(data=np.array([[0], [1]]), masks=np.array([[1], [1]]))

    def recovery(self, layout: Any, answered):  # noqa: ARG002
        if not self.sufficient(answered):
            raise anyk.NotEnoughAnswers(answered=answered, missing=[0, 1], needed="both answers")
        return Difference(self.field, answered)


@dataclass(frozen=True)
class Difference(AbstractRecovery):
    field: anyk.PrimeField
    workers: tuple[int, ...]

    @property
    def answered(self):
        return self.workers

    @property
    def matrix(self):
        return self.field.reduce(2 * np.array([self.workers]) - 1)

    def recover(self, values):
        rows = self.field.validate(values, "values")
        if len(rows) != 2:
            raise anyk.InvalidArgument("values", given="not 2 rows", needed="2", change="Pass 2.")
        return anyk.Recovered(value=self.field.matmul(self.matrix, rows))


@pytest.mark.parametrize("modulus", [2, 3, 5, 13, 101, 65537, 2**31 - 1])
def test_a_pad_passes_over_any_field(modulus):
    check(Pad(anyk.PrimeField(modulus)))
    check(Pad(anyk.PrimeField(modulus)), encodings=16)


@pytest.mark.parametrize("modulus", [2, 3, 5, 13, 101, 65537, 2**31 - 1])
def test_a_pad_of_which_an_eighth_is_bare_is_noticed(modulus):
    with pytest.raises(AssertionError, match="not uniform"):
        check(Pad(anyk.PrimeField(modulus), bias=126))


@pytest.mark.parametrize("fault", IN_TWO, ids=name)
def test_a_fault_of_bits_is_noticed(fault, monkeypatch):
    made = fault()

    def spied(self, X, *, source=SystemSource()):
        made.data = np.asarray(X)
        data = blocks_of(X, 1, self.field)
        masks = made(self.field, data.shape, source)
        return Encoded(self, np.concatenate([masks, self.field.reduce(data + masks)]), None)

    monkeypatch.setattr(Pad, "encode", spied)
    with pytest.raises(AssertionError):
        check(Pad(anyk.PrimeField(2)), encodings=512)


def test_encodings_are_a_number():
    with pytest.raises(anyk.InvalidArgument, match="encodings"):
        check(Pad(anyk.PrimeField(5)), encodings=3)


@dataclass(frozen=True)
class Noisy(AbstractScheme):
    """A copy of every block under noise of its own; the flaw says how the noise is added."""

    flaw: str = ""

    problem = anyk.Map(blocks=2, degree=1)
    domain = anyk.Reals()
    guarantee = anyk.Guarantee(
        workers=4, threshold=4, stragglers=0, adversaries=0, colluders=1, exact=False,
        leakage=0.5, load=1.0, data_std=1.0,
    )  # fmt: skip

    def encode(self, X, *, source=SystemSource()):
        data = blocks_of(X, 2, self.domain)
        encoder = self.encoder(None)
        noise = normals(source, (2, data[0].size)) * UNIT
        if self.flaw == "coarse noise":
            noise = np.rint(noise * 2.0**20) * 2.0**-20
        flat = data.reshape(2, -1)
        shares = encoder.data @ flat + encoder.masks @ noise
        steps = np.full((4, 1), 2.0**-30)
        if self.flaw == "a step by the data":
            steps *= 2.0 ** np.rint(np.log2(np.abs(flat).max() + 1e-9))
        if self.flaw not in {"not rounded", "no grid"}:
            shares = np.rint(shares / steps) * steps
        return Encoded(self, shares.reshape(4, *data.shape[1:]), None)

    def sufficient(self, answered):
        return set(answered) == {0, 1, 2, 3}

    def encoder(self, layout: Any, operand=0):  # noqa: ARG002 - it depends on no data
        data, masks = np.tile(np.eye(2), (2, 1)), np.tile(2.0 * np.eye(2), (2, 1))
        masks[2:] *= -1.0
        grid = None if self.flaw == "no grid" else Grid(steps=np.full(4, 2.0**-30), limit=64.0)
        return Encoder(data=data, masks=masks, grid=grid)

    def recovery(self, layout: Any, answered):  # noqa: ARG002
        if not self.sufficient(answered):
            raise anyk.NotEnoughAnswers(answered=answered, missing=[], needed="all answers")
        return Middle(tuple(answered))


@dataclass(frozen=True)
class Middle(AbstractRecovery):
    """The middle of both copies, in which the noise cancels."""

    workers: tuple[int, ...]

    @property
    def answered(self):
        return self.workers

    @property
    def matrix(self):
        return 0.5 * np.tile(np.eye(2), (1, 2))[:, list(self.workers)]

    def recover(self, values):
        rows = rows_of(values, self.workers, anyk.Reals())
        value = np.tensordot(self.matrix, rows, axes=1)
        return anyk.Recovered(value=value, error_estimate=1e-6)


def test_noise_on_a_grid_passes():
    check(Noisy(), function=np.array)


@pytest.mark.parametrize(
    ("flaw", "message"),
    [
        ("no grid", "noise without a grid"),
        ("not rounded", "beside the grid"),
        ("a step by the data", "is left|beside the grid"),
        ("coarse noise", "last bits"),
    ],
)
def test_noise_beside_a_grid_is_noticed(flaw, message):
    with pytest.raises(AssertionError, match=message):
        check(Noisy(flaw), function=np.array)


def test_the_noise_that_was_seen_through_is_noticed(monkeypatch):
    """Pairs of normal numbers from 52-bit uniforms, added as floats."""

    def floats(data, masks, blocks, *, grid, source):  # noqa: ARG001 - no grid
        flat = blocks.reshape(len(blocks), -1)
        words = residues(source, 1 << 31, (2, 2, masks.shape[1], flat.shape[1]))
        first, second = ((words[0] << 21 | words[1] >> 10) + 0.5) * 2.0**-52
        noise = np.sqrt(-2.0 * np.log(first)) * np.cos(2.0 * np.pi * second)
        return (data @ flat + masks @ noise).reshape(-1, *blocks.shape[1:])

    monkeypatch.setattr("anyk.randomness.noisy.under_noise", floats)
    with pytest.raises(AssertionError, match="beside the grid"):
        check(anyk.Berrut(blocks=3, workers=8, colluders=1, leakage=0.5))
