"""The catalogue: one row a scheme, and all that is made of it."""

import importlib
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import anyk

ROOT = Path(__file__).parents[1]
PARITY = ROOT / "examples" / "parity.py"


def module(path):
    specification = importlib.util.spec_from_file_location(path.stem, path)
    loaded = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(loaded)
    return loaded


tables = module(ROOT / "scripts" / "tables.py")


def test_the_pages_have_the_table_of_the_catalogue():
    pages = tables.pages()
    assert {page.name for page in pages} == {"README.md", "which-scheme.md", "matrix-products.md"}
    for page in pages:
        text = page.read_text()
        assert text == tables.with_table(text, anyk.CATALOGUE), "run python scripts/tables.py"


def test_each_scheme_stands_in_one_of_the_tables_and_each_for_products_says_when_to_take_it():
    made = {name: make(anyk.CATALOGUE) for name, make in tables.TABLES.items()}
    for row in anyk.CATALOGUE:
        told = [name for name, table in made.items() if f"\n| `{row.words.call}` |" in table]
        assert told[-1] == {anyk.MatMul: "products"}.get(row.solves, told[-1])
        assert len(told) == 1 or row.scheme is anyk.FractionalRepetition
        assert bool(row.words.when) == (row.solves is anyk.MatMul)


@pytest.mark.parametrize("row", anyk.CATALOGUE, ids=lambda row: row.name)
def test_a_row_is_of_its_scheme(row):
    assert row.name == row.scheme.__name__
    assert row.words.call.startswith(f"{row.name}(")
    assert getattr(anyk, row.name) is row.scheme
    for example in row.examples():
        assert type(example) is row.scheme
        assert isinstance(example.problem, row.solves)


def test_a_scheme_of_somebody_else_is_weighed_checked_and_listed_by_its_row(tmp_path, monkeypatch):
    (tmp_path / "somebody").mkdir()
    shutil.copy(PARITY, tmp_path / "somebody")
    monkeypatch.syspath_prepend(tmp_path)
    parity = importlib.import_module("somebody.parity")
    rows = (*anyk.CATALOGUE, parity.ROW)
    problem, threat = anyk.Map(blocks=3, degree=1), anyk.Threat(workers=4, stragglers=1)
    assert parity.Parity(3) in list(anyk.schemes_for(problem, threat, catalogue=rows))
    assert parity.Parity(3) not in list(anyk.schemes_for(problem, threat))
    summed = anyk.schemes_for(anyk.Sum(blocks=3, degree=1), threat, catalogue=rows)
    assert anyk.Summed(parity.Parity(3)) in list(summed)
    added = set(tables.scheme_table(rows).splitlines()) - set(
        tables.scheme_table(anyk.CATALOGUE).splitlines()
    )
    assert len(added) == 1
    assert added.pop().startswith("| `Parity(blocks=K)` | polynomials of degree 1 | any K of K + 1")
    for scheme in parity.ROW.examples():
        anyk.testing.check_scheme(scheme, generator=np.random.default_rng(0))


RUN = """
import sys, pytest, anyk
assert anyk.__file__.startswith(sys.argv[1])
print(anyk.schemes_for(anyk.Map(blocks=3, degree=1), anyk.Threat(workers=4, stragglers=1)))
import runpy
print(runpy.run_path(sys.argv[3])["scheme_table"](anyk.CATALOGUE))
sys.exit(pytest.main([sys.argv[2], "-k", "test_scheme and Parity", "-v", "-p", "no:cacheprovider"]))
"""


def test_adding_a_scheme_is_one_file_and_one_row(tmp_path, monkeypatch):
    package = tmp_path / "anyk"
    shutil.copytree(ROOT / "src" / "anyk", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PARITY, package / "schemes" / "maps")
    catalogue = package / "schemes" / "catalogue.py"
    text = catalogue.read_text()
    text = text.replace("maps import lagrange,", "maps import lagrange, parity,")
    catalogue.write_text(text.replace("    shamir.ROW,\n", "    shamir.ROW,\n    parity.ROW,\n"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    paths = (tmp_path, ROOT / "tests" / "test_conformance.py", ROOT / "scripts" / "tables.py")
    done = subprocess.run(
        [sys.executable, "-c", RUN, *map(str, paths)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"\nParity +4 workers, exact\n", done.stdout)
    assert "\n| `Parity(blocks=K)` | polynomials of degree 1 | any K of K + 1" in done.stdout
    for example in ("blocks=1, ", "blocks=2, ", "blocks=5, "):
        assert f"test_scheme[Parity({example}" in done.stdout
    assert "3 passed" in done.stdout
