"""Every advice of every error, followed: what it says works."""

import aggregation_rows
import aggregators_rows
import cutting_rows
import domain_rows
import executor_rows
import extension_rows
import field_rows
import learn_rows
import map_rows
import product_rows
import pytest
import residue_rows
import rest_rows
import run_rows
import scheme_rows
import shuffle_rows
import slab_rows
import spec_rows
import value_rows
from tried import reached, sites
from untried import UNTRIED

import anyk
from anyk.domains.functions import refused

TABLES = (
    aggregation_rows, aggregators_rows,
    cutting_rows, spec_rows, domain_rows, field_rows, scheme_rows, product_rows, run_rows,
    executor_rows, learn_rows, rest_rows, residue_rows, map_rows, value_rows, extension_rows,
    shuffle_rows, slab_rows,
)  # fmt: skip
ROWS = [
    pytest.param(row, id=f"{table.__name__} {place} {row.says}")
    for table in TABLES
    for place, row in enumerate(table.ROWS)
]


@pytest.mark.parametrize("row", ROWS)
def test_what_an_error_advises_works(row):
    error = row.error()
    numbers = row.numbers(error)
    for follow in row.follow:
        follow(*numbers)
    if row.less is not None:
        with pytest.raises(anyk.AnykError):
            row.less(*(number - 1 for number in numbers))


def test_every_advice_is_followed_or_told_why_it_cannot_be():
    lines = set()
    for table in TABLES:
        for row in table.ROWS:
            lines |= reached(row.error())
    left = [site for site in sites() if not followed(site, lines)]
    unknown = [site for site in left if not any(excused(site, key) for key in UNTRIED)]
    assert not unknown, "no test follows these:\n" + "\n".join(map(str, unknown))
    needless = [key for key in UNTRIED if not any(excused(site, key) for site in left)]
    assert not needless, f"these are tried, or gone: {needless}"


def followed(site, lines):
    """Whether an error came from here, or has this advice."""
    here = any((site.path, line) in lines for line in range(site.first, site.last + 1))
    return here or ("", site.advice) in lines


def excused(site, key):
    """Whether an entry of UNTRIED is of this advice: of one text, or of all of a file."""
    return site.path == key[0] and site.advice.startswith(key[1])


def test_what_to_write_in_place_of_what_is_no_polynomial_is_followed():
    told = " ".join(str(row.error()) for row in field_rows.ROWS)
    left = [name for name, advice in refused._ADVICE.items() if advice not in told]
    assert not left


def test_an_advice_that_is_not_followed_is_noticed():
    every = {site.advice: site for site in sites()}
    cut, state = (
        every["Cut A in m x p blocks and B in p x n."],
        every["State the same promise both ways."],
    )
    with pytest.raises(anyk.InvalidArgument) as caught:
        anyk.MatMul(partition=3)
    assert followed(cut, reached(caught.value))
    assert not followed(state, reached(caught.value))
