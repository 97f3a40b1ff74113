"""The encoder "word2vec": word vectors trained by gensim on the item texts or on a text file."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from recsys.encoders.contents import Contents, texts_of
from recsys.encoders.words.configs import Word2VecConfig
from recsys.encoders.words.corpus import Corpus, sentences_of
from recsys.encoders.words.counting import no_frequent_words
from recsys.encoders.words.pooled_words import PooledWords
from recsys.encoders.words.tokens import words
from recsys.files import load_arrays, save_arrays
from recsys.progress import Progress

_INITIAL_RATE, _FINAL_RATE = 0.025, 1e-4
"""Learning rates, with a linear decay between them, as in Mikolov's program."""


class Word2Vec(PooledWords):
    """Words with vectors trained by skip-gram."""

    @classmethod
    def build(
        cls,
        config: Word2VecConfig,
        training: Contents,
        checkpoints: Path | None,
        progress: Progress,
    ) -> Word2Vec:
        """Train on the corpus, or on ``training``, in one thread to be deterministic.

        Each epoch has a checkpoint, from which an interrupted training resumes.
        """
        texts = texts_of(training)
        sentences: Iterable[list[str]]
        if config.corpus is None:
            where = f"the {len(texts):,} training texts"
            sentences = list(sentences_of(words(text) for text in texts))
        else:
            where, sentences = str(config.corpus), Corpus(config.corpus, progress)
        model = _untrained(config)
        model.build_vocab(sentences)
        if not model.wv.index_to_key:
            raise no_frequent_words(config.min_count, where)
        if config.corpus is not None:
            sentences = Corpus(config.corpus)
        _train(model, config, sentences, checkpoints, progress)
        return cls.of(config, model.wv.index_to_key, model.wv.vectors, texts)


def _untrained(config: Word2VecConfig) -> Any:
    from gensim.models import Word2Vec as Model

    return Model(
        vector_size=config.dimension,
        window=config.window,
        min_count=config.min_count,
        negative=config.negative,
        sample=config.sample,
        sg=1,  # skip-gram
        seed=config.seed + 1,  # gensim reads 0 as "no seed"
        workers=1,
        hashfxn=_hash,
    )


def _hash(text: str) -> int:
    """A hash of a string that, unlike Python's, is the same in each process."""
    return zlib.crc32(text.encode("utf-8"))


def _train(
    model: Any,
    config: Word2VecConfig,
    sentences: Iterable[list[str]],
    checkpoints: Path | None,
    progress: Progress,
) -> None:
    """Train each epoch separately, so that the rest depends on the model's state alone."""
    path = None if checkpoints is None else _checkpoint(checkpoints, config, sentences)
    done = 0 if path is None else _restore(path, model)
    guarded = _Guarded(sentences)
    while done < config.epochs:
        model.train(
            guarded,
            total_examples=model.corpus_count,
            epochs=1,
            start_alpha=_rate(done, config.epochs),
            end_alpha=_rate(done + 1, config.epochs),
        )
        if guarded.error is not None:
            raise guarded.error
        done += 1
        if path is not None:
            _save(path, model, done)
        progress("train word vectors", done, config.epochs)


def _rate(done: int, epochs: int) -> float:
    return _INITIAL_RATE - (_INITIAL_RATE - _FINAL_RATE) * done / epochs


class _Guarded:
    """Sentences that end at an exception; raised in gensim's thread, it would block forever."""

    def __init__(self, sentences: Iterable[list[str]]) -> None:
        self.sentences = sentences
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[list[str]]:
        try:
            yield from self.sentences
        except Exception as error:
            self.error = error


def _checkpoint(checkpoints: Path, config: Word2VecConfig, sentences: Iterable[list[str]]) -> Path:
    """The file of this training, named after a hash; files of other trainings are removed."""
    digest = hashlib.sha256(config.model_dump_json(exclude={"corpus"}).encode())
    for sentence in sentences:
        digest.update((" ".join(sentence) + "\n").encode())
    path = checkpoints / f"word2vec-{digest.hexdigest()[:16]}.npz"
    for other in checkpoints.glob("word2vec-*.npz"):
        if other != path:
            other.unlink(missing_ok=True)
    return path


def _save(path: Path, model: Any, done: int) -> None:
    _, key, position, has_gauss, gauss = model.random.get_state()
    state = {
        "done": done,
        "vectors": model.wv.vectors,
        "outputs": model.syn1neg,
        "key": key,
        "rest": np.array([position, has_gauss, gauss], np.float64),
    }
    save_arrays(path, state)


def _restore(path: Path, model: Any) -> int:
    """The number of epochs done; 0, and no change, if there is no whole checkpoint."""
    try:
        state = load_arrays(path)
        done, (position, has_gauss, gauss) = int(state["done"]), state["rest"].tolist()
        same = model.wv.vectors.shape == state["vectors"].shape
        if not same or state["outputs"].shape != model.syn1neg.shape:
            return 0
        model.random.set_state(("MT19937", state["key"], int(position), int(has_gauss), gauss))
    except (OSError, ValueError, KeyError, TypeError):
        return 0
    model.wv.vectors[:] = state["vectors"]
    model.syn1neg[:] = state["outputs"]
    return done
