"""The encoder "bert": a text's vector from the hidden states of a pretrained transformer.

For the model and its pooling see ``configs.BertConfig``. What is saved is all that is needed: the
weights as float32, the vocabulary, and the numbers of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recsys._tf import compiled, tf
from recsys.encoders import saved
from recsys.encoders.base import Content, Encoded, Kind, texts_of
from recsys.encoders.bert.files import Pretrained, read_pretrained
from recsys.encoders.bert.network import Architecture, build_backbone, hidden, state_of
from recsys.encoders.bert.tokens import PAD, WordPieces, batches, read_vocabulary
from recsys.encoders.configs import BertConfig
from recsys.ids import Vectors
from recsys.progress import Progress, silent

NUMBERS, VOCABULARY = "bert.json", "vocab.txt"


def build(
    config: BertConfig,
    training: Sequence[Content],
    *,
    checkpoints: Path | None = None,
    progress: Progress = silent,
) -> Bert:
    """Read the model; ``training`` is not used.

    Raises:
        EncoderError: The model is missing, damaged or no BERT, or keras-hub is not installed.
    """
    progress("load the network", 0, 1, config.model)
    model = read_pretrained(config)
    progress("load the network", 1, 1, f"{model.numbers.layers} layers")
    return Bert.of(config, model)


@dataclass(frozen=True, eq=False)
class Bert(saved.SavedEncoder):
    """A text encoder over a pretrained transformer.

    Attributes:
        config: How it was built.
        numbers: Of the network.
        vocabulary: Its ``vocab.txt``.
        backbone: A ``keras_hub.models.BertBackbone``.
    """

    config: BertConfig
    numbers: Architecture
    vocabulary: bytes
    backbone: Any

    @classmethod
    def of(cls, config: BertConfig, model: Pretrained) -> Bert:
        """The encoder over ``model``.

        Raises:
            ValueError: Its weights do not fit its numbers.
        """
        backbone = build_backbone(model.numbers, model.state)
        return cls(config, model.numbers, model.vocabulary, backbone)

    @property
    def kind(self) -> Kind:
        return "text"

    @property
    def dimension(self) -> int:
        return self.numbers.width

    @cached_property
    def fingerprint(self) -> str:
        config = {"pooling": self.config.pooling, "max_tokens": self._longest}
        return saved.fingerprint_of(self.name, config, {**self.arrays(), **self.files()})

    def encode(self, contents: Sequence[Content]) -> Encoded:
        """See :class:`~recsys.encoders.base.Encoder`; a text without a known word is masked."""
        tokens = self._pieces.tokens(texts_of(contents), self._longest)
        raw = np.zeros((len(tokens), self.dimension), np.float32)
        there = np.flatnonzero([len(text) > 0 for text in tokens])
        size, padding = self.config.batch_tokens, self._pieces.row(PAD)
        for batch in batches(tokens, there, size=size, padding=padding):
            pooled = self._pooled(tf.constant(batch.tokens), tf.constant(batch.real))
            raw[batch.positions] = pooled.numpy()
        return Encoded.of(raw)

    @cached_property
    def _pieces(self) -> WordPieces:
        return WordPieces.of(read_vocabulary(self.vocabulary), self.numbers)

    @property
    def _longest(self) -> int:
        return min(self.config.max_tokens, self.numbers.positions)

    @cached_property
    def _pooled(self) -> Any:
        """From tokens and what is real, int32 ``[b, l]``, to float32 ``[b, d]``; one trace for all
        shapes."""

        @compiled(input_signature=[tf.TensorSpec((None, None), tf.int32)] * 2)  # type: ignore[untyped-decorator]
        def pooled(tokens: Any, real: Any) -> Any:
            vectors = hidden(self.backbone, tokens, real)  # (b, l, d)
            if self.config.pooling == "cls":
                return vectors[:, 0]
            weight = tf.cast(real, tf.float32)[:, :, None]
            return tf.reduce_sum(vectors * weight, axis=1) / tf.reduce_sum(weight, axis=1)

        return pooled

    @classmethod
    def restore(cls, parts: saved.Saved, config: BertConfig) -> Bert:
        """The encoder that :meth:`save` wrote.

        Raises:
            ValueError: The parts contradict each other.
        """
        numbers = Architecture.model_validate_json(parts.files[NUMBERS])
        return cls.of(config, Pretrained(numbers, parts.files[VOCABULARY], parts.arrays))

    def arrays(self) -> dict[str, Vectors]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        return state_of(self.backbone, self.numbers)

    def files(self) -> dict[str, bytes]:
        """See :class:`~recsys.encoders.saved.SavedEncoder`."""
        numbers = self.numbers.model_dump_json(indent=2) + "\n"
        return {NUMBERS: numbers.encode(), VOCABULARY: self.vocabulary}
