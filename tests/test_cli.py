import gzip
import importlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import anyk
import anyk.bench.reproduce.perform
import anyk.demo.story
from anyk.bench.reproduce import letcc_rows
from anyk.bench.reproduce.data import fashion_mnist
from anyk.cli import main


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"anyk {anyk.__version__}\n"


def test_without_a_command_it_helps(capsys):
    assert main([]) == 0
    assert "demo" in capsys.readouterr().out


@pytest.mark.parametrize(
    "argv",
    [
        ["nonsense"],
        ["demo", "--seed", "-1"],
        ["demo", "--seed", "x"],
        ["demo", "--seed", "²"],
        ["reproduce", "--batches", "1.5"],
        ["reproduce", "--batches", "0"],
        ["reproduce", "--seed", "-1"],
    ],
)
def test_misuse(argv, capsys):
    assert main(argv) == 2
    told = capsys.readouterr().err
    assert "usage: anyk" in told
    assert argv[0] == "nonsense" or f"got {argv[-1]!r}; needed: a whole number" in told


@pytest.mark.parametrize("module", ["rich.console", "matplotlib", "sklearn.datasets"])
def test_a_missing_extra_is_one_line_that_names_it(module, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["demo"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("anyk: ")
    assert captured.err.endswith("pip install '.[demo]'\n")
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize("name", [".", "missing/picture.png"])
def test_a_picture_that_cant_be_written_is_said_at_once(name, tmp_path, capsys):
    assert main(["demo", "--output", str(tmp_path / name)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "--output" in captured.err


def test_ctrl_c(monkeypatch, capsys):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(anyk.demo.story, "tell", interrupted)
    assert main(["demo"]) == 130
    assert capsys.readouterr().err == "\nanyk: stopped\n"


def test_seed_and_output_arrive(monkeypatch, tmp_path):
    seen = {}
    monkeypatch.setattr(anyk.demo.story, "tell", lambda _console, **given: seen.update(given))
    assert main(["demo", "--seed", "7", "--output", str(tmp_path / "x.png")]) == 0
    assert seen == {"seed": 7, "output": tmp_path / "x.png"}


def test_the_package_is_the_command():
    command = [sys.executable, "-m", "anyk"]
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"anyk {anyk.__version__}\n"
    done = subprocess.run([*command, "demo", "--seed", "x"], capture_output=True, check=False)
    assert done.returncode == 2


def test_ctrl_c_ends_the_package_with_one_line():
    worker = ("worker", "--listen", "127.0.0.1:0", "--tasks", "anyk.testing.tasks", "--no-tls")
    with subprocess.Popen(
        [sys.executable, "-m", "anyk", *worker],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        process.stdout.readline()  # it listens
        process.send_signal(signal.SIGINT)
        _, told = process.communicate()
    assert process.returncode == 130
    assert told == "\nanyk: stopped\n"


def write_fashion(directory):
    """Four files of pictures that are black, in the format of Fashion-MNIST."""
    for part, count in (("train", 3), ("t10k", 2003)):
        images, labels = bytes(16 + 784 * count), bytes(8 + count)
        (directory / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        (directory / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    return directory


def test_reproduce_alone_lists_the_experiments(capsys):
    assert main(["reproduce"]) == 0
    lines = capsys.readouterr().out.splitlines()
    names = [line.split()[0] for line in lines]
    assert {"letcc-convergence", "letcc-table"} <= set(names)
    assert all(len(line.split()) > 4 for line in lines)


def test_an_unknown_experiment_is_a_misuse_that_names_the_others(capsys):
    assert main(["reproduce", "letcc"]) == 2
    assert "letcc-table" in capsys.readouterr().err


def test_what_reproduce_is_told_arrives(monkeypatch, tmp_path):
    seen = []

    def perform(experiment, setting, output, *, write):
        seen.extend([experiment.name, setting, output, write])
        return False

    monkeypatch.setattr(anyk.bench.reproduce.perform, "perform", perform)
    argv = ["reproduce", "letcc-table", "--tiny", "--batches", "7", "--seed", "3"]
    argv += ["--cache", "c", "--fashion", "f", "--output", str(tmp_path)]
    assert main(argv) == 1
    setting = anyk.bench.reproduce.perform.Setting(
        tiny=True, batches=7, seed=3, cache=Path("c"), fashion=Path("f")
    )
    assert seen == ["letcc-table", setting, tmp_path / "anyk-letcc-table.png", print]


@pytest.mark.parametrize("name", ["letcc-convergence", "letcc-table"])
def test_reproduce_without_matplotlib_is_one_line_that_names_the_extra(name, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert main(["reproduce", name, "--tiny"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.endswith("pip install '.[reproduce]'\n")


@pytest.mark.parametrize("module", ["torch", "mlxtend.data"])
def test_reproduce_without_a_package_names_the_extra(module, monkeypatch, tmp_path, capsys):
    black = fashion_mnist(write_fashion(tmp_path))
    monkeypatch.setitem(sys.modules, module, None)
    if module == "torch":
        monkeypatch.setattr(letcc_rows, "mnist", lambda: black)
    places = ["--fashion", str(tmp_path), "--cache", str(tmp_path), "--output", str(tmp_path)]
    assert main(["reproduce", "letcc-table", *places]) == 1
    assert capsys.readouterr().err.endswith("pip install '.[reproduce]'\n")


def test_ctrl_c_ends_an_experiment(monkeypatch, capsys, tmp_path):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(anyk.bench.reproduce.perform, "perform", interrupted)
    assert main(["reproduce", "letcc-table", "--output", str(tmp_path)]) == 130
    assert capsys.readouterr().err == "\nanyk: stopped\n"


def test_a_package_that_an_experiment_lacks_is_one_line_that_names_the_extra(
    monkeypatch, capsys, tmp_path
):
    def perform(*_args, **_kwargs):
        importlib.import_module("no_such_package")

    monkeypatch.setattr(anyk.bench.reproduce.perform, "perform", perform)
    assert main(["reproduce", "adversarial", "--output", str(tmp_path)]) == 1
    told, install = capsys.readouterr().err.split("; in a checkout of anyk, install it with: ")
    assert told == "anyk: adversarial needs no_such_package"
    assert install == "pip install '.[reproduce]'\n"
