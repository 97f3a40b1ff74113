"""The streams of the transfer benchmark: no leak of the test into training."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.transfer.streams import Streams, cut_streams, small_stream


@pytest.fixture(scope="module")
def sequences() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    users = [
        pd.DataFrame(
            {
                "user_id": user,
                "item_id": rng.permutation(200)[: 20 + user],
                "position": rng.permutation(20 + user),
            }
        )
        for user in range(100)
    ]
    return pd.concat(users, ignore_index=True).sample(frac=1, random_state=1)


@pytest.fixture(scope="module")
def streams(sequences: pd.DataFrame) -> Streams:
    return cut_streams(sequences)


def test_no_film_is_in_both_streams(sequences, streams):
    small, organic = (set(part["item_id"]) for part in (streams.small, streams.organic))
    assert not small & organic
    assert len(small) == 40 and small | organic == set(sequences["item_id"])


def test_the_small_stream_begins_where_the_organic_one_ends(streams):
    first = streams.small.groupby("user_id")["position"].min()
    last = streams.organic.groupby("user_id")["position"].max()
    both = first.index.intersection(last.index)
    assert len(both) > 80 and (last[both] < first[both]).all()


def test_the_cut_lies_after_four_fifths_of_each_sequence(sequences, streams):
    fifth = sequences["item_id"].isin(streams.small["item_id"])
    for user, own in sequences.groupby("user_id"):
        before = own.sort_values("position").head(int(0.8 * len(own)))
        kept = streams.organic[streams.organic["user_id"] == user]
        assert set(kept["item_id"]) == set(before["item_id"][~fifth])


def test_parts_of_the_small_stream(sequences, streams):
    stream = small_stream(streams, seed=3)
    parts = dict(list(stream.groupby("part")))
    fifth = sequences["item_id"].isin(streams.small["item_id"])
    assert len(parts["train"]) == streams.size == round(0.01 * fifth.sum())
    assert sum(map(len, parts.values())) == len(streams.small)
    choosing, tested = (set(parts[name]["user_id"]) for name in ("validation", "test"))
    assert not choosing & tested
    assert len(choosing) == pytest.approx(0.2 * stream["user_id"].nunique(), abs=2)


def test_the_draw_depends_on_the_seed(streams):
    drawn = [small_stream(streams, seed) for seed in (1, 1, 2)]
    pd.testing.assert_frame_equal(drawn[0], drawn[1])
    assert not drawn[0]["part"].equals(drawn[2]["part"])
