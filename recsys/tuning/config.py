"""Configuration of a study: the run that it changes, and the options or variants that it tries."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, field_validator, model_validator

from recsys.config import Config, load_config, read_toml

FIGURE = r"^(recall|hr|ndcg|mrr)@[1-9][0-9]*$"
NAME = r"^[a-zA-Z0-9][a-zA-Z0-9._+-]*$"


class Range(Config):
    """Numbers between two bounds, both included; whole numbers where the key takes only those.

    Attributes:
        low: Smallest number.
        high: Largest number.
        log: Whether numbers are drawn evenly over their logarithms.
        step: Distance of the grid that starts at ``low``; None draws any number.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _bounds_fit(self) -> Range:
        if self.low > self.high:
            raise ValueError(f"low must be at most high; got {self.low:g} and {self.high:g}")
        if self.log and self.low <= 0:
            raise ValueError(f"with log = true, low must be more than 0; got {self.low:g}")
        if self.log and self.step is not None:
            raise ValueError("step and log = true do not go together; leave one out")
        return self


class Choices(Config):
    """A list of values: words, numbers, lists, or whole sections as inline tables.

    Attributes:
        choices: Distinct values.
    """

    choices: tuple[Any, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Choices:
        for at, value in enumerate(self.choices):
            if value in self.choices[:at]:
                raise ValueError(f"{value!r} is there twice")
        return self


def _dimension_kind(value: Any) -> str:
    chosen = "choices" in value if isinstance(value, dict) else isinstance(value, Choices)
    return "choices" if chosen else "range"


Dimension = Annotated[
    Annotated[Choices, Tag("choices")] | Annotated[Range, Tag("range")],
    Discriminator(_dimension_kind),
]


class TpeSampler(Config):
    """Tree-structured Parzen estimators (Bergstra et al., NeurIPS 2011).

    Attributes:
        startup_trials: Number of random trials before the first estimate.
    """

    name: Literal["tpe"] = "tpe"
    startup_trials: int = Field(10, ge=1)


class RandomSampler(Config):
    """Independent random trials."""

    name: Literal["random"] = "random"


SamplerConfig = Annotated[TpeSampler | RandomSampler, Field(discriminator="name")]


class MedianPruner(Config):
    """Stops a trial whose best validation figure so far is below the median of earlier trials at
    the same epoch (Golovin et al., "Google Vizier", KDD 2017).

    Attributes:
        startup_trials: Number of trials that are never stopped.
        warmup_epochs: Number of epochs before a trial may be stopped.
    """

    name: Literal["median"] = "median"
    startup_trials: int = Field(5, ge=1)
    warmup_epochs: int = Field(2, ge=0)


class HyperbandPruner(Config):
    """Several brackets of successive halving (Li et al., "Hyperband", JMLR 2018).

    Attributes:
        least_epochs: Number of epochs before a trial may be stopped.
        reduction: Factor by which the number of trials shrinks per round.
    """

    name: Literal["hyperband"] = "hyperband"
    least_epochs: int = Field(1, ge=1)
    reduction: int = Field(3, ge=2)


class NoPruner(Config):
    """Trains every trial to its end."""

    name: Literal["none"] = "none"


PrunerConfig = Annotated[MedianPruner | HyperbandPruner | NoPruner, Field(discriminator="name")]


class StudyConfig(Config):
    """A search of a space of options.

    Attributes:
        name: Name of the study and of its folder below ``runs/``.
        base: Path of the run's TOML file, relative to the study's file.
        space: Options by dotted key of the run's configuration.
        trials: Number of trials, over all calls.
        minutes: Training time after which no trial starts and the running one is interrupted, over
            all calls; None sets no limit.
        metric: Validation figure to maximise; None takes the run's ``evaluation.choose_by``.
        sampler: Method that proposes trials.
        pruner: Rule that stops trials early.
        seed: Seed of the proposals.

    Example:
        >>> from recsys.config import parse_config
        >>> space = {"train.loss.temperature": {"low": 0.02, "high": 0.2, "log": True}}
        >>> study = parse_config({"name": "warm", "base": "demo.toml", "space": space}, StudyConfig)
        >>> study.trials, study.sampler.name, study.pruner.name
        (20, 'tpe', 'median')
    """

    name: str = Field(pattern=NAME, max_length=90)
    base: str = Field(min_length=1)
    space: dict[str, Dimension] = Field(min_length=1)
    trials: int = Field(20, ge=1, le=100_000)
    minutes: float | None = Field(None, gt=0)
    metric: str | None = Field(None, pattern=FIGURE)
    sampler: SamplerConfig = TpeSampler()
    pruner: PrunerConfig = MedianPruner()
    seed: int = Field(0, ge=0, lt=2**31)


class Variant(Config):
    """A named change of a study's run.

    Attributes:
        name: Name, unique in the study.
        description: Description in one line.
        changes: Values by dotted key of the run's configuration.
        without: Dotted keys that are removed from the run's file.
        seeds: Training seeds; None takes the study's.
        shared: Whether the changes that all variants share apply to it.
    """

    name: str = Field(pattern=NAME, max_length=60)
    description: str = ""
    changes: dict[str, Any] = Field(default_factory=dict)
    without: tuple[str, ...] = ()
    seeds: tuple[int, ...] | None = Field(None, min_length=1)
    shared: bool = True


class VariantStudyConfig(Config):
    """A comparison of an explicit list of variants, as of an ablation.

    Attributes:
        name: Name of the study and of its folder below ``runs/``.
        title: Title of its table.
        base: Path of the run's TOML file, relative to the study's file.
        without: Dotted keys that are removed from the run's file for all variants.
        changes: Values by dotted key that all variants share.
        variants: Variants; the others are compared with the first.
        seeds: Training seeds per variant.
        metrics: Figures to report; the first orders the table. Empty takes
            ``evaluation.choose_by``.

    Example:
        >>> from recsys.config import parse_config
        >>> variants = [{"name": "base"}, {"name": "wide", "changes": {"towers.dimension": 128}}]
        >>> parsed = {"name": "widths", "base": "demo.toml", "variants": variants}
        >>> [each.name for each in parse_config(parsed, VariantStudyConfig).variants]
        ['base', 'wide']
    """

    name: str = Field(pattern=NAME, max_length=90)
    title: str = ""
    base: str = Field(min_length=1)
    without: tuple[str, ...] = ()
    changes: dict[str, Any] = Field(default_factory=dict)
    variants: tuple[Variant, ...] = Field(min_length=1)
    seeds: tuple[int, ...] = Field((1,), min_length=1)
    metrics: tuple[Annotated[str, Field(pattern=r"^[a-z_]+@[1-9][0-9]*$")], ...] = ()

    @field_validator("variants")
    @classmethod
    def _distinct_names(cls, variants: tuple[Variant, ...]) -> tuple[Variant, ...]:
        names = [variant.name for variant in variants]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"two variants are named '{twice}'")
        return variants


def load_study_config(path: Path) -> StudyConfig | VariantStudyConfig:
    """Read a study's configuration: a list of variants where the file has one, else a search.

    Raises:
        ConfigError: The file is missing, is not TOML, or does not fit.
    """
    if "variants" in read_toml(path):
        return load_config(path, VariantStudyConfig)
    return load_config(path, StudyConfig)
