"""`Spline`: any function, any number of answers, by smoothing splines through data in order."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import choice, indices_of, settle
from anyk.codes.curves.splines import SmoothingSpline, SplineFit, smoothing_spline
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.approximate.common import (
    approximate_guarantee,
    check_answers,
    check_bound,
    check_smoothing,
    check_threat,
    largest,
    least_answers,
    stragglers_of,
)
from anyk.schemes.approximate.spline.layout import SplineLayout, path_layout, published_layout
from anyk.schemes.approximate.spline.recovery import SplineRecovery
from anyk.schemes.base import AbstractScheme, Encoder, blocks_of
from anyk.schemes.encoded import Encoded
from anyk.schemes.precision import as_doubles, curve_domain, of_data, over
from anyk.schemes.row import SchemeRow, SchemeWords, none_for_certain, none_of
from anyk.schemes.tally import AbstractTally, CountTally
from anyk.spans import column_spans
from anyk.spec import Guarantee, Map, Threat

__all__ = ["ROW", "Spline"]


@final
@dataclass(frozen=True)
class Spline(AbstractScheme):
    """LeTCC: a smooth curve u through the blocks, and a smooth curve through the answers.

    With the blocks X_(o_1), .., X_(o_K) in the order of a short path, spaced by distance, u is the
    natural cubic spline u(alpha_k) = X_(o_k). Workers compute f(u(beta)), beta equispaced and
    neighbouring workers far apart; the decoder's spline through these, at alpha_k, is the value. f
    may be any function that is smooth enough to be interpolated. Every value is interpolated:
    `FilledReplication` errs less on most functions, and this scheme on very smooth ones.

    ``ordering=None`` is the published scheme: the given order, alpha the Chebyshev points of the
    first kind, beta those of the second. Its precursor NeRCC (nested regression) is that with both
    lambdas above 0.

    Args:
        blocks: K.
        workers: N.
        stragglers: S, how many late workers a run does not wait for; None for half of the
            redundancy, max(0, (N - K) // 2): the other half is spent on accuracy.
        adversaries: A, how many of the answers may be lies.
        ordering: ``"path"`` or None, as above.
        encoder_smoothing: lambda of the encoder's spline. Above 0, u passes near the blocks only;
            the error estimate then takes f to be as steep across the curve as along it.
        decoder_smoothing: lambda of the decoder's spline; None to choose it for each recovery by
            generalised cross-validation, which takes 0 where the answers bear no noise.
        bound: the largest absolute value of an honest answer's numbers, where one is known and
            `adversaries` is above 0: whoever answers more is a liar without further evidence.
        domain: the reals, in double precision by default; `Reals(dtype=np.float32)` takes half the
            bytes. Tensors are computed with as such, in the precision in which they come, and so is
            all with `Torch()`.

    Raises:
        InvalidArgument: if an argument is out of range.
        Unachievable: if it leaves too few answers.

    Guarantee:
        Approximate: a value with an error estimate from any answers, at least 2A + min(K, 2) of
        them; N - S are what a run waits for. The published bound on the mean square error is
        O((S + 1)^3 N^-3) for f∘u with a square integrable second derivative, lambda = 0 and
        ``ordering=None``. Answers that contradict a smooth curve through the rest are left out, at
        most A. Named are those of them that err by more than the tail of the others' own errors
        explains, twice as much as any other at least; more than A of these raise `TooManyErrors`.
        Who is left out and not named is counted in the estimate, which covers both, that it lies
        and that it is right. That is measured, not proven (docs/measured.md): a lie as small as the
        error of interpolation can't be told from the truth; the rougher f, the larger is a lie that
        is named; where all others answer the same nobody is, and near a pole of f an honest worker
        may be. Liars side by side on the curve who lie alike are the most about a value: nobody can
        tell them, nor is what they do in the estimate. Without `adversaries` nobody is named. No
        privacy: a worker may hold nearly a block.

    References:
        Moradi, Tahmasebi and Maddah-Ali, Coded Computing for Resilient Distributed Computing: A
        Learning-Theoretic Framework, NeurIPS 2024, equation 4, proposition 1, theorems 1 and 4;
        Moradi, Tahmasebi and Maddah-Ali, NeRCC: Nested-Regression Coded Computing, arXiv
        2402.04377, 2024.

    Example:
        >>> encoded = anyk.Spline(2, 6).encode(np.array([[0.0, 1.0], [1.0, 3.0]]))
        >>> answered = [0, 1, 3, 5]
        >>> encoded.decode(2 * encoded.shares[answered] + 1, answered).value.round(6)
        array([[1., 3.],
               [3., 7.]])
    """

    blocks: int
    workers: int
    _: KW_ONLY
    stragglers: int | None = None
    adversaries: int = 0
    ordering: Literal["path"] | None = "path"
    encoder_smoothing: float = 0.0
    decoder_smoothing: float | None = None
    bound: float | None = None
    domain: AbstractDomain = Reals()

    def __post_init__(self) -> None:
        settle(self, optional="stragglers", blocks=1, workers=1, stragglers=0, adversaries=0)
        check_threat(self.blocks, self.workers, self.stragglers, self.adversaries)
        check_bound(self.bound, self.adversaries)
        if self.ordering is not None:
            kept = 'Pass "path", or None to keep the given order.'
            choice("ordering", self.ordering, ("path",), change=kept)
        object.__setattr__(self, "domain", curve_domain(self.domain, Reals))
        check_smoothing("encoder_smoothing", self.encoder_smoothing)
        check_smoothing("decoder_smoothing", self.decoder_smoothing, optional=True)

    @property
    def problem(self) -> Map:
        """Any function of each of K blocks."""
        return Map(blocks=self.blocks)

    @property
    def guarantee(self) -> Guarantee:
        """Approximate, from any N - S answers."""
        return approximate_guarantee(
            workers=self.workers,
            stragglers=stragglers_of(self.blocks, self.workers, self.stragglers),
            adversaries=self.adversaries,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:  # noqa: ARG002
        """The curve through the blocks, at the workers' points.

        Args:
            X: array-like (K, *shape) of real numbers.
            source: not used; there is no noise.

        Returns:
            The shares, ndarray (N, *shape).

        Raises:
            InvalidArgument: if X is not K blocks of finite numbers.
        """
        domain = of_data(self.domain, X, Reals)
        array = as_doubles(blocks_of(X, self.blocks, domain))
        flat = array.reshape(self.blocks, -1)
        layout = (
            published_layout(self.blocks, self.workers)
            if self.ordering is None
            else path_layout(flat, self.workers)
        )
        shares = np.empty((self.workers, *array.shape[1:]), domain.dtype)
        written, scale, spline = (
            shares.reshape(self.workers, -1),
            largest(flat),
            self._through(layout),
        )
        offset = _Offset(self.blocks, self.workers)
        for span in column_spans(flat.shape[1], self.workers):
            curve = spline.fit(flat[layout.order, span] / scale)
            along = curve.at(layout.points)
            written[:, span] = domain.validate(scale * along[layout.places], "X")
            offset.add(curve, along)
        if self.encoder_smoothing:
            layout = replace(layout, offset=offset.value)
        return Encoded(over(self, domain), (shares,), layout)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether at least N - S workers answered."""
        return len(set(indices_of("answered", answered))) >= self.guarantee.threshold

    def tally(self, layout: SplineLayout) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(self.guarantee.threshold)

    def encoder(self, layout: SplineLayout, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D of the curve, in the order of the blocks; there is no noise."""
        data = np.empty((self.workers, self.blocks))
        data[:, layout.order] = self._through(layout).matrix(layout.points)[layout.places]
        return Encoder(data=data, masks=np.zeros((self.workers, 0)))

    def recovery(self, layout: SplineLayout, answered: tuple[int, ...]) -> SplineRecovery:
        """The curve through the answers of these workers.

        Raises:
            NotEnoughAnswers: if there are fewer than 2A + min(K, 2).
        """
        check_answers(self, answered, least_answers(self.blocks, self.adversaries))
        return SplineRecovery(
            blocks=self.blocks,
            smoothing=self.decoder_smoothing,
            layout=layout,
            workers=answered,
            adversaries=self.adversaries,
            bound=self.bound,
            domain=self.domain,
        )

    def _through(self, layout: SplineLayout) -> SmoothingSpline:
        """The encoder's spline, through or near the blocks."""
        return smoothing_spline(layout.positions, smoothing=self.encoder_smoothing)


@final
class _Offset:
    """The distance between curve and blocks, by the mean speed of the curve on [-1, 1]."""

    def __init__(self, blocks: int, workers: int) -> None:
        self._missed, self._steps = np.zeros(blocks), np.zeros(workers - 1)

    def add(self, curve: SplineFit, along: NDArray[np.float64]) -> None:
        """Take some coordinates into account: there the curve, and its values for the workers."""
        self._missed += np.sum((curve.values - curve.heights) ** 2, axis=1)
        self._steps += np.sum(np.diff(along, axis=0) ** 2, axis=1)

    @property
    def value(self) -> float:
        """Root mean square, as a length on the line."""
        length, missed = float(np.sqrt(self._steps).sum()), float(np.sqrt(self._missed.mean()))
        return 2.0 * missed / length if length > 0.0 else 0.0


def _sized(problem: Map, threat: Threat, field: PrimeField) -> Spline:  # noqa: ARG001 - over the reals
    none_of(threat, "colluders")
    none_for_certain(threat)
    return Spline(problem.blocks, threat.workers, stragglers=threat.stragglers)


def _examples() -> tuple[AbstractScheme, ...]:
    return (
        Spline(blocks=1, workers=2),
        Spline(blocks=3, workers=8),
        Spline(blocks=3, workers=8, stragglers=3, ordering=None),
        Spline(blocks=4, workers=9, encoder_smoothing=1e-6, decoder_smoothing=1e-6),
    )


ROW = SchemeRow(
    name="Spline",
    scheme=Spline,
    solves=Map,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Spline(blocks=K, workers=N, stragglers=S, adversaries=A)",
        computes="any function, best a smooth one",
        late="any number of answers; with liars 2A + min(K, 2) or more",
        wrong="A liars are named where their lies stand out: measured, not proven",
        curious="no",
        value="approximate, with an error estimate",
    ),
)
