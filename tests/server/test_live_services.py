"""Interactions, items and the description of a service with a store, called with both clients."""

from __future__ import annotations

import asyncio
import io
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from recsys.errors import InvalidRequestError, NotFoundError, ServiceError, UnknownIdError
from recsys.live import LiveEngine
from recsys.retrieval import TEXT
from recsys.store import ItemDeleted, Receipt, UserDeleted, open_store
from recsys.store.group_commit import PendingWrite
from recsys_client import AsyncRecsysClient, Interaction, Item, RecsysClient
from recsys_client.operations import interactions as operations
from recsys_client.pb.recsys.v1 import interaction_pb2 as pb
from recsys_server.rollout import Deployment, LoadedBundle, Rollout
from recsys_server.services.arrivals import Arrivals
from tests.live.world import made_parts
from tests.server.service_world import WAIT, served


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveEngine]:
    store = open_store(tmp_path_factory.mktemp("store") / "store.db")
    with LiveEngine(made_parts(), store) as engine:
        yield engine
    store.close()


@pytest.fixture(scope="module")
def address(engine: LiveEngine) -> Iterator[str]:
    loaded = LoadedBundle("v3", engine.snapshot.retriever, engine=engine)
    with served(Rollout(Deployment(loaded))) as running:
        yield running.address


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[RecsysClient]:
    with RecsysClient(address, timeout=WAIT) as client:
        yield client


@pytest.fixture(autouse=True)
def clean(engine: LiveEngine) -> Iterator[None]:
    """Each test finds the items of the bundle and none of the users that tests record."""
    yield
    ids = engine.snapshot.catalogue.ids
    engine.store.append([UserDeleted(name) for name in ("new", "other")])
    engine.store.append([ItemDeleted(each) for each in ("n1", "n2") if each in ids])
    engine.catch_up()


