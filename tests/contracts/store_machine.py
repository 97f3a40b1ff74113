"""Any sequence of calls: a store is a list of entries and what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from recsys.store import (
    Change,
    Entry,
    InteractionRecorded,
    ItemDeleted,
    ItemUpserted,
    Receipt,
    UserDeleted,
    compact,
    open_store,
    verify,
)
from recsys_client.checks import id_fault

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)
IDS = st.sampled_from(["a", "b", "ä", "'; --", "Z\u202e"]) | TEXT.filter(
    lambda text: not id_fault(text)
)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
ATTRIBUTES = st.dictionaries(
    IDS, TEXT | NUMBERS | st.booleans() | st.lists(TEXT, max_size=2), max_size=2
)
CHANGES: st.SearchStrategy[Change] = st.one_of(
    st.builds(
        InteractionRecorded,
        *(IDS, IDS, st.integers(-(10**9), 10**10), st.none() | IDS),
        st.none() | st.floats(1e-3, 1e6),
        st.dictionaries(IDS, IDS, max_size=2),
        TEXT,
    ),
    st.builds(UserDeleted, IDS),
    st.builds(
        ItemUpserted,
        *(IDS, TEXT, TEXT, ATTRIBUTES, st.none() | st.binary(max_size=50)),
        st.none()
        | st.dictionaries(
            IDS,
            st.lists(
                st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=3
            ),
            max_size=2,
        ),
    ),
    st.builds(ItemDeleted, IDS),
)


class StoreMachine(RuleBasedStateMachine):
    """Calls of a store, each compared with a list and a dictionary.

    ``new_url`` gives the path or URL of an empty database.
    """

    new_url: Callable[[], str]

    @initialize()
    def begin(self) -> None:
        self.url = type(self).new_url()
        self.store = open_store(self.url)
        self.entries: list[Entry] = []
        self.watermark = self.followed = 0
        self.keys: dict[str, tuple[list[Change], Receipt]] = {}

    def teardown(self) -> None:
        if hasattr(self, "store"):
            assert verify(self.store).faults == ()
            self.store.close()

    @rule(changes=st.lists(CHANGES, min_size=1, max_size=6))
    def append(self, changes: list[Change]) -> None:
        key = f"key {len(self.keys)}"
        receipt = self.store.append(changes, key=key)
        assert self.store.advanced()
        for change in changes:
            self.watermark += 1
            if isinstance(change, UserDeleted):
                user = change.user_id
                self.entries = [
                    each for each in self.entries if getattr(each.change, "user_id", None) != user
                ]
            self.entries.append(Entry(self.watermark, change))
        assert receipt == Receipt(self.watermark, repeated=False)
        self.keys[key] = changes, receipt

    @precondition(lambda self: self.keys)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(sorted(self.keys)))
        changes, receipt = self.keys[key]
        assert self.store.append(changes, key=key) == Receipt(receipt.watermark, repeated=True)

    @rule(limit=st.integers(1, 4))
    def follow(self, limit: int) -> None:
        later = [each for each in self.entries if each.sequence > self.followed]
        found = self.store.changes(self.followed, limit=limit)
        assert found == later[:limit]
        assert self.store.advanced() == (len(later) >= limit)
        if found:
            self.followed = found[-1].sequence

    @rule()
    def open_again(self) -> None:
        self.store.close()
        self.store = open_store(self.url)

    @rule()
    def compact(self) -> None:
        last: dict[str, int] = {
            each.change.item_id: each.sequence
            for each in self.entries
            if isinstance(each.change, ItemUpserted | ItemDeleted)
        }
        compact(self.store)
        self.entries = [
            each
            for each in self.entries
            if not isinstance(each.change, ItemUpserted | ItemDeleted)
            or last[each.change.item_id] == each.sequence
        ]

    @invariant()
    def it_answers_as_the_list_does(self) -> None:
        if not hasattr(self, "store"):
            return
        assert self.store.watermark == self.watermark
        items: dict[str, Change] = {}
        users: dict[str, list[Any]] = {"unknown": []}
        for entry in self.entries:
            if isinstance(entry.change, ItemUpserted | ItemDeleted):
                items[entry.change.item_id] = entry.change
            if isinstance(entry.change, InteractionRecorded):
                users.setdefault(entry.change.user_id, []).append(entry.change)
        current = {name: each for name, each in items.items() if isinstance(each, ItemUpserted)}
        assert self.store.items(limit=1000) == [current[name] for name in sorted(current)]
        for name in (*items, "unknown"):
            assert self.store.item(name) == current.get(name)
        for user, changes in users.items():
            assert self.store.history(user) == sorted(changes, key=lambda change: change.time)


def run_machine(new_url: Callable[[], str], *, examples: int) -> None:
    """Run the machine with databases of ``new_url``."""
    machine = type("Machine", (StoreMachine,), {"new_url": staticmethod(new_url)})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=12, deadline=None)
    )
