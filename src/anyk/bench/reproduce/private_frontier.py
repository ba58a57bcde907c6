"""`anyk reproduce private-frontier`: how much error buys how little leakage."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.audits.disclosure import leakage
from anyk.bench.reproduce.estimate import Estimate, geometric_mean_ratio, mean, ratio
from anyk.bench.reproduce.experiment import Claim, Experiment, Report, Setting, Table
from anyk.bench.reproduce.picture import BACC, CURVE, INK, LETCC, OURS, Picture, tidy
from anyk.bench.reproduce.private_curve import PrivateCurve
from anyk.bench.reproduce.progress import steps
from anyk.demo.digits import held_out
from anyk.demo.network import logits
from anyk.errors import RecoveryError
from anyk.schemes.approximate.berrut.scheme import Berrut
from anyk.schemes.approximate.veiled_replication.scheme import VeiledReplication
from anyk.schemes.base import AbstractScheme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENT"]

Floats: TypeAlias = NDArray[np.float64]
Pair: TypeAlias = tuple[float, float]
"""RMSE of the logits, and the share of images whose argmax agrees."""

_WORKERS = 60
_ROWS = ((2, 0.32), (2, 0.23), (4, 0.33), (8, 1.03), (8, 2.59))  # K, and bits for T = 1
_GUARDS = (0.1, 0.3)
_BLOCKS = 4
_BITS = (0.1, 0.2, 0.45, 1.0, 2.0)
_TINY_BITS = (0.45, 2.0)
_COLLUDERS = (1, 2, 3)
_THREATS = ((0, 0), (6, 0), (6, 4))  # S, A
_TIMES = 2.0  # by how much the error is to be below that of the curve
_LOOSE = 1.0 + 1e-9


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Trial:
    """One batch, and who answers it and who lies."""

    batch: Floats
    answered: NDArray[np.intp]
    liars: NDArray[np.intp]
    attack: int
    generator: np.random.Generator

    def answers(self, shares: Floats) -> Floats:
        """What comes back, some of it lies: random, sign turned, small, or all the same shift."""
        answers = logits(shares[self.answered])
        if not self.liars.size:
            return answers
        size = float(np.sqrt(np.mean(np.sum(answers**2, axis=1))))
        directions = self.generator.standard_normal((self.liars.size, answers.shape[1]))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        lies = (
            size * directions,
            -2.0 * answers[self.liars],
            0.3 * size * directions,
            size * np.broadcast_to(directions[0], directions.shape),
        )
        answers[self.liars] += lies[self.attack % len(lies)]
        return answers

    def judge(self, value: Floats) -> Pair:
        """Against the network's own answers."""
        truth = logits(self.batch)
        rmse = float(np.sqrt(np.mean(np.sum((value - truth) ** 2, axis=1))))
        return rmse, float(np.mean(value.argmax(axis=1) == truth.argmax(axis=1)))

    def coded(self, scheme: AbstractScheme) -> Pair:
        """By way of a scheme; where it refuses, by zeros."""
        encoded = scheme.encode(self.batch)
        try:
            value = encoded.decode(self.answers(encoded.shares), list(self.answered)).value
        except RecoveryError:
            value = np.zeros((len(self.batch), 10))
        return self.judge(value)

    def curved(self, curve: PrivateCurve) -> Pair:
        """By way of the curve with noise between the data."""
        encoder = curve.encoder
        noise = self.generator.standard_normal((encoder.masks.shape[1], self.batch.shape[1]))
        shares = encoder.data @ self.batch + encoder.masks @ noise
        return self.judge(curve.decode(self.answers(shares), self.answered))


def _draw(
    generator: np.random.Generator, images: Floats, blocks: int, threat: tuple[int, int], at: int
) -> _Trial:
    late, liars = threat
    return _Trial(
        batch=images[generator.choice(len(images), blocks, replace=False)],
        answered=generator.permutation(_WORKERS)[: _WORKERS - late],
        liars=generator.choice(_WORKERS - late, liars, replace=False),
        attack=at,
        generator=generator,
    )


Sides: TypeAlias = dict[str, Callable[[_Trial], Pair]]


def _measured(
    setting: Setting, place: tuple[int, ...], sides: Sides, shape: tuple[int, tuple[int, int]]
) -> dict[str, Floats]:
    """Of each side the pairs of all trials, ndarray (trials, 2)."""
    images, _ = held_out()
    generator = setting.generator(*place)
    pairs: dict[str, list[Pair]] = {name: [] for name in sides}
    for at in range(setting.trials(full=100, tiny=2)):
        trial = _draw(generator, images, *shape, at)
        for name, side in sides.items():
            pairs[name].append(side(trial))
    return {name: np.array(each) for name, each in pairs.items()}


