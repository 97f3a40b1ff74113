"""Draw the feed of a user as the page that a person sees, from a service and nothing else.

With the address of a service, ``python examples/feed_client.py 127.0.0.1:50051 page.png`` asks
``RankFeed`` for the feed, ``GetHistory`` for what the user viewed last and ``GetItems`` for titles
and pictures. It needs only ``recsys_client`` and Pillow. The service's store holds the pictures
after ``recsys store import store.db runs/demo --pictures data/sample/pictures.zip``.
"""

from __future__ import annotations

import argparse
import io
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from recsys_client import CatalogItem, Query, RecsysClient
from recsys_client.errors import UnknownIdError
from recsys_client.feed import FeedItem, FeedRequest

SIZE, TOP, ACROSS = 120, 10, 6
"""Items of the feed, of its first section, and per row of the others."""
SECTIONS = {
    "fresh": "New arrivals",
    "trending": "Trending now",
    "popular": "Popular with everyone",
    "text_neighbours": "Similar topics",
    "image_neighbours": "Similar looks",
    "similar": "More like your last views",
    "two_tower": "You may also like",
}
"""Title of the section of a source; an item goes to the first section of one of its sources."""
SLOTS = {"explored": "Something new", "pinned": "Our pick", "promoted": "Sponsored"}
INK, PALE, BACK, CARD, ACCENT = "#1c2430", "#6b7686", "#f3f4f7", "#ffffff", "#2f5bea"
SCALE = 2
"""Pixels per unit of length; the page is reduced to one at the end, which smooths its edges."""
WIDTH, EDGE, GAP = 1080, 40, 16


@dataclass(frozen=True)
class Section:
    """A title and the items below it."""

    title: str
    items: Sequence[FeedItem]


def sections_of(items: Sequence[FeedItem]) -> list[Section]:
    """The first items of a feed as one section, and the others by their sources."""
    found: dict[str, list[FeedItem]] = {}
    for item in items[TOP:]:
        name = next((name for name in SECTIONS if name in item.sources), "two_tower")
        if len(found.setdefault(name, [])) < ACROSS:
            found[name].append(item)
    full = [(name, own) for name, own in found.items() if len(own) == ACROSS]
    full.sort(key=lambda each: list(SECTIONS).index(each[0]), reverse=True)
    return [Section("Picked for you", items[:TOP]), *(Section(SECTIONS[n], o) for n, o in full)]


