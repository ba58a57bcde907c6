"""Fixed-point formats of data and weights, chosen by their shapes alone."""

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

__all__ = ["Bits", "Formats", "check_bits", "choose_formats"]

Bits = int | Literal["auto"]

_FIELD = PrimeField()
_MOST = 26  # bits of each: the product of two is an integer that float64 holds


@final
@dataclass(frozen=True, kw_only=True)
class Formats:
    """The format of the data, and of what they are multiplied with.

    Both count from the largest value, which a power of two brings to at most 1. The power stays at
    the master.

    Args:
        data: format of the features; the other is its one of `factors`.

    Example:
        >>> from anyk.learn.formats import choose_formats
        >>> chosen = choose_formats(1000)
        >>> chosen.data_bits, chosen.weight_bits, len(chosen.primes)
        (25, 26, 2)
        >>> choose_formats(100, data_bits=8, weight_bits=8).primes
        (16777213,)
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
        """What products are computed modulo, where no liars are looked for."""
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
    summands: int,
    *,
    degrees: tuple[int, int] = (1, 1),
    aims: tuple[int, int] = (20, 20),
    data_bits: Bits = "auto",
    weight_bits: Bits = "auto",
    primes: Bits = "auto",
    counted: int | None = None,
) -> Formats:
    """As many bits as primes of 31 bits hold, up to 26 each, or those that were asked for.

    What is computed modulo are as many of these primes as were asked for, or else those that cost
    least of the ones that hold sums of these bits. Nothing in the choice depends on the data, so
    that what workers may see of it says nothing.

    Args:
        summands: how many products of entries add up in one entry of a result.
        degrees: how many entries of the data and of the weights each product takes.
        aims: how many bits of each there should be, at least.
        data_bits: fraction bits of the features, or "auto".
        weight_bits: fraction bits of what they are multiplied with, or "auto".
        primes: how many primes; "auto" takes the fewest that hold the aims, or what was asked for.
        counted: as how many of the largest products a result counts at most, where that is fewer,
            as the weights of a column are held to a sum.

    Raises:
        InvalidArgument: if a number is out of range.
        Unachievable: if a result could wrap: the inequality, and what to change.
    """
    check_bits(data_bits, weight_bits, primes)
    of_data, of_weights = degrees
    enough = enough_primes(
        summands << of_data * _or(data_bits, aims[0]) + of_weights * _or(weight_bits, aims[1]),
        _FIELD,
    )
    number = _or(primes, enough or MOST_PRIMES)
    modulus = math.prod(field.modulus for field in further_fields(_FIELD, number))
    room = ((modulus - 1) // 2 // summands).bit_length() - 1  # 2·summands·2^room < modulus
    least = _or(data_bits, 1), _or(weight_bits, 1)
    if of_data * least[0] + of_weights * least[1] > room:
        knobs = [] if enough is None else [f"take primes={enough}"]
        several = "s" if number > 1 else ""
        raise Unachievable(
            "data_bits, weight_bits",
            given=f"{least[0]} and {least[1]}",
            needed=(
                f"2·n·2^({of_data}·data_bits + {of_weights}·weight_bits) < P, that is "
                f"{in_short(2 * summands << of_data * least[0] + of_weights * least[1])} < "
                f"{in_short(modulus)} ({number} prime{several}), where n = {in_short(summands)} "
                "products add up, or a sum could wrap"
            ),
            change=f"{', or '.join([*knobs, 'lower data_bits or weight_bits']).capitalize()}.",
        )
    even = room // (of_data + of_weights)
    if weight_bits != "auto":
        even = (room - of_weights * int(weight_bits)) // of_data
    finest = _or(data_bits, min(_MOST, even))
    weights = FixedPoint(
        fraction_bits=_or(weight_bits, min(_MOST, (room - of_data * finest) // of_weights)),
        magnitude=1.0,
        degree=of_weights,
        rounding="stochastic",
    )
    return Formats(
        data=FixedPoint(
            fraction_bits=finest,
            magnitude=1.0,
            degree=of_data,
            summands=counted or summands,
            factors=(weights,),
            primes=primes,
        )
    )


def _or(given: Bits, otherwise: int) -> int:
    return otherwise if given == "auto" else int(given)
