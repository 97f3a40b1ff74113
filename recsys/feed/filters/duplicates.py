"""Filters of near-duplicates: of items that look or read the same, the best one is kept."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from recsys.feed.candidates import Candidates
from recsys.feed.context import FeedContext
from recsys.feed.stages import Filter, Filtered
from recsys.ids import Mask, Rows

Positions = npt.NDArray[np.intp]


class SamePicture(Filter):
    """Removes items whose picture looks like that of a better candidate; a failure keeps all.

    Attributes:
        bits: Largest number of the 64 bits of the hashes that differ.
        first: Number of candidates that are compared, the best ones.
    """

    stage: Literal["same_picture"] = "same_picture"
    bits: int = Field(4, ge=0, le=63)
    first: int = Field(200, ge=2, le=2_000)

    def idle(self, context: FeedContext) -> str:
        """Why nothing is removed."""
        return "" if len(context.view.hashes) else "the bundle has no picture hashes"

    def run(self, context: FeedContext, candidates: Candidates) -> Filtered:
        """The best candidate of each picture."""
        hashes, known = context.view.picture_hashes(candidates.rows[: self.first])
        at = np.flatnonzero(known)
        differing = np.bitwise_count(hashes[at, None] ^ hashes[None, at])
        alike = differing <= self.bits
        return _without_later(candidates.rows, at, alike, "its picture looks like that of")


class SimilarVector(Filter):
    """Removes items whose vector is almost that of a better candidate; a failure keeps all.

    Attributes:
        space: Space of the vectors, such as text or image.
        cosine: Smallest cosine of near-duplicates.
        first: Number of candidates that are compared, the best ones.
    """

    stage: Literal["similar_vector"] = "similar_vector"
    space: str = "text"
    cosine: float = Field(0.995, gt=0, le=1)
    first: int = Field(200, ge=2, le=2_000)

    def idle(self, context: FeedContext) -> str:
        """Why nothing is removed."""
        return "" if context.view.space(self.space) else f"the bundle has no space '{self.space}'"

    def run(self, context: FeedContext, candidates: Candidates) -> Filtered:
        """The best candidate of each group."""
        vectors = context.view.vectors(self.space, candidates.rows[: self.first])
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
        at = np.flatnonzero(lengths > 0)
        vectors = vectors[at] / lengths[at, None]
        alike = vectors @ vectors.T >= self.cosine
        return _without_later(
            candidates.rows, at, alike, f"its vector in '{self.space}' is almost that of"
        )


def _without_later(rows: Rows, at: Positions, alike: Mask, reason: str) -> Filtered:
    """Remove each candidate that is like an earlier one that is kept.

    Args:
        rows: Rows of all candidates, best first.
        at: Positions of the candidates that are compared, ascending, ``[m]``.
        alike: Whether two of these are alike, bool ``[m, m]``.
        reason: Reason, which the id of the candidate that is kept completes.
    """
    kept, because = np.ones(len(rows), np.bool_), np.full(len(rows), -1, np.int32)
    for first in np.flatnonzero(alike.sum(axis=1) > 1).tolist():  # Each is like itself.
        if kept[at[first]]:
            removed = at[first + 1 :][alike[first, first + 1 :]]
            removed = removed[kept[removed]]
            kept[removed], because[removed] = False, rows[at[first]]
    return Filtered(kept, reason, because)
