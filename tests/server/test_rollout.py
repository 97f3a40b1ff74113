"""The bundle that answers a user: the active one, or the canary for a share of the users."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from recsys.errors import NotFoundError, RecsysError
from recsys.live import LiveEngine
from recsys.retrieval import Request
from recsys.store import open_store
from recsys_client import AsyncRecsysClient, RecsysClient
from recsys_server import rollout as rollouts
from recsys_server.feeds.snapshots import SnapshotFeeds
from recsys_server.processes.loading import collect_released
from recsys_server.rollout import Deployment, LoadedBundle, user_fraction
from tests.live.world import made_parts
from tests.server.service_world import WAIT, LineRetriever, rollout_of, served

USERS = [f"u{number:05d}" for number in range(5_000)]
OLD, NEW = (LoadedBundle(name, LineRetriever(bundle_version=name)) for name in ("v1", "v2"))


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 1.0])
def test_the_canary_answers_its_share_of_the_users(share: float) -> None:
    deployment = Deployment(OLD, canary=NEW, share=share)
    chosen = sum(deployment.for_user(user) is NEW for user in USERS)
    assert chosen == pytest.approx(share * len(USERS), abs=0.02 * len(USERS))


def test_a_larger_share_keeps_the_users_of_the_smaller_one() -> None:
    small, large = (Deployment(OLD, canary=NEW, share=share) for share in (0.1, 0.3))
    assert all(large.for_user(user) is NEW for user in USERS if small.for_user(user) is NEW)


def test_the_fraction_of_a_user_is_the_same_in_every_process_and_release() -> None:
    assert user_fraction("ann") == pytest.approx(0.55168, abs=5e-6)


def test_a_request_without_a_user_and_a_rollout_without_a_canary_use_the_active_bundle() -> None:
    assert Deployment(OLD, canary=NEW, share=1.0).for_user("") is OLD
    assert Deployment(OLD, share=1.0).for_user("ann") is OLD


def test_each_response_of_a_batch_names_the_bundle_that_answered_it() -> None:
    rollout = rollout_of(OLD.source)
    with served(rollout) as server, RecsysClient(server.address, timeout=WAIT) as client:
        requests = [Request.of(user_id=user, k=1) for user in USERS[:20]]
        assert _versions(client, requests) == ["v1"] * 20
        rollout.current = deployment = Deployment(OLD, canary=NEW, share=0.5)
        expected = [deployment.for_user(user).version for user in USERS[:20]]
        assert set(expected) == {"v1", "v2"}
        assert _versions(client, requests) == expected
        assert [client.respond(each).bundle_version for each in requests] == expected


def _versions(client: RecsysClient, requests: list[Request]) -> list[str]:
    found = []
    for answer in client.answer(requests):
        assert not isinstance(answer, RecsysError)
        found.append(answer.bundle_version)
    return found


def test_a_caller_can_name_the_bundle_that_answers() -> None:
    rollout, request = rollout_of(OLD.source), Request.of(user_id="ann", k=2)
    rollout.current = Deployment(OLD, canary=NEW, share=1e-9)
    with served(rollout) as server, RecsysClient(server.address, timeout=WAIT) as client:

        async def respond(name: str) -> str:
            async with AsyncRecsysClient(server.address, timeout=WAIT) as other:
                return (await other.with_bundle(name).respond(request)).bundle_version

        for name, version in {"": "v1", "active": "v1", "v2": "v2", "canary": "v2"}.items():
            named = client.with_bundle(name)
            for _ in range(2):  # the second answer may come from the cache
                assert named.respond(request).bundle_version == version
            assert _versions(named, [request]) == [version] == [asyncio.run(respond(name))]
        with pytest.raises(NotFoundError, match="active one is v1, the canary v2") as caught:
            client.with_bundle("v3").respond(request)
        assert caught.value.field == "bundle"


def test_the_memory_of_a_replaced_bundle_is_freed_once_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollouts, "CLOSE_SECONDS", 0.0)
    bundle: Any = SimpleNamespace(
        version="v1",
        retriever=SimpleNamespace(audit=None),
        feed=SimpleNamespace(warm_up=lambda: None, following=lambda store: None),
        live=lambda store: LiveEngine(made_parts(), store),
    )
    store = open_store(tmp_path / "store.db")
    loaded = LoadedBundle.of(bundle, store, collect=collect_released)
    assert loaded.engine is not None
    retriever = weakref.ref(loaded.engine.snapshot.retriever)
    gc.freeze()  # as after loading
    try:
        del loaded, store
        end = time.monotonic() + WAIT
        while retriever() is not None and time.monotonic() < end:
            time.sleep(0.001)
        assert retriever() is None
    finally:
        gc.unfreeze()


class MadeFeed:
    """A feed over a retriever."""

    def __init__(self, retriever: Any = None) -> None:
        self.view = SimpleNamespace(retriever=retriever)

    def over(self, retriever: Any) -> MadeFeed:
        return MadeFeed(retriever)


def test_the_feeds_of_a_replaced_bundle_are_let_go() -> None:
    feeds, loaded = SnapshotFeeds(), LoadedBundle("v1", LineRetriever(), feed=cast(Any, MadeFeed()))
    found = feeds.current(loaded)
    assert found is not None and feeds.current(loaded) is found
    reference = weakref.ref(found)
    del found, loaded
    assert reference() is None
