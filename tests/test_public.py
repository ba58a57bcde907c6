"""What is public: the names, the namespaces, what importing them costs, what pages name."""

import ast
import importlib
import inspect
import pickle
import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import pytest

import anyk

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "anyk"
NAMESPACES = (
    "anyk", "anyk.aggregation", "anyk.dask_array", "anyk.delays", "anyk.faults", "anyk.joblib",
    "anyk.learn", "anyk.shuffle", "anyk.testing",
)  # fmt: skip
WITH_FLOWER = "anyk.aggregation.flower"  # loads an extra: tests/test_flower.py
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
EXAMPLES = sorted(path for path in (ROOT / "examples").rglob("*") if path.is_file())
PUBLIC = {
    f"{namespace}.{name}": getattr(importlib.import_module(namespace), name)
    for namespace in NAMESPACES
    for name in importlib.import_module(namespace).__all__
}


def in_a_new_process(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


def test_the_table_of_names_is_what_type_checkers_are_told():
    tree = ast.parse((SOURCE / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    told = {
        alias.asname: node.module
        for node in block.body
        for alias in node.names
        if alias.name == alias.asname
    }
    assert told == {**anyk._PLACES, **dict.fromkeys(anyk._NAMESPACES, "anyk")}
    assert list(anyk._PLACES) == sorted(anyk._PLACES)


@pytest.mark.parametrize("name", sorted({*anyk._PLACES} - {"CATALOGUE"}))
def test_a_name_stands_where_the_table_says(name):
    assert getattr(anyk, name).__module__ == anyk._PLACES[name]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_classes_and_functions_pickle_by_name(name):
    if not isinstance(PUBLIC[name], (types.ModuleType, tuple)):
        assert pickle.loads(pickle.dumps(PUBLIC[name])) is PUBLIC[name]


def test_names_are_loaded_when_first_used():
    in_a_new_process("""
import sys, anyk
assert 'numpy' not in sys.modules
assert {'Lagrange', 'run', 'AbstractDomain', 'faults', 'learn', '__version__'} <= set(dir(anyk))
assert not [name for name in sys.modules if name.startswith('anyk.')]
anyk.faults.Crash, anyk.delays.Fixed, anyk.testing.check_scheme  # without a further import
from anyk import Lagrange
assert anyk.Lagrange is Lagrange is vars(anyk)['Lagrange']
try:
    anyk.Lagrang
except AttributeError as error:
    assert str(error) == "module 'anyk' has no attribute 'Lagrang'", error
else:
    raise AssertionError
""")


def test_a_star_brings_all_names_but_the_extra():
    in_a_new_process("""
import sys
sys.modules['sklearn'] = None
from anyk import *
import anyk
assert set(anyk.__all__) <= set(globals())
""")


def test_no_module_has_the_name_of_a_function():
    beside = {path.stem for path in SOURCE.iterdir()}
    assert not beside & set(anyk._PLACES)  # importing anyk.run would put the module in its place
    assert {name.removeprefix("anyk.") for name in NAMESPACES[1:]} == beside & {*anyk._NAMESPACES}


@pytest.mark.parametrize("use", ["import anyk", "from anyk import Lagrange, Threads, run"])
def test_an_import_costs_at_most_two_and_a_half_times_numpys(use):
    def cost(statement):
        code = f"from time import process_time as t\nb = t()\n{statement}\nprint(t() - b)"
        return float(in_a_new_process(code))

    rounds = [(cost("import numpy"), cost(use)) for _ in range(7)]  # in turn: noise meets both
    numpy, ours = (min(side) for side in zip(*rounds, strict=True))  # and only ever adds
    assert ours <= 2.5 * numpy


def foreign(text):
    """What a page names of anyk beyond the namespaces."""
    modules = re.findall(r"(?:from|import) (anyk[\w.]*)", text)
    names = re.findall(r"\banyk\.([A-Za-z]\w*)(?!\w*[-/])", text)
    return sorted(
        {*modules} - {*NAMESPACES, WITH_FLOWER}
        | {f"anyk.{name}" for name in names if name not in dir(anyk)}
    )


@pytest.mark.parametrize("path", [*PAGES, *EXAMPLES], ids=lambda path: path.name)
def test_a_page_names_the_public_namespaces_alone(path):
    assert foreign(path.read_text()) == []


@pytest.mark.parametrize("name", PUBLIC)
def test_an_example_imports_from_the_public_namespaces_alone(name):
    item = PUBLIC[name]
    texts = [inspect.getdoc(item) or ""]
    if inspect.isclass(item):
        texts += [inspect.getdoc(each) or "" for each in vars(item).values() if callable(each)]
    shown = [line for text in texts for line in re.findall(r"(?:>>>|\.\.\.) (.*)", text)]
    assert foreign("\n".join(shown)) == []


def test_a_page_that_names_more_is_noticed():
    text = "from anyk.faults.faulty import Crash\nfrom anyk.faults import Die\n`anyk.spec.Map`"
    assert foreign(text) == ["anyk.faults.faulty", "anyk.spec"]


CONTRIBUTING = ROOT / "CONTRIBUTING.md"
SOURCES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize(
    "path", [*PAGES, CONTRIBUTING, *EXAMPLES, *SOURCES], ids=lambda path: path.stem
)
def test_what_is_to_be_installed_is_in_a_checkout(path):
    text = path.read_text()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = re.findall(r"pip install [^\n]*'\.\[(\w+)\]'", text)
    named += re.findall(r"missing_extra\([^)]*?, \"(\w+)\"\)", text)
    assert set(named) <= set(project["optional-dependencies"])
    for line in re.findall(r"pip install ([^`\n&]*)", text):
        assert "anyk" not in line, "the name is on no index: install from a checkout"


def test_a_first_use_loads_nothing_that_few_need():
    in_a_new_process("""
import sys
from anyk import Lagrange, Threads, run
few = {'base64', 'concurrent.futures', 'cryptography', 'html', 'multiprocessing', 'pathlib',
       'scipy', 'ssl'}
assert not few & set(sys.modules), few & set(sys.modules)
""")
