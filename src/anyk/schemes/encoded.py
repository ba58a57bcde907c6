"""`Encoded`: what an encoding made: the shares as they lie and travel, and what recovers them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.checks import indices_of, shown
from anyk.errors import InvalidArgument
from anyk.schemes.check import AbstractCheck, CheckedRecovery
from anyk.schemes.encoder import Encoder
from anyk.schemes.recovery import AbstractRecovery
from anyk.spec import Guarantee, MatMul

if TYPE_CHECKING:
    from anyk.schemes.base import AbstractScheme

__all__ = ["Encoded", "require_left"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class Encoded:
    """The shares of one set of data, and what a recovery needs to know about them.

    Args:
        scheme: the scheme that made it.
        parts: ndarrays (N * pieces, *shape): row i of each makes share i, which belongs to
            worker i // pieces. One ndarray where there is one part. They are kept as they lie on
            workers and travel, residues in the smallest unsigned type that holds them: what is
            computed from them so wraps in silence. `shares` are the same to compute with.
        layout: what the scheme chose for these data (points, order); no mask is in it.
        check: of each answer when it comes, where the scheme has one: its secret stays here.
        alone: whether it is of one factor, which is multiplied with others later.

    Example:
        >>> anyk.Lagrange(blocks=2, degree=1, workers=4).encode(np.zeros((2, 3), int))
        <Encoded: 4 shares of shape (3,), uint32, by Lagrange>
    """

    scheme: AbstractScheme
    parts: tuple[NDArray[Any], ...]
    layout: Any
    check: AbstractCheck | None = None
    alone: bool = False

    def __post_init__(self) -> None:
        given: Any = self.parts
        parts = (given,) if isinstance(given, np.ndarray) else tuple(given)
        object.__setattr__(self, "parts", self._at_rest(parts))

    def _at_rest(self, parts: tuple[NDArray[Any], ...]) -> tuple[NDArray[Any], ...]:
        """The parts as they lie and travel, but those that are no numbers of the domain."""
        scheme, others = self.scheme, range(0)
        if len(parts) > 1 and isinstance(scheme.problem, MatMul):
            others = scheme.work(np.matmul).places(len(parts))
        return tuple(
            part if place in others else scheme.domain.at_rest(part)
            for place, part in enumerate(parts)
        )

    @property
    def shares(self) -> NDArray[Any]:
        """The one part of the shares, ndarray (N * pieces, *shape) of the domain's dtype.

        Of a field they are int64, a copy of twice the memory or more, made in each call.

        Raises:
            InvalidArgument: if they have several.
        """
        if len(self.parts) > 1:
            raise InvalidArgument(
                "shares",
                given=f"{len(self.parts)} parts a share",
                needed="one part",
                change="Take .parts.",
            )
        return self.scheme.domain.from_rest(self.parts[0])

    def held_by(self, workers: Iterable[int]) -> list[int]:
        """The shares of these workers, in their order.

        Args:
            workers: their indices.

        Raises:
            InvalidArgument: if one is no index.

        Example:
            >>> scheme = anyk.Lagrange(blocks=3, degree=1, workers=2, pieces=2)
            >>> scheme.encode([1, 2, 3]).held_by([1, 0])
            [2, 3, 0, 1]
        """
        pieces = self.guarantee.pieces
        told = indices_of("workers", workers)
        return [worker * pieces + piece for worker in told for piece in range(pieces)]

    @cached_property
    def guarantee(self) -> Guarantee:
        """What the scheme promises."""
        return self.scheme.guarantee

    @property
    def encoder(self) -> Encoder:
        """The small matrices D and M behind these shares; of A, for a product."""
        return self.scheme.encoder(self.layout)

    def recovery(
        self, answered: Sequence[int], workers: Sequence[int] | None = None
    ) -> AbstractRecovery:
        """Prepare the decoder for the shares that were answered.

        Args:
            answered: distinct indices of shares in [0, N * pieces), which are the workers' where
                each has one, in the order in which their answers will be stacked.
            workers: who answered them, where that is not for each share the worker that holds it;
                then a share may have several answers, each of another worker.

        Returns:
            A recovery, cheap to use many times.

        Raises:
            InvalidArgument: if an index is repeated or out of range.
            NotEnoughAnswers: if no value can be recovered from them.
        """
        if self.alone:
            raise InvalidArgument(
                "encoded",
                given=repr(self),
                needed="shares of both factors",
                change="Take scheme.encode_right(encoded, B).",
            )
        promise = self.guarantee
        shares = promise.workers * promise.pieces
        one = "worker" if promise.pieces == 1 else "share"
        if isinstance(answered, AbstractSet):
            raise InvalidArgument(
                "answered",
                given="a set, which has no order",
                needed="a sequence: row i of the values comes from worker answered[i]",
                change="Pass a list, in the order of the values.",
            )
        indices = indices_of("answered", answered)
        strange = [share for share in indices if share >= shares]
        says = [*zip(indices, workers, strict=True)] if workers is not None else indices
        if strange or len({*says}) != len(says):
            raise InvalidArgument(
                "answered",
                given=f"{one} {strange[0]}" if strange else f"a {one} twice",
                needed=f"distinct indices of {one}s from 0 to {shares - 1}",
                change="Name each once.",
            )
        if workers is not None:
            return self.scheme.recovery_by(self.layout, indices, tuple(workers))
        recovery = self.scheme.recovery(self.layout, indices)
        if self.check is None:
            return recovery
        return CheckedRecovery(self.scheme, self.layout, recovery, self.check)

    def decode(self, values: NDArray[Any], answered: Sequence[int]) -> Recovered:
        """`recovery(answered).recover(values)`.

        Args:
            values: ndarray (len(answered), *out).
            answered: the shares they are the answers on.

        Returns:
            The value, the liars, and the error estimate, as `AbstractRecovery.recover` has them.

        Raises:
            NotEnoughAnswers: if no value can be recovered from them.
            TooManyErrors: if the answers contradict each other beyond what can be mended.
        """
        return self.recovery(answered).recover(values)

    def __repr__(self) -> str:
        shapes = " and ".join(f"{part.shape[1:]}, {part.dtype}" for part in self.parts)
        shares, name = len(self.parts[0]), type(self.scheme).__name__
        return f"<Encoded: {shares} shares of shape {shapes}, by {name}>"


def require_left(scheme: AbstractScheme, left: Any) -> None:
    """Refuse another first factor than one that `encode_left` of this scheme made.

    Args:
        scheme: whose.
        left: what came.

    Raises:
        InvalidArgument: if it is another.
    """
    if not (isinstance(left, Encoded) and left.alone and left.scheme == scheme):
        raise InvalidArgument(
            "left",
            given=shown(left),
            needed="shares of A alone, of the same scheme",
            change="Pass scheme.encode_left(A).",
        )
