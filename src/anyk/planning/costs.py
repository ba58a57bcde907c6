"""What a product costs under a code: seconds to encode, send, multiply, collect and recover."""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Final, final

import numpy as np

from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.schemes.base import AbstractScheme
from anyk.schemes.products.base import AbstractProduct, code_of
from anyk.schemes.products.residues import Residues
from anyk.schemes.products.uncoded import Uncoded
from anyk.spec import MatMul

__all__ = ["CLUSTER", "Costs", "Machine", "Size", "costs_of", "cuts_of", "sends_one"]

_BYTES: Final = 8
_TOUCH: Final = 5e-9  # seconds to write so many where nothing was yet


@final
@dataclass(frozen=True, kw_only=True)
class Machine:
    """What workers and the way to them can do, roughly: choices rest on ratios of these.

    Args:
        flops: multiplications and additions a second, of one worker, in double precision.
        memory: bytes a second that one worker reads.
        link: bytes a second between the master and all workers together.
        message: seconds for each share that is sent, and for each answer.
        parallel: how many workers compute at once; None for all of them.
        one_by_one: whether a worker begins when the one before has answered, so that what is not
            needed is not computed.

    Example:
        >>> from anyk.planning.costs import Machine
        >>> Machine(parallel=4).parallel
        4
    """

    flops: float = 3e10
    memory: float = 4e9
    link: float = 4e8
    message: float = 2e-4
    parallel: int | None = None
    one_by_one: bool = False


CLUSTER: Final = Machine()
"""Workers on machines of their own, on a fast network."""


@final
@dataclass(frozen=True)
class Size:
    """The size of a product.

    Args:
        rows: of A.
        inner: columns of A.
        columns: of B.
        stack: how many such products.
    """

    rows: int
    inner: int
    columns: int
    stack: int = 1

    @property
    def left(self) -> int:
        """Numbers in A."""
        return self.stack * self.rows * self.inner

    @property
    def right(self) -> int:
        """Numbers in B."""
        return self.stack * self.inner * self.columns

    @property
    def product(self) -> int:
        """Numbers in A @ B."""
        return self.stack * self.rows * self.columns

    @property
    def flops(self) -> int:
        """Multiplications and additions in A @ B."""
        return 2 * self.product * self.inner


