"""A batch answers as its queries alone, bit for bit, and survives failures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from recsys.encoders import Encoded
from recsys.errors import InvalidRequestError, NotFoundError, RecsysError, UnknownIdError
from recsys.index import ExactIndex
from recsys.retrieval import Query, Request, Response, WeightedSum
from recsys.towers import QueryBatch
from tests.retrieval.world import NumberPictures, NumberWords, World, make_world

REQUESTS = [
    Request(Query(user_id="ann"), 3),
    Request(Query(user_id="nobody"), 3),
    Request(Query(history=["i10", "x"]), 3),
    Request(Query(terms="7"), 2, space="text", exclude=["i07"]),
    Request(Query(), 3),
    Request(Query(user_id="bob", terms="7"), 3, seen="include"),
    Request(Query(item_id="i35"), 3, space="text"),
    Request(Query(history=[]), 3, space="image"),
    Request(Query(item_id="i34"), 30, space="image"),
    Request(Query(user_id="ann"), 3, space="sound"),
    Request(Query(user_id="zoe", terms="xyzzy"), 3),
    Request(Query(image=b"12"), 3, space="image"),
    Request(Query(image=b"?"), 3, space="image"),
    Request(Query(image=b"12", terms="20"), 5, space="text+image"),
    Request(Query(image=b"12", terms="20"), 5, space="image+text", fusion=WeightedSum()),
    Request(Query(user_id="bob", terms="20"), 50, space="two_tower+text", fusion=WeightedSum()),
    Request(Query(image=b"?", terms="20"), 5, space="text+image"),
]


@pytest.fixture(scope="module")
def world() -> World:
    return make_world()


def _outcome(answer: Response | RecsysError) -> object:
    if isinstance(answer, RecsysError):
        return type(answer), answer.message, answer.field
    return answer


def test_each_request_is_answered_as_alone(world: World) -> None:
    retriever = world.retriever()
    together = [_outcome(answer) for answer in retriever.answer(REQUESTS)]
    alone = [_outcome(retriever.answer([request])[0]) for request in REQUESTS]
    assert together == alone
    backwards = [_outcome(answer) for answer in retriever.answer(REQUESTS[::-1])]
    assert backwards[::-1] == together


def test_the_query_of_a_known_user_has_the_times_of_the_log(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[QueryBatch] = []
    encode = world.tower.encode
    monkeypatch.setattr(
        world.tower, "encode", lambda batch, _=None: encoded.append(batch) or encode(batch)
    )
    queries = [Query(user_id="bob"), Query(history=["i20", "i21"])]
    world.retriever().retrieve_batch(queries, k=3)
    (batch,) = encoded
    assert batch.times_known is not None and batch.times is not None
    assert batch.times_known.tolist() == [True, False]
    assert batch.times[0].tolist() == [3, 4]


def test_a_query_that_cannot_be_answered_does_not_harm_the_others(world: World) -> None:
    kinds = [type(answer) for answer in world.retriever().answer(REQUESTS)]
    assert kinds == [
        Response,
        UnknownIdError,
        Response,
        Response,
        InvalidRequestError,
        Response,
        InvalidRequestError,
        InvalidRequestError,
        Response,
        NotFoundError,
        Response,
        Response,
        InvalidRequestError,
        Response,
        Response,
        Response,
        InvalidRequestError,
    ]


def test_a_batch_of_queries_equals_single_calls(world: World) -> None:
    retriever = world.retriever()
    queries = [request.query for request in REQUESTS]
    batch = retriever.retrieve_batch(queries, k=4, exclude=["i06"])
    for query, answer in zip(queries, batch):
        if isinstance(answer, Response):
            assert retriever.respond(Request(query, k=4, exclude=["i06"])) == answer
        else:
            with pytest.raises(type(answer)) as caught:
                retriever.respond(Request(query, k=4, exclude=["i06"]))
            assert caught.value.message == answer.message


@dataclass
class RoundsByBatch:
    """An encoder whose vectors depend on the size of the batch, as those of networks do."""

    encoder: NumberWords | NumberPictures
    dimension: int = 2

    def encode(self, contents: Any) -> Encoded:
        encoded = self.encoder.encode(contents)
        vectors = encoded.vectors + np.float32(1e-3 * (len(contents) - 1))
        return Encoded(vectors, encoded.mask, encoded.faults)


def test_an_answer_has_the_same_bits_in_any_batch(world: World) -> None:
    retriever = world.retriever(
        text_encoder=RoundsByBatch(world.words), image_encoder=RoundsByBatch(world.eyes)
    )
    alone = [_outcome(retriever.answer([request])[0]) for request in REQUESTS]
    for size in (2, 7, len(REQUESTS)):
        batches = [REQUESTS[at : at + size] for at in range(0, len(REQUESTS), size)]
        answers = [answer for batch in batches for answer in retriever.answer(batch)]
        assert list(map(_outcome, answers)) == alone


def test_one_call_to_the_towers_the_encoder_and_the_index(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    retriever, searches = world.retriever(), []
    search = ExactIndex.search

    def counted(self: ExactIndex, queries, k, **options):  # type: ignore[no-untyped-def]
        searches.append(len(queries))
        return search(self, queries, k, **options)

    monkeypatch.setattr(ExactIndex, "search", counted)
    world.tower.calls.clear()
    world.words.calls.clear()
    queries = [Query(user_id="ann"), Query(terms="7"), Query(history=["i10"]), Query(item_id="i01")]
    retriever.retrieve_batch(queries, k=3)
    assert (world.tower.calls, world.words.calls, searches) == ([3], [1], [4])


def test_each_picture_and_each_text_is_encoded_once_by_itself(world: World) -> None:
    retriever = world.retriever()
    both = Query(terms="7", image=b"9")
    requests = [
        Request(both, 3, space="two_tower+text+image"),
        Request(Query(image=b"4"), 3, space="image"),
        Request(both, 3, space="text+image", fusion=WeightedSum()),
    ]
    world.words.calls.clear()
    world.eyes.calls.clear()
    assert all(isinstance(answer, Response) for answer in retriever.answer(requests))
    assert (world.words.calls, world.eyes.calls) == ([1, 1], [[b"9"], [b"4"], [b"9"]])


def test_an_empty_batch_is_an_empty_answer(world: World) -> None:
    assert world.retriever().retrieve_batch([], k=3) == []


def test_calls_at_the_same_time_do_not_disturb_each_other(world: World) -> None:
    retriever = world.retriever()
    expected = [_outcome(answer) for answer in retriever.answer(REQUESTS)]
    with ThreadPoolExecutor(8) as pool:
        for answers in pool.map(lambda _: retriever.answer(REQUESTS), range(20)):
            assert [_outcome(answer) for answer in answers] == expected
