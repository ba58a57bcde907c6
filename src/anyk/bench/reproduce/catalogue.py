"""The experiments that `anyk reproduce` knows."""

from __future__ import annotations

from anyk.bench.reproduce.adversarial import EXPERIMENT as ADVERSARIAL
from anyk.bench.reproduce.experiment import Experiment
from anyk.bench.reproduce.letcc_convergence import EXPERIMENT as LETCC_CONVERGENCE
from anyk.bench.reproduce.letcc_table import EXPERIMENT as LETCC_TABLE
from anyk.bench.reproduce.private_frontier import EXPERIMENT as PRIVATE_FRONTIER
from anyk.errors import InvalidArgument

__all__ = ["EXPERIMENTS", "find"]

EXPERIMENTS: tuple[Experiment, ...] = (
    LETCC_CONVERGENCE,
    LETCC_TABLE,
    ADVERSARIAL,
    PRIVATE_FRONTIER,
)


def find(name: str) -> Experiment:
    """The experiment of this name.

    Args:
        name: as in `anyk reproduce NAME`.

    Raises:
        InvalidArgument: if there is none.

    Example:
        >>> from anyk.bench.reproduce.catalogue import find
        >>> find("letcc-convergence").name
        'letcc-convergence'
    """
    for experiment in EXPERIMENTS:
        if experiment.name == name:
            return experiment
    names = ", ".join(experiment.name for experiment in EXPERIMENTS)
    raise InvalidArgument(
        "name",
        given=repr(name),
        needed=f"one of {names}",
        change="`anyk reproduce` lists them with a line each.",
    )
