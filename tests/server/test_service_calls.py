"""One call and many: what a client sees equals what the retriever says."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from recsys.errors import (
    InvalidRequestError,
    NotFoundError,
    RecsysError,
    ServiceError,
    UnknownIdError,
)
from recsys.retrieval import Query, Request, Response
from recsys_client import RecsysClient
from recsys_server.queueing.batching import BATCH
from tests.server.service_world import ITEMS, SECRET, WAIT, LineRetriever, Served, served


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served(LineRetriever()) as running:
        yield running


@pytest.fixture
def client(server: Served) -> Iterator[RecsysClient]:
    with RecsysClient(server.address, timeout=WAIT) as client:
        yield client


def test_an_answer_names_candidates_space_and_bundle(client: RecsysClient) -> None:
    answer = client.retrieve(history=["item-05"], k=3)
    assert [(found.id, found.score, found.rank) for found in answer.candidates] == [
        ("item-04", -0.25, 1),
        ("item-06", -0.25, 2),
        ("item-03", -0.5, 3),
    ]
    assert (answer.space, answer.bundle_version) == ("two_tower", "v7")
    assert (answer.unknown_history, answer.short) == ((), None)


def test_every_option_reaches_the_retriever(client: RecsysClient) -> None:
    answer = client.retrieve(
        history=["gone", "item-05"], k=2, space="text", exclude=["item-04"], seen="include"
    )
    assert [found.id for found in answer.candidates] == ["item-05", "item-06"]
    assert (answer.space, answer.unknown_history) == ("text", ("gone",))


def test_parts_without_effect_are_named(client: RecsysClient) -> None:
    answer = client.retrieve(user_id="ann", terms="zzz", k=1, exclude=["never-was"])
    assert (answer.unknown_exclude, answer.unread_terms) == (("never-was",), "zzz")


def test_absent_and_empty_parts_of_a_query_stay_distinct() -> None:
    retriever = LineRetriever()
    with served(retriever) as running, RecsysClient(running.address, timeout=WAIT) as client:
        client.retrieve(history=[], k=1)
        client.retrieve(user_id="ann", terms="blue", k=1)
        client.retrieve(item_id="item-01", k=1)
    assert retriever.calls == [
        Query(history=()),
        Query(user_id="ann", terms="blue"),
        Query(item_id="item-01"),
    ]


def test_a_short_answer_states_the_reason(client: RecsysClient) -> None:
    answer = client.retrieve(history=["item-05"], k=100)
    assert len(answer.candidates) == len(ITEMS) - 1
    assert answer.short == "only 39 items are left"


@pytest.mark.parametrize(
    ("call", "kind", "field"),
    [
        ({"user_id": "nobody", "k": 3}, UnknownIdError, "query.user_id"),
        ({"user_id": "ann", "k": 3, "space": "mood"}, NotFoundError, "space"),
        (
            {"history": ["gone"], "k": 3, "unknown_history": "raise"},
            UnknownIdError,
            "query.history[0]",
        ),
        ({"user_id": "ann", "history": ["item-01"], "k": 3}, InvalidRequestError, "query.history"),
        ({"user_id": "ann", "terms": " ", "k": 3}, InvalidRequestError, "query.terms"),
        ({"k": 3}, InvalidRequestError, "query"),
        ({"user_id": "ann", "k": 3, "exclude": ["item-01", ""]}, InvalidRequestError, "exclude[1]"),
    ],
)
def test_an_error_of_the_engine_is_raised_by_the_client(
    client: RecsysClient, call: dict[str, object], kind: type[RecsysError], field: str
) -> None:
    with pytest.raises(kind) as remote:
        client.retrieve(**call)  # type: ignore[arg-type]
    query = {name: call[name] for name in ("user_id", "history", "terms") if name in call}
    options = {name: value for name, value in call.items() if name not in query}
    with pytest.raises(kind) as local:
        LineRetriever().retrieve(Request(Query(**query), **options))  # type: ignore[arg-type]
    assert (remote.value.message, remote.value.field) == (local.value.message, field)


def test_a_bug_is_logged_and_its_text_kept_from_the_caller(
    client: RecsysClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR), pytest.raises(RecsysError) as caught:
        client.retrieve(user_id="broken", k=3)
    assert caught.value.code == "internal"
    assert SECRET not in caught.value.message
    assert SECRET in caplog.text


def test_a_batch_answers_each_query_as_it_would_be_alone(client: RecsysClient) -> None:
    queries = [Query(history=(item,)) for item in ITEMS] + [
        Query(user_id="nobody"),
        Query(history=()),
    ]
    answers = client.retrieve_batch(queries, k=5, exclude=["item-07"])
    assert len(answers) == len(queries)
    for query, answer in zip(queries, answers):
        if query.user_id == "nobody":
            assert isinstance(answer, UnknownIdError) and answer.field == "query.user_id"
            continue
        assert answer == client.retrieve(history=query.history, k=5, exclude=["item-07"])


def test_requests_of_a_batch_need_nothing_in_common() -> None:
    retriever = LineRetriever()
    requests = [
        Request(Query(user_id="ann"), k=2),
        Request(Query(history=("item-09",)), k=3, space="text", seen="include"),
        Request(Query(user_id="ann"), k=2, space="mood"),
        Request(Query(user_id="ann"), k=2**40),
    ]
    with served(retriever) as running, RecsysClient(running.address, timeout=WAIT) as client:
        first, second, third, fourth = client.answer(requests)
    assert isinstance(first, Response) and first.ids == ["item-00", "item-01"]
    assert isinstance(second, Response) and second.ids == ["item-09", "item-08", "item-10"]
    assert isinstance(third, NotFoundError) and isinstance(fourth, InvalidRequestError)
    assert retriever.together == [3], "the requests of a batch are answered together"


def test_more_requests_than_a_call_has_are_sent_in_order_in_several() -> None:
    retriever = LineRetriever()
    requests = [
        Request(Query(history=(ITEMS[number % 40],)), k=1 if number % 7 else 2**40)
        for number in range(300)
    ]
    with served(retriever) as running, RecsysClient(running.address, timeout=WAIT) as client:
        answers = client.answer(requests)
        assert client.answer([]) == []
    assert sum(retriever.together) == 257, "43 of 300 are refused by the client"
    assert max(retriever.together) <= BATCH
    for number, answer in enumerate(answers):
        if number % 7:
            assert answer == LineRetriever().retrieve(requests[number])
        else:
            assert isinstance(answer, InvalidRequestError) and answer.field == "k"


def test_a_bug_in_one_query_of_a_batch_does_not_affect_the_others(client: RecsysClient) -> None:
    queries = [Query(user_id="ann"), Query(user_id="broken"), Query(user_id="bob")]
    answers = client.retrieve_batch(queries, k=2)
    assert [isinstance(answer, Response) for answer in answers] == [True, False, True]
    assert isinstance(answers[1], RecsysError) and answers[1].code == "internal"


def test_concurrent_calls_get_their_own_answers(client: RecsysClient) -> None:
    def first(item: str) -> str:
        answer = client.retrieve(history=[item], k=1, seen="include")
        return answer.candidates[0].id

    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(first, ITEMS * 10)) == ITEMS * 10


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"user_id": "ann", "k": 2**40}, "k"),
        ({"user_id": "lone \ud800", "k": 1}, "query"),
        ({"user_id": "ann", "k": True}, "k"),
        ({"user_id": "ann", "k": 1, "exclude": "item-01"}, "exclude"),
        ({"history": "item-01", "k": 1}, "query.history"),
        ({"user_id": "ann", "k": 1, "seen": "maybe"}, "seen"),
        ({"user_id": "ann", "k": 1, "unknown_history": "ignore"}, "unknown_history"),
    ],
)
def test_a_query_without_a_message_is_refused_before_it_is_sent(
    client: RecsysClient, arguments: dict[str, object], field: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        client.retrieve(**arguments)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_the_client_reports_an_unreachable_server() -> None:
    with RecsysClient("127.0.0.1:1") as client:
        with pytest.raises(ServiceError, match="no service answered at 127.0.0.1:1"):
            client.retrieve(user_id="ann", k=1)
        with pytest.raises(ServiceError, match="no service was ready at 127.0.0.1:1 within 0.2"):
            client.wait_ready(0.2)


def test_an_answer_can_be_compared_and_not_changed(client: RecsysClient) -> None:
    answer = client.retrieve(user_id="ann", k=2)
    assert isinstance(answer, Response)
    with pytest.raises(AttributeError):
        answer.space = "text"  # type: ignore[misc]
