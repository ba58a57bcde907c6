"""`Harmonic`: the sum of a polynomial over private blocks, with the fewest workers there can be."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.checks import indices_of, instance, settle
from anyk.domains.points import harmonic_points
from anyk.domains.polynomials import node_weights
from anyk.domains.prime import PrimeField
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

__all__ = ["ROW", "Harmonic"]


@final
@dataclass(frozen=True, kw_only=True)
class Harmonic(AbstractScheme):
    """Harmonic coding: g(X_1) + .. + g(X_K) for a polynomial g, exactly, on K(d-1) + 2 workers.

    With one uniform mask Z and c = 1, let P_j = (c·Z + X_1 + .. + X_j) / (c+j), so that P_0 = Z.
    The first worker receives P_0, the last one P_K, and the d - 1 workers of block j receive

        X_ji = ((c+j-1)·P_(j-1) + (b_i - (c+j-1))·X_j) / b_i,    b_i = K + 1 + i.

    P_(j-1), P_j, the X_ji and X_j lie on a line, at 1/(c+j-1), 1/(c+j), 1/b_i and 0; g restricted
    to it has degree d and d + 1 known values, which gives g(X_j). In the sum over j, the terms in
    g(P_j) cancel but for the first and the last, and no worker has to compute the others.

    Args:
        blocks: K, the number of blocks.
        degree: d, the total degree of g, in all arguments that are encoded. A function of higher
            degree is refused, unless `of_degree` says otherwise.
        field: the prime field of the data.

    Raises:
        InvalidArgument: if a number is out of range.
        Unachievable: if the field has fewer than K + d + 1 elements.

    Guarantee:
        All K(d-1) + 2 answers give the exact sum; no linear scheme that hides the data from each
        worker needs fewer where the characteristic is above d. One straggler is one too many. A
        lie is neither noticed nor mended: no answer is left to check another against. Every
        single share is uniform and independent of the data, whatever computing power its worker
        has. Two workers who put their shares together learn a combination of the blocks: the
        first and the last one learn their sum.

        The first share is the mask itself. The master may compute on it, since it knows the mask
        and the data anyway: on `WithMaster(executor)` it is worker 0, and K(d-1) + 1 others are
        enough.

    References:
        Yu, Avestimehr: Harmonic coding: an optimal linear code for privacy-preserving
        gradient-type computation (ISIT 2019), theorem 1, equations 5 to 13, and section VI-A.

    Example:
        >>> scheme = anyk.Harmonic(blocks=3, degree=2)
        >>> scheme.workers
        5
        >>> encoded = scheme.encode(np.array([[1, 2], [3, 4], [5, 6]]))
        >>> answers = encoded.shares ** 2 % scheme.field.modulus
        >>> encoded.decode(answers, range(5)).value
        array([35, 56])
    """

    blocks: int
    degree: int
    field: PrimeField = PrimeField()

    def __post_init__(self) -> None:
        settle(self, blocks=1, degree=1)
        instance("field", self.field, PrimeField, change="Pass anyk.PrimeField(2**31 - 1).")
        harmonic_points(self.field, self.blocks, self.degree)

    @property
    def workers(self) -> int:
        """N = K(d-1) + 2."""
        return self.blocks * (self.degree - 1) + 2

    @property
    def problem(self) -> Sum:
        """A sum of degree d over K blocks."""
        return Sum(blocks=self.blocks, degree=self.degree)

    @property
    def domain(self) -> PrimeField:
        """The prime field."""
        return self.field

    @property
    def guarantee(self) -> Guarantee:
        """Exact from all K(d-1) + 2 answers, and private from each worker alone."""
        return Guarantee(
            workers=self.workers,
            threshold=self.workers,
            stragglers=0,
            adversaries=0,
            colluders=1,
            exact=True,
            leakage=0.0,
            load=1.0,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """One share a worker, each a combination of two arrays: O(K·d) operations on blocks.

        Args:
            X: array-like (K, *shape) of residues in [0, p).
            source: where the mask comes from; the operating system's CSPRNG by default.

        Returns:
            Shares (K(d-1) + 2, *shape).

        Raises:
            InvalidArgument: if X is not K blocks of residues.
        """
        data = blocks_of(X, self.blocks, self.field)
        shares = np.empty((self.workers, *data.shape[1:]), self.field.rest)
        flat, written = data.reshape(self.blocks, -1), shares.reshape(self.workers, -1)
        for span in column_spans(flat.shape[1], self.workers):
            self._write(flat[:, span], written[:, span], source)
        return Encoded(self, (shares,), None)

    def _write(self, data: NDArray[np.int64], shares: NDArray[Any], source: AbstractSource) -> None:
        """Make a few columns of the shares."""
        field, extra = self.field, self.degree - 1
        (running,) = uniform_masks(field, (1, data.shape[1]), source)
        shares[0] = running
        coefficients, last = _recursion(self)
        for block in range(self.blocks if extra else 0):
            pair = np.stack([running, data[block]])
            start = 1 + block * extra
            shares[start : start + extra] = field.matmul(coefficients[block], pair)
            running = field.reduce(running + data[block])  # c·Z + X_1 + .. + X_j, where c = 1
        if not extra:
            running = field.reduce(running + data.sum(axis=0))
        shares[-1] = field.reduce(running * last)

    @property
    def columns(self) -> tuple[int]:
        """Those of the blocks: each number of a share is made of its like in them."""
        return (1,)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether all of them are there."""
        return len(set(indices_of("answered", answered))) == self.workers

    def tally(self, layout: None) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(self.workers)

    def encoder(self, layout: None, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D and M, the recursion written out; M has one column."""
        extra = self.degree - 1
        coefficients, last = _recursion(self)
        data = np.zeros((self.workers, self.blocks), dtype=np.int64)
        masks = np.ones((self.workers, 1), dtype=np.int64)
        for block in range(self.blocks):
            rows = slice(1 + block * extra, 1 + (block + 1) * extra)
            data[rows, :block] = coefficients[block, :, :1]
            data[rows, block] = coefficients[block, :, 1]
            masks[rows, 0] = coefficients[block, :, 0]
        data[-1], masks[-1] = last, last
        return Encoder(data=data, masks=masks)

    def recovery(self, layout: None, answered: tuple[int, ...]) -> AbstractRecovery:  # noqa: ARG002
        """One combination of all answers.

        Raises:
            NotEnoughAnswers: if one is missing.
        """
        if not self.sufficient(answered):
            raise missing_answers(self, answered, f"all {self.workers} answers")
        return _HarmonicRecovery(self, answered)

    def over(self, field: PrimeField) -> Harmonic:
        """The same code over another prime field."""
        return replace(self, field=field)


@lru_cache(maxsize=32)
def _recursion(scheme: Harmonic) -> tuple[NDArray[np.int64], int]:
    """What turns (c·Z + X_1 + .. + X_(j-1), X_j) into the shares of block j, and P_K's 1/(c+K).

    Returns:
        int64 ndarray (K, d - 1, 2) of 1/b_i and 1 - (c+j-1)/b_i; the residue 1/(c+K).
    """
    field = scheme.field
    progression, singles = harmonic_points(field, scheme.blocks, scheme.degree)
    inverses = np.broadcast_to(field.inverse(singles), (scheme.blocks, scheme.degree - 1))
    own = field.reduce(1 - field.reduce(progression[:-1, None] * inverses))
    return np.stack([inverses, own], axis=-1), int(field.inverse(progression[-1:])[0])


@lru_cache(maxsize=32)
def _weights(scheme: Harmonic) -> NDArray[np.int64]:
    """R, int64 ndarray (1, N): -A_0, then W_ji for each block, then A_K.

    A_j = (c+j)^d / prod_i (c+j-b_i), and
    W_ji = b_i^d / ((b_i-(c+j-1)) (b_i-(c+j)) prod_{m != i} (b_i-b_m)).
    """
    field, degree = scheme.field, scheme.degree
    progression, singles = harmonic_points(field, scheme.blocks, degree)
    ends = progression[[0, -1]]
    products = np.ones(2, dtype=np.int64)
    for single in singles:
        products = field.reduce(products * field.reduce(ends - single))
    first, last = field.reduce(field.power(ends, degree) * field.inverse(products))
    apart = field.reduce(singles - progression[:, None])
    between = field.inverse(field.reduce(apart[:-1] * apart[1:]))
    shared = field.reduce(field.power(singles, degree) * node_weights(field, singles))
    middle = field.reduce(between * shared)
    weights = np.concatenate([field.reduce(-first)[None], middle.ravel(), last[None]])
    return weights[None]


@final
@dataclass(frozen=True)
class _HarmonicRecovery(AbstractRecovery):
    scheme: Harmonic
    workers: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        return self.workers

    @property
    def matrix(self) -> NDArray[Any]:
        return _weights(self.scheme)[:, list(self.workers)]

    def recover(self, values: NDArray[Any]) -> Recovered:
        field = self.scheme.field
        array = rows_of(values, self.workers, field)
        value = field.matmul(self.matrix, array).reshape(array.shape[1:])
        return Recovered(value=value, known=np.ones(1, dtype=np.bool_))


def _sized(problem: Sum, threat: Threat, field: PrimeField) -> Harmonic:
    degree = degree_of(problem)
    none_of(threat, "stragglers", "adversaries")
    if threat.colluders > 1:
        raise failing(f"T <= 1, that is {threat.colluders} <= 1")
    scheme = Harmonic(blocks=problem.blocks, degree=degree, field=field)
    if scheme.workers > threat.workers:
        raise failing(
            f"K(d-1) + 2 <= N, that is {problem.blocks}*{degree - 1} + 2 = {scheme.workers} <= "
            f"{threat.workers}"
        )
    return scheme


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Harmonic(blocks=1, degree=1),
        Harmonic(blocks=4, degree=3, field=PrimeField(101)),
    )


ROW = SchemeRow(
    name="Harmonic",
    scheme=Harmonic,
    solves=Sum,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Harmonic(blocks=K, degree=d)",
        computes="sums of a polynomial of degree d",
        late="no: K(d-1) + 2 workers, all of them needed",
        wrong="no",
        curious="each worker learns nothing",
        value="exact, over a prime field",
    ),
)
