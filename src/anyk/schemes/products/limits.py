"""What a scheme for products can be made for, and what is refused: the arguments of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, final

from anyk.checks import positive, shown
from anyk.domains.base import AbstractDomain
from anyk.domains.prime import PrimeField
from anyk.domains.real import in_doubles
from anyk.errors import InvalidArgument, Unachievable
from anyk.privacy.noise import settle_noise
from anyk.schemes.row import failing
from anyk.schemes.smaller import altered, enough, or_lower
from anyk.spec import MatMul

__all__ = ["Can", "check_ability", "check_cuts", "check_noise", "check_workers", "refused"]

_NAMES: Final = ("m", "p", "n")


@final
@dataclass(frozen=True, kw_only=True)
class Can:
    """What a code can do: what it can't is refused.

    Args:
        cuts: which of m, p and n may be more than 1.
        domains: the kinds of arithmetic.
        adversaries: whether liars are told by the other answers.
        colluders: the kinds of arithmetic in which shares are masked; with one that rounds, the
            scheme has the fields leakage, sigma, data_std and tolerance.
        pieces: whether a worker may hold several shares.
        sparse: whether shares of a sparse A are sparse; B is given to every worker as it is.
        single: whether shares may be in single precision.
    """

    cuts: tuple[bool, bool, bool]
    domains: tuple[type[AbstractDomain], ...]
    adversaries: bool = True
    colluders: tuple[type[AbstractDomain], ...] = ()
    pieces: bool = True
    sparse: bool = False
    single: bool = True


def check_ability(scheme: Any) -> None:
    """Refuse what a code can't do.

    Args:
        scheme: an `AbstractProduct`, in its `__post_init__`.
    """
    can, name = scheme.can, type(scheme).__name__
    if not isinstance(scheme.domain, can.domains):
        kinds = " or ".join(f"anyk.{kind.__name__}()" for kind in can.domains)
        raise refused(name, "domain", repr(scheme.domain), kinds, f"Pass domain={kinds}.")
    if in_doubles(scheme.domain) != scheme.domain:
        _check_single(scheme)
    given = scheme.partition
    bad = [i for i in range(3) if given[i] > 1 and not can.cuts[i]]
    if bad:
        fits = ", ".join(
            str(number if cut else 1) for number, cut in zip(given, can.cuts, strict=True)
        )
        raise refused(name, "partition", repr(given), _form(can), f"Pass ({fits}).")
    if scheme.colluders and not isinstance(scheme.domain, can.colluders or ()):
        raise refused(
            name, "colluders", f"{scheme.colluders} over {scheme.domain!r}", "0", "Leave it out."
        )
    if scheme.pieces > 1 and not can.pieces:
        raise refused(name, "pieces", str(scheme.pieces), "1", "Leave it out.")
    if (scheme.adversaries or scheme.detects) and not (can.adversaries or scheme.verified):
        needed = "0, or verified=True: the other answers do not tell who lies"
        raise refused(
            name, "adversaries", str(scheme.adversaries), needed, "Pass verified=True too."
        )
    if scheme.verified and scheme.detects is not None:
        raise refused(
            name,
            "detects",
            str(scheme.detects),
            "None where each answer is checked: every liar is noticed",
            "Leave it out.",
        )


def _check_single(scheme: Any) -> None:
    """Refuse single precision where its rounding is not told from lies, or from noise."""
    name, wide = type(scheme).__name__, in_doubles(scheme.domain)
    if not scheme.can.single:
        needed, change = f"{wide!r}", f"Pass domain=anyk.{wide!r}."
        raise refused(name, "domain", repr(scheme.domain), needed, change)
    for argument in ("verified", "colluders"):
        if getattr(scheme, argument):
            given = f"{getattr(scheme, argument)!r} over {scheme.domain!r}"
            change = f"Leave it out, or pass domain=anyk.{wide!r}."
            raise refused(name, argument, given, f"none in single precision: {wide!r}", change)


def check_cuts(can: Can, problem: MatMul) -> None:
    """Refuse a problem that is cut where a code does not cut, for the row of its scheme.

    Args:
        can: of the code.
        problem: how the factors are cut.

    Raises:
        Unachievable: if it is.
    """
    if any(number > 1 and not cut for number, cut in zip(problem.partition, can.cuts, strict=True)):
        raise failing(f"a partition {_form(can)}, and not {problem.partition}")


def _form(can: Can) -> str:
    """The partitions of a code: "(m, 1, n)"."""
    letters = (name if cut else "1" for name, cut in zip(_NAMES, can.cuts, strict=True))
    return f"({', '.join(letters)})"


def check_noise(scheme: Any) -> None:
    """Settle how much noise hides the factors, where they are hidden by noise.

    Args:
        scheme: an `AbstractProduct` with noise, in its `__post_init__`.
    """
    for name in ("data_std", "tolerance"):
        number = positive(name, getattr(scheme, name), change="Pass a positive number.")
        object.__setattr__(scheme, name, number)
    if scheme.colluders and not scheme.domain.exact:
        settle_noise(scheme)
        return
    for name in ("leakage", "sigma"):
        if getattr(scheme, name) is not None:
            told = "None, as masks over a field hide all" if scheme.colluders else "None"
            raise InvalidArgument(
                name, given=shown(getattr(scheme, name)), needed=told, change="Leave it out."
            )


def check_workers(scheme: Any) -> None:
    """Refuse a scheme that needs more shares than there are, or more points than its field has.

    Args:
        scheme: an `AbstractProduct`, in its `__post_init__`.
    """
    threshold, shares, r = scheme.with_liars, scheme.workers * scheme.pieces, scheme.pieces
    field, points = scheme.domain, shares + scheme.beside
    if isinstance(field, PrimeField) and points > field.modulus:
        raise Unachievable(
            "domain",
            given=repr(field),
            needed=f"a modulus of at least rN{' and more' * bool(scheme.beside)} = {points}",
            change="Take a larger prime; 2**31 - 1 is the default.",
        )
    if threshold <= shares:
        return
    words, numbers = scheme.certainty.excess
    if scheme.verified:
        words, numbers = f"{'' if r == 1 else 'r'}A", str(r * scheme.adversaries)
    raise Unachievable(
        "workers",
        given=str(scheme.workers),
        needed=f"{scheme.letters} + {words} <= {'N' if r == 1 else 'rN'}, that is "
        f"{scheme.enough} + {numbers} = {threshold} <= {shares}",
        change=f"Take {_fewest(scheme)} workers{_lower(scheme)}.",
    )


def _fewest(scheme: Any) -> int:
    """How many workers would be enough; of some codes more workers need fewer answers."""
    most = int(-(-scheme.with_liars // scheme.pieces))

    def fits(workers: int) -> bool:
        it = altered(scheme, "workers", workers)
        return bool(it.with_liars <= it.workers * it.pieces)

    if not fits(most - 1):
        return most
    return next(workers for workers in range(scheme.workers, most) if fits(workers))


def _lower(scheme: Any) -> str:
    """What can be lowered instead of taking more workers."""
    least = {"detects": scheme.adversaries}

    def fits(it: Any) -> bool:
        return bool(it.with_liars <= it.workers * it.pieces)

    return or_lower(enough(scheme, fits, "adversaries", "detects", "colluders", **least))


def refused(name: str, argument: str, given: str, needed: str, change: str) -> InvalidArgument:
    """The error of something that a code can't do.

    Args:
        name: of the scheme's class.
        argument: that can't be used.
        given: what came.
        needed: what can be.
        change: what to do.
    """
    return InvalidArgument(argument, given=given, needed=f"{needed}, for {name}", change=change)
