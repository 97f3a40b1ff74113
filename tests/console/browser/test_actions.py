"""What users do in a browser, one story per area, over the sample set."""

from __future__ import annotations

import re
import zipfile

from playwright.sync_api import Browser, expect

from tests.console.browser.chromium import Visitor, visitor
from tests.console.browser.conftest import Site
from tests.console.browser.sample_world import ITEM, PICTURES, TERMS, USER


def picture(item_id: str) -> bytes:
    """The file of an item's picture."""
    with zipfile.ZipFile(PICTURES) as archive:
        return archive.read(f"{item_id}.png")


def confirm(reader: Visitor, button: str) -> None:
    """Press a button of the dialog that is open."""
    reader.tab.get_by_role("dialog").get_by_role("button", name=button).click()


def test_items_are_found_by_words_a_dropped_picture_and_filters(reader: Visitor) -> None:
    reader.open("/items")
    tab = reader.tab
    tab.keyboard.press("/")
    tab.keyboard.type(TERMS)
    expect(tab.locator("#results")).to_contain_text("Best first, in text")
    tab.get_by_text("Filters").click()
    tab.get_by_label("price up to").fill("30")
    tab.get_by_label("price up to").press("Enter")
    expect(tab.locator(".chip")).to_have_text(["price: up to 30"])
    assert "terms=wooden+table" in tab.url and "f.price.max=30" in tab.url
    reader.drop_picture(picture(ITEM))
    expect(tab.get_by_alt_text("The picture of the search")).to_be_visible()
    expect(tab.locator("#results")).to_contain_text("Best first, in text and image")
    expect(tab.get_by_label("Search by words")).to_have_value(TERMS)
    tab.get_by_label("Remove the filter price: up to 30").click()
    expect(tab.locator(".chip")).to_have_count(1)
    reader.open("/items")
    reader.drop_picture(picture(ITEM))
    expect(tab.locator(".tile").first).to_contain_text(ITEM)  # its own picture is the nearest


def test_the_catalogue_is_read_forwards_and_back(reader: Visitor) -> None:
    reader.open("/items")
    tab, first = reader.tab, reader.tab.locator(".tile-note").first
    for shown in ("49–96 of 2,000", "97–144 of 2,000"):
        tab.get_by_role("link", name="Next").click()
        expect(tab.locator(".pager")).to_contain_text(shown)
    tab.get_by_role("link", name="Previous").click()
    expect(tab.locator(".pager")).to_contain_text("49–96 of 2,000")
    tab.get_by_role("link", name="Previous").click()
    expect(tab.locator(".pager")).to_contain_text("1–48 of 2,000")
    assert tab.url == f"{reader.site}/items" and first.is_visible()


def test_an_item_is_added_changed_deleted_and_brought_back(reader: Visitor) -> None:
    reader.open("/items")
    tab = reader.tab
    tab.get_by_role("link", name="Add an item").click()
    tab.get_by_label("Id").fill("lamp 1/2")
    tab.get_by_label("Title", exact=True).fill("A lamp")
    tab.locator("textarea[name=text]").fill(f"A {TERMS} with a lamp")
    reader.drop_picture(picture(ITEM))
    tab.get_by_role("button", name="Add").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("A lamp")
    expect(tab.locator(".toast")).to_contain_text("lamp 1/2 was added.")
    for space in ("two_tower", "text", "image"):
        assert tab.get_by_label(f"Nearest items in {space}").locator("li").count() == 12
    nearest = tab.get_by_label("Nearest items in image").locator("a").first
    assert ITEM in str(nearest.get_attribute("href"))
    tab.get_by_role("link", name="Edit").click()
    tab.get_by_label("price").fill("much")
    tab.get_by_role("button", name="Save").click()
    expect(tab.locator(".toast-bad")).to_contain_text("price must be a number")
    reader.faults.clear()  # the browser's console states that the answer was 400
    tab.get_by_label("price").fill("12")
    tab.get_by_role("button", name="Save").click()
    expect(tab.locator(".pairs")).to_contain_text("12")
    tab.get_by_role("link", name="Delete").click()
    confirm(reader, "Delete")
    tab.wait_for_url("**/items")
    tab.locator(".toast").get_by_role("button", name="Undo").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("A lamp")
    expect(tab.locator(".toast")).to_contain_text("The change was undone.")


def test_three_clicks_lead_from_the_overview_to_the_reason(reader: Visitor) -> None:
    reader.open("/")
    tab = reader.tab
    tab.get_by_role("link", name="Users", exact=True).click()
    tab.get_by_role("link", name=USER).click()
    tab.locator("#answers .tile a").first.click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("Why this?")
    assert f"id={USER}" in tab.url and not reader.barriers()


def test_a_history_without_an_item_changes_the_answer_and_why_not_is_explained(
    reader: Visitor,
) -> None:
    reader.open(f"/users/user?id={USER}&k=4")
    tab = reader.tab
    ticked = tab.get_by_role("checkbox").first
    item_id = str(ticked.get_attribute("value"))
    ticked.focus()
    tab.keyboard.press("Space")
    changes = tab.locator(".changes")
    expect(changes).to_have_text("What if: without 1 item")
    tab.wait_for_url(f"**drop={item_id}**")
    assert tab.locator(".tile-came").count() > 0
    tab.keyboard.press("Space")
    expect(changes).to_have_count(0)
    tab.wait_for_url(lambda address: "drop" not in address)
    tab.locator('[name="item"]').fill(item_id)
    tab.locator('[name="item"]').press("Enter")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Why not this?")
    expect(tab.locator(".why-answer")).to_contain_text("the filter seen removes it")


