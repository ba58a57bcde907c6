"""What a box, and the check of a piece, are good for: one message, in one round of one plan."""

from dataclasses import replace

import numpy as np
import pytest

from anyk.aggregation.boxes import boxes_of, open_box, read_header
from anyk.aggregation.pieces import check_values, read_piece
from anyk.aggregation.setting import Setting
from anyk.aggregation.wire import Garbled

PLACE = 3


@pytest.fixture
def people(cast, committee):
    return cast(committee(), 3)


@pytest.fixture
def sealed(people):
    """A client's header, and its box for one aggregator."""
    message = people.message("c1", np.arange(5))
    header = read_header(people.setting, message, round_number=1)
    return header, boxes_of(people.setting, header, message)[PLACE]


def own(people):
    return people.people[people.party_names[PLACE]]


def other_plan(people):
    return Setting(replace(people.setting.plan, least_clients=3), people.roster)


def test_a_box_opens_for_its_party(people, sealed):
    header, box = sealed
    assert open_box(people.setting, own(people), PLACE, header, box)


@pytest.mark.parametrize("moved", [{"round": 2}, {"client": 2}, {"ephemeral": bytes([9] * 32)}])
def test_a_box_opens_under_its_own_header_alone(people, sealed, moved):
    header, box = sealed
    with pytest.raises(Garbled, match="does not open"):
        open_box(people.setting, own(people), PLACE, replace(header, **moved), box)


def test_a_box_opens_in_its_own_plan_alone(people, sealed):
    with pytest.raises(Garbled, match="does not open"):
        open_box(other_plan(people), own(people), PLACE, *sealed)


def test_a_box_that_its_client_did_not_sign_is_not_opened(people, sealed):
    header, box = sealed
    swapped = replace(header, boxes=header.boxes[::-1])
    with pytest.raises(Garbled, match="not the one that its client signed"):
        open_box(people.setting, own(people), PLACE, swapped, box)


def test_nobody_foresees_how_a_piece_is_checked(people, sealed):
    header, box = sealed
    plain = open_box(people.setting, own(people), PLACE, header, box)
    piece = read_piece(people.setting, PLACE, plain)
    values = [
        check_values(people.setting, 1, header.digest, piece),
        check_values(people.setting, 1, header.digest[::-1], piece),
        check_values(people.setting, 2, header.digest, piece),
        check_values(other_plan(people), 1, header.digest, piece),
    ]
    assert len(set(values)) == len(values)
    assert check_values(people.setting, 1, header.digest, piece) == values[0]
