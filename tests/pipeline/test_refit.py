"""A run that selects the epoch on validation, then trains on all but the test."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from recsys.pipeline import Job, open_job, run_job
from tests.pipeline.tiny import write_tiny


def trained(folder: Path, refit: str) -> Job:
    path = write_tiny(folder / refit, pictures="skip")
    wanted = f'protocol = "leave-last-out"\nrefit = "{refit}"'
    text = path.read_text().replace('protocol = "leave-last-out"', wanted)
    path.write_text(text.replace("patience = 4\nvalidate_every = 2", "patience = 1"))
    job = open_job(path, runs=folder / "runs" / refit)
    run_job(job, until="evaluate")
    return job


def test_the_epoch_is_selected_on_validation_and_the_towers_train_on_both(tmp_path: Path) -> None:
    plain, refit = (trained(tmp_path, name) for name in ("none", "train-and-validation"))
    chosen, same = (
        json.loads((job.folder / "train/epochs.json").read_text()) for job in (refit, plain)
    )
    assert [e["validation"] for e in chosen] == [e["validation"] for e in same]
    again = json.loads((refit.folder / "train/refit/epochs.json").read_text())
    best = max(chosen, key=lambda e: (e["validation"], -e["number"]))["number"]
    assert [e["number"] for e in again] == list(range(1, best + 1))
    assert all(e["validation"] is None for e in again)
    assert not np.allclose(refit.towers.item_vectors, plain.towers.item_vectors)
    assert len(refit.split.final) == len(refit.split.train) + len(refit.split.validation)

    refitted = json.loads((refit.folder / "evaluate/evaluations.json").read_text())["evaluations"]
    before = json.loads((plain.folder / "evaluate/evaluations.json").read_text())["evaluations"]
    for name in ("popularity", "item_knn"):
        assert refitted[name]["figures"] != before[name]["figures"]
