"""The encoder "elmo": word vectors that depend on the sentence, from a trained language model.

See ``ElmoConfig`` for the objectives.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from recsys.encoders.contents import Contents, texts_of
from recsys.encoders.elmo.config import ElmoConfig
from recsys.encoders.elmo.mixing import LayerMix, train_mix
from recsys.encoders.elmo.network import ElmoNetwork
from recsys.encoders.elmo.reading import LayerReader
from recsys.encoders.elmo.tokens import UNKNOWN, ElmoVocabulary, windows_of
from recsys.encoders.elmo.training import train
from recsys.encoders.encoder import Encoded
from recsys.encoders.storage import EncoderParts, StoredEncoder, in_order, numbered
from recsys.encoders.words.configs import Word2VecConfig
from recsys.encoders.words.counting import no_frequent_words
from recsys.encoders.words.tokens import vocabulary_of, vocabulary_parts, words
from recsys.encoders.words.word2vec import Word2Vec
from recsys.ids import Vectors
from recsys.progress import Progress

_DEVIATION = 0.3
"""Standard deviation of the words' embeddings."""
_MIX = ("layers", "gamma", "centre", "whitening")


@dataclass(frozen=True, eq=False)
class Elmo(StoredEncoder):
    """A text encoder with word vectors that depend on the sentence; see :class:`ElmoConfig`.

    Attributes:
        reader: Language model, with its vocabulary and windows.
        mix: Mix of its layers.

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
    reader: LayerReader
    mix: LayerMix

    @classmethod
    def build(
        cls, config: ElmoConfig, training: Contents, checkpoints: Path | None, progress: Progress
    ) -> Elmo:
        """Train the language model on ``training``, then the weights of its layers.

        Each epoch has a checkpoint, from which an interrupted training resumes.
        """
        texts = [words(text) for text in texts_of(training)]
        vocabulary = ElmoVocabulary.of(config, texts)
        if not vocabulary.words:
            raise no_frequent_words(config.min_count, f"the {len(texts):,} training texts")
        windows = [window for text in texts for window in windows_of(text, config.max_words)]
        network = ElmoNetwork(config, len(vocabulary))
        if config.tokens == "words":
            half = Word2VecConfig(
                dimension=config.dimension // 2, min_count=config.min_count, seed=config.seed
            )
            skip_gram = Word2Vec.build(half, training, checkpoints, progress)
            network.embed_words_as(_embeddings(config, vocabulary, skip_gram))
        train(config, network, vocabulary, windows, checkpoints, progress)
        reader = LayerReader(network, vocabulary, config.max_words)
        return cls(config, reader, train_mix(config, reader, texts, progress))

    @classmethod
    def restore(cls, config: ElmoConfig, parts: EncoderParts) -> Elmo:
        """The encoder of saved parts."""
        vocabulary = ElmoVocabulary(config.tokens, vocabulary_of(parts), parts["words"])
        network = ElmoNetwork(config, len(vocabulary))
        for variable, weight in zip(network.variables, in_order(parts), strict=True):
            variable.assign(weight)
        reader = LayerReader(network, vocabulary, config.max_words)
        return cls(config, reader, LayerMix(*(parts[key] for key in _MIX)))

    @property
    def settings(self) -> Mapping[str, Any]:
        """Tokens and windows."""
        return {"tokens": self.config.tokens, "max_words": self.config.max_words}

    def parts(self) -> EncoderParts:
        """Weights of the network, vocabulary and mix."""
        vocabulary, mix = self.reader.vocabulary, self.mix
        return {
            **numbered(variable.numpy() for variable in self.reader.network.variables),
            **dict(zip(_MIX, (mix.weights, mix.gamma, mix.centre, mix.whitening))),
            "words": vocabulary.weights,
            **vocabulary_parts(vocabulary.words),
        }

    def encode(self, contents: Contents) -> Encoded:
        """See :class:`~recsys.encoders.encoder.Encoder`; a text without a known word is masked."""
        layers, weights = self.reader.texts([words(text) for text in texts_of(contents)])
        return Encoded.of(np.where(weights[:, None] > 0, self.mix(layers), 0))

    def word_vectors(self, text: str) -> tuple[list[str], Vectors]:
        """The words of ``text`` and their vectors in this sentence, float32 ``[words, d]``.

        These are the mixes of equation 1, not of length 1. With words as tokens, all unknown words
        in one position have the same vector.
        """
        found = words(text)
        return found, self.mix(self.reader.words(found))


def _embeddings(config: ElmoConfig, vocabulary: ElmoVocabulary, skip_gram: Word2Vec) -> Vectors:
    """The inputs of the LSTMs, float32 ``[len(vocabulary), d / 2]``, at a suitable scale."""
    shape = (len(vocabulary), config.dimension // 2)
    table = _DEVIATION * np.random.default_rng((config.seed, 1)).normal(size=shape)
    ids = vocabulary.ids(skip_gram.vocabulary)
    known = ids != UNKNOWN
    vectors = skip_gram.vectors[known]
    table[ids[known]] = vectors * (_DEVIATION / vectors.std())
    return table.astype(np.float32)
