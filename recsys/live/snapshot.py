"""A snapshot: one immutable, consistent view of the items, the histories and the spaces."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from recsys.live.catalogue import LiveCatalogue
from recsys.live.columns import LiveColumns
from recsys.live.users.histories import LiveHistories
from recsys.retrieval import LiveSpace, Retriever


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What answers at one moment; immutable, and read by any number of threads.

    Attributes:
        watermark: Sequence number of the last change that it includes.
        items_watermark: Sequence number of the last change of an item that it includes.
        retriever: Retriever over this view.
        catalogue: The items.
        histories: Histories of users.
        columns: Columns for filters and crowding.
        spaces: Spaces by name.
    """

    watermark: int
    items_watermark: int
    retriever: Retriever
    catalogue: LiveCatalogue
    histories: LiveHistories
    columns: LiveColumns
    spaces: Mapping[str, LiveSpace]

    def state_of(self, user_id: str | None) -> tuple[int, int]:
        """The last changes of the items and of a user, 0 for those of the bundle.

        Two snapshots of one bundle with an equal state give equal answers to a request of this
        user, but for the watermark in the response, so that answers can be cached by it. Popular
        items as the answer to an unknown user are an exception: all interactions count.
        """
        user = 0 if user_id is None else self.histories.sequence(user_id)
        return self.items_watermark, user
