"""Lists of recommended items, and the difference between two of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from recsys_client import Candidate, Response
from recsys_client.errors import RecsysError
from recsys_client.feed import FeedItem, FeedResponse


@dataclass(frozen=True)
class RankedItem:
    """One recommended item.

    Attributes:
        id: Id of the item.
        title: Title, or "".
        rank: Position in its list, from 1.
        score: Score, comparable within the list.
        moved: Number of places that it is higher than in the other list; None where that one lacks
            it, and 0 without another list.
        sources: Names of the sources that returned it; empty outside a feed.
        slot: Reason of its position: "ranked", "explored", "pinned" or "promoted".

    Example:
        >>> RankedItem("lamp", "Desk lamp", 1, 0.5).moved
        0
    """

    id: str
    title: str
    rank: int
    score: float
    moved: int | None = 0
    sources: tuple[str, ...] = ()
    slot: str = "ranked"

    @classmethod
    def of(cls, item: Candidate | FeedItem) -> RankedItem:
        """An item of a response."""
        if isinstance(item, Candidate):
            return cls(item.id, item.title or "", item.rank, item.score)
        found = item.sources, item.slot
        return cls(item.id, item.title or "", item.position, item.score, 0, *found)


@dataclass(frozen=True)
class ItemList:
    """The items that one bundle recommends.

    Attributes:
        bundle: Version of the bundle that answered; "" after an error.
        items: Items, best first.
        notes: What the answer lacks, and why.
        fault: Message of the error in place of the items; "" without one.

    Example:
        >>> ItemList("v1").items
        ()
    """

    bundle: str
    items: tuple[RankedItem, ...] = ()
    notes: tuple[str, ...] = ()
    fault: str = ""

    @classmethod
    def of(cls, answer: Response | FeedResponse | RecsysError) -> ItemList:
        """The list of an answer."""
        if isinstance(answer, RecsysError):
            return cls("", fault=answer.message)
        given: Iterable[Candidate | FeedItem]
        given = answer.candidates if isinstance(answer, Response) else answer.items
        return cls(answer.bundle_version, tuple(map(RankedItem.of, given)), tuple(answer.notes))


@dataclass(frozen=True)
class Comparison:
    """A list, and where there is one, the list to compare it with.

    Attributes:
        name: "feed" or the name of a space.
        before: List as it is.
        after: List under the changes; None without any. Its items have their moves.
        lost: Ids of items of ``before`` that ``after`` lacks.

    Example:
        >>> before = ItemList("v1", (RankedItem("lamp", "", 1, 2.0), RankedItem("rug", "", 2, 1.0)))
        >>> found = Comparison.of("text", before, ItemList("v1", (RankedItem("rug", "", 1, 3.0),)))
        >>> found.after.items[0].moved, found.lost
        (1, ('lamp',))
    """

    name: str
    before: ItemList
    after: ItemList | None = None
    lost: tuple[str, ...] = ()

    @classmethod
    def of(cls, name: str, before: ItemList, after: ItemList | None) -> Comparison:
        """The comparison of two lists."""
        if after is None or after.fault or before.fault:
            return cls(name, before, after)
        ranks = {each.id: each.rank for each in before.items}
        items = tuple(
            replace(each, moved=ranks[each.id] - each.rank if each.id in ranks else None)
            for each in after.items
        )
        kept = {each.id for each in items}
        lost = tuple(each.id for each in before.items if each.id not in kept)
        return cls(name, before, replace(after, items=items), lost)

    @property
    def summary(self) -> str:
        """What changed, in words; "" without another list."""
        if self.after is None or self.after.fault or self.before.fault:
            return ""
        came = sum(each.moved is None for each in self.after.items)
        moved = sum(bool(each.moved) for each in self.after.items)
        if not (came or moved or self.lost):
            return "The same items in the same order"
        return f"{came} came, {len(self.lost)} went, {moved} moved"
