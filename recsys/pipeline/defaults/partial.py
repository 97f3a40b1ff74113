"""Configurations with sections that are chosen from the data, and how they become complete.

A section that a configuration holds takes its class's defaults for missing keys. A section that it
leaves out is chosen once the data are ingested. Overrides are merged over both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from recsys.config import parse_config
from recsys.pipeline.config import DataConfig, RunConfig
from recsys.pipeline.defaults.profile import DataProfile
from recsys.pipeline.defaults.rules import RULES, Choice, choose
from recsys.ranking import RankerConfig

ENCODED = {"text": "texts", "image": "pictures"}
"""Sections of encoders, and the field of the profile with the share of items that have content."""
KINDS = ("name", "protocol", "kind", "format")
"""Keys that state the kind of a section; settings of another kind are not merged."""


@dataclass(frozen=True, eq=False)
class CompleteConfig:
    """A run's configuration in which every section has its settings.

    Attributes:
        config: The configuration, with its seeds.
        choices: Choices made from the data.
        values: The configuration as TOML values.
    """

    config: RunConfig
    choices: tuple[Choice, ...]
    values: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class PartialConfig:
    """A run's configuration whose missing sections are chosen from the data.

    Attributes:
        values: Values of the configuration, as in TOML.
        overrides: Values that are merged over those given and those chosen; None leaves a section
            out.
        source: Name of the configuration in messages.

    Raises:
        ConfigError: A section that is given is not valid.

    Example:
        >>> log = {"format": "csv", "path": "log.csv"}
        >>> mine = PartialConfig({"name": "mine", "data": {"interactions": log}},
        ...                      {"towers": {"dimension": 32}})
        >>> made = mine.complete(DataProfile(users=900, items=500, interactions=9_000))
        >>> made.config.towers.dimension, made.config.split.protocol
        (32, 'leave-last-out')
    """

    values: Mapping[str, Any]
    overrides: Mapping[str, Any] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        self._given  # noqa: B018  a fault in a given section is reported before the data are read

    @cached_property
    def _given(self) -> RunConfig:
        """The sections that are given; spaces may need an encoder that is yet to be chosen."""
        later = {"spaces", "serve"} if self.absent & set(ENCODED) else set[str]()
        merged = merge(self.values, {k: self.overrides[k] for k in self.overrides.keys() - RULES})
        given = {name: value for name, value in merged.items() if name not in later}
        return parse_config(given, RunConfig, source=self.source)

    @property
    def absent(self) -> set[str]:
        """Names of the sections to choose."""
        return {*RULES, "spaces"} - self.values.keys()

    @property
    def needs_data(self) -> bool:
        """Whether a section may get other settings than its class's defaults."""
        has_texts = bool(self.data.fields.text) or "items" in self.data.stores
        contents = {"text": has_texts, "image": self.data.has_pictures}
        empty = {name for name, exists in contents.items() if not exists}
        return bool(self.absent - empty - {"spaces"})

    @property
    def name(self) -> str:
        """Name of the run."""
        return self._given.name

    @property
    def ranker(self) -> RankerConfig | None:
        """The ranker, or None."""
        return self._given.ranker

    @property
    def data(self) -> DataConfig:
        """Files to read."""
        return self._given.data

    def complete(self, profile: DataProfile) -> CompleteConfig:
        """The configuration with all its sections.

        Raises:
            ConfigError: It is not valid together with the overrides.
        """
        stated = {**self.values, **self.overrides}
        without = {
            field: 0.0
            for name, field in ENCODED.items()
            if name in stated and stated[name] in (None, "none")
        }
        rules = choose(replace(profile, **without))  # type: ignore[arg-type]
        choices = [rules[name] for name in RULES if name in self.absent]
        chosen = {each.section: each.settings for each in choices if each.settings is not None}
        if "spaces" in self.absent:
            chosen["spaces"] = ["two_tower", *(name for name in ENCODED if name in chosen)]
        # An encoder that is left out is stated, so that the values have the same meaning as a file.
        encoders = dict.fromkeys(ENCODED, "none")
        values = encoders | merge({**self.values, **chosen}, self.overrides)
        config = parse_config(values, RunConfig, source=self.source).seeded()
        return CompleteConfig(config, tuple(choices), values)


def merge(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with ``changes``: sections key by key, None removes a key.

    A section of another kind (its name or protocol) replaces the one before.

    Example:
        >>> merge({"towers": {"dimension": 64, "history": {"name": "hstu", "blocks": 6}}},
        ...       {"towers": {"history": {"name": "mean"}}})
        {'towers': {'dimension': 64, 'history': {'name': 'mean'}}}
    """
    merged = dict(values)
    for key, change in changes.items():
        old = merged.get(key)
        if change is None:
            merged.pop(key, None)
        elif isinstance(change, Mapping):
            same = isinstance(old, Mapping) and not _differ(old, change, KINDS)
            merged[key] = merge(old if same and isinstance(old, Mapping) else {}, change)
        else:
            merged[key] = change
    return merged


def _differ(old: Mapping[str, Any], new: Mapping[str, Any], keys: Sequence[str]) -> bool:
    return any(key in new and key in old and new[key] != old[key] for key in keys)
