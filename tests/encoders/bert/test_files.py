"""A model's folder that is not what it says: every fault is named, with what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from recsys.encoders import BertConfig, build_encoder, obtain_encoder
from recsys.encoders.bert.files import read_pretrained
from recsys.encoders.bert.network import build_backbone, keras_hub
from recsys.encoders.bert.safetensors_files import read_safetensors
from recsys.errors import EncoderError
from tests.encoders.bert.test_encoder import keras_hub_folder
from tests.encoders.bert.tiny_bert import (
    CONFIG,
    NUMBERS,
    VOCABULARY,
    random_state,
    write_folder,
    write_safetensors,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "model")


def read(folder: Path):
    return read_pretrained(BertConfig(model=str(folder)))


def settings(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / "config.json").write_text(json.dumps({**CONFIG, **changes}))

    return change


def weights(change: Callable[[dict[str, np.ndarray]], None]) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        state = random_state()
        change(state)
        write_safetensors(folder / "model.safetensors", state)

    return rewrite


def _not_finite(state: dict[str, np.ndarray]) -> None:
    state["encoder.layer.1.output.dense.bias"][3] = np.nan


def _another_shape(state: dict[str, np.ndarray]) -> None:
    state["embeddings.LayerNorm.bias"] = np.zeros(31, np.float32)


def _truncated(folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1000])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "config.json").unlink(), r"expected config.json in .* \(No such file"),
        (
            lambda f: (f / "config.json").write_text("{"),
            "config.json is not JSON: .*; get the model",
        ),
        (
            lambda f: (f / "config.json").write_text("[1]"),
            r"must hold a JSON object; it holds \[",
        ),
        (settings(model_type="roberta"), "expected a BERT, model_type 'bert'; .* says 'roberta'"),
        (settings(model_type=None), "expected a BERT, model_type 'bert'; .* says None"),
        (settings(is_decoder=True), "expected a BERT, is_decoder False; .* says True"),
        (settings(position_embedding_type="relative_key"), "'absolute'; .* says 'relative_key'"),
        (settings(hidden_act="swish"), "activation 'swish'; supported: gelu, gelu_new"),
        (settings(hidden_act=["gelu"]), r"activation .*'gelu'.*; supported: gelu"),
        (settings(num_hidden_layers=10**9), "'num_hidden_layers': .*less than or equal to 48"),
        (settings(hidden_size="32"), r"'hidden_size': .*valid integer \(got '32'\)"),
        (settings(num_attention_heads=5), "5 heads do not divide the width 32"),
        (settings(layer_norm_eps=0), "'norm_epsilon': .*greater than 0"),
        (settings(vocab_size=None), "'vocab_size': .*valid integer"),
        (settings(vocab_size=10), "vocabulary of .* has 33 tokens, the model 10"),
        (settings(hidden_size=64), r"of shape \[33, 32\], expected \[33, 64\]"),
        (settings(num_hidden_layers=3), "has no 'encoder.layer.2.attention.self.query.weight'"),
        (
            lambda f: (f / "model.safetensors").unlink(),
            "expected the weights in .*model.safetensors",
        ),
        (
            _truncated,
            r"expected a whole safetensors file; .* not fully covered; get the model again",
        ),
        (weights(lambda s: s.pop("embeddings.LayerNorm.weight")), "has no 'embeddings.Layer"),
        (weights(_another_shape), r"'embeddings.LayerNorm.bias' of shape \[31\]"),
        (
            weights(_not_finite),
            "has a 'encoder.layer.1.output.dense.bias' that is not finite",
        ),
        (lambda f: (f / "vocab.txt").unlink(), r"expected vocab.txt in .*get the model again"),
        (lambda f: (f / "vocab.txt").write_bytes(b"\xff\xfe"), "vocabulary of .* can't decode"),
        (lambda f: (f / "vocab.txt").write_text("lamp"), r"vocabulary of .* \(1 lines\) has no"),
        (
            lambda f: (f / "tokenizer_config.json").write_text('{"do_lower_case": 3}'),
            "'lower_case'",
        ),
    ],
)
def test_a_damaged_folder_is_explained(
    folder: Path, damage: Callable[[Path], None], message: str
) -> None:
    damage(folder)
    with pytest.raises(EncoderError, match=message) as caught:
        read(folder)
    assert caught.value.field in ("model", "") and caught.value.message.count("\n") == 0


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("nowhere", "expected a folder with a BERT; nowhere does not exist: check .*preset:NAME"),
        ("package:no_such_package/model", "no installed Python package 'no_such_package'; pip"),
        ("package:json/../os.py", "leads out of the package"),
        ("preset:bert_tiny_en_uncasd", "no BERT preset .*; similar ones: bert_tiny_en_uncased"),
    ],
)
def test_a_model_that_is_nowhere(model: str, message: str) -> None:
    with pytest.raises(EncoderError, match=message):
        read_pretrained(BertConfig(model=model))


def test_older_names_and_a_model_without_a_tokenizer_config(tmp_path: Path, folder: Path) -> None:
    old = write_folder(tmp_path / "old")
    state = {
        "bert." + name.replace("Norm.weight", "Norm.gamma").replace("Norm.bias", "Norm.beta"): value
        for name, value in random_state().items()
    }
    write_safetensors(old / "model.safetensors", {**state, "cls.seq.weight": np.ones((2, 32))})
    (old / "tokenizer_config.json").unlink()
    one, other = (build_encoder(BertConfig(model=str(path)), []) for path in (folder, old))
    assert one.fingerprint == other.fingerprint


def test_numbers_of_half_precision(tmp_path: Path) -> None:
    value = np.array([[1.5, -2.0], [0.25, 3.0]])
    brain = (value.astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)
    tensors = {"a": value, "b": value.astype(np.float16), "c": brain, "none": np.zeros((0, 3))}
    write_safetensors(tmp_path / "f", {**tensors, "ids": np.arange(3)})
    found = read_safetensors(tmp_path / "f")
    assert sorted(found) == ["a", "b", "c", "none"]
    assert all(tensor.dtype == np.float32 for tensor in found.values())
    for name in "abc":
        np.testing.assert_array_equal(found[name], value)


def entry(**changes: object) -> bytes:
    description = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}
    return json.dumps({"a": description}).encode()


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"{", "invalid JSON"),
        (b"[]", "invalid JSON"),
        (b'{"a": 3}', "invalid JSON"),
        (b'{"a": {"dtype": "F32"}}', "invalid JSON"),
        (b"[" * 100_000, "invalid JSON"),
        (entry(shape=[-2]), "invalid JSON"),
        (entry(shape=[True, 2]), "invalid JSON"),
        (entry(data_offsets=[0, 16]), "invalid shape, data type, or offset"),
        (entry(data_offsets=[8, 0]), "invalid .*offset"),
        (entry(shape=[10**12, 10**12]), "overflow"),
        (entry(data_offsets=[0]), "invalid JSON"),
    ],
)
def test_a_hostile_safetensors_file(tmp_path: Path, header: bytes, message: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(8))
    with pytest.raises(
        EncoderError, match=f"expected a whole safetensors file; .*{message}.*; get the model again"
    ):
        read_safetensors(path)


@pytest.mark.parametrize("length", [0, 1, 7, 8, 20])
def test_a_safetensors_file_cut_in_its_header(tmp_path: Path, length: int) -> None:
    path = tmp_path / "f"
    write_safetensors(path, {"a": np.ones(3, np.float32)})
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(EncoderError, match="expected a whole safetensors file; .* header"):
        read_safetensors(path)


def test_a_folder_of_keras_hub_with_other_weights(tmp_path: Path) -> None:
    folder = keras_hub_folder(tmp_path / "model")
    whole = (folder / "model.weights.h5").read_bytes()
    (folder / "model.weights.h5").write_bytes(whole[:3000])
    with pytest.raises(EncoderError, match="model.weights.h5 does not hold the weights of this"):
        read(folder)
    (folder / "model.weights.h5").write_bytes(whole[:-100])
    with pytest.raises(EncoderError, match="model.weights.h5 does not hold the weights of this"):
        read(folder)
    values = json.loads((folder / "config.json").read_text())
    huge = {**values, "config": {**values["config"], "vocabulary_size": 2_000_000}}
    (folder / "config.json").write_text(json.dumps(huge))
    with pytest.raises(EncoderError, match="bytes cannot hold 64,.* numbers; get the model again"):
        read(folder)
    (folder / "model.weights.h5").unlink()
    with pytest.raises(EncoderError, match="model.weights.h5 does not hold .*No such file"):
        read(folder)
    values["registered_name"] = "keras_hub>GPT2Backbone"
    (folder / "config.json").write_text(json.dumps(values))
    with pytest.raises(
        EncoderError, match="expected keras_hub>BertBackbone; .* says 'keras_hub>GP"
    ):
        read(folder)


def test_a_preset_is_taken_from_keras_hub(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    models = keras_hub().models
    backbone = build_backbone(NUMBERS, random_state())
    tokenizer = models.BertTokenizer(VOCABULARY, lowercase=True)
    monkeypatch.setattr(models.BertBackbone, "from_preset", lambda name: backbone)
    monkeypatch.setattr(models.BertTokenizer, "from_preset", lambda name: tokenizer)
    found = read_pretrained(BertConfig(model="preset:bert_tiny_en_uncased"))
    assert found.architecture == NUMBERS.model_copy(update={"activation": "gelu_tanh"})
    assert found.vocabulary.decode().split("\n") == VOCABULARY
    for name, value in random_state().items():
        np.testing.assert_array_equal(found.state[name], value)

    def offline(name: str) -> None:
        raise RuntimeError("no network")

    monkeypatch.setattr(models.BertBackbone, "from_preset", offline)
    with pytest.raises(EncoderError, match="could not get the preset .* no network; without a n"):
        read_pretrained(BertConfig(model="preset:bert_tiny_en_uncased"))


def test_another_model_at_the_same_path_is_read_again(tmp_path: Path, folder: Path) -> None:
    config = BertConfig(model=str(folder))
    reports: list[str] = []

    def obtained() -> str:
        reports.clear()
        return obtain_encoder(
            config,
            [],
            tmp_path / "kept",
            progress=lambda description, *_: reports.append(description),
        ).fingerprint

    first = obtained()
    assert obtained() == first and reports == ["reuse the encoder"]
    write_folder(folder, seed=1)
    assert obtained() != first
