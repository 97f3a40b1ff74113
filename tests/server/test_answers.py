"""Answers are used again while nothing has changed on which they depend."""

from __future__ import annotations

import gc
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from recsys_client import RecsysClient
from recsys_client.pb.recsys.v1 import retrieval_pb2 as pb
from recsys_server.queueing.answers import AnswerCache
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from tests.server.service_world import WAIT, LineRetriever, served

RESPONSE = pb.RetrieveResponse(space="text", watermark=3).SerializeToString()


@dataclass
class Followed:
    """A store's engine whose state the test sets."""

    items: int = 1
    user: int = 2
    watermark: int = 3
    newer: bool = False

    @property
    def store(self) -> Any:
        return SimpleNamespace(advanced=lambda: self.newer)

    @property
    def snapshot(self) -> Any:
        return SimpleNamespace(
            retriever=None,
            watermark=self.watermark,
            state_of=lambda user_id: (self.items, self.user if user_id else 0),
        )


def known(engine: Followed, user_id: str | None = "ann") -> tuple[AnswerCache, Deployment]:
    loaded = LoadedBundle("v1", LineRetriever(), engine=engine)  # type: ignore[arg-type]
    cache = AnswerCache()
    cache.store(b"raw", loaded, user_id, engine.snapshot.state_of(user_id), RESPONSE)
    return cache, Deployment(loaded)


def test_an_answer_has_the_watermark_of_now() -> None:
    engine = Followed()
    cache, deployment = known(engine)
    engine.watermark = 9
    found = cache.find(b"raw", deployment)
    assert found is not None
    response = pb.RetrieveResponse.FromString(found)
    assert (response.space, response.watermark) == ("text", 9)


def test_a_change_of_the_items_or_of_the_user_makes_an_answer_unknown() -> None:
    for name, user_id in (("items", "ann"), ("user", "ann"), ("items", None)):
        engine = Followed()
        cache, deployment = known(engine, user_id)
        setattr(engine, name, 7)
        assert cache.find(b"raw", deployment) is None
        assert cache.bytes == 0


def test_a_change_of_another_user_does_not() -> None:
    engine = Followed()
    cache, deployment = known(engine, None)
    engine.user = 7
    assert cache.find(b"raw", deployment) is not None


def test_while_the_store_may_have_something_newer_no_answer_is_known() -> None:
    engine = Followed(newer=True)
    cache, deployment = known(engine)
    assert cache.find(b"raw", deployment) is None
    engine.newer = False
    assert cache.find(b"raw", deployment) is not None


def test_another_bundle_has_its_own_answers() -> None:
    cache, _ = known(Followed())
    other = LoadedBundle("v1", LineRetriever())
    assert cache.find(b"raw", Deployment(other)) is None


def test_the_answers_used_last_are_kept() -> None:
    loaded = LoadedBundle("v1", LineRetriever())
    cache, deployment = AnswerCache(limit=40_000), Deployment(loaded)
    for number in range(100):
        cache.store(bytes([number]), loaded, None, (0, 0), bytes(1_000))
        assert cache.find(b"\0", deployment) is not None
        assert cache.bytes <= 40_000
    assert cache.find(bytes([99]), deployment) and not cache.find(bytes([50]), deployment)
    cache.store(b"large", loaded, None, (0, 0), bytes(30_000))
    assert cache.find(b"large", deployment) is None


def test_the_service_answers_a_repeated_request_once() -> None:
    retriever = LineRetriever()
    rollout = Rollout(Deployment(LoadedBundle("v7", retriever)))
    with served(rollout) as running, RecsysClient(running.address, timeout=WAIT) as client:
        first = client.retrieve(history=["item-05"], k=3)
        assert client.retrieve(history=["item-05"], k=3) == first
        assert len(retriever.calls) == 1
        rollout.current = Deployment(LoadedBundle("v7", retriever))
        assert client.retrieve(history=["item-05"], k=3) == first
        assert len(retriever.calls) == 2


def test_the_first_answer_of_a_bundle_removes_those_of_bundles_that_are_gone() -> None:
    engine = Followed()
    cache, deployment = known(engine)
    before = cache.bytes
    del deployment
    gc.collect()
    loaded = LoadedBundle("v2", LineRetriever(), engine=engine)  # type: ignore[arg-type]
    cache.store(b"new", loaded, "ann", engine.snapshot.state_of("ann"), RESPONSE)
    assert cache.bytes == before
    assert cache.find(b"new", Deployment(loaded)) is not None
