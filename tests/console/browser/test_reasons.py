"""From the overview to the reason of a recommendation, and answers that follow ticked pictures."""

from __future__ import annotations

from playwright.sync_api import Browser, expect

from tests.console.browser.chromium import visitor
from tests.server.service_world import WAIT

MILLISECONDS = WAIT * 1000


def test_three_clicks_lead_from_the_overview_to_the_reason(tabs: Browser, site: str) -> None:
    with visitor(tabs, site) as reader:
        reader.open("/")
        tab = reader.tab
        tab.get_by_role("link", name="Users", exact=True).click()
        tab.get_by_role("link", name="ann").click()
        tab.locator("#answers .tile a").first.click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Why this?", timeout=MILLISECONDS)
        assert "id=ann" in tab.url and not reader.barriers()


def test_answers_follow_the_ticked_pictures(tabs: Browser, site: str) -> None:
    with visitor(tabs, site, size="phone") as reader:
        reader.open("/users/user?id=ann&k=4")
        tab = reader.tab
        tab.get_by_role("checkbox", name="Leave out Item 2").focus()
        tab.keyboard.press("Space")
        changes = tab.locator(".changes")
        expect(changes).to_have_text("What if: without 1 item", timeout=MILLISECONDS)
        tab.wait_for_url("**drop=i2**")
        assert tab.locator(".tile-came").count() > 0
        assert reader.overflow() == 0
        tab.keyboard.press("Space")
        expect(changes).to_have_count(0, timeout=MILLISECONDS)
        tab.wait_for_url(lambda address: "drop" not in address)
