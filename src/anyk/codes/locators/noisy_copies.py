"""Which answers at noisy copies contradict the rest: the most plausible sets to disbelieve."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.curves.kriging import ROUGHNESS
from anyk.codes.locators.believable import TAIL, allot, believable_sets, projected
from anyk.codes.locators.doubt import beyond_doubt
from anyk.codes.locators.located import Located

__all__ = ["locate_among_copies"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.intp]
Bools: TypeAlias = NDArray[np.bool_]

_ROUNDS = 5
_FIRST, _THEN = (0.3, 3.0), (0.5, 1.5)  # a quantile of the residuals, and a factor: their size
_ROUNDING = 1e-5  # of the largest number: quadratic forms of what agrees to here are rounding
_TINY = float(np.finfo(np.float64).tiny)
_ALIKE = 1.0 / 3.0  # of an answer's variance: a contrast of at least that is as hard to predict
_CONTRAST, _LONELY = 2.0, 3.0  # how much an answer stands out from those, see _clear
_FEWEST = 2  # answers, for one to be predicted
_LARGER = 3.0  # times any other error: what is wrong beyond doubt
_TOO_MANY = 1.5  # times the evidence, to say that more than A are wrong
_KINKED = 1.25  # times the evidence: f may bend between a copy and all others
_OUTVOTED = 1.8  # times the evidence, where one of those alike is disbelieved, or there is none


def locate_among_copies(
    covariances: Sequence[Floats],
    rows: Sequence[Ints],
    alike: Sequence[Bools],
    values: Floats,
    most: int,
) -> Located:
    """The answers that are best explained as lies.

    Each part is a Gaussian process of unknown mean, with Student's tails: believed answers y cost
    (4 + m) log(1 + y^T P y / 4 s^2) + log det, for m contrasts of them; a disbelieved one costs
    what a number costs of which nothing is known, and 2 more. In each part, the sets to
    disbelieve grow by one answer at a time, and the best 16 of each size are kept; what is left
    out of A goes where it gains most. Variance s^2 and roughness come from the believed answers'
    leave-one-out residuals, by quantiles, in turns with the sets. In the end an answer is removed
    only if it errs by more than contrasts of believed answers that are as hard to predict, and
    named only if it is wrong beyond doubt (`beyond_doubt`), by three times the largest other error.
    Answers whose noise points the same way may all be far off, though honest: where one of the
    others is disbelieved, or there is none, 1.8 times the evidence and the error are needed,
    unless it is as clear when all the others of them are believed that are not named before.

    Args:
        covariances: of the answers of each part, in units of the target's variance, (n_p, n_p).
        rows: the places of each part's answers in `values`.
        alike: which of each part's answers have noise that points the same way, (n_p, n_p).
        values: the answers or a sketch of them, ndarray (n, C).
        most: A.

    Returns:
        The answers that contradict the rest, removed, and those that do beyond doubt, named;
        exceeded, if more than A do beyond doubt.

    References:
        Shah, Wilson and Ghahramani, Student-t processes as alternatives to Gaussian processes,
        2014; Patterson and Thompson 1971 (the unknown mean).

    Example:
        >>> from anyk.codes.locators.noisy_copies import locate_among_copies
        >>> from anyk.codes.curves.kriging import kriging
        >>> noise = np.array([1.0, -1.0, 1.2, -1.2, 1.4, -1.4, 1.6, -1.6])
        >>> values = noise[:, None] + 3.0
        >>> values[2] = 9.0
        >>> part = kriging(np.outer(noise, noise))
        >>> alike = np.outer(noise, noise) > 0.0
        >>> locate_among_copies([part.covariance], [np.arange(8)], [alike], values, 1).removed
        (2,)
    """
    copies = _Copies(covariances=covariances, rows=rows, alike=alike, values=values)
    believed, more = copies.everybody, None
    least = max((_ROUNDING * float(np.abs(values).max(initial=0.0))) ** 2, _TINY)
    for turn in range(_ROUNDS):
        fits = [copies.fit(believed, each) for each in ROUGHNESS]
        scales = [max(_scale(fit, *(_THEN if turn else _FIRST)), least) for fit in fits]
        best = min(range(len(fits)), key=lambda at: _implausible(fits[at], scales[at]))
        tables = [
            believable_sets(covariance, values[part], most + 1, ROUGHNESS[best], scales[best])
            for covariance, part in zip(covariances, rows, strict=True)
        ]
        now, more = allot(tables, rows, len(values), most)
        same = bool(np.array_equal(now, believed))
        believed = now
        if same and turn:
            break
    if believed.all() and more is None:
        return Located()
    clear, named = copies.judged(believed, ROUGHNESS[best])
    exceeded = False
    if more is not None:
        _, surely = copies.judged(more, ROUGHNESS[best], _TOO_MANY)
        exceeded = int(surely.sum()) > most
    removed, sure = (tuple(np.flatnonzero(rows).tolist()) for rows in (clear, named))
    return Located(removed=removed, named=sure, exceeded=exceeded)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Copies:
    """The answers, part by part."""

    covariances: Sequence[Floats]
    rows: Sequence[Ints]
    alike: Sequence[Bools]
    values: Floats

    @property
    def everybody(self) -> Bools:
        """Nobody is disbelieved."""
        return np.ones(len(self.values), dtype=np.bool_)

    def judged(self, believed: Bools, roughness: float, sure: float = 1.0) -> tuple[Bools, Bools]:
        """Of those disbelieved the ones that stand out; and those that are wrong beyond doubt."""
        clear, errors = self._clear(believed, roughness)
        named = np.zeros_like(clear)
        if clear.any():
            usual, sure = self._usual(~clear, roughness), sure * _KINKED
            few = self._outvoted(clear)
            demands = sure * np.where(few, _OUTVOTED, 1.0)[clear]
            named[clear] = beyond_doubt(errors[clear], usual, larger=_LARGER, demands=demands)
            for place in np.argsort(-np.linalg.norm(errors, axis=1), kind="stable"):
                if few[place] and not named[place]:  # the worst first: it tells against no other
                    other = self._among_alike(place, clear, named, roughness)
                    named[place] = beyond_doubt(other, usual, larger=_LARGER, demands=sure)[0]
        return clear, named

    def _clear(self, believed: Bools, roughness: float) -> tuple[Bools, Floats]:
        """Those disbelieved that err by more than what is as hard to predict; and their errors.

        That is 2 + 3/C times their median, for C columns: of one number, all may err little by
        chance. An error is divided by the standard deviation of its prediction; where no answer
        of the part is believed, there is none.
        """
        clear, errors = ~believed, np.zeros_like(self.values)
        if believed.all():
            return clear, errors
        needed = (_CONTRAST + _LONELY / self.values.shape[1]) ** 2
        peers = [
            _contrasts(covariance, self.values[part], believed[part], roughness)
            for covariance, part in zip(self.covariances, self.rows, strict=True)
        ]
        variances = np.concatenate([each for each, _ in peers])
        ratios = np.concatenate([each for _, each in peers])
        for covariance, part in zip(self.covariances, self.rows, strict=True):
            for place in np.flatnonzero(~believed[part]):
                seen = np.append(np.flatnonzero(believed[part]), place)
                if seen.size < _FEWEST:
                    continue
                error, deviation = self._error(covariance, part[seen], seen, roughness)
                alike = ratios[variances >= deviation**2 * _ALIKE]
                square = np.mean(error**2)
                clear[part[place]] = not alike.size or square > needed * np.median(alike)
                errors[part[place]] = error
        return clear, errors

    def _outvoted(self, wrong: Bools) -> Bools:
        """Which of the wrong have others alike that are wrong too, or none that is right."""
        few = np.zeros_like(wrong)
        for part, alike in zip(self.rows, self.alike, strict=True):
            others = alike & ~np.eye(part.size, dtype=np.bool_)
            against, right = others & wrong[part], others & ~wrong[part]
            few[part] = wrong[part] & (against.any(axis=1) | ~right.any(axis=1))
        return few

    def _among_alike(self, place: int, wrong: Bools, named: Bools, roughness: float) -> Floats:
        """Its error, (1, C), if those alike that are wrong, but not beyond doubt, are believed.

        It is 0 where none alike is right: then nobody speaks for either.
        """
        for covariance, part, alike in zip(self.covariances, self.rows, self.alike, strict=True):
            for at in np.flatnonzero(part == place):
                good, doubted = ~wrong[part], wrong[part] & ~named[part]
                near = alike[at] & (part != place)
                if np.any(near & good):
                    seen = np.append(np.flatnonzero(good | (near & doubted)), at)
                    return self._error(covariance, part[seen], seen, roughness)[0][None]
        return np.zeros((1, self.values.shape[1]))

    def _error(
        self, covariance: Floats, rows: Ints, places: Ints, roughness: float
    ) -> tuple[Floats, float]:
        """Of the last of these, predicted from the others: by its standard deviation; and that."""
        precisions = projected(covariance[np.ix_(places, places)], roughness)[-1]
        deviation = 1.0 / math.sqrt(precisions[-1])
        return precisions @ self.values[rows] * deviation, deviation

    def _usual(self, believed: Bools, roughness: float) -> Floats:
        """Leave-one-out errors of the believed, by their standard deviations, ndarray (n, C)."""
        errors = [pulled / np.sqrt(own)[:, None] for pulled, own in self._left(believed, roughness)]
        return np.concatenate([np.zeros((0, self.values.shape[1])), *errors])

    def fit(self, believed: Bools, roughness: float) -> tuple[Floats, Floats]:
        """Of the believed: leave-one-out errors, squared, by their variance; and that."""
        squares, variances = [np.zeros(0)], [np.zeros(0)]
        for pulled, precisions in self._left(believed, roughness):
            squares.append(np.mean(pulled**2, axis=1) / precisions)
            variances.append(1.0 / precisions)
        return np.concatenate(squares), np.concatenate(variances)

    def _left(self, believed: Bools, roughness: float) -> Iterator[tuple[Floats, Floats]]:
        """Of each part: errors times the precisions of the believed, each left out; and these."""
        for covariance, part in zip(self.covariances, self.rows, strict=True):
            kept = believed[part]
            if np.count_nonzero(kept) >= _FEWEST:
                inverse = projected(covariance[np.ix_(kept, kept)], roughness)
                yield inverse @ self.values[part[kept]], np.diagonal(inverse)


def _contrasts(
    covariance: Floats, values: Floats, believed: NDArray[np.bool_], roughness: float
) -> tuple[Floats, Floats]:
    """Variances of uncorrelated contrasts of the believed answers; and squares by variance."""
    count = np.count_nonzero(believed)
    if count < _FEWEST:
        return np.zeros(0), np.zeros(0)
    basis = np.linalg.qr(np.ones((count, 1)), mode="complete")[0][:, 1:]
    inner = basis.T @ covariance[np.ix_(believed, believed)] @ basis
    spectrum, axes = np.linalg.eigh(inner)
    variances = np.maximum(spectrum, 0.0) + roughness
    return variances, np.mean(((basis @ axes).T @ values[believed]) ** 2, axis=1) / variances


def _scale(fit: tuple[Floats, Floats], quantile: float, factor: float) -> float:
    squares, _ = fit
    return factor * float(np.quantile(squares, quantile)) if squares.size else 0.0


def _implausible(fit: tuple[Floats, Floats], scale: float) -> float:
    """Minus twice the log of a pseudo-likelihood with Student's tails."""
    squares, variances = fit
    tails = (1.0 + TAIL) * np.log1p(squares / scale / TAIL)
    return float(np.sum(math.log(scale) + np.log(variances) + tails))
