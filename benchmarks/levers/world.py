"""A world: a data set, the pair of towers that stands in its middle, and what is changed of it."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from benchmarks.quality.datasets import DataSet
from recsys.config import parse_config, read_toml
from recsys.errors import ConfigError
from recsys.pipeline import RunConfig
from recsys.tuning.keys import put

BASE = "base"
REMOVED = "d2ab8ff"
"""The last commit that had the options that lost on every data set."""
Changes = Mapping[str, Any]
"""From dotted keys of a configuration to what stands there instead."""
ONE_PAIR: Changes = {
    "train.members": [],
    "train.distillation": None,
}
ASKED = ("split", "towers", "train")
"""Sections that training depends on, beside what was encoded."""


@dataclass(frozen=True, eq=False)
class Variant:
    """One lever.

    Attributes:
        name: In the names of figures.
        told: What it is, in a line, with its paper.
        changes: What is otherwise.
        of: What it is a change of: the ``base``, or the ``preset`` as it is.
        last_commit: Last commit that had the option; empty where it still exists. The figures of a
            removed option stay in the record and on the page.
    """

    name: str
    told: str
    changes: Changes = field(default_factory=dict)
    of: Literal["base", "preset"] = "base"
    last_commit: str = ""


@dataclass(frozen=True, eq=False)
class World:
    """What is compared with one another.

    Attributes:
        name: In the names of figures.
        title: What a reader calls it.
        data: The data set.
        settled: What of its configuration is otherwise in all variants.
        variants: Each with its own change.
        judged: On which part.
        metrics: What is told of each; what tells the best is the first.
        seeds: Of the base, and of the others.
        note: What a reader of its table must know beside it.
    """

    name: str
    title: str
    data: DataSet
    settled: Changes
    variants: tuple[Variant, ...]
    judged: Literal["validation", "test"]
    metrics: tuple[str, ...]
    seeds: tuple[tuple[int, ...], tuple[int, ...]] = ((1, 2, 3), (1,))
    note: str = ""

    def changes_of(self, variant: Variant) -> dict[str, Any]:
        """All that is otherwise than in the preset."""
        return {**(self.settled if variant.of == "base" else {}), **variant.changes}

    def seeds_of(self, variant: Variant) -> tuple[int, ...]:
        """With which seeds it is trained, where nobody says."""
        return self.seeds[0] if variant.name == BASE else self.seeds[1]

    def kept(self) -> list[Variant]:
        """The variants that still exist and are not, as the preset now is, what the base is."""
        base = asked(self, self.variants[0])
        existing = (each for each in self.variants[1:] if not each.last_commit)
        return [self.variants[0], *(each for each in existing if asked(self, each) != base)]


def asked(world: World, variant: Variant) -> dict[str, Any]:
    """What the variant's training depends on, as JSON."""
    config = changed(world.data.config, world.changes_of(variant))
    return config.model_dump(mode="json", include=set(ASKED))


def changed(path: Path, changes: Changes) -> RunConfig:
    """The run of a configuration file with other values at some of its keys.

    Raises:
        ConfigError: A section has no such key, or the whole does not fit.
    """
    values = read_toml(path)
    for key, value in changes.items():
        if not put(values, key, deepcopy(value)):
            raise ConfigError(f"{path} has no key '{key}' with what it chooses", field=key)
    return parse_config(values, RunConfig, source=str(path)).seeded()
