"""Training of logistic regression and of LightGBM's trees on a training table."""

from __future__ import annotations

from typing import Any

import numpy as np

from recsys.errors import DataError
from recsys.ids import Vectors
from recsys.ranking.config import BoostedConfig
from recsys.ranking.learning.table import TrainingTable
from recsys.ranking.scorers import BoostedScorer, LinearScorer
from recsys.ranking.scorers.boosted import lightgbm

_TREES = BoostedConfig()


def standardisation(table: TrainingTable) -> tuple[Vectors, Vectors]:
    """Mean and standard deviation of each feature, float32 ``[f]``; 1 for a constant feature."""
    weights = table.weights.astype(np.float64) / table.weights.sum(dtype=np.float64)
    mean = weights @ table.values
    deviation = np.sqrt(np.maximum(weights @ (table.values - mean.astype(np.float32)) ** 2, 0))
    scale = np.where(deviation > 1e-6, deviation, 1.0)
    return mean.astype(np.float32), scale.astype(np.float32)


def fit_logistic(table: TrainingTable, *, l2: float = 1e-4) -> LinearScorer:
    """Logistic regression over standardised features.

    Args:
        table: Examples.
        l2: Factor of the squared weights, next to the mean loss of an example.

    Raises:
        DataError: There is nothing to train on.
    """
    from sklearn.linear_model import LogisticRegression

    table.check("logistic regression")
    centre, scale = standardisation(table)
    model = LogisticRegression(C=1 / (l2 * float(table.weights.sum())), max_iter=1000)
    model.fit((table.values - centre) / scale, table.taken, sample_weight=table.weights)
    weights = model.coef_[0].astype(np.float32)
    return LinearScorer(table.names, weights, centre, scale, float(model.intercept_[0]))


def fit_boosted(
    table: TrainingTable,
    config: BoostedConfig = _TREES,
    *,
    validation: TrainingTable | None = None,
    threads: int = 1,
) -> BoostedScorer:
    """Gradient-boosted trees (Ke et al., "LightGBM", NIPS 2017).

    Args:
        table: Examples.
        config: Configuration of the training.
        validation: Later examples, on which the number of rounds is chosen; None takes all rounds.
        threads: Number of threads.

    Raises:
        ConfigError: LightGBM is not installed.
        DataError: There is nothing to train on.
    """
    module = lightgbm()
    table.check("training of trees")
    if validation is not None and validation.names != table.names:
        raise DataError("the validation examples of trees must have the features of the training")
    parameters: dict[str, Any] = {
        "objective": config.objective,
        "learning_rate": config.learning_rate,
        "num_leaves": config.leaves,
        "min_data_in_leaf": config.min_leaf,
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "seed": config.seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": threads,
        "verbosity": -1,
        "metric": "binary_logloss" if config.objective == "binary" else "ndcg",
    }
    if config.objective == "lambdarank":
        parameters |= {"ndcg_eval_at": [10], "lambdarank_truncation_level": 20}
    train = _data_set(module, table, config.objective)
    callbacks, sets = [], []
    if validation is not None:
        sets = [_data_set(module, validation, config.objective, reference=train)]
        callbacks = [module.early_stopping(config.patience, verbose=False)]
    booster = module.train(parameters, train, config.rounds, valid_sets=sets, callbacks=callbacks)
    best = booster.best_iteration if validation is not None else config.rounds
    return BoostedScorer(table.names, booster.model_to_string(num_iteration=best))


def _data_set(module: Any, table: TrainingTable, objective: str, reference: Any = None) -> Any:
    ranked = objective == "lambdarank"
    return module.Dataset(
        table.values,
        table.taken.astype(np.float32),
        # Weights of lambdarank belong to requests; sampled items stand for themselves.
        weight=None if ranked else table.weights,
        group=np.diff(table.offsets) if ranked else None,
        reference=reference,
        feature_name=[f"f{at}" for at in range(len(table.names))],
    )
