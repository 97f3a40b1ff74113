"""Configuration of a comparison: the settings that all variants share, and the variants."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from recsys.config import Config, load_config, seeded
from recsys.encoders import ImageEncoderConfig, TextEncoderConfig
from recsys.pipeline.config import DataConfig, RunConfig
from recsys.ranking import PairTrainConfig, SparsePairConfig, VectorPairConfig
from recsys.splits import ColdItemsConfig, SplitConfig
from recsys.towers.config import TowersConfig, TrainConfig

Kind = Literal["text", "image"]
TOWER_INPUTS = ("blocks", "item_id", "terms", "context")
"""Keys of the towers that follow from the variant, or would add inputs to its content."""


class PlainScorerConfig(Config):
    """A scorer without settings.

    Attributes:
        name: "content": the vectors alone (a user is the mean of their items), and inside the two
            towers; "ids": the towers without content; "random"; "popularity".
    """

    name: Literal["content", "ids", "random", "popularity"] = "content"


class PairScorerConfig(Config):
    """A small network over the mean of a user's content vectors and an item's vector.

    Attributes:
        network: Sizes of the network.
        train: Training of the network.
    """

    name: Literal["pair-network"] = "pair-network"
    network: VectorPairConfig = VectorPairConfig()
    train: PairTrainConfig = PairTrainConfig()


class EmbeddingPairScorerConfig(Config):
    """A network that learns its own item vectors from histories, without content.

    Attributes:
        network: Sizes of the network.
        train: Training of the network.
    """

    name: Literal["learned-in-task"] = "learned-in-task"
    network: SparsePairConfig = SparsePairConfig(searches=0, now=False)
    train: PairTrainConfig = PairTrainConfig()


ScorerConfig = Annotated[
    PlainScorerConfig | PairScorerConfig | EmbeddingPairScorerConfig,
    Field(discriminator="name"),
]
WITH_CONTENT = ("content", "pair-network")


class ProbeConfig(Config):
    """A linear probe: which values of a categorical column does an item have?

    Attributes:
        column: One of ``data.fields.categories``; the text encoder must not read it.
        encoder: Which of a variant's encoders is probed.
    """

    column: str
    encoder: Kind

    @property
    def name(self) -> str:
        """``column.encoder``."""
        return f"{self.column}.{self.encoder}"


class VariantConfig(Config):
    """A text encoder, an image encoder or both; or a scorer without content.

    Attributes:
        label: Name in the table; the folder's name is derived from it.
        text: Text encoder.
        image: Image encoder.
        reads: Text columns that ``text`` reads; ``data.fields.text`` by default.
        scorer: Scorer built on the vectors.
    """

    label: str = Field(min_length=1, max_length=40)
    text: TextEncoderConfig | None = None
    image: ImageEncoderConfig | None = None
    reads: tuple[str, ...] | None = None
    scorer: ScorerConfig = PlainScorerConfig()

    @property
    def slug(self) -> str:
        """Label as a name of files and figures: small letters, digits and ``_``."""
        return re.sub(r"[^a-z0-9]+", "_", self.label.lower()).strip("_")

    @property
    def encoders(self) -> dict[Kind, Any]:
        """Encoder sections by kind."""
        found: dict[Kind, Any] = {"text": self.text, "image": self.image}
        return {kind: section for kind, section in found.items() if section is not None}

    @model_validator(mode="after")
    def _is_complete(self) -> VariantConfig:
        if not self.slug:
            raise ValueError(f"the label {self.label!r} needs a letter a-z or a digit")
        variant = f"the variant '{self.label}'"
        if self.scorer.name in WITH_CONTENT and not self.encoders:
            raise ValueError(f"{variant} needs a section text or image")
        if self.scorer.name not in WITH_CONTENT and self.encoders:
            raise ValueError(f"{variant} scores without content: leave out text, image")
        if self.reads is not None and self.text is None:
            raise ValueError(f"{variant} has no text encoder that could use 'reads'")
        return self


Baseline = Literal["random", "popularity", "ids"]
BASELINES: dict[Baseline, VariantConfig] = {
    "random": VariantConfig(label="random", scorer=PlainScorerConfig(name="random")),
    "popularity": VariantConfig(label="popularity", scorer=PlainScorerConfig(name="popularity")),
    "ids": VariantConfig(label="ids only", scorer=PlainScorerConfig(name="ids")),
}
"""Variants that precede all others in the table."""


class VariantEvaluationConfig(Config):
    """How variants are measured.

    Attributes:
        ks: Values of k for recall; the first is shown in the table and selects the epoch.
        baselines: Baseline variants.
        resamples: Number of bootstrap resamples for the intervals.
        folds: Number of folds of the linear probes.
        min_items: Minimum number of items with a value; rarer values are not probed.
        timing_sample: Number of contents by which an encoder is timed.
        seed: Seed of the folds, the random scorer and the bootstrap.
    """

    ks: tuple[int, ...] = Field((10, 50), min_length=1)
    baselines: tuple[Baseline, ...] = ("random", "popularity", "ids")
    resamples: int = Field(200, ge=1)
    folds: int = Field(5, ge=2)
    min_items: int = Field(20, ge=2)
    timing_sample: int = Field(500, ge=1)
    seed: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _ks_are_positive(self) -> VariantEvaluationConfig:
        if min(self.ks) < 1:
            raise ValueError(f"every k must be 1 or more; got {list(self.ks)}")
        return self


class ComparisonConfig(Config):
    """Everything that a comparison depends on.

    Attributes:
        name: Name of its folder in ``runs/``.
        seed: Seed of every section that has none of its own.
        data: Files to read.
        split: Split shared by all variants; the default has warm and cold targets.
        towers: Towers of every variant, except their inputs.
        train: Training of the towers.
        train_users: Number of users to train on, drawn by the seed; None for all.
        evaluation: How variants are measured.
        probes: Linear probes of the vectors.
        variants: Variants in the order of the table.

    Example:
        >>> from recsys.config import parse_config
        >>> log = {"format": "csv", "path": "log.csv"}
        >>> variants = [{"label": "words", "text": {"name": "word2vec"}}]
        >>> values = {"name": "mine", "data": {"interactions": log}, "variants": variants}
        >>> [variant.slug for variant in parse_config(values, ComparisonConfig).all_variants]
        ['random', 'popularity', 'ids_only', 'words']
    """

    name: str = Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9._-]*$", max_length=100)
    seed: int = Field(0, ge=0, lt=2**31)
    data: DataConfig
    split: SplitConfig = ColdItemsConfig(warm="last")
    towers: TowersConfig = TowersConfig()
    train: TrainConfig = TrainConfig()
    train_users: int | None = Field(None, ge=1)
    evaluation: VariantEvaluationConfig = VariantEvaluationConfig()
    probes: tuple[ProbeConfig, ...] = ()
    variants: tuple[VariantConfig, ...] = Field(min_length=1)

    @property
    def all_variants(self) -> tuple[VariantConfig, ...]:
        """The baselines, then the variants."""
        return (*(BASELINES[name] for name in self.evaluation.baselines), *self.variants)

    @property
    def run(self) -> RunConfig:
        """The settings that the comparison shares with a run."""
        shared = ("name", "seed", "data", "split", "towers", "train")
        return RunConfig(**{key: getattr(self, key) for key in shared}, attributes="skip")

    @model_validator(mode="after")
    def _labels_differ(self) -> ComparisonConfig:
        seen: dict[str, str] = {}
        for variant in self.all_variants:
            other = seen.get(variant.slug)
            if other == variant.label:
                raise ValueError(f"two variants have the label '{other}'; each needs its own")
            if other is not None:
                raise ValueError(f"the labels '{other}' and '{variant.label}' are too much alike")
            seen[variant.slug] = variant.label
        return self

    @model_validator(mode="after")
    def _variants_have_data(self) -> ComparisonConfig:
        fields = self.data.fields
        for each in self.variants:
            variant = f"the variant '{each.label}'"
            if each.image is not None and (self.data.pictures is None or fields.image is None):
                raise ValueError(f"{variant} needs data.pictures and data.fields.image")
            unknown = [name for name in each.reads or () if name not in fields.text]
            if unknown:
                raise ValueError(
                    f"{variant} reads '{unknown[0]}', which is not in data.fields.text"
                )
        return self

    @model_validator(mode="after")
    def _probes_are_valid(self) -> ComparisonConfig:
        fields = self.data.fields
        for probe in self.probes:
            if probe.column not in fields.categories:
                raise ValueError(
                    f"a probe names '{probe.column}', which is not in data.fields.categories"
                )
            if probe.encoder == "text" and probe.column in fields.text:
                raise ValueError(
                    f"a probe of the text encoder names '{probe.column}', a column that the text "
                    "itself contains; leave the column out of data.fields.text"
                )
        if len({probe.name for probe in self.probes}) < len(self.probes):
            raise ValueError("each probe may be given once")
        return self

    @model_validator(mode="after")
    def _tower_inputs_are_default(self) -> ComparisonConfig:
        default = TowersConfig()
        given = [key for key in TOWER_INPUTS if getattr(self.towers, key) != getattr(default, key)]
        if given:
            raise ValueError(
                f"towers.{given[0]} cannot be set here: each variant determines its inputs"
            )
        return self

    def seeded(self) -> ComparisonConfig:
        """The same configuration with ``seed`` in every section that has none of its own."""
        return seeded(self, self.seed)


def load_comparison_config(path: Path) -> ComparisonConfig:
    """Read a comparison's configuration; every section has its seed.

    Raises:
        ConfigError: The file is missing, is not TOML, or does not fit.
    """
    return load_config(path, ComparisonConfig).seeded()
