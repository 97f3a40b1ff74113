"""The page on data formats lists every policy and data set."""

from __future__ import annotations

from pathlib import Path

from recsys.formats.publisher import ARCHIVES
from recsys.ingestion import IngestPolicy

TEXT = (Path(__file__).parents[2] / "docs/reference/data-formats.md").read_text(encoding="utf-8")


def test_the_page_lists_every_policy_and_data_set() -> None:
    for name in [*IngestPolicy.model_fields, *ARCHIVES]:
        assert f"`{name}`" in TEXT or f"`{name} = " in TEXT, name
