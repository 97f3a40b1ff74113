import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.config import parse_config
from recsys.errors import ConfigError
from recsys.towers.training.augmentation import Augmentation, cropped, reordered, shown
from recsys.towers.training.batches import load_batches, training_batches
from tests.towers.training.test_batches import log_of

lengths_and_share = (
    st.lists(st.integers(1, 30), min_size=1, max_size=20),
    st.floats(0, 1),
    st.integers(0, 5),
)


@given(*lengths_and_share)
def test_a_crop_is_a_stretch_of_its_window_and_no_shorter_than_told(lengths, share, seed):
    stops = np.cumsum(lengths)
    spans = np.stack([stops - lengths, stops], axis=1)
    config = Augmentation(crop=share, crop_to=0.5)
    cut = cropped(spans, config, np.random.default_rng(seed))
    assert (cut[:, 0] >= spans[:, 0]).all() and (cut[:, 1] <= spans[:, 1]).all()
    assert (cut[:, 1] - cut[:, 0] >= np.ceil(np.array(lengths) / 2)).all()


@given(*lengths_and_share)
def test_reordering_keeps_every_item_and_touches_one_stretch(lengths, share, seed):
    lengths = np.array(lengths)
    places = np.tile(np.arange(lengths.max()), (len(lengths), 1))
    mixed = reordered(places, lengths, Augmentation(reorder=share), np.random.default_rng(seed))
    np.testing.assert_array_equal(np.sort(mixed, axis=1), places)
    for line, length in zip(mixed, lengths):
        moved = np.flatnonzero(line != np.arange(len(line)))
        assert not len(moved) or moved[-1] - moved[0] < round(share * length)
        assert (line[length:] == np.arange(length, len(line))).all()


def test_all_of_a_window_reordered_is_any_order_alike():
    places = np.tile(np.arange(4), (8_000, 1))
    lengths = np.full(8_000, 4)
    mixed = reordered(places, lengths, Augmentation(reorder=1), np.random.default_rng(0))
    counts = np.stack([np.bincount(column, minlength=4) for column in mixed.T])
    np.testing.assert_allclose(counts / 8_000, 0.25, atol=0.02)


def test_as_large_a_share_is_masked_as_told():
    real = np.ones((200, 100), bool)
    real[:, 50:] = False
    seen = shown(real, Augmentation(mask=0.3), np.random.default_rng(0))
    assert not seen[:, 50:].any() and abs(seen[:, :50].mean() - 0.7) < 0.02


def test_an_epoch_is_a_function_of_the_seed_and_its_number():
    log = log_of([7, 30, 2, 9])
    config = Augmentation(crop=0.5, reorder=0.5, mask=0.3)

    def epoch(seed: int, number: int) -> list[list[list[float]]]:
        told = {"seed": seed, "epoch": number, "augmentation": config}
        groups = training_batches(log, window=5, positions=12, **told)
        batches = list(load_batches(log, groups, **told))
        return [[batch["item"].tolist(), batch["shown"].tolist()] for batch in batches]

    assert epoch(1, 1) == epoch(1, 1)
    assert epoch(1, 1) != epoch(1, 2)
    assert epoch(1, 1) != epoch(2, 1)


def test_what_is_masked_is_predicted_all_the_same():
    log = log_of([6, 3])
    groups = [np.array([[0, 6], [6, 9]])]
    (plain,) = load_batches(log, groups)
    (masked,) = load_batches(log, groups, augmentation=Augmentation(mask=0.9))
    assert "shown" not in plain and masked["shown"].sum() < 9
    for name in plain:
        np.testing.assert_array_equal(plain[name], masked[name])


@pytest.mark.parametrize(
    "key, value", [("crop", 1.1), ("crop_to", 0), ("mask", 1), ("reorder", -1)]
)
def test_shares_that_are_none_are_refused(key, value):
    with pytest.raises(ConfigError, match=f"'{key}': Input should be"):
        parse_config({key: value}, Augmentation)
