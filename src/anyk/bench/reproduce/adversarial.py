"""`anyk reproduce adversarial`: how fast the error falls where N^a of N workers lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from anyk.bench.reproduce.attacks import ATTACKS, Attack
from anyk.bench.reproduce.cache import Cache, user_directory
from anyk.bench.reproduce.data import Images, digits, mnist
from anyk.bench.reproduce.estimate import Estimate, mean, slope
from anyk.bench.reproduce.experiment import Claim, Experiment, Report, Setting, Table
from anyk.bench.reproduce.models import LENET5, lenet5_model
from anyk.bench.reproduce.picture import INK, LETCC, OURS, QUIET, SPARE, Picture, tidy
from anyk.bench.reproduce.progress import steps
from anyk.bench.reproduce.training import Recipe
from anyk.errors import RecoveryError
from anyk.schemes.approximate.spline.scheme import Spline
from anyk.schemes.encoded import Encoded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENT"]

Floats: TypeAlias = NDArray[np.float64]

_EXPONENTS = (0.3, 0.5, 0.7)
_FACTORS = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)  # of (A/N)^(8/5), for the published lambda
_TUNED_ON = 5  # trials of their own
_COLOURS = {"published": LETCC, "ours": OURS, "told who lies": SPARE}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Function:
    """What workers compute, on blocks that are drawn, with numbers of at most `bound`."""

    title: str
    blocks: int
    bound: float
    sizes: Sequence[int]
    draw: Callable[[np.random.Generator], Floats]
    compute: Callable[[Floats], Floats]


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Trial:
    """One draw of data, and the state of its attacks: the same for all decoders."""

    data: Floats
    seed: int


def _x_sin_x(x: Floats) -> Floats:
    values: Floats = x * np.sin(x)
    return values


def _functions(setting: Setting) -> tuple[_Function, ...]:
    """X sin x, and LeNet5 with a softmax; for a tiny run on scikit-learn's digits."""
    cache = Cache(user_directory() if setting.cache is None else setting.cache)
    recipe = Recipe(epochs=2, rate=5e-3) if setting.tiny else LENET5
    model = lenet5_model(digits() if setting.tiny else mnist(), cache, recipe=recipe)
    line = _Function(
        title="x sin x",
        blocks=10,
        bound=6.0,
        sizes=(20, 40) if setting.tiny else (40, 80, 160, 320),
        draw=lambda generator: np.sort(generator.uniform(-6.0, 6.0, 10)),
        compute=_x_sin_x,
    )
    net = _Function(
        title=model.name,
        blocks=10,
        bound=1.0,
        sizes=(20, 40) if setting.tiny else (40, 80, 160, 320),
        draw=partial(_pictures, model.report, 10),
        compute=model.softmax,
    )
    return line, net


def _pictures(images: Images, blocks: int, generator: np.random.Generator) -> Floats:
    chosen = generator.choice(len(images), blocks, replace=False)
    pixels: Floats = images[chosen].pixels
    return pixels


def _liars(workers: int, exponent: float) -> int:
    return max(1, math.floor(math.pow(workers, exponent)))


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Answered:
    """What honest workers answer to the shares of one trial, and the true values."""

    function: _Function
    encoded: Encoded
    answers: Floats
    truth: Floats
    seed: int

    def error(self, scheme: Spline, liars: int, attack: Attack, *, told: bool = False) -> float:
        """The mean square error of the value; where the scheme refuses, that of the mean."""
        layout, bound = self.encoded.layout, self.function.bound
        along = np.argsort(layout.places)
        near = np.searchsorted(layout.points, layout.positions).clip(0, along.size - 1)
        answers = self.answers.copy()
        generator = np.random.default_rng(self.seed)
        answers[along] = attack(generator, self.answers[along], near, liars, bound)
        honest = (answers == self.answers).all(axis=1)
        who = np.flatnonzero(honest) if told else np.arange(len(answers))
        encoded = Encoded(scheme, self.encoded.parts, layout)
        try:
            value = encoded.decode(np.clip(answers[who], -bound, bound), who.tolist()).value
        except RecoveryError:
            value = np.broadcast_to(self.truth.mean(axis=0), self.truth.shape)
        return float(np.mean(np.sum((value - self.truth) ** 2, axis=1)))


