"""The encoder "bert": vectors of texts from the hidden states of a pretrained transformer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from recsys._tf import compiled, tf
from recsys.encoders.bert.config import BertConfig
from recsys.encoders.bert.files import PretrainedBert, read_pretrained
from recsys.encoders.bert.network import Architecture, build_backbone, hidden_states, state_of
from recsys.encoders.bert.tokens import PAD, WordPieces, read_vocabulary, token_batches
from recsys.encoders.contents import Contents, texts_of
from recsys.encoders.encoder import Encoded
from recsys.encoders.storage import EncoderParts, StoredEncoder
from recsys.progress import Progress

ARCHITECTURE, VOCABULARY = "bert.json", "vocab.txt"


@dataclass(frozen=True, eq=False)
class Bert(StoredEncoder):
    """A text encoder over a pretrained transformer.

    Attributes:
        architecture: Sizes of the network.
        vocabulary: Content of its ``vocab.txt``.
        backbone: Network, a ``keras_hub.models.BertBackbone``.
    """

    config: BertConfig
    architecture: Architecture
    vocabulary: bytes
    backbone: Any

    @classmethod
    def build(
        cls, config: BertConfig, training: Contents, checkpoints: Path | None, progress: Progress
    ) -> Bert:
        """Read the model; ``training`` is not used."""
        progress("load the network", 0, 1, config.model)
        model = read_pretrained(config)
        progress("load the network", 1, 1, f"{model.architecture.layers} layers")
        return cls.of(config, model)

    @classmethod
    def of(cls, config: BertConfig, model: PretrainedBert) -> Bert:
        """The encoder over ``model``."""
        backbone = build_backbone(model.architecture, model.state)
        return cls(config, model.architecture, model.vocabulary, backbone)

    @classmethod
    def restore(cls, config: BertConfig, parts: EncoderParts) -> Bert:
        """The encoder of saved parts."""
        architecture = Architecture.model_validate_json(parts[ARCHITECTURE])
        return cls.of(config, PretrainedBert(architecture, parts[VOCABULARY], parts))

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return self.architecture.width

    @property
    def settings(self) -> Mapping[str, Any]:
        """Pooling and number of tokens."""
        return {"pooling": self.config.pooling, "max_tokens": self._max_tokens}

    def parts(self) -> EncoderParts:
        """Weights, architecture and vocabulary."""
        sizes = self.architecture.model_dump_json(indent=2) + "\n"
        state = state_of(self.backbone, self.architecture)
        return {**state, ARCHITECTURE: sizes.encode(), VOCABULARY: self.vocabulary}

    def encode(self, contents: Contents) -> Encoded:
        """See :class:`~recsys.encoders.encoder.Encoder`; a text without a known word is masked."""
        tokens = self._pieces.tokens(texts_of(contents), self._max_tokens)
        raw = np.zeros((len(tokens), self.dimension), np.float32)
        known = np.flatnonzero([len(text) > 0 for text in tokens])
        size, padding = self.config.batch_tokens, self._pieces.row(PAD)
        for batch in token_batches(tokens, known, size=size, padding=padding):
            pooled = self._pooled(tf.constant(batch.tokens), tf.constant(batch.mask))
            raw[batch.positions] = pooled.numpy()
        return Encoded.of(raw)

    @cached_property
    def _pieces(self) -> WordPieces:
        return WordPieces.of(read_vocabulary(self.vocabulary), self.architecture)

    @property
    def _max_tokens(self) -> int:
        return min(self.config.max_tokens, self.architecture.positions)

    @cached_property
    def _pooled(self) -> Any:
        """Function from tokens and their mask, int32 ``[b, l]``, to float32 ``[b, d]``, with one
        trace for all shapes."""

        @compiled(input_signature=[tf.TensorSpec((None, None), tf.int32)] * 2)  # type: ignore[untyped-decorator]
        def pooled(tokens: Any, mask: Any) -> Any:
            vectors = hidden_states(self.backbone, tokens, mask)  # (b, l, d)
            if self.config.pooling == "cls":
                return vectors[:, 0]
            weight = tf.cast(mask, tf.float32)[:, :, None]
            return tf.reduce_sum(vectors * weight, axis=1) / tf.reduce_sum(weight, axis=1)

        return pooled
