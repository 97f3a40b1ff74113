"""The training stage: train on the training part and select the epoch on validation.

If the split asks to refit, the final towers are then trained up to that epoch on the training and
validation parts together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter

from recsys.errors import ConfigError
from recsys.evaluation import evaluate
from recsys.files import read_json
from recsys.interactions import Interactions
from recsys.pipeline.job import Job
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stage import StageOutput
from recsys.splits import Split, SplitConfig
from recsys.splits.advice import remedy

if TYPE_CHECKING:
    from recsys.towers import AnyTowers, FitResult

REFIT = "refit"


@dataclass(frozen=True, eq=False)
class TrainingRun:
    """The trainings of a run.

    Attributes:
        towers: Final towers: the best of ``selected``, or those of ``refitted``.
        selected: Training whose epoch was selected on validation.
        refitted: Training on both parts, if the split asks for it.
    """

    towers: AnyTowers
    selected: FitResult
    refitted: FitResult | None


def run_train(job: Job, out: Path) -> StageOutput:
    """Train, and save the towers in ``out/towers``."""
    trained = train_and_refit(job, out)
    trained.towers.save(out / "towers")
    selected, metric = trained.selected, job.config.evaluation.choose_by
    figures = {"epochs": len(selected.epochs), "best_epoch": selected.best_epoch}
    return StageOutput({**figures, f"validation.{metric}": float(selected.validation or 0.0)})


def train_and_refit(job: Job, folder: Path) -> TrainingRun:
    """Train the towers of a run in ``folder``, or resume there; refit if the split asks for it."""
    selected = train_towers(job, folder)
    if job.config.split.refit == "none":
        return TrainingRun(selected.towers, selected, None)
    last = ", ".join(map(str, selected.best_epochs))

    def progress(description: str, done: int, total: int, note: str = "") -> None:
        job.progress(f"refit up to epoch {last}: {description}", done, total, note)

    refit = replace(job, progress=progress)
    refitted = _fit(refit, job.split.final, folder / REFIT, stop_after=selected.best_epochs)
    return TrainingRun(refitted.towers, selected, refitted)


def train_towers(
    job: Job, folder: Path, *, watch: Callable[[float], None] = lambda figure: None
) -> FitResult:
    """Train towers on the training part in ``folder``, or resume there, and select the best epoch.

    ``watch`` gets each validation figure before its epoch is recorded; an exception ends training.

    Raises:
        ConfigError: The split leaves no validation queries.
    """
    metric = job.config.evaluation.choose_by
    check_validation(job.split)
    known = job.users_known_from(job.split.train)

    def validate(towers: AnyTowers) -> float:
        scorer = towers_scorer(towers, known=known, phrases=job.query_phrases)
        k = int(metric.split("@")[1])
        result = evaluate(scorer, job.split, "validation", ks=(k,), resamples=1)
        figure = float(result.figures[metric])
        watch(figure)
        return figure

    return _fit(job, job.split.train, folder, validate=validate)


def training_curve(job: Job) -> list[dict[str, float]]:
    """Figures per epoch of the training that selected the epoch; that on validation by its name."""
    names = {"number": "epoch", "validation": job.config.evaluation.choose_by}
    return [
        {names.get(key, key): value for key, value in epoch.items() if value is not None}
        for epoch in read_json(job.folder / "train" / "epochs.json")
    ]


def check_validation(parts: Split) -> None:
    """Check that there are validation queries."""
    if not len(parts.validation):
        config: SplitConfig = TypeAdapter(SplitConfig).validate_python(parts.protocol["config"])
        change = remedy("validation", parts.protocol["removed"], config, None)
        raise ConfigError(
            f"'{config.protocol}' leaves no validation query, and training chooses by them:"
            f" {change}",
            field="split",
        )


def _fit(job: Job, log: Interactions, folder: Path, **options: Any) -> FitResult:
    from recsys.towers import fit

    options = {"validate": None, **options}
    return fit(
        log,
        job.training_blocks,
        job.phrases,
        towers=job.towers_config,
        train=job.config.train,
        folder=folder,
        user_block=job.user_block,
        progress=job.progress,
        **options,
    )
