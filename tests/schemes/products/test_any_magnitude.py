"""Products of the largest and smallest numbers: estimates hold, and nothing overflows."""

import warnings

import numpy as np
import pytest

import anyk
from anyk.schemes.products.base import code_of
from anyk.schemes.products.sizes import (
    Sizes,
    column_sizes,
    row_sizes,
    size_of,
    sparse_column_sizes,
)

R, C = anyk.Reals(), anyk.Complex()
SCHEMES = [
    anyk.MDS((4, 1, 1), 7, R),
    anyk.MDS((3, 1, 1), 7, C, adversaries=1),
    anyk.MDS((2, 1, 1), 5, R, adversaries=1, verified=True),
    anyk.Polynomial((2, 1, 2), 9, R, adversaries=1),
    anyk.OrthoMatDot((1, 3, 1), 8),
    anyk.OrthoMatDot((1, 2, 1), 7, adversaries=1),
    anyk.Entangled((2, 2, 2), 11, R),
    anyk.Rotation((4, 1, 4), 9),
    anyk.Circulant((12, 1, 1), 5),
    anyk.Sparse((4, 1, 1), 7, domain=R),
]
SCALES = [(1e300, 1.0), (1e150, 1e150), (1e100, 1e100), (1e-100, 1e-100), (1e-160, 1e-160)]
SCALES += [(1e-310, 1.0), (1e-310, 1e300), (1e-200, 1e200)]


def factors(scheme, rng, scales):
    A, B = rng.standard_normal((7, 5)), rng.standard_normal((5, 3))
    if isinstance(scheme.domain, anyk.Complex):
        A = A + 1j * rng.standard_normal(A.shape)
    return A * scales[0], B * scales[1]


@pytest.mark.parametrize("scheme", SCHEMES, ids=repr)
@pytest.mark.parametrize("scales", SCALES, ids=str)
def test_estimates_hold_at_any_magnitude(scheme, scales):
    rng = np.random.default_rng(5)
    within = 0
    for _ in range(20):
        A, B = factors(scheme, rng, scales)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            encoded = scheme.encode((A, B))
            who = rng.permutation(scheme.workers)[: encoded.guarantee.threshold]
            values = np.stack([encoded.parts[0][w] @ encoded.parts[1][w] for w in who])
            recovered = encoded.decode(values, tuple(map(int, who)))
        wide = np.clongdouble if A.dtype.kind == "c" else np.longdouble
        truth = A.astype(wide) @ B.astype(wide)
        error = float(np.sqrt(np.sum(abs(recovered.value - truth) ** 2)))
        size = float(np.sqrt(np.sum(abs(truth) ** 2)))
        assert not recovered.suspects
        assert recovered.error_estimate < (1e-10 if min(scales) > 1e-150 else 0.5)
        within += error <= recovered.error_estimate * size
        assert error <= 3.0 * recovered.error_estimate * size
    assert within >= 18


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1.0, 1e200, 1e307])
def test_sizes_of_any_magnitude(scale):
    array = np.array([[3.0, 0.0, -4.0], [0.0, 0.0, 4.0]])
    expected = np.array([[np.sqrt(4.5), 0.0, 4.0]])
    blocks = array[None] * scale
    off = 1e-3 if scale < 1e-300 else 1e-14
    assert np.allclose(column_sizes(blocks) / scale, expected, rtol=off)
    turned = np.ascontiguousarray(blocks.swapaxes(1, 2))
    assert np.allclose(row_sizes(turned) / scale, expected, rtol=off)
    assert np.isclose(size_of(1j * array * scale) / scale, np.sqrt(41 / 6), rtol=off)
    scipy = pytest.importorskip("scipy.sparse")
    assert np.allclose(sparse_column_sizes(scipy.csr_array(blocks[0])) / scale, expected, rtol=off)
    stack = np.stack([blocks, blocks], axis=1)
    assert np.allclose(column_sizes(stack) / scale, expected, rtol=off)


def test_columns_and_rows_of_opposite_scales():
    code = code_of(anyk.OrthoPolynomial((1, 1, 1), 1))
    huge = 10.0 ** np.array([[250.0, -250.0, 0.0]])
    assert np.isclose(Sizes.of(code, huge, 1.0 / huge).answers[0], np.sqrt(3.0))
