"""The decoder of `AnalogLagrange`: least squares over the answers, liars left out, its error."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.agreement import SINGLE
from anyk.codes.analog.interleaved import InterleavedCode
from anyk.codes.analog.sample import sample_of, unlucky
from anyk.codes.locators.located import Located
from anyk.domains.base import AbstractDomain
from anyk.domains.real import Complex
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.approximate.common import no_numbers, relative_error
from anyk.schemes.base import AbstractRecovery, rows_of
from anyk.schemes.certainty import Certainty
from anyk.schemes.precision import as_doubles, narrowed

__all__ = ["AnalogRecovery"]

_DOUBLES = Complex()

_COARSER = 2.0**29  # times, is single precision
_LIE = 8.0  # roundings; honest answers were measured at up to 9 * 2^-52, a lie is beyond 32
_FEWEST = 0.5  # roundings: what is assumed where the answers agree better than that
_UNSEEN = 2.0  # roundings: what is assumed where no answer is spare
_SLACK = 1.5  # for rounding that is alike in neighbouring rows, or hidden in the matrices
_OWN, _ALIKE = 2.0, 64.0  # 2 + n/64 ulp: by the recovery's own product, of n terms
_LUCK = 3.0  # standard deviations by which few spare rows may show less noise than there is
_DEGREE = (
    "If nobody lies, the function is no polynomial of the degree that was promised: raise degree=, "
    "or take a scheme for any function."
)
_SUBNORMAL = float(np.finfo(np.float64).smallest_subnormal)  # what the smallest numbers lose
_LEAST = 1e-290  # times the largest number, is never told from rounding


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class AnalogRecovery(AbstractRecovery):
    """Polynomials through the answers, prepared for the workers that answered.

    Args:
        workers: that answered, in the order of their answers.
        points: of these workers, complex128 ndarray (n,) on the unit circle.
        targets: points of the blocks, complex128 ndarray (K,).
        radius: of the circle of these.
        degree: d, of the function.
        certainty: how many values determine the polynomial, and how many rows may be wrong.
        hidden: how many liars the error estimate allows for.
        rounding: of an honest answer, root mean square, as a share of its own, in double precision.
        trusted: whether the function is taken for a polynomial of that degree, where no spare
            answer tells.
        source: of the random numbers of its sketches, which no worker may foresee.
        domain: of the answers.

    Example:
        >>> encoded = anyk.AnalogLagrange(blocks=2, degree=2, workers=4).encode([1.0, 3.0])
        >>> encoded.recovery(range(4)).recover(encoded.shares ** 2).value.real.round(6)
        array([1., 9.])
    """

    workers: tuple[int, ...]
    points: NDArray[np.complex128]
    targets: NDArray[np.complex128]
    radius: float
    degree: int
    certainty: Certainty
    hidden: int
    rounding: float
    trusted: bool = True
    domain: AbstractDomain = _DOUBLES
    source: AbstractSource = SystemSource()

    @property
    def answered(self) -> tuple[int, ...]:
        """The workers that answered."""
        return self.workers

    @cached_property
    def matrix(self) -> NDArray[np.complex128]:
        """R, complex128 ndarray (K, n), by least squares where answers are spare."""
        return self._code.recovery(self.targets)

    @property
    def condition(self) -> float:
        """Root mean square over the blocks of the norm of R's rows: how much noise is amplified."""
        return float(np.linalg.norm(self.matrix)) / math.sqrt(len(self.targets))

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The value from the answers, the liars, and the error estimate.

        Args:
            values: ndarray (n, *out).

        Returns:
            The value, ndarray (K, *out).

        Raises:
            InvalidArgument: if `values` does not fit, or is not finite.
            TooManyErrors: if no set of at most A liars explains the answers.
        """
        array = as_doubles(rows_of(values, self.workers, self.domain))
        if not array.size:
            return no_numbers(len(self.targets), array.astype(self.domain.dtype))
        rows, most = array.reshape(len(array), -1), self.certainty.adversaries
        sample, unit = sample_of(rows, most, source=self.source)
        sizes = np.linalg.norm(sample, axis=1) / math.sqrt(sample.shape[1])
        typical = float(np.sort(sizes)[-1 - most])
        coarse = _COARSER if _single(rows, most) else 1.0
        rounding = self.rounding * coarse * typical + max(_SUBNORMAL / unit, _LEAST)
        located = self._located(sample, rounding, SINGLE * typical)
        if located.exceeded:
            raise self.certainty.contradiction(self.workers, unless=_DEGREE)
        kept = np.delete(np.arange(len(self.workers)), located.removed)
        code = self._code
        if located.removed:
            code = InterleavedCode(self.points[kept], self.certainty.dimension)
            array = array[kept]
        matrix = code.recovery(self.targets) if located.removed else self.matrix
        with np.errstate(over="ignore", invalid="ignore"):  # the estimate is infinite then
            value = Complex().matmul(matrix, array)
            own = (_OWN + kept.size / _ALIKE) * float(np.finfo(np.float64).eps)
            error = self._error(code, matrix, sample[kept], rounding, located) + own * typical
            relative = relative_error(unit * error, np.abs(value))
        if not self.trusted and kept.size <= self.certainty.dimension:
            relative = math.inf
        rows = np.linalg.norm(matrix, axis=1)  # by which the answers' errors are amplified
        recovered = Recovered(
            value=value,
            suspects=tuple(sorted(self.workers[row] for row in located.named)),
            error_estimate=relative + own,
            known=np.zeros(len(value), dtype=np.bool_),
            block_errors=(relative + own) * rows / float(np.sqrt(np.mean(rows**2))),
        )
        return narrowed(recovered, self.domain.dtype)

    def _located(self, sample: NDArray[np.complex128], rounding: float, beyond: float) -> Located:
        """Which rows are wrong.

        Where no liars explain what is more than rounding, though all that are needed were heard,
        the answers bear noise of their own: it is learned from what is left without the A rows
        that explain most, if no more is than single precision may leave.
        """
        most = self.certainty.most(self.workers)
        located = self._code.locate(sample, most, noise=_LIE * rounding, beyond=beyond)
        if not located.exceeded or most < self.certainty.adversaries:
            return located
        noise = self._code.unexplained(sample, most)
        if noise > beyond:
            return located
        return self._code.locate(sample, most, noise=_LIE * noise, beyond=beyond, learned=True)

    def _error(
        self,
        code: InterleavedCode,
        matrix: NDArray[np.complex128],
        sample: NDArray[np.complex128],
        rounding: float,
        located: Located,
    ) -> float:
        """Root mean square error: rounding, amplified, and lies too small to be seen.

        Where the spare rows show more than rounding, f may be none of the polynomials promised.
        """
        spare = len(sample) - code.dimension
        blocks = math.sqrt(len(self.targets))
        amplified = float(np.linalg.norm(matrix)) / blocks
        if not spare:
            return _SLACK * _UNSEEN * rounding * amplified
        luck = 1.0 + _LUCK / math.sqrt(2.0 * spare)  # columns are not independent: D is rounded too
        left, beside = code.residual(sample), 0.0
        if left > rounding:
            luck = max(luck, unlucky(sample, spare))
            nodes = round((code.dimension - 1) / self.degree)
            beside = code.misfit(self.targets, code.dimension - 1 + nodes, self.radius)
        noise = max(luck * left, _FEWEST * rounding)
        if located.removed:
            exposed = code.exposure(self.targets, self.hidden - len(located.named))
        else:
            exposed = self._exposure
        return _SLACK * noise * math.hypot(amplified, exposed / blocks * math.sqrt(spare), beside)

    @cached_property
    def _code(self) -> InterleavedCode:
        return InterleavedCode(self.points, self.certainty.dimension)

    @cached_property
    def _exposure(self) -> float:
        """Of the code, where all liars are hidden."""
        return self._code.exposure(self.targets, self.hidden)


def _single(values: NDArray[np.complex128], adversaries: int) -> bool:
    """Whether all rows but A at most hold what single precision holds."""
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        held = values.astype(np.complex64) == values
    return int(np.sum(held.all(axis=1))) >= len(values) - adversaries
