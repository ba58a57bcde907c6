"""Who trains: the code that survives a threat, the workers, and the bits that were asked for."""

from __future__ import annotations

import numbers
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np

from anyk.checks import count, instance, positive
from anyk.errors import Unachievable
from anyk.executors.core.base import AbstractExecutor
from anyk.executors.local.threads import Threads
from anyk.learn.formats import Bits, check_bits
from anyk.schemes.base import AbstractScheme
from anyk.schemes.maps.lagrange import Lagrange
from anyk.schemes.smaller import or_lower
from anyk.spec import Threat
from anyk.wording import numbered

__all__ = ["Setting", "largest_code", "not_negative"]

_LINE: Final = 3  # the degree of X^T g(X w) where g is a line


def not_negative(name: str, value: Any) -> float:
    """Check a parameter that may be 0, and return it as a float.

    Raises:
        InvalidArgument: if it is no finite number, or below 0.

    Example:
        >>> from anyk.learn.setting import not_negative
        >>> not_negative("tol", 0)
        0.0
    """
    if isinstance(value, numbers.Real) and value == 0:
        return 0.0
    return positive(name, value, change="Leave it out to get the default; 0 will do as well.")


def largest_code(threat: Threat, *, degree: int, rows: int) -> Lagrange:
    """The Lagrange code with the most blocks that survives a threat.

    Args:
        threat: N, S, A and T.
        degree: d, of what a worker computes, in all that is encoded: 2 for a product of data and
            weights; 2r + 1 for X^T g(X w) with a polynomial g of degree r.
        rows: no more blocks than these.

    Raises:
        Unachievable: if there is none: the inequality, and what to change.

    Example:
        >>> from anyk.learn.setting import largest_code
        >>> largest_code(anyk.Threat(workers=40, colluders=1), degree=2, rows=12396).blocks
        19
        >>> largest_code(anyk.Threat(workers=40, colluders=7), degree=3, rows=12396).blocks
        7
    """
    spare = threat.workers - threat.stragglers - 2 * threat.adversaries - 1
    blocks = spare // degree + 1 - threat.colluders
    if blocks < 1:
        least = _least(threat, degree)
        raise Unachievable(
            "workers",
            given=str(threat.workers),
            needed=(
                "d(K+T-1) + 2A + 1 + S <= N with K >= 1, that is "
                f"{degree}*{threat.colluders} + 2*{threat.adversaries} + 1 + {threat.stragglers} = "
                f"{least} <= {threat.workers}"
            ),
            change=f"Add {numbered(least - threat.workers, 'worker')}{_lower(threat, degree)}.",
        )
    return Lagrange(
        blocks=min(blocks, rows),
        degree=degree,
        workers=threat.workers,
        adversaries=threat.adversaries,
        colluders=threat.colluders,
    )


def _least(threat: Threat, degree: int) -> int:
    """How many workers one block takes."""
    return degree * threat.colluders + 2 * threat.adversaries + 1 + threat.stragglers


def _lower(threat: Threat, degree: int) -> str:
    """What can be lowered instead of adding workers: of degrees, those above that of a line."""
    fewer = {
        name: replace(threat, **{name: 0})
        for name in ("stragglers", "adversaries", "colluders")
        if getattr(threat, name)
    }
    names = [name for name, other in fewer.items() if _least(other, degree) <= threat.workers]
    line = degree > _LINE and _least(threat, _LINE) <= threat.workers
    return or_lower([*["degree"] * line, *names])


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """What every training needs to know.

    Args:
        threat: N, S, A and T.
        executor: runs the workers; None for threads of this process.
        max_iter: the most iterations.
        early: whether training ends when the loss has come to rest; otherwise all iterations are
            made.
        data_bits: fraction bits of the features, or "auto".
        weight_bits: fraction bits of the weights, or "auto".
        primes: how many primes, or "auto".
        generator: of the roundings; None for the operating system's CSPRNG.
        verbose: 0 to show nothing.
        scheme: a gradient code that sums gradients of rows in the clear; None for products with
            encoded rows.
    """

    threat: Threat
    executor: AbstractExecutor | None
    max_iter: int
    early: bool
    data_bits: Bits
    weight_bits: Bits
    primes: Bits
    generator: np.random.Generator | None
    verbose: int
    scheme: AbstractScheme | None = None

    def __post_init__(self) -> None:
        count("max_iter", self.max_iter, least=1)
        check_bits(self.data_bits, self.weight_bits, self.primes)

    @contextmanager
    def workers(self) -> Iterator[AbstractExecutor]:
        """The executor that was given, left open; or threads, closed at the end."""
        if self.executor is not None:
            instance(
                "executor",
                self.executor,
                AbstractExecutor,
                change="Make one, such as anyk.Threads(8).",
            )
            yield self.executor
            return
        with Threads(self.threat.workers) as own:
            yield own
