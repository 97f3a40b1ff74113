"""Pictures of items, which a page requests one by one."""

from __future__ import annotations

import asyncio

import pytest

from recsys_client import CatalogItem, Item
from recsys_client.errors import InvalidRequestError, ServiceError
from recsys_client.records import FoundItems
from recsys_console.service.thumbnails import MOST, Thumbnails
from tests.console.console_world import Browser


class CountingClient:
    """A client that finds a picture for every item but "none"."""

    def __init__(self) -> None:
        self.calls: list[tuple[str | None, list[str], int]] = []
        self.token: str | None = None

    def with_token(self, token: str | None) -> CountingClient:
        self.token = token
        return self

    async def get_items(self, item_ids: list[str], *, thumbnail_size: int) -> FoundItems:
        self.calls.append((self.token, item_ids, thumbnail_size))
        if "fails" in item_ids:
            raise ServiceError("it is gone")
        return FoundItems(
            tuple(CatalogItem(Item(each), each.encode()) for each in item_ids if each != "none")
        )


def test_pictures_of_a_page_are_one_call_per_token_and_size() -> None:
    client = CountingClient()

    async def fetch() -> list[bytes | None]:
        pictures = Thumbnails(client)  # type: ignore[arg-type]
        wanted = [("t", "a", 64), ("t", "none", 64), ("t", "a", 64), ("u", "a", 64), ("t", "a", 99)]
        found = await asyncio.gather(*(pictures.get(*each) for each in wanted))
        await asyncio.gather(*(pictures.get("t", f"{n}", 64) for n in range(MOST + 1)))
        return list(found)

    assert asyncio.run(fetch()) == [b"a", None, b"a", b"a", b"a"]
    assert client.calls[:3] == [("t", ["a", "none"], 64), ("u", ["a"], 64), ("t", ["a"], 99)]
    assert [len(ids) for _, ids, _ in client.calls[3:]] == [MOST, 1]


def test_a_call_that_fails_fails_for_its_pictures_only() -> None:
    async def fetch() -> list[bytes | BaseException | None]:
        pictures = Thumbnails(CountingClient())  # type: ignore[arg-type]
        wanted = [(None, "fails", 64), (None, "a", 64), (None, "a", 99), (None, "x" * 513, 64)]
        return list(
            await asyncio.gather(*(pictures.get(*each) for each in wanted), return_exceptions=True)
        )

    first, second, third, last = asyncio.run(fetch())
    assert isinstance(first, ServiceError) and isinstance(second, ServiceError)
    assert third == b"a" and isinstance(last, InvalidRequestError)


@pytest.mark.parametrize("item_id", ["i1", "gone"])
def test_an_item_without_a_picture_has_a_drawing_that_browsers_keep(
    browser: Browser, item_id: str
) -> None:
    answer = browser.client.get("/pictures", params={"id": item_id})
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cache-control"].startswith("private, max-age")
    same = {"If-None-Match": answer.headers["etag"]}
    again = browser.client.get("/pictures", params={"id": item_id}, headers=same)
    assert again.status_code == 304


def test_a_picture_of_a_wrong_size_is_refused(browser: Browser) -> None:
    assert browser.client.get("/pictures?id=i1&size=4096").status_code == 400
    assert browser.client.get("/pictures?id=").status_code == 400
