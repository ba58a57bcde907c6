"""How many bits a polynomial gradient gets, so that none can wrap modulo the primes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField
from anyk.domains.ring import further_fields
from anyk.errors import InvalidArgument, Unachievable
from anyk.fixed_point.budget import enough_primes, fits, in_short
from anyk.fixed_point.format import FixedPoint
from anyk.fixed_point.rounding import nearest
from anyk.learn.formats import Bits, check_bits

__all__ = ["Precision", "choose_precision"]

_FIELD = PrimeField()
_LADDER = tuple((bits, bits + 2) for bits in range(16, 0, -1))  # data, weights
_LARGEST = 1 << 53  # integers that float64 holds
_SLACK = 1 + 2**-20  # the bound is computed in float64


@final
@dataclass(frozen=True, kw_only=True)
class Precision:
    """The fixed-point formats of one training.

    Args:
        data: format of the features; its `factors` hold that of the weights.

    Example:
        >>> from anyk.learn.precision import choose_precision
        >>> chosen = choose_precision(np.ones((4, 2)), blocks=2, degree=1, primes=1)
        >>> chosen.data_bits, chosen.weight_bits, chosen.primes
        (8, 10, (2147483647,))
    """

    data: FixedPoint

    @property
    def weights(self) -> FixedPoint:
        """Format of the weights."""
        return self.data.factors[0]

    @property
    def data_bits(self) -> int:
        """l_x, fraction bits of the features."""
        return self.data.fraction_bits

    @property
    def weight_bits(self) -> int:
        """l_w, fraction bits of the weights."""
        return self.weights.fraction_bits

    @property
    def primes(self) -> tuple[int, ...]:
        """The primes that the gradient is computed modulo."""
        return self.data.ring(_FIELD).primes


def choose_precision(
    design: NDArray[np.float64],
    *,
    blocks: int,
    degree: int,
    data_bits: Bits = "auto",
    weight_bits: Bits = "auto",
    primes: Bits = "auto",
) -> Precision:
    """The most bits that fit, up to 16 for data and 18 for weights, or those that were asked for.

    An entry of the worker's result is a sum over the rows i of one block of x_ij z_i^k with k <= r,
    where |z_i| <= ||x_i||·||w||, and ||w|| <= 2^{l_w} + sqrt(columns), as weights have a norm of at
    most 1, and rounding moves none by more than a step. Terms of lower degree are brought to the
    scale of the highest by 2^{(l_x+l_w)(r-k)}. The data themselves give the sum, and so the bound
    is that of these data.

    Args:
        design: float64 ndarray (rows, columns).
        blocks: K, how many blocks the rows are split in.
        degree: r, of the response.
        data_bits: l_x, or "auto".
        weight_bits: l_w, or "auto".
        primes: how many primes to compute with; "auto" takes 2 for degree 1, and one more for two
            more degrees: workers see their number, which must say nothing of the data.

    Returns:
        The formats.

    Raises:
        InvalidArgument: if a number is out of range.
        Unachievable: if the gradient could wrap: the inequality, and what to change.
    """
    check_bits(data_bits, weight_bits, primes)
    pairs = {
        step: (
            step[0] if data_bits == "auto" else int(data_bits),
            step[1] if weight_bits == "auto" else int(weight_bits),
        )
        for step in _LADDER
    }
    measured: dict[tuple[int, int], FixedPoint] = {}

    def formats(pair: tuple[int, int]) -> FixedPoint:
        if pair not in measured:
            measured[pair] = _formats(design, blocks, degree, pair)
        return measured[pair]

    if primes == "auto":
        primes = (degree + 3) // 2
    fields = further_fields(_FIELD, int(primes))
    for pair in pairs.values():
        if fits(formats(pair).worst, fields):
            return Precision(data=replace(formats(pair), primes=int(primes)))
    raise _refused(formats(pairs[_LADDER[-1]]), degree, fields)


def _refused(data: FixedPoint, degree: int, fields: Sequence[PrimeField]) -> Unachievable:
    """The inequality that does not hold, and what to change."""
    needed = enough_primes(data.worst, fields[0])
    knobs = [
        "lower data_bits, weight_bits or degree",
        'scale the features (scaling="unit")',
    ]
    if needed is not None:
        knobs.insert(0, f"take primes={needed}")
    modulus = math.prod(field.modulus for field in fields)
    return Unachievable(
        "data_bits, weight_bits",
        given=f"{data.fraction_bits} and {data.factors[0].fraction_bits}",
        needed=(
            f"2·max_j sum_i |x_ij| (|x_i||w|)^{degree} < P, that is {in_short(2 * data.worst)} < "
            f"{in_short(modulus)} ({len(fields)} prime{'s' if len(fields) > 1 else ''}), "
            "or a gradient could wrap"
        ),
        change=f"{', or '.join(knobs).capitalize()}.",
    )


def _formats(
    design: NDArray[np.float64], blocks: int, degree: int, bits: tuple[int, int]
) -> FixedPoint:
    """The formats with these bits, and as many summands as these data can add up to."""
    data_bits, weight_bits = bits
    weights = FixedPoint(
        fraction_bits=weight_bits, magnitude=1.0, degree=degree, rounding="stochastic"
    )
    largest = float(np.abs(design).max(initial=0.0))
    if largest >= math.ldexp(_LARGEST, -data_bits):
        raise InvalidArgument(
            "X",
            given=f"features as large as {largest:.3g}",
            needed=f"at most 2^{math.log2(_LARGEST) - data_bits:.0f} with {data_bits} data_bits",
            change='Scale them: scaling="standard" or "unit".',
        )
    rounded = math.ldexp(max(1, math.ceil(math.ldexp(largest, data_bits))), -data_bits)
    one = FixedPoint(
        fraction_bits=data_bits,
        magnitude=rounded,
        degree=degree + 1,
        factors=(weights,),
    )
    worst = _worst(design, blocks=blocks, degree=degree, bits=bits)
    return replace(one, summands=-(-worst // one.worst))


def _worst(design: NDArray[np.float64], *, blocks: int, degree: int, bits: tuple[int, int]) -> int:
    """The largest integer in a worker's result on any block of these data, rounded up."""
    data_bits, weight_bits = bits
    whole = np.abs(nearest(np.ldexp(design, data_bits))).astype(np.float64)
    lengths = np.sqrt(np.einsum("ij,ij->i", whole, whole))
    longest = math.ldexp(1.0, weight_bits) + math.sqrt(design.shape[1])
    rows = -(-len(whole) // blocks)
    most = 1.0
    for start in range(0, len(whole), rows):
        here = slice(start, start + rows)
        for power in range(1, degree + 1):
            sums = (lengths[here] * longest) ** power @ whole[here]
            scale = math.ldexp(1.0, (data_bits + weight_bits) * (degree - power))
            most = max(most, float(sums.max()) * scale)
    return math.ceil(most * _SLACK)
