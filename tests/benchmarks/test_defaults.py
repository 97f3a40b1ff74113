"""Default settings of a small shop, next to a preset's recorded figure."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.defaults import __main__ as defaults
from benchmarks.defaults import training
from benchmarks.quality.datasets import DATA_SETS
from recsys.config import read_toml
from tests.pipeline.tiny import write_tiny

QUALITY = {"parts": {"beauty": {"validation": {"1": 0.3, "2": 0.5}}}}


@pytest.mark.parametrize("data", DATA_SETS.values(), ids=DATA_SETS.keys())
def test_a_configuration_holds_the_data_and_the_split(data) -> None:
    mine = read_toml(training.FOLDER / f"{data.name}.toml")
    preset = read_toml(data.config)
    assert set(mine) == {"name", "seed", "data", "split"}
    assert mine["data"] == preset["data"]
    assert mine["split"] == {k: v for k, v in preset["split"].items() if k != "refit"}


def test_defaults_are_trained_recorded_and_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
) -> None:
    path = write_tiny(tmp_path, pictures="skip")
    text = path.read_text()
    (tmp_path / "beauty.toml").write_text(text[: text.index("[text]")].replace("spaces", "#"))
    (tmp_path / "quality.json").write_text(json.dumps(QUALITY))
    page = tmp_path / "page.md"
    page.write_text("<!-- defaults -->\n<!-- end of defaults -->\n")
    ran: list[Path] = []

    def run(module: str, request: dict, folder: Path) -> dict:
        ran.append(folder)
        return training.answer({**request, "metrics": list(request["metrics"])})

    for part, name, value in (
        (training, "FOLDER", tmp_path),
        (training, "run_process", run),
        (defaults, "RUNS", tmp_path / "runs"),
        (defaults, "RESULT", tmp_path / "defaults.json"),
        (defaults, "PAGE", page),
        (defaults, "QUALITY", tmp_path / "quality.json"),
    ):
        monkeypatch.setattr(part, name, value)
    assert defaults.main(["--dataset", "beauty", "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    figures, part = record["figures"], record["parts"]["beauty"]
    assert figures["beauty.share_of_preset"] == pytest.approx(figures["beauty.ndcg@10"] / 0.4)
    assert figures["beauty.minutes"] > 0
    assert [line.split()[0] for line in part["chosen"]] == [
        "[text]",
        "[image]",
        "[towers]",
        "[train]",
    ]
    assert part["settings"]["towers"]["history"]["name"] == "mean"
    assert defaults.main(["--dataset", "beauty"]) == 0
    assert "| Amazon Beauty | NDCG@10 |" in page.read_text()
    assert len(ran) == 1, "a cached result was computed again"
