"""Conversion between descriptions and their messages."""

from __future__ import annotations

from collections.abc import Mapping

from recsys_client.pb.recsys.v1 import description_pb2 as pb
from recsys_client.records.descriptions import (
    ColumnSummary,
    ColumnType,
    ContextSummary,
    Description,
    SpaceSummary,
)
from recsys_client.response import UnknownUser

_TYPES: Mapping[ColumnType, pb.ColumnType] = {
    "text": pb.COLUMN_TYPE_TEXT,
    "texts": pb.COLUMN_TYPE_TEXTS,
    "number": pb.COLUMN_TYPE_NUMBER,
    "boolean": pb.COLUMN_TYPE_BOOLEAN,
    "time": pb.COLUMN_TYPE_TIME,
}
_UNKNOWN_USERS: Mapping[UnknownUser, pb.UnknownUserPolicy] = {
    "error": pb.UNKNOWN_USER_POLICY_ERROR,
    "empty_history": pb.UNKNOWN_USER_POLICY_EMPTY_HISTORY,
    "popularity": pb.UNKNOWN_USER_POLICY_POPULARITY,
}


def write_description(description: Description) -> pb.DescribeResponse:
    """The message of a description."""
    return pb.DescribeResponse(
        bundle_version=description.bundle_version,
        watermark=description.watermark,
        spaces=[
            pb.SpaceDescription(
                name=each.name, dimensions=each.dimensions, items=each.items, reads=each.reads
            )
            for each in description.spaces
        ],
        columns=[
            pb.ColumnDescription(
                name=each.name,
                type=_TYPES[each.type],
                items=each.items,
                examples=each.examples,
            )
            for each in description.columns
        ],
        context=[
            pb.ContextDescription(name=each.name, values=each.values, examples=each.examples)
            for each in description.context
        ],
        limits=description.limits,
        items=description.items,
        users=description.users,
        unknown_user=_UNKNOWN_USERS[description.unknown_user],
        services=description.services,
        fixed_catalogue_reason=description.fixed_catalogue_reason,
    )


def read_description(message: pb.DescribeResponse) -> Description:
    """The description of a message."""
    types = {number: name for name, number in _TYPES.items()}
    policies = {number: name for name, number in _UNKNOWN_USERS.items()}
    return Description(
        message.bundle_version,
        message.watermark,
        message.items,
        message.users,
        tuple(
            SpaceSummary(each.name, each.dimensions, each.items, tuple(each.reads))
            for each in message.spaces
        ),
        tuple(
            ColumnSummary(
                each.name,
                types.get(each.type, "text"),
                each.items,
                tuple(each.examples),
            )
            for each in message.columns
        ),
        tuple(
            ContextSummary(each.name, each.values, tuple(each.examples)) for each in message.context
        ),
        policies.get(message.unknown_user, "error"),
        dict(message.limits),
        tuple(message.services),
        message.fixed_catalogue_reason,
    )
