"""Linear probes on vectors with a known result."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.comparison.linear_probes import ProbeTask, run_probe
from recsys.errors import DataError

KINDS = ["lamp", "rug", "mug"]
VALUES = [[KINDS[row % 3], *(["red"] if row % 2 else [])] for row in range(60)]


def task(values=VALUES, **changes) -> ProbeTask:
    return ProbeTask.of(values, **{"min_items": 5, "folds": 3, "seed": 1, **changes})


def test_vectors_of_the_values_are_classified_without_error() -> None:
    vectors = np.zeros((60, 5), np.float32)
    for row, values in enumerate(VALUES):
        vectors[row, [KINDS.index(values[0]), 3 + ("red" in values)]] = 1
    result = run_probe(task(), vectors)
    assert result.accuracy == 1 and result.auc == 1


def test_noise_and_zeros_score_at_chance() -> None:
    noise = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    result = run_probe(task(), noise)
    assert result.accuracy < 0.6 and 0.3 < result.auc < 0.7
    nothing = run_probe(task(), np.zeros((60, 4), np.float32))
    assert nothing.accuracy == pytest.approx(task().majority, abs=0.05)
    assert nothing.auc == 0.5


def test_the_scale_of_the_vectors_has_no_effect() -> None:
    vectors = np.random.default_rng(1).normal(size=(60, 4)).astype(np.float32)
    assert run_probe(task(), vectors) == run_probe(task(), vectors * 8 + 3)


def test_rare_values_and_items_without_values_are_left_out() -> None:
    values = [*VALUES, [], ["sofa"], ["sofa", "lamp"]]
    made = task(values)
    assert made.values == ("lamp", "mug", "red", "rug")
    assert 60 not in made.rows and made.first[-2:].tolist() == [-1, -1]
    assert made.labels[-1].tolist() == [True, False, False, False]
    assert made.majority == pytest.approx(1 / 3)


def test_folds_are_stratified_by_first_value() -> None:
    made = task()
    counts = np.array(
        [np.bincount(made.first[made.fold == fold], minlength=4) for fold in range(3)]
    )
    assert (counts.max(axis=0) - counts.min(axis=0) <= 1).all()
    assert (task().fold == made.fold).all()
    assert (task(seed=2).fold != made.fold).any()


def test_a_column_without_two_frequent_values_is_refused() -> None:
    with pytest.raises(DataError, match="needs two values that at least 5 items have"):
        task([["lamp"]] * 20 + [["rug"]] * 4)
