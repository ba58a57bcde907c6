"""What only a party that was altered sends: each is told, and spoils nothing but itself."""

import numpy as np
import pytest

import anyk
from anyk import aggregation
from anyk.aggregation import client as clients
from anyk.aggregation.pieces import pieces_of
from anyk.aggregation.requests import SUM
from anyk.aggregation.vectors import Vectors
from anyk.aggregation.wire import Garbled, Reader, text


@pytest.fixture
def people(cast, committee):
    return cast(committee(aggregators=7, adversaries=1, stragglers=1), 4)


def messages(people):
    return [people.message(name, [at] * 5) for at, name in enumerate(people.names)]


def test_a_sum_that_its_aggregator_did_not_sign_is_none(people):
    def spoil(kind, _request, answer):
        return answer[:20] + bytes([answer[20] ^ 1]) + answer[21:] if kind == SUM else answer

    result = people.run(messages(people), people.parties(spoil={"sum-3": spoil}))
    assert result.total.tolist() == [6] * 5
    assert result.silent == {"sum-3": "the signature of its sum is wrong"}
    assert not result.liars


def test_a_number_in_a_piece_that_is_no_residue_is_refused(monkeypatch, people):
    def spoiled(setting, integers, source):
        pieces = pieces_of(setting, integers, source)
        row = np.frombuffer(pieces[3], "<u4").copy()
        row[0] += setting.codes[0].field.modulus  # the same modulo p
        pieces[3] = row.tobytes()
        return pieces

    with monkeypatch.context() as patch:
        patch.setattr(clients, "pieces_of", spoiled)
        odd = people.message("c0", [900] * 5)
    result = people.run([odd, *messages(people)[1:]])
    assert result.total.tolist() == [6] * 5
    assert result.left_out["c0"].startswith("a number in its piece is no residue, says sum-3")


@pytest.mark.parametrize("weight", [-5, 0, 40])
def test_a_weight_out_of_range_is_told(monkeypatch, cast, committee, weight):
    people = cast(committee(numbers=aggregation.Whole(100), most_weight=9), 3)
    good = [people.message(name, [1] * 5, weight=1) for name in people.names[1:]]
    honest = Vectors.integers

    def spoiled(vectors, vector, weight_):
        return np.append(honest(vectors, vector, weight_)[:-1], weight)

    with monkeypatch.context() as patch:
        patch.setattr(Vectors, "integers", spoiled)
        odd = people.message("c0", [1] * 5)
    with pytest.raises(anyk.RecoveryError, match="a client sent numbers out of range"):
        people.run([odd, *good])


def test_a_request_that_is_longer_than_any_is_refused_unread(people):
    party = people.party("sum-1")
    start = people.setting.start(SUM, 1)
    for more in (0, 1):
        answer = party.answer(start + bytes(party.most_request + more - len(start)))
        assert (b"the request is too long" in answer) == bool(more)


def test_a_text_that_is_too_long_is_not_read():
    reader = Reader(text("anna"))
    with pytest.raises(Garbled, match="a text in it is too long"):
        reader.text(3)
    assert Reader(text("anna")).text(4) == "anna"
