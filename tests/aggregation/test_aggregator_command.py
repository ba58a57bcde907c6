"""`anyk aggregator` and `anyk committee`: real processes, killed where it hurts."""

import re
import signal
import subprocess
import sys

import numpy as np
import pytest
from aggregator_services import LONG

import anyk
from anyk import aggregation
from anyk.aggregation.boxes import boxes_of, read_header
from anyk.aggregation.requests import KEEP, OFFER, SIGN, keep, offer, unwrap
from anyk.aggregation.setting import Setting
from anyk.aggregation.wire import Garbled
from anyk.cli import main

PLAN = aggregation.Committee(
    aggregators=3, length=4, clients=4, numbers=aggregation.Whole(1000), colluders=1
)
DYING = """
import os, signal, sys
from anyk.aggregation.journal import FileJournal
note, when = FileJournal.note, sys.argv.pop(1)
def dying(self, number, digest):
    if when == "after":
        note(self, number, digest)
    os.kill(os.getpid(), signal.SIGKILL)
FileJournal.note = dying
from anyk.cli import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def trial():
    with aggregation.Trial(PLAN, clients=4) as started:
        yield started


def served(trial, round, clients, length=4, parties=None):  # noqa: A002 - as everywhere
    opened = aggregation.Server(PLAN, trial.roster, parties, timeout=LONG).round(round)
    for number in clients:
        client = aggregation.Client(PLAN, trial.identity(f"client-{number}"), trial.roster)
        assert not opened.receive(client.contribute([number] * length, round=round))
    return opened.close()


def test_sums_of_three_processes_whoever_is_gone(trial):
    with aggregation.RemoteParties(trial.addresses, tls=trial.server) as parties:
        first = served(trial, 1, [0, 1, 2, 3], parties=parties)
        second = served(trial, 2, [1, 3], parties=parties)
    assert np.array_equal(first.value, [6] * 4)
    assert np.array_equal(second.value, [4] * 4)
    assert second.counted == ("client-1", "client-3")
    assert not first.silent
    assert not first.liars


def test_a_stopped_process_costs_the_timeout_and_is_named(trial):
    with aggregation.RemoteParties(trial.addresses, tls=trial.server) as parties:
        trial.processes[1].send_signal(signal.SIGSTOP)
        try:
            opened = aggregation.Server(PLAN, trial.roster, parties, timeout=1.0).round(3)
            for number in range(2):
                client = aggregation.Client(PLAN, trial.identity(f"client-{number}"), trial.roster)
                opened.receive(client.contribute([1] * 4, round=3))
            with pytest.raises(anyk.NotEnoughAnswers, match=r"aggregator-1: TimeoutError"):
                opened.close()
        finally:
            trial.processes[1].send_signal(signal.SIGCONT)
        assert np.array_equal(served(trial, 4, [0, 2], parties=parties).value, [2] * 4)


def started(trial, name, when, journal):
    """An aggregator that dies when it notes what it signs; and its port."""
    command = [*trial.command(name, 0), "--journal", str(journal)]
    process = subprocess.Popen(
        [sys.executable, "-c", DYING, when, *command] if when else
        [sys.executable, "-m", "anyk", *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    found = re.search(r":(\d+),", process.stdout.readline())
    assert found, process.communicate()[1]
    return process, int(found[1])


class Round:
    """Requests of one round to one aggregator, written by hand."""

    def __init__(self, trial, number):
        self.trial, self.number, self.setting = trial, number, Setting(PLAN, trial.roster)
        self.headers, self.boxes = {}, {}
        for client in range(4):
            own = aggregation.Client(PLAN, trial.identity(f"client-{client}"), trial.roster)
            message = own.contribute([client] * 4, round=number)
            header = read_header(self.setting, message, round_number=number)
            self.headers[client] = header
            self.boxes[client] = boxes_of(self.setting, header, message)[0]

    def signed(self, port, clients):
        """The signature of a set; why not; or OSError."""
        digest = self.setting.set_digest(
            self.number, [(client, self.headers[client].digest) for client in clients]
        )
        requests = {
            OFFER: offer(
                self.setting, self.number, [(self.headers[i], self.boxes[i]) for i in range(4)]
            ),
            KEEP: keep(self.setting, self.number, clients, drop=True),
            SIGN: self.setting.start(SIGN, self.number) + digest,
        }
        address = f"aggregator-0@127.0.0.1:{port}"
        with aggregation.RemoteParties([address], tls=self.trial.server) as parties:
            for kind, request in requests.items():
                (answer,) = parties.ask({"aggregator-0": request}, LONG).values()
                if isinstance(answer, OSError):
                    return answer
                try:
                    reader = unwrap(answer, kind)
                except Garbled as why:
                    return str(why)
        signature = reader.raw(64)
        member = self.trial.roster.aggregators[0]
        assert member.signed(signature, self.setting.signed_set(self.number, digest))
        return signature


def end(process):
    process.kill()
    process.communicate()


@pytest.mark.parametrize("when", ["before", "after"])
def test_one_that_is_killed_as_it_signs_signs_no_second_set(trial, tmp_path, when):
    journal, asked = tmp_path / "signed", Round(trial, 7)
    process, port = started(trial, "aggregator-0", when, journal)
    try:
        assert isinstance(asked.signed(port, [0, 1]), OSError)
        assert process.wait(LONG) == -signal.SIGKILL
    finally:
        end(process)
    assert journal.read_text().count("\n") == (when == "after")
    process, port = started(trial, "aggregator-0", None, journal)
    try:
        if when == "after":
            assert "another set of this round is signed" in asked.signed(port, [0, 2])
        else:  # no signature was given, and none is noted
            assert isinstance(asked.signed(port, [0, 2]), bytes)
    finally:
        end(process)
    process, port = started(trial, "aggregator-0", None, journal)
    try:
        same, other = ([0, 1], [0, 2]) if when == "after" else ([0, 2], [0, 1])
        assert isinstance(asked.signed(port, same), bytes)
        assert isinstance(asked.signed(port, other), str)
    finally:
        end(process)


def test_one_whose_journal_another_has_does_not_start(trial):
    process = trial.start("aggregator-2", 0)
    assert process.wait(LONG) == 1
    process.communicate()
    assert "another process writes in" in trial.said("aggregator-2")


def test_logs_say_who_came_and_nothing_else(trial):
    for name in ("aggregator-0", "aggregator-1"):
        lines = [line for line in trial.said(name).splitlines() if line]
        assert lines
        assert all(
            re.fullmatch(
                r"anyk aggregator: (serves the server at|ended the session of|refused) .*", line
            )
            for line in lines
        ), lines


def test_it_ends_when_it_is_told_to(trial):
    process = trial.processes[0]
    process.terminate()
    assert process.wait(LONG) == 0


SPOILT = {
    "no plan": (lambda d: (d / "plan.toml").unlink(), "plan.toml"),
    "another plan": (
        lambda d: (d / "plan.toml").write_text(
            aggregation.plan_text(aggregation.Committee(
                aggregators=4, length=4, clients=4, numbers=aggregation.Whole(1000)))
        ),
        "roster: got 3 aggregators; needed: 4",
    ),
    "no identity": (lambda d: (d / "aggregator-0" / "identity").unlink(), "identity"),
    "half an identity": (
        lambda d: (d / "aggregator-0" / "identity").write_text("aggregator-0 1234"),
        "a file that Identity.save wrote",
    ),
    "another's identity": (
        lambda d: (d / "aggregator-0" / "identity").write_text(
            (d / "client-0" / "identity").read_text()),
        "one of the parties of the roster",
    ),
    "no roster": (lambda d: (d / "aggregator-0" / "roster.json").write_text("{}"), "a roster"),
    "a journal of something else": (
        lambda d: (d / "aggregator-0" / "signed").write_text("1 abc\n"),
        "a journal of signed rounds",
    ),
    "no certificate": (lambda d: (d / "aggregator-0" / "certificate.pem").unlink(), "tls: got"),
}  # fmt: skip


@pytest.mark.parametrize("how", SPOILT)
def test_what_is_wrong_is_said_at_the_start(tmp_path, how, capsys):
    assert main(["committee", str(tmp_path), "--aggregators", "3", "--clients", "1"]) == 0
    (tmp_path / "plan.toml").write_text(aggregation.plan_text(PLAN))
    spoil, why = SPOILT[how]
    spoil(tmp_path)
    options = ["--listen", "127.0.0.1:0", "--party", str(tmp_path / "aggregator-0")]
    assert main(["aggregator", *options, "--plan", str(tmp_path / "plan.toml")]) == 1
    assert why in capsys.readouterr().err


def test_a_committee_is_founded_once(tmp_path, capsys):
    found = ["committee", str(tmp_path / "c"), "--aggregators", "2", "--clients"]
    assert main([*found, "1", "--hosts", "a.example"]) == 1
    assert "got 1 for 2 aggregators" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()
    (tmp_path / "c" / "client-3").mkdir(parents=True)
    assert main([*found, "4"]) == 1
    assert "which has client-3" in capsys.readouterr().err
    assert main([*found, "2", "--hosts", "a.example", "b.example"]) == 0
    told = capsys.readouterr().out
    assert "client-0 .. client-1" in told
    assert main([*found, "2"]) == 1
    keys = {each.parent.name for each in (tmp_path / "c").glob("*/identity")}
    assert keys == {"aggregator-0", "aggregator-1", "client-0", "client-1"}
    rosters = {each.read_bytes() for each in (tmp_path / "c").glob("*/roster.json")}
    assert len(rosters) == 1


def test_certificates_of_a_committee_are_renewed_and_revoked(tmp_path, capsys):
    assert main(["committee", str(tmp_path), "--aggregators", "1", "--clients", "1"]) == 0
    assert main(["certificates", str(tmp_path), "--revoke", "aggregator-0"]) == 0
    assert str(tmp_path / "server" / "revoked.pem") in capsys.readouterr().out
    directory = tmp_path / "aggregator-0"
    options = ["--listen", "127.0.0.1:0", "--party", str(directory), "--plan", "nowhere"]
    assert main(["aggregator", *options]) == 1
    assert "is revoked" in capsys.readouterr().err
    for name in ("server", "aggregator-0"):
        assert main(["certificates", str(tmp_path), "--renew", name]) == 0
    assert main(["aggregator", *options]) == 1
    assert "nowhere" in capsys.readouterr().err
