"""What to compute (`Map`, `Sum`, `MatMul`), what to survive (`Threat`), what is promised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from anyk.checks import MOST, count, flag, positive, settle, shown
from anyk.errors import InvalidArgument
from anyk.wording import numbered

if TYPE_CHECKING:
    from anyk.leak import Leak

__all__ = [
    "Guarantee",
    "Map",
    "MatMul",
    "Sum",
    "Threat",
]

_SAY = 100  # numbers in a block, where none is at hand


@final
@dataclass(frozen=True, kw_only=True)
class Map:
    """The problem f(X_1), .., f(X_K): one function on each of K blocks.

    Args:
        blocks: K, the number of blocks.
        degree: total degree of f where f is a polynomial; None for any function.

    Raises:
        InvalidArgument: if a number is out of range.

    Example:
        >>> anyk.Map(blocks=3, degree=2)
        Map(blocks=3, degree=2)
    """

    blocks: int
    degree: int | None = None

    def __post_init__(self) -> None:
        settle(self, optional="degree", blocks=1, degree=1)


@final
@dataclass(frozen=True, kw_only=True)
class Sum:
    """The problem g(X_1) + .. + g(X_K): one function summed over K blocks.

    Args:
        blocks: K, the number of blocks.
        degree: total degree of g where g is a polynomial; None for any function.

    Raises:
        InvalidArgument: if a number is out of range.

    Example:
        >>> anyk.Sum(blocks=3, degree=2)
        Sum(blocks=3, degree=2)
    """

    blocks: int
    degree: int | None = None

    def __post_init__(self) -> None:
        settle(self, optional="degree", blocks=1, degree=1)


@final
@dataclass(frozen=True, kw_only=True)
class MatMul:
    """The problem A @ B, with A cut in m x p blocks and B in p x n blocks; or a batch of these.

    Args:
        partition: (m, p, n).
        batch: how many products, each of factors of its own along the first axis.
        gram: whether B is the transpose of A, which alone is given: A @ A.T.

    Raises:
        InvalidArgument: if a number is no positive integer, or A @ A.T is asked for with n other
            than m, or in a batch.

    Example:
        >>> anyk.MatMul(partition=(2, 1, 2))
        MatMul(partition=(2, 1, 2), batch=1, gram=False)
    """

    partition: tuple[int, int, int]
    batch: int = 1
    gram: bool = False

    def __post_init__(self) -> None:
        given: Any = self.partition
        if not isinstance(given, (tuple, list)) or len(given) != 3:  # noqa: PLR2004 - m, p, n
            raise InvalidArgument(
                "partition",
                given=shown(given),
                needed="three numbers (m, p, n)",
                change="Cut A in m x p blocks and B in p x n.",
            )
        sizes = tuple(count("partition", number, least=1, most=MOST) for number in given)
        object.__setattr__(self, "partition", sizes)
        settle(self, batch=1)
        object.__setattr__(self, "gram", flag("gram", self.gram))
        if self.gram and (sizes[0] != sizes[2] or self.batch > 1):
            raise InvalidArgument(
                "partition",
                given=f"{sizes} with batch={self.batch}",
                needed="(m, p, m) and one product, as the second factor is A.T",
                change=f"Pass {(*sizes[:2], sizes[0])}, and no batch.",
            )

    @property
    def given(self) -> int:
        """How many matrices are given: A and B, or A alone."""
        return 1 if self.gram else 2


@final
@dataclass(frozen=True, kw_only=True)
class Threat:
    """What a computation must survive.

    Args:
        workers: N, how many there are.
        stragglers: S, how many may be late, dead or failing.
        adversaries: A, how many may answer wrongly.
        colluders: T, how many may put together what they were sent.
        leakage: bits a coordinate that these may learn; None for nothing at all, which exact
            schemes alone can promise.

    Raises:
        InvalidArgument: if a number is negative or more than `workers`, or a leakage is not
            positive, or given without colluders.

    Example:
        >>> anyk.Threat(workers=12, stragglers=2, adversaries=1)
        Threat(workers=12, stragglers=2, adversaries=1, colluders=0, leakage=None)
    """

    workers: int
    stragglers: int = 0
    adversaries: int = 0
    colluders: int = 0
    leakage: float | None = None

    def __post_init__(self) -> None:
        settle(self, workers=1, stragglers=0, adversaries=0, colluders=0)
        for name in ("stragglers", "adversaries", "colluders"):
            number = getattr(self, name)
            if number > self.workers:
                raise InvalidArgument(
                    name,
                    given=str(number),
                    needed=f"at most workers = {self.workers}",
                    change="Lower it, or add workers.",
                )
        if self.leakage is None:
            return
        bits = positive("leakage", self.leakage, change="Pass bits a coordinate, such as 0.5.")
        object.__setattr__(self, "leakage", bits)
        if not self.colluders:
            raise InvalidArgument(
                "leakage",
                given=f"{bits!r} with colluders=0",
                needed="colluders of at least 1, who learn so much",
                change="Pass colluders=1, or leave leakage out.",
            )


@final
@dataclass(frozen=True, kw_only=True)
class Guarantee:
    """What a scheme promises, in numbers that can be checked.

    Args:
        workers: N, how many workers hold shares.
        threshold: how many answers are enough, whoever they come from, up to `adversaries`
            workers' of them wrong.
        stragglers: S = N - threshold, how many workers may be missing. With r pieces at least
            (N r - threshold) // r: the answers of S workers may be spared where as many of any
            workers may not. An answer that can't be used, as it is a failure or has a shape that
            most answers do not have, is missing too, whoever sent it.
        adversaries: A, how many of the answers may be wrong; the liars are `named`. k workers that
            answer in the same wrong shape are k colluding liars: up to A of them are set aside, at
            a straggler each; where more are the most, theirs is taken for the right shape.
        colluders: T, how many workers the privacy promise covers.
        exact: whether the value is exact; otherwise it comes with an error estimate.
        leakage: what any `colluders` workers learn together, in field symbols (exact schemes) or
            bits (real ones) a coordinate of the data; None where nothing is promised.
        load: size of what one worker holds, in blocks.
        data_std: standard deviation of the data's coordinates for which `leakage` is stated; None
            where it does not depend on it.
        pieces: r, how many shares a worker holds, and answers one after the other.
        least: how many answers are waited for if nobody lies; each lie among them costs one more,
            up to `threshold`, which is meant by None.
        reactive: whether liars are named by asking others what two contradict each other about: the
            answers of `threshold` workers on their own shares notice them.
        named: whether all liars are named; otherwise those alone of whom there is a proof.
        beyond: what the worst T + 1, T + 2, .. workers learn, in the unit of `leakage`, as far as
            it is stated; infinite where they see all of it.
        smallest_lie: from which size on a lie is found when it comes, by a check of its own, but
            for a chance of 1e-9: of a column of an answer, relative to what that is if nothing in
            it cancels, for a left factor of 1,000 x 1,000 in each share. 0.0 where any is found, as
            over a field, but for a chance of 2**-61; None where answers are not checked.

    Raises:
        InvalidArgument: if the numbers contradict each other.

    Example:
        >>> anyk.Lagrange(blocks=3, degree=2, workers=12, adversaries=1, colluders=1).guarantee
        Guarantee(workers=12, threshold=9, stragglers=3, adversaries=1, colluders=1, exact=True,
                  leakage=0.0, load=1.0, data_std=None, pieces=1, least=8, named=True, beyond=(),
                  smallest_lie=None, reactive=False)
    """

    workers: int
    threshold: int
    stragglers: int
    adversaries: int
    colluders: int
    exact: bool
    leakage: float | None
    load: float
    data_std: float | None = None
    pieces: int = 1
    least: int | None = None
    named: bool = True
    beyond: tuple[float, ...] = ()
    smallest_lie: float | None = None
    reactive: bool = False

    def __post_init__(self) -> None:
        settle(self, optional="least", pieces=1, least=0)
        object.__setattr__(self, "beyond", tuple(map(float, self.beyond)))
        curve = (self.leakage or 0.0, *self.beyond)
        if self.beyond and (self.leakage is None or list(curve) != sorted(curve)):
            raise InvalidArgument(
                "beyond",
                given=shown(self.beyond),
                needed=f"numbers that rise from leakage = {self.leakage}",
                change="State what T + 1, T + 2, .. workers learn, in that order.",
            )
        if self.least is not None and self.least > self.threshold:
            raise InvalidArgument(
                "least",
                given=str(self.least),
                needed=f"at most threshold = {self.threshold}",
                change="State what is waited for if nobody lies.",
            )
        answers = self.workers * self.pieces
        least = (answers - self.threshold) // self.pieces
        most = least if self.pieces == 1 else max(least, self.workers - 1)
        if not least <= self.stragglers <= most:
            raise InvalidArgument(
                "stragglers",
                given=str(self.stragglers),
                needed=f"{'' if least == most else 'at least '}(answers - threshold) // pieces = "
                f"({answers} - {self.threshold}) // {self.pieces}",
                change="State the same promise both ways.",
            )

    @property
    def waited_for(self) -> int:
        """How many answers are waited for if nobody lies: `least`, or the threshold.

        Example:
            >>> anyk.Lagrange(blocks=3, degree=2, workers=12, adversaries=1).guarantee.waited_for
            6
        """
        return self.threshold if self.least is None else self.least

    def leak(self, numbers: int) -> Leak | None:
        """What any T workers learn of a whole block: total bits, epsilon, and what these allow.

        Args:
            numbers: how many a block has.

        Returns:
            The leak; None where there are no `colluders`, or nothing is promised about them.

        Raises:
            InvalidArgument: if `numbers` is no count.

        Example:
            >>> promise = anyk.AnalogLagrange(
            ...     blocks=2, degree=2, workers=6, colluders=1, leakage=0.01
            ... ).guarantee
            >>> print(promise.leak(28 * 28))
            a worker learns at most 0.01 bits a coordinate: 7.84 bits of a block of 784 numbers,
            enough to tell which of 229 blocks it is; epsilon 32.5 at delta 1e-06 between
            two blocks
        """
        size = count("numbers", numbers, least=1)
        if self.leakage is None or not self.colluders:
            return None
        from anyk.leak import Leak  # noqa: PLC0415 - where there are colluders alone

        known = self.exact and self.leakage > 0.0  # a symbol of a field, wholly
        bits = math.inf if known else self.leakage
        return Leak(colluders=self.colluders, bits=bits, numbers=size, data_std=self.data_std)

    def __str__(self) -> str:
        """The promise in a few lines that a person reads; what is learned, for blocks of 100."""
        answers = f"{self.workers * self.pieces} {'answers' if self.pieces == 1 else 'pieces'}"
        few = self.waited_for
        lies = f"; {few}, if nobody lies" if 0 < few < self.threshold else ""
        value = "exact" if self.exact else "approximate, with an error estimate"
        lines = [f"any {self.threshold} of {answers} are enough{lies}; the value is {value}"]
        if self.adversaries:
            named = "the liars are named" if self.named else "liars are named if there is a proof"
            asked = ", by asking others for what they contradict" if self.reactive else ""
            lines.append(f"{numbered(self.adversaries, 'worker')} may lie: {named}{asked}")
        if self.smallest_lie is not None:
            size = (
                f"a lie above {self.smallest_lie:.0e} of a column" if self.smallest_lie else "a lie"
            )
            lines.append(f"each answer is checked when it comes: {size} is found")
        leak = self.leak(_SAY)
        if leak is not None:
            lines.append(str(leak))
        more = [
            f"{self.colluders + place}: {'all' if math.isinf(bits) else f'{bits:.3g}'}"
            for place, bits in enumerate(self.beyond, start=1)
        ]
        if more:
            unit = "symbols" if self.exact else "bits"
            lines.append(f"more workers, in {unit} a coordinate: {', '.join(more)}")
        return "\n".join(lines)
