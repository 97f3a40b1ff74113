"""``recsys query --sheet``: the query and its candidates as one picture to look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.evaluation.query_sheet import SIDE, Tile, draw_query_sheet
from recsys.evaluation.thumbnails import thumbnail, thumbnail_from_bytes
from recsys.pictures import PictureStore

if TYPE_CHECKING:
    from recsys.bundle import Bundle
    from recsys.catalogue import Catalogue
    from recsys.cli.query import Asked
    from recsys.pipeline import Job

LAST = 6
"""So many of the latest items of a history are shown."""


def write_query_sheet(
    file: Path, asked: Asked, answer: dict[str, Any], bundle: Bundle, job: Job
) -> None:
    """Write the sheet as a PNG; a bundle holds no pictures, so they are the run's."""
    catalogue, pictures = bundle.catalogue, job.config.data.pictures
    if pictures is not None:
        catalogue = replace(catalogue, pictures=PictureStore.open(job.path(pictures)))
    found = [
        _card(catalogue, each["item_id"], f"{each['rank']} · {each['score']:.3f}")
        for each in answer["candidates"]
    ]
    draw_query_sheet(list(_asked(asked, bundle, catalogue)), found).save(file, "PNG")


def _asked(asked: Asked, bundle: Bundle, catalogue: Catalogue) -> Iterator[Tile]:
    if asked.image is not None:
        yield Tile(
            asked.image.name, thumbnail_from_bytes(asked.image.read_bytes(), SIDE), "picture"
        )
    if asked.terms is not None:
        yield Tile(asked.terms, None, "terms")
    if asked.item is not None:
        yield _card(catalogue, asked.item, "item")
    history = asked.item_ids() or []
    if asked.user is not None:
        log = bundle.retriever.log
        history = log.items.ids(log.history(log.users.row(asked.user)))
    for item in [each for each in history if each in catalogue.ids][-LAST:]:
        yield _card(catalogue, item, "history")


def _card(catalogue: Catalogue, item: str, note: str) -> Tile:
    row = catalogue.ids.row(item)
    return Tile(catalogue.titles()[row], thumbnail(catalogue, row, SIDE), note)
