"""What is known of one sum of those in turn, from the answers of one round after the other."""

from __future__ import annotations

import math
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.analog.told import told
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.schemes.products.sizes import size_of
from anyk.schemes.sums.sequential_gradient import SequentialGradient

__all__ = ["JobSum"]

_ROUNDINGS = 8.0
_SUBNORMAL = float(np.finfo(np.float64).smallest_subnormal)  # what the smallest numbers lose


@final
class JobSum:
    """The sum of one job of a `SequentialGradient`, as far as it is known.

    Args:
        plan: of the job.
        domain: of the answers.

    Example:
        >>> from anyk.running.job_sum import JobSum
        >>> plan = anyk.SequentialGradient(workers=2, stragglers=0, window=2)
        >>> job = JobSum(plan, plan.domain)
        >>> for part in range(2):
        ...     job.add({0: np.array(1), 1: np.array(2)}, np.array([part, part]))
        >>> float(job.result()[0])
        6.0
    """

    def __init__(self, plan: SequentialGradient, domain: AbstractDomain) -> None:
        self._plan, self._domain = plan, domain
        self._total: Any = 0
        self._rounding = 0.0
        self._kinds: set[np.dtype[Any]] = set()

    def add(self, answers: dict[int, NDArray[Any]], asked: NDArray[np.intp]) -> None:
        """Add what workers answered in a round.

        Args:
            answers: by worker.
            asked: which part each worker was asked for, intp ndarray (N,).
        """
        by_part: dict[int, list[int]] = {}
        for who in sorted(answers):
            by_part.setdefault(int(asked[who]), []).append(who)
        for part, workers in by_part.items():
            row = self._plan.combination(part, workers)
            coded = part >= self._plan.window - 1 and self._plan.stragglers > 0
            self._combine(row, np.stack([answers[who] for who in workers]), coded=coded)

    def _combine(self, row: NDArray[Any], rows: NDArray[Any], *, coded: bool) -> None:
        domain = self._domain
        if isinstance(domain, PrimeField):
            total = domain.matmul(row[None], rows)[0]
            self._total = domain.reduce(self._total + total)
            return
        self._kinds.add(rows.dtype)
        wide = np.result_type(rows.dtype, np.float64)
        with np.errstate(over="ignore", invalid="ignore"):  # there is no error to tell then
            self._total = self._total + np.tensordot(row, rows.astype(wide), axes=1)
            noise = self._unit(rows.dtype) * np.abs(rows).astype(np.float64)
            least = (
                told(rows) if coded else np.where(rows, _SUBNORMAL, 0.0)
            )  # zeros are not rounded
            each = np.tensordot(np.abs(row), np.maximum(noise, least), axes=1)
            self._rounding += _ROUNDINGS * (self._plan.stragglers + 1) * size_of(each)

    @staticmethod
    def _unit(kind: np.dtype[Any]) -> float:
        return float(np.finfo(kind if kind.kind in "fc" else np.float64).eps)

    def result(self) -> tuple[NDArray[Any], float | None]:
        """The sum, and its relative error."""
        value = np.asarray(self._total)
        if isinstance(self._domain, PrimeField):
            return value, None
        kind = np.result_type(*self._kinds)
        size = size_of(value)
        error = self._rounding / size if size else (math.inf if self._rounding else 0.0)
        if not np.isfinite(value).all():
            error = math.inf
        with np.errstate(over="ignore"):
            return value.astype(kind) if kind.kind in "fc" else value, error
