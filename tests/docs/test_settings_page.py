"""The page of the service's settings is generated from their class."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def test_the_page_is_up_to_date_and_describes_every_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.syspath_prepend(DOCS)
    page = importlib.import_module("make_settings")
    assert page.PAGE.read_text(encoding="utf-8") == page.reference(), "run: make docs"
    assert "| |" not in page.reference(), "describe each key under Attributes of its class"
