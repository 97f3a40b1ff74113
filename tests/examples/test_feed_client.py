"""The example that draws a feed as a page."""

from __future__ import annotations

from pathlib import Path

from examples import feed_client
from recsys_client.feed import FeedItem
from tests.server.feed_world import live_feed, world


def test_the_page_of_a_user(tmp_path: Path) -> None:
    with world(tmp_path / "store.db", live_feed()) as made:
        page = feed_client.draw(made.client, "ann")
    assert page.width == feed_client.WIDTH and page.height > 300


def test_an_item_is_in_one_section() -> None:
    kinds = [("two_tower", "similar"), ("popular",), ("unheard-of",)]
    items = [FeedItem(f"i{at}", at + 1, 0.0, kinds[at % 3]) for at in range(40)]
    sections = feed_client.sections_of(items)
    titles = [section.title for section in sections]
    assert titles == [
        *("Picked for you", "You may also like", "More like your last views"),
        "Popular with everyone",
    ]
    shown = [item.id for section in sections for item in section.items]
    assert len(shown) == len(set(shown)) == feed_client.TOP + 3 * feed_client.ACROSS
    assert all(len(line) < 30 for line in feed_client.wrapped("word " * 40, 150))
