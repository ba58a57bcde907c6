"""The notebook runs from its first cell to its last."""

import json
from pathlib import Path

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
