"""Writes to the service that the last stage of ``recsys run`` tries out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.catalogue import Catalogue
from recsys.errors import ServiceError
from recsys.retrieval import IMAGE, TEXT, Request

if TYPE_CHECKING:
    from recsys_client import RecsysClient

_NEW = "new-item-of-the-trial"
_K = 10


def try_writes(client: RecsysClient, request: Request, catalogue: Catalogue) -> list[str]:
    """Record an interaction, add an item and delete it, each with the effect on the next answer.

    Args:
        client: Client of a service with a store.
        request: Request whose user interacts; without a user nothing is recorded.
        catalogue: Catalogue of the bundle, from which the added item is copied.

    Returns:
        One sentence per write.

    Raises:
        ServiceError: A write has no effect on the next answer.
    """
    lines = list[str]()
    if request.query.user_id is not None:
        lines.append(_record(client, request))
    reason = client.describe().fixed_catalogue_reason
    if reason:
        return [*lines, f"No item can be added: {reason}"]
    return [*lines, *_add_and_delete(client, catalogue)]


def _record(client: RecsysClient, request: Request) -> str:
    from recsys_client import Interaction

    user, before = str(request.query.user_id), client.respond(request).ids
    if not before:
        return f"User {user} has no candidates to interact with."
    client.record_interactions([Interaction(user, before[0])])
    after = client.respond(request).ids
    if before[0] in after:
        raise ServiceError(f"user {user} interacted with {before[0]}, which is still a candidate")
    new = len(set(after) - set(before))
    return (
        f"Recorded that user {user} took {before[0]}: "
        f"{new} of {len(after)} candidates in the next answer are new"
    )


def _add_and_delete(client: RecsysClient, catalogue: Catalogue) -> Iterator[str]:
    row = next((row for row in range(len(catalogue)) if catalogue.image(row)), 0)
    item_id, picture = catalogue.ids.id(row), catalogue.image(row)
    item = replace(client.get_items([item_id]).items[0].item, item_id=_NEW, picture=picture)
    query, words = _query(client, catalogue, row)
    client.upsert_items([item])
    found = client.retrieve(k=_K, **query).ids
    rank = f"candidate {found.index(_NEW) + 1}" if _NEW in found else f"not among the first {_K}"
    yield f"Added a copy of item {item_id}: {rank} of a query by {words}"
    client.delete_items([_NEW])
    if _NEW in client.retrieve(k=_K, **query).ids:
        raise ServiceError(f"item {_NEW} was deleted, and is still a candidate")
    yield "Deleted it: no candidate of that query any more"


def _query(client: RecsysClient, catalogue: Catalogue, row: int) -> tuple[Mapping[str, Any], str]:
    """A query that finds an item, and what it is by."""
    spaces = {space.name for space in client.describe().spaces}
    picture, title = catalogue.image(row), catalogue.titles_at(np.array([row], np.int32))[0]
    if IMAGE in spaces and picture is not None:
        return {"image": picture, "space": IMAGE}, "its picture"
    if TEXT in spaces and title:
        return {"terms": title, "space": TEXT}, "its title"
    return {"item_id": catalogue.ids.id(row)}, "the item itself"
