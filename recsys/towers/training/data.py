"""Training data, checked against the inputs of the towers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recsys.errors import ConfigError, DataError, suggestion
from recsys.features import FeatureBlock
from recsys.ids import Vectors
from recsys.interactions import Interactions
from recsys.towers.config import TowersConfig
from recsys.towers.histories.configs import NoHistory, check_history

_AS_CONTEXT = ". Name it in 'context' of the log's columns, or leave it out"


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Training data of :func:`recsys.towers.training.fitting.fit`.

    Attributes:
        log: Training interactions.
        blocks: Feature blocks over ``log.items``.
        phrase_vectors: Encoded ``log.phrases``, float32 ``[phrases, t]``.
        user_block: Given vectors of ``log.users``, if any.
    """

    log: Interactions
    blocks: Sequence[FeatureBlock]
    phrase_vectors: Vectors
    user_block: FeatureBlock | None = None

    def read_by(self, towers: TowersConfig) -> TrainingData:
        """The part that these towers read.

        Raises:
            ConfigError: A named block or context column is missing, or sizes do not fit.
            DataError: There is nothing to train on.
        """
        blocks = _chosen(self.blocks, towers)
        user_block = None if towers.user_vectors == "none" else self.user_block
        _check(self.log, towers, user_block)
        width = sum(block.dimension for block in blocks)
        _check_identity(towers, width, self.phrase_vectors.shape[1])
        return TrainingData(self.log, blocks, self.phrase_vectors, user_block)


def _chosen(blocks: Sequence[FeatureBlock], config: TowersConfig) -> list[FeatureBlock]:
    given = [block.name for block in blocks]
    for names, field in ((given, "blocks"), (list(config.blocks or ()), "towers.blocks")):
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ConfigError(f"{field} has '{min(twice)}' twice; name each once", field=field)
    if config.blocks is None:
        return list(blocks)
    known = {block.name: block for block in blocks}
    for name in config.blocks:
        if name not in known:
            have = ", ".join(known) or "none"
            raise ConfigError(
                f"towers.blocks names '{name}', which is no feature block here; there are: {have}"
                f"{suggestion(name, known)}",
                field="towers.blocks",
            )
    return [known[name] for name in config.blocks]


def _check(log: Interactions, config: TowersConfig, user_block: FeatureBlock | None) -> None:
    if len(log) < 2:
        raise DataError(f"training needs at least 2 interactions; the training part has {len(log)}")
    for name in config.context:
        if name not in log.context:
            have = ", ".join(log.context) or "none"
            raise ConfigError(
                f"towers.context names '{name}', which is no context column; there are: {have}"
                f"{suggestion(name, log.context) or _AS_CONTEXT}",
                field="towers.context",
            )
    if user_block is not None and len(user_block) != len(log.users):
        raise DataError(
            f"the block of users has {len(user_block)} rows, the log {len(log.users)} users;"
            " expected one row per user"
        )
    others = {config.user_id, config.terms} != {"none"} or config.context or user_block is not None
    if isinstance(config.history, NoHistory) and not others:
        raise ConfigError(
            "with towers.history 'none' and no other input every query would be the same: set"
            " towers.user_id = 'embedding', give vectors of users, search terms and an encoder of"
            " words, or name towers.context",
            field="towers.history.name",
        )
    check_history(config.history, dimension=config.dimension, log=log)


def _check_identity(config: TowersConfig, blocks: int, terms: int) -> None:
    needed = max(blocks, terms)
    if config.initial == "identity" and config.dimension < needed:
        raise ConfigError(
            f"towers.initial 'identity' keeps {blocks} dimensions of blocks and {terms} of terms;"
            f" towers.dimension is {config.dimension}: raise it to {needed}, or take 'random'",
            field="towers.dimension",
        )
