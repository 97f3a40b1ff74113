"""The oracle of the sample world, which ranks by the probabilities that items are drawn with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from benchmarks.feed.offline.measures import K, Lists
from data.sample_world.parameters import Parameters
from data.sample_world.world import make_world, play

WORLD = Path("data/sample/world.json")


def oracle_lists() -> Lists:
    """The oracle's lists for every interaction of the test, in the order of the draws."""
    parameters = Parameters(**json.loads(WORLD.read_text(encoding="utf-8"))["parameters"])
    seeds = np.random.SeedSequence(parameters.seed).spawn(5)
    world = make_world(parameters, np.random.default_rng(seeds[0]))
    positions, first = [], []
    for step in play(world, np.random.default_rng(seeds[1])):
        if step.timestamp < world.test_from:
            continue
        chance = step.probability
        positions.append(1 + int((chance > chance[step.item]).sum()))
        best = np.argpartition(-chance, K)[:K]
        first.append(best[np.argsort(-chance[best], kind="stable")])
    return Lists(np.array(positions), np.array(first, np.int32))
