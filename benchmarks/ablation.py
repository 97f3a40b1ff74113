"""What words, pictures and ids each add, on the sample set whose rule is known.

Run ``python -m benchmarks.ablation``; it goes on where it was stopped. Each line of the table is a
pair of towers with some inputs of the item tower left out, trained anew with the settings of
``configs/demo.toml``, chosen on validation, scored once on the test, for each of three seeds.
Writes ``benchmarks/results/ablation.json``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from recsys.cli.screen import Screen
from recsys.evaluation import evaluate
from recsys.evaluation.record import write_record
from recsys.files import read_json, sha256_json
from recsys.pipeline import Job, open_job, run_job
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stage import RECORD
from recsys.pipeline.training import train_towers

CONFIG, RUNS = Path("configs/demo.toml"), Path("runs/ablation")
RESULT = Path("benchmarks/results/ablation.json")
SEEDS = (1, 2, 3)
VARIANTS: dict[str, tuple[str, ...]] = {
    "all": ("text", "image", "id"),
    "without_text": ("image", "id"),
    "without_image": ("text", "id"),
    "without_id": ("text", "image"),
    "text_only": ("text",),
    "image_only": ("image",),
    "id_only": ("id",),
}


def main() -> None:
    """Train and score every variant with every seed; write and print the table."""
    with Screen() as screen:
        job = open_job(CONFIG, runs=RUNS, progress=screen)
        run_job(job, until="encode", observer=screen)
        figures: dict[str, float] = {}
        for name, inputs in VARIANTS.items():
            runs = [_score(job, name, inputs, seed) for seed in SEEDS]
            for metric in runs[0]:
                values = [run[metric] for run in runs]
                figures[f"{name}.{metric}"] = float(np.mean(values))
                figures[f"{name}.{metric}.std"] = float(np.std(values, ddof=1))
    for left_out in ("text", "image", "id"):
        without = figures[f"without_{left_out}.recall@10"]
        figures[f"{left_out}_adds.recall@10"] = figures["all.recall@10"] - without
    write_record(
        RESULT,
        name="ablation",
        command="python -m benchmarks.ablation",
        seeds=SEEDS,
        figures=figures,
        inputs=VARIANTS,
    )
    _show(figures)


def _score(job: Job, name: str, inputs: tuple[str, ...], seed: int) -> dict[str, float]:
    """Train one variant with one seed, or take what is there; recall on the test, warm and cold."""
    towers = job.config.towers.model_copy(
        update={
            "blocks": tuple(each for each in inputs if each != "id"),
            "item_id": "embedding" if "id" in inputs else "none",
        }
    )
    train = job.config.train.model_copy(update={"seed": seed})
    variant = replace(job, config=job.config.model_copy(update={"towers": towers, "train": train}))
    fitted = train_towers(variant, RUNS / name / f"{seed}-{_fingerprint(variant)}")
    parts = job.split
    scored = evaluate(
        towers_scorer(fitted.towers, known=parts.train.active_users),
        parts.test,
        candidates=parts.candidates,
        item_counts=parts.train.item_counts,
        ks=(10,),
        resamples=1,
    )
    wanted = ("recall@10", "ndcg@10", "cold_recall@10")
    return {metric: scored.figures[metric] for metric in wanted}


def _fingerprint(job: Job) -> str:
    """Of all that a training run depends on, so that none goes on from another's checkpoints."""
    encoded = read_json(job.folder / "encode" / RECORD)
    asked = job.config.model_dump(mode="json", include={"split", "towers", "train"})
    return sha256_json([encoded["fingerprint"], asked])[:12]


def _show(figures: dict[str, float]) -> None:
    table = Table("inputs of the item tower", "recall@10", "cold recall@10")
    for name in VARIANTS:
        cells = [
            f"{figures[f'{name}.{metric}']:.4f} ± {figures[f'{name}.{metric}.std']:.4f}"
            for metric in ("recall@10", "cold_recall@10")
        ]
        table.add_row(name, *cells)
    Console().print(table)


if __name__ == "__main__":
    main()
