"""The table of statuses: complete, reversible, and small enough for headers."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo

from recsys.errors import InvalidRequestError, RecsysError, ServiceError, UnknownIdError
from recsys_client.statuses import STATUS_CODES, from_status
from recsys_server.statuses import MESSAGE_BYTES, to_status


def kinds(kind: type[RecsysError] = RecsysError) -> Iterator[type[RecsysError]]:
    """The errors of calls; those of the console's own pages never leave it."""
    yield kind
    for narrower in kind.__subclasses__():
        if not narrower.__module__.startswith("recsys_console."):
            yield from kinds(narrower)


def test_every_error_has_a_distinct_code_and_every_code_one_status() -> None:
    codes = [kind.code for kind in kinds() if kind.__module__ == "recsys_client.errors"]
    assert sorted(codes) == sorted(set(codes)), "two errors share a code"
    assert set(codes) == set(STATUS_CODES), "the table of statuses and the errors differ"
    assert all(kind.code in STATUS_CODES for kind in kinds())
    assert grpc.StatusCode.OK not in STATUS_CODES.values()


@pytest.mark.parametrize("kind", list(kinds()), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("field", ["", "query.user_id"])
def test_an_error_survives_the_way_over_the_wire(kind: type[RecsysError], field: str) -> None:
    back = from_status(to_status(kind("what came, and what to do", field=field)))
    # A narrower error of one part arrives as that of the contract.
    public = next(each for each in kind.__mro__ if each.__module__ == RecsysError.__module__)
    assert (type(back), back.message, back.field) == (public, "what came, and what to do", field)


def test_details_name_the_code_and_the_field() -> None:
    status = to_status(UnknownIdError("unknown user", field="query.user_id"))
    info, fault = ErrorInfo(), BadRequest()
    assert status.details[0].Unpack(info) and status.details[1].Unpack(fault)
    assert (info.reason, info.domain) == ("UNKNOWN_ID", "recsys")
    assert [(part.field, part.description) for part in fault.field_violations] == [
        ("query.user_id", "unknown user")
    ]


def test_the_path_of_an_id_in_a_history_is_that_of_the_contract() -> None:
    status = to_status(UnknownIdError("unknown item", field="query.history[3]"))
    fault = BadRequest()
    assert status.details[1].Unpack(fault)
    assert fault.field_violations[0].field == "query.history.item_ids[3]"
    assert from_status(status).field == "query.history[3]"


def test_the_path_of_a_filter_is_that_of_the_contract() -> None:
    status = to_status(InvalidRequestError("wrong", field="filter.and[1].not.in.values[0]"))
    fault = BadRequest()
    assert status.details[1].Unpack(fault)
    assert fault.field_violations[0].field == "filter.all_of.filters[1].negation.in_set.values[0]"
    assert from_status(status).field == "filter.and[1].not.in.values[0]"


def test_an_unexpected_error_does_not_expose_its_cause() -> None:
    status = to_status(ValueError("swordfish"))
    assert status.code == grpc.StatusCode.INTERNAL.value[0]
    assert b"swordfish" not in status.SerializeToString()


@pytest.mark.parametrize("character", ["x", "ü", "錠", "😀"])
def test_a_long_message_is_cut_between_characters(character: str) -> None:
    status = to_status(InvalidRequestError(character * 100_000, field=character * 100_000))
    assert len(status.message.encode()) <= MESSAGE_BYTES
    assert status.message.rstrip(".").strip(character) == ""
    assert status.ByteSize() < 6_000, "would not fit into headers"


def test_a_status_of_somebody_else_becomes_a_service_error() -> None:
    status = to_status(UnknownIdError("x"))
    del status.details[:]
    assert isinstance(from_status(status), ServiceError)
