"""Tables of interactions, items and searches in; validated, frozen and counted data out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from recsys.catalogue import Catalogue, CatalogueFields, catalogue_of_ids
from recsys.errors import DataError
from recsys.formats.sources import RESERVED
from recsys.ids import IdMap, Mask, Rows
from recsys.ingestion.items import CleanItems, clean_items, picture_groups
from recsys.ingestion.policy import IngestPolicy
from recsys.ingestion.report import IngestReport
from recsys.ingestion.rows import LOG, SEARCHES, Gathered, clean, gather
from recsys.interactions import TERMS, WEIGHT, Interactions
from recsys.pictures import PictureStore

MISSING_CONTEXT = "(missing)"
"""The category of an interaction that has no value in a context column."""


@dataclass(frozen=True, eq=False)
class Ingested:
    """What the engine works on from here, and what became of every row."""

    interactions: Interactions
    catalogue: Catalogue
    report: IngestReport


def ingest(
    interactions: pd.DataFrame,
    items: pd.DataFrame | None = None,
    fields: CatalogueFields | None = None,
    policy: IngestPolicy | None = None,
    *,
    pictures: PictureStore | None = None,
    searches: pd.DataFrame | None = None,
) -> Ingested:
    """Check, clean, number and count.

    Args:
        interactions: Columns user_id and item_id; optional timestamp or position (with neither,
            the order of the rows is the order in time), weight, event, terms. Every other column
            is context.
        items: Column item_id and those that ``fields`` names; None makes a catalogue of the items
            of the interactions that are kept.
        fields: Which columns of ``items`` mean what.
        policy: What happens to rows that cannot, or should not, be used.
        pictures: Where the pictures of the items are.
        searches: Columns user_id, terms, item_id (the item taken) and the interactions' clock. A
            search with the user, item and time of an interaction gives it its terms, unless it has
            its own; any other is an interaction itself, with the weight 1 and the event "search".

    Returns:
        Users in the order of their first kept row; items in the order of their table.

    Raises:
        DataError: A column is missing, a row is bad and the policy is to raise, or nothing is left.

    Example:
        >>> log = pd.DataFrame({"user_id": ["ann", "ann", "bob"], "item_id": ["rug", "lamp", None]})
        >>> made = ingest(log, policy=IngestPolicy(bad_rows="skip"))
        >>> made.report.interactions.kept, made.catalogue.ids.ids(made.interactions.history(0))
        (2, ['rug', 'lamp'])
    """
    fields, policy = fields or CatalogueFields(), policy or IngestPolicy()
    table: CleanItems | None = None
    known: IdMap | None = None
    if items is not None:
        table = clean_items(items, fields, policy, pictures)
        known = table.ids()
    elif fields != CatalogueFields() or pictures is not None:
        raise DataError("fields and pictures belong to an items table, and there is none")
    rows = gather(interactions, searches, policy)
    clean(rows, policy, known)
    _refuse_none(rows)
    met = rows.items[pd.unique(rows.item[rows.ledger.keep])].tolist()
    if table is not None and policy.items_without_interactions == "drop":
        table.drop_unmet(met)
    catalogue = catalogue_of_ids(met) if table is None else table.catalogue()
    log = _build(rows, policy, catalogue.ids)
    users_read = len(np.unique(rows.user[rows.user >= 0]))
    report = IngestReport(
        interactions=rows.ledger.report(LOG),
        items=None if table is None else table.report(),
        searches=None if searches is None else rows.ledger.report(SEARCHES, settled=rows.joined),
        joined=rows.joined,
        clock=rows.clock,
        users=len(log.users),
        users_left_out=users_read - len(log.users),
        catalogue=len(catalogue),
        items_without_interactions=int((~log.warm).sum()),
        pictures=picture_groups(catalogue),
    )
    return Ingested(log, catalogue, report)


def _refuse_none(rows: Gathered) -> None:
    if not rows.ledger.keep.any():
        reasons = rows.ledger.report(LOG).dropped
        why = "; ".join(f"{group.count:,}: {group.reason}" for group in reasons) or "none was given"
        raise DataError(f"no interaction is left ({why}); give more, or loosen the policy")


def _build(rows: Gathered, policy: IngestPolicy, items: IdMap) -> Interactions:
    """The kept rows with dense numbers."""
    keep, frame = rows.ledger.keep, rows.frame
    user, seen = pd.factorize(rows.user[keep])
    of_item = items.index.get_indexer(pd.Index(rows.items, dtype=object))
    weight: npt.NDArray[Any] | None = None
    if WEIGHT in frame and policy.weights == "keep":
        weight = frame[WEIGHT].to_numpy(np.float64)[keep]
    phrases, terms = _phrases(frame, keep)
    context = {
        column: _categories(column, frame[column], keep)
        for column in frame.columns
        if column not in RESERVED
    }
    return Interactions.of(
        IdMap.of("user", rows.users[seen].tolist()),
        items,
        user=user,
        item=of_item[rows.item[keep]],
        time=rows.time[keep],
        clock=rows.clock,
        weight=weight,
        phrases=phrases,
        terms=terms,
        context={column: ids for column, (ids, _) in context.items()},
        context_rows={column: codes for column, (_, codes) in context.items()},
    )


def _phrases(frame: pd.DataFrame, keep: Mask) -> tuple[tuple[str, ...], Rows | None]:
    """The different search terms, "" first, and which one each kept row has."""
    if TERMS not in frame:
        return ("",), None
    text = frame[TERMS][keep].fillna("").astype("str").str.strip()
    codes, phrases = pd.factorize(pd.concat([pd.Series([""], dtype=text.dtype), text]))
    return tuple(str(phrase) for phrase in phrases), codes[1:].astype(np.int32)


def _categories(column: str, values: pd.Series[Any], keep: Mask) -> tuple[IdMap, Rows]:
    codes, categories = pd.factorize(values[keep].fillna(MISSING_CONTEXT))
    return IdMap.of(column, [str(category) for category in categories]), codes.astype(np.int32)
