"""Which clients' pieces are fit, by what parties said of their boxes; and which parties say so."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from heapq import nlargest
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.aggregation.setting import Setting
from anyk.codes.exact.reed_solomon import EvaluationCode

__all__ = ["Judging", "Said"]

Said: TypeAlias = "str | NDArray[np.int64]"
"""Of one box: why it was refused, or its check values, (primes, checks)."""


@final
class Judging:
    """Who is at odds: a client whose boxes some parties refuse, or those parties.

    More than A parties are not at odds with an honest client. A client is left out whoever is at
    fault, as a sum without it is right; but a party that is at odds with more clients than
    `vetoes`, which no others are at odds with, is not believed any more: where there are enough
    parties without it, that is. So clients who work together can't stop a round by having honest
    parties left out: there they are left out themselves.

    Args:
        setting: of the round.
        vetoes: how many clients one party may be at odds with.
    """

    def __init__(self, setting: Setting, vetoes: int) -> None:
        self._setting, self._vetoes = setting, vetoes
        self._against: Counter[int] = Counter()

    def judge(
        self, said: Mapping[int, Sequence[Said]], many: int
    ) -> tuple[dict[int, str], list[int]]:
        """The clients of a batch that are left out and why, and the parties that are.

        Args:
            said: by party, of each client of the batch.
            many: clients of the batch.
        """
        parties = sorted(said)
        odds: list[dict[int, str]] = [
            {party: str(word) for party in parties if isinstance(word := said[party][at], str)}
            for at in range(many)
        ]
        accepted = [at for at in range(many) if not odds[at]]
        liars = self._setting.plan.code.adversaries
        for at, off in self._off_the_curve(said, parties, accepted).items():
            odds[at] = dict.fromkeys(off, "its piece does not lie on the curve of the others")
        for each in odds:
            if len(each) <= liars or len(each) == 1:
                self._against.update(each.keys())
        left = self._unbelieved(parties)
        out: dict[int, str] = {}
        for at, each in enumerate(odds):
            against = {party: why for party, why in each.items() if party not in left}
            if against:
                out[at] = self._reason(against, alone=len(each) > max(liars, 1))
        return out, sorted(left)

    def _unbelieved(self, parties: Sequence[int]) -> set[int]:
        """Parties at odds with too many clients; the worst ones, if not all can be done without."""
        plan = self._setting.plan
        spare = max(0, len(parties) - max(plan.signatures, plan.code.certainty.least))
        worst = nlargest(spare, parties, key=self._against.__getitem__)
        return {party for party in worst if self._against[party] > self._vetoes}

    def _reason(self, against: Mapping[int, str], *, alone: bool) -> str:
        party, why = next(iter(against.items()))
        name = self._setting.parties[party].name
        if alone:
            return (
                why if len(against) == len(self._setting.parties) else f"{why} ({name} and others)"
            )
        return f"{why}, says {name}: one of the two is at fault"

    def _off_the_curve(
        self, said: Mapping[int, Sequence[Said]], parties: list[int], accepted: list[int]
    ) -> dict[int, list[int]]:
        """Of each client whose check values are no word of the code: the parties that are off.

        All, where no few parties explain it.
        """
        found: dict[int, list[int]] = {}
        for at_prime, code in enumerate(self._setting.codes):
            dimension = code.certainty.dimension
            if len(parties) <= dimension or not accepted:
                continue
            words = np.stack(
                [[np.asarray(said[party][at])[at_prime] for at in accepted] for party in parties]
            )
            points = code.points[parties]
            checker = EvaluationCode(code.field, points, dimension)
            flat = words.reshape(len(parties), -1)
            syndromes = checker.syndromes(flat)
            wrong = syndromes.reshape(len(syndromes), len(accepted), -1).any(axis=(0, 2))
            for where in np.flatnonzero(wrong):
                most = min(code.adversaries, (len(parties) - dimension) // 2)
                located = checker.locate(np.ascontiguousarray(words[:, where]), most)
                off = parties if located.exceeded else [parties[row] for row in located.removed]
                found.setdefault(accepted[where], []).extend(off)
        return found
