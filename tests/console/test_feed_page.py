"""The page of a feed: its items, and what each stage kept and removed."""

from __future__ import annotations

import asyncio

from recsys_client import AsyncRecsysClient, History
from recsys_client.feed import FeedItem, FeedResponse, StageReport
from recsys_console.pages.feeds.funnel import stages_of
from recsys_console.pages.people.answers import looking
from tests.console.console_world import Browser


def test_a_feed_has_its_items_attributes_and_stages(browser: Browser) -> None:
    data = browser.data("/feed?id=ann&k=3")
    assert data["bundle"] == "v3" and data["pipeline"] == "home"
    assert [each["item"]["rank"] for each in data["cards"]] == [1, 2, 3]
    for card in data["cards"]:
        values = dict(card["attributes"])
        assert values["price"] == str(10 * int(card["item"]["id"][1:]))
    stages = {each["report"]["stage"]: each for each in data["stages"]}
    assert stages["two_tower"]["budget"] > 0 and stages["two_tower"]["settings"]["k"] == "300"
    returned = [each for each in data["cards"] if "two_tower" in each["item"]["sources"]]
    assert stages["two_tower"]["in_feed"] == len(returned)
    slate = stages["slate"]
    lost = sum(each["count"] for each in slate["removed"])
    assert lost == slate["report"]["given"] - slate["report"]["returned"] > 0
    page = browser.page("/feed?id=ann&k=3")
    assert "/users/why?id=ann&amp;item=" in page and "all positions were taken" in page
    assert 'role="img" aria-label="slate kept 3 of' in page


def test_a_feed_depends_on_its_inputs(browser: Browser) -> None:
    cheap = browser.data("/feed?id=ann&filter=price+%3C+40")
    assert {card["item"]["id"] for card in cheap["cards"]} <= {"i0", "i1", "i2", "i3"}
    assert browser.data("/feed?filter=colour+%3D+1", status=400)["code"] == "request_invalid"
    assert browser.data("/feed?id=nobody", status=404)["code"] == "unknown_id"
    assert browser.data("/feed?id=ann&pipeline=none", status=404)["code"] == "not_found"
    visitor = browser.data("/feed?k=2")
    assert len(visitor["cards"]) == 2 and visitor["inputs"]["user"] == ""
    assert "without 1 item" in browser.page("/feed?id=ann&drop=i1")
    assert "Feed of an unknown visitor" in browser.page("/feed")
    why = browser.data(f"/users/why?item={visitor['cards'][0]['item']['id']}")
    assert why["position"] == 1 and why["spaces"] == []
    marked = browser.data("/feed?id=ann&promoted=i6,+i7&pinned=i5")
    slots = {card["item"]["id"]: card["item"]["slot"] for card in marked["cards"]}
    assert slots["i5"] == "pinned" and "promoted" in slots.values()
    assert ">sponsored<" in browser.page("/feed?id=ann&promoted=i6,+i7")
    assert "The feed is empty" in browser.page("/feed?filter=price+%3E+1000")


def test_feeds_are_those_of_a_named_bundle_which_are_not_recorded() -> None:
    async def bundle_of(history: History | None) -> str:
        async with AsyncRecsysClient("127.0.0.1:1") as service:
            return looking(service, history).bundle

    assert asyncio.run(bundle_of(None)) == "active"
    assert asyncio.run(bundle_of(History((), bundle_version="v3"))) == "v3"


def test_late_and_failed_stages_are_marked() -> None:
    response = FeedResponse(
        (FeedItem("a", 1, 1.0, ("popular",)),),
        "home",
        stages=(
            StageReport("popular", "source", "ok", 0, 3, 0.01),
            StageReport("fresh", "source", "late", 0, 0, 0.1, "beyond its 100 ms"),
            StageReport("merge", "merge", "ok", 3, 3, 0.0),
            StageReport("seen", "filter", "ok", 3, 1, 0.0),
        ),
    )
    popular, fresh, _, seen = stages_of(response, [])
    assert (popular.tone, fresh.tone, popular.in_feed, fresh.in_feed) == ("good", "bad", 1, 0)
    assert round(seen.kept_share) == 33 and round(seen.lost_share) == 67
