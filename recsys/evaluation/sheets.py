"""Picture sheets: what a user met and what is recommended, as cards of pictures and titles.

A picture that is missing or cannot be decoded becomes a card with the title; a report must not fail
for the sake of a picture.
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
"""Thumbnails fit a square of so many pixels."""

LAST = 12
"""So many of the latest items of a history are shown."""


@dataclass(frozen=True)
class UserSheet:
    """One user's history and recommendations, as item rows.

    Attributes:
        user: The user's id.
        history: Oldest first; the last 12 are shown.
        recommended: Best first.
        scores: One for each recommended item.
        targets: What the user truly met next; marked where it was recommended.

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


def cards(sheet: UserSheet, catalogue: Catalogue) -> dict[str, Any]:
    """The sheet as plain values for the template; titles are not escaped here."""
    titles = catalogue.titles()
    targets = {int(row) for row in sheet.targets}

    def card(row: int, note: str, hit: bool) -> dict[str, Any]:
        picture = thumbnail_url(catalogue, row)
        return {"title": titles[row], "picture": picture, "note": note, "hit": hit}

    ranked = enumerate(zip(sheet.recommended, sheet.scores), start=1)
    return {
        "user": sheet.user,
        "history": [card(int(row), "", False) for row in sheet.history[-LAST:]],
        "length": len(sheet.history),
        "recommended": [
            card(int(row), f"{place} · {score:.3f}", int(row) in targets)
            for place, (row, score) in ranked
        ],
        "targets": [titles[row] for row in sorted(targets)],
    }


def thumbnail_url(catalogue: Catalogue, row: int) -> str | None:
    """A picture as a small JPEG in a data address, or None where there is none to show."""
    small = thumbnail(catalogue, row, SIDE)
    if small is None:
        return None
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=85)
    return data_url(buffer.getvalue(), "jpeg")
