"""Every page in light and dark, on a desktop and a phone: no fault, no barrier, no overflow."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from recsys_console.pages.registry import PAGES
from tests.console.browser.chromium import Visitor, visitor

FURTHER = (
    "/items?terms=12",
    "/items/item?id=i3",
    "/items/edit?id=i3",
    "/items/delete?id=i3",
    "/items/new",
    "/users/user?id=ann",
    "/users/why?id=ann&item=i3",
    "/feed?id=ann",
    "/operations/service",
    "/operations/slow",
    "/operations/tokens",
    "/operations/configuration",
    "/operations/confirm?action=rollback",
    "/quality/compare",
    "/quality/searches",
    "/quality/map",
    "/sign-in",
)
"""Pages without an entry in the navigation."""
ADDRESSES = (*(page.path for page in PAGES), *FURTHER)


@pytest.mark.parametrize(("theme", "size"), [("light", "desktop"), ("dark", "phone")])
def test_pages_have_no_fault_no_barrier_and_no_overflow(
    tabs: Browser, site: str, theme: str, size: str
) -> None:
    wrong: list[str] = []
    with visitor(tabs, site, theme=theme, size=size) as reader:
        for address in ADDRESSES:
            reader.open(address)
            wrong += [f"{address}: {barrier}" for barrier in reader.barriers()]
            if (pixels := reader.overflow()) > 0:
                wrong.append(f"{address}: {pixels} pixels wider than the window")
    assert not wrong, "\n".join(wrong)


def test_shortcuts_open_every_page(tabs: Browser, site: str) -> None:
    with visitor(tabs, site) as reader:
        reader.open("/")
        for page in PAGES[::-1]:
            reader.tab.keyboard.press("g")
            reader.tab.keyboard.press(page.key)
            reader.tab.wait_for_url(site + page.path)
            assert page.title in reader.tab.title()


def test_the_first_tab_key_skips_to_the_content(tabs: Browser, site: str) -> None:
    with visitor(tabs, site) as reader:
        reader.open("/items")
        reader.tab.keyboard.press("Tab")
        assert _focused(reader) == "Skip to the content"
        reader.tab.keyboard.press("Enter")
        assert reader.tab.evaluate("document.activeElement.id") == "main"


def _focused(reader: Visitor) -> str:
    return str(reader.tab.evaluate("document.activeElement.textContent")).strip()


def test_planted_faults_are_found(tabs: Browser, site: str) -> None:
    with visitor(tabs, site) as reader:
        reader.open("/")
        reader.tab.evaluate("console.error('planted')")
        reader.tab.evaluate(
            """() => {
                const picture = document.createElement('img');
                picture.src = '/static/icon.svg';
                picture.style.minWidth = '3000px';
                document.querySelector('main').append(picture);
                fetch('http://127.0.0.2:9/').catch(() => {});
            }"""
        )
        assert any("image-alt" in barrier for barrier in reader.barriers())
        assert reader.overflow() > 0
        found = "\n".join(reader.faults)
        # The policy of the console refuses the request, which the browser's console states.
        assert "error: planted" in found and "Connecting to 'http://127.0.0.2:9/'" in found
        reader.faults.clear()
