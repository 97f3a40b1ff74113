"""The encoder "elmo": word vectors that depend on the sentence, from a language model trained here.

For the objectives see ``ElmoConfig``. The language model is ``elmo_network`` and
``elmo_training``, the mix of its layers ``elmo_mixing``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recsys.encoders import saved
from recsys.encoders.base import Content, Encoded, Kind, texts_of
from recsys.encoders.elmo.config import ElmoConfig
from recsys.encoders.elmo.mixing import Mixing, learn
from recsys.encoders.elmo.network import Network
from recsys.encoders.elmo.reading import Reader
from recsys.encoders.elmo.tokens import UNKNOWN, Vocabulary, windows_of
from recsys.encoders.elmo.training import train
from recsys.encoders.words import word2vec
from recsys.encoders.words.configs import Word2VecConfig
from recsys.encoders.words.pooled_words import PooledWords
from recsys.encoders.words.tokens import words
from recsys.errors import EncoderError
from recsys.ids import Vectors
from recsys.progress import Progress, silent

WORDS = "words.txt"
_DEVIATION = 0.3
"""Of the numbers of the words' embeddings."""


def build(
    config: ElmoConfig,
    training: Sequence[Content],
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> Elmo:
    """Train the language model on ``training``, then the weights of its layers.

    Args:
        config: Sizes and schedule.
        training: Texts.
        checkpoints: Where each epoch is kept; started again there, the training goes on.
        progress: Told of every epoch, with its loss and perplexity.

    Raises:
        EncoderError: No word occurs ``min_count`` times, or the loss is not finite.
    """
    texts = [words(text) for text in texts_of(training)]
    vocabulary = Vocabulary.of(config, texts)
    if not vocabulary.words:
        raise EncoderError(
            f"no word occurs {config.min_count} times in the {len(texts):,} training texts: "
            "lower 'min_count', or give texts with words"
        )
    windows = [window for text in texts for window in windows_of(text, config.max_words)]
    network = Network(config, len(vocabulary))
    if config.tokens == "words":
        skip_gram = _skip_gram(config, training, checkpoints, progress)
        network.embed_words_as(_table(config, vocabulary, skip_gram))
    train(config, network, vocabulary, windows, checkpoints=checkpoints, progress=progress)
    reader = Reader(network, vocabulary, config.max_words)
    return Elmo(config, reader, learn(config, reader, texts, progress=progress))


def _skip_gram(
    config: ElmoConfig,
    training: Sequence[Content],
    checkpoints: Path | None,
    progress: Progress,
) -> PooledWords:
    """Word vectors of half the dimension."""
    half = Word2VecConfig(
        dimension=config.dimension // 2, min_count=config.min_count, seed=config.seed
    )
    return word2vec.build(half, training, checkpoints=checkpoints, progress=progress)


def _table(config: ElmoConfig, vocabulary: Vocabulary, found: PooledWords) -> Vectors:
    """What the LSTMs read, float32 ``[len(vocabulary), d / 2]``, of a size that suits them."""
    shape = (len(vocabulary), config.dimension // 2)
    table = _DEVIATION * np.random.default_rng((config.seed, 1)).normal(size=shape)
    ids = vocabulary.ids(found.vocabulary)
    known = ids != UNKNOWN
    table[ids[known]] = found.vectors[known] * (_DEVIATION / found.vectors[known].std())
    return table.astype(np.float32)


@dataclass(frozen=True, eq=False)
class Elmo(saved.SavedEncoder):
    """A text encoder whose word vectors depend on the words around them; see :class:`ElmoConfig`.

    Attributes:
        config: How it was built.
        reader: The language model, its vocabulary and its windows.
        mixing: Of its layers.

    Example:
        >>> from recsys.encoders import ElmoConfig, build_encoder
        >>> config = ElmoConfig(dimension=8, min_count=1, epochs=1)
        >>> encoder = build_encoder(config, ["a red lamp", "a red rug"])
        >>> found, vectors = encoder.word_vectors("Red, a lamp; red!")
        >>> found, vectors.shape
        (['red', 'a', 'lamp', 'red'], (4, 8))
        >>> bool((vectors[0] == vectors[3]).all())
        False
    """

    config: ElmoConfig
    reader: Reader
    mixing: Mixing

    @property
    def kind(self) -> Kind:
        return "text"

    @property
    def dimension(self) -> int:
        return self.config.dimension

    @cached_property
    def fingerprint(self) -> str:
        read = {"tokens": self.config.tokens, "max_words": self.config.max_words}
        return saved.fingerprint_of(self.name, read, {**self.arrays(), **self.files()})

    def encode(self, contents: Sequence[Content]) -> Encoded:
        """See :class:`~recsys.encoders.base.Encoder`; a text without a known word is masked."""
        layers, weights = self.reader.texts([words(text) for text in texts_of(contents)])
        return Encoded.of(np.where(weights[:, None] > 0, self.mixing(layers), 0))

    def word_vectors(self, text: str) -> tuple[list[str], Vectors]:
        """The words of ``text`` and the vector of each in its place, float32 ``[words, d]``.

        These are the gamma-scaled mixes of equation 1, not of length 1. An unknown word has the
        vector of any unknown word in that place where words are the tokens, else its own.
        """
        found = words(text)
        return found, self.mixing(self.reader.words(found))

    @classmethod
    def restore(cls, parts: saved.Saved, config: ElmoConfig) -> Elmo:
        """The encoder that :meth:`save` wrote."""
        known = tuple(parts.files[WORDS].decode("utf-8").split("\n"))
        vocabulary = Vocabulary(config.tokens, known, parts.arrays["words"])
        network = Network(config, len(vocabulary))
        for number, variable in enumerate(network.variables):
            variable.assign(parts.arrays[f"w{number:05}"])
        mixing = Mixing(*(parts.arrays[key] for key in ("layers", "gamma", "centre", "whitening")))
        return cls(config, Reader(network, vocabulary, config.max_words), mixing)

    def arrays(self) -> dict[str, Any]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        variables = self.reader.network.variables
        weights = {f"w{number:05}": each.numpy() for number, each in enumerate(variables)}
        mixing = self.mixing
        return {
            **weights,
            "words": self.reader.vocabulary.weights,
            "layers": mixing.weights,
            "gamma": mixing.gamma,
            "centre": mixing.centre,
            "whitening": mixing.whitening,
        }

    def files(self) -> dict[str, bytes]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        return {WORDS: "\n".join(self.reader.vocabulary.words).encode("utf-8")}
