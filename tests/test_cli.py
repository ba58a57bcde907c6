import sys

import pytest

import anyk
import anyk.demo.story
from anyk.cli import main


def test_version(capsys):
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"anyk {anyk.__version__}\n"


def test_without_a_command_it_helps(capsys):
    assert main([]) == 0
    assert "demo" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [["nonsense"], ["demo", "--seed", "-1"], ["demo", "--seed", "x"]])
def test_misuse(argv, capsys):
    assert main(argv) == 2
    assert "usage: anyk" in capsys.readouterr().err


@pytest.mark.parametrize("module", ["rich.console", "matplotlib", "sklearn.datasets"])
def test_a_missing_extra_is_one_line_that_names_it(module, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, module, None)
    assert main(["demo"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("anyk: ")
    assert captured.err.endswith("pip install 'anyk[demo]'\n")
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
