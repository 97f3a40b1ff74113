"""Hostile requests: too much of anything is refused with the path of the field at fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest
from grpc_status import rpc_status

from recsys.errors import InvalidRequestError, RecsysError, ServiceError
from recsys.retrieval import Query
from recsys_client import RecsysClient
from recsys_client.filters import In, Or
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_client.pb.recsys.v1.filter_pb2 import ColumnName, Filter
from recsys_client.pb.recsys.v1.retrieval_pb2_grpc import RetrievalServiceStub
from recsys_server import calls
from recsys_server.limits import Limits
from tests.server.service_world import WAIT, LineRetriever, Served, served, until

LIMITS = Limits(values=1_000)
RETRIEVER = LineRetriever()


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(RETRIEVER, limits=LIMITS) as running:
        yield running


@pytest.fixture
def client(server: Served) -> Iterator[RecsysClient]:
    with RecsysClient(server.address, timeout=WAIT) as client:
        yield client


@pytest.fixture
def stub(server: Served) -> Iterator[RetrievalServiceStub]:
    with grpc.insecure_channel(server.address) as channel:
        yield RetrievalServiceStub(channel)


TOO_LARGE: dict[str, Callable[[RecsysClient], object]] = {
    "k": lambda client: client.retrieve(user_id="ann", k=LIMITS.k + 1),
    "query.history": lambda client: client.retrieve(history=["item-01"] * 1_000_000, k=1),
    "exclude": lambda client: client.retrieve(
        user_id="ann", k=1, exclude=["x"] * (LIMITS.exclude + 1)
    ),
    "query.terms": lambda client: client.retrieve(terms="lamp " * LIMITS.terms, k=1),
    "query.image": lambda client: client.retrieve(image=bytes(LIMITS.image + 1), k=1),
    "query.user_id": lambda client: client.retrieve(user_id="u" * (LIMITS.id + 1), k=1),
    "query.item_id": lambda client: client.retrieve(item_id="i" * (LIMITS.id + 1), k=1),
    "space": lambda client: client.retrieve(user_id="ann", k=1, space="s" * (LIMITS.id + 1)),
    "filter": lambda client: client.retrieve(
        user_id="ann",
        k=1,
        filter=Or([In("brand", map(str, range(LIMITS.values // 2 + 1))) for _ in range(2)]),
    ),
    "crowding": lambda client: client.retrieve(
        user_id="ann", k=1, crowding={"x" * (LIMITS.id + 1): 1}
    ),
    "query": lambda client: client.retrieve(history=["x" * 1_000] * 5_000, k=1),
    "requests": lambda client: client.retrieve_batch([Query(image=bytes(100_000))] * 60, k=1),
}


@pytest.mark.parametrize("field", TOO_LARGE)
def test_too_much_is_refused_before_retrieval(client: RecsysClient, field: str) -> None:
    before = len(RETRIEVER.calls)
    with pytest.raises(InvalidRequestError, match=r"(at most|from 1 to) [\d,]+") as caught:
        TOO_LARGE[field](client)
    assert caught.value.field == field
    assert len(RETRIEVER.calls) == before


def test_as_much_as_the_limits_allow_is_answered(client: RecsysClient) -> None:
    answer = client.retrieve(
        history=["item-01"] * LIMITS.history,
        terms="t" * LIMITS.terms,
        k=LIMITS.k,
        exclude=["item-02"] * LIMITS.exclude,
    )
    assert len(answer.candidates) == 38
    assert len(client.retrieve_batch([Query(user_id="ann")] * LIMITS.batch, k=1)) == LIMITS.batch


def test_a_batch_above_the_limit_is_refused(stub: RetrievalServiceStub) -> None:
    single = pb.RetrieveRequest(query=pb.Query(user_id="ann"), k=1)
    with pytest.raises(grpc.RpcError) as caught:
        batch = pb.BatchRetrieveRequest(requests=[single] * (LIMITS.batch + 1))
        stub.BatchRetrieve(batch, timeout=WAIT)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "requests has 129 requests; at most 128 are read" in caught.value.details()


def test_an_empty_batch_is_refused(stub: RetrievalServiceStub) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.BatchRetrieve(pb.BatchRetrieveRequest(), timeout=WAIT)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "at least one request" in caught.value.details()


def test_a_query_of_a_batch_that_is_too_large_has_its_own_error(client: RecsysClient) -> None:
    good, bad = Query(user_id="ann"), Query(terms="lamp " * LIMITS.terms)
    answers = client.retrieve_batch([good, bad, good], k=1)
    assert [isinstance(answer, RecsysError) for answer in answers] == [False, True, False]
    assert isinstance(answers[1], InvalidRequestError) and answers[1].field == "query.terms"


def test_far_too_many_bytes_are_refused_unread(client: RecsysClient) -> None:
    with pytest.raises(ServiceError, match="RESOURCE_EXHAUSTED"):
        client.retrieve(history=["x" * 1_000] * 20_000, k=1)


def test_a_long_unknown_id_does_not_break_the_answer(client: RecsysClient) -> None:
    with pytest.raises(RecsysError) as caught:
        client.retrieve(history=["錠" * 100_000], k=1, unknown_history="raise")
    assert caught.value.code == "unknown_id"


def _weighted(**weights: float) -> pb.RetrieveRequest:
    fusion = pb.Fusion(weighted_sum=pb.WeightedSum(weights=weights))
    return pb.RetrieveRequest(k=1, space="text+image", fusion=fusion)


def _ranked(**numbers: int) -> pb.RetrieveRequest:
    fusion = pb.Fusion(reciprocal_rank=pb.ReciprocalRank(**numbers))
    return pb.RetrieveRequest(k=1, space="text+image", fusion=fusion)


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (pb.RetrieveRequest(k=1, seen=7), "seen"),  # type: ignore[arg-type]
        (pb.RetrieveRequest(k=1, unknown_history=7), "unknown_history"),  # type: ignore[arg-type]
        (pb.RetrieveRequest(), "k"),
        (pb.RetrieveRequest(k=1, fusion=pb.Fusion()), "fusion"),
        (pb.RetrieveRequest(k=1, filter=Filter()), "filter"),
        (pb.RetrieveRequest(k=1, filter=Filter(exists=ColumnName())), "filter.exists.column"),
        (pb.RetrieveRequest(k=1, crowding={"brand": 0}), "crowding.brand"),
        (pb.RetrieveRequest(k=1, effort=0.0), "effort"),
        (_weighted(text=float("nan")), "fusion.weights"),
        (_weighted(text=-1), "fusion.weights"),
        (_weighted(text=float("inf")), "fusion.weights"),
        (_weighted(smell=1), "fusion.weights"),
        (_weighted(text=0, image=0), "fusion.weights"),
        (_ranked(constant=-1), "fusion.constant"),
        (_ranked(depth=0), "fusion.depth"),
        (pb.RetrieveRequest(k=1, space="text+text"), "space"),
        (pb.RetrieveRequest(k=1, space="+"), "space"),
        (pb.RetrieveRequest(k=1, space="+".join(f"s{n}" for n in range(300))), "space"),
    ],
)
def test_other_clients_get_the_field_path_too(
    stub: RetrievalServiceStub, request_: pb.RetrieveRequest, field: str
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        stub.Retrieve(request_, timeout=WAIT)
    status = rpc_status.from_call(caught.value)
    assert status.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    fault = BadRequest()
    assert any(detail.Unpack(fault) for detail in status.details)
    assert fault.field_violations[0].field == field


@pytest.mark.parametrize(
    "method",
    [
        "recsys.v1.RetrievalService/Retrieve",
        "recsys.v1.RetrievalService/BatchRetrieve",
        "grpc.health.v1.Health/Check",
        "grpc.health.v1.Health/Watch",
        "grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    ],
)
@pytest.mark.parametrize("raw", [b"\xff\xff\xff", b"\x0a\x04\x0a\x02\xff\xfe"])
def test_bytes_that_are_no_message_are_invalid_and_one_line_of_the_log(
    server: Served,
    client: RecsysClient,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    raw: bytes,
) -> None:
    monkeypatch.setattr(calls, "LINES_PER_SECOND", 1_000)
    client.retrieve(user_id="ann", k=1)  # the line of an earlier failed call is written by now
    stream = method.endswith(("Watch", "Info"))
    with caplog.at_level("INFO"), grpc.insecure_channel(server.address) as channel:
        kind = "stream_stream" if method.endswith("Info") else "unary_stream"
        call = getattr(channel, kind if stream else "unary_unary")(f"/{method}")
        with pytest.raises(grpc.RpcError) as caught:
            answer = call(iter([raw]) if method.endswith("Info") else raw, timeout=WAIT)
            list(answer)
        until(lambda: caplog.records)  # the line is written after the status is sent
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "are no message" in caught.value.details()
    assert len(caplog.records) == 1 and "Traceback" not in caplog.text
    assert client.retrieve(user_id="ann", k=1).candidates
