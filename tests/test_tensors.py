"""Tensors of torch go in and come out as tensors, in their own type."""

import subprocess
import sys

import numpy as np
import pytest

import anyk

torch = pytest.importorskip("torch")

COPIES, FILLED = anyk.Replication(4, 8), anyk.FilledReplication(4, 8)
CURVE = anyk.Spline(4, 12)
torch.manual_seed(0)
MODEL = torch.nn.Sequential(torch.nn.Linear(8, 16), torch.nn.Tanh(), torch.nn.Linear(16, 3))
WORDS = torch.nn.Embedding(100, 4)
ROWS = torch.linspace(-1.0, 1.0, 4 * 5 * 8).reshape(4, 5, 8)
IDS = torch.randint(0, 100, (4, 6))


def seen(x):
    assert type(x) is torch.Tensor
    assert not x.requires_grad
    return torch.tensor([float(x.dtype == torch.float32)])


def written(x):
    x += 1
    return x


def labels(x):
    return MODEL(x).argmax(dim=-1)


def as_array(x):
    return MODEL(x).detach().numpy()


@pytest.fixture(scope="module")
def threads():
    with anyk.Threads(12) as executor:
        yield executor


@pytest.mark.parametrize("scheme", [COPIES, FILLED], ids=lambda each: type(each).__name__)
@pytest.mark.parametrize(
    ("function", "X"),
    [(MODEL, ROWS), (WORDS, IDS), (labels, ROWS), (written, IDS), (torch.relu, ROWS.double()),
     (torch.isnan, ROWS.half()), (torch.square, ROWS * (1 + 1j)), (torch.logical_not, IDS > 50),
     (torch.neg, [*ROWS]), (torch.neg, tuple(IDS.to(torch.int32)))],
)  # fmt: skip
def test_values_are_those_of_a_plain_loop(scheme, function, X, threads):
    value = anyk.run(scheme, function, X, threads, progress=False).value
    right = torch.stack([function(block.clone()) for block in X]).detach()
    assert value.dtype == right.dtype
    assert torch.equal(value, right)


def test_the_same_on_processes():
    with anyk.Processes(4) as executor:
        for function, X in ((MODEL, ROWS), (WORDS, IDS)):
            value = anyk.run(anyk.Replication(2, 4), function, X[:2], executor).value
            assert torch.equal(value, function(X[:2]).detach())


@pytest.mark.parametrize("scheme", [CURVE, anyk.VeiledReplication(4, 24, colluders=1, leakage=9.0)])
def test_curves_see_the_float_type_of_the_data(scheme, threads):
    executor = threads if scheme is CURVE else anyk.Threads(24)
    outcome = anyk.run(scheme, seen, ROWS, executor, tolerance=np.inf)
    assert outcome.value.dtype == torch.float32
    assert outcome.value.ravel().tolist() == pytest.approx([1.0] * 4)
    doubles = anyk.run(scheme, seen, ROWS.double(), executor, tolerance=np.inf).value
    assert doubles.dtype == torch.float64
    assert doubles.ravel().tolist() == pytest.approx([0.0] * 4)


def test_a_network_on_a_curve(threads):
    outcome = anyk.run(CURVE, MODEL, ROWS, threads)
    off = torch.linalg.norm(outcome.value - MODEL(ROWS).detach()) / torch.linalg.norm(outcome.value)
    assert float(off) <= 3 * outcome.error_estimate


def test_products_of_tensors(threads):
    a, b = torch.rand(6, 5), torch.rand(5, 3)
    for factors in ((a, b), (a, b.numpy()), (a.numpy(), b)):
        value = anyk.matmul(*factors, threads, stragglers=1).value
        assert value.dtype == torch.float32
        assert torch.allclose(value, a @ b)
    assert anyk.matmul(IDS, IDS.T, threads).value.dtype == torch.int64
    assert type(anyk.matmul(a.numpy(), b.numpy(), threads).value) is np.ndarray


def test_gradients_end_at_the_worker(threads):
    X = ROWS.clone().requires_grad_()
    value = anyk.run(COPIES, seen, X, threads).value
    assert not value.requires_grad
    assert X.requires_grad


