"""Recent activity of items and users, as messages."""

from __future__ import annotations

import time
from collections.abc import Iterable

from recsys.errors import InvalidRequestError, UnknownIdError
from recsys.live import Snapshot
from recsys.live.users.activity import DAY, Activity, UserActivity
from recsys_client.pb.recsys.v1 import interaction_pb2 as pb
from recsys_server.rollout import Rollout
from recsys_server.services.writing import live_engine

MAX_DAYS, MAX_USERS = 366, 1_000
_DAYS, _USERS = 30, 100
"""Numbers where a request gives none."""


def item_activity(
    rollout: Rollout, request: pb.GetItemActivityRequest
) -> pb.GetItemActivityResponse:
    """Interactions with an item per day."""
    days = _checked("days", request.days or _DAYS, MAX_DAYS)
    snapshot = live_engine(rollout).latest()
    row = _row(snapshot, request.item_id)
    found = Activity(snapshot.histories).of_item(row, days=days, now=time.time())
    return pb.GetItemActivityResponse(
        interactions=found.interactions,
        users=found.users,
        days=[
            pb.DayActivity(begins_at=found.first_day + day * DAY, interactions=count)
            for day, count in enumerate(found.days.tolist())
        ],
        watermark=snapshot.watermark,
        bundle_version=rollout.current.active.version,
    )


def item_users(rollout: Rollout, request: pb.ListItemUsersRequest) -> pb.ListItemUsersResponse:
    """Users of an item."""
    most = _checked("limit", request.limit or _USERS, MAX_USERS)
    snapshot = live_engine(rollout).latest()
    row = _row(snapshot, request.item_id)
    return pb.ListItemUsersResponse(
        users=_messages(Activity(snapshot.histories).users_of(row, most)),
        watermark=snapshot.watermark,
        bundle_version=rollout.current.active.version,
    )


def recent_users(
    rollout: Rollout, request: pb.ListRecentUsersRequest
) -> pb.ListRecentUsersResponse:
    """Users who were active last."""
    most = _checked("limit", request.limit or _USERS, MAX_USERS)
    snapshot = live_engine(rollout).latest()
    return pb.ListRecentUsersResponse(
        users=_messages(Activity(snapshot.histories).recent_users(most)),
        watermark=snapshot.watermark,
        bundle_version=rollout.current.active.version,
    )


def _row(snapshot: Snapshot, item_id: str) -> int:
    row = snapshot.catalogue.ids.find(item_id)
    if row is None:
        raise UnknownIdError(f"unknown item id {item_id!r:.80}", field="item_id")
    return row


def _messages(users: Iterable[UserActivity]) -> Iterable[pb.UserActivity]:
    return [
        pb.UserActivity(user_id=each.user_id, interactions=each.interactions, last_at=each.last)
        for each in users
    ]


def _checked(name: str, value: int, most: int) -> int:
    if not 1 <= value <= most:
        raise InvalidRequestError(f"{name} must be from 1 to {most:,}; got {value:,}", field=name)
    return value
