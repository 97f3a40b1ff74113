"""The page of the configuration keys is generated from the classes of the configuration."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def make_configuration() -> Any:
    spec = importlib.util.spec_from_file_location("reference", DOCS / "make_configuration.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(make_configuration: Any) -> None:
    page = make_configuration.PAGE.read_text(encoding="utf-8")
    assert page == make_configuration.reference(), "run: make docs"


def test_every_key_is_described(make_configuration: Any) -> None:
    missing = make_configuration.undescribed()
    assert not missing, f"describe under 'Attributes' of the docstring: {', '.join(missing)}"


def test_a_key_states_its_type_bounds_and_default(make_configuration: Any) -> None:
    page = make_configuration.reference()
    assert "| `batch_positions` | whole number, at least 2 | `4096` | Number of" in page
    assert (
        '| `bad_rows` | `"raise"` or `"skip"` | `"raise"` | Policy for a row without an id' in page
    )
    assert "| `loss` | [full-softmax](#trainloss-name--full-softmax) or " in page