def test_a_feed_shows_its_stages_and_follows_its_inputs(reader: Visitor) -> None:
    reader.open(f"/feed?id={USER}")
    tab = reader.tab
    assert tab.locator(".feed-card").count() == 12
    expect(tab.locator("#stages")).to_contain_text("seen")
    expect(tab.locator("#sources")).to_contain_text("two_tower")
    tab.get_by_text("Search terms, filter, promoted").click()
    tab.get_by_label("Pinned items").fill(ITEM)
    tab.get_by_label("Filter").fill("price < 20")
    tab.get_by_role("button", name="Show").click()
    expect(tab.locator(".feed-card").first).to_contain_text("pinned")
    tab.locator(".feed-why").first.click()
    expect(tab.locator(".why-answer")).to_contain_text("The request pins it to this position.")


def test_a_report_a_comparison_and_searches_answer_choices(reader: Visitor) -> None:
    reader.open("/quality")
    tab = reader.tab
    expect(tab.locator(".figures")).to_contain_text("Of the best possible")
    for segment in ("Head: most popular items", "Tail: least popular items", "Cold: new items"):
        expect(tab.locator(".segments")).to_contain_text(segment)
    tab.get_by_label("Segments of failed queries").get_by_role("link").nth(1).click()
    expect(tab.locator(".failed-query").first).to_be_visible()
    tab.get_by_role("link", name="Why not?").first.click()
    expect(tab.get_by_role("heading", level=1)).to_contain_text("Why")
    reader.open("/quality/compare")
    expect(tab.get_by_label("Settings that differ")).to_contain_text("with terms")
    a, b = (tab.locator(f"select[name={name}]").input_value() for name in "ab")
    tab.select_option("select[name=a]", b)
    tab.wait_for_url(f"**a={b}**")
    assert a != b
    reader.open("/quality/searches")
    heading = tab.locator("#log h2")
    tab.fill("[data-search]", "en tab")
    expect(heading).to_have_text("1 different search, 15 uses")
    tab.select_option("select[name=origin]", "training")
    tab.wait_for_url("**origin=training*")
    tab.fill("[data-search]", "")
    expect(heading).to_contain_text("uses")
    tab.get_by_role("link", name="Next").click()
    tab.get_by_role("link", name="Previous").click()
    expect(tab.get_by_role("link", name="Previous")).to_have_count(0)


def test_the_map_moves_by_keys_wheel_and_buttons_and_opens_an_item(reader: Visitor) -> None:
    reader.open("/quality/map?space=image")
    tab = reader.tab
    count, tip = tab.locator("[data-map-count]"), tab.locator(".map-tip")
    tab.locator("canvas").hover()
    tab.mouse.wheel(0, -3_000)
    expect(count).not_to_contain_text("of 2,000 items")
    tab.get_by_label("Show all items").click()
    expect(count).to_contain_text("of 2,000 items")
    tab.locator(".legend-item", has_text="home").click()
    expect(count).not_to_contain_text("of 2,000 items")
    tab.locator(".legend-item", has_text="home").click()
    tab.mouse.move(0, 0)
    tab.keyboard.press("Tab")
    tab.locator("canvas").focus()
    for _ in range(8):
        tab.keyboard.press("+")
    expect(tip).to_be_visible()
    nearest = tab.locator("[data-map-list] a").first
    address = str(tip.get_attribute("href"))
    expect(nearest).to_have_attribute("href", address)
    tab.keyboard.press("Enter")
    tab.wait_for_url(reader.site + address)


def test_an_operator_selects_bundles_compares_a_canary_and_manages_tokens(
    tabs: Browser, site: Site
) -> None:
    with visitor(tabs, site.address) as reader:
        tab = reader.tab
        reader.open("/operations")
        tab.get_by_label("Token").fill("wrong")
        tab.get_by_role("button", name="Sign in").click()
        expect(tab.get_by_text("The service does not know this token")).to_be_visible()
        reader.faults.clear()  # the browser's console states that the answer was 401
        tab.get_by_label("Token").fill(site.token)
        tab.get_by_role("button", name="Sign in").click()
        tab.wait_for_url("**/operations")
        expect(tab.locator(".caller")).to_contain_text("operator")
        active = tab.locator("tr.selected td").first
        first = active.inner_text()
        tab.get_by_role("link", name="Canary").click()
        confirm(reader, "Start")
        expect(tab.locator("table")).to_contain_text("canary, 10%")
        reader.open(f"/users/user?id={USER}")
        tab.select_option("select[name=bundle]", "canary")
        expect(tab.locator(".changes")).to_contain_text("bundle canary")
        assert tab.locator(".sides .stack").count() >= 8  # a feed and three spaces, twice each
        reader.open("/operations")
        tab.get_by_role("link", name="End the canary").click()
        confirm(reader, "End it")
        expect(tab.locator(".toast")).to_contain_text("The canary has ended.")
        tab.get_by_role("link", name="Activate").click()
        confirm(reader, "Activate")
        expect(active).not_to_have_text(first)
        tab.get_by_role("link", name="Roll back").click()
        confirm(reader, "Roll back")
        expect(active).to_have_text(first)

        tab.get_by_role("link", name="Tokens").click()
        tab.get_by_label("Name").fill("shop")
        tab.get_by_role("button", name="Create").click()
        secret = tab.get_by_label("Secret").input_value()
        assert re.fullmatch(r"\S{20,}", secret)
        assert not reader.barriers()
        tab.get_by_role("link", name="Revoke").click()
        confirm(reader, "Revoke")
        expect(tab.locator(".toast")).to_contain_text("The token shop was revoked")
        assert secret not in tab.content()

        tab.get_by_role("button", name="Sign out").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Sign in")
        reader.open("/items")
        expect(tab.get_by_role("heading", level=1)).to_have_text("Sign in")
