"""The configuration of a comparison: what all variants share, and the variants."""

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
KINDS: tuple[Kind, ...] = ("text", "image")
DECIDED_BY_VARIANTS = ("blocks", "item_id", "terms", "context")
"""Keys of the towers that follow from the variant or would add inputs to its content."""


class ContentScorer(Config):
    """Content vectors alone (a user is the mean of their items), and inside the two towers."""

    name: Literal["content"] = "content"


class IdsScorer(Config):
    """The two towers without any content: what the ids alone know."""

    name: Literal["ids"] = "ids"


class RandomScorer(Config):
    """Chance."""

    name: Literal["random"] = "random"


class PopularityScorer(Config):
    """How often training met an item."""

    name: Literal["popularity"] = "popularity"


class PairNetworkScorer(Config):
    """A small network over the mean of a user's vectors and an item's: taken or not?

    Attributes:
        network: Its sizes.
        train: How it is trained.
    """

    name: Literal["pair-network"] = "pair-network"
    network: VectorPairConfig = VectorPairConfig()
    train: PairTrainConfig = PairTrainConfig()


class LearnedScorer(Config):
    """A network that learns its items in the task itself, from histories and nothing else.

    Attributes:
        network: Its sizes.
        train: How it is trained.
    """

    name: Literal["learned-in-task"] = "learned-in-task"
    network: SparsePairConfig = SparsePairConfig(searches=0, now=False)
    train: PairTrainConfig = PairTrainConfig()


ScorerConfig = Annotated[
    ContentScorer | IdsScorer | RandomScorer | PopularityScorer | PairNetworkScorer | LearnedScorer,
    Field(discriminator="name"),
]
WITH_CONTENT = ("content", "pair-network")


Baseline = Literal["random", "popularity", "ids"]


class ProbeConfig(Config):
    """A question to the vectors: which values of a categorical column does an item have.

    Attributes:
        column: One of ``data.fields.categories``, and none that the text encoder reads.
        of: Which of a variant's encoders is asked.
    """

    column: str
    of: Kind

    @property
    def name(self) -> str:
        """``column.of``."""
        return f"{self.column}.{self.of}"


class VariantConfig(Config):
    """One variant: an encoder of words, one of pictures, or both; or a scorer without any.

    Attributes:
        label: What people read; it names the variant's folder, too.
        text: The encoder of words.
        image: The encoder of pictures.
        reads: The text columns that ``text`` reads; without it ``data.fields.text``.
        scorer: What is made of the vectors.
    """

    label: str = Field(min_length=1, max_length=40)
    text: TextEncoderConfig | None = None
    image: ImageEncoderConfig | None = None
    reads: tuple[str, ...] | None = None
    scorer: ScorerConfig = ContentScorer()

    @property
    def slug(self) -> str:
        """The label as a name of files and figures: small letters, digits and ``_``."""
        return re.sub(r"[^a-z0-9]+", "_", self.label.lower()).strip("_")

    @property
    def encoders(self) -> dict[Kind, Any]:
        """Its encoder sections, by kind."""
        found: dict[Kind, Any] = {"text": self.text, "image": self.image}
        return {kind: section for kind, section in found.items() if section is not None}

    @model_validator(mode="after")
    def _can_be_made(self) -> VariantConfig:
        if not self.slug:
            raise ValueError(f"the label {self.label!r} needs a letter a-z or a digit")
        if self.scorer.name in WITH_CONTENT and not self.encoders:
            raise ValueError(f"the variant '{self.label}' needs a section text or image")
        if self.scorer.name not in WITH_CONTENT and self.encoders:
            raise ValueError(
                f"the variant '{self.label}' scores without content: leave out text, image"
            )
        if self.reads is not None and self.text is None:
            raise ValueError(
                f"the variant '{self.label}' has no text encoder that could use 'reads'"
            )
        return self


BASELINES: dict[Baseline, VariantConfig] = {
    "random": VariantConfig(label="random", scorer=RandomScorer()),
    "popularity": VariantConfig(label="popularity", scorer=PopularityScorer()),
    "ids": VariantConfig(label="ids only", scorer=IdsScorer()),
}
"""The variants that stand before all others, by name."""


class VariantEvaluationConfig(Config):
    """How variants are measured.

    Attributes:
        ks: At which k recall is taken; the first is that of the table, and chooses the epoch.
        baselines: Rows put before the others.
        resamples: Of the bootstrap that gives the intervals.
        folds: Of the linear probes.
        least: A category that fewer items have is no question for a probe.
        timed: How many contents an encoder is timed by.
        seed: Of the folds, of chance and of the bootstrap.
    """

    ks: tuple[int, ...] = Field((10, 50), min_length=1)
    baselines: tuple[Baseline, ...] = ("random", "popularity", "ids")
    resamples: int = Field(200, ge=1)
    folds: int = Field(5, ge=2)
    least: int = Field(20, ge=2)
    timed: int = Field(500, ge=1)
    seed: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _ks_count(self) -> VariantEvaluationConfig:
        if min(self.ks) < 1:
            raise ValueError(f"every k must be 1 or more; got {list(self.ks)}")
        return self


