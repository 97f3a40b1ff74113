"""Training of rankers on a table of examples."""

from recsys.ranking.learning.fitting import fit_boosted, fit_logistic
from recsys.ranking.learning.table import TrainingTable

__all__ = ["TrainingTable", "fit_boosted", "fit_logistic"]
