"""Configuration of the two towers and of their training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from recsys.config import Config
from recsys.towers.ensemble.distillation.config import Distillation
from recsys.towers.histories.configs import HistoryConfig, NoHistory, TransformerHistory
from recsys.towers.losses.configs import FullSoftmax, LossConfig


class TowersConfig(Config):
    """Inputs and sizes of the two towers.

    Attributes:
        dimension: Width of the space of both towers.
        history: Encoder of histories in the query tower.
        user_id: Whether the query tower has a trained vector per user.
        id_initial: Initial id vectors. ``short``: short random vectors for items, zeros for users;
            ``spectral``: the leading singular vectors of the interactions (SVD-GCN, Peng et al.
            2022).
        graph: Smoothing of id vectors. ``light-gcn``: each is averaged with those at most
            ``graph_layers`` interactions away, in every step and when training ends (LightGCN, He
            et al. 2020).
        graph_layers: Number of propagation layers.
        item_id: Whether the item tower has a trained vector per warm item. ``embedding``: a
            vector of its own; ``delta``: a small difference from the content, at first zero.
        delta_l2: Weight in the loss of the mean squared length of these differences.
        id_dropout: Share of the id vectors (item and user) left out in each training step, so
            that the towers learn to rely on content.
        user_vectors: Whether the query tower reads vectors of users from another model, through
            one trained linear projection.
        user_vectors_dropout: Share of these vectors left out in training, so that the same tower
            encodes users without one.
        blocks: Names of the feature blocks of the item tower; None for all, and an empty list for
            ids alone.
        block_dropout: Share of an item's feature blocks left out in each training step, never all
            of them, so that no block silences another (Neverova et al., "ModDrop", TPAMI 2016).
        projection: Projection of a feature block: linear, or with one hidden layer.
        initial: Initial projections of blocks and terms. With ``identity``, untrained
            towers score by the encoders' cosine. Each block then has coordinates of its own, and
            the terms have those of the first block, which must come from the same encoder.
            ``dimension`` must be at least the sum of the blocks' dimensions.
        popularity: Exponent a: the stored vector of an item with n training interactions has
            length (n / the largest n)^a. A small a ranks popular items higher, against the
            overfitting of ``set-softmax``; 0 gives unit length.
        terms: Whether the query tower reads search terms.
        terms_dropout: Share of searches without their terms in training, so that the same tower
            encodes queries with and without them.
        context: Names of the context columns of the query tower.
    """

    dimension: int = Field(64, ge=2, le=4096)
    history: HistoryConfig = TransformerHistory()
    user_id: Literal["none", "embedding"] = "none"
    id_initial: Literal["short", "spectral"] = "short"
    graph: Literal["none", "light-gcn"] = "none"
    graph_layers: int = Field(2, ge=1, le=8)
    item_id: Literal["none", "embedding", "delta"] = "embedding"
    delta_l2: float = Field(0.01, ge=0, le=1e6)
    id_dropout: float = Field(0.1, ge=0, lt=1)
    user_vectors: Literal["none", "projection"] = "projection"
    user_vectors_dropout: float = Field(0.1, ge=0, lt=1)
    blocks: tuple[str, ...] | None = None
    block_dropout: float = Field(0.0, ge=0, lt=1)
    projection: Literal["linear", "mlp"] = "linear"
    initial: Literal["random", "identity"] = "random"
    popularity: float = Field(0.0, ge=0, le=1)
    terms: Literal["none", "projection"] = "projection"
    terms_dropout: float = Field(0.5, ge=0, lt=1)
    context: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check_initial(self) -> TowersConfig:
        if self.initial != "random" and self.projection != "linear":
            raise ValueError(
                f"initial = '{self.initial}' needs projection = 'linear', or set initial = 'random'"
            )
        return self

    @model_validator(mode="after")
    def _check_ids(self) -> TowersConfig:
        if self.id_initial == "spectral" and self.item_id != "embedding":
            raise ValueError(
                "id_initial = 'spectral' needs item_id = 'embedding', or set id_initial = 'short'"
            )
        if self.graph != "none" and "none" in (self.user_id, self.item_id):
            raise ValueError(
                f"graph = '{self.graph}' joins the ids of users and of items: set user_id ="
                " 'embedding' and item_id = 'embedding', or graph = 'none'"
            )
        return self

    @property
    def projection_widths(self) -> tuple[int, ...]:
        """Widths of the layers of a block's projection."""
        hidden = () if self.projection == "linear" else (2 * self.dimension,)
        return (*hidden, self.dimension)

    @property
    def terms_alone(self) -> bool:
        """Whether, without vectors of users, search terms alone distinguish queries."""
        others = self.user_id == "none" and not self.context
        return self.terms != "none" and others and isinstance(self.history, NoHistory)


class MemberConfig(Config):
    """Settings of one member of an ensemble; all others are shared.

    Attributes:
        history: Encoder of its histories; None for ``towers.history``.
        blocks: Names of the feature blocks of its item tower; None for ``towers.blocks``.

    Example:
        >>> from recsys.towers import MeanHistory
        >>> train = TrainConfig(members=(MemberConfig(), MemberConfig(history=MeanHistory())))
        >>> len(train.members)
        2
    """

    history: HistoryConfig | None = None
    blocks: tuple[str, ...] | None = None


class TrainConfig(Config):
    """Training of the towers.

    Attributes:
        loss: Loss, by name.
        batch_positions: Number of predicted positions per step, padding included.
        learning_rate: Learning rate of Adam after ``warmup_steps``.
        warmup_steps: Number of steps of linear warm-up.
        decay: Learning rate after the warm-up: constant, or falling linearly or as half a cosine
            to a hundredth at the last of ``epochs``.
        beta_2: Decay rate of Adam's mean of squared gradients.
        weight_decay: Share of each weight, times the learning rate, subtracted per step (AdamW,
            Loshchilov & Hutter 2019).
        average: Decay rate of the moving average of the weights that is evaluated and stored; 0
            for none.
        epochs: Largest number of passes over the training interactions.
        patience: Number of epochs without a better validation figure before training stops.
        validate_every: Number of epochs between two validations.
        clip_norm: Largest global norm of the gradients.
        members: Members of an ensemble, trained one after another from different seeds
            (:class:`recsys.towers.ensemble.joined.JoinedTowers`); empty for one model.
        distillation: Distillation of the trained models, and of a filter of items x items, into
            one vector per user and item; for users known by id.
        seed: Seed of initial weights, order and dropout.
    """

    loss: LossConfig = FullSoftmax()
    batch_positions: int = Field(4096, ge=2)
    learning_rate: float = Field(1e-3, gt=0, le=1)
    warmup_steps: int = Field(100, ge=0)
    decay: Literal["none", "linear", "cosine"] = "none"
    beta_2: float = Field(0.999, gt=0, lt=1)
    weight_decay: float = Field(0.0, ge=0, lt=1)
    average: float = Field(0.0, ge=0, lt=1)
    epochs: int = Field(20, ge=1)
    patience: int = Field(3, ge=1)
    validate_every: int = Field(1, ge=1)
    clip_norm: float = Field(5.0, gt=0)
    members: tuple[MemberConfig, ...] = Field((), max_length=32)
    distillation: Distillation | None = None
    seed: int = Field(0, ge=0, lt=2**31)
