"""What users do in a browser, one story per area."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from recsys.bundle import publish
from recsys_server.processes.following import BundleFollower
from recsys_server.processes.loading import load
from recsys_server.security.access import Access
from recsys_server.security.tokens import create_token
from tests.bundle.made import made_parts, use_table_towers
from tests.console.browser.chromium import Visitor, served_console, visitor
from tests.server.service_world import LineRetriever, served

expect.set_options(timeout=60_000)


@pytest.fixture(scope="module")
def reader(tabs: Browser, site: str) -> Iterator[Visitor]:
    """A tab over the live service, which all stories without tokens share."""
    with visitor(tabs, site) as one:
        yield one


def drop_picture(reader: Visitor, content: str) -> None:
    """Drop a picture file onto the page's drop zone."""
    transfer = reader.tab.evaluate_handle(
        """(content) => {
            const transfer = new DataTransfer();
            transfer.items.add(new File([content], 'dropped.png', {type: 'image/png'}));
            return transfer;
        }""",
        content,
    )
    for kind in ("dragover", "drop"):
        reader.tab.dispatch_event("[data-drop]", kind, {"dataTransfer": transfer})


def test_items_are_found_by_words_a_dropped_picture_and_filters(reader: Visitor) -> None:
    reader.open("/items")
    tab = reader.tab
    tab.keyboard.press("/")
    tab.keyboard.type("3")
    expect(tab.locator("#results")).to_contain_text("Best first, in text")
    tab.get_by_text("Filters").click()
    tab.get_by_label("price up to").fill("30")
    tab.get_by_label("price up to").press("Enter")
    expect(tab.locator(".chip")).to_have_text(["price: up to 30"])
    assert "terms=3" in tab.url and "f.price.max=30" in tab.url
    drop_picture(reader, "4")
    expect(tab.get_by_alt_text("The picture of the search")).to_be_visible()
    expect(tab.locator("#results")).to_contain_text("Best first, in text and image")
    expect(tab.get_by_label("Search by words")).to_have_value("3")
    tab.get_by_label("Remove the filter price: up to 30").click()
    expect(tab.locator(".tile")).to_have_count(8)
    reader.faults.clear()  # the picture "4" is none that a browser can show


def test_an_item_is_added_changed_deleted_and_brought_back(reader: Visitor) -> None:
    reader.open("/items")
    tab = reader.tab
    tab.get_by_role("link", name="Add an item").click()
    tab.get_by_label("Id").fill("lamp 1/2")
    tab.get_by_label("Title", exact=True).fill("A lamp")
    tab.locator("textarea[name=text]").fill("3")
    tab.get_by_role("button", name="Add").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("A lamp")
    expect(tab.locator(".toast")).to_contain_text("lamp 1/2 was added.")
    tab.get_by_role("link", name="Edit").click()
    tab.get_by_label("price").fill("much")
    tab.get_by_role("button", name="Save").click()
    expect(tab.locator(".toast-bad")).to_contain_text("price must be a number")
    reader.faults.clear()  # the browser's console states that the answer was 400
    tab.get_by_label("price").fill("12")
    tab.get_by_role("button", name="Save").click()
    expect(tab.locator(".pairs")).to_contain_text("12")
    tab.get_by_role("link", name="Delete").click()
    tab.get_by_role("dialog").get_by_role("button", name="Delete").click()
    tab.wait_for_url("**/items")
    tab.locator(".toast").get_by_role("button", name="Undo").click()
    expect(tab.get_by_role("heading", level=1)).to_have_text("A lamp")
    expect(tab.locator(".toast")).to_contain_text("The change was undone.")


def test_a_history_without_an_item_changes_the_answer_and_why_not_is_explained(
    reader: Visitor,
) -> None:
    reader.open("/users/user?id=ann&k=4")
    tab = reader.tab
    tab.get_by_label("Leave out Item 2").check()
    expect(tab.locator(".changes")).to_have_text("What if: without 1 item")
    expect(tab.locator(".tile-came").first).to_be_visible()
    assert "drop=i2" in tab.url
    reader.open("/users/user?id=ann")
    tab.locator('[name="item"]').fill("i1")
    tab.locator('[name="item"]').press("Enter")
    expect(tab.get_by_role("heading", level=1)).to_have_text("Why not this?")
    expect(tab.locator(".why-answer")).to_contain_text("the filter seen removes it")


def test_a_service_that_is_gone_has_a_page(tabs: Browser) -> None:
    with served(LineRetriever()) as server:
        address = server.address
    with served_console(address, timeout=1.0) as site, visitor(tabs, site) as reader:
        reader.tab.goto(site)
        expect(reader.tab.get_by_role("alert")).to_contain_text("The service does not answer")
        assert not reader.barriers()
        reader.faults.clear()  # the browser's console states that the answer was 503


@dataclass(frozen=True)
class Guarded:
    """A console over a service with tokens and two bundles."""

    site: str
    token: str


@pytest.fixture
def guarded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    use_table_towers(monkeypatch)
    root, tokens = tmp_path / "bundles", tmp_path / "tokens.json"
    token = create_token(tokens, "operator", scopes=("read", "admin"))
    for seed in (0, 1):
        publish(root, made_parts(seed=seed))
    follower = BundleFollower.begin(root, lambda version: load(root, version))
    access = Access(tokens)
    with (
        served(follower.rollout, follower=follower, access=access) as server,
        served_console(server.address) as site,
    ):
        yield Guarded(site, token)


def test_an_operator_signs_in_selects_a_bundle_and_manages_tokens(
    tabs: Browser, guarded: Guarded
) -> None:
    with visitor(tabs, guarded.site) as reader:
        tab = reader.tab
        reader.open("/operations")
        tab.get_by_label("Token").fill(guarded.token)
        tab.get_by_role("button", name="Sign in").click()
        tab.wait_for_url("**/operations")
        expect(tab.locator(".caller")).to_contain_text("operator")
        active = tab.locator("tr.selected td").first
        first = active.inner_text()
        tab.get_by_role("link", name="Activate").click()
        expect(tab.get_by_role("dialog")).to_contain_text("answer?")
        tab.get_by_role("dialog").get_by_role("button", name="Activate").click()
        expect(tab.locator(".toast")).to_contain_text("answers.")
        expect(active).not_to_have_text(first)
        tab.get_by_role("link", name="Roll back").click()
        tab.get_by_role("dialog").get_by_role("button", name="Roll back").click()
        expect(active).to_have_text(first)

        tab.get_by_role("link", name="Tokens").click()
        tab.get_by_label("Name").fill("shop")
        tab.get_by_role("button", name="Create").click()
        secret = tab.get_by_label("Secret").input_value()
        assert re.fullmatch(r"\S{20,}", secret)
        assert not reader.barriers()
        tab.get_by_role("link", name="Revoke").click()
        expect(tab.get_by_role("dialog")).to_contain_text("Revoke the token shop?")
        tab.get_by_role("dialog").get_by_role("button", name="Revoke").click()
        expect(tab.locator(".toast")).to_contain_text("The token shop was revoked")
        assert secret not in tab.content()

        tab.get_by_role("button", name="Sign out").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Sign in")
        reader.open("/items")
        expect(tab.get_by_role("heading", level=1)).to_have_text("Sign in")
