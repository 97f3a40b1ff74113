"""The fusion that the options of ``recsys query`` name."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.cli.query.options import crowding_from, fusion_from
from recsys.errors import InvalidRequestError
from recsys.retrieval import ReciprocalRank, WeightedSum


def test_the_form_and_the_numbers_of_a_fusion() -> None:
    assert fusion_from(None, []) is None
    assert fusion_from(None, ["text=2"]) == fusion_from("rrf", ["text=2"])
    assert fusion_from("rrf", ["text=2"]) == ReciprocalRank(weights={"text": 2})
    assert fusion_from(None, [], depth=5) == ReciprocalRank(depth=5)
    assert fusion_from("rrf", [], constant=0, depth=5) == ReciprocalRank(constant=0, depth=5)
    assert fusion_from("sum", ["a=.5", "b=1e2"]) == WeightedSum({"a": 0.5, "b": 100})
    with pytest.raises(InvalidRequestError, match="must be 'rrf' .* or 'sum' .*; got 'max'"):
        fusion_from("max", [])
    with pytest.raises(InvalidRequestError, match="--depth is for the fusion 'rrf'"):
        fusion_from("sum", [], depth=5)


@pytest.mark.parametrize("weight", ["text", "=2", "text=", "text=much", "text=nan", "a=1 a=2"])
def test_a_weight_that_does_not_read(weight: str) -> None:
    with pytest.raises(InvalidRequestError, match="SPACE=NUMBER, such as text=2, once per space"):
        fusion_from("sum", weight.split())


@settings(max_examples=50)
@given(st.dictionaries(st.text(min_size=1), st.integers(1, 10_000), max_size=8))
def test_any_column_can_be_limited(limits: dict[str, int]) -> None:
    assert crowding_from([f"{column}={most}" for column, most in limits.items()]) == limits


@pytest.mark.parametrize("text", ["brand", "=2", "brand=", "brand=two", "brand=-1", "a=1 a=2"])
def test_a_limit_that_does_not_read(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="COLUMN=M, such as brand=2") as caught:
        crowding_from(text.split(" "))
    assert caught.value.field == "crowding"