def _spread(images: Floats) -> float:
    """The standard deviation of a pixel, root mean square over the pixels."""
    return float(np.sqrt(np.mean(np.var(images, axis=0))))


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Against:
    """One row of the first table."""

    blocks: int
    bits: float
    pairs: dict[str, Floats]

    @property
    def curve(self) -> Floats:
        """The curve with the guard that turned out better."""
        sides = [self.pairs[f"curve {guard}"] for guard in _GUARDS]
        return min(sides, key=lambda side: float(side[:, 0].mean()))

    @property
    def cells(self) -> list[object]:
        """What the table shows."""
        shown: list[object] = [f"{self.blocks}, {_WORKERS}", f"{self.bits:g}"]
        for side in (self.pairs["ours"], self.curve, self.pairs["BACC"]):
            shown += [f"{mean(side[:, 0]):.2f}", f"{side[:, 1].mean():.3f}"]
        return [*shown, f"{ratio(self.curve[:, 0], self.pairs['ours'][:, 0]):.1f}"]


def _against(setting: Setting, std: float) -> list[_Against]:
    rows = []
    chosen = _ROWS[1::3] if setting.tiny else _ROWS
    with steps("private-frontier, one colluder", len(chosen)) as step:
        for at, (blocks, bits) in enumerate(chosen):
            ours = VeiledReplication(blocks, _WORKERS, colluders=1, leakage=bits, data_std=std)
            bacc = Berrut(blocks, _WORKERS, colluders=1, leakage=bits, data_std=std)
            sides: Sides = {
                "ours": partial(_Trial.coded, scheme=ours),
                "BACC": partial(_Trial.coded, scheme=bacc),
            }
            for guard in _GUARDS:
                curve = PrivateCurve(
                    blocks=blocks, workers=_WORKERS, guard=guard, leakage=bits, data_std=std
                )
                sides[f"curve {guard}"] = partial(_Trial.curved, curve=curve)
            pairs = _measured(setting, (0, at), sides, (blocks, (0, 0)))
            rows.append(_Against(blocks=blocks, bits=bits, pairs=pairs))
            step()
    return rows


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Front:
    """Leakage against error, for one side, one T and one threat."""

    name: str
    colluders: int
    threat: tuple[int, int]
    bits: Sequence[float]
    found: Sequence[float]
    pairs: Sequence[Floats]

    @property
    def cells(self) -> list[object]:
        """What the table shows."""
        measured = (f"{mean(pair[:, 0]):.2f}; {pair[:, 1].mean():.3f}" for pair in self.pairs)
        return [self.name, self.colluders, *self.threat, *measured]


def _fronts(setting: Setting, std: float) -> list[_Front]:
    bits = _TINY_BITS if setting.tiny else _BITS
    fronts = []
    cases = [(threat, colluders) for threat in _THREATS for colluders in _COLLUDERS]
    with steps("private-frontier, all threats", len(cases) * len(bits)) as step:
        for threat, colluders in cases:
            found, pairs = [], []
            for at, each in enumerate(bits):
                sides, learned = _sides(threat, colluders, each, std)
                found.append(learned)
                place = (1, colluders, *threat, at)
                pairs.append(_measured(setting, place, sides, (_BLOCKS, threat)))
                step()
            fronts += [
                _Front(
                    name=name,
                    colluders=colluders,
                    threat=threat,
                    bits=bits,
                    found=found,
                    pairs=[pair[name] for pair in pairs],
                )
                for name in pairs[0]
            ]
    return fronts


def _sides(threat: tuple[int, int], colluders: int, bits: float, std: float) -> tuple[Sides, float]:
    """Ours, and the curve where it is one; and what the worst colluders learn of ours."""
    scheme = VeiledReplication(
        _BLOCKS,
        _WORKERS,
        stragglers=threat[0],
        adversaries=threat[1],
        colluders=colluders,
        leakage=bits,
        data_std=std,
    )
    sides: Sides = {"ours": partial(_Trial.coded, scheme=scheme)}
    if colluders == 1 and not threat[1]:
        curve = PrivateCurve(
            blocks=_BLOCKS, workers=_WORKERS, guard=_GUARDS[0], leakage=bits, data_std=std
        )
        sides["curve"] = partial(_Trial.curved, curve=curve)
    return sides, leakage(scheme.encode(np.zeros((_BLOCKS, 1))), colluders=colluders)


def _claims(against: Sequence[_Against], fronts: Sequence[_Front]) -> list[Claim]:
    errors = [(row.curve[:, 0], row.pairs["ours"][:, 0]) for row in against]
    ahead = geometric_mean_ratio(errors)
    kept = [
        row.pairs["ours"][:, 0].mean() <= row.curve[:, 0].mean()
        and row.pairs["ours"][:, 1].mean() >= row.curve[:, 1].mean()
        for row in against
    ]
    most = max(
        found / asked
        for front in fronts
        for found, asked in zip(front.found, front.bits, strict=True)
    )
    return [
        Claim(
            text=f"one colluder: the curve's error is at least {_TIMES:g} times ours",
            measured=f"{ahead:.2f} (geometric mean over the rows)",
            holds=ahead.low >= _TIMES,
        ),
        Claim(
            text="one colluder: at every row error no larger and agreement no smaller than its",
            measured=f"at {sum(kept)} of {len(kept)}",
            holds=all(kept),
        ),
        Claim(
            text="no T workers learn more than asked for, all coalitions tried",
            measured=f"at most {most:.6f} of it",
            holds=most <= _LOOSE,
        ),
    ]


