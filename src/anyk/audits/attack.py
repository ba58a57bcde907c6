"""An attack on shares: what a coalition learns at least, shown by what it predicts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
import scipy  # its submodules load when first used: import anyk stays quick
from numpy.typing import NDArray

from anyk.audits.disclosure import Disclosure, worst_coalition
from anyk.audits.guesses import Attack
from anyk.checks import GENERATOR, count, instance, probability
from anyk.checks import shown as shortly
from anyk.codes.exact.linear import rank
from anyk.domains.prime import PrimeField
from anyk.domains.ring import ResidueRing
from anyk.errors import InvalidArgument
from anyk.schemes.encoded import Encoded
from anyk.spread import larger, spread_of
from anyk.wording import numbered

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
        bound: what `anyk.leakage` says for such data: none can learn more.
        attacks: on the records of the user, where there were some.
        data_std: standard deviation of data for which `amount` and `bound` are stated; None over a
            field.
        spread: that of the records, where there were some.

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
    bound: float = math.inf
    attacks: tuple[Attack, ...] = ()
    data_std: float | None = None
    spread: float | None = None

    @property
    def above(self) -> bool:
        """Whether something was found beyond its bound: then the scheme keeps no promise."""
        return self.amount > self.bound * (1.0 + 1e-9) or any(each.above for each in self.attacks)

    def __str__(self) -> str:
        """A line on what is learned of random data, and one for each attack on records."""
        who = self.coalition
        names = ", ".join(map(str, who))
        learn = f"worker {names} learns" if len(who) == 1 else f"workers {names} learn"
        unit = self.unit if self.amount != 1 else self.unit[:-1]
        most = f", at most {self.bound:.3g}" if self.bound < math.inf else ""
        most += ": ABOVE ITS BOUND" if self.amount > self.bound * (1.0 + 1e-9) else ""
        first = (
            f"{learn} at least {self.amount:.3g} {unit} a coordinate "
            f"(confidence {self.confidence:g}, {self.samples} samples){most}"
        )
        lines = [first]
        if self.attacks:
            trials = numbered(self.attacks[0].trials, "encoding")
            some = "one worker" if len(who) == 1 else f"{len(who)} workers"
            lines.append(f"of a record, in {trials}, {some} told")
        lines.extend(f"  {attack}" for attack in self.attacks)
        more = larger(self.spread, self.data_std, things="records")
        if more:
            lines.append(f"{more} than the first line says")
        return "\n".join(lines)


def audit(
    encoded: Encoded,
    *,
    data: Any = None,
    labels: Any = None,
    colluders: int | None = None,
    samples: int = 50_000,
    confidence: float = 0.9999,
    data_std: float | None = None,
    generator: np.random.Generator | None = None,
) -> Audit:
    """Attack a scheme, with random data and with your own, from the shares of the worst coalition.

    With `data`, records are drawn from them and encoded, and the coalition guesses of one block
    which record it is (with the scheme, all records and the true distribution of the noise at
    hand), which of the `labels` it has (by the likeness to all other records), and what its numbers
    are (the best linear guess). Each is beside chance, and beside what no guess can exceed by the
    bits that the matrices and the covariance of the records allow.

    Besides, and without `data` alone, random data are encoded, and predicted. The coalition is the
    one that `worst_coalition` finds. Over the reals the data are Gaussian; half of the samples
    teach the attacker the best linear predictions of combinations of blocks, the other half
    measures their errors. A prediction of a Gaussian of variance 1 that errs by D
    in the mean square holds at least log2(1/D)/2 bits of it, however it was made (the
    rate-distortion function). Over a field the attacker counts linear relations of shares and data
    that hold in every sample.

    Args:
        encoded: made by the scheme to attack; its shares are not used, but fresh ones of random
            data. Workers hold what they hold in it.
        data: array-like (n, *shape), n records of real numbers: blocks, or rows of blocks, as noise
            is independent from number to number. Of more than 2,000 some are chosen.
        labels: array-like (n,), what is to be recognised of each.
        colluders: T, how many workers put their shares together; as many as the scheme promises
            something about by default, or else 1.
        samples: how many coordinates to attack, over the reals; at least 100.
        confidence: with which the result is to be a lower bound, in (0, 1).
        data_std: standard deviation of the random data; that of the scheme's promise by default, or
            else 1.
        generator: of the random data and of which records are drawn; a fresh one by default.

    Returns:
        What was found, and the bounds.

    Raises:
        InvalidArgument: if an argument is out of range, or the shares have several parts.

    References:
        Cover and Thomas, Elements of Information Theory, 2006, theorems 10.3.3 and 2.10.1.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> X = rng.normal(size=(100, 64))  # 100 people, 64 numbers each
        >>> encoded = anyk.VeiledReplication(4, 60, colluders=1, leakage=0.45).encode(X[:4])
        >>> found = anyk.audit(encoded, data=X, samples=1000, generator=rng)
        >>> name, explained, bits = found.attacks
        >>> bool(name.low > 0.99), bool(explained.low < explained.bound), found.above
        (True, True, False)
        >>> encoded = anyk.Lagrange(blocks=2, degree=2, workers=8, colluders=1).encode([1, 2])
        >>> [anyk.audit(encoded, colluders=t).amount for t in (1, 2)]
        [0.0, 1.0]
    """
    instance("encoded", encoded, Encoded, change="Pass what scheme.encode returned.")
    number = count("samples", samples, least=100)
    probability("confidence", confidence, change="Pass 0.999, say.")
    if len(encoded.parts) > 1:
        raise InvalidArgument(
            "encoded",
            given=repr(encoded),
            needed="shares of one part, made of blocks and masks",
            change="Ask anyk.leakage instead, which looks at the matrices.",
        )
    if data is None and labels is not None:
        raise InvalidArgument(
            "labels",
            given=f"{shortly(labels)}, and no data",
            needed="data, a record for each label",
            change="Pass data=X too, or leave labels out.",
        )
    size = (encoded.guarantee.colluders or 1) if colluders is None else colluders
    worst = worst_coalition(encoded, colluders=size, data_std=data_std)
    if generator is not None:
        instance("generator", generator, np.random.Generator, change=GENERATOR)
    draw = np.random.default_rng() if generator is None else generator
    attacks = (
        ()
        if data is None
        else _on_records(encoded, data, labels, worst=worst, confidence=confidence, generator=draw)
    )
    who = encoded.held_by(worst.coalition)
    if worst.data_std is None:
        amount, number = _symbols(encoded, who, draw)
    else:
        blocks, shares = _gaussian_samples(encoded, who, worst.data_std, number, draw)
        amount = _bits(blocks, shares, confidence)
    return Audit(
        amount=amount,
        unit=worst.unit,
        coalition=worst.coalition,
        confidence=confidence,
        samples=number,
        bound=worst.amount,
        attacks=attacks,
        data_std=worst.data_std,
        spread=None if data is None else spread_of(data),
    )


def _on_records(
    encoded: Encoded,
    data: Any,
    labels: Any,
    *,
    worst: Disclosure,
    confidence: float,
    generator: np.random.Generator,
) -> tuple[Attack, ...]:
    """The attacks on the user's own records."""
    from anyk.audits.records import attacks_on, labels_of, records_of  # noqa: PLC0415 - if asked

    records, chosen = records_of(data, generator)
    known = None if labels is None else labels_of(labels, len(data), chosen)
    return attacks_on(
        encoded, records, known, worst=worst, confidence=confidence, generator=generator
    )


