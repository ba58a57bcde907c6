"""The rows of `letcc-table`: which models, on which data, with how many workers and stragglers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

from anyk.bench.reproduce.cache import Cache, user_directory
from anyk.bench.reproduce.data import digits, fashion_mnist, mnist
from anyk.bench.reproduce.experiment import Setting
from anyk.bench.reproduce.inference import Case
from anyk.bench.reproduce.models import Model, lenet5_model, repvgg_model
from anyk.bench.reproduce.training import Recipe
from anyk.bench.reproduce.vision import vit_model

__all__ = ["Row", "rows"]

_LENET5 = ((100, 60, 20), (70, 30, 20), (60, 50, 5), (100, 20, 40))
_REPVGG = ((60, 20, 35), (70, 30, 20), (60, 50, 5), (100, 20, 40))
_VIT = ((24, 16, 4), (30, 8, 16))
_VIT_SHARE = 0.075  # it reads some ten pictures a second
_VIT_PICTURES = 1600  # on which its head is trained

_TINY_RECIPE = Recipe(epochs=2, rate=5e-3)
_TINY, _TINY_VIT, _TINY_PICTURES = (10, 6, 2), (4, 2, 1), 10


@final
@dataclass(frozen=True, kw_only=True)
class Row:
    """One model, with what the paper states for its like.

    Args:
        make: loads or trains it.
        cases: workers, blocks and stragglers.
        share: of the batches of the others; less for a model that takes long.
        gain: the paper's mean gain of LeTCC over BACC in RMSE and in relative accuracy.
        like: the paper's own model and data.
    """

    make: Callable[[], Model]
    cases: Sequence[Case]
    share: float
    gain: tuple[str, str]
    like: str


def rows(setting: Setting) -> tuple[Row, Row, Row]:
    """LeNet5, RepVGG and ViT; for a tiny run, all three on scikit-learn's digits.

    Args:
        setting: what the user chose.

    Raises:
        ImportError: without scikit-learn, for a tiny run.
        OSError: if Fashion-MNIST can't be read.
    """
    cache = Cache(user_directory() if setting.cache is None else setting.cache)
    if setting.tiny:
        small = digits()
        return (
            _lenet5(lambda: lenet5_model(small, cache, recipe=_TINY_RECIPE), _TINY),
            _repvgg(lambda: repvgg_model(small, cache, recipe=_TINY_RECIPE, widths=(8, 16)), _TINY),
            _vit(lambda: vit_model(small, cache, pictures=_TINY_PICTURES), _TINY_VIT),
        )
    wear = fashion_mnist(setting.fashion)
    return (
        _lenet5(lambda: lenet5_model(mnist(), cache), *_LENET5),
        _repvgg(lambda: repvgg_model(wear, cache), *_REPVGG),
        _vit(lambda: vit_model(wear, cache, pictures=_VIT_PICTURES), *_VIT),
    )


def _lenet5(make: Callable[[], Model], *sizes: tuple[int, int, int]) -> Row:
    return Row(
        make=make, cases=_cases(sizes), share=1.0, gain=("15 %", "2 %"), like="LeNet5, MNIST"
    )


def _repvgg(make: Callable[[], Model], *sizes: tuple[int, int, int]) -> Row:
    return Row(
        make=make, cases=_cases(sizes), share=1.0, gain=("17 %", "5 %"), like="RepVGG, CIFAR-10"
    )


def _vit(make: Callable[[], Model], *sizes: tuple[int, int, int]) -> Row:
    return Row(
        make=make,
        cases=_cases(sizes),
        share=_VIT_SHARE,
        gain=("9 %", "4 %"),
        like="ViT, ImageNet-1K",
    )


def _cases(sizes: Sequence[tuple[int, int, int]]) -> tuple[Case, ...]:
    return tuple(Case(workers=n, blocks=k, late=s) for n, k, s in sizes)
