"""The pages of the API reference, made while the site is built, from what the package exports.

mkdocs calls `on_files` (see `hooks` in mkdocs.yml). Nobody keeps these pages by hand: a name that
is added to `anyk.__all__`, or to that of a public namespace, has its entry in the next build.
"""

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import anyk

PAGES = {  # page: its title, what it says first, and the rooms whose exports of `anyk` it holds
    "running": ("Running", "From a function and data to an outcome.", ("running", "cutting")),
    "schemes": (
        "Schemes",
        "[Which scheme](../which-scheme.md) helps to choose one.",
        ("schemes", "planning"),
    ),
    "executors": (
        "Executors",
        "Where the workers are. [Engines](../engines.md) shows each of them at work.",
        ("executors",),
    ),
    "evidence": (
        "Evidence and errors",
        "What a run returns, and what it raises.",
        ("answers", "errors"),
    ),
    "numbers": (
        "Numbers and privacy",
        "Problems, threats and guarantees; fields and formats of numbers; what coalitions learn.",
        (),  # every other room
    ),
}
NAMESPACES = {  # further public namespaces, a page each
    "aggregation": "Sums of which a server sees nothing else: "
    "[Secure aggregation](../aggregation.md).",
    "dask_array": "Products with a dask.array. They need `pip install '.[dask]'`.",
    "faults": "Faults put into workers on purpose, to see what a scheme makes of them.",
    "delays": "How late workers are: models, and traces of measured delays.",
    "joblib": "A backend of joblib. It needs joblib, which scikit-learn brings along.",
    "learn": "Estimators in scikit-learn's conventions. They need `pip install '.[learn]'`.",
    "shuffle": "Map, shuffle, reduce. Nodes that are processes of MPI need `pip install '.[mpi]'`.",
    "testing": "Checks that every scheme, domain and executor must pass, also yours.",
}


def room_of(item: Any) -> str:
    """The room of a class or function of the package: the first folder or file of its path."""
    return str(item.__module__).split(".")[1]


def entries(module: ModuleType) -> Iterator[tuple[str, Any]]:
    """The classes and functions that a module exports, by name."""
    names = sorted(getattr(module, "__all__", ()), key=lambda name: name.startswith("Abstract"))
    for name in names:  # what readers build on is below what they use
        item = getattr(module, name)
        if inspect.isclass(item) or inspect.isroutine(item):
            yield name, item


def entry(item: Any) -> str:
    """The directive that mkdocstrings replaces by the docstring.

    Of a scheme or an executor, only those members are listed that it has beyond its base class.
    """
    directive = f"::: {item.__module__}.{item.__qualname__}\n"
    bases = (anyk.AbstractScheme, anyk.AbstractExecutor)
    base = next((each for each in bases if inspect.isclass(item) and issubclass(item, each)), item)
    if base is item:
        return directive
    own = [name for name in vars(item) if not name.startswith("_") and not hasattr(base, name)]
    fields = getattr(item, "__dataclass_fields__", {})
    return f"{directive}    options:\n      members: {sorted({*own} - {*fields}) or False}\n"


def pages() -> dict[str, str]:
    """Every page of the reference, as Markdown, by its path in the site."""
    own = {room for _, _, rooms in PAGES.values() for room in rooms}
    made = {}
    for page, (title, says, rooms) in PAGES.items():
        here = [
            entry(item)
            for _, item in entries(anyk)
            if (room_of(item) in rooms if rooms else room_of(item) not in own)
        ]
        made[page] = "\n".join([f"# {title}\n", f"{says}\n", *here])
    for name, says in NAMESPACES.items():
        module = importlib.import_module(f"anyk.{name}")
        listed = [entry(item) for _, item in entries(module)]
        made[name] = "\n".join([f"# anyk.{name}\n", f"{says}\n", *listed])
    return {f"reference/{page}.md": text for page, text in made.items()}


def on_files(files: Any, config: Any) -> Any:
    """Add the pages to those of the site; see mkdocs' events."""
    from mkdocs.structure.files import File  # noqa: PLC0415 - where there is a site to build

    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files
