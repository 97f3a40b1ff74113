"""Files of sections and of their parts, relative to the configuration's folder."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recsys.encoders import (
    BagOfWordsConfig,
    BertConfig,
    ElmoConfig,
    JoinedConfig,
    KerasApplicationConfig,
    LsaConfig,
    TFLiteConfig,
    Word2VecConfig,
    WordVectorsConfig,
)
from recsys.pipeline.config import RunConfig
from recsys.pipeline.job import Job
from recsys.pipeline.sections import external_files, rebase_paths, resolve_files

HOME = Path("where") / "the" / "config" / "is"
JOB: Any = SimpleNamespace(path=lambda path: HOME / path)
GLOVE, BERT = WordVectorsConfig(file=Path("glove.txt")), BertConfig(model="minilm")
JOINED = JoinedConfig(parts=(LsaConfig(), GLOVE, BERT), scales=(1, 1, 2))


def test_files_of_parts_are_external_files() -> None:
    found = external_files(JOB, text=JOINED, image=None)
    assert found == {"text.parts.1.file": HOME / "glove.txt", "text.parts.2.model": HOME / "minilm"}
    assert external_files(JOB, text=GLOVE) == {"text.file": HOME / "glove.txt"}


def test_files_of_parts_are_resolved() -> None:
    found = resolve_files(JOB, JOINED)
    assert found.parts == tuple(resolve_files(JOB, part) for part in JOINED.parts)
    assert found.parts[1].file == HOME / "glove.txt" and found.scales == JOINED.scales


def test_files_of_the_evaluation_and_of_the_ranker_are_rebased() -> None:
    values = {"data": {}, "evaluation": {"oracle": "o.json"}, "ranker": {"impressions": "s"}}
    moved = rebase_paths(values, old=Path("a"), new=Path("b"))
    assert moved["evaluation"] == {"oracle": "../a/o.json"}
    assert moved["ranker"] == {"impressions": "../a/s"}
    assert rebase_paths({"data": {}, "ranker": None}, old=Path("a"), new=Path("b"))["data"] == {}


@pytest.fixture
def job(tmp_path: Path) -> Job:
    log = {"interactions": {"format": "csv", "path": "log.csv"}}
    config = RunConfig.model_validate({"name": "a", "data": log})
    return Job(config, tmp_path / "configs", tmp_path / "run", tmp_path / "cache")


def test_files_and_folders_are_found(job: Job) -> None:
    words = WordVectorsConfig(file=Path("../glove.txt"))
    bert = BertConfig(model="models/mini")
    expected = {
        "text.file": job.base / "../glove.txt",
        "image.model": job.base / "models/mini",
    }
    assert external_files(job, text=words, image=bert, none=None) == expected
    assert resolve_files(job, words).file == expected["text.file"]
    assert resolve_files(job, bert).model == str(expected["image.model"])
    assert resolve_files(job, TFLiteConfig(file="a.tflite")).file == job.base / "a.tflite"


def test_a_model_in_an_installed_package(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "carrying" / "model").mkdir(parents=True)
    (tmp_path / "carrying" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    config = BertConfig(model="package:carrying/model")
    assert external_files(job, text=config) == {"text.model": tmp_path / "carrying" / "model"}
    assert resolve_files(job, config).model == str(tmp_path / "carrying" / "model")


@pytest.mark.parametrize(
    "section",
    [
        BertConfig(model="preset:bert_tiny_en_uncased"),
        KerasApplicationConfig(weights="imagenet"),
        KerasApplicationConfig(weights="none"),
    ],
)
def test_a_keyword_of_the_encoder_is_not_a_file(
    job: Job, section: BertConfig | KerasApplicationConfig
) -> None:
    assert external_files(job, image=section) == {}
    assert resolve_files(job, section) == section


@pytest.mark.parametrize(
    "config", [BagOfWordsConfig(), LsaConfig(), ElmoConfig(), Word2VecConfig()]
)
def test_encoders_trained_on_the_catalogue_name_no_file(config: Any) -> None:
    assert external_files(JOB, text=config) == {}
