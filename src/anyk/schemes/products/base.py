"""What all schemes for matrix products have in common: arguments, encoding, what is enough."""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections.abc import Callable, Collection
from dataclasses import KW_ONLY, dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from anyk.checks import indices_of, settle, shown
from anyk.codes.checks.base import AbstractKeys
from anyk.codes.checks.keys import least_lie, product_keys
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.errors import InvalidArgument, Unachievable
from anyk.privacy.noise import settle_noise
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.randomness.masks import uniform_masks
from anyk.schemes.base import AbstractScheme, Encoded, missing_answers
from anyk.schemes.certainty import Certainty
from anyk.schemes.encoder import Encoder
from anyk.schemes.products.check import ProductCheck, Verified, settle_verified
from anyk.schemes.products.code import ProductCode
from anyk.schemes.products.grid import Grid, cut_left, cut_right, factors_of
from anyk.schemes.products.recovery import LinearRecovery, Sizes
from anyk.schemes.recovery import AbstractRecovery
from anyk.schemes.smaller import altered, enough, or_lower
from anyk.schemes.tally import AbstractTally, CountTally
from anyk.spec import Guarantee, MatMul
from anyk.work import AbstractWork, Function, Product

__all__ = ["AbstractProduct", "Can", "Held", "Layout", "code_of"]

_MULTIPLY: Final = (operator.matmul, np.matmul)
_NAMES: Final = ("m", "p", "n")


@final
@dataclass(frozen=True, kw_only=True)
class Can:
    """What a code can do: what it can't is refused.

    Args:
        cuts: which of m, p and n may be more than 1.
        domains: the kinds of arithmetic.
        adversaries: whether liars are told by the other answers, over a field.
        colluders: the kinds of arithmetic in which shares are masked; with one that rounds, the
            scheme has the fields leakage, sigma and data_std.
        pieces: whether a worker may hold several shares.
    """

    cuts: tuple[bool, bool, bool]
    domains: tuple[type[AbstractDomain], ...]
    adversaries: bool = True
    colluders: tuple[type[AbstractDomain], ...] = ()
    pieces: bool = True


@final
@dataclass(frozen=True, eq=False)
class Held:
    """What is known of an A that workers hold.

    Args:
        shape: of A.
        squares: of each of its blocks, the mean squares of the columns, ndarray (blocks, inner);
            None over a field.
        keys: by which products of its shares are checked; None where they are not.
    """

    shape: tuple[int, ...]
    squares: NDArray[np.float64] | None
    keys: AbstractKeys | None = None


@final
@dataclass(frozen=True, eq=False)
class Layout:
    """What a recovery needs to know of two factors.

    Args:
        grid: how they were cut.
        sizes: how large answers are, over the reals; None over a field.
    """

    grid: Grid
    sizes: Sizes | None = None


