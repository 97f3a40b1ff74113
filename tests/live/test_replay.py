"""Live, replayed and frozen snapshots of any sequence of changes equal a dictionary model."""

from __future__ import annotations

import contextlib
import tempfile
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.index import ExactConfig
from recsys.live import LiveEngine, Snapshot
from recsys.live.freezing import freeze
from recsys.retrieval import TWO_TOWER, Candidate, Request, Response, Retriever, Space
from recsys.store import (
    Change,
    InteractionRecorded,
    ItemDeleted,
    ItemUpserted,
    Store,
    UserDeleted,
    open_store,
)
from tests.live.world import HISTORIES, ITEMS, ArrayTowers, made_parts, made_table

PARTS = made_parts()
USERS, IDS = ["ann", "bob", "zoe"], [*ITEMS[:4], "new", "other"]

attributes = st.fixed_dictionaries(
    {},
    optional={
        "brand": st.sampled_from(["b1", "acme"]),
        "tags": st.sampled_from([("new",), ("new", "light"), "sale"]),
        "price": st.sampled_from([5.0, 35.0, 2.5]),
    },
)
items = st.builds(
    ItemUpserted,
    st.sampled_from(IDS),
    st.sampled_from(["Item 1", "Lamp 12", "no number"]),
    st.sampled_from(["", "5", "17"]),
    attributes,
    st.sampled_from([None, b"3", b"33"]),
)
interactions = st.builds(
    InteractionRecorded, st.sampled_from(USERS), st.sampled_from(IDS), st.integers(1, 60)
)
changes = st.one_of(
    interactions,
    interactions,
    items,
    st.builds(ItemDeleted, st.sampled_from(IDS)),
    st.builds(UserDeleted, st.sampled_from(USERS)),
)
batches = st.lists(st.lists(changes, min_size=1, max_size=5), max_size=6)

REQUESTS = [
    *(Request.of(user_id=user, k=12, titles=True) for user in USERS),
    *(Request.of(user_id=user, k=3, space="text+image") for user in USERS),
    *(
        Request.of(item_id=item, k=3, space=space)
        for item in IDS
        for space in ("two_tower", "text")
    ),
    Request.of(history=IDS, k=5, seen="include", filter="price > 10 or brand = 'acme'"),
    Request.of(history=["i4", "new"], k=12, filter="not tags contains 'sale'"),
    Request.of(history=["i4"], k=12, crowding={"brand": 1}, exclude=["i5", "other"]),
    Request.of(history=["i4"], k=12, crowding={"tags": 2, "price": 1}),
    Request.of(terms="12 5", k=4, space="text"),
    Request.of(image=b"33", k=2, space="image"),
]


@dataclass
class Model:
    """Items and histories in dictionaries."""

    items: dict[str, ItemUpserted | None] = field(
        default_factory=lambda: dict.fromkeys(made_table()["item_id"].to_pylist())
    )
    events: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        time = 0
        for user, history in HISTORIES.items():
            self.events[user] = []
            for item in history:
                time += 10
                self.events[user].append((time, f"i{item}"))

    def apply(self, change: Change) -> None:
        if isinstance(change, InteractionRecorded):
            self.events.setdefault(change.user_id, []).append((change.time, change.item_id))
        elif isinstance(change, UserDeleted):
            self.events.pop(change.user_id, None)
        elif isinstance(change, ItemUpserted):
            self.items[change.item_id] = change
        else:
            self.items.pop(change.item_id, None)

    def histories(self) -> dict[str, list[str]]:
        ordered = {
            user: sorted(each, key=lambda pair: pair[0]) for user, each in self.events.items()
        }
        return {
            user: [item for _, item in each if item in self.items] for user, each in ordered.items()
        }


def check(snapshot: Snapshot, model: Model) -> None:
    ids = snapshot.catalogue.ids
    assert {item for item in [*ITEMS, *IDS] if item in ids} == set(model.items)
    assert len(snapshot.catalogue) == len(model.items)
    for item, content in model.items.items():
        found = snapshot.catalogue.item(item)
        assert found is not None
        if content is not None:
            assert found == replace(content, picture=None)
    histories = model.histories()
    assert snapshot.histories.n_users == len(histories)
    for user in [*USERS, "eve"]:
        history = snapshot.histories.find(user)
        assert (None if history is None else ids.ids(history.items)) == histories.get(user)
    popular = snapshot.retriever.popularity
    assert popular is not None
    counted = Counter(item for history in histories.values() for item in history)
    assert {item: popular.counts[ids.find(item)] for item in model.items} == {
        item: counted[item] for item in model.items
    }


def answers(retriever: Retriever) -> list[object]:
    return [
        replace(
            each,
            watermark=0,
            candidates=tuple(replace(c, score=0.0, parts={}) for c in each.candidates),
        )
        if isinstance(each, Response)
        else str(each)
        for each in retriever.answer(REQUESTS)
    ]


def candidates(retriever: Retriever) -> list[Candidate]:
    found = [each for each in retriever.answer(REQUESTS) if isinstance(each, Response)]
    return [candidate for each in found for candidate in each.candidates]


def check_same(one: Retriever, other: Retriever) -> None:
    assert answers(one) == answers(other)
    for first, second in zip(candidates(one), candidates(other), strict=True):
        np.testing.assert_allclose(first.score, second.score, rtol=1e-5, atol=1e-6)


def frozen_retriever(snapshot: Snapshot, store: Store) -> Retriever:
    """A retriever over plain tables with the content of a snapshot."""
    frozen = freeze(snapshot, store, after=0)
    towers = snapshot.retriever.towers
    assert isinstance(towers, ArrayTowers)
    users = frozen.users[frozen.users < len(towers.user_table)]
    spaces = {
        name: Space.two_tower(each.vectors.copy(), ExactConfig())
        if name == TWO_TOWER
        else Space.content(name, each.vectors.copy(), each.mask.copy(), ExactConfig())
        for name, each in frozen.vectors.items()
    }
    renumbered = replace(
        towers,
        item_vectors=spaces[TWO_TOWER].vectors,
        ids=towers.ids[frozen.items],
        user_table=towers.user_table[users],
    )
    return replace(
        snapshot.retriever,
        catalogue=frozen.catalogue,
        log=frozen.log,
        towers=renumbered,
        spaces=spaces,
        item_columns=None,
        history_vectors=None,
    )


@settings(max_examples=20)
@given(batches)
def test_live_replayed_and_frozen_snapshots_equal_a_model(writes: list[list[Change]]) -> None:
    model = Model()
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        store = opened.enter_context(open_store(folder / "store.db"))
        live = opened.enter_context(LiveEngine(PARTS, store))
        first, early = live.snapshot, Model()
        for write in writes:
            live.catch_up(store.append(write).watermark)
            for change in write:
                model.apply(change)
        again = opened.enter_context(LiveEngine(PARTS, store))
        for snapshot in (live.snapshot, again.snapshot):
            check(snapshot, model)
        check(first, early)  # an older snapshot, read after newer ones, is as it was
        check_same(again.snapshot.retriever, live.snapshot.retriever)
        check_same(frozen_retriever(live.snapshot, store), live.snapshot.retriever)
