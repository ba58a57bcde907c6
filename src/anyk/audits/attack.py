"""An attack on shares: what a coalition learns at least, shown by what it predicts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

from anyk.audits.disclosure import worst_coalition
from anyk.checks import GENERATOR, count, instance, positive
from anyk.codes.exact.linear import rank
from anyk.domains.prime import PrimeField
from anyk.domains.ring import ResidueRing
from anyk.errors import InvalidArgument
from anyk.schemes.base import AbstractScheme, Encoded

__all__ = ["Audit", "audit"]

_SPARE = 64  # samples beyond the unknowns: a rank is too small with probability p^-64
_ROUNDING = 1e-30  # variance of what is left of shares of size 1
_BATCH = 1 << 22  # numbers of all shares held at a time


@final
@dataclass(frozen=True, kw_only=True)
class Audit:
    """What a coalition was seen to learn.

    Args:
        amount: it learns at least this, a coordinate of the data.
        unit: "symbols" of the field, or "bits".
        coalition: the workers that put their shares together.
        confidence: with which `amount` is a lower bound.
        samples: how many coordinates were attacked.

    Example:
        >>> from anyk import Audit
        >>> print(Audit(amount=0.25, unit="bits", coalition=(3, 4), confidence=0.99, samples=1000))
        workers 3, 4 learn at least 0.25 bits a coordinate (confidence 0.99, 1000 samples)
    """

    amount: float
    unit: Literal["bits", "symbols"]
    coalition: tuple[int, ...]
    confidence: float
    samples: int

    def __str__(self) -> str:
        """One line that a person reads."""
        who = ", ".join(map(str, self.coalition))
        learn = f"worker {who} learns" if len(self.coalition) == 1 else f"workers {who} learn"
        unit = self.unit if self.amount != 1 else self.unit[:-1]
        return (
            f"{learn} at least {self.amount:.3g} {unit} a coordinate "
            f"(confidence {self.confidence:g}, {self.samples} samples)"
        )


def audit(
    encoded: Encoded,
    *,
    colluders: int,
    samples: int = 50_000,
    confidence: float = 0.9999,
    data_std: float | None = None,
    generator: np.random.Generator | None = None,
) -> Audit:
    """Attack a scheme: encode random data, and predict them from the shares of a coalition.

    The coalition is the one that `worst_coalition` finds. Over the reals the data are Gaussian;
    half of the samples teach the attacker the best linear predictions of combinations of blocks,
    the other half measures their errors. A prediction of a Gaussian of variance 1 that errs by D
    in the mean square holds at least log2(1/D)/2 bits of it, however it was made (the
    rate-distortion function). Over a field the attacker counts linear relations of shares and data
    that hold in every sample.

    Args:
        encoded: made by the scheme to attack; its shares are not used, but fresh ones of random
            data.
        colluders: T, how many workers put their shares together.
        samples: how many coordinates to attack, over the reals; at least 100.
        confidence: with which the result is to be a lower bound, in (0, 1).
        data_std: standard deviation of the data; that of the scheme's promise by default, or
            else 1.
        generator: of the random data; a fresh one by default.

    Returns:
        The lower bound. `anyk.leakage` is the upper one.

    Raises:
        InvalidArgument: if an argument is out of range, or the shares have several parts.

    References:
        Cover and Thomas, Elements of Information Theory, 2006, theorem 10.3.3.

    Example:
        >>> encoded = anyk.Lagrange(blocks=2, degree=2, workers=8, colluders=1).encode([1, 2])
        >>> [anyk.audit(encoded, colluders=t).amount for t in (1, 2)]
        [0.0, 1.0]
    """
    instance("encoded", encoded, Encoded, change="Pass what scheme.encode returned.")
    number = count("samples", samples, least=100)
    if not 0.0 < positive("confidence", confidence, change="Pass 0.999, say.") < 1.0:
        raise InvalidArgument(
            "confidence", given=repr(confidence), needed="a number in (0, 1)", change="Pass 0.999."
        )
    if len(encoded.parts) > 1:
        raise InvalidArgument(
            "encoded",
            given=repr(encoded),
            needed="shares of one part, made of blocks and masks",
            change="Ask anyk.leakage instead, which looks at the matrices.",
        )
    worst = worst_coalition(encoded, colluders=colluders, data_std=data_std)
    scheme, who = encoded.scheme, encoded.held_by(worst.coalition)
    if generator is not None:
        instance("generator", generator, np.random.Generator, change=GENERATOR)
    draw = np.random.default_rng() if generator is None else generator
    if worst.data_std is None:
        amount, number = _symbols(scheme, who, draw)
        return Audit(
            amount=amount,
            unit="symbols",
            coalition=worst.coalition,
            confidence=confidence,
            samples=number,
        )
    data, shares = _gaussian_samples(scheme, who, worst.data_std, number, draw)
    return Audit(
        amount=_bits(data, shares, confidence),
        unit="bits",
        coalition=worst.coalition,
        confidence=confidence,
        samples=number,
    )


def _gaussian_samples(
    scheme: AbstractScheme,
    who: list[int],
    deviation: float,
    samples: int,
    generator: np.random.Generator,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Blocks of standard deviation 1, ndarray (K, samples), and the coalition's shares."""
    blocks = scheme.problem.blocks  # type: ignore[union-attr] # maps and sums alone are encoded so
    data = generator.standard_normal((blocks, samples))
    if scheme.domain.dtype.kind == "c":
        data = (data + 1j * generator.standard_normal((blocks, samples))) * math.sqrt(0.5)
    step = max(1, _BATCH // scheme.guarantee.workers)
    parts = [
        scheme.encode(deviation * data[:, start : start + step]).shares[who]
        for start in range(0, samples, step)
    ]
    return data, np.concatenate(parts, axis=1)


def _bits(data: NDArray[Any], shares: NDArray[Any], confidence: float) -> float:
    """Learn on the first half, predict the second: bits with a lower confidence limit."""
    half = data.shape[1] // 2
    sizes = np.sqrt(np.mean(np.abs(shares[:, :half]) ** 2, axis=1, keepdims=True))
    seen = (shares / np.where(sizes > 0.0, sizes, 1.0)).T
    known = data.T
    mixture, *_ = np.linalg.lstsq(known[:half], seen[:half])
    noise = seen[:half] - known[:half] @ mixture
    covariance = noise.conj().T @ noise / half
    strengths, axes = np.linalg.eigh(covariance)
    whitening = axes / np.sqrt(np.maximum(strengths, _ROUNDING))
    # orthonormal combinations of blocks, independent of each other, that whitened shares show
    shown, gains, directions = np.linalg.svd(mixture @ whitening, full_matrices=False)
    target = known[half:] @ shown
    predicted = seen[half:] @ whitening @ directions.conj().T * (gains / (1.0 + gains**2))
    errors = np.abs(target - predicted).T ** 2
    parts, halved = (2, 1.0) if np.iscomplexobj(data) else (1, 0.5)
    freedom = parts * errors.shape[1]
    doubt = (1.0 - confidence) / len(errors)
    most = errors.mean(axis=1) * freedom / scipy.stats.chi2.ppf(doubt, freedom)
    tiny = np.finfo(np.float64).tiny
    return float(halved * np.sum(np.maximum(-np.log2(np.maximum(most, tiny)), 0.0)))


def _symbols(
    scheme: AbstractScheme, who: list[int], generator: np.random.Generator
) -> tuple[float, int]:
    """Linear relations of shares and data: rank of data + rank of shares - rank of both."""
    domain, blocks = scheme.domain, scheme.problem.blocks  # type: ignore[union-attr] # as above
    samples = blocks + len(who) + _SPARE
    if isinstance(domain, PrimeField):
        data = generator.integers(0, domain.modulus, (blocks, samples))
        return _relations(domain, data, scheme.encode(data).shares[who]), samples
    if isinstance(domain, ResidueRing):
        data = generator.integers(0, 2, (blocks, samples))  # times what any format holds
        scale = scheme.formats[0].magnitude if scheme.formats else 1
        encoded = scheme.encode(scale * data).shares[who]
        found = [
            _relations(field, data, encoded[..., place])
            for place, field in enumerate(domain.fields)
        ]
        return max(found), samples
    raise TypeError(f"an attack for {domain!r} is not known")


def _relations(field: PrimeField, data: NDArray[Any], shares: NDArray[Any]) -> float:
    both = np.concatenate([data, shares])
    return float(rank(field, data) + rank(field, shares) - rank(field, both))
