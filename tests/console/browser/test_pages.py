"""Every page in light and dark, on a desktop and a phone: no fault, no barrier, no overflow."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, expect

from recsys_console.pages.registry import PAGES
from tests.console.browser.chromium import Visitor, served_console, visitor
from tests.console.browser.conftest import Site
from tests.console.browser.sample_world import ITEM, TERMS, USER
from tests.server.service_world import LineRetriever, served

FURTHER = (
    f"/items?terms={TERMS}",
    "/items?f.price.max=20&f.category=home",
    f"/items/item?id={ITEM}",
    f"/items/edit?id={ITEM}",
    f"/items/delete?id={ITEM}",
    "/items/new",
    f"/users/user?id={USER}",
    f"/users/user?id={USER}&terms={TERMS}",
    f"/users/why?id={USER}&item={ITEM}",
    f"/feed?id={USER}",
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
COLOUR_RULES = ("color-contrast", "link-in-text-block")
"""Rules of axe whose findings change with the theme."""


@pytest.mark.parametrize(
    "looks",
    [
        (("light", "desktop"), ("dark", "desktop")),
        (("dark", "phone"), ("light", "phone")),
    ],
    ids=["desktop", "phone"],
)
def test_pages_have_no_fault_no_barrier_and_no_overflow(
    tabs: Browser, site: Site, looks: tuple[tuple[str, str], ...]
) -> None:
    wrong: list[str] = []
    (theme, size), *others = looks
    with visitor(tabs, site.address, theme=theme, size=size, token=site.token) as reader:
        for address in ADDRESSES:
            reader.look(theme, size)
            reader.open(address)
            reader.tab.evaluate("document.querySelectorAll('details').forEach(e => e.open = true)")
            wrong += _found(reader, f"{address}, {theme} {size}")
            for look in others:
                reader.look(*look)
                wrong += _found(reader, f"{address}, {' '.join(look)}", *COLOUR_RULES)
    assert not wrong, "\n".join(wrong)


def _found(reader: Visitor, name: str, *rules: str) -> list[str]:
    """What is wrong with a page as it looks now, by all rules of axe or by those given."""
    wrong = [f"{name}: {barrier}" for barrier in reader.barriers(*rules)]
    if (pixels := reader.overflow()) > 0:
        wrong.append(f"{name}: {pixels} pixels wider than the window")
    return wrong


def test_shortcuts_open_every_page(reader: Visitor) -> None:
    reader.open("/")
    for page in PAGES[::-1]:
        reader.tab.keyboard.press("g")
        reader.tab.keyboard.press(page.key)
        reader.tab.wait_for_url(reader.site + page.path, wait_until="domcontentloaded")
        assert page.title in reader.tab.title()


def test_the_first_tab_key_skips_to_the_content(reader: Visitor) -> None:
    reader.open("/items")
    reader.tab.keyboard.press("Tab")
    focused = str(reader.tab.evaluate("document.activeElement.textContent")).strip()
    assert focused == "Skip to the content"
    reader.tab.keyboard.press("Enter")
    assert reader.tab.evaluate("document.activeElement.id") == "main"


def test_the_theme_is_kept(reader: Visitor) -> None:
    reader.open("/")
    reader.tab.keyboard.press("t")
    reader.open("/items")
    assert reader.tab.locator("html").get_attribute("data-theme") == "dark"
    reader.tab.get_by_label("Switch between light and dark").click()
    expect(reader.tab.locator("html")).to_have_attribute("data-theme", "light")


def test_planted_faults_are_found(reader: Visitor) -> None:
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


def test_a_service_that_is_gone_has_a_page(tabs: Browser) -> None:
    with served(LineRetriever()) as server:
        address = server.address
    with served_console(address, timeout=1.0) as site, visitor(tabs, site) as reader:
        reader.tab.goto(site)
        expect(reader.tab.get_by_role("alert")).to_contain_text("The service does not answer")
        assert not reader.barriers()
        reader.faults.clear()  # the browser's console states that the answer was 503
