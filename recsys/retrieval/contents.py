"""Search terms and query pictures: which space reads which, and what the encoders make of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from recsys.encoders import Encoded
from recsys.errors import InvalidRequestError, RecsysError
from recsys.retrieval.query import Query, Request
from recsys.retrieval.reading import Asked
from recsys.retrieval.space import IMAGE, TEXT, TWO_TOWER

_NOUNS = {"terms": "search terms", "image": "pictures"}


class TermsEncoder(Protocol):
    """What the retriever needs of a text encoder. It may be called from many threads."""

    @property
    def dimension(self) -> int:
        """Length of each vector."""

    def encode(self, contents: Sequence[str]) -> Encoded:
        """One vector a text, and which of them hold anything."""


class PictureEncoder(Protocol):
    """What the retriever needs of an image encoder. It may be called from many threads."""

    @property
    def dimension(self) -> int:
        """Length of each vector."""

    def encode(self, contents: Sequence[bytes | None]) -> Encoded:
        """One vector a picture; what cannot be read is masked and among the faults."""


@dataclass(frozen=True)
class Readers:
    """Which spaces read search terms, and which pictures.

    Attributes:
        terms: Names of spaces.
        image: Names of spaces.
    """

    terms: frozenset[str]
    image: frozenset[str]

    @classmethod
    def of(
        cls,
        spaces: Mapping[str, object],
        text: TermsEncoder | None,
        image: PictureEncoder | None,
        *,
        towers_read: bool,
    ) -> Readers:
        """Of the spaces there are, those whose encoder is there."""
        terms = () if text is None else (TEXT, *((TWO_TOWER,) if towers_read else ()))
        pictures = () if image is None else (IMAGE,)
        return cls(frozenset(terms) & set(spaces), frozenset(pictures) & set(spaces))

    def check(self, request: Request) -> None:
        """Refuse a part that no space of the request reads, and a space that reads no part.

        Raises:
            InvalidRequestError: ``field`` names the part, or the space.
        """
        query, asked = request.query, request.spaces
        for part, noun in _NOUNS.items():
            readers: frozenset[str] = getattr(self, part)
            if getattr(query, part) is not None and not readers & set(asked):
                who = f"the space '{asked[0]}' reads no {noun} here"
                if len(asked) > 1:
                    who = f"none of the spaces {_named(asked)} reads {noun} here"
                others = f"ask a space that does: {_named(sorted(readers))}"
                remedy = others if readers else "give an item, a user or a history"
                raise InvalidRequestError(f"{who}; {remedy}", field=f"query.{part}")
        for name in asked:
            if _empty(self.narrowed(query, name)):
                given = [noun for part, noun in _NOUNS.items() if getattr(query, part) is not None]
                raise InvalidRequestError(
                    f"the space '{name}' reads nothing of the query, which holds "
                    f"{' and '.join(given)} only; leave the space out, or give a part that it "
                    "reads",
                    field="space",
                )

    def narrowed(self, query: Query, space: str) -> Query:
        """The query without the parts that ``space`` does not read."""
        unread = {
            part: None
            for part in _NOUNS
            if getattr(query, part) is not None and space not in getattr(self, part)
        }
        return replace(query, **unread) if unread else query


@dataclass(frozen=True, eq=False)
class Contents:
    """The encoded terms and pictures of some requests, one line a request.

    Attributes:
        terms: Where any request has terms, else None.
        pictures: Where any request has a picture, else None.
    """

    terms: Encoded | None
    pictures: Encoded | None

    @classmethod
    def of(
        cls, asked: Sequence[Asked], text: TermsEncoder | None, image: PictureEncoder | None
    ) -> Contents:
        """Encode what the requests hold: each kind in one call, each picture decoded once."""
        texts = [each.request.query.terms for each in asked]
        files = [each.request.query.image for each in asked]
        terms = pictures = None
        if text is not None and any(each is not None for each in texts):
            terms = text.encode([each or "" for each in texts])
        if image is not None and any(each is not None for each in files):
            pictures = image.encode(files)
        return cls(terms, pictures)

    def at(self, lines: Sequence[int]) -> Contents:
        """Those of some of the requests, in that order."""
        return Contents(_lines(self.terms, lines), _lines(self.pictures, lines))

    def unreadable(self, line: int) -> RecsysError | None:
        """Why the picture of a request has no vector, or None where it has one."""
        assert self.pictures is not None
        if self.pictures.mask[line]:
            return None
        why = "the image encoder sees nothing in it"
        for fault in self.pictures.faults:
            if fault.position == line:
                why = fault.reason
        return InvalidRequestError(
            f"the picture cannot be read: {why:.200}; give the whole file of a JPEG, PNG, GIF, "
            "WebP, BMP or TIFF picture",
            field="query.image",
        )


def _lines(encoded: Encoded | None, lines: Sequence[int]) -> Encoded | None:
    if encoded is None:
        return None
    rows = np.asarray(lines, np.int64)
    places = {line: place for place, line in enumerate(lines)}
    faults = [
        replace(fault, position=places[fault.position])
        for fault in encoded.faults
        if fault.position in places
    ]
    return Encoded(encoded.vectors[rows], encoded.mask[rows], tuple(faults))


def _empty(query: Query) -> bool:
    return query == Query()


def _named(names: Sequence[str]) -> str:
    return " and ".join(f"'{name}'" for name in names)
