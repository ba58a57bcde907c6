"""`Frobenius`: the sum of x -> A(x^p) over private blocks of GF(p^m), on two workers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.checks import indices_of, instance, settle
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.randomness.masks import uniform_masks
from anyk.schemes.base import (
    AbstractRecovery,
    AbstractScheme,
    Encoder,
    blocks_of,
    missing_answers,
    rows_of,
)
from anyk.schemes.encoded import Encoded
from anyk.schemes.row import SchemeRow, SchemeWords, degree_of, failing, none_of
from anyk.schemes.tally import AbstractTally, CountTally
from anyk.spans import column_spans
from anyk.spec import Guarantee, Sum, Threat
from anyk.work import AbstractWork, Function, Plain
from anyk.works.without_constant import WithoutConstant

__all__ = ["ROW", "Frobenius"]

_WORKERS = 2


@final
@dataclass(frozen=True, kw_only=True)
class Frobenius(AbstractScheme):
    """g(X_1) + .. + g(X_K) for g = A o (x -> x^(p^e)) over GF(p^m), on two workers for any K.

    In characteristic p a power of p adds up: (x + y)^p = x^p + y^p. A block is an array of elements
    of GF(p^m), m residues each along the last axis, and of these residues g is a linear map over
    GF(p), whatever its degree p^e over GF(p^m). With one uniform mask Z the workers receive

        Z    and    Y = a·Z + b·(X_1 + .. + X_K);    g(X_1) + .. + g(X_K) = (g(Y) - a·g(Z)) / b.

    With a = 1 - bK, a constant in g counts K times; b is 1, or 2 where that would make a = 0. Where
    p divides K these are Z and Z + X_1 + .. + X_K, as published. Over GF(2) with an odd K no a can
    do it: there a = b = 1, and a function with a constant is refused.

    What a function of such blocks needs is in `ExtensionField`, which alone knows m and the
    polynomial: the scheme is for any function that is linear over GF(p).

    Args:
        blocks: K.
        field: GF(p).

    Raises:
        InvalidArgument: if a number is out of range.

    Guarantee:
        Both answers give the exact sum; no straggler is left out, and a lie is neither noticed nor
        mended. Each share alone is uniform and independent of the data; both together tell the sum
        of the blocks and no more. Over GF(2) with an odd K each worker calls g twice, once on
        zeros, and other arguments of g can't be encoded.
        A function of another kind is refused, as its degree in the residues is above 1
        (`DegreeTooHigh`): so is a product of shares, and x^n unless n is a power of p. These take
        the K(d-1) + 2 workers of `Harmonic`, with d that degree and p at least K + d + 1. What
        `of_degree` wraps is believed.

    References:
        Yu, Avestimehr: Harmonic coding: an optimal linear code for privacy-preserving
        gradient-type computation (ISIT 2019), section VI-B.

    Example:
        >>> bytes_of = anyk.ExtensionField(anyk.PrimeField(2), 8)
        >>> scheme = anyk.Frobenius(blocks=3, field=bytes_of.field)
        >>> X = np.random.default_rng(0).integers(0, 2, (3, 5, 8))
        >>> with anyk.Inline(2) as executor:
        ...     value = anyk.run(scheme, bytes_of.frobenius, X, executor).value
        >>> squares = bytes_of.multiply(X, X)
        >>> bool(np.array_equal(value, squares.sum(axis=0) % 2))
        True
    """

    blocks: int
    field: PrimeField = PrimeField()

    def __post_init__(self) -> None:
        settle(self, blocks=1)
        instance("field", self.field, PrimeField, change="Pass anyk.PrimeField(2), say.")

    @property
    def workers(self) -> int:
        """Two."""
        return _WORKERS

    @property
    def problem(self) -> Sum:
        """A sum over K blocks of what is linear in their residues."""
        return Sum(blocks=self.blocks, degree=1)

    @property
    def domain(self) -> PrimeField:
        """GF(p), where the residues are."""
        return self.field

    @property
    def guarantee(self) -> Guarantee:
        """Exact from both answers, and private from each worker alone."""
        return Guarantee(
            workers=_WORKERS,
            threshold=_WORKERS,
            stragglers=0,
            adversaries=0,
            colluders=1,
            exact=True,
            leakage=0.0,
            load=1.0,
        )

    @property
    def _counts_constants(self) -> bool:
        return self.field.modulus > 2 or self.blocks % 2 == 0  # noqa: PLR2004 - GF(2)

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """A mask, and the sum of all blocks under it.

        Args:
            X: array-like (K, *shape, m) of residues in [0, p).
            source: where the mask comes from; the operating system's CSPRNG by default.

        Returns:
            Shares (2, *shape, m).

        Raises:
            InvalidArgument: if X is not K blocks of residues.
        """
        field = self.field
        data = blocks_of(X, self.blocks, field)
        shares = np.empty((_WORKERS, *data.shape[1:]), field.rest)
        flat, written = data.reshape(self.blocks, -1), shares.reshape(_WORKERS, -1)
        a, b = _factors(self)
        for span in column_spans(flat.shape[1], self.blocks):
            (mask,) = uniform_masks(field, (1, flat[:, span].shape[1]), source)
            total = field.reduce(flat[:, span].sum(axis=0))
            written[0, span] = mask
            written[1, span] = field.reduce(a * mask + field.reduce(b * total))
        return Encoded(self, (shares,), None)

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """The function itself; over GF(2) with an odd K, if it has no constant.

        Raises:
            InvalidArgument: if another argument is a share there.
        """
        if self._counts_constants:
            return Plain(function)
        if any(per_worker):
            raise InvalidArgument(
                "arguments",
                given="shares, over GF(2) with an odd number of blocks",
                needed="arguments that all workers receive alike",
                change="Append a block of zeros to X and to them, and take blocks= one more.",
            )
        return WithoutConstant(function)

    @property
    def columns(self) -> tuple[int]:
        """Those of the blocks: each number of a share is made of its like in them."""
        return (1,)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether both are there."""
        return len(set(indices_of("answered", answered))) == _WORKERS

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(_WORKERS)

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D and M; M has one column."""
        a, b = _factors(self)
        data = np.zeros((_WORKERS, self.blocks), dtype=np.int64)
        data[1] = b
        return Encoder(data=data, masks=np.array([[1], [a]], dtype=np.int64))

    def recovery(self, layout: None, answered: tuple[int, ...]) -> AbstractRecovery:  # noqa: ARG002
        """One combination of both answers.

        Raises:
            NotEnoughAnswers: if one is missing.
        """
        if not self.sufficient(answered):
            raise missing_answers(self, answered, "both answers")
        return _FrobeniusRecovery(self, answered)

    def over(self, field: PrimeField) -> Frobenius:
        """The same code over another prime field."""
        return replace(self, field=field)


def _factors(scheme: Frobenius) -> tuple[int, int]:
    """How much of the mask, a, and of the data, b, is in the second share."""
    modulus = scheme.field.modulus
    for b in range(1, min(3, modulus)):
        if a := (1 - b * scheme.blocks) % modulus:
            return a, b
    return 1, 1


@final
@dataclass(frozen=True)
class _FrobeniusRecovery(AbstractRecovery):
    scheme: Frobenius
    workers: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        return self.workers

    @property
    def matrix(self) -> NDArray[Any]:
        a, b = _factors(self.scheme)
        field = self.scheme.field
        second = field.inverse(b)
        weights = field.residues([-a * second, second])
        return weights[None, list(self.workers)]

    def recover(self, values: NDArray[Any]) -> Recovered:
        field = self.scheme.field
        array = rows_of(values, self.workers, field)
        value = field.matmul(self.matrix, array).reshape(array.shape[1:])
        return Recovered(value=value, known=np.ones(1, dtype=np.bool_))


def _sized(problem: Sum, threat: Threat, field: PrimeField) -> Frobenius:
    degree = degree_of(problem)
    none_of(threat, "stragglers", "adversaries")
    for name, number, most in (("d", degree, 1), ("T", threat.colluders, 1)):
        if number > most:
            raise failing(f"{name} <= {most}, that is {number} <= {most}")
    if threat.workers < _WORKERS:
        raise failing(f"{_WORKERS} <= N, that is {_WORKERS} <= {threat.workers}")
    return Frobenius(blocks=problem.blocks, field=field)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Frobenius(blocks=4),
        Frobenius(blocks=1, field=PrimeField(3)),
        Frobenius(blocks=3, field=PrimeField(2)),
        Frobenius(blocks=4, field=PrimeField(2)),
    )


ROW = SchemeRow(
    name="Frobenius",
    scheme=Frobenius,
    solves=Sum,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Frobenius(blocks=K, field=GF(p))",
        computes="sums of linear maps of x^p, of elements of GF(p^m)",
        late="no: two workers, both needed",
        wrong="no",
        curious="each worker learns nothing",
        value="exact, over an extension field",
    ),
)
