"""A plan as a file: the same plan again, or refused."""

import pytest

import anyk
from anyk.aggregation import Committee, Noise, Whole, plan_text, read_plan

FIXED = anyk.FixedPoint(fraction_bits=16, magnitude=8)
PLANS = [
    Committee(aggregators=3, length=4, clients=4, numbers=Whole(1000)),
    Committee(aggregators=9, length=7, clients=50, numbers=FIXED, colluders=2, adversaries=1,
              stragglers=1, most_weight=100, least_clients=5, blocks=2),
    Committee(aggregators=5, length=1, clients=2, numbers=anyk.PrimeField(101)),
    Committee(aggregators=5, length=9, clients=20, numbers=FIXED,
              least_clients=10, noise=Noise(std=0.5, norm=2, honest=8)),
]  # fmt: skip


@pytest.mark.parametrize("plan", PLANS)
def test_a_plan_is_the_same_after_it_was_a_file(plan, tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(plan_text(plan))
    assert read_plan(path) == plan
    assert repr(read_plan(path)) == repr(plan)  # which its digest is of


def test_what_has_a_default_may_be_left_out(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(
        'form = "anyk committee 1"\naggregators = 3\nlength = 4\nclients = 4\n'
        "[whole]\nmagnitude = 1000\n"
    )
    assert read_plan(path) == PLANS[0]


TEXT = plan_text(PLANS[1])


@pytest.mark.parametrize(
    "text",
    ["", "no toml", TEXT.replace("anyk committee 1", "anyk committee 2"),
     TEXT + "[whole]\nmagnitude = 1\n", TEXT.replace("[fixed_point]", "[fixed]"),
     TEXT.replace("aggregators = 9", "aggregator = 9"),
     TEXT.replace("aggregators = 9", "unsafe_quorum = true\naggregators = 9"),
     TEXT.replace("length = 7", "length = [7]"), TEXT.replace("length = 7", "length = true"),
     TEXT.replace("length = 7", "length = 7.5"), TEXT.replace("length = 7", ""),
     TEXT.replace("length = 7", "length = 0"), TEXT.replace("magnitude = 8.0", "magnitude = nan"),
     TEXT.replace("[fixed_point]", "[fixed_point]\nprimes = 3"), TEXT + "[noise]\nstd = 1\n",
     TEXT + "#" * (1 << 16), "[" * 5000, TEXT.replace("[fixed_point]", "fixed_point = 7\n[whole]")],
)  # fmt: skip
def test_whatever_else_it_says_is_refused(text, tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    with pytest.raises((anyk.InvalidArgument, anyk.Unachievable), match=r"got .*; needed: "):
        read_plan(path)


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(anyk.InvalidArgument, match=r"^plan: got"):
        read_plan(path)
