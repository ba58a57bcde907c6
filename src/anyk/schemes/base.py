"""The seam of coding: a scheme makes shares, says what is enough, and prepares recoveries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.checks import count, instance
from anyk.domains.base import AbstractDomain
from anyk.errors import InvalidArgument
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.spec import Guarantee, Map, MatMul, Sum

__all__ = [
    "AbstractRecovery",
    "AbstractScheme",
    "Encoded",
    "Encoder",
    "blocks_of",
    "read_only",
    "rows_of",
]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Encoder:
    """The two small matrices behind the shares: shares = D·blocks + M·masks.

    Args:
        data: D, ndarray (N, K).
        masks: M, ndarray (N, T), more columns where blocks have masks of their own; none where
            there are no masks.

    Example:
        >>> anyk.Replication(blocks=2, workers=3).encode(np.ones(2)).encoder.data
        array([[1., 0.],
               [0., 1.],
               [1., 0.]])
    """

    data: NDArray[Any]
    masks: NDArray[Any]


class AbstractRecovery(ABC):
    """A decoder prepared for one set of workers that answered; use it as often as you like.

    Example:
        >>> encoded = anyk.Lagrange(blocks=2, degree=2, workers=4).encode(np.array([5, 6]))
        >>> recovery = encoded.recovery([0, 2, 3])
        >>> recovery.recover(encoded.shares[[0, 2, 3]] ** 2).value
        array([25, 36])
    """

    @property
    @abstractmethod
    def answered(self) -> tuple[int, ...]:
        """The workers that answered, in the order that `recover` expects."""

    @property
    @abstractmethod
    def matrix(self) -> NDArray[Any]:
        """R, ndarray (K, len(answered)): value = R·answers where nobody lies.

        One row, (1, len(answered)), for a sum, whose value is that row's.
        """

    @abstractmethod
    def recover(self, values: NDArray[Any]) -> Recovered:
        """The value from the answers.

        Args:
            values: ndarray (len(answered), *out), row i from worker `answered[i]`.

        Returns:
            The value (K, *out), or (*out) for a sum, the liars, and the error estimate.

        Raises:
            InvalidArgument: if `values` does not fit.
            TooManyErrors: if the answers contradict each other beyond what the scheme can mend.
        """


class AbstractScheme(ABC):
    """Encoder, what a worker runs, and recovery, with a guarantee.

    A scheme is a frozen dataclass of its parameters: picklable, and its repr rebuilds it.
    What was chosen for one set of data (points, order) is in the `Encoded` it returns.

    Example:
        >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=4)
        >>> scheme.problem, scheme.domain, scheme.sufficient({0, 2, 3})
        (Map(blocks=2, degree=2), PrimeField(2147483647), True)
    """

    __slots__ = ()

    @property
    @abstractmethod
    def problem(self) -> Map | Sum | MatMul:
        """What this scheme computes."""

    @property
    @abstractmethod
    def domain(self) -> AbstractDomain:
        """Where its arithmetic lives."""

    @property
    @abstractmethod
    def guarantee(self) -> Guarantee:
        """What it promises."""

    @abstractmethod
    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """One share a worker.

        Args:
            X: array-like (K, *shape), the blocks along the first axis.
            source: where masks come from; the operating system's CSPRNG unless a test says
                otherwise.

        Returns:
            The shares (N, *shape), and what their recovery needs.

        Raises:
            InvalidArgument: if X is not K blocks of this scheme's domain.
        """

    @abstractmethod
    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether these workers' answers are enough for the guarantee."""

    @abstractmethod
    def encoder(self, layout: Any) -> Encoder:
        """The matrices behind the shares of one `Encoded`, from its layout."""

    @abstractmethod
    def recovery(self, layout: Any, answered: tuple[int, ...]) -> AbstractRecovery:
        """The decoder for these workers; called by `Encoded.recovery`, which checks them."""


