"""The pair network over given vectors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from recsys.config import parse_config
from recsys.errors import DataError
from recsys.features import FeatureBlock, mean_of_items
from recsys.ids import Rows, Vectors
from recsys.ranking.bags import Bags
from recsys.ranking.config import VectorPairConfig
from recsys.ranking.head import PairHead, probability
from recsys.ranking.network_files import layers_of, read_network, write_network
from recsys.splits.held_out import offsets_of, ranges

KIND = "vector-pair"


@dataclass(frozen=True, eq=False)
class VectorPairNetwork:
    """The probability that a user takes an item, from the vectors of the history and the item.

    u is the mean vector of the last ``window`` items of the history, v the item's vector, both
    centred and scaled as the training items; p = sigmoid(log-odds(u, v)), see
    :class:`recsys.ranking.head.PairHead`. No weight belongs to a single item, so that it applies to
    items unknown to training.

    p is the probability *among the pairs of training*. With n negatives per positive out of N
    items, the odds in the catalogue are about n / N of it.

    Attributes:
        config: Sizes of the network.
        centre: Mean of the block's vectors, float32 ``[d]``.
        scale: Divisor of centred vectors.
        head: The head.

    Example:
        See ``examples/train_pairs.py``.
    """

    config: VectorPairConfig
    centre: Vectors = field(repr=False)
    scale: float
    head: PairHead = field(repr=False)

    def scaled(self, block: FeatureBlock) -> FeatureBlock:
        """The block centred and scaled; items without a vector remain masked.

        Raises:
            DataError: The block has another width than in training.
        """
        if block.dimension != len(self.centre):
            raise DataError(
                f"the pair network reads vectors of {len(self.centre)} dimensions; the block "
                f"'{block.name}' has {block.dimension}"
            )
        return scaled(block, self.centre, self.scale)

    def user_vectors(self, block: FeatureBlock, histories: Bags) -> Vectors:
        """u of each history, float32 ``[b, d]``; zeros without any vector.

        Args:
            block: A block from :meth:`scaled`.
            histories: Item rows, oldest first.
        """
        latest = last_of(histories, self.config.window)
        return mean_of_items(block, latest.rows, latest.offsets)

    def probability(self, block: FeatureBlock, histories: Bags, items: Rows) -> Vectors:
        """Probability that each user takes one item, float32 ``[b]``.

        An item without a vector counts as having the block's mean vector.

        Args:
            block: Vectors of all items, from the encoder.
            histories: Item rows, oldest first.
            items: One item row per user, int32 ``[b]``.

        Raises:
            DataError: Histories and items differ in length, or the block does not fit.
        """
        if len(items) != len(histories):
            raise DataError(f"{len(histories)} histories need as many items; got {len(items)}")
        scaled = self.scaled(block)
        users = self.user_vectors(scaled, histories)
        return probability(self.head.log_odds_of_pairs(users, scaled.vectors[items]))

    def save(self, folder: Path) -> None:
        """Write ``network.json`` and ``weights.npz`` into ``folder``."""
        arrays = {"centre": self.centre, "scale": np.array(self.scale)}
        write_network(folder, KIND, self.config, {**arrays, **layers_of(self.head)})


def load_vector_pairs(folder: Path) -> VectorPairNetwork:
    """Read what :meth:`VectorPairNetwork.save` wrote.

    Raises:
        DataError: A file is missing, damaged, of another kind, or does not fit the other.
    """
    stored = read_network(folder, KIND)
    config = parse_config(stored.value("config", dict), VectorPairConfig, source=str(folder))
    centre = stored.array("centre", None)
    return VectorPairNetwork(
        config, centre, float(stored.array("scale")), stored.head(len(centre), config.hidden)
    )


def last_of(bags: Bags, window: int) -> Bags:
    """The last ``window`` rows of each bag."""
    lengths = np.minimum(bags.lengths, window)
    return Bags(bags.rows[ranges(bags.offsets[1:] - lengths, lengths)], offsets_of(lengths))


def scaled(block: FeatureBlock, centre: Vectors, scale: float) -> FeatureBlock:
    """(x - centre) / scale, and zeros where an item has no vector."""
    vectors = (block.vectors - centre) / np.float32(scale) * block.mask[:, None]
    return FeatureBlock(vectors.astype(np.float32), block.mask.copy(), block.name)
