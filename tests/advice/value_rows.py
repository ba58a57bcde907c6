"""Types of numbers: what is kept as it comes, and what is refused."""

import numpy as np
import pandas as pd
import torch
from tried import tried

import anyk
from anyk.domains.values import added, together
from anyk.works.combined import CombinedInKind

KEPT, ROUNDED = anyk.Values(), anyk.Reals()
FRAME = pd.DataFrame({"a": [1.0, 2.0]})
LONG = np.array([2**62 + 1])


class Units(np.ndarray):
    """An array with rules of its own."""


def kept(values):
    return KEPT.validate(values, "X")


def decoded(answers):
    return anyk.Replication(2, 2).encode([1.0, 2.0]).decode(answers, range(2))


def gradient(function):
    blocks, coefficients = np.array([[1], [2]]), np.array([1.0, 0.5])
    return CombinedInKind(function)([blocks, coefficients], [])


METRES = np.ones(2).view(Units)
ROWS = [
    tried(
        "Pass .to_numpy() of it; anyk.map takes any Python values as they are.",
        lambda: kept(FRAME),
        lambda: kept(FRAME.to_numpy()),
    ),
    tried(
        "Pass .view(np.ndarray) if its plain numbers are meant.",
        lambda: kept(METRES),
        lambda: kept(METRES.view(np.ndarray)),
    ),
    tried(
        "Pass .cpu(); on meta there are no numbers. Move data to a worker's own device in the "
        "function, and its result back.",
        lambda: kept(torch.ones(2, device="meta")),
        lambda: kept(torch.ones(2).cpu()),
        lambda: anyk.Torch().accept(torch.ones(2).to("cpu").cpu()),
    ),
    tried(
        "Pass .to_dense().",
        lambda: kept(torch.eye(2).to_sparse()),
        lambda: kept(torch.eye(2).to_sparse().to_dense()),
    ),
    tried(
        "Pass .float().",
        lambda: kept(torch.ones(2, dtype=torch.bfloat16)),
        lambda: kept(torch.ones(2, dtype=torch.bfloat16).float()),
        lambda: anyk.Torch().accept(torch.ones(2, dtype=torch.bfloat16).float()),
    ),
    tried(
        "Convert it, with .astype(float), say; anyk.map takes strings, dates and any other Python "
        "values as they are.",
        lambda: kept(np.array(["1", "2"])),
        lambda: kept(np.array(["1", "2"]).astype(float)),
    ),
    tried(
        "Round them: .astype(np.float64), or np.complex128; anyk.map takes them as they are.",
        lambda: kept(np.ones(2, np.longdouble)),
        lambda: kept(np.ones(2, np.longdouble).astype(np.float64)),
        lambda: kept(np.ones(2, np.longdouble).astype(np.complex128)),
    ),
    tried(
        "Convert them: [np.asarray(block, dtype=float) for block in X], say.",
        lambda: kept([np.ones(2), np.ones(2, int)]),
        lambda: kept([np.asarray(each, dtype=float) for each in (np.ones(2), np.ones(2, int))]),
    ),
    tried(
        "Make an array of a dtype that holds them, or round them to floats.",
        lambda: kept([2**60 + 1, 0.5]),
        lambda: kept(np.array([2**60 + 1, 0])),
        lambda: kept([float(2**60 + 1), 0.5]),
    ),
    tried(
        "Let the function return the same dtype for each block: np.asarray(result, dtype=float), "
        "say.",
        lambda: together([LONG, np.array([0.5])], "values"),
        lambda: together([np.asarray(LONG, dtype=float), np.array([0.5])], "values"),
    ),
    tried(
        "Let the function return floats, or take a scheme over a field.",
        lambda: added(np.array([LONG, LONG]), "values"),
        lambda: added(np.array([LONG, LONG]).astype(float), "values"),
        lambda: anyk.Lagrange(1, 1, 2).encode(LONG % (2**31 - 1)),
    ),
    tried(
        "Take the answers in the order of `answered`.",
        lambda: decoded([np.ones(2), np.ones(1, int)]),
        lambda: decoded([np.ones(2), np.ones(2, int)]),
    ),
    tried(
        "Remove or fill in NaN and Inf.",
        lambda: anyk.Values(finite=True).validate([1.0, np.nan], "X"),
        lambda: anyk.Values(finite=True).validate(np.nan_to_num([1.0, np.nan]), "X"),
    ),
    tried(
        "Pass np.float32 for half the bytes and 7 digits, or leave it out.",
        lambda: anyk.Reals(dtype=np.float16),
        lambda: anyk.Reals(dtype=np.float32),
        lambda: anyk.Reals(),
    ),
    tried(
        "Pass anyk.Reals(dtype=np.float32), say, or leave it out.",
        lambda: anyk.Torch(anyk.PrimeField()),
        lambda: anyk.Torch(anyk.Reals(dtype=np.float32)),
        lambda: anyk.Torch(),
    ),
    tried(
        "Pass domain=anyk.Reals().",
        lambda: anyk.Sparse((2, 1, 1), 4, domain=anyk.Reals(dtype=np.float32)),
        lambda: anyk.Sparse((2, 1, 1), 4, domain=anyk.Reals()),
    ),
    tried(
        "Leave it out, or pass domain=anyk.Reals().",
        lambda: anyk.MDS((2, 1, 1), 4, domain=anyk.Reals(dtype=np.float32), verified=True),
        lambda: anyk.MDS((2, 1, 1), 4, domain=anyk.Reals(dtype=np.float32)),
        lambda: anyk.MDS((2, 1, 1), 4, domain=anyk.Reals(), verified=True),
    ),
    tried(
        "Let the function return floats, or take a prime field as domain=.",
        lambda: gradient(lambda x: x + 2**60),
        lambda: gradient(lambda x: x + 2.0**60),
        lambda: anyk.CyclicRepetition(2, 1, domain=anyk.PrimeField()),
    ),
    tried(
        "Pass anyk.Reals(), or leave it out.",
        lambda: anyk.Spline(2, 4, domain=anyk.Values()),
        lambda: anyk.Spline(2, 4, domain=anyk.Reals()),
        lambda: anyk.Spline(2, 4),
    ),
    tried(
        "Leave it out; Replication alone takes NaN and Inf.",
        lambda: anyk.FilledReplication(2, 4, domain=anyk.Values()),
        lambda: anyk.FilledReplication(2, 4),
        lambda: anyk.Replication(2, 4).encode([1.0, np.nan]),
    ),
]
