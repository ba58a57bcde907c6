"""Every set of answers with every set of lies among them: accepted implies right, for N <= 10.

Claim: of the answers of Lagrange, Shamir, Summed and codes in pieces with up to ten shares, over
small fields, for all A <= D that they bear, no value is accepted that is wrong while at most D
workers lie; and where e answers of at most A workers are lies, every |F| >= k + L + e is accepted,
with these workers named (L is D with one answer a worker; with more, the most that D workers gave).
One worker's answer fewer would not do: the same decoder, certain one answer sooner, takes a lie.

The codes are linear, and a decoder sees no more of the truth than the lies added to it, so the
zero word stands for all of them; what is enumerated are lies. Every set of places that at most D
workers hold lies: as the answers of another word that agrees with the truth in as many of the other
answers as two words can, which is the worst that liars can tell; and, up to `--values` shares, with
every value (but for a common factor, as the codes are linear).

Run: python benchmarks/certain_early_every_pattern.py [--tiny]     (an hour on one core)
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields

import numpy as np

import anyk
from anyk.bench.measure import table
from anyk.codes.exact.linear import row_reduce

MOST = 10


@dataclass
class Tally:
    """What became of the patterns of one scheme."""

    patterns: int = 0  # sets of answers, with sets of lies among them
    decodings: int = 0
    accepted: int = 0
    refused: int = 0
    wrong: int = 0  # accepted, and not the truth
    missed: int = 0  # promised to be accepted, and refused

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


def smallest(least: int) -> anyk.PrimeField:
    """The smallest prime field with so many elements."""
    number = max(least, 2)
    while any(number % other == 0 for other in range(2, number)):
        number += 1
    return anyk.PrimeField(number)


def threats(spare: int) -> Iterator[dict[str, int]]:
    """All (A, D) with A <= D that so many answers beyond k bear."""
    for detects in range(spare + 1):
        for adversaries in range(min(detects, spare - detects) + 1):
            yield {"adversaries": adversaries, "detects": detects}


def schemes(shares: int) -> Iterator[anyk.AbstractScheme]:
    """All codes with so many shares, by their dimension; some with pieces, some summed."""
    for blocks in range(1, shares + 1):
        field = smallest(blocks + shares)
        for threat in threats(shares - blocks):
            code = anyk.Lagrange(blocks=blocks, degree=1, workers=shares, field=field, **threat)
            yield code
            if blocks in (2, 3):
                yield anyk.Summed(code)
        for pieces in (2, 3):
            if shares % pieces == 0 and shares > pieces:
                for threat in threats((shares - blocks) // pieces):
                    yield anyk.Lagrange(
                        blocks=blocks,
                        degree=1,
                        workers=shares // pieces,
                        pieces=pieces,
                        field=field,
                        **threat,
                    )
    for blocks, colluders in itertools.product((1, 2), (1, 2)):
        for threat in threats(shares // blocks - colluders - 1):
            yield anyk.Shamir(
                blocks=blocks,
                degree=1,
                workers=shares,
                colluders=colluders,
                field=smallest(-(-shares // blocks) + 1),
                **threat,
            )


def within(scheme: anyk.AbstractScheme) -> anyk.AbstractScheme:
    """The code of a sum."""
    return scheme.scheme if isinstance(scheme, anyk.Summed) else scheme


@dataclass
class Trial:
    """One scheme, its generator matrix and what it promises, computed apart from the library."""

    scheme: anyk.AbstractScheme

    def __post_init__(self) -> None:
        self.code = within(self.scheme)
        self.field, self.pieces = self.code.field, self.scheme.guarantee.pieces
        self.adversaries, self.detects = self.code.adversaries, self.code.detects
        blocks = np.zeros((self.code.blocks, 1), dtype=np.int64)
        self.encoded = self.scheme.encode(blocks)
        encoder = self.encoded.encoder
        self.generator = np.concatenate([encoder.data, encoder.masks], axis=1)
        shamir = isinstance(self.code, anyk.Shamir)
        self.groups = self.code.blocks if shamir else 1  # codes beside each other
        self.dimension = self.code.colluders + 1 if shamir else self.code.blocks
        self.workers = range(self.scheme.guarantee.workers)
        self.known: dict[tuple[int, tuple[int, ...]], np.ndarray] = {}

    def margins(self, answered: tuple[int, ...]) -> list[int]:
        """Of each code, how many lies among these answers are promised to be borne."""
        margins = []
        for group in range(self.groups):
            own = [share for share in answered if share % self.groups == group]
            held = [sum(share // self.pieces == who for share in own) for who in self.workers]
            spoiled = max(map(sum, itertools.combinations(held, self.detects)))
            margins.append(len(own) - spoiled - self.dimension)
        return margins

    def promised(self, margins: list[int], lies: tuple[int, ...]) -> bool:
        """Whether answers with these lies must be accepted, by the bound written out."""
        told = [sum(share % self.groups == group for share in lies) for group in range(self.groups)]
        few = len({share // self.pieces for share in lies}) <= self.adversaries
        return few and all(lies <= margin for lies, margin in zip(told, margins, strict=True))

    def worst(self, answered: tuple[int, ...], lies: tuple[int, ...], rng) -> np.ndarray:
        """Answers of another word on the lies, which is 0 in as many other places as it can be."""
        told = rng.integers(1, self.field.modulus, len(lies))
        group = lies[0] % self.groups
        ours = [place for place, share in enumerate(lies) if share % self.groups == group]
        honest = [s for s in answered if s % self.groups == group and s not in lies]
        zeros = sorted(rng.permutation(honest)[: self.dimension - 1].tolist())
        words = self.vanishing(group, tuple(zeros))
        factors = rng.integers(0, self.field.modulus, (1, len(words)))
        factors[0, -1] = 1
        rows = self.generator[[lies[place] for place in ours]]
        word = (factors @ words % self.field.modulus @ rows.T % self.field.modulus)[0]
        told[ours] = np.where(word == 0, 1, word)
        return told

    def vanishing(self, group: int, zeros: tuple[int, ...]) -> np.ndarray:
        """A basis of the words of one of the codes that are 0 in these places."""
        if (group, zeros) not in self.known:
            beside = self.generator[
                [s for s in range(len(self.generator)) if s % self.groups != group]
            ]
            rows = np.concatenate([beside, self.generator[list(zeros)]])
            self.known[group, zeros] = kernel(self.field, rows)
        return self.known[group, zeros]

    def lies(
        self, answered: tuple[int, ...], places: tuple[int, ...], rng, *, every: bool
    ) -> Iterator[np.ndarray]:
        """What is told in these places, each value other than 0."""
        if not places:
            yield np.zeros(0, dtype=np.int64)
            return
        yield self.worst(answered, places, rng)
        if every:
            others = range(1, self.field.modulus)
            for told in itertools.product((1,), *[others] * (len(places) - 1)):
                yield np.array(told)


def kernel(field: anyk.PrimeField, rows: np.ndarray) -> np.ndarray:
    """A basis, one a row, of what all these rows are orthogonal to."""
    width = rows.shape[1]
    reduced, pivots = row_reduce(field, rows) if len(rows) else (rows, ())
    free = [column for column in range(width) if column not in pivots]
    basis = np.zeros((len(free), width), dtype=np.int64)
    for place, column in enumerate(free):
        basis[place, column] = 1
        for row, pivot in enumerate(pivots):
            basis[place, pivot] = -reduced[row, column] % field.modulus
    return basis


def subsets(items, least: int = 0, most: int = MOST) -> Iterator[tuple[int, ...]]:
    """All of these sizes, small ones first."""
    for size in range(least, min(len(items), most) + 1):
        yield from itertools.combinations(items, size)


def check(scheme: anyk.AbstractScheme, values: int, chance: float = 1.0, seed: int = 0) -> Tally:
    """Try every pattern of one scheme.

    Args:
        scheme: any that `schemes` makes.
        values: up to how many shares every value of every lie is tried.
        chance: that a pattern is tried, below 1 for a sample.
        seed: of the random lies.
    """
    trial, tally, rng = Trial(scheme), Tally(), np.random.default_rng(seed)
    total = len(trial.generator)
    for answered in subsets(range(total), 1):
        order, margins = tuple(rng.permutation(answered).tolist()), trial.margins(answered)
        try:
            recovery = trial.encoded.recovery(order)
        except anyk.NotEnoughAnswers:
            tally.patterns += 1
            tally.missed += trial.promised(margins, ())
            continue
        for liars in subsets(trial.workers, most=trial.detects):
            held = [[s for s in answered if s // trial.pieces == liar] for liar in liars]
            for told in itertools.product(*(list(subsets(own, 1)) for own in held)):
                if chance < 1.0 and rng.random() >= chance:
                    continue
                places = tuple(itertools.chain(*told))
                tally.patterns += 1
                promised = trial.promised(margins, places)
                for lie in trial.lies(answered, places, rng, every=total <= values):
                    received = np.zeros((total, 1), dtype=np.int64)
                    received[list(places), 0] = lie
                    judge(recovery, received[list(order)], liars, tally, promised=promised)
    return tally


def judge(recovery, received, liars: tuple[int, ...], tally: Tally, *, promised: bool) -> None:
    """Decode once."""
    tally.decodings += 1
    try:
        recovered = recovery.recover(received)
    except anyk.TooManyErrors:
        tally.refused += 1
        tally.missed += promised
        return
    tally.accepted += 1
    tally.wrong += bool(recovered.value.any()) or recovered.suspects != liars


def one(given: tuple[anyk.AbstractScheme, int, float]) -> Tally:
    """`check`, for a pool."""
    return check(*given)


def main() -> None:
    """Go through all of them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tiny", action="store_true", help="up to 5 shares")
    parser.add_argument("--values", type=int, default=6, help="every value up to so many shares")
    parser.add_argument("--least", type=int, default=1, help="shares, at least")
    parser.add_argument("--most", type=int, default=MOST, help="shares, at most")
    parser.add_argument("--chance", type=float, default=1.0, help="that a pattern is tried")
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    most, values = (5, 4) if options.tiny else (options.most, options.values)
    rows, total = [], Tally()
    with ProcessPoolExecutor(options.processes) as pool:
        for shares in range(options.least, most + 1):
            every = [(scheme, values, options.chance) for scheme in schemes(shares)]
            tally = Tally()
            for each in pool.map(one, every):
                tally.add(each)
            total.add(tally)
            rows.append([shares, len(every), *vars(tally).values()])
            print(f"{shares} shares: {tally}", flush=True)
    columns = ["shares", "schemes", *vars(total)]
    rows.append(["all", sum(row[1] for row in rows), *vars(total).values()])
    print(table(columns, rows))
    raise SystemExit(1 if total.wrong or total.missed else 0)


if __name__ == "__main__":
    main()
