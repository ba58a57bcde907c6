"""`AnalogLagrange`: polynomial maps in floating point, with stragglers, liars and colluders."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass
from functools import lru_cache, partial
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import indices_of, positive, settle, shown
from anyk.codes.analog.circle import circle, lagrange_basis, spread
from anyk.codes.analog.interleaved import InterleavedCode
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex
from anyk.errors import InvalidArgument, Unachievable
from anyk.kept import kept
from anyk.privacy.noise import settle_noise, settled_noise
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.approximate.analog_lagrange.recovery import AnalogRecovery
from anyk.schemes.approximate.common import approximate_guarantee
from anyk.schemes.base import AbstractScheme, Encoder, blocks_of, missing_answers, read_only
from anyk.schemes.certainty import Certainty
from anyk.schemes.encoded import Encoded
from anyk.schemes.placement import scattered
from anyk.schemes.precision import as_doubles, coarser, curve_domain, of_data, over
from anyk.schemes.row import SchemeRow, SchemeWords, degree_of, some_leakage
from anyk.schemes.smaller import enough, or_lower
from anyk.schemes.tally import AbstractTally, CountTally
from anyk.spec import Guarantee, Map, Threat
from anyk.wording import numbered

__all__ = ["ROW", "AnalogLagrange"]

_DOUBLES = Complex()
_AT_ONCE = 1 << 20  # numbers: powers of points at which something is recovered


@final
@dataclass(frozen=True)
class AnalogLagrange(AbstractScheme):
    """Analog Lagrange coded computing: f(X_1), .., f(X_K) for a polynomial f, in floating point.

    The polynomial u of degree K + T - 1 takes the blocks, and T Gaussian keys of variance
    sigma^2 / T, at the points radius * exp(2 pi i j / (K+T)); the workers receive its values at
    exp(2 pi i n / N), neighbouring workers far apart, and the values of f there lie on a polynomial
    of degree (K+T-1)·d. The points of the keys are spread among those of the blocks. (Published,
    they come last: that leaks 8 times as much with K = 3 and T = 2, at the same precision.)

    More noise hides more and costs digits: leakage falls as sigma^-2, precision as sigma^-d.

    Args:
        blocks: K.
        degree: d, the total degree of f, in all arguments that are encoded.
        workers: N.
        adversaries: A, how many workers may answer wrongly.
        detects: D >= A, how many workers may answer wrongly without a wrong value. By default A,
            and 1 without adversaries, so that one spare answer checks that f is what was promised.
            Where there is no room for it, nothing is checked, and the error estimate is infinite,
            unless 0 says that f is as promised.
        colluders: T, how many workers may put their shares together.
        stragglers: S, how many workers may be late; as many as the inequality allows by default.
        leakage: bits, a coordinate, that T workers may learn. With colluders, give it or sigma.
        sigma: standard deviation of the keys' sum.
        data_std: standard deviation of the data's coordinates, for which leakage and precision
            are stated. Smaller data are hidden better, and lose more digits.
        radius: of the circle of the blocks, above 1. A larger one leaks less and costs digits.
        tolerance: relative error that is still acceptable, predicted for an f as x**d, with the
            S + A workers missing that are missed most.
        rounding: of honest answers, root mean square, as a share of an answer's own root mean
            square, in double precision; 2^29 times that where single precision holds the answers.
            The default, 2^-50, is for f without cancellation. Lies are what differs by more than 8
            times that, unless no A liars explain it.
        domain: the complex numbers, in double precision by default; `Complex(dtype=np.complex64)`
            takes half the bytes. Tensors are computed with as such, in the precision in which they
            come, and so is all with `Torch()`.

    Raises:
        InvalidArgument: if an argument is out of range.
        Unachievable: if (K+T-1)d + D + A + 1 > N - S, or too little precision would be left.

    Guarantee:
        Approximate: any N - S answers, of which A may be lies, give the value with an error
        estimate; N - S - A do if nobody lies, and one more for each lie among them. A liar is named
        where no other worker's lie explains the answers as well, and where its error is beyond what
        the others' noise leaves to chance; smaller lies may stay unnamed, and the estimate covers
        what any A of them (D, where it is given) can do together.

        Where no A liars explain what is more than rounding, the answers bear noise of their own, as
        of f in single precision or with cancellation: it is learned from them, up to 6e-5 of their
        size. With more than that, by more than A liars or a function of too high a degree, recovery
        raises `TooManyErrors`, or, where the answers are consistent with at most A liars all the
        same, returns that reading of them. With one spare answer or more the estimate covers a
        function that is no such polynomial, but for one that saturates on shares far larger than
        the data, where a single spare may agree by chance. With detects=0 and no spare it takes f
        to be what was promised.

        Any T workers learn at most `leakage` bits a coordinate together, of independent blocks of
        standard deviation `data_std` (K times that variance, for blocks that depend on each other
        in any way, bounds these too); more workers learn more. Shares with noise are
        rounded from exact sums, so that their last bits tell no more (docs/threat-model.md). Values
        are complex: for real data and real f, the imaginary part is rounding.

    References:
        Soleymani, Mahdavifar, Avestimehr: Analog Lagrange coded computing (IEEE JSAIT 2021),
        sections III and IV.

    Example:
        >>> scheme = anyk.AnalogLagrange(
        ...     blocks=3, degree=2, workers=14, adversaries=1, colluders=2, leakage=0.1)
        >>> X = np.array([[0.5, -1.0], [2.0, 0.0], [1.0, 1.5]])
        >>> encoded = scheme.encode(X)
        >>> answers = encoded.shares ** 2
        >>> answers[4] *= 1.000001
        >>> recovered = encoded.decode(answers, range(14))
        >>> recovered.suspects, bool(np.allclose(recovered.value, X ** 2, rtol=0, atol=1e-8))
        ((4,), True)
    """

    blocks: int
    degree: int
    workers: int
    _: KW_ONLY
    adversaries: int = 0
    detects: int | None = None
    colluders: int = 0
    stragglers: int | None = None
    leakage: float | None = None
    sigma: float | None = None
    data_std: float = 1.0
    radius: float = 1.5
    tolerance: float = 1e-3
    rounding: float = 2.0**-50
    domain: AbstractDomain = _DOUBLES

    def __post_init__(self) -> None:
        settle(self, blocks=1, degree=1, workers=1, adversaries=0, colluders=0)
        settle(self, optional="stragglers", stragglers=0)
        settle(self, optional="detects", detects=0)
        settle_noise(self)
        for name in ("radius", "tolerance", "rounding"):
            number = positive(name, getattr(self, name), change="Pass a positive number.")
            object.__setattr__(self, name, number)
        if self.radius <= 1.0:
            raise InvalidArgument(
                "radius",
                given=shown(self.radius),
                needed="more than 1: the workers' points are on the circle of radius 1",
                change="Take 1.5.",
            )
        object.__setattr__(self, "domain", curve_domain(self.domain, Complex))
        self._check_workers()
        self._check_precision()

    def _check_workers(self) -> None:
        late, certainty = self.stragglers or 0, self._certainty
        short = certainty.threshold + late - self.workers
        if short > 0:
            letters, numbers = certainty.excess
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=(
                    f"(K+T-1)d + {letters} + 1 <= N - S, that is "
                    f"({self.blocks}+{self.colluders}-1)*{self.degree} + {numbers} + 1 "
                    f"= {certainty.threshold} <= {self.workers} - {late}"
                ),
                change=f"Add {numbered(short, 'worker')}{self._lower}.",
            )

    @property
    def _lower(self) -> str:
        """What can be lowered instead of adding workers."""
        names = "blocks", "degree", "stragglers", "adversaries", "detects", "colluders"
        least = {"detects": self.adversaries}

        def fits(it: AnalogLagrange) -> bool:
            return it._certainty.threshold + (it.stragglers or 0) <= it.workers

        return or_lower(enough(self, fits, *names, **least))

    def _check_precision(self) -> None:
        size = _share_size(self)
        lost = self.adversaries + self._late
        rounding = self.rounding * coarser(self.domain)
        bearable = self.tolerance / (rounding * size**self.degree)  # how much may be amplified
        missed = _amplification(self, lost)
        if missed <= bearable:
            return
        change = "Lower sigma (leak more), radius, degree or blocks, or raise tolerance."
        fewer = range(self.adversaries, lost)
        good = bisect_right(fewer, bearable, key=partial(_amplification, self))
        if good:
            change = (
                f"Pass stragglers={good - 1} or less: answers far apart on the circle are better."
            )
        raise Unachievable(
            "tolerance",
            given=f"{self.tolerance:.3g}",
            needed=(
                f"rounding * (share / data)^d * amplification without {lost} neighbours = "
                f"{rounding:.2g} * {size:.3g}^{self.degree} * {missed:.3g} = "
                f"{self.tolerance * missed / bearable:.2g} <= {self.tolerance:.3g}"
            ),
            change=change,
        )

    @property
    def _certainty(self) -> Certainty:
        """How many values determine f(u(z)), and how many more show lies."""
        dimension = (self.blocks + self.colluders - 1) * self.degree + 1
        detects = self.detects
        if detects is None and not self.adversaries:
            room = self.workers - (self.stragglers or 0) - dimension
            detects = 1 if room > 0 else None
        return Certainty(dimension=dimension, adversaries=self.adversaries, detects=detects)

    @property
    def _late(self) -> int:
        """S."""
        if self.stragglers is None:
            return self.workers - self._certainty.threshold
        return self.stragglers

    @property
    def problem(self) -> Map:
        """A map of degree d over K blocks."""
        return Map(blocks=self.blocks, degree=self.degree)

    @property
    def noise(self) -> float:
        """sigma: as given, or as the leakage asked for needs it; 0 without colluders."""
        return _noise(self)[0]

    @property
    def guarantee(self) -> Guarantee:
        """Approximate from any N - S answers; at most so many bits to any T workers."""
        return approximate_guarantee(
            workers=self.workers,
            stragglers=self._late,
            adversaries=self.adversaries,
            colluders=self.colluders,
            leakage=_noise(self)[1],
            data_std=self.data_std,
            least=self.workers - self._late - self.adversaries,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """One share a worker: values of the polynomial through blocks and fresh Gaussian keys.

        Args:
            X: array-like (K, *shape) of numbers, real or complex.
            source: where keys come from; the operating system's CSPRNG by default.

        Returns:
            Shares (N, *shape), of the domain's dtype.

        Raises:
            InvalidArgument: if X is not K blocks of finite numbers.
        """
        domain = of_data(self.domain, X, Complex)
        data = blocks_of(X, self.blocks, domain)
        encoder = self.encoder(None)
        if self.colluders:
            shares = encoder.shares(as_doubles(data), source=source)
        else:
            shares = domain.matmul(encoder.data, data)
        return Encoded(over(self, domain), (domain.validate(shares, "X"),), None)

    @property
    def columns(self) -> tuple[int]:
        """Those of the blocks: each number of a share is made of its like in them."""
        return (1,)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether there are N - S - A of them: enough, if nobody lies."""
        heard = set(indices_of("answered", answered))
        return len(heard) >= self.workers - self._late - self.adversaries

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(self.workers - self._late - self.adversaries)

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D, and M for noise of variance 1, with sigma in it; and the grid of the shares."""
        return _encoder(self)

    def recovery(self, layout: None, answered: tuple[int, ...]) -> AnalogRecovery:  # noqa: ARG002
        """Least squares over the answers, after the liars are located.

        Raises:
            NotEnoughAnswers: if there are fewer than (K+T-1)d + D + 1.
        """
        certainty = self._certainty
        if len(answered) < certainty.least:
            raise missing_answers(self, answered, certainty.needed)
        return AnalogRecovery(
            workers=answered,
            points=_points(self)[list(answered)],
            targets=_targets(self),
            radius=self.radius,
            degree=self.degree,
            certainty=certainty,
            hidden=self.adversaries if self.detects is None else self.detects,
            rounding=self.rounding,
            trusted=self.detects is not None,
            domain=self.domain,
        )


def _points(scheme: AnalogLagrange) -> NDArray[np.complex128]:
    """The points of the workers, complex128 ndarray (N,): neighbours are far apart."""
    return circle(scheme.workers)[scattered(scheme.workers)]


def _targets(scheme: AnalogLagrange) -> NDArray[np.complex128]:
    """The points of the blocks, complex128 ndarray (K,)."""
    nodes = scheme.blocks + scheme.colluders
    return np.delete(scheme.radius * circle(nodes), spread(nodes, scheme.colluders))


@kept
def _generator(
    scheme: AnalogLagrange,
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Lagrange's basis at the workers' points, complex128 ndarrays (N, K) and (N, T)."""
    nodes = scheme.blocks + scheme.colluders
    basis = lagrange_basis(_points(scheme), nodes, scheme.radius)
    places = spread(nodes, scheme.colluders)
    return read_only(np.delete(basis, places, axis=1)), read_only(basis[:, places])


