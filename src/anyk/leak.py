"""What a leakage means: bits of a whole block, epsilon, and what these allow, in words."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

from anyk.checks import positive, probability
from anyk.randomness.gaussian import SKEW, TAIL
from anyk.spread import larger
from anyk.wording import numbered

__all__ = [
    "Leak",
    "allowed",
    "bits_of_success",
    "gaussian_epsilon",
    "in_digits",
    "most_success",
    "sampled_epsilon",
]

_COUNTED = 20  # bits, up to which the number of blocks is written out
_LARGE = 500.0  # bits a coordinate; 4 to that power is a double
_HALVINGS = 60
_ROUNDS, _CLOSE = 100, 1e-12  # of an equation for epsilon
_NORMALS = 16  # times T^2: more than T workers' shares of one number have of noise


def gaussian_epsilon(mu: float, delta: float) -> float:
    """The epsilon of (epsilon, delta) differential privacy that mu-Gaussian privacy gives.

    Phi(-eps/mu + mu/2) - e^eps Phi(-eps/mu - mu/2) = delta, solved for eps >= 0.

    Args:
        mu: distance of the two closest-called neighbours, in standard deviations.
        delta: in (0, 1).

    Returns:
        epsilon, in nats; infinite where mu is.

    References:
        Dong, Roth and Su 2022, corollary 2.13; Balle and Wang 2018, theorem 8.

    Example:
        >>> from anyk.leak import gaussian_epsilon
        >>> round(gaussian_epsilon(1.0, 1e-5), 3)
        4.377
    """
    if mu == 0.0 or math.isinf(mu):
        return mu
    import scipy  # noqa: PLC0415 - a first use of anyk asks for no epsilon

    normal = scipy.special.log_ndtr

    def excess(epsilon: float) -> float:
        first = float(normal(-epsilon / mu + mu / 2.0))
        second = epsilon + float(normal(-epsilon / mu - mu / 2.0))
        return math.exp(first) * -math.expm1(min(second - first, 0.0)) - delta

    if excess(0.0) <= 0.0:
        return 0.0
    high = mu * (mu / 2.0 + 40.0)  # Phi(-40) is below every double
    return float(scipy.optimize.brentq(excess, 0.0, high, xtol=1e-12 * high))


def sampled_epsilon(mu: float, delta: float, *, skew: float, variation: float) -> float:
    """The same for noise that a computer draws: its density is right to a factor, but for an event.

    With S of a density between e^-k and e^k times the Gaussian's, and A as S but for a chance t:
    A(E) <= e^(epsilon + 2 k) A'(E) + e^k delta' + (1 + e^(epsilon + 2 k)) t.

    Args:
        mu: as for `gaussian_epsilon`.
        delta: in (0, 1).
        skew: k, over all numbers.
        variation: t, over all numbers.

    Returns:
        epsilon, in nats; infinite where noise is missing, or t is too large for this delta.

    References:
        Dwork and Roth, The algorithmic foundations of differential privacy, 2014, section 3.5.

    Example:
        >>> from anyk.leak import sampled_epsilon
        >>> round(sampled_epsilon(1.0, 1e-5, skew=0.01, variation=1e-12), 1)
        4.4
    """
    if not variation:
        return gaussian_epsilon(mu, delta * math.exp(-skew)) + 2.0 * skew
    epsilon = gaussian_epsilon(mu, delta) + 2.0 * skew
    for _ in range(_ROUNDS):
        if not epsilon < math.log(delta / variation):
            return math.inf
        left = (delta - (1.0 + math.exp(epsilon)) * variation) * math.exp(-skew)
        if left <= 0.0:
            return math.inf
        needed = gaussian_epsilon(mu, left) + 2.0 * skew
        if needed <= epsilon:
            return epsilon
        epsilon = needed * (1.0 + _CLOSE)
    return math.inf


def most_success(bits: float, chance: float) -> float:
    """How often a guess is right at most, by who knows so many bits of what it depends on.

    A guess that is right with the probability P, where one without any knowledge is right with the
    probability `chance`, takes P log2(P / chance) + (1 - P) log2((1 - P) / (1 - chance)) bits:
    data processing, as in Fano's inequality.

    Args:
        bits: mutual information of the view and the data.
        chance: in (0, 1].

    References:
        Cover and Thomas, Elements of Information Theory, 2006, theorems 2.8.1 and 2.10.1.

    Example:
        >>> from anyk.leak import most_success
        >>> most_success(0.0, 0.25), most_success(2.0, 0.25), round(most_success(0.5, 0.5), 2)
        (0.25, 1.0, 0.89)
    """
    if bits <= 0.0 or chance >= 1.0:
        return chance
    if bits >= -math.log2(chance):
        return 1.0
    low, high = chance, 1.0
    for _ in range(_HALVINGS):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if bits_of_success(middle, chance) <= bits else (low, middle)
    return high


def bits_of_success(success: float, chance: float) -> float:
    """The bits that a guess takes at least: the inverse of `most_success`.

    Args:
        success: how often it is right.
        chance: how often it would be, without any knowledge; in (0, 1].

    Example:
        >>> from anyk.leak import bits_of_success
        >>> bits_of_success(1.0, 0.25), bits_of_success(0.2, 0.25)
        (2.0, 0.0)
    """
    if success <= chance:
        return 0.0
    missed = 1.0 - success
    rest = missed * math.log2(missed / (1.0 - chance)) if missed else 0.0
    return max(success * math.log2(success / chance) + rest, 0.0)


def allowed(bits: float) -> str:
    """What so many bits of a block allow, in words.

    Args:
        bits: of the whole block.

    Example:
        >>> from anyk.leak import allowed
        >>> allowed(28.8), allowed(3.4)
        ('enough to tell which of 2^28 blocks it is', 'enough to tell which of 10 blocks it is')
        >>> allowed(0.25)
        'of two blocks, the right one is guessed in 79 % at most'
        >>> allowed(31.9999), allowed(1143.7)  # as they are printed: 32, 1,144
        ('enough to tell which of 2^32 blocks it is', 'enough to tell which of 2^1144 blocks it is')
    """
    if math.isinf(bits):
        return "enough to know it"
    if bits < 1.0:
        guessed = math.ceil(100.0 * most_success(bits, 0.5))
        return f"of two blocks, the right one is guessed in {guessed} % at most"
    many = (
        f"{int(2.0**bits):,}"
        if bits < _COUNTED
        else f"2^{int(float(in_digits(bits).replace(',', '')))}"
    )
    return f"enough to tell which of {many} blocks it is"


def in_digits(bits: float) -> str:
    """Bits of a block, to three digits, or to the last whole bit.

    Example:
        >>> from anyk.leak import in_digits
        >>> in_digits(28.84), in_digits(31.9999), in_digits(1143.7)
        ('28.8', '32', '1,144')
    """
    return f"{bits:,.0f}" if 999.5 <= bits < math.inf else f"{bits:.3g}"  # noqa: PLR2004 - three digits


@final
@dataclass(frozen=True, kw_only=True)
class Leak:
    """What curious workers learn at most of a block, in units that people think in.

    Made by `Guarantee.leak`, and by whoever holds distributed data: `Distributed.leakage_spent`.

    Args:
        colluders: T, how many workers put together what they hold.
        bits: a coordinate, that they learn by one encoding.
        numbers: how many coordinates a block of the data has.
        data_std: standard deviation of the data's coordinates, for which `bits` are stated; None
            where they do not depend on it.
        encodings: how many times the data, or something made of them, were encoded.
        encoded: how many numbers of one block that made in all; `numbers` each time by default.
        spread: standard deviation of the data that were encoded, where it is known: if it is
            beyond `data_std`, more is learned.

    Example:
        >>> leak = anyk.VeiledReplication(4, 60, colluders=1, leakage=0.45).guarantee.leak(64)
        >>> round(leak.total, 1), round(leak.epsilon(), 1)
        (28.8, 104.7)
        >>> print(leak)
        a worker learns at most 0.45 bits a coordinate: 28.8 bits of a block of 64 numbers,
        enough to tell which of 2^28 blocks it is; epsilon 105 at delta 1e-06 between two blocks
    """

    colluders: int
    bits: float
    numbers: int
    data_std: float | None = None
    encodings: int = 1
    encoded: int | None = None
    spread: float | None = None

    @property
    def total(self) -> float:
        """Bits of a whole block that T workers learn at most, by all encodings together."""
        return self.bits * self._encoded if self.bits else 0.0

    @property
    def _encoded(self) -> int:
        return self.numbers * self.encodings if self.encoded is None else self.encoded

    def epsilon(self, *, sensitivity: float | None = None, delta: float = 1e-6) -> float:
        """The epsilon of (epsilon, delta) differential privacy against any T workers.

        Two sets of data are neighbours where one block differs. L bits of data of the deviation s
        are noise in which a block that moves by s is seen by sqrt(4^L - 1) standard deviations at
        most. Beyond an epsilon of about 20 nobody is protected: there it only compares.

        Args:
            sensitivity: Euclidean distance of two values of one block, over all its numbers; by
                default data_std * sqrt(2 * numbers), as two independent blocks are apart.
            delta: the probability with which the ratio may be exceeded, in (0, 1).

        Returns:
            epsilon, in nats: 0 where nothing is learned, infinite where all of it is, and beyond
            490 or so: noise that is drawn does not go as far as Gaussian noise.

        Raises:
            InvalidArgument: if an argument is out of range.

        References:
            Dong, Roth and Su, Gaussian differential privacy, 2022, corollaries 2.13 and 3.3.

        Example:
            >>> leak = anyk.VeiledReplication(4, 60, colluders=1, leakage=0.45).guarantee.leak(64)
            >>> round(leak.epsilon(sensitivity=1.0), 2)  # one number, moved by data_std
            4.5
        """
        probability("delta", delta, change="Pass 1e-6, say.")
        if sensitivity is not None:
            positive("sensitivity", sensitivity, change="Pass the distance of two blocks.")
        if not self.bits or self.bits > _LARGE:
            return math.inf if self.bits else 0.0
        if sensitivity is None:
            squared = 2.0 * self._encoded
        else:
            squared = self.encodings * (sensitivity / (self.data_std or 1.0)) ** 2
        mu = math.sqrt(math.expm1(self.bits * math.log(4.0)) * squared)
        normals = self._encoded * _NORMALS * self.colluders**2
        return sampled_epsilon(mu, delta, skew=normals * SKEW, variation=normals * TAIL)

    def __str__(self) -> str:
        """Two lines that a person reads."""
        who = "a worker learns" if self.colluders == 1 else f"{self.colluders} workers learn"
        if not self.bits:
            return f"{who} nothing"
        if math.isinf(self.bits):
            return f"{who} all of it"
        many = f" in {self.encodings} encodings" if self.encodings > 1 else ""
        block = f"a block of {numbered(self.numbers, 'number')}"
        return (
            f"{who} at most {self.bits:.3g} bits a coordinate{many and ' each time'}: "
            f"{in_digits(self.total)} bits of {block}{many},\n"
            f"{allowed(self.total)}; epsilon {self.epsilon():.3g} at delta 1e-06 "
            f"between two blocks{self._larger}"
        )

    @property
    def _larger(self) -> str:
        """That the data are not what the promise is stated for."""
        more = larger(self.spread, self.data_std, things="data")
        return more and f";\nbut {more}"
