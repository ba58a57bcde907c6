"""Fixed-point formats of a product of two encoded arrays, chosen by their shapes alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, final

from anyk.checks import count
from anyk.domains.prime import PrimeField
from anyk.domains.ring import further_fields
from anyk.errors import Unachievable
from anyk.fixed_point.budget import MOST_PRIMES, enough_primes, in_short, prime_count
from anyk.fixed_point.format import FixedPoint

__all__ = ["Bits", "ProductFormats", "check_bits", "choose_formats"]

Bits = int | Literal["auto"]

_FIELD = PrimeField()
_AIM = 20  # bits of each factor, where none are asked for: as many as float32 has, nearly
_MOST = 26  # of each: the product of two is an integer that float64 holds


@final
@dataclass(frozen=True, kw_only=True)
class ProductFormats:
    """The format of the data, and of what they are multiplied with.

    Both count from the largest value, which a power of two brings to at most 1. The power stays at
    the master.

    Args:
        data: format of the features; the other is its one of `factors`.

    Example:
        >>> from anyk.learn.formats import choose_formats
        >>> chosen = choose_formats(summands=1000)
        >>> chosen.data_bits, chosen.weight_bits, len(chosen.primes)
        (25, 26, 2)
    """

    data: FixedPoint

    @property
    def weights(self) -> FixedPoint:
        """Format of weights and of slopes."""
        return self.data.factors[0]

    @property
    def data_bits(self) -> int:
        """Fraction bits of the features."""
        return self.data.fraction_bits

    @property
    def weight_bits(self) -> int:
        """Fraction bits of weights and slopes."""
        return self.weights.fraction_bits

    @property
    def primes(self) -> tuple[int, ...]:
        """What products are computed modulo."""
        return self.data.ring(_FIELD).primes


def check_bits(data_bits: Bits, weight_bits: Bits, primes: Bits) -> None:
    """Refuse numbers of bits and primes that are none.

    Raises:
        InvalidArgument: if one is out of range.
    """
    for name, number in (("data_bits", data_bits), ("weight_bits", weight_bits)):
        if number != "auto":
            count(name, number, least=0)
    if primes != "auto":
        prime_count(primes)


def choose_formats(
    *, summands: int, data_bits: Bits = "auto", weight_bits: Bits = "auto", primes: Bits = "auto"
) -> ProductFormats:
    """As many bits as the primes hold, up to 26 each, or those that were asked for.

    Nothing in the choice depends on the data: the number of primes is all that workers see of it.

    Args:
        summands: how many products of two entries add up in one entry of a result.
        data_bits: fraction bits of the features, or "auto".
        weight_bits: fraction bits of what they are multiplied with, or "auto".
        primes: how many primes; "auto" takes the fewest that hold 20 bits of each, or what was
            asked for.

    Raises:
        InvalidArgument: if a number is out of range.
        Unachievable: if a product could wrap: the inequality, and what to change.
    """
    check_bits(data_bits, weight_bits, primes)
    aims = [_AIM if bits == "auto" else int(bits) for bits in (data_bits, weight_bits)]
    if primes == "auto":
        primes = enough_primes(summands << sum(aims), _FIELD) or MOST_PRIMES
    modulus = math.prod(field.modulus for field in further_fields(_FIELD, int(primes)))
    room = ((modulus - 1) // 2 // summands).bit_length() - 1  # 2·summands·2^room < modulus
    least_data, least_weights = (
        1 if bits == "auto" else int(bits) for bits in (data_bits, weight_bits)
    )
    if least_data + least_weights > room:
        enough = enough_primes(summands << sum(aims), _FIELD)
        knobs = [] if enough is None else [f"take primes={enough}"]
        raise Unachievable(
            "data_bits, weight_bits",
            given=f"{least_data} and {least_weights}",
            needed=(
                f"2·n·2^(data_bits + weight_bits) < P, that is "
                f"{in_short(2 * summands << (least_data + least_weights))} < {in_short(modulus)} "
                f"({primes} prime{'s' if int(primes) > 1 else ''}) with n = {summands} products in "
                "a sum, or one could wrap"
            ),
            change=f"{', or '.join([*knobs, 'lower data_bits or weight_bits']).capitalize()}.",
        )
    if data_bits == "auto":
        taken = room // 2 if weight_bits == "auto" else room - int(weight_bits)
        data_bits = min(_MOST, taken)
    if weight_bits == "auto":
        weight_bits = min(_MOST, room - int(data_bits))
    weights = FixedPoint(
        fraction_bits=int(weight_bits), magnitude=1.0, degree=1, rounding="stochastic"
    )
    data = FixedPoint(
        fraction_bits=int(data_bits),
        magnitude=1.0,
        degree=1,
        summands=summands,
        factors=(weights,),
        primes=int(primes),
    )
    return ProductFormats(data=data)
