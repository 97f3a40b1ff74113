"""How often each item was shown and taken, counted as a store grows."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import sqlalchemy as sa

from recsys.store.databases.schema import ENTRIES, IMPRESSIONS
from recsys.store.impressions.packing import to_impression
from recsys.store.rows import INTERACTION

if TYPE_CHECKING:
    from recsys.store.store import Store

REFRESH_SECONDS = 10.0
"""Time after which counts are read again."""
SETTLED_SECONDS = 60
"""Age of the youngest impressions that are counted: until then, another process may write some."""
_BATCH = 500
Counts = npt.NDArray[np.int64]


class ShownItems:
    """Number of impressions per item, and of those in which it was taken; thread-safe.

    Readers never wait: counts that are older than :data:`REFRESH_SECONDS` are brought up to date by
    a thread. Impressions count from a minute after they were shown. Those of a user who is deleted
    later stay in the counts until the process ends.

    Args:
        store: The store, which is open as long as this object is used.
        settled: Age in seconds from which impressions count.

    Example:
        >>> from pathlib import Path; import tempfile; import numpy as np
        >>> from recsys.store import Impression, InteractionRecorded, open_store
        >>> two = np.ones(2, np.float32)
        >>> store = open_store(Path(tempfile.mkdtemp()) / "store.db")
        >>> shown = Impression("0", "ann", 10, ("lamp", "rug"), two, two, ("ranked",) * 2)
        >>> _ = store.record_impressions([shown])
        >>> _ = store.append([InteractionRecorded("ann", "lamp", 20, impression_id="0")])
        >>> items = ShownItems(store, settled=0)
        >>> items.catch_up()
        >>> [counts.tolist() for counts in items.counts(["lamp", "rug"])]
        [[1, 1], [1, 0]]
    """

    def __init__(self, store: Store, *, settled: int = SETTLED_SECONDS) -> None:
        self._store, self._settled = store, settled
        self._shown, self._taken = Counter[str](), Counter[str]()
        self._after, self._sequence = "", 0
        self._reading = threading.Lock()
        self._read = -np.inf

    def counts(self, item_ids: Sequence[str]) -> tuple[Counts, Counts]:
        """Impressions of items, and those in which they were taken, int64 ``[n]`` each."""
        if time.monotonic() - self._read > REFRESH_SECONDS and not self._reading.locked():
            threading.Thread(target=self._follow, name="shown items", daemon=True).start()
        shown = np.array([self._shown[id_] for id_ in item_ids], np.int64)
        taken = np.array([self._taken[id_] for id_ in item_ids], np.int64)
        return shown, np.minimum(taken, shown)

    def catch_up(self) -> None:
        """Read what the store has recorded since the last time.

        Raises:
            StoreError: The store cannot be read, or an impression was damaged.
        """
        with self._reading:
            while self._read_impressions() == _BATCH:
                pass
            while self._read_interactions() == _BATCH:
                pass
            self._read = time.monotonic()

    def _follow(self) -> None:
        try:
            self.catch_up()
        except Exception:  # The counts stay as they are, and are read again later.
            self._read = time.monotonic()

    def _read_impressions(self) -> int:
        query = (
            sa.select(IMPRESSIONS)
            .where(IMPRESSIONS.c.request_id > self._after)
            .where(IMPRESSIONS.c.recorded <= int(time.time()) - self._settled)
            .order_by(IMPRESSIONS.c.request_id)
            .limit(_BATCH)
        )
        with self._store.database.reading() as connection:
            found = [to_impression(row) for row in connection.execute(query)]
        for each in found:
            self._shown.update(each.item_ids)
            self._after = each.request_id
        return len(found)

    def _read_interactions(self) -> int:
        query = (
            sa.select(ENTRIES.c.sequence, ENTRIES.c.item_id)
            .where(ENTRIES.c.sequence > self._sequence)
            .where(ENTRIES.c.kind == INTERACTION, ENTRIES.c.impression_id.is_not(None))
            .order_by(ENTRIES.c.sequence)
            .limit(_BATCH)
        )
        with self._store.database.reading() as connection:
            found = connection.execute(query).all()
        self._taken.update(row.item_id for row in found)
        if found:
            self._sequence = found[-1].sequence
        return len(found)
