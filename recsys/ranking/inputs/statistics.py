"""Statistics of a log before a moment, from which features are computed."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from recsys.config import Config, parse_config
from recsys.errors import DataError
from recsys.files import load_arrays, read_json, save_arrays, write_json
from recsys.ids import Rows, Vectors
from recsys.interactions import Interactions
from recsys.ranking.inputs.transitions import Transitions, ease, followed_by

FORMAT_VERSION = 2
_TRANSITIONS = ("followed", "long", "lately", "preceded", "ease")
_DAY = 86_400.0


class StatisticsConfig(Config):
    """Statistics of a log.

    Attributes:
        half_life_days: Age at which an interaction counts half for the recent popularity. In a log
            of positions every interaction has the same age.
        followed_window: Number of positions after an item in which others follow it; 0 counts none.
        followed_decay: Factor per position.
        followed_shrinkage: Number of interactions added to those of each item.
        long_window: As ``followed_window``, for the items that follow within a longer part of the
            history, or come before.
        long_decay: Factor per position in that window.
        lately_half_life_days: Age at which a pair counts half for the items that followed lately.
        ease_l2: Regularisation of the item-item regression.
        ease_items: Number of most popular items in the regression, which takes time cubic in it.
        neighbours: Number of weights per item that are kept.
    """

    half_life_days: float = Field(14.0, gt=0)
    followed_window: int = Field(5, ge=0, le=100)
    followed_decay: float = Field(0.8, gt=0, le=1)
    followed_shrinkage: float = Field(10.0, ge=0)
    long_window: int = Field(20, ge=0, le=100)
    long_decay: float = Field(0.93, gt=0, le=1)
    lately_half_life_days: float = Field(60.0, gt=0)
    ease_l2: float = Field(300.0, gt=0)
    ease_items: int = Field(5000, ge=0)
    neighbours: int = Field(200, ge=1)


@dataclass(frozen=True, eq=False)
class Statistics:
    """Counts and weights of m items, from the interactions before a moment.

    Attributes:
        config: Configuration.
        before: The moment: no interaction at or after it is counted.
        clock: Meaning of ``before``: seconds since 1970, or positions in the users' histories.
        popularity: Number of interactions per item, float32 ``[m]``.
        recent: Number of interactions per item, each halved per half-life of its age at
            ``before``, float32 ``[m]``.
        followed: Share of the times that an item was followed by another one.
        long: The same in a longer window.
        lately: The same, with each pair halved per half-life of its age.
        preceded: Share of the times that another item came before an item, in the longer window.
        ease: Weights of the item-item regression.

    Example:
        >>> from recsys.ids import IdMap
        >>> log = Interactions.of(IdMap.of("user", ["ann"]), IdMap.of("item", ["lamp", "rug"]),
        ...     user=[0, 0], item=[0, 1], time=[10, 20])
        >>> Statistics.of(log, before=20).popularity.tolist()
        [1.0, 0.0]
    """

    config: StatisticsConfig
    before: int
    clock: Literal["timestamp", "position"]
    popularity: Vectors
    recent: Vectors
    followed: Transitions
    long: Transitions
    lately: Transitions
    preceded: Transitions
    ease: Transitions

    @classmethod
    def of(
        cls,
        log: Interactions,
        *,
        before: int | None = None,
        config: StatisticsConfig | None = None,
    ) -> Statistics:
        """Statistics of the interactions with a time below ``before``; None takes all."""
        config = config or StatisticsConfig()
        last = int(log.time.max()) + 1 if len(log) else 0
        moment = last if before is None else before
        earlier = log if moment >= last else log.take(log.time < moment)
        shares = partial(
            followed_by,
            earlier,
            shrinkage=config.followed_shrinkage,
            neighbours=config.neighbours,
        )
        near = partial(shares, window=config.followed_window, decay=config.followed_decay)
        long = partial(shares, window=config.long_window, decay=config.long_decay)
        return cls(
            config,
            moment,
            log.clock,
            earlier.item_counts.astype(np.float32),
            _recent(earlier, moment, config.half_life_days),
            followed=near(),
            long=long(),
            lately=near(weights=_ages(earlier, moment, config.lately_half_life_days)),
            preceded=long(backwards=True),
            ease=ease(
                earlier,
                l2=config.ease_l2,
                items=config.ease_items,
                neighbours=config.neighbours,
            ),
        )

    def __len__(self) -> int:
        return len(self.popularity)

    def of_rows(self, column: Vectors, rows: Rows) -> Vectors:
        """Values of ``popularity`` or ``recent`` of these items; 0 for later rows."""
        known = rows < len(column)
        return np.where(known, column[np.where(known, rows, 0)], np.float32(0))

    def save(self, folder: Path) -> None:
        """Write ``statistics.json`` and ``statistics.npz`` into ``folder``."""
        arrays: dict[str, npt.NDArray[np.generic]] = {
            "popularity": self.popularity,
            "recent": self.recent,
        }
        for name in _TRANSITIONS:
            weights: Transitions = getattr(self, name)
            arrays |= {
                f"{name}/offsets": weights.offsets,
                f"{name}/items": weights.items,
                f"{name}/weights": weights.weights,
            }
        save_arrays(folder / "statistics.npz", arrays)
        facts = {"format": FORMAT_VERSION, "before": self.before, "clock": self.clock}
        config = self.config.model_dump(mode="json")
        write_json(folder / "statistics.json", {**facts, "config": config})


def load_statistics(folder: Path) -> Statistics:
    """Read what :meth:`Statistics.save` wrote.

    Raises:
        DataError: A file is missing or damaged, or of another format.
    """
    try:
        facts = read_json(folder / "statistics.json")
        arrays = load_arrays(folder / "statistics.npz")
        if facts["format"] != FORMAT_VERSION:
            raise ValueError(f"format {facts['format']!r}; expected {FORMAT_VERSION}")
        before, clock = int(facts["before"]), facts["clock"]
        if clock not in ("timestamp", "position"):
            raise ValueError(f"clock {clock!r:.40}")
        popularity, recent = (arrays[name].astype(np.float32) for name in ("popularity", "recent"))
        found = {name: _transitions(arrays, name, len(popularity)) for name in _TRANSITIONS}
        values = facts["config"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"cannot read the ranker's statistics in {folder}: {error}; train again"
        ) from error
    config = parse_config(values, StatisticsConfig, source=str(folder))
    return Statistics(config, before, clock, popularity, recent, **found)


def _transitions(arrays: dict[str, npt.NDArray[np.generic]], name: str, items: int) -> Transitions:
    offsets, rows, weights = (arrays[f"{name}/{part}"] for part in ("offsets", "items", "weights"))
    ascending = len(offsets) == items + 1 and bool((np.diff(offsets.astype(np.int64)) >= 0).all())
    fits = ascending and int(offsets[0]) == 0 and int(offsets[-1]) == len(rows) == len(weights)
    if not fits or not np.isfinite(weights.astype(np.float32)).all():
        raise ValueError(f"'{name}' does not fit {items} items")
    return Transitions(offsets.astype(np.int64), rows.astype(np.int32), weights.astype(np.float32))


def _recent(log: Interactions, moment: int, half_life_days: float) -> Vectors:
    weights = _ages(log, moment, half_life_days)
    return np.bincount(log.item, weights, minlength=len(log.items)).astype(np.float32)


def _ages(log: Interactions, moment: int, half_life_days: float) -> Vectors:
    """Weight of each interaction, halved per half-life of its age; 1 in a log of positions."""
    if log.clock != "timestamp":
        return np.ones(len(log), np.float32)
    return np.exp2((log.time - moment) / (_DAY * half_life_days)).astype(np.float32)
