"""One variant with one seed, in a process of its own.

``python -m benchmarks.levers.training REQUEST.json`` is that process: it trains, judges on the part
that the request names, and writes ``told.json`` into the request's folder. Of what is judged on
validation it has no test. A training that stops with an error of its own, as one that diverges, is
a result: the table says so.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from benchmarks.levers.world import Variant, World, asked, changed
from benchmarks.memory import peak_mb
from benchmarks.quality.judging import judge
from benchmarks.quality.kept import Made, keep
from benchmarks.quality.ours import encoded
from benchmarks.quality.peer_models.running import TOLD
from benchmarks.quality.processes import LOG, run
from recsys.cli.screen import Screen
from recsys.errors import TrainingError
from recsys.files import read_json, sha256_json, write_json
from recsys.pipeline import Job, run_job
from recsys.pipeline.scoring import towers_scorer
from recsys.pipeline.stages import STAGES
from recsys.pipeline.training import train_towers
from recsys.tuning.candidate import Material
from recsys.tuning.training import keep_epochs

COMMAND = (sys.executable, "-m", "benchmarks.levers.training")
MARK = 12


class Bench:
    """The variants of a world, each trained where it is not yet kept.

    Args:
        world: The world.
        runs: The folder that all is kept in.
        tell: Told of every part in a line.
    """

    def __init__(self, world: World, runs: Path, *, tell: Callable[[str], None]) -> None:
        self._world, self._runs, self._tell = world, runs / world.name, tell
        tell(f"{world.name}: encoding")
        self._encoding = encoded(world.data, self._runs)["fingerprint"]

    @property
    def mark(self) -> str:
        """Of the base as it now is: only what has one mark compares."""
        return sha256_json([self._encoding, asked(self._world, self._world.variants[0])])[:MARK]

    def one_seed(self, variant: Variant, seed: int) -> Made:
        """``figures``, ``validation``, ``epochs``, ``seconds``, ``peak_gib``; or ``stopped``."""
        world, changes = self._world, self._world.changes_of(variant)
        by = changed(world.data.config, changes).evaluation.choose_by
        version = next(stage.version for stage in STAGES if stage.name == "train")
        measured = [by, world.judged, list(world.metrics)]

        def make(folder: Path) -> Mapping[str, Any]:
            if not (folder / TOLD).is_file():
                where = folder / LOG
                self._tell(
                    f"{world.name}: {variant.name}, seed {seed} begins; its progress is in {where}"
                )
                run(COMMAND, self._request(changes, seed, folder), folder)
            told: Made = read_json(folder / TOLD)
            return told

        rests_on = [self._encoding, asked(world, variant), seed, measured, version]
        folder = self._runs / "parts"
        return keep(folder, name=f"{variant.name}-{seed}", rests_on=rests_on, make=make)

    def _request(self, changes: Mapping[str, Any], seed: int, folder: Path) -> dict[str, Any]:
        return {
            "config": str(self._world.data.config),
            "changes": dict(changes),
            "runs": str(self._runs),
            "out": str(folder),
            "seed": seed,
            "judged": self._world.judged,
            "metrics": list(self._world.metrics),
        }


def main(request: Mapping[str, Any]) -> None:
    """What the process does."""
    folder = Path(request["out"])
    with Screen() as screen:
        path = Path(request["config"])
        config = changed(path, request["changes"])
        train = config.train.model_copy(update={"seed": request["seed"]})
        config = config.model_copy(update={"train": train})
        job = Job.from_config(config, path.parent, runs=Path(request["runs"]), progress=screen)
        run_job(job, until="encode", observer=screen)
        told = train_and_judge(job, folder / "training", request)
    write_json(folder / TOLD, {**told, "peak_gib": peak_mb() / 1024})
    keep_epochs(folder / "training")  # dozens of variants: their tables of weights would fill disks


def train_and_judge(job: Job, folder: Path, request: Mapping[str, Any]) -> dict[str, Any]:
    """Train in ``folder``, or go on there, and judge on the part that is asked for."""
    if request["judged"] == "validation":
        job = Material(job.config, job.base, job.folder, job.cache, job.progress)
    began = time.perf_counter()
    try:
        fitted = train_towers(job, folder)
    except TrainingError as error:
        return {"stopped": str(error), "seconds": time.perf_counter() - began}
    trained = sum(epoch.seconds for epoch in fitted.epochs)  # before an interruption too
    seconds = max(time.perf_counter() - began, trained)
    known = job.users_known_from(job.split.train)
    scorer = towers_scorer(fitted.towers, known=known, phrases=job.query_phrases)
    return {
        "figures": judge(scorer, job.split, request["judged"], request["metrics"]),
        "validation": fitted.validation,
        "epochs": list(fitted.best_epochs),
        "seconds": seconds,
        "cold_items": int((job.split.candidates & ~job.split.warm).sum()),
    }


if __name__ == "__main__":
    main(read_json(Path(sys.argv[1])))
