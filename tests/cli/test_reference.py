"""The page of the commands is generated from their help."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def make_cli(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COLUMNS", "80")  # the page sets its own
    spec = importlib.util.spec_from_file_location("make_cli", DOCS / "make_cli.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(make_cli: Any) -> None:
    assert make_cli.PAGE.read_text(encoding="utf-8") == make_cli.reference(), "run: make docs"


def test_every_command_has_help(make_cli: Any) -> None:
    page = make_cli.reference()
    assert {"run", "ingest", "serve", "query", "bundles rollback"} <= set(make_cli.commands())
    for command in make_cli.commands():
        assert f"Usage: recsys {command} " in page
