"""What sampling and a grid add to a statement of privacy: to epsilon, delta and bits."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.leak import sampled_epsilon
from anyk.randomness.exact_sums import UNSETTLED
from anyk.randomness.gaussian import SKEW, TAIL
from anyk.randomness.grid import Grid

__all__ = ["Sampled", "sampled"]

_BITS = 60  # of a number on a grid


@final
@dataclass(frozen=True, kw_only=True)
class Sampled:
    """By how much shares that a computer makes differ from sums with Gaussian noise, rounded.

    Rounding itself adds nothing, as anybody can do it who sees the sum. What adds is that normal
    numbers are drawn with a density that is right to e^(2^-48) but for an event of 2^-740, that
    a sum is rounded to the step beside with a chance of 2^-900 a term, and that numbers of the data
    are first rounded to a unit. Numbers that are alike in two sets of data add nothing.

    Args:
        numbers: of a block: as many differ at most.
        normals: that are in the shares of a coalition, for each of these.
        terms: of all sums in these shares, for each.
        unit: to whose multiples the numbers of the data are rounded.

    References:
        Canonne, Kamath and Steinke, The discrete Gaussian for differential privacy, 2020, for
        the same end on integers; Dwork and Roth, The algorithmic foundations of differential
        privacy, 2014, proposition 2.1 (post-processing).

    Example:
        >>> from anyk.privacy.grid import Sampled
        >>> made = Sampled(numbers=10**6, normals=1, terms=2, unit=2.0**-60)
        >>> made.skew < 1e-8, made.variation < 1e-40, made.bits < 1e-11
        (True, True, True)
        >>> round(made.epsilon(1.0, sensitivity=1.0, delta=1e-5), 3)
        4.377
    """

    numbers: int
    normals: int
    terms: int
    unit: float

    @property
    def skew(self) -> float:
        """Nats by which densities differ, of all numbers; twice that is added to epsilon."""
        return self.numbers * self.normals * SKEW

    @property
    def variation(self) -> float:
        """Chance of all else, of all numbers; (1 + e^epsilon) times that is added to delta."""
        return self.numbers * (self.normals * TAIL + self.terms * UNSETTLED)

    @property
    def bits(self) -> float:
        """Bits, a coordinate, that are added to what Gaussian noise tells, at most.

        By the entropy of what is made, given what would have been: they differ with a chance t of
        at most that of skew and variation, so h(t) + 60 t a share and coordinate.

        References:
            Cover and Thomas, Elements of Information Theory, 2006, theorem 2.10.1 (Fano).
        """
        chance = (self.skew + self.variation) / self.numbers
        unsure = -chance * math.log2(chance) + chance / math.log(2.0)
        return unsure + _BITS * self.terms * chance

    def epsilon(self, separation: float, *, sensitivity: float, delta: float) -> float:
        """The epsilon of (epsilon, delta) differential privacy, all of that counted.

        Args:
            separation: by how many standard deviations of the noise a view moves at most, as a
                block moves by 1.
            sensitivity: Euclidean distance of two values of one block.
            delta: in (0, 1).

        Returns:
            epsilon, in nats; infinite where noise is missing, or delta is too small for what can
            be said of so many numbers.
        """
        moved = sensitivity + self.unit * math.sqrt(self.numbers)
        return sampled_epsilon(separation * moved, delta, skew=self.skew, variation=self.variation)


def sampled(grid: Grid, masks: NDArray[Any], *, blocks: int, shares: int, numbers: int) -> Sampled:
    """What sampling adds, for the shares of a coalition.

    Args:
        grid: of the shares.
        masks: M, ndarray (n, T).
        blocks: K.
        shares: how many a coalition has.
        numbers: of a block, as real or complex as the shares.

    Example:
        >>> encoded = anyk.VeiledReplication(1, 2, colluders=1, leakage=1.0).encode([[0.3, 0.4]])
        >>> from anyk.privacy.grid import sampled
        >>> encoder = encoded.encoder
        >>> made = sampled(encoder.grid, encoder.masks, blocks=1, shares=1, numbers=2)
        >>> made.normals, made.terms
        (2, 3)
    """
    parts = 2 if np.iscomplexobj(masks) else 1
    each = int(np.count_nonzero(masks, axis=1).max(initial=0))
    return Sampled(
        numbers=parts * numbers,
        normals=min(shares * each, masks.shape[1]),
        terms=shares * (each + blocks) * parts,
        unit=grid.unit,
    )
