"""A torch network on a Dask cluster: twelve images at a time, and two of 16 workers are late.

The network knows nothing of coding. Sixteen Dask workers get one image each, four images
twice; the logits come from the first 14 that answer, and those of an image that nobody answered
for are estimated from its neighbours', with an error estimate.

    pip install '.[dask]' torch scikit-learn
    python examples/torch_on_dask.py
"""

from __future__ import annotations

import time

import numpy as np
import torch
from dask.distributed import Client, LocalCluster
from sklearn.datasets import load_digits
from torch import nn

import anyk

BLOCKS, WORKERS, LATE = 12, 16, 2


def train(images: torch.Tensor, labels: torch.Tensor) -> nn.Module:
    """A small network that reads 8x8 digits, trained for a few seconds."""
    torch.manual_seed(0)
    layers = [nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)]
    network = nn.Sequential(*layers)
    optimiser = torch.optim.Adam(network.parameters(), lr=0.01)
    for _ in range(150):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(images), labels).backward()
        optimiser.step()
    return network.eval()


def logits(image: np.ndarray, network: nn.Module) -> np.ndarray:
    """What a worker runs: one image in, ten numbers out."""
    with torch.no_grad():
        return network(torch.tensor(image, dtype=torch.float32)).double().numpy()


def logits_of_a_slow_machine(image: np.ndarray, network: nn.Module) -> np.ndarray:
    """The same, where some of the workers are busy with something else."""
    from dask.distributed import get_worker  # noqa: PLC0415 - on the worker alone

    if int(get_worker().name) < LATE:
        time.sleep(5.0)
    return logits(image, network)


def main() -> None:
    """Train, then read twelve digits on the cluster."""
    digits = load_digits()
    images = digits.data / 16.0
    network = train(torch.from_numpy(images[:1500]).float(), torch.from_numpy(digits.target[:1500]))
    batch = images[1500 : 1500 + BLOCKS]
    scheme = anyk.FilledReplication(BLOCKS, WORKERS, stragglers=LATE)
    with (
        LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, processes=False, dashboard_address=":0"
        ) as cluster,
        Client(cluster) as client,
        anyk.Dask(client) as executor,
        anyk.distribute(scheme, batch, executor) as data,
    ):
        outcome = data.run(logits_of_a_slow_machine, network)
        print(outcome)
        direct = np.array([logits(image, network) for image in batch])
        error = np.linalg.norm(outcome.value - direct) / np.linalg.norm(direct)
        print(f"in truth  {error:.2g} of the value's size: estimates from so few images are rough")
        print("\nread    ", outcome.value.argmax(axis=1))
        print("direct  ", direct.argmax(axis=1))
        print("labels  ", digits.target[1500 : 1500 + BLOCKS])
        for health in executor.health:
            if health.late:
                print(f"worker {health.worker} {health.condition.value}")


if __name__ == "__main__":
    main()
