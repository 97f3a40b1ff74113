"""Probes on vectors whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.comparison.linear_probes import Question, ask
from recsys.errors import DataError

KINDS = ["lamp", "rug", "mug"]
VALUES = [[KINDS[row % 3], *(["red"] if row % 2 else [])] for row in range(60)]


def question(values=VALUES, **changes) -> Question:
    return Question.of(values, **{"least": 5, "folds": 3, "seed": 1, **changes})


def test_vectors_that_hold_the_answer_give_it() -> None:
    vectors = np.zeros((60, 5), np.float32)
    for row, values in enumerate(VALUES):
        vectors[row, [KINDS.index(values[0]), 3 + ("red" in values)]] = 1
    answer = ask(question(), vectors)
    assert answer.accuracy == 1 and answer.auc == 1


def test_vectors_of_noise_or_zeros_give_chance() -> None:
    noise = np.random.default_rng(0).normal(size=(60, 4)).astype(np.float32)
    answer = ask(question(), noise)
    assert answer.accuracy < 0.6 and 0.3 < answer.auc < 0.7
    nothing = ask(question(), np.zeros((60, 4), np.float32))
    assert nothing.accuracy == pytest.approx(question().majority, abs=0.05)
    assert nothing.auc == 0.5


def test_the_scale_of_the_vectors_does_not_matter() -> None:
    vectors = np.random.default_rng(1).normal(size=(60, 4)).astype(np.float32)
    assert ask(question(), vectors) == ask(question(), vectors * 8 + 3)


def test_rare_values_are_not_asked_for_and_unknown_items_are_left_out() -> None:
    values = [*VALUES, [], ["sofa"], ["sofa", "lamp"]]
    asked = question(values)
    assert asked.values == ("lamp", "mug", "red", "rug")
    assert 60 not in asked.rows and asked.main[-2:].tolist() == [-1, -1]
    assert asked.has[-1].tolist() == [True, False, False, False]
    assert asked.majority == pytest.approx(1 / 3)


def test_every_fold_holds_each_first_value_as_often_give_or_take_one() -> None:
    asked = question()
    counts = np.array(
        [np.bincount(asked.main[asked.fold == fold], minlength=4) for fold in range(3)]
    )
    assert (counts.max(axis=0) - counts.min(axis=0) <= 1).all()
    assert (question().fold == asked.fold).all()
    assert (question(seed=2).fold != asked.fold).any()


def test_a_column_without_two_frequent_values_is_refused() -> None:
    with pytest.raises(DataError, match="needs two values that at least 5 items have"):
        question([["lamp"]] * 20 + [["rug"]] * 4)
