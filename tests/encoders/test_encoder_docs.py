"""The page on encoders says what the code does: its examples run, its tables name every key."""

from __future__ import annotations

import doctest
import re
from pathlib import Path
from typing import get_args

import pytest

from recsys.config import Config
from recsys.encoders import EncoderConfig

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/encoders.md"


def test_its_examples_run() -> None:
    result = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert result.attempted > 5 and result.failed == 0


@pytest.mark.parametrize("kind", get_args(EncoderConfig), ids=lambda kind: kind.__name__)
def test_every_key_stands_with_its_default(kind: type[Config]) -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\S+) \| .* \| (.*?) ?\|$", PAGE.read_text(), re.MULTILINE)
    name = kind.model_fields["name"].default
    shown = {key: default for key, of, default in rows if of in (f"`{name}`", "both")}
    for key, field in kind.model_fields.items():
        if key == "name":
            continue
        assert key in shown, f"{name}.{key} is not in {PAGE.name}"
        if not field.is_required() and field.default is not None:
            given = field.default
            text = ", ".join(map(str, given)) if isinstance(given, tuple) else str(given)
            assert shown[key].strip("`") == text, f"{name}.{key}"
