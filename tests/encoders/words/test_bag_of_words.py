"""The bag of words: the contract, its arithmetic by hand, and that a projection of it is a sum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from recsys.encoders import BagOfWordsConfig, Content, Encoder, build_encoder
from recsys.encoders.words.bag_of_words import BagOfWords
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


class Bag(TextEncoderContract):
    @classmethod
    def contents(cls) -> Sequence[Content]:
        return TEXTS


class TestTfIdf(Bag):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(BagOfWordsConfig(min_count=1), TEXTS)


class TestMultiHot(Bag):
    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(BagOfWordsConfig(weighting="multi-hot", min_count=1), TEXTS)


def bag(config: BagOfWordsConfig, texts: Sequence[str]) -> BagOfWords:
    encoder = build_encoder(config, texts)
    assert isinstance(encoder, BagOfWords)
    return encoder


def test_weights_by_hand() -> None:
    texts = ["red lamp", "lamp", "lamp lamp"]
    lamp, red = math.log(4 / 4) + 1, math.log(4 / 2) + 1
    encoder = bag(BagOfWordsConfig(min_count=1), texts)
    assert encoder.vocabulary == ("lamp", "red")
    expected = np.array([2 * lamp, red]) / math.hypot(2 * lamp, red)
    np.testing.assert_allclose(encoder.encode(["lamp, red lamp"]).vectors[0], expected, atol=1e-6)
    present = bag(BagOfWordsConfig(weighting="multi-hot", min_count=1), texts)
    np.testing.assert_allclose(present.encode(["lamp, red lamp"]).vectors[0], [0.5**0.5] * 2)


def test_the_most_frequent_words_and_of_equals_the_first() -> None:
    encoder = bag(BagOfWordsConfig(max_words=3), ["b b c c a a a d", "e"])
    assert encoder.vocabulary == ("a", "b", "c")


def test_a_projection_is_a_sum_of_word_embeddings() -> None:
    encoder = bag(BagOfWordsConfig(weighting="multi-hot", min_count=1), TEXTS)
    embeddings = np.random.default_rng(0).normal(size=(encoder.dimension, 4))
    rows = [encoder.vocabulary.index(word) for word in ("green", "rug")]
    projected = encoder.encode(["a green-rug"]).vectors[0] @ embeddings
    total = embeddings[[*rows, encoder.vocabulary.index("a")]].sum(axis=0)
    np.testing.assert_allclose(projected, total / math.sqrt(3), atol=1e-6)


@pytest.mark.parametrize("texts", [[], ["", "?"], ["red", "lamp"]])
def test_texts_without_frequent_words_are_refused(texts: list[str]) -> None:
    with pytest.raises(EncoderError, match=r"no word occurs 2 times in the \d training texts"):
        build_encoder(BagOfWordsConfig(), texts)
