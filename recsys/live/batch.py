"""The outcome of a batch of changes of items: the last change per item."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

from recsys.errors import InvalidRequestError, RecsysError
from recsys.store import Entry, ItemDeleted, ItemUpserted

Check = Callable[[ItemUpserted, bool], None]
"""A function that checks an item, given whether it is known."""


@dataclass(frozen=True)
class RefusedChange:
    """A change of the store that a snapshot cannot include.

    Attributes:
        sequence: Sequence number of the change.
        item_id: Id of the item.
        error: Reason.
    """

    sequence: int
    item_id: str
    error: RecsysError


@dataclass(frozen=True, eq=False)
class Batch:
    """The outcome of some changes of items.

    Attributes:
        upserts: Last upsert per item that exists afterwards, with its sequence number.
        deleted: Ids of items that do not exist afterwards, and were deleted.
        named: Ids of all items that were upserted, in order.
        refused: Upserts that a check refused; they have no effect.
    """

    upserts: dict[str, tuple[int, ItemUpserted]] = field(default_factory=dict)
    deleted: dict[str, None] = field(default_factory=dict)
    named: dict[str, None] = field(default_factory=dict)
    refused: list[RefusedChange] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        entries: Sequence[Entry],
        *,
        known: Container[str],
        check: Check,
        refused: Mapping[int, RecsysError],
        kept: frozenset[str] = frozenset(),
    ) -> Batch:
        """The outcome of entries of the store.

        It does not depend on how a sequence of entries is split into batches.

        Args:
            entries: Entries of changes of items, in order.
            known: Ids of the items before them.
            check: Check of an item that raises ``InvalidRequestError``.
            refused: Errors of upserts that are known to fail, by sequence number.
            kept: Spaces in which an item keeps the ready vector of the upsert before.
        """
        batch = cls()
        for entry in entries:
            change = entry.change
            if isinstance(change, ItemUpserted):
                earlier = batch.upserts.get(change.item_id, (0, None))[1]
                change = _with_vectors_of(change, earlier, kept)
                batch._upsert(entry.sequence, change, known, check, refused.get(entry.sequence))
            elif isinstance(change, ItemDeleted):
                batch.upserts.pop(change.item_id, None)
                batch.deleted[change.item_id] = None
        return batch

    def _upsert(
        self,
        sequence: int,
        item: ItemUpserted,
        known: Container[str],
        check: Check,
        error: RecsysError | None,
    ) -> None:
        is_known = item.item_id in self.upserts or (
            item.item_id in known and item.item_id not in self.deleted
        )
        if error is None:
            try:
                check(item, is_known)
            except InvalidRequestError as caught:
                error = caught
        if error is not None:
            self.refused.append(RefusedChange(sequence, item.item_id, error))
            return
        self.upserts[item.item_id] = sequence, item
        self.deleted.pop(item.item_id, None)
        self.named.setdefault(item.item_id)


def _with_vectors_of(
    item: ItemUpserted, earlier: ItemUpserted | None, kept: frozenset[str]
) -> ItemUpserted:
    given = {} if earlier is None else earlier.vectors or {}
    vectors = {name: vector for name, vector in given.items() if name in kept}
    return replace(item, vectors={**vectors, **(item.vectors or {})}) if vectors else item
