"""`CodedLogisticRegression`: logistic regression on data that no worker sees."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal, Self, final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, log_expit, log_softmax, logsumexp, softmax
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from anyk.checks import positive, shown
from anyk.errors import InvalidArgument
from anyk.learn.estimator import AbstractCodedEstimator
from anyk.learn.polynomial import Descent
from anyk.learn.response import Response
from anyk.learn.row_weights import ClassWeight, RowWeights, check_weights, with_classes
from anyk.learn.scaling import Scaling, stretched
from anyk.losses import AbstractLoss, LogLoss, MultinomialLoss

__all__ = ["CodedLogisticRegression"]


_TOL = 1e-4
_TWO = 2  # classes are told apart by one output


@final
@dataclass(kw_only=True, eq=False, repr=False)
class CodedLogisticRegression(ClassifierMixin, AbstractCodedEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """Logistic regression trained by workers who see neither data nor model.

    The scaled features are rounded, cut in K blocks of rows, encoded once by `anyk.Lagrange` and
    left on the workers. An iteration takes two rounds: X^T u of u = sigmoid(X w + b) - y, which is
    the gradient, and X p of the next direction p. Both u and p are rounded and encoded with fresh
    masks; workers compute these two products alone, of degree 2, and the master, who knows data and
    labels anyway, takes the sigmoid of the n numbers in between as it is. K is the largest that
    2(K+T-1) + 2A + 1 + S <= N allows. More than two classes share one softmax.

    With a `degree` it trains as CodedPrivateML does instead: one round an iteration, in which a
    worker computes X^T g(Xw) with a polynomial g of degree r close to the sigmoid; K is the largest
    that (2r+1)(K+T-1) + 2A + 1 + S <= N allows, classes are trained one against the rest, and
    the master brings the log-odds to the scale of probabilities in the end (Platt). That model is
    the one of the polynomial: for degree 1 the direction of least squares.

    Args:
        executor: runs the workers, as `anyk.Processes(8)`, and stays open; None for threads of
            this process, for trying out: privacy needs workers who do not share a memory. A pickle
            of the estimator has none, and refuses to train.
        scheme: a gradient code, as `anyk.FractionalRepetition(blocks=8, workers=8, stragglers=1)`:
            then workers see their rows in the clear and compute in float64, N, S and A are its own,
            and nothing is hidden, which `colluders=0` has to say. None hides rows and model.
        workers: N.
        stragglers: S, how many workers may be late or die.
        adversaries: A, how many may answer wrongly; they are named in `report_`.
        colluders: T, how many may put together all they are sent and still learn nothing.
        C: C times the sum of the log-losses is added to |w|^2 / 2 of the weights of scaled
            features, as in scikit-learn's `LogisticRegression`; infinity for no penalty.
        class_weight: how much each class counts, by its label; 1 where there is none. "balanced"
            for all classes the same, by the weights of their rows; None for all rows. It is
            multiplied by `sample_weight`.
        max_iter: the most iterations, and with a degree all of them (25 in the paper); a
            ConvergenceWarning says where they were too few.
        tol: training ends when four iterations have lowered the mean log-loss by at most this, or
            no more than this can be left. None makes all iterations, so that the number of
            rounds, which workers see, says nothing of the data either.
        degree: None for the sigmoid itself; or r of the polynomial, odd. 3 takes 7(K+T-1)+1
            workers, and more primes.
        interval: where the polynomial is closest to the sigmoid, |x·w| <= interval. For a degree
            above 1 weights are held to it, as the polynomial turns around beyond.
        step: with a degree, of the descent; "auto" takes 1 / L of the polynomial loss.
        momentum: with a degree, Nesterov's; False for the paper's plain descent.
        scaling: of the features whose weights the penalty is on: "standard" for mean 0 and
            deviation 1, with rows as much as `sample_weight`; "unit" for 0 to 1; "none" as they
            are, which is `LogisticRegression` itself. Coefficients are those of unscaled features.
            With a degree, those features are trained on too; without, standard ones.
        fit_intercept: whether there is an intercept.
        data_bits: fraction bits of the features, counted from the largest; "auto" takes as many as
            the primes hold, at most 26.
        weight_bits: fraction bits of what they are multiplied with, counted from the largest of
            each round; "auto" takes as many as the primes hold, at most 26.
        primes: how many primes to compute modulo; "auto" takes as few as give 20 bits of each,
            which is 2, or, with a degree, 8 and 10 bits; or the smallest that hold the bits that
            were asked for. One is half the work, and leaves about 10 bits of each.
        random_state: of the rounding of weights alone, to repeat it; masks take no seed.
        verbose: 0 to show no progress; otherwise a bar in a terminal, if rich is installed.

    Attributes:
        classes_: the labels, ndarray (classes,).
        coef_: ndarray (1, features), or (classes, features) where there are more than two.
        intercept_: ndarray (1,) or (classes,).
        loss_: the mean log-loss on all training rows, by their weights: before the first iteration
            and after each, on rounded features; the last is that of the model as it predicts. With
            a degree all but the last are the polynomial's.
        n_iter_: how many iterations there were.
        report_: `TrainingReport`: the code, bits and warnings; who lied, failed or kept silent.
        n_features_in_: number of features.
        feature_names_in_: their names, if X had any, as a data frame has.

    Raises:
        InvalidArgument: if a parameter can't be used.
        Unachievable: if no code survives the threat, or a product could wrap: before anything is
            sent.
        NotEnoughAnswers: if more workers fail than S.
        TooManyErrors: if more workers lie than A.

    Warns:
        ConvergenceWarning: if the iterations were too few, or the bits, or the weights were held
            back; `report_.notes` has it too.

    Guarantee:
        Any T workers learn nothing of X, labels, weights and model, whatever they compute, as
        `anyk.Lagrange` promises for every share. What all workers see is the shape of their share,
        the numbers of outputs, primes and bits, which follow from shapes, the number of classes and
        parameters; and how many rounds there are and when, which depends on the data unless
        `tol=None` or a `degree` fixes the number. The master knows data, labels and model. Answers
        of at most A liars change no bit of the result.

    References:
        So, Guler, Avestimehr: CodedPrivateML: a fast and privacy-preserving framework for
        distributed machine learning (IEEE JSAIT 2021), algorithm 1; `anyk.learn.subspace` names
        those of the optimiser.

    Example:
        >>> from anyk.learn import CodedLogisticRegression
        >>> X = np.array([[0.0], [1.0], [2.0], [3.0]])
        >>> model = CodedLogisticRegression(workers=8, random_state=0).fit(X, [0, 0, 1, 1])
        >>> model.predict([[0.2], [2.9]]), model.report_.scheme.blocks
        (array([0, 1]), 3)
    """

    tol: float | None = _TOL
    C: float = 1.0
    class_weight: ClassWeight = None
    degree: int | None = None
    interval: float = 8.0
    step: float | Literal["auto"] = "auto"
    momentum: bool = True

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on encoded data.

        Args:
            X: array-like or scipy's sparse matrix (rows, features).
            y: array-like (rows,) of labels.
            sample_weight: array-like (rows,), how much each row counts in the loss; None for 1.

        Returns:
            This estimator.
        """
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64)
        check_classification_targets(y)
        setting = self._setting()
        if setting.scheme is not None and self.degree is not None:
            raise _no_polynomial(self.degree)
        tolerance = self._tolerance(_TOL)
        given = check_weights(sample_weight, X.shape[0])
        self.classes_, labels = np.unique(y, return_inverse=True)
        counted = RowWeights.of(with_classes(given, self.class_weight, self.classes_, labels))
        penalty, weights = counted.penalty(self._penalty()), counted.relative
        rows = RowWeights.of(given)
        table = rows.taken(X)
        own = np.arange(1 if len(self.classes_) == _TWO else 0, len(self.classes_))
        targets = (labels[:, None] == own).astype(np.float64)
        intercept = bool(self.fit_intercept)
        penalised = Scaling.of(table, self.scaling, rows.relative, centred=intercept)
        self._softmax = self.degree is None and len(self.classes_) > _TWO
        kind = MultinomialLoss if self._softmax else LogLoss
        loss: AbstractLoss = kind(targets, weights)
        if self.degree is None:
            scaling = Scaling.of(table, "standard", rows.relative, centred=intercept)
            trained = self._train(
                setting,
                scaling.design(table),
                loss,
                penalty=stretched(scaling, penalised, penalty),
                intercept=intercept,
                tolerance=tolerance,
            )
        else:
            scaling = penalised
            trained = Descent(
                response=Response.sigmoid(self.degree, self.interval),
                step=self.step,
                momentum=self.momentum,
                penalty=penalty,
                intercept=intercept,
                tolerance=tolerance,
            ).train(setting, scaling.design(table), targets, weights)
        self.coef_, self.intercept_ = scaling.unscaled(trained.weights, trained.offsets)
        self.n_iter_ = trained.report.iterations
        predicted = table @ self.coef_.T + self.intercept_
        self._conclude(trained, loss.value(predicted) / len(y), unit=1.0, of="of the mean log-loss")
        return self

    def _penalty(self) -> float:
        """1 / C, checked."""
        inverse: Any = self.C
        if isinstance(inverse, float) and math.isinf(inverse) and inverse > 0:
            return 0.0
        return 1 / positive("C", inverse, change="Pass 1.0, or infinity for no penalty.")

    def decision_function(self, X: Any) -> NDArray[np.float64]:
        """x·w + b, the log-odds of the class.

        Args:
            X: array-like or scipy's sparse matrix (rows, features).

        Returns:
            ndarray (rows,) for two classes, of the second; else (rows, classes).
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        scores = X @ self.coef_.T + self.intercept_
        return np.asarray(scores[:, 0] if len(self.classes_) == _TWO else scores)

    def predict(self, X: Any) -> NDArray[Any]:
        """The most likely class of each row.

        Args:
            X: array-like or scipy's sparse matrix (rows, features).

        Returns:
            ndarray (rows,) of labels.
        """
        scores = self.decision_function(X)
        best = (scores > 0).astype(int) if scores.ndim == 1 else scores.argmax(axis=1)
        return np.asarray(self.classes_[best])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """The probability of each class.

        Args:
            X: array-like or scipy's sparse matrix (rows, features).

        Returns:
            ndarray (rows, classes), each row adding up to 1.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.stack([expit(-scores), expit(scores)], axis=1)
        if self._softmax:
            return np.asarray(softmax(scores, axis=1))
        chances = expit(scores)
        return np.asarray(chances / chances.sum(axis=1, keepdims=True))

    def predict_log_proba(self, X: Any) -> NDArray[np.float64]:
        """The logarithm of the probability of each class, also of such as are 0 in float64.

        Args:
            X: array-like or scipy's sparse matrix (rows, features).

        Returns:
            ndarray (rows, classes).
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.stack([log_expit(-scores), log_expit(scores)], axis=1)
        if self._softmax:
            return np.asarray(log_softmax(scores, axis=1))
        chances = log_expit(scores)
        return np.asarray(chances - logsumexp(chances, axis=1, keepdims=True))


def _no_polynomial(degree: int) -> InvalidArgument:
    return InvalidArgument(
        "degree",
        given=f"{shown(degree)}, with a scheme",
        needed="None: with a gradient code workers compute the sigmoid itself",
        change="Leave degree out, or scheme.",
    )
