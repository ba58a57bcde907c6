"""`CodedLinearRegression`: least squares on data that no worker sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from anyk.learn.estimator import AbstractCodedEstimator
from anyk.learn.response import Response
from anyk.learn.scaling import moments

__all__ = ["CodedLinearRegression"]


def _half_square(z: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Half the mean squared error."""
    return float(np.sum((z - y) ** 2)) / (2 * len(z))


@final
@dataclass(kw_only=True, eq=False, repr=False)
class CodedLinearRegression(RegressorMixin, AbstractCodedEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """Least squares trained by workers who see neither data nor model.

    As `CodedLogisticRegression`, with the response x·w itself: a worker computes X^T X w on its
    shares, a polynomial of degree 3, and K is the largest that 3(K+T-1) + 2A + 1 + S <= N allows.
    It descends on rounded features, so that it ends close to the least squares solution, not at it;
    more iterations and bits bring it closer.

    Args:
        executor: runs the workers, as `anyk.Processes(8)`, and stays open; None for threads of
            this process, for trying out: privacy needs workers who do not share a memory.
        workers: N.
        stragglers: S, how many workers may be late or die.
        adversaries: A, how many may answer wrongly; they are named in `report_`.
        colluders: T, how many may put together all they are sent and still learn nothing.
        iterations: how many gradients are computed.
        step: of the descent on scaled features and targets; "auto" takes 1 / L of the loss.
        momentum: Nesterov's, at the master and at no cost.
        scaling: of features: "standard" for mean 0, deviation 1 and at most 4 deviations; "unit"
            for 0 to 1; "none" as they are. Coefficients are those of unscaled features.
        fit_intercept: whether there is an intercept.
        weight_norm: Euclidean norm to which the weights of scaled features and targets are held,
            so that no gradient can wrap; `report_.at_limit` says whether that mattered.
        data_bits: fraction bits of scaled features; "auto" takes as many as fit, at most 8.
        weight_bits: fraction bits of weights; "auto" takes as many as fit, at most 10.
        primes: how many primes to compute modulo; "auto" takes as few as give 4 bits of data and
            6 of weights.
        random_state: of the rounding of weights alone, to repeat it; masks take no seed.
        verbose: 0 to show no progress; otherwise a bar in a terminal, if rich is installed.

    Attributes:
        coef_: ndarray (features,).
        intercept_: float.
        loss_: half the mean squared error at the weights of each gradient, on all rows, or on some
            1,000 spread evenly where there are more.
        n_iter_: how many gradients were computed.
        report_: `TrainingReport`: the code, bits and step chosen; who lied, failed or kept silent.
        n_features_in_: number of features.

    Raises:
        InvalidArgument: if a parameter can't be used.
        Unachievable: if no code survives the threat, or a gradient could wrap: before anything is
            sent.
        NotEnoughAnswers: if more workers fail than S.
        TooManyErrors: if more workers lie than A.

    Guarantee:
        That of `CodedLogisticRegression`.

    References:
        So, Guler, Avestimehr: CodedPrivateML: a fast and privacy-preserving framework for
        distributed machine learning (IEEE JSAIT 2021), on linear regression.

    Example:
        >>> from anyk.learn import CodedLinearRegression
        >>> X = np.arange(12.0).reshape(6, 2) ** 2
        >>> model = CodedLinearRegression(workers=8, random_state=0).fit(X, X @ [1.0, 1.0] + 3.0)
        >>> bool(model.score(X, X @ [1.0, 1.0] + 3.0) > 0.999)
        True
    """

    iterations: int = 50

    def fit(self, X: Any, y: Any) -> Self:
        """Train on encoded data.

        Args:
            X: array-like (rows, features).
            y: array-like (rows,) of numbers.

        Returns:
            This estimator.
        """
        X, y = validate_data(self, X, y, dtype=np.float64, y_numeric=True)
        y = y.astype(np.float64, copy=False)
        mean, deviation = moments(y[:, None], centred=bool(self.fit_intercept))
        middle, size = float(mean[0]), float(deviation[0]) or 1.0
        targets = (y - middle)[:, None] / size
        coefficients, offset = self._train(X, targets, Response.identity(), _half_square)
        self.coef_ = coefficients[0] * size
        self.intercept_ = float(offset[0]) * size + middle
        self.loss_ = [loss * size * size for loss in self.loss_]
        self.n_iter_ = self.iterations
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """x·w + b.

        Args:
            X: array-like (rows, features).

        Returns:
            ndarray (rows,).
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        return np.asarray(X @ self.coef_ + self.intercept_)
