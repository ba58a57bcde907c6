"""The seam of coding: a scheme makes shares, says what is enough, and prepares recoveries."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from anyk.checks import shown
from anyk.domains.base import AbstractDomain
from anyk.domains.outside import plain
from anyk.domains.prime import PrimeField
from anyk.domains.rest import unsigned_of
from anyk.errors import InvalidArgument, NotEnoughAnswers
from anyk.randomness.entropy import AbstractSource, SystemSource
from anyk.schemes.encoder import Encoder
from anyk.schemes.recovery import AbstractRecovery, Copies, copies_of, read_only, rows_of
from anyk.schemes.tally import AbstractTally, Replicas, asked
from anyk.spec import Guarantee, Map, MatMul, Sum
from anyk.work import AbstractWork, Function, Plain

if TYPE_CHECKING:
    from anyk.fixed_point.format import FixedPoint
    from anyk.schemes.encoded import Encoded

__all__ = [
    "AbstractRecovery",
    "AbstractScheme",
    "Copies",
    "Encoder",
    "blocks_of",
    "copies_of",
    "missing_answers",
    "read_only",
    "residues_of_blocks",
    "rows_of",
]


class AbstractScheme(ABC):
    """Encoder, what a worker runs, and recovery, with a guarantee.

    A scheme is a frozen dataclass of its parameters: picklable, and its repr rebuilds it.
    What was chosen for one set of data (points, order) is in the `Encoded` it returns.

    Example:
        >>> scheme = anyk.Lagrange(blocks=2, degree=2, workers=4)
        >>> scheme.problem, scheme.domain, scheme.sufficient({0, 2, 3})
        (Map(blocks=2, degree=2), PrimeField(2147483647), True)
    """

    __slots__ = ()

    @property
    @abstractmethod
    def problem(self) -> Map | Sum | MatMul:
        """What this scheme computes."""

    @property
    @abstractmethod
    def domain(self) -> AbstractDomain:
        """Where its arithmetic lives."""

    @property
    @abstractmethod
    def guarantee(self) -> Guarantee:
        """What it promises."""

    @abstractmethod
    def encode(self, X: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """The shares: as many a worker as it has pieces.

        Args:
            X: array-like (K, *shape), the blocks along the first axis; (A, B) for a product.
            source: where masks come from; the operating system's CSPRNG unless a test says
                otherwise.

        Returns:
            The shares (N * pieces, *shape), and what their recovery needs.

        Raises:
            InvalidArgument: if X is not K blocks of this scheme's domain.
        """

    def work(self, function: Function, per_worker: tuple[bool, ...] = ()) -> AbstractWork:
        """What a worker runs on the parts of each share: the function itself, for most schemes.

        Args:
            function: the user's, or its name.
            per_worker: for each of the other arguments, whether it is a share too.

        Raises:
            InvalidArgument: if this scheme has no use for the function.
        """
        del per_worker
        return Plain(function)

    @abstractmethod
    def sufficient(self, answered: Collection[int]) -> bool:
        """Whether the answers on these shares may be enough for the guarantee; more are as well."""

    @abstractmethod
    def encoder(self, layout: Any, operand: int = 0) -> Encoder:
        """The matrices behind the shares of one `Encoded`.

        Args:
            layout: of the `Encoded`.
            operand: which of the two factors, for a product, its blocks counted row by row; 0 for
                all other problems.
        """

    @abstractmethod
    def recovery(self, layout: Any, answered: tuple[int, ...]) -> AbstractRecovery:
        """The decoder for these shares; called by `Encoded.recovery`, which checks them."""

    def recovery_by(
        self,
        layout: Any,
        answered: tuple[int, ...],
        workers: tuple[int, ...],  # noqa: ARG002 - for those that have copies
    ) -> AbstractRecovery:
        """The decoder for shares of which some were answered by others than those that hold them.

        Called where there are `replicas`.

        Args:
            layout: of the `Encoded`.
            answered: the shares.
            workers: who answered each of them.
        """
        return self.recovery(layout, answered)

    def tally(self, layout: Any) -> AbstractTally:  # noqa: ARG002 - for those that draw who holds what
        """`sufficient`, of shares that are told one by one, as answers come.

        By default it asks `sufficient` again after each, which takes the longer the more there are;
        every scheme of anyk has a quicker one.

        Args:
            layout: of the `Encoded`.
        """
        return asked(self.sufficient)

    def replicas(self, layout: Any) -> Replicas | None:  # noqa: ARG002 - for those that have some
        """Which shares other workers may compute too, where they are late or have failed.

        None, the default, where no worker may be sent another one's share: it would learn more, or
        be wrong twice.

        Args:
            layout: of the `Encoded`.
        """
        return None

    def shape_of_answers(self, layout: Any) -> tuple[int, ...] | None:  # noqa: ARG002 - for products
        """The shape of the right answer on any share; None where the function alone knows it.

        Args:
            layout: of the `Encoded`.
        """
        return None

    @property
    def columns(self) -> tuple[int | None, ...] | None:
        """Where the columns of the blocks, their places along axis 1 of X, lie in the shares.

        Where shares of some columns, at the same layout, are these columns of the shares, as by a
        code that combines each number of the blocks with its like alone, data may be encoded slab
        by slab: `encode` for the first columns, then `encode_argument` at the layout that these
        were given. With masks of their own, which are as independent as those of the whole, slabs
        tell colluders what the whole tells, and are counted as one encoding of it.

        Returns:
            By part, the axis of its array along which they lie; None for a part without columns,
            which is the same for each slab. None instead of a tuple, the default, where slabs can't
            be joined: the layout depends on all of the data.

        Example:
            >>> anyk.Lagrange(blocks=2, degree=2, workers=4).columns
            (1,)
            >>> anyk.FilledReplication(blocks=2, workers=4).columns  # sorts blocks by their numbers
        """
        return None

    @property
    def formats(self) -> tuple[FixedPoint, ...]:
        """The fixed-point formats that arguments may have, that of the data first; none here."""
        return ()

    def encode_argument(
        self,
        values: Any,
        embedding: FixedPoint | None = None,
        *,
        layout: Any = None,  # noqa: ARG002 - for those that draw it
        source: AbstractSource = SystemSource(),
    ) -> Encoded:
        """Shares of another argument of the function, at the same points as the data.

        Args:
            values: array-like (K, *shape), a block of the argument for each block of the data.
            embedding: which of the `formats`; the first by default.
            layout: that of the data, which a scheme needs where it draws who holds what.
            source: where masks come from; the operating system's CSPRNG by default.

        Raises:
            InvalidArgument: if the values or the format do not fit.
        """
        if embedding is not None:
            raise InvalidArgument(
                "embedding",
                given=shown(embedding),
                needed="None, as the data were distributed without one",
                change="Pass embedding= to anyk.distribute too.",
            )
        return self.encode(plain(values, "values", "numbers"), source=source)

    def encode_left(self, factor: Any, *, source: AbstractSource = SystemSource()) -> Encoded:
        """Shares of the factor A alone, for products with many B.

        Args:
            factor: A, array-like (rows, inner).
            source: where masks come from; the operating system's CSPRNG by default.

        Raises:
            InvalidArgument: if it is no matrix, or this scheme computes no products.
        """
        del factor, source
        raise _no_factors(self)

    def encode_right(
        self, left: Encoded, factor: Any, *, source: AbstractSource = SystemSource()
    ) -> Encoded:
        """Shares of B, beside those of an A.

        Args:
            left: what `encode_left` made of A.
            factor: B, array-like (inner, columns), or (inner,) for a vector.
            source: where masks come from; the operating system's CSPRNG by default.

        Returns:
            As `encode` makes them of (A, B): the last part is that of B, those before are A's.

        Raises:
            InvalidArgument: if A can't be multiplied with it, or this scheme computes no products.
        """
        del left, factor, source
        raise _no_factors(self)

    def over(self, field: PrimeField) -> AbstractScheme:
        """The same scheme over another prime field.

        Raises:
            InvalidArgument: if this scheme is over no prime field.
        """
        raise InvalidArgument(
            "embedding",
            given=f"one that takes {field!r}, and {self!r}",
            needed="a scheme that can be made over any prime field",
            change="Take anyk.Lagrange, or define over(field) of your scheme.",
        )


def _no_factors(scheme: AbstractScheme) -> InvalidArgument:
    return InvalidArgument(
        "scheme",
        given=repr(scheme),
        needed="a scheme, without an embedding, for products of which one factor stays there",
        change="Take anyk.MDS(.., domain=anyk.Reals()), say, or distribute both factors: (A, B).",
    )


def missing_answers(
    scheme: AbstractScheme, answered: Collection[int], needed: str
) -> NotEnoughAnswers:
    """The error of a recovery that has too few answers.

    Args:
        scheme: whose recovery it is.
        answered: the shares that were answered.
        needed: what would have been enough, in words.
    """
    promise = scheme.guarantee
    if promise.pieces > 1:
        needed += f", of which {len(answered)} came"
    heard = {share // promise.pieces for share in answered}
    return NotEnoughAnswers(
        answered=heard, missing=set(range(promise.workers)) - heard, needed=needed
    )


def residues_of_blocks(X: Any, blocks: int, field: PrimeField) -> NDArray[Any]:
    """The same for the kernel, which takes residues of int64 and of smaller types as they lie.

    Args:
        X: array-like (K, *shape).
        blocks: K.
        field: whose residues they must be.

    Returns:
        ndarray (K, *shape), of int64 or of an unsigned type.

    Raises:
        InvalidArgument: as `blocks_of`.
    """
    small = unsigned_of(X, field.modulus)
    return blocks_of(X, blocks, field) if small is None else _cut(small, blocks)


def blocks_of(X: Any, blocks: int, domain: AbstractDomain) -> NDArray[Any]:
    """Check what `encode` was given: K non-empty blocks of the domain.

    Args:
        X: array-like (K, *shape).
        blocks: K.
        domain: what its values must belong to.

    Returns:
        ndarray (K, *shape) of the domain's dtype.

    Raises:
        InvalidArgument: if the first axis is not K, a block is empty, or a value does not belong.
    """
    return _cut(domain.validate(X, "X"), blocks)


def _cut(array: NDArray[Any], blocks: int) -> NDArray[Any]:
    """The array, if it is K blocks with something in them."""
    if array.ndim == 0 or array.shape[0] != blocks:
        rows = array.shape[0] if array.ndim else 0
        least = rows - rows % blocks  # rows that can be cut in blocks of one size
        cut = (
            f"Cut X to {least} rows or fill it up to {least + blocks}. " if 0 < least < rows else ""
        )
        raise InvalidArgument(
            "X",
            given=f"shape {array.shape}",
            needed=f"{blocks} blocks along the first axis (blocks={blocks})",
            change=f"{cut}Reshape X to ({blocks}, ...), or make the scheme with another blocks=.",
        )
    if array.size == 0:
        raise InvalidArgument(
            "X",
            given=f"shape {array.shape}",
            needed="blocks with at least one number",
            change="Nothing to compute: leave the call out.",
        )
    return array
