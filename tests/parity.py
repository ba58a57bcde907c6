"""A scheme that is not built in: what one file and one row bring, for `test_catalogue.py`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np

from anyk.answers import Recovered
from anyk.checks import settle
from anyk.codes.exact.linear import solve
from anyk.domains.prime import PrimeField
from anyk.errors import TooManyErrors
from anyk.randomness.entropy import SystemSource
from anyk.schemes.base import (
    AbstractRecovery,
    AbstractScheme,
    Encoded,
    Encoder,
    blocks_of,
    missing_answers,
    rows_of,
)
from anyk.schemes.row import SchemeRow, SchemeWords, failing, none_of
from anyk.spec import Guarantee, Map


@final
@dataclass(frozen=True)
class Parity(AbstractScheme):
    """A parity check: a worker a block, and one more that makes up for any one of them.

    The last share is K X_1 - X_2 - .. - X_K, whose coefficients add up to 1, so that a function
    a x + b of it is the same combination of those of the blocks.
    """

    blocks: int
    field: PrimeField = PrimeField()

    def __post_init__(self):
        settle(self, blocks=1)

    @property
    def problem(self):
        return Map(blocks=self.blocks, degree=1)

    @property
    def domain(self):
        return self.field

    @property
    def guarantee(self):
        return Guarantee(
            workers=self.blocks + 1,
            threshold=self.blocks,
            stragglers=1,
            adversaries=0,
            colluders=0,
            exact=True,
            leakage=0.0,
            load=1.0,
        )

    def encode(self, X, *, source=SystemSource()):  # noqa: ARG002 - no masks
        data = blocks_of(X, self.blocks, self.field)
        return Encoded(self, (self.field.matmul(self.matrix, data),), None)

    def sufficient(self, answered):
        return len(set(answered)) >= self.blocks

    def encoder(self, layout, operand=0):  # noqa: ARG002 - the same for all data
        masks = np.zeros((self.blocks + 1, 0), dtype=np.int64)
        return Encoder(data=self.matrix, masks=masks)

    def recovery(self, layout, answered):  # noqa: ARG002 - the same for all data
        if not self.sufficient(answered):
            raise missing_answers(self, answered, f"{self.blocks} answers")
        return ParityRecovery(self, answered)

    @property
    def matrix(self):
        check = np.full((1, self.blocks), -1, dtype=np.int64)
        check[0, 0] = max(1, self.blocks)
        return self.field.reduce(np.concatenate([np.eye(self.blocks, dtype=np.int64), check]))


@final
@dataclass(frozen=True)
class ParityRecovery(AbstractRecovery):
    scheme: Parity
    answered_by: tuple[int, ...]

    @property
    def answered(self):
        return self.answered_by

    @cached_property
    def matrix(self):
        blocks = self.scheme.blocks
        rows = self.scheme.matrix[list(self.answered_by[:blocks])]
        matrix = np.zeros((blocks, len(self.answered_by)), dtype=np.int64)
        matrix[:, :blocks] = solve(self.scheme.field, rows, np.eye(blocks, dtype=np.int64))
        return matrix

    def recover(self, values):
        scheme, field = self.scheme, self.scheme.field
        rows = rows_of(values, self.answered_by, field)
        value = field.matmul(self.matrix, rows)
        if (field.matmul(scheme.matrix[list(self.answered_by)], value) != rows).any():
            raise TooManyErrors(answered=self.answered_by, adversaries=0)
        return Recovered(value=value)


def _sized(problem, threat, field):
    none_of(threat, "adversaries", "colluders")
    if problem.degree != 1:
        raise failing(f"d = 1, that is {problem.degree} = 1")
    if problem.blocks >= threat.workers:
        raise failing(f"K + 1 <= N, that is {problem.blocks + 1} <= {threat.workers}")
    return Parity(problem.blocks, field)


def _examples():
    return Parity(1), Parity(2), Parity(5, PrimeField(101))


ROW = SchemeRow(
    name="Parity",
    scheme=Parity,
    solves=Map,
    size=_sized,
    examples=_examples,
    words=SchemeWords(
        call="Parity(blocks=K)",
        computes="polynomials of degree 1",
        late="any K of K + 1 answers are enough",
        wrong="no",
        curious="no",
        value="exact, over a prime field",
    ),
)
