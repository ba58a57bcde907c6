"""The sum over the blocks, from a recovery of the blocks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.domains.base import AbstractDomain
from anyk.domains.tensors import Torch
from anyk.domains.values import Values, added
from anyk.schemes.recovery import AbstractRecovery, rows_of

__all__ = ["summed"]


def summed(within: AbstractRecovery, domain: AbstractDomain, *, checked: bool) -> AbstractRecovery:
    """The recovery of the sum, by one of its blocks.

    Args:
        within: of the blocks.
        domain: of the answers.
        checked: whether the blocks are to be recovered, as answers may contradict each other;
            otherwise one combination of the answers is computed. They always are where some answers
            are there to check the others alone.

    Example:
        >>> from anyk.schemes.summing import summed
        >>> scheme = anyk.Lagrange(blocks=2, degree=1, workers=3)
        >>> recovery = summed(scheme.recovery(None, (0, 1)), scheme.domain, checked=False)
        >>> recovery.recover(scheme.encode([5, 6]).shares[:2]).value
        array(11)
    """
    rows = within.matrix
    checked = checked or not rows.any(axis=0).all()
    return _SummedRecovery(domain, within, _sum(domain, rows)[None], checked)


def _sum(domain: AbstractDomain, rows: NDArray[Any]) -> NDArray[Any]:
    if isinstance(domain, (Values, Torch)):
        return added(rows, "values")
    ones = np.ones((1, len(rows)), dtype=domain.dtype)
    return domain.matmul(ones, rows).reshape(rows.shape[1:])


@final
@dataclass(frozen=True, eq=False)
class _SummedRecovery(AbstractRecovery):
    domain: AbstractDomain
    within: AbstractRecovery
    row: NDArray[Any]
    checked: bool

    @property
    def answered(self) -> tuple[int, ...]:
        return self.within.answered

    @property
    def matrix(self) -> NDArray[Any]:
        return self.row

    def recover(self, values: NDArray[Any]) -> Recovered:
        if self.checked:  # a liar is to be named, and changes the combination
            recovered = self.within.recover(values)
            value = _sum(self.domain, recovered.value)
            estimate = _of_sum(recovered, value)
            return Recovered(
                value=value,
                suspects=recovered.suspects,
                error_estimate=estimate,
                known=np.full(1, estimate is None),
                block_errors=None if estimate is None else np.full(1, estimate),
            )
        array = rows_of(values, self.answered, self.domain)
        value = self.domain.matmul(self.row, array).reshape(array.shape[1:])
        return Recovered(value=value, known=np.ones(1, dtype=np.bool_))


def _of_sum(recovered: Recovered, value: NDArray[Any]) -> float | None:
    """The relative error of the sum: K errors add up, and values of either sign cancel.

    By Cauchy's inequality no sum of K errors is larger than sqrt(K) times all of them together.
    """
    if recovered.error_estimate is None:
        return None
    size = float(np.linalg.norm(value))
    most = math.sqrt(len(recovered.value)) * float(np.linalg.norm(recovered.value))
    return recovered.error_estimate * most / size if size else math.inf
