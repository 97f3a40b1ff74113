"""The data formats page: its configurations parse, its example prints as shown."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from recsys.catalogue import CatalogueFields
from recsys.config import Config, load_config
from recsys.formats import InteractionSource, ItemSource
from recsys.formats.publisher import ARCHIVES
from recsys.ingestion import IngestPolicy

TEXT = (Path(__file__).parents[2] / "docs/reference/data-formats.md").read_text(encoding="utf-8")


class Block(Config):
    interactions: InteractionSource
    items: ItemSource | None = None
    fields: CatalogueFields = CatalogueFields()


@pytest.mark.parametrize("block", re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL))
def test_a_configuration_parses(block: str, tmp_path: Path) -> None:
    (tmp_path / "block.toml").write_text(block, encoding="utf-8")
    load_config(tmp_path / "block.toml", Block)


def test_the_example_prints_the_output_on_the_page() -> None:
    code, shown = re.search(
        r"```python\n([^`]*)```\n\n((?:    [^\n]*\n)+)", TEXT, re.DOTALL
    ).groups()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "data-formats.md", "exec"), {})
    assert printed.getvalue() == re.sub("^    ", "", shown, flags=re.MULTILINE)


def test_the_page_lists_every_policy_and_data_set() -> None:
    for name in [*IngestPolicy.model_fields, *ARCHIVES]:
        assert f"`{name}`" in TEXT or f"`{name} = " in TEXT, name
