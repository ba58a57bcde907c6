"""`SumCode`: pieces of vectors whose sums give the sum of the vectors, and T pieces give nothing.

A polynomial u of degree below K + T takes the K blocks of a vector at the points 0, .., K - 1; the
piece of party j is u(K + j). The T values that are free are those at the points of the first T
parties: their pieces are uniform, and each is known by a seed. What is left to compute and to send
in full are M - T pieces. Sums of pieces are pieces of the sum: a word of the same code.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import instance, settle
from anyk.codes.exact.reed_solomon import EvaluationCode
from anyk.domains.kernel import modular_matmul
from anyk.domains.points import disjoint_points
from anyk.domains.polynomials import lagrange_matrix
from anyk.domains.prime import PrimeField
from anyk.kept import kept
from anyk.schemes.base import read_only
from anyk.schemes.certainty import Certainty

__all__ = ["SumCode"]


@final
@dataclass(frozen=True, kw_only=True)
class SumCode:
    """A Lagrange code of degree 1, of which the masks are the first T pieces.

    Args:
        blocks: K.
        parties: M, how many pieces there are.
        colluders: T, how many pieces together tell nothing.
        adversaries: A, how many parties may answer wrongly and are named.
        field: the prime field.

    Raises:
        InvalidArgument: if a number is out of range.
        Unachievable: if the field has fewer than K + M elements.

    Guarantee:
        The points of the blocks differ from those of the parties, so any T values u(K + j) and the
        K blocks determine u: T pieces are uniform whatever the blocks are. If e of the sums are
        wrong, of at most A parties, any K + T + A + e of them give the sum and the names of the
        liars.

    References:
        Yu, Li, Raviv, Kalan, Soltanolkotabi, Avestimehr: Lagrange coded computing (AISTATS 2019),
        section 4; Franklin, Yung: Communication complexity of secure computation (STOC 1992), for
        many secrets in one polynomial.

    Example:
        >>> from anyk.aggregation.sum_code import SumCode
        >>> field = anyk.PrimeField(101)
        >>> code = SumCode(blocks=2, parties=4, colluders=1, adversaries=0, field=field)
        >>> masks = np.array([[7]])
        >>> pieces = np.concatenate([masks, code.rest(np.array([[5], [6], [7]]))])
        >>> code.decode(pieces[[0, 2, 3]], [0, 2, 3])[0].tolist()
        [[5], [6]]
    """

    blocks: int
    parties: int
    colluders: int
    adversaries: int
    field: PrimeField

    def __post_init__(self) -> None:
        settle(self, blocks=1, parties=1, colluders=0, adversaries=0)
        instance("field", self.field, PrimeField, change="Pass anyk.PrimeField().")
        _ = _points(self)

    @property
    def points(self) -> NDArray[np.int64]:
        """Of the parties, (M,)."""
        return _points(self)[1]

    @cached_property
    def certainty(self) -> Certainty:
        """When sums of pieces are certain."""
        return Certainty(dimension=self.blocks + self.colluders, adversaries=self.adversaries)

    @property
    def generator(self) -> NDArray[np.int64]:
        """Pieces of the parties from T on, of blocks and the first T pieces: (M - T, K + T)."""
        return _generator(self)

    def rest(self, whole: NDArray[Any]) -> NDArray[np.uint32]:
        """The pieces that are not drawn.

        Args:
            whole: int64 or uint32 ndarray (K + T, L) of residues: the blocks, then the pieces of
                the first T parties, uniform.

        Returns:
            uint32 ndarray (M - T, L).
        """
        return modular_matmul(self.generator, whole, self.field.modulus, np.uint32)

    def drawn(self, first: NDArray[Any]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
        """Blocks and the other pieces, where the first K + T pieces are drawn.

        Args:
            first: int64 or uint32 ndarray (K + T, L) of residues, uniform.

        Returns:
            The blocks (K, L), uniform, and the pieces of the parties from K + T on.
        """
        both = modular_matmul(_from_drawn(self), first, self.field.modulus, np.uint32)
        return both[: self.blocks], both[self.blocks :]

    def decode(
        self, sums: NDArray[np.int64], parties: Sequence[int]
    ) -> tuple[NDArray[np.int64], tuple[int, ...]]:
        """The blocks of the sum, and who lied.

        Args:
            sums: int64 ndarray (m, L) of residues.
            parties: whose they are, m of them, each once.

        Returns:
            The blocks (K, L), and the parties whose sum is wrong.

        Raises:
            TooManyErrors: if no word of the code is certain.
        """
        points = _points(self)[1][list(parties)]
        dimension = self.certainty.dimension
        code = EvaluationCode(self.field, points, dimension)
        located = code.locate(sums, self.certainty.most(parties))
        liars = self.certainty.liars(parties, located)
        right = [at for at in range(len(parties)) if at not in located.removed][:dimension]
        matrix = lagrange_matrix(self.field, points[right], _points(self)[0])
        return self.field.matmul(matrix, sums[right]), liars


@lru_cache(maxsize=32)
def _points(code: SumCode) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Of the blocks (K,), and of the parties (M,)."""
    return disjoint_points(code.field, code.blocks, code.parties)


@kept
def _generator(code: SumCode) -> NDArray[np.int64]:
    """Of `SumCode.generator`: the same for all clients in a process."""
    blocks, parties = _points(code)
    nodes = np.concatenate([blocks, parties[: code.colluders]])
    return read_only(lagrange_matrix(code.field, nodes, parties[code.colluders :]))


@kept
def _from_drawn(code: SumCode) -> NDArray[np.int64]:
    """Blocks, then pieces of the parties from K + T on, of the first K + T pieces."""
    blocks, parties = _points(code)
    drawn = parties[: code.certainty.dimension]
    others = np.concatenate([blocks, parties[code.certainty.dimension :]])
    return read_only(lagrange_matrix(code.field, drawn, others))
