"""A recorded change counts in the next answer, and deleted items and users do not."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recsys.encoders import Encoded
from recsys.errors import InvalidRequestError, ServiceError, StoreError, UnknownIdError
from recsys.live import LiveEngine, Snapshot
from recsys.retrieval import IMAGE, TEXT, TWO_TOWER, Request
from recsys.store import (
    Change,
    InteractionRecorded,
    ItemDeleted,
    ItemUpserted,
    Store,
    UserDeleted,
    open_store,
)
from tests.live.world import made_parts
from tests.retrieval.world import NumberWords

WAIT = 200


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "store.db") as opened:
        yield opened


@pytest.fixture
def engine(store: Store) -> Iterator[LiveEngine]:
    with LiveEngine(made_parts(), store) as opened:
        yield opened


def record(engine: LiveEngine, store: Store, *changes: Change) -> None:
    engine.check(changes)
    engine.catch_up(store.append(changes).watermark)


def ids(engine: LiveEngine, **request: Any) -> list[str]:
    return engine.snapshot.retriever.retrieve(**{"k": 20, **request}).ids


def history(engine: LiveEngine, user: str) -> list[str]:
    return history_of(engine.snapshot, user)


def history_of(snapshot: Snapshot, user: str) -> list[str]:
    found = snapshot.histories.find(user)
    assert found is not None
    return snapshot.catalogue.ids.ids(found.items)


def test_a_recorded_interaction_counts_in_the_next_answer(engine: LiveEngine, store: Store) -> None:
    before = ids(engine, user_id="ann")
    record(engine, store, InteractionRecorded("ann", "i5", 100))
    after = engine.snapshot.retriever.retrieve(user_id="ann", k=20)
    assert "i5" in before and "i5" not in after.ids and history(engine, "ann") == ["i1", "i2", "i5"]
    vectors = engine.snapshot.spaces[TWO_TOWER].vectors
    query = vectors[[1, 2, 5]].mean(axis=0) + np.array([0.1, 0])
    best = after.candidates[0]
    row = engine.snapshot.catalogue.ids.row(best.id)
    assert best.score == pytest.approx(float(vectors[row] @ query), rel=1e-5)


def test_interactions_are_in_the_order_of_their_times(engine: LiveEngine, store: Store) -> None:
    changes = [("i7", 100), ("i5", 15), ("i6", 100), ("i4", 1)]
    record(engine, store, *(InteractionRecorded("ann", item, time) for item, time in changes))
    assert history(engine, "ann") == ["i4", "i1", "i5", "i2", "i7", "i6"]


def test_a_user_unknown_to_training_is_an_ordinary_user(engine: LiveEngine, store: Store) -> None:
    with pytest.raises(UnknownIdError, match="unknown user id 'zoe': not among the 3 known"):
        ids(engine, user_id="zoe")
    record(engine, store, InteractionRecorded("zoe", "i3", 100))
    assert ids(engine, user_id="zoe") == ids(engine, history=["i3"])
    assert engine.snapshot.histories.n_users == 4


def test_a_deleted_user_has_no_history_until_the_next_interaction(
    engine: LiveEngine, store: Store
) -> None:
    record(engine, store, InteractionRecorded("ann", "i5", 100), UserDeleted("ann"))
    with pytest.raises(UnknownIdError, match="not among the 2 known"):
        ids(engine, user_id="ann")
    record(engine, store, InteractionRecorded("ann", "i6", 50))
    assert history(engine, "ann") == ["i6"]
    assert ids(engine, user_id="ann") == ids(engine, history=["i6"])  # no trained vector either


LAMP = ItemUpserted(
    "lamp", "Lamp 3", "5", {"brand": "acme", "tags": ("new", "light"), "price": 25.0}, b"7"
)


def test_a_new_item_is_a_hit_a_query_and_part_of_histories(
    engine: LiveEngine, store: Store
) -> None:
    record(engine, store, LAMP)
    assert "lamp" in ids(engine, user_id="ann") and "lamp" in ids(engine, terms="4", space=TEXT)
    assert ids(engine, image=b"7", space=IMAGE, k=1) == ["lamp"]
    assert "lamp" not in ids(engine, item_id="lamp") and len(ids(engine, item_id="lamp")) == 8
    record(engine, store, InteractionRecorded("ann", "lamp", 100))
    assert history(engine, "ann")[-1] == "lamp" and "lamp" not in ids(engine, user_id="ann")
    vectors = engine.snapshot.spaces[TWO_TOWER].vectors
    words = engine.snapshot.retriever.text_encoder.encode(["3 5"]).vectors[0]  # type: ignore[union-attr]
    assert vectors[8] == pytest.approx(
        words + 0.5 * np.array([np.cos(0.35 * np.pi), np.sin(0.35 * np.pi)])
    )


def test_titles_filters_and_crowding_read_new_items(engine: LiveEngine, store: Store) -> None:
    record(engine, store, LAMP, ItemUpserted("i1", "Other", attributes={"brand": "acme"}))
    found = engine.snapshot.retriever.retrieve(user_id="bob", k=20, titles=True)
    titles = {each.id: each.title for each in found.candidates}
    assert (titles["lamp"], titles["i1"], titles["i2"], titles["i7"]) == (
        "Lamp 3",
        "Other",
        "Item 2",
        None,
    )
    assert ids(engine, user_id="bob", filter='brand = "acme"') == sorted(
        ["lamp", "i1"], key=ids(engine, user_id="bob").index
    )
    assert ids(engine, user_id="bob", filter='tags contains "light" and price > 20') == ["lamp"]
    assert "i1" not in ids(engine, user_id="bob", filter="price >= 0")
    crowded = ids(engine, user_id="bob", crowding={"brand": 1})
    assert len({"lamp", "i1"} & set(crowded)) == 1
    crowded = ids(engine, user_id="bob", crowding={"tags": 1})
    assert len({"lamp", "i3", "i2"} & set(crowded)) <= 1


def test_a_filter_is_that_of_the_newest_contents_in_every_base(
    engine: LiveEngine, store: Store
) -> None:
    def matching() -> list[str]:
        return sorted(ids(engine, history=["i0"], seen="include", filter='brand = "b1"'))

    assert matching() == ["i1", "i7"]
    record(engine, store, ItemUpserted("i1", "x"), ItemUpserted("i2", attributes={"brand": "b1"}))
    assert matching() == ["i2", "i7"]
    engine.compact()  # The new base has as many rows, with other values.
    assert matching() == ["i2", "i7"]
    record(engine, store, ItemUpserted("i7", "y"), ItemUpserted("i1", attributes={"brand": "b1"}))
    assert matching() == ["i1", "i2"]


def test_an_update_hides_the_old_vector_at_once(engine: LiveEngine, store: Store) -> None:
    best = ids(engine, terms="21", space=TEXT, k=1)
    assert best == ["i3"]
    record(engine, store, ItemUpserted("i3", "Moved", "0"))
    assert ids(engine, terms="21", space=TEXT, k=1) != best
    assert "i3" in ids(engine, terms="0", space=TEXT, k=3)
    assert "i3" not in ids(engine, image=b"3", space=IMAGE)


def test_a_deleted_item_is_nowhere_and_can_come_back(engine: LiveEngine, store: Store) -> None:
    record(engine, store, ItemDeleted("i2"), ItemDeleted("nothing"))
    assert "i2" not in ids(engine, history=["i1"]) and history(engine, "ann") == ["i1"]
    for request in ({"item_id": "i2"}, {"history": ["i2"], "unknown_history": "raise"}):
        with pytest.raises(UnknownIdError):
            ids(engine, **request)
    assert len(engine.snapshot.catalogue) == 7 and engine.snapshot.catalogue.item("i2") is None
    record(engine, store, ItemUpserted("i2", "Back 9"))
    assert history(engine, "ann") == ["i1", "i2"] and len(engine.snapshot.catalogue) == 8


def test_an_interaction_with_an_unknown_item_counts_after_its_upsert(
    engine: LiveEngine, store: Store
) -> None:
    record(engine, store, InteractionRecorded("bob", "lamp", 100), ItemUpserted("rug", "9"))
    assert history(engine, "bob") == ["i3"] and len(engine.snapshot.catalogue) == 9
    with pytest.raises(UnknownIdError):
        ids(engine, item_id="lamp")
    record(engine, store, LAMP)
    assert history(engine, "bob") == ["i3", "lamp"]
    assert {"rug", "lamp"} <= set(ids(engine, user_id="ann"))


def test_an_older_snapshot_does_not_change(engine: LiveEngine, store: Store) -> None:
    before = engine.snapshot
    requests = [
        Request.of(user_id="ann", k=20, titles=True, filter="price >= 0"),
        Request.of(item_id="i2", k=9),
    ]
    answers = before.retriever.answer(requests)
    record(engine, store, LAMP, ItemUpserted("i4", "x"), InteractionRecorded("ann", "i6", 3))
    record(engine, store, ItemDeleted("i5"), UserDeleted("ann"), ItemDeleted("lamp"))
    assert before.retriever.answer(requests) == answers
    assert before.watermark == 0 and engine.snapshot.watermark == 6


def test_answers_can_be_cached_by_the_state_of_a_user(engine: LiveEngine, store: Store) -> None:
    states = [engine.snapshot.state_of("ann")]
    for change in (InteractionRecorded("bob", "i6", 3), InteractionRecorded("ann", "i6", 3), LAMP):
        record(engine, store, change)
        states.append(engine.snapshot.state_of("ann"))
    assert states == [(0, 0), (0, 0), (0, 2), (3, 2)]
    assert engine.snapshot.state_of(None) == (3, 0)


def test_users_do_not_wait_for_encoders(
    engine: LiveEngine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoding, may_end = threading.Event(), threading.Event()
    encode = NumberWords.encode

    def slow(words: NumberWords, contents: Sequence[str]) -> Encoded:
        encoding.set()
        assert may_end.wait(WAIT)
        return encode(words, contents)

    monkeypatch.setattr(NumberWords, "encode", slow)
    with open_store(store.where) as other:
        other.append([LAMP, InteractionRecorded("ann", "lamp", 100), ItemDeleted("i4")])
        engine.latest()
        assert encoding.wait(WAIT)
        receipt = other.append([InteractionRecorded("ann", "i6", 90)])
    snapshot = engine.latest()
    assert history(engine, "ann") == ["i1", "i2", "i6"] and "lamp" not in snapshot.catalogue.ids
    assert (snapshot.watermark, snapshot.items_watermark) == (0, 0)
    assert engine.catch_up(receipt.watermark, items="later") is snapshot
    may_end.set()
    assert engine.catch_up().watermark == 4
    assert history(engine, "ann") == ["i1", "i2", "i6", "lamp"]
    assert "i4" not in engine.snapshot.catalogue.ids


def test_few_changes_of_items_wait_in_memory(
    engine: LiveEngine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.live.engine.BATCH", 2)
    monkeypatch.setattr("recsys.live.engine._MOST_WAITING", 3)
    items = [ItemUpserted(f"new-{number}", f"{number}") for number in range(10)]
    store.append([*items, InteractionRecorded("ann", "new-9", 100)])
    assert engine.catch_up(11, items="later").histories.sequence("ann") == 11
    assert len(engine.catch_up().catalogue) == 18 and history(engine, "ann")[-1] == "new-9"


def test_a_deletion_by_another_process_needs_no_encoder(engine: LiveEngine, store: Store) -> None:
    store.append([ItemDeleted("i2"), InteractionRecorded("ann", "i6", 90)])
    assert history_of(engine.latest(), "ann") == ["i1", "i6"] and engine.snapshot.watermark == 2


def test_a_fixed_catalogue_refuses_new_items_without_a_vector(store: Store) -> None:
    with LiveEngine(made_parts(is_open=False), store) as engine:
        assert engine.catalogue_kind == "fixed"
        with pytest.raises(
            InvalidRequestError,
            match="'lamp' is unknown, and the catalogue of this bundle is fixed",
        ):
            engine.check([LAMP])
        before = np.array(engine.snapshot.spaces[TWO_TOWER].vectors[3])
        ready = ItemUpserted("desk", "Desk", vectors={TWO_TOWER: [0.6, 0.8]})
        record(engine, store, ready, ItemUpserted("i3", "5"))
        assert engine.snapshot.spaces[TWO_TOWER].vectors[[3, 8]].tolist() == [
            before.tolist(),
            pytest.approx([0.6, 0.8]),
        ]
        record(engine, store, ItemUpserted("desk", "5"))
        assert engine.snapshot.spaces[TWO_TOWER].vectors[8].tolist() == pytest.approx([0.6, 0.8])
        store.append([LAMP, InteractionRecorded("ann", "i7", 99)])
        engine.catch_up()
        assert (engine.refusals, engine.refused[0].item_id) == (1, "lamp")
        assert history(engine, "ann")[-1] == "i7" and "lamp" not in engine.snapshot.catalogue.ids


@pytest.mark.parametrize(
    ("item", "field", "message"),
    [
        (ItemUpserted("x", attributes={"brnd": "a"}), "attributes.brnd", "did you mean 'brand'"),
        (
            ItemUpserted("x", attributes={"price": "5"}),
            "attributes.price",
            "must be a number; got '5'",
        ),
        (ItemUpserted("x", attributes={"brand": ("a", "b")}), "attributes.brand", "must be a text"),
        (ItemUpserted("x", attributes={"tags": ("a|b",)}), "attributes.tags", "several texts"),
        (
            ItemUpserted("x", vectors={"txt": [1.0]}),
            "vectors.txt",
            "no space 'txt'; did you mean 'text'",
        ),
        (
            ItemUpserted("x", vectors={"text": [1.0]}),
            "vectors.text",
            "has 2 numbers, not all 0; got 1",
        ),
    ],
)
def test_an_item_that_does_not_fit_is_refused(
    engine: LiveEngine, store: Store, item: ItemUpserted, field: str, message: str
) -> None:
    with pytest.raises(InvalidRequestError, match=message) as caught:
        engine.check([item])
    assert caught.value.field == field
    engine.catch_up(store.append([item, LAMP]).watermark)
    assert engine.refusals == 1 and "x" not in engine.snapshot.catalogue.ids
    assert "lamp" in engine.snapshot.catalogue.ids


def test_contents_and_pictures_can_be_read_again(engine: LiveEngine, store: Store) -> None:
    record(engine, store, LAMP)
    catalogue = engine.snapshot.catalogue
    found = catalogue.item("lamp")
    assert found is not None and (found.title, found.text) == ("Lamp 3", "5")
    assert dict(found.attributes) == dict(LAMP.attributes) and found.picture is None
    assert engine.picture("lamp") == b"7" and engine.picture("i1") is None
    old = catalogue.item("i1")
    assert old is not None and (old.title, old.text) == ("Item 1", "7")
    assert dict(old.attributes) == {"brand": "b1", "tags": ("new", "sale"), "price": 10.0}


def test_replaced_contents_are_dropped(
    engine: LiveEngine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recsys.live.writer.MOST_REPLACED", 10)
    record(engine, store, LAMP, ItemUpserted("rug", "Rug 0"))
    first = engine.snapshot.catalogue
    for number in range(1, 26):
        record(engine, store, ItemUpserted("rug", f"Rug {number}"))
        assert len(engine.snapshot.catalogue.versions) < 12
    catalogue = engine.snapshot.catalogue
    rows = np.array([catalogue.ids.row(name) for name in ("lamp", "rug")], np.int32)
    assert catalogue.titles_at(rows) == ["Lamp 3", "Rug 25"]
    assert first.titles_at(rows) == ["Lamp 3", "Rug 0"]


def test_a_store_that_fails_leaves_the_snapshot(
    engine: LiveEngine, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreError("the disk is gone")

    record(engine, store, LAMP)
    monkeypatch.setattr(store, "advanced", fail)
    assert engine.latest() is engine.snapshot and str(engine.fault) == "the disk is gone"
    monkeypatch.undo()
    store.append([ItemDeleted("lamp")])
    assert "lamp" not in engine.latest().catalogue.ids and engine.fault is None
    assert engine.latest() is engine.snapshot
    engine.close()
    with pytest.raises(ServiceError, match="the live engine is closed"):
        engine.catch_up()


def test_a_bundle_follows_the_store_it_was_made_from(store: Store) -> None:
    with pytest.raises(StoreError, match="a store with 7 changes, and the store .* has 0"):
        LiveEngine(made_parts(watermark=7), store)
    store.append([InteractionRecorded("ann", "i5", 100), InteractionRecorded("ann", "i6", 101)])
    with LiveEngine(made_parts(watermark=1), store) as engine:
        assert history(engine, "ann") == ["i1", "i2", "i6"] and engine.snapshot.watermark == 2
