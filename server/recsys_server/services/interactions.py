"""``recsys.v1.InteractionService``: records interactions, shows and deletes histories."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any

from recsys.errors import InvalidRequestError, RecsysError, UnknownIdError
from recsys.store import InteractionRecorded, Receipt, UserDeleted, check_key
from recsys_client.operations.interactions import SERVICE
from recsys_client.pb.recsys.v1 import interaction_pb2 as pb
from recsys_client.pb.recsys.v1.interaction_pb2_grpc import (
    InteractionServiceServicer,
    add_InteractionServiceServicer_to_server,
)
from recsys_server.messages import ParsedMessages
from recsys_server.metrics.worker_metrics import Number
from recsys_server.rollout import Rollout
from recsys_server.services.activity import item_activity, item_users, recent_users
from recsys_server.services.arrivals import Arrivals
from recsys_server.services.blocking import BlockingCalls
from recsys_server.services.writing import at, check_count, live_engine, write, write_events

SERVICE_NAME = SERVICE.strip("/")
MAX_INTERACTIONS = 10_000
"""Largest number of interactions of a call, or of a message of a stream."""
MAX_HISTORY = 10_000
"""Largest number of interactions of a history that is shown."""
GROUP_BYTES = 4 * 1024 * 1024
"""Size of the messages of a stream that are recorded together, or read ahead."""
_LEAST_BYTES = 400
_DEFAULT_HISTORY = 100


class InteractionService(InteractionServiceServicer):
    """Records in the store of the active bundle, and reads its snapshot.

    Args:
        rollout: The bundles that answer.
        calls: Threads in which calls run.
        recorded: Count of recorded interactions.
    """

    def __init__(self, rollout: Rollout, calls: BlockingCalls, recorded: Number) -> None:
        self._rollout = rollout
        self._calls = calls
        self._recorded = recorded

    def add_to(self, server: Any) -> None:
        """Register the calls."""
        parsed: Any = ParsedMessages(server)
        add_InteractionServiceServicer_to_server(self, parsed)

    async def RecordInteractions(
        self, request: pb.RecordInteractionsRequest, context: Any
    ) -> pb.RecordInteractionsResponse:
        """Record interactions, all or none."""

        def work() -> pb.RecordInteractionsResponse:
            receipt = self._record(request)
            ids = dict.fromkeys(each.item_id for each in request.interactions)
            known = live_engine(self._rollout).snapshot.catalogue.ids
            return pb.RecordInteractionsResponse(
                watermark=receipt.watermark,
                repeated_write=receipt.repeated,
                bundle_version=self._rollout.current.active.version,
                unknown_item_ids=[each for each in ids if each not in known],
            )

        return await self._calls.run(context, work, size=request.ByteSize())

    async def StreamInteractions(
        self, request_iterator: AsyncIterator[pb.StreamInteractionsRequest], context: Any
    ) -> pb.StreamInteractionsResponse:
        """Record the messages of a stream in their order, in groups of those that have arrived."""
        response = pb.StreamInteractionsResponse(
            bundle_version=self._rollout.current.active.version
        )
        groups = Arrivals(request_iterator, size=_size, most=GROUP_BYTES)
        async with aclosing(groups.__aiter__()) as arrived:
            async for group in arrived:
                work = partial(self._record_each, group)
                results = await self._calls.run(context, work, size=sum(map(_size, group)))
                for request, result in zip(group, results):
                    if isinstance(result, Exception):
                        raise result
                    response.watermark = max(response.watermark, result.watermark)
                    recorded = 0 if result.repeated else len(request.interactions)
                    response.recorded += recorded
                    self._recorded.value += recorded
                    response.repeated_writes += result.repeated
        return response

    async def GetHistory(
        self, request: pb.GetHistoryRequest, context: Any
    ) -> pb.GetHistoryResponse:
        """The latest interactions of a user."""
        return await self._calls.run(context, lambda: self._history(request))

    async def GetItemActivity(
        self, request: pb.GetItemActivityRequest, context: Any
    ) -> pb.GetItemActivityResponse:
        """Interactions with an item per day."""
        return await self._calls.run(context, partial(item_activity, self._rollout, request))

    async def ListItemUsers(
        self, request: pb.ListItemUsersRequest, context: Any
    ) -> pb.ListItemUsersResponse:
        """The users of an item."""
        return await self._calls.run(context, partial(item_users, self._rollout, request))

    async def ListRecentUsers(
        self, request: pb.ListRecentUsersRequest, context: Any
    ) -> pb.ListRecentUsersResponse:
        """The users who were active last."""
        return await self._calls.run(context, partial(recent_users, self._rollout, request))

    async def DeleteUser(
        self, request: pb.DeleteUserRequest, context: Any
    ) -> pb.DeleteUserResponse:
        """Delete a user and the user's interactions."""

        def work() -> pb.DeleteUserResponse:
            change = UserDeleted(request.user_id)
            receipt = write(self._rollout, [change], request.idempotency_key)
            return pb.DeleteUserResponse(
                watermark=receipt.watermark,
                repeated_write=receipt.repeated,
                bundle_version=self._rollout.current.active.version,
            )

        return await self._calls.run(context, work)

    def _record(self, request: pb.RecordInteractionsRequest) -> Receipt:
        receipt = write(self._rollout, _changes(request), request.idempotency_key)
        self._recorded.value += 0 if receipt.repeated else len(request.interactions)
        return receipt

    def _record_each(
        self, group: Sequence[pb.StreamInteractionsRequest]
    ) -> list[Receipt | Exception]:
        """For each message the receipt, up to the first that cannot be recorded, and its error."""
        writes, fault = [], list[Receipt | Exception]()
        for request in group:
            try:
                check_key(request.idempotency_key or None)
                writes.append((_changes(request), request.idempotency_key))
            except RecsysError as error:
                fault = [error]
                break
        return write_events(self._rollout, writes) + fault

    def _history(self, request: pb.GetHistoryRequest) -> pb.GetHistoryResponse:
        limit = request.limit or _DEFAULT_HISTORY
        if not 1 <= limit <= MAX_HISTORY:
            raise InvalidRequestError(
                f"limit must be from 1 to {MAX_HISTORY:,}; got {limit:,}", field="limit"
            )
        loaded = self._rollout.current.for_user(request.user_id)
        live = loaded.engine or live_engine(self._rollout)
        snapshot = live.latest()
        found = snapshot.histories.find(request.user_id)
        if found is None:
            raise UnknownIdError(
                f"unknown user id {request.user_id!r:.80}: no interaction is recorded",
                field="user_id",
            )
        rows = found.items[-limit:]
        times = [None] * len(rows) if found.times is None else found.times[-limit:].tolist()
        recorded = live.store.history(request.user_id, limit)
        ids = snapshot.catalogue.ids.ids(rows)
        return pb.GetHistoryResponse(
            interactions=_interactions(request.user_id, ids, times, recorded),
            watermark=snapshot.watermark,
            bundle_version=loaded.version,
        )


