"""From parsed requests to query vectors: what the items of each space are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from recsys.encoders import Content, Encoded
from recsys.errors import InvalidRequestError, RecsysError
from recsys.ids import Vectors
from recsys.retrieval.parsing import ParsedRequest
from recsys.retrieval.space import Space
from recsys.towers import QueryBatch
from recsys_client.request import IMAGE, TEXT, TWO_TOWER

_ALSO = {TEXT: " or terms", IMAGE: " or a picture"}


class QueryEncoder(Protocol):
    """The part of ``recsys.towers.Towers`` that a retriever uses. Thread-safe."""

    @property
    def terms_dimension(self) -> int:
        """Width of the encoded terms that it reads; 0 where it reads none."""

    @property
    def reads(self) -> frozenset[str]:
        """Those of "history", "user" and "terms" that change a query's vector."""

    @property
    def reads_times(self) -> bool:
        """Whether the times of a history change a query's vector."""

    @property
    def context_columns(self) -> Sequence[str]:
        """Names of the context columns that it reads."""

    def encode(self, batch: QueryBatch, item_vectors: Vectors | None = None) -> Vectors:
        """One vector per query, float32 ``[b, d]``; the same bits alone as in any batch.

        Args:
            batch: The queries.
            item_vectors: Vectors of the items in the histories; those of the training by default.
        """


class ContentEncoder(Protocol):
    """The part of a text or image encoder that a retriever uses. Thread-safe."""

    @property
    def dimension(self) -> int:
        """Length of each vector."""

    def encode(self, contents: Sequence[Content]) -> Encoded:
        """One vector per text or picture; masked without a known word, or where unreadable."""


@dataclass(frozen=True, eq=False)
class QueryVector:
    """A query as a vector of one space.

    Attributes:
        vector: float32 ``[d]``.
        unread_terms: Search terms without effect, since the text encoder knows none of their words.
    """

    vector: Vectors
    unread_terms: str | None = None


@dataclass(frozen=True, eq=False)
class EncodedContent:
    """The search terms and the picture of one request as vectors.

    Attributes:
        terms: float32 ``[t]``; None without terms or where no word is known.
        picture: float32 ``[d]``; None without a picture or where it cannot be read.
        fault: Reason why the picture has no vector.
    """

    terms: Vectors | None = None
    picture: Vectors | None = None
    fault: str = "the image encoder sees nothing in it"


def encode_content(
    parsed: ParsedRequest, text: ContentEncoder | None, image: ContentEncoder | None
) -> EncodedContent:
    """Encode the content of one request.

    In a batch, a network rounds differently than for one content, so an answer would depend on the
    other requests of its batch.
    """
    query, values = parsed.request.query, EncodedContent()
    if text is not None and query.terms is not None:
        encoded = text.encode([query.terms])
        values = replace(values, terms=_first(encoded))
    if image is not None and query.image is not None:
        encoded = image.encode([query.image])
        values = replace(values, picture=_first(encoded))
        if encoded.faults:
            values = replace(values, fault=encoded.faults[0].reason)
    return values


def tower_vectors(
    space: Space,
    parsed: Sequence[ParsedRequest],
    contents: Sequence[EncodedContent],
    towers: QueryEncoder,
    item_vectors: Vectors | None = None,
) -> list[QueryVector | RecsysError]:
    """Vectors in the space of the towers: the given ones, else the query tower's, in one call.

    ``item_vectors`` are those of the items in histories, the towers' own by default.
    """
    found: list[QueryVector | RecsysError | None] = []
    for each, content in zip(parsed, contents):
        if len(each.items) or each.request.query.vector is not None:
            found.append(_given_vector(space, each))
        else:
            found.append(_constant_query(each, content, towers.reads))
    waiting = [position for position, each in enumerate(found) if each is None]
    if waiting:
        some = [parsed[position] for position in waiting]
        terms = [
            contents[position].terms if "terms" in parsed[position].parts[space.name] else None
            for position in waiting
        ]
        vectors = towers.encode(_query_batch(some, terms, towers), item_vectors)
        for position, vector, encoded in zip(waiting, vectors, terms):
            each = parsed[position]
            unread = encoded is None and "terms" in each.parts[space.name]
            found[position] = QueryVector(vector, each.request.query.terms if unread else None)
    return [each for each in found if each is not None]


def content_vectors(
    space: Space, parsed: Sequence[ParsedRequest], contents: Sequence[EncodedContent]
) -> list[QueryVector | RecsysError]:
    """Vectors in the space of a feature block: the given ones, the encoding of a picture or of
    terms, else the mean of a history's items."""
    found: list[QueryVector | RecsysError] = []
    for each, content in zip(parsed, contents):
        query, parts = each.request.query, each.parts[space.name]
        if len(each.items) or each.request.query.vector is not None:
            found.append(_given_vector(space, each))
        elif "image" in parts:
            vector = content.picture
            found.append(_unreadable(content) if vector is None else QueryVector(_unit(vector)))
        elif "terms" in parts:
            vector = content.terms
            error = _no_known_word(query.terms or "")
            found.append(error if vector is None else QueryVector(_unit(vector)))
        else:
            found.append(_mean_of_history(space, each))
    return found


