"""By how much a code over the reals amplifies rounding, where the worst of its shares are missing.

Let G be the code (shares x k), G+ its pseudo-inverse, and N an orthonormal basis of what no words
of it have: N^T G = 0. Without the shares E, as many as are to spare, the values S are recovered by
R = S G_F^-1, and

    |R|^2 = |S G+|^2 + tr((N_E N_E^T)^-1 P_E),    P = (S G+)^T (S G+),

so that a set costs a matrix of |E| x |E|, and not one of k x k.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.analog.sets import every

__all__ = ["Amplified"]

_ALL = 5000  # sets up to which all are tried
_DRAWN = 5000  # sets of those that are too many
_FEWEST = 20
_COST = 3 * 10**7  # operations that trying sets may take, at a time
_CLIMBS = 5  # of the worst sets, from which worse ones are looked for
_STEPS = 20  # of exchanging one share
_AT_ONCE = 2000  # sets


@final
@dataclass(frozen=True, eq=False)
class Amplified:
    """The errors of values that are recovered from as few answers as are enough.

    Args:
        terms: G, ndarray (shares, k), of full rank; each row divided by how large an error its
            answer has.
        wanted: S, ndarray (values, k).

    Example:
        >>> from anyk.codes.analog.amplified import Amplified
        >>> code = Amplified(np.array([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]), np.eye(2))
        >>> code.of(np.array([[2], [0]])).round(3).tolist()  # without share 2, without share 0
        [1.0, 1.667]
        >>> error, missing = code.worst
        >>> round(error, 3), missing
        (1.667, (0,))
    """

    terms: NDArray[np.float64]
    wanted: NDArray[np.float64]

    @property
    def spare(self) -> int:
        """How many shares may be missing."""
        return int(len(self.terms) - self.terms.shape[1])

    @cached_property
    def _parts(self) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
        """N, P and |S G+|^2."""
        inverse = self.wanted @ np.linalg.pinv(self.terms)
        basis = np.linalg.qr(self.terms, mode="complete")[0][:, self.terms.shape[1] :]
        gram = inverse.T @ inverse
        return basis, gram, float(np.trace(gram))

    def of(self, missing: NDArray[np.intp]) -> NDArray[np.float64]:
        """The root mean square error of a value, with one of 1 in each answer.

        Args:
            missing: ndarray (sets, spare), the shares that each set lacks.

        Returns:
            ndarray (sets,); infinite where the rest tells less than everything.
        """
        basis, gram, whole = self._parts
        squares = np.full(len(missing), whole)
        for first in range(0, len(missing) if self.spare else 0, _AT_ONCE):
            these = missing[first : first + _AT_ONCE]
            own = basis[these]  # sets, missing shares, what no words have
            try:
                inverse = np.linalg.inv(own)
            except np.linalg.LinAlgError:
                inverse = np.stack([_inverse(each) for each in own])
            part = gram[these[:, :, None], these[:, None, :]]
            with np.errstate(over="ignore", invalid="ignore"):  # infinite then
                more = np.sum((inverse @ part) * inverse, axis=(1, 2))
            squares[first : first + _AT_ONCE] += more
        with np.errstate(invalid="ignore"):  # of what was lost to rounding: infinite too
            errors = np.sqrt(squares / len(self.wanted))
        return np.where(np.isfinite(errors), errors, math.inf)

    @property
    def tried(self) -> NDArray[np.intp]:
        """Sets of missing shares: all of them where they are at most 5,000.

        Of more, runs of neighbours and some at random, always the same ones.
        """
        return _tried(len(self.terms), self.spare)

    @cached_property
    def worst(self) -> tuple[float, tuple[int, ...]]:
        """The largest error that is found, and the shares that are missing then.

        From the worst of the sets that are tried, if these are not all, others are looked for by
        exchanging shares.
        """
        errors = self.of(self.tried)
        first = np.argsort(errors)[-_CLIMBS:]
        found = [(float(errors[place]), self.tried[place]) for place in first]
        if math.comb(len(self.terms), self.spare) > _ALL:
            found = [self._climbed(missing, error) for error, missing in found]
        error, missing = max(found, key=lambda each: each[0])
        return error, tuple(sorted(missing.tolist()))

    def _climbed(self, missing: NDArray[np.intp], error: float) -> tuple[float, NDArray[np.intp]]:
        """A set that no exchange of one share, of those that are tried, makes worse."""
        generator = np.random.default_rng(1)
        for _ in range(_STEPS):
            others = np.setdiff1d(np.arange(len(self.terms)), missing)
            exchanged = np.tile(missing, (len(missing) * len(others), 1))
            places = np.repeat(np.arange(len(missing)), len(others))
            exchanged[np.arange(len(exchanged)), places] = np.tile(others, len(missing))
            few = max(_FEWEST, _COST // _STEPS // self.spare**3)
            if few < len(exchanged):
                exchanged = exchanged[generator.choice(len(exchanged), few, replace=False)]
            errors = self.of(exchanged)
            place = int(np.argmax(errors))
            if not errors[place] > error:
                break
            missing, error = exchanged[place], float(errors[place])
        return error, missing


@lru_cache(maxsize=8)
def _tried(shares: int, spare: int) -> NDArray[np.intp]:
    all_of_them = every(shares, spare, _ALL)
    if all_of_them is not None:
        return all_of_them
    generator = np.random.default_rng(0)
    runs = (np.arange(shares)[:, None] + np.arange(spare)) % shares
    number = min(_DRAWN, max(_FEWEST, _COST // spare**3))
    drawn = np.argsort(generator.random((number, shares)), axis=1)[:, :spare]
    return np.concatenate([runs, drawn])


def _inverse(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The inverse; infinite where there is none."""
    try:
        inverse = np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.full_like(matrix, math.inf)
    return inverse
