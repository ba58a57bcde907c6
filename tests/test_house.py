"""The shape of the house: floors, file sizes, what an import costs, what docstrings hold."""

import ast
import graphlib
import importlib.util
import inspect
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import anyk

ROOT = Path(__file__).parents[1]
specification = importlib.util.spec_from_file_location("house", ROOT / "scripts" / "house.py")
house = importlib.util.module_from_spec(specification)
specification.loader.exec_module(house)
SOURCE = ROOT / "src" / "anyk"
MODULES = sorted(
    path.relative_to(SOURCE).as_posix()
    for path in SOURCE.rglob("*.py")
    if path.name != "__init__.py" or path.parent == SOURCE
)
GRAPH = house.imports()
PUBLIC = [getattr(anyk, name) for name in anyk.__all__]
DOCUMENTED = [item for item in PUBLIC if inspect.isclass(item) or inspect.isfunction(item)]


@pytest.mark.parametrize("room", house.rooms(GRAPH))
def test_a_room_imports_only_from_floors_below_it(room):
    order = house.floors(GRAPH, room)  # raises CycleError where two import each other
    below = house.beside(GRAPH, room)
    assert set(order) == set(below)
    assert all(order.index(other) < order.index(name) for name in below for other in below[name])


def test_two_rooms_that_import_each_other_are_noticed(tmp_path):
    package = tmp_path / "anyk"
    for name, text in {
        "a/x.py": "from anyk.b import y",
        "b/y.py": "def late():\n    from anyk.a.x import z",
        "c.py": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from anyk.d import e",
        "d.py": "from anyk.c import f",
    }.items():
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(text)
    with pytest.raises(graphlib.CycleError) as caught:
        house.floors(house.imports(package), "")
    assert set(caught.value.args[1]) == {"a", "b"}


def test_the_page_of_the_house_is_as_the_house_is():
    assert house.PAGE.read_text() == house.page(), "run python scripts/house.py"


@pytest.mark.parametrize("path", MODULES)
def test_no_file_is_long(path):
    assert len((SOURCE / path).read_text().splitlines()) < 500


@pytest.mark.parametrize("path", [path for path in MODULES if path != "errors.py"])
def test_every_class_is_abstract_or_final(path):  # but for errors, which users catch by kinds
    for node in ast.walk(ast.parse((SOURCE / path).read_text())):
        if isinstance(node, ast.ClassDef):
            above = [ast.unparse(each) for each in (*node.bases, *node.decorator_list)]
            assert {"ABC", "final"} & {*above} or node.name.startswith("Abstract"), node.name


