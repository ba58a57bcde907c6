"""The decoder of all schemes for matrix products: linear algebra, over a field or rounded."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.answers import Recovered
from anyk.codes.exact.reed_solomon import EvaluationCode
from anyk.codes.locators.located import Located
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.randomness.sketch import sketch, sketch_residues
from anyk.schemes.certainty import Certainty
from anyk.schemes.encoder import untiled
from anyk.schemes.precision import as_doubles, narrowed
from anyk.schemes.products.code import ProductCode
from anyk.schemes.products.grid import Grid
from anyk.schemes.products.sizes import Sizes, size_of
from anyk.schemes.products.solved import Solved, solved_by
from anyk.schemes.recovery import AbstractRecovery, rows_of
from anyk.schemes.rounded import COARSER, RoundedAnswers, of_single

__all__ = ["LinearRecovery"]

_EPS = float(np.finfo(np.float64).eps)
_ROUNDINGS = 4.0  # of an answer, as a share of what its terms add up to without signs
_LONG = 1 << 14  # terms of a sum from which on its own rounding is felt
_LUCK = 3.0  # by which few spare answers may show less noise than there is


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class LinearRecovery(AbstractRecovery):
    """The blocks of a product from the answers on some shares.

    Args:
        code: of the shares.
        domain: of the code, in double precision where it is none of a field.
        answers: their domain.
        certainty: how many answers determine the product, and how many may be wrong.
        grid: how the factors are cut.
        sizes: of the answers, over the reals.
        shares: that were answered, in the order of their answers.
        lacking: makes the error of answers that do not determine the product.
        answer: the shape of one.
        single: whether honest answers may be of single precision, and pass their check.
    """

    code: ProductCode
    domain: AbstractDomain
    answers: AbstractDomain
    certainty: Certainty
    grid: Grid
    sizes: Sizes | None
    shares: tuple[int, ...]
    lacking: Callable[[tuple[int, ...]], Exception]
    answer: tuple[int, ...]
    single: bool = False

    @property
    def answered(self) -> tuple[int, ...]:
        """The shares."""
        return self.shares

    @property
    def matrix(self) -> NDArray[Any]:
        """R, ndarray (m n, len(answered) * products): block j, k of the product is row j + k m.

        For A @ A.T each answer is followed by its transpose.
        """
        return self._solved.matrix

    @property
    def condition(self) -> float:
        """By how much errors of the answers may be amplified; 1 over a field."""
        return self._solved.condition

    def recover(self, values: NDArray[Any]) -> Recovered:
        """The product from the answers.

        Args:
            values: ndarray (len(answered), *out).

        Returns:
            A @ B, the liars, and over the reals the condition number and an error estimate.

        Raises:
            InvalidArgument: if `values` does not fit.
            NotEnoughAnswers: if these answers do not determine the product.
            TooManyErrors: if they contradict each other beyond what can be mended.
        """
        array = rows_of(values, self.shares, self.answers, self.answer)
        if isinstance(self.domain, PrimeField):
            return self._exact(self.domain, array)
        return narrowed(self._rounded(as_doubles(array)), self.answers.dtype)

    def _exact(self, field: PrimeField, array: NDArray[Any]) -> Recovered:
        liars, kept = self._located(field, array)
        solved = self._solved if kept is None else self._of(kept)
        blocks = solved.apply(field, self._split(array if kept is None else array[list(kept)]))
        return Recovered(
            value=self.grid.together(blocks), suspects=liars, known=np.ones(1, dtype=np.bool_)
        )

    def _located(
        self, field: PrimeField, array: NDArray[Any]
    ) -> tuple[tuple[int, ...], tuple[int, ...] | None]:
        """The liars, and the places of the others where there are any liars."""
        if len(self.shares) <= self.code.enough:
            return (), None
        if self.code.points is None:
            products = self._split(array)
            if not self._agree(field, products.reshape(len(products), -1)):
                raise self.certainty.contradiction(self.shares)
            return (), None
        points = self.code.points[list(self.shares)]
        code = EvaluationCode(field, points, self.code.enough)
        located = code.locate(self._words(field, array), self.certainty.most(self.shares))
        liars = self.certainty.liars(self.shares, located)
        return liars, _without(located, len(array))

    def _words(self, field: PrimeField, array: NDArray[Any]) -> NDArray[Any]:
        """Of the evaluation code, one a row."""
        if self.code.fold is None:
            return array.reshape(len(array), -1)
        own, turned = self.code.fold[list(self.shares)].T.reshape(2, -1, 1, 1)
        folded = field.reduce(own * array) + field.reduce(turned * array.swapaxes(1, 2))
        return field.reduce(folded).reshape(len(array), -1)

    def _agree(self, field: PrimeField, rows: NDArray[Any]) -> bool:
        """Whether all answers follow from those that are used."""
        few = sketch_residues(field, rows)
        terms, solved = self.code.rows(self.shares), self._solved
        unknown = field.matmul(solved.unknowns, few)
        return bool((field.matmul(terms, unknown) == few).all())

    def _rounded(self, array: NDArray[Any]) -> Recovered:
        if self.certainty.noticed:
            return self._judged(array)
        solved, sub = self._solved, self._split(array)
        with np.errstate(over="ignore", invalid="ignore"):  # the estimate is infinite then
            blocks = solved.apply(self.domain, sub)
            value = self.grid.together(blocks)
            noise = self._noise(sub)
            error = size_of(np.abs(solved.matrix) * noise) * math.sqrt(len(noise))
            size = size_of(value)
        if not array.any():  # nothing was rounded: zero is what it is
            error = 0.0
        return _estimated(value, error, size, solved.condition)

    def _judged(self, array: NDArray[Any]) -> Recovered:
        """The value without lies, and what those may do to it that are too small to be seen."""
        sub, shares = self._split(array), list(self.shares)
        expected = np.zeros(len(sub))
        if self.sizes is not None:
            expected = np.repeat(self.sizes.answers[shares], self.code.products)
        judged = RoundedAnswers(
            values=sub.reshape(len(sub), -1),
            terms=self.code.rows(self.shares),
            expected=expected,
            answered=self.shares,
            certainty=self.certainty,
            length=self.grid.inner if self.sizes is None else self.sizes.terms,
        ).judged()
        everyone = len(judged.kept) == len(shares)
        solved = self._solved if everyone else self._of(judged.kept)
        with np.errstate(over="ignore", invalid="ignore"):  # the estimate is infinite then
            left = sub if everyone else self._split(array[list(judged.kept)])
            value = self.grid.together(solved.apply(self.domain, left))
            size = size_of(value)
            error = judged.error(solved.matrix) + judged.own * size if left.any() else 0.0
        return _estimated(value, error, size, solved.condition, judged.suspects)

    def _split(self, array: NDArray[Any]) -> NDArray[Any]:
        """The products in each answer, ndarray (len(answered) * products, *block)."""
        if self.code.fold is not None:
            return np.stack([array, array.swapaxes(1, 2)], axis=1).reshape(-1, *array.shape[1:])
        return untiled(array, (self.code.left.tiles[0], self.code.right.tiles[1]))

    def _noise(self, sub: NDArray[Any]) -> NDArray[np.float64]:
        """The root mean square error of each product that rounding leaves."""
        each = self.code.products
        seen = self._seen(sub)
        expected, terms = np.zeros(len(sub)), 1
        if self.sizes is not None:
            expected = np.repeat(self.sizes.answers[list(self.shares)], each)
            terms = self.sizes.terms
        rounding = _ROUNDINGS * _EPS * math.sqrt(1.0 + terms / _LONG)
        noise: NDArray[np.float64] = rounding * np.hypot(seen, expected)
        if self.single:
            rows = sub.reshape(len(self.shares), -1)
            coarse = [COARSER if of_single(row[None]) else 1.0 for row in rows]
            noise *= np.repeat(coarse, each)
        solved, spare = self._solved, len(sub) - self.code.dimension
        if spare > 0:
            few = sketch(sub.reshape(len(sub), -1))
            left = few - self.code.rows(self.shares) @ (solved.unknowns @ few)
            shown = size_of(left) * math.sqrt(len(sub) / spare)
            usual = size_of(noise) or 1.0
            noise *= max(1.0, (1.0 + _LUCK / math.sqrt(2.0 * spare)) * shown / usual)
        return noise

    def _seen(self, sub: NDArray[Any]) -> NDArray[np.float64]:
        """How large each product is; of a combination, at least as all of them are usually.

        A combination that happens to be small still bears the rounding of its coefficients.
        """
        sizes = np.array([size_of(one) for one in sub])
        rows = self.code.rows(self.shares)
        mixed = (rows != 0).sum(axis=1) > 1
        if not mixed.any():
            return sizes
        lengths = np.linalg.norm(rows[mixed], axis=1)
        usual = lengths * size_of(sizes[mixed] / lengths)
        sizes[mixed] = np.maximum(sizes[mixed], usual)
        return sizes

    @cached_property
    def _solved(self) -> Solved:
        return self._of(None)

    def _of(self, kept: Sequence[int] | None) -> Solved:
        """The linear algebra for the answers at these places; for all of them."""
        shares = self.shares if kept is None else tuple(self.shares[place] for place in kept)
        found = solved_by(self.domain, self.code, shares)
        if found is None:
            raise self.lacking(self.shares)
        return found


def _estimated(
    value: NDArray[Any],
    error: float,
    size: float,
    condition: float,
    suspects: tuple[int, ...] = (),
) -> Recovered:
    """A value with its error, root mean square, as a share of its size."""
    relative = error / size if size > 0.0 else (math.inf if error > 0.0 else 0.0)
    estimate = max(relative, _EPS) if math.isfinite(relative) else math.inf
    return Recovered(
        value=value,
        suspects=suspects,
        error_estimate=estimate,
        known=np.zeros(1, dtype=np.bool_),
        block_errors=np.array([estimate]),
        condition=condition,
    )


def _without(located: Located, count: int) -> tuple[int, ...] | None:
    """The places that are left."""
    removed = set(located.removed)
    return tuple(at for at in range(count) if at not in removed) if removed else None
