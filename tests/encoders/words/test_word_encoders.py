"""The text encoders: the contract, the arithmetic of pooling by hand, and training that repeats."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from recsys.encoders import Content, Encoder, Word2VecConfig, WordVectorsConfig, build_encoder
from recsys.encoders.words.pooled_words import PooledWords
from recsys.errors import EncoderError
from tests.contracts.encoder_contract import TextEncoderContract

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    "red lamp for a reading corner",
    "green lamp for the desk",
    "knitted wool rug",
    "wool socks, hand knitted",
    "garden spade and rake",
    "rake the garden in spring",
]


def vector_file(folder: Path, vectors: dict[str, Sequence[float]]) -> Path:
    lines = [" ".join([word, *map(str, vector)]) for word, vector in vectors.items()]
    path = folder / "vectors.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def random_file(folder: Path) -> Path:
    rng = np.random.default_rng(0)
    vocabulary = sorted({word.strip(",") for text in TEXTS for word in text.split()})
    return vector_file(folder, {w: rng.normal(size=6).round(4).tolist() for w in vocabulary})


class Words(TextEncoderContract):
    @classmethod
    def contents(cls) -> Sequence[Content]:
        return TEXTS


class TestIdf(Words):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(WordVectorsConfig(file=random_file(folder)), TEXTS)

    def test_built_again_the_same(self, encoder: Encoder, expected, tmp_path: Path) -> None:
        """Another place of the same file is no other encoder."""
        assert self.build(tmp_path).fingerprint == encoder.fingerprint


class TestSif(Words):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(
            WordVectorsConfig(file=random_file(folder), pooling="sif", common_component="remove"),
            TEXTS,
        )


class TestSkipGram(Words):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(Word2VecConfig(dimension=8, min_count=1, epochs=3), TEXTS)


def unit(vector: Sequence[float]) -> np.ndarray:
    return np.asarray(vector) / np.linalg.norm(vector)


TWO = {"red": (1.0, 0.0), "lamp": (0.0, 1.0)}
THREE_TEXTS = ["red lamp", "lamp", "lamp lamp"]


@pytest.mark.parametrize(
    ("pooling", "red", "lamp"),
    [
        ("mean", 1, 1),
        ("idf", math.log((1 + 3) / (1 + 1)) + 1, math.log((1 + 3) / (1 + 3)) + 1),
        ("sif", 0.1 / (0.1 + 1 / 5), 0.1 / (0.1 + 4 / 5)),
    ],
)
def test_weights_by_hand(tmp_path: Path, pooling: str, red: float, lamp: float) -> None:
    config = WordVectorsConfig(file=vector_file(tmp_path, TWO), pooling=pooling, sif_a=0.1)
    encoded = build_encoder(config, THREE_TEXTS).encode(["red lamp", "red lamp lamp"])
    np.testing.assert_allclose(encoded.vectors[0], unit([red, lamp]), atol=1e-6)
    np.testing.assert_allclose(encoded.vectors[1], unit([red, 2 * lamp]), atol=1e-6)


def test_the_common_component_is_removed(tmp_path: Path) -> None:
    """Every text points along (1, 0) first of all; what is left is how they differ."""
    vectors = {"up": (9.0, 1.0), "down": (9.0, -1.0)}
    config = WordVectorsConfig(
        file=vector_file(tmp_path, vectors), pooling="mean", common_component="remove"
    )
    encoded = build_encoder(config, ["up", "down"]).encode(["up", "down"])
    np.testing.assert_allclose(encoded.vectors, [[0, 1], [0, -1]], atol=1e-6)


def test_sif_by_hand(tmp_path: Path) -> None:
    """Arora et al. 2017, algorithm 1, step by step, the means not scaled before their direction."""
    vectors = {"red": (4.0, 1.0), "lamp": (0.0, 2.0), "rug": (3.0, 0.0)}
    texts = ["red lamp", "lamp", "rug rug red lamp"]  # 7 words: red 2, lamp 3, rug 2
    red, lamp, rug = (0.5 / (0.5 + count / 7) for count in (2, 3, 2))
    means = np.array(
        [
            [4 * red / 2, (1 * red + 2 * lamp) / 2],
            [0, 2 * lamp],
            [(2 * 3 * rug + 4 * red) / 4, (1 * red + 2 * lamp) / 4],
        ]
    )
    first = np.linalg.svd(means)[2][0]
    config = WordVectorsConfig(
        file=vector_file(tmp_path, vectors), pooling="sif", sif_a=0.5, common_component="remove"
    )
    encoder = build_encoder(config, texts)
    assert isinstance(encoder, PooledWords)
    np.testing.assert_allclose(np.abs(encoder.common), np.abs(first), atol=1e-6)
    left = means - np.outer(means @ first, first)
    expected = left / np.linalg.norm(left, axis=1, keepdims=True)
    np.testing.assert_allclose(encoder.encode(texts).vectors, expected, atol=1e-5)


def test_words_without_a_vector_do_not_count_in_the_mean(tmp_path: Path) -> None:
    config = WordVectorsConfig(
        file=vector_file(tmp_path, TWO), pooling="mean", common_component="remove"
    )
    plain = build_encoder(config, ["red lamp", "lamp", "red red lamp"])
    noisy = build_encoder(config, ["red lamp sofa", "lamp desk desk desk", "red red lamp rug"])
    assert noisy.fingerprint == plain.fingerprint


def test_without_training_texts_every_word_weighs_the_same(tmp_path: Path) -> None:
    config = WordVectorsConfig(file=vector_file(tmp_path, TWO), pooling="idf")
    encoded = build_encoder(config, []).encode(["red lamp"])
    np.testing.assert_allclose(encoded.vectors[0], unit([1, 1]), atol=1e-6)


def test_a_common_component_needs_texts(tmp_path: Path) -> None:
    config = WordVectorsConfig(file=vector_file(tmp_path, TWO), common_component="remove")
    with pytest.raises(EncoderError, match="needs at least two training texts"):
        build_encoder(config, ["red"])


def test_words_without_a_vector_are_counted(tmp_path: Path) -> None:
    encoder = build_encoder(WordVectorsConfig(file=vector_file(tmp_path, TWO)), THREE_TEXTS)
    assert isinstance(encoder, PooledWords)
    coverage = encoder.coverage(["red rug", "Rug, lamp", "sofa"])
    assert (coverage.words, coverage.known) == (5, 2)
    assert coverage.unknown == (("rug", 2), ("sofa", 1)) and coverage.share == 0.4
    assert encoder.coverage([]).share == 1.0


def test_training_needs_words_that_occur_often_enough() -> None:
    with pytest.raises(EncoderError, match="no word occurs 2 times in the 2 training texts"):
        build_encoder(Word2VecConfig(min_count=2), ["red", "lamp"])


def test_words_that_occur_together_are_similar() -> None:
    """Two topics that share no word: each word's neighbours must be of its own topic."""
    rng = np.random.default_rng(0)
    topics = [[f"{topic}{n}" for n in range(12)] for topic in ("a", "b", "c")]
    texts = [" ".join(rng.choice(topics[n % 3], 8)) for n in range(600)]
    encoder = build_encoder(Word2VecConfig(dimension=16, epochs=5), texts)
    encoded = encoder.encode([word for topic in topics for word in topic])
    likeness = encoded.vectors @ encoded.vectors.T
    np.fill_diagonal(likeness, -1)
    nearest = np.argsort(-likeness, axis=1)[:, :5]
    assert (nearest // 12 == np.repeat(np.arange(3), 12)[:, None]).mean() == 1.0


def test_progress_reports_every_epoch() -> None:
    reports: list[tuple[str, int, int]] = []
    build_encoder(
        Word2VecConfig(dimension=4, min_count=1, epochs=3),
        TEXTS,
        progress=lambda description, done, total, note="": reports.append(
            (description, done, total)
        ),
    )
    assert reports == [("train word vectors", n, 3) for n in (1, 2, 3)]


def test_the_same_in_another_process_and_without_tensorflow() -> None:
    """Python's own hash of a string changes from process to process; vectors must not."""
    config, texts = Word2VecConfig(dimension=4, min_count=1, epochs=1), ["red lamp", "red rug"]
    code = (
        "import sys, recsys.features; from recsys.encoders import *;"
        f"config = Word2VecConfig.model_validate_json({config.model_dump_json()!r});"
        f"print(build_encoder(config, {texts}).fingerprint);"
        "print([name for name in sys.modules if name.startswith(('tensorflow', 'tf_keras'))])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.split("\n")[:2] == [build_encoder(config, texts).fingerprint, "[]"]


@pytest.mark.realdata
def test_glove_has_vectors_of_most_words_of_the_plots(real_data: Path) -> None:
    import pandas as pd

    items = pd.read_parquet(real_data / "movielens-1m" / "items.parquet")
    texts = items["plot"].fillna("").tolist()
    config = WordVectorsConfig(file=real_data / "words" / "glove.6B.50d.20k.txt")
    encoder = build_encoder(config, texts)
    assert isinstance(encoder, PooledWords) and encoder.dimension == 50
    coverage = encoder.coverage(texts)
    assert coverage.known / coverage.words > 0.9
    vectors = encoder.encode(["a ship in space", "astronauts orbit a planet", "a wedding"]).vectors
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.1