def _answered(function: _Function, scheme: Spline, trial: _Trial) -> _Answered:
    encoded = scheme.encode(trial.data)
    return _Answered(
        function=function,
        encoded=encoded,
        answers=function.compute(encoded.shares).reshape(len(encoded.shares), -1),
        truth=function.compute(trial.data).reshape(function.blocks, -1),
        seed=trial.seed,
    )


def _published(function: _Function, workers: int, smoothing: float = 0.0) -> Spline:
    return Spline(function.blocks, workers, ordering=None, decoder_smoothing=smoothing)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Curve:
    """The errors of one decoder under its worst attack."""

    sizes: Sequence[int]
    errors: Sequence[Floats]

    def slope(self) -> Estimate:
        """Of log error against log N."""
        return slope(self.sizes, [np.maximum(errors, 1e-30) for errors in self.errors])


def _worst(columns: Floats) -> Floats:
    """The errors (trials,) under the attack with the largest mean, of ndarray (trials, attacks)."""
    worst: Floats = columns[:, int(np.argmax(columns.mean(axis=0)))]
    return worst


def _decoders(
    function: _Function, workers: int, liars: int, tuning: Sequence[_Trial]
) -> dict[str, tuple[Spline, bool]]:
    """The schemes, and whether they are told who lies."""
    tried = [_answered(function, _published(function, workers), each) for each in tuning]

    def score(factor: float) -> float:
        scheme = _published(function, workers, factor * (liars / workers) ** 1.6)
        errors = [
            [each.error(scheme, liars, attack) for each in tried] for attack in ATTACKS.values()
        ]
        return float(np.mean(errors, axis=1).max())

    best = min(_FACTORS, key=score) * (liars / workers) ** 1.6
    ours = Spline(function.blocks, workers, stragglers=0, adversaries=liars, bound=function.bound)
    told = Spline(function.blocks, workers)
    return {
        "published": (_published(function, workers, best), False),
        "ours": (ours, False),
        "told who lies": (told, True),
    }


def _measure_case(
    setting: Setting, place: int, function: _Function, exponent: float
) -> dict[str, _Curve]:
    rounds = setting.trials(full=10, tiny=2)
    errors: dict[str, list[Floats]] = {name: [] for name in _COLOURS}
    title = f"adversarial, {function.title}, A = N^{exponent}"
    with steps(title, len(function.sizes) * rounds) as step:
        for workers in function.sizes:
            liars = _liars(workers, exponent)

            def draws(number: int, kind: int, workers: int = workers) -> list[_Trial]:
                generator = setting.generator(kind, place, workers, round(10 * exponent))
                return [
                    _Trial(data=function.draw(generator), seed=int(generator.integers(2**31)))
                    for _ in range(number)
                ]

            decoders = _decoders(
                function, workers, liars, draws(1 if setting.tiny else _TUNED_ON, 1)
            )
            table = []
            for trial in draws(rounds, 0):
                published = _answered(function, decoders["published"][0], trial)
                curve = _answered(function, decoders["ours"][0], trial)
                table.append([
                    [
                        (published if name == "published" else curve).error(
                            scheme, liars, attack, told=told
                        )
                        for attack in ATTACKS.values()
                    ]
                    for name, (scheme, told) in decoders.items()
                ])  # fmt: skip
                step()
            for name, columns in zip(decoders, np.array(table).swapaxes(0, 1), strict=True):
                errors[name].append(_worst(columns))
    return {name: _Curve(sizes=function.sizes, errors=each) for name, each in errors.items()}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Measured:
    """One function with one number of liars."""

    function: _Function
    exponent: float
    curves: dict[str, _Curve]

    @property
    def rate(self) -> float:
        """The published exponent of N."""
        return 1.2 * (self.exponent - 1.0)


def _table(function: _Function, measured: Sequence[_Measured], rounds: int) -> Table:
    rows: list[list[object]] = []
    for case in measured:
        for name, curve in case.curves.items():
            means = [f"{errors.mean():.1e}" for errors in curve.errors]
            stated = f"{case.rate:.2f}" if name == "published" else ""
            rows.append([f"A = N^{case.exponent}: {name}", *means, f"{curve.slope():.2f}", stated])
    return Table(
        title=f"{function.title}: mean square error of K = {function.blocks} values under the "
        f"worst of {len(ATTACKS)} attacks,\n{rounds} trials; slope of log error against log N",
        header=["", *(f"N={n}" for n in function.sizes), "slope (95 %)", "published"],
        rows=rows,
    )


