"""A network is trained, once: Adam on batches of shifted pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

import numpy as np
from numpy.typing import NDArray

from anyk.bench.reproduce.cache import Arrays
from anyk.bench.reproduce.data import Images
from anyk.bench.reproduce.progress import steps

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Recipe", "softmax_of", "tensors", "train"]

Weights = dict[str, "Tensor"]

_SIDE = 28
_AT_ONCE = 1000  # pictures a network looks at together
_RUNNING = (".mean", ".var")  # what batch normalisation keeps is no parameter


@final
@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained.

    Args:
        epochs: passes through the pictures.
        rate: the largest step of Adam; it rises to it and falls to 0 along a cosine.
        batch: pictures a step.
        shift: by how many pixels a batch of pictures is moved at most, up or down and sideways.
        seed: of the first weights and of the order.
    """

    epochs: int
    rate: float
    batch: int = 128
    shift: int = 2
    seed: int = 0


def train(
    title: str, images: Images, weights: Weights, logits: Callable[[Tensor], Tensor], recipe: Recipe
) -> None:
    """Train weights in place.

    Args:
        title: of the progress bar.
        images: to train on.
        weights: to change.
        logits: of images (n, 1, 28, 28), by these weights.
        recipe: how.
    """
    import torch  # noqa: PLC0415 - an extra, imported where used
    from torch.nn import functional as F  # noqa: PLC0415, N812 - as above; torch's usual name

    pixels, labels = _tensor(images.pixels), torch.from_numpy(images.labels)
    parameters = [
        value.requires_grad_()
        for name, value in weights.items()
        if not name.endswith(_RUNNING) and value.is_floating_point()
    ]
    optimiser = torch.optim.Adam(parameters, lr=recipe.rate)
    order = np.random.default_rng(recipe.seed)
    total = recipe.epochs * -(-len(images) // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.rate, total_steps=total)
    with steps(title, total) as step:
        for _ in range(recipe.epochs):
            for chosen in torch.split(_shuffled(order, len(images)), recipe.batch):
                moved = order.integers(-recipe.shift, recipe.shift + 1, size=2).tolist()
                batch = torch.roll(pixels[chosen], moved, dims=(2, 3))
                optimiser.zero_grad()
                torch.autograd.backward(F.cross_entropy(logits(batch), labels[chosen]))
                optimiser.step()
                schedule.step()
                step()
    for value in parameters:
        value.detach_()


def softmax_of(
    logits: Callable[[Tensor], Tensor],
) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """A network as a function of ndarrays: pixels (n, 784) to probabilities (n, 10).

    Args:
        logits: of images (n, 1, 28, 28).
    """

    def probabilities(pixels: NDArray[np.float64]) -> NDArray[np.float64]:
        import torch  # noqa: PLC0415 - an extra, imported where used

        with torch.inference_mode():
            parts = torch.split(_tensor(pixels), _AT_ONCE)
            rows = [torch.softmax(logits(part).double(), dim=1) for part in parts]
            values: NDArray[np.float64] = torch.cat(rows).numpy()
        return values

    return probabilities


def tensors(arrays: Arrays) -> Weights:
    """Weights as torch has them.

    Args:
        arrays: as numpy has them.
    """
    import torch  # noqa: PLC0415 - an extra, imported where used

    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _shuffled(generator: np.random.Generator, count: int) -> Tensor:
    import torch  # noqa: PLC0415 - an extra, imported where used

    return torch.from_numpy(generator.permutation(count))


def _tensor(pixels: NDArray[np.float64]) -> Tensor:
    import torch  # noqa: PLC0415 - an extra, imported where used

    return torch.from_numpy(pixels.astype(np.float32)).reshape(-1, 1, _SIDE, _SIDE)
