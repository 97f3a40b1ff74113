"""Compaction, verification, copies, exports and imports, with every database of a store."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa

from recsys.catalogue import CatalogueFields
from recsys.errors import DataError, StoreError
from recsys.ingestion import ingest, ingested_fingerprint, load_ingested, save_ingested
from recsys.store import (
    InteractionRecorded,
    ItemDeleted,
    ItemUpserted,
    Receipt,
    Store,
    UserDeleted,
    backup,
    compact,
    export_store,
    import_folder,
    open_store,
    verify,
)
from recsys.store.databases.schema import ENTRIES, GAPS, ITEMS, KEYS, STATE
from recsys.store.tables import interaction_table, item_table
from tests.contracts.store_contract import EVERY_KIND, LAMP, seen

ALL = 1_000_000


def filled(store: Store) -> Store:
    """A store with every kind of change, replaced contents and deleted users."""
    store.append(EVERY_KIND, key="first")
    store.append([seen("bob", 1), seen("eve", 2), ItemUpserted("lamp", "Old lamp"), LAMP])
    store.append([seen("eve", 3), seen("bob", 4), UserDeleted("eve"), seen("eve", 5)])
    store.append([ItemUpserted("rug", attributes={"tags": ["a|b"], "price": 3}), ItemDeleted("?")])
    return store


class StoreUpkeepContract(ABC):
    """The tests; ``url`` names an empty database."""

    @pytest.fixture
    @abstractmethod
    def url(self) -> str:
        """Path or URL of an empty database."""

    @pytest.fixture
    def store(self, url: str) -> Iterator[Store]:
        with open_store(url) as store:
            yield filled(store)

    def test_a_used_store_is_whole(self, store: Store) -> None:
        found = verify(store)
        assert found.faults == ()
        assert (found.watermark, found.items, found.schema_version) == (16, 2, 2)
        assert found.entries == len(store.changes(0)) == 14
        assert found.size == store.size() > 0

    def test_compaction_removes_replaced_items_and_nothing_else(self, store: Store) -> None:
        before = store.changes(0)
        done = compact(store)
        assert (done.items, done.interactions, done.keys) == (3, 0, 0)
        gone = {3, 4, 9}
        assert store.changes(0) == [each for each in before if each.sequence not in gone]
        assert verify(store).faults == ()
        assert store.items() == [
            LAMP,
            ItemUpserted("rug", attributes={"tags": ["a|b"], "price": 3}),
        ]
        assert compact(store).items == 0
        assert store.append([seen("bob", 9)]) == Receipt(17, repeated=False)

    def test_retention_removes_old_interactions(self, store: Store) -> None:
        now = int(time.time())
        store.append([seen("bob", now - 10 * 86400), seen("bob", now - 86400)])
        assert compact(store, keep_days=5).interactions == 6
        assert store.history("bob") == [seen("bob", now - 86400)]
        assert store.history("ann") == []
        assert verify(store).faults == ()
        assert compact(store, keep_days=0).interactions == 1

    def test_expired_keys_are_forgotten(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        later = time.time() + 25 * 3600
        monkeypatch.setattr(time, "time", lambda: later)
        store.append([seen("bob", 20)], key="second")
        assert not store.append(EVERY_KIND, key="first").repeated
        assert store.append([seen("bob", 20)], key="second").repeated
        monkeypatch.setattr(time, "time", lambda: later + 25 * 3600)
        assert compact(store).keys == 2

    def test_a_clock_that_goes_back_changes_nothing(
        self, store: Store, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(time, "time", lambda: 1000.0)
        assert store.append(EVERY_KIND, key="first") == Receipt(6, repeated=True)
        assert store.append([seen("bob", 20)], key="second") == Receipt(17, repeated=False)
        with store.database.reading() as connection:
            query = sa.select(ENTRIES.c.recorded).order_by(ENTRIES.c.sequence)
            times = connection.execute(query).scalars().all()
        assert times == sorted(times) and times[0] > 1000
        assert compact(store).keys == 0 and verify(store).faults == ()

    @pytest.mark.parametrize(
        ("statement", "fault"),
        [
            (ENTRIES.delete().where(ENTRIES.c.sequence == 2), "must be 16 together"),
            (STATE.update().values(watermark=15), "entry 16 is outside of the log"),
            (GAPS.insert().values(first=1, last=1), "entry 1 is there and marked as deleted"),
            (GAPS.insert().values(first=20, last=21), "from 20 to 21 are outside of the log"),
            (ITEMS.delete().where(ITEMS.c.item_id == "rug"), "entry 15 changes item 'rug'"),
            (ITEMS.update().values(deleted=True), "item 'lamp' must be in entry 10"),
            (KEYS.update().values(watermark=99), "stands for entry 99"),
            (
                ENTRIES.update().where(ENTRIES.c.sequence == 1).values(user_id="eve"),
                "entry 1 is of a user that entry 13 deleted",
            ),
            (
                ENTRIES.update().where(ENTRIES.c.sequence == 15).values(content="{"),
                "entry 15 of the store is damaged",
            ),
        ],
    )
    def test_verification_finds_a_fault(
        self, store: Store, statement: sa.Executable, fault: str
    ) -> None:
        with store.database.writing() as connection:
            connection.execute(statement)
        assert any(fault in each for each in verify(store).faults), verify(store).faults

    def test_a_backup_is_the_same_store(self, store: Store, tmp_path: Path) -> None:
        path = tmp_path / "backup.db"
        assert backup(store, path) == 16
        store.append([seen("bob", 9)])
        with open_store(path) as copy:
            assert copy.changes(0) == store.changes(0)[:-1]
            assert copy.append(EVERY_KIND, key="first").repeated
            assert replace(verify(copy), size=0) == replace(
                verify(store), size=0, watermark=16, entries=14
            )
            with pytest.raises(StoreError, match=r"name (an empty one|a new file)"):
                backup(copy, store.where)
        with pytest.raises(StoreError, match=r"name a new file"):
            backup(store, path)
        assert sorted(each.name for each in tmp_path.glob("backup*")) == ["backup.db"]

    def test_an_export_is_read_by_another_store(self, store: Store, tmp_path: Path) -> None:
        sizes = export_store(store, tmp_path / "export")
        assert sizes == {"interactions": 5, "items": 2, "deletions": 4, "watermark": 16}
        with open_store(tmp_path / "other.db") as other:
            done = import_folder(other, tmp_path / "export")
            assert (done.changes, done.left_out, done.earlier) == (11, 0, 0)
            again = import_folder(other, tmp_path / "export")
            assert (again.changes, again.left_out, again.earlier) == (0, 0, 11)
            assert other.items() == store.items()
            for user in ("ann", "bob", "eve"):
                assert other.history(user) == store.history(user)
            assert verify(other).faults == ()
            export_store(other, tmp_path / "export")
            for read in (interaction_table, item_table):
                assert read(other).equals(read(store))

    def test_an_import_keeps_newer_changes(self, store: Store, tmp_path: Path) -> None:
        export_store(store, tmp_path / "export")
        with open_store(tmp_path / "other.db") as other:
            other.append([ItemDeleted("lamp"), ItemUpserted("rug", "new"), UserDeleted("ann")])
            other.append([seen("eve", 100)])
            assert import_folder(other, tmp_path / "export").left_out == 5
            assert other.items() == [ItemUpserted("rug", "new")]
            assert other.history("ann") == []
            assert other.history("eve") == [seen("eve", 5), seen("eve", 100)]

    def test_an_export_replaces_only_exports(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "mine").write_text("")
        with pytest.raises(DataError, match="holds no export; choose another folder"):
            export_store(store, tmp_path)
        export_store(store, tmp_path / "export")
        (tmp_path / "export" / "items.parquet").write_bytes(b"PAR1")
        with pytest.raises(DataError, match=r"items.parquet was changed or cut short"):
            import_folder(store, tmp_path / "export")

    def test_a_run_is_imported(self, url: str, tmp_path: Path) -> None:
        log = pd.DataFrame(
            {
                "user_id": ["ann", "bob", "ann"],
                "item_id": ["lamp", "rug", "rug"],
                "timestamp": [30, 20, 10],
                "weight": [1.0, 2.0, 1.0],
                "event": ["view", "buy", "view"],
                "country": ["de", None, "fr"],
            }
        )
        items = pd.DataFrame(
            {
                "item_id": ["lamp", "rug"],
                "name": ["Desk lamp", None],
                "body": ["light", "warm"],
                "tags": ["a|b", None],
                "price": [2.5, None],
                "new": [True, None],
            }
        )
        fields = CatalogueFields(
            title="name",
            text=("name", "body"),
            categories=("tags",),
            numbers=("price",),
            filters={"new": "boolean"},
        )
        save_ingested(ingest(log, items, fields), tmp_path / "ingest" / "data")
        with open_store(url) as store:
            assert import_folder(store, tmp_path).changes == 5
            assert import_folder(store, tmp_path).earlier == 5
            attributes = {"tags": ["a", "b"], "price": 2.5, "new": True}
            lamp = ItemUpserted("lamp", "Desk lamp", "light", attributes)
            assert store.items() == [lamp, ItemUpserted("rug", "", "warm")]
            assert store.history("ann") == [
                InteractionRecorded("ann", "rug", 10, "view", context={"country": "fr"}),
                InteractionRecorded("ann", "lamp", 30, "view", context={"country": "de"}),
            ]
            assert [each.sequence for each in store.changes(2)] == [3, 4, 5]
            assert store.history("bob") == [InteractionRecorded("bob", "rug", 20, "buy", 2.0)]
            assert interaction_table(store)["timestamp"].to_pylist() == [10, 20, 30]

    def test_a_reader_leaves_out_an_import(self, url: str, tmp_path: Path) -> None:
        log = pd.DataFrame({"user_id": ["ann"] * 9, "item_id": ["a"] * 9, "timestamp": range(9)})
        fingerprint = save_ingested(ingest(log), tmp_path / "data")
        again = save_ingested(load_ingested(tmp_path / "data"), tmp_path / "copy")
        assert again == fingerprint == ingested_fingerprint(tmp_path / "copy")
        with open_store(url) as store:
            store.append([seen("bob", 1)])
            import_folder(store, tmp_path)
            store.append([seen("bob", 2)])
            assert len(store.changes(0)) == 12
            store.exclude_import(fingerprint)
            assert store.advanced()
            assert [each.sequence for each in store.changes(0)] == [1, 12]
            assert not store.advanced()
            for limit in (1, 2, 5):
                assert [each.sequence for each in store.changes(0, limit=limit)] == [1, 12][:limit]
                assert [each.sequence for each in store.changes(4, limit=limit)] == [12]

    def test_a_log_without_times_is_not_imported(self, url: str, tmp_path: Path) -> None:
        log = pd.DataFrame({"user_id": ["ann"], "item_id": ["lamp"]})
        save_ingested(ingest(log), tmp_path / "ingest" / "data")
        with open_store(url) as store:
            with pytest.raises(DataError, match="positions and no times"):
                import_folder(store, tmp_path)
            with pytest.raises(DataError, match="holds nothing to import"):
                import_folder(store, tmp_path / "other")

    def test_tables_have_every_column(self, store: Store, tmp_path: Path) -> None:
        log = interaction_table(store)
        assert log.column_names == [
            *("user_id", "item_id", "timestamp", "event", "weight", "terms"),
            *("app", "country"),
        ]
        assert log.slice(1, 1).to_pylist()[0]["country"] == "de"
        items = item_table(store, pictures=tmp_path / "pictures.zip")
        assert items["item_id"].to_pylist() == ["lamp", "rug"]
        assert items["tags"].to_pylist() == [["light", "desk"], ["a|b"]]
        assert items["picture"].to_pylist() == ["10.bin", None]
        assert item_table(store, watermark=4)["item_id"].to_pylist() == ["empty", "lamp"]
        assert len(interaction_table(store, watermark=2)) == 2
        with pytest.raises(DataError, match="from 0 to 16, that of the store; got 1,000,000"):
            interaction_table(store, watermark=ALL)
        compact(store)
        with pytest.raises(DataError, match="compacted at 16"):
            item_table(store, watermark=4)
        store.append([ItemUpserted("lamp", attributes={"tags": 3})])
        with pytest.raises(DataError, match="'tags' has values of different types"):
            item_table(store)
        np.testing.assert_equal(len(interaction_table(store)), 5)
