"""The three logs on which rankers are compared."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recsys.pipeline import Job, open_job, run_job
from recsys.screen import Screen

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class DataSet:
    """One log.

    Attributes:
        title: Title of its table.
        prefix: Prefix of its figures.
        config: Configuration of the towers and of the rankers' training.
        seeds: Seeds of the towers and of the rankers.
    """

    title: str
    prefix: str
    config: Path
    seeds: tuple[int, ...]


DATA_SETS: Mapping[str, DataSet] = {
    "movielens": DataSet("MovieLens-1M", "ml1m", _FOLDER / "movielens-1m.toml", (1, 2, 3)),
    "sample": DataSet("Sample world", "sample", _FOLDER / "sample.toml", (1, 2, 3)),
    "beauty": DataSet("Amazon Beauty", "beauty", _FOLDER / "amazon-beauty.toml", (1,)),
}


def trained_job(data_set: str, seed: int, work: Path, screen: Screen) -> Job:
    """The run of a data set in the work folder, its towers trained and its items indexed.

    Towers that are there already are used again, as by ``recsys run``.
    """
    runs, config = work / data_set / f"seed-{seed}", DATA_SETS[data_set].config
    job = open_job(config, runs=runs, overrides={"seed": seed}, progress=screen)
    run_job(job, until="index", observer=screen)
    return job
