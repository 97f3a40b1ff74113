"""Between protobuf messages and the types of ``recsys.retrieval``, field by field, both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from recsys.errors import InvalidRequestError
from recsys.retrieval import (
    TWO_TOWER,
    Candidate,
    Fusion,
    Query,
    ReciprocalRank,
    Request,
    Retrieved,
    Seen,
    UnknownHistory,
    WeightedSum,
)
from recsys.retrieval.query import check_image, ids
from server.pb.recsys.v1 import retrieval_pb2 as pb

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
_INT32 = 2**31


def read_request(message: pb.RetrieveRequest) -> Request:
    """The library's request: what a query leaves out is None, what it holds empty is empty.

    Raises:
        InvalidRequestError: A policy has a value that the contract does not know, an id is empty,
            or a fusion has no form or a number out of range.
    """
    query = message.query
    return Request(
        Query(
            user_id=query.user_id if query.HasField("user_id") else None,
            history=tuple(query.history.item_ids) if query.HasField("history") else None,
            terms=query.terms if query.HasField("terms") else None,
            item_id=query.item_id if query.HasField("item_id") else None,
            image=query.image if query.HasField("image") else None,
        ),
        k=message.k,
        space=message.space or TWO_TOWER,
        exclude=tuple(message.exclude),
        seen=_policy("seen", message.seen, SEEN),
        unknown_history=_policy("unknown_history", message.unknown_history, UNKNOWN_HISTORY),
        fusion=_read_fusion(message.fusion) if message.HasField("fusion") else None,
    )


def write_request(request: Request) -> pb.RetrieveRequest:
    """The message for a request.

    Raises:
        InvalidRequestError: A value has no form on the wire: k beyond 32 bits, an unknown policy,
            or text that is not Unicode.
    """
    query, k = request.query, request.k
    if isinstance(k, bool) or not isinstance(k, int) or not -_INT32 <= k < _INT32:
        raise InvalidRequestError(f"k must be a number of 32 bits; got {k!r}", field="k")
    check_image(query.image)
    try:
        return pb.RetrieveRequest(
            query=pb.Query(
                user_id=query.user_id,
                history=None if query.history is None else pb.History(item_ids=query.history),
                terms=query.terms,
                item_id=query.item_id,
                image=query.image,
            ),
            k=k,
            space=request.space,
            exclude=ids("exclude", request.exclude),
            seen=_number("seen", request.seen, SEEN),
            unknown_history=_number("unknown_history", request.unknown_history, UNKNOWN_HISTORY),
            fusion=None if request.fusion is None else _write_fusion(request.fusion),
        )
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(
            f"ids, terms and the space must be Unicode text: {error}", field="query"
        ) from error


def write_response(retrieved: Retrieved, bundle_version: str) -> pb.RetrieveResponse:
    """The message for an answer."""
    return pb.RetrieveResponse(
        candidates=[
            pb.Candidate(item_id=each.id, score=each.score, rank=each.rank, parts=each.parts)
            for each in retrieved.candidates
        ],
        bundle_version=bundle_version,
        space=retrieved.space,
        unknown_history_ids=retrieved.unknown_history,
        short_reason=retrieved.short or "",
        unknown_exclude_ids=retrieved.unknown_exclude,
        unread_terms=retrieved.unread_terms or "",
    )


def read_response(message: pb.RetrieveResponse) -> Retrieved:
    """The library's answer."""
    return Retrieved(
        candidates=tuple(
            Candidate(each.item_id, each.score, each.rank, dict(each.parts))
            for each in message.candidates
        ),
        space=message.space,
        unknown_history=tuple(message.unknown_history_ids),
        short=message.short_reason or None,
        unknown_exclude=tuple(message.unknown_exclude_ids),
        unread_terms=message.unread_terms or None,
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


def _write_fusion(fusion: Fusion) -> pb.Fusion:
    if isinstance(fusion, WeightedSum):
        return pb.Fusion(weighted_sum=pb.WeightedSum(weights=fusion.weights))
    if isinstance(fusion, ReciprocalRank):
        return pb.Fusion(
            reciprocal_rank=pb.ReciprocalRank(
                constant=fusion.constant, depth=fusion.depth, weights=fusion.weights
            )
        )
    raise InvalidRequestError(
        f"fusion must be a ReciprocalRank or a WeightedSum; got {fusion!r:.80}", field="fusion"
    )


def _policy(field: str, number: int, values: Mapping[int, Policy]) -> Policy:
    if number not in values:
        known = ", ".join(map(str, values))
        raise InvalidRequestError(
            f"{field} has the unknown value {number}; known values: {known}", field=field
        )
    return values[number]


def _number(field: str, policy: str, values: Mapping[int, Policy]) -> Any:
    for number in sorted(values, reverse=True):  # the unspecified value comes last
        if values[number] == policy:
            return number
    known = " or ".join(f"'{value}'" for value in dict.fromkeys(values.values()))
    raise InvalidRequestError(f"{field} must be {known}; it is {policy!r}", field=field)
