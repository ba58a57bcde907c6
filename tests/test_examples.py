"""The notebook runs from its first cell to its last; examples of products are right."""

import json
import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"


def test_the_notebook_runs(capsys):
    notebook = json.loads((EXAMPLES / "first_steps.ipynb").read_text())
    scope = {}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            exec("".join(cell["source"]), scope)  # noqa: S102 - our own notebook
    told = capsys.readouterr().out
    assert "no worker learns anything" in told
    assert "16 answers" in told
    assert scope["outcome"].status.ok


def test_the_notebook_shows_who_crashed_and_who_lied():
    notebook = json.loads((EXAMPLES / "first_steps.ipynb").read_text())
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    scope = {}
    for cell in cells[:3]:
        exec(cell, scope)  # noqa: S102 - our own notebook
    outcome = scope["outcome"]
    assert (tuple(outcome.failures), outcome.suspects) == ((3,), (5,))


def test_the_notebook_is_kept_without_outputs():
    notebook = json.loads((EXAMPLES / "first_steps.ipynb").read_text())
    assert all(not cell.get("outputs") for cell in notebook["cells"])


@pytest.mark.parametrize(
    ("name", "liar", "most"),
    [("power_iteration", 7, 1e-13), ("conjugate_gradients", 6, 1e-9), ("pagerank", 6, 1e-13)],
)
def test_what_a_matrix_on_the_workers_is_good_for_is_as_numpys(name, liar, most, capsys):
    off = runpy.run_path(str(EXAMPLES / f"{name}.py"))["main"]()
    assert off < most
    assert f"not asked any more: workers [{liar}]" in capsys.readouterr().out
