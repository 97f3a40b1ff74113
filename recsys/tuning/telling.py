"""What a study leaves: ``trials.json``, ``best.toml``, and the page with its plot."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.evaluation.record import record
from recsys.evaluation.rendering import render
from recsys.files import write_json, write_text
from recsys.tuning.best import write_best
from recsys.tuning.candidate import Material
from recsys.tuning.memory import Memory, Trial
from recsys.tuning.space import Space, label
from recsys.tuning.table import columns_of, lines_of

if TYPE_CHECKING:
    from recsys.tuning.running import Study

RECORD, PICTURE, PAGE = "trials.json", "trials.png", "trials.html"
ORDER = ("complete", "repeated", "pruned", "unfinished", "failed")


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """The complete trial with the highest figure, the earliest of equals."""
    done = [trial for trial in trials if trial.state == "complete" and trial.figure is not None]
    return max(done, key=lambda trial: (trial.figure or 0.0, -trial.number), default=None)


def write_figures(
    study: Study, memory: Memory, material: Material, *, command: str, ended: str = ""
) -> dict[str, Any]:
    """Write ``trials.json`` and, where a trial is complete, ``best.toml``; return the former.

    ``ended`` says why no further trial was begun; "" while they go on, and then the importance of
    the keys is not computed.
    """
    trials, config = memory.trials, study.config
    best = best_of(trials)
    ordered = sorted(trials, key=lambda each: (*_rank(each), each.number))
    figures: dict[str, float] = {state: 0 for state in ORDER}
    for each in trials:
        figures[each.state] += 1
    figures = {f"trials.{state}": count for state, count in figures.items()}
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
        importance=memory.importance() if ended else {},
        protocol=material.split.protocol,
    )
    write_json(study.folder / RECORD, content)
    if best is not None:
        _write_best(study, best, content)
    return content


def write_pages(folder: Path, content: Mapping[str, Any]) -> None:
    """Write ``trials.png`` and ``trials.html`` of what ``trials.json`` holds."""
    from recsys.tuning.plots import draw  # loads the plotting library

    draw(content, folder / PICTURE)
    columns = columns_of(content)
    picture = base64.b64encode((folder / PICTURE).read_bytes()).decode("ascii")
    shown = {
        "content": content,
        "columns": columns,
        "lines": lines_of(content),
        "picture": picture,
    }
    write_text(folder / PAGE, render("recsys.tuning", "trials.html.j2", shown))


def _write_best(study: Study, best: Trial, content: Mapping[str, Any]) -> None:
    told = (
        f"The best of {len(content['trials'])} trials of the study '{study.config.name}': trial"
        f" {best.number}, validation {study.metric} {best.figure:.4f}.\n"
        f"{content['command']}, {content['date'][:10]}, commit {content['commit'][:12]}.\n"
        "Chosen on validation alone; the test was not scored. Paths are relative to this file.\n"
        f"What differs from {study.config.base}:"
    )
    write_best(
        study.folder,
        study.space.configured(best.drawn),
        name=f"{study.config.name}-best",
        base=study.base,
        told=told,
        chosen=study.space.chosen(best.drawn),
    )


def _rank(trial: Trial) -> tuple[float, float]:
    """Complete ones by their figure, then those that were stopped, then those without one."""
    place = 0 if trial.state in ("complete", "repeated") else ORDER.index(trial.state)
    return place, -(trial.figure if trial.figure is not None else float("-inf"))


def _as_json(trial: Trial, space: Space) -> dict[str, Any]:
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
