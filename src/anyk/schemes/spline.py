"""`Spline`: any function, any number of answers, by smoothing splines through data in order."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.splines import SmoothingSpline, SplineFit, smoothing_spline
from anyk.domains.real import Reals
from anyk.errors import InvalidArgument, Unachievable
from anyk.privacy.entropy import AbstractSource, SystemSource
from anyk.schemes.approximate import (
    approximate_guarantee,
    check_answers,
    check_threat,
    largest,
)
from anyk.schemes.base import AbstractScheme, Encoded, Encoder, blocks_of
from anyk.schemes.spline_layout import SplineLayout, path_layout, published_layout
from anyk.schemes.spline_recovery import SplineRecovery
from anyk.spec import Guarantee, Map, settle

__all__ = ["Spline"]


@final
@dataclass(frozen=True)
class Spline(AbstractScheme):
    """LeTCC: a smooth curve u through the blocks, and a smooth curve through the answers.

    With the blocks X_(o_1), .., X_(o_K) in the order of a short path, u is the natural cubic
    spline u(alpha_k) = X_(o_k), the smoother the closer neighbours are. Worker n computes
    f(u(beta_n)), and the decoder's spline through these, at alpha_k, is the value. f may be any
    function; nothing is assumed of it but that it is smooth enough to be interpolated.

    ``ordering="path"`` goes by a short path with alpha spaced by distance and beta equispaced (our
    addition: on a digits network it divides the error of the published scheme by 1.8 to 3.5).
    ``ordering=None`` is the published scheme: the given order, alpha the Chebyshev points of the
    first kind, beta those of the second.

    Args:
        blocks: K.
        workers: N.
        stragglers: S, how many late workers a run does not wait for; None for half of the
            redundancy, max(0, (N - K) // 2): the other half is spent on accuracy.
        adversaries: 0; liars belong to a later version.
        colluders: 0; privacy belongs to a later version.
        ordering: ``"path"`` or None, as above.
        encoder_smoothing: lambda of the encoder's spline. Above 0, u passes near the blocks only;
            the error estimate then takes f to be as steep across the curve as along it.
        decoder_smoothing: lambda of the decoder's spline; None to choose it for each recovery by
            generalised cross-validation, which takes 0 where the answers bear no noise.

    Raises:
        InvalidArgument: if an argument is out of range.
        Unachievable: if it asks for more than this version does, or leaves too few answers.

    Guarantee:
        Approximate: a value with an error estimate from any answers, at least min(K, 2) of them;
        N - S are what a run waits for. The published bound on the mean square error is
        O((S + 1)^3 N^-3) for f∘u with a square integrable second derivative and lambda = 0; the
        bound says nothing of ``ordering``. No liar is named. No privacy: a share is a mixture of
        neighbouring blocks, and a worker whose beta is near an alpha holds nearly that block.

    References:
        Moradi, Tahmasebi and Maddah-Ali, Coded Computing for Resilient Distributed Computing: A
        Learning-Theoretic Framework, NeurIPS 2024, equation 4, proposition 1, theorems 1 and 4.

    Example:
        >>> scheme = anyk.Spline(2, 6)
        >>> encoded = scheme.encode(np.array([[0.0, 1.0], [1.0, 3.0]]))
        >>> answered = [0, 1, 3, 5]
        >>> encoded.decode(2 * encoded.shares[answered] + 1, answered).value
        array([[1., 3.],
               [3., 7.]])
    """

    blocks: int
    workers: int
    _: KW_ONLY
    stragglers: int | None = None
    adversaries: int = 0
    colluders: int = 0
    ordering: Literal["path"] | None = "path"
    encoder_smoothing: float = 0.0
    decoder_smoothing: float | None = None

    def __post_init__(self) -> None:
        settle(
            self,
            optional="stragglers",
            blocks=1,
            workers=1,
            stragglers=0,
            adversaries=0,
            colluders=0,
        )
        check_threat(self.blocks, self.workers, self.stragglers)
        _refuse(
            "adversaries",
            self.adversaries,
            "Use anyk.Lagrange for a polynomial, or anyk.Replication.",
        )
        _refuse("colluders", self.colluders, "Use anyk.Lagrange for a polynomial over a field.")
        if self.ordering not in ("path", None):
            raise InvalidArgument(
                "ordering",
                given=repr(self.ordering),
                needed='"path" or None',
                change='Pass "path", or None to keep the given order.',
            )
        _check_smoothing("encoder_smoothing", self.encoder_smoothing)
        if self.decoder_smoothing is not None:
            _check_smoothing("decoder_smoothing", self.decoder_smoothing)

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
        scale = largest(array)
        flat = array.reshape(self.blocks, -1) / scale
        layout = (
            published_layout(self.blocks, self.workers)
            if self.ordering is None
            else path_layout(flat, self.workers)
        )
        curve = _encoder_spline(self, layout).fit(flat[layout.order])
        shares = curve.at(layout.points)
        if self.encoder_smoothing:
            layout = replace(layout, offset=_offset(curve, shares))
        shares = scale * shares.reshape(self.workers, *array.shape[1:])
        return Encoded(self, self.domain.validate(shares, "X"), layout)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether at least N - S workers answered."""
        return len(set(answered)) >= self.guarantee.threshold

    def encoder(self, layout: SplineLayout) -> Encoder:
        """D of the curve, in the order of the blocks; there are no masks."""
        data = np.empty((self.workers, self.blocks))
        data[:, layout.order] = _encoder_spline(self, layout).matrix(layout.points)
        return Encoder(data=data, masks=np.zeros((self.workers, 0)))

    def recovery(self, layout: SplineLayout, answered: tuple[int, ...]) -> SplineRecovery:
        """The spline through the answers of these workers."""
        check_answers(self.blocks, self.workers, answered)
        return SplineRecovery(
            blocks=self.blocks,
            smoothing=self.decoder_smoothing,
            layout=layout,
            workers=answered,
        )


def _encoder_spline(scheme: Spline, layout: SplineLayout) -> SmoothingSpline:
    return smoothing_spline(layout.positions, smoothing=scheme.encoder_smoothing)


def _offset(curve: SplineFit, shares: NDArray[np.float64]) -> float:
    """The distance between curve and blocks, by the mean speed of the curve on [-1, 1]."""
    length = float(np.sqrt(np.sum(np.diff(shares, axis=0) ** 2, axis=1)).sum())
    missed = float(np.sqrt(np.mean(np.sum((curve.values - curve.heights) ** 2, axis=1))))
    return 2.0 * missed / length if length > 0.0 else 0.0


def _refuse(argument: str, value: int, change: str) -> None:
    """Refuse a threat that belongs to a later version."""
    if value:
        raise Unachievable(
            argument,
            given=str(value),
            needed=f"{argument}=0: this version of Spline survives stragglers alone",
            change=change,
        )


def _check_smoothing(argument: str, value: object) -> None:
    """Refuse what is no finite number, or below 0."""
    number = float(value) if isinstance(value, int | float | np.floating) else math.nan
    if not (math.isfinite(number) and number >= 0.0):
        raise InvalidArgument(
            argument,
            given=repr(value),
            needed="a finite number of at least 0",
            change="Pass 0.0 to interpolate.",
        )
