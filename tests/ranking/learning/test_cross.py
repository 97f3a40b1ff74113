"""Training of the deep and cross network, and its equal scores in numpy."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from recsys.ids import Rows
from recsys.ranking import CrossConfig, CrossScorer, CrossTrainConfig, PairContext, load_scorer
from recsys.ranking.inputs import FeatureTable
from recsys.ranking.learning import TrainingTable, fit_cross
from recsys.ranking.learning.cross_model import CrossModel
from recsys.ranking.learning.cross_training import Examples
from recsys.towers.training.loop import tensors
from tests.ranking.ranker_worlds import ITEMS, unit_vectors

VECTORS = unit_vectors(ITEMS, 4)
NETWORK = CrossConfig(dimension=6, window=5, hidden=(16,), dropout=0.0, min_count=1, l2=0.0)
N = 8


def world(requests: int, *, seed: int = 0) -> tuple[list[FeatureTable], list[PairContext]]:
    """Requests with a feature of no use."""
    rng = np.random.default_rng(seed)
    tables, contexts = [], []
    for _ in range(requests):
        drawn = rng.permutation(ITEMS).astype(np.int32)
        rows, history = drawn[:N], drawn[N : N + rng.integers(0, 9)]
        values = rng.normal(size=(N, 1)).astype(np.float32)
        tables.append(FeatureTable(("noise",), values, rows, VECTORS[rows]))
        terms = f"word{rng.integers(0, 4)}"
        contexts.append(PairContext(history, terms=terms, history_vectors=VECTORS[history]))
    return tables, contexts


def table_of(
    tables: list[FeatureTable], contexts: list[PairContext], taken: list[np.ndarray]
) -> TrainingTable:
    return TrainingTable.of(tables, taken, times=range(len(tables)), contexts=contexts)


def follows(rows: Rows, context: PairContext) -> np.ndarray:
    """Whether an item is in the third of the catalogue of the last item of the history."""
    last = context.history[-1] if len(context.history) else 0
    return np.asarray(rows % 3 == last % 3)


def model(table: TrainingTable, *, graded: bool = False) -> CrossModel:
    words = ("word1", "word0", "word2")
    centre, scale = np.full(1, 0.1, np.float32), np.full(1, 1.2, np.float32)
    made = CrossModel(
        NETWORK,
        ("noise",),
        centre,
        scale,
        items=ITEMS,
        item_vectors=VECTORS,
        vocabulary=words,
        graded=graded,
    )
    batch = Examples(table, NETWORK.window, words).batch(np.arange(table.requests))
    batch["values"] = (table.values - centre) / scale
    made.batch = tensors({**batch, "seed": np.array([0, 0])})
    made._outputs(made.batch)
    rng = np.random.default_rng(5)
    made.set_weights([rng.normal(scale=0.4, size=each.shape) for each in made.get_weights()])
    return made


@pytest.mark.parametrize("graded", [False, True])
def test_numpy_and_tensorflow_give_equal_scores(graded: bool, tmp_path: Path) -> None:
    tables, contexts = world(20)
    taken = [follows(table.rows, context) for table, context in zip(tables, contexts)]
    trained = model(table_of(tables, contexts, taken), graded=graded)
    outputs = trained._outputs(trained.batch).numpy().reshape(20, N, -1)
    trained.freeze().save(tmp_path)
    scorer = load_scorer(tmp_path)
    assert isinstance(scorer, CrossScorer)
    for at, (table, context) in enumerate(zip(tables, contexts)):
        np.testing.assert_allclose(
            scorer.score(table, context), outputs[at, :, 0], rtol=1e-4, atol=1e-4
        )
        grades = scorer.grades(table, context)
        assert (grades is not None) == graded
        if grades is not None:
            np.testing.assert_allclose(grades, outputs[at, :, 1], rtol=1e-4, atol=1e-4)


def test_the_network_reads_the_history_against_the_item(tmp_path: Path) -> None:
    tables, contexts = world(300)
    taken = [follows(table.rows, context) for table, context in zip(tables, contexts)]

    def accuracy(scorer: CrossScorer) -> float:
        correct = [
            label[scorer.score(table, context).argmax()] or not label.any()
            for table, context, label in zip(tables[240:], contexts[240:], taken[240:])
        ]
        return float(np.mean(correct))

    train = CrossTrainConfig(
        batch_requests=20, learning_rate=0.03, epochs=5, patience=5, average=0.5
    )
    examples = table_of(tables[:240], contexts[:240], taken[:240])
    scorer = fit_cross(
        examples,
        items=ITEMS,
        item_vectors=VECTORS,
        folder=tmp_path,
        network=NETWORK,
        train=train,
        validate=accuracy,
    )
    assert accuracy(scorer) > 0.8
    parts = scorer.explain(tables[0], contexts[0], 0)
    assert set(parts) == {"noise", "history", "terms"}


def test_items_and_words_unknown_to_training_are_scored() -> None:
    tables, contexts = world(5)
    taken = [follows(table.rows, context) for table, context in zip(tables, contexts)]
    scorer = model(table_of(tables, contexts, taken)).freeze()
    new = FeatureTable(
        ("noise",), np.zeros((2, 1), np.float32), np.array([3, ITEMS + 7]), VECTORS[:2]
    )
    context = PairContext(
        np.array([ITEMS + 2], np.int32), terms="unheard", history_vectors=VECTORS[:1]
    )
    assert np.isfinite(scorer.score(new, context)).all()
    empty = replace(context, history=context.history[:0], history_vectors=VECTORS[:0])
    assert np.isfinite(scorer.score(new, empty)).all()
