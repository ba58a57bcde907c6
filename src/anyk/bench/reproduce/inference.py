"""A model computed on coded workers of which some never answer: errors and hits of every scheme."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.bench.reproduce.data import Images
from anyk.bench.reproduce.models import Model
from anyk.bench.reproduce.tuning import tune
from anyk.schemes.approximate.berrut.scheme import Berrut
from anyk.schemes.approximate.filled_replication.scheme import FilledReplication
from anyk.schemes.approximate.spline.scheme import Spline
from anyk.schemes.base import AbstractScheme

__all__ = ["SIDES", "Case", "Scores", "measure", "published", "replicate", "tuned"]

Floats = NDArray[np.float64]
Softmax = Callable[[Floats], Floats]

SIDES = ("BACC", "LeTCC", "curve", "ours", "replication")


@final
@dataclass(frozen=True, kw_only=True)
class Case:
    """How many workers, blocks and stragglers.

    Args:
        workers: N.
        blocks: K, one picture each.
        late: S, who never answer.
    """

    workers: int
    blocks: int
    late: int

    def __str__(self) -> str:
        return f"({self.workers}, {self.blocks}, {self.late})"


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class _Trial:
    """A batch of pictures and the workers that answer: the same for all schemes."""

    images: Images
    answered: list[int]

    def decoded(self, scheme: AbstractScheme, softmax: Softmax) -> Floats:
        """Probabilities (K, 10) by way of coded workers."""
        encoded = scheme.encode(self.images.pixels)
        answers = softmax(encoded.shares[self.answered])
        return encoded.decode(answers, self.answered).value


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """What came of all trials of one case.

    Args:
        errors: RMSE by side, ndarrays (trials,): the root mean square over the blocks of the
            error's L2 norm.
        hits: by side the share of blocks that are classified right, ndarrays (trials,).
        base: the share that the model itself classifies right, ndarray (trials,).
        lambdas: of the published scheme, encoder's and decoder's.
    """

    errors: dict[str, Floats]
    hits: dict[str, Floats]
    base: Floats
    lambdas: tuple[float, float]


def published(case: Case, lambdas: tuple[float, float]) -> Spline:
    """LeTCC as it is published.

    Args:
        case: sizes.
        lambdas: the encoder's and the decoder's.
    """
    encoder, decoder = lambdas
    return Spline(
        case.blocks,
        case.workers,
        stragglers=case.late,
        ordering=None,
        encoder_smoothing=encoder,
        decoder_smoothing=decoder,
    )


def tuned(
    model: Model,
    case: Case,
    generator: np.random.Generator,
    *,
    batches: int,
    encoder: Sequence[float],
    decoder: Sequence[float],
) -> tuple[float, float]:
    """The lambdas of the published scheme with the least mean RMSE on pictures of their own.

    Args:
        model: with pictures to tune on.
        case: sizes.
        generator: of batches and stragglers.
        batches: how many.
        encoder: lambdas to try.
        decoder: lambdas to try.
    """
    trials = [_draw(model.tune, case, generator) for _ in range(batches)]
    truths = [model.softmax(trial.images.pixels) for trial in trials]

    def prepare(first: float) -> Callable[[float], float]:
        coded = [published(case, (first, 0.0)).encode(trial.images.pixels) for trial in trials]
        answers = [
            model.softmax(encoded.shares[trial.answered])
            for encoded, trial in zip(coded, trials, strict=True)
        ]

        def score(second: float) -> float:
            scheme = published(case, (first, second))
            values = [
                replace(encoded, scheme=scheme).decode(row, trial.answered).value
                for encoded, row, trial in zip(coded, answers, trials, strict=True)
            ]
            errors = [_rmse(value, truth) for value, truth in zip(values, truths, strict=True)]
            return float(np.mean(errors))

        return score

    return tune(prepare, encoder=encoder, decoder=decoder)


def measure(
    model: Model,
    case: Case,
    lambdas: tuple[float, float],
    generator: np.random.Generator,
    *,
    batches: int,
    step: Callable[[], None],
) -> Scores:
    """Errors and hits of every scheme on the same batches with the same stragglers.

    Args:
        model: what the workers compute.
        case: sizes.
        lambdas: of the published scheme.
        generator: of batches and stragglers.
        batches: how many.
        step: called after each.
    """
    schemes: dict[str, AbstractScheme] = {
        "BACC": Berrut(case.blocks, case.workers, stragglers=case.late),
        "LeTCC": published(case, lambdas),
        "curve": Spline(case.blocks, case.workers, stragglers=case.late),
        "ours": FilledReplication(case.blocks, case.workers, stragglers=case.late),
    }
    errors: dict[str, list[float]] = {side: [] for side in SIDES}
    hits: dict[str, list[float]] = {side: [] for side in SIDES}
    base = []
    for _ in range(batches):
        trial = _draw(model.report, case, generator)
        truth = model.softmax(trial.images.pixels)
        labels = trial.images.labels
        base.append(float(np.mean(truth.argmax(axis=1) == labels)))
        for side, scheme in schemes.items():
            value = trial.decoded(scheme, model.softmax)
            errors[side].append(_rmse(value, truth))
            hits[side].append(float(np.mean(value.argmax(axis=1) == labels)))
        value, known = replicate(truth, case.workers, trial.answered)
        errors["replication"].append(_rmse(value, truth))
        hits["replication"].append(float(np.mean(known & (value.argmax(axis=1) == labels))))
        step()
    return Scores(
        errors={side: np.array(column) for side, column in errors.items()},
        hits={side: np.array(column) for side, column in hits.items()},
        base=np.array(base),
        lambdas=lambdas,
    )


def replicate(
    truth: Floats, workers: int, answered: Sequence[int]
) -> tuple[Floats, NDArray[np.bool_]]:
    """What replication gives: worker n has block n mod K; a lost block is guessed.

    Args:
        truth: probabilities (K, classes) of all blocks.
        workers: N.
        answered: the workers that answered.

    Returns:
        Probabilities, every class alike where no replica answered; and which blocks are known.

    Example:
        >>> from anyk.bench.reproduce.inference import replicate
        >>> replicate(np.array([[1.0, 0.0], [0.0, 1.0]]), 3, [0, 2])
        (array([[1. , 0. ], [0.5, 0.5]]), array([ True, False]))
    """
    known = np.zeros(len(truth), dtype=bool)
    known[[worker % len(truth) for worker in answered if worker < workers]] = True
    guess = 1.0 / truth.shape[1]
    return np.where(known[:, None], truth, guess), known


def _draw(images: Images, case: Case, generator: np.random.Generator) -> _Trial:
    chosen = generator.choice(len(images), case.blocks, replace=False)
    answered = generator.choice(case.workers, case.workers - case.late, replace=False)
    return _Trial(images=images[chosen], answered=sorted(answered.tolist()))


def _rmse(value: Floats, truth: Floats) -> float:
    return float(np.sqrt(np.mean(np.sum((value - truth) ** 2, axis=1))))
