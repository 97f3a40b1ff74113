"""A user's vector and an item's vector, given from outside: how likely is it that they meet?"""

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
from recsys.ranking.saved import layers_of, read_network, write_network
from recsys.splits.held_out import offsets_of, ranges

KIND = "vector-pair"


@dataclass(frozen=True, eq=False)
class VectorPairNetwork:
    """The probability that a user takes an item, from the means of what is known of both.

    u is the mean of the vectors of the last ``window`` items of the history, v the item's vector,
    both centred and scaled as the training items' are; p = sigmoid(log-odds(u, v)), see
    :class:`recsys.ranking.head.PairHead`. Nothing in it belongs to any single item, so that it
    speaks of items that training never met.

    p is the probability *among the pairs of training*: one taken to ``negatives`` drawn. With
    n drawn for each taken one out of N items, the odds in the catalogue are about n / N of those.

    Attributes:
        config: Its sizes.
        centre: float32 ``[d]``, the mean of the block's vectors.
        scale: By which centred vectors are divided.
        head: The network.

    Example:
        See ``examples/train_pairs.py``.
    """

    config: VectorPairConfig
    centre: Vectors = field(repr=False)
    scale: float
    head: PairHead = field(repr=False)

    def scaled(self, block: FeatureBlock) -> FeatureBlock:
        """The block as the network reads it; an item without a vector stays without.

        Raises:
            DataError: The block has another width than the one that it was trained on.
        """
        if block.dimension != len(self.centre):
            raise DataError(
                f"the pair network reads vectors of {len(self.centre)} dimensions; the block "
                f"'{block.name}' has {block.dimension}"
            )
        return scaled(block, self.centre, self.scale)

    def user_vectors(self, block: FeatureBlock, met: Bags) -> Vectors:
        """u of each history, float32 ``[b, d]``; zeros for one without any vector.

        Args:
            block: As :meth:`scaled` gives it.
            met: Item rows, each history oldest first.
        """
        latest = last_of(met, self.config.window)
        return mean_of_items(block, latest.rows, latest.offsets)

    def probability(self, block: FeatureBlock, met: Bags, items: Rows) -> Vectors:
        """Whether each user will take one item: float32 ``[b]`` in [0, 1].

        An item without a vector is judged as if it had the block's mean vector.

        Args:
            block: Vectors of all items, as an encoder gave them.
            met: The users' histories, item rows.
            items: One item row a user, int32 ``[b]``.

        Raises:
            DataError: There are not as many items as histories, or the block does not fit.
        """
        if len(items) != len(met):
            raise DataError(f"{len(met)} histories need as many items; {len(items)} came")
        ours = self.scaled(block)
        users = self.user_vectors(ours, met)
        return probability(self.head.log_odds_of_pairs(users, ours.vectors[items]))

    def save(self, folder: Path) -> None:
        """Write ``network.json`` and ``weights.npz`` into ``folder``."""
        arrays = {"centre": self.centre, "scale": np.array(self.scale)}
        write_network(folder, KIND, self.config, {**arrays, **layers_of(self.head)})


def load_vector_pairs(folder: Path) -> VectorPairNetwork:
    """Read what :meth:`VectorPairNetwork.save` wrote.

    Raises:
        DataError: A file is missing, damaged, of another kind, or does not fit the other.
    """
    kept = read_network(folder, KIND)
    config = parse_config(kept.values("config", dict), VectorPairConfig, source=str(folder))
    centre = kept.array("centre", None)
    return VectorPairNetwork(
        config, centre, float(kept.array("scale")), kept.head(len(centre), config.hidden)
    )


def last_of(bags: Bags, window: int) -> Bags:
    """The last ``window`` rows of each bag."""
    lengths = np.minimum(bags.lengths, window)
    return Bags(bags.rows[ranges(bags.offsets[1:] - lengths, lengths)], offsets_of(lengths))


def scaled(block: FeatureBlock, centre: Vectors, scale: float) -> FeatureBlock:
    """(x - centre) / scale, and zeros where an item has no vector."""
    vectors = (block.vectors - centre) / np.float32(scale) * block.mask[:, None]
    return FeatureBlock(vectors.astype(np.float32), block.mask.copy(), block.name)
