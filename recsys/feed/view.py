"""The state that answers feeds: a retriever, which is that of a bundle or of a snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys.feed.picture_hashes import Hashes, PictureHashes
from recsys.ids import Mask, Rows, Vectors
from recsys.index import RowSet
from recsys.live.catalogue import LiveCatalogue
from recsys.ranking import Ranker
from recsys.retrieval import TWO_TOWER, Retriever, Space
from recsys.retrieval.popularity import ItemOrder, ItemStatistics
from recsys.retrieval.sources import ItemColumns
from recsys.store import ShownItems
from recsys_client.filters import And, Filter

_NO_HASHES = PictureHashes.none()
_CHUNK = 4


@dataclass(frozen=True, eq=False)
class FeedView:
    """What feeds read; immutable.

    Attributes:
        retriever: Catalogue, histories, spaces and filter columns.
        hashes: Hashes of the pictures of the items of the bundle.
        ranker: Learned ranker, or None.
        shown: Counts of how often items were shown and taken; None without a store.
    """

    retriever: Retriever
    hashes: PictureHashes = _NO_HASHES
    ranker: Ranker | None = None
    shown: ShownItems | None = None

    @property
    def statistics(self) -> ItemStatistics:
        """Statistics of the items: the log of the bundle, and the interactions since."""
        return self.retriever.statistics

    @property
    def columns(self) -> ItemColumns:
        """Columns that filters read."""
        return self.retriever.columns

    @cached_property
    def size(self) -> int:
        """Number of rows, those of deleted items included."""
        return max((len(space) for space in self.retriever.spaces.values()), default=0)

    def space(self, name: str) -> Space | None:
        """A space, or None where the bundle has none of this name."""
        return self.retriever.spaces.get(name)

    def present(self, rows: Rows) -> Mask:
        """Whether each row is an item of the catalogue, which deleted items are not."""
        found = (rows >= 0) & (rows < self.size)
        missing = np.flatnonzero(found)
        for space in self._by_size:
            found[missing] = has = np.asarray(space.mask[rows[missing]], np.bool_)
            if has.all():
                break
            missing = missing[~has]
        return found

    def vectors(self, space: str, rows: Rows) -> Vectors:
        """Vectors of rows in a space, float32 ``[n, d]``; zeros where an item has none."""
        found = self.retriever.spaces[space]
        vectors = np.array(found.vectors[rows], np.float32)
        mask = np.asarray(found.mask[rows], np.bool_)
        if not mask.all():
            vectors[~mask] = 0
        return vectors

    def picture_hashes(self, rows: Rows) -> tuple[Hashes, Mask]:
        """Hash of the picture of each row, uint64 ``[n]``, and whether it has one, bool ``[n]``."""
        values, mask = self.hashes.at(rows)
        catalogue = self.retriever.catalogue
        if isinstance(catalogue, LiveCatalogue) and (newer := catalogue.picture_hashes(rows)):
            for at, row in enumerate(rows.tolist()):
                if row in newer:
                    found = newer[row]
                    values[at], mask[at] = found or 0, found is not None
        return values, mask

    def matching(self, filters: Sequence[Filter]) -> RowSet | None:
        """Rows for which all filters are true; None without any.

        Raises:
            InvalidRequestError: A filter does not fit the columns.
        """
        if not filters:
            return None
        return self.columns.rows(filters[0] if len(filters) == 1 else And(list(filters)))

    def first_of(self, order: ItemOrder, k: int, *, hidden: Rows, allowed: RowSet | None) -> Rows:
        """The first k rows of an order that are allowed, present and not hidden."""
        found, begin, step = [np.empty(0, np.int32)], 0, _CHUNK * k
        missing = k
        while missing > 0 and begin < len(order):
            rows = order.first(begin + step)[begin : begin + step]
            keep = self.present(rows)
            if allowed is not None:
                keep &= allowed.mask[rows]
            if len(hidden):
                keep &= ~np.isin(rows, hidden)
            found.append(rows[keep][:missing])
            missing -= len(found[-1])
            begin, step = begin + step, step * _CHUNK
        return np.concatenate(found)

    @cached_property
    def _by_size(self) -> list[Space]:
        """The spaces, the one that holds most items first."""
        spaces = self.retriever.spaces
        return sorted(spaces.values(), key=lambda space: space.name != TWO_TOWER)
