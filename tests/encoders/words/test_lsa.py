"""Latent semantic analysis: the contract, and what the decomposition must find in small worlds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from recsys.encoders import Content, Encoder, LsaConfig, build_encoder
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
MORE = ["a rug", "a wool desk", "garden lamp, hand made"]
"""So that the six differ in fewer directions than are kept."""


class TestLsa(TextEncoderContract):
    @classmethod
    def contents(cls) -> Sequence[Content]:
        return TEXTS

    @classmethod
    def build(cls, folder: Path) -> Encoder:
        return build_encoder(LsaConfig(dimension=8, min_count=1), [*TEXTS, *MORE])


def test_words_that_never_meet_are_near_where_they_meet_the_same_words() -> None:
    """Car and auto share no text, but engine and wheel; tulip shares nothing with them."""
    texts = ["car engine", "auto engine", "car wheel", "auto wheel", "tulip bulb", "tulip soil"]
    encoder = build_encoder(LsaConfig(dimension=2, min_count=1), texts)
    car, auto, tulip = encoder.encode(["car", "auto", "tulip"]).vectors
    assert car @ auto == pytest.approx(1, abs=1e-5)
    assert car @ tulip == pytest.approx(0, abs=1e-5)


def test_it_is_the_decomposition_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    texts = [" ".join(f"w{word}" for word in rng.zipf(1.5, 30) % 60) for _ in range(80)]
    encoded = build_encoder(LsaConfig(dimension=10, min_count=1), texts).encode(texts).vectors
    tf_idf = TfidfVectorizer(token_pattern=r"\w+").fit_transform(texts)
    theirs = TruncatedSVD(10, algorithm="arpack", random_state=0).fit_transform(tf_idf)
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    # Axes may be mirrored; cosines may not differ.
    np.testing.assert_allclose(encoded @ encoded.T, theirs @ theirs.T, atol=1e-4)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "has 0 such texts and 0 such words"),
        (["", "..."], "lower 'min_count' or give more texts"),
        (["a b c", "a b c"], r"'lsa' of dimension 2 needs more texts.* 2 such texts and 3 such"),
        (["a b", "a b", "b a"], "3 such texts and 2 such words"),
    ],
)
def test_too_little_to_learn_from(texts: list[str], message: str) -> None:
    with pytest.raises(EncoderError, match=message.replace("has ", "have ")):
        build_encoder(LsaConfig(dimension=2, min_count=1), texts)
