"""Items, users and interactions of the sample world, drawn from a rule that is known exactly.

An item has a topic, a style, a hidden group and an appeal. A user has favourites among the three,
one of which changes. Each interaction is drawn without repetition from a softmax over the available
items. Other modules make words from the topic and pictures from the style.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .lexicon import TOPICS
from .parameters import FIRST_SECOND, LAST_SECOND, Parameters
from .pictures import STYLES

TRAITS = ("topic", "style", "group")
FAVOURITES = {"topic": (0.5, 0.5), "style": (1.0,), "group": (1.0,)}


@dataclass(frozen=True)
class Items:
    """Properties of the items; arrays of shape (items,)."""

    traits: dict[str, np.ndarray]  # trait -> int
    appeal: np.ndarray  # float64, added to the logit
    available_from: np.ndarray  # int64 seconds

    @property
    def cold(self) -> np.ndarray:
        """Whether an item appears only after the training period; bool, shape (items,)."""
        return self.available_from > FIRST_SECOND


@dataclass(frozen=True)
class Preferences:
    """Favourites of one user from a moment until the next preferences begin."""

    begins: int
    favourites: dict[str, frozenset[int]]


@dataclass(frozen=True)
class Step:
    """One draw: user, time, item, and the exact probability of every item before it."""

    user: int
    timestamp: int
    item: int
    probability: np.ndarray  # float64, shape (items,), sums to 1


@dataclass(frozen=True)
class World:
    """All inputs of the draws. `times[u]` are the int64 seconds of the interactions of user u."""

    parameters: Parameters
    items: Items
    preferences: list[list[Preferences]]
    times: list[np.ndarray]
    validation_from: int
    test_from: int


def make_world(parameters: Parameters, rng: np.random.Generator) -> World:
    """Draw the times (they set the splits), then items, then preferences."""
    times = _times(parameters, rng)
    moments = np.sort(np.concatenate(times))
    split = int(parameters.train_share * len(moments))
    second = int((parameters.train_share + parameters.validation_share) * len(moments))
    validation_from, test_from = int(moments[split]), int(moments[second])
    items = _items(parameters, validation_from, test_from, rng)
    preferences = [_preferences(parameters, moments, rng) for moments in times]
    return World(parameters, items, preferences, times, validation_from, test_from)


def play(world: World, rng: np.random.Generator) -> Iterator[Step]:
    """Draw the interactions of each user in time order, user by user."""
    for user, times in enumerate(world.times):
        free = np.ones(world.parameters.items, dtype=bool)
        for begins, until, weights in _regimes(world, user):
            for timestamp in times[(times >= begins) & (times < until)]:
                open_weights = weights * (free & (world.items.available_from <= timestamp))
                heights = np.cumsum(open_weights)
                item = int(np.searchsorted(heights, rng.random() * heights[-1], side="right"))
                yield Step(user, int(timestamp), item, open_weights / heights[-1])
                free[item] = False


def preferences_at(world: World, moment: int) -> np.ndarray:
    """Softmax numerators of all items for every user at a moment, shape (users, items).

    Items that are not yet available have 0. Items of a user's history are not left out.
    """
    current = [
        next(each for each in reversed(changes) if each.begins <= moment)
        for changes in world.preferences
    ]
    logits = np.stack([_logits(world.parameters, world.items, each) for each in current])
    return np.exp(logits) * (world.items.available_from <= moment)


def _regimes(world: World, user: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """(begins, until, softmax numerators of all items) for each of one user's preferences."""
    preferences = world.preferences[user]
    ends = [each.begins for each in preferences[1:]] + [LAST_SECOND + 1]
    for each, until in zip(preferences, ends, strict=True):
        yield each.begins, until, np.exp(_logits(world.parameters, world.items, each))


def _logits(parameters: Parameters, items: Items, preferences: Preferences) -> np.ndarray:
    logits = items.appeal.copy()
    for trait in TRAITS:
        liked = np.isin(items.traits[trait], list(preferences.favourites[trait]))
        logits += getattr(parameters, f"{trait}_strength") * liked
    return logits


def _kinds(parameters: Parameters, trait: str) -> int:
    return {"topic": len(TOPICS), "style": len(STYLES), "group": parameters.groups}[trait]


def _items(
    parameters: Parameters, validation_from: int, test_from: int, rng: np.random.Generator
) -> Items:
    """Balanced, independent traits; cold items become available during validation."""
    count = parameters.items
    traits = {t: rng.permutation(np.arange(count) % _kinds(parameters, t)) for t in TRAITS}
    appeal = rng.normal(0.0, parameters.appeal_spread, size=count)
    available_from = np.full(count, FIRST_SECOND, dtype=np.int64)
    cold = rng.choice(count, size=round(parameters.cold_share * count), replace=False)
    available_from[cold] = rng.integers(validation_from, test_from, size=len(cold))
    return Items(traits, appeal, available_from)


def _times(parameters: Parameters, rng: np.random.Generator) -> list[np.ndarray]:
    """Moments of each user: strictly increasing seconds, the first when the user joins."""
    weights = np.exp(rng.normal(0.0, parameters.activity_spread, size=parameters.users))
    spare = parameters.interactions - parameters.users * parameters.shortest_history
    counts = parameters.shortest_history + rng.multinomial(spare, weights / weights.sum())
    times = []
    for count in counts:
        latest = FIRST_SECOND + parameters.latest_join * (LAST_SECOND - FIRST_SECOND)
        join = int(rng.integers(FIRST_SECOND, int(latest)))
        later = rng.choice(LAST_SECOND - join, size=count - 1, replace=False) + join + 1
        times.append(np.concatenate([[join], np.sort(later)]).astype(np.int64))
    return times


def _preferences(
    parameters: Parameters, times: np.ndarray, rng: np.random.Generator
) -> list[Preferences]:
    """The first favourites, then one of them replaced at each of some random moments."""
    favourites = {}
    for trait in TRAITS:
        many = 1 + rng.choice(len(FAVOURITES[trait]), p=FAVOURITES[trait])
        chosen = rng.choice(_kinds(parameters, trait), size=many, replace=False)
        favourites[trait] = frozenset(int(kind) for kind in chosen)
    preferences = [Preferences(FIRST_SECOND, favourites)]
    span = int(parameters.latest_change * (LAST_SECOND - times[0]))
    for moment in np.sort(times[0] + rng.integers(span, size=parameters.changes)):
        trait = TRAITS[rng.integers(len(TRAITS))]
        replaced = _replace_one(favourites[trait], _kinds(parameters, trait), rng)
        favourites = favourites | {trait: replaced}
        preferences.append(Preferences(int(moment), favourites))
    return preferences


def _replace_one(
    favourites: frozenset[int], kinds: int, rng: np.random.Generator
) -> frozenset[int]:
    lost = sorted(favourites)[rng.integers(len(favourites))]
    others = [kind for kind in range(kinds) if kind not in favourites]
    return favourites - {lost} | {others[rng.integers(len(others))]}
