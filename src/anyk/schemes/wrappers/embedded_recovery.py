"""The decoder of `Embedded`: each prime on its own, and the values put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.domains.extent import Extent
from anyk.domains.ring import ResidueRing
from anyk.errors import TooManyErrors
from anyk.fixed_point.reading import error_of, reals
from anyk.schemes.base import AbstractRecovery, rows_of
from anyk.schemes.check import AbstractCheck
from anyk.spec import Guarantee

__all__ = ["EmbeddedCheck", "EmbeddedRecovery"]


@final
@dataclass(frozen=True, eq=False, repr=False)
class EmbeddedCheck(AbstractCheck):
    """The checks of each prime; all of them must be passed.

    Args:
        ring: of the primes.
        each: the check of each.
    """

    ring: ResidueRing
    each: tuple[AbstractCheck, ...]

    def passes(self, share: int, value: NDArray[Any]) -> bool:
        """Whether an answer passes all of them."""
        if value.shape[-1:] != (len(self.each),):
            return False
        return all(
            check.passes(share, self.ring.part(value, place))
            for place, check in enumerate(self.each)
        )


@final
@dataclass(frozen=True)
class EmbeddedRecovery(AbstractRecovery):
    """From answers over a ring to reals: made by `Embedded`.

    Args:
        ring: of the primes.
        guarantee: of the scheme.
        known: what is known of the value.
        each: the recovery of the scheme over each prime.
    """

    ring: ResidueRing
    guarantee: Guarantee
    known: Extent
    each: tuple[AbstractRecovery, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        """The shares that were answered."""
        return self.each[0].answered

    @property
    def matrix(self) -> NDArray[Any]:
        """R over the ring, (K, len(answered), L)."""
        return self.ring.join([recovery.matrix for recovery in self.each])

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The value in reals; see `AbstractRecovery.recover`.

        Raises:
            TooManyErrors: if the primes together suspect more workers than may lie.
        """
        ring, known = self.ring, self.known
        rows = rows_of(values, self.answered, ring)
        recovered = [
            recovery.recover(ring.part(rows, place)) for place, recovery in enumerate(self.each)
        ]
        suspects = sorted({liar for each in recovered for liar in each.suspects})
        adversaries = self.guarantee.adversaries
        if len(suspects) > adversaries:
            pieces = self.guarantee.pieces
            answered = {share // pieces for share in self.answered}
            raise TooManyErrors(answered=answered, adversaries=adversaries)
        residues = ring.join([each.value for each in recovered])
        return Recovered(
            value=reals(residues, ring.primes, bits=known.bits, bound=known.bound),
            suspects=tuple(suspects),
            known=recovered[0].known,
            quantisation_error=error_of(known),
        )
