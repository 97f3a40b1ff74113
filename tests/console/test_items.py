"""Items: search and filters, the page of one, and changes that can be undone."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from recsys_server.security.access import Access
from recsys_server.security.tokens import create_token
from tests.console.console_world import HTMX, Browser, console, live_service

PICTURE = ("a.png", b"4", "image/png")
"""A picture of the live world, whose encoder reads a number."""


def ids(browser: Browser, path: str) -> list[str]:
    return [each["id"] for each in browser.data(path)["items"]]


def test_the_catalogue_is_browsed_and_filtered_by_its_columns(browser: Browser) -> None:
    page = browser.data("/items")
    assert page["total"] == 8 and page["items"][0]["id"] == "i0"
    assert {each["name"] for each in page["search"]["fields"]} == {"brand", "tags", "price"}
    assert ids(browser, "/items?f.price.min=20&f.price.max=40") == ["i2", "i3", "i4"]
    assert ids(browser, "/items?f.tags=sale&f.brand=b1") == ["i1", "i7"]
    assert ids(browser, "/items?filter=price+%3E+60&f.tags=sale") == ["i7"]
    text = browser.page("/items?f.tags=sale&f.price.max=40")
    chips = re.findall(r'aria-label="Remove the filter ([^"]+)"', text)
    assert chips == ["price: up to 40", "tags: sale"]
    assert "No item fulfils the filters" in browser.page("/items?f.brand=none")


def test_words_rank_the_items_and_a_wrong_search_keeps_its_form(browser: Browser) -> None:
    page = browser.data("/items?terms=3&f.price.min=10")
    assert page["space"] == "text" and page["total"] is None and page["items"]
    assert page["items"][0]["score"] >= page["items"][1]["score"]
    wrong = browser.page("/items?terms=words&filter=price+%3C")
    assert 'value="words"' in wrong and "This cannot be answered" in wrong
    for query in ("f.price.min=much", "terms=3&space=none", "terms=3&page=999999"):
        assert browser.data(f"/items?{query}", status=404 if "none" in query else 400)["message"]
    part = browser.page("/items?terms=3", htmx=True)
    assert part.startswith("<div") and "<form" not in part and "<nav class=" not in part


def test_a_dropped_picture_searches_with_the_words_and_filters(browser: Browser) -> None:
    answer = browser.post("/items/picture", files={"picture": PICTURE}, search="?terms=3&page=4")
    address = answer.headers["location"]
    assert "terms=3" in address and "page" not in address
    page = browser.data(address)
    assert page["space"] == "text+image" and set(page["items"][0]["parts"]) <= {"text", "image"}
    shown = re.search(r'src="(/items/picture\?key=[^"]+)"', browser.page(address))
    assert shown is not None and browser.client.get(unescape(shown[1])).content == PICTURE[1]
    with_filter = ids(browser, f"{address}&f.price.max=30")
    assert with_filter and set(with_filter) <= {"i0", "i1", "i2", "i3"}
    assert "drop it again" in browser.page("/items?picture=gone")
    assert (
        browser.post("/items/picture", files={"picture": ("a", b"", "image/png")}).status_code
        == 400
    )


def test_an_item_shows_its_users(browser: Browser) -> None:
    audience = browser.data("/items/item?id=i2")["audience"]
    assert audience["activity"]["interactions"] == audience["activity"]["users"] == 1
    assert [each["user_id"] for each in audience["users"]] == ["ann"]
    page = browser.page("/items/item?id=i2")
    assert "1 interaction of 1 user" in page and 'href="/users/user?id=ann"' in page


def test_an_item_shows_its_neighbours_in_every_space(browser: Browser) -> None:
    item = browser.data("/items/item?id=i2")
    assert item["title"] == "Item 2" and ["price", "20"] in item["attributes"]
    assert [each["space"] for each in item["neighbours"]] == item["spaces"]
    for near in item["neighbours"]:
        assert near["items"] and "i2" not in [each["id"] for each in near["items"]]
    assert "Nearest items" in browser.page("/items/item?id=i2")
    assert "the catalogue has no item" in browser.page("/items/item?id=i99", status=404)
    assert browser.data("/items/item", status=400)["code"] == "request_invalid"


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[Browser]:
    with live_service(tmp_path) as address, console(address) as browser:
        yield browser


def fields(browser: Browser, path: str) -> dict[str, Any]:
    """The hidden fields of a page's own form."""
    form = browser.page(path).split('action="/items/')[1]
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in hidden}


