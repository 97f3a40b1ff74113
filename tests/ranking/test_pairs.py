"""The kinds of pairs that two towers embed, each in a small world with a provable answer."""

import numpy as np
import pytest

from recsys.errors import ConfigError, DataError
from recsys.features import FeatureBlock
from recsys.ids import IdMap
from recsys.interactions import Interactions
from recsys.towers import (
    MeanHistory,
    NoHistory,
    QueryBatch,
    TowersConfig,
    TrainConfig,
    fit,
    load_towers,
)
from recsys.towers.model.scaling import standardised

TRAIN = TrainConfig(
    batch_positions=256, learning_rate=0.03, epochs=12, validate_every=12, warmup_steps=4
)
WORDS = np.vstack([np.zeros(4), np.eye(4)]).astype(np.float32)
"""Encoded phrases: none, then four that have nothing in common."""


def log_of(user, item, *, items, terms=None) -> Interactions:
    """Interactions in the order given."""
    return Interactions.of(
        IdMap.of("user", [f"u{row}" for row in range(max(user) + 1)]),
        IdMap.of("item", [f"i{row}" for row in range(items)]),
        user=user,
        item=item,
        time=np.arange(len(user)),
        phrases=("", "red", "blue", "round", "square"),
        terms=terms,
    )


def learned(folder, log, *, user_block=None, **inputs):
    rising = iter(range(99))
    inputs = {"user_vectors_dropout": 0, **inputs}
    config = TowersConfig(dimension=16, id_dropout=0, terms_dropout=0, **inputs)
    fitted = fit(
        log, (), WORDS, towers=config, train=TRAIN, folder=folder,
        validate=lambda towers: next(rising), user_block=user_block,
    )  # fmt: skip
    return fitted.towers


def best(towers, batch: QueryBatch) -> list[int]:
    return (towers.encode(batch) @ towers.item_vectors.T).argmax(axis=1).tolist()


def nothing(size: int) -> list:
    return [np.array([], np.int32)] * size


def test_user_and_pin_the_id_alone(tmp_path):
    """Also (user, video) and (user, tweet): user u has but one favourite, item u % 5."""
    users = np.repeat(np.arange(20), 6)
    log = log_of(users, users % 5, items=6)
    towers = learned(tmp_path, log, history=NoHistory(), user_id="embedding", terms="none")
    rows = np.arange(20, dtype=np.int32)
    assert best(towers, QueryBatch.of(nothing(20), users=rows)) == (rows % 5).tolist()


def test_query_and_page_the_terms_alone(tmp_path):
    """Phrase p leads to page p - 1, whoever asks and whatever came before."""
    rng = np.random.default_rng(0)
    terms = rng.integers(1, 5, 200)
    log = log_of(np.repeat(np.arange(10), 20), terms - 1, items=5, terms=terms)
    towers = learned(tmp_path, log, history=NoHistory())
    assert best(towers, QueryBatch.of(nothing(4), terms=WORDS[1:])) == [0, 1, 2, 3]


def test_searcher_and_page_the_id_and_the_terms(tmp_path):
    """The same phrase leads even and odd users to different pages: 4 (u % 2) + p - 1."""
    rng = np.random.default_rng(1)
    users, terms = np.repeat(np.arange(10), 30), rng.integers(1, 5, 300)
    log = log_of(users, 4 * (users % 2) + terms - 1, items=8, terms=terms)
    towers = learned(tmp_path, log, history=NoHistory(), user_id="embedding")
    asked = np.array([(u, p) for u in range(10) for p in range(1, 5)], np.int32)
    batch = QueryBatch.of(nothing(40), users=asked[:, 0], terms=WORDS[asked[:, 1]])
    assert best(towers, batch) == (4 * (asked[:, 0] % 2) + asked[:, 1] - 1).tolist()


def test_searcher_and_page_a_history_and_the_terms(tmp_path):
    """The same, for users whom training never met: what they read tells which kind they are."""
    rng = np.random.default_rng(2)
    users, terms = np.repeat(np.arange(30), 12), rng.integers(1, 5, 360)
    log = log_of(users, 4 * (users % 2) + terms - 1, items=8, terms=terms)
    towers = learned(tmp_path, log, history=MeanHistory(window=6))
    histories = [np.array(rows, np.int32) for rows in ([0, 3, 1], [5, 7, 6])]
    batch = QueryBatch.of(
        [histories[0]] * 4 + [histories[1]] * 4, terms=np.vstack([WORDS[1:], WORDS[1:]])
    )
    assert best(towers, batch) == list(range(8))


