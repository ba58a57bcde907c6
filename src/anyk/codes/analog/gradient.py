"""Gradient codes over the reals: cyclic ones, and by how much the decoder amplifies rounding."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.analog.sets import every
from anyk.codes.exact.gradient import cyclic_support
from anyk.kept import kept

__all__ = ["Decoder", "gaussian_code", "late_sets", "trigonometric_code"]

Floats: TypeAlias = NDArray[np.float64]

_DRAWS = 32  # codes of which the best is kept
_JUDGED = 1200  # sets of late workers by which a draw is judged
_ALL = 5000  # sets up to which all are tried
_DRAWN = 2000  # sets of those that are too many
_REFINED = 2  # times: a singular value decomposition rounds more than its use need
_LOST = 1e-13  # of the largest singular value: less than rounding
_ONE = 1e-8  # how far a combination of rows may be from the row of ones, and be it


def trigonometric_code(workers: int, more: int) -> Floats:
    """The matrix B of the cyclic code whose words are trigonometric polynomials of k = N - s terms.

    Their frequencies are -(k-1)/2, .., (k-1)/2: whole for odd k, halves for even k. Column j is the
    one that is 0 at all workers who do not hold block j, the next k - 1 around the circle:

        q_j(n) = product over m = j+1, .., j+k-1 of 2 sin(pi (n - m) / N),

    positive elsewhere, but for the sign (-1)^(k-1). For odd k the sum is the mean of a word, up to
    a factor. For even k no function is constant; then column j is divided by w_j, where w is the
    combination of rows that is nearest to the row of ones, so that the rows combine to that.

    Args:
        workers: N, as many as blocks.
        more: s, how many blocks each worker holds beyond one.

    Returns:
        float64 ndarray (N, N) with rows of about length 1; row n is 0 outside of `cyclic_support`.

    References:
        Raviv, Tamo, Tandon, Dimakis: Gradient coding from cyclic MDS codes and expander graphs
        (IEEE TIT 2020), constructions 2 (complex) and 3 (real, for N + s odd): the zeros of its
        cyclic code are the high frequencies here, so that the sum is the lowest one.

    Example:
        >>> from anyk.codes.analog.gradient import Decoder, trigonometric_code
        >>> code = trigonometric_code(12, 2)
        >>> round(Decoder(code, 10).worst(2)[0], 1)
        5.8
    """
    dimension = workers - more
    code = np.zeros((workers, workers))
    ahead = np.arange(-more, 1)  # of its last holder, n = j
    sines = 2.0 * np.sin(np.pi * (ahead[:, None] - np.arange(1, dimension)) / workers)
    column = np.abs(np.prod(sines, axis=1))
    column /= np.linalg.norm(column)
    for block in range(workers):
        code[(block + ahead) % workers, block] = column
        if dimension % 2 == 0:
            code[block + ahead[ahead < -block], block] *= -1.0  # beyond where the circle began
    if dimension % 2 or not more:
        return code
    low = np.linalg.svd(code)[2][:dimension]
    return np.asarray(code / (low.sum(axis=1) @ low))


@kept
def gaussian_code(workers: int, more: int, draws: int = _DRAWS) -> Floats:
    """The matrix B of a cyclic gradient code by random numbers: any N - s rows combine to 1.

    Row n is the combination of the blocks of worker n that is orthogonal to all s rows of H, which
    is Gaussian, but that its columns add up to 0. Of several draws the one is kept that amplifies
    rounding least for the worst of many sets of late workers. Nothing depends on the randomness but
    rounding: the draws are the same in every process.

    Args:
        workers: N, as many as blocks.
        more: s, how many blocks each worker holds beyond one.
        draws: how many.

    Returns:
        float64 ndarray (N, N); row n is 0 outside of `cyclic_support`.

    References:
        Tandon, Lei, Dimakis, Karampatziakis: Gradient coding (ICML 2017), algorithm 1, which takes
        the first draw.
    """
    generator = np.random.default_rng([workers, more])
    judged = late_sets(workers, more, _JUDGED)
    best, least = np.eye(workers), math.inf
    for _ in range(draws if more else 0):
        check = generator.standard_normal((more, workers))
        check[:, -1] = -check[:, :-1].sum(axis=1)
        code = _orthogonal(check)
        worst = float(Decoder(code, workers - more).amplified(judged).max()) if draws > 1 else 0.0
        if worst < least:
            best, least = code, worst
    return best


def _orthogonal(check: Floats) -> Floats:
    """Row n with 1 at block n, and what makes it orthogonal to H at the next s."""
    more, workers = check.shape
    code = np.zeros((workers, workers))
    held = cyclic_support(workers, more)
    columns = check.T[held]  # workers, their blocks, s
    others = np.linalg.solve(columns[:, 1:].swapaxes(1, 2), -columns[:, 0, :, None])[..., 0]
    code[np.arange(workers), held[:, 0]] = 1.0
    code[np.arange(workers)[:, None], held[:, 1:]] = others
    return code


def late_sets(workers: int, late: int, most: int = _ALL) -> NDArray[np.intp]:
    """Sets of so many late workers: all of them, or runs of neighbours, and 2,000 at random.

    Neighbours are the known bad case of a cyclic code. Those at random are always the same ones.

    Args:
        workers: N.
        late: how many.
        most: how many sets may be all of them; no more are drawn at random.

    Returns:
        ndarray (sets, late).

    Example:
        >>> from anyk.codes.analog.gradient import late_sets
        >>> late_sets(3, 2).tolist(), late_sets(100, 3).shape
        ([[0, 1], [0, 2], [1, 2]], (2100, 3))
    """
    sets = every(workers, late, most)
    if sets is not None:
        return sets
    generator = np.random.default_rng([workers, late])
    runs = (np.arange(workers)[:, None] + np.arange(late)) % workers
    drawn = np.argsort(generator.random((min(most, _DRAWN), workers)), axis=1)[:, :late]
    return np.concatenate([runs, drawn])


@final
@dataclass(frozen=True, eq=False)
class Decoder:
    """How answers of some workers combine to the sum, and how rounding is amplified then.

    Answers are taken to err independently, each by its length |B_n| in units of rounding; so do
    the K terms of a plain sum, by 1. Then the sum errs by

        sqrt(sum_n (a_n |B_n|)^2 / K)

    times as much as a plain one. Of all a with a·B_F = 1 the one is taken for which this is least.

    Args:
        matrix: B_F, float64 ndarray (m, K).
        dimension: the rank of B_F; None where it is to be found out.
    """

    matrix: Floats
    dimension: int | None = None

    @cached_property
    def lengths(self) -> Floats:
        """|B_n|, ndarray (m,)."""
        return np.asarray(np.linalg.norm(self.matrix, axis=1))

    @cached_property
    def _turned(self) -> tuple[Floats, Floats, Floats, int]:
        """U, the singular values, V^T of B_F with rows of length 1, and its rank."""
        left, sizes, right = np.linalg.svd(self.matrix / self.lengths[:, None])
        clear = int(np.sum(sizes > len(left) * np.finfo(np.float64).eps * sizes.max(initial=0.0)))
        known = clear if self.dimension is None else self.dimension
        return left, sizes, right, min(known, len(sizes))

    @cached_property
    def _scaled(self) -> Floats:
        """a_n |B_n|: of all that leave least of the row of ones, the shortest."""
        left, sizes, right, rank = self._turned
        rows, scaled = self.matrix / self.lengths[:, None], np.zeros(len(left))
        for _ in range(_REFINED):
            rest = right[:rank] @ (1.0 - scaled @ rows)
            scaled += left[:, :rank] @ (rest / sizes[:rank])
        return scaled

    @property
    def row(self) -> Floats:
        """a, ndarray (m,)."""
        return self._scaled / self.lengths

    @property
    def rank(self) -> int:
        """Of B_F."""
        return self._turned[3]

    def solved(self, values: NDArray[Any]) -> NDArray[Any]:
        """What the answers tell of the terms, in rank coordinates: |B_F^+ y| column by column.

        Args:
            values: y, ndarray (m, L).

        Returns:
            ndarray (rank, L).
        """
        left, sizes, _, rank = self._turned
        return left[:, :rank].T @ (values / self.lengths[:, None]) / sizes[:rank, None]

    @cached_property
    def left_out(self) -> Floats:
        """1 - a·B_F, ndarray (K,): what of each block is missing in the sum; 0 where nothing is."""
        left = 1.0 - self.row @ self.matrix
        return np.zeros_like(left) if np.abs(left).max(initial=0.0) < _ONE else left

    @property
    def amplification(self) -> float:
        """By how much rounding weighs more in the sum than in a plain one."""
        return float(np.linalg.norm(self._scaled)) / math.sqrt(self.matrix.shape[1])

    @cached_property
    def parity_check(self) -> Floats:
        """H, ndarray (m - rank, m), of orthonormal rows: honest answers have H·(y / |B_n|) = 0."""
        left, _, _, rank = self._turned
        return left[:, rank:].T

    @cached_property
    def terms(self) -> Floats:
        """V, ndarray (m, rank): answers are V·Y for some Y; row n of about the length |B_n|."""
        left, _, _, rank = self._turned
        return left[:, :rank] * (self.lengths[:, None] * math.sqrt(len(left) / rank))

    def amplified(self, missing: NDArray[np.intp]) -> Floats:
        """The amplification without each of some sets of workers.

        All a are a + z·H. Those that are 0 where workers E are missing have H_E^T z^T = -a_E, and
        the shortest z of these adds |z|^2 to |a|^2.

        Args:
            missing: ndarray (sets, late), places of rows.

        Returns:
            ndarray (sets,); infinite where the rest does not combine to the row of ones.
        """
        found = np.full(len(missing), self.amplification)
        if not missing.size:
            return found
        basis, own = self.parity_check.T[missing], self._scaled[missing]
        if not basis.shape[2]:
            return np.full(len(missing), math.inf)
        inverse = np.linalg.pinv(basis, rcond=_LOST)
        more = inverse @ -own[..., None]
        unmet = np.linalg.norm(basis @ more + own[..., None], axis=(1, 2))
        squares = np.sum(more[..., 0] ** 2, axis=1) / self.matrix.shape[1]
        combine = unmet <= _ONE * np.linalg.norm(self._scaled)
        return np.where(combine, np.sqrt(found**2 + squares), math.inf)

    def worst(self, late: int) -> tuple[float, tuple[int, ...]]:
        """The largest amplification without so many workers, and who they are.

        Args:
            late: how many. Of more than 5,000 sets, runs of neighbours and 2,000 others are tried.
        """
        sets = late_sets(len(self.matrix), late)
        found = self.amplified(sets)
        place = int(np.argmax(found))
        return float(found[place]), tuple(np.sort(sets[place]).tolist())
