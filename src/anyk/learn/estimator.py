"""What the estimators share: scikit-learn's conventions around one coded training."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.utils import check_random_state

from anyk.executors.core.base import AbstractExecutor
from anyk.learn.precision import Bits
from anyk.learn.report import TrainingReport
from anyk.learn.response import Response
from anyk.learn.scaling import Scaling, ScalingKind
from anyk.learn.training import Loss, Training
from anyk.spec import Threat

__all__ = ["AbstractCodedEstimator"]


@dataclass(kw_only=True, eq=False, repr=False)
class AbstractCodedEstimator(BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """A linear model that is trained on encoded data.

    Its fields are the parameters that all estimators have: a dataclass makes of them the signature
    that scikit-learn reads. A copy (`sklearn.base.clone`) has the same executor, as workers are not
    copied; a pickle has none, as they do not travel.
    """

    executor: AbstractExecutor | None = None
    workers: int = 8
    stragglers: int = 1
    adversaries: int = 0
    colluders: int = 1
    iterations: int
    step: float | Literal["auto"] = "auto"
    momentum: bool = True
    scaling: ScalingKind = "standard"
    fit_intercept: bool = True
    weight_norm: float = 16.0
    data_bits: Bits = "auto"
    weight_bits: Bits = "auto"
    primes: Bits = "auto"
    random_state: Any = None
    verbose: int = 1
    loss_: list[float] = field(init=False)
    report_: TrainingReport = field(init=False)

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
