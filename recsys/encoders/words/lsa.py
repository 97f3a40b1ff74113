"""The encoder "lsa": word vectors from the singular vectors of the texts' bags of words."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.encoders.contents import Contents, texts_of
from recsys.encoders.words.configs import LsaConfig
from recsys.encoders.words.counting import count_matrix, frequent_words
from recsys.encoders.words.pooled_words import PooledWords, word_weights
from recsys.encoders.words.tokens import words
from recsys.errors import EncoderError
from recsys.progress import Progress


class Lsa(PooledWords):
    """Words with vectors from latent semantic analysis."""

    @classmethod
    def build(
        cls, config: LsaConfig, training: Contents, checkpoints: Path | None, progress: Progress
    ) -> Lsa:
        """Decompose the bags of words of ``training``, without checkpoints.

        12,000 texts and 256 dimensions take about 50 seconds of one core.
        """
        from sklearn.decomposition import TruncatedSVD
        from sklearn.preprocessing import normalize

        texts = texts_of(training)
        split = [words(text) for text in texts]
        vocabulary = frequent_words(split, min_count=config.min_count, most=config.max_words)
        columns = {word: column for column, word in enumerate(vocabulary)}
        counts = count_matrix(split, columns, len(vocabulary))
        counts = counts[np.diff(counts.indptr) > 0]
        most = min(counts.shape) - 1
        if most < config.dimension:
            raise EncoderError(
                f"'lsa' of dimension {config.dimension} needs more texts than that, and more words "
                f"that occur {config.min_count} times; the training contents have "
                f"{counts.shape[0]:,} such texts and {counts.shape[1]:,} such words: "
                + (f"lower 'dimension' to at most {most}, or " if most > 0 else "")
                + "lower 'min_count' or give more texts"
            )
        matrix = normalize(counts.multiply(word_weights(config, vocabulary, split)).tocsr())
        svd = TruncatedSVD(config.dimension, algorithm="arpack", random_state=0).fit(matrix)
        return cls.of(config, vocabulary, svd.components_.T, texts)
