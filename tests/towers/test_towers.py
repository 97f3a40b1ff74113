import json

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.towers import (
    FullSoftmax,
    QueryBatch,
    TowersConfig,
    TrainConfig,
    TransformerHistory,
    fit,
    load_towers,
)
from tests.towers.worlds import cycle


@pytest.fixture(scope="module")
def towers(tmp_path_factory):
    fitted = fit(
        cycle(),
        (),
        np.ones((1, 3), np.float32) * 0,
        towers=TowersConfig(
            dimension=8,
            history=TransformerHistory(window=5, blocks=1, heads=1),
            user_id="embedding",
        ),
        train=TrainConfig(loss=FullSoftmax(), batch_positions=256, epochs=1),
        folder=tmp_path_factory.mktemp("run"),
        validate=lambda towers: 0.0,
    )
    return fitted.towers


def batch(size: int = 40) -> QueryBatch:
    rng = np.random.default_rng(5)
    return QueryBatch.of(
        [rng.integers(0, 8, rng.integers(0, 12)).astype(np.int32) for _ in range(size)],
        users=rng.integers(0, 24, size).astype(np.int32),
        user_known=rng.random(size) < 0.5,
        terms=rng.normal(size=(size, 3)).astype(np.float32),
        terms_known=rng.random(size) < 0.5,
    )


def test_a_query_has_the_same_vector_alone_and_in_a_batch(towers):
    together = towers.encode(batch())
    alone = np.concatenate([towers.encode(batch().slice(at, at + 1)) for at in range(40)])
    np.testing.assert_array_equal(together, alone)
    for size in (3, 11):
        parts = [towers.encode(batch().slice(at, at + size)) for at in range(0, 40, size)]
        np.testing.assert_array_equal(together, np.concatenate(parts))
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)


def test_many_queries_have_the_same_vectors_with_all_cpus(towers, monkeypatch):
    monkeypatch.setattr("recsys.towers.towers.QUERIES_PER_THREAD", 7)
    np.testing.assert_array_equal(towers.encode_many(batch()), towers.encode(batch()))


def test_only_the_last_window_of_a_long_history_is_read(towers):
    long = np.arange(30, dtype=np.int32) % 8
    np.testing.assert_allclose(
        towers.encode(QueryBatch.of([long])), towers.encode(QueryBatch.of([long[-5:]])), atol=1e-6
    )


def test_no_queries_give_no_vectors(towers):
    assert towers.encode(QueryBatch.of([])).shape == (0, 8)


def test_values_marked_unknown_are_not_read(towers):
    queries = batch()
    users = np.where(queries.user_known, queries.users, 3).astype(np.int32)
    terms = np.where(queries.terms_known[:, None], queries.terms, 9).astype(np.float32)
    changed = QueryBatch(queries.histories, users, queries.user_known, terms, queries.terms_known)
    np.testing.assert_array_equal(towers.encode(queries), towers.encode(changed))


def test_loaded_towers_equal_the_saved_ones(towers, tmp_path):
    towers.save(tmp_path)
    again = load_towers(tmp_path)
    np.testing.assert_array_equal(again.item_vectors, towers.item_vectors)
    np.testing.assert_allclose(again.encode(batch()), towers.encode(batch()), atol=1e-6)


@pytest.mark.parametrize("name", ["towers.json", "weights.npz", "items.npy"])
def test_a_missing_or_truncated_file_is_refused(towers, tmp_path, name):
    towers.save(tmp_path)
    whole = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="train again"):
        load_towers(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(DataError, match="cannot read the towers"):
        load_towers(tmp_path)


def test_contradictory_files_are_refused(towers, tmp_path):
    towers.save(tmp_path)
    facts = json.loads((tmp_path / "towers.json").read_text())
    facts["sizes"]["users"] = 99
    (tmp_path / "towers.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match=r"do not fit its towers\.json"):
        load_towers(tmp_path)
    facts["format"] = 99
    (tmp_path / "towers.json").write_text(json.dumps(facts))
    with pytest.raises(DataError, match="format 99; this version reads 3"):
        load_towers(tmp_path)


def test_towers_saved_without_user_vector_options_still_load(towers, tmp_path):
    towers.save(tmp_path)
    facts = json.loads((tmp_path / "towers.json").read_text())
    for key in ("user_vectors", "user_vectors_dropout"):
        del facts["config"][key]
    (tmp_path / "towers.json").write_text(json.dumps(facts))
    assert "user_vectors" not in facts["sizes"]
    again = load_towers(tmp_path)
    np.testing.assert_allclose(again.encode(batch()), towers.encode(batch()), atol=1e-6)


def test_terms_of_the_wrong_width_are_refused(towers):
    with pytest.raises(DataError, match="reads terms of 3 dimensions; got 5"):
        towers.encode(QueryBatch.of([np.array([1], np.int32)], terms=np.ones((1, 5), np.float32)))


def test_a_batch_field_of_the_wrong_length_is_refused():
    with pytest.raises(DataError, match="'users' must hold one value per query: 2; got 1"):
        QueryBatch.of([np.array([], np.int32)] * 2, users=np.array([1], np.int32))