@kept
def _encoder(scheme: AnalogLagrange) -> Encoder:
    data, masks = _generator(scheme)
    if not scheme.colluders:
        return Encoder(data=data, masks=masks)
    masks = read_only(masks * (scheme.noise / math.sqrt(scheme.colluders)))
    return Encoder(data=data, masks=masks).on_grid(data_std=scheme.data_std, finest=True)


@lru_cache(maxsize=64)
def _noise(scheme: AnalogLagrange) -> tuple[float, float | None]:
    """The keys' standard deviation, and what the T workers learn who learn most."""
    return settled_noise(scheme, *_generator(scheme))


def _share_size(scheme: AnalogLagrange) -> float:
    """The largest standard deviation of a share, in that of the data."""
    encoder = scheme.encoder(None)
    data = np.sum(np.abs(encoder.data) ** 2, axis=1)
    masks = np.sum(np.abs(encoder.masks) ** 2, axis=1) / scheme.data_std**2
    return math.sqrt(float((data + masks).max()))


def _amplification(scheme: AnalogLagrange, missing: int) -> float:
    """How much noise recovery amplifies without the arc of the circle that is missed most.

    Another arc is one arc turned: it is as well to turn the targets the other way.
    """
    points, targets = circle(scheme.workers), _targets(scheme)
    dimension = scheme._certainty.dimension  # noqa: SLF001 - its own scheme
    code = InterleavedCode(points[: scheme.workers - missing], dimension)
    turns = points.conj() if missing else points[:1]
    at_once = max(1, _AT_ONCE // (scheme.blocks * dimension))
    worst = 0.0
    for first in range(0, len(turns), at_once):
        turned = turns[first : first + at_once, None] * targets
        gains = code.gains(turned.ravel()).reshape(turned.shape)
        worst = max(worst, float(np.linalg.norm(gains, axis=1).max()))
    return worst / math.sqrt(scheme.blocks)


def _sized(problem: Map, threat: Threat, field: PrimeField) -> AnalogLagrange:  # noqa: ARG001 - over C
    some_leakage(threat)
    return AnalogLagrange(
        blocks=problem.blocks,
        degree=degree_of(problem),
        workers=threat.workers,
        adversaries=threat.adversaries,
        colluders=threat.colluders,
        stragglers=threat.stragglers,
        leakage=threat.leakage,
    )


def _examples() -> tuple[AbstractScheme, ...]:
    private = AnalogLagrange(
        blocks=2, degree=2, workers=12, adversaries=1, colluders=2, leakage=0.1, stragglers=2
    )
    return (
        AnalogLagrange(blocks=1, degree=1, workers=1),
        AnalogLagrange(blocks=3, degree=2, workers=12, adversaries=1, stragglers=2),
        AnalogLagrange(blocks=2, degree=2, workers=9, adversaries=1, detects=2),
        private,
        AnalogLagrange(blocks=2, degree=3, workers=8, colluders=1, sigma=5.0, radius=1.2),
    )


ROW = SchemeRow(
    name="AnalogLagrange",
    scheme=AnalogLagrange,
    solves=Map,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="AnalogLagrange(blocks=K, degree=d, workers=N, adversaries=A, colluders=T, "
        "leakage=bits)",
        computes="polynomials of degree d",
        late="any (K+T-1)d + 2A + 1 answers are enough, and one to check f",
        wrong="A liars are named",
        curious="T workers learn at most so many bits",
        value="floating point (complex), with an error estimate",
    ),
)