def test_without_a_history_none_is_read_before_and_after_saving(tmp_path):
    log = log_of([0, 0, 1], [0, 1, 2], items=4, terms=[1, 2, 3])
    towers = learned(tmp_path, log, history=NoHistory())
    towers.save(tmp_path / "kept")
    terms, histories = WORDS[1:3], [np.array([3, 2], np.int32), np.array([1], np.int32)]
    alone = towers.encode(QueryBatch.of(nothing(2), terms=terms))
    for each in (towers, load_towers(tmp_path / "kept")):
        vectors = each.encode(QueryBatch.of(histories, terms=terms))
        np.testing.assert_allclose(vectors, alone, atol=1e-6)


def test_a_query_tower_with_nothing_to_read_is_refused(tmp_path):
    log = log_of([0, 0], [0, 1], items=2)
    with pytest.raises(ConfigError, match="every query would be the same") as refused:
        learned(tmp_path, log, history=NoHistory(), terms="none")
    assert refused.value.field == "towers.history.name"
    assert list(tmp_path.iterdir()) == []


def test_user_and_pin_by_what_is_known_of_the_user_from_elsewhere(tmp_path):
    """Users of one taste have like vectors; those whom training never met are served by theirs."""
    users = np.repeat(np.arange(40), 6)
    log = log_of(users, users % 4, items=5).take(users < 20)
    tastes = np.eye(4, dtype=np.float32)[np.arange(40) % 4] * 50 + 7
    mask = np.arange(40) != 39
    tastes[~mask] = 0
    block = FeatureBlock(tastes, mask, "user_vectors")
    towers = learned(tmp_path, log, history=NoHistory(), terms="none", user_block=block)
    towers.save(tmp_path / "kept")
    rows = np.arange(39, dtype=np.int32)
    for each in (towers, load_towers(tmp_path / "kept")):
        assert best(each, QueryBatch.of(nothing(39), users=rows)) == (rows % 4).tolist()
    # Without a vector, or not said to be known, a user is anyone.
    none = np.array([39], np.int32)
    anyone = towers.encode(QueryBatch.of(nothing(1)))
    np.testing.assert_allclose(towers.encode(QueryBatch.of(nothing(1), users=none)), anyone)
    unsaid = QueryBatch.of(nothing(1), users=none - 1, user_known=np.array([False]))
    np.testing.assert_allclose(towers.encode(unsaid), anyone)


def test_the_vectors_of_users_are_dropped_in_training_and_never_trained(tmp_path):
    users = np.repeat(np.arange(8), 4)
    log = log_of(users, users % 4, items=4)
    block = FeatureBlock(np.eye(8, dtype=np.float32), np.ones(8, bool), "user_vectors")
    inputs = {"history": NoHistory(), "user_id": "embedding", "terms": "none"}
    towers = learned(tmp_path / "a", log, **inputs, user_block=block)
    (table,) = [weight for weight in towers._query_tower.weights if "table" in weight.name]
    assert not table.trainable
    np.testing.assert_array_equal(table.numpy(), standardised(block))
    # Always left out, the map is never trained: nothing but the id tells one from another.
    dropped = learned(
        tmp_path / "b", log, **inputs, user_block=block, user_vectors_dropout=0.9999999
    )
    (bias,) = [w for w in dropped._query_tower.weights if "projection/bias" in w.name]
    assert not bias.numpy().any()
    rows = np.arange(8, dtype=np.int32)
    assert best(towers, QueryBatch.of(nothing(8), users=rows)) == (rows % 4).tolist()


def test_vectors_of_other_users_are_refused(tmp_path):
    block = FeatureBlock(np.eye(3, dtype=np.float32), np.ones(3, bool), "user_vectors")
    with pytest.raises(DataError, match="the block of users has 3 rows, the log 2 users"):
        learned(tmp_path, log_of([0, 1], [0, 1], items=2), user_block=block)


def test_a_user_whom_training_never_met_is_anyone(tmp_path):
    """An id vector begins at zero, so that it says nothing before training does."""
    log = log_of([0, 0, 1, 1, 2], [0, 1, 1, 0, 1], items=2).take(np.arange(5) < 4)
    towers = learned(tmp_path, log, history=NoHistory(), user_id="embedding", terms="none")
    met, unmet = (
        towers.encode(QueryBatch.of(nothing(1), users=np.array([u], np.int32))) for u in (0, 2)
    )
    anyone = towers.encode(QueryBatch.of(nothing(1)))
    np.testing.assert_allclose(unmet, anyone, atol=1e-6)
    assert np.abs(met - anyone).max() > 1e-3


@pytest.mark.parametrize(
    ("inputs", "reads"),
    [
        ({"history": NoHistory(), "user_id": "embedding", "terms": "none"}, {"user"}),
        ({"history": NoHistory()}, {"terms"}),
        ({"history": MeanHistory(window=3), "terms": "none"}, {"history"}),
    ],
)
def test_towers_say_what_they_read(tmp_path, inputs, reads):
    log = log_of([0, 0, 1], [0, 1, 2], items=4, terms=[1, 2, 3])
    assert learned(tmp_path, log, **inputs).reads == reads