def test_arrays_become_tensors_where_the_domain_says_so(threads):
    scheme = anyk.Replication(4, 8, domain=anyk.Torch())
    value = anyk.run(scheme, torch.neg, np.arange(4), threads).value
    assert value.tolist() == [0, -1, -2, -3]
    single = anyk.Spline(4, 12, domain=anyk.Torch())
    arrays = ROWS.numpy()
    assert anyk.run(single, MODEL, arrays, threads).value.dtype == torch.float32
    assert anyk.run(single, torch.sin, arrays.astype(float), threads).value.dtype == torch.float64


def test_arrays_stay_arrays_whatever_the_function_returns(threads):
    value = anyk.run(COPIES, lambda x: MODEL(torch.from_numpy(x)), ROWS.numpy(), threads).value
    assert type(value) is np.ndarray
    assert np.array_equal(value, MODEL(ROWS).detach().numpy())
    tensor = anyk.run(COPIES, as_array, ROWS, threads).value
    assert torch.equal(tensor, MODEL(ROWS).detach())


def test_values_can_be_written_in(threads):
    value = anyk.run(COPIES, torch.neg, ROWS, threads).value
    value += 1
    assert torch.equal(value, 1 - ROWS)


def test_wrappers_pass_tensors_on(threads):
    agreed = anyk.Agreed(anyk.FilledReplication(2, 4), adversaries=0)
    assert torch.equal(anyk.run(agreed, WORDS, IDS[:2], threads).value, WORDS(IDS[:2]).detach())
    total = anyk.run(anyk.Summed(COPIES), MODEL, ROWS, threads).value
    assert torch.allclose(total, MODEL(ROWS).detach().sum(dim=0))


def test_sums_of_tensors_by_a_gradient_code(threads):
    outcome = anyk.run(anyk.CyclicRepetition(4, 1), MODEL, ROWS, threads)
    assert outcome.value.dtype == torch.float32
    assert torch.allclose(outcome.value, MODEL(ROWS).detach().sum(dim=0), atol=1e-4)


def test_tensors_with_arguments_for_each_block(threads):
    with anyk.distribute(COPIES, ROWS, threads) as data:
        factors = torch.arange(1.0, 5.0)[:, None, None]
        scaled = data.run(torch.mul, data.encode(factors))
        places = data.run(lambda x, place: x[place], data.encode(np.arange(4)))
    assert torch.equal(scaled.value, ROWS * factors)
    assert torch.equal(places.value, torch.stack([ROWS[at][at] for at in range(4)]))


def test_a_tensor_for_each_block_of_arrays(threads):
    with anyk.distribute(COPIES, ROWS.numpy(), threads) as data:
        value = data.run(np.multiply, data.encode(torch.ones(4, 1, 1))).value
    assert np.array_equal(value, ROWS.numpy())


def test_tensors_over_fields_are_residues(threads):
    scheme = anyk.Lagrange(blocks=4, degree=2, workers=8)
    assert anyk.run(scheme, np.square, IDS, threads).value.tolist() == (IDS**2).tolist()


@pytest.mark.parametrize(
    ("tensor", "advice"),
    [(ROWS.to(torch.bfloat16), r"\.float\(\)"), (ROWS.to("meta"), r"\.cpu\(\)"),
     (ROWS.to_sparse(), r"\.to_dense\(\)"), ([ROWS[0], IDS[0]], "one"),
     ([ROWS[0], ROWS[1].double(), ROWS[2], ROWS[3]], "one dtype")],
    ids=["bfloat16", "meta", "sparse", "shapes", "types"],
)  # fmt: skip
def test_what_can_not_be_kept_is_refused_with_what_to_do(tensor, advice, threads):
    for scheme in (COPIES, FILLED):
        with pytest.raises(anyk.InvalidArgument, match=advice):
            anyk.run(scheme, torch.neg, tensor, threads)


def test_a_function_that_returns_what_numpy_has_not_fails_with_advice(threads):
    with pytest.raises(anyk.NotEnoughAnswers, match=r"Pass \.float\(\)"):
        anyk.run(COPIES, torch.Tensor.bfloat16, ROWS, threads)


def test_torch_is_not_loaded_for_arrays():
    code = (
        "import sys, numpy as np, anyk\n"
        "with anyk.Inline(4) as e: anyk.run(anyk.Replication(2, 4), np.sin, np.ones(2), e)\n"
        "sys.exit('torch' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
