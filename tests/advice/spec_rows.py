"""Problems, threats, guarantees, domains' counts: what validators advise."""

from functools import partial

from tried import tried

import anyk

A_GUARANTEE = {
    "workers": 4,
    "threshold": 3,
    "stragglers": 1,
    "adversaries": 0,
    "colluders": 0,
    "exact": True,
    "leakage": None,
    "load": 1.0,
}
GUARANTEE = partial(anyk.Guarantee, **A_GUARANTEE)
ROWS = [
    tried(
        "at least {}. Raise it.",
        lambda: anyk.Map(blocks=0),
        lambda least: anyk.Map(blocks=least),
        less=lambda less: anyk.Map(blocks=less),
    ),
    tried(
        "at most {}. Lower it.",
        lambda: anyk.Map(blocks=1 << 40),
        lambda most: anyk.Map(blocks=most),
    ),
    tried(
        "Pass an int >= {}.",
        lambda: anyk.Map(blocks="two"),
        lambda least: anyk.Map(blocks=least),
        less=lambda less: anyk.Map(blocks=less),
    ),
    tried(
        "three numbers (m, p, n). Cut A in m x p blocks and B in p x n.",
        lambda: anyk.MatMul(partition=(2, 2)),
        lambda: anyk.MatMul(partition=(2, 1, 2)),
    ),
    tried(
        "Pass ({}, {}, {}), and no batch.",
        lambda: anyk.MatMul(partition=(2, 1, 3), batch=2, gram=True),
        lambda *fits: anyk.MatMul(partition=fits, gram=True),
    ),
    tried(
        "at most workers = {}. Lower it, or add workers.",
        lambda: anyk.Threat(workers=3, stragglers=4),
        lambda most: anyk.Threat(workers=3, stragglers=most),
        lambda _: anyk.Threat(workers=4, stragglers=4),
    ),
    tried(
        "Pass bits a coordinate, such as 0.5.",
        lambda: anyk.Threat(workers=3, colluders=1, leakage=-1.0),
        lambda: anyk.Threat(workers=3, colluders=1, leakage=0.5),
    ),
    tried(
        "Pass colluders=1, or leave leakage out.",
        lambda: anyk.Threat(workers=3, leakage=0.5),
        lambda: anyk.Threat(workers=3, leakage=0.5, colluders=1),
        lambda: anyk.Threat(workers=3),
    ),
    tried(
        "at most threshold = {}. State what is waited for if nobody lies.",
        lambda: GUARANTEE(least=4),
        lambda threshold: GUARANTEE(least=threshold),
    ),
    tried(
        "State what T + 1, T + 2, .. workers learn, in that order.",
        lambda: GUARANTEE(leakage=0.5, beyond=(2.0, 1.0)),
        lambda: GUARANTEE(leakage=0.5, beyond=(1.0, 2.0)),
    ),
    tried(
        "State the same promise both ways.",
        lambda: anyk.Guarantee(**{**A_GUARANTEE, "stragglers": 2}),
        lambda: anyk.Guarantee(**{**A_GUARANTEE, "stragglers": 2, "threshold": 2}),
        lambda: anyk.Guarantee(**{**A_GUARANTEE, "stragglers": 1}),
    ),
    tried(
        "Pass anyk.Threat(workers=12, stragglers=2), say.",
        lambda: anyk.schemes_for(anyk.Map(blocks=3), 12),
        lambda: anyk.schemes_for(anyk.Map(blocks=3), anyk.Threat(workers=12, stragglers=2)),
    ),
    tried(
        "Pass anyk.Map(blocks=3, degree=2), say.",
        lambda: anyk.schemes_for(3, anyk.Threat(workers=12)),
        lambda: anyk.schemes_for(anyk.Map(blocks=3, degree=2), anyk.Threat(workers=12)),
    ),
    tried(
        "Pass anyk.PrimeField(2**31 - 1).",
        lambda: anyk.schemes_for(anyk.Map(blocks=3), anyk.Threat(workers=12), field=7),
        lambda: anyk.schemes_for(
            anyk.Map(blocks=3), anyk.Threat(workers=12), field=anyk.PrimeField(2**31 - 1)
        ),
    ),
    *(
        tried(
            "Pass (*anyk.CATALOGUE, row).",
            lambda rows=rows: anyk.schemes_for(
                anyk.Map(blocks=3), anyk.Threat(workers=12), catalogue=rows
            ),
            lambda: anyk.schemes_for(
                anyk.Map(blocks=3),
                anyk.Threat(workers=12),
                catalogue=(*anyk.CATALOGUE, anyk.CATALOGUE[0]),
            ),
        )
        for rows in (3, ["Lagrange"])
    ),
    tried(
        "S <= 0, that is 1 <= 0. Lower it.",
        lambda: sized("Harmonic", anyk.Sum(blocks=2, degree=2), stragglers=1),
        lambda: sized("Harmonic", anyk.Sum(blocks=2, degree=2), stragglers=0),
    ),
]


def sized(name, problem, **threat):
    (row,) = (row for row in anyk.CATALOGUE if row.name == name)
    return row.size(problem, anyk.Threat(workers=12, **threat), anyk.PrimeField())
