"""The recall of an approximate answer, counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.errors import InvalidRequestError
from recsys.index import ExactIndex, Hits, ann_recall
from recsys.index.recall import recall_of


def hits(*answers: tuple[list[int], list[float]]) -> Hits:
    made = Hits.empty(queries=len(answers), k=3)
    for query, (rows, scores) in enumerate(answers):
        made.put(query, np.array(rows), np.array(scores, np.float32))
    return made


def test_recall_is_the_mean_share_found() -> None:
    truth = hits(([1, 2, 3], [0.9, 0.8, 0.7]), ([4, 5], [0.5, 0.4]))
    found = hits(([1, 3, 9], [0.9, 0.7, 0.1]), ([5], [0.4]))
    assert recall_of(found, truth) == pytest.approx((2 / 3 + 1 / 2) / 2)


def test_a_tie_with_the_last_counts_as_found() -> None:
    truth = hits(([1, 2, 3], [0.9, 0.7, 0.7]))
    assert recall_of(hits(([1, 2, 8], [0.9, 0.7, 0.7])), truth) == 1.0


def test_recall_needs_a_query() -> None:
    index = ExactIndex.of(np.eye(2, dtype=np.float32))
    with pytest.raises(InvalidRequestError, match="at least one query"):
        ann_recall(index, index, np.empty((0, 2), np.float32), 1)
