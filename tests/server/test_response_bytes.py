"""The bytes of a response in columns are those of its message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import UnknownIdError
from recsys_client.convert import read_response, write_response
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_client.response import Candidate, CandidateColumns, Response
from recsys_server.response_bytes import batch_bytes, response_bytes
from recsys_server.statuses import to_status


@given(
    st.lists(
        st.tuples(st.text(min_size=1, max_size=150), st.floats(width=32, allow_nan=False)),
        max_size=130,
    )
)
def test_every_candidate_is_read_as_it_was_written(pairs: list[tuple[str, float]]) -> None:
    ids, scores = [id_ for id_, _ in pairs], [score for _, score in pairs]
    response = Response(CandidateColumns(ids, scores), "text", ("gone",), bundle_version="v1")
    message = pb.RetrieveResponse.FromString(response_bytes(response))
    assert message == write_response(response)
    assert read_response(message).candidates == response.candidates


@pytest.mark.parametrize("size", [1, 117, 118, 119, 127, 128, 512])
@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 1_000, 1_001])
def test_lengths_and_ranks_of_more_than_a_byte(size: int, count: int) -> None:
    response = Response(CandidateColumns(["x" * size] * count, [0.5] * count), "text")
    assert response_bytes(response) == write_response(response).SerializeToString()


def test_candidates_with_titles_or_parts_are_written_as_messages() -> None:
    for found in (
        CandidateColumns(["a"], [0.5], titles=["lamp"]),
        CandidateColumns(["a"], [0.5], parts=[{"text": 0.25}]),
        (Candidate("a", 0.5, 1),),
    ):
        response = Response(found, "text")
        assert response_bytes(response) == write_response(response).SerializeToString()


@pytest.mark.parametrize("count", [0, 1, 2, 30, 1_000])
def test_a_batch_holds_responses_and_errors_in_their_order(count: int) -> None:
    error = to_status(UnknownIdError("no such user", field="query.user_id"))
    response = Response(CandidateColumns(["x" * 20] * count, [0.5] * count), "text", watermark=7)
    raw = response_bytes(response)
    message = pb.BatchRetrieveResponse(bundle_version="v1", watermark=7)
    message.results.add().response.ParseFromString(raw)
    message.results.add().error.CopyFrom(error)
    assert batch_bytes([raw, error], "v1", 7) == message.SerializeToString()
