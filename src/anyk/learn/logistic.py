"""`CodedLogisticRegression`: logistic regression on data that no worker sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from anyk.errors import InvalidArgument
from anyk.learn.estimator import AbstractCodedEstimator
from anyk.learn.response import Response

__all__ = ["CodedLogisticRegression"]


def _log_loss(z: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The mean over rows of -log of the chance given to what happened, summed over outputs."""
    return float(np.sum(np.logaddexp(0.0, z) - y * z)) / len(z)


@final
@dataclass(kw_only=True, eq=False, repr=False)
class CodedLogisticRegression(ClassifierMixin, AbstractCodedEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """Logistic regression trained by workers who see neither data nor model (CodedPrivateML).

    The scaled features are rounded, cut in K blocks of rows, encoded once by `anyk.Lagrange` and
    left on the workers. In each iteration the weights are rounded r times without bias and encoded
    with fresh masks; a worker computes X^T g(Xw) on its shares, where g is a polynomial of degree r
    close to the sigmoid; and the gradient is decoded exactly. K is the largest that
    (2r+1)(K+T-1) + 2A + 1 + S <= N allows. More than two classes are trained one against the rest,
    all in the same rounds.

    Args:
        executor: runs the workers, as `anyk.Processes(8)`, and stays open; None for threads of
            this process, for trying out: privacy needs workers who do not share a memory.
        workers: N.
        stragglers: S, how many workers may be late or die.
        adversaries: A, how many may answer wrongly; they are named in `report_`.
        colluders: T, how many may put together all they are sent and still learn nothing.
        degree: r of the polynomial sigmoid, odd. 3 takes 7(K+T-1)+1 workers, and more primes.
        interval: where the polynomial is closest to the sigmoid, |x·w| <= interval. For a degree
            above 1 weights are held to it, as the polynomial turns around beyond.
        iterations: how many gradients are computed.
        step: of the descent on scaled features; "auto" takes 1 / L of the polynomial loss.
        momentum: Nesterov's, at the master and at no cost; False for the paper's plain descent.
        scaling: of features: "standard" for mean 0, deviation 1 and at most 4 deviations; "unit"
            for 0 to 1; "none" as they are. Coefficients are those of unscaled features.
        fit_intercept: whether there is an intercept.
        weight_norm: Euclidean norm to which the weights of scaled features are held, so that no
            gradient can wrap; `report_.at_limit` says whether that mattered.
        data_bits: fraction bits of scaled features; "auto" takes as many as fit, at most 8.
        weight_bits: fraction bits of weights; "auto" takes as many as fit, at most 10.
        primes: how many primes to compute modulo; "auto" takes as few as give 4 bits of data and
            6 of weights.
        random_state: of the rounding of weights alone, to repeat it; masks take no seed.
        verbose: 0 to show no progress; otherwise a bar in a terminal, if rich is installed.

    Attributes:
        classes_: the labels, ndarray (classes,).
        coef_: ndarray (1, features), or (classes, features) where there are more than two.
        intercept_: ndarray (1,) or (classes,).
        loss_: the mean log-loss at the weights of each gradient, on all rows, or on some 1,000
            spread evenly where there are more.
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
        Any T workers learn nothing of X and of the model, whatever they compute, as
        `anyk.Lagrange` promises for every share; labels never leave the master. The master knows
        both. Answers of at most A liars change no bit of the result.

    References:
        So, Guler, Avestimehr: CodedPrivateML: a fast and privacy-preserving framework for
        distributed machine learning (IEEE JSAIT 2021), algorithm 1.

    Example:
        >>> from anyk.learn import CodedLogisticRegression
        >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> model = CodedLogisticRegression(workers=8, random_state=0).fit(X, [0, 0, 1, 1])
        >>> model.predict([[0.2], [2.9]]), model.report_.scheme.blocks
        (array([0, 1]), 2)
    """

    degree: int = 1
    interval: float = 8.0
    iterations: int = 25

    def fit(self, X: Any, y: Any) -> Self:
        """Train on encoded data.

        Args:
            X: array-like (rows, features).
            y: array-like (rows,) of labels.

        Returns:
            This estimator.
        """
        X, y = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(y)
        self.classes_, labels = np.unique(y, return_inverse=True)
        if len(self.classes_) < 2:  # noqa: PLR2004 - one class leaves nothing to tell apart
            raise InvalidArgument(
                "y",
                given="one class",
                needed="at least two classes",
                change="Add rows of another class.",
            )
        own = np.arange(1 if len(self.classes_) == 2 else 0, len(self.classes_))  # noqa: PLR2004 - one output tells two classes apart
        targets = (labels[:, None] == own).astype(np.float64)
        response = Response.sigmoid(self.degree, self.interval)
        self.coef_, self.intercept_ = self._train(X, targets, response, _log_loss)
        self.n_iter_ = self.iterations
        return self

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """x·w + b, the log-odds of the class.

        Args:
            X: array-like (rows, features).

        Returns:
            ndarray (rows,) for two classes, of the second; else (rows, classes).
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=np.float64, reset=False)
        scores = X @ self.coef_.T + self.intercept_
        return np.asarray(scores[:, 0] if len(self.classes_) == 2 else scores)  # noqa: PLR2004 - as above

    def predict(self, X: Any) -> NDArray[Any]:
        """The most likely class of each row.

        Args:
            X: array-like (rows, features).

        Returns:
            ndarray (rows,) of labels.
        """
        scores = self.decision_function(X)
        best = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[best])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The probability of each class.

        Args:
            X: array-like (rows, features).

        Returns:
            ndarray (rows, classes), each row adding up to 1.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.stack([expit(-scores), expit(scores)], axis=1)
        chances = expit(scores)
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))
