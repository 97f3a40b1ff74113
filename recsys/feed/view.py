"""The state that answers feeds: a retriever, which is that of a bundle or of a snapshot."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.ids import Mask, Rows
from recsys.retrieval import Retriever


@dataclass(frozen=True, eq=False)
class FeedView:
    """What feeds read; immutable.

    Attributes:
        retriever: Catalogue, histories, spaces and filter columns.
    """

    retriever: Retriever

    def present(self, rows: Rows) -> Mask:
        """Whether each row is an item of the catalogue, which deleted items are not."""
        size = max((len(space) for space in self.retriever.spaces.values()), default=0)
        found = np.zeros(len(rows), np.bool_)
        inside = (rows >= 0) & (rows < size)
        for space in self.retriever.spaces.values():
            found[inside] |= np.asarray(space.mask[rows[inside]], np.bool_)
        return found
