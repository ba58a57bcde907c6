"""schemes_for: every scheme either meets the threat, or says which inequality fails."""

import itertools

import numpy as np
import pytest

import anyk


@pytest.mark.parametrize(
    ("workers", "late", "wrong", "curious"),
    [*itertools.product((2, 5, 9, 16), (0, 2), (0, 1), (0, 1, 2))],
)
@pytest.mark.parametrize(
    "problem",
    [
        anyk.Map(blocks=3, degree=2),
        anyk.Map(blocks=3),
        anyk.Sum(blocks=3, degree=2),
        anyk.Sum(blocks=2),
    ],
    ids=repr,
)
def test_those_that_qualify_meet_the_threat_and_the_others_say_why(
    problem, workers, late, wrong, curious
):
    threat = anyk.Threat(workers=workers, stragglers=late, adversaries=wrong, colluders=curious)
    shortlist = anyk.schemes_for(problem, threat)
    for candidate in shortlist.candidates:
        assert (candidate.scheme is None) == bool(candidate.reason)
    for scheme in shortlist:
        promise = scheme.guarantee
        assert type(scheme.problem) is type(problem)
        assert scheme.problem.degree in {problem.degree, None}
        assert scheme.problem.blocks == problem.blocks
        assert promise.workers <= workers
        assert promise.stragglers >= late
        assert promise.adversaries >= wrong
        assert promise.colluders >= curious
        anyk.testing.check_scheme(scheme, generator=np.random.default_rng(0), patterns=2)


@pytest.mark.parametrize(
    "threat",
    [
        anyk.Threat(workers=7, colluders=1, leakage=0.5),
        anyk.Threat(workers=16, stragglers=3, colluders=2, leakage=0.3),
        anyk.Threat(workers=16, adversaries=1, colluders=1, leakage=1.0),
    ],
    ids=repr,
)
@pytest.mark.parametrize("degree", [None, 2])
def test_a_leakage_admits_schemes_over_the_reals_that_keep_it(degree, threat):
    problem = anyk.Map(blocks=3, degree=degree)
    without = anyk.Threat(
        workers=threat.workers,
        stragglers=threat.stragglers,
        adversaries=threat.adversaries,
        colluders=threat.colluders,
    )
    shortlist = anyk.schemes_for(problem, threat)
    exact = [scheme for scheme in shortlist if scheme.guarantee.exact]
    assert exact == list(anyk.schemes_for(problem, without))
    polynomial = {"AnalogLagrange"} if degree else set()
    any_function = {"Agreed"} if threat.adversaries else {"VeiledReplication", "Berrut"}
    real = [scheme for scheme in shortlist if not scheme.guarantee.exact]
    assert {type(scheme).__name__ for scheme in real} == polynomial | any_function
    for scheme in shortlist:
        encoded = scheme.encode(np.zeros((3, 2), dtype=np.int64))
        assert anyk.leakage(encoded, colluders=threat.colluders) <= threat.leakage
        assert scheme.guarantee.leakage <= threat.leakage
        assert scheme.guarantee.stragglers >= threat.stragglers
        anyk.testing.check_scheme(scheme, generator=np.random.default_rng(0), patterns=2)


@pytest.mark.parametrize(
    ("colluders", "leakage"), [(1, 0.0), (1, -0.5), (1, float("nan")), (1, "0.5"), (0, 0.5)]
)
def test_a_leakage_is_bits_for_colluders(colluders, leakage):
    with pytest.raises(anyk.InvalidArgument, match=r"^leakage: "):
        anyk.Threat(workers=5, colluders=colluders, leakage=leakage)


def test_a_leakage_is_kept_as_a_float():
    threat = anyk.Threat(workers=5, colluders=1, leakage=1)
    assert repr(threat) == (
        "Threat(workers=5, stragglers=0, adversaries=0, colluders=1, leakage=1.0)"
    )


def names(shortlist):
    return {each.name: each.reason for each in shortlist.candidates}


def test_harmonic_alone_does_with_the_fewest_workers():
    problem = anyk.Sum(blocks=5, degree=2)
    reasons = names(anyk.schemes_for(problem, anyk.Threat(workers=7, colluders=1)))
    assert reasons["Harmonic"] == ""
    assert reasons["Summed(Lagrange)"] == (
        "(K+T-1)d + 2A + 1 <= N, that is (5+1-1)*2 + 2*0 + 1 = 11 <= 7"
    )
    assert "3 <= floor(7/5) = 1" in reasons["Summed(Shamir)"]
    assert reasons["Summed(Replication)"] == "T <= 0, that is 1 <= 0"
    reasons = names(anyk.schemes_for(problem, anyk.Threat(workers=6, colluders=1)))
    assert reasons["Harmonic"] == "K(d-1) + 2 <= N, that is 5*1 + 2 = 7 <= 6"
    assert all(reasons.values())


@pytest.mark.parametrize(
    ("threat", "reason"),
    [
        (anyk.Threat(workers=99, stragglers=1), "S <= 0, that is 1 <= 0"),
        (anyk.Threat(workers=99, adversaries=2), "A <= 0, that is 2 <= 0"),
        (anyk.Threat(workers=99, colluders=2), "T <= 1, that is 2 <= 1"),
    ],
)
def test_what_harmonic_can_not_survive(threat, reason):
    assert names(anyk.schemes_for(anyk.Sum(blocks=3, degree=2), threat))["Harmonic"] == reason