def test_import_needs_numpy_scipy_and_cryptography_alone():
    code = """
import sys
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] in {'sklearn', 'rich', 'matplotlib', 'torch', 'dask', 'distributed',
                                  'ray', 'mpi4py', 'cloudpickle'}:
            raise AssertionError(f'import anyk imports {name}')
sys.meta_path.insert(0, Refuse())
import anyk
heavy = {'scipy.linalg', 'multiprocessing.managers'} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("item", DOCUMENTED, ids=lambda item: item.__name__)
def test_every_public_docstring_has_an_example(item):
    assert ">>>" in inspect.getdoc(item), item


@pytest.mark.parametrize(
    "scheme", [row.scheme for row in anyk.CATALOGUE], ids=lambda scheme: scheme.__name__
)
def test_every_scheme_states_its_guarantee_and_its_source(scheme):
    text = inspect.getdoc(scheme)
    for section in ("Args:", "Raises:", "Guarantee:", "References:", "Example:"):
        assert section in text, f"{scheme.__name__} has no {section}"


def signature_is_documented(function, text):
    for name, parameter in inspect.signature(function).parameters.items():
        if name in {"self", "cls"} or parameter.kind is parameter.VAR_KEYWORD:
            continue
        star = "\\*" if parameter.kind is parameter.VAR_POSITIONAL else ""
        assert re.search(rf"^\s*{star}{name}: ", text, re.MULTILINE), f"{function} hides {name}"


@pytest.mark.parametrize(
    "item",
    [anyk.run, anyk.stream, anyk.distribute, anyk.Distributed.run, anyk.Distributed.stream,
      anyk.Distributed.encode,
     anyk.FixedPoint.integers, anyk.FixedPoint.embed, anyk.FixedPoint.extract,
     anyk.testing.check_scheme,
     anyk.testing.check_domain, anyk.testing.check_executor, anyk.Encoded.recovery,
     anyk.Encoded.decode, anyk.Lagrange.encode, anyk.Harmonic.encode, anyk.Shamir.encode,
     anyk.schemes_for, anyk.leakage, anyk.worst_coalition, anyk.audit],
    ids=lambda item: item.__qualname__,
)  # fmt: skip
def test_every_argument_is_documented(item):
    signature_is_documented(item, inspect.getdoc(item))


@pytest.mark.parametrize(
    "item", [*(row.scheme for row in anyk.CATALOGUE), anyk.SchemeRow, anyk.SchemeWords,
             anyk.WrapperRow, anyk.WithMaster, anyk.Paced, anyk.Candidate, anyk.Shortlist,
             anyk.Guarantee,
             anyk.Threat, anyk.Outcome, anyk.Answer, anyk.PrimeField, anyk.Threads, anyk.Simulated,
             anyk.Remote, anyk.Dask, anyk.Futures, anyk.Ray,
             anyk.FixedPoint, anyk.Disclosure, anyk.Audit],
    ids=lambda item: item.__name__,
)  # fmt: skip
def test_every_parameter_of_a_class_is_documented(item):
    signature_is_documented(item, inspect.getdoc(item))


VALUES = [
    anyk.PrimeField(101),
    anyk.Reals(),
    anyk.Complex(),
    anyk.Map(blocks=2, degree=3),
    anyk.Sum(blocks=2, degree=3),
    anyk.MatMul(partition=(1, 2, 3)),
    anyk.Threat(workers=5, stragglers=1),
    *(scheme for row in anyk.CATALOGUE for scheme in row.examples()),
    anyk.Lagrange(blocks=2, degree=2, workers=9, colluders=1).guarantee,
    anyk.Sum(blocks=2),
    anyk.schemes_for(anyk.Sum(blocks=2, degree=2), anyk.Threat(workers=5)),
    anyk.Spline(blocks=2, workers=4).guarantee,
    anyk.FixedPoint(fraction_bits=8, magnitude=1.0, degree=2, primes=2),
    anyk.Timing(worker=0, sent=0.0, answered=None, seconds=None),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_repr_and_pickle_rebuild_every_public_value(value, public_names):
    assert eval(repr(value), public_names) == value
    assert pickle.loads(pickle.dumps(value)) == value


@pytest.mark.parametrize("status", anyk.Status)
def test_a_status_is_advice(status, public_names):
    assert eval(repr(status), public_names) is status
    assert status.value.endswith(".")


@pytest.mark.parametrize(
    "build",
    [
        lambda: anyk.Map(blocks=0),
        lambda: anyk.Sum(blocks=1, degree=0),
        lambda: anyk.MatMul(partition=(1, 2)),
        lambda: anyk.MatMul(partition=(1, 0, 2)),
        lambda: anyk.Threat(workers=3, stragglers=4),
        lambda: anyk.Threat(workers=3, colluders=-1),
        lambda: anyk.Guarantee(workers=3, threshold=2, stragglers=0, adversaries=0, colluders=0,
                               exact=True, leakage=None, load=1.0),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(build):
    with pytest.raises(anyk.InvalidArgument, match=r"got .*; needed: "):
        build()


@pytest.mark.parametrize(
    "error",
    [
        anyk.InvalidArgument("x", given="a", needed="b", change="c"),
        anyk.Unachievable("x", given="a", needed="b", change="c"),
        anyk.NotEnoughAnswers(answered=[1], missing=[0, 2], needed="3 answers", failures={2: "x"}),
        anyk.TooManyErrors(answered=[0, 1, 2], adversaries=1),
        anyk.NotAccurateEnough(error_estimate=0.5, tolerance=0.1),
        anyk.NotPolynomial("x"),
        anyk.ExecutorError("x"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_keep_their_evidence_through_pickle(error):
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is type(error)
    assert str(copy) == str(error)
    assert vars(copy) == vars(error)


def test_an_outcome_reads_well():
    outcome = anyk.Outcome(
        value=np.zeros((2, 3)), status=anyk.Status.APPROXIMATE, used=(0, 1), missing=(2, 3, 4),
        suspects=(1,), error_estimate=0.0123, failures={2: "ValueError: no"}, elapsed=0.5,
        late=(3,), again=(2, 3),
    )  # fmt: skip
    assert str(outcome).splitlines() == [
        "The value is approximate: error_estimate says how far off it may be.",
        "value     float64 array of shape (2, 3)",
        "error     about 0.012 of the value's size",
        "answers   2 of 5 workers, after 0.5 s",
        "lied      worker 1",
        "late      worker 3",
        "again     2 shares, by other workers",
        "spare     worker 4: not needed",
        "failed    worker 2: ValueError: no",
    ]
    assert "APPROXIMATE" in repr(outcome)
