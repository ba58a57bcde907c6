"""A scheme of your own: K blocks on K + 1 workers, and any K answers are enough.

Worker n holds block n. The last worker holds a weighted sum of all blocks. For a function of degree
1, its answer is the same weighted sum of the other answers, so a missing answer can be computed
from the rest. The weights sum to 1: then this also holds for f(x) = a x + b.
"""

from dataclasses import dataclass
from typing import final

import numpy as np

import anyk


@final
@dataclass(frozen=True)
class Parity(anyk.AbstractScheme):
    """One spare worker for functions of degree 1, over a prime field."""

    blocks: int
    field: anyk.PrimeField = anyk.PrimeField()

    @property
    def problem(self):
        return anyk.Map(blocks=self.blocks, degree=1)

    @property
    def domain(self):
        return self.field

    @property
    def guarantee(self):
        return anyk.Guarantee(
            workers=self.blocks + 1,
            threshold=self.blocks,
            stragglers=1,
            adversaries=0,
            colluders=0,
            exact=True,
            leakage=None,  # nothing is promised: workers see blocks
            load=1.0,
        )

    def encoder(self, layout, operand=0):
        """D: the blocks as they are, and their weighted sum. There are no masks."""
        weights = np.full(self.blocks, self.field.modulus - 1)
        weights[-1] = self.blocks  # 1 in all, as the others are -1
        data = np.vstack([np.eye(self.blocks, dtype=np.int64), weights])
        return anyk.Encoder(data=data, masks=np.zeros((self.blocks + 1, 0), dtype=np.int64))

    def encode(self, X, *, source=None):
        X = self.field.validate(X, "X")
        if X.shape[:1] != (self.blocks,) or X.size == 0:
            raise anyk.InvalidArgument(
                "X",
                given=f"shape {X.shape}",
                needed=f"{self.blocks} blocks along the first axis",
                change="Reshape X.",
            )
        return anyk.Encoded(self, self.field.matmul(self.encoder(None).data, X), None)

    def sufficient(self, answered):
        return len(set(answered)) >= self.blocks

    def recovery(self, layout, answered):
        if not self.sufficient(answered):
            raise anyk.NotEnoughAnswers(
                answered=answered,
                missing=set(range(self.blocks + 1)) - set(answered),
                needed=f"{self.blocks} answers",
            )
        return ParityRecovery(self, answered)


@final
@dataclass(frozen=True)
class ParityRecovery(anyk.AbstractRecovery):
    """The decoder for one set of workers."""

    scheme: Parity
    workers: tuple[int, ...]

    @property
    def answered(self):
        return self.workers

    @property
    def matrix(self):
        """R: an answer as it is, or the weighted sum solved for the one that is missing."""
        blocks, modulus = self.scheme.blocks, self.scheme.field.modulus
        weights = self.scheme.encoder(None).data[-1]
        matrix = np.zeros((blocks, len(self.answered)), dtype=np.int64)
        for block in range(blocks):
            if block in self.answered:
                matrix[block, self.answered.index(block)] = 1
                continue
            inverse = pow(int(weights[block]), -1, modulus)
            for column, worker in enumerate(self.answered):
                weight = 1 if worker == blocks else -int(weights[worker])
                matrix[block, column] = weight * inverse % modulus
        return matrix

    def recover(self, values):
        field = self.scheme.field
        values = field.validate(values, "values")
        if values.shape[:1] != (len(self.answered),):
            raise anyk.InvalidArgument(
                "values",
                given=f"shape {values.shape}",
                needed=f"{len(self.answered)} rows, one for each answer",
                change="Stack the answers along the first axis.",
            )
        value = field.matmul(self.matrix, values)
        shares = field.matmul(self.scheme.encoder(None).data, value)
        if not np.array_equal(shares[list(self.answered)], values):  # where all have answered
            raise anyk.TooManyErrors(answered=self.answered, adversaries=0)
        return anyk.Recovered(value=value)


def sized(problem, threat, field):
    """The scheme for a problem and a threat, or the inequality that fails."""
    needs = {
        f"d = 1, that is {problem.degree} = 1": problem.degree == 1,
        f"A <= 0, that is {threat.adversaries} <= 0": threat.adversaries == 0,
        f"T <= 0, that is {threat.colluders} <= 0": threat.colluders == 0,
        f"K + 1 <= N, that is {problem.blocks + 1} <= {threat.workers}": (
            problem.blocks < threat.workers
        ),
    }
    for needed, holds in needs.items():
        if not holds:
            raise anyk.Unachievable("threat", given="more", needed=needed, change="Lower it.")
    return Parity(problem.blocks, field)


ROW = anyk.SchemeRow(  # for the planner, the conformance tests and the tables of schemes
    name="Parity",
    scheme=Parity,
    solves=anyk.Map,
    size=sized,
    examples=lambda: (Parity(1), Parity(2), Parity(5, anyk.PrimeField(101))),
    words=anyk.SchemeWords(
        call="Parity(blocks=K)",
        computes="polynomials of degree 1",
        late="any K of K + 1 answers are enough",
        wrong="no",
        curious="no",
        value="exact, over a prime field",
    ),
)

if __name__ == "__main__":
    scheme = Parity(blocks=4)
    anyk.testing.check_scheme(scheme, generator=np.random.default_rng(0))
    with anyk.Threads(5) as executor:
        print(anyk.run(scheme, lambda x: 3 * x + 1, [1, 2, 3, 4], executor).value)
    catalogue = (*anyk.CATALOGUE, ROW)
    problem, threat = anyk.Map(blocks=4, degree=1), anyk.Threat(workers=5, stragglers=1)
    print(anyk.schemes_for(problem, threat, catalogue=catalogue))
