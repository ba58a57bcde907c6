"""When a decoded word is the truth: before everybody is heard, and never without a proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from heapq import nlargest
from typing import final

from anyk.checks import settle
from anyk.codes.locators.located import Located
from anyk.errors import InvalidArgument, TooManyErrors
from anyk.schemes.tally import AbstractTally, CountTally, WorkerTally
from anyk.wording import numbered

__all__ = ["Certainty", "noticed_of"]


@final
@dataclass(frozen=True, kw_only=True)
class Certainty:
    """When a word of a code is certain, though up to D workers may lie: online error correction.

    Any k answers determine a word. Let F be the answers, L the most of them that any D workers
    gave, and e how many differ from the word that was decoded. The truth agrees with all answers
    but at most L, the word with all but e; so both agree with |F| - L - e answers. If these are k
    or more, the word is the truth. With one answer a worker L is D, and

        |F| >= k + D + e

    is what makes a word certain: nobody is waited for but one worker more for each lie. Up to A
    liars are named. Where D > A, a word that differs from the answers of more than A workers is
    refused, so that up to D liars are noticed.

    Args:
        dimension: k, how many answers determine a word.
        adversaries: A, how many workers may lie and are named.
        detects: D >= A, how many workers may lie and are noticed; None for A.
        pieces: r, how many answers a worker gives.

    Raises:
        InvalidArgument: if a number is out of range, or D below A.

    Guarantee:
        A word that `liars` accepts is the truth, if at most D workers lie. If at most A do, and e
        of the answers are lies, it accepts from |F| = k + L + e on, where the locator finds them.

    References:
        Ben-Or, Canetti, Goldreich: Asynchronous secure computation (STOC 1993), section 4.

    Example:
        >>> from anyk.schemes.certainty import Certainty
        >>> certainty = Certainty(dimension=3, adversaries=2)
        >>> certainty.least, certainty.threshold
        (5, 7)
        >>> [certainty.margin(range(answers)) for answers in (4, 5, 6, 7, 8)]
        [-1, 0, 1, 2, 3]
    """

    dimension: int
    adversaries: int
    detects: int | None = None
    pieces: int = 1

    def __post_init__(self) -> None:
        settle(self, optional="detects", dimension=1, adversaries=0, detects=0, pieces=1)
        noticed_of(self.adversaries, self.detects)

    @property
    def noticed(self) -> int:
        """D."""
        return noticed_of(self.adversaries, self.detects)

    @property
    def least(self) -> int:
        """How many answers are enough if nobody lies, whoever they come from: k + rD."""
        return self.dimension + self.pieces * self.noticed

    @property
    def threshold(self) -> int:
        """How many are enough if at most A workers lie: k + r(D + A)."""
        return self.least + self.pieces * self.adversaries

    @property
    def needed(self) -> str:
        """What would have been enough, in words, where a recovery has too few answers."""
        more = self.threshold - self.least
        lies = f", up to {more} more if some of them lie" if more else ""
        return f"{numbered(self.least, 'answer')}{lies}"

    @property
    def excess(self) -> tuple[str, str]:
        """What is needed beyond k, in letters and in numbers, for an inequality."""
        r = "" if self.pieces == 1 else "r"
        named, noticed = self.pieces * self.adversaries, self.pieces * self.noticed
        if self.detects is None:
            return f"2{r}A", f"2*{named}"
        return f"{r}D + {r}A", f"{noticed} + {named}"

    def margin(self, shares: Collection[int]) -> int:
        """|F| - L - k: from how many answers a certain word may differ; below 0, none is certain.

        Args:
            shares: F, those that were answered, each once; share i is of worker i // r.
        """
        return len(shares) - self._given_by(self.noticed, shares) - self.dimension

    @property
    def tally(self) -> AbstractTally:
        """Of shares that are told one by one: whether their margin is 0 or more."""
        if self.pieces == 1:
            return CountTally(self.least)
        return WorkerTally(self.dimension, self.noticed, self.pieces)

    def most(self, shares: Collection[int]) -> int:
        """How many lies a locator is to look for: as many as A workers may tell and F can prove.

        Two words can't both be so near to the answers: 2·most <= |F| - k.

        Args:
            shares: F.
        """
        return max(min(self.margin(shares), self._given_by(self.adversaries, shares)), 0)

    def liars(self, shares: Sequence[int], located: Located) -> tuple[int, ...]:
        """The workers whose answers differ from the word that was found, sorted.

        Args:
            shares: F, in the order of the rows that the locator looked at.
            located: which of these rows differ from one word.

        Raises:
            TooManyErrors: if there is no word, or it is not certain, or it differs from the
                answers of more than A workers.
        """
        liars = {shares[place] // self.pieces for place in located.removed}
        sure = len(located.removed) <= self.margin(shares) and len(liars) <= self.adversaries
        if located.exceeded or not sure:
            raise self.contradiction(shares)
        return tuple(sorted(liars))

    def more(self, shares: Collection[int]) -> int:
        """How many more answers settle a contradiction at most; 0 where more than A workers lie.

        Args:
            shares: F, of which no word is certain.
        """
        told = self.margin(shares) >= self._given_by(self.adversaries, shares)
        return 0 if told else self.threshold - len(shares)

    def contradiction(
        self, shares: Collection[int], more: int | None = None, unless: str = ""
    ) -> TooManyErrors:
        """The error of answers of which no word is certain.

        Args:
            shares: F.
            more: how many more answers would settle it at most; by default those of `more`.
            unless: what else than liars would look like this.
        """
        return TooManyErrors(
            answered={share // self.pieces for share in shares},
            adversaries=self.adversaries,
            detects=self.noticed,
            more=self.more(shares) if more is None else more,
            unless=unless,
        )

    def _given_by(self, workers: int, shares: Collection[int]) -> int:
        """The most of these answers that so many workers gave."""
        if self.pieces == 1:
            return min(workers, len(shares))
        return sum(nlargest(workers, Counter(share // self.pieces for share in shares).values()))


def noticed_of(adversaries: int, detects: int | None) -> int:
    """D, how many liars are noticed.

    Args:
        adversaries: A, how many are named.
        detects: D as it was asked for; None for A.

    Raises:
        InvalidArgument: if D is below A.

    Example:
        >>> from anyk.schemes.certainty import noticed_of
        >>> noticed_of(2, None), noticed_of(0, 3)
        (2, 3)
    """
    if detects is None:
        return adversaries
    if detects < adversaries:
        raise InvalidArgument(
            "detects",
            given=str(detects),
            needed=f"at least adversaries = {adversaries}, as liars who are named are noticed",
            change="Raise it, or leave it out.",
        )
    return detects
