"""Changes of the training windows that a state should not depend on much: crop, reorder, mask.

The three of CL4SRec (Xie et al., ICDE 2022), here as changes of the training data
itself: every position is still predicted, from a history that is shorter, in another order, or
has holes. They compose. Plain numpy.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydantic import Field

from recsys.config import Config
from recsys.ids import Mask

Spans = npt.NDArray[np.int64]


class Augmentation(Config):
    """What is changed in the windows of an epoch, drawn anew in each.

    Attributes:
        crop: Share of the windows of which only one stretch, anywhere in them, is trained on.
        crop_to: The shortest stretch, as a share of its window; its length is drawn evenly from
            there up to the whole.
        reorder: Share of each window whose items, one stretch of them anywhere in it, change
            places. 1 reorders all: for sets that have no order but that of the file.
        mask: Share of a history's items that are not read: their places stay, their vectors are
            zero. They are predicted all the same.

    Example:
        >>> Augmentation(mask=0.2).changes
        True
    """

    crop: float = Field(0.0, ge=0, le=1)
    crop_to: float = Field(0.6, gt=0, le=1)
    reorder: float = Field(0.0, ge=0, le=1)
    mask: float = Field(0.0, ge=0, lt=1)

    @property
    def changes(self) -> bool:
        """Whether anything is changed at all."""
        return max(self.crop, self.reorder, self.mask) > 0


def cropped(spans: Spans, config: Augmentation, rng: np.random.Generator) -> Spans:
    """Windows ``[w, 2]`` (start, stop), some of them shorter; none becomes empty."""
    if config.crop == 0:
        return spans
    lengths = spans[:, 1] - spans[:, 0]
    least = np.maximum(np.ceil(config.crop_to * lengths), 1).astype(np.int64)
    drawn = rng.integers(least, lengths + 1)
    kept = np.where(rng.random(len(spans)) < config.crop, drawn, lengths)
    start = spans[:, 0] + rng.integers(0, lengths - kept + 1)
    return np.stack([start, start + kept], axis=1)


def reordered(
    places: npt.NDArray[np.int64],
    lengths: npt.NDArray[np.int64],
    config: Augmentation,
    rng: np.random.Generator,
) -> npt.NDArray[np.int64]:
    """Rows of the log ``[b, l]`` with one stretch of each line's first ``lengths`` shuffled."""
    if config.reorder == 0:
        return places
    stretch = np.round(config.reorder * lengths).astype(np.int64)
    start = rng.integers(0, lengths - stretch + 1)
    offsets = np.arange(places.shape[1])
    inside = (offsets >= start[:, None]) & (offsets < (start + stretch)[:, None])
    # Outside a place keeps its number; inside the numbers are drawn between those of its ends.
    keys = np.where(inside, start[:, None] + rng.random(places.shape) * stretch[:, None], offsets)
    return np.take_along_axis(places, np.argsort(keys, axis=1, kind="stable"), axis=1)


def shown(real: Mask, config: Augmentation, rng: np.random.Generator) -> Mask:
    """Which items ``[b, l]`` of a batch are read as history: what is masked is not."""
    return real & (rng.random(real.shape) >= config.mask)
