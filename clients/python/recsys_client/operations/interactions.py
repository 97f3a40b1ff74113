"""Operations of ``recsys.v1.InteractionService``."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence

from recsys_client.operations.operation import Operation, made
from recsys_client.pb.recsys.v1 import interaction_pb2 as pb
from recsys_client.records.interactions import (
    DayActivity,
    History,
    Interaction,
    ItemActivity,
    StreamReceipt,
    UserActivity,
)
from recsys_client.records.receipts import WriteReceipt, new_key

SERVICE = "/recsys.v1.InteractionService/"


def record(interactions: Sequence[Interaction], key: str | None) -> Operation[WriteReceipt]:
    """Record interactions, all or none."""
    message = made(
        lambda: pb.RecordInteractionsRequest(
            interactions=map(write_interaction, interactions), idempotency_key=key or new_key()
        )
    )
    return Operation(
        SERVICE + "RecordInteractions", message, pb.RecordInteractionsResponse, read_receipt
    )


def stream_messages(
    batches: Iterable[Sequence[Interaction]], key: str | None
) -> Iterator[pb.StreamInteractionsRequest]:
    """The messages of a stream; the key of each is that of the stream and its position."""
    stream = key or new_key()
    for position, batch in enumerate(batches):
        yield stream_message(batch, f"{stream}:{position}")


def stream_message(batch: Sequence[Interaction], key: str) -> pb.StreamInteractionsRequest:
    """One message of a stream."""
    return made(
        lambda: pb.StreamInteractionsRequest(
            interactions=map(write_interaction, batch), idempotency_key=key
        )
    )


def read_stream_receipt(message: pb.StreamInteractionsResponse) -> StreamReceipt:
    """The acknowledgement of a stream."""
    return StreamReceipt(
        message.watermark, message.recorded, message.repeated_writes, message.bundle_version
    )


def history(user_id: str, limit: int) -> Operation[History]:
    """The latest interactions of a user."""
    message = made(lambda: pb.GetHistoryRequest(user_id=user_id, limit=limit))
    return Operation(SERVICE + "GetHistory", message, pb.GetHistoryResponse, _read_history)


def item_activity(item_id: str, days: int) -> Operation[ItemActivity]:
    """Interactions with an item."""
    message = made(lambda: pb.GetItemActivityRequest(item_id=item_id, days=days))
    return Operation(
        SERVICE + "GetItemActivity", message, pb.GetItemActivityResponse, _read_item_activity
    )


def item_users(item_id: str, limit: int) -> Operation[list[UserActivity]]:
    """The users of an item."""
    message = made(lambda: pb.ListItemUsersRequest(item_id=item_id, limit=limit))
    return Operation(SERVICE + "ListItemUsers", message, pb.ListItemUsersResponse, _read_users)


def recent_users(limit: int) -> Operation[list[UserActivity]]:
    """The users who were active last."""
    message = made(lambda: pb.ListRecentUsersRequest(limit=limit))
    return Operation(SERVICE + "ListRecentUsers", message, pb.ListRecentUsersResponse, _read_users)


def delete_user(user_id: str, key: str | None) -> Operation[WriteReceipt]:
    """Delete a user."""
    message = made(lambda: pb.DeleteUserRequest(user_id=user_id, idempotency_key=key or new_key()))
    return Operation(SERVICE + "DeleteUser", message, pb.DeleteUserResponse, read_receipt)


def write_interaction(interaction: Interaction) -> pb.Interaction:
    """The message of an interaction."""
    return pb.Interaction(
        user_id=interaction.user_id,
        item_id=interaction.item_id,
        # A repetition of the call must have the same content.
        time=int(time.time()) if interaction.time is None else interaction.time,
        event=interaction.event,
        weight=interaction.weight,
        context=interaction.context,
        terms=interaction.terms,
        impression_id=interaction.impression_id,
    )


def read_interaction(message: pb.Interaction) -> Interaction:
    """The interaction of a message."""
    return Interaction(
        message.user_id,
        message.item_id,
        message.time if message.HasField("time") else None,
        message.event if message.HasField("event") else None,
        message.weight if message.HasField("weight") else None,
        dict(message.context),
        message.terms,
        message.impression_id,
    )


def read_receipt(
    message: pb.RecordInteractionsResponse | pb.DeleteUserResponse,
) -> WriteReceipt:
    """The acknowledgement of a write."""
    return WriteReceipt(
        message.watermark,
        message.repeated_write,
        message.bundle_version,
        tuple(getattr(message, "unknown_item_ids", ())),
    )


def _read_history(message: pb.GetHistoryResponse) -> History:
    return History(
        tuple(map(read_interaction, message.interactions)),
        message.watermark,
        message.bundle_version,
    )


def _read_item_activity(message: pb.GetItemActivityResponse) -> ItemActivity:
    return ItemActivity(
        message.interactions,
        message.users,
        tuple(DayActivity(each.begins_at, each.interactions) for each in message.days),
        message.watermark,
        message.bundle_version,
    )


def _read_users(
    message: pb.ListItemUsersResponse | pb.ListRecentUsersResponse,
) -> list[UserActivity]:
    return [
        UserActivity(
            each.user_id, each.interactions, each.last_at if each.HasField("last_at") else None
        )
        for each in message.users
    ]
