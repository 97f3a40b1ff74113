"""Results of a search: ``trials.json``, ``best.toml``, and the page with its plot."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from recsys.config import parse_config
from recsys.evaluation.record import record
from recsys.evaluation.rendering import render
from recsys.files import write_json, write_text, write_toml
from recsys.pipeline import RunConfig
from recsys.pipeline.sections import rebase_paths
from recsys.tuning.search_space import SearchSpace, label
from recsys.tuning.study import Study
from recsys.tuning.table import trial_columns, trial_lines
from recsys.tuning.trial_data import TrialData
from recsys.tuning.trial_store import Trial, TrialStore

RECORD, PICTURE, PAGE, BEST = "trials.json", "trials.png", "trials.html", "best.toml"
ORDER = ("complete", "pruned", "unfinished", "failed")


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The complete trial with the highest figure, the earliest of equals."""
    done = [trial for trial in trials if trial.state == "complete" and trial.figure is not None]
    return max(done, key=lambda trial: (trial.figure or 0.0, -trial.number), default=None)


def write_figures(
    study: Study, store: TrialStore, data: TrialData, *, command: str, ended: str = ""
) -> dict[str, Any]:
    """Write ``trials.json`` and, where a trial is complete, ``best.toml``; return the former.

    ``ended`` is the reason why no further trial started; "" while the study runs, when the
    importance of the keys is not computed.
    """
    trials, config = store.trials, study.config
    best = best_of(trials)
    ordered = sorted(trials, key=lambda each: (*_rank(each), each.number))
    counts = {state: sum(each.state == state for each in trials) for state in ORDER}
    figures: dict[str, float] = {f"trials.{state}": count for state, count in counts.items()}
    figures["seconds"] = round(sum(each.seconds for each in trials), 1)
    if best is not None and best.figure is not None:
        figures[f"validation.{study.metric}"] = best.figure
    content = record(
        name=config.name,
        command=command,
        seeds=sorted({config.seed, study.run.seed, study.run.train.seed}),
        figures=figures,
        metric=study.metric,
        ended=ended,
        best=None if best is None else best.number,
        trials=[_as_json(each, study.space) for each in ordered],
        space=config.model_dump(mode="json", exclude_none=True)["space"],
        importance=store.importance() if ended else {},
        protocol=data.split.protocol,
    )
    write_json(study.folder / RECORD, content)
    if best is not None:
        _write_best(study, best, content)
    return content


def write_pages(folder: Path, content: Mapping[str, Any]) -> None:
    """Write ``trials.png`` and ``trials.html`` from the content of ``trials.json``."""
    from recsys.tuning.plots import draw  # loads the plotting library

    draw(content, folder / PICTURE)
    page = {
        "content": content,
        "columns": trial_columns(content),
        "lines": trial_lines(content),
        "picture": base64.b64encode((folder / PICTURE).read_bytes()).decode("ascii"),
    }
    write_text(folder / PAGE, render("recsys.tuning", "trials.html.j2", page))


def _write_best(study: Study, best: Trial, content: Mapping[str, Any]) -> None:
    """Write a complete configuration for ``recsys run``, with its origin in comments."""
    chosen = study.space.chosen(best.drawn)
    comments = [
        f"Best of {len(content['trials'])} trials of the study '{study.config.name}': trial"
        f" {best.number}, validation {study.metric} {best.figure:.4f}.",
        f"{content['command']}, {content['date'][:10]}, commit {content['commit'][:12]}.",
        "Chosen on validation; the test was not scored. Paths are relative to this file.",
        f"Differences from {study.config.base}:",
        *(f"  {key} = {label(value)}" for key, value in chosen.items()),
    ]
    values = {**study.space.configured(best.drawn), "name": f"{study.config.name}-best"}
    values = rebase_paths(values, old=study.base.resolve(), new=study.folder.resolve())
    parse_config(values, RunConfig)
    comment = "\n".join(line.replace("\n", " ") for line in comments)
    write_toml(study.folder / BEST, values, comment=comment)


def _rank(trial: Trial) -> tuple[float, float]:
    """Complete trials by their figure, then stopped ones, then those without a figure."""
    return ORDER.index(trial.state), -(trial.figure if trial.figure is not None else float("-inf"))


def _as_json(trial: Trial, space: SearchSpace) -> dict[str, Any]:
    chosen = space.chosen(trial.drawn)
    return {
        "number": trial.number,
        "state": trial.state,
        "figure": trial.figure,
        "chosen": chosen,
        "labels": {key: label(value) for key, value in chosen.items()},
        "epochs": {str(epoch): value for epoch, value in trial.epochs.items()},
        "seconds": round(trial.seconds, 1),
        "reason": trial.reason or None,
    }
