"""What the estimators share: scikit-learn's conventions around one coded training."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state

from anyk.learn.report import TrainingReport
from anyk.learn.response import Response
from anyk.learn.scaling import Scaling
from anyk.learn.training import Loss, Training
from anyk.spec import Threat

__all__ = ["AbstractCodedEstimator"]


class AbstractCodedEstimator(BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """A linear model that is trained on encoded data.

    A copy (`sklearn.base.clone`) has the same executor, as workers are not copied; a pickle has
    none, as they do not travel.
    """

    executor: Any
    workers: int
    stragglers: int
    adversaries: int
    colluders: int
    iterations: int
    step: Any
    momentum: bool
    scaling: Any
    fit_intercept: bool
    weight_norm: float
    data_bits: Any
    weight_bits: Any
    primes: Any
    random_state: Any
    verbose: int
    loss_: list[float]
    report_: TrainingReport

    @abstractmethod
    def fit(self, X: Any, y: Any) -> Self:
        """Train.

        Args:
            X: array-like (rows, features).
            y: array-like (rows,).

        Returns:
            This estimator.
        """

    def _train(
        self, X: NDArray[np.float64], Y: NDArray[np.float64], response: Response, loss: Loss
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coefficients (outputs, features) and intercepts (outputs,), from encoded data."""
        generator = None
        if self.random_state is not None:
            seeds = check_random_state(self.random_state)
            generator = np.random.default_rng(int(seeds.randint(np.iinfo(np.int32).max)))
        training = Training(
            threat=Threat(
                workers=self.workers,
                stragglers=self.stragglers,
                adversaries=self.adversaries,
                colluders=self.colluders,
            ),
            iterations=self.iterations,
            step=self.step,
            momentum=self.momentum,
            weight_norm=self.weight_norm,
            data_bits=self.data_bits,
            weight_bits=self.weight_bits,
            primes=self.primes,
            executor=self.executor,
            generator=generator,
            verbose=self.verbose,
        )
        scaling = Scaling.of(X, self.scaling)
        design = scaling.design(X, intercept=self.fit_intercept)
        trained = training.train(design, Y, response, loss=loss)
        self.loss_, self.report_ = trained.losses, trained.report
        return scaling.unscaled(trained.weights, intercept=self.fit_intercept)

    def __sklearn_clone__(self) -> Self:
        parameters = {
            name: value if name == "executor" else clone(value, safe=False)
            for name, value in self.get_params(deep=False).items()
        }
        return type(self)(**parameters)

    def __getstate__(self) -> dict[str, Any]:
        return {**BaseEstimator.__getstate__(self), "executor": None}
