"""A scheme of any matrices, of which an auditor has to make out what it tells."""

from dataclasses import dataclass

import numpy as np

import anyk
from anyk.randomness.entropy import SystemSource


@dataclass(frozen=True, eq=False)
class Mixture(anyk.AbstractScheme):
    """Shares that are any mixture of blocks and Gaussian noise; nothing is decoded."""

    data: np.ndarray
    masks: np.ndarray
    leak: float = 0.0  # of the first block into the first share, in no matrix: a bug
    data_std: float = 1.0
    pieces: int = 1

    @property
    def problem(self):
        return anyk.Map(blocks=self.data.shape[1])

    @property
    def domain(self):
        return anyk.Complex() if np.iscomplexobj(self.data) else anyk.Reals()

    @property
    def guarantee(self):
        workers = len(self.data) // self.pieces
        return anyk.Guarantee(
            workers=workers, threshold=len(self.data), stragglers=0, adversaries=0, colluders=1,
            exact=False, leakage=None, load=1.0, data_std=self.data_std,
            pieces=self.pieces,
        )  # fmt: skip

    def encode(self, X, *, source=SystemSource()):
        shares = self.encoder(None).shares(X, source=source)
        shares[0] += self.leak * X[0]
        return anyk.Encoded(self, shares, None)

    def encoder(self, layout):  # noqa: ARG002 - the seam has it
        return anyk.Encoder(data=self.data, masks=self.masks).on_grid(data_std=self.data_std)

    def sufficient(self, answered):
        raise NotImplementedError

    def recovery(self, layout, answered):
        raise NotImplementedError
