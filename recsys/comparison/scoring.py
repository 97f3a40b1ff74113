"""Scorers of a variant: one for each usage of its vectors.

A new kind of variant is a section in ``config`` and a factory here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from recsys.comparison.config import ComparisonConfig, Kind, PlainScorerConfig, VariantConfig
from recsys.evaluation import (
    Evaluation,
    MeanOfItemsScorer,
    PopularityScorer,
    RandomScorer,
    Scorer,
    evaluate_queries,
)
from recsys.features import FeatureBlock
from recsys.interactions import Interactions
from recsys.pipeline import Job
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.training import check_validation
from recsys.progress import Progress, silent
from recsys.splits import HeldOutQueries

if TYPE_CHECKING:
    from recsys.towers import AnyTowers

Usage = Literal["alone", "towers", "towers_without_ids"]
USAGES: tuple[Usage, ...] = ("alone", "towers", "towers_without_ids")
SLICES = {"warm": "recall_of_warm", "cold": "cold_recall"}
"""Metrics of a comparison: warm targets among all items, cold ones among the cold items."""


@dataclass(frozen=True, eq=False)
class ScoringInput:
    """Inputs of a variant's scorers, with its vectors by kind and a folder for checkpoints."""

    job: Job
    config: ComparisonConfig
    variant: VariantConfig
    blocks: Mapping[Kind, FeatureBlock]
    folder: Path

    @property
    def training_log(self) -> Interactions:
        """Training interactions, of ``train_users`` drawn users if set."""
        train, limit = self.job.split.train, self.config.train_users
        users = np.flatnonzero(train.active_users)
        if limit is None or limit >= len(users):
            return train
        drawn = np.random.default_rng(self.config.seed).permutation(users)[:limit]
        return train.take(np.isin(train.user, drawn))

    def evaluate(
        self,
        scorer: Scorer,
        queries: HeldOutQueries,
        *,
        resamples: int,
        progress: Progress = silent,
    ) -> Evaluation:
        """Rank the whole catalogue for the queries."""
        return evaluate_queries(
            scorer,
            queries,
            candidates=self.job.split.candidates,
            item_counts=self.job.split.train.item_counts,
            ks=self.config.evaluation.ks,
            seed=self.config.evaluation.seed,
            resamples=resamples,
            progress=progress,
        )

    def validation_figure(self, scorer: Scorer) -> float:
        """Mean of warm and cold recall at the first k, which selects the epoch."""
        k = self.config.evaluation.ks[0]
        figures = self.evaluate(scorer, self.job.split.validation, resamples=1).figures
        found = [figures[f"{name}@{k}"] for name in SLICES.values() if f"{name}@{k}" in figures]
        return float(np.mean(found))


Factory = Callable[[ScoringInput], Iterator[tuple[Usage, Scorer]]]


def plain_scorers(inputs: ScoringInput) -> Iterator[tuple[Usage, Scorer]]:
    """Scorers without settings: content, ids, random scores or popularity."""
    job, name = inputs.job, inputs.variant.scorer.name
    if name == "random":
        items, seed = len(job.ingested.catalogue), inputs.config.evaluation.seed
        yield "alone", RandomScorer(items, seed=seed)
    elif name == "popularity":
        yield "alone", PopularityScorer(job.split.train)
    elif name == "ids":
        yield "towers", train_in_towers(inputs, item_id="embedding")
    else:
        yield "alone", MeanOfItemsScorer(concatenated(inputs.blocks), name="alone")
        yield "towers", train_in_towers(inputs, item_id="embedding")
        yield "towers_without_ids", train_in_towers(inputs, item_id="none")


def pair_scorers(inputs: ScoringInput) -> Iterator[tuple[Usage, Scorer]]:
    """A network over a user and an item; the epoch is selected on validation."""
    from recsys.evaluation import SparsePairScorer, VectorPairScorer
    from recsys.ranking import SearchedWords, fit_sparse_pairs, fit_vector_pairs

    config, job = inputs.variant.scorer, inputs.job
    assert not isinstance(config, PlainScorerConfig)
    options: Any = {
        "network": config.network,
        "train": config.train,
        "folder": inputs.folder / "pairs",
        "validate": lambda network: inputs.validation_figure(scorer(network)),
        "progress": job.progress,
    }
    block = concatenated(inputs.blocks) if inputs.blocks else None

    def scorer(network: Any) -> Scorer:
        if block is not None:
            return VectorPairScorer(network, block)
        last = network.config.searches
        return SparsePairScorer(
            network, SearchedWords(job.ingested.interactions, network.words, last=last)
        )

    if block is not None:
        yield "alone", scorer(fit_vector_pairs(inputs.training_log, block, **options).network)
    else:
        yield "alone", scorer(fit_sparse_pairs(inputs.training_log, **options).network)


FACTORIES: dict[str, Factory] = {
    **dict.fromkeys(("content", "ids", "random", "popularity"), plain_scorers),
    **dict.fromkeys(("pair-network", "learned-in-task"), pair_scorers),
}
"""By scorer name. Each scorer is evaluated before the next one is trained."""


def concatenated(blocks: Mapping[Kind, FeatureBlock]) -> FeatureBlock:
    """The blocks as one, with equal weights: its inner product is the mean of theirs.

    An item has a vector if any block has one.
    """
    parts = list(blocks.values())
    vectors = np.concatenate([part.vectors for part in parts], axis=1) / np.sqrt(len(parts))
    mask = np.any([part.mask for part in parts], axis=0)
    return FeatureBlock(vectors.astype(np.float32), mask, "content")


def train_in_towers(inputs: ScoringInput, *, item_id: Literal["embedding", "none"]) -> Scorer:
    """Towers whose item tower reads the variant's blocks, with id embeddings or without.

    Raises:
        ConfigError: The split leaves no validation queries.
    """
    from recsys.towers import fit

    job, config, log = inputs.job, inputs.config, inputs.training_log
    check_validation(job.split)
    known = job.split.train.active_users
    towers = config.towers.model_copy(
        update={"blocks": tuple(inputs.blocks), "item_id": item_id, "terms": "none"}
    )

    def scorer(trained: AnyTowers) -> Scorer:
        return towers_scorer(trained, known=known, name=f"towers, ids: {item_id}")

    fitted = fit(
        log,
        list(inputs.blocks.values()),
        np.zeros((len(log.phrases), 0), np.float32),
        towers=towers,
        train=config.train,
        folder=inputs.folder / f"ids_{item_id}",
        validate=lambda trained: inputs.validation_figure(scorer(trained)),
        progress=job.progress,
    )
    return scorer(fitted.towers)
