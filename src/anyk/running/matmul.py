"""`matmul`: A @ B by whichever scheme is cheapest of those that survive what is asked."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import numpy as np

from anyk.answers import Outcome
from anyk.checks import choice, count, flag, instance
from anyk.domains.base import AbstractDomain
from anyk.domains.extent import Extent
from anyk.domains.outside import are_tensors
from anyk.domains.prime import PrimeField
from anyk.domains.real import Complex, Reals
from anyk.domains.ring import ResidueRing, further_fields
from anyk.domains.tensors import Torch
from anyk.errors import InvalidArgument, RecoveryError, Unachievable
from anyk.executors.core.base import AbstractExecutor
from anyk.fixed_point.budget import MOST_PRIMES, enough_primes
from anyk.fixed_point.primes import LIARS, prime_sets
from anyk.planning.costs import cuts_of, sends_one
from anyk.planning.products import ProductPlan, Wanted, plan_product
from anyk.running.arguments import OnFailure, check_executor, check_limits
from anyk.running.collection import OnAnswer
from anyk.running.distributed import Distributed
from anyk.running.factors import Factors, factors_of
from anyk.running.machines import machine_of
from anyk.running.run import distribute, run
from anyk.schemes.base import AbstractScheme
from anyk.schemes.products.base import AbstractProduct
from anyk.schemes.products.check import Verified
from anyk.schemes.products.sizes import size_of
from anyk.spec import MatMul, Threat

__all__ = ["matmul", "wanted_of"]

_EXACT: Final = 1 << 53  # integers that float64 tells apart
_LONGEST: Final = 1 << 63  # that int64 does not hold
_PRIMES: Final = 3  # for reals over a field
_BITS: Final = 40  # of an entry, where so many primes leave room


def matmul(
    a: Any,
    b: Any,
    executor: AbstractExecutor,
    *,
    scheme: AbstractScheme | None = None,
    stragglers: int = 0,
    adversaries: int = 0,
    colluders: int = 0,
    pieces: int = 1,
    verified: Verified | None = None,
    deadline: float | None = None,
    tolerance: float | None = None,
    on_failure: OnFailure = "raise",
    on_answer: OnAnswer | None = None,
    progress: bool = True,
) -> Outcome:
    """A @ B on workers of whom some are slow, wrong or curious.

    Scheme and partition are the cheapest of those that survive what is asked; `outcome.plan` says
    which, and why not the others. Integers are computed exactly: the value is int64, or there is an
    error. Floats travel and are computed in double precision, as decoders amplify rounding, and the
    value has numpy's dtype for these factors: float32 of float32, a tensor where one of them is
    one. A `scheme` over `Reals(dtype=np.float32)` sends half the bytes. Floats that colluders may
    learn nothing of are rounded to fixed point first, and `outcome.quantisation_error` bounds what
    that does.

    To multiply one A often, leave it on the workers: `anyk.distribute(scheme, A, executor)` and
    `.matmul(x)`.

    Args:
        a: A, array-like of one axis or more; by numpy's rules, stacks of matrices too. One of
            scipy.sparse stays sparse with a scheme `anyk.Sparse` over the reals.
        b: B, likewise.
        executor: whose workers compute.
        scheme: to use, with its own partition; None to choose one.
        stragglers: S, how many workers may be late, dead or failing, beside those in quarantine.
        adversaries: A, how many may answer wrongly; they are named.
        colluders: T, how many may put together what they were sent, and learn nothing.
        pieces: r, how many shares each worker holds: the work of slow ones counts then.
        verified: whether each answer is checked when it comes, as the schemes have it: True,
            False, or "single" where workers compute in float32; None for what is cheaper.
        deadline: seconds on the executor's clock after which no answer is waited for.
        tolerance: relative error that is allowed.
        on_failure: "raise" an error, or "return" an Outcome with a failing status.
        on_answer: called with every answer and failure as it comes, before it is checked.
        progress: whether to show the workers in a terminal while a run lasts (with rich).

    Returns:
        The outcome, its value A @ B in numpy's shape and dtype, but int64 of all integers.

    Raises:
        InvalidArgument: if the factors can't be multiplied, or an argument is out of range.
        Unachievable: if no scheme survives this on so many workers, or integers are too large.
        NotEnoughAnswers: if too few usable answers came; it carries the outcome.
        TooManyErrors: if more workers lied than the scheme can name.
        NotAccurateEnough: if the estimated error stays above the tolerance.
        ExecutorError: if the executor is closed.

    Example:
        >>> A, x = np.arange(12).reshape(4, 3), np.array([1, -2, 1])
        >>> with anyk.Threads(6) as executor:
        ...     outcome = anyk.matmul(A, x, executor, stragglers=1, adversaries=1)
        >>> outcome.value, outcome.status
        (array([0, 0, 0, 0]), Status.EXACT)
    """
    check_executor(executor)
    check_limits(deadline, tolerance, on_failure)
    _check_here(a, b)
    factors = factors_of(a, b, sparse=_stays_sparse(scheme))
    if scheme is None:
        late = count("stragglers", stragglers, least=0) + len(executor.quarantine.workers)
        threat = Threat(
            workers=executor.workers,
            stragglers=late,
            adversaries=adversaries,
            colluders=colluders,
        )
        wanted = wanted_of(factors, threat, pieces, verified)
        plan = plan_product(factors.size, wanted, machine_of(executor))
    else:
        plan = ProductPlan(_given(scheme, (stragglers, adversaries, colluders, pieces, verified)))
    _check_gram(plan.scheme, factors)
    if isinstance(plan.scheme.domain, PrimeField) and factors.dtype.kind == "f":
        factors = factors.scaled()
    plan = replace(plan, scheme=_embedded(plan.scheme, factors))
    limits: dict[str, Any] = {
        "deadline": deadline,
        "tolerance": tolerance,
        "on_failure": on_failure,
        "on_answer": on_answer,
        "progress": progress,
    }
    try:
        outcome = _multiplied(plan.scheme, factors, executor, limits)
    except RecoveryError as error:
        if error.outcome is not None:
            error.outcome = replace(error.outcome, plan=plan)
        raise
    outcome = _finished(outcome, factors, plan)
    if outcome.value is None or not (are_tensors(a) or are_tensors(b)):
        return outcome
    return replace(outcome, value=Torch().returned(outcome.value))


def wanted_of(
    factors: Factors, threat: Threat, pieces: int = 1, verified: Verified | None = None
) -> Wanted:
    """What is wanted of a scheme for these factors.

    Args:
        factors: of the product.
        threat: what is to be survived.
        pieces: how many shares a worker holds.
        verified: whether answers are checked; None for either.

    Raises:
        InvalidArgument: if the numbers are none, or out of range.
        Unachievable: if integers are too large.
    """
    domain: AbstractDomain = PrimeField()
    worst, bits, wide = 0, None, False
    if factors.whole:
        wide = _wide(factors)
        bits = (factors.size.inner * math.prod(factors.largest)).bit_length()
        worst = _worst(factors, hidden=threat.colluders > 0)
        if wide and (factors.size.stack > 1 or threat.colluders):
            where = "with colluders" if threat.colluders else "in stacks of matrices"
            raise _too_large(factors, _EXACT, where)
    elif threat.colluders:
        inner = factors.size.inner
        worst = inner << 2 * _bits_of(inner)
    else:
        domain = Complex() if factors.dtype.kind == "c" else Reals()
    sets = prime_sets(worst, product=LIARS if threat.adversaries else 1)
    return Wanted(
        threat=threat,
        domain=domain,
        pieces=count("pieces", pieces, least=1, most=threat.workers**2),
        verified=_checked(verified, factors, domain),
        primes=tuple(field.modulus for field in sets[0]) if sets else (LIARS,),
        bits=bits,
        wide=wide,
    )


def _checked(
    verified: Verified | None, factors: Factors, domain: AbstractDomain
) -> Verified | None:
    """Whether answers are checked, if that makes sense here."""
    if verified is None:
        return False if factors.size.stack > 1 else None  # stacks of products are not checked
    if isinstance(verified, str):
        choice("verified", verified, ("single",), change="Pass True, False or None.")
        return True if domain.exact else verified
    return flag("verified", verified)


def _given(scheme: AbstractScheme, asked: tuple[Any, ...]) -> AbstractScheme:
    """The scheme of the caller."""
    change = "Make one, such as anyk.Polynomial((2, 1, 2), 6)."
    instance("scheme", scheme, AbstractScheme, change=change)
    if not isinstance(scheme.problem, MatMul):
        raise InvalidArgument(
            "scheme", given=repr(scheme), needed="one for matrix products", change=change
        )
    if asked != (0, 0, 0, 1, None):
        raise InvalidArgument(
            "scheme",
            given=f"{scheme!r}, and what is to be survived",
            needed="one of them, as the scheme says what it survives",
            change="Leave stragglers, adversaries, colluders, pieces and verified out.",
        )
    return scheme


def _check_here(a: Any, b: Any) -> None:
    """Refuse factors that are on the workers."""
    if isinstance(a, Distributed):
        raise InvalidArgument(
            "a",
            given=repr(a),
            needed="an array: this is on the workers of its executor, for many products",
            change="Call its own: a.matmul(b).",
        )
    if isinstance(b, Distributed):
        raise InvalidArgument(
            "b",
            given=repr(b),
            needed="an array: the left factor of a product is what stays on the workers",
            change="Distribute a instead, and call its .matmul(b).",
        )


def _stays_sparse(scheme: AbstractScheme | None) -> bool:
    """Whether shares of a sparse A are sparse: of reals, as nothing is to be rounded."""
    if not isinstance(scheme, AbstractProduct):
        return False
    return scheme.can.sparse and isinstance(scheme.domain, Reals)


def _is_gram(scheme: AbstractScheme) -> bool:
    """Whether it multiplies a matrix with its own transpose alone."""
    return isinstance(scheme.problem, MatMul) and scheme.problem.gram


def _check_gram(scheme: AbstractScheme, factors: Factors) -> None:
    """Refuse two factors for a scheme that has one."""
    if _is_gram(scheme) and not np.array_equal(factors.left.T, factors.right):
        raise InvalidArgument(
            "b",
            given="another matrix than a.T",
            needed=f"a.T, as {type(scheme).__name__} computes A @ A.T",
            change="Pass a.T, or leave scheme out.",
        )


def _embedded(scheme: AbstractScheme, factors: Factors) -> AbstractScheme:
    """The scheme for these numbers: over a field, as integers below its primes."""
    if factors.whole and scheme.guarantee.exact:
        return _of_integers(scheme, factors)
    if not isinstance(scheme.domain, PrimeField):
        return scheme
    from anyk.fixed_point.format import FixedPoint  # noqa: PLC0415 - over a field alone
    from anyk.schemes.wrappers.embedded import Embedded  # noqa: PLC0415 - as above

    if factors.dtype.kind == "c":
        raise InvalidArgument(
            "a",
            given=f"complex numbers, on {scheme!r}",
            needed="real numbers or integers, as this is over a field",
            change="Multiply real and imaginary parts.",
        )
    inner = factors.size.inner
    each = FixedPoint(fraction_bits=_bits_of(inner), magnitude=1.0, degree=1)
    both = {"degree": 2} if _is_gram(scheme) else {"factors": (each,)}
    return Embedded(scheme, replace(each, summands=inner, **both))


def _of_integers(scheme: AbstractScheme, factors: Factors) -> AbstractScheme:
    """The scheme for integers, if it can hold them."""
    if not isinstance(scheme.domain, (PrimeField, Reals, Complex)):
        return scheme  # which knows what it can hold
    if _wide(factors):
        raise _too_large(factors, _EXACT, f"with {type(scheme).__name__}")
    if not isinstance(scheme.domain, PrimeField):
        return scheme
    from anyk.fixed_point.format import FixedPoint  # noqa: PLC0415 - over a field alone
    from anyk.schemes.wrappers.embedded import Embedded  # noqa: PLC0415 - as above
    from anyk.schemes.wrappers.primes import primes_of  # noqa: PLC0415 - as above

    left, right = (
        FixedPoint(fraction_bits=0, magnitude=float(max(each, 1)), degree=1)
        for each in factors.largest
    )
    both = replace(left, degree=2) if _is_gram(scheme) else replace(left, factors=(right,))
    worst = _worst(factors, hidden=scheme.guarantee.colluders > 0)
    return Embedded(scheme, both, Extent(2, 0, factors.bound, 0), primes_of(scheme, worst))


def _worst(factors: Factors, *, hidden: bool) -> int:
    """How large integers in the product are at most, as far as workers may know.

    Where colluders may learn nothing, primes tell no more of the factors than their types and how
    many primes of 31 bits hold the product.

    Args:
        factors: of integers.
        hidden: whether there are colluders.
    """
    if not hidden:
        return factors.bound
    number = enough_primes(factors.bound, PrimeField()) or MOST_PRIMES
    modulus = math.prod(field.modulus for field in further_fields(PrimeField(), number))
    types = (each.dtype for each in (factors.left, factors.right))
    largest = (
        1 if kind == np.bool_ else -int(np.iinfo(kind).min) or int(np.iinfo(kind).max)
        for kind in types
    )
    return min(factors.size.inner * math.prod(largest), (modulus - 1) // 2)


def _bits_of(inner: int) -> int:
    """Of an entry of reals over a field, where a sum has so many terms."""
    return min(_BITS, (31 * _PRIMES - 3 - inner.bit_length()) // 2)


def _wide(factors: Factors) -> bool:
    """Whether there may be integers that float64 does not tell apart, but int64 does."""
    if factors.bound >= _LONGEST:
        raise _too_large(factors, _LONGEST)
    return max(*factors.largest, factors.bound) > _EXACT


def _too_large(factors: Factors, limit: int, where: str = "in both") -> Unachievable:
    most, bits = max(factors.largest), math.log2(max(factors.bound, 1))
    return Unachievable(
        "a",
        given=f"integers up to {most}, whose product may reach 2^{bits:.1f}",
        needed=f"at most 2^{limit.bit_length() - 1} {where}, as they would wrap or be rounded",
        change="Pass floats, a.astype(float), where rounding is allowed.",
    )


def _multiplied(
    scheme: AbstractScheme, factors: Factors, executor: AbstractExecutor, limits: dict[str, Any]
) -> Outcome:
    """The outcome of the product as it is computed."""
    left, right = factors.left, factors.right
    if _is_gram(scheme):
        return run(scheme, np.matmul, left, executor, **limits)
    if right.ndim == 1 and cuts_of(scheme)[2] > 1:
        right = right[:, None]
    if not isinstance(scheme.domain, ResidueRing) and sends_one(scheme):  # B is sent once
        with distribute(scheme, left, executor) as data:
            return data.matmul(right, **limits)
    return run(scheme, np.matmul, (left, right), executor, **limits)


def _finished(outcome: Outcome, factors: Factors, plan: ProductPlan) -> Outcome:
    """The outcome as the user wants it."""
    if outcome.value is None:
        return replace(outcome, plan=plan)
    whole = factors.whole and not plan.scheme.guarantee.exact
    wanted = factors.of_floats() if whole else factors
    value = wanted.value(outcome.value)
    error, rounding = outcome.error_estimate, outcome.quantisation_error
    off = 0.0
    if value.dtype.itemsize < outcome.value.dtype.itemsize and value.dtype.kind != "b":
        before = replace(wanted, dtype=outcome.value.dtype).value(outcome.value)
        lost = before - value
        off = float(np.abs(lost).max())
        if error is not None:
            error = math.hypot(error, size_of(lost) / (size_of(before) or 1.0))
    if rounding is not None:
        with np.errstate(over="ignore"):  # which is a bound too
            rounding = None if factors.whole else float(np.ldexp(rounding, factors.shift)) + off
    return replace(
        outcome, value=value, error_estimate=error, quantisation_error=rounding, plan=plan
    )
