"""What can be chosen about the two towers and their training."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from recsys.config import Config
from recsys.towers.ensemble.distillation.config import Distillation
from recsys.towers.histories.configs import HistoryConfig, NoHistory, TransformerHistory
from recsys.towers.losses.configs import FullSoftmax, LossConfig


class TowersConfig(Config):
    """The inputs and sizes of the two towers.

    Attributes:
        dimension: Width of the space that both towers share.
        history: How the query tower reads a history.
        user_id: Whether the query tower learns a vector for each user.
        id_initial: How the vectors of ids begin. ``short``: those of items randomly, those of
            users at zero; ``spectral``: both as the leading singular vectors of who met what
            (SVD-GCN, Peng et al. 2022).
        graph: What smooths the vectors of ids. ``light-gcn``: in every step, and at last for
            good, each id's vector is averaged with those that its interactions lead to, up to
            ``graph_layers`` interactions away (LightGCN, He et al. 2020).
        graph_layers: How far.
        item_id: Whether the item tower learns a vector for each warm item. ``embedding``: freely;
            ``delta``: as a difference from what its content says, which begins at zero and is
            kept small.
        delta_l2: How strongly it is kept small: so many times the mean squared length of the
            differences of a step's items is added to the loss.
        id_dropout: Share of the id vectors (item and user) left out in each training step, so
            that the towers learn to do without: what makes cold items reachable.
        user_vectors: Whether the query tower reads vectors of users that were learned elsewhere,
            where the data have them, through one trained linear map.
        user_vectors_dropout: Share of these vectors left out in training, so that the same tower
            answers for users who have none.
        blocks: Names of the feature blocks of the item tower; None takes all that there are, and
            an empty tuple none: ids alone.
        block_dropout: Share of an item's feature blocks left out in each training step, one of
            those that it has always kept, so that no block silences another (Neverova et al.,
            "ModDrop", TPAMI 2016).
        projection: How a feature block enters the item tower: one linear map, or one with a
            hidden layer.
        initial: How the maps of the blocks and of the terms begin. ``random``; ``identity``:
            each block keeps its own vector in coordinates of its own, one block after another,
            and the terms keep theirs from the first coordinate on. Untrained towers then score by
            the cosine that the encoders give, and training changes it only as far as it helps.
            The first block must come from the encoder of the terms, ``dimension`` must hold all.
        popularity: a; at rest the vector of an item that training met n times has length
            (n / the most)^a. Users whose whole past is learned at once are fitted more closely
            than they can be foretold; what is not yet met is more often popular than the trained
            towers say. 0 leaves unit length. Chosen on validation.
        terms: Whether the query tower reads search terms.
        terms_dropout: Share of searches whose terms are left out in training, so that the same
            tower answers with and without them.
        context: Names of the context columns that the query tower reads.
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
            raise ValueError(f"initial = '{self.initial}' needs projection = 'linear'")
        return self

    @model_validator(mode="after")
    def _check_ids(self) -> TowersConfig:
        if self.id_initial == "spectral" and self.item_id != "embedding":
            raise ValueError("id_initial = 'spectral' needs item_id = 'embedding'")
        if self.graph != "none" and "none" in (self.user_id, self.item_id):
            raise ValueError(
                f"graph = '{self.graph}' joins the ids of users and of items: it needs user_id and"
                " item_id other than 'none'"
            )
        return self

    @property
    def projection_widths(self) -> tuple[int, ...]:
        """Widths of the layers of a block's projection."""
        hidden = () if self.projection == "linear" else (2 * self.dimension,)
        return (*hidden, self.dimension)

    @property
    def terms_alone(self) -> bool:
        """Whether, without vectors of users, search terms alone tell queries apart."""
        others = self.user_id == "none" and not self.context
        return self.terms != "none" and others and isinstance(self.history, NoHistory)


class MemberConfig(Config):
    """What one of several pairs of towers has for itself; all else is as for the others.

    Attributes:
        history: How its query tower reads a history; None as ``towers.history``.
        blocks: Names of the feature blocks of its item tower; None as ``towers.blocks``.

    Example:
        >>> from recsys.towers import MeanHistory
        >>> pairs = TrainConfig(members=(MemberConfig(), MemberConfig(history=MeanHistory())))
        >>> len(pairs.members)
        2
    """

    history: HistoryConfig | None = None
    blocks: tuple[str, ...] | None = None


class TrainConfig(Config):
    """How the towers are trained.

    Attributes:
        loss: The loss, by name.
        batch_positions: Predicted positions a step, padding included.
        learning_rate: Adam's, reached after ``warmup_steps``.
        warmup_steps: Steps of linear warm-up.
        decay: What the learning rate does after the warm-up: it stays, or falls along a line or
            half a cosine to a hundredth at the last of ``epochs``.
        beta_2: How much of Adam's mean of squared gradients a step keeps.
        weight_decay: Share of each weight, times the learning rate, that a step takes away
            (AdamW, Loshchilov & Hutter 2019).
        average: How much of the moving average of the weights a step keeps; what is judged and
            kept is then the average. 0 averages nothing.
        epochs: Passes over the training interactions, at most.
        patience: Epochs without a better validation figure before training stops.
        validate_every: Epochs between two validations.
        clip_norm: Largest global norm of the gradients.
        members: For each of them a pair of towers is trained, one after another, each from a seed
            of its own; their vectors side by side are one
            (:class:`recsys.towers.ensemble.joined.JoinedTowers`). None: one pair.
        distillation: What is kept is then no pair of towers but a vector for each user and item,
            taught by those that were trained and by a filter of items x items. For users known by
            their id; as wide as one pair, however many taught.
        seed: Of initial weights, order and dropout.
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
