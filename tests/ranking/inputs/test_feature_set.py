"""Features of retrieved items."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.ranking import (
    FeatureSet,
    PairContext,
    RetrievedItems,
    Statistics,
    StatisticsConfig,
    default_features,
)
from tests.ranking.ranker_worlds import ITEMS, chain_log, request

STATISTICS = Statistics.of(chain_log(), config=StatisticsConfig(ease_l2=5.0))
SOURCES = ("two_tower", "trending")
FEATURES = FeatureSet(default_features(SOURCES), STATISTICS)


def permuted(items: RetrievedItems, order: np.ndarray) -> RetrievedItems:
    assert items.vectors is not None
    return RetrievedItems(
        items.rows[order],
        items.sources,
        items.ranks[order],
        items.scores[order],
        items.vectors[order],
    )


def test_features_do_not_depend_on_the_order_of_the_items() -> None:
    context, items = request()
    order = np.random.default_rng(1).permutation(len(items))
    table = FEATURES.compute(context, items)
    shuffled = FEATURES.compute(context, permuted(items, order))
    np.testing.assert_allclose(shuffled.values, table.values[order], atol=1e-6)
    assert shuffled.rows.tolist() == items.rows[order].tolist()


def test_features_of_a_source() -> None:
    ranks = np.array([[1], [2], [np.nan]], np.float32)
    scores = np.array([[0.9], [0.5], [np.nan]], np.float32)
    items = RetrievedItems(np.array([3, 4, 5], np.int32), ("two_tower",), ranks, scores)
    names = [f"source.two_tower.{kind}" for kind in ("present", "rank", "score", "gap")]
    table = FeatureSet(tuple(names), STATISTICS).compute(PairContext(), items)
    expected = [[1, 0, 0.9, 0], [1, np.log(2), 0.5, -0.4], [0, np.log(3), 0.5, -0.4]]
    np.testing.assert_allclose(table.values, expected, atol=1e-6)
    # A source that failed is a source that returned nothing.
    absent = FeatureSet(("source.text.present", "source.text.gap"), STATISTICS)
    assert not absent.compute(PairContext(), items).values.any()


def test_the_next_item_of_the_chain_follows_most() -> None:
    rows = np.arange(ITEMS, dtype=np.int32)
    items = RetrievedItems.of_list("two_tower", rows, np.zeros(ITEMS))
    names = ("followed", "followed.last")
    table = FeatureSet(names, STATISTICS).compute(PairContext(np.array([9, 7], np.int32)), items)
    assert int(table.column("followed.last").argmax()) == 8
    assert int(table.column("followed").argmax()) == 10  # follows both


def test_features_of_a_visit_are_capped() -> None:
    items = RetrievedItems.of_list("two_tower", np.array([3], np.int32), [1.0])
    features = FeatureSet(("visit.gap", "visit.length", "visit.together"), STATISTICS)
    history, times = np.array([1, 2, 4], np.int32), np.array([10, 4000, 4000])
    expected = {4005: (np.log1p(5), 2, 2), 10**9: (np.log1p(86_400), 0, 2)}
    for now, values in expected.items():
        table = features.compute(PairContext(history, times=times, now=now), items)
        np.testing.assert_allclose(table.values[0], values, rtol=1e-6)
    unknown = features.compute(PairContext(history), items).values[0]
    np.testing.assert_allclose(unknown, [np.log1p(86_400), 0, 0], rtol=1e-6)


def test_items_later_than_the_statistics_have_none() -> None:
    items = RetrievedItems.of_list("two_tower", np.array([3, ITEMS + 5], np.int32), [2.0, 1.0])
    history = np.array([ITEMS + 9, 2], np.int32)
    names = ("popularity", "recent", "followed", "ease", "history.length")
    table = FeatureSet(names, STATISTICS).compute(PairContext(history), items)
    assert table.column("popularity")[1] == table.column("ease")[1] == 0
    assert table.column("popularity")[0] > 0


def test_an_empty_request_has_finite_features() -> None:
    context, items = request()
    vectors = replace(context, history=context.history[:0], history_vectors=np.zeros((0, 4)))
    assert np.isfinite(FEATURES.compute(vectors, items).values).all()
    none = permuted(items, np.zeros(0, np.int64))
    assert FEATURES.compute(context, none).values.shape == (0, len(FEATURES.names))


def test_columns_of_the_items_are_features() -> None:
    items = RetrievedItems.of_list("two_tower", np.array([3, 4], np.int32), [2.0, 1.0])
    given = replace(items, columns={"price": np.array([5, 6], np.float32)})
    table = FeatureSet(("price",), STATISTICS).compute(PairContext(), given)
    assert table.column("price").tolist() == [5, 6]
    with pytest.raises(DataError, match="'price' is neither a feature nor a column"):
        FeatureSet(("price",), STATISTICS).compute(PairContext(), items)


def test_missing_vectors_are_named() -> None:
    items = RetrievedItems.of_list("two_tower", np.array([3], np.int32), [2.0])
    with pytest.raises(DataError, match="vector.product.*need RetrievedItems.vectors"):
        FEATURES.compute(PairContext(), items)
