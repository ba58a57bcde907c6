"""The pages: their code runs, their commands exist, their links lead somewhere, words are told."""

import importlib.util
import inspect
import re
import shlex
import struct
import subprocess
import sys
import threading
import tomllib
import types
from pathlib import Path

import numpy as np
import pytest

import anyk
from anyk.bench.reproduce.catalogue import EXPERIMENTS
from anyk.cli import _parser

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = ROOT / "README.md"
PAGES = [README, ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("*.md"))]
ALL = [*PAGES, ROOT / "SECURITY.md", ROOT / "examples" / "remote" / "README.md"]
SOURCE = ROOT / "src" / "anyk"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = PROJECT["optional-dependencies"]
FENCE = re.compile(r"^```(.*?)\n(.*?)^```", re.MULTILINE | re.DOTALL)
WORDS = (
    *("problem", "threat", "domain", "block", "part", "share", "work", "answer", "scheme", "check"),
    *("evidence", "recovery", "guarantee", "outcome", "executor", "plan", "worker", "straggler"),
    *("adversary", "colluder", "piece", "placement", "master", "mask", "leakage", "degree"),
    *("threshold", "layout", "sketch", "veil", "room"),
)
ON_THE_WAY = (  # files whose classes stand in a user's traceback, or in what is printed
    "errors.py",
    "answers.py",
    "spec.py",
    "work.py",
    "running/*.py",
    "schemes/base.py",
    "executors/core/*.py",
    "executors/*/link.py",
    "executors/engines/*.py",
    "executors/wrappers/wrapper.py",
)
specification = importlib.util.spec_from_file_location("reference", ROOT / "scripts/reference.py")
reference = importlib.util.module_from_spec(specification)
specification.loader.exec_module(reference)


def blocks(path):
    return FENCE.findall(path.read_text(encoding="utf-8"))


def commands(text):
    """The single commands of shell lines, each as its words."""
    lines = [line.partition("  #")[0] for line in text.splitlines() if line.strip()]
    return [shlex.split(each) for line in lines for each in line.split(" && ")]


