"""``recsys query --sheet``: the query and its candidates in one picture."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from recsys.evaluation.query_sheet import SIDE, Tile, draw_query_sheet
from recsys.evaluation.thumbnails import thumbnail, thumbnail_from_bytes

if TYPE_CHECKING:
    from recsys.bundle import Bundle
    from recsys.catalogue import Catalogue
    from recsys.pipeline import Job
    from recsys.retrieval import Request, Response

LAST = 6
"""Number of the latest items of a history that are shown."""


def write_query_sheet(
    file: Path, request: Request, response: Response, bundle: Bundle, job: Job
) -> None:
    """Write the sheet as a PNG; the pictures come from the run, since a bundle holds none."""
    catalogue = replace(bundle.catalogue, pictures=job.pictures)
    found = [
        _item_tile(catalogue, each.id, f"{each.rank} · {each.score:.3f}")
        for each in response.candidates
    ]
    draw_query_sheet(list(_query_tiles(request, bundle, catalogue)), found).save(file, "PNG")


def _query_tiles(request: Request, bundle: Bundle, catalogue: Catalogue) -> Iterator[Tile]:
    query, log = request.query, bundle.parts.ingested.interactions
    if query.image is not None:
        yield Tile("", thumbnail_from_bytes(query.image, SIDE), "picture")
    if query.terms is not None:
        yield Tile(query.terms, None, "terms")
    for item in query.item_ids or filter(None, [query.item_id]):
        yield _item_tile(catalogue, item, "item")
    history = query.history or ()
    if query.user_id is not None:
        history = log.items.ids(log.history(log.users.row(query.user_id)))
    for item in [each for each in history if each in catalogue.ids][-LAST:]:
        yield _item_tile(catalogue, item, "history")


def _item_tile(catalogue: Catalogue, item: str, note: str) -> Tile:
    row = catalogue.ids.row(item)
    return Tile(catalogue.titles()[row], thumbnail(catalogue, row, SIDE), note)
