"""What all gradient codes have in common: domains, encoding, what a worker runs."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from anyk.codes.analog.gradient import Decoder
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import Reals
from anyk.domains.tensors import domain_for
from anyk.domains.values import Values
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.base import AbstractScheme, Encoder, blocks_of
from anyk.schemes.encoded import Encoded
from anyk.schemes.precision import copies_domain, over
from anyk.schemes.sums.arguments import no_shares
from anyk.schemes.sums.code import GradientCode
from anyk.spec import Sum
from anyk.work import AbstractWork, Function
from anyk.works.combined import Combined, CombinedInKind

__all__ = ["AS_GIVEN", "AbstractGradientCode", "code_of", "gradient_domain"]

AS_GIVEN = Values(finite=True)
"""The domain of a gradient code by default: finite numbers of any type, as they come."""


def gradient_domain(domain: Any) -> AbstractDomain:
    """The domain of a gradient code, if it is one: a prime field, or finite numbers.

    Args:
        domain: as given.

    Raises:
        InvalidArgument: if it is another.

    Example:
        >>> from anyk.schemes.sums.gradient import gradient_domain
        >>> gradient_domain(anyk.Torch())
        Torch(of=Values(finite=True))
    """
    return domain if isinstance(domain, PrimeField) else copies_domain(domain)


class AbstractGradientCode(AbstractScheme):
    """A gradient code: f(X_1) + .. + f(X_K) for any f, from combinations of what workers compute.

    Worker n holds the blocks where row n of B is not 0, computes f of each and answers the one
    combination of them that the row says. If rows B_F of those who answered combine to the row of
    ones, a·B_F = 1, their answers combine to the sum.

    A code is a frozen dataclass with a field `domain` (made by `gradient_domain`); it says what it
    promises and what is sufficient, builds its matrix, and prepares recoveries, most of them a
    `GradientRecovery`. All else is here.
    """

    @property
    @abstractmethod
    def problem(self) -> Sum:
        """A sum of any function over K blocks."""

    @abstractmethod
    def build(self) -> GradientCode:
        """The matrix, over the field of the domain, or in double precision; called once."""

    @property
    def code(self) -> GradientCode:
        """The matrix, made once."""
        return code_of(self)

    @property
    def amplification(self) -> float:
        """By how much errors of answers weigh more in the sum than in a plain one; 1 in a field.

        Where as few answered as a run waits for, and of such sets the worst: of all of them, where
        they are at most 5,000, or else of runs of neighbours that are missing, and of 2,000 sets.
        """
        if self.domain.exact:
            return 1.0
        code = self.code
        around = slice(None) if code.places is None else np.argsort(code.places)
        late = len(code.matrix) - self.guarantee.waited_for
        return Decoder(code.matrix[around], code.dimension).worst(late)[0]

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:  # noqa: ARG002
        """The blocks of each worker, and its coefficients.

        Args:
            X: array-like (K, *shape).
            source: not used; there are no masks.

        Returns:
            Two parts: blocks (N, load, *shape) and coefficients (N, load).

        Raises:
            InvalidArgument: if X is not K blocks of the domain.
        """
        domain = domain_for(self.domain, X)
        blocks = domain.at_rest(blocks_of(X, self.problem.blocks, domain))[self.code.held]
        return Encoded(over(self, domain), (blocks, self.code.weights), None)

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """The combination of what the function makes of a worker's blocks.

        Raises:
            InvalidArgument: if another argument is a share: blocks are combined after f.
        """
        no_shares(per_worker)
        field = isinstance(self.domain, PrimeField)
        return Combined(function) if field else CombinedInKind(function)

    @property
    def columns(self) -> tuple[int, None]:
        """Those of the blocks that a worker holds; its coefficients have none."""
        return 2, None

    def encoder(self, layout: Any, operand: int = 0) -> Encoder:  # noqa: ARG002
        """B, which combines what the function makes of the blocks."""
        matrix = self.code.matrix
        masks = np.zeros((len(matrix), 0), dtype=matrix.dtype)
        return Encoder(data=matrix, masks=masks, of_outputs=True)

    def over(self, field: PrimeField) -> AbstractScheme:
        """The same code over a prime field."""
        scheme: Any = self
        made: AbstractScheme = replace(scheme, domain=field)
        return made


def _coefficients(domain: AbstractDomain) -> AbstractDomain:
    """Where B is computed: in the field, or in double precision, whatever the data are."""
    return domain if isinstance(domain, PrimeField) else Reals()


def code_of(scheme: AbstractGradientCode) -> GradientCode:
    """The matrix of a gradient code, made once for all domains that have the same.

    Args:
        scheme: whose.
    """
    return _built(over(scheme, _coefficients(scheme.domain)))


@lru_cache(maxsize=64)
def _built(scheme: AbstractGradientCode) -> GradientCode:
    return scheme.build()
