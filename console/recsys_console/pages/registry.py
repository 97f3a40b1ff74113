"""All pages: those of the navigation, in its order, and the further routes."""

from __future__ import annotations

from recsys_console.pages import operations, pictures, quality, signing_in, themes
from recsys_console.pages.feeds import feed
from recsys_console.pages.items import editing, item, listing, writing
from recsys_console.pages.overview import page as overview
from recsys_console.pages.page import Page
from recsys_console.pages.people import choosing

PAGES = (
    Page("Overview", "/", "o", "overview", overview.router),
    Page("Items", "/items", "i", "items", listing.router),
    Page("Users", "/users", "u", "users", choosing.router),
    Page("Feed", "/feed", "f", "feed", feed.router),
    Page("Quality", "/quality", "q", "quality", quality.router),
    Page("Operations", "/operations", "p", "operations", operations.router),
)
"""Entries of the navigation: Overview, Items, Users, Feed, Quality, Operations."""

ROUTERS = (
    editing.router,
    item.router,
    writing.router,
    pictures.router,
    signing_in.router,
    themes.router,
)
"""Routes of pages without an entry in the navigation."""
