"""What T workers learn by the encoder's matrices: nothing, or no more than is promised."""

from __future__ import annotations

import numpy as np

from anyk.domains.prime import PrimeField
from anyk.privacy.information import bits_learned, symbols_learned
from anyk.schemes.base import Encoded
from anyk.testing.expect import require, subsets

__all__ = ["check_privacy"]

_ROUNDING = 1e-9


def check_privacy(encoded: Encoded, patterns: int, generator: np.random.Generator) -> None:
    """No T workers learn more than is promised; some more do, so that it is not vacuous.

    Args:
        encoded: of a scheme that promises privacy.
        patterns: how many coalitions to try where there are more.
        generator: where samples come from.

    Raises:
        AssertionError: if a coalition learns too much, or the promise covers more colluders.
    """
    if isinstance(encoded.scheme.domain, PrimeField):
        _check_symbols(encoded, encoded.scheme.domain, patterns, generator)
    else:
        _check_bits(encoded, patterns, generator)


def _check_bits(encoded: Encoded, patterns: int, generator: np.random.Generator) -> None:
    promise, encoder = encoded.scheme.guarantee, encoded.encoder
    leakage, deviation = promise.leakage, promise.data_std
    if leakage is None or deviation is None:
        raise AssertionError("colluders, but no leakage for data of any standard deviation")

    def learned(coalition: tuple[int, ...]) -> float:
        chosen = list(coalition)
        data, masks = encoder.data[chosen], encoder.masks[chosen]
        return bits_learned(data, masks, variance=deviation**2)

    everyone = tuple(range(promise.workers))
    for coalition in subsets(everyone, promise.colluders, patterns, generator):
        bits = learned(coalition)
        told = f"workers {coalition} learn {bits:.6g} bits"
        require(bits <= leakage * (1.0 + _ROUNDING), f"{told}; {leakage:.6g} are promised")
    if promise.colluders < promise.workers:
        require(learned(everyone) > leakage, "all workers together learn no more than is promised")


def _check_symbols(
    encoded: Encoded, field: PrimeField, patterns: int, generator: np.random.Generator
) -> None:
    scheme, encoder = encoded.scheme, encoded.encoder
    everyone, colluders = range(scheme.guarantee.workers), scheme.guarantee.colluders

    def learned(coalition: tuple[int, ...]) -> int:
        chosen = list(coalition)
        return symbols_learned(field, encoder.data[chosen], encoder.masks[chosen])

    for coalition in subsets(everyone, colluders, patterns, generator):
        symbols = learned(coalition)
        require(symbols == 0, f"workers {coalition} learn {symbols} symbols")
    if colluders < scheme.guarantee.workers:
        larger = subsets(everyone, colluders + 1, patterns, generator)
        if any(learned(who) for who in larger):
            return
        coalition = tuple(everyone)  # let go of all who are not needed to learn something
        for worker in everyone:
            rest = tuple(who for who in coalition if who != worker)
            coalition = rest if learned(rest) else coalition
        told = f"no {colluders + 1} workers learn anything, but {coalition} do"
        require(len(coalition) == colluders + 1, told)
