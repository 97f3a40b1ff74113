"""Typed configurations: unknown keys are refused at any depth, with the most similar key."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from recsys.catalogue import CatalogueFields
from recsys.config import Config, load_config, parse_config
from recsys.errors import ConfigError
from recsys.formats import (
    CsvInteractions,
    InteractionColumns,
    InteractionSource,
    ItemSource,
    LightGcnInteractions,
    MovieLensInteractions,
    ParquetInteractions,
    RecBoleInteractions,
    SequenceInteractions,
)
from recsys.ingestion import IngestPolicy


class Cat(Config):
    kind: Literal["cat"] = "cat"
    whiskers: int = Field(6, ge=0)


class Dog(Config):
    kind: Literal["dog"] = "dog"
    bark: float = 1.0


class House(Config):
    rooms: int = 3
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] | None = None
    cats: tuple[Cat, ...] = ()
    named: dict[str, Dog] = {}


@pytest.mark.parametrize(
    ("values", "text", "field"),
    [
        ({"roms": 2}, "unknown key 'roms': did you mean 'rooms'?", "roms"),
        ({"zzz": 2}, "unknown key 'zzz': known keys: cats, named, pet, rooms", "zzz"),
        (
            {"pet": {"kind": "cat", "wiskers": 1}},
            "unknown key 'pet.wiskers': did you mean 'whiskers'",
            "pet.wiskers",
        ),
        (
            {"cats": [{}, {"whisker": 1}]},
            "'cats.1.whisker': did you mean 'whiskers'",
            "cats.1.whisker",
        ),
        (
            {"named": {"rex": {"barc": 1}}},
            "'named.rex.barc': did you mean 'bark'",
            "named.rex.barc",
        ),
        ({"rooms": "many"}, r"'rooms': .*valid integer.* \(got 'many'\)", "rooms"),
        (
            {"pet": {"kind": "cat", "whiskers": -1}},
            "greater than or equal to 0",
            "pet.whiskers",
        ),
        ({"pet": {"kind": "dog", "bark": float("nan")}}, "finite number", "pet.bark"),
        ({"pet": {"kind": "cow"}}, "'pet.kind' must be 'cat' or 'dog'; got 'cow'", "pet"),
        ({"rooms": 1.5, "cats": 3}, "'rooms': .*; 'cats': ", "rooms"),
    ],
)
def test_an_invalid_value_is_named(values: dict, text: str, field: str) -> None:
    with pytest.raises(ConfigError, match=text) as raised:
        parse_config(values, House)
    assert raised.value.field == field


def test_a_file(tmp_path: Path) -> None:
    file = tmp_path / "house.toml"
    file.write_text('rooms = 4\n[pet]\nkind = "dog"\n')
    assert load_config(file, House) == House(rooms=4, pet=Dog())
    file.write_text("rooms = 4\nromos = 1\n")
    with pytest.raises(ConfigError, match="house.toml: unknown key 'romos'"):
        load_config(file, House)
    file.write_text("rooms = = 4")
    with pytest.raises(ConfigError, match="house.toml is not valid TOML: .*line 1"):
        load_config(file, House)
    file.write_bytes(b"# caf\xe9\n")
    with pytest.raises(ConfigError, match="house.toml is not UTF-8 text"):
        load_config(file, House)
    with pytest.raises(
        ConfigError, match="cannot read the configuration .*none.toml: No such file"
    ):
        load_config(tmp_path / "none.toml", House)


def test_a_section_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        House().rooms = 4  # type: ignore[misc]


class Everything(Config):
    interactions: InteractionSource
    items: ItemSource | None = None
    policy: IngestPolicy = IngestPolicy()
    fields: CatalogueFields = CatalogueFields()
    columns: InteractionColumns = InteractionColumns()


CONTEXT = st.lists(st.text("abc", min_size=1), unique=True, max_size=3).map(tuple)
COLUMNS = st.builds(InteractionColumns, position=st.none(), context=CONTEXT)
SOURCES = st.one_of(
    st.builds(ParquetInteractions, columns=COLUMNS),
    st.builds(CsvInteractions, columns=COLUMNS),
    st.builds(SequenceInteractions),
    st.builds(MovieLensInteractions, context=CONTEXT),
    st.builds(RecBoleInteractions, context=CONTEXT),
    st.builds(LightGcnInteractions),
)
CONFIGS = st.builds(House) | st.builds(Everything, interactions=SOURCES, columns=COLUMNS)


@given(CONFIGS)
def test_a_configuration_survives_writing_and_reading(config: Config) -> None:
    assert parse_config(config.model_dump(mode="json"), type(config)) == config


def test_an_unknown_format_of_a_source_is_refused() -> None:
    with pytest.raises(ConfigError, match="'recbole' or 'lightgcn'"):
        parse_config({"interactions": {"format": "xml", "path": "x"}}, Everything)
    with pytest.raises(ConfigError, match="'interactions.pth': did you mean 'path'"):
        parse_config({"interactions": {"format": "csv", "path": "x", "pth": "y"}}, Everything)
