"""The stage of the ranker: retrieve candidates for held-out queries, train on validation."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.errors import ConfigError
from recsys.ids import Vectors
from recsys.pipeline.job import Job
from recsys.pipeline.rank_stage.requests import requests_of
from recsys.pipeline.rank_stage.shown import shown_order, shown_tables
from recsys.pipeline.stage import StageOutput
from recsys.pipeline.training import check_validation
from recsys.ranking import (
    FeatureSet,
    Ranker,
    RankerConfig,
    Statistics,
    default_features,
)
from recsys.ranking.learning import TrainingTable, collect
from recsys.ranking.learning.training import fit_scorer, mean_ndcg
from recsys.retrieval import TWO_TOWER
from recsys.splits import HeldOutQueries

RANKER = "ranker"


def run_rank(job: Job, out: Path) -> StageOutput:
    """Train a ranker of what the index returns or feeds have shown; save it in ``out/ranker``.

    The statistics of its training end where validation begins; those of the saved ranker are of the
    whole log, as the histories of the bundle.

    Raises:
        ConfigError: The split lets the towers or the statistics see the requests of the training.
        DataError: No target of the validation queries is among the retrieved items, or the
            impressions cannot be trained on.
    """
    section = job.config.ranker
    assert section is not None, "the stage runs only with a section"
    if section.impressions is None:
        shown, (table, later) = "retrieval", _retrieved_tables(job, section)
        order = _retrieval_order(later)
    else:
        shown = "shown"
        table, later = shown_tables(
            job.path(section.impressions), job.ingested.interactions.items, section
        )
        order = shown_order(later)
    job.progress("rank", 1, 2, f"{table.requests:,} requests")
    vectors = np.asarray(job.towers.item_vectors)
    fitted = fit_scorer(
        table,
        later,
        config=section,
        item_vectors=vectors,
        folder=out / "training",
        progress=job.progress,
    )
    whole = Statistics.of(job.ingested.interactions, config=section.statistics)
    Ranker.of(fitted.scorer, whole, fitted.calibration).save(out / RANKER)
    job.progress("rank", 2, 2)
    return StageOutput(
        {
            "requests": table.requests + later.requests,
            f"validation.{shown}.ndcg@10": mean_ndcg(later, order),
            "validation.ranker.ndcg@10": fitted.ndcg,
        }
    )


def _retrieved_tables(job: Job, section: RankerConfig) -> tuple[TrainingTable, TrainingTable]:
    """Candidates of the training, with drawn ones that were not taken, and of the choice."""
    _check_split(job)
    log = job.split.train
    queries = drawn_queries(job.split.validation, section, log.clock)
    before = int(queries.time.min()) if log.clock == "timestamp" else None
    statistics = Statistics.of(log, before=before, config=section.statistics)
    features = FeatureSet(default_features((TWO_TOWER,)), statistics)
    last = int(len(queries) * (1 - section.choose_on))
    parts = [queries.slice(0, last), queries.slice(last, len(queries))]
    table, later = (
        collect(
            requests_of(job, part, candidates=section.candidates),
            features,
            negatives=negatives,
            seed=section.seed,
        )
        for part, negatives in zip(parts, (section.negatives, None))
    )
    return table, later


def _check_split(job: Job) -> None:
    split, log = job.config.split, job.split.train
    check_validation(job.split)
    if split.refit != "none":
        raise ConfigError(
            "a ranker is trained on the validation part, which the refitted towers were trained on:"
            " leave split.refit out, or the section [ranker]",
            field="ranker",
        )
    if log.clock == "timestamp" and split.protocol != "global-time":
        raise ConfigError(
            f"with split.protocol = '{split.protocol}', interactions of other users after a request"
            " are in the training part, so that features would see the future: set split.protocol"
            " = 'global-time', or leave the section [ranker] out",
            field="ranker",
        )


def drawn_queries(queries: HeldOutQueries, section: RankerConfig, clock: str) -> HeldOutQueries:
    """Some of the queries, in the order of their time, or of the draw in a log of positions.

    There the last positions are those of the users with the longest histories.
    """
    drawn = np.random.default_rng(section.seed).permutation(len(queries))[: section.requests]
    if clock == "timestamp":
        drawn = np.sort(drawn)
        drawn = drawn[np.argsort(queries.time[drawn], kind="stable")]
    return queries.at(drawn)


def _retrieval_order(table: TrainingTable) -> Vectors:
    return -table.select((f"source.{TWO_TOWER}.rank",)).values[:, 0]