def slug(heading):
    """The anchor of a heading, as code hosts and the site make it."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).strip().replace(" ", "-")


def anchors(path):
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    return {slug(line.lstrip("#").strip()) for line in re.findall(r"^#+ .*", text, re.MULTILINE)}


def section(path, anchor):
    """The text under one heading."""
    parts = re.split(r"^(#+ .*)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    (at,) = (i for i in range(1, len(parts), 2) if slug(parts[i].lstrip("#").strip()) == anchor)
    return parts[at + 1]


def links(path):
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_every_block_of_python_runs(path):
    for kind, text in blocks(path):
        if ".python" in kind:  # the site shows a file here, which tests or the gate run
            shown = re.fullmatch(r'--8<-- "(examples/.*\.py)"\n', text)
            assert shown, text
            assert (ROOT / shown[1]).is_file()
        elif kind.startswith("py"):
            assert ">>>" in text, f"nothing runs this: {text}"


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_blocks_are_of_a_kind_that_is_checked(path):
    assert {kind for kind, _ in blocks(path)} <= {"python", "sh", "", " { .python }"}


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_every_shell_command_exists(path):
    text = "\n".join(text for kind, text in blocks(path) if kind == "sh")
    for words in commands(text):
        assert_exists(words, path.parent)


def assert_exists(words, folder):
    program, *arguments = words
    match Path(program).name, arguments:
        case "anyk", _:
            assert_understood(arguments)
        case "python3", ["-m", "venv", ".venv"]:
            pass
        case "python", ["-m", "pytest", *_]:
            pass
        case "python", [script, *_]:
            assert (ROOT / script).is_file() or (folder / script).is_file(), words
        case "bash", [script]:
            assert (ROOT / script).is_file(), words
        case "pip", ["install", *what]:
            assert_installs(what[-1])
        case "mkdocs", ["serve" | "build", *_]:
            pass
        case _:
            pytest.fail(f"is there such a command? {words}")


def assert_understood(arguments):
    try:
        _parser().parse_args(arguments)
    except SystemExit as stop:
        if stop.code:  # --help stops without one
            pytest.fail(f"anyk has no such command: {arguments}")


def assert_installs(what):
    """That an install line names a checkout, as the project is on no index, and extras of it."""
    named = re.fullmatch(r"\.(?:\[([\w,]+)\])?", what)
    assert named, f"{what} is no checkout"
    assert set((named[1] or "learn").split(",")) <= set(EXTRAS), what


def install_lines():
    for path in [*ALL, *(ROOT / "examples").rglob("*.py")]:
        for line in re.findall(r"pip install ((?:-\S+ )*)'?([\w.\[\],]+)", path.read_text()):
            yield path, line[1]


def test_every_install_line_works_in_a_checkout():
    found = list(install_lines())
    assert len(found) > 10
    for path, what in found:
        assert what.startswith("."), f"{path}: {what}"
        assert_installs(what)


def test_the_readme_is_short_and_has_one_picture():
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    (picture,) = re.findall(r"!\[[^\]]*\]\((.*?)\)", text)
    data = (ROOT / picture).read_bytes()
    assert len(data) < 200_000
    width, height = struct.unpack(">II", data[16:24])  # of a PNG
    assert 1000 < width < 2000  # sharp and readable where a page is 800 to 900 wide
    assert height < width


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path):
    for link in links(path):
        page, _, anchor = link.partition("#")
        if page.startswith(("reference/", "../reference/")):
            assert page in reference.pages()
            continue
        target = (path.parent / page).resolve() if page else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("start", [README, DOCS / "index.md"], ids=["README", "index"])
@pytest.mark.parametrize("who", ["hangs on its last task", "must not trust", "as published"])
def test_readers_find_their_lines_of_code_behind_one_link(start, who):
    (row,) = (
        line for line in start.read_text().splitlines() if line.startswith("|") and who in line
    )
    page, _, anchor = re.findall(r"\]\(([^)\s]+)\)", row)[0].partition("#")
    target = start.parent / page
    shown = section(target, anchor) if anchor else target.read_text()
    assert ">>>" in shown


def test_every_page_is_in_the_menu():
    menu = re.findall(r": ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    assert sorted(menu) == sorted([*(path.name for path in DOCS.glob("*.md")), *reference.pages()])


def test_the_reference_has_every_public_name_once():
    pages = reference.pages()
    namespaces = (anyk.faults, anyk.delays, anyk.joblib, anyk.learn, anyk.shuffle, anyk.testing)
    for module in (anyk, *namespaces):
        for name in module.__all__:
            item = getattr(module, name)
            if isinstance(item, types.ModuleType) or not callable(item):
                continue
            lines = [line for text in pages.values() for line in text.splitlines()]
            assert lines.count(f"::: {item.__module__}.{item.__qualname__}") >= 1, name
    for text in pages.values():
        entries = re.findall(r"^::: .*", text, re.MULTILINE)
        assert len(entries) == len(set(entries))


def classes_on_the_way():
    for pattern in ON_THE_WAY:
        for path in SOURCE.glob(pattern):
            yield from re.findall(r"^class ([A-Z]\w*)", path.read_text(), re.MULTILINE)


def told():
    return set(re.findall(r"`(\w+)`", (DOCS / "glossary.md").read_text()))


def test_the_glossary_has_every_class_on_the_way_of_a_run():
    schemes = (anyk.AbstractScheme, anyk.AbstractExecutor)  # these have pages of their own
    public = {
        name
        for name in anyk.__all__
        if inspect.isclass(item := getattr(anyk, name))
        and (not issubclass(item, schemes) or name.startswith("Abstract"))
    }
    ours = set(classes_on_the_way()) - {"Dask", "Ray", "Futures"}
    missing = sorted((public | ours) - told())
    assert not missing, missing


def test_each_word_of_the_glossary_has_one_whole_paragraph():
    words = (DOCS / "glossary.md").read_text().partition("## The words")[2].partition("\n## ")[0]
    paragraphs = words.strip().split("\n\n")
    assert [each[:40] for each in paragraphs if not each.startswith("**") or each[-1] != "."] == []
    named = [each.partition("**.")[0].partition("**,")[0] for each in paragraphs]
    assert sorted(set(named)) == sorted(named)


@pytest.mark.parametrize("word", WORDS)
def test_the_glossary_has_every_word_of_the_trade(word):
    assert f"\n**{word}**" in (DOCS / "glossary.md").read_text()


def test_python_runs_the_package():
    done = subprocess.run(
        [sys.executable, "-m", "anyk", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"anyk {anyk.__version__}\n"


def test_the_classifiers_name_the_pythons_that_the_gate_tries():
    told = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))
    gate = (ROOT / ".ci" / "run").read_text()
    assert told == ["3.11", "3.12", "3.13"]
    assert all(version in gate for version in told[1:])


def files_entered(call):
    """The files of the package that a call enters, in any thread."""
    entered = set()

    def note(frame, event, _):
        if event == "call" and frame.f_code.co_filename.startswith(f"{SOURCE}/"):
            entered.add(frame.f_code.co_filename.removeprefix(f"{SOURCE}/"))

    threading.setprofile(note)
    sys.setprofile(note)
    try:
        call()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    return entered


def test_the_page_on_a_run_names_every_file_that_a_run_enters():
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=5)

    def call():
        with anyk.Threads(5) as executor:  # with all its threads, which must be watched
            anyk.run(scheme, lambda x: x.T @ x, np.arange(12).reshape(2, 3, 2), executor)

    call()  # what is loaded when it is first used is loaded
    text = (DOCS / "how-a-run-works.md").read_text()
    assert sorted(file for file in files_entered(call) if f"`{file}`" not in text) == []


def test_the_page_on_a_run_names_files_that_there_are():
    named = re.findall(r"`([\w/]+\.py)`", (DOCS / "how-a-run-works.md").read_text())
    assert [file for file in named if not list(SOURCE.rglob(file))] == []


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.name)
def test_files_and_experiments_that_are_named_exist(path):
    text = path.read_text(encoding="utf-8")
    for name in re.findall(r"\b((?:benchmarks|examples|scripts|tests|src)/[\w/.-]*\w)", text):
        assert (ROOT / name).exists() or (ROOT / f"{name}.py").exists(), name
    known = {experiment.name for experiment in EXPERIMENTS}
    assert set(re.findall(r"anyk reproduce ([a-z][\w-]+)", text)) <= known
