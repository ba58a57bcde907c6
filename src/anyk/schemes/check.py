"""The seam of checks: an answer is tested when it comes, by a secret that no worker knows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.errors import NotEnoughAnswers, TooManyErrors
from anyk.schemes.recovery import AbstractRecovery, rows_of

if TYPE_CHECKING:
    from anyk.schemes.base import AbstractScheme

__all__ = ["AbstractCheck", "CheckedRecovery"]


class AbstractCheck(ABC):
    """Tells whether an answer is what its worker was asked for, without the others' answers.

    A worker whose answer fails is out: nobody tells it how near its lie came.
    """

    @abstractmethod
    def passes(self, share: int, value: NDArray[Any]) -> bool:
        """Whether this is the answer on a share, but for a chance that the guarantee states.

        Args:
            share: which one.
            value: ndarray of the domain; one of a wrong shape does not pass.
        """


@final
@dataclass(frozen=True, eq=False)
class CheckedRecovery(AbstractRecovery):
    """Another recovery, of those answers that pass their check.

    Args:
        scheme: whose recovery it is.
        layout: of the data.
        whole: the recovery of all the answers.
        check: of each answer.
    """

    scheme: AbstractScheme
    layout: Any
    whole: AbstractRecovery
    check: AbstractCheck

    @property
    def answered(self) -> tuple[int, ...]:
        """The shares that were answered."""
        return self.whole.answered

    @property
    def matrix(self) -> NDArray[Any]:
        """R of all the answers."""
        return self.whole.matrix

    @property
    def modulus(self) -> int | None:
        """That of the recovery."""
        return self.whole.modulus

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The value from the answers that pass; those who gave the others are named.

        Raises:
            InvalidArgument: if `values` does not fit.
            TooManyErrors: if too few of them pass.
        """
        shares, promise = self.answered, self.scheme.guarantee
        array = rows_of(values, shares, self.scheme.domain)
        good = [at for at, share in enumerate(shares) if self.check.passes(share, array[at])]
        if len(good) == len(shares):
            return self.whole.recover(array)
        liars = {shares[at] // promise.pieces for at in set(range(len(shares))).difference(good)}
        try:
            rest = self.scheme.recovery(self.layout, tuple(shares[at] for at in good))
        except NotEnoughAnswers:
            raise TooManyErrors(
                answered={share // promise.pieces for share in shares},
                adversaries=promise.adversaries,
                more=max(promise.threshold - len(shares), 0),
            ) from None
        recovered = rest.recover(array[good])
        return replace(recovered, suspects=tuple(sorted(liars.union(recovered.suspects))))