def _claims(measured: Sequence[_Measured]) -> list[Claim]:
    """The published rates are upper bounds: a slope may be steeper, and not flatter."""
    claims = []
    for case in measured:
        fitted = case.curves["published"].slope()
        title = f"{case.function.title}, A = N^{case.exponent}"
        claims.append(
            Claim(
                text=f"published, {title}: the error falls at least like N^{case.rate:.2f}",
                measured=f"N^{fitted:.2f}",
                holds=fitted.low <= case.rate,
            )
        )
    return claims


def _paint(figure: Figure, measured: Sequence[_Measured]) -> None:
    for at, case in enumerate(measured):
        left, bottom = 0.06 + 0.32 * (at % 3), 0.53 - 0.43 * (at // 3)
        axes = figure.add_axes((left, bottom, 0.265, 0.335))
        _panel(axes, case)
        if at % 3:
            axes.set_ylabel("")


def _panel(axes: Axes, case: _Measured) -> None:
    sizes = case.function.sizes
    for name, curve in case.curves.items():
        shown = [mean(errors) for errors in curve.errors]
        low, high = [max(each.low, 1e-30) for each in shown], [each.high for each in shown]
        axes.fill_between(sizes, low, high, color=_COLOURS[name], alpha=0.2, linewidth=0)
        middle = [each.value for each in shown]
        told = f"{name}, N^{curve.slope().value:.1f}"
        axes.plot(sizes, middle, "o-", color=_COLOURS[name], ms=4, label=told)
        if name == "published":
            bound = [middle[0] * (n / sizes[0]) ** case.rate for n in sizes]
            axes.plot(sizes, bound, ":", color=_COLOURS[name], lw=1.2)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(sizes, [str(size) for size in sizes])
    axes.minorticks_off()
    title = f"{case.function.title}, A = N^{case.exponent}"
    tidy(axes, title, x="workers N", y="mean square error")
    axes.legend(fontsize=7.5, frameon=False, labelcolor=INK, loc="lower left")
    axes.text(
        0.98, 0.95, "dotted: published rate", fontsize=7, color=QUIET, ha="right",
        transform=axes.transAxes,
    )  # fmt: skip


def _measure(setting: Setting) -> Report:
    functions = _functions(setting)
    exponents = _EXPONENTS[1:2] if setting.tiny else _EXPONENTS
    rounds = setting.trials(full=10, tiny=2)
    measured = [
        _Measured(
            function=function,
            exponent=exponent,
            curves=_measure_case(setting, place, function, exponent),
        )
        for place, function in enumerate(functions)
        for exponent in exponents
    ]
    tables = [
        _table(each, [case for case in measured if case.function is each], rounds)
        for each in functions
    ]
    notes = (
        "published: Spline(ordering=None) with lambda = c (A/N)^(8/5) and answers clipped to the",
        "bound, c the best of a grid on trials of its own; its rate is the papers' upper bound",
        "N^(6/5 (a-1)). ours: Spline(adversaries=A, bound=...), which names liars; where it",
        "refuses (TooManyErrors) its error is that of the mean of the values. told who lies: the",
        "same curve through the honest answers. Liars know all answers and the places of all",
        "values: scattered with largest answers; in a row around a value, agreed on a largest",
        "answer, on a smooth bump, and on one a tenth as high. Everybody answers.",
        "Where liars in a row are most of the workers about a value, no decoder can name them:",
        "ours then follows them, and the strong smoothing of the published one errs less there.",
    )
    return Report(
        tables=tables,
        notes=notes,
        claims=_claims(measured),
        picture=Picture(
            title="the error under the worst attack, where N^a of N workers lie",
            caption="Means over trials with 95 % bootstrap intervals, of the attack with the "
            "largest mean.",
            size=(12.0, 7.6),
            paint=partial(_paint, measured=measured),
        ),
    )


EXPERIMENT = Experiment(
    name="adversarial",
    summary="the error where N^a of N workers lie, on x sin x and LeNet5: published and ours",
    source="Moradi and Maddah-Ali, General Coded Computing in Adversarial Settings (arXiv "
    "2502.08058)",
    measure=_measure,
)
