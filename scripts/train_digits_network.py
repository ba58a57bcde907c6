"""Train the small network that `anyk demo` carries, and write its weights.

    python scripts/train_digits_network.py

A 64-64-32-10 ReLU network on scikit-learn's handwritten digits, one of every four held out; the
demo reads only those held out. The file is an npz of float32 arrays; nothing in it is pickled.
"""

from __future__ import annotations

import sys

import numpy as np
from sklearn.neural_network import MLPClassifier

from anyk.demo.digits import held_out, taught
from anyk.demo.network import WEIGHTS, logits

LIMIT = 100_000  # bytes: the file travels in every wheel


def main() -> None:
    """Train, write, and print how well the written weights read the digits held out."""
    network = MLPClassifier(hidden_layer_sizes=(64, 32), alpha=0.1, max_iter=1000, random_state=0)
    network.fit(*taught())
    layers = enumerate(zip(network.coefs_, network.intercepts_, strict=True))
    arrays = {}
    for layer, (weight, bias) in layers:
        arrays[f"weight{layer}"] = weight.astype(np.float32)
        arrays[f"bias{layer}"] = bias.astype(np.float32)
    np.savez(WEIGHTS, allow_pickle=False, **arrays)
    size = WEIGHTS.stat().st_size
    if size > LIMIT:
        raise SystemExit(f"{WEIGHTS} has {size} bytes; the limit is {LIMIT}.")
    images, labels = held_out()
    right = np.count_nonzero(logits(images).argmax(axis=-1) == labels)
    sys.stdout.write(f"{WEIGHTS}: {size} bytes; {right} of {len(labels)} held out read right\n")


if __name__ == "__main__":
    main()
