"""Impressions in a store, with every database of a store."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from recsys.store import (
    Impression,
    InteractionRecorded,
    Store,
    UserDeleted,
    backup,
    compact,
    impression_table,
    open_store,
    read_impressions,
    verify,
)
from recsys.store.databases.schema import IMPRESSIONS


def shown(number: int, user: str | None = "ann", **values: object) -> Impression:
    """An impression of three items with two features, whose values are no short decimals."""
    rng = np.random.default_rng(number)
    made = Impression(
        f"r{number:03}",
        user,
        1_000 + number,
        ("lamp", "räg 🧶", "sofa"),
        rng.normal(size=3).astype(np.float32),
        np.array([1, 0.25, 1], np.float32),
        ("ranked", "explored", "pinned"),
        ("popularity", "ease"),
        rng.normal(size=(3, 2)).astype(np.float32),
        ("desk",),
        "b7",
        "home",
        "d1",
        request='{"k": 3}',
    )
    return replace(made, **values)


class StoreImpressionsContract(ABC):
    """The tests; ``url`` names an empty database."""

    @pytest.fixture
    @abstractmethod
    def url(self) -> str:
        """Path or URL of an empty database."""

    @pytest.fixture
    def store(self, url: str) -> Iterator[Store]:
        with open_store(url) as store:
            yield store

    def test_impressions_come_back_bit_by_bit(self, store: Store) -> None:
        given = [shown(2, None, feature_names=()), shown(1)]
        assert store.record_impressions(given) == 0
        assert store.record_impressions(given) == 0  # as after a lost acknowledgement
        found = read_impressions(store)
        assert [each.request_id for each in found] == ["r001", "r002"]
        for one, other in zip(found, reversed(given)):
            for name in ("scores", "propensities", "features"):
                assert getattr(one, name).tobytes() == getattr(other, name).tobytes()
            for name in ("user_id", "time", "item_ids", "slots", "history", "request", "pipeline"):
                assert getattr(one, name) == getattr(other, name)
        assert store.watermark == 0 and verify(store).impressions == 2

    def test_interactions_that_name_an_impression_label_it(self, store: Store) -> None:
        store.record_impressions(
            [
                shown(1),
                shown(2, "bob"),
                shown(3, feature_names=("other",), features=np.ones((3, 1), np.float32)),
            ]
        )
        clicks = [
            InteractionRecorded("ann", "sofa", 2_000, "click", impression_id="r001"),
            InteractionRecorded("ann", "sofa", 2_100, "buy", 3.0, impression_id="r001"),
            InteractionRecorded("bob", "lamp", 2_000, "click"),
            InteractionRecorded("bob", "desk", 2_000, "click", impression_id="r002"),
        ]
        store.append(clicks)
        assert store.history("ann")[0].impression_id == "r001"
        table = impression_table(store)
        assert table["taken"].to_pylist() == [False, False, True, *6 * [False]]
        sofa = table.slice(2, 1).to_pylist()[0]
        assert (sofa["taken_time"], sofa["taken_event"], sofa["taken_weight"]) == (
            2_000,
            "click",
            3.0,
        )
        assert (sofa["position"], sofa["slot"], sofa["history"]) == (3, "pinned", ["desk"])
        assert table["feature.other"].to_pylist() == 6 * [None] + 3 * [1.0]
        assert table["feature.ease"].combine_chunks()[:3] == pa.array(shown(1).features[:, 1])
        bought = impression_table(store, events=["buy"])
        assert bought["taken_time"].to_pylist()[2] == 2_100
        assert len(impression_table(store, min_age=time.time() - 1_002)) == 6
        assert table["request"].to_pylist() == [0, 0, 0, 1, 1, 1, 2, 2, 2]
        assert len(impression_table(store, pipelines=["home"], bundles=["b8"])) == 0

    def test_a_deleted_user_has_no_impressions(self, store: Store) -> None:
        store.record_impressions([shown(1), shown(2, "bob"), shown(3, None)])
        deletion = store.append([UserDeleted("ann")]).watermark
        late = [shown(4), shown(5, watermark=deletion), shown(6, "bob")]
        assert store.record_impressions(late) == 1
        assert [each.request_id for each in read_impressions(store)] == [
            "r002",
            "r003",
            "r005",
            "r006",
        ]
        assert verify(store).faults == ()
        with store.database.writing() as connection:
            connection.execute(IMPRESSIONS.update().values(watermark=0))
        assert verify(store).faults == ("the impression 'r005' is of a user that entry 1 deleted",)

    def test_upkeep_knows_impressions(self, store: Store, tmp_path: Path) -> None:
        store.record_impressions([shown(1), shown(2, time=int(time.time()))])
        backup(store, tmp_path / "copy.db")
        with open_store(tmp_path / "copy.db") as copy:
            assert len(read_impressions(copy)) == 2
        assert compact(store).impressions == 0
        assert compact(store, keep_days=1).impressions == 1
        assert [each.request_id for each in read_impressions(store)] == ["r002"]
        with store.database.writing() as connection:
            connection.execute(IMPRESSIONS.update().values(content=b"123"))
        assert "the impression 'r002' of the store is damaged" in verify(store).faults[0]
