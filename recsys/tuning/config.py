"""The configuration of a study: the run that it changes, what it tries, and for how long."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, model_validator

from recsys.config import Config, load_config


class Range(Config):
    """Numbers between two bounds, both included.

    Whether they are whole numbers is the key's to say. ``learning_rate`` takes any,
    ``epochs`` whole ones.

    Attributes:
        low: The smallest.
        high: The largest.
        log: Whether they are drawn evenly over their logarithms.
        step: Draw only ``low``, ``low + step``, ``low + 2 step``, ...
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
    """A few values: words, numbers, lists, or whole sections as inline tables.

    Attributes:
        choices: Each of them once.
    """

    choices: tuple[Any, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _each_once(self) -> Choices:
        for at, value in enumerate(self.choices):
            if value in self.choices[:at]:
                raise ValueError(f"{value!r} is there twice")
        return self


def _which(value: Any) -> str:
    chosen = "choices" in value if isinstance(value, dict) else isinstance(value, Choices)
    return "choices" if chosen else "range"


Dimension = Annotated[
    Annotated[Choices, Tag("choices")] | Annotated[Range, Tag("range")], Discriminator(_which)
]


class TpeSampler(Config):
    """Tree-structured Parzen estimators (Bergstra et al., NeurIPS 2011): draws where good trials
    are dense and bad ones rare.

    Attributes:
        startup_trials: So many are drawn at random before.
    """

    name: Literal["tpe"] = "tpe"
    startup_trials: int = Field(10, ge=1)


class RandomSampler(Config):
    """Every draw independent of what was found."""

    name: Literal["random"] = "random"


SamplerConfig = Annotated[TpeSampler | RandomSampler, Field(discriminator="name")]


class MedianPruner(Config):
    """Stops a trial whose best validation figure so far is below the median of the earlier trials'
    figures at the same epoch (Golovin et al., "Google Vizier", KDD 2017).

    Attributes:
        startup_trials: So many are trained to their end before.
        warmup_epochs: No trial is stopped before it has so many.
    """

    name: Literal["median"] = "median"
    startup_trials: int = Field(5, ge=1)
    warmup_epochs: int = Field(2, ge=0)


class HyperbandPruner(Config):
    """Gives most trials few epochs and the best of them more, with several exchange rates of the
    two (Li et al., "Hyperband", JMLR 2018).

    Attributes:
        least_epochs: No trial is stopped before it has so many.
        reduction: Of so many trials one goes on.
    """

    name: Literal["hyperband"] = "hyperband"
    least_epochs: int = Field(1, ge=1)
    reduction: int = Field(3, ge=2)


class NoPruner(Config):
    """Every trial is trained to its end."""

    name: Literal["none"] = "none"


PrunerConfig = Annotated[MedianPruner | HyperbandPruner | NoPruner, Field(discriminator="name")]


class StudyConfig(Config):
    """Everything that a study depends on.

    Attributes:
        name: Its folder below ``runs/``.
        base: The run's TOML file, relative to this one; what the space does not name is as there.
        space: From dotted keys of the run's configuration to what may stand there.
        trials: How many, over all calls.
        minutes: No trial begins later, and the one at work stops, to go on from its last whole
            epoch when there are more of them; over all calls. None sets no limit.
        metric: The validation figure to maximise; None takes the run's ``evaluation.choose_by``.
        sampler: How trials are proposed.
        pruner: Which trials are stopped early.
        seed: Of the proposals.

    Example:
        >>> from recsys.config import parse_config
        >>> space = {"train.loss.temperature": {"low": 0.02, "high": 0.2, "log": True}}
        >>> study = parse_config({"name": "warm", "base": "demo.toml", "space": space}, StudyConfig)
        >>> study.trials, study.sampler.name, study.pruner.name
        (20, 'tpe', 'median')
    """

    name: str = Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$", max_length=90)
    base: str = Field(min_length=1)
    space: dict[str, Dimension] = Field(min_length=1)
    trials: int = Field(20, ge=1, le=100_000)
    minutes: float | None = Field(None, gt=0)
    metric: str | None = Field(None, pattern=r"^(recall|hr|ndcg|mrr)@[1-9][0-9]*$")
    sampler: SamplerConfig = TpeSampler()
    pruner: PrunerConfig = MedianPruner()
    seed: int = Field(0, ge=0, lt=2**31)


def load_study_config(path: Path) -> StudyConfig:
    """Read a study's configuration.

    Raises:
        ConfigError: The file is missing, is not TOML, or does not fit.
    """
    return load_config(path, StudyConfig)