def _paint(figure: Figure, fronts: Sequence[_Front]) -> None:
    for at, (title, column) in enumerate((("RMSE of the logits", 0), ("argmax agrees", 1))):
        values = np.array([pair[:, column].mean() for front in fronts for pair in front.pairs])
        for along, threat in enumerate(_THREATS):
            left, bottom = 0.06 + 0.325 * along, 0.56 - 0.45 * at
            axes = figure.add_axes((left, bottom, 0.265, 0.31))
            chosen = [front for front in fronts if front.threat == threat]
            _panel(axes, chosen, column, f"{title}, S = {threat[0]}, A = {threat[1]}")
            if column:
                axes.set_ylim(float(values.min()) - 0.03, 1.01)
            else:
                axes.set_ylim(0.7 * float(values.min()), 1.4 * float(values.max()))


def _panel(axes: Axes, fronts: Sequence[_Front], column: int, title: str) -> None:
    colours = {1: OURS, 2: LETCC, 3: BACC}
    for front in fronts:
        estimates: list[Estimate] = [mean(pair[:, column]) for pair in front.pairs]
        low, high = [each.low for each in estimates], [each.high for each in estimates]
        ours = front.name == "ours"
        colour = colours[front.colluders] if ours else CURVE
        axes.fill_between(front.bits, low, high, color=colour, alpha=0.2)
        axes.plot(
            front.bits,
            [each.value for each in estimates],
            "o-" if ours else "o--",
            color=colour,
            ms=4,
            label=f"T = {front.colluders}{'' if ours else ', one curve'}",
        )
    axes.set_xscale("log")
    if column == 0:
        axes.set_yscale("log")
    tidy(axes, title, x="bits a pixel that T workers learn", y="")
    axes.set_xticks(fronts[0].bits, [f"{each:g}" for each in fronts[0].bits])
    axes.minorticks_off()
    if column == 0:
        axes.legend(fontsize=8, frameon=False, labelcolor=INK, loc="lower left")


def _measure(setting: Setting) -> Report:
    images, _ = held_out()
    std = _spread(images)
    trials = setting.trials(full=100, tiny=2)
    against, fronts = _against(setting, std), _fronts(setting, std)
    first = Table(
        title=f"One colluder, {trials} batches a row: RMSE of the logits (95 %), and how often "
        "argmax agrees",
        header=[
            "K, N",
            "bits",
            "ours",
            "agrees",
            "curve",
            "agrees",
            "BACC",
            "agrees",
            "curve/ours",
        ],
        rows=[row.cells for row in against],
    )
    second = Table(
        title=f"K = {_BLOCKS}, N = {_WORKERS}, {trials} batches a cell: RMSE (95 %); how often "
        "argmax agrees, by bits a pixel",
        header=["side", "T", "S", "A", *(f"{bits:g} bits" for bits in fronts[0].bits)],
        rows=[front.cells for front in fronts],
    )
    notes = (
        "A 64-64-32-10 ReLU network on digits it was not trained on; RMSE: root mean square over",
        "the K outputs of the error's norm. bits: a pixel, what the worst T workers learn of data",
        f"of standard deviation {std:.3f} (pixels from 0 to 1, root mean square over the pixels).",
        "curve: a natural spline through noise and data in turn, workers kept from the data by the",
        "better of two guards. BACC: Berrut with one noise node. All at the same exact leakage.",
        "A liars lie at random, by sign, by 0.3 of an answer, or all by the same shift, in turn.",
    )
    return Report(
        tables=(first, second),
        notes=notes,
        claims=_claims(against, fronts),
        picture=Picture(
            title="What hiding the data costs: leakage against error",
            caption=f"Digits network, K = {_BLOCKS} images on N = {_WORKERS} workers; S late, A "
            "lying, any T curious together; means with 95 % bootstrap intervals.",
            size=(11.5, 7.0),
            paint=partial(_paint, fronts=fronts),
        ),
    )


EXPERIMENT = Experiment(
    name="private-frontier",
    summary="leakage against error for T = 1, 2, 3, with and without stragglers and liars",
    source="no published figures: to compare, the private form of Jahani-Nezhad and Maddah-Ali's "
    "BACC,\nand a spline through data and noise (after Moradi, Tahmasebi and Maddah-Ali 2024)",
    measure=_measure,
)
