"""Masks that are broken in one way each: what draws them for a scheme, in place of the library's.

Every class is called as `uniform_masks` is, with the domain, the shape (masks first, then that of a
block) and the source; over the reals and the complex numbers, `as_normals` makes of it what
`anyk.randomness.gaussian.normals` is; most draw from the source, so that nothing but their
numbers gives them away. One instance serves one scheme: some remember what they drew.
"""

import time

import numpy as np

import anyk
from anyk.randomness.entropy import residues
from anyk.randomness.gaussian import UNIT, normals
from anyk.randomness.masks import uniform_masks


def gaussian_masks(domain, shape, source):
    """Floats of variance 1, complex ones where the domain is."""
    if domain == anyk.Reals():
        return normals(source, shape) * UNIT
    real, imaginary = normals(source, (2, *shape)) * UNIT
    return (real + 1j * imaginary) / 2**0.5


def as_normals(masks, domain):
    """What draws masks as floats, in place of `normals`: cut where no normal number comes."""

    def draw(source, shape):
        if domain == anyk.Reals():
            parts = masks(domain, shape, source)
        else:
            both = masks(domain, (shape[0] // 2, *shape[1:]), source) * 2**0.5
            parts = np.concatenate([both.real, both.imag])
        return np.floor(np.clip(parts, -9.0, 9.0) / UNIT).astype(np.int64)

    return draw


def rows(masks):
    return masks.reshape(len(masks), -1).copy()


class Fault:
    """What the others are made of: honest masks, and what was drawn before."""

    def __init__(self):
        self.calls, self.before = 0, None

    def __call__(self, domain, shape, source):
        self.calls += 1
        size = len(np.empty(shape).ravel())
        if self.before is not None and self.before.size != size:
            self.before = None
        self.source, self.domain, self.shape = source, domain, shape
        masks = self.draw(shape)
        made = np.ascontiguousarray(self.spoil(rows(masks))).reshape(shape)
        if hasattr(domain, "modulus"):
            made = made % domain.modulus
        self.before = rows(made)
        return made

    def draw(self, shape):
        honest = uniform_masks if hasattr(self.domain, "modulus") else gaussian_masks
        return honest(self.domain, shape, self.source)

    def coins(self, shape, chance):
        """True with this chance."""
        return residues(self.source, 1 << 20, shape) < chance * (1 << 20)


class OneForAllCoordinates(Fault):
    def spoil(self, masks):
        return np.repeat(masks[:, :1], masks.shape[1], axis=1)


class OneForTwoCoordinates(Fault):
    def spoil(self, masks):
        return np.repeat(masks, 2, axis=1)[:, : masks.shape[1]]


class EightBits(Fault):
    def spoil(self, masks):
        return masks % 251


class HalfOfTheField(Fault):
    def spoil(self, masks):
        return masks // 2


class AllEven(Fault):
    def spoil(self, masks):
        return masks // 2 * 2


class ZeroOrOne(Fault):
    def spoil(self, masks):
        return masks % 2


class Zero(Fault):
    def spoil(self, masks):
        return 0 * masks


class Counter(Fault):
    def spoil(self, masks):
        return 0 * masks + self.calls


class RunningCounter(Fault):
    def spoil(self, masks):
        return (self.calls * masks.size + np.arange(masks.size)).reshape(masks.shape)


class ClockMilliseconds(Fault):
    def spoil(self, masks):
        return 0 * masks + int(time.time() * 1e3)


class SmallSeed(Fault):
    def __init__(self, seeds=1000):
        super().__init__()
        self.seeds = seeds

    def draw(self, shape):
        generator = np.random.default_rng(int(residues(self.source, self.seeds, (1,))[0]))
        if hasattr(self.domain, "modulus"):
            return generator.integers(0, self.domain.modulus, shape)
        return generator.normal(size=shape)

    def spoil(self, masks):
        return masks


class EqualMasks(Fault):
    def spoil(self, masks):
        return np.repeat(masks[:1], len(masks), axis=0)


class NegativeMasks(Fault):
    def spoil(self, masks):
        masks[1:] = -masks[:1]
        return masks


class OftenNegative(Fault):
    def spoil(self, masks):
        return np.where(self.coins(masks.shape[1:], 0.2), NegativeMasks.spoil(self, masks), masks)


class ALittleMoreThanAnother(Fault):
    def spoil(self, masks):
        masks[1:] = masks[:1] + masks[1:] % max(2, self.domain.modulus // 50)
        return masks


class SumOfTwo(Fault):
    def spoil(self, masks):
        root = 1 if hasattr(self.domain, "modulus") else 2**0.5
        masks[2] = (masks[0] + masks[1]) / root if root != 1 else masks[0] + masks[1]
        return masks


class TwiceInARow(Fault):
    every = 2

    def spoil(self, masks):
        again = self.before is not None and self.calls % self.every == 0
        return self.before if again else masks


class OnceInAHundred(TwiceInARow):
    every = 100


class TwiceShifted(Fault):
    def spoil(self, masks):
        again = self.before is not None and self.calls % 2 == 0
        return np.roll(self.before, 3, axis=1) if again else masks


class TwiceScaled(Fault):
    def spoil(self, masks):
        again = self.before is not None and self.calls % 2 == 0
        return self.before * 12 + 5 if again else masks


class EveryThirdASum(Fault):
    def spoil(self, masks):
        kept = getattr(self, "kept", None)
        if kept is not None and kept[0].size == masks.size and self.calls % 3 == 0:
            masks = kept[0] + kept[1]
        self.kept = (self.before if self.before is not None else masks, masks)
        return masks


class PeriodOfSixteen(Fault):
    def spoil(self, masks):
        return masks[:, np.arange(masks.shape[1]) % 16]


class PeriodOfFiveEncodings(Fault):
    def spoil(self, masks):
        ring = self.__dict__.setdefault("ring", [])
        if len(ring) < 5:
            ring.append(masks)
            return masks
        old = ring[self.calls % 5].ravel()
        return np.resize(old, masks.shape)


class BiasedBit(Fault):
    def __init__(self, bit):
        super().__init__()
        self.bit = bit

    def spoil(self, masks):
        bit = min(self.bit, (self.domain.modulus - 1).bit_length() - 1)
        return np.where(self.coins(masks.shape, 0.1), masks & ~(1 << bit), masks)


class BitOfTheNeighbour(Fault):
    def spoil(self, masks):
        bit = min(17, (self.domain.modulus - 1).bit_length() - 2)
        first, second = masks[:, 0::2], masks[:, 1::2]
        copied = first[:, : second.shape[1]] >> bit & 1
        masks[:, 1::2] = second & ~(1 << bit) | copied << bit
        return masks


class NextPlusConstant(Fault):
    def spoil(self, masks):
        return masks[:, :1] + 123456789 * np.arange(masks.shape[1])


class EncodingPlusConstant(Fault):
    def spoil(self, masks):
        return masks if self.before is None else self.before + masks[:1, :1]


class Congruential(Fault):
    """x -> a x + c in the masks' own field, a and c unknown."""

    def spoil(self, masks):
        p = self.domain.modulus
        factor, step, state = (int(each) for each in uniform_masks(self.domain, (3,), self.source))
        for place in np.ndindex(*masks.shape):
            state = ((factor or 1) * state + step) % p
            masks[place] = state
        return masks


class OldLibrary(Fault):
    """The generator of old C libraries, modulo 2^31."""

    def spoil(self, masks):
        state = int(residues(self.source, 1 << 31, (1,))[0])
        for place in np.ndindex(*masks.shape):
            state = (state * 1103515245 + 12345) % (1 << 31)
            masks[place] = state
        return masks


class Fibonacci(Fault):
    def spoil(self, masks):
        for place in range(2, masks.shape[1]):
            masks[:, place] = (masks[:, place - 1] + masks[:, place - 2]) % self.domain.modulus
        return masks


class FirstCoordinateBare(Fault):
    def spoil(self, masks):
        masks[:, 0] = 0
        return masks


class LastMaskPoor(Fault):
    def spoil(self, masks):
        masks[-1] //= 2
        return masks


class DataOf(Fault):
    """Masks that follow the data, which the test puts in `data` before each encoding."""

    def spoil(self, masks):
        return self.follow(masks, rows(self.data).ravel()[: masks.shape[1]])


class EvenWithTheData(DataOf):
    def follow(self, masks, data):
        return masks // 2 * 2 + data % 2


class LessWhereTheDataAreLess(DataOf):
    def follow(self, masks, data):
        return np.where(data < self.domain.modulus // 4, masks // 2, masks)


class NoneForZeros(DataOf):
    def follow(self, masks, data):
        return masks if data.any() else 0 * masks


class MadeFromTheData(DataOf):
    def follow(self, masks, data):
        seed = int(np.asarray(data * 1000).astype(np.int64).sum() % (1 << 40))
        return np.random.default_rng(seed).integers(0, self.domain.modulus, masks.shape)


class CombinedWithTheData(DataOf):
    def follow(self, masks, data):
        masks[-1] = 3 * masks[0] + data
        return masks


class HalfAsMuch(Fault):
    def spoil(self, masks):
        return masks / 2


class FivePercentMore(Fault):
    def spoil(self, masks):
        return masks * 1.05


class SometimesLittle(Fault):
    def spoil(self, masks):
        return masks * 0.1 if self.calls % 50 == 0 else masks


class LastNoisePoor(Fault):
    def spoil(self, masks):
        masks[-1] /= 2
        return masks


class Shifted(Fault):
    def spoil(self, masks):
        return masks + 0.1


class NotNormal(Fault):
    """Real numbers of the right variance, or complex ones, whose parts are all of this kind."""

    def spoil(self, masks):
        if not np.iscomplexobj(masks):
            return self.other(masks.shape)
        return (self.other(masks.shape) + 1j * self.other(masks.shape)) / 2**0.5

    def unit(self, shape):
        return (residues(self.source, 1 << 31, shape) + 0.5) / (1 << 31)


class Flat(NotNormal):
    def other(self, shape):
        return 12**0.5 * (self.unit(shape) - 0.5)


class Signs(NotNormal):
    def other(self, shape):
        return np.sign(self.unit(shape) - 0.5)


class SumOfThree(NotNormal):
    def other(self, shape):
        return 2.0 * (self.unit((3, *shape)).sum(axis=0) - 1.5)


class HeavyTails(NotNormal):
    def other(self, shape):
        half = self.unit(shape) - 0.5
        return -np.sign(half) * np.log(1.0 - 2.0 * np.abs(half)) / 2**0.5


class OnACoarseGrid(Fault):
    def spoil(self, masks):
        return np.round(masks * 4) / 4


class RealAlone(Fault):
    def spoil(self, masks):
        return masks.real * 2**0.5 + 0j


class Correlated(Fault):
    def __init__(self, strength=0.1):
        super().__init__()
        self.strength = strength

    def mixed(self, one, other):
        return self.strength * one + (1.0 - self.strength**2) ** 0.5 * other


class WithTheOther(Correlated):
    def spoil(self, masks):
        masks[1:] = self.mixed(masks[:1], masks[1:])
        return masks


class WithTheNeighbour(Correlated):
    def spoil(self, masks):
        masks[:, 1::2] = self.mixed(masks[:, 0::2], masks[:, 1::2])
        return masks


class WithTheEncodingBefore(Correlated):
    def spoil(self, masks):
        return masks if self.before is None else self.mixed(self.before, masks)
