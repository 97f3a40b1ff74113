"""A comparison from its file to its pages: variants are reused, fail alone, and resume."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recsys.comparison import compare, open_comparison
from recsys.comparison.scoring import concatenated
from recsys.features import FeatureBlock
from recsys.pipeline import Observer, StageResult
from tests.comparison.tiny import BROKEN, NETWORKS, WORDS, write_comparison


class Recorder(Observer):
    """Records the stages and whether they were reused."""

    def __init__(self) -> None:
        self.stages: list[tuple[str, str]] = []

    def finished(self, result: StageResult) -> None:
        self.stages.append((result.stage.split("_")[0], "reused" if result.reused else "done"))


def run(path: Path, progress=None, again=()) -> tuple[dict, list[tuple[str, str]]]:
    recorder = Recorder()
    more = {} if progress is None else {"progress": progress}
    comparison = open_comparison(path, runs=path.parent / "runs", **more)
    content = compare(comparison, command="the command", observer=recorder, again=again)
    return content, recorder.stages


@pytest.fixture(scope="module")
def path(tmp_path_factory) -> Path:
    return write_comparison(tmp_path_factory.mktemp("shop"), BROKEN, WORDS)


@pytest.mark.slow
def test_an_interrupted_variant_resumes_and_a_failed_one_stops_no_other(path: Path) -> None:
    def interrupt(description: str, done: int, total: int, note: str = "") -> None:
        if description.startswith("train, epoch 2"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(path, interrupt)
    epochs: list[str] = []

    def watch(description: str, done: int, total: int, note: str = "") -> None:
        if description.startswith("train, epoch"):
            epochs.append(description)

    content, stages = run(path, watch)
    assert stages[:2] == [("ingest", "reused"), ("variant", "reused")]
    assert stages[2:] == [("text", "reused"), ("variant", "done")]
    # The first training resumes in its second epoch; the second one runs both.
    assert list(dict.fromkeys(epochs)) == ["train, epoch 2/2", "train, epoch 1/2"]
    _check(content, path.parent / "runs/tiny-encoders")

    again, stages = run(path)
    assert {how for _, how in stages} == {"reused"}
    assert again["figures"] == content["figures"]


def _check(content: dict, folder: Path) -> None:
    variants = {each["name"]: each for each in content["variants"]}
    assert list(variants) == ["random", "no_file", "words"]
    assert "vectors.txt" in variants["no_file"]["failed"] and not variants["no_file"]["figures"]
    figures = variants["words"]["figures"]
    for column in ("alone", "towers", "towers_without_ids"):
        for part in ("warm", "cold"):
            name = f"{column}.{part}.recall@3"
            low, high = figures[f"{name}.low"], figures[f"{name}.high"]
            assert 0 <= low <= figures[name] <= high <= 1
    assert figures["probe.colour.text.accuracy"] > content["probes"]["colour.text"]["majority"]
    assert figures["dimension"] == 8 and figures["encode_seconds_per_1000"] > 0
    assert 0 < figures["size_mb"] < 1
    assert figures["alone.cold.recall@3"] > variants["random"]["figures"]["alone.cold.recall@3"]
    assert content["figures"]["words.size_mb"] == figures["size_mb"]
    written = json.loads((folder / "comparison.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(content))
    page = (folder / "comparison.md").read_text(encoding="utf-8")
    assert "| Words! | 8 |" in page and "**no file** failed:" in page
    html = (folder / "comparison.html").read_text(encoding="utf-8")
    assert "data:image/png;base64," in html and "<td>Words!</td>" in html
    assert (folder / "comparison.png").read_bytes().startswith(b"\x89PNG")


def test_concatenated_blocks_have_equal_weights() -> None:
    unit = np.array([[1, 0], [0, 1], [0, 0]], np.float32)
    words = FeatureBlock(unit, np.array([True, True, False]), "text")
    pictures = FeatureBlock(unit[[0, 2, 1]], np.array([True, False, True]), "image")
    both = concatenated({"text": words, "image": pictures})
    assert both.mask.tolist() == [True, True, True]
    expected = (unit @ unit.T + unit[[0, 2, 1]] @ unit[[0, 2, 1]].T) / 2
    np.testing.assert_allclose(both.vectors @ both.vectors.T, expected, atol=1e-6)


@pytest.mark.slow
def test_pair_networks_are_variants(tmp_path: Path) -> None:
    content, _ = run(write_comparison(tmp_path / "shop", NETWORKS))
    variants = {each["name"]: each["figures"] for each in content["variants"]}
    assert not any(each["failed"] for each in content["variants"])
    chance = variants["random"]
    for name in ("pair_network", "learned_in_the_task"):
        assert variants[name]["alone.warm.recall@3"] > chance["alone.warm.recall@3"]
    assert variants["pair_network"]["alone.cold.recall@3"] > chance["alone.cold.recall@3"]
    assert variants["learned_in_the_task"]["alone.cold.recall@3"] == 0  # it knows no cold item
    assert "dimension" in variants["pair_network"]
    assert "dimension" not in variants["learned_in_the_task"]
