"""A run killed in any stage starts again from the last whole one; training from its last epoch."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests import forked
from tests.pipeline.tiny import write_tiny

# In order: the stage, and the piece of its work during which it is killed.
MOMENTS = {
    "ingest": "read",
    "encode": "encode text",
    "train": "train, epoch 3",
    "evaluate": "evaluate popularity",
    "index": "index",
    "publish": "publish",
}


@pytest.mark.slow
def test_killed_in_every_stage_one_after_the_other(tmp_path: Path) -> None:
    config, runs = write_tiny(tmp_path / "shop", pictures="skip"), tmp_path / "runs"
    whole: list[str] = []
    epochs: list[dict[str, float]] = []
    for stage, moment in MOMENTS.items():
        done = _run(config, runs, moment)
        assert done.returncode == -signal.SIGKILL, done.stderr
        expected = [f"reused {name}" for name in whole]
        # The stages before it are whole since the last time, or become so now.
        assert done.stdout.splitlines()[: len(expected)] == expected
        assert done.stdout.splitlines()[-1] == f"starting {stage}"
        assert not (runs / "tiny" / stage / "stage.json").exists()
        assert not (runs / "tiny/bundles/CURRENT").exists()
        whole = [name for name in MOMENTS if (runs / "tiny" / name / "stage.json").is_file()]
        assert whole == list(MOMENTS)[: list(MOMENTS).index(stage)]
        if stage == "train":
            (file,) = (runs / "tiny/.work").glob("train-*/epochs.json")
            epochs = json.loads(file.read_text())
            assert [epoch["number"] for epoch in epochs] == [1, 2]

    done = _run(config, runs)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        *(f"reused {name}" for name in whole),
        "starting publish",
        "done publish",
    ]
    trained = json.loads((runs / "tiny/train/epochs.json").read_text())
    assert trained[:2] == epochs, "the first epochs were trained again"
    assert list((runs / "tiny/.work").iterdir()) == []


def _run(config: Path, runs: Path, *moment: str) -> subprocess.CompletedProcess[str]:
    return forked.run("tests.pipeline.killed_run", config, runs, "publish", *moment)
