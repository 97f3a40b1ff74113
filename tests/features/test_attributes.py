"""Attributes by hand: which column is which, what is missing, and items that come later."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from recsys.catalogue import Catalogue, CatalogueFields, catalogue_of_ids
from recsys.errors import DataError
from recsys.features import AttributeConfig, AttributeSchema, attribute_block

TABLE = pd.DataFrame(
    {
        "item_id": ["a", "b", "c", "d"],
        "genre": ["crime|drama", "drama", "war | drama", None],
        "price": [1.0, None, 4.0, None],
    }
)
FIELDS = CatalogueFields(categories=("genre",), numbers=("price",))


def test_by_hand() -> None:
    block, schema = attribute_block(Catalogue.of(TABLE, FIELDS), AttributeConfig(min_count=1))
    assert block.name == "attributes"
    assert block.columns == ("genre=drama", "genre=crime", "genre=war", "price")
    low, high = (1 - 2.5) / 1.5, (4 - 2.5) / 1.5  # mean (1 + 4) / 2, deviation 1.5
    expected = [[1, 1, 0, low], [1, 0, 0, 0], [1, 0, 1, high], [0, 0, 0, 0]]
    np.testing.assert_allclose(block.vectors, expected, atol=1e-6)
    assert block.mask.tolist() == [True, True, True, False]
    assert schema.numbers[0].mean == 2.5 and schema.numbers[0].deviation == 1.5


def test_rare_categories_have_no_column() -> None:
    block, schema = attribute_block(Catalogue.of(TABLE, FIELDS), AttributeConfig(min_count=2))
    assert block.columns == ("genre=drama", "price")
    assert schema.unknown(TABLE) == {"genre=crime": 1, "genre=war": 1}


def test_only_the_most_frequent_categories() -> None:
    config = AttributeConfig(min_count=1, max_values=2)
    block, _ = attribute_block(Catalogue.of(TABLE, FIELDS), config)
    assert block.columns == ("genre=drama", "genre=crime", "price"), "ties go by the alphabet"


def test_a_later_item_is_encoded_like_a_training_item(tmp_path: Path) -> None:
    block, schema = attribute_block(Catalogue.of(TABLE, FIELDS), AttributeConfig(min_count=1))
    schema.save(tmp_path / "schema.json")
    kept = AttributeSchema.load(tmp_path / "schema.json")
    assert kept == schema
    later = kept.encode(pd.DataFrame({"genre": ["war|musical"], "price": [7.0]}))
    np.testing.assert_allclose(later.vectors, [[0, 0, 1, (7 - 2.5) / 1.5]], atol=1e-6)
    np.testing.assert_array_equal(kept.encode(TABLE).vectors, block.vectors)
    (tmp_path / "schema.json").write_text('{"numbers": [{"column": "price", "deviation": 0}]}')
    with pytest.raises(DataError, match="cannot read the attribute schema .*encode again"):
        AttributeSchema.load(tmp_path / "schema.json")


def test_a_constant_price_is_zero() -> None:
    table = pd.DataFrame({"item_id": ["a", "b"], "price": [0.1, 0.1]})
    block, _ = attribute_block(Catalogue.of(table, CatalogueFields(numbers=("price",))))
    assert block.vectors.tolist() == [[0.0], [0.0]] and block.mask.all()


def test_no_number_at_all() -> None:
    table = pd.DataFrame({"item_id": ["a"], "price": [None]})
    block, _ = attribute_block(Catalogue.of(table, CatalogueFields(numbers=("price",))))
    assert block.vectors.tolist() == [[0.0]] and not block.mask.any()


def test_a_catalogue_without_attributes() -> None:
    block, schema = attribute_block(catalogue_of_ids(["a", "b"]))
    assert block.vectors.shape == (2, 0) and not block.mask.any()
    assert schema == AttributeSchema()


@pytest.mark.parametrize("value", ["cheap", "inf", "nan", "1e999", "1e39"])
def test_an_invalid_number_is_named(value: object) -> None:
    table = pd.DataFrame({"item_id": ["a", "b"], "price": pd.Series(["3", value], dtype=object)})
    with pytest.raises(DataError, match="'price' must hold finite numbers; item 1 .* holds"):
        attribute_block(Catalogue.of(table, CatalogueFields(numbers=("price",))))


def test_numbers_may_come_as_text_or_nullable() -> None:
    for values in (["1", " ", "3"], pd.array([1, None, 3], dtype="Int64")):
        table = pd.DataFrame({"item_id": ["a", "b", "c"], "price": values})
        block, _ = attribute_block(Catalogue.of(table, CatalogueFields(numbers=("price",))))
        np.testing.assert_allclose(block.vectors[:, 0], [-1, 0, 1], atol=1e-6)
        assert block.mask.tolist() == [True, False, True]


@pytest.mark.parametrize("value", [["war", "drama"], b"war", {"war": 1}])
def test_a_category_that_is_not_text_is_named(value: object) -> None:
    _, schema = attribute_block(Catalogue.of(TABLE, FIELDS))
    table = pd.DataFrame({"genre": ["war", value], "price": [1.0, 2.0]})
    with pytest.raises(DataError, match="'genre' must hold text; item 1 .* join several"):
        schema.encode(table)
    numbers = pd.DataFrame({"genre": ["war", None], "price": pd.Series([1.0, value], dtype=object)})
    with pytest.raises(DataError, match="'price' must hold finite numbers; item 1"):
        schema.encode(numbers)


def test_a_missing_column_is_named() -> None:
    _, schema = attribute_block(Catalogue.of(TABLE, FIELDS))
    with pytest.raises(DataError, match="the items have no column 'genre'; they have: price"):
        schema.encode(TABLE[["price"]])
