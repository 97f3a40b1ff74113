"""``BundleService``, and services that follow the folder of bundles without a failed call."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from recsys.bundle import Parts, list_bundles, publish, read_canary, rollback
from recsys.errors import BundleError, InvalidRequestError, NotFoundError
from recsys_client import AsyncRecsysClient, RecsysClient
from recsys_client.pb.recsys.v1 import bundle_pb2 as pb
from recsys_client.pb.recsys.v1.bundle_pb2_grpc import BundleServiceStub
from recsys_server.auditing import Audit
from recsys_server.processes.following import BundleFollower
from recsys_server.processes.loading import load
from recsys_server.rollout import user_fraction
from tests.bundle.made import made_parts, use_table_towers
from tests.server.service_world import WAIT, Served, served, until

Service = tuple[Path, BundleFollower, Served, BundleServiceStub]


@pytest.fixture(scope="module")
def parts() -> list[Parts]:
    return [made_parts(), made_parts(seed=1)]


@pytest.fixture(scope="module")
def published(parts: list[Parts], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("published") / "bundles"
    with pytest.MonkeyPatch.context() as patch:
        use_table_towers(patch)
        for each in parts:
            publish(root, each)
    return root


@pytest.fixture
def root(tmp_path: Path, published: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with two bundles, of which the second is current."""
    use_table_towers(monkeypatch)
    return Path(shutil.copytree(published, tmp_path / "bundles"))


