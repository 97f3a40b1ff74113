"""The peers' models: those whose packages are here learn a circle, where the next item is known."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from benchmarks.quality.grids import GRIDS
from benchmarks.quality.peer_models.answering import answer
from benchmarks.quality.peer_models.ease import item_weights
from benchmarks.quality.peer_models.files import Log, Queries, RankedLists
from benchmarks.quality.peer_models.ranking import top_k

ITEMS, LENGTH = 30, 6
USERS = 120
BEGIN = np.random.default_rng(0).integers(0, ITEMS, USERS)
ITEM = ((BEGIN[:, None] + np.arange(LENGTH)) % ITEMS).astype(np.int32)
USER = np.arange(USERS, dtype=np.int32)
LOG = Log(np.repeat(USER, LENGTH), ITEM.ravel(), USERS, ITEMS)
QUERIES = Queries(USER, np.arange(0, USERS * LENGTH + 1, LENGTH), ITEM.ravel(), ITEMS)
NEXT = (ITEM[:, -1] + 1) % ITEMS
SMALL = {
    "als": {"factors": 16, "regularization": 0.1, "alpha": 10.0, "iterations": 15},
    "bpr": {
        "factors": 16,
        "learning_rate": 0.05,
        "regularization": 0.01,
        "checkpoints": [50, 100],
    },
    "item_knn": {"kind": "bm25", "neighbours": 20, "last": 3},
    "ease": {"regularization": 10.0},
    "sasrec_rectools": {
        "factors": 16,
        "blocks": 1,
        "heads": 1,
        "dropout": 0.1,
        "window": 10,
        "learning_rate": 0.01,
        "batch": 32,
        "checkpoints": [4, 8],
    },
}
NEEDS = {"als": "implicit", "bpr": "implicit", "item_knn": "implicit", "ease": "scipy"}


def request_queries(model: str, setting: dict, folder: Path) -> tuple[dict[str, RankedLists], dict]:
    """What a model answers to a request, its lists by file."""
    LOG.save(folder / "log.npz")
    QUERIES.save(folder / "queries.npz")
    request = {
        "setting": setting,
        "seed": 1,
        "k": 10,
        "log": str(folder / "log.npz"),
        "queries": {"test": str(folder / "queries.npz")},
        "out": str(folder),
    }
    result = answer(request, import_module(model).train)
    lists = {file.stem: RankedLists.load(file) for file in sorted(folder.glob("test*.npz"))}
    return lists, result


def check_learned(lists: dict[str, RankedLists], result: dict, setting: dict) -> None:
    epochs = setting.get("checkpoints", [None])
    assert list(lists) == sorted("test" if each is None else f"test-{each}" for each in epochs)
    assert [each["epochs"] for each in result["checkpoints"]] == epochs
    seconds = [each["seconds"] for each in result["checkpoints"]]
    assert seconds == sorted(seconds) and 0 < result["peak_gib"] < 24
    last = lists["test" if epochs[-1] is None else f"test-{epochs[-1]}"]
    for user in USER:
        listed = last.rows[user][last.scores[user] > -np.inf]
        assert not set(listed) & set(ITEM[user]) and len(set(listed)) == len(listed)
    assert (np.diff(last.scores) <= 0).all()
    first = [goal in rows[:3] for goal, rows in zip(NEXT, last.rows)]
    assert np.mean(first) > 0.8  # by chance 0.125


@pytest.mark.parametrize("name", SMALL)
def test_a_peer_predicts_the_next_item_of_a_cycle(name: str, tmp_path: Path) -> None:
    pytest.importorskip(NEEDS.get(name, "rectools"))
    found = request_queries(f"benchmarks.quality.peer_models.{name}", SMALL[name], tmp_path)
    check_learned(*found, SMALL[name])


def test_the_tutorial_learns_it_too(tmp_path: Path) -> None:
    setting = {"dimension": 16, "checkpoints": [5, 40]}
    found = request_queries("benchmarks.quality.tutorial", setting, tmp_path)
    check_learned(*found, setting)


def test_settings_of_a_peer_name_the_same_keys_as_its_model_reads() -> None:
    for grids in GRIDS.values():
        for peer, grid in grids.items():
            keys = set(SMALL.get(peer, {"dimension": 0, "checkpoints": 0}))
            assert grid and all(set(setting) == keys for setting in grid), peer
            for setting in grid:
                checkpoints = setting.get("checkpoints", [1])
                assert checkpoints == sorted(set(checkpoints))


@pytest.mark.parametrize("block", [3, 7, 100])
def test_ease_is_its_closed_form(block: int) -> None:
    matrix = LOG.matrix()
    dense = matrix.toarray().astype(np.float64)
    inverse = np.linalg.inv(dense.T @ dense + 5 * np.eye(ITEMS))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(item_weights(matrix, 5.0, block=block), expected, atol=1e-4)


def test_ease_reports_a_singular_matrix() -> None:
    with pytest.raises(ValueError, match="cannot be inverted in float32"):
        item_weights(LOG.matrix(), -100.0)


def test_lists_are_the_best_without_the_history_ties_by_row() -> None:
    queries = Queries(
        np.array([4, 9], np.int32), np.array([0, 2, 3]), np.array([0, 1, 3], np.int32), 4
    )
    scores = np.array([[9, 8, 1, 1], [5, 5, 7, 9]], np.float32)

    def score(part: Queries) -> np.ndarray:
        return scores[np.searchsorted([4, 9], part.user)]

    for batch in (1, 512):
        lists = top_k(queries, score, 3, batch=batch)
        assert lists.rows[:, :2].tolist() == [[2, 3], [2, 0]] and lists.user.tolist() == [4, 9]
        assert lists.scores.tolist() == [[1, 1, -np.inf], [7, 5, 5]]
        assert lists.rows[0, 2] == 0 and lists.rows[1, 2] == 1


def test_a_nan_score_is_an_error() -> None:
    with pytest.raises(ValueError, match="the model diverged"):
        top_k(QUERIES, lambda part: np.full((len(part), ITEMS), np.nan, np.float32), 3)


def test_a_history_can_be_cut_to_its_latest_items() -> None:
    queries = Queries(
        np.array([0, 1, 2], np.int32),
        np.array([0, 3, 3, 5]),
        np.array([5, 1, 2, 4, 4], np.int32),
        6,
    )
    for part in (queries, queries.part(0, 3)):
        whole = part.matrix().toarray()
        assert [np.flatnonzero(row).tolist() for row in whole] == [[1, 2, 5], [], [4]]
        last = part.matrix(2).toarray()
        assert [np.flatnonzero(row).tolist() for row in last] == [[1, 2], [], [4]]
        assert whole.max() == 1
    assert queries.part(2, 9).item.tolist() == [4, 4] and len(queries.part(3, 9)) == 0
