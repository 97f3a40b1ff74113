"""Builds validated, frozen and counted data from tables of interactions, items and searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from recsys.catalogue import Catalogue, CatalogueFields, catalogue_of_ids
from recsys.errors import DataError
from recsys.formats.columns import UnreadValues
from recsys.formats.sources import RESERVED
from recsys.ids import IdMap
from recsys.ingestion.id_forms import whole_number_ids
from recsys.ingestion.interactions import (
    LOG,
    SEARCHES,
    RawInteractions,
    clean,
    combine,
    weights,
)
from recsys.ingestion.items import CleanItems, check_pictures, clean_items
from recsys.ingestion.policy import IngestPolicy
from recsys.ingestion.report import Group, IngestReport
from recsys.interactions import EVENT, TERMS, Interactions
from recsys.pictures import PictureStore
from recsys.tables import TableLike, factorize

MISSING_CONTEXT = "(missing)"
"""Category of an interaction without a value in a context column."""


@dataclass(frozen=True, eq=False)
class IngestedData:
    """Interactions and a catalogue, with the report of their ingestion."""

    interactions: Interactions
    catalogue: Catalogue
    report: IngestReport


def ingest(
    interactions: TableLike,
    items: TableLike | None = None,
    fields: CatalogueFields | None = None,
    policy: IngestPolicy | None = None,
    *,
    pictures: PictureStore | None = None,
    searches: TableLike | None = None,
    unread: Mapping[str, UnreadValues] | None = None,
    detected: Sequence[str] = (),
) -> IngestedData:
    """Check, clean and count tables of Arrow or pandas, and map their ids to rows.

    Args:
        interactions: Columns user_id and item_id; optional timestamp or position (with neither,
            the order of the rows is the order in time), weight, event, terms. Every other column
            is context; so are the kinds of event, in the column "event".
        items: Column item_id and those of ``fields``; None makes a catalogue of the items of the
            interactions that are kept.
        fields: Meaning of the columns of ``items``.
        policy: Rules for rows that cannot, or should not, be used.
        pictures: Store of the pictures of the items.
        searches: Columns user_id, terms, item_id (the chosen item) and the interactions' clock. A
            search with the user, item and time of an interaction gives it its terms, unless it has
            its own; any other becomes an interaction, with weight 1 and event "search".
        unread: Values of the tables "interactions", "items" and "searches" that their readers
            could not read and that are null in these tables; they are reported as written.
        detected: Properties of the files that their readers detected, for the report.

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
    unread = unread or {}
    given, changed = whole_number_ids({LOG: interactions, "items": items, SEARCHES: searches})
    items, searches = given["items"], given[SEARCHES]
    table: CleanItems | None = None
    if items is not None:
        table = clean_items(items, fields, policy, pictures, unread.get("items") or UnreadValues())
    elif fields != CatalogueFields() or pictures is not None:
        raise DataError("fields and pictures belong to an items table, and there is none")
    raw = combine(given[LOG], searches, policy, unread)
    clean(raw, policy, None if table is None else table.ids())
    _require_rows(raw)
    codes = pd.unique(raw.item[raw.rows.keep])
    used = [raw.items[code] for code in codes.tolist()]
    if table is not None and policy.items_without_interactions == "drop":
        table.keep_only(used)
    unpictured: tuple[Group, ...] = ()
    if table is None:
        catalogue = catalogue_of_ids(used)
    else:
        catalogue, unpictured = check_pictures(table.catalogue(), table.numbers())
    log = _build(raw, policy, catalogue.ids)
    users_read = len(np.unique(raw.user[raw.user >= 0]))
    report = IngestReport(
        interactions=raw.rows.report(LOG),
        items=None if table is None else table.report(),
        searches=None if searches is None else raw.rows.report(SEARCHES, joined=raw.joined),
        joined=raw.joined,
        clock=raw.clock,
        users=len(log.users),
        users_left_out=users_read - len(log.users),
        catalogue=len(catalogue),
        items_without_interactions=int((~log.warm).sum()),
        pictures=unpictured,
        detected=(*detected, *changed),
    )
    return IngestedData(log, catalogue, report)


def _require_rows(raw: RawInteractions) -> None:
    if not raw.rows.keep.any():
        reasons = raw.rows.report(LOG).dropped
        why = "; ".join(f"{group.count:,}: {group.reason}" for group in reasons) or "none was given"
        raise DataError(f"no interaction is left ({why}); give more, or loosen the policy")


def _build(raw: RawInteractions, policy: IngestPolicy, items: IdMap) -> Interactions:
    """The kept rows, with rows for ids."""
    keep = raw.rows.keep
    table = raw.table.filter(pa.array(keep))
    user, seen = pd.factorize(raw.user[keep])
    item_rows = items.index.get_indexer(pd.Index(raw.items, dtype=object))
    phrases, terms = _phrases(table)
    context = {
        name: factorize(table[name].fill_null(MISSING_CONTEXT))
        for name in table.column_names
        if name == EVENT or name not in RESERVED
    }
    return Interactions.of(
        IdMap.of("user", [raw.users[code] for code in seen.tolist()]),
        items,
        user=user,
        item=item_rows[raw.item[keep]],
        time=raw.time[keep],
        clock=raw.clock,
        weight=weights(raw, policy)[keep],
        phrases=phrases,
        terms=terms,
        context={name: IdMap.of(name, values) for name, (_, values) in context.items()},
        context_rows={name: codes for name, (codes, _) in context.items()},
    )


def _phrases(table: pa.Table) -> tuple[tuple[str, ...], npt.NDArray[np.int64] | None]:
    """The distinct search terms, "" first, and which of them each row has."""
    if TERMS not in table.column_names:
        return ("",), None
    text = pc.utf8_trim_whitespace(table[TERMS].fill_null(""))
    codes, phrases = factorize(pa.chunked_array([pa.array([""], text.type), *text.chunks]))
    return tuple(phrases), codes[1:]
