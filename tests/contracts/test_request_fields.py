"""Every field of a request is in every front end."""

from __future__ import annotations

from dataclasses import fields, make_dataclass
from inspect import signature

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from recsys.cli.app import app
from recsys.retrieval import Query
from recsys_client import RecsysClient
from tests.contracts import request_fields
from tests.contracts.request_fields import FRONT_ENDS, SAMPLES, missing_fields


def test_no_front_end_lacks_a_field() -> None:
    assert missing_fields() == []


def test_every_argument_of_the_client_is_an_option_of_recsys_query() -> None:
    commands = get_command(app)
    assert isinstance(commands, TyperGroup)
    options = {name for each in commands.commands["query"].params for name in each.opts}
    names = set(signature(RecsysClient).parameters) - {"throttle"}  # a command sends one call
    assert {f"--{name.replace('_', '-')}" for name in names} <= options


def test_a_field_that_a_front_end_lacks_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FRONT_ENDS, "a form", lambda request: None)
    assert sorted(missing_fields()) == sorted(f"a form: {name}" for name in SAMPLES)
    monkeypatch.delitem(FRONT_ENDS, "a form")
    monkeypatch.setattr(request_fields, "FIELDS", [*SAMPLES, "colour"])
    assert missing_fields() == ["samples of this test: colour"]


def test_a_field_without_a_keyword_argument_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wider = make_dataclass("Query", [("colour", str)], bases=(Query,), kw_only=True, frozen=True)
    assert "colour" in {each.name for each in fields(wider)}
    monkeypatch.setattr(request_fields, "Query", wider)
    assert "QueryFields: colour" in missing_fields()
