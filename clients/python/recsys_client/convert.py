"""Conversion between protobuf messages and the types of a request and its response."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, TypeVar

from recsys_client.errors import InvalidRequestError
from recsys_client.filters.messages import read_filter, write_filter
from recsys_client.fusion import Fusion, ReciprocalRank, WeightedSum, fusion_to_json
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_client.query import Query
from recsys_client.request import (
    MAX_K,
    SERVICE_MAX_K,
    TWO_TOWER,
    Request,
    Seen,
    UnknownHistory,
)
from recsys_client.response import (
    Candidate,
    CandidateColumns,
    Explanation,
    Fallback,
    Response,
    SpaceExplanation,
)

Policy = TypeVar("Policy", bound=str)

SEEN: Mapping[int, Seen] = {
    pb.SEEN_POLICY_UNSPECIFIED: "exclude",
    pb.SEEN_POLICY_EXCLUDE: "exclude",
    pb.SEEN_POLICY_INCLUDE: "include",
}
UNKNOWN_HISTORY: Mapping[int, UnknownHistory] = {
    pb.UNKNOWN_HISTORY_POLICY_UNSPECIFIED: "skip",
    pb.UNKNOWN_HISTORY_POLICY_SKIP: "skip",
    pb.UNKNOWN_HISTORY_POLICY_RAISE: "raise",
}
_OPTIONAL = ("user_id", "terms", "item_id", "image")
"""Fields of a query that have the same name and form in the message."""
_LISTS = ("item_ids", "vector")
"""Fields of a query that are lists in the message, where an empty one is absent."""
FALLBACKS: Mapping[int, Fallback | None] = {
    pb.FALLBACK_UNSPECIFIED: None,
    pb.FALLBACK_EMPTY_HISTORY: "empty_history",
    pb.FALLBACK_POPULARITY: "popularity",
}


def read_request(message: pb.RetrieveRequest) -> Request:
    """The request of a message; an absent field is None, an empty one is empty.

    Raises:
        InvalidRequestError: A policy is unknown, an id is empty, a fusion has no form or a number
            out of range, or a filter or the crowding is invalid.
    """
    return Request(
        read_query(message.query),
        k=message.k,
        space=message.space or TWO_TOWER,
        exclude=tuple(message.exclude),
        seen=read_policy("seen", message.seen, SEEN),
        unknown_history=read_policy("unknown_history", message.unknown_history, UNKNOWN_HISTORY),
        fusion=_read_fusion(message.fusion) if message.HasField("fusion") else None,
        titles=message.titles,
        filter=read_filter(message.filter) if message.HasField("filter") else None,
        crowding=dict(message.crowding),
        effort=message.effort if message.HasField("effort") else 1.0,
        explain=message.explain,
    )


def read_query(query: pb.Query) -> Query:
    """The query of a message."""
    given = {name: getattr(query, name) for name in _OPTIONAL if query.HasField(name)}
    if query.HasField("history"):
        given["history"] = tuple(query.history.item_ids)
        given["history_times"] = tuple(query.history.times) or None
    for name in _LISTS:
        if values := tuple(getattr(query, name)):
            given[name] = values
    return Query(**given, context=dict(query.context))


def write_query(query: Query) -> pb.Query:
    """The message of a query; a ValueError or TypeError where a value does not fit its field."""
    history = None
    if query.history is not None:
        history = pb.History(item_ids=query.history, times=query.history_times or ())
    own = {name: getattr(query, name) for name in (*_OPTIONAL, *_LISTS)}
    return pb.Query(**own, history=history, context=query.context)


def write_request(request: Request) -> pb.RetrieveRequest:
    """The message of a request.

    Raises:
        InvalidRequestError: A value is out of range, two contradict, or text is not Unicode.
    """
    # The service knows its own limit, and refuses what is above it.
    request.check(MAX_K, limit=f"the limit of the service ({SERVICE_MAX_K:,} by default)")
    try:
        return pb.RetrieveRequest(
            query=write_query(request.query),
            k=request.k,
            space=request.space,
            exclude=request.exclude,
            seen=write_policy(request.seen, SEEN),
            unknown_history=write_policy(request.unknown_history, UNKNOWN_HISTORY),
            fusion=None if request.fusion is None else pb.Fusion(**fusion_to_json(request.fusion)),
            titles=request.titles,
            filter=None if request.predicate is None else write_filter(request.predicate),
            crowding=request.crowding,
            effort=request.effort,
            explain=request.explain,
        )
    except ValueError as error:
        raise InvalidRequestError(
            f"ids, terms, context, the space and columns must be Unicode text: {error}",
            field="query",
        ) from error


def write_response(response: Response) -> pb.RetrieveResponse:
    """The message of a response."""
    message = pb.RetrieveResponse(
        bundle_version=response.bundle_version,
        space=response.space,
        unknown_history_ids=response.unknown_history,
        short_reason=response.short or "",
        unknown_exclude_ids=response.unknown_exclude,
        unread_terms=response.unread_terms or "",
        explanation=_write_explanation(response.explanation),
        watermark=response.watermark,
        fallback=write_policy(response.fallback, FALLBACKS),
    )
    add, found = message.candidates.add, response.candidates
    if isinstance(found, CandidateColumns) and not found.parts and not found.titles:
        # Most responses, in a third of the time: an empty map costs more than the other fields.
        for rank, (id_, score) in enumerate(zip(found.ids, found.scores), start=1):
            add(item_id=id_, score=score, rank=rank)
        return message
    for each in found:
        candidate = add(item_id=each.id, score=each.score, rank=each.rank, title=each.title)
        if each.parts:
            candidate.parts.update(each.parts)
    return message


def read_response(message: pb.RetrieveResponse) -> Response:
    """The response of a message."""
    return Response(
        candidates=tuple(
            Candidate(
                each.item_id,
                each.score,
                each.rank,
                dict(each.parts),
                each.title if each.HasField("title") else None,
            )
            for each in message.candidates
        ),
        space=message.space,
        unknown_history=tuple(message.unknown_history_ids),
        short=message.short_reason or None,
        unknown_exclude=tuple(message.unknown_exclude_ids),
        unread_terms=message.unread_terms or None,
        bundle_version=message.bundle_version,
        explanation=(
            _read_explanation(message.explanation) if message.HasField("explanation") else None
        ),
        watermark=message.watermark,
        fallback=FALLBACKS.get(message.fallback),
    )


def _write_explanation(explanation: Explanation | None) -> pb.Explanation | None:
    if explanation is None:
        return None
    spaces = [pb.SpaceExplanation(**asdict(each)) for each in explanation.spaces]
    return pb.Explanation(spaces=spaces, filter=explanation.filter or "")


def _read_explanation(message: pb.Explanation) -> Explanation:
    return Explanation(
        tuple(
            SpaceExplanation(
                each.space,
                each.eligible,
                each.plan,
                each.leaves,
                each.depth,
                each.read,
                each.expected_recall if each.HasField("expected_recall") else None,
                each.rounds,
            )
            for each in message.spaces
        ),
        message.filter or None,
    )


def _read_fusion(message: pb.Fusion) -> Fusion:
    form = message.WhichOneof("form")
    if form is None:
        raise InvalidRequestError(
            "fusion needs a form: reciprocal_rank or weighted_sum", field="fusion"
        )
    if form == "weighted_sum":
        return WeightedSum(dict(message.weighted_sum.weights))
    ranks = message.reciprocal_rank
    given = {name: getattr(ranks, name) for name in ("constant", "depth") if ranks.HasField(name)}
    return ReciprocalRank(**given, weights=dict(ranks.weights))


def read_policy(field: str, number: int, values: Mapping[int, Policy]) -> Policy:
    """The policy of a number.

    Raises:
        InvalidRequestError: The number is unknown.
    """
    if number not in values:
        known = ", ".join(map(str, values))
        raise InvalidRequestError(
            f"{field} has the unknown value {number}; known values: {known}", field=field
        )
    return values[number]


def write_policy(policy: str | None, values: Mapping[int, Any]) -> Any:
    """Number of a policy, not the one of the unspecified value."""
    return max(number for number, known in values.items() if known == policy)
