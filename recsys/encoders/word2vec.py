"""The encoder "word2vec": word vectors trained on the item texts, by gensim."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recsys.encoders.base import Content, texts_of
from recsys.encoders.configs import Word2VecConfig
from recsys.encoders.pooled_words import PooledWords
from recsys.encoders.tokens import words
from recsys.errors import EncoderError
from recsys.progress import Progress, silent


def build(
    config: Word2VecConfig,
    training: Sequence[Content],
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> PooledWords:
    """Train on ``training``, one text one sentence, on one thread, so that it can be repeated.

    Takes seconds a million words and epoch; nothing is checkpointed.

    Raises:
        EncoderError: No word occurs ``min_count`` times.
    """
    from gensim.models import Word2Vec

    texts = texts_of(training)
    sentences = [words(text) for text in texts]
    model = Word2Vec(
        vector_size=config.dimension,
        window=config.window,
        min_count=config.min_count,
        negative=config.negative,
        sample=config.sample,
        sg=int(config.architecture == "skip-gram"),
        seed=config.seed + 1,  # gensim takes 0 for "none given"
        workers=1,
        hashfxn=_hash,
    )
    model.build_vocab(sentences)
    if not model.wv.index_to_key:
        raise EncoderError(
            f"no word occurs {config.min_count} times in the {len(texts):,} training texts: "
            "lower 'min_count', or give texts with words"
        )
    model.train(
        sentences,
        total_examples=model.corpus_count,
        epochs=config.epochs,
        callbacks=[_told(config.epochs, progress)],
    )
    vectors = np.asarray(model.wv.vectors, np.float32)
    return PooledWords.of(config, model.wv.index_to_key, vectors, texts)


def _hash(text: str) -> int:
    """Python's own hash of a string differs from process to process."""
    return zlib.crc32(text.encode("utf-8"))


def _told(epochs: int, progress: Progress) -> Any:
    from gensim.models.callbacks import CallbackAny2Vec

    class Told(CallbackAny2Vec):  # type: ignore[misc]
        """Passes the end of each epoch on."""

        done = 0

        def on_epoch_end(self, model: Any) -> None:
            self.done += 1
            progress("train word vectors", self.done, epochs)

    return Told()
