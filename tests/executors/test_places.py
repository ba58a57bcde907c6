"""Workers of one machine are one place for colluders, whatever it is called."""

import socket

import pytest

import anyk
from anyk.executors.remote.places import most_in_one_place, resolved
from anyk.testing import Trial

KNOWN = {
    "a": {"10.0.0.1"},
    "also-a": {"10.0.0.1", "fe80::1"},
    "a-too": {"fe80::1", "10.9.9.9"},
    "b": {"10.0.0.2"},
    "here": {"127.0.0.1", "::1"},
    "both": {"127.0.0.1", "10.0.0.2"},
}


def known(host: str) -> frozenset[str]:
    return frozenset(KNOWN.get(host, {host}))


@pytest.mark.parametrize(
    ("hosts", "most"),
    [
        (["a", "b"], 1),
        (["a", "b", "a"], 2),
        (["a", "also-a"], 2),
        (["a", "10.0.0.1", "b"], 2),
        (["a", "a-too"], 1),
        (["a", "a-too", "also-a"], 3),  # the third says that the others are one
        (["a-too", "also-a", "b", "a", "10.9.9.9"], 4),
        (["here", "here", "127.0.0.1"], 1),
        (["here", "b", "both"], 2),
        (["nowhere.example", "nowhere.example"], 2),
    ],
)
def test_hosts_that_share_an_address_are_one(hosts: list[str], most: int) -> None:
    assert most_in_one_place(hosts, known) == most
    assert most_in_one_place(hosts[::-1], known) == most


def test_thousands_of_hosts_are_counted_at_once() -> None:
    hosts = [f"10.0.{n // 250}.{n % 250}" for n in range(8000)]
    assert most_in_one_place(hosts) == 1
    assert most_in_one_place([*hosts, *hosts[:5], hosts[3]]) == 3


def test_names_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        if host == "unknown":
            raise socket.gaierror("no such name")
        return [(0, 0, 0, "", ("10.0.0.1", 0)), (0, 0, 0, "", ("fe80::1%eth0", 0, 0, 2))]

    monkeypatch.setattr(socket, "getaddrinfo", look)
    assert resolved("name") == {"10.0.0.1", "fe80::1"}
    assert resolved("Unknown".lower()) == {"unknown"}


def test_several_on_one_host_are_refused_for_colluders() -> None:
    scheme = anyk.Lagrange(blocks=1, degree=1, workers=2, colluders=1)
    open_to_all = anyk.Lagrange(blocks=1, degree=1, workers=2)
    with Trial("anyk.testing.tasks", workers=2) as trial:

        def remote(*hosts: str, places: list[str] | None = None) -> anyk.Remote:
            named = [f"worker-{n}@{host}:7" for n, host in enumerate(hosts)]
            return anyk.Remote(named, tls=trial.master, patience=0.1, places=places)

        with remote("192.0.2.1", "192.0.2.1") as executor:
            assert executor.shares_per_machine == 2
            with pytest.raises(anyk.Unachievable, match=r"Remote with up to 2 shares in one place"):
                anyk.run(scheme, "gram", [1], executor)
            with pytest.raises(anyk.NotEnoughAnswers):  # nobody is there, but it was tried
                anyk.run(open_to_all, "gram", [1], executor)
        for apart in (
            remote("192.0.2.1", "192.0.2.2"),
            remote("192.0.2.1", "192.0.2.1", places=["anna", "ben"]),
        ):
            with apart, pytest.raises(anyk.NotEnoughAnswers):
                anyk.run(scheme, "gram", [1], apart)
        with anyk.Remote(trial.addresses, tls=trial.master) as executor:  # a trial is one
            with anyk.distribute(scheme, [[[1, 2], [3, 4]]], executor):
                pass
        same = ["anna", "anna"]
        with anyk.Remote(trial.addresses, tls=trial.master, places=same) as executor:
            with pytest.raises(anyk.Unachievable, match="shares in one place"):
                anyk.distribute(scheme, [[[1, 2], [3, 4]]], executor)


@pytest.mark.parametrize("places", ["ab", ["a"], ["a", "b", "c"], [1, 2], {"a": 1, "b": 2}])
def test_places_that_are_none(places: object) -> None:
    with pytest.raises(anyk.InvalidArgument, match=r"^places: got .*; needed: 2 texts"):
        anyk.Remote(["127.0.0.1:7", "127.0.0.1:8"], tls=None, places=places)  # type: ignore[arg-type]
