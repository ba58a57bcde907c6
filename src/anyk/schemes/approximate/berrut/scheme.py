"""`Berrut`: any function, any number of answers, by rational interpolation (BACC)."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache
from typing import Any, final

from anyk.checks import indices_of, settle
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.errors import Unachievable
from anyk.kept import kept
from anyk.privacy.noise import settle_noise, settled_noise
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.approximate.berrut.layout import BerrutPoints, berrut_points
from anyk.schemes.approximate.berrut.recovery import BerrutRecovery, interpolate
from anyk.schemes.approximate.common import (
    add_workers,
    approximate_guarantee,
    check_answers,
    check_threat,
    least_answers,
    stragglers_of,
)
from anyk.schemes.base import AbstractScheme, Encoder, blocks_of, read_only
from anyk.schemes.encoded import Encoded
from anyk.schemes.precision import as_doubles, curve_domain, of_data, over
from anyk.schemes.row import SchemeRow, SchemeWords, none_for_certain, some_leakage
from anyk.schemes.smaller import enough, or_lower
from anyk.schemes.tally import AbstractTally, CountTally
from anyk.spec import Guarantee, Map, Threat

__all__ = ["ROW", "Berrut"]


@final
@dataclass(frozen=True)
class Berrut(AbstractScheme):
    """BACC: Berrut's rational curve u through the blocks, and another through the answers.

    u(z) = sum_k [(-1)^k / (z - alpha_k)] X_k / sum_k [(-1)^k / (z - alpha_k)] with alpha the
    Chebyshev points of the first kind; worker n computes f(u(beta_n)), beta those of the second
    kind; the value is the same interpolant through the answers, its signs alternating over
    the workers that answered. It has no poles, whoever is missing.

    It is the published scheme, with the blocks in the given order, and the baseline of `Spline`,
    which is the more accurate in all we measured, finds more liars and hides more. D and R are
    dense: O(N K) a number. With adversaries it is ApproxIFER: a rational function is fitted to
    each number of the answers, and the A workers suspected most are left out. With colluders it
    is PBACC: T Gaussian numbers of variance sigma^2 / T are put among the blocks, and the workers
    keep a distance from these.

    Args:
        blocks: K.
        workers: N.
        stragglers: S, how many late workers a run does not wait for; None for half of the
            redundancy, max(0, (N - K) // 2), or less where liars are looked for: the other half
            is spent on accuracy.
        adversaries: A, how many answers are left out.
        colluders: T, how many numbers of noise there are, and for how many workers leakage is
            stated.
        leakage: bits, a coordinate, that T workers may learn. With colluders, give it or sigma.
        sigma: standard deviation of the noise's sum.
        data_std: standard deviation of the data's coordinates, for which leakage is stated.
        domain: the reals, in double precision by default; `Reals(dtype=np.float32)` takes half the
            bytes. Tensors are computed with as such, in the precision in which they come, and so is
            all with `Torch()`.

    Raises:
        InvalidArgument: if an argument is out of range.
        Unachievable: if too few answers would be left: fewer than min(K, 2), or with adversaries
            N - S < 2 (K + A).

    Guarantee:
        Approximate: a value with an error estimate from any answers, at least min(K, 2) of them
        (with adversaries 2 (K + A)); N - S are what a run waits for. Without noise and for N - S
        odd, the error is at most 2 (1 + R) sin((S+1) pi / (2N)) max |(f∘u)''| with
        R = (S+1)(S+3) pi^2 / 4. The locator is a heuristic, right where f∘u is nearly a rational
        function: A answers are always left out, lies or not. Of the liars in a digits network 71
        to 100 % were left out, by the attack; a liar that stays in moves the value, and at best a
        larger error estimate shows it. Of those left out only the obvious are named (0 to 92 %,
        and no honest worker). T numbers of noise are not T-privacy: the leakage stated is
        computed for the T workers who learn most, of independent blocks of standard deviation
        `data_std`; shares lie on a grid (docs/threat-model.md). For a bit with T = 2 that takes
        noise of thousands of times the data, which few functions survive. Without colluders there
        is no privacy: a worker whose point is a data point (possible for odd N alone) holds that
        block in the clear, and its neighbours nearly so.

    References:
        Jahani-Nezhad and Maddah-Ali, Berrut Approximated Coded Computing: Straggler Resistance
        Beyond Polynomial Computing, IEEE TPAMI 2023 (arXiv 2009.08327); Soleymani and others,
        ApproxIFER (AAAI 2022), algorithm 2; Private Berrut approximate coded computing (arXiv
        2405.01704).

    Example:
        >>> encoded = anyk.Berrut(2, 40).encode(np.array([[0.0, 1.0], [1.0, 3.0]]))
        >>> answered = [n for n in range(40) if n not in (3, 17)]
        >>> value = encoded.decode(np.sin(encoded.shares[answered]), answered).value
        >>> bool(np.allclose(value, [[0.0, 0.84], [0.84, 0.14]], atol=0.02))
        True
    """

    blocks: int
    workers: int
    _: KW_ONLY
    stragglers: int | None = None
    adversaries: int = 0
    colluders: int = 0
    leakage: float | None = None
    sigma: float | None = None
    data_std: float = 1.0
    domain: AbstractDomain = Reals()

    def __post_init__(self) -> None:
        settle(self, optional="stragglers", blocks=1, workers=1, stragglers=0)
        settle(self, adversaries=0, colluders=0)
        settle_noise(self)
        if self.adversaries and not self._fits():
            more = add_workers(self.blocks, self.workers, self.stragglers or 0, self._least)
            names = "blocks", "stragglers", "adversaries"
            raise Unachievable(
                "workers" if self.stragglers is None else "stragglers",
                given=f"workers={self.workers}, stragglers={self._late}",
                needed=(
                    f"N - S >= 2 (K + A), that is {self.workers} - {self._late} >= "
                    f"2*({self.blocks}+{self.adversaries}) = {self._least}"
                ),
                change=f"{more}{or_lower(enough(self, Berrut._fits, *names))}.",
            )
        check_threat(self.blocks, self.workers, self.stragglers)
        object.__setattr__(self, "domain", curve_domain(self.domain, Reals))
        if self.colluders > self.workers:
            raise Unachievable(
                "colluders",
                given=str(self.colluders),
                needed=f"T <= N, that is {self.colluders} <= {self.workers}",
                change="Lower colluders.",
            )
        _noise(self)

    def _fits(self) -> bool:
        """Whether enough answers are left for the locator."""
        least = max(self._least, least_answers(self.blocks, 0))
        return self.workers - self._late >= least

    @property
    def _least(self) -> int:
        """How many answers the locator needs."""
        return 2 * (self.blocks + self.adversaries) if self.adversaries else 0

    @property
    def _late(self) -> int:
        """S."""
        late = stragglers_of(self.blocks, self.workers, self.stragglers)
        if self.stragglers is not None or not self.adversaries:
            return late
        return max(0, min(self.workers - self._least, late))

    @property
    def problem(self) -> Map:
        """Any function of each of K blocks."""
        return Map(blocks=self.blocks)

    @property
    def noise(self) -> float:
        """sigma: as given, or as the leakage asked for needs it; 0 without colluders."""
        return _noise(self)[0]

    @property
    def guarantee(self) -> Guarantee:
        """Approximate, from any N - S answers; at most so many bits to any T workers."""
        return approximate_guarantee(
            workers=self.workers,
            stragglers=self._late,
            adversaries=self.adversaries,
            colluders=self.colluders,
            leakage=_noise(self)[1],
            data_std=self.data_std,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """The curve through the blocks and fresh noise, at the workers' points.

        Args:
            X: array-like (K, *shape) of real numbers.
            source: where noise comes from; the operating system's CSPRNG by default.

        Returns:
            The shares, ndarray (N, *shape).

        Raises:
            InvalidArgument: if X is not K blocks of finite numbers.
        """
        domain = of_data(self.domain, X, Reals)
        array = as_doubles(blocks_of(X, self.blocks, domain))
        if self.colluders:
            shares = self.encoder(None).shares(array, source=source)
        else:
            points = self._points
            shares = interpolate(points.blocks, array, points.at(range(self.workers)))
        return Encoded(over(self, domain), (domain.validate(shares, "X"),), None)

    @property
    def columns(self) -> tuple[int]:
        """Those of the blocks: each number of a share is made of its like in them."""
        return (1,)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether at least N - S workers answered."""
        return len(set(indices_of("answered", answered))) >= self.workers - self._late

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(self.workers - self._late)

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D, and M for noise of variance 1, with sigma in it; and the grid of the shares."""
        return _encoder(self)

    def recovery(self, layout: None, answered: tuple[int, ...]) -> BerrutRecovery:  # noqa: ARG002
        """The interpolant through the answers of these workers.

        Raises:
            NotEnoughAnswers: if there are fewer than min(K, 2), or with adversaries 2 (K + A).
        """
        check_answers(self, answered, self._least or least_answers(self.blocks))
        return BerrutRecovery(
            points=self._points,
            adversaries=self.adversaries,
            workers=answered,
            domain=self.domain,
        )

    @property
    def _points(self) -> BerrutPoints:
        return berrut_points(self.blocks, self.workers, self.colluders)


@lru_cache(maxsize=64)
def _noise(scheme: Berrut) -> tuple[float, float | None]:
    """The noise's standard deviation, and what the T workers learn who learn most."""
    return settled_noise(
        scheme, *berrut_points(scheme.blocks, scheme.workers, scheme.colluders).matrices()
    )


@kept
def _encoder(scheme: Berrut) -> Encoder:
    data, masks = scheme._points.matrices()  # noqa: SLF001 - its own scheme
    if not scheme.colluders:
        return Encoder(data=data, masks=masks)
    masks = read_only(masks * (scheme.noise / math.sqrt(scheme.colluders)))
    return Encoder(data=read_only(data), masks=masks).on_grid(data_std=scheme.data_std)


def _sized(problem: Map, threat: Threat, field: PrimeField) -> Berrut:  # noqa: ARG001 - over the reals
    some_leakage(threat)
    none_for_certain(threat)
    return Berrut(
        problem.blocks,
        threat.workers,
        stragglers=threat.stragglers,
        colluders=threat.colluders,
        leakage=threat.leakage,
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Berrut(blocks=1, workers=2),
        Berrut(blocks=3, workers=8),
        Berrut(blocks=3, workers=8, stragglers=4),
        Berrut(blocks=3, workers=8, colluders=1, leakage=0.5),
    )


ROW = SchemeRow(
    name="Berrut",
    scheme=Berrut,
    solves=Map,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Berrut(blocks=K, workers=N, stragglers=S, adversaries=A, colluders=T, leakage=bits)",
        computes="any function",
        late="any number of answers; with liars 2(K+A) are enough",
        wrong="A suspects are left out: a heuristic, a baseline",
        curious="T workers learn at most so many bits, at a price in accuracy that few functions "
        "survive; a baseline",
        value="approximate, with an error estimate",
    ),
)
