"""Inputs of the query tower, each with a small log whose best answers are known."""

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
"""Phrase vectors: zeros for no phrase, then four that are orthogonal."""


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


def fit_towers(folder, log, *, user_block=None, **inputs):
    figures = iter(range(99))
    inputs = {"user_vectors_dropout": 0, **inputs}
    config = TowersConfig(dimension=16, id_dropout=0, terms_dropout=0, **inputs)
    fitted = fit(
        log, (), WORDS, towers=config, train=TRAIN, folder=folder,
        validate=lambda towers: next(figures), user_block=user_block,
    )  # fmt: skip
    return fitted.towers


def best_items(towers, batch: QueryBatch) -> list[int]:
    return (towers.encode(batch) @ towers.item_vectors.T).argmax(axis=1).tolist()


def empty_histories(size: int) -> list:
    return [np.array([], np.int32)] * size


def test_user_ids_alone_select_items(tmp_path):
    """(user, pin), (user, video) and (user, tweet): user u interacts with item u % 5 only."""
    users = np.repeat(np.arange(20), 6)
    log = log_of(users, users % 5, items=6)
    towers = fit_towers(tmp_path, log, history=NoHistory(), user_id="embedding", terms="none")
    rows = np.arange(20, dtype=np.int32)
    assert best_items(towers, QueryBatch.of(empty_histories(20), users=rows)) == (rows % 5).tolist()


def test_terms_alone_select_items(tmp_path):
    """(query, page): phrase p leads to page p - 1 for every user and history."""
    rng = np.random.default_rng(0)
    terms = rng.integers(1, 5, 200)
    log = log_of(np.repeat(np.arange(10), 20), terms - 1, items=5, terms=terms)
    towers = fit_towers(tmp_path, log, history=NoHistory())
    assert best_items(towers, QueryBatch.of(empty_histories(4), terms=WORDS[1:])) == [0, 1, 2, 3]


def test_user_ids_and_terms_together_select_items(tmp_path):
    """(searcher, page): phrase p leads user u to page 4 (u % 2) + p - 1."""
    rng = np.random.default_rng(1)
    users, terms = np.repeat(np.arange(10), 30), rng.integers(1, 5, 300)
    log = log_of(users, 4 * (users % 2) + terms - 1, items=8, terms=terms)
    towers = fit_towers(tmp_path, log, history=NoHistory(), user_id="embedding")
    requests = np.array([(u, p) for u in range(10) for p in range(1, 5)], np.int32)
    batch = QueryBatch.of(empty_histories(40), users=requests[:, 0], terms=WORDS[requests[:, 1]])
    assert best_items(towers, batch) == (4 * (requests[:, 0] % 2) + requests[:, 1] - 1).tolist()


def test_histories_and_terms_together_select_items(tmp_path):
    """The same log; users unknown to training are distinguished by their histories."""
    rng = np.random.default_rng(2)
    users, terms = np.repeat(np.arange(30), 12), rng.integers(1, 5, 360)
    log = log_of(users, 4 * (users % 2) + terms - 1, items=8, terms=terms)
    towers = fit_towers(tmp_path, log, history=MeanHistory(window=6))
    histories = [np.array(rows, np.int32) for rows in ([0, 3, 1], [5, 7, 6])]
    batch = QueryBatch.of(
        [histories[0]] * 4 + [histories[1]] * 4, terms=np.vstack([WORDS[1:], WORDS[1:]])
    )
    assert best_items(towers, batch) == list(range(8))


def test_towers_without_a_history_encoder_ignore_histories(tmp_path):
    log = log_of([0, 0, 1], [0, 1, 2], items=4, terms=[1, 2, 3])
    towers = fit_towers(tmp_path, log, history=NoHistory())
    towers.save(tmp_path / "saved")
    terms, histories = WORDS[1:3], [np.array([3, 2], np.int32), np.array([1], np.int32)]
    alone = towers.encode(QueryBatch.of(empty_histories(2), terms=terms))
    for each in (towers, load_towers(tmp_path / "saved")):
        vectors = each.encode(QueryBatch.of(histories, terms=terms))
        np.testing.assert_allclose(vectors, alone, atol=1e-6)


