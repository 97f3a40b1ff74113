"""Training tables of a ranker from what feeds have shown."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys.errors import DataError
from recsys.ids import IdMap, Vectors
from recsys.ranking import RankerConfig, is_feature
from recsys.ranking.learning import TrainingTable, read_training_table

_FEWEST = 10
"""Smallest number of requests with a taken item, of the training and of the choice."""


def shown_tables(
    path: Path, items: IdMap, section: RankerConfig
) -> tuple[TrainingTable, TrainingTable]:
    """Impressions of the training, and the later ones of the choice.

    The features are those that were logged when the feed was served, so that none can be of the
    future. Items that are no longer in the catalogue are left out. The choice has only requests
    of which an item was taken, since NDCG is not defined for the others.

    Raises:
        DataError: The file cannot be read, its features are not those of a ranker, or too few
            requests have a taken item.
    """
    table = read_training_table(path, items, unknown="skip")
    if not len(table):
        raise DataError(f"{path}: it has no impression of an item of the catalogue")
    foreign = [name for name in table.names if not is_feature(name)]
    if foreign or not table.names:
        raise DataError(
            f"{path}: the features of a ranker are needed, got {foreign or 'none'}: export the"
            " impressions of a bundle with a ranker (--bundle, --pipeline)"
        )
    drawn = np.random.default_rng(section.seed).permutation(table.requests)[: section.requests]
    table = table.at(drawn[np.argsort(table.times[drawn], kind="stable")])
    last = int(table.requests * (1 - section.choose_on))
    earlier, later = table.at(np.arange(last)), table.at(np.arange(last, table.requests))
    answered = [
        np.flatnonzero(np.bincount(part.owners, part.taken, minlength=part.requests))
        for part in (earlier, later)
    ]
    if min(map(len, answered)) < _FEWEST:
        counts = " and ".join(str(len(each)) for each in answered)
        raise DataError(
            f"{path}: at least {_FEWEST} impressions with a taken item are needed in the training"
            f" and in the choice, got {counts}; record interactions with their impression_id"
        )
    return earlier, later.at(answered[1])


def shown_order(table: TrainingTable) -> Vectors:
    """Scores of the order in which the items were shown."""
    return -np.arange(len(table), dtype=np.float32)
