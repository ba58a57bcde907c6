"""`Berrut`: any function, any number of answers, by rational interpolation (BACC)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.accuracy import estimate_error, sketch
from anyk.codes.barycentric import (
    berrut_leave_one_out,
    berrut_leave_pairs_out,
    berrut_matrix,
    chebyshev_first,
    chebyshev_second,
)
from anyk.domains.real import Reals
from anyk.privacy.entropy import AbstractSource, SystemSource
from anyk.schemes.approximate import (
    approximate_guarantee,
    check_answers,
    check_threat,
    largest,
    relative_error,
)
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoded, Encoder, blocks_of, rows_of
from anyk.spec import Guarantee, Map, settle

__all__ = ["Berrut", "BerrutRecovery"]

_ROWS = 512  # rows of a matrix at a time, so that no N x K array is held
_PAIR = 2  # nodes that can't be left out both


@final
@dataclass(frozen=True)
class Berrut(AbstractScheme):
    """BACC: Berrut's rational curve u through the blocks, and another through the answers.

    u(z) = sum_k [(-1)^k / (z - alpha_k)] X_k / sum_k [(-1)^k / (z - alpha_k)] with alpha the
    Chebyshev points of the first kind; worker n computes f(u(beta_n)), beta those of the second
    kind; the value is the same interpolant through the answers, its signs dealt out afresh over
    the workers that answered. It has no poles, whoever is missing.

    It is the published scheme, with the blocks in the given order, and the baseline of `Spline`,
    which is the more accurate in all we measured. D and R are dense: O(N K) a number.

    Args:
        blocks: K.
        workers: N.
        stragglers: S, how many late workers a run does not wait for; None for half of the
            redundancy, max(0, (N - K) // 2): the other half is spent on accuracy.

    Raises:
        InvalidArgument: if an argument is out of range.
        Unachievable: if too few answers would be left.

    Guarantee:
        Approximate: a value with an error estimate from any answers, at least min(K, 2) of them;
        N - S are what a run waits for. For N - S odd, the error is at most
        2 (1 + R) sin((S+1) pi / (2N)) max |(f∘u)''| with R = (S+1)(S+3) pi^2 / 4. No liar is
        named. No privacy: a worker whose point is a data point (possible for odd N alone) holds
        that block in the clear, and its neighbours nearly so.

    References:
        Jahani-Nezhad and Maddah-Ali, Berrut Approximated Coded Computing: Straggler Resistance
        Beyond Polynomial Computing, IEEE TPAMI 2023 (arXiv 2009.08327).

    Example:
        >>> encoded = anyk.Berrut(2, 40).encode(np.array([[0.0, 1.0], [1.0, 3.0]]))
        >>> answered = [n for n in range(40) if n not in (3, 17)]
        >>> value = encoded.decode(np.sin(encoded.shares[answered]), answered).value
        >>> bool(np.allclose(value, [[0.0, 0.84], [0.84, 0.14]], atol=0.02))
        True
    """

    blocks: int
    workers: int
    _: KW_ONLY
    stragglers: int | None = None

    def __post_init__(self) -> None:
        settle(self, optional="stragglers", blocks=1, workers=1, stragglers=0)
        check_threat(self.blocks, self.workers, self.stragglers)

    @property
    def problem(self) -> Map:
        """Any function of each of K blocks."""
        return Map(blocks=self.blocks)

    @property
    def domain(self) -> Reals:
        """The reals."""
        return Reals()

    @property
    def guarantee(self) -> Guarantee:
        """Approximate, from any N - S answers."""
        return approximate_guarantee(self.blocks, self.workers, self.stragglers)

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """The curve through the blocks, at the workers' points.

        Args:
            X: array-like (K, *shape) of real numbers.
            source: not used: there are no masks.

        Returns:
            The shares, ndarray (N, *shape).

        Raises:
            InvalidArgument: if X is not K blocks of finite numbers.
        """
        del source
        array = blocks_of(X, self.blocks, self.domain)
        shares = _interpolate(
            chebyshev_first(self.blocks), array, chebyshev_second(self.workers), self.domain
        )
        return Encoded(self, shares, None)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether at least N - S workers answered."""
        return len(set(answered)) >= self.guarantee.threshold

    def encoder(self, layout: None) -> Encoder:
        """D; there are no masks."""
        del layout
        data = berrut_matrix(chebyshev_first(self.blocks), chebyshev_second(self.workers))
        return Encoder(data=data, masks=np.zeros((self.workers, 0)))

    def recovery(self, layout: None, answered: tuple[int, ...]) -> BerrutRecovery:
        """The interpolant through the answers of these workers."""
        del layout
        check_answers(self.blocks, self.workers, answered)
        return BerrutRecovery(scheme=self, workers=answered)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class BerrutRecovery(AbstractRecovery):
    """Berrut's interpolant, prepared for the workers that answered.

    Args:
        scheme: the scheme.
        workers: that answered, in the order of their answers.

    Example:
        >>> recovery = anyk.Berrut(1, 4).encode(np.array([0.0])).recovery([3, 0])
        >>> recovery.matrix
        array([[0.5, 0.5]])
    """

    scheme: Berrut
    workers: tuple[int, ...]

    @property
    def answered(self) -> tuple[int, ...]:
        """The workers that answered."""
        return self.workers

    @property
    def matrix(self) -> NDArray[np.float64]:
        """R, ndarray (K, len(answered))."""
        return berrut_matrix(self._nodes, self._targets)

    @property
    def condition(self) -> float:
        """The largest row sum of |R|: how much of the answers' largest error can reach a value."""
        return float(np.abs(self.matrix).sum(axis=1).max())

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The value from the answers, with an error estimate.

        Args:
            values: ndarray (len(answered), *out).

        Returns:
            The value, ndarray (K, *out), and its estimated relative error.

        Raises:
            InvalidArgument: if `values` does not fit, or is not finite.
        """
        array = rows_of(values, self.workers, self.scheme.domain)
        scale = largest(array)
        scaled = array / scale
        value = _interpolate(self._nodes, scaled, self._targets, self.scheme.domain)
        error = self._error(sketch(scaled.reshape(len(self.workers), -1)))
        return Recovered(value=scale * value, error_estimate=relative_error(error, value))

    @cached_property
    def _nodes(self) -> NDArray[np.float64]:
        return chebyshev_second(self.scheme.workers)[list(self.workers)]

    @property
    def _targets(self) -> NDArray[np.float64]:
        return chebyshev_first(self.scheme.blocks)

    def _error(self, sample: NDArray[np.float64]) -> float:
        """The root mean square error, from a sketch of the answers."""
        ranks = np.argsort(self._nodes)
        nodes, along = self._nodes[ranks], sample[ranks]
        left_out = np.concatenate(
            [
                _missed(nodes, along, np.arange(start, min(start + _ROWS, nodes.size)))
                for start in range(0, nodes.size, _ROWS)
            ]
        )

        def predict(kept: NDArray[np.bool_]) -> NDArray[np.float64]:
            return _interpolate(nodes[kept], along[kept], nodes[~kept], self.scheme.domain)

        points = chebyshev_second(self.scheme.workers)[::-1]
        every = np.arange(points.size, dtype=np.float64)
        return estimate_error(
            places=np.interp(nodes, points, every),
            targets=np.interp(self._targets, points, every),
            values=along,
            left_out=left_out,
            predict=predict,
        )


def _missed(
    nodes: NDArray[np.float64], along: NDArray[np.float64], rows: NDArray[np.intp]
) -> NDArray[np.float64]:
    """How far these answers are from their prediction: without them, or without a pair."""
    alone = np.abs(along[rows] - berrut_leave_one_out(nodes, rows) @ along)
    if nodes.size <= _PAIR:
        return alone
    return np.maximum(alone, np.abs(along[rows] - berrut_leave_pairs_out(nodes, rows) @ along))


def _interpolate(
    nodes: NDArray[np.float64],
    values: NDArray[np.float64],
    targets: NDArray[np.float64],
    domain: Reals,
) -> NDArray[np.float64]:
    """The curve at the targets, ndarray (m, *shape), a few rows at a time."""
    chunks = [targets[start : start + _ROWS] for start in range(0, targets.size, _ROWS)]
    return np.concatenate([domain.matmul(berrut_matrix(nodes, part), values) for part in chunks])
