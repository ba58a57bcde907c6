"""In place of an executor that stayed behind in another process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from anyk.errors import InvalidArgument

__all__ = ["AbsentExecutor"]


@final
@dataclass(frozen=True)
class AbsentExecutor:
    """What an estimator's pickle has for an executor, as workers do not travel.

    It trains nobody: threads of another process in its place would see data that were meant for
    workers who may not.

    Args:
        kind: of the executor that there was.

    Example:
        >>> import pickle
        >>> from anyk.learn import CodedLinearRegression
        >>> with anyk.Inline(8) as executor:
        ...     pickle.loads(pickle.dumps(CodedLinearRegression(executor=executor))).executor
        AbsentExecutor(kind='Inline')
    """

    kind: str

    def refusal(self) -> InvalidArgument:
        """The error for who trains with it."""
        return InvalidArgument(
            "executor",
            given=f"none: the {self.kind} of this estimator stayed in the process that made it, "
            "when the estimator was pickled",
            needed="an executor of this process",
            change=(
                "In a search or a cross-validation take n_jobs=1: the workers compute in parallel "
                "anyway. Otherwise pass one by set_params(executor=...)."
            ),
        )
