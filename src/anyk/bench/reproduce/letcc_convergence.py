"""`anyk reproduce letcc-convergence`: how fast the error falls with the number of workers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from anyk.bench.reproduce.estimate import Estimate, mean, slope
from anyk.bench.reproduce.experiment import Claim, Experiment, Report, Setting, Table
from anyk.bench.reproduce.picture import BACC, CURVE, INK, LETCC, OURS, QUIET, Picture, tidy
from anyk.bench.reproduce.progress import steps
from anyk.bench.reproduce.tuning import DECODER, ENCODER, tune
from anyk.schemes.approximate.berrut.scheme import Berrut
from anyk.schemes.approximate.filled_replication.scheme import FilledReplication
from anyk.schemes.approximate.spline.scheme import Spline
from anyk.schemes.base import AbstractScheme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENT"]

Floats = NDArray[np.float64]

_BLOCKS, _LATE, _REACH, _NOISE = 10, 5, 6.0, 0.3
_WORKERS = (20, 40, 80, 160, 320, 640, 1280, 2000)
_TINY_WORKERS = (20, 40, 80)
_ASYMPTOTIC = 80  # slopes are fitted from here on: S is then a small part of N
_ROUNDING = 1e-29  # a mean square error that double precision can't tell from 0
_TUNED_ON = 20  # trials of their own
_COLOURS = {"BACC": BACC, "LeTCC": LETCC, "curve": CURVE, "ours": OURS}


@final
@dataclass(frozen=True, kw_only=True)
class _Case:
    """One panel: the order of the data, the noise, and what the papers state for it."""

    title: str
    ordered: bool
    noise: float
    published: dict[str, str]
    rates: dict[str, float]


_CASES = tuple(
    _Case(
        title=f"{'noisy' if noise else 'noiseless'}, x {'increasing' if ordered else 'as drawn'}",
        ordered=ordered,
        noise=noise,
        published={"LeTCC": "-0.6"} if noise else {"BACC": "-2", "LeTCC": "-3"},
        rates={"LeTCC": -0.6} if noise else {"BACC": -2.0, "LeTCC": -3.0},
    )
    for noise in (0.0, _NOISE)
    for ordered in (True, False)
)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Trial:
    """One draw of data, stragglers and noise: the same for all schemes."""

    data: Floats
    answered: list[int]
    noise: Floats

    def error(self, scheme: AbstractScheme) -> float:
        """The mean square error of the value."""
        encoded = scheme.encode(self.data)
        answers = _f(encoded.shares[self.answered]) + self.noise[self.answered]
        value = encoded.decode(answers, self.answered).value
        return float(np.mean((value - _f(self.data)) ** 2))


def _f(x: Floats) -> Floats:
    values: Floats = x * np.sin(x)
    return values


def _draw(generator: np.random.Generator, case: _Case, workers: int) -> _Trial:
    data = generator.uniform(-_REACH, _REACH, _BLOCKS)
    answered = generator.choice(workers, workers - _LATE, replace=False)
    noise = case.noise * generator.standard_normal(workers)
    return _Trial(
        data=np.sort(data) if case.ordered else data,
        answered=sorted(answered.tolist()),
        noise=noise,
    )


def _published(workers: int, lambdas: tuple[float, float]) -> Spline:
    return Spline(
        _BLOCKS,
        workers,
        ordering=None,
        encoder_smoothing=lambdas[0],
        decoder_smoothing=lambdas[1],
    )


def _tuned(trials: Sequence[_Trial], workers: int, *, coarse: bool) -> tuple[float, float]:
    """Both lambdas of the published scheme, by the mean square error on these trials."""

    def prepare(encoder: float) -> Callable[[float], float]:
        def score(decoder: float) -> float:
            scheme = _published(workers, (encoder, decoder))
            return float(np.mean([trial.error(scheme) for trial in trials]))

        return score

    if coarse:
        return tune(prepare, encoder=(0.0,), decoder=DECODER[::8])
    return tune(prepare, encoder=ENCODER[::2], decoder=DECODER[::2])


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Curve:
    """The errors of one scheme in one case."""

    sizes: Sequence[int]
    errors: Sequence[Floats]

    def slope(self) -> Estimate | None:
        """Of the mean square error, where S is a small part of N and rounding no part of it."""
        kept = [
            (size, errors)
            for size, errors in zip(self.sizes, self.errors, strict=True)
            if size >= min(_ASYMPTOTIC, self.sizes[-2]) and errors.mean() > _ROUNDING
        ]
        if len(kept) < 2:  # noqa: PLR2004 - a line has two points
            return None
        return slope(*zip(*((n, np.maximum(e, _ROUNDING)) for n, e in kept), strict=True))


Curves = dict[str, _Curve]


def _measure_case(setting: Setting, number: int, case: _Case) -> Curves:
    sizes = _TINY_WORKERS if setting.tiny else _WORKERS
    rounds = setting.trials(full=100, tiny=3)
    errors: dict[str, list[Floats]] = {name: [] for name in _COLOURS}
    with steps(f"letcc-convergence, {case.title}", len(sizes) * (rounds + 1)) as step:
        for workers in sizes:
            draw = partial(_draw, case=case, workers=workers)
            other = setting.generator(1, number, workers)
            tuning = [draw(other) for _ in range(2 if setting.tiny else _TUNED_ON)]
            lambdas = _tuned(tuning, workers, coarse=setting.tiny)
            step()
            schemes = {
                "BACC": Berrut(_BLOCKS, workers),
                "LeTCC": _published(workers, lambdas),
                "curve": Spline(_BLOCKS, workers, stragglers=_LATE),
                "ours": FilledReplication(_BLOCKS, workers, stragglers=_LATE),
            }
            generator = setting.generator(0, number, workers)
            trials = []
            for _ in range(rounds):
                trial = draw(generator)
                trials.append([trial.error(scheme) for scheme in schemes.values()])
                step()
            for name, column in zip(schemes, np.array(trials).T, strict=True):
                errors[name].append(column)
    return {name: _Curve(sizes=sizes, errors=columns) for name, columns in errors.items()}


def _rows(case: _Case, curves: Curves) -> list[list[object]]:
    rows: list[list[object]] = []
    for name, curve in curves.items():
        fitted = curve.slope()
        means = [
            f"{errors.mean():.1e}" if errors.mean() > _ROUNDING else "0" for errors in curve.errors
        ]
        stated = case.published.get(name, "")
        rows.append([f"{case.title}: {name}", *means, "" if fitted is None else fitted, stated])
    return rows


def _claims(measured: Sequence[tuple[_Case, Curves]]) -> list[Claim]:
    """The published rates are upper bounds: a slope may be steeper, and not flatter."""
    claims = []
    for case, curves in measured:
        for name, rate in case.rates.items():
            fitted = curves[name].slope()
            if fitted is not None:
                claims.append(
                    Claim(
                        text=f"{name}, {case.title}: the error falls at least like N^{rate:g}",
                        measured=f"N^{fitted}",
                        holds=fitted.low <= rate,
                    )
                )
        for name in ("curve", "ours"):
            ahead = [
                mine.mean() <= theirs.mean()
                for mine, theirs in zip(curves[name].errors, curves["LeTCC"].errors, strict=True)
            ]
            claims.append(
                Claim(
                    text=f"{name}, {case.title}: mean error no larger than LeTCC's at any N",
                    measured=f"at {sum(ahead)} of {len(ahead)}",
                    holds=all(ahead),
                )
            )
    return claims


def _paint(figure: Figure, measured: Sequence[tuple[_Case, Curves]]) -> None:
    for at, (case, curves) in enumerate(measured):
        left, bottom = 0.075 + 0.48 * (at % 2), 0.53 - 0.43 * (at // 2)
        axes = figure.add_axes((left, bottom, 0.42, 0.345))
        _panel(axes, case, curves)
        if at % 2:
            axes.set_ylabel("")


def _panel(axes: Axes, case: _Case, curves: Curves) -> None:
    ticks = curves["ours"].sizes
    lowest = math.inf
    for name, curve in curves.items():
        shown = [
            (size, mean(errors))
            for size, errors in zip(curve.sizes, curve.errors, strict=True)
            if errors.mean() > _ROUNDING
        ]
        fitted = curve.slope()
        told = f"{name}, N^{fitted.value:.1f}" if fitted is not None else name
        if len(shown) < len(curve.sizes):
            told = f"{name}, 0 from N = {curve.sizes[len(shown)]} on"
        sizes = [size for size, _ in shown]
        middle = [each.value for _, each in shown]
        axes.fill_between(
            sizes,
            [max(each.low, _ROUNDING) for _, each in shown],
            [each.high for _, each in shown],
            color=_COLOURS[name],
            alpha=0.2,
            linewidth=0,
        )
        axes.plot(sizes, middle, "o-", color=_COLOURS[name], ms=4, label=told)
        lowest = min([lowest, *middle])
        if name in case.rates:
            rate = case.rates[name]
            bound = [middle[0] * (n / curve.sizes[0]) ** rate for n in curve.sizes]
            axes.plot(curve.sizes, bound, ":", color=_COLOURS[name], lw=1.2)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(bottom=lowest / 10)
    axes.set_xticks(ticks, [str(size) for size in ticks])
    axes.minorticks_off()
    tidy(axes, case.title, x="workers N", y="mean square error")
    axes.legend(fontsize=8, frameon=False, labelcolor=INK, loc="lower left")
    axes.text(
        0.98,
        0.95,
        "dotted: slopes of the published bounds",
        fontsize=7.5,
        color=QUIET,
        ha="right",
        transform=axes.transAxes,
    )


def _measure(setting: Setting) -> Report:
    measured = [(case, _measure_case(setting, at, case)) for at, case in enumerate(_CASES)]
    sizes = measured[0][1]["ours"].sizes
    table = Table(
        title=f"Mean square error of K = {_BLOCKS} values of x sin x, x uniform on "
        f"(-{_REACH:g}, {_REACH:g}), S = {_LATE}\nrandom stragglers, "
        f"{setting.trials(full=100, tiny=3)} trials; slope of log error against log N from "
        f"N = {min(_ASYMPTOTIC, sizes[-2])} on",
        header=["", *(f"N={n}" for n in sizes), "slope (95 %)", "published"],
        rows=[row for case, curves in measured for row in _rows(case, curves)],
    )
    notes = (
        "published: exponents of N in the papers' upper bounds on the mean square error, for fixed",
        "S: LeTCC S^3 N^-3 noiseless and S^(8/5) N^(-3/5) noisy, BACC S^4 N^-2 noiseless.",
        "LeTCC: Spline(ordering=None), both lambdas the best of a grid on trials of their own;",
        "BACC: Berrut; curve: Spline; ours: FilledReplication, as it comes, whose workers hold",
        "whole blocks: without noise its error is 0 while each block is held by one that answers.",
        f"Noisy: answers + {_NOISE:g} standard normal.",
        "The LeTCC paper does not name the function of its figure; x sin x is that of its sequels.",
    )
    return Report(
        tables=(table,),
        notes=notes,
        claims=_claims(measured),
        picture=Picture(
            title="x sin x: how fast the error falls with the number of workers",
            caption=f"K = {_BLOCKS}, S = {_LATE} random stragglers, the same for all schemes; "
            "means with 95 % bootstrap intervals; exponents fitted from "
            f"N = {min(_ASYMPTOTIC, sizes[-2])} on.",
            size=(9.6, 7.6),
            paint=partial(_paint, measured=measured),
        ),
    )


EXPERIMENT = Experiment(
    name="letcc-convergence",
    summary="the error on x sin x against the number of workers: LeTCC, BACC and ours",
    source="Moradi, Tahmasebi and Maddah-Ali, NeurIPS 2024, theorem 4 and figure 1(b)",
    measure=_measure,
)
