"""Between protobuf messages and the types of ``recsys.retrieval``, field by field, both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from recsys.retrieval import Candidate, Query, Retrieved

from recsys.errors import InvalidRequestError
from server.pb.recsys.v1 import retrieval_pb2 as pb

Seen = Literal["exclude", "include"]
UnknownHistory = Literal["skip", "raise"]
Policy = TypeVar("Policy", bound=str)

DEFAULT_SPACE = "two_tower"
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


@dataclass(frozen=True)
class Settings:
    """How a query is to be answered: everything of a request but the query itself.

    Attributes:
        k: How many candidates are wanted.
        space: The space that is searched.
        exclude: Ids that must not be among the candidates.
        seen: Whether items of the history may be candidates.
        unknown_history: What happens to ids of the history that the catalogue does not hold.

    Example:
        >>> Settings(k=3).space
        'two_tower'
    """

    k: int
    space: str = DEFAULT_SPACE
    exclude: tuple[str, ...] = ()
    seen: Seen = "exclude"
    unknown_history: UnknownHistory = "skip"


def read_query(message: pb.Query) -> Query:
    """The library's query: what the message leaves out is None, what it holds empty is empty."""
    return Query(
        user_id=message.user_id if message.HasField("user_id") else None,
        history=tuple(message.history.item_ids) if message.HasField("history") else None,
        terms=message.terms if message.HasField("terms") else None,
        item_id=message.item_id if message.HasField("item_id") else None,
    )


def read_settings(message: pb.RetrieveRequest) -> Settings:
    """How the request is to be answered.

    Raises:
        InvalidRequestError: A policy has a value that the contract does not know.
    """
    return Settings(
        k=message.k,
        space=message.space or DEFAULT_SPACE,
        exclude=tuple(message.exclude_item_ids),
        seen=_policy("seen", message.seen, SEEN),
        unknown_history=_policy("unknown_history", message.unknown_history, UNKNOWN_HISTORY),
    )


def write_request(query: Query, settings: Settings) -> pb.RetrieveRequest:
    """The message for a query.

    Raises:
        InvalidRequestError: A value has no form on the wire: k beyond 32 bits, an unknown policy,
            or text that is not Unicode.
    """
    if not isinstance(settings.k, int) or not -_INT32 <= settings.k < _INT32:
        raise InvalidRequestError(f"k must be a number of 32 bits; it is {settings.k}", field="k")
    history = query.history
    try:
        return pb.RetrieveRequest(
            query=pb.Query(
                user_id=query.user_id,
                history=None if history is None else pb.History(item_ids=history),
                terms=query.terms,
                item_id=query.item_id,
            ),
            k=settings.k,
            space=settings.space,
            exclude_item_ids=settings.exclude,
            seen=_number("seen", settings.seen, SEEN),
            unknown_history=_number("unknown_history", settings.unknown_history, UNKNOWN_HISTORY),
        )
    except (TypeError, ValueError) as error:
        raise InvalidRequestError(
            f"ids, terms and the space must be Unicode text: {error}", field="query"
        ) from error


def write_response(retrieved: Retrieved, bundle_version: str) -> pb.RetrieveResponse:
    """The message for an answer."""
    return pb.RetrieveResponse(
        candidates=[
            pb.Candidate(item_id=candidate.id, score=candidate.score, rank=candidate.rank)
            for candidate in retrieved.candidates
        ],
        bundle_version=bundle_version,
        space=retrieved.space,
        unknown_history_ids=retrieved.unknown_history,
        short_reason=retrieved.short or "",
    )


def read_candidates(messages: Sequence[pb.Candidate]) -> tuple[Candidate, ...]:
    """The library's candidates."""
    return tuple(
        Candidate(id=message.item_id, score=message.score, rank=message.rank)
        for message in messages
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
