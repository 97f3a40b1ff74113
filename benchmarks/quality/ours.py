"""The engine's own models: each seed through the pipeline, in a process of its own.

``python -m benchmarks.quality.ours REQUEST.json`` is that process: it encodes the content, or
trains one seed and scores it on the test.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.processes import LOG, answer_request, peak_gib, run_process
from benchmarks.quality.datasets import DataSet
from recsys.pipeline import Job, open_job, run_job
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stage import load_record
from recsys.pipeline.stages import STAGES
from recsys.pipeline.training import train_and_refit
from recsys.progress import Progress
from recsys.screen import Screen
from recsys.tuning.cached import Result, cached_result
from recsys.tuning.variants import TRAINED, evaluate_part

MODULE = "benchmarks.quality.ours"


def encode(data: DataSet, runs: Path) -> Result:
    """Encode the content where that was not done: ``fingerprint``, ``seconds``, ``peak_gib``."""
    folder = runs / "parts" / data.name
    request = _request(data, runs, folder, seed=None)
    result = run_process(MODULE, request, folder / "encode")
    # The peak is that of the process that did the work, not of one that found it done.
    return cached_result(
        folder, name="encoding", depends_on=result["fingerprint"], compute=lambda own: result
    )


def train_seed(
    data: DataSet, runs: Path, seed: int, encoding: Result, *, say: Callable[[str], None]
) -> Result:
    """Train and score one seed, or read the cached result; ``say`` prints a line."""
    job = open_job(data.config, runs=runs)
    settings = job.config.model_dump(mode="json", include=set(TRAINED))
    version = next(stage.version for stage in STAGES if stage.name == "train")
    by = job.config.evaluation.choose_by

    def compute(folder: Path) -> Mapping[str, Any]:
        say(f"{data.name}: ours, seed {seed} starts; its progress is in {folder / LOG}")
        result = run_process(MODULE, _request(data, runs, folder, seed=seed), folder)
        return {**result, "settings": settings}

    depends_on = [encoding["fingerprint"], settings, seed, by, version, list(data.metrics)]
    folder = runs / "parts" / data.name
    return cached_result(folder, name=f"ours-{seed}", depends_on=depends_on, compute=compute)


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Work of the process."""
    with Screen() as screen:
        job = open_job(Path(request["config"]), runs=Path(request["runs"]), progress=screen)
        run_job(job, until="encode", observer=screen)
        if request["seed"] is None:
            record = load_record(job.folder / "encode") or {}
            result = {name: record[name] for name in ("fingerprint", "seconds")}
        else:
            result = train_and_score(
                job,
                request["seed"],
                Path(request["folder"]),
                metrics=request["metrics"],
                progress=screen,
            )
    return {**result, "peak_gib": peak_gib()}


def train_and_score(
    job: Job, seed: int, folder: Path, *, metrics: Sequence[str], progress: Progress
) -> dict[str, Any]:
    """Train one seed in ``folder``, or continue there; score the test.

    Returns:
        ``figures`` of the test, ``validation``, chosen ``epochs``, ``seconds`` of training.
    """
    train = job.config.train.model_copy(update={"seed": seed})
    own = replace(job, given=job.config.model_copy(update={"train": train}), progress=progress)
    start = time.perf_counter()
    trained = train_and_refit(own, folder / "training")
    fits = [fit for fit in (trained.selected, trained.refitted) if fit is not None]
    recorded = sum(epoch.seconds for fit in fits for epoch in fit.epochs)  # of interrupted calls
    scorer = towers_scorer(trained.towers, known=own.known_users, phrases=own.query_phrases)
    return {
        "seconds": max(time.perf_counter() - start, recorded),
        "figures": evaluate_part(scorer, own.split, "test", metrics),
        "validation": trained.selected.validation,
        "epochs": list(trained.selected.best_epochs),
    }


def _request(data: DataSet, runs: Path, folder: Path, *, seed: int | None) -> dict[str, Any]:
    paths = {"config": str(data.config), "runs": str(runs), "folder": str(folder)}
    return {**paths, "seed": seed, "metrics": list(data.metrics)}


if __name__ == "__main__":
    answer_request(answer)
