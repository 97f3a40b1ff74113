"""The encoder "word2vec": word vectors trained on the item texts or on a text file, by gensim."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from recsys.encoders.base import Content, texts_of
from recsys.encoders.configs import Word2VecConfig
from recsys.encoders.words.corpus import Corpus, sentences_of
from recsys.encoders.words.pooled_words import PooledWords
from recsys.encoders.words.tokens import words
from recsys.errors import EncoderError
from recsys.files import load_arrays, save_arrays
from recsys.progress import Progress, silent

_HIGH, _LOW = 0.025, 1e-4
"""The learning rate falls from the one to the other in a straight line, as in Mikolov's program."""


def build(
    config: Word2VecConfig,
    training: Sequence[Content],
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> PooledWords:
    """Train on the corpus, or on ``training``, on one thread, so that it can be repeated.

    Each epoch is kept in ``checkpoints``; started again there, the training goes on.

    Raises:
        EncoderError: No word occurs ``min_count`` times, or the corpus cannot be read.
    """
    texts = texts_of(training)
    sentences: Iterable[list[str]] = (
        list(sentences_of(words(text) for text in texts))
        if config.corpus is None
        else Corpus(config.corpus, progress)
    )
    model = _untrained(config)
    model.build_vocab(sentences)
    if not model.wv.index_to_key:
        where = (
            f"the {len(texts):,} training texts" if config.corpus is None else str(config.corpus)
        )
        raise EncoderError(
            f"no word occurs {config.min_count} times in {where}: lower 'min_count', or give "
            "texts with words"
        )
    if config.corpus is not None:
        sentences = Corpus(config.corpus)
    _train(model, config, sentences, checkpoints=checkpoints, progress=progress)
    vectors = np.asarray(model.wv.vectors, np.float32)
    return PooledWords.of(config, model.wv.index_to_key, vectors, texts)


def _untrained(config: Word2VecConfig) -> Any:
    from gensim.models import Word2Vec

    return Word2Vec(
        vector_size=config.dimension,
        window=config.window,
        min_count=config.min_count,
        negative=config.negative,
        sample=config.sample,
        sg=1,  # skip-gram
        seed=config.seed + 1,  # gensim takes 0 for "none given"
        workers=1,
        hashfxn=_hash,
    )


def _hash(text: str) -> int:
    """Python's own hash of a string differs from process to process."""
    return zlib.crc32(text.encode("utf-8"))


def _train(
    model: Any,
    config: Word2VecConfig,
    sentences: Iterable[list[str]],
    *,
    checkpoints: Path | None,
    progress: Progress,
) -> None:
    """Every epoch a training of its own, so that what follows depends on its state alone."""
    kept = None if checkpoints is None else _place(checkpoints, config, sentences)
    done = 0 if kept is None else _take_up(kept, model)
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
        if kept is not None:
            _keep(kept, model, done)
        progress("train word vectors", done, config.epochs)


def _rate(done: int, epochs: int) -> float:
    return _HIGH - (_HIGH - _LOW) * done / epochs


class _Guarded:
    """Sentences whose fault ends them: raised in gensim's thread, it would wait for ever."""

    def __init__(self, sentences: Iterable[list[str]]) -> None:
        self.sentences = sentences
        self.error: Exception | None = None

    def __iter__(self) -> Iterator[list[str]]:
        try:
            yield from self.sentences
        except Exception as error:
            self.error = error


def _place(checkpoints: Path, config: Word2VecConfig, sentences: Iterable[list[str]]) -> Path:
    """The file of this training, named after its config and its sentences."""
    training = hashlib.sha256(config.model_dump_json(exclude={"corpus"}).encode())
    for sentence in sentences:
        training.update((" ".join(sentence) + "\n").encode())
    place = checkpoints / f"word2vec-{training.hexdigest()[:16]}.npz"
    place.parent.mkdir(parents=True, exist_ok=True)
    for other in checkpoints.glob("word2vec-*.npz"):
        if other != place:
            other.unlink(missing_ok=True)
    return place


def _keep(path: Path, model: Any, done: int) -> None:
    _, key, position, has_gauss, gauss = model.random.get_state()
    state = {"done": done, "vectors": model.wv.vectors, "outputs": model.syn1neg, "key": key}
    save_arrays(path, {**state, "rest": np.array([position, has_gauss, gauss], np.float64)})


def _take_up(path: Path, model: Any) -> int:
    """The epochs done; 0, and nothing changed, where there is no whole checkpoint."""
    try:
        state = load_arrays(path)
        done, (position, has_gauss, gauss) = int(state["done"]), state["rest"].tolist()
        same = model.wv.vectors.shape == state["vectors"].shape
        if not same or state["outputs"].shape != model.syn1neg.shape:
            return 0
        model.random.set_state(("MT19937", state["key"], int(position), int(has_gauss), gauss))
    except (OSError, ValueError, KeyError, TypeError):
        return 0  # Not there, or damaged: from the start.
    model.wv.vectors[:] = state["vectors"]
    model.syn1neg[:] = state["outputs"]
    return done
