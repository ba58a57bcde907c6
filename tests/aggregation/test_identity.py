"""Keys and rosters: kept secret, saved and read, and checked."""

import copy
import pickle
import stat

import pytest

import anyk
from anyk import aggregation


@pytest.fixture
def pair():
    return aggregation.Identity.generate("ann"), aggregation.Identity.generate("bob")


def test_keys_are_saved_for_their_owner_alone_and_read_again(tmp_path, pair):
    path = tmp_path / "ann.key"
    pair[0].save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    again = aggregation.Identity.load(path)
    assert again.member == pair[0].member
    assert pair[0].member.signed(again.sign(b"x"), b"x")
    assert not pair[0].member.signed(again.sign(b"x"), b"y")
    assert not pair[1].member.signed(again.sign(b"x"), b"x")
    with pytest.raises(FileExistsError):
        pair[1].save(path)


def test_no_secret_is_shown_or_pickled(pair, tmp_path):
    identity = pair[0]
    secret = identity.signing.private_bytes_raw().hex()
    assert secret not in repr(identity)
    with pytest.raises(TypeError, match="private keys"):
        pickle.dumps(identity)
    with pytest.raises(TypeError, match="private keys"):
        copy.copy(identity)
    path = tmp_path / "broken"
    path.write_text(f"ann {secret}\n")
    with pytest.raises(anyk.InvalidArgument) as caught:
        aggregation.Identity.load(path)
    assert secret not in f"{caught.value!r} {caught.value.__cause__} {caught.value.__context__}"


def test_two_parties_share_a_secret(pair):
    ann, bob = pair
    assert ann.shared(bob.member.sealing) == bob.shared(ann.member.sealing)
    with pytest.raises(ValueError, match="shared key"):
        ann.shared(bytes(32))  # a point of small order gives a secret that anybody knows


@pytest.mark.parametrize("point", [0, 1, 2**255 - 20, 2**255 - 19, 2**255 - 18, 2**255])
def test_a_key_that_nothing_can_be_sealed_with_is_in_no_roster(pair, point):
    ann, bob = pair
    low = point.to_bytes(32, "little")
    with pytest.raises(ValueError, match="shared key"):
        ann.shared(low)
    with pytest.raises(anyk.InvalidArgument, match=r"sealing: got .*secrets follow from"):
        aggregation.Member("bob", bob.member.signing, low)


@pytest.mark.parametrize("name", ["", ".", "-a", "a b", "a" * 65, "é", None, 3, "a/b", "a\n"])
def test_a_name_is_short_and_plain(name):
    with pytest.raises(anyk.InvalidArgument, match="name: got"):
        aggregation.Identity.generate(name)


def test_rosters_are_saved_and_read_in_one_form(tmp_path, pair):
    ann, bob = pair
    roster = aggregation.Roster(clients=[bob.member], aggregators=[ann.member])
    path = tmp_path / "roster.json"
    roster.save(path)
    again = aggregation.Roster.load(path)
    assert (again, again.digest) == (roster, roster.digest)
    other = aggregation.Roster(clients=[ann.member], aggregators=[bob.member])
    assert other.digest != roster.digest
    both = [ann.member, bob.member]
    assert aggregation.Roster(clients=both) == aggregation.Roster(clients=both[::-1])


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", '{"form": "anyk roster 2", "clients": [], "aggregators": []}',
     '{"form": "anyk roster 1", "clients": [["a", "00", "00"]], "aggregators": []}',
     '{"form": "anyk roster 1", "clients": [["a", 1, 2]], "aggregators": []}',
     '{"form": "anyk roster 1", "clients": 3, "aggregators": []}', "[" * 100_000],
)  # fmt: skip
def test_what_is_no_roster_is_refused(text):
    with pytest.raises(anyk.InvalidArgument):
        aggregation.Roster.parse(text)


def test_a_roster_has_nobody_twice(pair):
    ann, bob = pair
    posing = aggregation.Member("bob", ann.member.signing, bob.member.sealing)
    for members in ([ann.member, ann.member], [ann.member, posing]):
        with pytest.raises(anyk.InvalidArgument, match="twice"):
            aggregation.Roster(clients=members)
    with pytest.raises(anyk.InvalidArgument, match="members"):
        aggregation.Roster(clients=["ann"])
    with pytest.raises(anyk.InvalidArgument, match="signing: got"):
        aggregation.Member("ann", b"short", bob.member.sealing)
