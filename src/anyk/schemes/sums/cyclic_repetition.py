"""`CyclicRepetition`: the sum of any function, by a cyclic gradient code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from anyk.codes.analog.gradient import gaussian_code
from anyk.codes.exact.gradient import cyclic_support, evaluation_code
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex
from anyk.schemes.base import AbstractScheme
from anyk.schemes.row import SchemeRow, SchemeWords, none_of
from anyk.schemes.sums.code import GradientCode
from anyk.schemes.sums.cyclic import AbstractCyclicCode, check_size
from anyk.spec import Sum, Threat

__all__ = ["ROW", "CyclicRepetition"]


@final
@dataclass(frozen=True)
class CyclicRepetition(AbstractCyclicCode):
    """A cyclic gradient code: f(X_1) + .. + f(X_N) for any f, from any N - S of N workers.

    There are as many blocks as workers. Worker n holds S + D + A + 1 blocks, n, n + 1, .. around
    the circle, computes f of each and answers one combination of them, with the coefficients B_n of
    its row of B. Any N - S - D - A rows of B combine to the row of ones, and so the answers to the
    sum; the answers that are left check the others. Over a field the answers are values of a
    polynomial, whose leading coefficient is the sum: a Reed-Solomon code, which names liars. Over
    the reals B is random, of 32 draws the one that amplifies rounding least.

    Args:
        workers: N, and the number of blocks K.
        stragglers: S, how many answers may be missing; each costs every worker one block more.
        domain: what the data are: finite numbers of any type, as they come, by default, or tensors.
            `Reals()`, `Complex()` or a prime field for that type, whatever comes.
        detects: D, how many workers may answer wrongly and are noticed; A where it is None. Each
            costs every worker one block more too.
        adversaries: A, how many workers may answer wrongly and are named; each costs every worker
            another block.

    Raises:
        InvalidArgument: if a number is out of range, D is below A, or the domain is another.
        Unachievable: if S + D + A >= N, or the field has fewer than N elements.

    Guarantee:
        Over a field, any N - S - A + e answers, of which e <= A are lies, give the exact sum and
        the names of the liars; N - S are enough in any case. Up to D liars never bring about a
        wrong sum: answers of which no reading is certain raise `TooManyErrors`, and a run waits
        for more of them first.
        Elsewhere any N - S - A answers, as above, give the sum up to rounding, which the decoder
        amplifies; the error estimate says by how much, and the `condition` how it compares with a
        plain sum. It grows steeply with S + D + A: `CyclicMDS` amplifies less. A lie is told where
        it is beyond rounding. Without A, answers that contradict each other count in the estimate,
        which covers what any D workers can do together, where there are no more than 4096 such
        sets. The sum has the type of f's results where these are floats or complex numbers. Of
        whole numbers it is a float, as coefficients are; with S + D + A = 0 it is exact, in 64
        bits.
        No privacy: a worker holds blocks in the clear.

    References:
        Tandon, Lei, Dimakis, Karampatziakis: Gradient coding: avoiding stragglers in distributed
        learning (ICML 2017), algorithm 1 and theorem 3; Halbawi, Azizan-Ruhi, Salehi, Hassibi:
        Improving distributed gradient descent using Reed-Solomon codes (ISIT 2018), for the matrix
        over a field; Ben-Or, Canetti, Goldreich: Asynchronous secure computation (STOC 1993), for
        what is certain when.

    Example:
        >>> scheme = anyk.CyclicRepetition(workers=5, stragglers=2)
        >>> X = np.arange(10.0).reshape(5, 2)
        >>> with anyk.Inline(5) as executor:
        ...     outcome = anyk.run(scheme, np.exp, X, executor)
        >>> bool(np.allclose(outcome.value, np.exp(X).sum(axis=0))), outcome.missing
        (True, (3, 4))
        >>> scheme = anyk.CyclicRepetition(5, 0, anyk.PrimeField(101), adversaries=1)
        >>> with anyk.faults.Faulty(anyk.Inline(5), {3: anyk.faults.Corrupt(modulus=101)}) as five:
        ...     outcome = anyk.run(scheme, np.square, np.arange(5), five)
        >>> int(outcome.value), outcome.suspects
        (30, (3,))
    """

    def build(self) -> GradientCode:
        """B, of the Reed-Solomon code at the points 0, 1, .., or random."""
        dimension = self.workers - self.more
        if not isinstance(self.domain, PrimeField):
            return GradientCode(gaussian_code(self.workers, self.more), dimension)
        points = np.arange(self.workers, dtype=np.int64)
        held = cyclic_support(self.workers, self.more)
        return GradientCode(evaluation_code(self.domain, points, held), dimension, points)


def _sized(problem: Sum, threat: Threat, field: PrimeField) -> CyclicRepetition:
    none_of(threat, "colluders")
    check_size(problem, threat)
    if not threat.adversaries:
        return CyclicRepetition(workers=problem.blocks, stragglers=threat.stragglers)
    return CyclicRepetition(  # liars are named for certain over a field alone
        workers=problem.blocks,
        stragglers=threat.stragglers,
        domain=field,
        adversaries=threat.adversaries,
    )


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        CyclicRepetition(workers=1, stragglers=0),
        CyclicRepetition(workers=5, stragglers=2),
        CyclicRepetition(workers=6, stragglers=3, domain=PrimeField()),
        CyclicRepetition(workers=6, stragglers=3, domain=PrimeField(13)),
        CyclicRepetition(workers=4, stragglers=1, domain=Complex()),
        CyclicRepetition(workers=6, stragglers=1, domain=PrimeField(101), detects=2),
        CyclicRepetition(workers=7, stragglers=1, adversaries=1),
        CyclicRepetition(workers=7, stragglers=1, domain=PrimeField(), adversaries=2),
        CyclicRepetition(workers=8, stragglers=1, domain=PrimeField(), detects=3, adversaries=1),
    )


ROW = SchemeRow(
    name="CyclicRepetition",
    scheme=CyclicRepetition,
    solves=Sum,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="CyclicRepetition(workers=N, stragglers=S, detects=D, adversaries=A)",
        computes="sums of any function, over as many blocks as workers",
        late="any N - S answers are enough; a worker computes S + D + A + 1 blocks",
        wrong="A liars are named, D >= A are noticed; D is A if left out",
        curious="no",
        value="exact over a prime field; over the reals with an error estimate",
    ),
)
