"""The life of a key: made, renewed while everything runs, run out, revoked, stolen."""

import datetime as dt
import re
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from calls import eventually
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from remote_fakes import LONG, Fake, ask, honest, knock, request, secured, signed

from anyk.cli import main
from anyk.connections.certificates import (
    make_certificates,
    renew_certificate,
    revoke_certificates,
)
from anyk.connections.party import Stranger, read_party
from anyk.connections.standing import Standing
from anyk.connections.tls import client_context, server_context
from anyk.errors import InvalidArgument
from anyk.executors.remote.executor import Remote
from anyk.executors.remote.frames import PROTOCOL
from anyk.testing import Trial

BRIEF = 3.0  # seconds
RUN = request(verb="run", serial=1, function="gram", per_worker=[])


@pytest.fixture(scope="module")
def started() -> Iterator[Trial]:
    with Trial("anyk.testing.tasks", workers=1, spare=1) as trial:
        yield trial


@pytest.fixture
def trial(started: Trial, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A worker that runs on, whose files are put back: each connection reads them anew."""
    kept = tmp_path_factory.mktemp("kept") / "certificates"
    shutil.copytree(started.certificates, kept)
    yield started
    shutil.rmtree(started.certificates)
    shutil.copytree(kept, started.certificates)


def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def put(source: Path, target: Path) -> None:
    """A party's files, in the place of those that it has."""
    for path in source.iterdir():
        shutil.copy(path, target / path.name)


def lasting(trial: Trial, place: Path, name: str, seconds: float) -> Path:
    """A party's directory, good for so many seconds from now."""
    days = seconds / 86400
    return signed(place, trial.certificates / "authority", name, key(), names=[name], days=days)


def reached(trial: Trial, master: Path | None = None) -> str | None:
    """Why a new master is not served, if it is not."""
    with Remote(trial.addresses, tls=master or trial.master, patience=LONG) as executor:
        return ask(executor)[0][1]


def said(trial: Trial, text: str) -> bool:
    return eventually(lambda: text in trial.said("worker-0"))


# At the start


def listed(place: Path, begin: dt.timedelta, end: dt.timedelta) -> None:
    """The master's list of revoked certificates, good between two times from now."""
    secret: Any = serialization.load_pem_private_key(
        (place / "authority" / "key.pem").read_bytes(), None
    )
    issuer = x509.load_pem_x509_certificate((place / "authority" / "authority.pem").read_bytes())
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now + begin)
        .next_update(now + end)
        .sign(secret, hashes.SHA256())
    )
    (place / "master" / "revoked.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))


def halve(path: Path) -> None:
    text = path.read_bytes()
    path.write_bytes(text[: len(text) // 2])


def half_a_list(place: Path) -> None:
    revoke_certificates(place)
    halve(place / "master" / "revoked.pem")


def a_list_and_more(place: Path) -> None:
    revoke_certificates(place)
    with (place / "master" / "revoked.pem").open("ab") as file:
        file.write((place / "worker-0" / "certificate.pem").read_bytes())


def dated(place: Path, **days: float) -> None:
    """Let the master's certificate be good between two times from now."""
    made = signed(place, place / "authority", "made", key(), names=["master"], **days)
    put(made, place / "master")


SPOILT: dict[str, tuple[Callable[[Path], object], str]] = {
    "another key": (
        lambda c: shutil.copy(c / "worker-0" / "key.pem", c / "master"),
        "where key.pem is not the key of certificate.pem",
    ),
    "half a certificate": (lambda c: halve(c / "master" / "certificate.pem"), "PEM|pem"),
    "no certificate": (lambda c: (c / "master" / "certificate.pem").write_bytes(b""), "PEM|pem"),
    "no authority": (lambda c: (c / "master" / "authority.pem").unlink(), "FileNotFoundError"),
    "revoked": (lambda c: revoke_certificates(c, ["master"]), "revoked by its own revoked.pem"),
    "half a list": (half_a_list, "revoked.pem is not of whole lists"),
    "no list": (
        lambda c: (c / "master" / "revoked.pem").write_bytes(b""),
        "revoked.pem is not of whole lists",
    ),
    "a certificate as a list": (
        lambda c: shutil.copy(c / "worker-0" / "certificate.pem", c / "master" / "revoked.pem"),
        "revoked.pem holds something else than lists",
    ),
    "a list and a certificate": (a_list_and_more, "revoked.pem holds something else than lists"),
    "a list that is over": (
        lambda c: listed(c, -dt.timedelta(days=2), -dt.timedelta(seconds=5)),
        r"a list in revoked.pem ran out on 20\d\d-\d\d-\d\d \d\d:\d\d:\d\d UTC",
    ),
    "a list that is to come": (
        lambda c: listed(c, dt.timedelta(hours=1), dt.timedelta(hours=2)),
        r"a list in revoked.pem is not valid before 20\d\d-",
    ),
    "over": (
        lambda c: dated(c, days=-1),
        r"certificate.pem ran out on 20\d\d-\d\d-\d\d .* it is 20\d\d-",
    ),
    "not begun": (
        lambda c: dated(c, begin=1 / 24),
        r"certificate.pem is not valid before 20\d\d-\d\d-\d\d .* it is 20\d\d-",
    ),
}


@pytest.mark.parametrize("how", SPOILT)
def test_what_is_not_good_is_said_at_the_start(
    tmp_path: Path, how: str, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, why = SPOILT[how]
    make_certificates(tmp_path, workers=1)
    spoil(tmp_path)
    party = tmp_path / "master"
    with pytest.raises(InvalidArgument, match=rf"^tls: got .*({why})"):
        Remote(["worker-0@127.0.0.1:7"], tls=party)
    for make in (client_context, server_context):
        with pytest.raises(InvalidArgument, match=why):
            make(party, PROTOCOL)
    argv = ["worker", "--listen", "127.0.0.1:0", "--tasks", "anyk.testing.tasks"]
    assert main([*argv, "--tls", str(party)]) == 1
    assert re.search(why, capsys.readouterr().err)


# While it runs


def test_a_certificate_is_renewed_while_everything_runs(trial: Trial) -> None:
    with Remote(trial.addresses, tls=trial.master) as executor:
        assert ask(executor)[0][1] is None
        renew_certificate(trial.certificates, "worker-0")
        renew_certificate(trial.certificates, "master")
        assert ask(executor)[0][1] is None
        assert reached(trial) is None
        (process,) = trial.processes
        with process:  # all that it was good for before is known from the files alone
            process.terminate()
        port = int(trial.addresses[0].rpartition(":")[2])
        trial.processes[0] = trial.start("worker-0", port)
        assert trial.processes[0].stdout is not None
        assert "listens" in trial.processes[0].stdout.readline()
        assert eventually(lambda: ask(executor)[0][1] is None)


def test_a_directory_that_is_written_in_is_refused_and_tried_anew(trial: Trial) -> None:
    party = trial.certificates / "worker-0"
    whole = (party / "certificate.pem").read_bytes()
    for half in (whole[: len(whole) // 2], b""):
        (party / "certificate.pem").write_bytes(half)
        assert "can't be reached" in str(reached(trial))
        assert said(trial, "InvalidArgument: tls: got ")
        assert trial.processes[0].poll() is None
    (party / "certificate.pem").write_bytes(whole)
    assert reached(trial) is None


def test_the_master_s_directory_too(trial: Trial) -> None:
    path = trial.master / "key.pem"
    whole = path.read_bytes()
    with Remote(trial.addresses, tls=trial.master) as executor:
        path.write_bytes(whole[:50])
        assert "can't be reached: InvalidArgument: tls: got" in str(ask(executor)[0][1])
        path.write_bytes(whole)
        assert eventually(lambda: ask(executor)[0][1] is None)


def test_a_connection_ends_with_a_certificate(trial: Trial, tmp_path: Path) -> None:
    put(lasting(trial, tmp_path, "worker-0", BRIEF), trial.certificates / "worker-0")
    with Remote(trial.addresses, tls=trial.master) as executor:
        assert ask(executor)[0][1] is None
        time.sleep(BRIEF)
        assert "can't be reached" in str(ask(executor)[0][1])
        assert said(trial, "certificate.pem ran out on 20")
        renew_certificate(trial.certificates, "worker-0")
        assert eventually(lambda: ask(executor)[0][1] is None)


def test_one_that_was_renewed_in_time_costs_no_answer(trial: Trial, tmp_path: Path) -> None:
    put(lasting(trial, tmp_path, "worker-0", BRIEF), trial.certificates / "worker-0")
    with Remote(trial.addresses, tls=trial.master) as executor:
        assert ask(executor)[0][1] is None
        renew_certificate(trial.certificates, "worker-0")
        for _ in range(8):  # over the end of the first one
            assert ask(executor)[0][1] is None
            time.sleep(BRIEF / 6)


def test_a_master_whose_certificate_is_over_is_not_served(trial: Trial, tmp_path: Path) -> None:
    short = lasting(trial, tmp_path, "master", BRIEF)
    context = client_context(short, PROTOCOL)
    assert b"no such share" in knock(trial, context, RUN)
    time.sleep(BRIEF)
    with pytest.raises(OSError, match=r"ALERT|alert|reset|EOF"):
        assert knock(trial, context, RUN) == b"?"
    with pytest.raises(InvalidArgument, match="ran out on"):
        reached(trial, short)


def test_a_revoked_worker_is_believed_no_more(trial: Trial) -> None:
    stolen = trial.certificates / "stolen"
    shutil.copytree(trial.certificates / "worker-0", stolen)
    with Remote(trial.addresses, tls=trial.master, patience=LONG) as executor:
        assert ask(executor)[0][1] is None
        time.sleep(0.01)
        revoke_certificates(trial.certificates, ["worker-0"])
        assert eventually(lambda: "can't be reached" in str(ask(executor)[0][1]))
        renew_certificate(trial.certificates, "worker-0")
        assert eventually(lambda: ask(executor)[0][1] is None)
    with Fake(honest, secured(stolen)) as fake:
        with Remote([f"worker-0@127.0.0.1:{fake.port}"], tls=trial.master) as executor:
            assert "certificate revoked" in str(ask(executor)[0][1])
        assert not fake.heard


def test_a_revoked_master_is_served_no_more(trial: Trial, tmp_path: Path) -> None:
    stolen = tmp_path / "stolen"
    shutil.copytree(trial.master, stolen)
    with Remote(trial.addresses, tls=stolen, patience=LONG) as executor:
        assert ask(executor)[0][1] is None
        revoke_certificates(trial.certificates, ["master"])
        assert eventually(lambda: ask(executor)[0][1] is not None)  # its session ends
        assert eventually(lambda: "revoked" in str(ask(executor)[0][1]).lower())
    renew_certificate(trial.certificates, "master")
    assert reached(trial) is None


def test_a_list_of_another_authority_lets_nobody_in(trial: Trial, tmp_path: Path) -> None:
    make_certificates(tmp_path / "other", workers=1)
    revoke_certificates(tmp_path / "other")
    shutil.copy(tmp_path / "other" / "master" / "revoked.pem", trial.master)
    assert "unable to get certificate CRL" in str(reached(trial))


def test_a_list_that_somebody_else_signed_lets_nobody_in(trial: Trial, tmp_path: Path) -> None:
    make_certificates(tmp_path / "other", workers=1)  # an authority of the same name
    other = tmp_path / "other" / "authority"
    revoke_certificates(trial.certificates, ["worker-1"])
    secret: Any = serialization.load_pem_private_key((other / "key.pem").read_bytes(), None)
    now = dt.datetime.now(dt.UTC)
    issuer = x509.load_pem_x509_certificate((trial.master / "authority.pem").read_bytes())
    forged = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now - dt.timedelta(hours=1))
        .next_update(now + dt.timedelta(hours=1))
        .sign(secret, hashes.SHA256())
    )
    (trial.master / "revoked.pem").write_bytes(forged.public_bytes(serialization.Encoding.PEM))
    assert "CRL signature failure" in str(reached(trial))


def test_an_authority_is_replaced_party_by_party(trial: Trial, tmp_path: Path) -> None:
    make_certificates(tmp_path / "new", workers=1)
    with Remote(trial.addresses, tls=trial.master) as executor:
        assert ask(executor)[0][1] is None
        for name in ("master", "worker-0"):  # first, all believe both
            with (trial.certificates / name / "authority.pem").open("ab") as file:
                file.write((tmp_path / "new" / name / "authority.pem").read_bytes())
        assert eventually(lambda: ask(executor)[0][1] is None)
        for name in ("worker-0", "master"):  # then each shows a new certificate
            for file_name in ("key.pem", "certificate.pem"):
                shutil.copy(tmp_path / "new" / name / file_name, trial.certificates / name)
            assert eventually(lambda: ask(executor)[0][1] is None)
            assert reached(trial) is None
        for name in ("worker-0", "master"):  # then nobody believes the old one
            shutil.copy(tmp_path / "new" / name / "authority.pem", trial.certificates / name)
        assert eventually(lambda: ask(executor)[0][1] is None)
    assert reached(trial) is None


def test_a_certificate_is_good_for_its_own_name_alone(trial: Trial) -> None:
    port = trial.addresses[0].rpartition(":")[2]
    for host in ("localhost", "127.0.0.1"):
        with Remote([f"{host}:{port}"], tls=trial.master) as executor:
            assert re.search("mismatch|not valid for", str(ask(executor)[0][1]))


def test_whom_to_believe_is_looked_up_once_a_second(tmp_path: Path) -> None:
    make_certificates(tmp_path, workers=2)
    text = (tmp_path / "worker-0" / "certificate.pem").read_bytes()
    peer = x509.load_pem_x509_certificate(text).public_bytes(serialization.Encoding.DER)
    standing = Standing(tmp_path / "master", peer, spare=0.0)
    standing.check()
    revoke_certificates(tmp_path, ["worker-1"])
    time.sleep(1.1)
    standing.check()
    revoke_certificates(tmp_path, ["worker-0"])
    time.sleep(1.1)
    with pytest.raises(Stranger, match="its certificate is revoked"):
        standing.check()
    with pytest.raises(Stranger, match="its certificate is revoked"):
        Standing(tmp_path / "master", peer, spare=0.0)


def test_a_connection_is_good_as_long_as_both_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_certificates(tmp_path, workers=1, days=20)
    renew_certificate(tmp_path, "worker-0", days=10)
    text = (tmp_path / "worker-0" / "certificate.pem").read_bytes()
    peer = x509.load_pem_x509_certificate(text).public_bytes(serialization.Encoding.DER)
    now = time.time()
    for spare in (0.0, 60.0):
        standing = Standing(tmp_path / "master", peer, spare=spare)
        day = 86400
        for later, good in ((9.9 * day, True), (10 * day + 30, spare > 0), (10.1 * day, False)):
            monkeypatch.setattr(time, "time", lambda at=now + later: at)
            if good:
                standing.check()
            else:
                with pytest.raises(Stranger, match="has run out"):
                    standing.check()
            monkeypatch.undo()


# The command


def test_the_command_renews_and_revokes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = str(tmp_path / "c")
    assert main(["certificates", place, "--workers", "2", "--hosts", "a", "10.0.0.5"]) == 0
    old = (tmp_path / "c" / "worker-1" / "certificate.pem").read_bytes()
    shutil.rmtree(tmp_path / "c" / "worker-1")  # it has moved to its owner
    assert main(["certificates", place, "--renew", "worker-1", "--days", "7"]) == 0
    assert "good until 20" in capsys.readouterr().out
    new = x509.load_pem_x509_certificate((tmp_path / "c/worker-1/certificate.pem").read_bytes())
    names = new.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(each.value) for each in names] == ["worker-1", "10.0.0.5"]
    assert (new.not_valid_after_utc - new.not_valid_before_utc).days == 7
    assert main(["certificates", place, "--revoke", "worker-1"]) == 0
    assert main(["certificates", place, "--revoke"]) == 0
    assert "after that" in capsys.readouterr().out
    revoked = {serial for _, serial in read_party(tmp_path / "c" / "master").revoked}
    assert revoked == {new.serial_number, x509.load_pem_x509_certificate(old).serial_number}
    assert main(["certificates", place, "--renew", "worker-1"]) == 0  # after a theft
    assert read_party(tmp_path / "c" / "worker-1").revoked
    for option in ("--renew", "--revoke"):
        assert main(["certificates", place, option, "worker-7"]) == 1
        assert "name: got 'worker-7'; needed: one of master, worker-0, worker-1" in (
            capsys.readouterr().err
        )
    assert main(["certificates", str(tmp_path), "--renew", "master"]) == 1
    assert "folder authority has the authority's key" in capsys.readouterr().err


def test_the_commands_of_the_page_on_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[2] / "docs" / "keys.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    lines = re.findall(r"^anyk (certificates .*)$", page, re.MULTILINE)
    assert len(lines) == 6
    for line in lines:
        assert main(line.split()) == 0
    assert read_party(tmp_path / "certificates" / "worker-1").revoked
    with pytest.raises(InvalidArgument, match="which has authority"):
        make_certificates(tmp_path / "certificates", workers=3)


def test_no_certificate_outlives_its_authority(tmp_path: Path) -> None:
    make_certificates(tmp_path, workers=1, days=30)
    renew_certificate(tmp_path, "worker-0", days=3650)
    ends = [
        x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
        for path in (tmp_path / "worker-0/certificate.pem", tmp_path / "worker-0/authority.pem")
    ]
    assert ends[0] == ends[1]
