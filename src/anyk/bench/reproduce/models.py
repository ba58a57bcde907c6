"""The networks that are computed on coded workers: trained once, then kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from anyk.bench.reproduce.cache import Arrays, Cache
from anyk.bench.reproduce.data import Dataset, Images
from anyk.bench.reproduce.networks import (
    fuse,
    lenet5,
    lenet5_weights,
    repvgg,
    repvgg_fused,
    repvgg_weights,
)
from anyk.bench.reproduce.training import Recipe, softmax_of, tensors, train
from anyk.wording import missing_extra

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["LENET5", "REPVGG", "REPVGG_WIDTHS", "Model", "lenet5_model", "repvgg_model"]

Weights = dict[str, "Tensor"]

LENET5 = Recipe(epochs=20, rate=2e-3)
REPVGG = Recipe(epochs=5, rate=5e-3)
REPVGG_WIDTHS = (32, 64, 128)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A classifier, and pictures that it was not trained on.

    Args:
        name: of network and data.
        softmax: pixels (n, 784) to probabilities (n, 10).
        tune: pictures to choose lambdas on.
        report: pictures to report on.
    """

    name: str
    softmax: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    tune: Images
    report: Images

    @property
    def size(self) -> int:
        """How many pictures there are to report on."""
        return len(self.report)


def lenet5_model(dataset: Dataset, cache: Cache, *, recipe: Recipe = LENET5) -> Model:
    """LeNet5 with a softmax, trained on a data set.

    Args:
        dataset: of pictures with 28 x 28 pixels.
        cache: where its weights are kept.
        recipe: how it is trained.

    Raises:
        ImportError: without torch.
    """

    def make() -> Arrays:
        weights = lenet5_weights(_generator(recipe.seed))
        train(f"LeNet5 on {dataset.name}", dataset.train, weights, partial(lenet5, weights), recipe)
        return _arrays(weights)

    weights = tensors(cache.get("lenet5", _key(dataset, recipe), make))
    return _model(f"LeNet5, {dataset.name}", dataset, partial(lenet5, weights))


def repvgg_model(
    dataset: Dataset,
    cache: Cache,
    *,
    recipe: Recipe = REPVGG,
    widths: tuple[int, ...] = REPVGG_WIDTHS,
) -> Model:
    """A small RepVGG with a softmax, trained on a data set, then fused.

    Args:
        dataset: of pictures with 28 x 28 pixels.
        cache: where its weights are kept.
        recipe: how it is trained.
        widths: channels of each stage.

    Raises:
        ImportError: without torch.
    """

    def make() -> Arrays:
        weights = repvgg_weights(_generator(recipe.seed), widths)
        logits = partial(repvgg, weights, training=True)
        train(f"RepVGG on {dataset.name}", dataset.train, weights, logits, recipe)
        return _arrays(fuse(weights))

    arrays = cache.get("repvgg", {**_key(dataset, recipe), "widths": widths}, make)
    return _model(f"RepVGG, {dataset.name}", dataset, partial(repvgg_fused, tensors(arrays)))


def _model(name: str, dataset: Dataset, logits: Callable[[Tensor], Tensor]) -> Model:
    return Model(name=name, softmax=softmax_of(logits), tune=dataset.tune, report=dataset.report)


def _key(dataset: Dataset, recipe: Recipe) -> dict[str, object]:
    """Everything that the weights depend on, but for the code: count its versions here."""
    return {"version": 1, "data": dataset.digest, **asdict(recipe)}


def _generator(seed: int) -> Generator:
    try:
        import torch  # noqa: PLC0415 - an extra, imported where used
    except ImportError as error:
        raise missing_extra("networks are trained with torch", "reproduce") from error
    return torch.Generator().manual_seed(seed)


def _arrays(weights: Weights) -> Arrays:
    return {name: value.numpy() for name, value in weights.items()}
