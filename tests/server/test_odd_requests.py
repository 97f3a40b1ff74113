"""Odd requests to every service have a status of the contract, and change no honest answer."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor

from benchmarks.faults.hostile import Attack, Outcomes, send_noise
from benchmarks.faults.odd_messages import METHODS, OddMessages
from benchmarks.faults.odd_pictures import odd_pictures
from recsys.live import LiveEngine
from recsys.store import open_store
from recsys_client import Interaction, Item, Query, RecsysClient, Request
from recsys_client.convert import write_request
from recsys_client.feed import FeedRequest
from recsys_client.feed.messages import write_feed_request
from recsys_client.operations import catalog, feeds, interactions
from recsys_server.processes.following import BundleFollower
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from tests.live.world import made_parts
from tests.server.feed_world import live_feed
from tests.server.service_world import WAIT, served

FEED = FeedRequest(
    Query(user_id="ann"),
    5,
    filter="price < 60",
    blocked={"brand": ["b0"]},
    followed={"tags": ["sale"]},
    candidates=["i5", "i6"],
    candidate_scores=[2.0, 1.0],
    pinned=["i7"],
    explain_ids=["i1"],
)
ANSWERED = [
    write_request(Request(Query(item_id="i6"), k=3)),
    write_request(Request(Query(history=["i1", "i2"]), k=3, filter="price < 40")),
    write_request(Request(Query(image=b"3"), k=3, space="image")),
    write_feed_request(FEED),
    interactions.record([Interaction("new", "i1", 5)], None).request,
    *interactions.stream_messages([[Interaction("new", "i1", 5)]], None),
    interactions.history("ann", 10).request,
    catalog.upsert([Item("n1", "a", "3", {"price": 3.0}, picture=b"3")], None).request,
    feeds.rank(FeedRequest(Query(user_id="ann"), k=5, candidates=["i1"], pinned=["i2"])).request,
    catalog.get(["i1"], 64).request,
    catalog.list_page("price < 30", 5, "", 32).request,
]
TEXTS = ("ann", "bob", "i1", "i2", "i6", "price", "brand", "tags")


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("service")
    (folder / "bundles").mkdir()
    with open_store(folder / "store.db") as store, LiveEngine(made_parts(), store) as engine:
        loaded = LoadedBundle("v3", engine.snapshot.retriever, engine=engine, feed=live_feed())
        rollout = Rollout(Deployment(loaded))
        follower = BundleFollower(folder / "bundles", rollout, lambda _: loaded)
        with served(rollout, follower=follower) as running:
            yield running.address


@pytest.mark.parametrize("method", METHODS, ids=lambda method: str(method.name))
def test_no_odd_request_is_a_fault_of_the_service(address: str, method: MethodDescriptor) -> None:
    rng = random.Random(method.name)
    odd = OddMessages(rng, ANSWERED, TEXTS, (b"3", *odd_pictures().values()), long_bytes=50_000)
    outcomes, calls = Outcomes(), Attack(address, [""])
    with grpc.insecure_channel(address) as channel:
        for _ in range(60):
            raw = odd.requests(method)
            outcomes.add(method.name, calls.end_of(channel, method, raw), raw)
        send_noise(address, rng)
    assert not outcomes.faults
    with RecsysClient(address, timeout=WAIT) as client:
        assert client.retrieve(history=["i6"], k=3).ids
