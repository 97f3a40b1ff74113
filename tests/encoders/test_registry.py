"""What holds for all encoders together: configs, folders on disk, and encoders that are kept."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest

from recsys.config import Config, parse_config
from recsys.encoders import (
    NAMES,
    AutoEncoderConfig,
    BertConfig,
    EncoderConfig,
    ImageEncoderConfig,
    KerasApplicationConfig,
    TextEncoderConfig,
    TFLiteConfig,
    Word2VecConfig,
    WordVectorsConfig,
    build_encoder,
    load_encoder,
    obtain_encoder,
    registry,
)
from recsys.errors import ConfigError, DataError, EncoderError

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [f"red lamp number {n}" for n in range(20)]
SMALL = Word2VecConfig(dimension=4, min_count=1, epochs=2)


class Run(Config):
    text: TextEncoderConfig | None = None
    image: ImageEncoderConfig | None = None


def test_every_name_has_a_config_a_builder_and_a_class() -> None:
    names = {kind.model_fields["name"].default for kind in get_args(EncoderConfig)}
    assert names == set(NAMES) == set(registry._CLASSES)


@pytest.mark.parametrize(
    ("section", "kind"),
    [
        ({"text": {"name": "word-vectors", "file": "glove.txt"}}, WordVectorsConfig),
        ({"text": {"name": "word2vec", "window": 5}}, Word2VecConfig),
        ({"text": {"name": "bert", "model": "preset:tiny"}}, BertConfig),
        ({"image": {"name": "keras-application", "weights": "a.h5"}}, KerasApplicationConfig),
        ({"image": {"name": "tflite", "file": "a.tflite"}}, TFLiteConfig),
        ({"image": {"name": "auto-encoder", "filters": [2, 3, 4]}}, AutoEncoderConfig),
    ],
)
def test_the_name_chooses_the_config(section: dict, kind: type[Config]) -> None:
    run = parse_config(section, Run)
    found = run.text or run.image
    assert type(found) is kind
    assert Run.model_validate_json(run.model_dump_json()) == run


def test_weights_are_a_word_or_a_file() -> None:
    assert KerasApplicationConfig(weights="imagenet").weights == "imagenet"
    assert KerasApplicationConfig(weights="imagenet.h5").weights == Path("imagenet.h5")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"text": {"name": "word2vec", "dimensoin": 3}}, "did you mean 'dimension'"),
        ({"text": {"name": "gpt"}}, "'word-vectors', 'word2vec'"),
        ({"image": {"name": "auto-encoder", "size": 50}}, "multiple of 8"),
        ({"text": {"name": "word-vectors"}}, "the key 'text.file' is missing"),
    ],
)
def test_a_config_that_cannot_be_used_is_explained(section: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        parse_config(section, Run)


def test_importing_loads_neither_tensorflow_nor_gensim() -> None:
    heavy = ("tensorflow", "tf_keras", "keras", "keras_hub", "tokenizers", "gensim")
    code = (
        "import sys, recsys.encoders, recsys.features;"
        f"print([n for n in sys.modules if n.split('.')[0] in {heavy}])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert run.stdout.strip() == "[]", run.stderr


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    build_encoder(SMALL, TEXTS).save(tmp_path / "encoder")
    return tmp_path / "encoder"


def edit(folder: Path, **changes: object) -> None:
    path = folder / "encoder.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 99}, r"encoder.json has format version 99; this recsys reads 1"),
        ({"format": "other"}, "does not describe an encoder"),
        ({"name": "gpt"}, "holds a 'gpt' encoder; known encoders: word-vectors, word2vec"),
        ({"config": {"name": "word2vec", "dim": 3}}, "contradicts itself"),
        ({"fingerprint": "0"}, "states the fingerprint 0, its files have"),
        ({"dimension": None}, "no valid 'dimension'"),
        ({"files": {"../secret": {}}}, "names '../secret', outside its folder"),
        ({"files": {}}, "contradicts itself"),
    ],
)
def test_a_folder_that_contradicts_itself(saved: Path, changes: dict, message: str) -> None:
    edit(saved, **changes)
    with pytest.raises(EncoderError, match=message):
        load_encoder(saved)


def test_a_folder_without_an_encoder_is_refused(tmp_path: Path, saved: Path) -> None:
    with pytest.raises(EncoderError, match="encoder.json does not exist: build and save one first"):
        load_encoder(tmp_path / "nowhere")
    (saved / "encoder.json").write_text("{")
    with pytest.raises(EncoderError, match="encoder.json is damaged"):
        load_encoder(saved)


def test_a_folder_with_other_files_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(EncoderError, match="holds files that are not an encoder; choose an empty"):
        build_encoder(SMALL, TEXTS).save(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


class Builds:
    """Counts how often something is trained."""

    def __init__(self) -> None:
        self.epochs = 0

    def __call__(self, description: str, done: int, total: int, note: str = "") -> None:
        self.epochs += description == "train word vectors"


def obtained(folder: Path, config: EncoderConfig, texts: list, **options) -> tuple[str, int]:
    reports = Builds()
    encoder = obtain_encoder(config, texts, folder, progress=reports, **options)
    return encoder.fingerprint, reports.epochs


def test_a_changed_title_keeps_the_encoder(tmp_path: Path) -> None:
    first, epochs = obtained(tmp_path, SMALL, TEXTS)
    assert epochs == 2
    assert obtained(tmp_path, SMALL, ["green rug", *TEXTS[1:]]) == (first, 0)
    assert obtained(tmp_path, SMALL, TEXTS[5:]) == (first, 0), "fewer items teach nothing new"


def test_much_that_is_new_trains_again(tmp_path: Path) -> None:
    obtained(tmp_path, SMALL, TEXTS)
    many = [f"green rug {n}" for n in range(3)] + TEXTS[3:]
    assert obtained(tmp_path, SMALL, many, retrain_share=0.2)[1] == 0
    assert obtained(tmp_path, SMALL, many)[1] == 2
    assert obtained(tmp_path, SMALL, many)[1] == 0


def test_another_config_trains_again(tmp_path: Path) -> None:
    obtained(tmp_path, SMALL, TEXTS)
    other = SMALL.model_copy(update={"dimension": 5})
    assert obtained(tmp_path, other, TEXTS)[1] == 2


def test_another_file_at_the_same_path_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "vectors.txt"
    file.write_text("red 1 0\nlamp 0 1\n")
    config = WordVectorsConfig(file=file)
    first, _ = obtained(tmp_path / "kept", config, TEXTS)
    assert obtained(tmp_path / "kept", config, TEXTS)[0] == first
    file.write_text("red 1 0\nlamp 1 1\n")
    assert obtained(tmp_path / "kept", config, TEXTS)[0] != first


@pytest.mark.parametrize("name", ["built_from.npz", "encoder/weights.npz", "encoder/encoder.json"])
def test_a_damaged_encoder_is_built_again(tmp_path: Path, name: str) -> None:
    first, _ = obtained(tmp_path, SMALL, TEXTS)
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-20])
    assert obtained(tmp_path, SMALL, TEXTS) == (first, 2)
    assert obtained(tmp_path, SMALL, TEXTS) == (first, 0)


def test_contents_that_cannot_be_read_train_nothing(tmp_path: Path) -> None:
    class Partly(list):
        def __getitem__(self, position):
            if position == 3:
                raise DataError("picture 'c' is damaged")
            return super().__getitem__(position)

    from tests.encoders.drawings import made_pictures

    config = AutoEncoderConfig(dimension=4, size=8, filters=(2, 2, 2), epochs=1)
    obtain_encoder(config, Partly(made_pictures(6)), tmp_path)
