"""`CyclicMDS`: the sum of any function, by a cyclic gradient code that rounds little."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from anyk.codes.analog.gradient import trigonometric_code
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex
from anyk.errors import InvalidArgument
from anyk.schemes.base import AbstractScheme
from anyk.schemes.placement import scattered
from anyk.schemes.row import SchemeRow, SchemeWords, none_for_certain, none_of
from anyk.schemes.sums.code import GradientCode
from anyk.schemes.sums.cyclic import AbstractCyclicCode, check_size
from anyk.spec import Sum, Threat

__all__ = ["ROW", "CyclicMDS"]


@final
@dataclass(frozen=True)
class CyclicMDS(AbstractCyclicCode):
    """A cyclic gradient code for floating point: f(X_1) + .. + f(X_N), from any N - S workers.

    As in `CyclicRepetition`, a worker holds s + 1 neighbours of N blocks around a circle, where
    s = S + D + A; the coefficients are no random numbers. The answers are values of a trigonometric
    polynomial of k = N - s terms at N points around the circle: the words of a cyclic code, of
    which any k determine all others. Its frequencies are the k lowest, so that coefficients of one
    worker have one sign where the code is cyclic, and nothing cancels in a sum of like terms.
    Neighbouring workers, who are often late together, stand far apart on the circle: neighbours are
    the sets that amplify most. Blocks stand in a fixed order drawn at random, so that results that
    alternate are none of the high frequencies, which cancel in each answer.

    As published the code is complex, and real where N + s is odd. Here it is real for any N and s:
    halves are taken for frequencies where k is even.

    Args:
        workers: N, and the number of blocks K.
        stragglers: S, how many answers may be missing; each costs every worker one block more.
        domain: what the data are: finite numbers of any type, as they come, by default, or tensors.
            `Reals()` or `Complex()` for that type, whatever comes.
        detects: D, how many workers may answer wrongly and are noticed; A where it is None. Each
            costs every worker one block more too.
        adversaries: A, how many workers may answer wrongly and are named; each costs every worker
            another block.

    Raises:
        InvalidArgument: if a number is out of range, D is below A, or the domain is another; over a
            prime field `CyclicRepetition` is such a code.
        Unachievable: if S + D + A >= N.

    Guarantee:
        Any N - S - A + e answers, of which e <= A are lies, give the sum up to rounding; N - S are
        enough in any case. The decoder amplifies rounding, by `amplification` in the worst case:
        docs/gradient-codes.md has a table. It grows as N^s, and is above 10^3 from S = N/4 on at
        N = 24. The error estimate says by how much, and the `condition` how it compares with a
        plain sum. A lie is told where it is beyond rounding. Without A, answers that contradict
        each other count in the estimate, which covers what any D workers can do together, where
        there are no more than 4096 such sets. What cancels within all answers is in none of them,
        and neither is its rounding. The sum has the type of f's results where these are floats or
        complex numbers, and is a float else; with S + D + A = 0 that of whole numbers is exact, in
        64 bits. No privacy: a worker holds blocks in the clear.

    References:
        Raviv, Tamo, Tandon, Dimakis: Gradient coding from cyclic MDS codes and expander graphs
        (IEEE TIT 2020, arXiv 1707.03858), section III, for the codes where N + s is odd.

    Example:
        >>> scheme = anyk.CyclicMDS(workers=12, stragglers=2)
        >>> X = np.arange(24.0).reshape(12, 2)
        >>> with anyk.Inline(12) as executor:
        ...     outcome = anyk.run(scheme, np.sqrt, X, executor)
        >>> bool(np.allclose(outcome.value, np.sqrt(X).sum(axis=0), rtol=1e-12)), outcome.missing
        (True, (10, 11))
        >>> round(scheme.amplification, 1), round(anyk.CyclicRepetition(12, 2).amplification)
        (5.8, 23)
    """

    def check_domain(self) -> None:
        """Refuse a field: there, `CyclicRepetition` is as good."""
        if isinstance(self.domain, PrimeField):
            raise InvalidArgument(
                "domain",
                given=repr(self.domain),
                needed="the reals or complex numbers, or tensors: a field amplifies no rounding",
                change="Take anyk.CyclicRepetition, of which any k answers determine the others "
                "too.",
            )

    def build(self) -> GradientCode:
        """B, of trigonometric polynomials, with workers scattered and blocks at random."""
        code, places = trigonometric_code(self.workers, self.more), scattered(self.workers)
        order = np.random.default_rng(self.workers)  # public: coefficients hide nothing
        blocks = order.permutation(self.workers)
        return GradientCode(code[places][:, blocks], self.workers - self.more, places=places)


def _sized(problem: Sum, threat: Threat, field: PrimeField) -> CyclicMDS:  # noqa: ARG001 - over the reals
    none_of(threat, "colluders")
    none_for_certain(threat)
    check_size(problem, threat)
    return CyclicMDS(workers=problem.blocks, stragglers=threat.stragglers)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        CyclicMDS(workers=1, stragglers=0),
        CyclicMDS(workers=6, stragglers=2),
        CyclicMDS(workers=7, stragglers=2, domain=Complex()),
        CyclicMDS(workers=6, stragglers=1, detects=1),
        CyclicMDS(workers=8, stragglers=1, adversaries=1),
    )


ROW = SchemeRow(
    name="CyclicMDS",
    scheme=CyclicMDS,
    solves=Sum,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="CyclicMDS(workers=N, stragglers=S, detects=D, adversaries=A)",
        computes="sums of any function, over as many blocks as workers",
        late="any N - S answers are enough; a worker computes S + D + A + 1 blocks",
        wrong="A liars are named, D >= A are noticed; D is A if left out",
        curious="no",
        value="floating point, with an error estimate: less rounding than `CyclicRepetition`",
    ),
)
