"""The stage that trains: towers on the training part, the best epoch by a validation figure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.errors import ConfigError
from recsys.evaluation import evaluate
from recsys.ids import Rows, Vectors
from recsys.index import ExactConfig, IndexConfig, build_index
from recsys.pipeline.job import Job
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stage import Outcome
from recsys.splits import Split

if TYPE_CHECKING:
    from recsys.towers import Fitted
    from recsys.towers.mining import Search

EXACT_UP_TO = 100_000
"""Items; a matrix product with these takes less than tuning an approximate index each epoch."""


def run_train(job: Job, out: Path) -> Outcome:
    """Train, and keep the best towers in ``out/towers``."""
    fitted = train_towers(job, out)
    fitted.towers.save(out / "towers")
    figures = {"epochs": len(fitted.epochs), "best_epoch": fitted.best_epoch}
    by = job.config.evaluation.choose_by
    return Outcome({**figures, f"validation.{by}": fitted.validation})


def train_towers(
    job: Job, folder: Path, *, watch: Callable[[float], None] = lambda figure: None
) -> Fitted:
    """Train the towers of a run in ``folder``, or go on there.

    Args:
        job: The run.
        folder: Where the training keeps its checkpoints.
        watch: Told every validation figure, before its epoch is on record; what it raises ends
            the training.

    Raises:
        ConfigError: The split leaves no validation queries.
    """
    from recsys.towers import fit

    parts, by = job.split, job.config.evaluation.choose_by
    check_validation(parts)
    known = job.known_users

    def validate(towers: Any) -> float:
        result = evaluate(
            towers_scorer(towers, known=known, phrases=job.phrases_asked),
            parts.validation,
            candidates=parts.candidates,
            warm=parts.warm,
            item_counts=parts.train.item_counts,
            ks=(int(by.split("@")[1]),),
            resamples=1,
        )
        figure = float(result.figures[by])
        watch(figure)
        return figure

    return fit(
        parts.train,
        list(job.blocks.values()),
        job.phrases,
        towers=job.towers_config,
        train=job.config.train,
        folder=folder,
        validate=validate,
        user_block=job.user_block,
        search=lambda vectors: searched_by(vectors, job.config.index.search),
        progress=job.progress,
    )


def check_validation(parts: Split) -> None:
    """See that there is something to choose by.

    Raises:
        ConfigError: The split leaves no validation queries.
    """
    if not len(parts.validation):
        raise ConfigError(
            "the split leaves no validation query, and training chooses by them; choose other"
            " bounds or another protocol",
            field="split",
        )


def searched_by(vectors: Vectors, config: IndexConfig) -> Search:
    """A search for hard negatives: exact up to ``EXACT_UP_TO`` items, else by the run's index."""
    index = build_index(vectors, ExactConfig() if len(vectors) <= EXACT_UP_TO else config)

    def search(queries: Vectors, k: int, *, exclude: Sequence[Rows]) -> list[Rows]:
        hits = index.search(queries, k, exclude=exclude)
        return [hits.of(query)[0] for query in range(len(hits))]

    return search
