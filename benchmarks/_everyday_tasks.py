"""Jobs as people have them, each a function and its items, on data that are made here.

Each is made by a function of a folder, in which it may write files first. Packages that anyk does
not need are imported where they are used.
"""

# ruff: noqa: PLC0415 - as said above

import csv
import datetime as dt
import decimal
import enum
import fractions
import functools
import json
import re
import sqlite3
import subprocess
import sys
import zoneinfo
from collections import Counter, namedtuple
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

JOBS: list["Job"] = []


@dataclass(frozen=True)
class Job:
    """A job, and what it needs.

    Args:
        name: what it does, for the table.
        make: called with a folder: gives a function, its items, and options of `anyk.map`.
    """

    name: str
    make: Callable[[Path], tuple[Any, ...]]

    def made(self, folder: Path) -> tuple[Callable[..., Any], Iterable[Any], dict[str, Any]]:
        """Function, items and options."""
        function, items, *options = self.make(folder)
        return function, items, options[0] if options else {}


def job(name: str) -> Callable[[Callable[[Path], tuple[Any, ...]]], Job]:
    """Put a job in the list."""

    def add(make: Callable[[Path], tuple[Any, ...]]) -> Job:
        JOBS.append(Job(name, make))
        return JOBS[-1]

    return add


def generator(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def frames() -> list[Any]:
    """Six data frames of different lengths."""
    import pandas as pd

    draw = generator()
    return [
        pd.DataFrame(
            {
                "shop": draw.choice(["north", "south", "west"], rows),
                "sold": draw.integers(0, 9, rows),
                "price": draw.normal(10, 2, rows).round(2),
            }
        )
        for rows in (3, 50, 1, 400, 17, 120)
    ]


# --- tables


@job("pandas: group-by over ragged frames")
def _(_):
    def totals(frame):
        return frame.groupby("shop").agg(sold=("sold", "sum"), price=("price", "mean"))

    return totals, frames()


@job("pandas: a Series of each frame")
def _(_):
    return lambda frame: frame.set_index("shop")["price"], frames()


@job("pandas: Categorical, with its categories")
def _(_):
    import pandas as pd

    def shops(frame):
        return pd.Categorical(frame["shop"], categories=["west", "south", "north"], ordered=True)

    return shops, frames()


@job("pandas: a MultiIndex, nullable integers, missing values")
def _(_):
    import pandas as pd

    def counted(frame):
        table = frame.groupby(["shop", "sold"]).size().astype("Int64").unstack()  # noqa: PD010
        table.columns = pd.MultiIndex.from_product([["sold"], table.columns])
        return table

    return counted, frames()


@job("parquet files, by path")
def _(folder):
    import pandas as pd

    paths = [folder / f"part-{number}.parquet" for number in range(6)]
    for path, frame in zip(paths, frames(), strict=True):
        frame.to_parquet(path)
    return lambda path: pd.read_parquet(path, columns=["shop", "sold"]), paths


@job("CSV files, by path, with the csv module")
def _(folder):
    paths = [folder / f"part-{number}.csv" for number in range(6)]
    for path, frame in zip(paths, frames(), strict=True):
        frame.to_csv(path)

    def richest(path):
        with path.open(newline="") as file:
            return max(csv.DictReader(file), key=lambda row: float(row["price"]))

    return richest, paths


@job("JSON documents: dicts in, dicts out")
def _(_):
    texts = [json.dumps({"id": n, "tags": ["a", "b"][: n % 3], "size": n / 4}) for n in range(8)]

    def read(text):
        document = json.loads(text)
        return {**document, "large": document["size"] > 1, "next": None}

    return read, texts


@job("SQLite, by path")
def _(folder):
    path = folder / "shops.db"
    with sqlite3.connect(path) as base:
        base.execute("create table sold (shop text, number integer)")
        base.executemany("insert into sold values (?, ?)", [("north", 3), ("west", 4)] * 5)
    base.close()

    def total(shop):
        connection = sqlite3.connect(path)
        try:
            query = "select sum(number), count(*) from sold where shop = ?"
            return connection.execute(query, (shop,)).fetchone()
        finally:
            connection.close()

    return total, ["north", "west", "nowhere"]


# --- images, networks, models


@job("images of different sizes (PIL)")
def _(folder):
    from PIL import Image

    paths = [folder / f"{number}.png" for number in range(5)]
    for number, path in enumerate(paths):
        pixels = generator(number).integers(0, 255, (20 + number, 30 - number, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    return lambda path: Image.open(path).convert("L").resize((16, 12)), paths


@job("images as arrays of uint8, of different shapes")
def _(_):
    images = [generator(n).integers(0, 255, (9 + n, 7, 3), dtype=np.uint8) for n in range(6)]
    return lambda image: (image > image.mean()).any(axis=2), images


@job("a torch CNN on batches of images")
def _(_):
    import torch

    torch.manual_seed(0)
    layers = torch.nn
    network = layers.Sequential(
        layers.Conv2d(1, 4, 3), layers.ReLU(), layers.Flatten(), layers.Linear(4 * 6 * 6, 10)
    ).eval()

    def scores(batch):
        with torch.inference_mode():
            return network(batch)

    return scores, [torch.randn(rows, 1, 8, 8) for rows in (1, 4, 2)]


@job("a token model with dicts of tensors, in and out")
def _(_):
    import torch

    torch.manual_seed(0)
    embedding = torch.nn.Embedding(50, 8)

    def encode(batch):
        with torch.no_grad():
            hidden = embedding(batch["ids"]) * batch["mask"].unsqueeze(-1)
        return {"hidden": hidden, "ids": batch["ids"], "lengths": batch["mask"].sum(1)}

    tokens = [torch.randint(0, 50, (2, length)) for length in (3, 7, 5)]
    return encode, [{"ids": ids, "mask": torch.ones_like(ids)} for ids in tokens]


@job("scikit-learn: predict_proba on frames")
def _(_):
    import pandas as pd
    from sklearn.datasets import load_iris
    from sklearn.linear_model import LogisticRegression

    flowers = load_iris(as_frame=True)
    model = LogisticRegression(max_iter=500).fit(flowers.data, flowers.target)

    def probabilities(frame):
        return pd.DataFrame(model.predict_proba(frame), index=frame.index)

    return probabilities, [flowers.data[start : start + 40] for start in range(0, 150, 40)]


@job("scikit-learn: fitted models out")
def _(_):
    from sklearn.linear_model import Ridge

    X = generator().normal(size=(30, 3))
    return lambda alpha: Ridge(alpha).fit(X, X.sum(axis=1)).coef_, [0.1, 1.0, 10.0]


@job("a matrix on the workers, times vectors (`executor.broadcast`)")
def _(_):
    A = generator().normal(size=(200, 50))
    vectors = list(generator(1).normal(size=(20, 50)))
    return lambda x, A: A @ x, vectors, {"broadcast": {"A": A}}


@job("large arrays (8 MB each)")
def _(_):
    return lambda seed: generator(seed).normal(size=(1000, 1000)), [0, 1, 2, 3]


# --- text and time


@job("strings")
def _(_):
    return str.title, ["any k of n", "ungewöhnlich", "", "日本語", "emoji 🎉"]


@job("regular expressions")
def _(_):
    pattern = re.compile(r"(?P<key>\w+)=(?P<value>\d*)")
    texts = ["a=1, b=22", "nothing", "c="]
    return lambda text: [match.groupdict() for match in pattern.finditer(text)], texts


@job("words counted: Counter")
def _(_):
    return lambda text: Counter(text.split()), ["a b a", "", "c c c a"]


@job("bytes and bytearray")
def _(_):
    return lambda data: (data[::-1], bytearray(data)), [b"", b"\x00\xff", bytes(range(256))]


@job("dates, times and differences")
def _(_):
    days = [dt.date(2024, 2, 28), dt.date(1999, 12, 31)]
    return lambda day: (day + dt.timedelta(days=1), dt.time(3, 4, 5, 6), day - days[0]), days


@job("datetimes with zones")
def _(_):
    zones = ["Europe/Berlin", "Asia/Tokyo", "UTC"]

    def noon(zone):
        return dt.datetime(2024, 3, 31, 12, tzinfo=zoneinfo.ZoneInfo(zone))

    return noon, zones


@job("datetime64 and timedelta64, NaT included")
def _(_):
    times = [np.array(["2024-01-31", "NaT"], dtype=f"M8[{unit}]") for unit in ("D", "s", "ns")]
    return lambda when: (when + np.timedelta64(1, "D"), when - when[::-1]), times


# --- numbers


@job("NaN, infinities and -0.0")
def _(_):
    values = [float("nan"), float("inf"), -0.0, 1.5]
    return lambda x: (x, np.array([x, -x]), -float(x)), values


@job("integers above 2**53, and above 2**64")
def _(_):
    values = [(1 << 53) + 1, (1 << 63) - 1, 3**100, -(1 << 64)]
    return lambda n: (n + 1, np.array([(1 << 53) + 1, n % (1 << 62)])), values


@job("bools, Python's and numpy's")
def _(_):
    return lambda n: (n > 1, np.bool_(n > 1), np.arange(3) > n), range(4)


@job("float16, float32, int8, uint64")
def _(_):
    kinds = ["float16", "float32", "int8", "uint64"]
    return lambda kind: (np.arange(5, dtype=kind), np.dtype(kind).type(7)), kinds


@job("complex numbers, complex64")
def _(_):
    return lambda z: (z * 1j, np.fft.fft(np.full(3, z, dtype=np.complex64))), [1 + 2j, 3j, 0j]


@job("Decimal and Fraction")
def _(_):
    numbers = ["1.10", "3", "-7.25"]
    return lambda text: (decimal.Decimal(text) * 3, fractions.Fraction(text) / 3), numbers


@job("structured arrays")
def _(_):
    kind = np.dtype([("name", "U5"), ("place", "f4", 2), ("n", "i8")])
    return lambda n: np.array([("a" * n, (n, -n), n)] * n, dtype=kind), range(4)


@job("masked arrays")
def _(_):
    rows = list(generator().normal(size=(5, 4)))
    return lambda row: np.ma.masked_less(row, 0.0), rows


@job("sparse matrices")
def _(_):
    import scipy.sparse

    rows = [scipy.sparse.random_array((6, n), density=0.3, rng=n) for n in (3, 9, 5)]
    return lambda matrix: (matrix.tocsr() * 2, matrix.tocsc().T), rows


@job("random numbers, with a seed of each item")
def _(_):
    seeds = np.random.SeedSequence(7).spawn(6)
    return lambda seed: np.random.default_rng(seed).normal(size=3), seeds


# --- Python's own things


@job("None, Ellipsis, NotImplemented")
def _(_):
    return lambda x: x, [None, ..., NotImplemented]


@job("sets and frozensets")
def _(_):
    return lambda text: (set(text), frozenset(text)), ["abc", "", "aab"]


@job("nested lists, tuples and dicts of different lengths")
def _(_):
    return lambda n: [[(n, [n] * n)], {n: {(n,): []}}], range(5)


@job("namedtuples")
def _(_):
    return lambda n: Point(n, y=[n]), range(4)


@job("dataclasses")
def _(_):
    return lambda n: Trial(n, notes=["x"] * n), range(4)


@job("enums")
def _(_):
    return lambda colour: (Colour(3 - colour.value), colour.name), list(Colour)


@job("paths")
def _(folder):
    return lambda path: path / "x" / path.name, [folder, Path("relative")]


@job("exceptions as values")
def _(_):
    def tried(text):
        try:
            return int(text)
        except ValueError as error:
            return error

    return tried, ["1", "x", "2"]


@job("a generator of items")
def _(_):
    return lambda n: n * n, (n for n in range(25))


# --- kinds of functions


@job("a closure over an array")
def _(_):
    weights = generator().normal(size=100)
    return lambda n: weights[:n].sum(), range(5)


@job("keyword arguments")
def _(_):
    return sorted, ["banana", "kiwi"], {"kwargs": {"reverse": True}}


@job("functools.partial")
def _(_):
    return functools.partial(pow, 3, mod=1000), range(6)


@job("an object that can be called")
def _(_):
    return Scale(2.5), [1, 2, 3]


@job("methods and class methods")
def _(_):
    return lambda n: (Scale(n).of(3), Scale.unit().factor), [1, 2]


@job("a subprocess in the task")
def _(_):
    def version(flag):
        command = [sys.executable, "-c", f"print({flag!r} * 2)"]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        return done.stdout

    return version, ["a", "b"]


@job("a pool of processes in the task")
def _(_):
    def powers(n):
        with ProcessPoolExecutor(2) as pool:
            return list(pool.map(pow, [n, n], [2, 3]))

    return powers, [2, 3]


Point = namedtuple("Point", ["x", "y"])  # noqa: PYI024 - as people have them


@dataclass
class Trial:
    """What came of a trial."""

    number: int
    notes: list[str] = field(default_factory=list)
    best: float | None = None


class Colour(enum.Enum):
    """One of two."""

    RED = 1
    BLUE = 2


class Scale:
    """Multiplies."""

    def __init__(self, factor):
        self.factor = factor

    @classmethod
    def unit(cls):
        return cls(1.0)

    def of(self, x):
        return self.factor * x

    __call__ = of
