"""Common names of columns, by their meaning.

Names are compared without case and punctuation: ``userId``, ``USER_ID`` and ``user id`` are equal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from recsys.errors import DataError

Ranks = tuple[tuple[str, ...], ...]

USER_NAMES: Ranks = (
    ("userid",),
    ("user", "uid", "username"),
    ("customerid", "visitorid", "memberid", "reviewerid", "buyerid", "accountid", "clientid")
    + ("customer", "visitor", "member", "reviewer", "buyer", "account", "client", "shopper")
    + ("subscriberid", "subscriber", "readerid", "reader", "personid", "person", "patronid"),
    ("sessionid", "session"),
)
"""Names of the column of users; the first entry with a match is taken."""
ITEM_NAMES: Ranks = (
    ("itemid",),
    ("item", "iid"),
    ("productid", "sku", "asin", "articleid", "movieid", "filmid", "bookid", "isbn", "trackid")
    + ("songid", "artistid", "videoid", "newsid", "pageid", "postid", "gameid", "recipeid")
    + ("courseid", "listingid", "businessid", "poiid", "venueid", "offerid", "stockcode", "pinid")
    + ("docid", "documentid", "contentid", "hotelid", "placeid", "adid"),
    ("product", "article")
    + ("movie", "film", "book", "track", "song", "artist", "video", "page", "listing", "pin"),
)
"""Names of the column of items."""
TIME_NAMES: Ranks = (
    ("timestamp", "ts"),
    ("datetime", "unixtime", "unixreviewtime", "eventtime"),
    ("time", "at", "when"),
    ("createdat", "ratedat", "boughtat", "visitedat", "viewedat", "watchedat", "orderedat"),
    ("date", "day", "eventdate", "orderdate", "purchasedate", "invoicedate", "reviewdate", "tdat"),
)
"""Names of the column of times, the finest first."""
POSITION_NAMES: Ranks = (("position", "pos", "sequence", "seq", "seqno"),)
TERMS_NAMES: Ranks = (("terms", "searchterms", "query", "searchquery", "search", "keywords"),)
EVENT_NAMES: Ranks = tuple(
    (name,)
    for name in ("event", "eventtype", "eventname", "eventkind", "action", "actiontype")
    + ("behavior", "behaviour", "behaviortype", "behaviourtype", "interactiontype", "interaction")
)
"""Names of the column of kinds of event, as of views and purchases."""
TITLE_NAMES: Ranks = tuple(
    (name,)
    for name in ("title", "name", "itemtitle", "itemname", "producttitle", "productname")
    + ("movietitle", "booktitle", "headline", "label", "displayname")
)
IMAGE_NAMES: Ranks = (
    ("image", "picture", "photo", "poster", "img", "thumbnail", "cover", "imagefile", "filename"),
)


_NUMBER = re.compile(r"(?<=...)(number|num|no|nr)$")
"""Endings of the names of ids, as in "Customer No"."""


def plain(name: str) -> str:
    """A column's name in lower case, letters and digits only.

    Example:
        >>> plain("User-ID")
        'userid'
    """
    return re.sub(r"[\W_]+", "", name.lower())


def find_column(ranks: Ranks, columns: Sequence[str], *, table: str, meaning: str) -> str | None:
    """The column with the first known name; None if there is none.

    Args:
        ranks: Known names; names of equal rank are equally good.
        columns: Columns to choose from.
        table: Name of the table in messages.
        meaning: Meaning of the column, in messages.

    Raises:
        DataError: Several columns have names of the same rank.

    Example:
        >>> find_column(USER_NAMES, ["Customer ID", "sku"], table="log", meaning="user")
        'Customer ID'
    """
    for names in ranks:
        found = [column for column in columns if plain(column) in names]
        found = found or [c for c in columns if _NUMBER.sub("id", plain(c)) in names]
        if len(found) > 1:
            raise DataError(
                f"{table}: the columns {quoted(found)} are equally likely; choose one with "
                f"{remedy(table, meaning)}"
            )
        if found:
            return found[0]
    return None


def remedy(table: str, meaning: str) -> str:
    """How to name the column with a meaning, in Python and on the command line."""
    keyword = "fields" if table == "items" else "columns"
    return f"{keyword}={{'{meaning}': ...}} (recsys init: --{keyword[:-1]} {meaning}=...)"


def quoted(names: Iterable[str]) -> str:
    """Names in quotation marks, separated by commas."""
    return ", ".join(f"'{name}'" for name in names) or "none"
