"""The pages of quality in Chromium: no barrier, no overflow; the map by keys, mouse and legend."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.console.browser.chromium import served_console, visitor
from tests.console.quality_world import quality_service
from tests.server.service_world import WAIT

ITEMS = 12


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    expect.set_options(timeout=WAIT * 1000)
    with (
        quality_service(tmp_path_factory.mktemp("quality")) as address,
        served_console(address) as site,
    ):
        yield site


@pytest.mark.parametrize(
    ("theme", "size", "pages"),
    [("light", "desktop", ("", "/map")), ("dark", "phone", ("", "/compare", "/searches"))],
)
def test_pages_have_no_barrier_and_no_overflow(
    tabs: Browser, site: str, theme: str, size: str, pages: tuple[str, ...]
) -> None:
    wrong: list[str] = []
    with visitor(tabs, site, theme=theme, size=size) as reader:
        for page in pages:
            path = f"/quality{page}"
            reader.open(path)
            reader.tab.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
            wrong += [f"{path}: {barrier}" for barrier in reader.barriers()]
            if (pixels := reader.overflow()) > 0:
                wrong.append(f"{path}: {pixels} pixels wider than the window")
    assert not wrong, "\n".join(wrong)


def test_the_map_moves_by_keys_and_opens_an_item(tabs: Browser, site: str) -> None:
    with visitor(tabs, site) as reader:
        reader.open("/quality/map")
        tab = reader.tab
        count, tip = tab.locator("[data-map-count]"), tab.locator(".map-tip")
        expect(count).to_have_text(f"{ITEMS} items")
        tab.keyboard.press("Tab")
        tab.locator("canvas").focus()
        for _ in range(8):
            tab.keyboard.press("+")
        expect(count).not_to_have_text(f"{ITEMS} items")
        tab.keyboard.press("0")
        expect(count).to_have_text(f"{ITEMS} items")
        expect(tip).to_be_visible()
        nearest = tab.locator("[data-map-list] a").first.get_attribute("href")
        assert nearest is not None and tip.get_attribute("href") == nearest
        tab.keyboard.press("Enter")
        tab.wait_for_url(site + nearest)


def test_the_map_zooms_by_wheel_and_buttons(tabs: Browser, site: str) -> None:
    with visitor(tabs, site) as reader:
        reader.open("/quality/map?space=text")
        count = reader.tab.locator("[data-map-count]")
        expect(count).to_have_text(f"{ITEMS} items")
        reader.tab.locator("canvas").hover()
        reader.tab.mouse.wheel(0, -3_000)
        expect(count).not_to_have_text(f"{ITEMS} items")
        reader.tab.get_by_label("Show all items").click()
        expect(count).to_have_text(f"{ITEMS} items")


def test_a_choice_shows_the_page_and_typing_finds_searches(tabs: Browser, site: str) -> None:
    with visitor(tabs, site) as reader:
        reader.open("/quality/searches")
        heading = reader.tab.locator("#log h2")
        reader.tab.fill("[data-search]", 'rug" 17')
        expect(heading).to_have_text("1 different search, 1 use")
        reader.tab.fill("[data-search]", "")
        expect(heading).to_have_text("60 different searches, 60 uses")
        reader.tab.select_option("select[name=origin]", "training")
        reader.tab.wait_for_url("**origin=training*")
        expect(heading).to_have_text("2 different searches, 80 uses")
