"""Hard negatives: whom the index is asked for, when it is made, and that they are learned from."""

from __future__ import annotations

import numpy as np
import pytest

from recsys._tf import tf
from recsys.errors import ConfigError
from recsys.index import ScannConfig
from recsys.pipeline.training import searched_by
from recsys.towers import (
    HardNegatives,
    InnerProduct,
    MeanHistory,
    QueryBatch,
    SampledSoftmax,
    TowersConfig,
    TrainConfig,
    fit,
)
from recsys.towers.training.mining import Miner
from tests.towers.worlds import cycle

WARM = np.array([False, True, True, True, True])


def exact(vectors):
    return searched_by(vectors, ScannConfig())


class Model:
    """Items on a line, and a query at each item that the batch holds."""

    def __init__(self) -> None:
        angles = np.array([0.0, 0.1, 0.3, 0.6, 1.0])
        self.vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)

    def item_vectors(self):
        return self.vectors

    def queries(self, batch):
        return tf.gather(
            tf.constant(self.vectors), tf.boolean_mask(batch["item"], batch["weight"] > 0)
        )


def batch(*items: int) -> dict:
    rows = np.array([[*items, 0]], np.int32)  # the last is padding
    weight = np.array([[*np.ones(len(items)), 0]], np.float32)
    return {"item": tf.constant(rows), "weight": tf.constant(weight)}


def miner(build=exact, **settings) -> Miner:
    return Miner(HardNegatives(**settings), build, Model(), WARM, batch(1))


def test_the_nearest_warm_items_but_the_target():
    mine = miner(each=1, after=0)
    mine.begin(1)
    assert mine.rows(batch(1)).tolist() == [2]  # item 0 is nearer, and cold
    assert mine.rows(batch(1, 4, 1)).tolist() == [2, 3]
    assert mine.rows(batch(1)).dtype == np.int32


def test_the_best_may_be_passed_over_and_few_items_are_no_fault():
    mine = miner(each=2, skip=1, after=0)
    mine.begin(1)
    assert mine.rows(batch(1)).tolist() == [3, 4]
    mine = miner(each=50, skip=2, after=0)
    mine.begin(1)
    assert mine.rows(batch(1)).tolist() == [4]


def test_only_some_queries_of_a_batch_are_asked():
    mine = miner(each=1, queries=2, after=0)
    mine.begin(1)
    assert mine.rows(batch(1, 3, 3, 3, 4)).tolist() == [2, 3]


def test_the_index_is_made_when_it_is_time():
    made = []

    def counting(vectors):
        made.append(len(vectors))
        return exact(vectors)

    mine, seen = miner(counting, after=2, every=2), []
    for epoch in range(1, 8):
        mine.begin(epoch)
        seen.append(len(made))
        assert (len(mine.rows(batch(1))) > 0) == (epoch > 2)
    assert seen == [0, 0, 1, 1, 2, 2, 3] and set(made) == {4}
    resumed = miner(counting, after=2, every=2)
    resumed.begin(4)
    assert len(made) == 4 and len(resumed.rows(batch(1)))


def settings(loss, **changes) -> dict:
    towers = TowersConfig(dimension=16, history=MeanHistory(window=2), id_dropout=0, terms="none")
    train = TrainConfig(
        loss=loss, batch_positions=128, learning_rate=0.03, warmup_steps=2, **changes
    )
    return {"towers": towers, "train": train}


def test_towers_learn_with_them(tmp_path):
    """What comes next on a circle, where one drawn negative a step tells little."""

    def accuracy(towers):
        histories = [np.array([(at + 7) % 8, at], np.int32) for at in range(8)]
        scores = towers.encode(QueryBatch.of(histories)) @ towers.item_vectors.T
        return float((scores.argmax(axis=1) == (np.arange(8) + 1) % 8).mean())

    hard = HardNegatives(each=1)
    loss = SampledSoftmax(temperature=0.1, negatives=1, in_batch="none", hard=hard)
    fitted = fit(
        cycle(), (), np.zeros((1, 0), np.float32), folder=tmp_path, validate=accuracy,
        search=exact, **settings(loss, epochs=25, patience=25, validate_every=5),
    )  # fmt: skip
    assert accuracy(fitted.towers) == 1.0


def test_what_cannot_be_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"fit\(\) got none: pass search="):
        fit(
            cycle(), (), np.zeros((1, 0), np.float32), folder=tmp_path, validate=lambda towers: 0.0,
            **settings(InnerProduct(hard=HardNegatives())),
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="set correction = 'negatives'"):
        SampledSoftmax(correction="all", hard=HardNegatives())
