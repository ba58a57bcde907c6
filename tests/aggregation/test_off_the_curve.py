"""Who is at fault: clients whose pieces lie on no curve, aggregators that refuse what is right."""

from fractions import Fraction

import numpy as np
import pytest

import anyk
from anyk import aggregation
from anyk.aggregation import client as clients
from anyk.aggregation.boxes import boxes_of, read_header
from anyk.aggregation.judging import Judging
from anyk.aggregation.pieces import pieces_of
from anyk.aggregation.requests import OFFER, done, offer, unwrap
from anyk.aggregation.setting import WEIGHT_BITS
from anyk.aggregation.wire import number, text


@pytest.fixture
def seven(cast, committee):
    """Seven aggregators of whom one may lie."""
    return cast(committee(aggregators=7, adversaries=1, stragglers=1), 5)


def crooked(monkeypatch, people, name, places, number_=1):
    """A message whose pieces for these aggregators are off the curve of the others."""

    def spoiled(setting, integers, source):
        pieces = pieces_of(setting, integers, source)
        for place in places:
            row = np.frombuffer(pieces[place], "<u4").copy()
            row[0] = (int(row[0]) + 1) % setting.codes[0].field.modulus
            pieces[place] = row.tobytes()
        return pieces

    with monkeypatch.context() as patch:
        patch.setattr(clients, "pieces_of", spoiled)
        return people.message(name, [900] * 5, number_)


def honest(people, names=None):
    return [people.message(name, [at] * 5) for at, name in enumerate(names or people.names)]


@pytest.mark.parametrize("places", [[2], [3, 4], [1, 2, 3, 4, 5, 6]])
def test_a_client_off_the_curve_is_left_out_and_spoils_no_sum(monkeypatch, seven, places):
    messages = [*honest(seven)[:4], crooked(monkeypatch, seven, "c4", places)]
    result = seven.run(messages)
    assert result.total.tolist() == [6] * 5
    assert not result.liars
    assert not result.silent
    assert result.counted == ("c0", "c1", "c2", "c3")
    alone = "its piece does not lie on the curve of the others"
    says = {
        1: f"{alone}, says sum-2: one of the two is at fault",
        2: f"{alone} (sum-0 and others)",
        6: f"{alone} (sum-0 and others)",
    }
    if len(places) == 1:
        assert result.left_out == {"c4": says[1]}
    else:
        assert result.left_out["c4"].startswith(alone)


def test_a_client_can_frame_no_aggregator_while_another_lies(monkeypatch, seven):
    messages = [*honest(seven)[:4], crooked(monkeypatch, seven, "c4", [2])]
    result = seven.run(messages, seven.parties(spoil={"sum-5": seven.lies("sum-5")}))
    assert result.total.tolist() == [6] * 5
    assert result.liars == ("sum-5",)


def test_many_crooked_clients_do_not_stop_a_round(monkeypatch, cast, committee):
    people = cast(committee(aggregators=7, adversaries=1, stragglers=1, clients=20), 20)
    bad = [
        crooked(monkeypatch, people, f"c{at}", [at % 6 + 1, (at + 1) % 6 + 1]) for at in range(9)
    ]
    good = honest(people, people.names[9:])
    result = people.run([*bad, *good])
    assert result.total.tolist() == [sum(range(11))] * 5
    assert len(result.left_out) == 9
    assert not result.silent


def test_clients_who_work_together_stop_no_round_by_framing_aggregators(
    monkeypatch, cast, committee
):
    people = cast(committee(aggregators=7, adversaries=1, stragglers=1, clients=20), 20)
    places = [6, 6, 5, 5, 4, 4, 3, 3]  # each time one more than `vetoes`
    bad = [crooked(monkeypatch, people, f"c{at}", [place]) for at, place in enumerate(places)]
    good = honest(people, people.names[8:])
    result = people.run([*bad, *good], people.parties(gone=["sum-0"]), vetoes=1)
    assert result.counted == tuple(sorted([*people.names[8:], "c6", "c7"]))
    assert len(result.silent) == 2  # who is dead, and one who is framed and can be done without
    assert set(result.left_out) == {f"c{at}" for at in range(6)}
    assert not result.liars


