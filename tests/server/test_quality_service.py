"""``QualityService``: reports, comparisons, the search log and maps, with both clients."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from recsys.bundle import list_bundles, publish, refresh
from recsys.errors import InvalidRequestError, NotFoundError, PermissionDeniedError
from recsys.store import InteractionRecorded, ItemDeleted, open_store
from recsys_client import AsyncRecsysClient, Interaction, RecsysClient
from recsys_server.processes.following import BundleFollower
from recsys_server.processes.loading import load
from recsys_server.security.access import Access
from recsys_server.security.tokens import create_token
from tests.bundle.made import made_ingested, made_parts, use_table_towers
from tests.evaluation.test_published import made as made_report
from tests.server.service_world import WAIT, served, until

ITEMS = 12  # so few that UMAP needs no library


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RecsysClient]:
    folder = tmp_path_factory.mktemp("quality")
    root, store = folder / "bundles", str(folder / "store.db")
    with open_store(store) as opened:
        opened.append(
            [
                InteractionRecorded("ann", "i1", 100, terms="red lamp"),
                InteractionRecorded("bob", "i2", 900, terms="red lamp"),
                InteractionRecorded("bob", "i2", 500, terms="100% wool"),
                InteractionRecorded("bob", "i3", 500),
                ItemDeleted("i4"),
            ]
        )
    with pytest.MonkeyPatch.context() as patch:
        use_table_towers(patch)
        ingested = made_ingested(ITEMS)
        for seed, report in enumerate((None, made_report("first"), made_report("second", seed=1))):
            parts = made_parts(seed=seed, ingested=ingested)
            config = {"towers": {"dimension": seed}, "url": f"postgresql://me:pw{seed}@host/d"}
            publish(root, replace(parts, report=report, config=config))
        follower = BundleFollower.begin(root, lambda version: load(root, version, store=store))
        with (
            served(follower.rollout, follower=follower) as server,
            RecsysClient(server.address, timeout=WAIT) as client,
        ):
            yield client


def versions(client: RecsysClient) -> list[str]:
    """The bundles, the oldest first; the first has no report."""
    found = client.list_bundles()[::-1]
    assert [each.has_report for each in found] == [False, True, True]
    return [each.version for each in found]


def test_a_report_has_figures_segments_and_epochs(client: RecsysClient) -> None:
    report = client.get_report()
    assert report.version == versions(client)[-1] and report.name == "second"
    assert [(each.name, each.baseline) for each in report.scorers] == [
        *(("two_tower", False), ("popularity", True))
    ]
    assert report.model.figures["recall@10"].interval == (0.2, 0.8)
    assert report.model.figures["recall@20"].interval is None
    (cold,) = report.segments
    assert (cold.name, cold.queries, set(cold.recalls)) == ("cold", 7, {"two_tower", "popularity"})
    assert (
        report.epochs == {1: {"loss": 2.0, "recall@10": 0.1}}
        and report.figures["recall@10"].value == 0.25
    )
    assert (report.k, report.queries) == (10, 40) and 0 < report.failed_queries < 40
    assert client.get_report(versions(client)[1]).name == "first"


def test_failed_queries_of_deleted_users_are_not_shown(client: RecsysClient) -> None:
    client.record_interactions([Interaction("gone", "i1", 100)])
    assert [each.user_id for each in client.get_report().failures] == ["gone", "u1"]
    client.delete_user("gone")
    assert [each.user_id for each in client.get_report().failures] == ["u1"]


def test_a_bundle_without_a_report_names_the_command(client: RecsysClient) -> None:
    with pytest.raises(NotFoundError, match="recsys publish CONFIG"):
        client.get_report(versions(client)[0])
    with pytest.raises(NotFoundError, match="no bundle"):
        client.get_report("../../etc")


def test_two_reports_are_compared_query_by_query(client: RecsysClient) -> None:
    first, second = versions(client)[1:]
    found = client.compare_reports(first)
    assert (found.version_a, found.version_b) == (first, second)
    assert found.queries == 40 and not found.unpaired_reason
    by_name = {each.name: each for each in found.figures}
    recall = by_name["recall@10"]
    assert recall.difference == pytest.approx(recall.b - recall.a, abs=1e-6)
    assert recall.interval is not None and recall.interval[0] <= recall.interval[1]
    assert by_name["recall@20"].interval is None  # only the values at k are in the bundle
    assert found.settings["towers.dimension"] == ("1", "2")
    assert found.settings.keys() == {"towers.dimension"}  # passwords are no difference
    with pytest.raises(InvalidRequestError, match="name two bundles"):
        client.compare_reports(second)
    with pytest.raises(InvalidRequestError, match="version is required"):
        client.compare_reports("")


def test_the_search_log_counts_without_users(client: RecsysClient) -> None:
    page = client.list_searches()
    assert [(each.terms, each.uses, each.items, each.last_time) for each in page.searches] == [
        ("red lamp", 2, 2, 900),
        ("100% wool", 1, 1, 500),
    ]
    assert (page.terms, page.uses, page.first_time, page.last_time) == (2, 3, 100, 900)
    lamp, wool = page.searches
    assert (lamp.series[0], lamp.series[-1], sum(wool.series)) == (1, 1, 1)
    assert client.list_searches(contains="0% W").searches[0].terms == "100% wool"
    assert client.list_searches(contains="_").terms == 0
    one = client.list_searches(page_size=1, order="latest")
    two = client.list_searches(page_size=1, order="latest", page_token=one.next_page_token)
    assert [*one.searches, *two.searches] == [lamp, wool] and not two.next_page_token
    back = client.list_searches(page_size=1, order="latest", page_token=two.previous_page_token)
    assert (back, one.previous_page_token) == (one, "")
    training = client.list_searches(origin="training", contains="BLUE")
    assert [each.terms for each in training.searches] == ["blue lamp"] and training.uses == 40
    for wrong in ({"page_size": 1_001}, {"page_token": "x"}, {"order": "best"}, {"contains": "\0"}):
        with pytest.raises(InvalidRequestError):
            client.list_searches(**wrong)  # type: ignore[arg-type]


def test_a_map_has_points_labels_and_no_deleted_item(client: RecsysClient) -> None:
    found = client.get_item_map()
    ids = [f"i{n}" for n in range(ITEMS) if n != 4]
    assert list(found.item_ids) == ids and found.items == ITEMS
    assert len(found.x) == len(found.y) == len(found.titles) == len(ids)
    assert found.titles[0] == "red lamp" and 0 < found.explained_variance <= 1
    assert max(map(abs, (*found.x, *found.y))) <= 1 and "pca" in found.methods
    assert found == client.get_item_map()
    first = client.get_item_map(max_points=3)
    assert (first.item_ids, first.points) == (found.item_ids[:3], len(ids))
    with pytest.raises(NotFoundError, match="no space 'x'"):
        client.get_item_map(space="x")
    with pytest.raises(NotFoundError, match="no column 'x'"):
        client.get_item_map(column="x")


def test_a_map_of_umap_is_computed_in_the_background(
    client: RecsysClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = ("pca", "umap")
    monkeypatch.setattr("recsys_server.services.quality.available_methods", lambda: everything)
    assert client.get_item_map(space="text", method="umap").pending
    until(lambda: not client.get_item_map(space="text", method="umap").pending)
    assert len(client.get_item_map(space="text", method="umap").x) == ITEMS - 1
    monkeypatch.setattr("recsys_server.services.quality.available_methods", lambda: ("pca",))
    with pytest.raises(InvalidRequestError, match="umap-learn"):
        client.get_item_map(method="umap")


def test_the_asynchronous_client_answers_alike(client: RecsysClient) -> None:
    async def calls() -> None:
        async with AsyncRecsysClient(client.address, timeout=WAIT) as other:
            assert await other.get_report() == client.get_report()
            first = versions(client)[1]
            assert await other.compare_reports(first) == client.compare_reports(first)
            assert await other.list_searches() == client.list_searches()
            assert await other.get_item_map() == client.get_item_map()

    asyncio.run(calls())
    assert "recsys.v1.QualityService" in client.describe().services


def test_a_refreshed_bundle_keeps_the_report(
    client: RecsysClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_table_towers(monkeypatch)
    root = tmp_path / "bundles"
    publish(root, replace(made_parts(ingested=made_ingested(ITEMS)), report=made_report()))
    with open_store(tmp_path / "store.db") as store:
        store.append([InteractionRecorded("ann", "i1", 100)])
        refresh(root, store)
    shutil.rmtree(root / "versions" / list_bundles(root)[1].version)
    follower = BundleFollower.begin(root, lambda version: load(root, version))
    file = tmp_path / "tokens.json"
    reader, admin = (create_token(file, name, scopes=(name,)) for name in ("read", "admin"))
    with served(follower.rollout, follower=follower, access=Access(file)) as server:
        with RecsysClient(server.address, timeout=WAIT, token=reader) as one:
            assert one.get_report().name == "demo"
            with pytest.raises(PermissionDeniedError):
                one.list_searches()
        with RecsysClient(server.address, timeout=WAIT, token=admin) as one:
            assert one.list_searches(origin="training").terms == 2
