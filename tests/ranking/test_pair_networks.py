"""Pair networks: training, resuming, saving and loading, and refused input."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from recsys.encoders import WordVectorsConfig, build_encoder
from recsys.errors import DataError, TrainingError
from recsys.features import FeatureBlock
from recsys.ids import IdMap
from recsys.ranking import (
    Bags,
    PairTrainConfig,
    SparsePairConfig,
    VectorPairConfig,
    bags_of_words,
    fit_sparse_pairs,
    fit_vector_pairs,
    load_sparse_pairs,
    load_vector_pairs,
)
from tests.ranking.pair_worlds import ITEMS, KIND, KINDS, followers, kinds_block, log_of, searchers

TRAIN = PairTrainConfig(batch_size=128, learning_rate=0.01, epochs=12, patience=12, seed=3)
VECTORS = VectorPairConfig(hidden=(32,), dropout=0.1)
SPARSE = SparsePairConfig(dimension=8, hidden=(16,), min_count=1, dropout=0)


def increasing_figures():
    """Validation that improves at every call, so that the last epoch is the best."""
    figures = iter(range(1000))
    return lambda network: float(next(figures))


def train_vector_pairs(folder, *, log=None, block=None, network=VECTORS, validate=None, **changes):
    return fit_vector_pairs(
        followers() if log is None else log,
        kinds_block() if block is None else block,
        network=network,
        train=TRAIN.model_copy(update=changes),
        folder=folder,
        validate=validate or increasing_figures(),
    )


def train_sparse_pairs(folder, *, log=None, network=SPARSE, validate=None, **changes):
    return fit_sparse_pairs(
        searchers() if log is None else log,
        network=network,
        train=TRAIN.model_copy(update=changes),
        folder=folder,
        validate=validate or increasing_figures(),
    )


@pytest.fixture(scope="module")
def vector_network(tmp_path_factory):
    return train_vector_pairs(tmp_path_factory.mktemp("vector_network"), epochs=25).network


@pytest.fixture(scope="module")
def sparse_network(tmp_path_factory):
    return train_sparse_pairs(tmp_path_factory.mktemp("sparse_network"), epochs=15).network


def test_a_vector_network_learns_answers_that_the_inner_product_misses(vector_network) -> None:
    """The answer to a history of kind k is kind k + 1; the inner product ranks kind k first."""
    block = vector_network.scaled(kinds_block())
    histories = Bags.of([[kind] for kind in range(KINDS)])
    users = vector_network.user_vectors(block, histories)
    best = vector_network.head.log_odds(users, block.vectors).argmax(axis=1)
    assert KIND[best].tolist() == [(kind + 1) % KINDS for kind in range(KINDS)]
    assert KIND[(users @ block.vectors.T).argmax(axis=1)].tolist() == list(range(KINDS))


def test_searched_words_rank_the_items_of_their_kind_first(sparse_network) -> None:
    searched = bags_of_words(sparse_network.words, [f"The Word{kind}!" for kind in range(KINDS)])
    users = sparse_network.user_vectors(Bags.of([[]] * KINDS), searched)
    odds = sparse_network.log_odds(users)
    relevant = np.arange(KINDS)[:, None] == KIND
    assert odds[relevant].min() > odds[~relevant].max()
    likely = sparse_network.probability(
        Bags.of([[]] * 2), searched.at(np.array([1, 1])), np.array([1, 2])
    )
    assert likely[0] > 0.95 and likely[1] < 0.05


def test_a_history_without_searches_ranks_its_kind_first(sparse_network) -> None:
    histories = Bags.of([[kind, kind + KINDS] for kind in range(KINDS)])
    odds = sparse_network.log_odds(sparse_network.user_vectors(histories, Bags.of([[]] * KINDS)))
    assert KIND[odds.argmax(axis=1)].tolist() == list(range(KINDS))


def test_trained_item_and_word_vectors_can_be_exported(sparse_network, tmp_path) -> None:
    block = sparse_network.item_block()
    assert (block.name, len(block), block.dimension) == ("learned", ITEMS, 8)
    unit = block.vectors / np.linalg.norm(block.vectors, axis=1, keepdims=True)
    cosines = unit @ unit.T
    same = KIND[:, None] == KIND
    assert cosines[same].min() > cosines[~same].max()
    sparse_network.save_words(tmp_path / "words.txt")
    encoder = build_encoder(WordVectorsConfig(file=tmp_path / "words.txt"), ["word0 word1"])
    encoded = encoder.encode(["word3", "nothing known"])
    vector = sparse_network.word_vectors[sparse_network.words.row("word3")]
    np.testing.assert_allclose(encoded.vectors[0], vector / np.linalg.norm(vector), atol=1e-5)
    assert encoded.mask.tolist() == [True, False]


def test_a_cold_item_has_no_vector(tmp_path) -> None:
    log = searchers(60)
    network = train_sparse_pairs(tmp_path, log=log.take(log.item != 7), epochs=1).network
    assert not network.warm[7] and not network.item_vectors[7].any()
    assert network.item_block().mask.tolist() == (np.arange(ITEMS) != 7).tolist()
    # It has no effect in a history either.
    empty, cold = network.user_vectors(Bags.of([[], [7]]), Bags.of([[], []]))
    np.testing.assert_array_equal(empty, cold)


def test_a_network_trained_without_searches_has_no_words(tmp_path) -> None:
    network = train_sparse_pairs(tmp_path, log=followers(60), epochs=1).network
    assert len(network.words) == 0
    with pytest.raises(DataError, match="the network has no words"):
        network.save_words(tmp_path / "words.txt")


def test_words_of_the_current_search_can_be_left_out(tmp_path) -> None:
    """Number of words read from a log in which each search has a different word."""
    log = log_of(1, 4, [0, 1, 2, 3], phrases=("", "a", "b", "c"), terms=[0, 1, 2, 3])
    from recsys.ranking.models import SparsePairModel
    from recsys.ranking.sampling import PairSampler

    batch = next(PairSampler(log, 1).batches(size=4, seed=0, epoch=1))
    rng = np.random.default_rng(0)

    def words_read(**changes):
        model = SparsePairModel(SPARSE.model_copy(update=changes), log)
        return len(model.arrays(batch, rng)["searched"])

    assert words_read(now=False) == 0 + 0 + 1 + 2
    assert words_read(now=True, now_dropout=0.0) == 0 + 1 + 2 + 3
    assert words_read(now=False, searches=1) == 0 + 0 + 1 + 1
    assert words_read(now=False, searches=0) == 0


def test_the_network_of_the_best_validation_is_returned(tmp_path) -> None:
    figures = iter([0.1, 0.5, 0.3, 0.2, 0.9])
    fitted = train_vector_pairs(
        tmp_path, validate=lambda network: next(figures), epochs=9, patience=2
    )
    assert fitted.best_epoch == 2
    assert [epoch.validation for epoch in fitted.epochs] == [0.1, 0.5, 0.3, 0.2]
    assert sorted(path.name for path in tmp_path.glob("best-*")) == ["best-2"]


class Killed(Exception):
    pass


def test_a_resumed_run_repeats_the_uninterrupted_one(tmp_path) -> None:
    """Including dropout, negatives and dropped terms, which depend on seed and step alone."""

    def kill_in_epoch_3(network):
        seen.append(1)
        if len(seen) == 3:
            raise Killed
        return float(len(seen))

    seen: list[int] = []
    changes = {"network": SPARSE.model_copy(update={"dropout": 0.3}), "log": searchers(90)}
    with pytest.raises(Killed):
        train_sparse_pairs(tmp_path / "killed", validate=kill_in_epoch_3, epochs=4, **changes)
    resumed = train_sparse_pairs(tmp_path / "killed", epochs=4, **changes)
    whole = train_sparse_pairs(tmp_path / "whole", epochs=4, **changes)
    assert [epoch.loss for epoch in resumed.epochs] == [epoch.loss for epoch in whole.epochs]

    def fail(network):
        raise AssertionError("a finished run was validated again")

    again = train_sparse_pairs(tmp_path / "whole", epochs=4, validate=fail, **changes)
    for name in ("item_vectors", "word_vectors", "mix", "bias"):
        np.testing.assert_array_equal(getattr(again.network, name), getattr(whole.network, name))


def test_ids_of_any_characters_survive_saving(sparse_network, tmp_path) -> None:
    ids = [f"\u00e9\n\0{row}\u2028" for row in range(ITEMS)]
    replace(sparse_network, items=IdMap.of("item", ids)).save(tmp_path)
    assert list(load_sparse_pairs(tmp_path).items.index) == ids


def test_loaded_networks_equal_the_saved_ones(vector_network, sparse_network, tmp_path) -> None:
    vector_network.save(tmp_path / "v")
    sparse_network.save(tmp_path / "s")
    histories, items = Bags.of([[0, 6], []]), np.array([1, 2], np.int32)
    searched = bags_of_words(sparse_network.words, ["word1", ""])
    block = kinds_block()
    again = load_vector_pairs(tmp_path / "v")
    np.testing.assert_array_equal(
        again.probability(block, histories, items),
        vector_network.probability(block, histories, items),
    )
    again = load_sparse_pairs(tmp_path / "s")
    np.testing.assert_array_equal(
        again.probability(histories, searched, items),
        sparse_network.probability(histories, searched, items),
    )


def test_damaged_files_are_refused(vector_network, sparse_network, tmp_path) -> None:
    with pytest.raises(DataError, match="cannot read the pair network"):
        load_vector_pairs(tmp_path)
    vector_network.save(tmp_path)
    with pytest.raises(DataError, match="has the kind 'vector-pair'; expected 'sparse-pair'"):
        load_sparse_pairs(tmp_path)
    whole = (tmp_path / "weights.npz").read_bytes()
    (tmp_path / "weights.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot read the pair network"):
        load_vector_pairs(tmp_path)
    (tmp_path / "weights.npz").write_bytes(whole)
    with np.load(tmp_path / "weights.npz") as file:
        arrays = {name: file[name] for name in file.files}
    np.savez(tmp_path / "weights.npz", **{**arrays, "kernel/000": arrays["kernel/000"][:-1]})
    with pytest.raises(DataError, match="do not fit its network.json"):
        load_vector_pairs(tmp_path)
    np.savez(tmp_path / "weights.npz", **{**arrays, "centre": arrays["centre"] * np.nan})
    with pytest.raises(DataError, match="not finite"):
        load_vector_pairs(tmp_path)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("config", None, "no valid 'config' .expected dict, got None"),
        ("items", "lamp", "no valid 'items' .expected list, got 'lamp'"),
        ("items", [1, 2], "'items' holds no names"),
        ("words", ["red", ""], "'words' holds no names"),
    ],
)
def test_a_network_json_of_wrong_types_is_refused(
    sparse_network, tmp_path, key, value, message
) -> None:
    sparse_network.save(tmp_path)
    file = tmp_path / "network.json"
    facts = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**facts, key: value}), encoding="utf-8")
    with pytest.raises(DataError, match=f"{message}.*: train again"):
        load_sparse_pairs(tmp_path)


def test_bad_input_is_refused(tmp_path, vector_network, sparse_network) -> None:
    log, block = followers(60), kinds_block()
    with pytest.raises(DataError, match="holds 5 items; the log knows 36"):
        train_vector_pairs(tmp_path, log=log, block=block.take(np.arange(5)))
    no_vectors = FeatureBlock(np.zeros_like(block.vectors), np.zeros(ITEMS, bool), "kind")
    with pytest.raises(DataError, match="no item of the training part has a vector"):
        train_vector_pairs(tmp_path, log=log, block=no_vectors)
    with pytest.raises(DataError, match="has 120 interactions with 1 items|0 interactions with 0"):
        train_sparse_pairs(tmp_path, log=log.take(np.zeros(len(log), bool)))
    with pytest.raises(TrainingError, match="lower train.learning_rate"):
        train_vector_pairs(tmp_path / "a", log=log, learning_rate=float("inf"))
    with pytest.raises(TrainingError, match="validation figure of epoch 1 is nan"):
        train_sparse_pairs(tmp_path / "b", log=searchers(60), validate=lambda network: float("nan"))
    with pytest.raises(DataError, match="reads vectors of 6 dimensions; the block 'x' has 1"):
        vector_network.scaled(FeatureBlock(np.ones((3, 1), np.float32), np.ones(3, bool), "x"))
    with pytest.raises(DataError, match="2 histories need as many items; got 1"):
        vector_network.probability(block, Bags.of([[], []]), np.array([1], np.int32))
    with pytest.raises(DataError, match="items must be rows from 0 to 35; got 36"):
        sparse_network.probability(Bags.of([[36]]), Bags.of([[]]), np.array([0], np.int32))
    with pytest.raises(DataError, match="1 histories need as many bags of words, not 2"):
        sparse_network.user_vectors(Bags.of([[3]]), Bags.of([[], []]))


def test_items_without_a_vector_are_not_trained_on_and_count_as_the_mean(tmp_path) -> None:
    block = kinds_block()
    vectors = block.vectors.copy()
    vectors[KIND == 0] = 0
    some = FeatureBlock(vectors, KIND != 0, "kind")
    network = train_vector_pairs(tmp_path, block=some, epochs=1).network
    scaled = network.scaled(some)
    assert not scaled.vectors[KIND == 0].any()
    np.testing.assert_allclose(scaled.vectors[KIND != 0].mean(axis=0), 0, atol=1e-5)
    assert np.isfinite(network.probability(some, Bags.of([[0]]), np.array([6], np.int32))).all()
