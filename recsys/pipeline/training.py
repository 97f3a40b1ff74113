"""The stage that trains: towers on the training part, the best epoch by a validation figure.

Where the split asks to refit, the towers that are kept are then trained anew, up to that epoch, on
the training and the validation part together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.errors import ConfigError
from recsys.evaluation import evaluate
from recsys.interactions import Interactions
from recsys.pipeline.job import Job
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stage import StageOutput
from recsys.splits import Split

if TYPE_CHECKING:
    from recsys.towers import AnyTowers, FitResult

REFIT = "refit"


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """What a run learned.

    Attributes:
        towers: Those that are tested and kept.
        chosen: The training that validation judged; ``towers`` are its best, or those that the
            refit made.
        refitted: The refit, where the split asks for one.
    """

    towers: AnyTowers
    chosen: FitResult
    refitted: FitResult | None


def run_train(job: Job, out: Path) -> StageOutput:
    """Train, and keep the towers in ``out/towers``."""
    learned = train_and_refit(job, out)
    fitted = learned.chosen
    learned.towers.save(out / "towers")
    figures = {"epochs": len(fitted.epochs), "best_epoch": fitted.best_epoch}
    by = job.config.evaluation.choose_by
    return StageOutput({**figures, f"validation.{by}": float(fitted.validation or 0.0)})


def train_and_refit(job: Job, folder: Path) -> TrainingRun:
    """Train the towers of a run in ``folder``, or go on there; refit where the split asks to.

    Raises:
        ConfigError: The split leaves no validation queries.
    """
    chosen = train_towers(job, folder)
    if job.config.split.refit == "none":
        return TrainingRun(chosen.towers, chosen, None)
    refitted = _refit(job, folder / REFIT, stop_after=chosen.best_epochs)
    return TrainingRun(refitted.towers, chosen, refitted)


def train_towers(
    job: Job, folder: Path, *, watch: Callable[[float], None] = lambda figure: None
) -> FitResult:
    """Train towers on the training part alone in ``folder``, or go on there; the best are chosen.

    Args:
        job: The run.
        folder: Where the training keeps its checkpoints.
        watch: Told every validation figure, before its epoch is on record; what it raises ends
            the training.

    Raises:
        ConfigError: The split leaves no validation queries.
    """
    parts, by = job.split, job.config.evaluation.choose_by
    check_validation(parts)
    known = job.users_known_from(parts.train)

    def validate(towers: Any) -> float:
        result = evaluate(
            towers_scorer(towers, known=known, phrases=job.query_phrases),
            parts.validation,
            candidates=parts.candidates,
            item_counts=parts.train.item_counts,
            ks=(int(by.split("@")[1]),),
            resamples=1,
        )
        figure = float(result.figures[by])
        watch(figure)
        return figure

    return _fit(job, parts.train, folder, validate=validate)


def _refit(job: Job, folder: Path, *, stop_after: Sequence[int]) -> FitResult:
    """Train on the training and the validation part, up to the epochs that were chosen before."""

    last = ", ".join(map(str, stop_after))

    def shown(description: str, done: int, total: int, note: str = "") -> None:
        job.progress(f"refit up to epoch {last}: {description}", done, total, note)

    refit = replace(job, progress=shown)
    return _fit(refit, job.split.final, folder, validate=None, stop_after=stop_after)


def _fit(
    job: Job,
    log: Interactions,
    folder: Path,
    *,
    validate: Callable[[AnyTowers], float] | None,
    stop_after: Sequence[int] | None = None,
) -> FitResult:
    from recsys.towers import fit

    return fit(
        log,
        job.training_blocks,
        job.phrases,
        towers=job.towers_config,
        train=job.config.train,
        folder=folder,
        validate=validate,
        stop_after=stop_after,
        user_block=job.user_block,
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