def undo(browser: Browser) -> Callable[[], Any]:
    """The button of the message that the next page shows."""
    found = re.search(r'name="action" value="([^"]+)"', browser.page("/"))
    assert found is not None
    return lambda: browser.post("/items/undo", action=found[1])


def png(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(file, "PNG")
    return file.getvalue()


def test_an_item_is_added_once_shown_and_removed_again(editor: Browser) -> None:
    given = {**fields(editor, "/items/new"), "id": "a/b ?", "title": "New", "text": "3"}
    given |= {"a.price": "7.5", "a.tags": "new\n sale \n", "a.brand": ""}
    del given["csrf"]
    answer = editor.post("/items/save", **given)
    assert answer.headers["location"] == "/items/item?id=a%2Fb+%3F"
    remove = undo(editor)
    item = editor.data(answer.headers["location"])
    assert item["attributes"] == [["price", "7.5"], ["tags", "new, sale"]]
    again = editor.post("/items/save", **given)
    assert again.status_code == 400 and "choose another id" in again.text
    assert remove().headers["location"] == "/items"
    editor.page("/items/item?id=a%2Fb+%3F", status=404)


def test_a_change_keeps_the_picture_and_is_undone(editor: Browser) -> None:
    before = editor.data("/items/item?id=i2")
    given = {**fields(editor, "/items/edit?id=i2"), "title": "Other", "text": "1", "a.price": "9"}
    del given["csrf"]
    editor.post("/items/save", **given, files={"picture": ("a.png", png("red"), "image/png")})
    after = editor.data("/items/item?id=i2")
    assert after["title"] == "Other" and ["price", "9"] in after["attributes"]
    assert ["tags", "new"] in after["attributes"]  # without a field in the form
    picture = editor.client.get("/pictures?id=i2&size=32")
    assert picture.headers["content-type"] == "image/jpeg"
    given = {**fields(editor, "/items/edit?id=i2"), "title": "Third"}
    del given["csrf"]
    editor.page("/")
    editor.post("/items/save", **given)
    assert editor.client.get("/pictures?id=i2&size=32").content == picture.content
    undo(editor)()
    assert editor.data("/items/item?id=i2")["title"] == "Other" != before["title"]


def test_a_deleted_item_comes_back(editor: Browser) -> None:
    assert "Delete this item?" in editor.page("/items/delete?id=i3")
    before = editor.data("/items/item?id=i3")
    answer = editor.post("/items/delete", id="i3")
    assert answer.headers["location"] == "/items"
    restore = undo(editor)
    editor.page("/items/item?id=i3", status=404)
    assert restore().headers["location"] == "/items/item?id=i3"
    after = editor.data("/items/item?id=i3")
    assert (after["attributes"], after["text"]) == (before["attributes"], before["text"])
    assert "no longer be undone" in editor.post("/items/undo", action="gone").text


def test_a_wrong_value_of_a_form_is_a_message_and_changes_nothing(editor: Browser) -> None:
    csrf = {"X-CSRF-Token": editor.csrf()}
    data = {"id": "i1", "a.price": "cheap"}
    answer = editor.client.post("/items/save", data=data, headers={**HTMX, **csrf})
    assert answer.status_code == 400 and "price must be a number" in answer.text
    assert answer.headers["hx-retarget"] == "#toasts"
    assert editor.data("/items/item?id=i1")["title"] == "Item 1"


def test_a_token_that_only_reads_cannot_write(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.json"
    token = create_token(tokens, "reader", scopes=("read",))
    with live_service(tmp_path, access=Access(tokens)) as address, console(address) as browser:
        browser.post("/sign-in", token=token)
        refused = browser.post("/items/delete", id="i1")
        assert refused.status_code == 403 and "Not allowed" in refused.text
        assert browser.data("/items/item?id=i1")["id"] == "i1"
