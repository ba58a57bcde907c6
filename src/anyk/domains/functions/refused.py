"""What is no polynomial of field elements, and what to write in its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

from anyk.errors import InvalidArgument, NotPolynomial

if TYPE_CHECKING:
    from anyk.domains.array import FieldArray

__all__ = [
    "bits",
    "comparison",
    "exponents",
    "method",
    "ndarray",
    "not_plain",
    "number",
    "other_numbers",
    "quotient",
    "refusal",
    "size",
    "truth",
]

_OTHERWISE = (
    "Approximate the function by a polynomial, or use a scheme over the reals, such as anyk.Spline."
)
_MEAN = "a mean divides. Return x.sum() and divide the outcome's value by the number of terms."
_ORDER = (
    "a comparison is no polynomial, and a field has no order. Compare the outcome's value; or "
    "choose by a constant mask, np.where(mask, x, y)."
)
_ROOT = "a root is no polynomial. Return (x * x).sum(), and take the root of the outcome's value."
_SPREAD = (
    "it divides by the number of terms. Return x.size * (x * x).sum() - x.sum()**2, and divide the "
    "outcome's value by x.size**2."
)
_ONE_NUMBER = (
    "a residue as a plain number is that of a share, not of the data. Compute with the FieldArray "
    "itself, and make numbers of the outcome's value."
)
_ADVICE: dict[str, str] = {
    **dict.fromkeys(["mean", "average", "nanmean"], _MEAN),
    **dict.fromkeys(["var", "std", "cov"], _SPREAD),
    **dict.fromkeys(
        ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "array_equal",
         "allclose", "isclose", "array_equiv", "max", "min", "amax", "amin", "maximum", "minimum",
         "argmax", "argmin", "sort", "argsort", "clip", "sign", "median", "unique", "searchsorted",
         "percentile", "quantile", "partition", "argpartition", "ptp", "nonzero", "flatnonzero",
         "argwhere", "count_nonzero", "any", "all", "fmax", "fmin", "heaviside", "lexsort"],
        _ORDER,
    ),
    **dict.fromkeys(["item", "tolist", "tobytes", "dump", "dumps", "tofile"], _ONE_NUMBER),
    "astype": "field elements have one type, int64 residues. Leave it out.",
    "float_power": "write x**2, with an integer.",
    "copyto": "write x[...] = y.",
    "add.at": "write x[i] += y, for places i that differ.",
    "add.reduceat": "add up slices, and stack the sums: np.stack([x[:1].sum(), x[1:].sum()]).",
    "apply_along_axis": "call the function for each row: np.stack([f(row) for row in x]).",
    "choose": "choose by a constant mask, np.where(mask, x, y).",
    "gradient": "it divides by 2. Take np.diff(x).",
    "meshgrid": "take np.broadcast_arrays(x[None, :], y[:, None]).",
    "fft": "its coefficients are complex. Multiply by a matrix of integers, or take np.convolve.",
    "norm": _ROOT,
    "sqrt": _ROOT,
    "hypot": _ROOT,
    "absolute": "an absolute value is no polynomial. Take a square, x * x.",
    "nansum": "field elements are never NaN: take np.sum.",
    "asarray": "an ndarray would lose the field. Stack FieldArrays with np.stack, fill an array "
    "begun with np.zeros_like(x), make a sparse matrix dense with .toarray(), and take "
    "np.polyval(coefficients, x) in place of a Polynomial.",
}  # fmt: skip


def refusal(name: str, shown: str = "") -> NotPolynomial:
    """The error for a function of numpy that is no polynomial.

    Args:
        name: of the function.
        shown: the same for the message, where it differs from numpy.name.

    Example:
        >>> from anyk.domains.functions.refused import refusal
        >>> print(refusal("absolute"))
        numpy.absolute: an absolute value is no polynomial. Take a square, x * x.
    """
    shown = shown or f"numpy.{name}"
    advice = _ADVICE.get(name.removeprefix("linalg."))
    if advice is not None:
        return NotPolynomial(f"{shown}: {advice}")
    return NotPolynomial(
        f"{shown}: only polynomials can be computed in a field: +, -, *, @, ** by an integer, sums "
        f"and reshapes. {_OTHERWISE}"
    )


def not_plain(argument: str, given: str) -> InvalidArgument:
    """The error for an argument that would change the numbers: initial=, where=, dtype=, out=.

    Args:
        argument: its name.
        given: the call.
    """
    return InvalidArgument(
        argument,
        given=given,
        needed="a sum, a product or a move of field elements as they are",
        change="Leave it out.",
    )


def other_numbers(name: str, **arguments: object) -> None:
    """Refuse dtype= and out= of a method.

    Args:
        name: of the method.
        **arguments: None where one is left out.

    Raises:
        InvalidArgument: if one is not.
    """
    for argument, value in arguments.items():
        if value is not None:
            raise not_plain(argument, f".{name}(..., {argument}=...)")


def method(name: str) -> Callable[..., Any]:
    """What a method of ndarrays is that is no polynomial: a function that says so.

    Args:
        name: of the method.
    """

    def refuse(*_: Any, **__: Any) -> Any:
        raise refusal(name, f".{name}()")

    return refuse


def quotient(x: FieldArray, divisor: Any = None, *_: Any) -> NoReturn:
    """What x / y, x // y and x % y do."""
    constant = divisor if isinstance(divisor, int | float) else "c"
    if x.extent is not None and x.extent.bound is not None:
        raise NotPolynomial(
            "/, //, %: a quotient is no polynomial. Divide by a power of two, x / 1024, or "
            f"multiply by a constant: x * (1 / {constant}), or with fewer fraction bits "
            f"x * round(1024 / {constant}) / 1024."
        )
    raise NotPolynomial(
        "/, //, %: a quotient is no polynomial. Divide the outcome's value. Or, if a quotient "
        "modulo the prime is meant (there 1/2 is a large integer), multiply by the inverse: "
        f"x * x.field.inverse({constant})."
    )


def exponents(_: FieldArray, _base: object) -> NoReturn:
    """What 2**x does."""
    raise NotPolynomial("**: a power of field elements as exponents is no polynomial.")


def number(_: FieldArray, *_digits: Any) -> NoReturn:
    """What int(x) and round(x) do."""
    raise refusal("item", "a field element as a plain number, or rounded")


def bits(_: FieldArray, *_other: Any) -> NoReturn:
    """What x & y and x << y do."""
    raise NotPolynomial(
        "the bits of a field element are no polynomial. x << k is x * 2**k; a mask of bits is for "
        "constants."
    )


def size(_: FieldArray) -> NoReturn:
    """What abs(x) does."""
    raise refusal("absolute", "abs()")


def comparison(_: FieldArray, _other: object) -> NoReturn:
    """What x == y and x < y do."""
    raise refusal("equal", "==, <, ..")


def truth(_: FieldArray) -> NoReturn:
    """What `if x` does."""
    raise refusal("equal", "the truth of a field element")


def ndarray(_: FieldArray, *_dtype: Any, **__: Any) -> NoReturn:
    """What np.asarray(x) does."""
    raise refusal("asarray", "a FieldArray as an ndarray")
