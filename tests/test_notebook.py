"""A notebook's kernel: README's examples cell by cell, and functions of cells, on processes."""

import doctest
from pathlib import Path

import pytest

nbclient = pytest.importorskip("nbclient")
nbformat = pytest.importorskip("nbformat")
pytest.importorskip("ipykernel")

README = Path(__file__).parents[1] / "README.md"
ON_PROCESSES = {  # README has an engine of each kind; here all of it is on processes
    'with Client(n_workers=8, processes=False, dashboard_address=":0") as client:': "if True:",
    "anyk.Dask(client)": "anyk.Processes(8)",
    "anyk.Threads(": "anyk.Processes(",
}
LONGEST = 120  # seconds of a cell


def printed(cells: list[str]) -> list[str]:
    """What each cell of a notebook prints; an error where one raises."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "", "language": "python"}
    nbclient.NotebookClient(notebook, timeout=LONGEST, kernel_name="python3").execute()
    return [
        "".join(each.text for each in cell.outputs if each.get("name") == "stdout").strip()
        for cell in notebook.cells
    ]


def told(example: doctest.Example) -> str:
    """The cell of an example, which prints what a doctest would compare."""
    try:
        compile(example.source, "cell", "eval")
    except SyntaxError:
        return example.source
    return f"print(repr((\n{example.source})))"


def test_the_readme_runs_cell_by_cell_on_processes():
    text = README.read_text(encoding="utf-8")
    for engine, process in ON_PROCESSES.items():
        assert engine in text
        text = text.replace(engine, process)
    examples = doctest.DocTestParser().get_examples(text)
    compare = doctest.OutputChecker().check_output
    for example, output in zip(examples, printed([told(each) for each in examples]), strict=True):
        want = example.want or "\n"
        assert compare(want, f"{output}\n", doctest.NORMALIZE_WHITESPACE), (example.source, output)


CELLS = """
import anyk, dataclasses, enum, os
executor = anyk.Processes(3)
---
scale = 2
def f(x):
    return x * scale, os.getpid() == parent
---
parent = os.getpid()
---
print(anyk.map(f, [1, 2], executor).value)
---
scale = 3  # a cell that is run again: the function is another one by now
---
print(anyk.map(f, [1, 2], executor).value)
---
def f(x):
    return helper(x) + 1
def helper(x):
    return -x
---
print(anyk.map(f, [1, 2], executor).value)
---
@dataclasses.dataclass
class Found:
    name: str
class Kind(enum.Enum):
    A = 1
---
found = anyk.map(lambda name: (Found(name), Kind.A), "ab", executor).value
print(found, all(type(one) is Found and kind is Kind.A for one, kind in found))
---
try:
    anyk.map(lambda n: 1 / n, [1, 0], executor)
except anyk.FunctionRaised as error:
    print(repr(error.__cause__))
---
print((await anyk.amap(len, ["any", "k"], executor)).value)
---
scheme = anyk.Replication(2, 3)
print(anyk.run(scheme, lambda x: x + scale, [1.0, 2.0], executor).value)
executor.close()
---
print(anyk.map(lambda x: x + scale, [1, 2]).value)
"""


def test_what_cells_define_arrives_and_comes_back():
    outputs = printed(CELLS.split("---\n"))
    assert [each for each in outputs if each] == [
        "[(2, False), (4, False)]",
        "[(3, False), (6, False)]",
        "[0, -1]",
        "[(Found(name='a'), <Kind.A: 1>), (Found(name='b'), <Kind.A: 1>)] True",
        "ZeroDivisionError('division by zero')",
        "[3, 1]",
        "[4. 5.]",
        "[4, 5]",
    ]


def test_the_notebook_of_first_steps_runs_in_a_kernel():
    path = README.parent / "examples" / "first_steps.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbclient.NotebookClient(notebook, timeout=LONGEST, kernel_name="python3").execute()
