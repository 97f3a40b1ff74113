"""The stage that trains: towers on the training part, the best epoch by a validation figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.errors import ConfigError
from recsys.evaluation import evaluate
from recsys.pipeline.job import Job
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stage import Outcome

if TYPE_CHECKING:
    from recsys.towers import Fitted


def run_train(job: Job, out: Path) -> Outcome:
    """Train, and keep the best towers in ``out/towers``."""
    fitted = train_towers(job, out)
    fitted.towers.save(out / "towers")
    best = next(epoch for epoch in fitted.epochs if epoch.number == fitted.best_epoch)
    figures = {"epochs": len(fitted.epochs), "best_epoch": fitted.best_epoch}
    by = job.config.evaluation.choose_by
    return Outcome({**figures, f"validation.{by}": float(best.validation or 0.0)})


def train_towers(job: Job, folder: Path) -> Fitted:
    """Train the towers of a run in ``folder``, or go on there.

    Raises:
        ConfigError: The split leaves no validation queries.
    """
    from recsys.towers import fit

    parts, by = job.split, job.config.evaluation.choose_by
    if not len(parts.validation):
        raise ConfigError(
            "the split leaves no validation query, and training chooses by them; choose other"
            " bounds or another protocol",
            field="split",
        )
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
        return float(result.figures[by])

    return fit(
        parts.train,
        list(job.blocks.values()),
        job.phrases,
        towers=job.towers_config,
        train=job.config.train,
        folder=folder,
        validate=validate,
        user_block=job.user_block,
        progress=job.progress,
    )
