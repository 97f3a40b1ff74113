"""Configurations of networks and their training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from recsys.config import Config
from recsys.ranking.inputs.statistics import StatisticsConfig


class VectorPairConfig(Config):
    """A network over a given vector of the user and one of the item.

    Attributes:
        window: Number of last items whose mean is the user's vector.
        hidden: Widths of the hidden layers.
        dropout: Share of hidden activations dropped in training.
    """

    window: int = Field(50, ge=1, le=4096)
    hidden: tuple[int, ...] = Field((64, 32), min_length=1)
    dropout: float = Field(0.1, ge=0, lt=1)


class SparsePairConfig(Config):
    """A network with trained vectors of items and of searched words.

    Attributes:
        dimension: Width of the trained vectors.
        window: Number of last items that are read.
        searches: Number of last searches that are read; 0 reads none.
        now: Whether the current search is read.
        now_dropout: Share of current searches left out in training, so that the same network
            answers with and without one.
        min_count: Minimum number of searches with a word; rarer words get no vector.
        hidden: Widths of the hidden layers.
        dropout: Share of hidden activations dropped in training.
    """

    dimension: int = Field(32, ge=1, le=4096)
    window: int = Field(50, ge=1, le=4096)
    searches: int = Field(20, ge=0, le=4096)
    now: bool = True
    now_dropout: float = Field(0.5, ge=0, lt=1)
    min_count: int = Field(2, ge=1)
    hidden: tuple[int, ...] = Field((64, 32), min_length=1)
    dropout: float = Field(0.1, ge=0, lt=1)


class PairTrainConfig(Config):
    """Training of pair networks.

    Attributes:
        negatives: Number of items not taken that each epoch draws per interaction.
        positives: Number of interactions that each epoch draws; None is all.
        batch_size: Number of interactions per step, not counting their negatives.
        learning_rate: Learning rate of Adam.
        epochs: Maximum number of epochs.
        patience: Number of epochs without a better validation figure before training stops.
        validate_every: Number of epochs between two validations.
        clip_norm: Largest global norm of the gradients.
        seed: Seed of initial weights, order, negatives and dropout.
    """

    negatives: int = Field(4, ge=1, le=1000)
    positives: int | None = Field(None, ge=1)
    batch_size: int = Field(1024, ge=1)
    learning_rate: float = Field(2e-3, gt=0, le=1)
    epochs: int = Field(20, ge=1)
    patience: int = Field(3, ge=1)
    validate_every: int = Field(1, ge=1)
    clip_norm: float = Field(5.0, gt=0)
    seed: int = Field(0, ge=0, lt=2**31)


class CrossConfig(Config):
    """The deep and cross network over features, the item and the history.

    Attributes:
        dimension: Width of the trained vectors of items and words.
        window: Number of last items of the history that are read.
        crosses: Number of cross layers.
        hidden: Widths of the hidden layers after them.
        dropout: Share of hidden activations dropped in training.
        min_count: Minimum number of requests with a word; rarer words get no vector.
        l2: Factor of the squared trained vectors of items and words, next to the mean loss of a
            request.
    """

    dimension: int = Field(16, ge=1, le=1024)
    window: int = Field(20, ge=1, le=1024)
    crosses: int = Field(2, ge=0, le=8)
    hidden: tuple[int, ...] = (64, 32)
    dropout: float = Field(0.1, ge=0, lt=1)
    min_count: int = Field(2, ge=1)
    l2: float = Field(1e-3, ge=0)


class CrossTrainConfig(Config):
    """Training of the deep and cross network.

    Attributes:
        batch_requests: Number of requests per step.
        learning_rate: Learning rate of Adam.
        epochs: Maximum number of epochs.
        patience: Number of epochs without a better validation figure before training stops.
        clip_norm: Largest global norm of the gradients.
        average: Share of the moving average of the weights that a step keeps; 0 averages nothing.
        seed: Seed of initial weights, order and dropout.
    """

    batch_requests: int = Field(128, ge=1)
    learning_rate: float = Field(1e-3, gt=0, le=1)
    epochs: int = Field(8, ge=1)
    patience: int = Field(2, ge=1)
    clip_norm: float = Field(5.0, gt=0)
    average: float = Field(0.995, ge=0, lt=1)
    seed: int = Field(0, ge=0, lt=2**31)


class BoostedConfig(Config):
    """Training of gradient-boosted trees by LightGBM.

    Attributes:
        objective: "binary" cross-entropy of items, or "lambdarank" over the items of a request.
        rounds: Maximum number of trees; validation chooses.
        patience: Number of rounds without a better validation loss before training stops.
        learning_rate: Factor of each tree.
        leaves: Maximum number of leaves of a tree.
        min_leaf: Minimum number of examples of a leaf.
        seed: Seed of the draws.
    """

    objective: Literal["binary", "lambdarank"] = "binary"
    rounds: int = Field(300, ge=1)
    patience: int = Field(30, ge=1)
    learning_rate: float = Field(0.05, gt=0, le=1)
    leaves: int = Field(31, ge=2, le=1024)
    min_leaf: int = Field(100, ge=1)
    seed: int = Field(0, ge=0, lt=2**31)


class RankerConfig(Config):
    """The ranker of retrieved items, trained on the validation part or on what feeds have shown.

    Attributes:
        scorer: Scorer: "logistic" regression, "lightgbm" (extra ``lightgbm``), "dcn", the deep and
            cross network, or the mean of the last two.
        impressions: Parquet file of ``recsys store export-impressions``, whose requests replace
            those of the validation part; None for none.
        candidates: Number of items that are retrieved per request.
        negatives: Number of retrieved items that were not taken per request of the training.
        requests: Largest number of requests, drawn by ``seed``.
        choose_on: Share of them, the latest, on which the best epoch or number of trees is chosen
            and the scores are calibrated.
        statistics: Statistics of the log.
        network: Sizes of the network of "dcn".
        train: Training of "dcn".
        trees: Training of "lightgbm".
        l2: Factor of the squared weights of "logistic".
        seed: Seed of the drawn requests and items.
    """

    scorer: Literal["logistic", "lightgbm", "dcn", "dcn+lightgbm"] = "dcn"
    impressions: str | None = None
    candidates: int = Field(300, ge=2, le=10_000)
    negatives: int = Field(40, ge=1)
    requests: int = Field(50_000, ge=2)
    choose_on: float = Field(0.2, gt=0, lt=1)
    statistics: StatisticsConfig = StatisticsConfig()
    network: CrossConfig = CrossConfig()
    train: CrossTrainConfig = CrossTrainConfig()
    trees: BoostedConfig = BoostedConfig()
    l2: float = Field(1e-4, gt=0)
    seed: int = Field(0, ge=0, lt=2**31)
