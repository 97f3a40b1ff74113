"""The vectors of each layer of a trained language model of "elmo"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys._tf import compiled, tf
from recsys.encoders.elmo.network import ElmoNetwork
from recsys.encoders.elmo.tokens import ElmoVocabulary, window_batches, windows_of
from recsys.encoders.words.tokens import Text
from recsys.ids import Vectors
from recsys.progress import Progress, silent

Precise = npt.NDArray[np.float64]
_BATCH_WORDS = 8_192


@dataclass(frozen=True, eq=False)
class LayerReader:
    """Reads texts by windows; a word's vector depends on the words of its window.

    Attributes:
        network: Language model.
        vocabulary: Known words, and their weights.
        max_words: Maximum number of words of a window.
    """

    network: ElmoNetwork
    vocabulary: ElmoVocabulary
    max_words: int

    def texts(
        self, texts: Sequence[Text], *, progress: Progress = silent
    ) -> tuple[Precise, Precise]:
        """The weighted mean of the words of each text, per layer.

        Returns:
            float64 ``[n, 1 + layers, d]``, and the sum of the weights, float64 ``[n]``; if that is
            0, the vectors are zeros.
        """
        windows = [windows_of(text, self.max_words) for text in texts]
        owners = np.repeat(np.arange(len(texts)), [len(pieces) for pieces in windows])
        flat = [window for pieces in windows for window in pieces]
        shape = (len(texts), self.network.layers, self.network.dimension)
        sums, weights = np.zeros(shape), np.zeros(len(texts))
        batches = window_batches(flat, _BATCH_WORDS)
        for number, positions in enumerate(batches):
            batch = self.vocabulary.batch([flat[position] for position in positions])
            read = self._sums(batch.distinct, batch.index, batch.lengths, batch.weights)
            np.add.at(sums, owners[positions], read.numpy())
            np.add.at(weights, owners[positions], batch.weights.sum(axis=1))
            progress("read texts", number + 1, len(batches))
        known = weights > 0
        sums[known] /= weights[known, None, None]
        return sums, weights

    def words(self, text: Text) -> Vectors:
        """The vectors of each word in this text, float32 ``[words, 1 + layers, d]``."""
        windows = windows_of(text, self.max_words)
        starts = np.cumsum([0, *map(len, windows)])
        found = np.zeros((len(text), self.network.layers, self.network.dimension), np.float32)
        for positions in window_batches(windows, _BATCH_WORDS):
            batch = self.vocabulary.batch([windows[position] for position in positions])
            states = self._states(batch.distinct, batch.index, batch.lengths).numpy()
            for row, position in enumerate(positions):
                start, end = starts[position], starts[position + 1]
                found[start:end] = states[1 : 1 + end - start, row]  # Between the edges.
        return found

    @cached_property
    def _states(self) -> Any:
        """Float32 ``[t, b, 1 + layers, d]`` of a batch."""

        @compiled(input_signature=self.network.signature)  # type: ignore[untyped-decorator]
        def states(distinct: Any, index: Any, lengths: Any) -> Any:
            forward, backward = self.network.states(distinct, index, lengths)
            both = [tf.concat(pair, axis=-1) for pair in zip(forward, backward)]
            return tf.stack(both, axis=2)

        return states

    @cached_property
    def _sums(self) -> Any:
        """Weighted sums over the windows of a batch, float32 ``[b, 1 + layers, d]``."""

        @compiled(  # type: ignore[untyped-decorator]
            input_signature=[*self.network.signature, tf.TensorSpec([None, None], tf.float32)]
        )
        def sums(distinct: Any, index: Any, lengths: Any, weights: Any) -> Any:
            return tf.einsum("tbld,bt->bld", self._states(distinct, index, lengths), weights)

        return sums