def test_a_query_tower_without_inputs_is_refused(tmp_path):
    log = log_of([0, 0], [0, 1], items=2)
    with pytest.raises(ConfigError, match="every query would be the same") as refused:
        fit_towers(tmp_path, log, history=NoHistory(), terms="none")
    assert refused.value.field == "towers.history.name"
    assert list(tmp_path.iterdir()) == []


def test_user_vectors_serve_users_unknown_to_training(tmp_path):
    """(user, pin): the users of a group have one vector; half of them are unknown to training."""
    users = np.repeat(np.arange(40), 6)
    log = log_of(users, users % 4, items=5).take(users < 20)
    vectors = np.eye(4, dtype=np.float32)[np.arange(40) % 4] * 50 + 7
    mask = np.arange(40) != 39
    vectors[~mask] = 0
    block = FeatureBlock(vectors, mask, "user_vectors")
    towers = fit_towers(tmp_path, log, history=NoHistory(), terms="none", user_block=block)
    towers.save(tmp_path / "saved")
    rows = np.arange(39, dtype=np.int32)
    for each in (towers, load_towers(tmp_path / "saved")):
        assert (
            best_items(each, QueryBatch.of(empty_histories(39), users=rows)) == (rows % 4).tolist()
        )
    # A user without a vector, or marked as unknown, is encoded as anonymous.
    none = np.array([39], np.int32)
    anonymous = towers.encode(QueryBatch.of(empty_histories(1)))
    np.testing.assert_allclose(
        towers.encode(QueryBatch.of(empty_histories(1), users=none)), anonymous
    )
    unknown = QueryBatch.of(empty_histories(1), users=none - 1, user_known=np.array([False]))
    np.testing.assert_allclose(towers.encode(unknown), anonymous)


def test_user_vectors_are_dropped_in_training_and_never_trained(tmp_path):
    users = np.repeat(np.arange(8), 4)
    log = log_of(users, users % 4, items=4)
    block = FeatureBlock(np.eye(8, dtype=np.float32), np.ones(8, bool), "user_vectors")
    inputs = {"history": NoHistory(), "user_id": "embedding", "terms": "none"}
    towers = fit_towers(tmp_path / "a", log, **inputs, user_block=block)
    *_, table, mask = towers.query_weights
    np.testing.assert_array_equal(table, standardised(block))
    np.testing.assert_array_equal(mask, block.mask)
    # The projection of vectors that are always dropped is not trained.
    dropped = fit_towers(
        tmp_path / "b", log, **inputs, user_block=block, user_vectors_dropout=0.9999999
    )
    *_, bias, _, _ = dropped.query_weights
    assert not bias.any()
    rows = np.arange(8, dtype=np.int32)
    assert best_items(towers, QueryBatch.of(empty_histories(8), users=rows)) == (rows % 4).tolist()


def test_a_user_block_of_another_size_is_refused(tmp_path):
    block = FeatureBlock(np.eye(3, dtype=np.float32), np.ones(3, bool), "user_vectors")
    with pytest.raises(DataError, match="the block of users has 3 rows, the log 2 users"):
        fit_towers(tmp_path, log_of([0, 1], [0, 1], items=2), user_block=block)


def test_a_user_unknown_to_training_is_encoded_as_anonymous(tmp_path):
    """Id vectors start at zero, so an untrained one has no effect."""
    log = log_of([0, 0, 1, 1, 2], [0, 1, 1, 0, 1], items=2).take(np.arange(5) < 4)
    towers = fit_towers(tmp_path, log, history=NoHistory(), user_id="embedding", terms="none")
    known, untrained = (
        towers.encode(QueryBatch.of(empty_histories(1), users=np.array([u], np.int32)))
        for u in (0, 2)
    )
    anonymous = towers.encode(QueryBatch.of(empty_histories(1)))
    np.testing.assert_allclose(untrained, anonymous, atol=1e-6)
    assert np.abs(known - anonymous).max() > 1e-3


@pytest.mark.parametrize(
    ("inputs", "reads"),
    [
        ({"history": NoHistory(), "user_id": "embedding", "terms": "none"}, {"user"}),
        ({"history": NoHistory()}, {"terms"}),
        ({"history": MeanHistory(window=3), "terms": "none"}, {"history"}),
    ],
)
def test_reads_names_the_inputs_of_the_query_tower(tmp_path, inputs, reads):
    log = log_of([0, 0, 1], [0, 1, 2], items=4, terms=[1, 2, 3])
    assert fit_towers(tmp_path, log, **inputs).reads == reads