@final
@dataclass(frozen=True, eq=False, repr=False)
class Encoded:
    """The shares of one set of data, and what a recovery needs to know about them.

    Args:
        scheme: the scheme that made it.
        shares: ndarray (N, *shape), row n for worker n.
        layout: what the scheme chose for these data (points, order); no mask is in it.

    Example:
        >>> anyk.Lagrange(blocks=2, degree=1, workers=4).encode(np.zeros((2, 3), int))
        <Encoded: 4 shares of shape (3,), int64, by Lagrange>
    """

    scheme: AbstractScheme
    shares: NDArray[Any]
    layout: Any

    @property
    def encoder(self) -> Encoder:
        """The small matrices D and M behind these shares."""
        return self.scheme.encoder(self.layout)

    def recovery(self, answered: Sequence[int]) -> AbstractRecovery:
        """Prepare the decoder for the workers that answered.

        Args:
            answered: distinct worker indices in [0, N), in the order in which their answers will
                be stacked.

        Returns:
            A recovery, cheap to use many times.

        Raises:
            InvalidArgument: if an index is repeated or out of range.
            NotEnoughAnswers: if no value can be recovered from them.
        """
        workers = self.scheme.guarantee.workers
        instance("answered", answered, Iterable, change="Pass a list of worker indices.")
        if isinstance(answered, AbstractSet):
            raise InvalidArgument(
                "answered",
                given="a set, which has no order",
                needed="a sequence: row i of the values comes from worker answered[i]",
                change="Pass a list, in the order of the values.",
            )
        indices = tuple(count("answered", worker, least=0) for worker in answered)
        strange = [worker for worker in indices if worker >= workers]
        if strange or len(set(indices)) != len(indices):
            raise InvalidArgument(
                "answered",
                given=f"worker {strange[0]}" if strange else "a worker twice",
                needed=f"distinct worker indices from 0 to {workers - 1}",
                change="One worker, one share, one answer.",
            )
        return self.scheme.recovery(self.layout, indices)

    def decode(self, values: NDArray[Any], answered: Sequence[int]) -> Recovered:
        """`recovery(answered).recover(values)`.

        Args:
            values: ndarray (len(answered), *out).
            answered: the workers they came from.

        Returns:
            The value (K, *out), or (*out) for a sum, the liars, and the error estimate.

        Raises:
            NotEnoughAnswers: if no value can be recovered from them.
            TooManyErrors: if the answers contradict each other beyond what can be mended.
        """
        return self.recovery(answered).recover(values)

    def __repr__(self) -> str:
        count, *shape = self.shares.shape
        return (
            f"<Encoded: {count} shares of shape {tuple(shape)}, {self.shares.dtype}, "
            f"by {type(self.scheme).__name__}>"
        )


def read_only(matrix: NDArray[Any]) -> NDArray[Any]:
    """The matrix, closed to writing: what is kept for the next recovery must not change."""
    matrix.flags.writeable = False
    return matrix


def blocks_of(X: Any, blocks: int, domain: AbstractDomain) -> NDArray[Any]:
    """Check what `encode` was given: K non-empty blocks of the domain.

    Args:
        X: array-like (K, *shape).
        blocks: K.
        domain: what its values must belong to.

    Returns:
        ndarray (K, *shape) of the domain's dtype.

    Raises:
        InvalidArgument: if the first axis is not K, a block is empty, or a value does not belong.
    """
    array = domain.validate(X, "X")
    if array.ndim == 0 or array.shape[0] != blocks:
        raise InvalidArgument(
            "X",
            given=f"shape {array.shape}",
            needed=f"{blocks} blocks along the first axis (blocks={blocks})",
            change=f"Reshape X to ({blocks}, ...), or make the scheme with another blocks=.",
        )
    if array.size == 0:
        raise InvalidArgument(
            "X",
            given=f"shape {array.shape}",
            needed="blocks with at least one number",
            change="Nothing to compute: leave the call out.",
        )
    return array


def rows_of(values: Any, answered: tuple[int, ...], domain: AbstractDomain) -> NDArray[Any]:
    """Check what `recover` was given: one row of the domain for each worker that answered.

    Args:
        values: array-like (len(answered), *out).
        answered: the workers.
        domain: what its values must belong to.

    Returns:
        ndarray (len(answered), *out) of the domain's dtype.

    Raises:
        InvalidArgument: if the rows and the workers do not match, or a value does not belong.
    """
    array = domain.validate(values, "values")
    if array.ndim == 0 or array.shape[0] != len(answered):
        raise InvalidArgument(
            "values",
            given=f"shape {np.shape(array)}",
            needed=f"one row for each of the {len(answered)} workers that answered",
            change="Stack the answers along the first axis, in the order of `answered`.",
        )
    return array
