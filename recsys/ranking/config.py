"""What can be chosen about pair networks and their training."""

from __future__ import annotations

from pydantic import Field

from recsys.config import Config


class VectorPairConfig(Config):
    """A small network over two vectors that are given: a user's and an item's.

    Attributes:
        window: How many of a history's last items make the user's vector, their mean.
        hidden: Widths of the hidden layers.
        dropout: Share of hidden activations left out in training.
    """

    window: int = Field(50, ge=1, le=4096)
    hidden: tuple[int, ...] = Field((64, 32), min_length=1)
    dropout: float = Field(0.1, ge=0, lt=1)


class SparsePairConfig(Config):
    """A network that learns its own vectors of items and of searched words, from nothing.

    Attributes:
        dimension: Width of the vectors that it learns.
        window: How many of a history's last items are read.
        searches: How many of a user's last searches are read; 0 reads none.
        now: Whether it may read the search that led to the moment in question.
        now_dropout: Share of those searches left out in training, so that the same network answers
            with and without.
        min_count: Words that fewer searches hold get no vector.
        hidden: Widths of the hidden layers.
        dropout: Share of hidden activations left out in training.
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
    """How pair networks are trained.

    Attributes:
        negatives: Items not taken, drawn anew each epoch for each one that was.
        positives: Interactions drawn anew each epoch; None is all of them.
        batch_size: Interactions a step; each brings its negatives.
        learning_rate: Adam's.
        epochs: Passes, at most.
        patience: Epochs without a better validation figure before training stops.
        validate_every: Epochs between two validations.
        clip_norm: Largest global norm of the gradients.
        seed: Of initial weights, order, negatives and dropout.
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
