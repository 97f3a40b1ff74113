"""Sheets of pictures: a user's history and recommendations, with titles where pictures are missing.

A picture that is missing or cannot be decoded is never an error of the report.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recsys.catalogue import Catalogue
from recsys.errors import DataError
from recsys.evaluation.thumbnails import data_url, thumbnail

SIDE = 144
"""Maximum width and height of a thumbnail in pixels."""

LAST = 12
"""Number of latest history items to show."""


@dataclass(frozen=True)
class UserSheet:
    """A user's history (oldest first), recommendations (best first) and next items, as rows.

    Example:
        >>> UserSheet("ann", history=(3, 1), recommended=(2,), scores=(0.5,), targets=(2,)).user
        'ann'
    """

    user: str
    history: Sequence[int]
    recommended: Sequence[int]
    scores: Sequence[float]
    targets: Sequence[int] = ()

    def __post_init__(self) -> None:
        if len(self.recommended) != len(self.scores):
            raise DataError(
                f"sheet of '{self.user}': {len(self.recommended)} recommended items need as many "
                f"scores; got {len(self.scores)}"
            )


def sheet_view(sheet: UserSheet, catalogue: Catalogue) -> dict[str, Any]:
    """The sheet as plain values for the template, which escapes the titles."""
    titles, targets = catalogue.titles(), {int(row) for row in sheet.targets}

    def tile(row: int, note: str = "", hit: bool = False) -> dict[str, Any]:
        picture = thumbnail_url(catalogue, row)
        return {"title": titles[row], "picture": picture, "note": note, "hit": hit}

    ranked = enumerate(zip(sheet.recommended, sheet.scores), start=1)
    return {
        "user": sheet.user,
        "history": [tile(int(row)) for row in sheet.history[-LAST:]],
        "length": len(sheet.history),
        "recommended": [
            tile(int(row), f"{rank} · {score:.3f}", int(row) in targets)
            for rank, (row, score) in ranked
        ],
        "targets": [titles[row] for row in sorted(targets)],
    }


def thumbnail_url(catalogue: Catalogue, row: int) -> str | None:
    """An item's picture as a small JPEG in a data URL; None if it has none."""
    small = thumbnail(catalogue, row, SIDE)
    if small is None:
        return None
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return data_url(buffer.getvalue(), "jpeg")
