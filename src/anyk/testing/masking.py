"""What T workers learn by the encoder's matrices: nothing, or no more than is promised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from anyk.domains.prime import PrimeField
from anyk.privacy.information import bits_learned, symbols_learned
from anyk.schemes.base import Encoder
from anyk.schemes.encoded import Encoded
from anyk.testing.expect import require, subsets
from anyk.testing.trial import encoders

__all__ = ["check_privacy"]

_ROUNDING = 1e-9


def check_privacy(encoded: Encoded, patterns: int, generator: np.random.Generator) -> None:
    """No T workers learn more than is promised; some more do, so that it is not vacuous.

    A coalition knows all shares of its workers. Of a product, what is learned of each factor is
    judged; their masks have nothing in common.

    Args:
        encoded: of a scheme that promises privacy.
        patterns: how many coalitions to try where there are more.
        generator: where samples come from.

    Raises:
        AssertionError: if a coalition learns too much, or the promise covers more colluders.
    """
    scheme = encoded.scheme
    views = [_View(encoded, encoder) for encoder in encoders(encoded)]
    told = "colluders, but blocks that workers hold in the clear"
    require(not any(each.encoder.of_outputs for each in views), told)
    if isinstance(scheme.domain, PrimeField):
        _check_symbols(views, scheme.domain, patterns, generator)
    else:
        _check_bits(views, patterns, generator)


@final
@dataclass(frozen=True, eq=False)
class _View:
    """What workers see of one operand."""

    encoded: Encoded
    encoder: Encoder

    def of(self, workers: tuple[int, ...]) -> tuple[NDArray[Any], NDArray[Any]]:
        """The rows of D and of M that these workers know."""
        own = self.encoder.rows(np.array(self.encoded.held_by(workers), dtype=np.intp))
        return own.data, own.masks


def _check_bits(views: list[_View], patterns: int, generator: np.random.Generator) -> None:
    promise = views[0].encoded.guarantee
    leakage, deviation = promise.leakage, promise.data_std
    if leakage is None or deviation is None:
        raise AssertionError("colluders, but no leakage for data of any standard deviation")
    variance = deviation**2

    def learned(coalition: tuple[int, ...]) -> float:
        return max(bits_learned(*each.of(coalition), variance=variance) for each in views)

    everyone = tuple(range(promise.workers))
    for coalition in subsets(everyone, promise.colluders, patterns, generator):
        bits = learned(coalition)
        told = f"workers {coalition} learn {bits:.6g} bits"
        require(bits <= leakage * (1.0 + _ROUNDING), f"{told}; {leakage:.6g} are promised")
    if promise.colluders < promise.workers:
        require(learned(everyone) > leakage, "all workers together learn no more than is promised")


def _check_symbols(
    views: list[_View], field: PrimeField, patterns: int, generator: np.random.Generator
) -> None:
    promise = views[0].encoded.guarantee
    everyone, colluders = range(promise.workers), promise.colluders

    def learned(coalition: tuple[int, ...]) -> int:
        return max(symbols_learned(field, *each.of(coalition)) for each in views)

    for coalition in subsets(everyone, colluders, patterns, generator):
        symbols = learned(coalition)
        require(symbols == 0, f"workers {coalition} learn {symbols} symbols")
    if colluders < promise.workers:
        larger = subsets(everyone, colluders + 1, patterns, generator)
        if any(learned(who) for who in larger):
            return
        coalition = tuple(everyone)  # let go of all who are not needed to learn something
        for worker in everyone:
            rest = tuple(who for who in coalition if who != worker)
            coalition = rest if learned(rest) else coalition
        told = f"no {colluders + 1} workers learn anything, but {coalition} do"
        require(len(coalition) == colluders + 1, told)
