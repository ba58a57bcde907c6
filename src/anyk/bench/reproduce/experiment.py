"""What an experiment is: a name, what it measures, and the report that it returns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np

from anyk.bench.reproduce.picture import Picture

__all__ = ["Claim", "Experiment", "Report", "Setting", "Table"]


@final
@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a user chose for one run.

    Args:
        tiny: a size of seconds, without data or models of others, and without a verdict.
        batches: trials a row; None for the experiment's own number.
        seed: of data, stragglers and noise.
        cache: a directory for trained models and their evaluations; None for the user's own.
        fashion: where the files of Fashion-MNIST are; None for where Debian puts them.

    Example:
        >>> from anyk.bench.reproduce.experiment import Setting
        >>> Setting(tiny=True).trials(full=100, tiny=3)
        3
    """

    tiny: bool = False
    batches: int | None = None
    seed: int = 0
    cache: Path | None = None
    fashion: Path | None = None

    def trials(self, *, full: int, tiny: int) -> int:
        """How many trials a row.

        Args:
            full: the experiment's own number.
            tiny: that of a tiny run.
        """
        if self.batches is not None:
            return self.batches
        return tiny if self.tiny else full

    def generator(self, *place: int) -> np.random.Generator:
        r"""Randomness of one place in the experiment, whatever other places draw.

        Args:
            \*place: numbers that name it.

        Example:
            >>> from anyk.bench.reproduce.experiment import Setting
            >>> Setting(seed=1).generator(60, 20).integers(100) < 100
            np.True_
        """
        return np.random.default_rng([self.seed, *place])


@final
@dataclass(frozen=True, kw_only=True)
class Table:
    """Numbers with their names.

    Args:
        title: what they are, with units.
        header: names of the columns.
        rows: as long as the header each; what is not known is left blank.
    """

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]


@final
@dataclass(frozen=True, kw_only=True)
class Claim:
    """What the experiment must show.

    Args:
        text: the claim.
        measured: the figure, with its interval.
        holds: whether it is so.

    Example:
        >>> from anyk.bench.reproduce.experiment import Claim
        >>> print(Claim(text="error at least halved", measured="2.4 (2.1 to 2.7)", holds=True))
        holds: error at least halved; measured: 2.4 (2.1 to 2.7)
    """

    text: str
    measured: str
    holds: bool

    def __str__(self) -> str:
        return f"{'holds' if self.holds else 'FAILS'}: {self.text}; measured: {self.measured}"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Report:
    """What came of an experiment.

    Args:
        tables: the figures, beside what the paper states.
        notes: what a reader must know to judge them.
        claims: what must hold.
        picture: of it.
    """

    tables: Sequence[Table]
    notes: Sequence[str]
    claims: Sequence[Claim]
    picture: Picture


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Experiment:
    """A published experiment that can be run again.

    Args:
        name: as in `anyk reproduce NAME`.
        summary: one line.
        source: the publication.
        measure: runs it.
    """

    name: str
    summary: str
    source: str
    measure: Callable[[Setting], Report]
