"""An error, and what becomes of whoever follows its advice."""

import ast
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyk

SOURCE = Path(anyk.__file__).parent
SPOKEN = {"ExecutorError", "NotPolynomial"}  # whose advice is in their text
PASSED_ON = {"checks.py"}  # validators, which say what their callers advise


@dataclass(frozen=True)
class Tried:
    """A call that fails, and calls that follow the advice of its error.

    Args:
        says: a part of the error; each {} in it is a number that the advice names.
        wrong: the call.
        follow: what the error advises, each of it, called with the numbers that it names.
        less: the same with numbers of one less, which is not enough.
    """

    says: str
    wrong: Callable[[], Any]
    follow: tuple[Callable[..., Any], ...]
    less: Callable[..., Any] | None = None

    def error(self) -> anyk.AnykError:
        """What the call raises."""
        try:
            self.wrong()
        except anyk.AnykError as error:
            return error
        message = f"nothing was raised where it should say {self.says!r}"
        raise AssertionError(message)

    def numbers(self, error: anyk.AnykError) -> list[int]:
        """The numbers that the advice names."""
        pattern = re.escape(self.says).replace(r"\{\}", r"(\d+)")
        found = re.search(pattern, str(error))
        assert found, f"{error} does not say {self.says!r}"
        return [int(number) for number in found.groups()]


def tried(says: str, wrong: Callable[[], Any], *follow: Callable[..., Any], less=None) -> Tried:
    """A row of a table: see `Tried`."""
    return Tried(says, wrong, follow, less)


@dataclass(frozen=True, order=True)
class Site:
    """Where an error's advice is written: from one line to another of a file."""

    path: str
    first: int
    last: int
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.first} {self.advice}"


def sites() -> list[Site]:
    """Every place in the source that gives an advice."""
    found = []
    for path in sorted(SOURCE.rglob("*.py")):
        name = path.relative_to(SOURCE).as_posix()
        if name in PASSED_ON:
            continue
        tree = ast.parse(path.read_text())
        own = {id(each) for each in ast.walk(tree) if isinstance(each, ast.Call)} - _passing_on(
            tree
        )
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and id(node) in own:
                advice = _advice(node)
                if advice is not None:
                    found.append(Site(name, node.lineno, node.end_lineno or 0, advice))
    return found


def _passing_on(tree: ast.AST) -> set[int]:
    """Calls that give the advice that their function was given."""
    passing = set()
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            given = {each.arg for each in (*function.args.args, *function.args.kwonlyargs)}
            for node in ast.walk(function):
                if isinstance(node, ast.Call):
                    names = [each.value for each in node.keywords if each.arg == "change"]
                    if any(isinstance(name, ast.Name) and name.id in given for name in names):
                        passing.add(id(node))
    return passing


def _advice(call: ast.Call) -> str | None:
    for keyword in call.keywords:
        if keyword.arg == "change":
            value = keyword.value
            return value.value if isinstance(value, ast.Constant) else ast.unparse(value)
    if isinstance(call.func, ast.Name) and call.func.id in SPOKEN:
        return ast.unparse(call.args[0])
    return None


def reached(error: BaseException) -> set[tuple[str, int | str]]:
    """The lines of anyk's source that an error came through, and what it advises.

    An error that one function makes and another one raises did not come through the first.
    """
    lines: set[tuple[str, int | str]] = {("", getattr(error, "change", ""))}
    trace = error.__traceback__
    while trace is not None:
        path = Path(trace.tb_frame.f_code.co_filename)
        if path.is_relative_to(SOURCE):
            lines.add((path.relative_to(SOURCE).as_posix(), trace.tb_lineno))
        trace = trace.tb_next
    return lines
