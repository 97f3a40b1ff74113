"""The closed loop of a feed on the sample world: serve, click, log, retrain, for 20 rounds.

The world is that of ``data/sample_world`` with 4,000 users and 1,000 items, whose users keep their
favourites. The log begins with 16 interactions per user. In each round 500 users get a feed
of ten items, and each has three items in mind, drawn from the world's rule. Those in the feed are
clicked; three in ten of the others are found elsewhere, as by a search, and are in the log, too.
Impressions are logged with the features that were read, and the ranker is trained again on them
and on items held out of the first log; what was found elsewhere counts 1 / 0.3 there, the inverse
of the probability that the log has it.
A tenth of the items is added while the loop runs.

The first feed is by popularity. The oracle knows the rule. Its feed is made for each request of the
loop, from the same candidates, and both are compared by their expected clicks. The loop runs
without exploration and with one slot of Thompson sampling over items that were shown seldom.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.feed.world_features import NAMES, features, traits_of
from data.sample_world.parameters import FIRST_SECOND, LAST_SECOND, Parameters
from data.sample_world.world import World, make_world, preferences_at
from recsys.feed.slate import Beliefs, Exploration, Slate, plan_slate
from recsys.ranking import FeatureTable, LinearScorer, PairContext, Scorer
from recsys.ranking.config import BoostedConfig
from recsys.ranking.learning import TrainingTable, fit_boosted

USERS, ITEMS, VISITS, ROUNDS = 4000, 1000, 500, 20
SLOTS, INTENTS, FOUND, START, HELD = 10, 3, 0.3, 16, 4
SHOWN_SELDOM, POOL = 60, 5
UNSHOWN = 30
"""Number of candidates per request that were not shown and are logged for the training."""
TREES = BoostedConfig(rounds=100, leaves=15, learning_rate=0.12)
POPULARITY = LinearScorer.of_weights(dict.fromkeys(NAMES, 0.0) | {"popularity": 1.0})
Floats = npt.NDArray[np.float64]
ARMS: dict[str, tuple[int, ...]] = {"without exploration": (), "with exploration": (SLOTS - 1,)}
"""Exploring slots by name."""


@dataclass(eq=False)
class Loop:
    """The state of the loop.

    Attributes:
        world: Items, users and the rule.
        explores: Slots that explore.
        visits: Number of users per round.
        rng: Draws of users, intents and slates.
        taken: Whether a user has interacted with an item, bool ``[users, items]``.
        shown: Number of times that an item was shown to a user, int16 ``[users, items]``.
        clicks: Number of clicks on each item in feeds, int64 ``[items]``.
        impressions: Number of feeds with each item, int64 ``[items]``.
        log: Logged examples per request: round, features, clicks and weights.
    """

    world: World
    explores: tuple[int, ...]
    visits: int
    rng: np.random.Generator
    taken: npt.NDArray[np.bool_] = field(init=False)
    shown: npt.NDArray[np.int16] = field(init=False)
    clicks: npt.NDArray[np.int64] = field(init=False)
    impressions: npt.NDArray[np.int64] = field(init=False)
    log: list[tuple[int, FeatureTable, npt.NDArray[np.bool_], npt.NDArray[np.float32]]] = field(
        default_factory=list
    )

    def __post_init__(self) -> None:
        weights = preferences_at(self.world, FIRST_SECOND)
        self.taken = np.zeros(weights.shape, np.bool_)
        self.shown = np.zeros(weights.shape, np.int16)
        self.clicks = np.zeros(weights.shape[1], np.int64)
        self.impressions = np.zeros(weights.shape[1], np.int64)
        for user, own in enumerate(weights / weights.sum(axis=1, keepdims=True)):
            self.taken[user, self.rng.choice(len(own), START, replace=False, p=own)] = True

        self._learn_from_start()

    def _learn_from_start(self) -> None:
        """Examples of the first log: the last items of some users, given their others."""
        users = self.rng.choice(len(self.taken), min(6 * self.visits, len(self.taken)), False)
        earlier, held = self.taken.copy(), []
        for user in users:
            held.append(self.rng.choice(np.flatnonzero(self.taken[user]), HELD, replace=False))
            earlier[user, held[-1]] = False
        values = features(traits_of(self.world), earlier, self.shown, self.clicks, users)
        for own, items, user in zip(values, held, users):
            others = np.flatnonzero(~self.taken[user] & ~self.world.items.cold)
            none = items[:0]
            self._add_examples(0, own, others, shown=items, clicked=items, found=none)

    def run(self, rounds: int) -> Iterator[dict[str, float]]:
        """Serve all rounds; the figures per feed of each."""
        for number in range(rounds):
            moment = FIRST_SECOND + (number + 1) * (LAST_SECOND - FIRST_SECOND) // (rounds + 1)
            yield {"round": number + 1, **self._round(number, moment)}

    def _round(self, number: int, moment: int) -> dict[str, float]:
        users = self.rng.choice(len(self.taken), self.visits, replace=False)
        chances = preferences_at(self.world, moment)[users] * ~self.taken[users]
        chances /= chances.sum(axis=1, keepdims=True)
        values = features(traits_of(self.world), self.taken, self.shown, self.clicks, users)
        scores = self._scores(number, values)
        totals = [
            self._visit(number, user, *each)
            for user, each in zip(users.tolist(), zip(chances, values, scores))
        ]
        return {name: float(np.mean([each[name] for each in totals])) for name in totals[0]}

    def _visit(
        self, number: int, user: int, chance: Floats, values: Floats, scores: Floats
    ) -> dict[str, float]:
        """Serve one user, and log what happens."""
        rows = np.flatnonzero(chance > 0).astype(np.int32)
        slate = self._slate(rows, scores[rows])
        feed, new = rows[slate.positions], self.world.items.cold
        intents = np.unique(self.rng.choice(len(chance), INTENTS, p=chance))
        expected = 1 - (1 - chance) ** INTENTS
        best = np.argpartition(-chance, SLOTS)[:SLOTS]
        clicked = np.intersect1d(intents, feed)
        found = np.setdiff1d(intents, feed)
        found = found[self.rng.random(len(found)) < FOUND]
        taken = np.concatenate([clicked, found])
        others = np.setdiff1d(rows, np.concatenate([feed, found]))
        self._add_examples(number, values, others, shown=feed, clicked=clicked, found=found)
        self.taken[user, taken.astype(np.int32)] = True
        self.shown[user, feed] += 1
        self.impressions[feed] += 1
        self.clicks[clicked] += 1
        return {
            "clicks": len(clicked),
            "expected": expected[feed].sum(),
            "oracle": expected[best].sum(),
            "new": expected[feed[new[feed]]].sum(),
            "new_oracle": expected[best[new[best]]].sum(),
            "new_shown": new[feed].sum(),
        }

    def _add_examples(
        self,
        number: int,
        values: Floats,
        others: npt.NDArray[Any],
        *,
        shown: npt.NDArray[Any],
        clicked: npt.NDArray[Any],
        found: npt.NDArray[Any],
    ) -> None:
        """Log the shown and the found items, and a sample of the others."""
        sample = self.rng.choice(others, UNSHOWN, replace=False)
        logged = np.concatenate([shown, found, sample]).astype(np.int32)
        sizes = (len(shown), len(found), len(sample))
        weights = np.repeat([1, 1 / FOUND, len(others) / UNSHOWN], sizes).astype(np.float32)
        table = FeatureTable(NAMES, values[logged], logged)
        taken = np.isin(logged, np.concatenate([clicked, found]))
        self.log.append((number, table, taken, weights))

    def _slate(self, rows: npt.NDArray[np.int32], scores: Floats) -> Slate:
        order = np.argsort(-scores, kind="stable").astype(np.int32)
        if not self.explores:
            return plan_slate(order, SLOTS).draw(self.rng)
        shown = self.impressions[rows]
        exploration = Exploration(
            slots=self.explores,
            eligible=shown < SHOWN_SELDOM,
            beliefs=Beliefs.from_counts(self.clicks[rows], shown, prior=(1.0, 10.0)),
            most=POOL,
        )
        return plan_slate(order, SLOTS, exploration=exploration).draw(self.rng)

    def _scores(self, number: int, values: Floats) -> Floats:
        """Scores of all items for the users of a round, float32 ``[users, items]``."""
        scorer: Scorer = POPULARITY
        if number:
            moments, tables, taken, weights = zip(*self.log)
            examples = TrainingTable.of(tables, taken, times=moments, weights=weights)
            scorer = fit_boosted(examples, TREES)
        users, items, _ = values.shape
        rows = np.tile(np.arange(items, dtype=np.int32), users)
        table = FeatureTable(NAMES, values.reshape(-1, len(NAMES)), rows)
        return scorer.score(table, PairContext()).reshape(users, items)


def growing_world(users: int, items: int, seed: int) -> World:
    """A world in which a tenth of the items is added during the second quarter of the time."""
    parameters = Parameters(seed=seed, users=users, items=items, interactions=20 * users, changes=0)
    world = make_world(parameters, np.random.default_rng(seed))
    span = LAST_SECOND - FIRST_SECOND
    rng = np.random.default_rng(seed + 1)
    added = FIRST_SECOND + rng.integers(span // 4, span // 2, size=items)
    available = np.where(world.items.cold, added, FIRST_SECOND)
    return replace(world, items=replace(world.items, available_from=available))


def measure(
    _: Path, __: Path, *, seed: int, users: int = USERS, items: int = ITEMS, visits: int = VISITS
) -> dict[str, Any]:
    """The rounds of both arms, and the seconds that they took."""
    world, began = growing_world(users, items, seed), time.perf_counter()
    arms: dict[str, list[dict[str, float]]] = {}
    for name, explores in ARMS.items():
        loop = Loop(world, explores, visits, np.random.default_rng(seed))
        arms[name] = []
        for each in loop.run(ROUNDS):
            arms[name].append(each)
            print(name, {key: round(value, 3) for key, value in each.items()}, flush=True)
    return {"arms": arms, "seconds": time.perf_counter() - began}