def picture(colour: str, size: int = 64) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (size, size // 2), colour).save(file, "PNG")
    return file.getvalue()


def test_a_recorded_interaction_counts_in_the_very_next_retrieval(client: RecsysClient) -> None:
    with pytest.raises(UnknownIdError):
        client.retrieve(user_id="new", k=3)
    receipt = client.record_interactions(
        [
            Interaction("new", "i4", 100, event="click", context={"page": "home"}),
            Interaction("new", "i5", 200, weight=2.0, terms="lamp"),
            Interaction("new", "gone", 300),
        ]
    )
    assert receipt.unknown_item_ids == ("gone",) and not receipt.repeated
    response = client.retrieve(user_id="new", k=3)
    assert response.candidates == client.retrieve(history=["i4", "i5"], k=3).candidates
    assert response.watermark == receipt.watermark
    history = client.get_history("new")
    assert history.item_ids == ["i4", "i5"] and history.watermark == receipt.watermark
    first, second = history.interactions
    assert (first.time, first.event, first.context) == (100, "click", {"page": "home"})
    assert (second.weight, second.terms, second.event) == (2.0, "lamp", None)
    assert client.get_history("new", limit=1).item_ids == ["i5"]
    client.delete_user("new")
    with pytest.raises(UnknownIdError):
        client.get_history("new")
    with pytest.raises(UnknownIdError):
        client.retrieve(user_id="new", k=3)


def test_the_same_key_records_once_and_other_content_is_refused(client: RecsysClient) -> None:
    one, other = Interaction("new", "i1", 100), Interaction("new", "i2", 100)
    first = client.record_interactions([one], idempotency_key="key-1")
    again = client.record_interactions([one], idempotency_key="key-1")
    assert again.repeated and again.watermark == first.watermark
    assert client.get_history("new").item_ids == ["i1"]
    with pytest.raises(InvalidRequestError, match="key"):
        client.record_interactions([other], idempotency_key="key-1")


def test_a_stream_is_recorded_batch_by_batch_and_once(client: RecsysClient) -> None:
    batches = [[Interaction("new", f"i{item}", 10 * item)] * 2 for item in range(1, 4)]
    receipt = client.stream_interactions(batches, idempotency_key="stream-1")
    assert (receipt.recorded, receipt.repeated_writes) == (6, 0)
    again = client.stream_interactions(batches, idempotency_key="stream-1")
    assert (again.recorded, again.repeated_writes) == (0, 3)
    assert again.watermark == receipt.watermark
    assert client.get_history("new").item_ids == ["i1", "i1", "i2", "i2", "i3", "i3"]


def test_the_batches_of_a_stream_share_transactions(
    client: RecsysClient, engine: LiveEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[int] = []
    commit = engine.store._group._commit
    sent = threading.Event()

    def counted(group: list[PendingWrite]) -> list[Receipt | Exception]:
        assert sent.wait(WAIT)
        commits.append(len(group))
        return commit(group)

    def batches() -> Iterator[list[Interaction]]:
        for number in range(50):
            yield [Interaction("new", f"i{number % 8}", number)]
        sent.set()

    monkeypatch.setattr(engine.store._group, "_commit", counted)
    receipt = client.stream_interactions(batches(), idempotency_key="stream-2")
    assert (receipt.recorded, receipt.repeated_writes) == (50, 0)
    assert sum(commits) == 50 > 2 * len(commits)
    assert client.get_history("new").item_ids == [f"i{number % 8}" for number in range(50)]
    # A batch that cannot be recorded ends the stream after those before it.
    wrong = [[Interaction("other", "i1", 1)], [], [Interaction("other", "i2", 2)]]
    with pytest.raises(InvalidRequestError, match="must hold from 1 to"):
        client.stream_interactions(wrong)
    assert client.get_history("other").item_ids == ["i1"]


def test_a_slow_reader_bounds_the_groups_of_a_stream() -> None:
    async def groups() -> list[list[int]]:
        read: list[int] = []

        async def messages() -> AsyncIterator[int]:
            for number in range(10):
                read.append(number)
                yield number
                if number == 1:
                    await asyncio.sleep(0)
            raise ValueError("the stream broke")

        found = []
        with pytest.raises(ValueError, match="the stream broke"):
            async for group in Arrivals(messages(), size=lambda _: 1, most=4):
                found.append(group)
                assert len(read) <= sum(map(len, found)) + 5
        return found

    found = asyncio.run(groups())
    assert sum(found, []) == list(range(10)) and max(map(len, found)) == 4


def test_a_stream_whose_batches_fail_is_not_acknowledged(client: RecsysClient) -> None:
    def batches() -> Iterator[list[Interaction]]:
        yield [Interaction("new", "i1", 1)]
        raise KeyError("the source failed")

    with pytest.raises(KeyError, match="the source failed"):
        client.stream_interactions(batches())
    with pytest.raises(InvalidRequestError, match=r"interactions\[0\]: user_id is blank"):
        client.stream_interactions([[Interaction("", "i1", 1)]])


def test_wrong_interactions_change_nothing(client: RecsysClient, engine: LiveEngine) -> None:
    before = engine.store.watermark
    good = Interaction("new", "i1", 1)
    for bad, field in (
        (Interaction("", "i1", 1), "interactions[1].user_id"),
        (Interaction("new", "x" * 600, 1), "interactions[1].item_id"),
        (Interaction("new", "i1", 1, weight=float("nan")), "interactions[1].weight"),
        (Interaction("new", "i1", 10**15), "interactions[1].time"),
    ):
        with pytest.raises(InvalidRequestError) as caught:
            client.record_interactions([good, bad])
        assert caught.value.field == field
    with pytest.raises(InvalidRequestError, match="from 1 to 10,000 interactions; got 0"):
        client.record_interactions([])
    with pytest.raises(InvalidRequestError, match="wrong type"):
        client.record_interactions([Interaction("new", 7, 1)])  # type: ignore[arg-type]
    assert engine.store.watermark == before


def test_a_write_with_a_key_needs_times(address: str, client: RecsysClient) -> None:
    operation = operations.record([Interaction("new", "i1")], "key-2")
    assert isinstance(operation.request, pb.RecordInteractionsRequest)
    assert operation.request.interactions[0].HasField("time")
    operation.request.interactions[0].ClearField("time")
    with pytest.raises(InvalidRequestError, match="time is missing"):
        client._make(operation)


def test_an_upserted_item_is_found_shown_and_deleted(client: RecsysClient) -> None:
    item = Item(
        "n1",
        "New lamp",
        "3",
        {"brand": "acme", "tags": ("new", "red"), "price": 5},
        picture=picture("red"),
    )
    receipt = client.upsert_items([item])
    assert client.retrieve(item_id="n1", k=1).watermark == receipt.watermark
    assert "n1" in client.retrieve(terms="3", k=40, space=TEXT).ids
    found = client.get_items(["n1", "gone", "i1"], thumbnail_size=32)
    assert found.unknown_item_ids == ("gone",) and found.watermark == receipt.watermark
    shown, old = found.items
    assert shown.item.title == "New lamp" and shown.item.attributes["tags"] == ("new", "red")
    assert shown.item.attributes["brand"] == "acme" and TEXT in shown.spaces
    assert shown.thumbnail is not None and old.thumbnail is None
    with Image.open(io.BytesIO(shown.thumbnail)) as small:
        assert small.size == (32, 16) and small.format == "JPEG"
    assert old.item.item_id == "i1" and old.item.title == "Item 1"
    # The picture is kept by a reference to it.
    client.upsert_items([Item("n1", "Other", "3", picture_of="n1")])
    (kept,) = client.get_items(["n1"], thumbnail_size=32).items
    assert kept.item.title == "Other" and kept.thumbnail == shown.thumbnail
    deleted = client.delete_items(["n1", "gone"])
    assert deleted.unknown_item_ids == ("gone",)
    assert client.get_items(["n1"]).unknown_item_ids == ("n1",)
    with pytest.raises(UnknownIdError):
        client.retrieve(item_id="n1", k=1)


def test_wrong_items_change_nothing(client: RecsysClient, engine: LiveEngine) -> None:
    before = engine.store.watermark
    for bad, field in (
        (Item(""), "items[1].item_id"),
        (Item("n2", attributes={"colour": "red"}), "items[1].attributes.colour"),
        (Item("n2", attributes={"price": "cheap"}), "items[1].attributes.price"),
        (Item("n2", vectors={"mood": [1.0]}), "items[1].vectors.mood"),
        (Item("n2", vectors={TEXT: [float("nan"), 1.0]}), "items[1].vectors.text"),
        (Item("n2", picture_of="i1"), "items[1].picture_of"),
        (Item("n2", picture=picture("red", 6_000)), "items[1].picture_bytes"),
        (Item("n2", text="x" * 100_001), "items[1].text"),
        (Item("n1"), "items[1].item_id"),
    ):
        with pytest.raises(InvalidRequestError) as caught:
            client.upsert_items([Item("n1", "Good"), bad])
        assert caught.value.field == field, caught.value.message
    with pytest.raises(InvalidRequestError, match="has a picture and picture_of; give one"):
        client.upsert_items([Item("n1", picture=b"x", picture_of="i1")])
    assert engine.store.watermark == before


def test_pages_hold_every_item_once(client: RecsysClient, engine: LiveEngine) -> None:
    client.upsert_items([Item("n1", attributes={"price": 5.0})])
    client.delete_items(["i2"])
    try:
        found, token, totals = list[str](), "", set[int]()
        while True:
            page = client.list_items(page_size=7, page_token=token)
            found += [each.item.item_id for each in page.items]
            totals.add(page.total)
            token = page.next_page_token
            if not token:
                break
        ids = engine.snapshot.catalogue.ids
        assert totals == {len(found)} == {len(ids)} and len(set(found)) == len(found)
        assert "n1" in found and "i2" not in found
        assert [each.item.item_id for each in page.items] == found[-len(page.items) :]
        back = client.list_items(page_size=7, page_token=page.previous_page_token)
        assert [each.item.item_id for each in back.items] == found[:7]
        assert back.next_page_token and not back.previous_page_token
        cheap = client.list_items(filter="price < 15")
        assert [each.item.item_id for each in cheap.items] == ["i0", "i1", "n1"]
        assert cheap.total == 3 and cheap.next_page_token == ""
        for token in ("?", "MTp2OQ=="):  # no token, and 1:v9
            with pytest.raises(InvalidRequestError) as caught:
                client.list_items(page_token=token)
            assert caught.value.field == "page_token"
        with pytest.raises(InvalidRequestError):
            client.list_items(filter="colour = 1")
    finally:
        client.upsert_items([Item("i2", "Item 2", "14", {"brand": "b2", "price": 20})])


def test_the_description_is_that_of_the_retriever(client: RecsysClient, engine: LiveEngine) -> None:
    found, own = client.describe(), engine.latest().retriever.describe()
    assert (found.spaces, found.columns, found.context) == (own.spaces, own.columns, own.context)
    assert (found.items, found.users, found.watermark) == (own.items, own.users, own.watermark)
    assert found.limits["k"] == 1_000 and found.fixed_catalogue_reason == ""
    names = ("Retrieval", "Interaction", "Catalog", "Operations")
    assert found.services == tuple(f"recsys.v1.{each}Service" for each in names)
    price = next(each for each in found.columns if each.name == "price")
    assert (price.type, price.items) == ("number", found.items) and price.examples[0] == "0.0"


def test_an_unknown_user_is_answered_as_configured(engine: LiveEngine) -> None:
    retriever = replace(engine.latest().retriever, unknown_user="popularity")
    with served(retriever) as running, RecsysClient(running.address, timeout=WAIT) as client:
        response = client.retrieve(user_id="nobody", k=2)
        assert response == retriever.retrieve(user_id="nobody", k=2)
        assert response.fallback == "popularity"
        assert client.describe().unknown_user == "popularity"


def test_recorded_interactions_make_an_item_popular_at_once(tmp_path: Path) -> None:
    parts = made_parts()
    parts = replace(parts, retriever=replace(parts.retriever, unknown_user="popularity"))
    with open_store(tmp_path / "store.db") as store, LiveEngine(parts, store) as engine:
        loaded = LoadedBundle("v3", engine.snapshot.retriever, engine=engine)
        with (
            served(Rollout(Deployment(loaded))) as running,
            RecsysClient(running.address, timeout=WAIT) as client,
        ):
            before = client.retrieve(user_id="nobody", k=3)
            assert before.ids == ["i1", "i2", "i3"] and before.candidates[0].score == 1
            client.record_interactions([Interaction(user, "i6", 5) for user in ("x", "y")])
            after = client.retrieve(user_id="nobody", k=3)  # and not the answer from before
            assert after.ids == ["i6", "i1", "i2"] and after.candidates[0].score == 2
            client.delete_user("x")
            client.delete_user("bob")  # whose interaction is in the bundle
            last = client.retrieve(user_id="nobody", k=8)
            assert [each.score for each in last.candidates][:4] == [1, 1, 1, 0]
            assert last.ids[:3] == ["i1", "i2", "i6"]


def test_the_activity_of_items_and_users(client: RecsysClient, address: str) -> None:
    now = int(time.time())
    before = client.get_item_activity("i4")
    client.record_interactions(
        [Interaction("new", "i4", now - 90_000), Interaction("new", "i4", now)]
        + [Interaction("other", "i4", now + 5), Interaction("other", "i5", now + 9)]
    )
    found = client.get_item_activity("i4", days=3)
    assert found.interactions == before.interactions + 3 and found.users == before.users + 2
    assert sum(each.interactions for each in found.days) == 3 and len(found.days) == 3
    assert [each.begins_at % 86_400 for each in found.days] == [0, 0, 0]
    users = [("other", 1, now + 5), ("new", 2, now)]
    listed = client.list_item_users("i4", limit=2)
    assert [(each.user_id, each.interactions, each.last_at) for each in listed] == users
    assert [each.user_id for each in client.list_recent_users(limit=2)] == ["other", "new"]

    async def calls() -> None:
        async with AsyncRecsysClient(address, timeout=WAIT) as other:
            assert await other.list_item_users("i4", limit=2) == listed
            assert await other.list_recent_users(limit=2) == client.list_recent_users(limit=2)
            assert (await other.get_item_activity("i4", days=3)).days == found.days

    asyncio.run(calls())
    client.delete_user("other")
    assert client.list_recent_users(limit=1)[0].user_id == "new"
    assert client.get_item_activity("i4").interactions == before.interactions + 2
    assert "other" not in str(client.list_item_users("i4"))
    with pytest.raises(UnknownIdError, match="unknown item id 'none'"):
        client.get_item_activity("none")
    with pytest.raises(InvalidRequestError, match="limit must be from 1 to 1,000"):
        client.list_recent_users(limit=1_001)


def test_a_service_without_a_store_says_so(engine: LiveEngine) -> None:
    retriever = made_parts().retriever
    with served(retriever) as running, RecsysClient(running.address, timeout=WAIT) as client:
        described = client.describe()
        assert described.services == tuple(
            f"recsys.v1.{each}Service" for each in ("Retrieval", "Operations")
        )
        assert "without a store" in described.fixed_catalogue_reason
        with pytest.raises(ServiceError, match="UNIMPLEMENTED"):
            client.record_interactions([Interaction("ann", "i1", 1)])


def test_the_asynchronous_client_makes_the_same_calls(address: str, client: RecsysClient) -> None:
    async def calls() -> None:
        async with AsyncRecsysClient(address, timeout=WAIT) as other:
            await other.wait_ready(WAIT)
            assert await other.is_serving() and await other.describe() == client.describe()
            await other.record_interactions([Interaction("other", "i3", 1)])
            batches = [[Interaction("other", "i4", 2)], [Interaction("other", "i5", 3)]]
            assert (await other.stream_interactions(batches)).recorded == 2
            assert (await other.get_history("other")).item_ids == ["i3", "i4", "i5"]
            one = await other.retrieve(user_id="other", k=3)
            assert one == client.retrieve(user_id="other", k=3)
            many = await other.retrieve_batch([], k=3)
            assert many == []
            with pytest.raises(NotFoundError):
                await other.retrieve(user_id="other", k=3, space="mood")
            await other.upsert_items([Item("n2", "Rug", "1")])
            assert (await other.get_items(["n2"])).items[0].item.title == "Rug"
            assert (await other.list_items(page_size=1)).total > 1
            await other.delete_items(["n2"])
            await other.delete_user("other")
            with pytest.raises(UnknownIdError):
                await other.get_history("other")

    asyncio.run(calls())


def test_both_clients_have_the_same_methods() -> None:
    def methods(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert methods(AsyncRecsysClient) == methods(RecsysClient)


def test_writes_survive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    for number in range(2):
        with open_store(path) as store, LiveEngine(made_parts(), store) as engine:
            loaded = LoadedBundle("v3", engine.snapshot.retriever, engine=engine)
            with (
                served(Rollout(Deployment(loaded))) as running,
                RecsysClient(running.address, timeout=WAIT) as client,
            ):
                client.record_interactions([Interaction("new", f"i{number}", number)])
                assert len(client.get_history("new").interactions) == number + 1
