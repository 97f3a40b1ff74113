"""The search log as values: a page of terms with their counts, and the request for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from recsys_client.records import Search

PARTS = 24
"""Number of equal parts of the time of a log in which uses are counted."""


@dataclass(frozen=True)
class SearchLogRequest:
    """A page of the search log.

    Attributes:
        contains: Text that the terms contain; the case of ASCII letters is ignored.
        order: Order of the terms: the most used or the latest first; ties by the terms.
        offset: Number of terms to leave out.
        limit: Number of terms of the page.

    Example:
        >>> SearchLogRequest(order="latest").limit
        100
    """

    contains: str = ""
    order: Literal["uses", "latest"] = "uses"
    offset: int = 0
    limit: int = 100


@dataclass(frozen=True)
class SearchLog:
    """A page of the search log, and the size of all that matches the request.

    Attributes:
        searches: The terms of the page.
        terms: Number of different terms.
        uses: Number of interactions with them.
        first_time: Time of the first of these interactions in seconds since 1970, or 0.
        last_time: Time of the last of them, or 0.

    Example:
        >>> SearchLog((), 0, 0).last_time
        0
    """

    searches: tuple[Search, ...]
    terms: int
    uses: int
    first_time: int = 0
    last_time: int = 0
