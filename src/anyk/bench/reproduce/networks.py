"""LeNet5 and a small RepVGG as functions of their weights, in torch."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from torch import Generator, Tensor

__all__ = ["fuse", "lenet5", "lenet5_weights", "repvgg", "repvgg_fused", "repvgg_weights"]

Weights = dict[str, "Tensor"]

_CLASSES = 10
_EPSILON = 1e-5  # of batch normalisation
_MOMENTUM = 0.1
_PLACES = ("three", "one", "same")  # the branches of a RepVGG block


def _linear(generator: Generator, weights: Weights, name: str, *shape: int) -> None:
    """He's initialisation of a weight (out, in, ...) and a bias."""
    import torch  # noqa: PLC0415 - an extra, imported where used

    deviation = float(np.sqrt(2.0 / np.prod(shape[1:])))
    weights[f"{name}.weight"] = deviation * torch.randn(shape, generator=generator)
    weights[f"{name}.bias"] = torch.zeros(shape[0])


def lenet5_weights(generator: Generator) -> Weights:
    """Untrained weights of LeNet5, 61,706 numbers.

    Args:
        generator: torch's.
    """
    weights: Weights = {}
    _linear(generator, weights, "conv1", 6, 1, 5, 5)
    _linear(generator, weights, "conv2", 16, 6, 5, 5)
    _linear(generator, weights, "full1", 120, 400)
    _linear(generator, weights, "full2", 84, 120)
    _linear(generator, weights, "full3", _CLASSES, 84)
    return weights


def lenet5(weights: Weights, images: Tensor) -> Tensor:
    """Logits (n, 10) of images (n, 1, 28, 28), with ReLU and maxima for the pooling.

    Args:
        weights: of `lenet5_weights`.
        images: ink from 0 to 1.

    References:
        LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition,
        1998, section II.B.
    """
    from torch.nn import functional as F  # noqa: PLC0415, N812 - an extra; torch's usual name

    def conv(x: Tensor, name: str, padding: int) -> Tensor:
        y = F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=padding)
        return F.max_pool2d(F.relu(y), 2)

    def full(x: Tensor, name: str) -> Tensor:
        return F.linear(x, weights[f"{name}.weight"], weights[f"{name}.bias"])

    x = conv(conv(images - 0.5, "conv1", 2), "conv2", 0).flatten(1)
    return full(F.relu(full(F.relu(full(x, "full1")), "full2")), "full3")


def _blocks(widths: tuple[int, ...]) -> list[tuple[int, int, int]]:
    """(in, out, stride) of each block: one that halves the sides, and one more, a width."""
    steps = itertools.pairwise((1, *widths))
    return [step for a, b in steps for step in ((a, b, 2), (b, b, 1))]


def repvgg_weights(generator: Generator, widths: tuple[int, ...]) -> Weights:
    """Untrained weights of a RepVGG with two blocks a width.

    Args:
        generator: torch's.
        widths: channels of each stage.
    """
    import torch  # noqa: PLC0415 - an extra, imported where used

    weights: Weights = {}
    for at, (inner, outer, stride) in enumerate(_blocks(widths)):
        for branch in _PLACES[: 3 if stride == 1 else 2]:
            name = f"{at}.{branch}"
            if branch != "same":
                side = 3 if branch == "three" else 1
                _linear(generator, weights, name, outer, inner, side, side)
                del weights[f"{name}.bias"]  # normalisation has one
            for part, value in (("scale", 1.0), ("shift", 0.0), ("mean", 0.0), ("var", 1.0)):
                weights[f"{name}.{part}"] = torch.full((outer,), value)
    _linear(generator, weights, "head", _CLASSES, widths[-1])
    return weights


def repvgg(weights: Weights, images: Tensor, *, training: bool) -> Tensor:
    """Logits (n, 10) of images (n, 1, 28, 28): each block a 3 x 3, a 1 x 1 and no convolution.

    Args:
        weights: of `repvgg_weights`; means and variances are updated in training.
        images: ink from 0 to 1.
        training: whether to normalise by the batch.

    References:
        Ding, Zhang, Ma, Han, Ding and Sun, RepVGG: Making VGG-style ConvNets Great Again, CVPR
        2021, section 3.
    """
    from torch.nn import functional as F  # noqa: PLC0415, N812 - an extra; torch's usual name

    def normal(x: Tensor, name: str) -> Tensor:
        mean, var, scale, shift = (
            weights[f"{name}.{part}"] for part in ("mean", "var", "scale", "shift")
        )
        return F.batch_norm(x, mean, var, scale, shift, training, _MOMENTUM, _EPSILON)

    x = images - 0.5
    for at in range(_count(weights)):
        stride = 1 if f"{at}.same.scale" in weights else 2
        three = F.conv2d(x, weights[f"{at}.three.weight"], stride=stride, padding=1)
        one = F.conv2d(x, weights[f"{at}.one.weight"], stride=stride)
        total = normal(three, f"{at}.three") + normal(one, f"{at}.one")
        if stride == 1:
            total = total + normal(x, f"{at}.same")
        x = F.relu(total)
    return F.linear(x.mean(dim=(2, 3)), weights["head.weight"], weights["head.bias"])


def fuse(weights: Weights) -> Weights:
    """The same network with one 3 x 3 convolution a block: what RepVGG is run as.

    Args:
        weights: of `repvgg`, trained.

    References:
        Ding et al., CVPR 2021, section 3.3.
    """
    import torch  # noqa: PLC0415 - an extra, imported where used
    from torch.nn import functional as F  # noqa: PLC0415, N812 - as above; torch's usual name

    fused = {name: weights[name] for name in ("head.weight", "head.bias")}
    for at in range(_count(weights)):
        outer = weights[f"{at}.three.weight"].shape[0]
        kernels = {
            "three": weights[f"{at}.three.weight"],
            "one": F.pad(weights[f"{at}.one.weight"], (1, 1, 1, 1)),
            "same": F.pad(torch.eye(outer)[:, :, None, None], (1, 1, 1, 1)),
        }
        same = f"{at}.same.scale" in weights
        kernel = torch.zeros_like(kernels["three"])
        bias = torch.zeros(outer)
        for branch in _PLACES[: 3 if same else 2]:
            mean, var, scale, shift = (
                weights[f"{at}.{branch}.{part}"] for part in ("mean", "var", "scale", "shift")
            )
            gain = scale / torch.sqrt(var + _EPSILON)
            kernel = kernel + gain[:, None, None, None] * kernels[branch]
            bias = bias + shift - gain * mean
        fused[f"{at}.weight"], fused[f"{at}.bias"] = kernel, bias
        fused[f"{at}.stride"] = torch.tensor(1 if same else 2)
    return fused


def repvgg_fused(weights: Weights, images: Tensor) -> Tensor:
    """Logits (n, 10) of images (n, 1, 28, 28), by fused blocks.

    Args:
        weights: of `fuse`.
        images: ink from 0 to 1.
    """
    from torch.nn import functional as F  # noqa: PLC0415, N812 - an extra; torch's usual name

    x = images - 0.5
    for at in range(_count(weights)):
        kernel, bias = weights[f"{at}.weight"], weights[f"{at}.bias"]
        stride = int(weights[f"{at}.stride"])
        x = F.relu(F.conv2d(x, kernel, bias, stride=stride, padding=1))
    return F.linear(x.mean(dim=(2, 3)), weights["head.weight"], weights["head.bias"])


def _count(weights: Weights) -> int:
    """How many blocks these weights have."""
    return 1 + max(int(name.split(".")[0]) for name in weights if name[0].isdigit())
