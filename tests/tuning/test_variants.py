"""Studies with a list of variants: trained once, averaged over seeds, compared with the first."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recsys.errors import ConfigError, DataError, TrainingError
from recsys.tuning import variants
from recsys.tuning.cached import RESULT, cached_result
from recsys.tuning.study import VariantStudy, open_study
from recsys.tuning.table import variant_lines
from recsys.tuning.variants import compare_variants, distinct_variants, validation_figures
from tests.pipeline.tiny import write_tiny
from tests.tuning.tiny import RecordingObserver, write_study

STUDY = """
name = "widths"
base = "tiny.toml"
without = ["train.patience"]
changes = { "train.epochs" = 1 }
metrics = ["ndcg@5", "hr@5"]

[[variants]]
name = "base"
description = "the run as it is"
seeds = [1, 2]

[[variants]]
name = "narrow"
description = "four numbers"
changes = { "towers.dimension" = 4 }

[[variants]]
name = "same"
changes = { "towers.dimension" = 8 }

[[variants]]
name = "longer"
shared = false
"""


def opened(path: Path) -> VariantStudy:
    study = open_study(path, runs=path.parent / "runs")
    assert isinstance(study, VariantStudy)
    return study


def compare(path: Path, **more: Any) -> tuple[dict[str, Any], list[tuple[int, str]]]:
    observer = RecordingObserver()
    content = compare_variants(opened(path), command="again", observer=observer, **more)
    return content, observer.ends


@pytest.mark.slow
def test_variants_are_trained_once_and_averaged_over_seeds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, trained, tests = write_study(tmp_path / "shop", STUDY), [], []

    def figures(job: Any, fitted: Any, metrics: Any) -> dict[str, float]:
        trained.append((job.config.towers.dimension, job.config.train.seed))
        tests.append(len(job.split.test))
        return validation_figures(job, fitted, metrics)

    content, ends = compare(path, only=["base", "narrow"], evaluate_trial=figures)
    assert trained == [(8, 1), (8, 2), (4, 1)] and tests == [0, 0, 0]
    assert ends == [(1, "complete"), (2, "complete"), (3, "complete")]
    base, narrow = content["variants"]["base"], content["variants"]["narrow"]
    assert 0 < base["figures"]["ndcg@5"] <= 1 and "ndcg@5.std" in base["figures"]
    assert "ndcg@5.std" not in narrow["figures"] and narrow["figures"]["minutes"] > 0
    assert narrow["changes"] == {"train.patience": None, "train.epochs": 1, "towers.dimension": 4}
    assert narrow["description"] == "four numbers" and narrow["seeds"] == [1]
    folder = path.parent / "runs/widths"
    assert json.loads((folder / "variants.json").read_text()) == content
    files = {file.name for file in folder.glob("trials/base-1-*/training/*")}
    assert files == {"epochs.json"}, "weights are kept"

    again, _ = compare(path, only=["base", "narrow"], evaluate_trial=figures)
    assert len(trained) == 3 and again["figures"] == content["figures"]
    more, _ = compare(path, only=["narrow"], seeds=[1, 5], evaluate_trial=figures)
    assert trained[3:] == [(4, 5)] and "ndcg@5.std" in more["variants"]["narrow"]["figures"]
    compare(path, only=["narrow"], evaluate_trial=figures, begin="again")
    assert trained[4:] == [(4, 1)]


def test_a_variant_with_the_settings_of_the_reference_is_left_out(tmp_path: Path) -> None:
    study = opened(write_study(tmp_path / "shop", STUDY))
    assert [variant.name for variant in distinct_variants(study)] == ["base", "narrow", "longer"]
    longer = study.config.variants[-1]
    assert study.run(longer).train.epochs == 3 and study.run(study.reference).train.epochs == 1


def test_a_training_that_diverges_is_a_result_and_an_error_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, calls = write_study(tmp_path / "shop", STUDY), []

    def failing(error: Exception) -> Callable[..., Any]:
        def train(job: Any, folder: Path) -> SimpleNamespace:
            calls.append(1)
            raise error

        return train

    monkeypatch.setattr(variants, "train_towers", failing(DataError("no space left")))
    content, ends = compare(path, only=["narrow"])
    assert content["failures"] == {"narrow": "no space left"} and not content["variants"]
    assert ends == [(1, "failed")]
    monkeypatch.setattr(variants, "train_towers", failing(TrainingError("the loss became nan")))
    for _ in range(2):
        content, _ = compare(path, only=["narrow"])
        assert content["variants"]["narrow"]["stopped"] == "the loss became nan"
    assert len(calls) == 2, "a diverged training was repeated"
    (line,) = variant_lines(content["variants"], ["ndcg@5"], reference="base")
    assert line[:3] == ["narrow", "", "stopped"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('name = "narrow"', 'name = "base"', "two variants are named 'base'"),
        ('"towers.dimension" = 4', '"split.seed" = 4', "'split.seed' cannot be searched"),
        ('"towers.dimension" = 4', '"towers.dimenson" = 4', "did you mean 'towers.dimension'"),
        ('"train.epochs" = 1', '"train.loss.margn" = 1', "no key 'train.loss.margn'"),
        ('"towers.dimension" = 4', '"towers.dimension" = -4', "variant 'narrow' of widths"),
        ("without", "wihtout", "did you mean 'without'"),
    ],
)
def test_illegal_variants_are_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write_study(tmp_path / "shop", STUDY.replace(old, new))
    with pytest.raises(ConfigError, match=message):
        opened(path)


def test_an_unknown_variant_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no variant 'narow'; there are: base, longer, narrow"):
        compare(write_study(tmp_path / "shop", STUDY), only=["narow"])


def test_changes_are_copied(tmp_path: Path) -> None:
    loss = '"train.loss" = { name = "full-softmax" }, "train.loss.temperature" = 0.2'
    study = opened(write_study(tmp_path / "shop", STUDY.replace('"towers.dimension" = 4', loss)))
    narrow = study.config.variants[1]
    assert study.run(narrow).train.loss.temperature == 0.2  # type: ignore[union-attr]
    assert narrow.changes["train.loss"] == {"name": "full-softmax"}


def test_a_result_is_computed_once_per_dependency(tmp_path: Path) -> None:
    computed: list[int] = []

    def compute(folder: Path) -> dict[str, Any]:
        (folder / "other").touch()
        computed.append(1)
        return {"figure": len(computed)}

    def cached(depends_on: object) -> dict[str, Any]:
        return cached_result(tmp_path, name="als", depends_on=depends_on, compute=compute)

    first = cached({"factors": 64})
    assert first == cached({"factors": 64}) and first["figure"] == 1
    assert {"date", "commit", "machine"} <= set(first)
    assert cached({"factors": 128})["figure"] == 2
    for file in tmp_path.glob(f"als-*/{RESULT}"):
        file.write_text(file.read_text()[:-9])  # damaged
    assert cached({"factors": 64})["figure"] == 3


def test_an_interrupted_computation_is_not_cached(tmp_path: Path) -> None:
    def killed(folder: Path) -> dict[str, Any]:
        (folder / "half").touch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached_result(tmp_path, name="bpr", depends_on=1, compute=killed)
    result = cached_result(tmp_path, name="bpr", depends_on=1, compute=lambda folder: {"a": 1})
    assert result["a"] == 1


def test_the_base_of_a_variant_study_may_have_content(tmp_path: Path) -> None:
    write_tiny(tmp_path, pictures="skip")
    path = tmp_path / "study.toml"
    path.write_text(STUDY.replace('"towers.dimension" = 4', '"towers.blocks" = []'))
    content, _ = compare(path, only=["narrow"])
    assert 0 < content["figures"]["narrow.hr@5"] <= 1
