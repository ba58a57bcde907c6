"""`ChebyshevLagrange`: polynomial maps in the reals, with stragglers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import indices_of, positive, settle
from anyk.codes.analog.chebyshev import chebyshev
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.errors import Unachievable
from anyk.kept import kept
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.approximate.chebyshev_lagrange.recovery import ChebyshevRecovery
from anyk.schemes.approximate.common import approximate_guarantee
from anyk.schemes.base import AbstractScheme, blocks_of, missing_answers, read_only
from anyk.schemes.encoded import Encoded
from anyk.schemes.encoder import Encoder
from anyk.schemes.placement import scattered
from anyk.schemes.precision import curve_domain, of_data, over
from anyk.schemes.row import SchemeRow, SchemeWords, degree_of, none_of
from anyk.schemes.smaller import enough, or_lower
from anyk.schemes.tally import AbstractTally, CountTally
from anyk.spec import Guarantee, Map, Threat
from anyk.wording import numbered

__all__ = ["ROW", "ChebyshevLagrange"]


@final
@dataclass(frozen=True)
class ChebyshevLagrange(AbstractScheme):
    """Lagrange coded computing in the reals: f(X_1), .., f(X_K) for a polynomial f.

    The polynomial u of degree K - 1 takes the blocks at the zeros of T_K; the workers receive its
    values at the zeros of T_N, neighbouring workers far apart, and the values of f there lie on a
    polynomial of degree (K-1)·d, which is found in Chebyshev's basis. f sees real blocks.

    Args:
        blocks: K.
        degree: d, the total degree of f, in all arguments that are encoded.
        workers: N.
        detects: D, how many answers are waited for beyond those that determine the value, so that
            a wrong answer and a function of a higher degree show in the error estimate. By default
            1, where there is room for it; if there is none, the error estimate is infinite, unless
            0 says that f is as promised.
        stragglers: S, how many workers may be late; as many as the inequality allows by default.
        rounding: of honest answers, root mean square, as a share of an answer's own root mean
            square, in double precision; 2^29 times that where single precision holds the answers.
            The default, 2^-50, is for f without cancellation.
        domain: the reals, in double precision by default; `Reals(dtype=np.float32)` takes half the
            bytes. Tensors are computed with as such, in the precision in which they come, and so is
            all with `Torch()`.

    Raises:
        InvalidArgument: if an argument is out of range.
        Unachievable: if (K-1)d + 1 + D > N - S.

    Guarantee:
        Approximate: any N - S answers give the value with an error estimate from their condition
        number, which is O(N^(2(N-n))) for the worst n of them, n = (K-1)d + 1. With one spare
        answer or more the estimate covers a function that is no such polynomial, and one wrong
        answer. Nobody is named. No privacy: a share is a combination of blocks without a mask.

    References:
        Fahim, Cadambe: Numerically stable polynomially coded computing (IEEE TIT 2021), section VI.
        Yu, Li, Raviv, Kalan, Soltanolkotabi, Avestimehr: Lagrange coded computing (AISTATS 2019),
        theorem 1.

    Example:
        >>> scheme = anyk.ChebyshevLagrange(blocks=3, degree=2, workers=7)
        >>> X = np.array([[0.5, -1.0], [2.0, 0.0], [1.0, 1.5]])
        >>> encoded = scheme.encode(X)
        >>> who = [0, 2, 3, 4, 5, 6]
        >>> recovered = encoded.decode(encoded.shares[who] ** 2, who)
        >>> bool(np.allclose(recovered.value, X ** 2)), recovered.error_estimate < 1e-13
        (True, True)
    """

    blocks: int
    degree: int
    workers: int
    _: KW_ONLY
    detects: int | None = None
    stragglers: int | None = None
    rounding: float = 2.0**-50
    domain: AbstractDomain = Reals()

    def __post_init__(self) -> None:
        settle(self, blocks=1, degree=1, workers=1)
        settle(self, optional="stragglers", stragglers=0)
        settle(self, optional="detects", detects=0)
        number = positive("rounding", self.rounding, change="Pass a positive number.")
        object.__setattr__(self, "rounding", number)
        object.__setattr__(self, "domain", curve_domain(self.domain, Reals))
        short = self._needed + (self.stragglers or 0) - self.workers
        if short > 0:

            def fits(it: ChebyshevLagrange) -> bool:
                return it._needed + (it.stragglers or 0) <= it.workers

            lower = or_lower(enough(self, fits, "blocks", "degree", "detects", "stragglers"))
            raise Unachievable(
                "workers",
                given=str(self.workers),
                needed=f"(K-1)d + 1 + D <= N - S, that is ({self.blocks}-1)*{self.degree} + 1 + "
                f"{self.detects or 0} = {self._needed} <= {self.workers} - {self.stragglers or 0}",
                change=f"Add {numbered(short, 'worker')}{lower}.",
            )

    @property
    def _dimension(self) -> int:
        """How many values determine f(u(z))."""
        return (self.blocks - 1) * self.degree + 1

    @property
    def _needed(self) -> int:
        """How many answers are needed at least: one to check f, where there is room."""
        if self.detects is not None:
            return self._dimension + self.detects
        room = self.workers - (self.stragglers or 0) - self._dimension
        return self._dimension + (1 if room > 0 else 0)

    @property
    def _late(self) -> int:
        """S."""
        return self.workers - self._needed if self.stragglers is None else self.stragglers

    @property
    def problem(self) -> Map:
        """A map of degree d over K blocks."""
        return Map(blocks=self.blocks, degree=self.degree)

    @property
    def guarantee(self) -> Guarantee:
        """Approximate from any N - S answers."""
        return approximate_guarantee(
            workers=self.workers, stragglers=self._late, least=self.workers - self._late
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:  # noqa: ARG002
        """One share a worker: values of the polynomial through the blocks.

        Args:
            X: array-like (K, *shape) of real numbers.
            source: not used; there are no masks.

        Returns:
            Shares (N, *shape), of the domain's dtype.

        Raises:
            InvalidArgument: if X is not K blocks of finite numbers.
        """
        domain = of_data(self.domain, X, Reals)
        data = blocks_of(X, self.blocks, domain)
        shares = domain.matmul(_generator(self), data)
        return Encoded(over(self, domain), (domain.validate(shares, "X"),), None)

    @property
    def columns(self) -> tuple[int]:
        """Those of the blocks: each number of a share is made of its like in them."""
        return (1,)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether there are N - S of them."""
        return len(set(indices_of("answered", answered))) >= self.workers - self._late

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(self.workers - self._late)

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D: Lagrange's basis at the workers' points."""
        return Encoder(data=_generator(self), masks=np.zeros((self.workers, 0)))

    def recovery(self, layout: None, answered: tuple[int, ...]) -> ChebyshevRecovery:  # noqa: ARG002
        """Least squares over the answers.

        Raises:
            NotEnoughAnswers: if there are fewer than (K-1)d + 1 + D.
        """
        if len(answered) < self._needed:
            raise missing_answers(self, answered, numbered(self._needed, "answer"))
        return ChebyshevRecovery(
            workers=answered,
            places=scattered(self.workers)[list(answered)],
            count=self.workers,
            blocks=self.blocks,
            degree=self.degree,
            rounding=self.rounding,
            trusted=self.detects is not None,
            domain=self.domain,
        )


@kept
def _generator(scheme: ChebyshevLagrange) -> NDArray[np.float64]:
    """Lagrange's basis for the blocks' points at the workers', float64 ndarray (N, K).

    Its row at x is (1/K) sum_i q_i(x) q_i(beta_j): Chebyshev polynomials are orthogonal there.
    """
    degrees = np.arange(scheme.blocks)
    here = chebyshev(scattered(scheme.workers), scheme.workers, degrees)
    there = chebyshev(np.arange(scheme.blocks), scheme.blocks, degrees)
    return read_only(here @ there.T / scheme.blocks)


def _sized(problem: Map, threat: Threat, field: PrimeField) -> ChebyshevLagrange:  # noqa: ARG001 - over R
    none_of(threat, "adversaries", "colluders")
    return ChebyshevLagrange(
        blocks=problem.blocks,
        degree=degree_of(problem),
        workers=threat.workers,
        stragglers=threat.stragglers,
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        ChebyshevLagrange(blocks=1, degree=1, workers=1),
        ChebyshevLagrange(blocks=3, degree=2, workers=7),
        ChebyshevLagrange(blocks=4, degree=1, workers=8, stragglers=2),
        ChebyshevLagrange(blocks=2, degree=3, workers=4, detects=0),
    )


ROW = SchemeRow(
    name="ChebyshevLagrange",
    scheme=ChebyshevLagrange,
    solves=Map,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="ChebyshevLagrange(blocks=K, degree=d, workers=N)",
        computes="polynomials of degree d",
        late="any (K-1)d + 1 answers are enough, and one to check f",
        wrong="one shows in the error estimate",
        curious="no",
        value="floating point (real), with an error estimate",
    ),
)
