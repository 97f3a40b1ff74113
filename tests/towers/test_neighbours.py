"""Items near to those met, as further positives of whole users."""

from __future__ import annotations

import numpy as np
import pytest

from recsys.towers import SetSoftmax
from recsys.towers.neighbours import Neighbours
from recsys.towers.set_batches import load_sets
from tests.features.met import ITEMS, LOG, USERS, A

MET = A > 0
USERS_ROWS = np.arange(USERS, dtype=np.int32)


def wanted() -> np.ndarray:
    """R A' A without what was met, as a dense matrix."""
    scores = MET.astype(float) @ A.T @ A
    return np.where(MET, 0, scores)


@pytest.mark.parametrize("count", [1, 2, ITEMS])
def test_they_are_the_best_of_the_linear_filter_in_proportion(count):
    near, scores = Neighbours.of(LOG, count), wanted()
    for user in range(USERS):
        part = slice(*near.offsets[user : user + 2])
        best = np.sort(scores[user])[::-1][:count]
        total = best[best > 0].sum()
        expected = np.sort(best[best > 0])[::-1] / max(total, 1e-9)
        np.testing.assert_allclose(np.sort(near.shares[part])[::-1], expected, rtol=1e-5)
        of_items = scores[user, near.items[part]]
        np.testing.assert_allclose(near.shares[part], of_items / max(total, 1e-9), rtol=1e-5)
        assert not MET[user, near.items[part]].any()


def test_a_log_is_read_in_pieces_like_whole(monkeypatch):
    whole = Neighbours.of(LOG, 3)
    monkeypatch.setattr("recsys.towers.neighbours._AT_ONCE", 1)
    pieces = Neighbours.of(LOG, 3)
    for name in ("offsets", "items", "shares"):
        np.testing.assert_array_equal(getattr(pieces, name), getattr(whole, name))


@pytest.mark.parametrize("counts", ["users", "interactions"])
def test_a_users_weight_is_shared_and_stays_what_it_was(counts):
    loss = SetSoftmax(counts=counts, neighbours=3, neighbours_share=0.25)
    near = Neighbours.of(LOG, 3)
    asked = {"window": 0, "seed": 0, "epoch": 0}
    (plain,) = load_sets(LOG, [USERS_ROWS], loss, **asked)
    (batch,) = load_sets(LOG, [USERS_ROWS], loss, near=near, **asked)
    assert (np.diff(batch["of"]) >= 0).all()
    totals = [np.bincount(each["of"], each["weight"], minlength=USERS) for each in (plain, batch)]
    np.testing.assert_allclose(totals[1], totals[0], rtol=1e-5)
    own = MET[batch["of"], batch["item"]]
    has = np.diff(near.offsets) > 0
    further = np.bincount(batch["of"][~own], batch["weight"][~own], minlength=USERS)
    np.testing.assert_allclose(further, 0.25 * has * totals[0], rtol=1e-5)
    assert has.any() and not has.all()
