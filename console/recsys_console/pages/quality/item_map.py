"""A map of the items: points that are near each other where the vectors of the items are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from recsys_client import TWO_TOWER, AsyncRecsysClient
from recsys_client.records import ItemMap, MapMethod
from recsys_console.pages.quality.offered import offered
from recsys_console.rendering.responses import respond, wants_json
from recsys_console.service.connection import Service

router = APIRouter()
_RANGE = re.compile(r"-?[\d.,e+-]+ to -?[\d.,e+-]+")
LISTED = 24
"""Number of items in the list below the map before a script shows those in view."""


@dataclass(frozen=True)
class MapPage:
    """The view model of a map.

    Attributes:
        available: Whether the service has maps.
        spaces: Spaces of the bundle.
        columns: Columns by which the points can be coloured.
        space: The space that is shown.
        method: The method that made the map.
        column: The column by which it is coloured, or "".
        map: The map; None where the service has none.
    """

    available: bool
    spaces: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    space: str = ""
    method: MapMethod = "pca"
    column: str = ""
    map: ItemMap | None = None

    @property
    def has_ranges(self) -> bool:
        """Whether the labels are ranges of numbers, in their order."""
        return bool(self.map and self.map.labels and _RANGE.fullmatch(self.map.labels[0]))

    @property
    def listed(self) -> list[tuple[str, str]]:
        """Id and title of the first items."""
        return list(zip(self.map.item_ids, self.map.titles)) if self.map else []


async def map_page(
    service: AsyncRecsysClient,
    space: str,
    method: MapMethod,
    column: str | None,
    *,
    max_points: int = 0,
) -> MapPage:
    """A map of the items of a space.

    Args:
        service: Client of the service.
        space: Name of the space; that of the towers where there is no such space.
        method: Method of the map.
        column: Column of the colours; "" for none, None for the first that suits.
        max_points: Number of points; 0 for all.
    """
    offer = await offered(service)
    if not offer.has_quality:
        return MapPage(available=False)
    spaces = tuple(each.name for each in offer.description.spaces)
    columns = tuple(each.name for each in offer.description.columns)
    chosen = space if space in spaces else TWO_TOWER if TWO_TOWER in spaces else spaces[0]
    label = column if column in columns else "" if column is not None else _first(columns)
    found = await service.get_item_map(
        space=chosen, method=method, column=label, max_points=max_points
    )
    return MapPage(True, spaces, columns, chosen, method, label, found)


def _first(columns: tuple[str, ...]) -> str:
    return columns[0] if columns else ""


@router.get("/quality/map")
async def show(
    request: Request,
    service: Service,
    space: str = "",
    method: Literal["pca", "umap"] = "pca",
    column: str | None = None,
) -> Response:
    """Show a map of the items; its points are those of the JSON form of this page."""
    shown = 0 if wants_json(request) else LISTED
    view = await map_page(service, space, method, column, max_points=shown)
    return respond(request, "quality/map.html", view)
