"""``recsys.v1.QualityService``: reports of bundles, the search log and maps of items."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

from recsys.bundle import Bundle, read_report
from recsys.bundle.versions import find_version
from recsys.catalogue import Catalogue
from recsys.errors import InvalidRequestError, NotFoundError, suggestion
from recsys.ids import Rows
from recsys.maps import Method, available_methods, point_labels
from recsys.retrieval import TWO_TOWER
from recsys.run_comparison import compare_reports
from recsys.store.searches import SearchLogRequest, recorded_searches, training_searches
from recsys_client.operations.quality import METHODS, SERVICE
from recsys_client.pb.recsys.v1 import quality_pb2 as pb
from recsys_client.pb.recsys.v1.quality_pb2_grpc import (
    QualityServiceServicer,
    add_QualityServiceServicer_to_server,
)
from recsys_server.messages import ParsedMessages
from recsys_server.quality.maps import ItemMaps
from recsys_server.quality.messages import comparison_message, report_message, searches_message
from recsys_server.rollout import LoadedBundle, Rollout
from recsys_server.services.blocking import BlockingCalls
from recsys_server.services.writing import live_engine

SERVICE_NAME = SERVICE.strip("/")
MAX_PAGE, DEFAULT_PAGE = 1_000, 100
"""Largest number of searches of a page, and the number without one."""
COMPARISONS = 16
"""Number of comparisons that are kept; a bundle and its report never change."""
MAX_TEXT = 1_000
"""Number of characters of a text that searches contain, and of names."""
_ORDERS: Mapping[int, Literal["uses", "latest"]] = {
    pb.SEARCH_ORDER_UNSPECIFIED: "uses",
    pb.SEARCH_ORDER_USES: "uses",
    pb.SEARCH_ORDER_LATEST: "latest",
}
_METHODS: Mapping[int, Method] = {
    pb.MAP_METHOD_UNSPECIFIED: "pca",
    **{int(value): name for name, value in METHODS.items()},
}


class QualityService(QualityServiceServicer):
    """Reads the folder of bundles, the store, and the vectors of the active bundle.

    Args:
        rollout: The bundles that answer.
        calls: Threads in which calls run.
        root: Folder of bundles.
    """

    def __init__(self, rollout: Rollout, calls: BlockingCalls, root: Path) -> None:
        self._rollout = rollout
        self._calls = calls
        self._root = root
        self._maps = ItemMaps(root)
        self._compared = lru_cache(maxsize=COMPARISONS)(partial(compare_reports, root))

    def add_to(self, server: Any) -> None:
        """Register the calls."""
        parsed: Any = ParsedMessages(server)
        add_QualityServiceServicer_to_server(self, parsed)

    def close(self) -> None:
        """End the process of a map that is being computed."""
        self._maps.close()

    async def GetReport(  # noqa: D102 - documented in the proto
        self, request: pb.GetReportRequest, context: Any
    ) -> pb.GetReportResponse:
        def work() -> pb.GetReportResponse:
            version = self._version(request.version, "version")
            manifest, report = read_report(self._root, version)
            engine = self._rollout.current.active.engine
            if engine is not None:  # a deleted user is not shown
                histories = engine.latest().histories
                report = report.of_users(lambda user_id: histories.find(user_id) is not None)
            return pb.GetReportResponse(report=report_message(manifest, report))

        return await self._calls.run(context, work)

    async def CompareReports(  # noqa: D102
        self, request: pb.CompareReportsRequest, context: Any
    ) -> pb.CompareReportsResponse:
        if not request.version_a:
            raise InvalidRequestError("a version is required", field="version_a")

        def work() -> pb.CompareReportsResponse:
            first = self._version(request.version_a, "version_a")
            second = self._version(request.version_b, "version_b")
            return comparison_message(self._compared(first, second))

        return await self._calls.run(context, work)

    async def ListSearches(  # noqa: D102
        self, request: pb.ListSearchesRequest, context: Any
    ) -> pb.ListSearchesResponse:
        return await self._calls.run(context, partial(self._searches, request))

    async def GetItemMap(  # noqa: D102
        self, request: pb.GetItemMapRequest, context: Any
    ) -> pb.GetItemMapResponse:
        return await self._calls.run(context, partial(self._map, request))

    def _version(self, version: str, field: str) -> str:
        """The name of an existing bundle; "" is the active one of this worker."""
        if not version:
            return self._rollout.current.active.version
        try:
            return find_version(self._root, version)
        except NotFoundError as error:
            raise NotFoundError(error.message, field=field) from error

    def _searches(self, request: pb.ListSearchesRequest) -> pb.ListSearchesResponse:
        limit = request.page_size or DEFAULT_PAGE
        if limit > MAX_PAGE:
            raise InvalidRequestError(
                f"page_size must be from 1 to {MAX_PAGE:,}, or 0 for {DEFAULT_PAGE}; got {limit:,}",
                field="page_size",
            )
        _check_text(request.contains, "contains")
        offset = _offset(request.page_token)
        page = SearchLogRequest(
            request.contains, _known(_ORDERS, request.order, "order"), offset, limit
        )
        if request.origin == pb.SEARCH_ORIGIN_TRAINING:
            bundle = _bundle(self._rollout.current.active)
            log = training_searches(bundle.parts.ingested.interactions, page)
        else:
            _known({0: "", int(pb.SEARCH_ORIGIN_RECORDED): ""}, request.origin, "origin")
            log = recorded_searches(live_engine(self._rollout).store, page)
        after, before = offset + len(log.searches), max(offset - limit, 0)
        message = searches_message(log)
        message.next_page_token = str(after) if after < log.terms else ""
        message.previous_page_token = str(before) if offset else ""
        return message

    def _map(self, request: pb.GetItemMapRequest) -> pb.GetItemMapResponse:
        loaded = self._rollout.current.active
        bundle, catalogue = _bundle(loaded), _bundle(loaded).catalogue
        space, spaces = request.space or TWO_TOWER, bundle.parts.spaces
        if space not in spaces:
            raise NotFoundError(
                f"no space {space!r:.80}; there are: {', '.join(spaces)}", field="space"
            )
        _check_column(catalogue, request.column)
        method, methods = _known(_METHODS, request.method, "method"), available_methods()
        if method not in methods:
            raise InvalidRequestError(
                "the method UMAP needs umap-learn where the service runs; pip install "
                "'recsys[maps]' there, or choose PCA",
                field="method",
            )
        response = pb.GetItemMapResponse(
            bundle_version=bundle.version, methods=[METHODS[each] for each in methods]
        )
        found = self._maps.find(bundle, space, method)
        if found is None:
            response.pending = True
            return response
        ids = catalogue.ids.ids(found.rows)
        if loaded.engine is not None:
            current = loaded.engine.snapshot.catalogue.ids
            kept = [at for at, each in enumerate(ids) if each in current]
        else:
            kept = list(range(len(ids)))
        first = kept[: request.max_points or len(kept)]
        points = found.points[first]
        response.item_ids.extend(ids[at] for at in first)
        response.x.extend(points[:, 0].tolist())
        response.y.extend(points[:, 1].tolist())
        response.titles.extend(title or "" for title in catalogue.titles_at(found.rows[first]))
        response.items, response.explained_variance = found.items, found.explained_variance
        response.points = len(kept)
        if request.column:
            values = _values(catalogue, request.column, found.rows[kept])
            labels, positions = point_labels(values)
            response.labels.extend(labels)
            response.point_labels.extend(positions[: len(first)])
        return response


def _known(known: Mapping[int, Any], value: int, field: str) -> Any:
    if value not in known:
        raise InvalidRequestError(f"{field} has no value {value}", field=field)
    return known[value]


def _check_text(text: str, field: str) -> None:
    if len(text) > MAX_TEXT:
        raise InvalidRequestError(
            f"{field} has {len(text):,} characters; at most {MAX_TEXT:,} are read", field=field
        )
    if "\0" in text:
        raise InvalidRequestError(f"{field} holds a zero character; remove it", field=field)


def _offset(token: str) -> int:
    if not token:
        return 0
    if not (token.isascii() and token.isdecimal() and len(token) < 10):
        raise InvalidRequestError(
            "page_token must be the next_page_token or the previous_page_token of a page, or empty",
            field="page_token",
        )
    return int(token)


def _bundle(loaded: LoadedBundle) -> Bundle:
    if loaded.bundle is None:
        raise NotFoundError("this service answers without a bundle")
    return loaded.bundle


def _check_column(catalogue: Catalogue, column: str) -> None:
    fields = catalogue.fields
    known = list(dict.fromkeys([*fields.categories, *fields.numbers, *fields.filters]))
    if column and column not in known:
        raise NotFoundError(
            f"no column {column!r:.80}; columns that label points: {', '.join(known) or 'none'}"
            + suggestion(column, known),
            field="column",
        )


def _values(catalogue: Catalogue, column: str, rows: Rows) -> list[str | float | bool | None]:
    """Values of a column; of several categories the first."""
    separator = catalogue.fields.separator
    values: list[str | float | bool | None] = []
    for value in catalogue.table[column].take(rows).to_pylist():
        if value is None or value != value:
            values.append(None)
        elif isinstance(value, bool | int | float):
            values.append(value)
        else:
            values.append(str(value).partition(separator)[0].strip() or None)
    return values
