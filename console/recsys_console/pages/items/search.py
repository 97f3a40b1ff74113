"""What a page of items searches for, and the calls that answer it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from recsys_client import Query, Request
from recsys_client.errors import InvalidRequestError, NotFoundError
from recsys_client.filters import Filter
from recsys_client.records import Description
from recsys_console.pages.items.filter_fields import FilterField, fields_of, filter_of
from recsys_console.security.sessions import Session

PAGE_SIZE = 48


@dataclass(frozen=True)
class Search:
    """A search or, without words and picture, the catalogue page by page.

    Attributes:
        terms: Search terms, or "".
        picture: Key of the picture in the session, or "".
        space: Spaces to search, joined by "+"; "" lets the console choose.
        filter: Filter in its text form, or "".
        fields: Filters by column.
        page: Number of the page, from 1.
        token: Token of the page of the catalogue.
    """

    terms: str = ""
    picture: str = ""
    space: str = ""
    filter: str = ""
    fields: tuple[FilterField, ...] = field(default=(), repr=False)
    page: int = 1
    token: str = ""

    @classmethod
    def of(cls, parameters: Mapping[str, str], description: Description) -> Search:
        """The search of the parameters of a page."""
        page = parameters.get("page", "1")
        return cls(
            parameters.get("terms", "").strip(),
            parameters.get("picture", ""),
            parameters.get("space", ""),
            parameters.get("filter", "").strip(),
            fields_of(description.columns, parameters),
            max(int(page), 1) if page.isdecimal() and len(page) < 7 else 1,
            parameters.get("token", ""),
        )

    @property
    def is_ranked(self) -> bool:
        """Whether it has words or a picture, which rank the items."""
        return bool(self.terms or self.picture)

    def address(self, **changes: str) -> str:
        """Address of the page of this search with some parameters changed; the first page."""
        fields: dict[str, str] = {}
        for each in self.fields:
            fields |= each.parameters
        named = {name: getattr(self, name) for name in ("terms", "picture", "space", "filter")}
        values = {**named, **fields, **changes}
        text = urlencode({name: value for name, value in values.items() if value})
        return f"/items?{text}" if text else "/items"

    def predicate(self) -> Filter | None:
        """The filter of the search."""
        return filter_of(self.fields, self.filter)

    def chosen_space(self, description: Description) -> str:
        """The spaces to search: those chosen, or the best that read the words and the picture."""
        if self.space:
            return self.space
        wanted = [("terms", "text"), ("image", "image")]
        given = [bool(self.terms), bool(self.picture)]
        spaces = []
        for (part, preferred), present in zip(wanted, given, strict=True):
            readers = [each.name for each in description.spaces if part in each.reads]
            if present and readers:
                spaces.append(preferred if preferred in readers else readers[0])
        if not spaces:
            raise InvalidRequestError(
                "no space of the bundle reads such a query; browse by filters instead",
                field="space",
            )
        return "+".join(dict.fromkeys(spaces))

    def request(self, description: Description, session: Session) -> Request:
        """The request of the search, up to its page.

        Raises:
            InvalidRequestError: A value cannot be used, or the page is beyond the largest k.
            NotFoundError: The picture is no longer there.
        """
        image = session.values.get(self.picture) if self.picture else None
        if self.picture and not isinstance(image, bytes):
            raise NotFoundError("the picture of this search is no longer here; drop it again")
        most = description.limits.get("k", 1000)
        k = min(self.page * PAGE_SIZE + 1, most)
        if (self.page - 1) * PAGE_SIZE >= most:
            raise InvalidRequestError(
                f"a search finds at most {most:,} items; narrow it by filters", field="page"
            )
        query = Query(terms=self.terms or None, image=image)
        space = self.chosen_space(description)
        return Request(query, k=k, space=space, filter=self.predicate(), titles=True)
