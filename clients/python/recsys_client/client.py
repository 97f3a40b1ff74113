"""A typed client of the services with blocking calls; ``recsys_client.aio`` has coroutines.

The calls of :class:`recsys_client.RetrievalCalls` return the same response, or raise the same
exception, as in-process.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

import grpc
from grpc_health.v1 import health_pb2

from recsys_client.calls import RetrievalCalls
from recsys_client.connection import Connection
from recsys_client.errors import RecsysError, ServiceError
from recsys_client.feed import FeedRequest, FeedResponse, PipelineDescription
from recsys_client.filters import Filter
from recsys_client.operations import (
    administration,
    bundles,
    catalog,
    feeds,
    interactions,
    quality,
    retrieval,
    service,
)
from recsys_client.operations.operation import Operation
from recsys_client.pb.recsys.v1 import interaction_pb2
from recsys_client.records import (
    ActiveBundles,
    BundleChange,
    BundleRecord,
    CreatedToken,
    Description,
    FoundItems,
    History,
    Interaction,
    Item,
    ItemActivity,
    ItemMap,
    ItemPage,
    MapMethod,
    MinuteFigures,
    Report,
    ReportComparison,
    SearchOrder,
    SearchOrigin,
    SearchPage,
    ServiceStatus,
    Setting,
    SlowRequests,
    StreamReceipt,
    TokenRecord,
    UserActivity,
    WriteReceipt,
)
from recsys_client.request import Request
from recsys_client.response import Response
from recsys_client.statuses import from_rpc_error

SERVICE_NAME = retrieval.SERVICE_NAME
_POLL_SECONDS = 0.05
Answer = TypeVar("Answer")


class RecsysClient(Connection, RetrievalCalls):
    """A connection to a service; thread-safe. Use it as a context manager.

    Every method raises the exceptions of the engine: an :class:`InvalidRequestError` for a value
    that is out of range, and a :class:`ServiceError` without an answer. A write carries a random
    idempotency key unless one is given, so that it is recorded once however often it is sent.

    Args:
        address: Address of the service, HOST:PORT.
        timeout: Seconds that a call may take, repetitions included; :meth:`with_timeout` gives
            another value.
        retries: Number of times, at most 4, that a call which is safe to repeat is sent again with
            backoff if no service answers.
        tls: Certificates for an encrypted connection; None for one in plain text.
        token: Bearer token that is sent with each call, or None.
        throttle: Number of calls of a method that are sent per answered one while the service
            refuses calls as overloaded, at least 1; the others raise the same
            :class:`OverloadedError` at once. None sends all.

    Example:
        >>> with RecsysClient("127.0.0.1:50051") as client:  # doctest: +SKIP
        ...     client.retrieve(user_id="ann", k=10).candidates
    """

    _library: ClassVar[Any] = grpc

    def __enter__(self) -> RecsysClient:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; calls that wait are cancelled."""
        self._channel.close()

    def respond(self, request: Request) -> Response:
        """The response to one request, with the errors of :meth:`retrieve`."""
        return self._make(retrieval.retrieve(request, self.bundle))

    def answer(self, requests: Sequence[Request]) -> list[Response | RecsysError]:
        """For each request the response or the error; requests need nothing in common.

        One call has 128 requests at most, the default limit of a service; more are sent in as
        many calls as needed, one after the other, each with the ``timeout``.

        Raises:
            RecsysError: A call as a whole was refused; a :class:`ServiceError` without an answer.
        """
        batches = retrieval.Batches(requests, self.bundle)
        for operation in batches.operations():
            batches.add(self._make(operation))
        return batches.answers()

    def rank_feed(self, request: FeedRequest) -> FeedResponse:
        """The ordered, varied feed of one request.

        Interactions with its items name its ``request_id`` as their ``impression_id``.
        """
        return self._make(feeds.rank(request, self.bundle))

    def list_pipelines(self) -> list[PipelineDescription]:
        """The pipelines of feeds, and their stages."""
        return self._make(feeds.list_pipelines(self.bundle))

    def describe(self) -> Description:
        """The spaces, columns and limits of the service, and the state that answers."""
        return self._make(retrieval.describe())

    def record_interactions(
        self, records: Sequence[Interaction], *, idempotency_key: str | None = None
    ) -> WriteReceipt:
        """Record interactions, all of them or none.

        They are on disk when this returns, and count in the next retrieval of their users.
        """
        return self._make(interactions.record(records, idempotency_key))

    def stream_interactions(
        self, batches: Iterable[Sequence[Interaction]], *, idempotency_key: str | None = None
    ) -> StreamReceipt:
        """Record a stream of interactions; each batch entirely or not at all.

        The receipt acknowledges all of them. After an error, the same batches can be sent again
        with the same ``idempotency_key``, and each is recorded once.
        """
        messages = interactions.stream_messages(batches, idempotency_key)
        failed: list[Exception] = []

        def caught() -> Iterator[interaction_pb2.StreamInteractionsRequest]:
            try:
                yield from messages
            except Exception as error:
                failed.append(error)
                raise  # ends the call, of which only a part was sent

        call = self._channel.stream_unary(
            interactions.SERVICE + "StreamInteractions",
            request_serializer=interaction_pb2.StreamInteractionsRequest.SerializeToString,
            response_deserializer=interaction_pb2.StreamInteractionsResponse.FromString,
        )
        try:
            message = call(caught(), timeout=self.timeout, metadata=self._metadata)
        except grpc.RpcError as error:
            raise (failed[0] if failed else from_rpc_error(error, self.address)) from None
        return interactions.read_stream_receipt(message)

    def get_history(self, user_id: str, *, limit: int = 100) -> History:
        """The latest ``limit`` interactions of a user, oldest first."""
        return self._make(interactions.history(user_id, limit))

    def get_item_activity(self, item_id: str, *, days: int = 30) -> ItemActivity:
        """Interactions with an item over the last ``days``, at most 366; no user is named."""
        return self._make(interactions.item_activity(item_id, days))

    def list_item_users(self, item_id: str, *, limit: int = 100) -> list[UserActivity]:
        """Users of an item, at most 1,000, those of the latest interactions first."""
        return self._make(interactions.item_users(item_id, limit))

    def list_recent_users(self, *, limit: int = 100) -> list[UserActivity]:
        """Users who were active last, at most 1,000."""
        return self._make(interactions.recent_users(limit))

    def delete_user(self, user_id: str, *, idempotency_key: str | None = None) -> WriteReceipt:
        """Delete a user: the interactions are removed from disk, and the history is empty."""
        return self._make(interactions.delete_user(user_id, idempotency_key))

    def upsert_items(
        self, items: Sequence[Item], *, idempotency_key: str | None = None
    ) -> WriteReceipt:
        """Add items, or replace those of the same id entirely; all of them or none.

        They are on disk when this returns, and can be candidates of the next retrieval.
        """
        return self._make(catalog.upsert(items, idempotency_key))

    def delete_items(
        self, item_ids: Sequence[str], *, idempotency_key: str | None = None
    ) -> WriteReceipt:
        """Delete items; they are no candidates any more. Unknown ids are named in the receipt."""
        return self._make(catalog.delete(item_ids, idempotency_key))

    def get_items(self, item_ids: Sequence[str], *, thumbnail_size: int = 0) -> FoundItems:
        """Items by their ids, with thumbnails of at most ``thumbnail_size`` pixels; 0 for none."""
        return self._make(catalog.get(item_ids, thumbnail_size))

    def list_items(
        self,
        *,
        filter: Filter | str | None = None,
        page_size: int = 100,
        page_token: str = "",
        thumbnail_size: int = 0,
    ) -> ItemPage:
        """A page of the items that a filter allows; ``page_token`` is that of the page before."""
        return self._make(catalog.list_page(filter, page_size, page_token, thumbnail_size))

    def list_bundles(self) -> list[BundleRecord]:
        """All published bundles, the latest first."""
        return self._make(bundles.list_all())

    def get_active_bundle(self) -> ActiveBundles:
        """The active bundle and the canary."""
        return self._make(bundles.get_active())

    def activate_bundle(self, version: str, *, idempotency_key: str | None = None) -> BundleChange:
        """Let a bundle answer; one that cannot be served is refused, and the active one remains."""
        return self._make(bundles.activate(version, idempotency_key))

    def rollback_bundle(self, *, idempotency_key: str | None = None) -> BundleChange:
        """Let the bundle answer that was active before."""
        return self._make(bundles.roll_back(idempotency_key))

    def set_canary(
        self, version: str, share: float, *, idempotency_key: str | None = None
    ) -> ActiveBundles:
        """Let a bundle answer a share of the users, above 0 and below 1; ``("", 0)`` ends it."""
        return self._make(bundles.set_canary(version, share, idempotency_key))

    def get_status(self) -> ServiceStatus:
        """The state of the whole service: workers, store, indexes, health and alerts."""
        return self._make(service.status())

    def get_time_series(self, minutes: int = 60) -> list[MinuteFigures]:
        """Figures of the last minutes, at most 360, oldest first; the last one has not ended."""
        return self._make(service.time_series(minutes))

    def list_slow_requests(self, limit: int = 100) -> SlowRequests:
        """The last slow requests of all workers, at most 1,000, the latest first."""
        return self._make(service.slow_requests(limit))

    def get_configuration(self) -> list[Setting]:
        """The settings with which the service was started, without secrets."""
        return self._make(administration.configuration())

    def list_tokens(self) -> list[TokenRecord]:
        """The tokens of the service, without their secrets."""
        return self._make(administration.tokens())

    def create_token(
        self, name: str, scopes: Sequence[str], *, expires_at: int | None = None, rate: str = ""
    ) -> CreatedToken:
        """Add a token; the answer is the only place in which its secret is ever shown.

        Args:
            name: Name of the token, as it is in the log.
            scopes: "read", "write" and "admin" of every service, or "catalog:write" of one.
            expires_at: Time from which it is refused, in seconds since 1970; None for never.
            rate: Number of calls per time, such as "100/second"; "" for no limit.
        """
        return self._make(administration.create_token(name, scopes, expires_at, rate))

    def revoke_token(self, name: str) -> TokenRecord:
        """Remove a token, which every worker refuses within about a second."""
        return self._make(administration.revoke_token(name))

    def get_report(self, version: str = "") -> Report:
        """The evaluation report of a bundle; "" for the active one."""
        return self._make(quality.get_report(version))

    def compare_reports(self, version_a: str, version_b: str = "") -> ReportComparison:
        """The reports of two bundles side by side; "" for the active bundle."""
        return self._make(quality.compare_reports(version_a, version_b))

    def list_searches(
        self,
        *,
        origin: SearchOrigin = "recorded",
        contains: str = "",
        order: SearchOrder = "uses",
        page_size: int = 100,
        page_token: str = "",
    ) -> SearchPage:
        """A page of the search log: terms of recorded interactions, or of the training log."""
        return self._make(quality.list_searches(origin, contains, order, page_size, page_token))

    def get_item_map(
        self,
        *,
        space: str = "",
        method: MapMethod = "pca",
        column: str = "",
        max_points: int = 0,
    ) -> ItemMap:
        """A map of a sample of the items of a space, labelled by a column of the catalogue.

        With ``max_points``, it holds only its first points. Where ``pending`` is true, it is being
        computed; call again after some seconds.
        """
        return self._make(quality.get_item_map(space, method, column, max_points))

    def is_serving(self) -> bool:
        """Whether the standard health service reports SERVING.

        Raises:
            ServiceError: Nothing answers at the address.
        """
        try:
            return self._check(self.timeout)
        except grpc.RpcError as error:
            raise from_rpc_error(error, self.address) from None

    def wait_ready(self, timeout: float) -> None:
        """Wait until the standard health service reports SERVING.

        Raises:
            ServiceError: It is not ready within ``timeout``.
        """
        deadline = time.monotonic() + timeout
        while (remaining := deadline - time.monotonic()) > 0:
            try:
                if self._check(remaining):
                    return
            except grpc.RpcError:
                pass  # not there yet, or going away; the deadline decides
            time.sleep(_POLL_SECONDS)
        raise ServiceError(
            f"no service was ready at {self.address} within {timeout:g} seconds; check that it runs"
        )

    def _make(self, operation: Operation[Answer]) -> Answer:
        """The result of a call."""
        throttle = self._admit(operation.method)
        try:
            message = self._send(operation)
        except grpc.RpcError as error:
            raise self._failure(error, throttle) from None
        if throttle is not None:
            throttle.answered()
        return operation.read(message)

    def _check(self, timeout: float) -> bool:
        request = health_pb2.HealthCheckRequest(service=SERVICE_NAME)
        response = self._health.Check(
            request, timeout=timeout, wait_for_ready=True, metadata=self._metadata
        )
        return bool(response.status == health_pb2.HealthCheckResponse.SERVING)
