"""What the estimators share: scikit-learn's conventions around one coded training."""

from __future__ import annotations

import copy
import dataclasses
import functools
import warnings
from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from anyk.checks import shown
from anyk.errors import InvalidArgument
from anyk.executors.core.base import AbstractExecutor
from anyk.learn.absent import AbsentExecutor
from anyk.learn.formats import Bits
from anyk.learn.gradient_sums import check_sums, train_by_sums
from anyk.learn.report import TrainingReport
from anyk.learn.scaling import ScalingKind
from anyk.learn.setting import Setting, not_negative
from anyk.learn.training import Trained, train
from anyk.losses import AbstractLoss
from anyk.schemes.base import AbstractScheme
from anyk.spec import Threat

__all__ = ["AbstractCodedEstimator"]

_REQUESTS = "_metadata_request"  # where scikit-learn keeps which weights go where
_ROUNDING = 1e-3  # of the mean loss: more than this by rounded features is warned of


@dataclass(kw_only=True, eq=False, repr=False)
class AbstractCodedEstimator(BaseEstimator):  # type: ignore[misc] # scikit-learn ships no types
    """A linear model that is trained on encoded data.

    Its fields are the parameters that all estimators have: a dataclass makes of them the signature
    that scikit-learn reads. A copy (`sklearn.base.clone`) has the same executor, as workers are not
    copied; a pickle has none, as they do not travel, and refuses to train until it is given one.
    """

    executor: AbstractExecutor | AbsentExecutor | None = None
    scheme: AbstractScheme | None = None
    workers: int = 8
    stragglers: int = 1
    adversaries: int = 0
    colluders: int = 1
    max_iter: int = 100
    tol: float | None
    scaling: ScalingKind = "standard"
    fit_intercept: bool = True
    data_bits: Bits = "auto"
    weight_bits: Bits = "auto"
    primes: Bits = "auto"
    random_state: Any = None
    verbose: int = 1
    loss_: list[float] = field(init=False)
    report_: TrainingReport = field(init=False)

    def __new__(cls, *_: Any, **parameters: Any) -> Self:
        """An estimator without parameters yet, if their names are those of parameters."""
        _check_names(parameters)
        return object.__new__(cls)

    @abstractmethod
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Train.

        Args:
            X: array-like or scipy's sparse matrix (rows, features).
            y: array-like (rows,).
            sample_weight: array-like (rows,), how much each row counts in the loss; None for 1.

        Returns:
            This estimator.
        """

    def set_params(self, **parameters: Any) -> Self:
        """Change some parameters.

        Args:
            parameters: by name.

        Returns:
            This estimator.

        Raises:
            InvalidArgument: for `iterations`, which is `max_iter`.
            ValueError: for other names that are none.
        """
        _check_names(parameters)
        BaseEstimator.set_params(self, **parameters)
        return self

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may ask of it."""
        tags = BaseEstimator.__sklearn_tags__(self)
        tags.input_tags.sparse = True
        return tags

    def _setting(self) -> Setting:
        """The parameters, checked, if there are workers."""
        if isinstance(self.executor, AbsentExecutor):
            raise self.executor.refusal()
        generator = None
        if self.random_state is not None:
            seeds = check_random_state(self.random_state)
            generator = np.random.default_rng(int(seeds.randint(np.iinfo(np.int32).max)))
        threat = Threat(
            workers=self.workers,
            stragglers=self.stragglers,
            adversaries=self.adversaries,
            colluders=self.colluders,
        )
        if self.scheme is not None:
            bits = (self.data_bits, self.weight_bits, self.primes)
            code = check_sums(self.scheme, colluders=self.colluders, exact=bits != ("auto",) * 3)
            promise = code.guarantee
            threat = Threat(
                workers=promise.workers,
                stragglers=promise.stragglers,
                adversaries=promise.adversaries,
            )
        return Setting(
            threat=threat,
            scheme=self.scheme,
            executor=self.executor,
            max_iter=self.max_iter,
            early=self.tol is not None,
            data_bits=self.data_bits,
            weight_bits=self.weight_bits,
            primes=self.primes,
            generator=generator,
            verbose=self.verbose,
        )

    def _tolerance(self, default: float) -> float:
        """`tol`, checked; the default where it is None, to judge by how it went."""
        return not_negative("tol", default if self.tol is None else self.tol)

    def _train(
        self,
        setting: Setting,
        design: NDArray[np.float64],
        loss: AbstractLoss,
        *,
        penalty: NDArray[np.float64],
        intercept: bool,
        tolerance: float,
    ) -> Trained:
        """Minimise a loss as the setting says: by products, or by sums with a gradient code."""
        scheme = setting.scheme
        by = train if scheme is None else functools.partial(train_by_sums, scheme=scheme)
        return by(setting, design, loss, penalty=penalty, intercept=intercept, tolerance=tolerance)

    def _conclude(self, trained: Trained, loss: float, *, unit: float, of: str) -> None:
        """Keep how it went, and warn of what keeps the model from the best one.

        Args:
            trained: with losses in a unit.
            loss: the mean loss of the model as it predicts, on all rows of the training data.
            unit: of the losses.
            of: what they are parts of, in words.
        """
        notes = trained.report.notes
        drift = loss - trained.losses[-1]
        if not drift <= _ROUNDING:
            note = (
                f"rounding the features costs {drift:.2g} {of}: raise data_bits or primes, or take "
                "features that differ more from each other"
            )
            notes += (note,)
        self.loss_ = [each * unit for each in (*trained.losses[:-1], loss)]
        self.report_ = dataclasses.replace(trained.report, notes=notes)
        if notes:
            text = f"{type(self).__name__}: {'; and '.join(notes)}."
            warnings.warn(text, ConvergenceWarning, stacklevel=3)

    def __sklearn_clone__(self) -> Self:
        parameters = {
            name: value if name in ("executor", "scheme") else clone(value, safe=False)
            for name, value in self.get_params(deep=False).items()
        }
        made = type(self)(**parameters)
        if _REQUESTS in vars(self):
            setattr(made, _REQUESTS, copy.deepcopy(getattr(self, _REQUESTS)))
        return made

    def __copy__(self) -> Self:
        made = type(self).__new__(type(self))
        made.__dict__.update(self.__dict__)
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        memo[id(self.executor)] = self.executor
        made = memo[id(self)] = type(self).__new__(type(self))
        made.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return made

    def __getstate__(self) -> dict[str, Any]:
        executor = self.executor
        if isinstance(executor, AbstractExecutor):
            executor = AbsentExecutor(type(executor).__name__)
        return {**BaseEstimator.__getstate__(self), "executor": executor}


def _check_names(parameters: dict[str, Any]) -> None:
    """Refuse a name that others give to a parameter of ours."""
    if "iterations" in parameters:
        raise InvalidArgument(
            "iterations",
            given=shown(parameters["iterations"]),
            needed="the name that scikit-learn has for it, max_iter",
            change="Pass max_iter in its place.",
        )
