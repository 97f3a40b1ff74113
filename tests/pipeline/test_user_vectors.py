"""External user vectors in a run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.formats import NamedVectors, write_vectors
from recsys.pipeline import Job, Observer, open_job, run_job
from recsys.pipeline.stage import StageResult
from tests.pipeline.tiny import write_tiny


class Seen(Observer):
    """An observer that records recomputed stages and reasons."""

    def __init__(self) -> None:
        self.began: dict[str, str] = {}

    def starting(self, stage: str, reason: str) -> None:
        self.began[stage] = reason

    def finished(self, result: StageResult) -> None: ...


def write_users(path: Path, ids: list[str], *, scale: float = 1.0) -> None:
    """One-hot vectors of the colour that each user of the shop likes."""
    likes = np.array([int(name[1:]) % 3 for name in ids])
    write_vectors(path, NamedVectors(tuple(ids), scale * np.eye(3, dtype=np.float32)[likes]))


def shop(folder: Path) -> Path:
    path = write_tiny(folder / "shop", pictures="skip")
    text = path.read_text().replace("[data]\n", '[data]\nuser_vectors = "users.parquet"\n')
    path.write_text(text.replace("[towers]\n", '[towers]\nuser_id = "embedding"\n'))
    return path


def brought_up_to_date(
    path: Path, folder: Path, until: str
) -> tuple[Job, dict[str, StageResult], Seen]:
    job, seen = open_job(path, runs=folder / "runs"), Seen()
    return job, {done.stage: done for done in run_job(job, until=until, observer=seen)}, seen


def test_they_are_read_counted_and_trained_on(tmp_path: Path) -> None:
    path = shop(tmp_path)
    write_users(tmp_path / "shop/users.parquet", [f"u{row}" for row in range(5, 45)])
    job, done, _ = brought_up_to_date(path, tmp_path, "train")
    assert done["encode"].figures["user_vectors.users"] == 35
    assert done["encode"].notes["user_vectors"] == {
        "users_without": 5,
        "not_in_the_log": 5,
        "examples": ["u40", "u41", "u42", "u43", "u44"],
    }
    assert job.user_block is not None and job.known_users.all()
    assert job.towers.sizes["user_vectors"] == 3

    again, _, seen = brought_up_to_date(path, tmp_path, "train")
    assert seen.began == {}
    write_users(tmp_path / "shop/users.parquet", ["u1", "u2"], scale=2)
    again, _, seen = brought_up_to_date(path, tmp_path, "encode")
    assert seen.began == {"encode": "input 'user_vectors' changed"}
    assert again.user_block is not None and again.user_block.mask.sum() == 2

    path.write_text(path.read_text().replace("[towers]\n", '[towers]\nuser_vectors = "none"\n'))
    without, _, seen = brought_up_to_date(path, tmp_path, "encode")
    assert seen.began == {} and without.user_block is None


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"users\.parquet; there is nothing"):
        brought_up_to_date(shop(tmp_path), tmp_path, "encode")
