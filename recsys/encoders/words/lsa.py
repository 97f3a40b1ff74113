"""The encoder "lsa": word vectors from the singular vectors of the texts' bags of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import svds

from recsys.encoders.base import Content, texts_of
from recsys.encoders.configs import LsaConfig
from recsys.encoders.words.pooled_words import PooledWords
from recsys.encoders.words.tokens import words
from recsys.encoders.words.word_counts import frequent_words
from recsys.errors import EncoderError
from recsys.ids import Vectors
from recsys.progress import Progress, silent


def build(
    config: LsaConfig,
    training: Sequence[Content],
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> PooledWords:
    """Decompose the bags of words of ``training``; takes seconds, nothing is checkpointed.

    Raises:
        EncoderError: Not more than ``dimension`` texts have words that occur ``min_count`` times,
            or there are not more such words than that.
    """
    texts = texts_of(training)
    split = [words(text) for text in texts]
    vocabulary = frequent_words(split, min_count=config.min_count, most=config.max_words)
    weights = PooledWords.of(
        config, vocabulary, np.zeros((len(vocabulary), 1), np.float32), texts
    ).weights
    matrix = _matrix([Counter(text) for text in split], vocabulary, weights)
    if min(matrix.shape) <= config.dimension:
        raise EncoderError(
            f"'lsa' of dimension {config.dimension} needs more texts than that, and more words that"
            f" occur {config.min_count} times; the training contents have {matrix.shape[0]:,} such"
            f" texts and {matrix.shape[1]:,} such words: lower 'dimension', or give more texts"
        )
    _, _, rows = svds(matrix, k=config.dimension, v0=np.ones(min(matrix.shape)))
    vectors = rows[::-1].T  # the largest singular value first
    heaviest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[heaviest, np.arange(config.dimension)])
    return PooledWords.of(config, vocabulary, vectors.astype(np.float32), texts)


def _matrix(
    bags: Sequence[Counter[str]], vocabulary: Sequence[str], weights: Vectors
) -> sparse.csr_array:
    """Weighted counts, float64 ``[texts, words]``, each row of length 1; empty rows left out."""
    column = {word: at for at, word in enumerate(vocabulary)}
    rows = [{column[word]: n for word, n in bag.items() if word in column} for bag in bags]
    rows = [row for row in rows if row]
    columns = np.array([at for row in rows for at in row], np.int64)
    values = np.array([n for row in rows for n in row.values()], np.float64) * weights[columns]
    owner = np.repeat(np.arange(len(rows)), [len(row) for row in rows])
    values /= np.sqrt(np.bincount(owner, values**2, minlength=len(rows)))[owner]
    return sparse.csr_array((values, (owner, columns)), shape=(len(rows), len(vocabulary)))
