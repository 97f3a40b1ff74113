"""Every TOML and JSON block of a page is valid; what it leaves out comes from a small run."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from recsys.comparison.config import ComparisonConfig
from recsys.config import Config, parse_config
from recsys.pipeline.config import RunConfig
from recsys.tuning.config import StudyConfig, VariantStudyConfig
from tests.docs.pages import Block, written_in

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

LEFT_OUT: dict[str, Any] = {
    "name": "page",
    "data": {
        "interactions": {"format": "csv", "path": "log.csv"},
        "fields": {"image": "image"},
        "pictures": "pictures",
    },
}


@pytest.mark.parametrize("block", written_in("toml"), ids=str)
def test_a_configuration_is_valid(block: Block) -> None:
    values = tomllib.loads(block.text)
    kind = _kind(values)
    if kind in (RunConfig, ComparisonConfig):
        data = LEFT_OUT["data"] | values.get("data", {})
        if data.get("items", {}).get("format") == "store":  # which holds the pictures
            data = {key: data[key] for key in data.keys() - {"pictures"}}
        values = LEFT_OUT | values | {"data": data}
    parse_config(values, kind, source=str(block))


def test_json_is_valid() -> None:
    for block in written_in("json"):
        json.loads(block.text)


def _kind(values: dict[str, Any]) -> type[Config]:
    if "base" in values:
        return VariantStudyConfig if "variants" in values else StudyConfig
    return ComparisonConfig if "variants" in values else RunConfig
