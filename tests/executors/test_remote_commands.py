"""`anyk worker` and `anyk certificates`, as commands."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

import anyk
from anyk.cli import main
from anyk.connections.certificates import make_certificates
from anyk.connections.tls import client_context, server_context
from anyk.errors import ExecutorError, InvalidArgument
from anyk.executors.remote.frames import PROTOCOL
from anyk.executors.remote.offer import Offer
from anyk.testing import Trial

LONG = 30.0  # seconds: a test that waits this long has failed


def run_worker(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "anyk", "worker", *arguments],
        capture_output=True,
        text=True,
        timeout=LONG,
        check=False,
    )


def names_of(party: Path) -> list[str]:
    certificate = x509.load_pem_x509_certificate((party / "certificate.pem").read_bytes())
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(each.value) for each in names]


def test_certificates(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "certificates"
    assert main(["certificates", str(place), "--workers", "2", "--hosts", "10.0.0.5", "h"]) == 0
    said = capsys.readouterr().out
    assert "For a trial" in said
    assert f"{place}/worker-1" in said
    parties = ["authority", "master", "worker-0", "worker-1"]
    assert sorted(path.name for path in place.iterdir()) == parties
    for party in parties:
        assert stat.S_IMODE((place / party).stat().st_mode) == 0o700
        assert stat.S_IMODE((place / party / "key.pem").stat().st_mode) == 0o600
    worker = x509.load_pem_x509_certificate((place / "worker-1" / "certificate.pem").read_bytes())
    assert names_of(place / "master") == ["master"]
    assert names_of(place / "worker-0") == ["worker-0", "10.0.0.5"]
    assert names_of(place / "worker-1") == ["worker-1", "h"]
    assert 29 <= (worker.not_valid_after_utc - worker.not_valid_before_utc).days <= 31
    before = (place / "master" / "key.pem").read_bytes()
    assert main(["certificates", str(place), "--workers", "2"]) == 1
    assert "which has authority; needed: a directory without" in capsys.readouterr().err
    assert (place / "master" / "key.pem").read_bytes() == before


@pytest.mark.parametrize("argv", [["certificates"], ["certificates", "x", "--workers", "0"],
                                  ["certificates", "x"],
                                  ["certificates", "x", "--workers", "2", "--renew", "worker-0"],
                                  ["worker"], ["worker", "--listen", "127.0.0.1:0"],
                                  ["worker", "--listen", "127.0.0.1:0", "--tasks", "x"],
                                  ["worker", "--listen", "127.0.0.1:0", "--tasks", "x",
                                   "--tls", "x", "--no-tls"]])  # fmt: skip
def test_misuse(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv) == 2
    assert "usage: anyk" in capsys.readouterr().err


@pytest.mark.parametrize("what", [["--renew", "worker-0"], ["--revoke"]])
def test_hosts_are_not_passed_over_in_silence(what, tmp_path, capsys):
    place = tmp_path / "certificates"
    make_certificates(place, workers=1)
    before = (place / "worker-0" / "certificate.pem").read_bytes()
    assert main(["certificates", str(place), *what, "--hosts", "h"]) == 2
    assert "Leave --hosts out" in capsys.readouterr().err
    assert (place / "worker-0" / "certificate.pem").read_bytes() == before


@pytest.mark.parametrize(
    ("listen", "tasks", "way", "said"),
    [
        ("0.0.0.0:0", "anyk.testing.tasks", ["--no-tls"], "--no-tls: got with --listen 0.0.0.0:0"),
        ("nonsense", "anyk.testing.tasks", ["--no-tls"], "--listen: got 'nonsense'"),
        ("127.0.0.1:0", "no.such.module", ["--no-tls"], "tasks: got 'no.such.module' (Module"),
        ("127.0.0.1:0", "anyk.testing.tasks", ["--tls", "/nowhere"], "tls: got '/nowhere'"),
    ],
)
def test_a_worker_that_can_not_start_says_why(
    listen: str, tasks: str, way: list[str], said: str
) -> None:
    done = run_worker("--listen", listen, "--tasks", tasks, *way)
    assert done.returncode == 1
    assert done.stderr.startswith(f"anyk: {said}")
    assert done.stderr.count("\n") == 1


def test_a_port_in_use_is_said_and_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        done = run_worker("--listen", listen, "--tasks", "anyk.testing.tasks", "--no-tls")
    assert done.returncode == 1
    assert done.stderr.startswith(f"anyk: can't listen on {listen}: Address already in use")
    assert done.stderr.endswith("port 0 takes any that is free.\n")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (["--days", "100000000"], "days: got 100000000; needed: at most 3650"),
        (["--hosts", "bücher"], "hosts: got 'bücher'"),
        (["--hosts", "a b"], "hosts: got 'a b'"),
        (["--hosts", "h", ""], "hosts: got ''"),
        (["--hosts", "*.example.org"], "hosts: got '*.example.org'"),
        (["--hosts", "a", "b"], "hosts: got 2 for 1 workers; needed: one for each worker"),
        (["--hosts", "worker-0"], "hosts: got worker-0 twice, or as the name of a party"),
        (["--workers", "2", "--hosts", "::1", "0:0::1"], "hosts: got ::1 twice"),
        (["--workers", "2", "--hosts", "A.b", "a.B"], "hosts: got a.b twice"),
        (["--workers", "2", "--hosts", "worker-1", "b"], "hosts: got worker-1 twice"),
    ],
)
def test_what_no_certificate_can_hold_is_said_and_nothing_written(
    option: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / "certificates"
    assert main(["certificates", str(place), "--workers", "1", *option]) == 1
    assert capsys.readouterr().err.startswith(f"anyk: {said}")
    assert not place.exists()


def test_a_trial_that_can_not_start_says_why() -> None:
    with pytest.raises(ExecutorError, match="worker-0 of this trial did not start: anyk: tasks"):
        with Trial("no.such.module", workers=1):
            pass


def test_a_worker_ends_when_it_is_told() -> None:
    for number, code in ((signal.SIGTERM, 0), (signal.SIGINT, 130)):
        with Trial("anyk.testing.tasks", workers=1) as trial:
            trial.processes[0].send_signal(number)
            assert trial.processes[0].wait(LONG) == code


def test_a_module_offers_what_it_says_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "offers_by_mark.py").write_text(
        "from functools import wraps\n"
        "from os import system\n"
        "import anyk\n"
        "from offers_elsewhere import far\n"
        "def other(f):\n"
        "    return wraps(f)(lambda x: f(x))\n"
        "@anyk.task\n"
        "def one(x): return x\n"
        "@other\n"
        "@anyk.task\n"
        "def within(x): return x\n"
        "square = anyk.task(anyk.of_degree(lambda x: x, 2))\n"
        "def purge(x=None): return x\n"
        "double = lambda x: 2 * x\n",
        encoding="utf-8",
    )
    (tmp_path / "offers_elsewhere.py").write_text(
        "import anyk\n@anyk.task\ndef far(x): return x\n", encoding="utf-8"
    )
    (tmp_path / "offers_by_all.py").write_text(
        "from os import system\n"
        "import anyk\n"
        "from offers_elsewhere import far\n"
        "__all__ = ['_two', 'far', 'missing', 'Thing', 'number']\n"
        "number = 5\n"
        "class Thing: pass\n"
        "def _two(x): return x\n"
        "def four(x): return x\n"
        "@anyk.task\n"
        "def five(x): return x\n",
        encoding="utf-8",
    )
    (tmp_path / "offers_nothing.py").write_text(
        "from shutil import rmtree\ndef gram(x): return x\ndef purge(): pass\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Offer("offers_by_mark").names == ("one", "square")
    assert Offer("offers_by_all").names == ("_two", "far", "five")
    with pytest.raises(InvalidArgument, match=r"@anyk\.task above each\. It has: gram, purge\."):
        Offer("offers_nothing")


@pytest.mark.parametrize("odd", [len, int, 5, None, "gram"], ids=repr)
def test_what_can_not_be_marked_is_refused(odd: Any) -> None:
    with pytest.raises(InvalidArgument, match=r"^function: got "):
        anyk.task(odd)


def test_a_key_that_asks_for_a_password_is_refused(tmp_path: Path) -> None:
    make_certificates(tmp_path, workers=1)
    key = tmp_path / "master" / "key.pem"
    locked = tmp_path / "locked.pem"
    command = ["openssl", "pkey", "-in", key, "-aes256", "-passout", "pass:secret", "-out", locked]
    if not any((Path(place) / "openssl").exists() for place in os.environ["PATH"].split(":")):
        pytest.skip("needs the openssl command")
    subprocess.run(command, check=True)
    key.write_bytes(locked.read_bytes())
    with pytest.raises(InvalidArgument, match=r"^tls: got .*password"):
        client_context(tmp_path / "master", PROTOCOL)
    assert server_context(tmp_path / "worker-0", PROTOCOL).verify_mode.name == "CERT_REQUIRED"
