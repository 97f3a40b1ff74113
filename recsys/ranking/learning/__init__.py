"""Training of rankers on a table of examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from recsys.ranking.learning.collecting import AnsweredRequest, collect
from recsys.ranking.learning.fitting import fit_boosted, fit_logistic
from recsys.ranking.learning.leaks import features_of_the_future
from recsys.ranking.learning.parquet import read_training_table, write_training_table
from recsys.ranking.learning.table import TrainingTable

if TYPE_CHECKING:
    from recsys.ranking.learning.cross_training import fit_cross

__all__ = [
    "AnsweredRequest",
    "TrainingTable",
    "collect",
    "features_of_the_future",
    "fit_boosted",
    "fit_cross",
    "fit_logistic",
    "read_training_table",
    "write_training_table",
]


def __getattr__(name: str) -> Any:
    if name != "fit_cross":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from recsys.ranking.learning import cross_training

    return cross_training.fit_cross