class Page:
    """A page that grows downwards.

    Args:
        height: Height of the page in units.
        known: Items by their ids, with titles and thumbnails.
    """

    def __init__(self, height: int, known: dict[str, CatalogItem]) -> None:
        self.image = Image.new("RGB", (WIDTH * SCALE, height * SCALE), BACK)
        self.draw = ImageDraw.Draw(self.image)
        self.known = known
        self.top = 0

    def text(self, left: float, top: float, text: str, size: int, fill: str) -> None:
        """Draw one line."""
        font = ImageFont.load_default(size * SCALE)
        self.draw.text((left * SCALE, top * SCALE), text, fill=fill, font=font)

    def header(self, name: str, viewed: Sequence[str]) -> None:
        """The head of the page, with what the user viewed last."""
        self.box(0, 0, WIDTH, 84, CARD, radius=0)
        self.text(EDGE, 26, "The Corner Shop", 26, INK)
        greeting = f"Signed in as {name}" if name else "Welcome"
        self.text(EDGE + 250, 34, greeting, 14, PALE)
        if viewed:
            left = WIDTH - EDGE - 52 * len(viewed)
            self.text(left - 104, 34, "Last viewed", 14, PALE)
            for at, item_id in enumerate(viewed):
                self.picture(item_id, left + 52 * at + 8, 20, 44)
        self.top = 84 + GAP

    def section(self, section: Section, across: int) -> None:
        """A title, and rows of cards."""
        self.text(EDGE, self.top + 10, section.title, 20, INK)
        self.top += 48
        side = (WIDTH - 2 * EDGE - (across - 1) * GAP) / across
        high = side + 62
        for at, item in enumerate(section.items):
            down, right = divmod(at, across)
            self.card(item, EDGE + right * (side + GAP), self.top + down * (high + GAP), side)
        self.top += int(-(-len(section.items) // across) * (high + GAP)) + 4

    def card(self, item: FeedItem, left: float, top: float, side: float) -> None:
        """The picture and title of an item."""
        self.box(left, top, side, side + 62, CARD, radius=12)
        self.picture(item.id, left, top, side)
        title = self.known[item.id].item.title if item.id in self.known else item.id
        for at, line in enumerate(wrapped(title, side - 20)):
            self.text(left + 10, top + side + 10 + 20 * at, line, 14, INK)
        if item.slot in SLOTS:
            label = SLOTS[item.slot]
            self.box(left + 8, top + 8, 7.2 * len(label) + 14, 24, ACCENT, radius=12)
            self.text(left + 15, top + 13, label, 12, CARD)

    def picture(self, item_id: str, left: float, top: float, side: float) -> None:
        """The thumbnail of an item, in a square with round corners."""
        pixels, known = int(side * SCALE), self.known.get(item_id)
        small = Image.new("RGB", (1, 1), "#dde1e8")
        if known is not None and known.thumbnail is not None:
            small = Image.open(io.BytesIO(known.thumbnail)).convert("RGB")
        square = small.resize((pixels, pixels), Image.Resampling.BICUBIC)
        mask = Image.new("L", (pixels, pixels))
        ImageDraw.Draw(mask).rounded_rectangle((0, 0, pixels - 1, pixels - 1), 12 * SCALE, 255)
        self.image.paste(square, (int(left * SCALE), int(top * SCALE)), mask)

    def box(
        self, left: float, top: float, width: float, height: float, fill: str, radius: int
    ) -> None:
        """A filled rectangle."""
        corners = [each * SCALE for each in (left, top, left + width, top + height)]
        self.draw.rounded_rectangle(corners, radius * SCALE, fill)


def wrapped(text: str, width: float) -> list[str]:
    """A text on at most two lines of a width."""
    font, letters = ImageFont.load_default(14), len(text)
    while True:
        lines = textwrap.wrap(text, max(letters, 6), max_lines=2, placeholder=" …")
        if letters < 7 or max(map(font.getlength, lines), default=0) <= width:
            return lines
        letters -= 1


def draw(client: RecsysClient, user: str) -> Image.Image:
    """The page of a user."""
    feed = client.rank_feed(FeedRequest(Query(user_id=user) if user else Query(), k=SIZE))
    try:
        viewed = client.get_history(user, limit=6).item_ids[::-1] if user else []
    except UnknownIdError:
        viewed = []
    ids = list(dict.fromkeys([*feed.ids, *viewed]))
    found = client.get_items(ids, thumbnail_size=256).items
    page = Page(3_000, {each.item.item_id: each for each in found})
    page.header(user, viewed)
    for number, section in enumerate(sections_of(feed.items)):
        page.section(section, across=ACROSS if number else TOP // 2)
    page.text(EDGE, page.top + 8, f"Bundle {feed.bundle_version}, feed {feed.request_id}", 12, PALE)
    whole = page.image.crop((0, 0, WIDTH * SCALE, (page.top + 40) * SCALE))
    small = whole.resize((WIDTH, whole.height // SCALE), Image.Resampling.LANCZOS)
    return small.quantize(256, dither=Image.Dither.NONE)


def main() -> None:
    """Draw the page of the command line's user."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("address", help="HOST:PORT of the service")
    parser.add_argument("file", type=Path, help="PNG file to write")
    parser.add_argument("--user", default="u0001", help="id of the user; empty for a visitor")
    given = parser.parse_args()
    with RecsysClient(given.address) as client:
        draw(client, given.user).save(given.file, optimize=True)
    print(given.file)


if __name__ == "__main__":
    main()
