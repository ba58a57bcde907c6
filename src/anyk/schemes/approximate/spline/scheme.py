"""`Spline`: any function, any number of answers, by smoothing splines through data in order."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Literal, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import instance, positive, settle
from anyk.codes.curves.splines import SmoothingSpline, SplineFit, smoothing_spline
from anyk.domains.real import Reals
from anyk.errors import InvalidArgument
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.randomness.masks import gaussian_masks
from anyk.schemes.approximate.common import (
    approximate_guarantee,
    check_answers,
    check_threat,
    default_stragglers,
    largest,
)
from anyk.schemes.approximate.filled_replication.layout import CopiesLayout, copies_layout
from anyk.schemes.approximate.filled_replication.recovery import CopiesRecovery
from anyk.schemes.approximate.spline.layout import SplineLayout, path_layout, published_layout
from anyk.schemes.approximate.spline.recovery import SplineRecovery
from anyk.schemes.approximate.veiled_replication.layout import PrivateLayout, private_layout
from anyk.schemes.approximate.veiled_replication.recovery import PrivateRecovery
from anyk.schemes.base import AbstractRecovery, AbstractScheme, Encoded, Encoder, blocks_of
from anyk.spec import Guarantee, Map

__all__ = ["Spline"]


@final
@dataclass(frozen=True)
class Spline(AbstractScheme):
    """LeTCC: a smooth curve u through the blocks, and a smooth curve through the answers.

    With the blocks X_(o_1), .., X_(o_K) in the order of a short path, u is the natural cubic
    spline u(alpha_k) = X_(o_k), the smoother the closer neighbours are. Worker n computes
    f(u(beta_n)), and the decoder's spline through these, at alpha_k, is the value. f may be any
    function; nothing is assumed of it but that it is smooth enough to be interpolated.

    With ``copies`` (our addition) every beta is an alpha: each worker holds one whole block, and
    each block has floor(N/K) workers or one more. What is answered is exact; only the blocks of
    which every copy is late are filled in from the others, along the path or by their distances,
    in the way that predicts the answers best (`CopiesRecovery`). It applies where nothing asks
    for a curve (``ordering=None``, ``encoder_smoothing``) or hides or checks the data
    (``colluders``, ``adversaries``). On a digits network, logits and probabilities, for six
    (N, K, S), its error is 6.8 times below that of the published scheme with its lambda tuned.

    Without copies, alpha is spaced by distance on a short path and beta equispaced: all values
    are interpolated, and that error is 1.3 to 21 times larger there. It is smaller where f is very
    smooth and the blocks few, of one number each: for x sin x, (N, K, S) = (20, 10, 5), the mean
    square error is 0.060 against 0.18 with copies (the median 0.003 against 0).
    ``ordering=None`` is the published scheme: the given order, alpha the Chebyshev points of the
    first kind, beta those of the second. Its precursor NeRCC (nested regression) is the same with
    both lambdas above 0, ``encoder_smoothing`` and ``decoder_smoothing``, and no scheme apart.

    With ``colluders=T`` every worker holds a block under Gaussian noise of its own depth, so deep
    that no T workers learn more than `leakage`; a few copies share their noise (a `Veil`) so that
    its first orders cancel in the decoder, which goes on from answers at much noise and at less to
    the answer at none: the best linear guess for a random network, as rough as the answers say.
    Points and depth depend on the scheme's parameters alone. It replaces the curve, on which
    noise nodes stood between the data, at a third of its error or less for equal leakage; data
    are neither ordered nor interpolated, so every block needs answers of its own.

    Args:
        blocks: K.
        workers: N.
        stragglers: S, how many late workers a run does not wait for; None for half of the
            redundancy, max(0, (N - K) // 2): the other half is spent on accuracy.
        adversaries: A, how many of the answers may be lies; workers then stand on the curve.
        colluders: T, how many workers may put together what they hold.
        leakage: bits a coordinate that no T workers may learn more than; given with `colluders`
            and only then.
        data_std: standard deviation of the data's coordinates, for which `leakage` is stated.
        ordering: ``"path"`` or None, as above.
        encoder_smoothing: lambda of the encoder's spline. Above 0, u passes near the blocks only;
            the error estimate then takes f to be as steep across the curve as along it.
        decoder_smoothing: lambda of the decoder's spline; None to choose it for each recovery: by
            how much copies differ, else by generalised cross-validation. Both take 0 where the
            answers bear no noise.
        copies: whether workers may hold whole blocks, as above.
        bound: the largest absolute value of an honest answer's numbers, where one is known and
            `adversaries` is above 0: whoever answers more is a liar without further evidence.

    Raises:
        InvalidArgument: if an argument is out of range.
        Unachievable: if it leaves too few answers, or needs so much noise that nothing of f would
            be seen in them.

    Guarantee:
        Approximate: a value with an error estimate from any answers, at least min(K, 2) of them;
        N - S are what a run waits for. The published bound on the mean square error is
        O((S + 1)^3 N^-3) for f∘u with a square integrable second derivative and lambda = 0; the
        bound says nothing of ``ordering``. With ``copies``, any floor(N/K) - 1 late workers cost
        no error at all, and a block that is not lost is as its worker computed it, as with
        replication; where all answers are of fewer than 4 blocks and some are lost, the estimate
        is infinite.

        With ``adversaries=A`` (from at least 2A + min(K, 2) answers) the workers whose answers
        contradict a smooth curve through the rest are named, at most A of them, and the value is
        that of the others. Where more than A do beyond doubt, `TooManyErrors` is raised; where
        that is not seen, the lies left count as roughness in the error estimate. All this is
        measured, not proven (benchmarks/robust_like_an_oracle.py). A lie as small as the error of
        interpolation can't be told from the truth by any decoder, nor can q liars side by side
        who bend the curve by no more than that error in a gap of q answers; nor where most
        answers about a block, at an end of the curve say, are lies of one kind. Where f jumps,
        an honest worker beside the jump may be accused. Without `adversaries` none is named.

        Without `colluders` no privacy: a worker holds a block in the clear, or a mixture of
        neighbouring blocks that may be nearly one of them.

        With `colluders` the shares of any T workers and the data have a mutual information of at
        most ``guarantee.leakage`` <= `leakage` bits a coordinate (all K blocks together), if the
        blocks are independent with mean squares about their expectation of at most data_std^2, on
        the average over the coordinates; Gaussian data reach it, no others leak more. For T = 1 it
        holds however the blocks depend on each other; for T >= 2 it then does with
        data_std sqrt(min(K, T)) in place of data_std, as T workers hold copies of T blocks at most.
        This is no perfect privacy: T + 1 workers learn more, data of a larger standard deviation
        leak more, and each encoding of the same data leaks anew: the bits add up. The noise is
        fresh in every `encode`, and kept nowhere.

        With `adversaries` as well, answers that contradict the rest of their block are named and
        left out. That is measured, not proven: benchmarks/slow_wrong_and_curious.py has the
        figures for a network. Where nobody lied, an honest worker was named in 0.9 % of 1,084
        decodings (five smooth functions; 10 or 40 numbers an answer). One number tells little: of
        385 such decodings an honest worker was named in 20 %, and in 1 % `TooManyErrors` raised.
        Where f jumps, an honest answer may be named; where liars are the most of a block's
        answers, or their lies are below what the noise does to honest answers, nobody can tell.

        What f does at scales far below the noise is in no answer, and no error estimate can know
        of it. A block whose workers are all late gets the mean of the others, with an estimate
        that says so.

    References:
        Moradi, Tahmasebi and Maddah-Ali, Coded Computing for Resilient Distributed Computing: A
        Learning-Theoretic Framework, NeurIPS 2024, equation 4, proposition 1, theorems 1 and 4;
        Moradi, Tahmasebi and Maddah-Ali, NeRCC: Nested-Regression Coded Computing, arXiv
        2402.04377, 2024. Cook and Stefanski, Simulation-extrapolation estimation in parametric
        measurement error models, 1994 (from much noise to none); Cover and Thomas, Elements of
        Information Theory, 2006, theorem 8.6.5 and section 9.4 (the leakage of Gaussian noise).

    Example:
        >>> scheme = anyk.Spline(2, 6)
        >>> encoded = scheme.encode(np.array([[0.0, 1.0], [1.0, 3.0]]))
        >>> answered = [0, 1, 3, 5]
        >>> encoded.decode(2 * encoded.shares[answered] + 1, answered).value
        array([[1., 3.],
               [3., 7.]])

        No worker learns more than half a bit of what varies by 1:

        >>> scheme = anyk.Spline(2, 20, colluders=1, leakage=0.5)
        >>> encoded = scheme.encode(np.array([[0.0, 1.0], [1.0, 3.0]]))
        >>> round(anyk.leakage(encoded, colluders=1), 6)
        0.5
        >>> encoded.decode(2 * encoded.shares + 1, range(20)).value.round(6)
        array([[1., 3.],
               [3., 7.]])
    """

    blocks: int
    workers: int
    _: KW_ONLY
    stragglers: int | None = None
    adversaries: int = 0
    colluders: int = 0
    leakage: float | None = None
    data_std: float = 1.0
    ordering: Literal["path"] | None = "path"
    encoder_smoothing: float = 0.0
    decoder_smoothing: float | None = None
    copies: bool = True
    bound: float | None = None

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
        check_threat(self.blocks, self.workers, self.stragglers, self.adversaries)
        _check_bound(self.bound, self.adversaries)
        if self.ordering not in ("path", None):
            raise InvalidArgument(
                "ordering",
                given=repr(self.ordering),
                needed='"path" or None',
                change='Pass "path", or None to keep the given order.',
            )
        instance("copies", self.copies, bool, change="Pass True or False.")
        _check_smoothing("encoder_smoothing", self.encoder_smoothing)
        if self.decoder_smoothing is not None:
            _check_smoothing("decoder_smoothing", self.decoder_smoothing)
        _check_privacy(self)
        if self.colluders:
            _ = self._veiled  # raises where it can't be done

    @property
    def problem(self) -> Map:
        """Any function of each of K blocks."""
        return Map(blocks=self.blocks)

    @property
    def domain(self) -> Reals:
        """The reals."""
        return Reals()

    @property
    def _copied(self) -> bool:
        """Whether workers hold whole blocks."""
        curved = self.ordering is None or self.encoder_smoothing > 0.0
        threatened = self.adversaries > 0 or self.colluders > 0
        return self.copies and not curved and not threatened

    @property
    def _veiled(self) -> PrivateLayout:
        """The copies under noise, where there are colluders."""
        return private_layout(
            blocks=self.blocks,
            workers=self.workers,
            colluders=self.colluders,
            leakage=self.leakage or 0.0,
            data_std=self.data_std,
            adversaries=self.adversaries,
        )

    @property
    def guarantee(self) -> Guarantee:
        """Approximate, from any N - S answers."""
        default = default_stragglers(self.blocks, self.workers)
        return approximate_guarantee(
            workers=self.workers,
            stragglers=default if self.stragglers is None else self.stragglers,
            adversaries=self.adversaries,
            colluders=self.colluders,
            leakage=self._veiled.bits if self.colluders else None,
            data_std=self.data_std,
        )

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """The blocks or their copies, or the curve through them at the workers' points.

        Args:
            X: array-like (K, *shape) of real numbers.
            source: where noise comes from, if there are colluders; the operating system's CSPRNG
                by default.

        Returns:
            The shares, ndarray (N, *shape).

        Raises:
            InvalidArgument: if X is not K blocks of finite numbers.
        """
        array = blocks_of(X, self.blocks, self.domain)
        if self.colluders:
            veiled = self._veiled
            flat = array.reshape(self.blocks, -1)
            noise = gaussian_masks(self.domain, (*veiled.noises, flat.shape[1]), source)
            shares = veiled.shares(flat, noise).reshape(self.workers, *array.shape[1:])
            return Encoded(self, (self.domain.validate(shares, "X"),), veiled)
        scale = largest(array)
        flat = array.reshape(self.blocks, -1) / scale
        if self._copied:
            copied = copies_layout(flat, self.workers)
            return Encoded(self, (array[copied.order][copied.held],), copied)
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
        return Encoded(self, (self.domain.validate(shares, "X"),), layout)

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether at least N - S workers answered."""
        return len(set(answered)) >= self.guarantee.threshold

    def encoder(
        self,
        layout: SplineLayout | CopiesLayout | PrivateLayout,
        operand: int = 0,  # noqa: ARG002 - there is one
    ) -> Encoder:
        """D of the copies or of the curve, in the order of the blocks; M where there is noise."""
        if isinstance(layout, PrivateLayout):
            return layout.encoder
        if isinstance(layout, CopiesLayout):
            held = np.eye(self.blocks)[layout.order][layout.held]
            return Encoder(data=held, masks=np.zeros((self.workers, 0)))
        data = np.empty((self.workers, self.blocks))
        data[:, layout.order] = _encoder_spline(self, layout).matrix(layout.points)
        return Encoder(data=data, masks=np.zeros((self.workers, 0)))

    def recovery(
        self, layout: SplineLayout | CopiesLayout | PrivateLayout, answered: tuple[int, ...]
    ) -> AbstractRecovery:
        """The answers of these workers, and the curve through them."""
        check_answers(self.blocks, self.workers, answered, self.adversaries)
        if isinstance(layout, PrivateLayout):
            return PrivateRecovery(
                layout=layout, workers=answered, adversaries=self.adversaries, bound=self.bound
            )
        if isinstance(layout, CopiesLayout):
            return CopiesRecovery(
                order=layout.order,
                positions=layout.positions,
                distances=layout.distances,
                held=layout.held[list(answered)],
                smoothing=self.decoder_smoothing,
                workers=answered,
            )
        return SplineRecovery(
            blocks=self.blocks,
            smoothing=self.decoder_smoothing,
            layout=layout,
            workers=answered,
            adversaries=self.adversaries,
            bound=self.bound,
        )


def _encoder_spline(scheme: Spline, layout: SplineLayout) -> SmoothingSpline:
    return smoothing_spline(layout.positions, smoothing=scheme.encoder_smoothing)


def _offset(curve: SplineFit, shares: NDArray[np.float64]) -> float:
    """The distance between curve and blocks, by the mean speed of the curve on [-1, 1]."""
    length = float(np.sqrt(np.sum(np.diff(shares, axis=0) ** 2, axis=1)).sum())
    missed = float(np.sqrt(np.mean(np.sum((curve.values - curve.heights) ** 2, axis=1))))
    return 2.0 * missed / length if length > 0.0 else 0.0


def _check_privacy(scheme: Spline) -> None:
    """Check what belongs to colluders, and that they can be kept from learning more."""
    std = positive("data_std", scheme.data_std, change="Pass that of the data's numbers.")
    object.__setattr__(scheme, "data_std", std)
    if not scheme.colluders:
        if scheme.leakage is not None:
            raise InvalidArgument(
                "leakage",
                given=f"{scheme.leakage!r} with colluders=0",
                needed="colluders of at least 1: without, data are not hidden at all",
                change="Pass colluders=1, or leave leakage out.",
            )
        return
    bits = positive(
        "leakage",
        scheme.leakage,
        change="Pass the bits a coordinate that colluders may learn, such as 0.3.",
    )
    object.__setattr__(scheme, "leakage", bits)
    for name, given, none in (
        ("ordering", scheme.ordering, "path"),
        ("encoder_smoothing", scheme.encoder_smoothing, 0.0),
        ("decoder_smoothing", scheme.decoder_smoothing, None),
        ("copies", scheme.copies, True),
    ):
        if given != none:
            raise InvalidArgument(
                name,
                given=f"{given!r} with colluders={scheme.colluders}",
                needed="its default: hidden data are not on a curve",
                change="Leave it out.",
            )


def _check_bound(bound: object, adversaries: int) -> None:
    """Refuse what is no positive number, and a bound that nothing is checked against."""
    if bound is None:
        return
    number = float(bound) if isinstance(bound, int | float | np.floating) else math.nan
    if not (math.isfinite(number) and number > 0.0 and adversaries):
        raise InvalidArgument(
            "bound",
            given=f"{bound!r} with adversaries={adversaries}",
            needed="a finite number above 0, and adversaries of at least 1",
            change="Pass None, or the largest absolute value of an honest answer's numbers.",
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
