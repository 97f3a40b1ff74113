"""The pair network with trained vectors of items and words."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from recsys.config import parse_config
from recsys.errors import DataError
from recsys.features import FeatureBlock, mean_of_items
from recsys.files import write_text
from recsys.ids import IdMap, Mask, Rows, Vectors
from recsys.ranking.bags import Bags
from recsys.ranking.config import SparsePairConfig
from recsys.ranking.head import PairHead, probability
from recsys.ranking.network_files import layers_of, read_network, write_network
from recsys.ranking.vector_network import last_of

KIND = "sparse-pair"


@dataclass(frozen=True, eq=False)
class SparsePairNetwork:
    """The probability that a user takes an item, from the history and the searched words.

        u = M mean of E[j] over the last items j + mean of W[w] over the searched words w
        p = sigmoid( head(u, E[i]) + b[i] )

    E and W are trained tables; a bag is the mean of its members (Covington, Adams, Sargin, "Deep
    neural networks for YouTube recommendations", RecSys 2016, sections 3.2, 3.3). b is the wide
    part for the frequency of each item (Cheng et al., "Wide & deep learning for recommender
    systems", DLRS 2016). The head is :class:`recsys.ranking.head.PairHead`.

    p is the probability *among the pairs of training*; see
    :class:`recsys.ranking.VectorPairNetwork`.

    Attributes:
        config: Sizes of the network.
        items: Ids of the items.
        words: Words with a vector.
        warm: Whether training has an interaction of each item, bool ``[items]``; the vectors of
            the others are zeros.
        item_vectors: E, float32 ``[items, d]``.
        word_vectors: W, float32 ``[words, d]``.
        mix: M, float32 ``[d, d]``.
        bias: b, float32 ``[items]``.
        head: The head.

    Example:
        See ``examples/train_pairs.py``.
    """

    config: SparsePairConfig
    items: IdMap
    words: IdMap
    warm: Mask = field(repr=False)
    item_vectors: Vectors = field(repr=False)
    word_vectors: Vectors = field(repr=False)
    mix: Vectors = field(repr=False)
    bias: Vectors = field(repr=False)
    head: PairHead = field(repr=False)

    def user_vectors(self, histories: Bags, searched: Bags) -> Vectors:
        """u of each query, float32 ``[b, d]``.

        Args:
            histories: Item rows, oldest first.
            searched: Word rows, see :func:`recsys.ranking.bags.bags_of_words`.

        Raises:
            DataError: A row is out of range, or the two differ in length.
        """
        if len(histories) != len(searched):
            raise DataError(
                f"{len(histories)} histories need as many bags of words, not {len(searched)}"
            )
        histories.check("items", len(self.items))
        searched.check("words", len(self.words))
        latest = last_of(histories, self.config.window)
        history = mean_of_items(self._items, latest.rows, latest.offsets)
        return history @ self.mix + mean_of_items(self._words, searched.rows, searched.offsets)

    def log_odds(self, users: Vectors, items: Rows | slice = slice(None)) -> Vectors:
        """Log-odds of every query ``[b, d]`` with every item of ``items``, float32 ``[b, n]``."""
        scores: Vectors = self.head.log_odds(users, self.item_vectors[items]) + self.bias[items]
        return scores

    def probability(self, histories: Bags, searched: Bags, items: Rows) -> Vectors:
        """Probability that each user takes one item, float32 ``[b]``.

        The vector and the bias of an item unknown to training are zero.

        Args:
            histories: Item rows, oldest first.
            searched: Word rows.
            items: One item row per user, int32 ``[b]``.

        Raises:
            DataError: A row is out of range, or the three differ in length.
        """
        if len(items) != len(histories):
            raise DataError(f"{len(histories)} histories need as many items; got {len(items)}")
        Bags.of([items]).check("items", len(self.items))
        users = self.user_vectors(histories, searched)
        of_pairs = self.head.log_odds_of_pairs(users, self.item_vectors[items])
        return probability(of_pairs + self.bias[items])

    @cached_property
    def _items(self) -> FeatureBlock:
        return FeatureBlock(self.item_vectors, self.warm, "items")

    @cached_property
    def _words(self) -> FeatureBlock:
        return FeatureBlock(self.word_vectors, np.ones(len(self.words), np.bool_), "words")

    def item_block(self, name: str = "learned") -> FeatureBlock:
        """E as a feature block for other towers; items unknown to training are masked."""
        return FeatureBlock(self.item_vectors.copy(), self.warm.copy(), name)

    def save_words(self, path: Path) -> None:
        """Write W as a word-vector file that the encoder ``word-vectors`` reads (GloVe's format).

        Raises:
            DataError: The network has no words.
        """
        if not len(self.words):
            raise DataError("the network has no words: no word is in enough searches")
        lines = [
            " ".join([word, *(f"{number:.8g}" for number in vector)])
            for word, vector in zip(self.words.index, self.word_vectors.tolist())
        ]
        write_text(path, "\n".join(lines) + "\n")

    def save(self, folder: Path) -> None:
        """Write ``network.json`` and ``weights.npz`` into ``folder``."""
        arrays = {name: getattr(self, name) for name in _TABLES}
        write_network(
            folder,
            KIND,
            self.config,
            {**arrays, "warm": self.warm.astype(np.float32), **layers_of(self.head)},
            items=list(self.items.index),
            words=list(self.words.index),
        )


_TABLES = ("item_vectors", "word_vectors", "mix", "bias")


def load_sparse_pairs(folder: Path) -> SparsePairNetwork:
    """Read what :meth:`SparsePairNetwork.save` wrote.

    Raises:
        DataError: A file is missing, damaged, of another kind, or does not fit the other.
    """
    stored = read_network(folder, KIND)
    config = parse_config(stored.value("config", dict), SparsePairConfig, source=str(folder))
    items = stored.names("item", "items")
    words = stored.names("word", "words")
    d = config.dimension
    return SparsePairNetwork(
        config,
        items,
        words,
        warm=stored.array("warm", len(items)) > 0,
        item_vectors=stored.array("item_vectors", len(items), d),
        word_vectors=stored.array("word_vectors", len(words), d),
        mix=stored.array("mix", d, d),
        bias=stored.array("bias", len(items)),
        head=stored.head(d, config.hidden),
    )
