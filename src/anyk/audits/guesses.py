"""How well a guess about one record did, with an interval, beside chance and what is possible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

from anyk.leak import bits_of_success, most_success

__all__ = ["Attack", "explained", "information", "rate"]


@final
@dataclass(frozen=True, kw_only=True)
class Attack:
    """How well one guess did, beside what it could do at most.

    Args:
        name: what was guessed.
        found: the share of guesses that were right; of the variance that was explained; or bits.
        low: the lower end of an interval for it.
        high: the upper end.
        chance: what a guess without any share would have.
        bound: what no guess can exceed, by what the matrices say of the noise.
        trials: how many encodings were attacked.
        unit: "%" of guesses or of the variance, or "bits".

    Example:
        >>> from anyk import Attack
        >>> guess = Attack(
        ...     name="which of 596 it is", found=0.91, low=0.88, high=0.94, chance=1 / 596,
        ...     bound=1.0, trials=1000,
        ... )
        >>> print(guess)
        which of 596 it is: 91 % (88 to 94); by chance 0.168 %, at most 100 %
    """

    name: str
    found: float
    low: float
    high: float
    chance: float
    bound: float
    trials: int
    unit: Literal["%", "bits"] = "%"

    @property
    def above(self) -> bool:
        """Whether it did better than it can: then shares tell more than the matrices say."""
        return self.low > self.bound * (1.0 + 1e-9)

    def __str__(self) -> str:
        """One line that a person reads."""
        beyond = ": ABOVE ITS BOUND" if self.above else ""
        if self.unit == "bits":
            return f"{self.name}: at least {self.low:.3g}, at most {self.bound:.3g}{beyond}"
        found, low, high, chance, bound = (
            f"{100.0 * number:.3g}"
            for number in (
                self.found, max(self.low, 0.0), min(self.high, 1.0), self.chance, self.bound
            )
        )  # fmt: skip
        return (
            f"{self.name}: {found} % ({low} to {high}); "
            f"by chance {chance} %, at most {bound} %{beyond}"
        )


def rate(
    name: str, right: int, trials: int, *, chance: float, bits: float, confidence: float
) -> Attack:
    """How often a guess was right, with the interval of Clopper and Pearson.

    Args:
        name: what was guessed.
        right: how often it was right.
        trials: of how many.
        chance: how often a guess is right without any share.
        bits: that shares tell at most.
        confidence: of the interval.
    """
    tail = (1.0 - confidence) / 2.0
    beta = scipy.stats.beta
    low = float(beta.ppf(tail, right, trials - right + 1)) if right else 0.0
    high = float(beta.ppf(1.0 - tail, right + 1, trials - right)) if right < trials else 1.0
    return Attack(
        name=name,
        found=right / trials,
        low=low,
        high=high,
        chance=chance,
        bound=most_success(bits, chance),
        trials=trials,
    )


def explained(errors: NDArray[Any], bound: float, confidence: float) -> Attack:
    """How much of the variance a guess explained, with a normal interval.

    Args:
        errors: squared, each by the variance of the records, ndarray (trials,).
        bound: what the best linear guess explains.
        confidence: of the interval.
    """
    trials = len(errors)
    room = float(scipy.stats.t.ppf((1.0 + confidence) / 2.0, trials - 1))
    room *= float(np.std(errors, ddof=1)) / math.sqrt(trials)
    found = 1.0 - float(np.mean(errors))
    return Attack(
        name="of its variance, by the best linear guess",
        found=found,
        low=found - room,
        high=found + room,
        chance=0.0,
        bound=bound,
        trials=trials,
    )


def information(guesses: list[Attack], bits: float) -> Attack:
    """The bits that the best of these guesses takes at least.

    Args:
        guesses: how often each was right.
        bits: that shares tell at most.
    """
    best = max(guesses, key=lambda each: bits_of_success(each.low, each.chance))
    found, low, high = (
        bits_of_success(success, best.chance) for success in (best.found, best.low, best.high)
    )
    return Attack(
        name="bits of it",
        found=found,
        low=low,
        high=high,
        chance=0.0,
        bound=bits,
        trials=best.trials,
        unit="bits",
    )