def _gaussian_samples(
    encoded: Encoded,
    who: list[int],
    deviation: float,
    samples: int,
    generator: np.random.Generator,
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Blocks of standard deviation 1, ndarray (K, samples), and the coalition's shares."""
    scheme = encoded.scheme
    blocks = scheme.problem.blocks  # type: ignore[union-attr] # maps and sums alone are encoded so
    data = generator.standard_normal((blocks, samples))
    if scheme.domain.dtype.kind == "c":
        data = (data + 1j * generator.standard_normal((blocks, samples))) * math.sqrt(0.5)
    step = max(1, _BATCH // scheme.guarantee.workers)
    parts = [
        scheme.encode_argument(
            deviation * data[:, start : start + step], layout=encoded.layout
        ).shares[who]
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


def _symbols(encoded: Encoded, who: list[int], generator: np.random.Generator) -> tuple[float, int]:
    """Linear relations of shares and data: rank of data + rank of shares - rank of both."""
    scheme, layout = encoded.scheme, encoded.layout
    domain, blocks = scheme.domain, scheme.problem.blocks  # type: ignore[union-attr] # as above
    samples = blocks + len(who) + _SPARE
    if isinstance(domain, PrimeField):
        data = generator.integers(0, domain.modulus, (blocks, samples))
        shares = scheme.encode_argument(data, layout=layout).shares[who]
        return _relations(domain, data, shares), samples
    if isinstance(domain, ResidueRing):
        data = generator.integers(0, 2, (blocks, samples))  # times what any format holds
        scale = scheme.formats[0].magnitude if scheme.formats else 1
        shares = scheme.encode_argument(scale * data, layout=layout).shares[who]
        found = [
            _relations(field, data, shares[..., place]) for place, field in enumerate(domain.fields)
        ]
        return max(found), samples
    raise TypeError(f"an attack for {domain!r} is not known")


def _relations(field: PrimeField, data: NDArray[Any], shares: NDArray[Any]) -> float:
    both = np.concatenate([data, shares])
    return float(rank(field, data) + rank(field, shares) - rank(field, both))
