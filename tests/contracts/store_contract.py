"""What every database of a store must do: a subclass gives ``url``, and all of this runs there."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np
import pytest

from recsys.errors import InvalidRequestError, StoreError
from recsys.store import (
    Change,
    InteractionRecorded,
    ItemDeleted,
    ItemUpserted,
    Receipt,
    Store,
    UserDeleted,
    open_store,
)

LAMP = ItemUpserted(
    "lamp",
    "Desk lamp",
    "light for a desk",
    {"price": 20, "sold": False, "tags": ["light", "desk"], "maker": "Ånn | co"},
    b"\x89PNG\0\xff",
    {"two_tower": [1.0, 0.5], "text": np.ones(3)},
)
EVERY_KIND: list[Change] = [
    InteractionRecorded("ann", "lamp", 10),
    InteractionRecorded("ann", "räg 🧶", -5, "buy", 2.5, {"country": "de", "app": "web"}, "a rug"),
    LAMP,
    ItemUpserted("empty"),
    ItemDeleted("empty"),
    UserDeleted("bob"),
]


def seen(user: str, number: int) -> InteractionRecorded:
    """The interaction of a user with an item of that number, at that time."""
    return InteractionRecorded(user, f"item-{number}", number)


class StoreContract(ABC):
    """The tests; ``url`` names an empty database."""

    @pytest.fixture
    @abstractmethod
    def url(self) -> str:
        """Path or URL of an empty database."""

    @pytest.fixture
    def store(self, url: str) -> Iterator[Store]:
        with open_store(url) as store:
            yield store

    def test_changes_come_back_as_written_in_order(self, store: Store) -> None:
        receipt = store.append(EVERY_KIND)
        assert receipt == Receipt(6, repeated=False)
        found = store.changes(0)
        assert [each.sequence for each in found] == [1, 2, 3, 4, 5, 6]
        assert [each.change for each in found] == EVERY_KIND
        assert store.changes(4) == found[4:]
        assert store.changes(1, limit=2) == found[1:3]
        assert store.watermark == 6

    def test_an_acknowledged_write_survives_closing(self, url: str) -> None:
        with open_store(url) as store:
            store.append(EVERY_KIND, key="first")
        with open_store(url) as store:
            assert [each.change for each in store.changes(0)] == EVERY_KIND
            assert store.append(EVERY_KIND, key="first") == Receipt(6, repeated=True)

    def test_a_key_is_written_once(self, store: Store) -> None:
        first = store.append([seen("ann", 1), seen("ann", 2)], key="k")
        store.append([seen("ann", 3)], key="l")
        assert store.append([seen("ann", 1), seen("ann", 2)], key="k") == Receipt(2, repeated=True)
        assert first == Receipt(2, repeated=False)
        with pytest.raises(InvalidRequestError, match="used for other changes") as caught:
            store.append([seen("ann", 4)], key="k")
        assert caught.value.field == "idempotency_key"
        assert store.watermark == 3

    def test_a_key_ignores_the_order_of_context(self, store: Store) -> None:
        first, second = {"a": "1", "b": "2"}, {"b": "2", "a": "1"}
        store.append([InteractionRecorded("ann", "lamp", 1, context=first)], key="k")
        again = store.append([InteractionRecorded("ann", "lamp", 1, context=second)], key="k")
        assert again.repeated

    @pytest.mark.parametrize("key", ["", "k" * 513])
    def test_a_key_has_a_length(self, store: Store, key: str) -> None:
        with pytest.raises(InvalidRequestError, match="1 to 512 characters"):
            store.append([seen("ann", 1)], key=key)

    def test_no_changes_write_nothing(self, store: Store) -> None:
        store.append([seen("ann", 1)])
        assert store.append([]) == Receipt(1, repeated=False)
        assert store.watermark == 1

    def test_a_history_is_ordered_by_time_and_ends_with_the_newest(self, store: Store) -> None:
        store.append([seen("ann", 3), seen("bob", 9), seen("ann", 1), seen("ann", 2)])
        assert store.history("ann") == [seen("ann", 1), seen("ann", 2), seen("ann", 3)]
        assert store.history("ann", limit=2) == [seen("ann", 2), seen("ann", 3)]
        assert store.history("eve") == []

    def test_a_deleted_user_has_no_entries_but_the_deletion(self, store: Store) -> None:
        store.append([seen("ann", 1), seen("bob", 2), seen("ann", 3)])
        store.append([seen("ann", 4), UserDeleted("ann"), seen("ann", 6)])
        assert [(each.sequence, each.change) for each in store.changes(0)] == [
            (2, seen("bob", 2)),
            (5, UserDeleted("ann")),
            (6, seen("ann", 6)),
        ]
        assert store.history("ann") == [seen("ann", 6)]
        store.append([UserDeleted("ann")])
        assert [each.sequence for each in store.changes(0)] == [2, 7]

    def test_items_are_the_last_content_of_each(self, store: Store) -> None:
        store.append([ItemUpserted("b"), LAMP, ItemUpserted("a"), ItemUpserted("Z")])
        store.append([ItemUpserted("b", "B"), ItemDeleted("a")])
        assert store.item("lamp") == LAMP
        assert store.item("a") is None and store.item("unknown") is None
        expected = [ItemUpserted("Z"), ItemUpserted("b", "B"), LAMP]
        assert store.items() == expected
        assert store.items("Z", limit=1) == expected[1:2]
        store.append([ItemUpserted("a", "again")])
        assert store.item("a") == ItemUpserted("a", "again")

    def test_advanced_is_false_only_after_all_changes_were_read(self, url: str) -> None:
        with open_store(url) as store, open_store(url) as other:
            assert store.advanced()
            assert store.changes(0) == [] and not store.advanced()
            other.append([seen("ann", 1), seen("ann", 2)])
            assert store.advanced()
            assert len(store.changes(0, limit=1)) == 1 and store.advanced()
            assert len(store.changes(1)) == 1 and not store.advanced()
            store.append([seen("ann", 3)])
            assert store.advanced()

    def test_wait_returns_when_another_process_has_written(self, url: str) -> None:
        with open_store(url) as store, open_store(url) as other:
            assert not store.wait(0, timeout=0.0)
            assert not store.wait(0, timeout=0.02)
            writer = threading.Timer(0.02, other.append, [[seen("ann", 1)]])
            writer.start()
            assert store.wait(0, timeout=60)
            assert store.wait(0, timeout=0.0)
            writer.join()

    def test_no_reader_skips_a_change_of_concurrent_writers(self, url: str) -> None:
        writers, each = 4, 25
        with open_store(url) as first, open_store(url) as second, open_store(url) as reader:
            threads = [
                threading.Thread(target=_write, args=((first, second)[n % 2], n, each))
                for n in range(writers)
            ]
            for thread in threads:
                thread.start()
            found: list[int] = []
            while len(found) < writers * each:
                assert reader.wait(found[-1] if found else 0, timeout=120)
                found += [
                    entry.sequence for entry in reader.changes(found[-1] if found else 0, limit=7)
                ]
            for thread in threads:
                thread.join()
            assert found == list(range(1, writers * each + 1))
            for n in range(writers):
                assert reader.history(f"user-{n}") == [seen(f"user-{n}", k) for k in range(each)]

    def test_a_closed_store_says_so(self, url: str) -> None:
        store = open_store(url)
        store.close()
        store.close()
        for call in (lambda: store.append([seen("ann", 1)]), lambda: store.changes(0)):
            with pytest.raises(StoreError, match="the store is closed; open it again"):
                call()


def _write(store: Store, number: int, count: int) -> None:
    for each in range(count):
        store.append([seen(f"user-{number}", each)], key=f"{number}/{each}")
