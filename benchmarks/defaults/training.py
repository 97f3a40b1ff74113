"""One training with default settings, in a process of its own.

``python -m benchmarks.defaults.training REQUEST.json`` is that process.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.processes import answer_request, peak_gib, run_process
from benchmarks.quality.datasets import DataSet
from recsys.pipeline import open_job, run_job
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stage import load_record
from recsys.pipeline.stages import STAGES
from recsys.pipeline.training import train_towers
from recsys.screen import Screen
from recsys.tuning.cached import Result, cached_result
from recsys.tuning.variants import TRAINED, evaluate_part

FOLDER = Path(__file__).parent
MODULE = "benchmarks.defaults.training"


def validation_of_defaults(data: DataSet, runs: Path, *, seed: int) -> Result:
    """Train with default settings and evaluate on validation, or read the cached result.

    Returns:
        ``figures`` on validation, ``chosen`` lines, ``settings``, ``epochs``, ``seconds`` of
        training, ``encoding_seconds`` and ``peak_gib``.
    """
    config = FOLDER / f"{data.name}.toml"
    with Screen() as screen:
        job = open_job(config, runs=runs, progress=screen)
        run_job(job, until="ingest", observer=screen)
    settings = job.config.model_dump(mode="json", include={*TRAINED, "text", "image"})
    ingested = (load_record(job.folder / "ingest") or {})["fingerprint"]
    versions = {stage.name: stage.version for stage in STAGES}
    request = {"config": str(config), "runs": str(runs), "seed": seed, "metrics": data.metrics}

    def compute(folder: Path) -> Mapping[str, Any]:
        made = run_process(MODULE, {**request, "folder": str(folder)}, folder)
        return {**made, "settings": settings, "chosen": [str(choice) for choice in job.choices]}

    depends_on = [ingested, settings, seed, versions["encode"], versions["train"]]
    return cached_result(
        runs / "parts", name=data.name, depends_on=[*depends_on, *data.metrics], compute=compute
    )


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """Work of the process."""
    overrides = {"train": {"seed": request["seed"]}}
    with Screen() as screen:
        job = open_job(
            Path(request["config"]),
            runs=Path(request["runs"]),
            overrides=overrides,
            progress=screen,
        )
        *_, encoded = run_job(job, until="encode", observer=screen)
        start = time.perf_counter()
        fitted = train_towers(job, Path(request["folder"]) / "training")
        recorded = sum(epoch.seconds for epoch in fitted.epochs)  # of interrupted calls
        seconds = max(time.perf_counter() - start, recorded)
        known = job.users_known_from(job.split.train)
        scorer = towers_scorer(fitted.towers, known=known, phrases=job.query_phrases)
        figures = evaluate_part(scorer, job.split, "validation", request["metrics"])
    return {
        "figures": figures,
        "epochs": list(fitted.best_epochs),
        "seconds": seconds,
        "encoding_seconds": encoded.seconds,
        "peak_gib": peak_gib(),
    }


if __name__ == "__main__":
    answer_request(answer)
