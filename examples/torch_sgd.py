"""Data-parallel SGD with a gradient code: a slow rank, a dead one, and one that computes wrong.

A small network learns to read digits. Each of eight workers holds the images of four blocks of
eight, and answers the sum of the gradients on a minibatch of each. The gradient is that of the
whole minibatch whoever is late, dead or wrong, to the last bit: so is the loss, step by step.

    pip install '.[dask]' torch scikit-learn
    python examples/torch_sgd.py gloo     # ranks of torch.distributed
    python examples/torch_sgd.py dask     # processes of a Dask cluster
"""

from __future__ import annotations

import os
import socket
import sys
import time
from contextlib import contextmanager

import numpy as np
import torch
import torch.distributed as dist
import torch.multiprocessing as processes
from dask.distributed import Client, LocalCluster
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.utils import parameters_to_vector, vector_to_parameters
from torch_ranks import RankPool, work

import anyk
from anyk.faults import Corrupt, Delay, Die, Faulty

RANKS, STEPS, MINIBATCH = 8, 60, 32
TROUBLE = {2: Delay(0.5), 4: Die(), 6: Corrupt(seed=1)}  # slow, dead, and wrong


def network() -> nn.Module:
    """Reads 8x8 digits; every process makes the same."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)).double()


def loss_and_gradient(block: np.ndarray, weights: np.ndarray, step: int) -> np.ndarray:
    """What a rank computes: the loss on this step's images of a block, and its gradient."""
    rows = np.random.default_rng(step).choice(len(block), MINIBATCH // RANKS, replace=False)
    images, labels = torch.from_numpy(block[rows, :-1]), torch.from_numpy(block[rows, -1])
    model = network()
    vector_to_parameters(torch.from_numpy(weights.copy()), model.parameters())
    loss = nn.functional.cross_entropy(model(images), labels.long(), reduction="sum")
    loss.backward()
    gradient = torch.cat([each.grad.ravel() for each in model.parameters()])
    return np.concatenate([[loss.item()], gradient.numpy()])


def train(executor: anyk.AbstractExecutor, scheme: anyk.AbstractScheme, blocks: np.ndarray):
    """SGD with momentum; the losses, the weights, and what went wrong."""
    weights = parameters_to_vector(network().parameters()).detach().numpy()
    speed, losses, liars = np.zeros_like(weights), [], set()
    with anyk.distribute(scheme, blocks, executor) as data:
        for step in range(STEPS):
            outcome = data.run(loss_and_gradient, weights, step, progress=False)
            loss, gradient = outcome.value[0], outcome.value[1:]
            losses.append(loss / MINIBATCH)
            speed = 0.9 * speed - 0.05 * gradient / MINIBATCH
            weights = weights + speed
            liars.update(outcome.suspects)
    return np.array(losses), weights, liars


@contextmanager
def ranks_of_torch():
    """Eight ranks of `torch.distributed` beside this one, over gloo."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = [
        processes.get_context("spawn").Process(target=rank, args=(i, port), daemon=True)
        for i in range(1, RANKS + 1)
    ]
    for each in started:
        each.start()
    join(0, port)
    with anyk.Futures([RankPool(i) for i in range(1, RANKS + 1)]) as executor:
        yield executor
    for each in started:
        each.kill()


def join(number: int, port: int) -> None:
    """Become a rank."""
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    torch.set_num_threads(1)
    dist.init_process_group("gloo", rank=number, world_size=RANKS + 1)


def rank(number: int, port: int) -> None:
    """The life of a rank."""
    join(number, port)
    work()


@contextmanager
def processes_of_dask():
    """Eight processes of a Dask cluster."""
    with (
        LocalCluster(n_workers=RANKS, threads_per_worker=1, dashboard_address=":0") as cluster,
        Client(cluster) as client,
        anyk.Dask(client) as executor,
    ):
        yield executor


def main(engine: str) -> None:
    """Train without trouble, then with; compare."""
    digits = load_digits()
    table = np.column_stack([digits.data[:1600] / 16.0, digits.target[:1600]])
    blocks = table.reshape(RANKS, 200, 65)
    scheme = anyk.FractionalRepetition(
        blocks=RANKS, workers=RANKS, stragglers=2, adversaries=1, reactive=True
    )
    with anyk.Inline(RANKS) as here:
        calm, weights, _ = train(here, scheme, blocks)
    with {"gloo": ranks_of_torch, "dask": processes_of_dask}[engine]() as executor:
        begun = time.monotonic()
        hurt, reached, liars = train(Faulty(executor, TROUBLE), scheme, blocks)
        seconds = time.monotonic() - begun
    model = network()
    vector_to_parameters(torch.from_numpy(reached), model.parameters())
    read = model(torch.from_numpy(digits.data[1600:] / 16.0)).argmax(dim=1).numpy()
    apart = np.abs(hurt - calm).max(), np.abs(reached - weights).max()
    print(f"{STEPS} steps on {engine} in {seconds:.1f} s")
    print("trouble   worker 2 is late by 0.5 s each time, 4 dies, 6 computes wrong")
    print(f"loss      {hurt[0]:.4f} to {hurt[-1]:.4f}")
    print(f"calm      {calm[0]:.4f} to {calm[-1]:.4f}")
    print(f"apart     losses by {apart[0]:.1g}, weights by {apart[1]:.1g}")
    print(f"wrong     workers {sorted(liars)}")
    print(f"right     {np.mean(read == digits.target[1600:]):.1%} of digits never seen")
    assert apart == (0.0, 0.0)
    assert liars == {6}


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "gloo")
    sys.stdout.flush()
    os._exit(0)  # a thread that waits for the dead rank is inside gloo: nothing else ends it
