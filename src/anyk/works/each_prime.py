"""`EachPrime`: a work, once for each prime of a residue number system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, final

from anyk.domains.array import FieldArray
from anyk.own_copies import own_copies
from anyk.work import AbstractWork, Function

__all__ = ["EachPrime", "for_each_call"]


@final
@dataclass(frozen=True)
class EachPrime(AbstractWork):
    """Another work, once for each prime of a residue number system.

    Each time it has copies of its own of the arguments, so that what a function writes in them is
    not seen by the next prime.

    Args:
        work: what is run on field elements.
        per_worker: for each argument, whether it is a share, so a tuple of one array a prime;
            the other arguments reach every prime as they are.

    Example:
        >>> from anyk.domains.ring import ResidueRing
        >>> from anyk.work import Plain
        >>> from anyk.works.each_prime import EachPrime
        >>> ring = ResidueRing((anyk.PrimeField(5), anyk.PrimeField(7)))
        >>> cube = EachPrime(Plain(pow), (False,))
        >>> ring.accept(cube([ring.present(ring.constant([-2]))], [3])).tolist()  # -8
        [[2, 6]]
    """

    work: AbstractWork
    per_worker: tuple[bool, ...]

    @property
    def users(self) -> Function | None:
        """That of the work within."""
        return self.work.users

    def __call__(self, parts: Sequence[Any], arguments: Sequence[Any]) -> tuple[Any, ...]:
        """What the work returns for each prime."""
        primes = len(parts[0])
        return tuple(
            _kept(
                self.work(
                    [part[place] for part in parts],
                    [
                        argument[place] if own else argument
                        for argument, own in zip(given, self.per_worker, strict=True)
                    ],
                )
            )
            for place, given in enumerate(for_each_call(arguments, primes))
        )


def for_each_call(arguments: Sequence[Any], calls: int) -> Iterator[Sequence[Any]]:
    """The arguments, once a call: copies, of which a function may write in its own."""
    for _ in range(calls - 1):
        yield own_copies(list(arguments))
    yield arguments


def _kept(result: Any) -> Any:
    """A result that stays as it is, though the next call may use its memory again."""
    if isinstance(result, FieldArray):
        return result.copy()
    return own_copies(result)
