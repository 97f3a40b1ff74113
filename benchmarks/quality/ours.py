"""Ours: each seed through the pipeline, in a process of its own.

``python -m benchmarks.quality.ours REQUEST.json`` is that process: it encodes, or trains and scores
one seed on the test, and writes what came of it into the request's folder.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.memory import peak_mb
from benchmarks.quality.datasets import DataSet
from benchmarks.quality.judging import judge
from benchmarks.quality.kept import Made, keep
from benchmarks.quality.peer_models.running import TOLD
from benchmarks.quality.processes import LOG, run
from recsys.cli.screen import Screen
from recsys.files import read_json, write_json
from recsys.pipeline import Job, open_job, run_job
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stage import load_record
from recsys.pipeline.stages import STAGES
from recsys.pipeline.training import TrainingRun, train_and_refit
from recsys.progress import Progress

COMMAND = (sys.executable, "-m", "benchmarks.quality.ours")
ASKED = ("split", "towers", "train")
"""Sections that a seed's training depends on, beside what was encoded."""


def encoded(data: DataSet, runs: Path) -> Made:
    """Bring the encoding up to date: its ``fingerprint``, ``seconds`` and ``peak_gib``."""
    folder = runs / "parts" / data.name / "encode"
    folder.mkdir(parents=True, exist_ok=True)
    run(COMMAND, _request(data, runs, folder, seed=None), folder)
    return _told(folder)


def one_seed(
    data: DataSet, runs: Path, seed: int, encoding: Made, *, tell: Callable[[str], None]
) -> Made:
    """Train and score one seed, or take what is kept; ``tell`` hears where its progress is."""
    job = open_job(data.config, runs=runs)
    asked = job.config.model_dump(mode="json", include=set(ASKED))
    version = next(stage.version for stage in STAGES if stage.name == "train")
    by = job.config.evaluation.choose_by

    def make(folder: Path) -> Mapping[str, Any]:
        tell(f"{data.name}: ours, seed {seed} begins; its progress is in {folder / LOG}")
        run(COMMAND, _request(data, runs, folder, seed=seed), folder)
        return {**_told(folder), "settings": asked}

    rests_on = [encoding["fingerprint"], asked, seed, by, version, list(data.metrics)]
    folder = runs / "parts" / data.name
    return keep(folder, name=f"ours-{seed}", rests_on=rests_on, make=make)


def main(request: Mapping[str, Any]) -> None:
    """What the process does."""
    folder = Path(request["out"])
    with Screen() as screen:
        job = open_job(Path(request["config"]), runs=Path(request["runs"]), progress=screen)
        done = run_job(job, until="encode", observer=screen)
        if request["seed"] is None:
            _tell_encoding(job, folder, anew=any(not each.reused for each in done))
            return
        told = train_and_score(
            job, request["seed"], folder, metrics=request["metrics"], progress=screen
        )
    write_json(folder / TOLD, {**told, "peak_gib": peak_mb() / 1024})


def train_and_score(
    job: Job, seed: int, folder: Path, *, metrics: Sequence[str], progress: Progress
) -> dict[str, Any]:
    """Train one seed in ``folder``, or go on there; score the test.

    Returns:
        ``figures`` of the test, ``validation``, ``epochs`` (the chosen), ``seconds`` of training.
    """
    train = job.config.train.model_copy(update={"seed": seed})
    own = replace(job, config=job.config.model_copy(update={"train": train}), progress=progress)
    began = time.perf_counter()
    learned = train_and_refit(own, folder / "training")
    seconds = max(time.perf_counter() - began, _seconds(learned))
    scorer = towers_scorer(learned.towers, known=own.known_users, phrases=own.query_phrases)
    return {
        "figures": judge(scorer, own.split, "test", metrics),
        "validation": learned.selected.validation,
        "epochs": list(learned.selected.best_epochs),
        "seconds": seconds,
    }


def _seconds(learned: TrainingRun) -> float:
    """Of all epochs, those before an interruption too."""
    fits = (learned.selected, learned.refitted)
    return sum(epoch.seconds for fit in fits if fit is not None for epoch in fit.epochs)


def _tell_encoding(job: Job, folder: Path, *, anew: bool) -> None:
    record = load_record(job.folder / "encode")
    assert record is not None, "the stage was just brought up to date"
    told = {name: record[name] for name in ("fingerprint", "seconds")}
    kept = _told(folder) if (folder / TOLD).is_file() else {}
    if anew or kept.get("fingerprint") != told["fingerprint"]:
        write_json(folder / TOLD, {**told, "peak_gib": peak_mb() / 1024})


def _request(data: DataSet, runs: Path, folder: Path, *, seed: int | None) -> dict[str, Any]:
    paths = {"config": str(data.config), "runs": str(runs), "out": str(folder)}
    return {**paths, "seed": seed, "metrics": list(data.metrics)}


def _told(folder: Path) -> Made:
    told: Made = read_json(folder / TOLD)
    return told


if __name__ == "__main__":
    main(read_json(Path(sys.argv[1])))
