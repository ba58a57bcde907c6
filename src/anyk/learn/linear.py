"""`CodedLinearRegression`: least squares on data that no worker sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray
from sklearn.base import RegressorMixin
from sklearn.utils.validation import check_is_fitted, validate_data

from anyk.learn.estimator import AbstractCodedEstimator
from anyk.learn.row_weights import RowWeights, check_weights
from anyk.learn.scaling import Scaling, moments, stretched
from anyk.learn.setting import not_negative
from anyk.losses import SquaredLoss

__all__ = ["CodedLinearRegression"]

_TOL = 1e-6


@final
@dataclass(kw_only=True, eq=False, repr=False)
class CodedLinearRegression(RegressorMixin, AbstractCodedEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """Least squares trained by workers who see neither data nor model.

    The scaled features are rounded, cut in K blocks of rows, encoded once by `anyk.Lagrange` and
    left on the workers. An iteration of the method of conjugate gradients takes two rounds: X^T r
    of the residuals r = X w - y, and X p of the next direction p. Both r and p are rounded and
    encoded with fresh masks; workers compute these two products alone, of degree 2, and the master
    decodes them exactly. K is the largest that 2(K+T-1) + 2A + 1 + S <= N allows. It ends close to
    the least squares solution: with as many iterations as features, at it, up to rounding.

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
        max_iter: the most iterations; a ConvergenceWarning says where they were too few.
        tol: training ends when four iterations have lowered the mean loss by at most this part of
            half the variance of y. None makes all iterations, so that the number of rounds, which
            workers see, says nothing of the data either.
        alpha: alpha |w|^2 is added to the sum of squared errors, as in scikit-learn's `Ridge`, for
            the weights of scaled features; not of the intercept.
        scaling: of the features whose weights the penalty is on: "standard" for mean 0 and
            deviation 1, with rows as much as their weights; "unit" for 0 to 1; "none" as they are,
            which is `Ridge` itself. Coefficients are those of unscaled features, and training is on
            standard ones.
        fit_intercept: whether there is an intercept.
        data_bits: fraction bits of the features, counted from the largest; "auto" takes as many as
            the primes hold, at most 26.
        weight_bits: fraction bits of what they are multiplied with, counted from the largest of
            each round; "auto" takes as many as the primes hold, at most 26.
        primes: how many primes to compute modulo; "auto" takes as few as give 20 bits of each,
            which is 2, or the smallest that hold the bits that were asked for. One is half the
            work, and leaves about 10 bits of each.
        random_state: of the rounding of weights alone, to repeat it; masks take no seed.
        verbose: 0 to show no progress; otherwise a bar in a terminal, if rich is installed.

    Attributes:
        coef_: ndarray (features,), or (targets, features) where y is (rows, targets).
        intercept_: float, or ndarray (targets,).
        loss_: half the mean squared error on all training rows, by their weights: before the first
            iteration and after each, on rounded features; the last is that of the model as it
            predicts. Where y is (rows, targets), their mean, each as a part of its variance.
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
        ConvergenceWarning: if the iterations were too few, or the bits; `report_.notes` has it too.

    Guarantee:
        That of `CodedLogisticRegression`.

    References:
        So, Guler, Avestimehr: CodedPrivateML: a fast and privacy-preserving framework for
        distributed machine learning (IEEE JSAIT 2021), on encoding data and weights; Hestenes,
        Stiefel: Methods of conjugate gradients for solving linear systems (J. Res. NBS 1952).

    Example:
        >>> from anyk.learn import CodedLinearRegression
        >>> X = np.arange(12.0).reshape(6, 2) ** 2
        >>> model = CodedLinearRegression(workers=8, random_state=0).fit(X, X @ [1.0, 1.0] + 3.0)
        >>> bool(model.score(X, X @ [1.0, 1.0] + 3.0) > 0.999)
        True
    """

    tol: float | None = _TOL
    alpha: float = 0.0

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train on encoded data.

        Args:
            X: array-like or scipy's sparse matrix (rows, features).
            y: array-like (rows,) or (rows, targets) of numbers.
            sample_weight: array-like (rows,), how much each row counts in the loss; None for 1.

        Returns:
            This estimator.
        """
        X, y = validate_data(
            self, X, y, accept_sparse="csr", dtype=np.float64, y_numeric=True, multi_output=True
        )
        setting = self._setting()
        penalty, tolerance = not_negative("alpha", self.alpha), self._tolerance(_TOL)
        rows = RowWeights.of(check_weights(sample_weight, X.shape[0]))
        weights, intercept = rows.relative, bool(self.fit_intercept)
        table = rows.taken(X)
        targets = rows.taken(y.astype(np.float64, copy=False).reshape(len(y), -1))
        middle, deviation = moments(targets, weights, centred=intercept)
        size = np.where(deviation > 0, deviation, 1.0)
        targets = (targets - middle) / size
        scaling = Scaling.of(table, "standard", weights, centred=intercept)
        penalised = Scaling.of(table, self.scaling, weights, centred=intercept)
        design = scaling.design(table)
        trained = self._train(
            setting,
            design,
            SquaredLoss(targets, weights, centred=intercept),
            penalty=stretched(scaling, penalised, rows.penalty(penalty)),
            intercept=intercept and setting.scheme is not None,  # else it follows from the weights
            tolerance=tolerance / 2,
        )
        predicted = design @ trained.weights
        offsets = (weights * (targets - predicted)).mean(axis=0) * intercept
        coefficients, shifts = scaling.unscaled(trained.weights, offsets)
        coefficients, shifts = coefficients * size[:, None], shifts * size + middle
        flat = y.ndim == 1
        self.coef_ = coefficients[0] if flat else coefficients
        self.intercept_ = float(shifts[0]) if flat else shifts
        self.n_iter_ = trained.report.iterations
        predicted = (table @ coefficients.T + shifts - middle) / size
        self._conclude(
            trained,
            SquaredLoss(targets, weights).value(predicted) / len(targets),
            unit=float(size[0]) * float(size[0]) if flat else 1 / len(size),
            of="of the variance of y",
        )
        return self

    def predict(self, X: Any) -> NDArray[np.float64]:
        """x·w + b.

        Args:
            X: array-like or scipy's sparse matrix (rows, features).

        Returns:
            ndarray (rows,), or (rows, targets).
        """
        check_is_fitted(self)
        X = validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False)
        return np.asarray(X @ self.coef_.T + self.intercept_)

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may ask of it."""
        tags = RegressorMixin.__sklearn_tags__(self)
        tags.target_tags.multi_output = True
        return tags