@pytest.mark.parametrize(
    ("threat", "degree", "reason"),
    [
        (anyk.Threat(workers=2, colluders=1), 1, ""),
        (anyk.Threat(workers=1), 1, "2 <= N, that is 2 <= 1"),
        (anyk.Threat(workers=99, stragglers=1), 1, "S <= 0, that is 1 <= 0"),
        (anyk.Threat(workers=99, colluders=2), 1, "T <= 1, that is 2 <= 1"),
        (anyk.Threat(workers=99), 2, "d <= 1, that is 2 <= 1"),
    ],
)
def test_what_frobenius_can_survive(threat, degree, reason):
    problem = anyk.Sum(blocks=300, degree=degree)
    shortlist = anyk.schemes_for(problem, threat, field=anyk.PrimeField(2))
    assert names(shortlist)["Frobenius"] == reason


def test_too_many_stragglers_name_the_threshold():
    threat = anyk.Threat(workers=7, stragglers=3)
    reasons = names(anyk.schemes_for(anyk.Map(blocks=3, degree=2), threat))
    assert reasons["Lagrange"] == "S <= N - threshold, that is 3 <= 7 - 5 = 2"


def test_a_small_field_is_a_reason():
    threat = anyk.Threat(workers=7)
    shortlist = anyk.schemes_for(anyk.Map(blocks=3, degree=2), threat, field=anyk.PrimeField(7))
    assert names(shortlist)["Lagrange"] == "a modulus of at least K + T + N = 10"


def test_products_of_matrices():
    problem, threat = anyk.MatMul(partition=(2, 1, 2)), anyk.Threat(workers=9, adversaries=2)
    scheme, *_ = anyk.schemes_for(problem, threat, field=anyk.PrimeField(101))
    assert scheme == anyk.Polynomial((2, 1, 2), 9, domain=anyk.PrimeField(101), adversaries=2)


@pytest.mark.parametrize(
    ("partition", "threat", "reason"),
    [
        ((2, 3, 2), anyk.Threat(workers=9), "a partition (m, 1, n), and not (2, 3, 2)"),
        (
            (2, 1, 2),
            anyk.Threat(workers=7, colluders=1),
            "min((m+T)(n+1), (m+1)(n+T), 2mn+2T) - 1 + 2A <= N, that is 8 + 2*0 = 8 <= 7",
        ),
        ((2, 1, 2), anyk.Threat(workers=5, adversaries=1), "mn + 2A <= N, that is 4 + 2*1 = 6 "),
        (
            (2, 1, 2),
            anyk.Threat(workers=6, stragglers=3),
            "S <= N - threshold, that is 3 <= 6 - ",
        ),
    ],
)
def test_what_a_polynomial_code_can_not_survive(partition, threat, reason):
    shortlist = anyk.schemes_for(anyk.MatMul(partition=partition), threat)
    assert not any(isinstance(scheme, anyk.Polynomial) for scheme in shortlist)
    assert names(shortlist)["Polynomial"].startswith(reason)


@pytest.mark.parametrize(
    ("partition", "threat", "fit"),
    [
        ((2, 1, 2), anyk.Threat(workers=9, colluders=1), {"Polynomial"}),
        ((1, 3, 1), anyk.Threat(workers=9, adversaries=2), {"MatDot"}),
        ((1, 3, 1), anyk.Threat(workers=9, colluders=2), {"MatDot"}),
        ((2, 2, 2), anyk.Threat(workers=12, stragglers=3), {"Entangled"}),
        ((2, 2, 2), anyk.Threat(workers=12), {"Entangled", "PolyDot"}),
        ((2, 2, 2), anyk.Threat(workers=12, colluders=1), set()),
    ],
)
def test_which_codes_multiply_factors_that_are_cut_so(partition, threat, fit):
    every = {"Polynomial", "MatDot", "Entangled", "PolyDot"}
    shortlist = anyk.schemes_for(anyk.MatMul(partition=partition), threat)
    assert every & {type(scheme).__name__ for scheme in shortlist} == fit


@pytest.mark.parametrize(
    ("threat", "reason"),
    [
        (anyk.Threat(workers=2), "K <= N, that is 3 <= 2"),
        (anyk.Threat(workers=9, stragglers=3), "S < K, that is 3 < 3"),
        (anyk.Threat(workers=9, adversaries=2), "S + 2A < K, that is 0 + 4 < 3"),
        (anyk.Threat(workers=9, colluders=1), "T <= 0, that is 1 <= 0"),
    ],
)
def test_what_a_gradient_code_can_not_survive(threat, reason):
    assert names(anyk.schemes_for(anyk.Sum(blocks=3), threat))["CyclicRepetition"] == reason


def test_an_empty_catalogue_has_no_scheme():
    shortlist = anyk.schemes_for(anyk.Map(blocks=2), anyk.Threat(workers=9), catalogue=())
    assert str(shortlist).endswith("no scheme computes it")


def test_a_row_is_a_row():
    with pytest.raises(anyk.InvalidArgument, match=r"^catalogue: got .*; needed: rows"):
        anyk.schemes_for(
            anyk.Map(blocks=2), anyk.Threat(workers=9), catalogue=(anyk.Lagrange(1, 1, 1),)
        )


@pytest.mark.parametrize("bad", [(None, anyk.Threat(workers=3)), (anyk.Map(blocks=2), 3)])
def test_bad_arguments_are_refused(bad):
    with pytest.raises(anyk.InvalidArgument):
        anyk.schemes_for(*bad)