def _changes(
    request: pb.RecordInteractionsRequest | pb.StreamInteractionsRequest,
) -> list[InteractionRecorded]:
    given = request.interactions
    check_count(len(given), MAX_INTERACTIONS, noun="interactions", field="interactions")
    changes = []
    for position, message in enumerate(given):
        with at(f"interactions[{position}]"):
            changes.append(_change(message, has_key=bool(request.idempotency_key)))
    return changes


def _size(request: pb.StreamInteractionsRequest) -> int:
    """Number of bytes of a message, at least some hundred per interaction."""
    return max(request.ByteSize(), _LEAST_BYTES * (1 + len(request.interactions)))


def _change(message: pb.Interaction, *, has_key: bool) -> InteractionRecorded:
    if has_key and not message.HasField("time"):
        raise InvalidRequestError(
            "time is missing; a write with an idempotency key needs it, so that a repetition has"
            " the same content",
            field="time",
        )
    return InteractionRecorded(
        message.user_id,
        message.item_id,
        message.time if message.HasField("time") else int(time.time()),
        message.event if message.HasField("event") else None,
        message.weight if message.HasField("weight") else None,
        dict(message.context),
        message.terms,
        message.impression_id,
    )


def _interactions(
    user_id: str,
    ids: Sequence[str],
    times: Sequence[int | None],
    recorded: Sequence[InteractionRecorded],
) -> list[pb.Interaction]:
    """The messages of a history, with the details of the interactions that the store holds."""
    details: dict[tuple[str, int | None], list[InteractionRecorded]] = defaultdict(list)
    by_item: dict[str, list[InteractionRecorded]] = defaultdict(list)
    for each in recorded:
        details[each.item_id, each.time].append(each)
        by_item[each.item_id].append(each)
    messages = []
    for item_id, moment in zip(reversed(ids), reversed(times)):  # the latest first, as stored
        known = details[item_id, moment] if moment is not None else by_item[item_id]
        messages.append(_message(user_id, item_id, moment, known.pop() if known else None))
    return messages[::-1]


def _message(
    user_id: str, item_id: str, moment: int | None, recorded: InteractionRecorded | None
) -> pb.Interaction:
    if recorded is None:
        return pb.Interaction(user_id=user_id, item_id=item_id, time=moment)
    return pb.Interaction(
        user_id=user_id,
        item_id=item_id,
        time=recorded.time,
        event=recorded.event,
        weight=recorded.weight,
        context=recorded.context,
        terms=recorded.terms,
        impression_id=recorded.impression_id,
    )
