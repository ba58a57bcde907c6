"""Write docs/house.md: every room and file of the package, from their imports and first lines.

    python scripts/house.py

Rooms are folders. At each level they stand in the order of their floors: what is below is imported
by what is above, and never the other way round. The order is that of the real imports, so that
nobody keeps it by hand; `tests/test_house.py` fails where there is none, or the page is old.
"""

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "anyk"
PAGE = ROOT / "docs" / "house.md"
HEAD = """\
# The house

Every scheme is linear in its data: shares = D·blocks + M·masks, value = R·answers. D, M and R are
small, and the arrays are big. So there is one hot kernel, `domain.matmul(small, big)`, and a scheme
is mostly the mathematics of D, M and R. An executor knows nothing of codes. A scheme knows nothing
of executors. They meet in `running/`; [How a run works](how-a-run-works.md) follows one call.

Every folder of `src/anyk/` is a room, and every file has one concept. At each level, a room or a
file imports only from those that stand above it in the list: no two rooms import each other.
`scripts/house.py` makes the list from the real imports, and a test compares.

"""

Graph = dict[str, set[str]]


def at_run_time(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes of a module but those that a type checker alone sees."""
    left = [tree]
    while left:
        node = left.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            left.extend(node.orelse)
            continue
        yield node
        left.extend(ast.iter_child_nodes(node))


def imports(source: Path = SOURCE) -> Graph:
    """By file, the files of the package that it imports, anywhere in it.

    Args:
        source: the package's folder; its name is the package's.
    """
    files = {path.relative_to(source).as_posix() for path in source.rglob("*.py")}

    def found(module: str, name: str) -> str:
        base = "/".join(module.split(".")[1:])
        places = (f"{base}/{name}.py", f"{base}/{name}/__init__.py", f"{base}.py")
        places += (f"{base}/__init__.py",)
        return next(place.lstrip("/") for place in places if place.lstrip("/") in files)

    graph: Graph = {}
    for file in files:
        graph[file] = set()
        tree = ast.parse((source / file).read_text())
        lazy = file.endswith("__init__.py")  # it loads later what a type checker sees at once
        for node in ast.walk(tree) if lazy else at_run_time(tree):
            if isinstance(node, ast.ImportFrom):
                module = node.module or ""
                if node.level or module.split(".")[0] == source.name:
                    graph[file] |= {found(module, alias.name) for alias in node.names}
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
                if any(name.split(".")[0] == source.name for name in names):
                    raise ValueError(f"{file} has import {names[0]}: write from .. import ..")
    return graph


def rooms(graph: Graph) -> list[str]:
    """All folders, the package itself as the empty name."""
    parents = (Path(file).parents for file in graph)
    return sorted(
        {"" if str(room) == "." else room.as_posix() for each in parents for room in each}
    )


def beside(graph: Graph, room: str) -> Graph:
    """What stands in a room, files and rooms, each with those beside it that it imports."""
    prefix = f"{room}/" if room else ""
    within: Graph = {}
    for file, others in graph.items():
        if file.startswith(prefix):
            here = file.removeprefix(prefix).split("/")[0]
            there = {
                other.removeprefix(prefix).split("/")[0]
                for other in others
                if other.startswith(prefix)
            }
            within.setdefault(here, set()).update(there - {here})
    return within


def floors(graph: Graph, room: str) -> list[str]:
    """What stands in a room, ground floor first.

    Raises:
        CycleError: if two import each other, directly or round about.
    """
    sorter = TopologicalSorter(beside(graph, room))
    sorter.prepare()
    order: list[str] = []
    while ready := sorted(sorter.get_ready()):
        order.extend(ready)
        sorter.done(*ready)
    return order


def page() -> str:
    """docs/house.md."""
    graph = imports()
    return HEAD + "\n".join(_listed(graph, "", 0)) + "\n"


def _listed(graph: Graph, room: str, depth: int) -> Iterator[str]:
    for name in floors(graph, room):
        path = f"{room}/{name}".lstrip("/")
        if name == "__init__.py":
            continue
        folder = (SOURCE / path).is_dir()
        text = _says(f"{path}/__init__.py" if folder else path)
        yield f"{'    ' * depth}- `{name}{'/' if folder else ''}`: {text}"
        if folder:
            yield from _listed(graph, path, depth + 1)


def _says(file: str) -> str:
    """The first line of a file."""
    text = ast.get_docstring(ast.parse((SOURCE / file).read_text())) or ""
    return text.splitlines()[0]


if __name__ == "__main__":
    PAGE.write_text(page())
