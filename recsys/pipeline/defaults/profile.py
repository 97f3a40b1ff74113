"""Profile of ingested data: the few numbers that default settings are chosen from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from recsys.formats import InteractionSource, StoreInteractions
from recsys.ids import Rows
from recsys.ingestion import IngestedData
from recsys.interactions import EVENT, Interactions

Clock = Literal["times", "positions", "none"]
PART = "part"
PURCHASES = frozenset(
    ("purchase", "purchased", "buy", "bought", "order", "ordered", "transaction", "checkout")
)
"""Names of kinds of event that are purchases, in lower case."""
ENOUGH_PURCHASES = 100
"""Number of purchases in validation, and in the test, from which they are the targets."""
TIED, SORTED = 0.9, 0.99
"""Shares of neighbours in histories with equal times, or in the order of their ids, above which
histories have no order."""
ORDERED = 1.2
"""Value of ``DataProfile.order`` from which the order of histories is modelled."""
SMOOTHING, LARGEST = 10, 2_000_000
"""Number added to both counts of repeated transitions; number of interactions that are counted."""


@dataclass(frozen=True)
class DataProfile:
    """Sizes and contents of ingested data.

    Attributes:
        users: Number of users with interactions.
        items: Number of items in the catalogue.
        interactions: Number of interactions.
        clock: Whether histories are in order by ``times``, by ``positions`` (or the order of the
            lines), or not at all: files that are published as sets, and histories whose times are
            equal or whose items are sorted by id.
        order: Number of transitions from one item to the next that occur again, divided by the
            number of them in shuffled histories. 1 where the order has no influence.
        history: Mean number of interactions per user.
        long_history: The 90th percentile of that number.
        repeated: Share of interactions with an item that the user interacted with before.
        texts: Share of items with words.
        pictures: Share of items with a picture.
        attributes: Whether the catalogue has categories or numbers.
        searches: Share of interactions that search terms led to.
        cold: Share of items without interactions, with times: before the last fifth of the log.
        purchases: Kinds of event that are purchases, by their names; empty where all events are of
            one kind, or where each of the last two tenths of the log has fewer than 100 of them.
        parts: Parts that the publisher assigned interactions to; empty where there are none.
    """

    users: int
    items: int
    interactions: int
    clock: Clock = "times"
    order: float = 1.0
    history: float = 0.0
    long_history: float = 0.0
    repeated: float = 0.0
    texts: float = 0.0
    pictures: float = 0.0
    attributes: bool = False
    searches: float = 0.0
    cold: float = 0.0
    purchases: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    @property
    def ordered(self) -> bool:
        """Whether the order of histories is modelled."""
        return self.clock != "none" and self.order >= ORDERED

    @property
    def contents(self) -> bool:
        """Whether anything but their ids is known of items."""
        return self.texts > 0 or self.pictures > 0 or self.attributes

    @property
    def per_item(self) -> float:
        """Mean number of interactions per item that has any."""
        return self.interactions / max(self.items * (1 - self.cold), 1)

    @classmethod
    def of(
        cls, ingested: IngestedData, source: InteractionSource | StoreInteractions
    ) -> DataProfile:
        """Profile of ingested data; ``source`` states whether its format has an order."""
        log, catalogue = ingested.interactions, ingested.catalogue
        lengths = np.diff(log.offsets)[log.active_users]
        pairs = np.unique(log.user.astype(np.int64) * len(log.items) + log.item)
        named = [name is not None for name in catalogue.image_names]
        parts = log.context.get(PART)
        return cls(
            users=len(lengths),
            items=len(catalogue),
            interactions=len(log),
            clock="none" if source.format == "lightgcn" else clock_of(log),
            order=order_of(log),
            history=float(lengths.mean()),
            long_history=float(np.quantile(lengths, 0.9)),
            repeated=1 - len(pairs) / len(log),
            texts=float(np.mean([bool(text) for text in catalogue.texts()])),
            pictures=float(np.mean(named)) if catalogue.pictures is not None else 0.0,
            attributes=bool(catalogue.fields.categories or catalogue.fields.numbers),
            searches=float((log.terms > 0).mean()),
            cold=_cold(log),
            purchases=_purchases(log),
            parts=() if parts is None else tuple(sorted(map(str, parts.index))),
        )


def _purchases(log: Interactions) -> tuple[str, ...]:
    if EVENT not in log.context or log.clock != "timestamp":
        return ()
    kinds = [str(kind) for kind in log.context[EVENT].index]
    rows = [row for row, kind in enumerate(kinds) if kind.lower() in PURCHASES]
    bought = np.isin(log.context_rows[EVENT], rows)
    first, second = np.quantile(log.time, [0.8, 0.9])
    late = ((log.time >= first) & (log.time < second), log.time >= second)
    enough = all(int((bought & part).sum()) >= ENOUGH_PURCHASES for part in late)
    return tuple(kinds[row] for row in rows) if enough and not bought.all() else ()


def _cold(log: Interactions) -> float:
    seen = log.item
    if log.clock == "timestamp":
        seen = seen[log.time <= np.quantile(log.time, 0.8)]
    return 1 - len(np.unique(seen)) / len(log.items)


def clock_of(log: Interactions) -> Clock:
    """Clock of the histories of a log; see :class:`DataProfile`."""
    neighbours = log.user[1:] == log.user[:-1]
    if not neighbours.any():
        return "none"
    if log.clock == "timestamp":
        return "none" if (np.diff(log.time) == 0)[neighbours].mean() > TIED else "times"
    ranks = np.argsort(np.argsort(log.items.index.to_numpy().astype(str)))[log.item]
    rising = [(np.diff(numbers) > 0)[neighbours].mean() for numbers in (log.item, ranks)]
    return "none" if max(rising) > SORTED else "positions"


def order_of(log: Interactions) -> float:
    """Repeated transitions of a log divided by those of shuffled histories; deterministic."""
    user, item = log.user[:LARGEST], log.item[:LARGEST]
    shuffled = np.lexsort((np.random.default_rng(0).random(len(item)), user))
    counts = [_repeated_transitions(user, each) for each in (item, item[shuffled])]
    return (counts[0] + SMOOTHING) / (counts[1] + SMOOTHING)


def _repeated_transitions(user: Rows, item: Rows) -> int:
    within = user[1:] == user[:-1]
    pairs = np.stack([item[:-1], item[1:]], axis=1).astype(np.int64)[within]
    return len(pairs) - len(np.unique(pairs[:, 0] * (int(item.max()) + 1) + pairs[:, 1]))
