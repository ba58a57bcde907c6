"""Many encodings, and the masks in them, recovered from the shares by whoever knows the data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.codes.exact.linear import row_reduce, solve
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.schemes.base import AbstractScheme, Encoder
from anyk.spec import Map, MatMul, Sum
from anyk.testing.expect import numbers, require
from anyk.testing.masks.lattice import check_on_grid
from anyk.testing.trial import encoders, operands, together

__all__ = ["COORDINATES", "Draws", "Unmasking", "drawn", "rows_of", "shapes", "unmasking"]

COORDINATES = 64
"""Of one block, where masks are judged."""

_RUN = 16  # encodings of one shape after another
_SINGULAR = 1e-10
_ROUNDINGS = 64.0  # of one number of a share
_SCALES = 6.0  # the data's size is between 2^-3 and 2^3


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Unmasking:
    """What gets the masks out of shares, for one D and M.

    Where M has more columns than its rank r, what it makes of the masks has r dimensions, and the
    masks are r combinations of them that are uniform, or normal and independent, as they are.

    Args:
        domain: of the scheme.
        encoder: D and M.
        basis: ndarray (N, r), such that M·masks = basis·what is recovered.
        inverse: ndarray (r, rows), its left inverse.
        rows: of the shares that this is for.
    """

    domain: AbstractDomain
    encoder: Encoder
    basis: NDArray[Any]
    inverse: NDArray[Any]
    rows: NDArray[np.intp]

    def __call__(self, shares: NDArray[Any], X: NDArray[Any]) -> NDArray[Any]:
        """The masks, ndarray (r, L).

        Args:
            shares: ndarray (N, L).
            X: the blocks, ndarray (K, L).

        Raises:
            AssertionError: if no masks make these shares of these blocks.
        """
        domain, told = self.domain, "the shares are not D·blocks + M·masks"
        rest = shares - domain.matmul(self.encoder.data, X)
        if isinstance(domain, PrimeField):
            rest = domain.reduce(rest)
            exact: NDArray[Any] = domain.matmul(self.inverse, np.ascontiguousarray(rest[self.rows]))
            require(np.array_equal(domain.matmul(self.basis, exact), rest), told)
            return exact
        masks: NDArray[Any] = self.inverse @ rest
        left = np.abs(rest - self.basis @ masks)
        size = np.abs(self.encoder.data) @ np.abs(X) + np.abs(self.basis) @ np.abs(masks)
        terms = self.encoder.data.shape[1] + self.basis.shape[1]
        small = _ROUNDINGS * terms * np.finfo(shares.dtype).eps * size.max()
        if self.encoder.grid is not None:  # half a step each, and what that does to the masks
            small += float(self.encoder.grid.steps.max()) * (1.0 + math.sqrt(len(shares)))
        require(left.max() <= small, f"{told}: {left.max():.2g} is left")
        return masks


def unmasking(domain: AbstractDomain, encoder: Encoder) -> Unmasking:
    """Prepare to get masks out of shares.

    Args:
        domain: a prime field, the reals or the complex numbers.
        encoder: D and M.
    """
    M = encoder.masks
    rows = np.arange(len(M))
    if isinstance(domain, PrimeField):
        basis = np.ascontiguousarray(M[:, list(row_reduce(domain, M)[1])])
        rows = np.array(row_reduce(domain, np.ascontiguousarray(basis.T))[1], dtype=np.intp)
        square = np.ascontiguousarray(basis[rows])
        inverse = solve(domain, square, np.eye(len(rows), dtype=np.int64))
        if inverse is None:  # its rows are independent: this can't be
            raise AssertionError("M has no inverse on independent rows")
    else:
        left, sizes, _ = np.linalg.svd(M, full_matrices=False)
        kept = sizes > _SINGULAR * sizes.max(initial=0.0)
        whole = bool(kept.sum() == M.shape[1])
        basis = M if whole else left[:, kept] * sizes[kept]
        inverse = np.linalg.pinv(basis)
    return Unmasking(domain=domain, encoder=encoder, basis=basis, inverse=inverse, rows=rows)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Draws:
    """The masks of many encodings, one after the other.

    Args:
        masks: ndarray (encodings, r, coordinates): residues, or real numbers of variance 1; a
            complex mask is two of them.
        data: ndarray (fresh, K, coordinates): the blocks of the first encodings, before they were
            scaled; those that follow are of the same blocks, or of zeros, again and again.
        noise: the shares of zeros over the reals, by the operand: encoders, each with its shares,
            ndarray (n, L).
    """

    masks: NDArray[Any]
    data: NDArray[Any]
    noise: tuple[list[tuple[Encoder, NDArray[Any]]], ...]


def shapes(problem: Map | Sum | MatMul) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """The shapes of blocks of 64 coordinates that are tried in turn, one for each operand.

    Args:
        problem: what a scheme computes.
    """
    square = (8, COORDINATES // 8)
    if isinstance(problem, MatMul):
        return (square, square), ((COORDINATES, 1), (1, COORDINATES))
    return ((COORDINATES,),), (square,)


def rows_of(array: NDArray[Any]) -> NDArray[Any]:
    """Every block or share in one row, ndarray (n, L)."""
    return array.reshape(len(array), -1)


def drawn(scheme: AbstractScheme, encodings: int, generator: np.random.Generator) -> Draws:
    """Encode as often as that, and recover the masks.

    Half of the encodings are of fresh data, of different size over the reals; a quarter is of one
    set of data, a quarter of zeros.

    Args:
        scheme: what to draw from.
        encodings: how many.
        generator: where the data come from.

    Raises:
        AssertionError: if shares are not D·blocks + M·masks, or noise lies beside its grid.
    """
    problem, domain = scheme.problem, scheme.domain
    counts, turns = operands(problem), shapes(problem)
    splits = np.cumsum(counts)[:-1]
    masks, data = [], []
    noise: tuple[list[tuple[Encoder, NDArray[Any]]], ...] = tuple([] for _ in counts)
    ready: list[Unmasking | None] = [None] * len(counts)
    for place, (fresh, X) in enumerate(_blocks(domain, sum(counts), encodings, generator)):
        turn = turns[place // _RUN % len(turns)]
        blocks = np.split(X, splits)
        cut = (each.reshape(len(each), *shape) for each, shape in zip(blocks, turn, strict=True))
        encoded = scheme.encode(together(problem, tuple(cut)))
        found = []
        for operand, (encoder, each) in enumerate(zip(encoders(encoded), blocks, strict=True)):
            last = ready[operand]
            if last is None or not _same(encoder, last.encoder):
                ready[operand] = last = unmasking(domain, encoder)
            shares = rows_of(encoder.untiled(domain.from_rest(encoded.parts[operand])))
            found.append(last(shares, each))
            if not domain.exact:
                check_on_grid(encoder, shares)
                if not each.any():
                    noise[operand].append((encoder, shares))
        masks.append(np.concatenate(found))
        if fresh is not None:
            data.append(fresh)
    least = min(len(each) for each in masks)
    return Draws(masks=_real([each[:least] for each in masks]), data=_real(data), noise=noise)


def _blocks(
    domain: AbstractDomain, blocks: int, encodings: int, generator: np.random.Generator
) -> Iterator[tuple[NDArray[Any] | None, NDArray[Any]]]:
    """Data to encode, and what they were made of where they are fresh."""
    same = _normal(domain, (blocks, COORDINATES), generator)
    for place in range(encodings):
        if place < encodings // 2:
            fresh = _normal(domain, same.shape, generator)
            scale = 1 if domain.exact else 2.0 ** (_SCALES * (generator.random() - 0.5))
            yield fresh, domain.validate(fresh * scale, "X")
        else:
            again = place < encodings - encodings // 4
            yield None, same if again else np.zeros_like(same)


def _normal(
    domain: AbstractDomain, shape: tuple[int, ...], generator: np.random.Generator
) -> NDArray[Any]:
    """Uniform residues, or normal numbers of variance 1, complex ones where the domain is."""
    if np.dtype(domain.dtype).kind != "c":
        return numbers(domain, shape, generator)
    return domain.validate(generator.normal(size=(*shape, 2), scale=0.5**0.5) @ (1.0, 1.0j), "X")


def _same(one: Encoder, other: Encoder) -> bool:
    return np.array_equal(one.data, other.data) and np.array_equal(one.masks, other.masks)


def _real(rows: list[NDArray[Any]]) -> NDArray[Any]:
    """Stacked; a complex number as two real ones, its parts times sqrt(2)."""
    stacked = np.stack(rows)
    if not np.iscomplexobj(stacked):
        return stacked
    parts: NDArray[Any] = np.concatenate([stacked.real, stacked.imag], axis=1) * np.sqrt(2.0)
    return parts
