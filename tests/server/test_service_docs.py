"""``docs/reference/service.md`` states the tables that the code holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from recsys_client.statuses import STATUS_CODES
from recsys_server.limits import Limits
from recsys_server.service import SERVICE_NAME

TEXT = (Path(__file__).parents[2] / "docs/reference/service.md").read_text(encoding="utf-8")
ROWS = [line.strip("| ").split(" | ") for line in TEXT.splitlines() if line.startswith("| ")]


@pytest.mark.parametrize("code", STATUS_CODES)
def test_each_code_is_in_the_row_of_its_status(code: str) -> None:
    statuses = [row[1] for row in ROWS if f"`{code}`" in row[0]]
    assert statuses == [STATUS_CODES[code].name]


@pytest.mark.parametrize("limit", Limits.model_fields)
def test_each_limit_is_stated(limit: str) -> None:
    value = getattr(Limits(), limit)
    stated = f"{value // 2**20} MiB" if limit in ("message", "image") else f"{value:,}"
    assert any(re.search(rf"\b{stated}\b", row[1]) for row in ROWS if len(row) == 3)


def test_the_service_is_named_as_in_the_contract() -> None:
    assert f"`{SERVICE_NAME}`" in TEXT