def test_without_the_check_a_client_spoils_the_sum(monkeypatch, seven):
    """What the check values are for: two pieces off the curve are more than one liar explains."""
    monkeypatch.setattr(Judging, "_off_the_curve", lambda *_: {})
    messages = [*honest(seven)[:4], crooked(monkeypatch, seven, "c4", [2, 3])]
    with pytest.raises(anyk.TooManyErrors):
        seven.run(messages)


def refuses(people, which):
    """What makes an aggregator refuse boxes of its offer, though they are right."""

    def spoil(kind, _request, answer):
        if kind != OFFER:
            return answer
        reader, out = unwrap(answer, OFFER), []
        at = 0
        while True:
            try:
                reader.number(1)
            except Exception:  # noqa: BLE001 - its end
                break
            values = reader.raw(4 * people.setting.checks)
            lie = number(1, 1) + text("its box\ndoes not open\x00")
            out.append(lie if which(at) else number(0, 1) + values)
            at += 1
        return done(OFFER, b"".join(out))

    return spoil


def test_an_aggregator_that_refuses_one_client_has_it_left_out_and_both_are_named(seven):
    spoil = {"sum-3": refuses(seven, lambda at: at == 4)}
    result = seven.run(honest(seven), seven.parties(spoil=spoil))
    assert result.total.tolist() == [6] * 5
    says = "its box?does not open?, says sum-3: one of the two is at fault"
    assert result.left_out == {"c4": says}


def test_an_aggregator_that_refuses_many_is_left_out_itself(seven):
    result = seven.run(
        honest(seven), seven.parties(spoil={"sum-3": refuses(seven, lambda _: True)})
    )
    assert result.total.tolist() == [10] * 5
    assert result.silent == {"sum-3": "it is at odds with more clients than others are"}
    assert not result.left_out


def test_an_aggregator_that_lies_in_check_values_of_many_is_left_out(seven):
    def spoil(kind, _request, answer):
        # the lowest byte of the last value: a residue still
        return answer[:-4] + bytes([answer[-4] ^ 1]) + answer[-3:] if kind == OFFER else answer

    served = seven.round(seven.parties(spoil={"sum-3": spoil}), hold=0)  # one at a time
    for message in honest(seven):
        assert served.receive(message) == ""
    result = served.close()
    assert set(result.silent) == {"sum-3"}
    assert set(result.left_out) == {"c0"}  # before it was known
    assert result.total.tolist() == [10] * 5


def test_check_values_tell_nothing_and_differ_with_each_message(seven):
    party = seven.party("sum-1")
    first = seven.message("c0", [1] * 5)
    second = seven.message("c0", [1] * 5)
    assert first != second
    values = []
    for message in (first, second):
        header = read_header(seven.setting, message, round_number=1)
        box = boxes_of(seven.setting, header, message)[1]
        fresh = seven.party("sum-1")
        answer = unwrap(fresh.answer(offer(seven.setting, 1, [(header, box)])), OFFER)
        assert answer.number(1) == 0
        values.append(answer.raw(16))
    assert values[0] != values[1]
    assert party.name == "sum-1"


def test_with_too_few_aggregators_to_check_by_a_liar_and_a_client_are_not_told_apart(
    cast, committee
):
    people = cast(committee(aggregators=4, blocks=3, stragglers=0), 3)
    result = people.run(honest(people))
    assert result.total.tolist() == [3] * 5
    assert isinstance(people.plan, aggregation.Committee)


@pytest.mark.parametrize("modulus", [101, 21851, 32749, 40009, 65521, 65537, 2**31 - 1])
def test_a_wrong_number_gets_by_once_in_two_to_the_120(cast, committee, modulus):
    checks = cast(committee(numbers=anyk.PrimeField(modulus)), 3).setting.checks
    alike = np.bincount(np.arange(2**WEIGHT_BITS) % modulus).max()
    chance = Fraction(int(alike), 2**WEIGHT_BITS) ** checks
    assert chance <= Fraction(1, 2**120)
    assert chance > Fraction(1, 2**140)
