"""What a row's vectors are judged by: scorers by the column of the table that they fill.

A new kind of row is a section in ``config`` and a factory here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from recsys.comparison.config import (
    ComparisonConfig,
    Kind,
    LearnedScorer,
    PairNetworkScorer,
    VariantConfig,
)
from recsys.errors import ConfigError
from recsys.evaluation import (
    Evaluation,
    MeanOfItemsScorer,
    PopularityScorer,
    RandomScorer,
    Scorer,
    evaluate,
)
from recsys.features import FeatureBlock
from recsys.interactions import Interactions
from recsys.pipeline import Job
from recsys.pipeline.scoring import active_users, towers_scorer
from recsys.progress import Progress, silent
from recsys.splits import HeldOut

if TYPE_CHECKING:
    from recsys.towers import AnyTowers

Column = Literal["alone", "towers", "towers_without_ids"]
COLUMNS: tuple[Column, ...] = ("alone", "towers", "towers_without_ids")
SLICES = {"warm": "recall_of_warm", "cold": "cold_recall"}
"""What is shown of an evaluation: warm targets among all items, cold ones among themselves."""


@dataclass(frozen=True, eq=False)
class Material:
    """What a row has to work with.

    Attributes:
        job: The data and the split.
        config: The comparison.
        row: The row.
        blocks: The vectors of its encoders, by kind.
        folder: Where its trainings keep their checkpoints.
    """

    job: Job
    config: ComparisonConfig
    row: VariantConfig
    blocks: Mapping[Kind, FeatureBlock]
    folder: Path

    @property
    def learned_from(self) -> Interactions:
        """The training part, of the drawn users alone where ``train_users`` says so."""
        train, limit = self.job.split.train, self.config.train_users
        users = np.flatnonzero(active_users(train.offsets))
        if limit is None or limit >= len(users):
            return train
        drawn = np.random.default_rng(self.config.seed).permutation(users)[:limit]
        return train.take(np.isin(train.user, drawn))

    def judge(
        self, scorer: Scorer, queries: HeldOut, *, resamples: int, progress: Progress = silent
    ) -> Evaluation:
        """Rank the whole catalogue for the queries."""
        parts, judging = self.job.split, self.config.evaluation
        return evaluate(
            scorer,
            queries,
            candidates=parts.candidates,
            item_counts=parts.train.item_counts,
            ks=judging.ks,
            seed=judging.seed,
            resamples=resamples,
            progress=progress,
        )

    def validation_figure(self, scorer: Scorer) -> float:
        """What chooses an epoch: the mean of warm and cold recall at the first k."""
        k = self.config.evaluation.ks[0]
        figures = self.judge(scorer, self.job.split.validation, resamples=1).figures
        found = [figures[f"{name}@{k}"] for name in SLICES.values() if f"{name}@{k}" in figures]
        return float(np.mean(found))


Factory = Callable[[Material], Iterator[tuple[Column, Scorer]]]


def content(material: Material) -> Iterator[tuple[Column, Scorer]]:
    """The vectors by themselves, then inside the towers with ids and without."""
    yield "alone", MeanOfItemsScorer(joined(material.blocks), name="alone")
    yield "towers", in_towers(material, item_id="embedding")
    yield "towers_without_ids", in_towers(material, item_id="none")


def ids(material: Material) -> Iterator[tuple[Column, Scorer]]:
    """The towers with nothing but ids."""
    yield "towers", in_towers(material, item_id="embedding")


def chance(material: Material) -> Iterator[tuple[Column, Scorer]]:
    """A ranking drawn by the seed."""
    items, seed = len(material.job.ingested.catalogue), material.config.evaluation.seed
    yield "alone", RandomScorer(items, seed=seed)


def popularity(material: Material) -> Iterator[tuple[Column, Scorer]]:
    """The most met first."""
    yield "alone", PopularityScorer(material.job.split.train)


def pair_network(material: Material) -> Iterator[tuple[Column, Scorer]]:
    """A network over the two vectors, chosen on validation like the towers."""
    from recsys.evaluation import VectorPairScorer
    from recsys.ranking import fit_vector_pairs

    asked, block = material.row.scorer, joined(material.blocks)
    assert isinstance(asked, PairNetworkScorer)
    fitted = fit_vector_pairs(
        material.learned_from,
        block,
        network=asked.network,
        train=asked.train,
        folder=material.folder / "pairs",
        validate=lambda network: material.validation_figure(VectorPairScorer(network, block)),
        progress=material.job.progress,
    )
    yield "alone", VectorPairScorer(fitted.network, block)


def learned_in_task(material: Material) -> Iterator[tuple[Column, Scorer]]:
    """A network with its own vectors of items, begun from nothing."""
    from recsys.evaluation import SparsePairScorer
    from recsys.ranking import SearchedWords, SparsePairNetwork, fit_sparse_pairs

    asked, log = material.row.scorer, material.job.ingested.interactions
    assert isinstance(asked, LearnedScorer)

    def scorer(network: SparsePairNetwork) -> Scorer:
        searched = SearchedWords(log, network.words, last=asked.network.searches)
        return SparsePairScorer(network, searched)

    fitted = fit_sparse_pairs(
        material.learned_from,
        network=asked.network,
        train=asked.train,
        folder=material.folder / "pairs",
        validate=lambda network: material.validation_figure(scorer(network)),
        progress=material.job.progress,
    )
    yield "alone", scorer(fitted.network)


FACTORIES: dict[str, Factory] = {
    "content": content,
    "ids": ids,
    "random": chance,
    "popularity": popularity,
    "pair-network": pair_network,
    "learned-in-task": learned_in_task,
}
"""By the name of a row's scorer. Each scorer is judged before the next one is asked for."""


def joined(blocks: Mapping[Kind, FeatureBlock]) -> FeatureBlock:
    """The blocks side by side, each of equal weight: the inner product is the mean of theirs.

    An item has a vector where any block has one.
    """
    parts = list(blocks.values())
    vectors = np.concatenate([part.vectors for part in parts], axis=1) / np.sqrt(len(parts))
    mask = np.any([part.mask for part in parts], axis=0)
    return FeatureBlock(vectors.astype(np.float32), mask, "content")


def in_towers(material: Material, *, item_id: Literal["embedding", "none"]) -> Scorer:
    """Towers whose items are the row's blocks, with a trained vector an id or without.

    Raises:
        ConfigError: The split leaves no validation queries.
    """
    from recsys.towers import fit

    job, config = material.job, material.config
    if not len(job.split.validation):
        raise ConfigError(
            "the split leaves no validation query, and training chooses by them; choose other"
            " bounds or another protocol",
            field="split",
        )
    log, known = material.learned_from, active_users(job.split.train.offsets)
    towers = config.towers.model_copy(
        update={"blocks": tuple(material.blocks), "item_id": item_id, "terms": "none"}
    )

    def scorer(trained: AnyTowers) -> Scorer:
        return towers_scorer(trained, known=known, name=f"towers, ids: {item_id}")

    fitted = fit(
        log,
        list(material.blocks.values()),
        np.zeros((len(log.phrases), 0), np.float32),
        towers=towers,
        train=config.train,
        folder=material.folder / f"ids_{item_id}",
        validate=lambda trained: material.validation_figure(scorer(trained)),
        progress=job.progress,
    )
    return scorer(fitted.towers)
