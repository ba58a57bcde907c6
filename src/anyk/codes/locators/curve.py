"""Which of many points of an unknown smooth curve are wrong: robust regression by whole rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.curves.banded import second_differences
from anyk.codes.curves.splines import gcv_candidates, prepared_spline, smoothing_spline
from anyk.codes.locators.doubt import beyond_doubt, directions
from anyk.codes.locators.located import Located
from anyk.codes.locators.tracking import follow
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.randomness.sketch import sketch

__all__ = ["locate"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Bools: TypeAlias = NDArray[np.bool_]

_PRICE = 8.0  # of a disbelieved row, in units of a log variance
_CLEAR = 2.0  # what is beyond doubt is worth so many times the price, and stands out so much more
_COMPANION = 0.8  # of that is enough beside a row that does stand out so much
_CONTRAST, _LONELY = 2.0, 3.0  # how much a wrong row stands out from those beside it, see _contrast
_STARTS = (1.0, 1.0 / 16.0)  # of the first guess: where the search for the roughness begins
_LOW, _OF_MEDIAN = 0.15, 0.34  # a quantile of the roughness, and its share of an honest median
_HIGH, _SPREAD = 0.9, 4.0  # another, and how many times an honest median it may be
_ROUNDS = 8
_NEARLY = 100  # rows to disbelieve, for one that may change or be too many until they are judged
_RAISES = 8
_RAISE = 1.6
_NEAR = 8  # rows on either side by which the roughness is judged at one place
_ROUGHER = 4.0  # it counts there where it is this many times that of the whole
_BENT = 4.0  # a curve that bends by so many times the rate is still followed
_LOUD = 9.0  # times the rate: a row that may stand out alone
_BESIDE = 2  # rows on either side against which a wrong row has to stand out
_NOISY = 1.0  # variance of noise, as a share of the rate, from which it is worth a second search
_WHOLE = 400  # rows up to which all are followed in one; more are cut in stretches
_CORE, _MARGIN = 64, 16  # rows that a stretch decides, and rows beside them that it sees
_ABREAST = 64  # stretches at a time, so that their hypotheses stay in cache
_SUSPICIOUS = 4.0  # times the rate: a stretch where no row is rougher is believed
_SCORED = 1 << 16  # numbers by which noise is told: enough, at less cost than all
_SPARSE = 0.02  # wrong rows, as a share of all, that leave the roughness about most rows as it is
_DOUBT = 1e5  # variance of a row that has no say, as a share of the rate
_ROUNDING = 1e-13
_EXACT = 1e-9  # of the largest number: rows that err less lie on a line
_FAR = 2.0  # times any other error: what is beyond doubt
_SURER = 0.05  # more evidence for each direction, where rows are judged by the level near them
_HEAVIEST = 0.5  # index of a tail there: what is left of it if the trend along the curve is not
_LEVEL, _STILL = 2, 0.1  # rows on either side that make a level; and its least, by the typical
_ENDS, _MANY = 2, 12  # rows at either end that are no peers, where there are more than so many
_STEPS = 2.0  # times the step from row to row on a line: more is no bend of it
_TINY = 1e-40
_LEAST = 1e-11 * _DOUBT  # variance of a prediction; below is rounding
_FEWEST = 5  # rows: of fewer, none can be told from the rest


def locate(
    knots: Floats, values: Floats, most: int, *, source: AbstractSource = SystemSource()
) -> Located:
    """Which rows contradict the smooth curve that the rest lie on.

    At a given roughness of the curve, `follow` says which rows to disbelieve. The roughness is
    the median, over the believed rows, of their studentised leave-one-out residuals; it and the
    believed rows are found in turns, starting from a low quantile, so that the wrong rows, which
    make the curve rough, are not taken for its nature. Where the neighbourhood of a row stays
    rougher without what is disbelieved, the function itself is rough there, and the row is judged
    by that. Noise in all the answers is told from roughness by generalised cross-validation.

    Args:
        knots: ndarray (n,), increasing.
        values: ndarray (n, C), the rows or a sketch of them.
        most: A, how many rows may be wrong.
        source: of the sketch by which noise is told from roughness where there are many rows.

    Returns:
        The rows that contradict the rest, removed; those that do beyond doubt, named; exceeded, if
        more than A do beyond doubt.

    References:
        Rousseeuw, Least median of squares regression, 1984 (the scale of the best part of the
        data); Wahba, 1978 (the spline as a posterior mean).

    Example:
        >>> from anyk.codes.locators.curve import locate
        >>> knots = np.linspace(-1.0, 1.0, 20)
        >>> values = np.sin(3.0 * knots)[:, None]
        >>> values[7] += 0.1
        >>> locate(knots, values, 2).removed
        (7,)
    """
    if not most or knots.size < _FEWEST or not values.any():
        return Located()
    search = _Search(
        knots=knots,
        step=float(np.median(np.diff(knots))),
        values=values / float(np.abs(values).max()),
        source=source,
    )
    found = search.find(most)
    if not found.wrong.any():
        return Located()
    rows = np.flatnonzero(found.wrong)
    named = rows[search.beyond_doubt(found)]
    return Located(
        removed=tuple(rows.tolist()),
        named=tuple(named.tolist()),
        exceeded=found.pressed and search.exceeds(found, most),
    )


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Settled:
    """Rows disbelieved, the rates about all, and whether there would be more but for A."""

    wrong: Bools
    rates: Floats
    noise: float
    pressed: bool


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _LeftOut:
    """What rows err when others predict them.

    Args:
        off: of the wrong rows, ndarray (wrong, C).
        missed: the same, by the standard deviation of the prediction at a rate of 1.
        beside: of the rest, each predicted from the others, by the same, ndarray (n, C).
    """

    off: Floats
    missed: Floats
    beside: Floats

    def by_level(self, wrong: Bools) -> tuple[Floats, Floats]:
        """Sizes of what the wrong and the rest err, by the median of those near each, (.., 1).

        On a smooth curve what rows err grows from one place to another by orders of magnitude, and
        a lie stands out where it is. The rows at the ends, which nothing holds, are left out.
        """
        sizes = np.linalg.norm(self.beside, axis=1)
        least = max(_STILL * _typical(sizes), _EXACT * float(sizes.max()))
        padded = np.pad(sizes, _LEVEL, mode="edge")
        windows = np.lib.stride_tricks.sliding_window_view
        own = np.median(windows(padded, 2 * _LEVEL + 1), axis=1)
        near = np.median(windows(padded, 2 * _LEVEL), axis=1)
        ranks = np.searchsorted(np.flatnonzero(~wrong), np.flatnonzero(wrong))
        missed = np.linalg.norm(self.missed, axis=1) / np.maximum(near[ranks], least)
        beside = sizes / np.maximum(own, least)
        rows = slice(_ENDS, -_ENDS) if beside.size > _MANY else slice(None)
        return missed[:, None], beside[rows, None]

    @property
    def largest(self) -> float:
        """The most that any of the rest errs."""
        return float(np.linalg.norm(self.beside, axis=1).max())


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Search:
    """The rows to examine."""

    knots: Floats
    step: float
    values: Floats
    source: AbstractSource

    def find(self, most: int) -> _Settled:
        """The rows that stand out, at most so many."""
        if most < _SPARSE * self.knots.size:
            best = self.settle(self.rates(self._none, 0.0), 0.0, most, _PRICE)
        else:
            best = self._rough_or_wrong(most)
        noise = self.noise(best.wrong)
        if noise > _NOISY:
            best = self.settle(self.rates(best.wrong, noise), noise, most, _PRICE)
        wrong = self._judged(best, most, 1.0)
        return replace(best, wrong=wrong, pressed=best.pressed or int(wrong.sum()) >= most)

    def exceeds(self, found: _Settled, most: int) -> bool:
        """Whether more rows stand out by evidence that leaves no doubt."""
        budget = min(2 * most + 1, self.knots.size // 2)
        if self.knots.size > _WHOLE:
            least = _CLEAR * _PRICE
            settled = self.settle(found.rates, found.noise, budget, least, before=found.wrong)
        else:
            settled = self._rough_or_wrong(budget)
        judged = replace(settled, wrong=self._judged(settled, budget, _CLEAR))
        return int(self.beyond_doubt(judged).sum()) > most

    def beyond_doubt(self, found: _Settled) -> Bools:
        """Which of the wrong rows are so beyond doubt, ndarray (wrong,)."""
        if not found.wrong.any():
            return np.zeros(0, dtype=np.bool_)
        judged = self._left_out(found.wrong, found.noise)
        if float(np.abs(judged.beside).max()) > _EXACT:
            far = np.linalg.norm(judged.missed, axis=1) > _FAR * judged.largest
            surer = 1.0 + _SURER * (directions(judged.beside) - 1.0)
            levels = judged.by_level(found.wrong)
            there = beyond_doubt(*levels, demands=surer, heaviest=_HEAVIEST)
            named: Bools = beyond_doubt(judged.missed, judged.beside) | (far & there)
            return named
        steps = np.linalg.norm(np.diff(self.values[~found.wrong], axis=0), axis=1)
        step = float(np.median(steps))
        off: Bools = np.linalg.norm(judged.off, axis=1) > _STEPS * step
        return off & (step > 0.0)

    def _judged(self, settled: _Settled, most: int, sure: float) -> Bools:
        """Of the disbelieved rows those that stand out, and further ones that do."""
        wrong = self.outstanding(settled, sure)
        for _ in range(_ROUNDS):
            more = self.peaks(wrong, settled, most, sure)
            if not more.any():
                break
            wrong |= more
        if int(wrong.sum()) > most:
            rows = np.flatnonzero(wrong)
            wrong[rows[np.argsort(-self._contrast(wrong, settled))[most:]]] = False
        return wrong

    def _rough_or_wrong(self, most: int) -> _Settled:
        """From several guesses of the roughness, the believed rows that are smoothest."""
        guess = float(np.quantile(self.roughness(self._none, 0.0), _LOW)) / _OF_MEDIAN
        starts = (np.full(self.knots.size, share * guess + _TINY) for share in _STARTS)
        tries = [self.settle(start, 0.0, most, _PRICE) for start in starts]
        return min(tries, key=lambda each: float(np.median(each.rates)))

    def settle(
        self,
        rates: Floats,
        noise: float,
        most: int,
        least: float,
        before: Bools | None = None,
    ) -> _Settled:
        """Disbelieve and measure the roughness in turns, until next to nothing changes."""
        for _ in range(_ROUNDS):
            wrong, pressed = self._disbelieve(rates, noise, most, least)
            if before is not None and np.count_nonzero(before ^ wrong) <= most // _NEARLY:
                break
            before, rates = wrong, self.rates(wrong, noise)
        return _Settled(wrong=wrong, rates=rates, noise=noise, pressed=pressed)

    def peaks(self, wrong: Bools, settled: _Settled, most: int, sure: float) -> Bools:
        """Further rows that stand out, each alone, from both sides.

        On a very smooth curve a prediction from one side can't tell these, as `follow` makes it.
        """
        left = most - int(wrong.sum())
        more = np.zeros_like(wrong)
        squares = self.roughness(wrong, settled.noise)
        padded = np.pad(squares, _BESIDE + 1)
        width = 2 * _BESIDE + 3
        highest = np.max(np.lib.stride_tricks.sliding_window_view(padded, width), axis=1)
        loud = squares >= np.maximum(highest, _LOUD * _typical(squares) + self._rounding(wrong))
        rows = np.flatnonzero(~wrong)[loud]
        more[rows] = True
        if left <= 0 or not rows.size or self.knots.size - int((wrong | more).sum()) < _FEWEST:
            return np.zeros_like(wrong)
        both = np.flatnonzero(wrong | more)
        ratios = self._contrast(wrong | more, settled)[np.searchsorted(both, rows)]
        more[rows] = ratios > (_CLEAR * sure) ** 2
        best = rows[np.argsort(-ratios)[:left]]
        chosen = np.zeros_like(wrong)
        chosen[best] = True
        return more & chosen

    def outstanding(self, settled: _Settled, sure: float) -> Bools:
        """Those disbelieved rows that stand out from the rows beside them.

        Where a function is rough, the rows beside are as far from the curve as the row itself.
        Rows with no believed row, or one, between them stand out together.
        """
        wrong = settled.wrong.copy()
        while wrong.any():
            rows = np.flatnonzero(wrong)
            ratios = self._contrast(wrong, settled)
            groups = np.cumsum(np.diff(rows, prepend=rows[0]) > 2)  # noqa: PLR2004
            loudest = np.zeros(groups[-1] + 1)
            np.maximum.at(loudest, groups, ratios)
            dull = (loudest[groups] < sure**2) | (ratios < (_COMPANION * sure) ** 2)
            if not dull.any():
                break
            wrong[rows[dull]] = False
        return wrong

    def _contrast(self, wrong: Bools, settled: _Settled) -> Floats:
        """Squared studentised errors of the wrong rows, over the most of those beside and the rate.

        Above 1 where a row stands out. It has to by the more, the fewer directions errors take:
        with one, all the rows beside may be near the curve by chance.
        """
        judged = self._left_out(wrong, settled.noise)
        beside = np.sum(judged.beside**2, axis=1)
        padded = np.pad(beside, _BESIDE)
        near = np.max(np.lib.stride_tricks.sliding_window_view(padded, 2 * _BESIDE), axis=1)
        ranks = np.searchsorted(np.flatnonzero(~wrong), np.flatnonzero(wrong))
        least = np.maximum(near[ranks], _typical(beside) + self._rounding(wrong))
        needed = _CONTRAST + _LONELY / directions(judged.beside)
        ratios: Floats = np.sum(judged.missed**2, axis=1) / least / needed**2
        return ratios

    def _left_out(self, wrong: Bools, noise: float) -> _LeftOut:
        """What the wrong rows err when the rest predict them, and each of the rest."""
        knots = self.knots / self.step
        rest = smoothing_spline(knots[~wrong], smoothing=noise / int(np.count_nonzero(~wrong)))
        fit = rest.fit(self.values[~wrong])
        own = np.where(wrong, _DOUBT, noise)
        spread = 1.0 / prepared_spline(knots, own).slack[wrong] - _DOUBT + noise
        off = self.values[wrong] - fit.at(knots[wrong])
        return _LeftOut(
            off=off,
            missed=off / np.sqrt(np.maximum(spread, _LEAST))[:, None],
            beside=fit.jumps / np.sqrt(np.maximum(rest.slack, _TINY))[:, None],
        )

    def _disbelieve(
        self, rates: Floats, noise: float, most: int, least: float
    ) -> tuple[Bools, bool]:
        """Rows, at the least price that makes them so few; and if it was raised.

        At most so many, or next to.
        """
        low, price, high = least, least, np.inf
        enough = most + most // _NEARLY
        fewest = self._none
        for _ in range(_RAISES):
            wrong = self._follow(rates, noise, price)
            many = int(wrong.sum())
            if many <= enough:
                fewest, high = wrong, price
                if many >= most or price == least:
                    break
            else:
                low = price
            price = low * _RAISE if high == np.inf else (low + high) / 2.0
        return fewest, high > least

    def _follow(self, rates: Floats, noise: float, price: float) -> Bools:
        """Disbelieved rows; of many rows only those near something suspicious are looked at."""
        starts, width, core = self._stretches(rates, noise)
        rows = starts[:, None] + np.arange(width)
        doubted = np.zeros(rows.shape, dtype=np.bool_)
        for first in range(0, starts.size, _ABREAST):
            part = rows[first : first + _ABREAST]
            doubted[first : first + _ABREAST] = follow(
                self.knots[part] / self.step,
                self.values[part],
                rates=rates[part],
                noise=noise,
                price=price,
            )
        wrong = np.zeros(self.knots.size, dtype=np.bool_)
        wrong[rows[core & doubted]] = True
        return wrong

    def _stretches(self, rates: Floats, noise: float) -> tuple[Ints, int, Bools]:
        """Where stretches of rows start, how long they are, and the rows that each decides."""
        count = self.knots.size
        if count <= _WHOLE:
            return np.zeros(1, dtype=np.int64), count, np.ones((1, count), dtype=np.bool_)
        bent = self.bending(self._none) / (_BENT * (1.0 + noise))
        odd = np.maximum(bent, self.roughness(self._none, noise)) > _SUSPICIOUS * rates
        cores = np.arange(0, count, _CORE)
        cores = cores[np.add.reduceat(odd, cores) > 0]
        width = _CORE + 2 * _MARGIN
        starts = np.clip(cores - _MARGIN, 0, count - width)
        rows = starts[:, None] + np.arange(width)
        return starts, width, (rows >= cores[:, None]) & (rows < cores[:, None] + _CORE)

    def roughness(self, wrong: Bools, noise: float) -> Floats:
        """Squared studentised residuals of the believed rows: each about the rate there."""
        knots = self.knots[~wrong] / self.step
        operator = smoothing_spline(knots, smoothing=noise / knots.size)
        jumps = operator.fit(self.values[~wrong]).jumps
        squares: Floats = np.einsum("nc,nc->n", jumps, jumps) / np.maximum(operator.slack, _TINY)
        return squares

    def rates(self, wrong: Bools, noise: float) -> Floats:
        """The rate about each row: of the whole, or of its neighbourhood where that is rougher.

        A row is predicted from one side alone where the curve bends; then that is its rate.
        """
        squares = self.roughness(wrong, noise)
        if noise <= _NOISY:
            squares = np.maximum(squares, self.bending(wrong) / _BENT)
        width = min(2 * _NEAR + 1, squares.size)
        near = np.median(np.lib.stride_tricks.sliding_window_view(squares, width), axis=1)
        ends = (squares.size - near.size) // 2
        near = np.pad(near, (ends, squares.size - near.size - ends), mode="edge")
        local = np.maximum(_typical(squares), near / _ROUGHER) + self._rounding(wrong)
        rates: Floats = np.interp(self.knots, self.knots[~wrong], local)
        return rates

    def bending(self, wrong: Bools) -> Floats:
        """Squared changes of slope at the believed rows, over their variance at a rate of 1."""
        knots = self.knots[~wrong] / self.step
        bends = second_differences(knots, self.values[~wrong])
        squares = 3.0 * np.sum(bends**2, axis=1) / (knots[2:] - knots[:-2])
        return np.pad(squares, 1, mode="edge")

    @property
    def _none(self) -> Bools:
        """No row is wrong."""
        return np.zeros(self.knots.size, dtype=np.bool_)

    def _rounding(self, wrong: Bools) -> float:
        """The rate that rounding alone pretends."""
        size = _ROUNDING * float(np.abs(self.values[~wrong]).max())
        return float(self.values.shape[1] * size**2 + _TINY)

    def noise(self, wrong: Bools) -> float:
        """The variance of an answer about the curve, as a share of the rate."""
        knots = self.knots[~wrong]
        values = sketch(self.values[~wrong], numbers=_SCORED, source=self.source)

        def score(smoothing: float) -> float:
            return smoothing_spline(knots, smoothing=smoothing).fit(values).gcv()

        return knots.size * min(gcv_candidates(knots), key=score) / self.step**3


def _typical(squares: Floats) -> float:
    """The median; or more, where rows differ more than those of a curve equally rough all over."""
    return max(float(np.median(squares)), float(np.quantile(squares, _HIGH)) / _SPREAD)
