"""Statistics of a log before a moment."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recsys.errors import DataError
from recsys.ranking import Statistics, StatisticsConfig
from recsys.ranking.inputs import load_statistics
from tests.ranking.ranker_worlds import chain_log

CONFIG = StatisticsConfig(ease_l2=5.0, neighbours=8, half_life_days=0.1)


def same(first: Statistics, second: Statistics) -> bool:
    pairs = [(first.popularity, second.popularity), (first.recent, second.recent)]
    for name in ("followed", "ease"):
        one, other = getattr(first, name), getattr(second, name)
        pairs += [(getattr(one, part), getattr(other, part)) for part in vars(one)]
    return all(np.array_equal(one, other) for one, other in pairs)


def test_nothing_at_or_after_the_moment_is_read() -> None:
    log = chain_log()
    moment = int(np.median(log.time))
    changed = log.take((log.time < moment) | (log.item % 3 == 0))
    assert len(changed) < len(log)
    assert same(
        Statistics.of(log, before=moment, config=CONFIG),
        Statistics.of(changed, before=moment, config=CONFIG),
    )


def test_recent_interactions_count_more() -> None:
    log = chain_log()
    moment = int(log.time.max()) + 1
    ages = (moment - log.time) / 8640
    expected = np.bincount(log.item, 0.5**ages, minlength=len(log.items))
    found = Statistics.of(log, config=CONFIG)
    np.testing.assert_allclose(found.recent, expected, rtol=1e-5)
    assert found.popularity.sum() == len(log)


def test_saved_statistics_are_equal(tmp_path: Path) -> None:
    made = Statistics.of(chain_log(), config=CONFIG)
    made.save(tmp_path)
    loaded = load_statistics(tmp_path)
    assert same(made, loaded) and vars(made).keys() == vars(loaded).keys()
    assert (loaded.before, loaded.clock, loaded.config) == (made.before, made.clock, made.config)


def test_damaged_statistics_are_refused(tmp_path: Path) -> None:
    Statistics.of(chain_log(), config=CONFIG).save(tmp_path)
    (tmp_path / "statistics.npz").write_bytes(b"PK")
    with pytest.raises(DataError, match="cannot read the ranker's statistics"):
        load_statistics(tmp_path)
