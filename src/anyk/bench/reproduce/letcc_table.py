"""`anyk reproduce letcc-table`: networks on coded workers, LeTCC, BACC, ours and replication."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, final

import numpy as np

from anyk.bench.reproduce.estimate import Estimate, geometric_mean_ratio, mean, ratio
from anyk.bench.reproduce.experiment import Claim, Experiment, Report, Setting, Table
from anyk.bench.reproduce.inference import SIDES, Case, Scores, measure, tuned
from anyk.bench.reproduce.letcc_rows import Row, rows
from anyk.bench.reproduce.picture import BACC, CURVE, INK, LETCC, OURS, SPARE, Picture, tidy
from anyk.bench.reproduce.progress import steps
from anyk.bench.reproduce.tuning import DECODER, ENCODER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["EXPERIMENT"]

_AHEAD = {"LeTCC": 2.0, "BACC": 2.5}  # what our error must be below theirs by
_MOST = 10.0  # a larger ratio of errors counts as this: some of ours are 0
_COLOURS = {"BACC": BACC, "LeTCC": LETCC, "curve": CURVE, "ours": OURS, "replication": SPARE}


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Measured:
    """The scores of one row."""

    row: Row
    name: str
    scores: Sequence[tuple[Case, Scores]]


def _measure_row(setting: Setting, number: int, row: Row) -> _Measured:
    model = row.make()
    quick = setting.tiny or row.share < 1.0
    rounds = max(1, math.ceil(row.share * setting.trials(full=200, tiny=8)))
    scores = []
    for at, case in enumerate(row.cases):
        lambdas = tuned(
            model,
            case,
            setting.generator(1, number, at),
            batches=1 if setting.tiny else max(3, math.ceil(10 * row.share)),
            encoder=ENCODER[:1] if setting.tiny else ENCODER[:: 3 if quick else 1],
            decoder=DECODER[::8] if setting.tiny else DECODER,
        )
        with steps(f"{model.name}, {case}", rounds) as step:
            found = measure(
                model, case, lambdas, setting.generator(0, number, at), batches=rounds, step=step
            )
        scores.append((case, found))
    return _Measured(row=row, name=model.name, scores=scores)


def _tables(measured: Sequence[_Measured]) -> tuple[Table, ...]:
    every = [(each.name, case, scores) for each in measured for case, scores in each.scores]
    return (
        Table(
            title="RMSE: root mean square over the blocks of the L2 error of the softmax output, "
            "mean over batches",
            header=["model, (N, K, S)", "batches", *SIDES],
            rows=[
                [
                    f"{name}, {case}",
                    len(scores.base),
                    *(f"{mean(scores.errors[s]):.3f}" for s in SIDES),
                ]
                for name, case, scores in every
            ],
        ),
        Table(
            title="How many times larger than ours their RMSE is; lambdas of LeTCC",
            header=[
                "model, (N, K, S)",
                "BACC / ours",
                "LeTCC / ours",
                "curve / ours",
                "encoder",
                "decoder",
            ],
            rows=[
                [
                    f"{name}, {case}",
                    *(f"{_ahead([scores], side):.2f}" for side in ("BACC", "LeTCC", "curve")),
                    *(f"{each:.0e}" if each else "0" for each in scores.lambdas),
                ]
                for name, case, scores in every
            ],
        ),
        Table(
            title="Relative accuracy: outputs classified right, as a share of the model's own",
            header=["model, (N, K, S)", *SIDES, "the model's own"],
            rows=[
                [
                    f"{name}, {case}",
                    *(f"{ratio(scores.hits[side], scores.base):.3f}" for side in SIDES),
                    f"{scores.base.mean():.3f}",
                ]
                for name, case, scores in every
            ],
        ),
        Table(
            title="Geometric means over all rows of the ratios of RMSE",
            header=["", *(f"/ {mine}" for mine in ("ours", "curve"))],
            rows=[
                [
                    side,
                    *(
                        f"{_ahead([each for _, _, each in every], side, mine):.2f}"
                        for mine in ("ours", "curve")
                    ),
                ]
                for side in ("BACC", "LeTCC", "replication")
            ],
        ),
        Table(
            title="Mean gain of LeTCC over BACC: RMSE, relative accuracy",
            header=["model", "measured here", "", "the paper's model", "stated", ""],
            rows=[
                [each.name, *_gains(each.scores), each.row.like, *each.row.gain]
                for each in measured
            ],
        ),
    )


def _ahead(scores: Sequence[Scores], side: str, mine: str = "ours") -> Estimate:
    return geometric_mean_ratio(
        [(each.errors[side], each.errors[mine]) for each in scores], most=_MOST
    )


def _gains(scores: Sequence[tuple[Case, Scores]]) -> tuple[str, str]:
    """Mean over the cases of 1 - RMSE(LeTCC)/RMSE(BACC), and of accuracy(LeTCC)/accuracy(BACC)."""
    errors = [1.0 - ratio(each.errors["LeTCC"], each.errors["BACC"]).value for _, each in scores]
    hits = [
        ratio(each.hits["LeTCC"], each.hits["BACC"]).value - 1.0
        for _, each in scores
        if each.hits["BACC"].any()
    ]
    return f"{100 * np.mean(errors):.0f} %", f"{100 * np.mean(hits):.1f} %" if hits else ""


def _claims(measured: Sequence[_Measured]) -> list[Claim]:
    every = [scores for each in measured for _, scores in each.scores]
    claims = []
    for side, least in _AHEAD.items():
        found = _ahead(every, side)
        claims.append(
            Claim(
                text=f"geometric mean of RMSE({side}) / RMSE(ours) is at least {least:g}",
                measured=str(found),
                holds=found.value >= least,
            )
        )
    for each in measured:
        for case, scores in each.scores:
            base = scores.base.mean() or 1.0
            more = mean((scores.hits["ours"] - scores.hits["replication"]) / base)
            claims.append(
                Claim(
                    text=f"{each.name}, {case}: as accurate as replication at least",
                    measured=f"{more.value:+.3f} ({more.low:+.3f} to {more.high:+.3f})",
                    holds=more.value >= 0.0,
                )
            )
    return claims


def _paint(figure: Figure, measured: Sequence[_Measured]) -> None:
    every = [(each.name, case, scores) for each in measured for case, scores in each.scores]
    height = 1 - 1.75 / figure.get_figheight()
    left = figure.add_axes((0.26, 0.85 / figure.get_figheight(), 0.34, height))
    right = figure.add_axes((0.64, 0.85 / figure.get_figheight(), 0.33, height))
    for at, side in enumerate(SIDES):
        errors = [mean(scores.errors[side]) for _, _, scores in every]
        shares = [ratio(scores.hits[side], scores.base) for _, _, scores in every]
        for axes, found in ((left, errors), (right, shares)):
            axes.errorbar(
                [each.value for each in found],
                [row + 0.15 * (at - 2) for row in range(len(every))],
                xerr=[
                    [max(0.0, each.value - each.low) for each in found],
                    [max(0.0, each.high - each.value) for each in found],
                ],
                fmt="o",
                markersize=5,
                linewidth=1.5,
                color=_COLOURS[side],
                label=side,
            )
    for axes in (left, right):
        axes.set_ylim(len(every) - 0.5, -0.5)
        axes.set_yticks(range(len(every)))
        axes.set_yticklabels([])
    left.set_yticklabels([f"{name}\n{case}" for name, case, _ in every])
    left.set_xlim(left=0.0)
    tidy(left, "RMSE of the softmax output", x="", y="")
    tidy(right, "relative accuracy", x="", y="")
    left.legend(
        fontsize=8.5, frameon=False, labelcolor=INK, ncols=5, loc="upper left",
        bbox_to_anchor=(-0.02, -0.04),
    )  # fmt: skip


def _measure(setting: Setting) -> Report:
    measured = [_measure_row(setting, at, row) for at, row in enumerate(rows(setting))]
    count = sum(len(each.scores) for each in measured)
    return Report(
        tables=_tables(measured),
        notes=(
            "All sides meet the same batches with the same stragglers; 95 % bootstrap intervals",
            "over batches. LeTCC: Spline(ordering=None), both lambdas the best of a grid on other",
            "pictures; BACC: Berrut; curve: Spline; ours: FilledReplication, as it comes. Of",
            "these two nothing is tuned. Replication: worker n has block n mod K; the output of a",
            "lost block is guessed (every class alike) for its RMSE, and counts as wrong.",
            f"A ratio of errors above {_MOST:g} counts as {_MOST:g}.",
            "The paper's RepVGG and ViT are larger and on other data; the cells of its table 1 are",
            "not known to us, only the mean gains that its text states.",
        ),
        claims=_claims(measured),
        picture=Picture(
            title="Networks on coded workers, of which some never answer",
            caption="(N, K, S): workers, blocks, random stragglers. Means with 95 % bootstrap "
            "intervals over batches.",
            size=(10.5, 1.9 + 0.62 * count),
            paint=partial(_paint, measured=measured),
        ),
    )


EXPERIMENT = Experiment(
    name="letcc-table",
    summary="LeNet5, RepVGG and ViT on coded workers: LeTCC, BACC, ours and replication",
    source="Moradi, Tahmasebi and Maddah-Ali, NeurIPS 2024, section 5 and table 1",
    measure=_measure,
)
