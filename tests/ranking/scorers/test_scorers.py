"""The contract of scorers, for each implementation."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.ranking import (
    EnsembleScorer,
    FeatureSet,
    LinearScorer,
    PairContext,
    PlattCalibration,
    Ranker,
    Reliability,
    RetrievedItems,
    Scorer,
    Statistics,
    StatisticsConfig,
    default_features,
    load_ranker,
    load_scorer,
)
from recsys.ranking.config import BoostedConfig
from recsys.ranking.learning import TrainingTable, fit_boosted, fit_logistic
from tests.ranking.ranker_worlds import chain_log, request

STATISTICS = Statistics.of(chain_log(), config=StatisticsConfig(ease_l2=5.0))
SOURCES = ("two_tower", "trending")
FEATURES = FeatureSet(default_features(SOURCES), STATISTICS)


def training_table() -> TrainingTable:
    """Requests whose item with the largest "followed.last" was taken."""
    tables = [FEATURES.compute(*request(seed=seed)) for seed in range(60)]
    taken = [table.rows == table.rows[table.column("followed.last").argmax()] for table in tables]
    return TrainingTable.of(tables, taken, times=range(60))


@cache
def trained(kind: str) -> Scorer:
    if kind == "blend":
        return LinearScorer.of_weights({"source.two_tower.score": 1.0, "recent": 0.1})
    if kind == "logistic":
        return fit_logistic(training_table(), l2=1e-3)
    if kind == "ensemble":
        return EnsembleScorer((trained("blend"), trained("logistic")), (0.5, 0.25))
    pytest.importorskip("lightgbm")
    return fit_boosted(training_table(), BoostedConfig(rounds=20, min_leaf=5))


@pytest.fixture(scope="module", params=["blend", "logistic", "lightgbm", "ensemble"])
def scorer(request: pytest.FixtureRequest) -> Scorer:
    return trained(request.param)


def test_a_saved_scorer_gives_the_same_scores(scorer: Scorer, tmp_path: Path) -> None:
    context, items = request(seed=99)
    ranker = Ranker.of(scorer, STATISTICS, PlattCalibration(0.5, -1.0))
    ranker.save(tmp_path)
    first, second = ranker.rank(context, items), load_ranker(tmp_path).rank(context, items)
    assert first.scores.dtype == np.float32 and first.scores.tobytes() == second.scores.tobytes()
    assert first.probabilities.tobytes() == second.probabilities.tobytes()


def test_each_item_is_scored_alone(scorer: Scorer) -> None:
    context, items = request(seed=98)
    table = FeatureSet(scorer.features, STATISTICS).compute(context, items)
    scores = scorer.score(table, context)
    for at in range(len(items)):
        alone = type(table)(table.names, table.values[[at]], table.rows[[at]])
        np.testing.assert_allclose(scorer.score(alone, context), scores[[at]], atol=1e-5)


def test_contributions_explain_differences_of_scores(scorer: Scorer) -> None:
    context, items = request(seed=97)
    table = FeatureSet(scorer.features, STATISTICS).compute(context, items)
    scores = scorer.score(table, context)
    parts = [scorer.explain(table, context, at) for at in range(len(items))]
    assert all(set(part) == set(scorer.features) for part in parts)
    sums = np.array([sum(part.values()) for part in parts])
    np.testing.assert_allclose(sums - sums[0], scores - scores[0], atol=1e-3)


def test_no_items_have_no_scores(scorer: Scorer) -> None:
    context, items = request()
    assert items.vectors is not None
    none = RetrievedItems(
        items.rows[:0], items.sources, items.ranks[:0], items.scores[:0], items.vectors[:0]
    )
    assert len(Ranker.of(scorer, STATISTICS).rank(context, none).order) == 0


def test_a_damaged_scorer_is_refused(scorer: Scorer, tmp_path: Path) -> None:
    scorer.save(tmp_path)
    for path in [each for each in tmp_path.rglob("*") if each.is_file()]:
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 3])
        with pytest.raises(DataError):
            load_scorer(tmp_path)
        path.write_bytes(content)
    load_scorer(tmp_path)


@pytest.mark.parametrize("kind", ["logistic", "lightgbm"])
def test_training_finds_the_feature_that_matters(kind: str) -> None:
    ranker = Ranker.of(trained(kind), STATISTICS)
    found = 0
    for seed in range(100, 140):
        context, items = request(seed=seed)
        ranked = ranker.rank(context, items)
        best = FEATURES.compute(context, items).column("followed.last").argmax()
        found += int(ranked.order[0]) == int(best)
    assert found >= 24  # one of 12 items: 3 or 4 by chance


def test_calibration_recovers_the_shares() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=20_000).astype(np.float32)
    labels = rng.random(20_000) < 1 / (1 + np.exp(-(2 * scores - 1)))
    found = PlattCalibration.fit(scores, labels)
    assert abs(found.slope - 2) < 0.1 and abs(found.offset + 1) < 0.1
    assert Reliability.of(found.probability(scores), labels).error < 0.02
    assert Reliability.of(PlattCalibration().probability(scores), labels).error > 0.05
    with pytest.raises(DataError, match="taken"):
        PlattCalibration.fit(scores, np.zeros(20_000))


def test_a_score_that_is_not_finite_is_refused() -> None:
    context, items = request()
    blend = LinearScorer.of_weights({"popularity": float("inf")})
    with pytest.raises(DataError, match="not finite"):
        Ranker.of(blend, STATISTICS).rank(PairContext(), items)
    assert context.now is not None