@dataclass(frozen=True)
class AbstractProduct(AbstractScheme):
    """A scheme for A @ B that is a `ProductCode`: shares of both factors, multiplied by workers.

    A code says what it can (`can`), how many shares are enough (`enough`), and builds its matrices
    (`build`); all else is here.

    Args:
        partition: (m, p, n): A in m x p blocks, B in p x n.
        workers: N.
        domain: the arithmetic of the entries.
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
        self._check_ability()
        self.check_partition()
        if any(kind is not PrimeField for kind in self.can.colluders):
            self._check_noise()
        self._check_workers()

    def _check_ability(self) -> None:
        """Refuse what this code can't do."""
        can, name = self.can, type(self).__name__
        if not isinstance(self.domain, can.domains):
            kinds = " or ".join(f"anyk.{kind.__name__}()" for kind in can.domains)
            raise _refused(name, "domain", repr(self.domain), kinds, f"Pass domain={kinds}.")
        given = self.partition
        bad = [i for i in range(3) if given[i] > 1 and not can.cuts[i]]
        if bad:
            form = ", ".join(
                letter if cut else "1" for letter, cut in zip(_NAMES, can.cuts, strict=True)
            )
            fits = ", ".join(
                str(number if cut else 1) for number, cut in zip(given, can.cuts, strict=True)
            )
            raise _refused(name, "partition", repr(given), f"({form})", f"Pass ({fits}).")
        if self.colluders and not isinstance(self.domain, can.colluders or ()):
            raise _refused(
                name, "colluders", f"{self.colluders} over {self.domain!r}", "0", "Leave it out."
            )
        if self.pieces > 1 and not can.pieces:
            raise _refused(name, "pieces", str(self.pieces), "1", "Leave it out.")
        told = can.adversaries and self.domain.exact
        if (self.adversaries or self.detects) and not (told or self.verified):
            needed = "0, or verified=True: the other answers do not tell who lies"
            raise _refused(
                name, "adversaries", str(self.adversaries), needed, "Pass verified=True too."
            )
        if self.verified and self.detects is not None:
            raise _refused(
                name,
                "detects",
                str(self.detects),
                "None where each answer is checked: every liar is noticed",
                "Leave it out.",
            )

    def _check_noise(self) -> None:
        """Settle how much noise hides the factors, where they are hidden by noise."""
        if self.colluders and not self.domain.exact:
            settle_noise(self)
            return
        own: Any = self
        for name in ("leakage", "sigma"):
            if getattr(own, name) is not None:
                told = "None, as masks over a field hide all" if self.colluders else "None"
                raise InvalidArgument(
                    name, given=shown(getattr(own, name)), needed=told, change="Leave it out."
                )

    def _check_workers(self) -> None:
        threshold, shares, r = self._threshold, self.workers * self.pieces, self.pieces
        field, points = self.domain, shares + self.beside
        if isinstance(field, PrimeField) and points > field.modulus:
            raise Unachievable(
                "domain",
                given=repr(field),
                needed=f"a modulus of at least rN{' and more' * bool(self.beside)} = {points}",
                change="Take a larger prime; 2**31 - 1 is the default.",
            )
        if threshold <= shares:
            return
        words, numbers = self.certainty.excess
        if self.verified:
            words, numbers = f"{'' if r == 1 else 'r'}A", str(r * self.adversaries)
        raise Unachievable(
            "workers",
            given=str(self.workers),
            needed=f"{self.letters} + {words} <= {'N' if r == 1 else 'rN'}, that is "
            f"{self.enough} + {numbers} = {threshold} <= {shares}",
            change=f"Take {self._fewest} workers{self._lower}.",
        )

    @property
    def _fewest(self) -> int:
        """How many workers would be enough; of some codes more workers need fewer answers."""
        most = -(-self._threshold // self.pieces)

        def fits(workers: int) -> bool:
            it = altered(self, "workers", workers)
            return it._threshold <= it.workers * it.pieces  # noqa: SLF001 - a copy of its own

        if not fits(most - 1):
            return most
        return next(workers for workers in range(self.workers, most) if fits(workers))

    @property
    def _lower(self) -> str:
        """What can be lowered instead of taking more workers."""
        least = {"detects": self.adversaries}

        def fits(it: AbstractProduct) -> bool:
            return it._threshold <= it.workers * it.pieces

        return or_lower(enough(self, fits, "adversaries", "detects", "colluders", **least))

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
    def _threshold(self) -> int:
        """How many shares are enough, with A liars among them."""
        spoiled = self.pieces * self.adversaries if self.verified else 0
        return self.certainty.threshold + spoiled

    @property
    def problem(self) -> MatMul:
        """The product of factors so cut."""
        return MatMul(partition=self.partition, batch=self.batch)

    @property
    def guarantee(self) -> Guarantee:
        """What the code promises."""
        exact, shares = self.domain.exact, self.workers * self.pieces
        return Guarantee(
            workers=self.workers,
            threshold=self._threshold,
            least=self.certainty.least,
            stragglers=(shares - self._threshold) // self.pieces,
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
                where n = 1; a batch has them along a first axis.
            source: where masks come from; the operating system's CSPRNG by default.

        Returns:
            Two parts, A~ and B~ of each share. B~ is one and the same array where B is not coded.

        Raises:
            InvalidArgument: if they are no two factors that can be multiplied.
        """
        left, right = factors_of(X)
        return self.encode_right(self.encode_left(left, source=source), right, source=source)

    def encode_left(self, factor: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """Shares of A alone, for products with many B.

        Args:
            factor: A, array-like (rows, inner).
            source: where masks come from.

        Returns:
            One part, A~ of each share.

        Raises:
            InvalidArgument: if it is no matrix.
        """
        blocks = cut_left(self.domain, self.problem, factor)
        part = self._shares(code_of(self).left, blocks, source)
        held = Held(np.shape(factor), self._squares(blocks, 1), self._keys(part, source))
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
            Two parts, A~ and B~.

        Raises:
            InvalidArgument: if A can't be multiplied with it.
        """
        code, held = code_of(self), left.layout
        blocks, grid = cut_right(self.domain, self.problem, factor, held.shape)
        if code.common:
            part = np.broadcast_to(blocks[0], (code.shares, *blocks.shape[1:]))
        else:
            part = self._shares(code.right, blocks, source)
        sizes = None
        if held.squares is not None:
            sizes = Sizes.of(code, held.squares, self._squares(blocks, 2))
        check = None if held.keys is None else ProductCheck(held.keys, part)
        return Encoded(self, (*left.parts, part), Layout(grid, sizes), check)

    def _keys(self, part: NDArray[Any], source: AbstractSource) -> AbstractKeys | None:
        """Secrets by which products of these shares are checked, where they are."""
        if not self.verified:
            return None
        return product_keys(self.domain, part, single=self._single, source=source)

    def _shares(
        self, encoder: Encoder, blocks: NDArray[Any], source: AbstractSource
    ) -> NDArray[Any]:
        """The part of each share, under fresh masks where there are some."""
        if not encoder.masks.shape[1]:
            return encoder.tiled(self.domain.matmul(encoder.data, blocks))
        if not isinstance(self.domain, PrimeField):
            return encoder.tiled(encoder.shares(blocks, source=source))
        masks = uniform_masks(self.domain, (encoder.masks.shape[1], *blocks.shape[1:]), source)
        both = np.concatenate([encoder.data, encoder.masks], axis=1)
        return encoder.tiled(self.domain.matmul(both, np.concatenate([blocks, masks])))

    def _squares(self, blocks: NDArray[Any], axis: int) -> NDArray[np.float64] | None:
        """The mean squares along an axis of each block, over the reals; of a vector, squares."""
        if self.domain.exact:
            return None
        if blocks.ndim <= axis:
            return np.asarray(np.abs(blocks) ** 2)
        parts = (blocks.real, blocks.imag) if blocks.dtype.kind == "c" else (blocks,)
        kept = "bj" if axis == 1 else "bi"
        squares = sum(np.einsum(f"bij,bij->{kept}", part, part) for part in parts)
        return np.asarray(squares / blocks.shape[axis])

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """The product of the two parts.

        Raises:
            InvalidArgument: if the function is not matmul, or there are further arguments.
        """
        if function not in _MULTIPLY or per_worker:
            raise InvalidArgument(
                "function",
                given=shown(function) + " and further arguments" * bool(per_worker),
                needed="numpy.matmul alone, as the workers multiply the two factors",
                change="Pass np.matmul, and the factors as X = (A, B).",
            )
        return Product()

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
            domain=self.domain,
            certainty=self.certainty,
            grid=layout.grid,
            sizes=layout.sizes,
            shares=answered,
            lacking=self._lacking,
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
            raise _refused(
                "embedding", "scheme", repr(self), "one over a prime field", "Leave it out."
            )
        return replace(self, domain=field)


@lru_cache(maxsize=64)
def code_of(scheme: AbstractProduct) -> ProductCode:
    """The matrices of a scheme's code, made once.

    Args:
        scheme: whose.
    """
    return scheme.build()


def _refused(name: str, argument: str, given: str, needed: str, change: str) -> InvalidArgument:
    return InvalidArgument(argument, given=given, needed=f"{needed}, for {name}", change=change)
