"""Similarity of a part of a log to the positions of the lists."""

import numpy as np

from benchmarks.split_shift import LONG, TENTHS, order
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.splits import FixedConfig, split_fixed


def test_later_items_are_most_similar_to_the_end_of_the_list() -> None:
    """Users stay in five towns of twenty, one after another; the test continues in the last."""
    rng, towns, users = np.random.default_rng(1), 20, 200
    per_town, ids = 20, IdMap.of("user", [f"u{at}" for at in range(users)])
    items = IdMap.of("item", [f"i{at}" for at in range(towns * per_town)])
    sequences = [
        np.concatenate(
            [town * per_town + rng.permutation(20)[:10] for town in rng.permutation(towns)[:5]]
        )
        for _ in range(users)
    ]

    def log(cut):
        histories = [cut(sequence) for sequence in sequences]
        user = np.repeat(np.arange(users), [len(each) for each in histories])
        item = np.concatenate(histories)
        return Interactions.of(
            ids, items, user=user, item=item, time=np.arange(len(item)), clock="position"
        )

    train, test = log(lambda sequence: sequence[:-2]), log(lambda sequence: sequence[-2:])
    parts = split_fixed(train, test, config=FixedConfig(validation_share=0.1))
    held_out = {"validation": parts.validation, "test": parts.test}
    figures = order(parts.train, held_out, directions=20)
    assert np.diff(parts.train.offsets).min() >= LONG
    assert figures["alike.next"] > figures["alike.anywhere"] + 0.3
    later = [figures[f"test.alike.{at}"] for at in range(1, TENTHS + 1)]
    anywhere = [figures[f"validation.alike.{at}"] for at in range(1, TENTHS + 1)]
    assert np.argmax(later) == TENTHS - 1 and later[-1] > 2 * later[0]
    assert max(anywhere) < 2 * min(anywhere)
