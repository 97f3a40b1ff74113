"""Quality: a bundle's report, two side by side, the search log, and a map of the items."""

from __future__ import annotations

from fastapi import APIRouter

from recsys_console.pages.quality import comparison, item_map, report, searches

router = APIRouter()
for module in (report, comparison, searches, item_map):
    router.include_router(module.router)