class ComparisonConfig(Config):
    """Everything that a comparison depends on.

    Attributes:
        name: Its folder below ``runs/``.
        seed: Given to every section that has a seed and was not given its own.
        data: What is read.
        split: One split for all variants; to judge warm *and* cold items it must ask for both.
        towers: What the towers of every variant are like; their inputs are the variant's.
        train: How they are trained.
        train_users: The towers learn from so many users, drawn by the seed; None is all.
        evaluation: How variants are measured.
        probes: What the vectors are asked for.
        variants: In the order of the table.

    Example:
        >>> from recsys.config import parse_config
        >>> log = {"format": "csv", "path": "log.csv"}
        >>> variants = [{"label": "words", "text": {"name": "word2vec"}}]
        >>> values = {"name": "mine", "data": {"interactions": log}, "variants": variants}
        >>> [variant.slug for variant in parse_config(values, ComparisonConfig).every_variant]
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
    def every_variant(self) -> tuple[VariantConfig, ...]:
        """The baselines, then the variants."""
        return (*(BASELINES[name] for name in self.evaluation.baselines), *self.variants)

    @property
    def run(self) -> RunConfig:
        """What the comparison has in common with a run."""
        return RunConfig(
            name=self.name,
            seed=self.seed,
            data=self.data,
            split=self.split,
            towers=self.towers,
            train=self.train,
            attributes="skip",
        )

    @model_validator(mode="after")
    def _variants_have_names_of_their_own(self) -> ComparisonConfig:
        seen: dict[str, str] = {}
        for variant in self.every_variant:
            other = seen.setdefault(variant.slug, variant.label)
            if other is not variant.label:
                raise ValueError(f"the labels '{other}' and '{variant.label}' are too much alike")
        slugs = [variant.slug for variant in self.every_variant]
        twice = next((slug for slug in slugs if slugs.count(slug) > 1), None)
        if twice is not None:
            raise ValueError(f"two variants have the label '{seen[twice]}'; each needs its own")
        return self

    @model_validator(mode="after")
    def _variants_can_be_read(self) -> ComparisonConfig:
        fields = self.data.fields
        for variant in self.variants:
            if variant.image is not None and (self.data.pictures is None or fields.image is None):
                raise ValueError(
                    f"the variant '{variant.label}' needs data.pictures and data.fields.image"
                )
            strange = [name for name in variant.reads or () if name not in fields.text]
            if strange:
                raise ValueError(
                    f"the variant '{variant.label}' reads '{strange[0]}', which is not in "
                    "data.fields.text"
                )
        return self

    @model_validator(mode="after")
    def _probes_are_questions(self) -> ComparisonConfig:
        fields = self.data.fields
        for probe in self.probes:
            if probe.column not in fields.categories:
                raise ValueError(
                    f"a probe asks for '{probe.column}', which is not in data.fields.categories"
                )
            if probe.of == "text" and probe.column in fields.text:
                raise ValueError(
                    f"a probe asks the text for '{probe.column}', which data.fields.text holds: "
                    "the text would be asked for what it says; leave the column out of the text"
                )
        if len({probe.name for probe in self.probes}) < len(self.probes):
            raise ValueError("each probe must be there once")
        return self

    @model_validator(mode="after")
    def _variants_decide_the_inputs(self) -> ComparisonConfig:
        usual = TowersConfig()
        given = [
            key for key in DECIDED_BY_VARIANTS if getattr(self.towers, key) != getattr(usual, key)
        ]
        if given:
            raise ValueError(
                f"towers.{given[0]} is not chosen here: every variant decides its inputs"
            )
        return self

    def seeded(self) -> ComparisonConfig:
        """The same with ``seed`` in every section that was not given its own."""
        changes: dict[str, Any] = {
            name: seeded(getattr(self, name), self.seed)
            for name in ("split", "train", "evaluation")
        }
        changes["variants"] = tuple(seeded(variant, self.seed) for variant in self.variants)
        return self.model_copy(update=changes)


def load_comparison_config(path: Path) -> ComparisonConfig:
    """Read a comparison's configuration; every section has its seed.

    Raises:
        ConfigError: The file is missing, is not TOML, or does not fit.
    """
    return load_config(path, ComparisonConfig).seeded()
