"""A study in the shop of thirty items, without words and pictures: nothing but ids to train."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from recsys.pipeline import Observer
from tests.pipeline.tiny import CONFIG, write_tiny

STUDY = """
name = "study"
base = "tiny.toml"
trials = 3
seed = 5
pruner = { name = "none" }
"""
TEMPERATURES = """
[space."train.loss.temperature"]
low = 0.05
high = 0.5
log = true
"""


def write_study(folder: Path, *parts: str) -> Path:
    """Write the shop, its run and a study of these parts; return the latter's path."""
    write_tiny(folder, pictures="skip")
    (folder / "tiny.toml").write_text(_without_encoders(), encoding="utf-8")
    path = folder / "study.toml"
    path.write_text("".join(parts or (STUDY, TEMPERATURES)), encoding="utf-8")
    return path


def _without_encoders() -> str:
    start, stop = CONFIG.index("[text]"), CONFIG.index("[towers]")
    config = 'text = "none"\n' + CONFIG[:start] + CONFIG[stop:]
    config = config.replace('spaces = ["two_tower", "text", "image"]', "")
    config = config.replace('image = "photo"', "").replace('pictures = "photos"', "")
    config = config.replace('choose_by = "recall@5"', 'choose_by = "ndcg@5"')
    fast = "epochs = 3\npatience = 3\nlearning_rate = 3e-2\nwarmup_steps = 2"
    return config.replace("epochs = 4\npatience = 4\nvalidate_every = 2", fast)


class RecordingObserver(Observer):
    """Keeps what becomes of the trials."""

    def __init__(self) -> None:
        self.proposals: list[dict[str, str]] = []
        self.ends: list[tuple[int, str]] = []

    def starting(self, stage: str, reason: str) -> None:
        pass

    def finished(self, done: object) -> None:
        pass

    def proposed(self, number: int, total: int, chosen: dict[str, str]) -> None:
        self.proposals.append(dict(chosen))

    def ended(self, trial: Any, total: int, best: object) -> None:
        self.ends.append((trial.number, trial.state))


def trained_by_rule(job: Any, folder: Path, *, watch: Any) -> SimpleNamespace:
    """In place of a training: the figure is the temperature, reached in equal steps."""
    assert len(job.split.validation) and not len(job.split.test)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "checkpoints").mkdir(exist_ok=True)
    epochs = []
    for number in range(1, job.config.train.epochs + 1):
        job.progress(f"train, epoch {number}", 1, 1)
        figure = job.config.train.loss.temperature * number / job.config.train.epochs
        watch(figure)
        epochs.append({"number": number, "loss": 1.0, "validation": figure, "seconds": 0.1})
        (folder / "epochs.json").write_text(json.dumps(epochs))
    return SimpleNamespace(
        epochs=[SimpleNamespace(**epoch) for epoch in epochs],
        best_epoch=len(epochs),
        validation=epochs[-1]["validation"],
    )
