"""Limits on the size of a request; ``recsys.retrieval`` checks its values."""

from __future__ import annotations

from pydantic import Field

from recsys.config import Config
from recsys.errors import InvalidRequestError
from recsys.pictures.dimensions import pixel_count
from recsys_client.checks import MAX_ID
from recsys_client.filters.tree import MAX_PREDICATES, MAX_VALUES
from recsys_client.pb.recsys.v1.feed_pb2 import RankFeedRequest
from recsys_client.pb.recsys.v1.filter_pb2 import Filter
from recsys_client.pb.recsys.v1.retrieval_pb2 import (
    BatchRetrieveRequest,
    Query,
    RetrieveRequest,
)
from recsys_client.request import MAX_CROWDING, SERVICE_BATCH, SERVICE_MAX_K


class Limits(Config):
    """The largest request that is answered.

    Attributes:
        k: Number of candidates per query.
        history: Number of ids in a history.
        exclude: Number of excluded ids per query.
        items: Number of items of a query for items near several.
        dimensions: Number of numbers of a vector.
        terms: Number of characters of search terms.
        context: Number of context columns.
        predicates: Number of predicates of a filter; ``and``, ``or`` and ``not`` count, too.
        values: Number of values of a filter.
        crowding: Number of columns of a crowding.
        image: Number of bytes of a query picture's file.
        pixels: Number of pixels of a query picture; a small file can hold very many.
        batch_pixels: Number of pixels of all pictures of a batch of queries or of items.
        id: Number of characters of one id, or of a context column or value.
        batch: Number of queries per batch.
        message: Number of bytes of one message. Up to four times as many are read and refused with
            a field path; a larger one is refused by gRPC itself, with RESOURCE_EXHAUSTED.

    Example:
        >>> Limits(k=10).check(RetrieveRequest(k=11))
        Traceback (most recent call last):
        ...
        recsys_client.errors.InvalidRequestError: k must be from 1 to 10; got 11
    """

    k: int = Field(SERVICE_MAX_K, ge=1)
    history: int = Field(10_000, ge=1)
    exclude: int = Field(10_000, ge=1)
    items: int = Field(1_000, ge=1)
    dimensions: int = Field(4_096, ge=1)
    terms: int = Field(1_000, ge=1)
    context: int = Field(32, ge=1)
    predicates: int = Field(MAX_PREDICATES, ge=1, le=MAX_PREDICATES)
    values: int = Field(MAX_VALUES, ge=1, le=MAX_VALUES)
    crowding: int = Field(MAX_CROWDING, ge=1, le=MAX_CROWDING)
    image: int = Field(2 * 1024 * 1024, ge=1)
    pixels: int = Field(16_000_000, ge=1)
    batch_pixels: int = Field(64_000_000, ge=1)
    id: int = Field(MAX_ID, ge=1)
    batch: int = Field(SERVICE_BATCH, ge=1)
    message: int = Field(4 * 1024 * 1024, ge=1024)

    def check(self, request: RetrieveRequest) -> None:
        """Refuse a request that is too large in a part, with an :class:`InvalidRequestError`."""
        if not 1 <= request.k <= self.k:
            raise InvalidRequestError(f"k must be from 1 to {self.k:,}; got {request.k}", field="k")
        self._check_query(request.query)
        _at_most(self.exclude, len(request.exclude), "ids", "exclude")
        if request.HasField("filter"):
            self._check_filter(request.filter)
        _at_most(self.crowding, len(request.crowding), "columns", "crowding")
        _at_most(self.id, max(map(len, request.crowding), default=0), "characters", "crowding")
        _at_most(self.pixels, _pixels(request), "pixels", "query.image")
        _at_most(self.id, len(request.space), "characters", "space")
        self._check_bytes(request)

    def check_feed(self, request: RankFeedRequest) -> None:
        """Refuse a request for a feed that is too large in a part."""
        _at_most(self.k, request.k, "items", "k")
        self._check_query(request.query)
        for name in ("exclude", "candidates", "pinned", "promoted", "explain_ids"):
            _at_most(self.exclude, len(getattr(request, name)), "ids", name)
        if request.HasField("filter"):
            self._check_filter(request.filter)
        for name in ("blocked", "followed"):
            columns = getattr(request, name)
            _at_most(self.context, len(columns), "columns", name)
            values = sum(len(each.values) for each in columns.values())
            _at_most(self.values, values, "values", name)
        _at_most(self.id, len(request.pipeline), "characters", "pipeline")
        self._check_bytes(request)

    def check_batch(self, request: BatchRetrieveRequest) -> None:
        """Refuse a batch that is empty or too large; its requests are checked one by one."""
        if not request.requests:
            raise InvalidRequestError("a batch needs at least one request", field="requests")
        _at_most(self.batch, len(request.requests), "requests", "requests")
        self._check_bytes(request)
        # A picture that is too large by itself has its own error, and costs nothing.
        each = [_pixels(single) for single in request.requests]
        read = sum(pixels for pixels in each if pixels <= self.pixels)
        _at_most(self.batch_pixels, read, "pixels in its pictures", "requests")

    def _check_query(self, query: Query) -> None:
        _at_most(self.history, len(query.history.item_ids), "ids", "query.history")
        _at_most(self.history, len(query.history.times), "times", "query.history_times")
        _at_most(self.items, len(query.item_ids), "ids", "query.item_ids")
        _at_most(self.dimensions, len(query.vector), "numbers", "query.vector")
        _at_most(self.terms, len(query.terms), "characters", "query.terms")
        _at_most(self.context, len(query.context), "columns", "query.context")
        longest = max(map(len, (*query.context.keys(), *query.context.values())), default=0)
        _at_most(self.id, longest, "characters in a column or value", "query.context")
        _at_most(self.image, len(query.image), "bytes", "query.image")
        _at_most(self.id, len(query.user_id), "characters", "query.user_id")
        _at_most(self.id, len(query.item_id), "characters", "query.item_id")

    def _check_filter(self, message: Filter) -> None:
        predicates, values = _filter_size(message)
        _at_most(self.predicates, predicates, "predicates", "filter")
        _at_most(self.values, values, "values", "filter")

    def _check_bytes(
        self, request: RetrieveRequest | BatchRetrieveRequest | RankFeedRequest
    ) -> None:
        size = request.ByteSize()
        if size > self.message:
            raise InvalidRequestError(
                f"the request has {size:,} bytes; at most {self.message:,} are read",
                field="requests" if isinstance(request, BatchRetrieveRequest) else "query",
            )


def _filter_size(message: Filter) -> tuple[int, int]:
    """Number of predicates, and of the values in them, before anything is made of them."""
    predicates = values = 0
    waiting = [message]
    while waiting:
        each = waiting.pop()
        predicates += 1
        kind = each.WhichOneof("predicate")
        if kind == "all_of":
            waiting.extend(each.all_of.filters)
        elif kind == "any_of":
            waiting.extend(each.any_of.filters)
        elif kind == "negation":
            waiting.append(each.negation)
        else:
            values += len(each.in_set.values) if kind == "in_set" else 1
    return predicates, values


def _pixels(request: RetrieveRequest) -> int:
    """Number of pixels of its picture; 0 without one, or where decoding will report the fault."""
    if not request.query.image:
        return 0
    return pixel_count(request.query.image) or 0


def _at_most(limit: int, count: int, unit: str, field: str) -> None:
    if count > limit:
        raise InvalidRequestError(
            f"{field} has {count:,} {unit}; at most {limit:,} are read", field=field
        )
