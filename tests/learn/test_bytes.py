"""The report of a training counts bytes as they travel."""

import numpy as np
import pytest

import anyk
from anyk.learn import CodedLinearRegression, CodedLogisticRegression

CODE = anyk.FractionalRepetition(blocks=8, workers=8, stragglers=1)
X = np.random.default_rng(0).standard_normal((60, 5))
Y = (X[:, 0] > 0).astype(int)


def travelled(executor):
    """Bytes of shares, arguments and answers, noted where an executor takes and returns them."""
    counts = {"data": 0, "sent": 0, "received": 0}
    place, dispatch = executor.place, executor.dispatch

    def noted_place(parts, *rest, **others):
        counts["data"] += sum(part.nbytes for part in parts)
        return place(parts, *rest, **others)

    def noted_dispatch(task, placement, arguments, *rest):
        for argument in arguments:
            own = getattr(argument, "rows", None)
            counts["sent"] += argument.nbytes * 8 if own is None else own.nbytes
        under_way = dispatch(task, placement, arguments, *rest)
        receive = under_way.receive

        def noted(timeout):
            answer = receive(timeout)
            counts["received"] += answer.value.nbytes if answer and answer.value is not None else 0
            return answer

        under_way.receive = noted
        return under_way

    executor.place, executor.dispatch = noted_place, noted_dispatch
    return counts


@pytest.mark.parametrize(
    ("kind", "parameters", "each"),
    [
        (CodedLinearRegression, {}, 2 * 4),
        (CodedLogisticRegression, {"data_bits": 4, "weight_bits": 4}, 2),
        (CodedLogisticRegression, {"data_bits": 4, "weight_bits": 4, "adversaries": 1}, 4),
        (CodedLogisticRegression, {"degree": 1, "data_bits": 2, "weight_bits": 4}, 2),
        (CodedLinearRegression, {"scheme": CODE, "colluders": 0}, 8),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_bytes_of_a_training_are_those_that_travel(kind, parameters, each):
    with anyk.Inline(8) as executor:
        counts = travelled(executor)
        model = kind(
            executor=executor, workers=8, max_iter=3, random_state=0, verbose=0, tol=1e3,
            **parameters,
        ).fit(X, Y)  # fmt: skip
    report = model.report_
    told = {
        "data": report.data_bytes, "sent": report.sent_bytes, "received": report.received_bytes
    }  # fmt: skip
    assert told == counts
    assert all(count % each == 0 and count for count in told.values())
    blocks = report.scheme.problem.blocks
    if "scheme" not in parameters:
        columns = 6 if parameters.get("degree") else 5  # and the intercept
        assert report.data_bytes == 8 * -(-60 // blocks) * columns * each
    assert f"{report.data_bytes / 1024:.3g} KiB of shares" in str(report)
