"""What all schemes for matrix products have in common: arguments, encoding, what is enough."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection
from dataclasses import KW_ONLY, dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from anyk.checks import indices_of, settle
from anyk.codes.checks.base import AbstractKeys
from anyk.codes.checks.keys import least_lie, product_keys
from anyk.codes.checks.shapes import Left
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import in_doubles
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.randomness.masked import masked
from anyk.schemes.base import AbstractScheme, missing_answers
from anyk.schemes.certainty import Certainty
from anyk.schemes.encoded import Encoded, require_left
from anyk.schemes.encoder import Encoder
from anyk.schemes.precision import as_doubles
from anyk.schemes.products.check import ProductCheck, Verified, settle_verified
from anyk.schemes.products.code import ProductCode
from anyk.schemes.products.grid import (
    cut_left,
    cut_right,
    factors_of,
    require_transpose,
    with_transpose,
)
from anyk.schemes.products.layout import Held, Layout
from anyk.schemes.products.limits import Can, check_ability, check_noise, check_workers, refused
from anyk.schemes.products.multiply import check_stack, product_work
from anyk.schemes.products.precision import require_precision
from anyk.schemes.products.recovery import LinearRecovery
from anyk.schemes.products.sizes import Sizes, column_sizes, row_sizes
from anyk.schemes.products.sparse_rows import is_sparse, rows_of_shares, sparse_shares
from anyk.schemes.recovery import AbstractRecovery
from anyk.schemes.tally import AbstractTally, CountTally
from anyk.spec import Guarantee, MatMul
from anyk.work import AbstractWork, Function

__all__ = ["AbstractProduct", "code_of"]

_PARTS = 12  # in which shares of tiles are made


@dataclass(frozen=True)
class AbstractProduct(AbstractScheme):
    """A scheme for A @ B that is a `ProductCode`: shares of both factors, multiplied by workers.

    A code says what it can (`can`), how many shares are enough (`enough`), and builds its matrices
    (`build`); all else is here.

    Args:
        partition: (m, p, n): A in m x p blocks, B in p x n.
        workers: N.
        domain: the arithmetic of the entries. In single precision, `Reals(dtype=np.float32)`, half
            the bytes travel; the decoder amplifies its rounding, and the error estimate says so.
        adversaries: A, how many workers may answer wrongly.
        colluders: T, how many workers may put their shares together and learn nothing of A and B.
        pieces: r, how many shares a worker holds, each r times smaller than it would else be.
        verified: whether each answer is checked when it comes, so that a liar costs one worker
            instead of two; "single" where honest workers may compute in single precision.
        detects: D, how many workers may answer wrongly without a wrong value; A where it is None.
    """

    partition: tuple[int, int, int]
    workers: int
    domain: AbstractDomain = PrimeField()
    adversaries: int = 0
    colluders: int = 0
    pieces: int = 1
    verified: Verified = False
    _: KW_ONLY
    detects: int | None = None

    can: ClassVar[Can]
    gram: ClassVar[bool] = False

    @property
    @abstractmethod
    def enough(self) -> int:
        """How many shares determine the product, whichever they are."""

    @property
    @abstractmethod
    def letters(self) -> str:
        """The same as a formula, for errors: "mn"."""

    @abstractmethod
    def build(self) -> ProductCode:
        """The matrices of the code; called once."""

    @property
    def field(self) -> PrimeField:
        """The domain, where that is known to be a prime field."""
        if not isinstance(self.domain, PrimeField):
            raise TypeError(f"{self.domain!r} is no prime field")
        return self.domain

    @property
    def batch(self) -> int:
        """How many products are computed at once."""
        return 1

    @property
    def beside(self) -> int:
        """How many points of a field are taken beside those of the shares."""
        return 0

    def check_partition(self) -> None:
        """Refuse numbers of blocks that this code has no matrices for, beyond `can.cuts`.

        Raises:
            InvalidArgument: if it has none.
        """

    def __post_init__(self) -> None:
        settle(self, optional="detects", workers=1, adversaries=0, pieces=1, detects=0, colluders=0)
        object.__setattr__(self, "partition", MatMul(partition=self.partition).partition)
        settle_verified(self)
        check_ability(self)
        self.check_partition()
        if any(kind is not PrimeField for kind in self.can.colluders):
            check_noise(self)
        check_workers(self)
        if self.colluders and not self.domain.exact:
            own: Any = self
            inner = self.partition[1]
            require_precision(code_of(self), inner=inner, tolerance=own.tolerance)

    @property
    def certainty(self) -> Certainty:
        """When answers are certain that are not checked one by one."""
        return Certainty(
            dimension=self.enough,
            adversaries=0 if self.verified else self.adversaries,
            detects=None if self.verified else self.detects,
            pieces=self.pieces,
        )

    @property
    def with_liars(self) -> int:
        """How many shares are enough, with A liars among them."""
        spoiled = self.pieces * self.adversaries if self.verified else 0
        return self.certainty.threshold + spoiled

    @property
    def problem(self) -> MatMul:
        """The product of factors so cut."""
        return MatMul(partition=self.partition, batch=self.batch, gram=self.gram)

    @property
    def guarantee(self) -> Guarantee:
        """What the code promises."""
        exact, shares = self.domain.exact, self.workers * self.pieces
        return Guarantee(
            workers=self.workers,
            threshold=self.with_liars,
            least=self.certainty.least,
            stragglers=(shares - self.with_liars) // self.pieces,
            adversaries=self.adversaries,
            colluders=self.colluders,
            exact=exact,
            leakage=self._leakage,
            data_std=code_of(self).data_std if self.colluders and not exact else None,
            load=float(self.pieces),
            pieces=self.pieces,
            smallest_lie=self._smallest_lie,
        )

    @property
    def _single(self) -> bool:
        """Whether honest workers may compute in single precision."""
        return isinstance(self.verified, str)

    @property
    def _smallest_lie(self) -> float | None:
        """As the guarantee states it."""
        return least_lie(self.domain, single=self._single) if self.verified else None

    @property
    def _leakage(self) -> float | None:
        """Bits a coordinate that T workers learn of a factor."""
        if not self.colluders:
            return None
        return 0.0 if self.domain.exact else code_of(self).leakage

    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """Shares of both factors.

        Args:
            X: (A, B), array-likes (rows, inner) and (inner, columns); B may be a vector (inner,)
                where n = 1; a batch has them along a first axis. A alone for A @ A.T.
            source: where masks come from; the operating system's CSPRNG by default.

        Returns:
            Two parts, A~ and B~ of each share. B~ is one and the same array where B is not coded.

        Raises:
            InvalidArgument: if they are no two factors that can be multiplied.
        """
        left, right = with_transpose(self.domain, X) if self.gram else factors_of(X)
        return self.encode_right(self.encode_left(left, source=source), right, source=source)

    def encode_left(self, factor: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """Shares of A alone, for products with many B.

        Args:
            factor: A, array-like (rows, inner), of scipy.sparse where shares may be sparse; or a
                stack of matrices along a first axis, of which each share has a part of all.
            source: where masks come from.

        Returns:
            One part, A~ of each share; three of a sparse one.

        Raises:
            InvalidArgument: if it is no matrix.
        """
        if self.can.sparse and is_sparse(factor):
            return self._sparse(factor, source)
        return self._alone(factor, source)

    def _sparse(self, factor: Any, source: AbstractSource) -> Encoded:
        """Shares of a sparse A that stay sparse."""
        parts, sizes = sparse_shares(self.domain, code_of(self).left.data, factor)
        shape = np.shape(factor)
        keys = self._keys(rows_of_shares(parts, shape[1]), source) if self.verified else None
        return Encoded(self, parts, Held(shape, sizes, keys), alone=True)

    def _alone(self, factor: Any, source: AbstractSource) -> Encoded:
        code, blocks = code_of(self), cut_left(self.domain, self.problem, factor)
        alone = self.verified or code.tiles != (1, 1, 1)
        check_stack(type(self).__name__, blocks, alone=bool(alone))
        part = self._shares(code.left, blocks, source)
        held = Held(
            np.shape(factor),
            None if self.domain.exact else column_sizes(as_doubles(blocks)),
            self._keys(part, source),
            np.array(self.domain.at_rest(np.asarray(factor))).T if self.gram else None,
        )
        return Encoded(self, (part,), held, alone=True)

    def encode_right(
        self, left: Encoded, factor: Any, *, source: AbstractSource = SystemSource()
    ) -> Encoded:
        """Shares of B, beside those of an A.

        Args:
            left: what `encode_left` made of A.
            factor: B, array-like (inner, columns), or (inner,) where n = 1.
            source: where masks come from.

        Returns:
            B~ behind the parts of A~.

        Raises:
            InvalidArgument: if A can't be multiplied with it.
        """
        require_left(self, left)
        code, held = code_of(self), left.layout
        if held.turned is not None:
            require_transpose(factor, held.turned)
        blocks, grid = cut_right(self.domain, self.problem, factor, held.shape)
        if code.common:
            own = blocks[0].copy()  # and not the caller's
            part = np.broadcast_to(own, (code.shares, *blocks.shape[1:]))
        else:
            part = self._shares(code.right, blocks, source)
        sizes = None
        if held.columns is not None:
            sizes = Sizes.of(code, held.columns, row_sizes(as_doubles(blocks)))
        check = None if held.keys is None else ProductCheck(held.keys, part)
        return Encoded(self, (*left.parts, part), Layout(grid, sizes), check)

    def _keys(self, part: Left, source: AbstractSource) -> AbstractKeys | None:
        """Secrets by which products of these shares are checked, where they are."""
        if not self.verified:
            return None
        return product_keys(self.domain, part, single=self._single, source=source)

    def _shares(
        self, encoder: Encoder, blocks: NDArray[Any], source: AbstractSource
    ) -> NDArray[Any]:
        """The part of each share, under fresh masks where there are some."""
        if encoder.masks.shape[1] or encoder.tiles[1] == 1:
            return encoder.tiled(self._rows(encoder, blocks, source))
        (high, wide), (height, width) = encoder.tiles, blocks.shape[1:]
        count = len(encoder.data) // (high * wide)
        dtype = self.domain.rest if isinstance(self.domain, PrimeField) else self.domain.dtype
        shares = np.empty((count, high * height, wide * width), dtype)
        step = -(-count // _PARTS)
        for start in range(0, count, step):  # few at a time: tiles are put together in new memory
            few = encoder.rows(np.arange(start, min(start + step, count)))
            shares[start : start + step] = few.tiled(self._rows(few, blocks, source))
        return shares

    def _rows(self, encoder: Encoder, blocks: NDArray[Any], source: AbstractSource) -> NDArray[Any]:
        """The blocks of all shares, one after the other."""
        if isinstance(self.domain, PrimeField):
            both = np.concatenate([encoder.data, encoder.masks], axis=1)
            return masked(self.domain, both, blocks, source)
        if not encoder.masks.shape[1]:
            return self.domain.matmul(encoder.data, blocks)
        return encoder.shares(blocks, source=source)

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """The product of the two parts.

        Raises:
            InvalidArgument: if the function is not matmul, or there are further arguments.
        """
        return product_work(function, per_worker, sparse=self.can.sparse)

    def shape_of_answers(self, layout: Layout) -> tuple[int, ...]:
        """Of as many blocks of the product as a share has."""
        code, (*stack, height), columns = code_of(self), layout.grid.answer, layout.grid.columns
        if columns is None:
            return *stack, height * code.left.tiles[0]
        *stack, high = stack
        return *stack, high * code.left.tiles[0], height * code.right.tiles[1]

    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether there are as many as determine the product, beyond those that D workers gave."""
        return self.certainty.margin(set(indices_of("answered", answered))) >= 0

    def tally(self, layout: Any) -> AbstractTally:  # noqa: ARG002
        """The same, told one by one."""
        return CountTally(self.enough) if self.verified else self.certainty.tally

    def encoder(self, layout: Any, operand: int = 0) -> Encoder:  # noqa: ARG002
        """D and M of either factor."""
        code = code_of(self)
        return code.right if operand else code.left

    def recovery(self, layout: Layout, answered: tuple[int, ...]) -> AbstractRecovery:
        """The blocks of the product from these answers, by linear algebra.

        Raises:
            NotEnoughAnswers: if they are not sufficient.
        """
        if not self.sufficient(answered):
            raise missing_answers(self, answered, self.certainty.needed)
        return LinearRecovery(
            code=code_of(self),
            domain=in_doubles(self.domain),
            answers=self.domain,
            certainty=self.certainty,
            grid=layout.grid,
            sizes=layout.sizes,
            shares=answered,
            lacking=self._lacking,
            answer=self.shape_of_answers(layout),
            single=self._single or in_doubles(self.domain) != self.domain,
        )

    @property
    def _lacking(self) -> Callable[[tuple[int, ...]], Exception]:
        """The error of answers that are many enough, and still do not determine the product."""
        needed = f"{self.certainty.needed} that tell different things of it"
        return lambda answered: missing_answers(self, answered, needed)

    def over(self, field: PrimeField) -> AbstractScheme:
        """The same code over another prime field.

        Raises:
            InvalidArgument: if it is over the reals or complex numbers.
        """
        if not isinstance(self.domain, PrimeField):
            raise refused(
                "embedding", "scheme", repr(self), "one over a prime field", "Leave it out."
            )
        return replace(self, domain=field)


@lru_cache(maxsize=64)
def code_of(scheme: AbstractProduct) -> ProductCode:
    """The matrices of a scheme's code, made once.

    Args:
        scheme: whose.
    """
    wide = in_doubles(scheme.domain)
    return (scheme if wide == scheme.domain else replace(scheme, domain=wide)).build()