@pytest.fixture
def service(root: Path) -> Iterator[Service]:
    follower = BundleFollower.begin(root, lambda version: load(root, version))
    with (
        served(follower.rollout, follower=follower) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        yield root, follower, server, BundleServiceStub(channel)


def test_bundles_are_listed_and_activated(service: Service) -> None:
    root, _, server, stub = service
    new, old = (bundle.version for bundle in list_bundles(root))
    listed = stub.ListBundles(pb.ListBundlesRequest(), timeout=WAIT).bundles
    assert [(each.version, each.active) for each in listed] == [(new, True), (old, False)]
    assert all(each.created_at > 1_600_000_000 and not each.fault for each in listed)
    answer = stub.ActivateBundle(pb.ActivateBundleRequest(version=old), timeout=WAIT)
    assert (answer.bundle.version, answer.previous_version) == (old, new)
    assert (root / "CURRENT").read_text().strip() == old
    assert _version(server) == old


def test_a_repeated_rollback_goes_back_once(service: Service) -> None:
    root, _, _, stub = service
    new, old = (bundle.version for bundle in list_bundles(root))
    request = pb.RollbackBundleRequest(idempotency_key="once")
    for _ in range(2):
        answer = stub.RollbackBundle(request, timeout=WAIT)
        assert (answer.bundle.version, answer.previous_version) == (old, new)
    with pytest.raises(grpc.RpcError) as caught:
        stub.ActivateBundle(
            pb.ActivateBundleRequest(version=new, idempotency_key="once"), timeout=WAIT
        )
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with pytest.raises(grpc.RpcError) as caught:
        stub.RollbackBundle(pb.RollbackBundleRequest(), timeout=WAIT)
    assert "no bundle was current before" in caught.value.details()


def test_a_canary_answers_its_users_until_it_ends(service: Service) -> None:
    root, follower, server, stub = service
    new, old = (bundle.version for bundle in list_bundles(root))
    answer = stub.SetCanary(pb.SetCanaryRequest(version=old, share=0.5), timeout=WAIT)
    assert (answer.bundle.version, answer.canary.version) == (new, old)
    assert answer.canary.canary_share == 0.5
    for user in ("u0", "u1", "u2", "u3"):
        assert _version(server, user) == (old if user_fraction(user) < 0.5 else new)
    assert not stub.SetCanary(pb.SetCanaryRequest(), timeout=WAIT).HasField("canary")
    assert read_canary(root) is None and follower.rollout.current.canary is None


def test_both_clients_list_activate_roll_back_and_set_a_canary(service: Service) -> None:
    root, _, server, _ = service
    new, old = (bundle.version for bundle in list_bundles(root))

    async def calls() -> None:
        async with AsyncRecsysClient(server.address, timeout=WAIT) as other:
            assert (await other.set_canary(old, 0.25)).canary is not None
            assert (await other.get_active_bundle()).canary == client.get_active_bundle().canary
            changed = await other.activate_bundle(old, idempotency_key="to-old")
            assert (changed.bundle.version, changed.previous_version) == (old, new)
            assert await other.activate_bundle(old, idempotency_key="to-old") == changed
            assert (await other.rollback_bundle()).bundle.version == new
            assert await other.list_bundles() == client.list_bundles()

    with RecsysClient(server.address, timeout=WAIT) as client:
        assert [(each.version, each.active) for each in client.list_bundles()] == [
            (new, True),
            (old, False),
        ]
        asyncio.run(calls())
        changed = client.activate_bundle(old)
        assert changed.bundle.active and changed.previous_version == new
        assert client.rollback_bundle().bundle.version == new
        with pytest.raises(NotFoundError, match="no bundle 'x'"):
            client.activate_bundle("x")
        with pytest.raises(InvalidRequestError, match="share must be above 0"):
            client.set_canary(old, 2.0)
        assert client.set_canary("", 0).canary is None


def test_a_damaged_bundle_never_answers_in_any_role(service: Service, parts: list[Parts]) -> None:
    root, follower, server, _ = service
    new, old = (bundle.version for bundle in list_bundles(root))
    users = [f"u{number}" for number in range(12)]
    damaged = publish(root, made_parts(seed=2))
    rollback(root)
    file = root / "versions" / damaged / "data" / "log.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b"!")

    def answering() -> set[str]:
        versions = {user: client.retrieve(user_id=user, k=3).bundle_version for user in users}
        canary = {user for user, version in versions.items() if version == old}
        share = follower.rollout.current.share
        assert canary == {user for user in users if user_fraction(user) < share}
        return set(versions.values())

    with RecsysClient(server.address, timeout=WAIT) as client:
        with pytest.raises(BundleError):
            client.set_canary(damaged, 0.5)
        assert answering() == {new} and client.get_active_bundle().canary is None
        client.set_canary(old, 0.5)
        assert answering() == {new, old}
        with pytest.raises(BundleError):
            client.set_canary(damaged, 0.5)  # the canary stays
        with pytest.raises(BundleError):
            client.activate_bundle(damaged)
        assert answering() == {new, old}
        faults = {each.version: each.fault for each in client.list_bundles()}
        assert faults[damaged] and not faults[new] and not faults[old]
        client.set_canary(old, 0.9)
        assert client.activate_bundle(old).previous_version == new
        assert {each.active for each in client.list_bundles() if each.version == old} == {True}
        assert client.retrieve(user_id=users[0], k=3).bundle_version == old


def test_a_share_that_is_no_share_is_refused(service: Service) -> None:
    root, _, _, stub = service
    for share in (0.0, 1.0, -0.1, float("nan")):
        with pytest.raises(grpc.RpcError) as caught:
            stub.SetCanary(pb.SetCanaryRequest(version="v", share=share), timeout=WAIT)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, share


def test_a_damaged_bundle_is_refused_and_the_old_one_answers_on(
    service: Service, parts: list[Parts]
) -> None:
    root, follower, server, stub = service
    served_now = follower.rollout.current.active.version
    damaged = publish(root, parts[0])
    file = root / "versions" / damaged / "data" / "log.parquet"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    assert not follower.follow() and _version(server) == served_now
    listed = stub.ListBundles(pb.ListBundlesRequest(), timeout=WAIT).bundles
    assert {each.version: bool(each.fault) for each in listed}[damaged]
    active = stub.GetActiveBundle(pb.GetActiveBundleRequest(), timeout=WAIT).bundle
    assert active.version == served_now
    with pytest.raises(grpc.RpcError) as caught:
        stub.ActivateBundle(pb.ActivateBundleRequest(version=damaged), timeout=WAIT)
    assert caught.value.code() is grpc.StatusCode.DATA_LOSS
    # A worker that replaces another one begins with the bundle that was served.
    again = BundleFollower.begin(root, lambda version: load(root, version), fallback=served_now)
    assert again.rollout.current.active.version == served_now and damaged in again.refused


def test_no_call_fails_while_bundles_are_swapped(service: Service) -> None:
    root, follower, server, _ = service
    new, old = (bundle.version for bundle in list_bundles(root))
    outcomes: Counter[str] = Counter()
    with _calling(server, outcomes), _following(follower, server):
        for version in (old, new, old):
            rollback(root, to=version)
            before = outcomes[version]
            until(lambda before=before, version=version: outcomes[version] > before + 10)
    assert set(outcomes) == {new, old}


def test_a_service_of_one_version_follows_nothing(root: Path) -> None:
    new, old = (bundle.version for bundle in list_bundles(root))
    audit = Audit(share=0.5)
    follower = BundleFollower.begin(
        root, lambda version: load(root, version, audit=audit), version=old
    )
    assert not follower.follow() and follower.rollout.current.active.version == old
    source: Any = follower.rollout.current.active.source
    assert source.audit.config.share == 0.5
    with (
        served(follower.rollout, follower=follower) as server,
        grpc.insecure_channel(server.address) as channel,
        pytest.raises(grpc.RpcError) as caught,
    ):
        BundleServiceStub(channel).RollbackBundle(pb.RollbackBundleRequest(), timeout=WAIT)
    assert caught.value.code() is grpc.StatusCode.FAILED_PRECONDITION


@contextmanager
def _calling(server: Served, outcomes: Counter[str]) -> Iterator[None]:
    """Calls from four threads; versions that answered, and errors, are counted."""
    ending = threading.Event()

    def call() -> None:
        with RecsysClient(server.address, timeout=WAIT) as client:
            while not ending.is_set():
                try:
                    outcomes[client.retrieve(user_id="u1", k=3).bundle_version] += 1
                except Exception as error:
                    outcomes[repr(error)] += 1

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ending.set()
        for thread in threads:
            thread.join(WAIT)


@contextmanager
def _following(follower: BundleFollower, server: Served) -> Iterator[None]:
    with ThreadPoolExecutor(1) as executor:
        task = asyncio.run_coroutine_threadsafe(follower.run(executor), server.loop)
        yield
        task.cancel()


def _version(server: Served, user: str = "u1") -> str:
    with RecsysClient(server.address, timeout=WAIT) as client:
        return client.retrieve(user_id=user, k=3).bundle_version
