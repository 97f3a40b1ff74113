"""The language model's encoder: the contract, words that depend on their sentence, killed runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from recsys.encoders import Content, ElmoConfig, Encoder, build_encoder
from recsys.encoders.elmo.encoder import Elmo
from recsys.encoders.elmo.mixing import train_weights
from recsys.errors import EncoderError
from tests.contracts.encoder_contract import TextEncoderContract

TEXTS = [
    "red lamp for a reading corner",
    "green lamp for the desk",
    "knitted wool rug",
    "wool socks, hand knitted",
    "garden spade and rake",
    "rake the garden in spring",
]
SMALL = ElmoConfig(
    dimension=8,
    layers=1,
    min_count=1,
    epochs=2,
    max_words=5,
    negatives=8,
    batch_words=20,
)


def elmo(config: ElmoConfig, texts: Sequence[str], **options) -> Elmo:
    encoder = build_encoder(config, texts, **options)
    assert isinstance(encoder, Elmo)
    return encoder


@cache
def small(tokens: str) -> Elmo:
    return elmo(SMALL.model_copy(update={"tokens": tokens}), TEXTS)


class ElmoContract(TextEncoderContract):
    order = "read"

    @classmethod
    def contents(cls) -> Sequence[Content]:
        return TEXTS


class TestWords(ElmoContract):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(SMALL, TEXTS)


class TestCharacters(ElmoContract):
    encoded = frozenset({"unknown words"})

    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(SMALL.model_copy(update={"tokens": "characters"}), TEXTS)


class Killed(Exception):
    """Stands for a signal."""


def run_until(epoch: int | None, checkpoints: Path | None) -> tuple[str, list[str]]:
    reports: list[str] = []

    def report(description: str, done: int, total: int, note: str = "") -> None:
        if description == "train elmo":
            reports.append(f"{done}/{total} {note}")
            if done == epoch:
                raise Killed

    config = SMALL.model_copy(update={"epochs": 3, "held_out": 0.2})
    encoder = elmo(config, TEXTS, checkpoints=checkpoints, progress=report)
    return encoder.fingerprint, reports


@pytest.mark.slow
def test_killed_training_resumes_and_ends_the_same(tmp_path: Path) -> None:
    fingerprint, reports = run_until(None, None)
    assert [line.split()[0] for line in reports] == ["1/3", "2/3", "3/3"]
    assert all(", perplexity " in line for line in reports)
    with pytest.raises(Killed):
        run_until(2, tmp_path)
    again, rest = run_until(None, tmp_path)
    assert rest == reports[2:]
    assert again == fingerprint


def test_a_training_that_diverges_is_refused() -> None:
    config = SMALL.model_copy(update={"learning_rate": 1e30, "epochs": 9})
    with pytest.raises(
        EncoderError, match="loss of 'elmo' became (nan|inf) in .*lower 'learning_rate"
    ):
        elmo(config, TEXTS)


@pytest.mark.parametrize("texts", [[], ["", "?"], ["red", "lamp"]])
def test_texts_without_frequent_words_are_refused(texts: list[str]) -> None:
    with pytest.raises(EncoderError, match=r"no word occurs 2 times in the \d training texts"):
        elmo(ElmoConfig(), texts)


def test_one_training_text_will_do() -> None:
    """With one text nothing can be distinguished, and all layers have the same weight."""
    encoder = elmo(SMALL, ["lamp"])
    np.testing.assert_allclose(encoder.mix.weights, 1 / 2)
    assert encoder.encode(["lamp", "rug"]).mask.tolist() == [True, False]


def test_a_text_is_the_weighted_mean_of_its_words() -> None:
    """Over two windows, with an unknown word among them."""
    encoder = small("words")
    text = "green lamp for zzz rake the garden"
    found, vectors = encoder.word_vectors(text)
    assert found == text.split() and vectors.dtype == np.float32
    vocabulary = encoder.reader.vocabulary
    weights = vocabulary.weights[vocabulary.ids(found)]
    df = {"green": 1, "lamp": 2, "for": 2, "zzz": None, "rake": 2, "the": 2, "garden": 2}
    expected = [0 if n is None else np.log(7 / (1 + n)) + 1 for n in df.values()]
    np.testing.assert_allclose(weights, expected, rtol=1e-6)
    mean = weights @ vectors
    np.testing.assert_allclose(
        encoder.encode([text]).vectors[0], mean / np.linalg.norm(mean), atol=1e-5
    )


@pytest.mark.parametrize("tokens", ["words", "characters"])
def test_padding_is_not_read(tokens: str) -> None:
    """Forward and backward, in every layer: a short window is encoded the same in any batch."""
    reader = replace(small(tokens).reader, max_words=20)
    short, long = ["a", "rug"], ["garden", "incomprehensibilities", "for", "the", "corner"]
    batched, _ = reader.texts([short, long, short])
    alone, _ = reader.texts([short])
    np.testing.assert_allclose(batched[[0, 2]], np.repeat(alone, 2, axis=0), atol=1e-6)


def test_a_word_depends_on_its_window_only() -> None:
    encoder = small("words")
    _, together = encoder.word_vectors("red lamp for a desk knitted wool rug in spring")
    _, first = encoder.word_vectors("red lamp for a desk")
    _, second = encoder.word_vectors("knitted wool rug in spring")
    np.testing.assert_allclose(together, np.concatenate([first, second]), atol=1e-4)
    assert encoder.word_vectors("?")[1].shape == (0, 8)


SENSES = {
    "river": ["water", "fish", "boat", "stream", "wet", "mud", "swim"],
    "money": ["coin", "loan", "cash", "credit", "rich", "pay", "gold"],
}


def sentence(sense: str, rng: np.random.Generator) -> str:
    """The word "bank" in the middle, words of one sense around it."""
    around = rng.choice(SENSES[sense], 6).tolist()
    return " ".join([*around[:3], "bank", *around[3:]])


def test_a_word_is_near_to_its_own_sense() -> None:
    """The sense of "bank" depends only on the rest of the sentence, which determines it."""
    rng = np.random.default_rng(0)
    texts = [sentence(sense, rng) for _ in range(150) for sense in SENSES]
    config = ElmoConfig(dimension=32, epochs=6, batch_words=256, negatives=8, learning_rate=0.01)
    encoder = elmo(config, texts)
    words = [sense for _ in range(20) for sense in SENSES]
    banks = np.stack([encoder.word_vectors(sentence(s, rng))[1][3] for s in words])
    banks /= np.linalg.norm(banks, axis=1, keepdims=True)
    likeness = banks @ banks.T
    np.fill_diagonal(likeness, -1)
    nearest = [words[position] for position in likeness.argmax(axis=1)]
    assert nearest == words
    same = np.equal.outer(words, words)
    assert likeness[same & (likeness > -1)].mean() > likeness[~same].mean()


def test_the_layers_weights_are_learned() -> None:
    """Of two layers one identifies the text of a half, the other is noise."""
    rng = np.random.default_rng(0)
    halves = rng.normal(size=(2, 200, 2, 8))
    halves[1, :, 1] = halves[0, :, 1]
    weights, gamma = train_weights(ElmoConfig(), halves[0].astype("f4"), halves[1].astype("f4"))
    assert weights[1] > 0.95 and gamma > 1
    np.testing.assert_allclose(weights.sum(), 1, atol=1e-6)
