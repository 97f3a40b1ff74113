"""The results that stages pass to each other, read lazily from the stages' folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys.encoders import ILLUSTRATIONS, Encoder, Illustration, load_encoder, read_illustrations
from recsys.errors import ConfigError
from recsys.features import USER_VECTORS, AttributeSchema, FeatureBlock, text_parts
from recsys.formats import resolve
from recsys.ids import Mask, Vectors
from recsys.ingestion import IngestedData, load_ingested
from recsys.interactions import Interactions
from recsys.pictures import PictureStore
from recsys.pipeline.config import RunConfig
from recsys.pipeline.defaults.partial import CompleteConfig, PartialConfig
from recsys.pipeline.defaults.profile import DataProfile
from recsys.pipeline.defaults.rules import Choice
from recsys.progress import Progress, silent
from recsys.splits import Split, split
from recsys.towers.config import TowersConfig

if TYPE_CHECKING:
    from recsys.store.training_data import StoreSection
    from recsys.towers import AnyTowers

ENCODERS = ("text", "image")
BLOCKS = ("text", "image", "attributes")
PHRASES = "phrases"
ATTRIBUTE_SCHEMA = "attributes.json"
DATA = "data"
PICTURES = "pictures.zip"
CACHE = "cache"
TRAINED_ENCODERS = "encoders"


@dataclass(frozen=True, eq=False)
class Job:
    """One run.

    Attributes:
        given: Configuration of the run; its missing sections are chosen from the data.
        base: Folder that the configuration's paths start from.
        folder: Parent of the stages' folders.
        cache: Folder of encoded contents; runs may share it.
        progress: Callback for progress.
    """

    given: RunConfig | PartialConfig
    base: Path
    folder: Path
    cache: Path
    progress: Progress = field(default=silent, repr=False)

    @classmethod
    def from_config(
        cls,
        config: RunConfig | PartialConfig,
        base: Path,
        *,
        runs: Path,
        progress: Progress = silent,
    ) -> Job:
        """The job of a configuration in ``runs/NAME``; relative paths start from ``base``."""
        return cls(config, base.resolve(), runs / config.name, runs / CACHE, progress)

    @property
    def config(self) -> RunConfig:
        """The configuration with every section.

        Raises:
            ConfigError: Sections are chosen from the data, and these are not ingested yet.
        """
        return self.given if isinstance(self.given, RunConfig) else self._complete.config

    @property
    def choices(self) -> tuple[Choice, ...]:
        """Choices made from the data."""
        return () if isinstance(self.given, RunConfig) else self._complete.choices

    @property
    def values(self) -> Mapping[str, Any]:
        """The configuration with every section, as TOML values."""
        if isinstance(self.given, RunConfig):
            values = self.given.model_dump(mode="json", exclude_none=True)
            return {**dict.fromkeys(ENCODERS, "none"), **values}
        return self._complete.values

    @cached_property
    def _complete(self) -> CompleteConfig:
        assert isinstance(self.given, PartialConfig)
        if not (self.folder / "ingest" / DATA).is_dir():
            raise ConfigError(
                f"the sections {', '.join(sorted(self.given.absent))} of '{self.given.name}' are"
                " chosen from the data, which are not ingested yet: 'recsys ingest CONFIG' reads"
                " them"
            )
        profile = DataProfile.of(self.ingested, self.given.data.interactions)
        return self.given.complete(profile)

    def path(self, name: str | Path) -> Path:
        """Location of a path of the configuration."""
        return resolve(str(name), self.base)

    @property
    def bundles(self) -> Path:
        """Folder of the published bundles."""
        return self.folder / "bundles"

    @cached_property
    def ingested(self) -> IngestedData:
        """The log and the catalogue."""
        return load_ingested(self.folder / "ingest" / DATA, pictures=self.pictures)

    @property
    def pictures(self) -> PictureStore | None:
        """Pictures of the catalogue, or None; the stage "ingest" copies those of a store."""
        given, copied = self.given.data.pictures, self.folder / "ingest" / PICTURES
        if given is not None:
            return PictureStore.open(self.path(given))
        return PictureStore.open(copied) if copied.is_file() else None

    @cached_property
    def stores(self) -> dict[str, StoreSection]:
        """The sections of the data that are read from a store, each at one watermark."""
        if not self.given.data.stores:
            return {}
        from recsys.store.training_data import store_sections

        return store_sections(self.given.data.stores, self.base)

    @cached_property
    def split(self) -> Split:
        """The split of the log."""
        return split(self.ingested.interactions, self.config.split)

    @cached_property
    def encoders(self) -> dict[str, Encoder]:
        """Encoders by kind."""
        folders = {name: self.folder / "encode" / "encoders" / name for name in ENCODERS}
        return {name: load_encoder(path) for name, path in folders.items() if path.is_dir()}

    @property
    def illustrations(self) -> list[Illustration]:
        """Pictures that show what the encoders learned."""
        folders = (self.folder / "encode" / ILLUSTRATIONS / name for name in ENCODERS)
        return [illustration for folder in folders for illustration in read_illustrations(folder)]

    @cached_property
    def blocks(self) -> dict[str, FeatureBlock]:
        """Feature blocks by name."""
        files = {name: self.folder / "encode" / f"{name}.npz" for name in BLOCKS}
        return {name: FeatureBlock.load(path) for name, path in files.items() if path.is_file()}

    @cached_property
    def training_blocks(self) -> list[FeatureBlock]:
        """The blocks to train on: all, and the named parts of joined text encoders."""
        members = self.config.train.members
        named = [self.config.towers.blocks, *(member.blocks for member in members)]
        wanted = {name for names in named for name in names or () if name not in self.blocks}
        has_parts = bool(wanted) and "text" in self.encoders
        parts = text_parts(self.encoders["text"], self.blocks["text"]) if has_parts else {}
        return [*self.blocks.values(), *(part for name, part in parts.items() if name in wanted)]

    @cached_property
    def attribute_schema(self) -> AttributeSchema | None:
        """Schema of the attributes; None if they make no block."""
        file = self.folder / "encode" / ATTRIBUTE_SCHEMA
        return AttributeSchema.load(file) if file.is_file() else None

    @cached_property
    def phrases(self) -> Vectors:
        """Encoded search terms of the log, float32 ``[phrases, t]``; zeros for no terms."""
        file = self.folder / "encode" / f"{PHRASES}.npz"
        if not file.is_file():
            return np.zeros((len(self.ingested.interactions.phrases), 0), np.float32)
        return FeatureBlock.load(file).vectors

    @cached_property
    def user_block(self) -> FeatureBlock | None:
        """External user vectors; None if the towers read none."""
        file = self.folder / "encode" / f"{USER_VECTORS}.npz"
        reads = self.config.towers.user_vectors != "none" and file.is_file()
        return FeatureBlock.load(file) if reads else None

    @cached_property
    def known_users(self) -> Mask:
        """Users known to the final towers; see :meth:`users_known_from`."""
        return self.users_known_from(self.split.final)

    def users_known_from(self, log: Interactions) -> Mask:
        """Users that have interactions in a training log or a user vector, bool ``[users]``."""
        return log.active_users | (False if self.user_block is None else self.user_block.mask)

    @property
    def towers_config(self) -> TowersConfig:
        """The configured towers; without encoded search terms they read none."""
        has_terms = self.phrases.shape[1] > 0 and bool(self.phrases.any())
        changes: dict[str, Any] = {} if has_terms else {"terms": "none"}
        if self.config.towers.blocks is None and len(self.training_blocks) > len(self.blocks):
            changes["blocks"] = tuple(self.blocks)  # parts are read only by name
        return self.config.towers.model_copy(update=changes)

    @property
    def query_phrases(self) -> Vectors | None:
        """The search terms of every query if the towers read nothing else; otherwise None."""
        alone = self.towers_config.terms_alone and self.user_block is None
        return self.phrases if alone else None

    @cached_property
    def towers(self) -> AnyTowers:
        """The trained towers."""
        from recsys.towers import load_towers

        return load_towers(self.folder / "train" / "towers")
