"""What workers are sent of reals in fixed point, but for shares, is the same for all data."""

import numpy as np
import pytest
from noted import Noted

import anyk

WEIGHTS = anyk.FixedPoint(fraction_bits=9, magnitude=1.0)
FORMATS = [
    anyk.FixedPoint(fraction_bits=12, magnitude=8.0),
    anyk.FixedPoint(fraction_bits=12, magnitude=8.0, primes=3),
    anyk.FixedPoint(fraction_bits=12, magnitude=8.0, degree=2, summands=4),
    anyk.FixedPoint(fraction_bits=12, magnitude=8.0, rounding="stochastic", factors=(WEIGHTS,)),
]


def tables():
    """Data of one shape and one bound that are as different as can be."""
    generator = np.random.default_rng(0)
    yield generator.uniform(-8, 8, (2, 4))
    yield np.zeros((2, 4))
    yield np.full((2, 4), 8.0)
    yield np.sign(generator.standard_normal((2, 4))) * 1e-9


@pytest.mark.parametrize("embedding", FORMATS)
@pytest.mark.parametrize("at_once", [True, False])
def test_formats_and_promises_follow_from_what_was_stated(embedding, at_once):
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=7, colluders=1)
    seen = []
    for X in tables():
        with anyk.Inline(7) as inner:
            spy = Noted(inner)
            if at_once:
                anyk.run(scheme, np.square, X, spy, embedding=embedding)
            else:
                with anyk.distribute(scheme, X, spy, embedding=embedding) as data:
                    data.run(np.square)
                    if embedding.factors:
                        data.run(np.multiply, data.encode(X / 8, WEIGHTS))
        seen.append(spy.seen)
    assert len(seen[0]) > 1
    assert all(each == seen[0] for each in seen)


def test_what_is_outside_of_the_stated_bound_is_refused_and_nothing_is_sent():
    scheme = anyk.Lagrange(blocks=2, degree=2, workers=7, colluders=1)
    with anyk.Inline(7) as inner:
        spy = Noted(inner)
        for X in ([8.0, 8.001], [np.nan, 1.0]):
            with pytest.raises(anyk.InvalidArgument):
                anyk.run(scheme, np.square, X, spy, embedding=FORMATS[0])
    assert spy.seen == []
