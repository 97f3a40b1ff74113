"""The search space of a study, checked before its first trial, and the configuration of a trial."""

from __future__ import annotations

import copy
import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from recsys.config import parse_config
from recsys.errors import ConfigError
from recsys.pipeline import RunConfig
from recsys.tuning.config import Choices, Range, StudyConfig
from recsys.tuning.keys import Values, check_key, number_kind, set_key

DIGITS = 4
"""Significant digits of a drawn number."""
LONGEST_GRID = 10_000


@dataclass(frozen=True)
class Option:
    """The values of one key.

    Attributes:
        key: Dotted key, as ``train.loss.temperature``.
        kind: Kind of its values.
        low: Smallest number.
        high: Largest number.
        log: Whether numbers are drawn evenly over their logarithms.
        step: Distance between two numbers; None allows any number.
        choices: Choices by the label that is displayed and stored.
    """

    key: str
    kind: Literal["float", "int", "choices"]
    low: float = 0.0
    high: float = 0.0
    log: bool = False
    step: float | None = None
    choices: Mapping[str, Any] | None = None

    def value(self, drawn: Any) -> Any:
        """Value in the configuration of what was drawn."""
        if self.choices is not None:
            return copy.deepcopy(self.choices[drawn])
        if self.kind == "int":
            return int(drawn)
        return min(max(float(f"{drawn:.{DIGITS}g}"), self.low), self.high)

    @property
    def last(self) -> float:
        """Largest number of the grid."""
        if self.step is None:
            return self.high
        return min(self.low + self._steps(self.step) * self.step, self.high)

    def values(self) -> list[Any] | None:
        """All values that may be drawn; None where there is no end of them."""
        if self.choices is not None:
            return list(self.choices)
        if self.low == self.high:
            return [self.value(self.low)]
        step = self.step or (1.0 if self.kind == "int" else None)
        if step is None:
            return None
        count = self._steps(step) + 1
        if count > LONGEST_GRID:
            return None
        numbers = [min(self.low + at * step, self.high) for at in range(count)]
        return [int(number) for number in numbers] if self.kind == "int" else numbers

    def _steps(self, step: float) -> int:
        return math.floor((self.high - self.low) / step + 1e-9)


class SearchSpace:
    """The options of a study over a base configuration.

    Raises:
        ConfigError: A key is unknown or cannot be searched, or a value does not fit it.

    Example:
        >>> from recsys.config import parse_config
        >>> study = {"name": "s", "base": "b.toml", "space": {"train.epochs": {"choices": [1, 2]}}}
        >>> base = {"name": "b", "data": {"interactions": {"format": "csv", "path": "log.csv"}}}
        >>> space = SearchSpace(parse_config(study, StudyConfig), base, source="study.toml")
        >>> list(space.combinations())
        [{'train.epochs': '1'}, {'train.epochs': '2'}]
        >>> space.configured({"train.epochs": "2"})["train"]
        {'epochs': 2}
    """

    def __init__(self, config: StudyConfig, base: Mapping[str, Any], *, source: str) -> None:
        self._base = copy.deepcopy(dict(base))
        if config.metric is not None:
            set_key(self._base, "evaluation.choose_by", config.metric)
        for key in config.space:
            check_key(key)
        # A section precedes the keys inside it, which then change the chosen section.
        ordered = sorted(config.space, key=lambda key: key.count("."))
        self.options = tuple(_option(key, config.space[key]) for key in ordered)
        for option in self.options:
            self._check(option, source)

    def draw(self, draw_option: Callable[[Option], Any]) -> dict[str, Any]:
        """Draw each option that applies, given the options before it."""
        values, found = copy.deepcopy(self._base), {}
        for option in self.options:
            if _applies(values, option):
                found[option.key] = draw_option(option)
                set_key(values, option.key, option.value(found[option.key]))
        return found

    def chosen(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        """Values in the configuration by key."""
        return {each.key: each.value(drawn[each.key]) for each in self.options if each.key in drawn}

    def configured(self, drawn: Mapping[str, Any]) -> Values:
        """Values of a run's TOML file with the drawn values."""
        values = copy.deepcopy(self._base)
        for key, value in self.chosen(drawn).items():
            set_key(values, key, value)
        return values

    def signature(self, drawn: Mapping[str, Any]) -> str:
        """Text that two draws share if and only if they have the same configuration."""
        return json.dumps(self.chosen(drawn))

    def combinations(self) -> Iterator[dict[str, Any]] | None:
        """All combinations, each once; None where there is no end of them."""
        sides = [option.values() for option in self.options]
        if math.prod(len(side) if side is not None else LONGEST_GRID + 1 for side in sides) > (
            LONGEST_GRID
        ):
            return None
        return self._combined([side for side in sides if side is not None])

    def _combined(self, sides: list[list[Any]]) -> Iterator[dict[str, Any]]:
        seen = set()
        for values in itertools.product(*sides):
            given = {option.key: value for option, value in zip(self.options, values)}
            drawn = self.draw(partial(_value_of, given))
            if (mark := json.dumps(drawn)) not in seen:
                seen.add(mark)
                yield drawn

    def _check(self, option: Option, source: str) -> None:
        """Each choice and both ends of a range must be legal by themselves where they apply."""
        ends = [option.low, option.high] if option.choices is None else list(option.choices)
        for end in ends:
            values = copy.deepcopy(self._base)
            if not set_key(values, option.key, option.value(end)):
                continue
            try:
                parse_config(values, RunConfig, source=f"{source}, space.'{option.key}'")
            except ConfigError as error:
                # A value that conflicts with the base only may be legal in another trial.
                if _inside(option.key, error.field):
                    raise


def _value_of(given: Mapping[str, Any], option: Option) -> Any:
    return given[option.key]


def _option(key: str, given: Choices | Range) -> Option:
    if isinstance(given, Choices):
        labels = [label(value) for value in given.choices]
        twice = next((text for text in labels if labels.count(text) > 1), None)
        if twice is not None:
            raise ConfigError(f"two choices of '{key}' read the same: {twice}", field=key)
        return Option(key, "choices", choices=dict(zip(labels, given.choices)))
    kind = number_kind(key)
    if kind is None:
        raise ConfigError(
            f"'{key}' takes no numbers, so it has no range: write choices = [...]", field=key
        )
    numbers = [given.low, given.high, given.step or 0.0]
    if kind == "int" and any(number != int(number) for number in numbers):
        raise ConfigError(
            f"'{key}' takes whole numbers; low {given.low:g}, high {given.high:g}"
            + (f", step {given.step:g}" if given.step else ""),
            field=key,
        )
    return Option(key, kind, given.low, given.high, given.log, given.step)


def label(value: Any) -> str:
    """Short text of a value.

    Example:
        >>> label({"name": "mean", "window": 40}), label(["text", "image"]), label(0.05)
        ('mean(window=40)', '[text, image]', '0.05')
    """
    if isinstance(value, dict):
        rest = {key: part for key, part in value.items() if key != "name"}
        inside = ", ".join(f"{key}={label(part)}" for key, part in rest.items())
        return f"{value.get('name', '')}({inside})" if inside else str(value.get("name", "()"))
    if isinstance(value, list | tuple):
        return f"[{', '.join(label(part) for part in value)}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def _applies(values: Values, option: Option) -> bool:
    return set_key(copy.deepcopy(values), option.key, None)


def _inside(key: str, path: str) -> bool:
    """Whether the path of a fault, without the tags of unions, contains the key."""
    parts = iter(path.split("."))
    return all(part in parts for part in key.split("."))
