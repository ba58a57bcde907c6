"""Numbers that tell how far rounding may have moved them."""

import numpy as np
import pytest

from anyk.codes.analog.told import marked, told


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("scale", [1e-320, 1e-300, 1e-40, 1e-3, 1.0, 1e30, 1e300])
def test_what_is_told_is_one_rounding_of_the_terms(kind: type, scale: float) -> None:
    rng, kind = np.random.default_rng(0), np.dtype(kind)
    finest = np.finfo(kind)
    values = rng.standard_normal(300) * np.geomspace(1e-12, 1.0, 300) * scale
    sizes = np.abs(rng.standard_normal(300)) * scale + np.abs(values)
    values, sizes = values.astype(np.result_type(kind, float)), sizes.astype(complex)
    if kind.kind == "c":
        values, sizes = values * (1 - 2j), sizes + 1j * sizes.real
    else:
        sizes = sizes.real
    if 4.0 * float(np.abs(sizes).max()) > float(finest.max):
        return
    out = marked(values, sizes, kind)
    assert out.dtype == kind
    wide = out.astype(values.dtype)
    digits = told(out)
    assert np.all(np.abs(wide - values) <= 1.5 * digits)
    own = np.maximum(np.abs(sizes) * 2.0**-52, np.abs(values) * float(finest.eps))
    assert np.all(digits <= 2 * np.maximum(own, 2 * float(finest.smallest_subnormal)))
    assert np.all(digits >= own / 8)


def test_nothing_is_told_of_nothing() -> None:
    zeros = np.zeros(3)
    assert np.array_equal(marked(zeros, zeros, np.dtype(float)), zeros)
    assert np.array_equal(told(zeros), zeros)
    assert told(np.array([np.nan, np.inf])).tolist() == [0.0, 0.0]
    with np.errstate(all="raise"):
        assert np.isinf(marked(np.array([np.inf]), np.array([np.inf]), np.dtype(float))).all()