@final
@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds, by what they are spent on.

    Args:
        encode: at the master, to make shares.
        send: to the workers.
        multiply: until the last worker that is waited for has its product.
        collect: answers.
        check: at the master, of answers as they come, and to make its secrets.
        recover: at the master, to make the product of answers.

    Example:
        >>> from anyk.planning.costs import Costs
        >>> Costs(encode=1.0, send=2.0, multiply=3.0, collect=1.0, check=0.0, recover=0.5).total
        7.5
    """

    encode: float
    send: float
    multiply: float
    collect: float
    check: float
    recover: float

    @property
    def total(self) -> float:
        """All of it."""
        return float(sum(getattr(self, each.name) for each in fields(self)))


@final
@dataclass(frozen=True)
class _Arithmetic:
    """What numbers cost more than float64.

    Args:
        flop: by what a multiplication in a large product takes longer.
        wide: bytes of a number, as it lies on workers and travels.
        combine: seconds for each number that is made of one other one.
        term: seconds for each further one.
        look: seconds for each number that a check looks at.
    """

    flop: float
    wide: float
    combine: float
    term: float
    look: float

    def coded(self, terms: int) -> float:
        """Seconds to make one number of so many."""
        return self.combine + self.term * terms


_REAL: Final = _Arithmetic(flop=1.0, wide=8, combine=2e-9, term=1e-10, look=1e-8)
_COMPLEX: Final = _Arithmetic(flop=4.0, wide=16, combine=3e-9, term=4e-10, look=2.5e-8)
_PLAIN: Final = _Arithmetic(flop=1.0, wide=8, combine=2e-9, term=0.0, look=0.0)
_SMALL: Final = _Arithmetic(flop=1.3, wide=8, combine=5e-9, term=5e-9, look=1e-8)
_FIELD: Final = _Arithmetic(flop=9.0, wide=4, combine=6e-9, term=1e-9, look=2e-8)
_SHORT: Final = _Arithmetic(flop=5.0, wide=4, combine=6e-9, term=5e-10, look=2e-8)
_ONE_PRODUCT: Final = 1 << 25  # primes below take one product of floats a term


def _arithmetic(scheme: AbstractScheme, primes: tuple[int, ...]) -> _Arithmetic:
    """Of all that is done for one number; of all primes together, where it is done for each."""
    if isinstance(scheme, Residues):
        return _SMALL
    if isinstance(scheme, Uncoded) and isinstance(scheme.domain, Reals):
        return _PLAIN
    if isinstance(scheme.domain, PrimeField):
        return _of_primes(primes or (scheme.domain.modulus,))
    return _COMPLEX if isinstance(scheme.domain, Complex) else _REAL


@lru_cache(maxsize=64)
def _of_primes(primes: tuple[int, ...]) -> _Arithmetic:
    each = [_SHORT if prime < _ONE_PRODUCT else _FIELD for prime in primes]
    return _Arithmetic(
        flop=sum(one.flop for one in each),
        wide=sum(np.min_scalar_type(prime - 1).itemsize for prime in primes),
        combine=sum(one.combine for one in each),
        term=sum(one.term for one in each),
        look=sum(one.look for one in each),
    )


def costs_of(
    scheme: AbstractScheme, size: Size, machine: Machine, primes: tuple[int, ...] = ()
) -> Costs:
    """What one product costs if nobody is late and nobody lies.

    Args:
        scheme: one for products.
        size: of the product.
        machine: that computes it.
        primes: modulo which all is done, where the scheme is over a field; () for its own.

    Example:
        >>> from anyk.planning.costs import CLUSTER, Size, costs_of
        >>> scheme = anyk.Polynomial((2, 1, 2), 6)
        >>> square, tall = Size(4000, 4000, 4000), Size(10, 4000, 10)
        >>> costs_of(scheme, square, CLUSTER).total > costs_of(scheme, tall, CLUSTER).total
        True
    """
    arithmetic, promise = _arithmetic(scheme, primes), scheme.guarantee
    m, p, n = cuts_of(scheme)
    workers, r, masks = promise.workers, promise.pieces, promise.colluders
    high, deep, broad = -(-size.rows // m), -(-size.inner // p), -(-size.columns // n)
    left, right, answer = (size.stack * each for each in (high * deep, deep * broad, high * broad))
    shares, waited = workers * r, promise.waited_for
    wide, common = arithmetic.wide, p == n == 1 and not masks
    plain = isinstance(scheme, Uncoded)  # of one block there are no copies here
    made = 0.0 if plain and m * p == 1 else shares * left * arithmetic.coded(m * p + masks)
    if not (common or (plain and p * n == 1)):
        made += shares * right * arithmetic.coded(p * n + masks)
    looked = shares * left + waited * (right + answer) if getattr(scheme, "verified", False) else 0
    sent = shares * left + (workers if common else shares) * right
    flops = 2 * answer * deep * arithmetic.flop
    moved = (left + right) * wide / machine.memory + answer * wide / _BYTES * _TOUCH
    one = flops / machine.flops + moved
    if machine.parallel is None:  # of all who begin at once, those who are waited for
        rounds = waited / workers
    else:
        rounds = (waited if machine.one_by_one else shares) / machine.parallel
    return Costs(
        encode=made,
        send=sent * wide / machine.link + shares * machine.message,
        multiply=one * max(rounds, 1.0),
        collect=waited * (answer * wide / machine.link + machine.message),
        check=looked * arithmetic.look,
        recover=size.product * arithmetic.coded(waited) + waited * answer * wide / _BYTES * _TOUCH,
    )


def cuts_of(scheme: AbstractScheme) -> tuple[int, int, int]:
    """How a scheme for products cuts its factors: m, p and n.

    Args:
        scheme: one for products.
    """
    problem = scheme.problem
    if not isinstance(problem, MatMul):
        raise TypeError(f"{scheme!r} is for no product")
    return problem.partition


def sends_one(scheme: AbstractScheme) -> bool:
    """Whether all workers receive one and the same B; makes the code.

    Args:
        scheme: one for products.
    """
    _, p, n = cuts_of(scheme)
    if p > 1 or n > 1:
        return False
    coded = isinstance(scheme, AbstractProduct)
    return code_of(scheme).common if coded else isinstance(scheme, Uncoded)
