"""Conversion between protobuf messages and the types of a feed request and its response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, get_args

from google.protobuf.internal.enum_type_wrapper import EnumTypeWrapper

from recsys_client.convert import SEEN, read_policy, read_query, write_policy, write_query
from recsys_client.errors import InvalidRequestError
from recsys_client.feed.explanation import (
    AbsentItem,
    FeatureContribution,
    FeedExplanation,
    FeedItemExplanation,
    RemovedItems,
    SimilarItem,
    SourceRank,
    StageRank,
    UnknownValue,
)
from recsys_client.feed.request import FeedRequest
from recsys_client.feed.response import FeedItem, FeedResponse, Slot, StageReport, StageStatus
from recsys_client.filters.messages import read_filter, write_filter
from recsys_client.pb.recsys.v1 import feed_pb2 as pb

ROLES = ("source", "merge", "hydrator", "filter", "scorer", "diversity", "slots")
_LISTS = ("exclude", "candidates", "pinned", "promoted", "explain_ids")
"""Fields that are lists of ids."""


def _numbers(enum: Any, prefix: str, names: Sequence[str]) -> dict[str, Any]:
    values: EnumTypeWrapper = enum
    return {name: values.Value(f"{prefix}_{name.upper()}") for name in names}


_SLOTS = _numbers(pb.FeedSlot, "FEED_SLOT", get_args(Slot))
ROLE_NUMBERS = _numbers(pb.StageRole, "STAGE_ROLE", ROLES)
_STATUSES = _numbers(pb.StageStatus, "STAGE_STATUS", get_args(StageStatus))
_SLOT_OF, ROLE_NAMES, _STATUS_OF = (
    {number: name for name, number in each.items()} for each in (_SLOTS, ROLE_NUMBERS, _STATUSES)
)


def read_feed_request(message: pb.RankFeedRequest) -> FeedRequest:
    """The request of a message; :meth:`FeedRequest.check` finds what cannot be answered.

    Raises:
        InvalidRequestError: A policy is unknown, an id is empty, or a filter is invalid.
    """
    lists = {name: tuple(getattr(message, name)) for name in _LISTS}
    scores = tuple(message.candidate_scores)
    return FeedRequest(
        read_query(message.query),
        message.k,
        message.pipeline,
        seen=read_policy("seen", message.seen, SEEN),
        filter=read_filter(message.filter) if message.HasField("filter") else None,
        blocked={name: tuple(each.values) for name, each in message.blocked.items()},
        followed={name: tuple(each.values) for name, each in message.followed.items()},
        candidate_scores=scores or None,
        now=message.now if message.HasField("now") else None,
        seed=message.seed if message.HasField("seed") else None,
        titles=message.titles,
        explain=message.explain,
        **lists,
    )


def write_feed_request(request: FeedRequest) -> pb.RankFeedRequest:
    """The message of a request.

    Raises:
        InvalidRequestError: A value is out of range, two contradict, or text is not Unicode.
    """
    request.check()
    try:
        return pb.RankFeedRequest(
            query=write_query(request.query),
            k=request.k,
            pipeline=request.pipeline,
            seen=write_policy(request.seen, SEEN),
            filter=None if request.predicate is None else write_filter(request.predicate),
            blocked=_column_values(request.blocked),
            followed=_column_values(request.followed),
            candidate_scores=request.candidate_scores,
            now=request.now,
            seed=request.seed,
            titles=request.titles,
            explain=request.explain,
            **{name: getattr(request, name) for name in _LISTS},
        )
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(f"the request cannot be sent: {error}") from error


def _column_values(given: Mapping[str, Sequence[str]]) -> dict[str, pb.ColumnValues]:
    return {name: pb.ColumnValues(values=values) for name, values in given.items()}


def write_feed_response(response: FeedResponse) -> pb.RankFeedResponse:
    """The message of a response."""
    return pb.RankFeedResponse(
        items=[
            pb.FeedItem(
                item_id=each.id,
                position=each.position,
                score=each.score,
                sources=each.sources,
                slot=_SLOTS[each.slot],
                propensity=each.propensity,
                title=each.title,
            )
            for each in response.items
        ],
        pipeline=response.pipeline,
        pipeline_version=response.pipeline_version,
        stages=[
            pb.StageReport(
                stage=each.stage,
                role=ROLE_NUMBERS[each.role],
                status=_STATUSES[each.status],
                given=each.given,
                returned=each.returned,
                seconds=each.seconds,
                message=each.message,
            )
            for each in response.stages
        ],
        short_reason=response.short or "",
        unknown_history_ids=response.unknown_history,
        unknown_exclude_ids=response.unknown_exclude,
        unknown_candidate_ids=response.unknown_candidates,
        known_user=response.known_user,
        bundle_version=response.bundle_version,
        watermark=response.watermark,
        request_id=response.request_id,
        explanation=_write_explanation(response.explanation),
    )


def read_feed_response(message: pb.RankFeedResponse) -> FeedResponse:
    """The response of a message."""
    return FeedResponse(
        tuple(
            FeedItem(
                each.item_id,
                each.position,
                each.score,
                tuple(each.sources),
                _SLOT_OF.get(each.slot, "ranked"),  # type: ignore[arg-type]
                each.propensity,
                each.title if each.HasField("title") else None,
            )
            for each in message.items
        ),
        message.pipeline,
        message.pipeline_version,
        tuple(
            StageReport(
                each.stage,
                ROLE_NAMES.get(each.role, ""),
                _STATUS_OF.get(each.status, "ok"),  # type: ignore[arg-type]
                each.given,
                each.returned,
                each.seconds,
                each.message,
            )
            for each in message.stages
        ),
        message.short_reason or None,
        tuple(message.unknown_history_ids),
        tuple(message.unknown_exclude_ids),
        tuple(message.unknown_candidate_ids),
        message.known_user,
        message.bundle_version,
        message.watermark,
        message.request_id,
        _read_explanation(message.explanation) if message.HasField("explanation") else None,
    )


def _write_explanation(explanation: FeedExplanation | None) -> pb.FeedExplanation | None:
    if explanation is None:
        return None
    return pb.FeedExplanation(
        items=[
            pb.FeedItemExplanation(
                item_id=item.id,
                sources=_write_sources(item.sources),
                stages=[
                    pb.StageRank(stage=each.stage, rank=each.rank, score=each.score)
                    for each in item.stages
                ],
                contributions=[
                    pb.FeatureContribution(
                        feature=each.feature, value=each.value, contribution=each.contribution
                    )
                    for each in item.contributions
                ],
                similar=_write_similar(item.similar),
            )
            for item in explanation.items
        ],
        absent=[
            pb.AbsentItem(
                item_id=each.id,
                stage=each.stage,
                reason=each.reason,
                sources=_write_sources(each.sources),
                similar=_write_similar(each.similar),
            )
            for each in explanation.absent
        ],
        removed=[
            pb.RemovedItems(
                stage=each.stage, reason=each.reason, count=each.count, item_ids=each.ids
            )
            for each in explanation.removed
        ],
        unknown_values=[
            pb.UnknownValue(field=each.field, column=each.column, value=each.value)
            for each in explanation.unknown_values
        ],
    )


def _read_explanation(message: pb.FeedExplanation) -> FeedExplanation:
    return FeedExplanation(
        tuple(
            FeedItemExplanation(
                item.item_id,
                _read_sources(item.sources),
                tuple(StageRank(each.stage, each.rank, each.score) for each in item.stages),
                tuple(
                    FeatureContribution(
                        each.feature,
                        each.value if each.HasField("value") else None,
                        each.contribution,
                    )
                    for each in item.contributions
                ),
                _read_similar(item.similar),
            )
            for item in message.items
        ),
        tuple(
            AbsentItem(
                *(each.item_id, each.stage, each.reason, _read_sources(each.sources)),
                _read_similar(each.similar),
            )
            for each in message.absent
        ),
        tuple(
            RemovedItems(each.stage, each.reason, each.count, tuple(each.item_ids))
            for each in message.removed
        ),
        tuple(UnknownValue(each.field, each.column, each.value) for each in message.unknown_values),
    )


def _write_sources(ranks: Sequence[SourceRank]) -> list[pb.SourceRank]:
    return [pb.SourceRank(source=each.source, rank=each.rank, score=each.score) for each in ranks]


def _read_sources(ranks: Sequence[pb.SourceRank]) -> tuple[SourceRank, ...]:
    return tuple(SourceRank(each.source, each.rank, each.score) for each in ranks)


def _write_similar(items: Sequence[SimilarItem]) -> list[pb.SimilarItem]:
    return [
        pb.SimilarItem(item_id=each.id, space=each.space, similarity=each.similarity)
        for each in items
    ]


def _read_similar(items: Sequence[pb.SimilarItem]) -> tuple[SimilarItem, ...]:
    return tuple(SimilarItem(each.item_id, each.space, each.similarity) for each in items)