def _first(encoded: Encoded) -> Vectors | None:
    return encoded.vectors[0] if encoded.mask[0] else None


def _constant_query(
    parsed: ParsedRequest, content: EncodedContent, reads: frozenset[str]
) -> InvalidRequestError | None:
    """The error for a query of which the towers read nothing, and so answer like any other."""
    query, parts = parsed.request.query, parsed.parts[TWO_TOWER]
    if "terms" in parts:
        others = query.user_id is not None or query.history is not None or parsed.context
        unknown = content.terms is None and not others
        return _no_known_word(query.terms or "") if unknown else None
    name = "history" if query.user_id is None else "user"
    if parsed.context or "history" in reads or (parsed.user is not None and "user" in reads):
        return None
    noun, field = ("users", "user_id") if name == "user" else ("histories", "history")
    remedies = {"user": "a user that the log knows", "terms": "search terms"}
    remedy = " or ".join(text for part, text in remedies.items() if part in reads)
    return InvalidRequestError(
        f"the query tower here reads no {noun}: every such query would have one answer; give "
        f"{remedy or 'an item'}, or ask in another space",
        field=f"query.{field}",
    )


def _query_batch(
    parsed: Sequence[ParsedRequest], terms: Sequence[Vectors | None], towers: QueryEncoder
) -> QueryBatch:
    users = np.array([-1 if each.user is None else each.user for each in parsed], np.int32)
    known = np.array([each is not None for each in terms], np.bool_)
    absent = np.zeros(towers.terms_dimension, np.float32)
    none = np.zeros(0, np.int64)
    columns = [name for name in towers.context_columns if any(name in p.context for p in parsed)]
    return QueryBatch.of(
        [each.history for each in parsed],
        times=[none if each.times is None else each.times for each in parsed],
        times_known=np.array([each.times is not None for each in parsed]),
        users=np.maximum(users, 0),
        user_known=users >= 0,
        terms=np.stack([absent if each is None else each for each in terms]),
        terms_known=known,
        context={
            name: np.array([each.context.get(name, 0) for each in parsed], np.int32)
            for name in columns
        },
        context_known={
            name: np.array([name in each.context for each in parsed]) for name in columns
        },
    )


def _given_vector(space: Space, parsed: ParsedRequest) -> QueryVector | RecsysError:
    """The vector of the query, or of its items: an item's own, or the mean of several."""
    query, items = parsed.request.query, parsed.items
    if query.vector is not None:
        if len(query.vector) == space.dimension:
            return QueryVector(np.array(query.vector, np.float32))
        return InvalidRequestError(
            f"vector must have {space.dimension} numbers, as the vectors of the space "
            f"'{space.name}'; got {len(query.vector)}",
            field="query.vector",
        )
    rows = items[space.mask[items]]
    if len(rows) == 1:
        return QueryVector(np.array(space.vectors[rows[0]]))
    if len(rows):
        vectors = space.vectors[rows].astype(np.float64)
        norms = np.linalg.norm(vectors, axis=1)
        mean = (vectors / norms[:, None]).mean(axis=0)
        if np.linalg.norm(mean) > 1e-6:
            return QueryVector(_unit(mean) * np.float32(norms.mean()))
    fault = f"item {query.item_id!r:.80} has no vector"
    if query.item_ids is not None:
        fault = "the vectors of the items cancel out" if len(rows) else "no item has a vector"
    return InvalidRequestError(
        f"{fault} in the space '{space.name}'; ask in another space",
        field="query.item_id" if query.item_ids is None else "query.item_ids",
    )


def _mean_of_history(space: Space, parsed: ParsedRequest) -> QueryVector | RecsysError:
    by_user = parsed.request.query.user_id is not None
    rows = parsed.history[space.mask[parsed.history]]
    if len(rows):
        vectors = space.vectors[rows].astype(np.float64)
        mean = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).mean(axis=0)
        if np.linalg.norm(mean) > 1e-6:
            return QueryVector(_unit(mean))
    owner = "the user's history" if by_user else "the history"
    if len(rows):
        fault = f"the vectors of {owner} cancel out"
    elif len(parsed.history):
        fault = f"none of the {len(parsed.history)} items of {owner} has a vector"
    else:
        fault = f"{owner} is empty"
    return InvalidRequestError(
        f"{fault} in the space '{space.name}', so nothing can be near it; give a longer history "
        f"or an item{_ALSO.get(space.name, '')}, or ask in the space '{TWO_TOWER}'",
        field="query.user_id" if by_user else "query.history",
    )


def _unreadable(content: EncodedContent) -> InvalidRequestError:
    return InvalidRequestError(
        f"the picture cannot be read: {content.fault:.200}; give the whole file of a JPEG, PNG, "
        "GIF, WebP, BMP or TIFF picture",
        field="query.image",
    )


def _no_known_word(terms: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"the text encoder knows no word of {terms!r:.80}; search with other words",
        field="query.terms",
    )


def _unit(vector: Vectors | np.ndarray[tuple[int], np.dtype[np.float64]]) -> Vectors:
    precise = vector.astype(np.float64)
    scaled: Vectors = (precise / np.linalg.norm(precise)).astype(np.float32)
    return scaled
