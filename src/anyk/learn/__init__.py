"""Estimators in scikit-learn's conventions that train on workers who never see the data.

Needs scikit-learn: `pip install '.[learn]'` in a checkout.
"""

from __future__ import annotations

from anyk.wording import missing_extra

try:
    import sklearn  # noqa: F401 - the extra that everything here needs
except ImportError as error:
    raise missing_extra("anyk.learn builds on scikit-learn", "learn") from error

from anyk.learn.linear import CodedLinearRegression
from anyk.learn.logistic import CodedLogisticRegression
from anyk.learn.report import TrainingReport

__all__ = ["CodedLinearRegression", "CodedLogisticRegression", "TrainingReport"]
